"""Advantages of a group from its totals, by the usual formula of GRPO, and the means and spreads that every such formula takes.

Not covered: advantages over a whole batch, and normalising each part before adding the parts up (``contributions``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finer.records import RewardBreakdown

EPSILON = 1e-4
"""Added to the spread before dividing, as TRL does."""
SCALES = ("group", "none")
_NO_SPREAD = 1e-12


def advantages(totals: Sequence[float | None], scale_rewards: str = "group") -> list[float | None]:
    """Total minus the group's mean; with ``group`` over the sample standard deviation + 0.0001 (GRPO, arXiv 2402.03300).

    ``none`` leaves the division out (Dr. GRPO, arXiv 2503.20783). A total that is None was not scored: it counts in no mean
    and gets no advantage. ValueError for another scale.

    >>> advantages([1.0, 0.0, None], "none")
    [0.5, -0.5, None]
    >>> [round(value, 4) for value in advantages([1.0, 0.0])]
    [0.707, -0.707]
    """
    if scale_rewards not in SCALES:
        raise ValueError(f"scale_rewards is {scale_rewards!r}; it is one of {', '.join(SCALES)}")
    scored = np.array([total is not None for total in totals], bool)
    paid = np.array([total or 0.0 for total in totals], float)
    one_group = np.zeros(len(paid), int)
    found = paid - means(paid, one_group, scored)
    if scale_rewards == "group":
        found = over(found, spreads(paid, one_group, scored))
    return [float(value) if counts else None for value, counts in zip(found, scored, strict=True)]


def scored_total(paid: RewardBreakdown) -> float | None:
    """The total, or None where no part that weighs anything was scored."""
    return paid.total if any(part.value is not None and part.weight for part in paid.parts) else None


def over(centred: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Divided as TRL does; 0 where all were paid the same, since terms that cancel would only be blown up."""
    return np.where(spread > _NO_SPREAD, centred / (spread + EPSILON), 0.0)


def means(values: np.ndarray, among: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """(n,) for each answer the mean over the scored ones of its own number."""
    if not len(values):
        return values
    counts = np.maximum(np.bincount(among, scored), 1)
    rough = (np.bincount(among, values * scored) / counts)[among]
    # Once more over the rest: the mean of equals is then exactly their value, so that equals get exactly 0 after dividing.
    return rough + (np.bincount(among, (values - rough) * scored) / counts)[among]


def spreads(values: np.ndarray, among: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """(n,) the sample standard deviation likewise; 0 where fewer than two were scored."""
    if not len(values):
        return values
    squares = (values - means(values, among, scored)) ** 2 * scored
    return np.sqrt(np.bincount(among, squares) / np.maximum(np.bincount(among, scored) - 1, 1))[among]
