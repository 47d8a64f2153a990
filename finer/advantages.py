"""Advantages of a group from its totals, by the usual formula of GRPO.

Not covered: advantages over a whole batch, and normalising each part before adding the parts up.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

from finer.records import RewardBreakdown

EPSILON = 1e-4
"""Added to the spread before dividing, as TRL does."""
SCALES = ("group", "none")


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
    scored = [total for total in totals if total is not None]
    if not scored:
        return [None] * len(totals)
    mean = fmean(scored)
    spread = stdev(scored) if len(scored) > 1 else 0.0
    divisor = spread + EPSILON if scale_rewards == "group" else 1.0
    return [None if total is None else (total - mean) / divisor for total in totals]


def scored_total(paid: RewardBreakdown) -> float | None:
    """The total, or None where no part that weighs anything was scored."""
    return paid.total if any(part.value is not None and part.weight for part in paid.parts) else None
