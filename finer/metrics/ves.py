"""BIRD's efficiency scores, from measured times: VES and R-VES.

Both start from the ratio of the gold's time to the prediction's, above 1 where the prediction is the faster. Both are
given here as shares: 1.0 for a right answer as fast as its gold; the official scripts print them times 100. Where
times come from: ``timing``. Sources: ``evaluation_ves.py`` of BIRD and of its mini-dev.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

OUTLIER_DEVIATIONS = 3


def time_ratio(gold_seconds: Sequence[float], prediction_seconds: Sequence[float]) -> float:
    """The mean ratio of paired runs, gold over prediction, without those 3 standard deviations or more from the mean.

    Where all ratios are the same the official script drops every one and fails; here their value is the answer.
    ValueError where there is no run, or not as many of one as of the other.

    >>> time_ratio([2.0, 4.0], [1.0, 1.0])
    3.0
    """
    ratios = [gold / prediction for gold, prediction in zip(gold_seconds, prediction_seconds, strict=True)]
    if not ratios:
        raise ValueError("time_ratio: no run was timed")
    mean, deviation = statistics.fmean(ratios), statistics.pstdev(ratios)
    kept = [ratio for ratio in ratios if abs(ratio - mean) < OUTLIER_DEVIATIONS * deviation]
    return statistics.fmean(kept or ratios)


def ves(ratio: float) -> float:
    """What a right answer is worth under VES: the square root of its time ratio; without bound.

    >>> ves(4.0)
    2.0
    """
    return math.sqrt(ratio)


def r_ves(ratio: float) -> float:
    """What a right answer is worth under R-VES: the square root of a reward in five steps; at most 1.118.

    >>> [round(r_ves(ratio), 3) for ratio in (2, 1, 0.5, 0.25, 0.1)]
    [1.118, 1.0, 0.866, 0.707, 0.5]
    """
    steps = ((2.0, 1.25), (1.0, 1.0), (0.5, 0.75), (0.25, 0.5))
    return math.sqrt(next((reward for least, reward in steps if ratio >= least), 0.25))
