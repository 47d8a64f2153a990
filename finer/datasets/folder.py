"""The starter data, and a folder of one's own.

    questions.jsonl | .json | .csv      one object a line, a list of objects, or a header and rows: question, gold, and db_id
                                        where there are several databases;
                                        optional: index, evidence, difficulty, split, tables, meant_empty
    traces.jsonl                        optional; one object a line: trace_id, db_id, question, thought, sql
    databases/<db_id>/<db_id>.sqlite    the main instance; <db_id>_1.sqlite, <db_id>_2.sqlite … are further ones

A database file may also lie flat, as ``<db_id>.sqlite`` in ``databases/`` or beside the questions; it may end in
``.sqlite``, ``.db`` or ``.duckdb``. For ``gold`` the names ``query``, ``SQL`` and ``sql`` are taken too, for ``index``
also ``question_id``; in a CSV ``tables`` are separated by commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from finer.datasets.dataset import Database, Dataset
from finer.datasets.entries import Entry, read_entries
from finer.records import Question, Trace
from finer.sandbox import check_statement
from finer.schema import DataError, MissingDataError, engine_of, read_schema

QUESTION_FILES = ("questions.jsonl", "questions.json", "questions.csv")
ENDINGS = (".sqlite", ".db", ".duckdb")
ALIASES = {"query": "gold", "SQL": "gold", "sql": "gold", "question_id": "index"}


def is_folder(folder: Path) -> bool:
    """Does it hold questions in this layout?"""
    return any((folder / name).is_file() for name in QUESTION_FILES)


def load_folder(folder: Path, name: str) -> Dataset:
    """Everything in the folder.

    MissingDataError where a file is missing, DataError where one cannot be read; both say how to mend it.
    """
    present = [folder / name for name in QUESTION_FILES if (folder / name).is_file()]
    if len(present) > 1:
        raise DataError(f"{str(folder)!r} holds {' and '.join(path.name for path in present)}; keep the one to use")
    databases = _databases(folder)
    questions = tuple(question for _, question in read_questions(present[0], databases))
    traces_file = folder / "traces.jsonl"
    traces = tuple(_traces(traces_file, databases)) if traces_file.exists() else ()
    return Dataset(name, questions, databases, traces)


def _databases(folder: Path) -> dict[str, Database]:
    home = folder / "databases"
    home = home if home.is_dir() else folder
    databases: dict[str, Database] = {}
    for place in sorted(home.iterdir()):
        if place.is_dir() and home != folder:
            found = _in_own_folder(place)
        elif place.is_file() and place.suffix in ENDINGS:
            found = Database(place.stem, (place,), read_schema(place))
        else:
            continue
        if found.db_id in databases:
            raise DataError(f"two files for the database {found.db_id!r}: {databases[found.db_id].path} and {found.path}; keep one")
        databases[found.db_id] = found
    if not databases:
        raise MissingDataError(f"no database in {str(home)!r}; put each database into <db_id>/<db_id>.sqlite in {str(folder / 'databases')!r}")
    return databases


def _in_own_folder(folder: Path) -> Database:
    mains = [path for ending in ENDINGS if (path := folder / f"{folder.name}{ending}").is_file()]
    if not mains:
        expected = str(folder / f"{folder.name}.sqlite")
        raise MissingDataError(f"no main instance {expected!r}; name the database's file like its folder")
    if len(mains) > 1:
        raise DataError(f"two main instances, {mains[0]} and {mains[1]}; keep one")
    main = mains[0]
    numbered = re.compile(re.escape(folder.name) + r"_(\d+)" + re.escape(main.suffix))
    further = [(int(found[1]), path) for path in folder.iterdir() if (found := numbered.fullmatch(path.name))]
    return Database(folder.name, (main, *(path for _, path in sorted(further))), read_schema(main, folder.name))


def _database(entry: Entry, databases: dict[str, Database]) -> Database:
    """The database that the entry names; the only one where it names none."""
    db_id = entry.take("db_id", str, next(iter(databases)) if len(databases) == 1 else None)
    if db_id not in databases:
        place = f"databases/{db_id}/{db_id}.sqlite"
        raise entry.fault(f"there is no database {db_id!r}; put it into {place}, or correct db_id")
    return databases[db_id]


def read_questions(path: Path, databases: dict[str, Database]) -> Iterator[tuple[Entry, Question]]:
    """The questions of a file, each with the place where it stands. DataError as :func:`load_folder`."""
    seen: dict[int, str] = {}
    for position, entry in enumerate(read_entries(path)):
        _rename(entry)
        question = _question(entry, position, _database(entry, databases))
        if question.index in seen:
            raise entry.fault(f"index {question.index} is also that of {seen[question.index]}; give each its own")
        seen[question.index] = entry.place
        yield entry, question
    if not seen:
        raise DataError(f"{path}: no question; add one with db_id, question and gold")


def _rename(entry: Entry) -> None:
    for other, name in ALIASES.items():
        if other in entry.values and name not in entry.values:
            entry.values[name] = entry.values[other]


def _question(entry: Entry, position: int, database: Database) -> Question:
    return Question(
        index=entry.take("index", int, position),
        db_id=database.db_id,
        text=_text(entry),
        gold=_gold(entry, database),
        evidence=entry.take("evidence", str, ""),
        difficulty=entry.take("difficulty", str, ""),
        split=entry.take("split", str, "train"),
        kind=entry.take("kind", str, ""),
        tables=_tables(entry, database),
        meant_empty=entry.take("meant_empty", bool, False),
    )


def _text(entry: Entry) -> str:
    text = entry.take("question", str)
    if not text.strip():
        raise entry.fault("the question is empty; write it, or delete the line")
    return text


def _gold(entry: Entry, database: Database) -> tuple[str, ...]:
    if "gold" not in entry.values:
        raise entry.lacking(next((name for name, meant in ALIASES.items() if meant == "gold" and name in entry.columns), "gold"), "a list of texts, or one text")
    gold = entry.texts("gold")
    if not gold:
        raise entry.fault("'gold' is empty; give at least one right SQL query")
    if engine_of(database.path) == "duckdb":
        return gold  # its dialect has queries of other forms (FROM first); DuckDB itself judges them
    for sql in gold:
        if reason := check_statement(sql):
            raise entry.fault(f"gold is not one read-only query ({reason}): {sql!r:.80}")
    return gold


def _tables(entry: Entry, database: Database) -> tuple[str, ...]:
    tables = entry.texts("tables", [])
    for table in tables:
        if not database.schema.has(table):
            known = [known.name for known in database.schema.tables]
            raise entry.fault(f"database {database.db_id!r} has no table {table!r}; it has {known}")
    return tables


def _traces(path: Path, databases: dict[str, Database]) -> Iterator[Trace]:
    seen: dict[int, str] = {}
    for entry in read_entries(path):
        trace_id = entry.take("trace_id", int)
        if trace_id in seen:
            raise entry.fault(f"trace_id {trace_id} is also that of {seen[trace_id]}; give each its own")
        seen[trace_id] = entry.place
        question, thought, sql = (entry.take(name, str) for name in ("question", "thought", "sql"))
        yield Trace(trace_id, _database(entry, databases).db_id, question, thought, sql, source="starter")
