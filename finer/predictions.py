"""A file of predictions: read, and scored. What a system answered, whichever system it was.

Three forms are read: ``.jsonl`` (an object a line: ``index``, and ``sql`` or ``completion``), ``.json`` (BIRD's: an object of
index to SQL; or what ``finer evaluate --json`` wrote), and anything else as Spider's one query a line, in the order of the
questions. ``sql`` is executed as it stands; ``completion`` first goes through the extraction of SQL from raw text.

Not covered: whether they are right (``evaluate``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from finer.atoms import atomic_overlap
from finer.datasets import Dataset
from finer.errors import FinerError
from finer.prompt import Parsed, parse_completion
from finer.records import MemoryMatch, Question, RewardBreakdown, RewardPart
from finer.rewards import Scorer, breakdown, own_part

BIRD_SEPARATOR = "\t----- bird -----\t"
"""BIRD's files put the database's name behind the SQL, after this."""


class PredictionError(FinerError):
    """A file of predictions that cannot be read; the message names the file, the line and the mend."""


@dataclass(frozen=True)
class Prediction:
    """One answer to the question of that index: SQL, or the raw text it is to be found in."""

    index: int
    text: str
    is_completion: bool = False

    @property
    def sql(self) -> str:
        """What is executed."""
        return parse_completion(self.text).sql if self.is_completion else self.text


Pair = tuple[Question, Prediction]


def read_predictions(path: str | Path, dataset: Dataset) -> list[Pair]:
    """Each prediction with its question, in the file's order. PredictionError where the file or one line is wrong."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise PredictionError(f"{path} does not exist. Give a file of predictions with --predictions.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise PredictionError(f"{path} cannot be read as text ({error}). Save it as UTF-8.") from error
    questions = {question.index: question for question in dataset.questions}
    readers = {".jsonl": _read_lines, ".json": _read_object}
    found = list(readers.get(path.suffix, _read_plain)(path, text, dataset))
    if not found:
        raise PredictionError(f"{path} holds no prediction. Write an object a line: {{\"index\": 0, \"sql\": \"SELECT ...\"}}")
    return [(_question(place, prediction, questions, dataset), prediction) for place, prediction in found]


def score_predictions(pairs: Iterable[Pair], scorer: Scorer) -> Iterator[dict[str, Any]]:
    """A JSON-ready object a prediction: index, db_id, sql, status, parts, total and atomic (the overlap before shaping)."""
    for question, prediction in pairs:
        paid = _breakdown(question, prediction, scorer)
        parts = {part.name: None if part.value is None else _part(part) for part in paid.parts}
        head = {"index": question.index, "db_id": question.db_id, "sql": paid.sql, "status": paid.status}
        yield {**head, "parts": parts, "total": paid.total, "atomic": _atomic(question, paid, scorer)}


def _breakdown(question: Question, prediction: Prediction, scorer: Scorer) -> RewardBreakdown:
    if prediction.is_completion:
        return scorer.score(question, [prediction.text])[0]
    # Bare SQL has no format and no thought: what only a completion can earn is not scored, and no gate falls for it.
    facts = scorer.facts_of_sql(question, [prediction.text])[prediction.text]
    schema = scorer.dataset.databases[question.db_id].schema
    (own,) = own_part.values(scorer.recipe.own, question, schema, [prediction.text])
    facts = replace(facts, parsed=Parsed("", prediction.text, True), match=MemoryMatch(None, reason="SQL without a thought"), own=own)
    paid = breakdown(scorer.recipe, facts)
    parts = tuple(_unscored(part) if part.name in ("format", "memory") else part for part in paid.parts)
    return replace(paid, parts=parts)


def _unscored(part: RewardPart) -> RewardPart:
    return replace(part, value=None, evidence={"summary": "not scored: a prediction of SQL alone has no thought and no format"})


def _part(part: RewardPart) -> dict[str, float | None]:
    return {"value": part.value, "weight": part.weight}


def _atomic(question: Question, paid: RewardBreakdown, scorer: Scorer) -> dict[str, Any]:
    """The overlap as it is before a recipe shapes it; compared here where the recipe does not."""
    keys = ("overlap", "matched", "missing", "extra", "changed")
    for part in paid.parts:
        if part.name == "atomic":
            return {key: part.evidence.get(key) for key in keys}
    found = asdict(atomic_overlap(paid.sql, question.gold + question.references, scorer.dataset.databases[question.db_id].schema))
    return {key: found[key] for key in keys}


def _question(place: str, prediction: Prediction, questions: dict[int, Question], dataset: Dataset) -> Question:
    if prediction.index in questions:
        return questions[prediction.index]
    raise PredictionError(
        f"{place}: the dataset {dataset.name!r} has no question {prediction.index}; its indices run from "
        f"{min(questions)} to {max(questions)}. Give the index that the question has in its dataset."
    )


def _read_lines(path: Path, text: str, dataset: Dataset) -> Iterator[tuple[str, Prediction]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = f"{path}, line {number}"
            yield place, _prediction(place, line)


def _prediction(place: str, line: str) -> Prediction:
    try:
        values = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise PredictionError(f"{place} is not JSON: {error}. Write an object a line: {{\"index\": 0, \"sql\": \"SELECT ...\"}}") from error
    return _of_values(place, values)


def _of_values(place: str, values: Any) -> Prediction:
    if not isinstance(values, dict) or not _is_index(values.get("index")):
        raise PredictionError(f"{place}: 'index' is missing or no whole number. Add the question's index in its dataset.")
    given = [key for key in ("sql", "completion") if key in values]
    if len(given) != 1 or not isinstance(values[given[0]], str):
        raise PredictionError(f"{place}: give either 'sql' or 'completion', as text; it has {', '.join(values)}")
    return Prediction(values["index"], values[given[0]], given[0] == "completion")


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _read_object(path: Path, text: str, dataset: Dataset) -> Iterator[tuple[str, Prediction]]:
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise PredictionError(f"{path} is not JSON: {error}. An object a line belongs into a file that ends in .jsonl.") from error
    if not isinstance(values, dict):
        raise PredictionError(f"{path} holds a {type(values).__name__}; BIRD's form is an object of index to SQL.")
    if isinstance(values.get("per_question"), list):
        for number, row in enumerate(values["per_question"]):
            place = f"{path}, per_question {number}"
            yield place, _of_values(place, {name: row[name] for name in ("index", "sql") if name in row} if isinstance(row, dict) else row)
        return
    for key, sql in values.items():
        if not key.isdecimal() or not isinstance(sql, str):
            raise PredictionError(f"{path}: {key!r} must be a question's index, and stand for SQL as text.")
        yield f"{path}, key {key}", Prediction(int(key), sql.split(BIRD_SEPARATOR)[0])


def _read_plain(path: Path, text: str, dataset: Dataset) -> Iterator[tuple[str, Prediction]]:
    """Spider's form has no indices: line by line, the dataset's questions in their order, so the counts must agree."""
    lines = text.rstrip("\n").split("\n")
    if len(lines) != len(dataset.questions):
        raise PredictionError(
            f"{path} has {len(lines)} lines and the dataset {len(dataset.questions)} questions: one query a line, in their order, "
            "is wanted. Use .jsonl with an index a line for some of them."
        )
    for number, (line, question) in enumerate(zip(lines, dataset.questions, strict=True), start=1):
        yield f"{path}, line {number}", Prediction(question.index, line.split("\t")[0])
