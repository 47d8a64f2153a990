"""The ladder of policies: what each is, what it needs, and which is the largest that fits a machine.

A rung is a record; a local folder or a hub id gets one too, with what its files tell. Not covered: loading (``policy``), the memory
formula (``footprint``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finer.config import TrainConfig, answers_at_once
from finer.errors import FinerError, unknown
from finer.footprint import Footprint, Load, Shape, footprint, read_shape

DATA = Path(__file__).resolve().parent.parent / "data" / "policies"
STYLE_FILE = "finer_style.txt"
"""Beside a saved policy: the prompt style that it was trained with, and in a second line what has to stand beside its figures."""
ATTENTION_AND_MLP = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
PROMPT_TOKENS = {"tiny": 128, "compact": 256, "chat": 1024}
"""A prompt's length that memory is reckoned with, by style: the longest of the starter's, rounded up."""
SPARE = 1.25
"""``auto`` asks a GPU for so many times what the formula says, which was not checked on one."""
RECONSTRUCTED = "reconstructed prompt"
"""Of the released FINER-SQL models: what built the prompts that they were trained with is not public, so ours is a guess at it."""


class PolicyError(FinerError):
    """A policy that cannot be loaded; the message says what to do."""


@dataclass(frozen=True)
class PolicySpec:
    """One rung of the ladder."""

    name: str
    source: str
    """A folder, or a hub id."""
    style: str
    """Prompt style: 'tiny', 'compact' or 'chat'."""
    lora_rank: int
    """0: all parameters are trained."""
    learning_rate: float = 8e-6
    learning_rate_from: str = "FINER-SQL's paper, for whole models; an adapter may bear more"
    """Where this rate is known to work."""
    shape: Shape | None = None
    """None: not known before it is loaded, and so is its memory."""
    lora_targets: tuple[str, ...] = ATTENTION_AND_MLP
    four_bit: bool = False
    """One for a GPU, where Unsloth packs it in 4 bits; without Unsloth it is in half precision (bfloat16 where the GPU has it, else float16)."""
    note: str = ""
    """What has to stand beside every figure of it."""

    @property
    def precision(self) -> str:
        """Of the weights that are not trained."""
        return "4-bit or half" if self.four_bit else "float32" if not self.lora_rank else "float32, half on a GPU"

    def load(self, config: TrainConfig | None = None, gpu: bool = False, unsloth: bool = False) -> Load:
        """What a run with this configuration (None: the defaults) asks of the memory."""
        config = config or TrainConfig()
        rank = 0 if config.tune == "whole" else config.lora_rank if config.tune == "lora" or self.lora_rank else 0
        return Load(
            answers=config.questions_per_step * config.group_size,
            at_once=answers_at_once(config, rank > 0),
            group=config.group_size,
            prompt_tokens=config.max_prompt_tokens or PROMPT_TOKENS[self.style],
            completion_tokens=config.max_completion_tokens,
            rank=rank,
            targets=tuple(config.lora_targets),
            gpu=gpu,
            four_bit=gpu and unsloth and rank > 0 and self.four_bit,
        )

    def needs(self, config: TrainConfig | None = None, gpu: bool = False, unsloth: bool = False) -> Footprint | None:
        """The memory that GRPO takes with it; None where its shape is not known."""
        return footprint(self.shape, self.load(config, gpu, unsloth)) if self.shape else None


def _qwen(name: str, source: str, shape: Shape, learning_rate: float = 8e-6, known: str = PolicySpec.learning_rate_from, note: str = "") -> PolicySpec:
    return PolicySpec(name, source, "chat", 32, learning_rate, known, shape, four_bit=True, note=note)


HALF_B = Shape(151936, 896, 24, 4864, 896, 128, tied=True, biases=1152)
ONE_AND_A_HALF_B = Shape(151936, 1536, 28, 8960, 1536, 256, tied=True, biases=2048)
THREE_B = Shape(151936, 2048, 36, 11008, 2048, 256, tied=True, biases=2560)
SMOLLM2 = Shape(49152, 576, 30, 1536, 576, 192, tied=True)
TINY_RATE = 3e-4, "the demo here"
RELEASED_RATE = 5e-6, "FINER-SQL's released scripts, for the whole model"
LADDER = {
    spec.name: spec
    for spec in (
        *(PolicySpec(name, str(DATA / name), "tiny", 0, *TINY_RATE, read_shape(DATA / name)) for name in ("tiny", "tiny-low")),
        PolicySpec("smollm2-135m", "HuggingFaceTB/SmolLM2-135M-Instruct", "compact", 32, 5e-5, "not known: at 1e-4 eighty steps here moved it, not for the better", SMOLLM2),
        _qwen("qwen2.5-coder-0.5b", "Qwen/Qwen2.5-Coder-0.5B-Instruct", HALF_B),
        _qwen("qwen2.5-coder-1.5b", "Qwen/Qwen2.5-Coder-1.5B-Instruct", ONE_AND_A_HALF_B),
        _qwen("qwen2.5-coder-3b", "Qwen/Qwen2.5-Coder-3B-Instruct", THREE_B),
        *(
            _qwen(f"finer-sql-{size.lower()}-{data.lower()}", f"griffith-bigdata/FINER-SQL-{size}-{data}", shape, *RELEASED_RATE, RECONSTRUCTED)
            for size, shape in (("0.5B", HALF_B), ("3B", THREE_B))
            for data in ("BIRD", "Spider")
        ),
    )
}


def policy_spec(name: str) -> PolicySpec:
    """The spec of a name of the ladder, a local folder, or a hub id ('owner/model'). PolicyError names the nearest."""
    if name in LADDER:
        return LADDER[name]
    folder = Path(name)
    if folder.suffix == ".gguf" and folder.is_file():
        return PolicySpec(name, name, saved_style(folder.parent) or "chat", 32, note=_saved(folder.parent)[1])
    if (folder / "config.json").is_file() or (folder / "adapter_config.json").is_file():
        return _folder_spec(folder)
    if folder.exists():
        inside = [part for part in ("policy", "merged", "adapter") if (folder / part).is_dir()]
        raise PolicyError(f"{name} holds no model (no config.json); give the folder that a run wrote as its 'policy'{f': {folder / inside[0]}' if inside else ''}")
    if name.count("/") == 1 and not name.startswith((".", "/")):
        return PolicySpec(name, name, "chat", 32, four_bit=True)
    raise PolicyError(unknown("policy", name, LADDER) + "; a local folder or a hub id (owner/model) serves too")


def _folder_spec(folder: Path) -> PolicySpec:
    """A folder that a run saved says its style; what descends from a rung is trained as that rung is."""
    adapter = _adapter_config(folder)
    base = str(adapter.get("base_model_name_or_path") or "")
    rung = next((spec for spec in LADDER.values() if spec.source == base), None)
    shape = read_shape(folder) or (rung.shape if rung else read_shape(Path(base)) if base else None)
    alike = rung or next((spec for spec in LADDER.values() if spec.shape == shape), None)
    style = saved_style(folder) or (alike.style if alike else "chat")
    rank = adapter.get("r") or (alike.lora_rank if alike else 0 if style == "tiny" else 32)
    known = alike or PolicySpec("", "", style, rank, four_bit=style == "chat")
    note = _saved(folder)[1] or (rung.note if rung else "")
    return PolicySpec(str(folder), str(folder), style, rank, known.learning_rate, known.learning_rate_from, shape, four_bit=known.four_bit, note=note)


def _adapter_config(folder: Path) -> dict[str, Any]:
    """What an adapter says of itself; nothing where the folder holds a whole model, or none can be read."""
    try:
        found = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def saved_style(folder: Path) -> str:
    """The prompt style noted beside a saved policy; '' where none is."""
    return _saved(folder)[0]


def write_style(spec: PolicySpec, folder: Path) -> None:
    """Notes it beside a saved policy, with what has to stand beside its figures."""
    lines = [spec.style, *([spec.note] if spec.note else [])]
    (folder / STYLE_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _saved(folder: Path) -> tuple[str, str]:
    """Style and note beside a saved policy; '' where there is none."""
    file = folder / STYLE_FILE
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return (*(line.strip() for line in lines[:2]), *[""] * (2 - len(lines[:2])))  # type: ignore[return-value]


def choose(gpu_gigabytes: float, device: str, unsloth: bool, config: TrainConfig | None = None) -> tuple[str, str]:
    """The largest policy of the ladder that a machine can train with this configuration, and one sentence that says why.

    ``gpu_gigabytes``: of its GPU; 0: it has none. Of what is trained already (its note says so) none is taken.

    >>> choose(0.0, "", False)[0], choose(16.0, "Tesla T4", True)[0]
    ('tiny', 'qwen2.5-coder-3b')
    """
    if not gpu_gigabytes:
        return "tiny", "no CUDA device is here, so the bundled policy of 3.2 M parameters trains on the CPU; larger ones would take many minutes a step"
    rungs = [(spec, SPARE * need.gigabytes) for spec in LADDER.values() if spec.four_bit and not spec.note and (need := spec.needs(config, True, unsloth))]
    fitting = [(spec, need) for spec, need in rungs if need <= gpu_gigabytes]
    if not fitting:
        smallest, least = min(rungs, key=lambda rung: rung[1])
        single = SPARE * smallest.needs(replace(config or TrainConfig(), answers_at_once=1), True, unsloth).gigabytes
        less = f"; with answers_at_once=1 it would need {single:.1f} GB" if single <= gpu_gigabytes else ""
        return "tiny", f"{device} has {gpu_gigabytes:.0f} GB, and {smallest.name}, the smallest of those for a GPU, needs about {least:.1f} GB with these settings{less}"
    spec, need = max(fitting, key=lambda rung: rung[1])
    beyond = min((rung for rung in rungs if rung[1] > gpu_gigabytes), key=lambda rung: rung[1], default=None)
    more = f"; {beyond[0].name} would need {beyond[1]:.1f} GB" if beyond else ""
    return spec.name, f"{device} has {gpu_gigabytes:.0f} GB, and {spec.name} needs about {need:.1f} GB with these settings{more}"
