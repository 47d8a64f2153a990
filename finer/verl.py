"""The rewards inside verl: this file is a reward function file of its, and ``rows`` are the rows of its parquet files.

verl gives ``compute_score`` one completion at a time, in threads of its reward workers, and wants a number. Differs from ``finer train``: the
memory stays as it was shipped (verl tells no step, after which traces could join it), and an answer whose gold failed is paid 0 where ``finer``
pays nothing, as all of its group is, so that it teaches nothing. Not covered: verl's own settings (``docs/several-gpus.md`` has an example).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache
from typing import Any

from finer.datasets import Dataset, load_dataset
from finer.errors import FinerError
from finer.prompt import messages
from finer.records import Question, RewardBreakdown
from finer.rewards import Scorer
from finer.shown import Shown

_ONE_AT_A_TIME = threading.RLock()
"""Around the scorer: its memory and its metrics are for one thread."""


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: Mapping[str, Any] | None = None,
    recipe: str = "finer", data: str | None = None, **_: Any,
) -> dict[str, float]:  # fmt: skip
    """What a completion is paid: ``score`` (the recipe's total), ``acc`` (1 where it is right), ``judged`` (0 where the gold failed), and the parts.

    ``data_source``: starter, spider, bird or a folder. ``ground_truth``: the gold. ``extra_info``: ``split`` and ``index`` of the question, as ``rows``
    gives them. ``recipe`` (a name, or FILE.py:NAME) and ``data`` (the folder of Spider's or BIRD's own files) come from verl's ``reward_kwargs``.
    FinerError where the question is not in the data set, or its gold is another.
    """
    with _ONE_AT_A_TIME:
        scorer = _scorer(data_source, (extra_info or {}).get("split"), recipe, data)
        question = _question(scorer.dataset, data_source, ground_truth, extra_info or {})
        return _numbers(scorer.score(question, [solution_str])[0])


def rows(dataset: Dataset, columns: int = 0, data_source: str = "") -> list[dict[str, Any]]:
    """The questions as verl reads them, to be written as parquet: prompt (chat messages), gold, and where the question is found again.

    ``columns``: how many a prompt shows, chosen by the schema filter (0: the whole schema). ``data_source``: what ``compute_score`` is to load
    (default: the data set's name). Questions whose database is not here are left out.
    """
    shown = Shown(dataset.databases, columns)
    here = [question for question in dataset.questions if dataset.databases[question.db_id].instances]
    return [_row(question, dataset, shown, data_source or dataset.name) for question in here]


def _row(question: Question, dataset: Dataset, shown: Shown, data_source: str) -> dict[str, Any]:
    return {
        "data_source": data_source,
        "prompt": messages(question, dataset.databases[question.db_id].schema, "chat", shown.of(question)),
        "ability": "text-to-sql",
        "reward_model": {"style": "rule", "ground_truth": question.gold[0]},
        "extra_info": {"split": question.split, "index": question.index, "db_id": question.db_id},
    }


@cache
def _scorer(data_source: str, split: str | None, recipe: str, data: str | None) -> Scorer:
    """One a process for each data set, split and recipe; its sandbox ends with the process."""
    return Scorer(recipe, load_dataset(data_source, split or None, data))


def _question(dataset: Dataset, data_source: str, gold: str, told: Mapping[str, Any]) -> Question:
    if told.get("index") is None:
        raise FinerError("verl's extra_info holds no 'index' of the question; make the parquet file with finer.verl.rows(dataset)")
    index = int(told["index"])
    found = next((question for question in dataset.questions if question.index == index), None)
    place = f"split {told.get('split')!r} of {data_source!r}"
    if found is None:
        raise FinerError(f"{place} has no question {index}; make the parquet file anew with finer.verl.rows(dataset)")
    if gold not in found.gold:
        raise FinerError(f"question {index} in {place} has the gold {found.gold[0]!r}, and ground_truth is {gold!r}; make the parquet file anew with finer.verl.rows(dataset)")
    return found


def _numbers(paid: RewardBreakdown) -> dict[str, float]:
    """The same keys for every answer, and numbers only: verl makes a column of each."""
    parts = {part.name: float(part.value or 0.0) for part in paid.parts}
    judged = paid.status != "gold_failed"
    return {"score": float(paid.total), "acc": float(paid.status == "correct"), "judged": float(judged), **parts}
