"""Predictions with labels: a file of real answers that somebody has judged.

A line of the .jsonl file is an object with ``index``, ``sql``, and ``correct`` (true or false) or ``execution`` (``ok``, or anything else for
not right). Where ``execution_keep_distinct`` stands beside and says otherwise, the label has two opinions and the line is left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finer.datasets import Dataset
from finer.errors import FinerError
from finer.predictions import read_predictions
from finer.records import Question


class LabelError(FinerError):
    """A file of labelled predictions that cannot be used; the message names the file, the line and the mend."""


@dataclass(frozen=True)
class Labelled:
    """One prediction and whether it was held right."""

    question: Question
    sql: str
    right: bool


def read_labelled(path: str | Path, dataset: Dataset) -> tuple[list[Labelled], int]:
    """The predictions, and how many lines were left out because their labels disagree."""
    path = Path(path)
    if path.suffix != ".jsonl":
        raise LabelError(f"{path} cannot hold labels; give a .jsonl file with index, sql, and correct or execution in each line")
    pairs = read_predictions(path, dataset)
    lines = [(number, json.loads(line)) for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1) if line.strip()]
    found = [
        Labelled(question, prediction.sql, _label(path, number, values))
        for (question, prediction), (number, values) in zip(pairs, lines, strict=True)
        if values.get("execution_keep_distinct", values.get("execution")) == values.get("execution")
    ]
    return found, len(lines) - len(found)


def _label(path: Path, number: int, values: dict[str, Any]) -> bool:
    if isinstance(values.get("correct"), bool):
        return values["correct"]
    if isinstance(values.get("execution"), str):
        return values["execution"] == "ok"
    raise LabelError(f"{path}, line {number}: no label; add \"correct\": true or false, or \"execution\": \"ok\" or another status")
