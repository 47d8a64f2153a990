"""What a reward pays a habit: answers that have it beside those of their own group that have not, part by part.

A reward whose pay climbs while little becomes right pays for something else. This says for what: within a group the mean pay of the
answers with a WHERE (a JOIN, a longer text …) less that of the answers without, apart for questions whose gold has one and whose gold
has none. What the gold has and is paid less, a policy learns to leave out; such a habit is paid *backwards*. Ours.

Not covered: causes. A habit may be paid for another that comes with it, and what a policy makes of its pay is seen in its answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from statistics import fmean, median
from typing import Any

from sqlglot import exp

from finer.atoms.errors import AtomError
from finer.atoms.parse import parse
from finer.features import FEATURES, PLAIN, UNREADABLE, used_in
from finer.ledger import UNJUDGED
from finer.seeds import OverSeeds, over_seeds
from finer.whatif import RAN

OF_QUERY = ("where", *(name for name in FEATURES if name not in (PLAIN, UNREADABLE)))
"""What a query may use. Only queries that can be read are compared, since a broken text lacks everything."""
RIGHT, RUNS, READABLE = GOOD = ("is right", "runs", "can be read")
LONG, LONG_THOUGHT = "SQL longer than half of its group's", "thought longer than half of its group's"
OF_ANSWER = (*GOOD, LONG, LONG_THOUGHT)
"""What an answer may be, whatever its gold is."""
MOST_ANSWERS = 10_000
"""Read of a larger run unless steps are named; one to two seconds."""


@dataclass(frozen=True)
class PaidAnswer:
    """One answer, with what each part of its reward came to."""

    group_id: int
    sql: str
    thought: str
    gold: str
    status: str
    pay: Mapping[str, float] = field(hash=False)
    """Weight times value, by part; 0 where a part was not scored."""


@dataclass(frozen=True)
class Habit:
    """One habit, and what it earns within a group."""

    name: str
    asked: bool | None
    """Whether these are the questions whose gold has it; None for what does not depend on the gold."""
    with_it: int
    """Answers that have it."""
    answers: int
    """Answers that were compared."""
    groups: int
    """Groups that hold answers with it and without; the others say nothing."""
    earned: OverSeeds
    """The mean over these groups of the pay with it less the pay without, and its 95 % interval over groups."""
    parts: Mapping[str, float] = field(hash=False)
    """The same by part; they add up to it."""

    @property
    def backwards(self) -> bool:
        """Is it paid less where the gold has it or where it is good by itself, or more where the gold has it not, by an interval that does not hold 0?"""
        low, high = self.earned.low, self.earned.high
        if low is None or high is None:
            return False
        return high < 0 if self.asked or self.name in GOOD else low > 0 and self.asked is False


def habits(run: Any, first: int | None = None, last: int | None = None) -> list[Habit]:
    """Every habit that some group of these steps is of two minds about: those that the gold has, those that it has not, those of answers.

    ``run`` is a ``finer.Run``; ``first``: None takes the last steps that hold at most MOST_ANSWERS answers.
    """
    return habits_of(_answers(run, run.first_step_within(MOST_ANSWERS) if first is None else first, run.last_step if last is None else last))


def habits_of(answers: Iterable[PaidAnswer]) -> list[Habit]:
    """The same of answers that were paid elsewhere; those of a group must be neighbours.

    >>> pay = [("SELECT a FROM t WHERE b = 1", 0.2), ("SELECT a FROM t", 0.3), ("SELECT a FROM t WHERE b = 2", 0.2)]
    >>> gold = "SELECT a FROM t WHERE b = 9"
    >>> found = habits_of(PaidAnswer(1, sql, "", gold, "wrong", {"atomic": value}) for sql, value in pay)
    >>> [(one.name, one.asked, one.with_it, round(one.earned.value, 2)) for one in found]
    [('where', True, 2, -0.1)]
    """
    judged = (one for one in answers if one.status not in UNJUDGED)
    groups = [list(members) for _, members in groupby(judged, lambda one: one.group_id)]
    readable = [kept for group in groups if (kept := [one for one in group if UNREADABLE not in uses(one.sql)])]
    found = [_of_query(name, asked, readable) for asked in (True, False) for name in OF_QUERY]
    found += [_habit(name, None, groups, has) for name, has in zip(OF_ANSWER, (_is_right, _does_run, _is_readable, _is_long, _thinks_long), strict=True)]
    return [one for one in found if one.groups]


@lru_cache(maxsize=20_000)
def uses(sql: str) -> frozenset[str]:
    """What a query uses, as ``finer.features`` names it, and ``where``.

    >>> sorted(uses("SELECT a FROM t JOIN u USING (k) WHERE b = 1")), sorted(uses("no query"))
    (['join', 'where'], ['not readable'])
    """
    try:
        tree = parse(sql)
    except AtomError:
        return frozenset({UNREADABLE})
    return frozenset([*used_in(tree), *(["where"] if tree.find(exp.Where) else [])])


def _of_query(name: str, asked: bool, groups: Sequence[Sequence[PaidAnswer]]) -> Habit:
    """A habit of queries, in the groups whose gold has it or has it not."""
    chosen = [group for group in groups if (name in uses(group[0].gold)) is asked]
    return _habit(name, asked, chosen, lambda group: [name in uses(one.sql) for one in group])


def _is_right(group: Sequence[PaidAnswer]) -> list[bool]:
    return [one.status == "correct" for one in group]


def _does_run(group: Sequence[PaidAnswer]) -> list[bool]:
    return [one.status in RAN for one in group]


def _is_readable(group: Sequence[PaidAnswer]) -> list[bool]:
    return [UNREADABLE not in uses(one.sql) for one in group]


def _is_long(group: Sequence[PaidAnswer]) -> list[bool]:
    return _above_half([len(one.sql) for one in group])


def _thinks_long(group: Sequence[PaidAnswer]) -> list[bool]:
    return _above_half([len(one.thought) for one in group])


def _above_half(lengths: Sequence[int]) -> list[bool]:
    middle = median(lengths)
    return [length > middle for length in lengths]


def _habit(name: str, asked: bool | None, groups: Sequence[Sequence[PaidAnswer]], has: Callable[[Sequence[PaidAnswer]], list[bool]]) -> Habit:
    """``has``: which answers of a group have the habit."""
    marks = [has(group) for group in groups]
    apart = [_apart(group, mark) for group, mark in zip(groups, marks, strict=True) if any(mark) and not all(mark)]
    parts = {part: fmean(one.get(part, 0.0) for one in apart) for part in dict.fromkeys(part for one in apart for part in one)}
    earned = over_seeds(sum(one.values()) for one in apart)
    return Habit(name, asked, sum(map(sum, marks)), sum(map(len, marks)), len(apart), earned, parts)


def _apart(group: Sequence[PaidAnswer], mark: Sequence[bool]) -> dict[str, float]:
    """By part, the mean pay of the answers that are marked less that of the others."""
    sides = [[one.pay for one, marked in zip(group, mark, strict=True) if marked is side] for side in (True, False)]
    marked, others = ({part: fmean(pay.get(part, 0.0) for pay in side) for part in group[0].pay} for side in sides)
    return {part: marked[part] - others[part] for part in marked}


def _answers(run: Any, first: int, last: int) -> list[PaidAnswer]:
    pay: dict[int, dict[str, float]] = {}
    for rollout_id, name, paid in run.query(
        "SELECT p.rollout_id, p.name, COALESCE(p.value, 0) * p.weight FROM parts p JOIN rollouts r USING (rollout_id) "
        "WHERE r.step BETWEEN ? AND ? ORDER BY p.rollout_id, p.position", (first, last),
    ):  # fmt: skip
        pay.setdefault(rollout_id, {})[name] = paid
    rows = run.query(
        "SELECT r.rollout_id, r.group_id, r.sql, r.thought, json_extract(g.question, '$.gold[0]'), r.status FROM rollouts r JOIN groups g USING (group_id) "
        "WHERE r.step BETWEEN ? AND ? ORDER BY r.group_id, r.position", (first, last),
    )  # fmt: skip
    return [PaidAnswer(group, sql, thought, gold or "", status, pay.get(rollout_id, {})) for rollout_id, group, sql, thought, gold, status in rows]
