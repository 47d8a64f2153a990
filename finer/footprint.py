"""How much memory GRPO needs for a policy: a sum of five parts, each stated here, which ``finer doctor`` prints and ``auto`` goes by.

With h the hidden width, i the feed-forward's, q the width of queries, k that of keys (and of values), L the layers, r the adapter's rank:

- *weights*: every parameter, in 4 bytes (float32), 2 (half precision), or in 4 bits where Unsloth packs the layers (embeddings stay half).
- *training*: 12 bytes for each trained parameter (gradient and AdamW's two means); an adapter adds its own 4, and on a GPU its means are 8-bit.
- *generation*: keys and values of every answer of a step, 2·k·L numbers a token of prompt and answer.
- *update*: what the backward pass of the answers that go through together keeps, a·h + 4·i + 2·q + 7·r + t numbers a token and layer, with a = 8
  where the whole model is trained and 6 (its norms are frozen) under an adapter; q and not k, since answers of unequal length need a mask (t, the
  tokens of prompt and answer), and with one the keys are repeated for each head. On a CPU up to eight answers share one reading of their prompt (``unpadded``), of which each keeps
  the 2·q repeated keys and values; and twice all that, for what malloc does not give back. On a GPU only h numbers a layer are kept, and one
  layer's worth of the rest (gradient checkpointing). Logits are never whole: TRL and Unsloth go through them in pieces.
- *the rest*: Python with torch, TRL and the sandbox's workers; on a GPU CUDA's own. A constant.

Generation and update do not come at once, so the larger counts. The numbers a token were counted on Llama in transformers 5.17 by hooks on saved
tensors (tests/test_footprint.py counts again), the rest on a CPU; nothing of it was checked on a GPU (docs/gpu.md). Not covered: memory
that torch's allocator holds in pieces, vLLM's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

GIGABYTE = 1e9
ROWS = 8
"""Answers to one prompt that share a reading of it on a CPU."""
NF4_BYTES = 0.516
"""A parameter in 4 bits with its share of the scales: a byte for each block of 64, and 4 bytes for each 256 blocks."""
CPU_REST, GPU_REST = 1.2e9, 1.5e9
"""The first measured with ``tiny``; the second assumed."""
NOT_GIVEN_BACK = 2.0
"""Measured with ``smollm2-135m``: the system's malloc keeps holes between freed tensors (docs/policies.md says what to do where memory is short)."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a decoder of the Llama family."""

    vocabulary: int
    hidden: int
    layers: int
    intermediate: int
    """Width of the feed-forward part."""
    queries: int
    """Heads times their size."""
    keys: int
    """The same of the keys, of which several heads may share one."""
    tied: bool
    """Do input and output share their embedding?"""
    biases: int = 0
    """Numbers in a layer's biases."""

    @property
    def embeddings(self) -> int:
        """Parameters outside the layers' linear maps and norms."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        """All of them.

        >>> Shape(151936, 896, 24, 4864, 896, 128, tied=True, biases=1152).parameters
        494032768
        """
        maps = sum(rows * columns for rows, columns in self.maps.values())
        return self.embeddings + self.layers * (maps + self.biases + 2 * self.hidden) + self.hidden

    @property
    def maps(self) -> dict[str, tuple[int, int]]:
        """A layer's linear maps by their name in transformers: numbers in, numbers out."""
        hidden, wide = self.hidden, self.intermediate
        return {
            "q_proj": (hidden, self.queries), "k_proj": (hidden, self.keys), "v_proj": (hidden, self.keys), "o_proj": (self.queries, hidden),
            "gate_proj": (hidden, wide), "up_proj": (hidden, wide), "down_proj": (wide, hidden),
        }  # fmt: skip

    def adapter(self, rank: int, targets: Sequence[str]) -> int:
        """Parameters of an adapter of this rank.

        >>> Shape(49152, 576, 30, 1536, 576, 192, tied=True).adapter(32, ["q_proj", "v_proj"])
        1843200
        """
        return self.layers * sum(rank * sum(self.maps[name]) for name in targets if name in self.maps)


@dataclass(frozen=True)
class Load:
    """What a run asks of the memory, beside its policy."""

    answers: int
    """Written together: all of a step."""
    at_once: int
    """That go through an update together."""
    group: int
    """Answers to one prompt."""
    prompt_tokens: int
    completion_tokens: int
    rank: int
    """The adapter's; 0: the whole model is trained."""
    targets: tuple[str, ...]
    gpu: bool = False
    four_bit: bool = False
    """The layers are packed in 4 bits."""


@dataclass(frozen=True)
class Footprint:
    """Bytes by part."""

    weights: float
    training: float
    generation: float
    update: float
    rest: float

    @property
    def gigabytes(self) -> float:
        """At the peak."""
        return (self.weights + self.training + max(self.generation, self.update) + self.rest) / GIGABYTE


def footprint(shape: Shape, load: Load) -> Footprint:
    """The five parts for a policy of this shape under this load.

    >>> smollm2 = Shape(49152, 576, 30, 1536, 576, 192, tied=True)
    >>> load = Load(answers=16, at_once=8, group=8, prompt_tokens=200, completion_tokens=128, rank=32, targets=("q_proj", "v_proj"))
    >>> {name: round(value / 1e9, 2) for name, value in vars(footprint(smollm2, load)).items()}
    {'weights': 0.54, 'training': 0.03, 'generation': 0.24, 'update': 3.76, 'rest': 1.2}
    """
    number = 2 if load.gpu and load.rank else 4
    tokens = load.prompt_tokens + load.completion_tokens
    return Footprint(
        weights=_weights(shape, load.four_bit, number),
        training=_training(shape, load),
        generation=2.0 * shape.keys * shape.layers * number * tokens * load.answers,
        update=_update(shape, load),
        rest=GPU_REST if load.gpu else CPU_REST,
    )


def _weights(shape: Shape, four_bit: bool, number: int) -> float:
    if not four_bit:
        return float(shape.parameters * number)
    return shape.embeddings * 2 + (shape.parameters - shape.embeddings) * NF4_BYTES


def _training(shape: Shape, load: Load) -> float:
    if not load.rank:
        return shape.parameters * 12.0
    return shape.adapter(load.rank, load.targets) * (10.0 if load.gpu else 16.0)


def _update(shape: Shape, load: Load) -> float:
    tokens = load.prompt_tokens + load.completion_tokens
    layer = (6 if load.rank else 8) * shape.hidden + 4 * shape.intermediate + 2 * shape.queries + 7 * load.rank
    if load.gpu:
        kept = shape.layers * shape.hidden * 2 + (layer + tokens) * 4 if load.rank else shape.layers * (layer + tokens) * 4
        return float(kept * tokens * load.at_once)
    prompts = ceil(load.at_once / min(ROWS, load.group))
    read = prompts * load.prompt_tokens * (layer + load.prompt_tokens)
    answered = load.at_once * (load.completion_tokens * (layer + tokens) + load.prompt_tokens * 2 * shape.queries)
    return shape.layers * (read + answered) * 4.0 * NOT_GIVEN_BACK


def shape_of(config: dict[str, Any]) -> Shape | None:
    """The shape that a transformers ``config.json`` tells; None where it tells no sizes.

    >>> shape_of({"model_type": "gpt2", "n_embd": 768}) is None
    True
    """
    try:
        hidden, heads = config["hidden_size"], config["num_attention_heads"]
        size = config.get("head_dim") or hidden // heads
        queries, keys = heads * size, (config.get("num_key_value_heads") or heads) * size
        biases = queries + 2 * keys if config.get("model_type") == "qwen2" else queries + 2 * keys + hidden if config.get("attention_bias") else 0
        tied = bool(config.get("tie_word_embeddings"))
        return Shape(config["vocab_size"], hidden, config["num_hidden_layers"], config["intermediate_size"], queries, keys, tied, biases)
    except (KeyError, TypeError):
        return None


def read_shape(folder: Path) -> Shape | None:
    """The shape of the model in a folder; None where its config.json does not tell it."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return shape_of(config) if isinstance(config, dict) else None
