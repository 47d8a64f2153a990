"""Log-probabilities of a step's completions for less work: a prompt goes through the model once for all of its answers.

A step's rows repeat each prompt for every answer of its group, and are filled up to the longest prompt and the longest completion of the
step. Here the keys and values of a prompt are computed once and the answers read them; values and gradients are the same. Where a step
goes through the model in several lots, which TRL fills at random, the answers to one prompt are put into one lot first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from finer.footprint import ROWS


class _States(NamedTuple):
    last_hidden_state: Any


def prompt_once(decoder: Any, prompt_width: int) -> Any:
    """Stands for a decoder while the answers to one prompt are scored: its backbone reads their common prompt once.

    It is given rows of token ids that begin with the same ``prompt_width`` tokens, and hands back the states that predict the answers,
    and the one after: shape (rows, answer width + 1, hidden).
    """
    import torch
    from transformers import DynamicCache

    class PromptOnce(torch.nn.Module):  # a module, since TRL asks of a model whether an adapter is in it
        config = decoder.config
        get_output_embeddings = staticmethod(decoder.get_output_embeddings)

        def base_model(self, input_ids, **_):
            cache = DynamicCache(config=self.config)
            read = decoder.base_model
            prompt = read(input_ids=input_ids[:1, :prompt_width], past_key_values=cache, use_cache=True).last_hidden_state[:, -1:]
            cache.batch_repeat_interleave(len(input_ids))
            answers = read(input_ids=input_ids[:, prompt_width:], past_key_values=cache, use_cache=True).last_hidden_state
            return _States(torch.cat([prompt.expand(len(input_ids), -1, -1), answers], dim=1))

    return PromptOnce()


def prompts_together(lots: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A step's answers dealt anew into as many lots of the same size, so that answers to one prompt meet: a lot reads each of its prompts once.

    A lot is a dictionary as TRL keeps it: tensors and lists with an entry a row, scalars and None as they are.
    """
    import torch

    prompts = [tuple(ids[kept.bool()].tolist()) for lot in lots for ids, kept in zip(lot["prompt_ids"], lot["prompt_mask"], strict=True)]
    first = {prompt: place for place, prompt in reversed(list(enumerate(prompts)))}
    order = sorted(range(len(prompts)), key=lambda row: (first[prompts[row]], row))
    shares = torch.tensor(order).tensor_split(len(lots))
    return [{name: _dealt([lot[name] for lot in lots], rows) for name in lots[0]} for rows in shares]


def _dealt(values: Sequence[Any], rows: Any) -> Any:
    """One entry of a lot, out of all lots'."""
    import torch

    if isinstance(values[0], torch.Tensor) and values[0].ndim:
        return torch.cat(list(values))[rows]
    if isinstance(values[0], list):
        whole = [value for lot in values for value in lot]
        return [whole[row] for row in rows.tolist()]
    return values[0]


Score = Callable[[Any, Any, Any, int], tuple[Any, Any]]
"""(decoder, ids, mask, answer width) to log-probabilities and entropies, each (rows, answer width), 0 for filling."""


def by_prompt(score: Score, decoder: Any, input_ids: Any, attention_mask: Any, completion_width: int) -> tuple[Any, Any]:
    """``score`` over the answers to each prompt → log-probabilities and entropies, shape (rows, completion_width). Differentiable.

    Rows are a prompt filled on the left and a completion filled on the right, which takes the last ``completion_width`` columns.
    """
    import torch

    parts = _parts(input_ids, attention_mask, completion_width)
    found = [_part(score, decoder, input_ids[rows], attention_mask[rows], completion_width) for rows in parts]
    back = torch.cat(parts).argsort()
    logps, entropies = (torch.cat(values)[back] for values in zip(*found, strict=True))
    return logps, entropies


def _parts(ids: Any, mask: Any, completion_width: int) -> list[Any]:
    """Indices of rows with the same prompt, the shortest completions first, at most ROWS of them together."""
    import torch

    groups: dict[tuple[int, ...], list[int]] = {}
    lengths = mask.sum(dim=1)
    for row in lengths.argsort(stable=True).tolist():
        prompt = ids[row, :-completion_width][mask[row, :-completion_width].bool()]
        groups.setdefault(tuple(prompt.tolist()), []).append(row)
    return [part for rows in groups.values() for part in torch.tensor(rows).split(ROWS)]


def _part(score: Score, decoder: Any, ids: Any, mask: Any, completion_width: int) -> tuple[Any, Any]:
    from torch.nn.functional import pad

    prompt_end = ids.shape[1] - completion_width
    prompt_width = int(mask[0, :prompt_end].sum())
    width = max(1, int(mask[:, prompt_end:].sum(dim=1).max()))
    used = slice(prompt_end - prompt_width, prompt_end + width)
    scored = score(prompt_once(decoder, prompt_width), ids[:, used], mask[:, used], width)
    return tuple(pad(values, (0, completion_width - width)) for values in scored)
