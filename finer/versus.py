"""Two systems on the same questions: what the second gained and lost against the first, and whether that can be chance.

Only questions that both answered and that were judged are compared. Not covered: the arithmetic (``accounts``), and runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finer.accounts import paired
from finer.datasets import Dataset
from finer.evaluate import Progress, judge_predictions, outcome
from finer.judge import Judge
from finer.predictions import Pair, PredictionError
from finer.records import Question


def compare_predictions(
    first: Sequence[Pair], second: Sequence[Pair], dataset: Dataset, judge: Judge, on_progress: Progress | None = None
) -> dict[str, Any]:
    """A JSON-ready object: ``metric``, ``release``, ``options``; ``n`` (questions compared); ``first``, ``second`` and
    ``difference``, each with value, n and 95 % bootstrap interval; ``p`` of McNemar's exact test; ``gained`` and ``lost``;
    ``only_first`` and ``only_second``, the indices that one of them alone answered.

    A question gained or lost has index, db_id, question, and for ``first`` and ``second`` sql, status and reason. PredictionError
    where a file answers a question twice, or the two have none in common.
    """
    sides = [_by_index(pairs, name) for pairs, name in ((first, "first"), (second, "second"))]
    common = [index for index in sides[0] if index in sides[1]]
    if not common:
        raise PredictionError("the two files have no question in common. Give two files of predictions for the same dataset.")
    asked = [pair for side in sides for pair in (side[index] for index in common)]
    found = judge_predictions(asked, dataset, judge=judge, on_progress=on_progress)
    rows = found["per_question"][: len(common)], found["per_question"][len(common) :]
    pair = paired(*([outcome(row) for row in side] for side in rows))
    changes = {
        name: [_change(sides[0][common[place]][0], rows[0][place], rows[1][place]) for place in places]
        for name, places in (("gained", pair.gained), ("lost", pair.lost))
    }
    alone = {name: sorted(sides[one].keys() - sides[1 - one].keys()) for one, name in enumerate(("only_first", "only_second"))}
    return {**{name: found[name] for name in ("metric", "release", "options", "seconds")}, **pair.as_json(), **changes, **alone}


def _by_index(pairs: Sequence[Pair], name: str) -> dict[int, Pair]:
    found: dict[int, Pair] = {}
    for question, prediction in pairs:
        if question.index in found:
            raise PredictionError(f"the {name} file answers question {question.index} twice. Compare files with one answer a question; `finer vote` reads several.")
        found[question.index] = (question, prediction)
    return found


def _change(question: Question, first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    sides = {name: {key: row[key] for key in ("sql", "status", "reason")} for name, row in (("first", first), ("second", second))}
    return {"index": question.index, "db_id": question.db_id, "question": question.text, **sides}
