"""Gold queries rewritten and edited, each executed: what a reward is tried on.

A rewriting that changes a result on any instance, and an edit that changes none, says nothing about a reward: it is set aside
and counted. Not covered: what a reward makes of them (``report``).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlglot import exp

from finer.datasets import Dataset
from finer.judge import Judge
from finer.probe.clause_edits import CLAUSE_EDITS
from finer.probe.edits import CONDITION_EDITS
from finer.probe.equivalents import EQUIVALENTS
from finer.probe.restructure import RESTRUCTURING
from finer.probe.rewrites import SPELLING
from finer.probe.trees import Tree, read, write
from finer.records import Question
from finer.schema import Schema

Change = Callable[[Tree, Schema, random.Random], Iterable[Tree | str]]

PLACES = 12
"""Places of one query among which a change picks one."""
TRIES = 3
"""Texts of one change that are tried on one query until the result bears one out."""
LADDER = 5
"""Edits on top of one another in a ladder."""


def several(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree | str]:
    """Three rewrites one after another, drawn again for each of a few tries."""
    for _ in range(3):
        changed: Tree | str | None = tree
        for change in rng.sample(_SINGLE, 3):
            found = list(islice(change(changed, schema, rng), PLACES)) if isinstance(changed, exp.Expression) else []
            changed = rng.choice(found) if found else changed
        yield changed


_SINGLE: tuple[Change, ...] = SPELLING + RESTRUCTURING + EQUIVALENTS
PRESERVING: tuple[Change, ...] = (*_SINGLE, several)
BREAKING: tuple[Change, ...] = CONDITION_EDITS + CLAUSE_EDITS


@dataclass(frozen=True)
class Case:
    """One changed query."""

    family: str
    """'preserving', 'breaking' or 'ladder'."""
    change: str
    """The name of the rewriting or edit; of a ladder all its edits."""
    sql: str
    edits: int = 1
    """How many edits lie between it and the gold."""


@dataclass(frozen=True)
class Drawn:
    """One question with the cases that its result bears out, and a count of those that it does not."""

    question: Question
    cases: tuple[Case, ...]
    set_aside: tuple[Case, ...] = ()


def draw(dataset: Dataset, judge: Judge, most: int, ladders: int, seed: int = 0) -> Iterator[Drawn]:
    """Cases question by question, in a random order, until every change has ``most`` of them; always the same ones.

    At most one case a change comes from one question, so that no query weighs more than another; where its text is set aside,
    up to two others of the change are tried. Questions without their
    database, and those whose gold fails or cannot be read, give no case.
    """
    rng = random.Random(seed)
    kept: Counter[str] = Counter()
    for question in rng.sample(dataset.questions, len(dataset.questions)):
        tree, database = read(question.gold[0]), dataset.databases.get(question.db_id)
        if tree is None or database is None:
            continue
        schema = database.schema
        tries = list(_cases(tree, schema, rng, {name for name, count in kept.items() if count >= most}))
        rungs = ladder(tree, schema, rng) if kept["ladder"] < ladders else []
        drawn = _executed(question, [cases[0] for cases in tries], rungs, judge)
        for place in range(1, TRIES):
            borne = {(case.family, case.change) for case in drawn.cases}
            again = [cases[place] for cases in tries if len(cases) > place and (cases[0].family, cases[0].change) not in borne]
            drawn = _both(drawn, _executed(question, again, [], judge)) if again and (drawn.cases or drawn.set_aside) else drawn
        kept.update({case.change if case.family != "ladder" else f"ladder {case.edits}" for case in drawn.cases})
        kept["ladder"] += any(case.family == "ladder" for case in drawn.cases)
        if drawn.cases or drawn.set_aside:
            yield drawn


def _both(one: Drawn, two: Drawn) -> Drawn:
    return Drawn(one.question, one.cases + two.cases, one.set_aside + two.set_aside)


def _cases(tree: Tree, schema: Schema, rng: random.Random, full: set[str]) -> Iterator[list[Case]]:
    """Of each change a few texts in a random order: the first is tried, the others only where the result does not bear it out."""
    original = write(tree)
    for family, changes in (("preserving", PRESERVING), ("breaking", BREAKING)):
        for change in changes:
            texts = [] if change.__name__ in full else sorted(set(_texts(change, tree, schema, rng)) - {original})
            if texts:
                yield [Case(family, change.__name__, text) for text in rng.sample(texts, min(TRIES, len(texts)))]


def _texts(change: Change, tree: Tree, schema: Schema, rng: random.Random) -> list[str]:
    found = islice(change(tree, schema, rng), PLACES)
    return [changed if isinstance(changed, str) else write(changed) for changed in found]


def mistakes(sql: str, schema: Schema, rng: random.Random) -> list[str]:
    """The query mistaken once in each way that fits it, one text for each edit; none for what cannot be read. Nothing is executed."""
    tree = read(sql)
    if tree is None:
        return []
    original = write(tree)
    found = [sorted(set(_texts(edit, tree, schema, rng)) - {original}) for edit in BREAKING]
    return list(dict.fromkeys(rng.choice(texts) for texts in found if texts))


def ladder(tree: Tree, schema: Schema, rng: random.Random) -> list[Case]:
    """The query with 1 to 5 different edits, each on top of those before; empty where five do not fit."""
    rungs: list[Case] = []
    seen, names = {write(tree)}, []
    for edit in rng.sample(BREAKING, len(BREAKING)):
        texts = [text for text in _texts(edit, tree, schema, rng) if text not in seen]
        changed = read(rng.choice(texts)) if texts else None
        if changed is not None:
            tree = changed
            seen.add(write(tree))
            names.append(edit.__name__)
            rungs.append(Case("ladder", " + ".join(names), write(tree), len(names)))
        if len(rungs) == LADDER:
            return rungs
    return []


def _executed(question: Question, cases: Sequence[Case], rungs: Sequence[Case], judge: Judge) -> Drawn:
    """The cases parted by what they did; of a ladder all rungs must differ from gold, or none counts."""
    texts = list(dict.fromkeys(case.sql for case in (*cases, *rungs)))
    verdicts = dict(zip(texts, judge.judge(question, texts), strict=True)) if texts else {}
    if any(verdict.correct is None for verdict in verdicts.values()):
        return Drawn(question, ())
    borne = [case for case in cases if verdicts[case.sql].correct is (case.family == "preserving")]
    if rungs and not any(verdicts[case.sql].correct for case in rungs):
        borne += rungs
    return Drawn(question, tuple(borne), tuple(case for case in (*cases, *rungs) if case not in borne))
