"""Spider 1.0 in its own layout (Yu et al., EMNLP 2018).

    dev.json, train_spider.json, train_others.json      db_id, question, query
    tables.json                                         the schemas
    database/<db_id>/<db_id>.sqlite                     further *.sqlite files beside it are further instances (test suite)

The split ``train`` is train_spider.json followed by train_others.json where that is there. The golds are taken as they
are. Not covered: Spider's parsed forms (``sql``), which nothing here needs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from finer.datasets.benchmark import load_benchmark
from finer.datasets.dataset import Dataset
from finer.datasets.entries import Entry
from finer.hardness import hardness
from finer.records import Question
from finer.schema import DataError, MissingDataError

SPLITS = ("dev", "train")
_RELEASES = {("dev", 1034): "1.0", ("train", 7000): "1.0 without train_others.json", ("train", 8659): "1.0"}


def is_spider(folder: Path) -> bool:
    """Does the folder hold Spider's layout?"""
    return (folder / "tables.json").is_file() and any((folder / name).is_file() for name in ("dev.json", "train_spider.json"))


def load_spider(folder: Path, split: str = "dev", name: str = "spider") -> Dataset:
    """One split. MissingDataError where its file is missing, DataError where one cannot be read."""
    if split not in SPLITS:
        raise DataError(f"Spider has no split {split!r} here; it has {list(SPLITS)}")
    files = [folder / "dev.json"]
    if split == "train":
        others = folder / "train_others.json"
        files = [folder / "train_spider.json", *([others] if others.is_file() else [])]
    if not files[0].is_file():
        raise MissingDataError(f"no file {str(files[0])!r}; give the folder that holds Spider's {files[0].name}, tables.json and database/")
    levels: dict[str, str] = {}
    dataset = load_benchmark(name, files, folder / "tables.json", folder / "database", lambda *entry: _question(*entry, split, levels))
    count = len(dataset.questions)
    release = _RELEASES.get((split, count), "of an unknown release")
    return replace(dataset, release=f"Spider {split} {release}, {count:,} questions")


def _question(entry: Entry, position: int, split: str, levels: dict[str, str]) -> Question:
    query = entry.take("query", str)
    if query not in levels:  # many questions share a query, and reading its class takes longer than all the rest
        levels[query] = _level(query)
    return Question(position, entry.take("db_id", str), entry.take("question", str), (query,), difficulty=levels[query], split=split)


def _level(query: str) -> str:
    try:
        return hardness(query)
    except ValueError:
        return ""
