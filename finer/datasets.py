"""Questions, databases and verified traces, from the starter data or a folder with the same layout.

    questions.jsonl                     one object a line: db_id, question, gold; optional: index, evidence, difficulty,
                                        split, tables, meant_empty
    traces.jsonl                        optional; one object a line: trace_id, db_id, question, thought, sql
    databases/<db_id>/<db_id>.sqlite    the main instance; <db_id>_1.sqlite, <db_id>_2.sqlite … are further ones

Every fault names the file, the line, what was expected and how to mend it. Spider's and BIRD's own layouts are not
covered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finer.records import Question, Trace
from finer.sandbox import check_statement
from finer.schema import DataError, MissingDataError, Schema, read_schema

DATA_FOLDER = Path(__file__).resolve().parent.parent / "data"


@dataclass(frozen=True)
class Database:
    """One schema and the files that fill it with different rows."""

    db_id: str
    instances: tuple[Path, ...]
    """The main instance first."""
    schema: Schema

    @property
    def path(self) -> Path:
        """The main instance."""
        return self.instances[0]


@dataclass(frozen=True)
class Dataset:
    """Questions over databases, and the traces that explain some of them."""

    name: str
    questions: tuple[Question, ...]
    databases: dict[str, Database]
    traces: tuple[Trace, ...] = ()

    def split(self, name: str) -> Dataset:
        """The questions of one split. Databases and traces stay whole: the memory draws on all of them.

        DataError that lists the splits there are.
        """
        questions = tuple(question for question in self.questions if question.split == name)
        if not questions:
            known = sorted({question.split for question in self.questions})
            raise DataError(f"dataset {self.name!r} has no split {name!r}; it has {known}")
        return replace(self, questions=questions)

    def question(self, index: int) -> Question:
        """The question of that index; KeyError where there is none."""
        for question in self.questions:
            if question.index == index:
                return question
        raise KeyError(f"dataset {self.name!r} has no question of index {index}")


def load_dataset(name: str | Path = "starter", split: str | None = None) -> Dataset:
    """Load ``starter``, or a folder of your own; with ``split`` only its questions of that split.

    MissingDataError where a file is missing, DataError where one cannot be read; both say how to mend it.
    """
    folder = _folder(name)
    databases = _databases(folder / "databases")
    questions = tuple(_questions(folder / "questions.jsonl", databases))
    traces_file = folder / "traces.jsonl"
    traces = tuple(_traces(traces_file, databases)) if traces_file.exists() else ()
    dataset = Dataset("starter" if name == "starter" else str(name), questions, databases, traces)
    return dataset if split is None else dataset.split(split)


def _folder(name: str | Path) -> Path:
    folder = DATA_FOLDER / "starter" if name == "starter" else Path(name)
    if (folder / "questions.jsonl").is_file():
        return folder
    if name == "starter":
        raise MissingDataError(
            f"the starter data is not in {str(folder)!r}; install from a checkout of the repository: pip install -e ."
        )
    raise MissingDataError(
        f"unknown dataset {str(name)!r}: give 'starter', or a folder that holds questions.jsonl and databases/"
    )


def _databases(folder: Path) -> dict[str, Database]:
    if not folder.is_dir():
        raise MissingDataError(f"no folder {str(folder)!r}; put each database into <db_id>/<db_id>.sqlite below it")
    return {place.name: _database(place) for place in sorted(folder.iterdir()) if place.is_dir()}


def _database(folder: Path) -> Database:
    main = folder / f"{folder.name}.sqlite"
    if not main.is_file():
        raise MissingDataError(f"no main instance {str(main)!r}; name the database's file like its folder")
    numbered = re.compile(re.escape(folder.name) + r"_(\d+)\.sqlite")
    further = [(int(found[1]), path) for path in folder.iterdir() if (found := numbered.fullmatch(path.name))]
    schema = read_schema(main, folder.name)
    return Database(folder.name, (main, *(path for _, path in sorted(further))), schema)


class _Line:
    """One object of a .jsonl file, with the place to name in a complaint."""

    def __init__(self, path: Path, number: int, values: dict[str, Any]) -> None:
        self.path, self.number, self.values = path, number, values

    def fault(self, message: str) -> DataError:
        return DataError(f"{self.path}, line {self.number}: {message}")

    def take(self, name: str, kind: type, default: Any = None) -> Any:
        """The value of a field; a field without a default must be there."""
        value = self.values.get(name, default)
        if value is None:
            raise self.fault(f"the field {name!r} is missing; add it as a {kind.__name__}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.fault(f"{name!r} must be a {kind.__name__}, not {value!r:.60}")
        return value

    def texts(self, name: str, default: Any = None) -> tuple[str, ...]:
        """A field that holds a list of texts, or one text."""
        value = self.values.get(name, default)
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(text, str) for text in values):
            raise self.fault(f"{name!r} must be a list of texts, not {value!r:.60}")
        return tuple(values)

    def database(self, databases: dict[str, Database]) -> Database:
        """The database that the line names."""
        db_id = self.take("db_id", str)
        if db_id not in databases:
            place = f"databases/{db_id}/{db_id}.sqlite"
            raise self.fault(f"there is no database {db_id!r}; put it into {place}, or correct db_id")
        return databases[db_id]


def _lines(path: Path) -> Iterator[_Line]:
    try:
        texts = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            fault = f"no JSON ({error.msg} at character {error.pos}); write one object a line"
            raise DataError(f"{path}, line {number}: {fault}") from error
        line = _Line(path, number, values)
        if not isinstance(values, dict):
            raise line.fault(f"expected an object {{…}}, not {text.strip():.60}")
        yield line


def _questions(path: Path, databases: dict[str, Database]) -> Iterator[Question]:
    seen: dict[int, int] = {}
    for position, line in enumerate(_lines(path)):
        question = _question(line, position, line.database(databases))
        if question.index in seen:
            raise line.fault(f"index {question.index} is also that of line {seen[question.index]}; give each its own")
        seen[question.index] = line.number
        yield question
    if not seen:
        raise DataError(f"{path}: no question; add one object a line with db_id, question and gold")


def _question(line: _Line, position: int, database: Database) -> Question:
    gold = line.texts("gold")
    if not gold:
        raise line.fault("'gold' is empty; give at least one right SQL query")
    for sql in gold:
        if reason := check_statement(sql):
            raise line.fault(f"gold is not one read-only query ({reason}): {sql!r:.80}")
    tables = line.texts("tables", [])
    for table in tables:
        if not database.schema.has(table):
            known = [known.name for known in database.schema.tables]
            raise line.fault(f"database {database.db_id!r} has no table {table!r}; it has {known}")
    return Question(
        index=line.take("index", int, position),
        db_id=database.db_id,
        text=line.take("question", str),
        gold=gold,
        evidence=line.take("evidence", str, ""),
        difficulty=line.take("difficulty", str, ""),
        split=line.take("split", str, "train"),
        kind=line.take("kind", str, ""),
        tables=tables,
        meant_empty=line.take("meant_empty", bool, False),
    )


def _traces(path: Path, databases: dict[str, Database]) -> Iterator[Trace]:
    seen: dict[int, int] = {}
    for line in _lines(path):
        trace_id = line.take("trace_id", int)
        if trace_id in seen:
            raise line.fault(f"trace_id {trace_id} is also that of line {seen[trace_id]}; give each its own")
        seen[trace_id] = line.number
        question, thought, sql = (line.take(name, str) for name in ("question", "thought", "sql"))
        yield Trace(trace_id, line.database(databases).db_id, question, thought, sql, source="starter")
