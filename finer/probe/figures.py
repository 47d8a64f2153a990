"""The three figures that the probe states of a list of scores: quantiles, AUC, Spearman's rank correlation."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import sqrt

LEVELS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""The quantiles that are stated."""


def quantiles(values: Sequence[float]) -> tuple[float, ...]:
    """The values at ``LEVELS``, between two neighbours in proportion; empty for no values.

    >>> quantiles([0.0, 1.0])
    (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
    """
    ordered = sorted(values)
    return tuple(_at(ordered, level * (len(ordered) - 1)) for level in LEVELS) if ordered else ()


def _at(ordered: list[float], place: float) -> float:
    low, share = int(place), place - int(place)
    return ordered[low] if not share else ordered[low] * (1 - share) + ordered[low + 1] * share


def auc(right: Sequence[float], wrong: Sequence[float]) -> float | None:
    """Chance that a right answer ranks above one that is not; ties count half. None where one side is empty.

    >>> auc([0.9, 0.5], [0.5, 0.1])
    0.875
    """
    if not right or not wrong:
        return None
    ordered = sorted(wrong)
    wins = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in right)
    return wins / 2 / (len(right) * len(wrong))


def spearman(one: Sequence[float], two: Sequence[float]) -> float | None:
    """Correlation of the ranks, equal values at the mean of their ranks; None where a side has one value only.

    >>> spearman([1, 2, 3, 4], [0.9, 0.5, 0.5, 0.1])
    -0.9486832980505138
    """
    first, second = _ranks(one), _ranks(two)
    middle = (len(first) + 1) / 2
    products = sum((a - middle) * (b - middle) for a, b in zip(first, second, strict=True))
    spread = sqrt(sum((a - middle) ** 2 for a in first) * sum((b - middle) ** 2 for b in second))
    return products / spread if spread else None


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [(bisect_left(ordered, value) + bisect_right(ordered, value) + 1) / 2 for value in values]
