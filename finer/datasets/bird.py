"""BIRD in its own layout (Li et al., NeurIPS 2023).

    dev.json, mini_dev_sqlite.json, train.json          db_id, question, evidence, SQL, difficulty, question_id
    dev_tables.json, train_tables.json                  the schemas
    dev_databases/<db_id>/<db_id>.sqlite                (train_databases/ for the split train)
    dev_databases/<db_id>/database_description/*.csv    what the columns mean, one file a table
    column_meaning.json                                 "db_id|table|column" → text, for columns without such a file

A question's index is its position in the file, which is what BIRD's prediction files count by; in dev.json it equals
``question_id``, in mini-dev ``question_id`` is that of dev.json. The golds are taken as they are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from finer.datasets.benchmark import load_benchmark
from finer.datasets.dataset import Dataset
from finer.datasets.descriptions import described
from finer.datasets.entries import Entry
from finer.records import Question
from finer.schema import DataError, MissingDataError

FILES = {
    "dev": ("dev.json", "dev_tables.json", "dev_databases"),
    "mini_dev": ("mini_dev_sqlite.json", "dev_tables.json", "dev_databases"),
    "train": ("train.json", "train_tables.json", "train_databases"),
}
"""Split → its questions, the schemas and the folder of the databases."""

_DIFFICULTIES = ("simple", "moderate", "challenging")
_RELEASES = {
    ("dev", (925, 464, 145)): "dev 20240627",
    ("dev", (933, 459, 142)): "dev before 20240627",
    ("mini_dev", (148, 250, 102)): "mini-dev (SQLite)",
}


def is_bird(folder: Path) -> bool:
    """Does the folder hold BIRD's layout?"""
    names = ("mini_dev_sqlite.json", *(name for _, *others in FILES.values() for name in others))
    return any((folder / name).exists() for name in names)


def load_bird(folder: Path, split: str | None = None, name: str = "bird") -> Dataset:
    """One split, by default dev, or mini-dev where dev.json is not there.

    MissingDataError where its file is missing, DataError where one cannot be read.
    """
    if split is None:
        split = "mini_dev" if not (folder / "dev.json").is_file() and (folder / "mini_dev_sqlite.json").is_file() else "dev"
    if split not in FILES:
        raise DataError(f"BIRD has no split {split!r} here; it has {list(FILES)}")
    questions, tables, home = FILES[split]
    if not (folder / questions).is_file():
        raise MissingDataError(f"no file {str(folder / questions)!r}; give the folder that holds BIRD's {questions}, {tables} and {home}/")
    dataset = load_benchmark(name, [folder / questions], folder / tables, folder / home, lambda *entry: _question(*entry, split))
    databases = described(dataset.databases, folder / home, folder / "column_meaning.json")
    return replace(dataset, databases=databases, release=_release(split, dataset.questions))


def _question(entry: Entry, position: int, split: str) -> Question:
    return Question(
        index=position,
        db_id=entry.take("db_id", str),
        text=entry.take("question", str),
        gold=(entry.take("SQL", str),),
        evidence=entry.take("evidence", str, ""),
        difficulty=entry.take("difficulty", str, ""),
        split=split,
    )


def _release(split: str, questions: tuple[Question, ...]) -> str:
    found = Counter(question.difficulty for question in questions)
    counts = tuple(found[difficulty] for difficulty in _DIFFICULTIES)
    known = _RELEASES.get((split, counts), "")
    if not known or sum(counts) != len(questions):
        return f"BIRD {split}, unknown release ({len(questions):,} questions)"
    return f"BIRD {known}, {len(questions):,} questions"
