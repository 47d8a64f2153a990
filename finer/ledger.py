"""What dense rewards added: how many groups execution alone would have left silent, and what became of those questions.

Execution alone pays an answer 1 where it is right and 0 where it is not, so a group that is all right or all wrong has
no spread and moves nothing. The dense parts can still order an all-wrong group; whether that led anywhere is asked of
the later groups of the same question: did a right answer come, and was it the answer ranked first that became it
(``became_right``).

Not covered: reading a run (``runs``, ``run_index``), drawing (``render.ledger``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from math import comb
from typing import NamedTuple

EPSILON = 1e-6
"""A group whose best and worst total lie no further apart than this has no signal; totals are sums of rounded floats."""

UNJUDGED = ("gold_failed", "not_judged")
"""Statuses that say neither right nor wrong."""

LONGEST_TEXT = 20_000
"""Characters of an answer that are compared with a later one."""
_WORD = re.compile(r"\w+|[^\w\s]")
Words = frozenset[tuple[str, int]]
"""The words and signs of a text with how often each occurs."""


class Answered(NamedTuple):
    """One answer of a group: its SQL (the whole text where it has none), how it fared, what it was paid."""

    text: str
    status: str
    total: float


class Became(NamedTuple):
    """Did the answer ranked first become the right one, and how likely that was without any ranking; None: cannot be told."""

    first: bool | None
    chance: float | None


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
    became: Became = Became(None, None)
    """Of an all-wrong group with a signal whose question had a right answer later; told by ``with_what_followed``."""


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
    ranked_told: int = 0
    """Of those, groups of which it is known whether their answer ranked first became the right one."""
    first_became_right: int = 0
    """Of those, groups of which it did."""
    chance_became_right: float = 0.0
    """In how many of ``ranked_told`` it would have been so had the totals been dealt out by chance."""
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


def became_right(group: Sequence[Answered], later: Sequence[Answered]) -> Became:
    """Whether the answer ranked first of an all-wrong ``group`` became right in ``later``, a later group of its question.

    The text of an answer never changes, so what is asked is which of the group's texts the right answer came nearest to.
    An answer has become right where no other text of its group is nearer to a right answer of ``later``; nearness is the
    number of words and signs to add and to take away, whatever their order and capitals. Texts of equal words count as one,
    paid as the best paid of them; all texts within EPSILON of the largest total are ranked first, and one of them
    suffices. ``chance``: the same with totals dealt out at random, 1 - C(n - m, k) / C(n, k) for n texts, m of them
    nearest, k ranked first. A group of a single text, or a ``later`` without a right answer, tells nothing.

    (Whether a later group ranks a right answer first would say nothing new: where the margin holds, a right answer
    is ranked first wherever there is one.)

    >>> wrong = [Answered("SELECT name FROM author", "wrong", 0.4), Answered("SELECT title FROM loan", "wrong", 0.1)]
    >>> became_right(wrong, [Answered("SELECT name FROM author WHERE born > 1900", "correct", 1.0)])
    Became(first=True, chance=0.5)
    """
    goals = {words_of(answer.text) for answer in later if answer.status == "correct"}
    paid: dict[Words, float] = {}
    for answer in group:
        text = words_of(answer.text)
        paid[text] = max(answer.total, paid.get(text, answer.total))
    if not goals or len(paid) < 2:
        return Became(None, None)
    apart = {text: min(words_apart(text, goal) for goal in goals) for text in paid}
    nearest = {text for text in paid if apart[text] == min(apart.values())}
    first = {text for text in paid if paid[text] >= max(paid.values()) - EPSILON}
    chance = 1 - comb(len(paid) - len(nearest), len(first)) / comb(len(paid), len(first))
    return Became(bool(first & nearest), chance)


def with_what_followed(
    outcomes: Iterable[GroupOutcome], answered: Callable[[Collection[int]], dict[int, list[Answered]]]
) -> list[GroupOutcome]:
    """The outcomes with ``became`` told, by the first later group of the question that has a right answer.

    ``answered`` hands out the answers of groups by their ids, as ``Run.answered`` does.
    """
    groups = sorted(outcomes, key=lambda one: (one.step, one.group_id))
    followed: dict[int, int] = {}
    waiting: dict[str, list[GroupOutcome]] = {}
    for group in groups:
        held = waiting.setdefault(group.question, [])
        if group.right:
            followed |= {earlier.group_id: group.group_id for earlier in held if earlier.step < group.step}
            waiting[group.question] = [earlier for earlier in held if earlier.step >= group.step]
        elif is_ranked(group):
            held.append(group)
    texts = answered({*followed, *followed.values()})
    told = {earlier: became_right(texts[earlier], texts[later]) for earlier, later in followed.items()}
    return [group._replace(became=told.get(group.group_id, group.became)) for group in groups]


def is_ranked(group: GroupOutcome) -> bool:
    """Is it all wrong, and did the dense parts give it a signal?"""
    return bool(group.judged) and not group.right and group.spread > EPSILON


def words_of(text: str) -> Words:
    """The words and signs of a text, without their order and capitals.

    >>> words_apart(words_of("SELECT name FROM author"), words_of("select FROM author, book"))
    3
    """
    return frozenset(Counter(_WORD.findall(text[:LONGEST_TEXT].lower())).items())


def words_apart(one: Words, other: Words) -> int:
    """How many words and signs are to be added and taken away to make the one of the other."""
    counted, wanted = Counter(dict(one)), Counter(dict(other))
    return ((counted - wanted) + (wanted - counted)).total()


def selected_of(events: Iterable[object]) -> list[str]:
    """Which questions a run asks, and which it left out, as its events say when it begins."""
    return [event.detail for event in events if event.kind == "selected"]


def signal_ledger(outcomes: Iterable[GroupOutcome]) -> list[StepSignal]:
    """One row a step, in order.

    "Later right" is: at some later step, a group of the same question holds a right answer. A question that was not asked
    again says nothing and counts on neither side. Whether the answer ranked first became it is counted where the
    outcomes tell it.

    >>> told = signal_ledger([
    ...     GroupOutcome(1, 1, "a", 4, 4, 0, 0.3), GroupOutcome(2, 1, "b", 4, 4, 4, 0.0), GroupOutcome(3, 2, "a", 4, 4, 1, 0.7)])
    >>> [(row.step, row.all_right, row.mixed, row.all_wrong) for row in told], told[0].ranked, told[0].ranked_later_right
    ([(1, 1, 0, 1), (2, 0, 1, 0)], 1, 1)
    """
    groups = list(outcomes)
    last_seen = _last_steps(groups)
    last_right = _last_steps(group for group in groups if group.right)
    counts: dict[int, dict[str, float]] = {}
    for group in groups:
        count = counts.setdefault(group.step, {})
        again = last_seen[group.question] > group.step
        later_right = last_right.get(group.question, 0) > group.step
        for name, value in _facts(group, again, later_right).items():
            count[name] = count.get(name, 0) + value
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


def _facts(group: GroupOutcome, again: bool, later_right: bool) -> dict[str, float]:
    """What a group adds to each counter."""
    if not group.judged:
        return {"groups": 1, "unjudged": 1}
    if group.right:
        return {"groups": 1, "all_right" if group.right == group.judged else "mixed": 1}
    ranked = is_ranked(group)
    word = "ranked" if ranked else "silent"
    facts = {"groups": 1, "all_wrong": 1, "ranked": int(ranked)}
    facts |= {f"{word}_seen_again": int(again), f"{word}_later_right": int(later_right)}
    if group.became.first is None:
        return facts
    return facts | {"ranked_told": 1, "first_became_right": int(group.became.first), "chance_became_right": group.became.chance}
