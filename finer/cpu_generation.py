"""Sampling on a CPU: one prefill for all answers to a prompt, answers that ended leave the batch, and no step copies the cache.

transformers' ``generate`` reads a prompt once for each of its answers, carries ended answers along to the longest one, and
copies all keys and values at every token. Here the model, its cache interface and its masks are transformers' own; the loop is ours.
Only for decoders whose layers all attend to everything before them, on a CPU (``serves``); elsewhere ``generate`` stays.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

ENDED_SHARE = 0.2
"""Ended answers leave the batch once they are this share of it: leaving copies what the others keep."""


def serves(model: Any) -> bool:
    """Can this model be sampled here: on a CPU, every layer with full attention?"""
    kinds = set(getattr(model.config, "layer_types", None) or ["full_attention"])
    plain = not getattr(model.config, "is_encoder_decoder", False) and not getattr(model.config, "sliding_window", None)
    return model.device.type == "cpu" and plain and kinds == {"full_attention"}


def generate(model: Any, prompts: Sequence[Sequence[int]], max_new_tokens: int, ends: Collection[int],
             temperature: float = 1.0, top_p: float = 1.0, top_k: int = 0) -> list[list[int]]:  # fmt: skip
    """One completion a prompt as token ids, its end mark included where it was reached; equal prompts are read once.

    ``temperature`` 0 is greedy. Random numbers come from torch's own generator. The model is left in the mode it was in.
    """
    import torch

    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return _generate(model, [tuple(prompt) for prompt in prompts], max_new_tokens, _chooser(temperature, top_p, top_k), ends)
    finally:
        model.train(training)


def _generate(model: Any, prompts: list[tuple[int, ...]], max_new_tokens: int, choose: Any, ends: Collection[int]) -> list[list[int]]:
    import torch

    places = {prompt: place for place, prompt in enumerate(dict.fromkeys(prompts))}
    rows = torch.tensor([places[prompt] for prompt in prompts])
    logits, mask, cache = _read(model, list(places), max_new_tokens)
    cache.batch_select_indices(rows)
    logits, mask = logits[rows], mask[rows]
    end_marks, live = torch.tensor(sorted(ends)), torch.arange(len(prompts))
    written: list[list[int]] = [[] for _ in prompts]
    going = torch.ones(len(prompts), dtype=torch.bool)
    for position in range(max_new_tokens):
        tokens = choose(logits)
        for row, token, goes in zip(live.tolist(), tokens.tolist(), going.tolist(), strict=True):
            if goes:
                written[row].append(token)
        going = going & ~torch.isin(tokens, end_marks)
        if position + 1 == max_new_tokens or not going.any():
            break
        if going.sum() <= (1 - ENDED_SHARE) * len(going):
            kept = going.nonzero().squeeze(1)
            cache.batch_select_indices(kept)
            tokens, mask, live, going = tokens[kept], mask[kept], live[kept], going[kept]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        logits = _next(model, tokens.unsqueeze(1), mask, mask.sum(dim=1, keepdim=True) - 1, cache)
    return written


def _read(model: Any, prompts: list[tuple[int, ...]], max_new_tokens: int) -> tuple[Any, Any, Any]:
    """The logits after each prompt, the mask of the prompts (filled on the left) and the cache, with room for the answers."""
    import torch
    from transformers.cache_utils import Cache

    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    layer = _roomy_layer()
    cache = Cache(layers=[layer(width + max_new_tokens) for _ in range(model.config.num_hidden_layers)])
    return _next(model, ids, mask, (mask.cumsum(dim=1) - 1).clamp(min=0), cache), mask, cache


def _next(model: Any, ids: Any, mask: Any, positions: Any, cache: Any) -> Any:
    """The logits after the last of ``ids``, shape (rows, vocabulary)."""
    output = model(input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=1)
    return output.logits[:, -1]


def _roomy_layer() -> type:
    """A cache layer whose buffers hold the whole answer from the start; made here, since transformers is imported late."""
    from transformers.cache_utils import DynamicLayer

    class RoomyLayer(DynamicLayer):
        def __init__(self, room: int):
            super().__init__()
            self.room, self.length = room, 0

        def update(self, key_states, value_states, *_, **__):
            end = self.length + key_states.shape[-2]
            if not self.is_initialized:
                rows, heads, _, size = key_states.shape
                self.keys, self.values = (key_states.new_empty(rows, heads, self.room, size) for _ in range(2))
                self.dtype, self.device, self.is_initialized = key_states.dtype, key_states.device, True
            self.keys[:, :, self.length : end] = key_states
            self.values[:, :, self.length : end] = value_states
            self.length = end
            return self.keys[:, :, :end], self.values[:, :, :end]

        def get_seq_length(self) -> int:
            return self.length

    return RoomyLayer


def _chooser(temperature: float, top_p: float, top_k: int) -> Any:
    """Logits (rows, vocabulary) → one token a row; the cuts of top-k and top-p are transformers' own."""
    import torch
    from transformers.generation import TopKLogitsWarper, TopPLogitsWarper

    cuts = [*([TopKLogitsWarper(top_k)] if top_k else []), *([TopPLogitsWarper(top_p)] if top_p < 1 else [])]

    def choose(logits: Any) -> Any:
        if not temperature:
            return logits.argmax(dim=-1)
        logits = logits.float() / temperature
        for cut in cuts:
            logits = cut(None, logits)
        reached = logits.softmax(dim=-1).cumsum(dim=-1)  # one random number a row; torch.multinomial draws one for every token of it
        drawn = torch.rand(len(reached), 1) * reached[:, -1:]
        return torch.searchsorted(reached, drawn, right=True).clamp(max=reached.shape[1] - 1).squeeze(1)

    return choose
