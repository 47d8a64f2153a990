"""What several seeds of a training run say together: means with intervals, differences and ratios paired by seed, steps to a level.

Pure functions over numbers. A seed draws the order of the questions, the answers and a new adapter; the policy that a run begins from and the
data are the same for all, so the intervals speak of other seeds, not of other policies or data. Not covered: a share of questions (``accounts``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

_T_975 = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788, 2.1604, 2.1448, 2.1314,
          2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452)  # fmt: skip
"""97.5 % points of Student's t with 1 to 29 degrees of freedom (any table of them); above that 1.96 + 2.5 / degrees is close enough."""


@dataclass(frozen=True)
class OverSeeds:
    """A mean over seeds with its 95 % interval by Student's t, which is wide for few seeds."""

    value: float | None
    """None where there is no seed."""
    low: float | None
    """None for fewer than two seeds: one says nothing of others."""
    high: float | None
    n: int
    """How many seeds."""

    def __str__(self) -> str:
        if self.value is None:
            return "–"
        return f"{self.value:.3g}" + ("" if self.low is None else f" ({self.low:.3g} to {self.high:.3g})")


def over_seeds(values: Iterable[float]) -> OverSeeds:
    """The mean of one number a seed.

    >>> str(over_seeds([0.5, 0.6, 0.7]))
    '0.6 (0.352 to 0.848)'
    >>> over_seeds([0.5])
    OverSeeds(value=0.5, low=None, high=None, n=1)
    """
    given = list(values)
    if len(given) < 2:
        return OverSeeds(given[0] if given else None, None, None, len(given))
    half = _t_975(len(given) - 1) * stdev(given) / math.sqrt(len(given))
    mean = fmean(given)
    return OverSeeds(mean, mean - half, mean + half, len(given))


def difference(first: Mapping[int, float], second: Mapping[int, float]) -> OverSeeds:
    """Second minus first, seed by seed; a seed that only one of them has is left out.

    >>> str(difference({1: 0.5, 2: 0.5, 3: 0.1}, {1: 0.7, 2: 0.5}))
    '0.1 (-1.17 to 1.37)'
    """
    return over_seeds(second[seed] - first[seed] for seed in sorted(first.keys() & second.keys()))


def ratio(first: Mapping[int, float], second: Mapping[int, float]) -> OverSeeds:
    """Second over first, seed by seed: the geometric mean, and the interval of the logarithms taken back. Every number must be above 0.

    >>> ratio({1: 40, 2: 60}, {1: 20, 2: 30})
    OverSeeds(value=0.5, low=0.5, high=0.5, n=2)
    """
    logs = over_seeds(math.log(second[seed] / first[seed]) for seed in sorted(first.keys() & second.keys()))
    back = [None if one is None else math.exp(one) for one in (logs.value, logs.low, logs.high)]
    return OverSeeds(*back, logs.n)


def steps_to(curve: Sequence[tuple[int, float]], level: float) -> int | None:
    """The first step at which a curve of (step, value) stands at ``level`` or above; None where it never does.

    >>> steps_to([(0, 0.1), (5, 0.5), (10, 0.4)], 0.5), steps_to([(0, 0.1)], 0.5)
    (5, None)
    """
    return next((step for step, value in curve if value >= level), None)


def waited(steps: int | None, horizon: int) -> int:
    """Steps waited for a level within the budget: ``horizon`` for a run that had not reached it when it ended.

    Every run of an experiment ends at the same step, so no run is censored before another; the mean of these waits is then the restricted mean
    survival time up to the horizon (Royston and Parmar 2013), and it needs no estimate of a survival curve. A ratio of such means lies nearer
    to 1 than one of the full times would. A start that is at the level already counts as a wait of one step.

    >>> waited(None, 60), waited(15, 60), waited(0, 60)
    (60, 15, 1)
    """
    return horizon if steps is None else max(1, min(steps, horizon))


def _t_975(degrees: int) -> float:
    return _T_975[degrees - 1] if degrees <= len(_T_975) else 1.96 + 2.5 / degrees
