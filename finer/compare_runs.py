"""Two runs on the questions that both answered: which the second gained, which it lost, and how each part moved.

A comparison has a source: an evaluation that both runs made (its last in each run), or the last steps (of each question that
both trained on, the last group in each run). In an evaluation a question is right or wrong; in a group it is the share of
the judged answers that are right.

Two files of predictions, once judged, are compared in the same form (``compare_judged``).

Not covered: judging predictions (``evaluate``; ``versus`` for a table of figures), drawing (``render.runs_apart``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from finer.accounts import paired
from finer.errors import FinerError
from finer.records import Question
from finer.run_index import RunIndex
from finer.run_index_schema import LastGroup
from finer.runs import Run
from finer.runs_schema import Evaluation

LAST_STEPS = "last steps"


class ComparisonError(FinerError):
    """Two runs that have nothing to compare; the message says what each has."""


@dataclass(frozen=True)
class Side:
    """How one run fared on a question; ``group_id`` where it was trained on, else the SQL of the evaluation."""

    right: float
    """1 or 0 in an evaluation; the share of right answers in a group."""
    status: str = ""
    sql: str = ""
    group_id: int | None = None
    step: int = 0
    parts: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class QuestionPair:
    """One question in both runs."""

    question_index: int
    db_id: str
    question: str
    first: Side
    second: Side

    @property
    def change(self) -> str:
        """gained, lost or same: of the share that is right, from the first run to the second."""
        return (
            "same"
            if self.first.right == self.second.right
            else "gained"
            if self.second.right > self.first.right
            else "lost"
        )

    def part_change(self, part: str) -> float | None:
        """How far a part's mean moved; None where either run did not score it."""
        before, after = self.first.parts.get(part), self.second.parts.get(part)
        return None if before is None or after is None else after - before


@dataclass(frozen=True)
class RunComparison:
    """The shared questions of two runs, from one source."""

    source: str
    pairs: tuple[QuestionPair, ...]
    p: float | None = None
    """McNemar's exact p for an evaluation; None for groups, whose shares are no pairs of right and wrong."""

    def chosen(self, change: str = "", part: str = "", least: float = 0.05) -> list[QuestionPair]:
        """The pairs that were gained or lost (``change``), or whose ``part`` moved by at least ``least``, largest move first."""
        pairs = [pair for pair in self.pairs if pair.change == change] if change else list(self.pairs)
        if not part:
            return sorted(pairs, key=lambda pair: -abs(pair.second.right - pair.first.right))
        moved = [(abs(pair.part_change(part) or 0.0), place) for place, pair in enumerate(pairs)]
        return [pairs[place] for size, place in sorted(moved, key=lambda one: (-one[0], one[1])) if size >= least]


def sources(first: Run, second: Run) -> list[str]:
    """What the two runs can be compared by: their shared evaluations, and the last steps."""
    shared = [name for name in _last_evaluations(first, False) if name in _last_evaluations(second, False)]
    return [*shared, LAST_STEPS]


def compare_evaluations(first: Run, second: Run, source: str) -> RunComparison:
    """The last evaluation of that split and metric in either run. ComparisonError where one has none."""
    sides = [_last_evaluations(run, True).get(source) for run in (first, second)]
    if None in sides:
        raise ComparisonError(
            f"the runs share no evaluation {source!r}; they can be compared by {', '.join(sources(first, second))}."
        )
    answers = [{one.question_index: _judged(one.correct, one.status, one.sql) for one in side.questions if one.correct is not None} for side in sides]
    return _of_sides(source, *answers, {})


def compare_judged(first: Mapping[str, Any], second: Mapping[str, Any], questions: Iterable[Question]) -> RunComparison:
    """Two systems on the questions that both answered and that were judged: what ``judge_predictions`` says of each.

    The source is the first one's metric. For a rule that gives right or wrong.
    """
    answers = [
        {row["index"]: _judged(row["correct"], row["status"], row["sql"]) for row in side["per_question"] if row["correct"] is not None}
        for side in (first, second)
    ]
    return _of_sides(first["metric"], *answers, {question.index: question for question in questions})


def _of_sides(source: str, first: dict[int, Side], second: dict[int, Side], questions: Mapping[int, Question]) -> RunComparison:
    shared = [index for index in first if index in second]
    named = {index: (questions[index].db_id, questions[index].text) if index in questions else ("", "") for index in shared}
    pairs = tuple(QuestionPair(index, *named[index], first[index], second[index]) for index in shared)
    p = paired(*([side[index].right == 1 for index in shared] for side in (first, second))).p if shared else None
    return RunComparison(source, pairs, p)


def compare_last_groups(first: RunIndex, second: RunIndex) -> RunComparison:
    """The last groups of the questions that both runs trained on."""
    sides = [
        {(one.db_id, one.question_index, one.question): one for one in index.last_groups()} for index in (first, second)
    ]
    shared = [key for key in sides[0] if key in sides[1]]
    pairs = tuple(QuestionPair(key[1], key[0], key[2], *(_trained(side[key]) for side in sides)) for key in shared)
    return RunComparison(LAST_STEPS, pairs)


def _last_evaluations(run: Run, questions: bool) -> dict[str, Evaluation]:
    found = run.evaluations(questions=questions)
    return {f"{one.split}, {one.metric}": one for one in sorted(found, key=lambda one: one.step)}


def _judged(correct: bool, status: str, sql: str) -> Side:
    return Side(float(correct), "correct" if correct else "wrong" if status in ("ok", "empty") else status, sql)


def _trained(one: LastGroup) -> Side:
    return Side(one.right / one.judged, group_id=one.group_id, step=one.step, parts=one.parts)


def part_names(pairs: Sequence[QuestionPair]) -> list[str]:
    """The parts that both runs scored, in the first one's order."""
    return list(
        dict.fromkeys(part for pair in pairs for part in pair.first.parts if pair.part_change(part) is not None)
    )
