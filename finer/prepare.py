"""A folder of one's own, made from a database file and a file of questions: checked, split, with further instances and traces.

What is wrong with the files is said all at once, with file, line and mend, before anything is written. The golds are executed; a few
questions are held out; further instances (``telltale``) tell right from right by luck; each gold that is learnt from gets a thought that says
what it does (``thoughts``), so that a policy can be warm-started without a teacher. ``load_dataset`` reads the folder, and every command
takes it as ``--dataset``. Not covered: several databases at once (write the folder by hand: ``datasets.folder`` says how).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlglot.errors import SqlglotError

from finer.datasets import Database, Dataset, load_dataset
from finer.datasets.entries import Entry
from finer.datasets.folder import ALIASES, ENDINGS, QUESTION_FILES, read_questions
from finer.errors import FinerError
from finer.hardness import hardness
from finer.judge import Judge
from finer.records import Question
from finer.schema import DataError, MissingDataError, engine_of, read_schema, render_compact
from finer.suspects import find_suspects
from finer.telltale import Telltale, telltale
from finer.thoughts import thought

READ = ("db_id", "question", "gold", "evidence", "split", "difficulty", "kind", "tables", "meant_empty", "index", "thought", *ALIASES)
"""Columns that are read; others are named and left alone."""
SHOWN = 5
"""Faults of one file that are told."""
SCHEMA_SHOWN = 300
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Prepared:
    """What was made."""

    folder: Path
    dataset: Dataset
    """All of it, as ``load_dataset(folder)`` reads it."""
    telltale: Telltale
    told: tuple[str, ...]
    """What was done, and what to look at, in sentences."""


def prepare(
    database: str | Path,
    questions: str | Path,
    folder: str | Path,
    instances: int = 3,
    folds: int = 4,
    fold: int = 0,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> Prepared:
    """Makes ``folder`` from a database file and a CSV, JSON or JSONL file with a question and its gold a line.

    Where the file names no splits, every ``folds``-th question from number ``fold`` on is held out as dev. ``instances``: further ones,
    at most. MissingDataError, DataError where a file cannot be used (all golds that fail are named), FinerError where the folder is
    taken; nothing is written then.
    """
    database, questions, folder = Path(database), Path(questions), Path(folder)
    _check(questions, folder, folds, fold)
    found = _database(database)
    asked = _checked(questions, found)
    split = _split([question for _, question in asked], folds, fold)
    told = _first_words(found, split, questions, asked)
    copies = _copies(found, split, instances, seed, on_progress)
    told += _of_copies(found, copies)
    traces, untold = _traces([(entry, question) for (entry, _), question in zip(asked, split, strict=True)])
    told += [f"{len(traces)} traces, the thoughts {'as the file gives them or ' if 'thought' in asked[0][0].columns else ''}made from the golds", *untold]
    _write(folder, found, split, copies, traces)
    return Prepared(folder, load_dataset(folder), copies, tuple(told))


def _check(questions: Path, folder: Path, folds: int, fold: int) -> None:
    if folds < 2 or not 0 <= fold < folds:
        raise FinerError(f"fold {fold} of {folds}: folds is at least 2, and fold from 0 to {max(folds, 2) - 1}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FinerError(f"{folder} is there already, and nothing is written over; name another folder, or remove it")
    if not questions.is_file():
        raise MissingDataError(f"no file of questions {str(questions)!r}; check the path")
    endings = tuple(Path(name).suffix for name in QUESTION_FILES)
    if questions.suffix not in endings:
        raise DataError(f"{questions}: questions are read from {', '.join(endings)}; save it as CSV in UTF-8, with a column question and a column gold")


def _database(path: Path) -> Database:
    if not path.is_file():
        raise MissingDataError(f"no database file {str(path)!r}; check the path")
    if path.suffix not in ENDINGS:
        raise DataError(f"{path}: a database file ends in {', '.join(ENDINGS)}; rename it")
    schema = read_schema(path)
    if not schema.tables:
        raise DataError(f"{path} holds no table; is it the right file?")
    return Database(schema.db_id, (path,), schema)


def _checked(path: Path, database: Database) -> list[tuple[Entry, Question]]:
    """The questions, each with its place. DataError that names every line whose gold does not run, or whose question came before."""
    asked = list(read_questions(path, {database.db_id: database}))
    with Judge({database.db_id: database}) as judge:
        faults = [fault for entry, question in asked for gold in question.gold if (fault := _fault(entry, gold, database, judge))]
    seen: dict[str, Entry] = {}
    for entry, question in asked:
        words = " ".join(question.text.split())
        if words in seen:
            faults.append(f"{entry.place}: the same question as {seen[words].place}; delete one, or put both queries into a list as its golds")
        seen.setdefault(words, entry)
    if faults:
        more = f"\nand {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise DataError(f"{path}: {len(faults)} of {len(asked)} questions cannot be used:\n" + "\n".join(faults[:SHOWN]) + f"{more}\n{_tables(database)}")
    return asked


def _fault(entry: Entry, gold: str, database: Database, judge: Judge) -> str:
    result = judge.gold(database, gold)[0]
    return "" if result.ran else f"{entry.place}: the gold does not run ({result.status}: {result.error}); it reads: {gold:.80}"


def _tables(database: Database) -> str:
    text = "\n  ".join(render_compact(database.schema).splitlines())
    return f"the database has\n  {text[:SCHEMA_SHOWN]}{' …' if len(text) > SCHEMA_SHOWN else ''}"


def _split(questions: Sequence[Question], folds: int, fold: int) -> list[Question]:
    """The questions numbered, classed and split, where the file did not."""
    is_split = len({question.split for question in questions}) > 1
    return [
        replace(
            question,
            difficulty=question.difficulty or hardness(question.gold[0]),
            split=question.split if is_split else "dev" if place % folds == fold else "train",
        )
        for place, question in enumerate(questions)
    ]


def _first_words(database: Database, questions: Sequence[Question], path: Path, asked: Sequence[tuple[Entry, Question]]) -> list[str]:
    held_out = sum(question.split != "train" for question in questions)
    told = [f"{len(questions)} questions over {database.path.name}: {len(questions) - held_out} to learn from, {held_out} held out"]
    unread = sorted(set(asked[0][0].columns) - set(READ))
    if unread:
        told.append(f"{path.name}: not read: {', '.join(map(repr, unread))}; read are {', '.join(READ[:5])} and the like")
    with Judge({database.db_id: database}) as judge:
        doubts = find_suspects(Dataset(database.db_id, tuple(questions), {database.db_id: database}), judge)
    places = {question.index: entry.place for entry, question in asked}
    return told + [f"{path.name}, {places[doubt.index]}: look at the gold: {doubt.reason}" for doubt in doubts]


def _copies(database: Database, questions: Sequence[Question], count: int, seed: int, on_progress: Progress | None) -> Telltale:
    if not count or engine_of(database.path) == "duckdb":
        return Telltale((), 0, (0,))
    return telltale(database, questions, count, seed, on_progress)


def _of_copies(database: Database, copies: Telltale) -> list[str]:
    if not copies.variants:
        return ["no further instances" + (": they are made for SQLite files only" if engine_of(database.path) == "duckdb" else "")]
    told = f"{copies.variants} mistaken variants of the golds run: {copies.told[0]} give other rows on {database.path.name}"
    if not copies.contents:
        return [f"{told}; no further instance was found on which every gold is settled"]
    count = len(copies.contents)
    return [f"{told}, {copies.told[-1]} with {count} further instance{'s' * (count > 1)}; the others may mean the same"]


def _traces(asked: Sequence[tuple[Entry, Question]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The traces of the questions to learn from, and which golds no thought could be made of."""
    traces, untold = [], []
    for entry, question in asked:
        if question.split != "train":
            continue
        try:
            words = entry.take("thought", str, "") or thought(question.gold[0])
        except (SqlglotError, RecursionError):
            untold.append(f"{entry.place}: no thought could be made of the gold; write one into a column thought")
            continue
        traces.append({"trace_id": len(traces), "db_id": question.db_id, "question": question.text, "thought": words, "sql": question.gold[0]})
    return traces, untold


def _write(folder: Path, database: Database, questions: Sequence[Question], copies: Telltale, traces: Sequence[dict[str, Any]]) -> None:
    """The folder, whole or not at all."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    place = part / "databases" / database.db_id
    place.mkdir(parents=True)
    shutil.copyfile(database.path, place / f"{database.db_id}{database.path.suffix}")
    for number, content in enumerate(copies.contents, start=1):
        (place / f"{database.db_id}_{number}{database.path.suffix}").write_bytes(content)
    kept = ("index", "db_id", "gold", "evidence", "difficulty", "split", "kind", "tables", "meant_empty")
    lines = [{"question": question.text, **{name: getattr(question, name) for name in kept}} for question in questions]
    for name, objects in (("questions", lines), ("traces", traces)):
        (part / f"{name}.jsonl").write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects), encoding="utf-8")
    if folder.exists():
        folder.rmdir()  # it is empty
    part.rename(folder)
