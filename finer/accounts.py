"""How many are right, how sure that is, and whether two systems differ: pure functions over outcomes.

An outcome is True, False or None (not judged: it never counts), or a score from 0 up. Intervals are percentile bootstraps
(Efron 1979) over the questions, with a fixed seed, so that the same outcomes give the same figures. Where every outcome is
right, or every one wrong, no resample differs; the interval is Wilson's then, which is wide for few questions.
Intervals speak of other questions of the same kind over the same databases, not of other databases.

Not covered: what is right (``judge``) and where an outcome comes from (``evaluate``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

RESAMPLES = 2_000
SEED = 0
LEVEL = 0.95

Outcome = bool | float | None


@dataclass(frozen=True)
class Share:
    """A mean outcome."""

    value: float | None
    """The mean over those judged; None where there is none."""
    n: int
    """How many were judged."""
    interval: tuple[float, float] | None
    """95 % interval of ``value``."""

    def as_json(self) -> dict[str, Any]:
        """A plain object: value, n, interval."""
        return {"value": self.value, "n": self.n, "interval": None if self.interval is None else list(self.interval)}


@dataclass(frozen=True)
class Paired:
    """Two systems on the same questions, the second measured against the first."""

    n: int
    """Questions that both were judged on."""
    gained: tuple[int, ...]
    """Places of the outcomes that were wrong and are right."""
    lost: tuple[int, ...]
    """Places of the outcomes that were right and are wrong."""
    first: Share
    second: Share
    difference: Share
    """Second minus first, question by question."""
    p: float
    """Of McNemar's exact test; see :func:`mcnemar`."""

    def as_json(self) -> dict[str, Any]:
        """A plain object with every field."""
        shares = {name: getattr(self, name).as_json() for name in ("first", "second", "difference")}
        return {**asdict(self), "gained": list(self.gained), "lost": list(self.lost), **shares}


def share(outcomes: Iterable[Outcome]) -> Share:
    """The mean outcome of those judged, with its interval.

    >>> share([True, False, True, None, True])
    Share(value=0.75, n=4, interval=(0.25, 1.0))
    >>> share([None])
    Share(value=None, n=0, interval=None)
    >>> [round(bound, 2) for bound in share([True, True, True]).interval]
    [0.44, 1.0]
    """
    judged = [float(outcome) for outcome in outcomes if outcome is not None]
    alike = set(judged) in ({0.0}, {1.0})
    return Share(_mean(judged), len(judged), wilson(sum(judged), len(judged)) if alike else bootstrap_interval(judged))


def shares(outcomes: Sequence[Outcome], labels: Sequence[Iterable[str]]) -> dict[str, Share]:
    """A share for every label; an outcome counts under each of its labels. Labels come in the order of their first use.

    >>> {name: (one.value, one.n) for name, one in shares([True, False], [["join"], ["join", "limit"]]).items()}
    {'join': (0.5, 2), 'limit': (0.0, 1)}
    """
    groups: dict[str, list[Outcome]] = {}
    for outcome, names in zip(outcomes, labels, strict=True):
        for name in names:
            groups.setdefault(name, []).append(outcome)
    return {name: share(group) for name, group in groups.items()}


def bootstrap_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % percentile interval of the mean over 2,000 resamples with a fixed seed; None for no values.

    A resample is drawn as how often each distinct value occurs in it (a multinomial draw), which has the distribution
    of drawing the values one by one.

    >>> bootstrap_interval([1.0] * 30 + [0.0] * 70)
    (0.21, 0.39)
    """
    if not values:
        return None
    import numpy as np

    distinct, counts = np.unique(np.asarray(values, dtype=float), return_counts=True)
    draws = np.random.default_rng(SEED).multinomial(len(values), counts / len(values), size=RESAMPLES)
    low, high = np.quantile(draws @ distinct / len(values), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def wilson(successes: float, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), 0 to 1; it stays inside 0..1 and is honest for few trials.

    >>> [round(bound, 4) for bound in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    return max(0.0, centre - half), min(1.0, centre + half)


def paired(first: Sequence[Outcome], second: Sequence[Outcome]) -> Paired:
    """Two systems' outcomes on the same questions, in the same order; a question that either was not judged on is left out.

    For scores, gained and lost are those that rose and fell.

    >>> found = paired([True, True, False, False, None], [True, False, True, True, True])
    >>> found.n, found.gained, found.lost, found.difference.value, found.p
    (4, (2, 3), (1,), 0.25, 1.0)
    """
    both = [place for place, pair in enumerate(zip(first, second, strict=True)) if None not in pair]
    change = [float(second[place]) - float(first[place]) for place in both]
    gained = tuple(place for place, step in zip(both, change, strict=True) if step > 0)
    lost = tuple(place for place, step in zip(both, change, strict=True) if step < 0)
    sides = [share(side[place] for place in both) for side in (first, second)]
    return Paired(len(both), gained, lost, *sides, Share(_mean(change), len(change), bootstrap_interval(change)), mcnemar(len(gained), len(lost)))


def mcnemar(gained: int, lost: int) -> float:
    """The two-sided exact p of McNemar's test: how likely a split at least so uneven is, were gains and losses equally likely.

    The test looks only at the questions on which the two differ (McNemar 1947): p = min(1, 2 · P(X ≤ min(gained, lost)))
    for X binomial with gained + lost tries and probability one half. With few differences no split can be convincing.

    >>> mcnemar(gained=10, lost=2)
    0.03857421875
    >>> mcnemar(3, 3), mcnemar(5, 0), mcnemar(0, 0)
    (1.0, 0.0625, 1.0)
    """
    tries = gained + lost
    ways = tail = 1
    for successes in range(min(gained, lost)):
        ways = ways * (tries - successes) // (successes + 1)  # the next binomial coefficient, in whole numbers
        tail += ways
    return min(1.0, 2 * tail / 2**tries)  # a quotient of whole numbers: exact to the last digit, however large they are


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
