"""Which group and which answer to show first: those that teach something.

Works on anything with ``totals``, ``statuses`` and ``has_signal``, as the run store's group summaries have them.

Not covered: drawing them.
"""

from __future__ import annotations

from statistics import pstdev
from typing import Any

from finer.records import Group, Rollout


def how_telling(summary: Any) -> tuple[bool, bool, float]:
    """Sorts groups by what they teach: right and wrong answers side by side, then any signal, then the spread of totals.

    >>> from types import SimpleNamespace
    >>> mixed = SimpleNamespace(totals=(1.0, 0.3), statuses=("correct", "wrong"), has_signal=True)
    >>> silent = SimpleNamespace(totals=(1.0, 1.0), statuses=("correct", "correct"), has_signal=False)
    >>> how_telling(mixed) > how_telling(silent)
    True
    """
    spread = pstdev(summary.totals) if summary.totals else 0.0
    return is_mixed(summary) and summary.has_signal, summary.has_signal, spread


def is_mixed(summary: Any) -> bool:
    """True where some answers are right and some are not."""
    return 0 < summary.statuses.count("correct") < len(summary.statuses)


def is_rescued(summary: Any) -> bool:
    """True where no answer is right and the totals differ all the same: the dense parts alone give the signal."""
    return summary.has_signal and "correct" not in summary.statuses and set(summary.statuses) != {"not_judged"}


def telling_rollout(group: Group) -> Rollout | None:
    """The best paid answer that is not right: the one whose pay asks for an explanation; else the best paid one."""
    wrong = [rollout for rollout in group.rollouts if rollout.breakdown.status != "correct"]
    return max(wrong or group.rollouts, key=lambda rollout: rollout.breakdown.total, default=None)
