"""Log-probabilities of a step's completions without work on padding: rows of like length go through the model together.

A step's rows are filled up to its longest prompt and its longest completion; with short answers beside long ones a third or more of the
work is on the filling. Here they go in parts of like length, each cut to what it holds; the values and gradients are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ROWS = 8
"""Rows that go through the model together."""


def by_length(score: Callable[[Any, Any, int], tuple[Any, Any]], input_ids: Any, attention_mask: Any, completion_width: int) -> tuple[Any, Any]:
    """``score(ids, mask, width)`` over parts of like length → log-probabilities and entropies, shape (rows, completion_width).

    Rows are a prompt filled on the left and a completion filled on the right, which takes the last ``completion_width`` columns; what
    ``score`` returns has the shape (rows of the part, ``width``), and filling gets 0. Differentiable.
    """
    import torch

    order = attention_mask.sum(dim=1).argsort(stable=True)
    found = [_part(score, input_ids[rows], attention_mask[rows], completion_width) for rows in order.split(ROWS)]
    back = order.argsort()
    logps, entropies = (torch.cat(parts)[back] for parts in zip(*found, strict=True))
    return logps, entropies


def _part(score: Callable[[Any, Any, int], tuple[Any, Any]], ids: Any, mask: Any, completion_width: int) -> tuple[Any, Any]:
    from torch.nn.functional import pad

    used = mask.any(dim=0).nonzero()
    first, end = int(used[0]), int(used[-1]) + 1
    missing = ids.shape[1] - end
    scored = score(ids[:, first:end], mask[:, first:end], completion_width - missing)
    return tuple(pad(values, (0, missing)) for values in scored)
