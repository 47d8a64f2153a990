"""What dense rewards added: how many groups execution alone would have left silent, and what became of those questions.

Execution alone pays an answer 1 where it is right and 0 where it is not, so a group that is all right or all wrong has
no spread and moves nothing. The dense parts can still order an all-wrong group; whether that led anywhere is asked of
the later groups of the same question.

Not covered: reading a run (``runs``, ``run_index``), drawing (``render.ledger``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

EPSILON = 1e-6
"""A group whose best and worst total lie no further apart than this has no signal; totals are sums of rounded floats."""

UNJUDGED = ("gold_failed", "not_judged")
"""Statuses that say neither right nor wrong."""


class GroupOutcome(NamedTuple):
    """How one group fared, without its answers."""

    group_id: int
    step: int
    question: str
    """What tells one question from another within a run."""
    answers: int
    judged: int
    """Answers that could be judged: not those whose gold failed, nor those of a run that nobody has judged."""
    right: int
    spread: float
    """Largest total minus smallest, with all parts."""


@dataclass(frozen=True)
class StepSignal:
    """The groups of one step, or of several summed, by what execution alone would have seen."""

    step: int
    """The last step that is counted here."""
    groups: int = 0
    all_right: int = 0
    mixed: int = 0
    all_wrong: int = 0
    unjudged: int = 0
    """Groups in which no answer could be judged."""
    ranked: int = 0
    """All-wrong groups that the dense parts gave a signal: their totals differ by more than EPSILON."""
    ranked_seen_again: int = 0
    """Of those, groups whose question was asked again at a later step."""
    ranked_later_right: int = 0
    """Of those, groups whose question had a right answer in a group of some later step."""
    silent_seen_again: int = 0
    """For contrast: all-wrong groups without a signal whose question was asked again at a later step."""
    silent_later_right: int = 0

    @property
    def silent_under_execution(self) -> int:
        """Groups that execution alone would have left without a signal."""
        return self.all_right + self.all_wrong

    @property
    def judged(self) -> int:
        return self.groups - self.unjudged


def outcome_of(summary: object) -> GroupOutcome:
    """The outcome of a group summary, as ``Run.groups`` hands them out."""
    statuses, totals = summary.statuses, summary.totals
    question = f"{summary.db_id}\n{summary.question_index}\n{summary.question}"
    judged = sum(status not in UNJUDGED for status in statuses)
    spread = max(totals) - min(totals) if totals else 0.0
    return GroupOutcome(
        summary.group_id, summary.step, question, len(statuses), judged, statuses.count("correct"), spread
    )


def selected_of(events: Iterable[object]) -> list[str]:
    """Which questions a run asks, and which it left out, as its events say when it begins."""
    return [event.detail for event in events if event.kind == "selected"]


def signal_ledger(outcomes: Iterable[GroupOutcome]) -> list[StepSignal]:
    """One row a step, in order.

    "Later became right" is: at some later step, a group of the same question holds a right answer. A question that was
    not asked again says nothing and counts on neither side.

    >>> told = signal_ledger([
    ...     GroupOutcome(1, 1, "a", 4, 4, 0, 0.3), GroupOutcome(2, 1, "b", 4, 4, 4, 0.0), GroupOutcome(3, 2, "a", 4, 4, 1, 0.7)])
    >>> [(row.step, row.all_right, row.mixed, row.all_wrong) for row in told], told[0].ranked, told[0].ranked_later_right
    ([(1, 1, 0, 1), (2, 0, 1, 0)], 1, 1)
    """
    groups = list(outcomes)
    last_seen = _last_steps(groups)
    last_right = _last_steps(group for group in groups if group.right)
    counts: dict[int, dict[str, int]] = {}
    for group in groups:
        count = counts.setdefault(group.step, {})
        again = last_seen[group.question] > group.step
        later_right = last_right.get(group.question, 0) > group.step
        for name in _facts(group, again, later_right):
            count[name] = count.get(name, 0) + 1
    return [StepSignal(step, **count) for step, count in sorted(counts.items())]


def summed(rows: Iterable[StepSignal]) -> StepSignal:
    """Several steps as one row, under the last one's number.

    >>> summed([StepSignal(1, groups=2, mixed=1), StepSignal(2, groups=3, mixed=1)]).mixed
    2
    """
    rows = list(rows)
    names = [field.name for field in fields(StepSignal) if field.name != "step"]
    step = max((row.step for row in rows), default=0)
    return StepSignal(step, **{name: sum(getattr(row, name) for row in rows) for name in names})


def _last_steps(groups: Iterable[GroupOutcome]) -> dict[str, int]:
    last: dict[str, int] = {}
    for group in groups:
        last[group.question] = max(group.step, last.get(group.question, 0))
    return last


def _facts(group: GroupOutcome, again: bool, later_right: bool) -> list[str]:
    """The counters that a group moves."""
    if not group.judged:
        return ["groups", "unjudged"]
    if group.right:
        return ["groups", "all_right" if group.right == group.judged else "mixed"]
    ranked = group.spread > EPSILON
    word = "ranked" if ranked else "silent"
    facts = ["groups", "all_wrong"] + ["ranked"] * ranked
    return facts + [f"{word}_seen_again"] * again + [f"{word}_later_right"] * later_right
