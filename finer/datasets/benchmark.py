"""What Spider's and BIRD's layouts have in common: schemas in a JSON file, one folder a database, files that may lack.

The schema file (``tables.json``, ``dev_tables.json``) stands in for a database whose file is missing, so that prompts
and atoms still work for its questions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from finer.datasets.dataset import Database, Dataset
from finer.datasets.entries import Entry, read_entries
from finer.records import Question
from finer.schema import Column, DataError, MissingDataError, Schema, Table, read_schema


def load_benchmark(
    name: str, questions_files: Iterable[Path], tables_file: Path, home: Path, question: Callable[[Entry, int], Question]
) -> Dataset:
    """The questions of some files, one after the other, and the databases they ask; an index is a position in them."""
    entries = [entry for path in questions_files for entry in read_entries(path)]
    questions = tuple(question(entry, position) for position, entry in enumerate(entries))
    if not questions:
        raise DataError(f"{', '.join(map(str, questions_files))}: no question; fetch the file again")
    schemas = read_schemas(tables_file) if tables_file.is_file() else {}
    return Dataset(name, questions, find_databases(home, sorted({question.db_id for question in questions}), schemas))


def find_databases(home: Path, db_ids: Iterable[str], schemas: dict[str, Schema]) -> dict[str, Database]:
    """Each database with all its instances, or with the reason why none can be used."""
    databases = {}
    for db_id in db_ids:
        instances = _instances(home / db_id)
        try:
            databases[db_id] = Database(db_id, instances, _schema_of_file(instances, home, db_id))
        except DataError as error:
            databases[db_id] = Database(db_id, (), schemas.get(db_id, Schema(db_id, ())), missing=str(error))
    return databases


def _instances(folder: Path) -> tuple[Path, ...]:
    """Every SQLite file of a folder; the one named like it first, the others with 9 before 10."""
    files = list(folder.glob("*.sqlite"))
    numbers = re.compile(r"(\d+)")
    return tuple(sorted(files, key=lambda path: (path.stem != folder.name, [int(p) if p.isdigit() else p for p in numbers.split(path.stem)])))


def _schema_of_file(instances: tuple[Path, ...], home: Path, db_id: str) -> Schema:
    if not instances or instances[0].stem != db_id:
        raise MissingDataError(f"no file {home / db_id / db_id}.sqlite; put the database there")
    schema = read_schema(instances[0], db_id)
    if not schema.tables:
        raise DataError(f"{instances[0]} holds no table; fetch the database again")
    return schema


def read_schemas(path: Path) -> dict[str, Schema]:
    """The schemas of a ``tables.json`` by db_id. DataError that names the element and what it lacks."""
    schemas = {}
    for entry in read_entries(path):
        db_id = entry.take("db_id", str)
        try:
            schemas[db_id] = _schema(db_id, entry.values)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            expected = "table_names_original, column_names_original, column_types, primary_keys and foreign_keys that fit together"
            raise entry.fault(f"no schema of {db_id!r} ({type(error).__name__}: {error}); expected {expected}") from error
    return schemas


def _schema(db_id: str, values: dict[str, Any]) -> Schema:
    tables: list[str] = values["table_names_original"]
    columns: list[list[Any]] = values["column_names_original"]
    keys = {number for key in values["primary_keys"] for number in (key if isinstance(key, list) else [key])}
    sole = {key for key in values["primary_keys"] if isinstance(key, int)}
    links: dict[int, tuple[str, str]] = {}
    for child, parent in values["foreign_keys"]:
        links.setdefault(child, (tables[columns[parent][0]], columns[parent][1]))
    rows: list[list[Column]] = [[] for _ in tables]
    for number, ((table, name), kind) in enumerate(zip(columns, values["column_types"], strict=True)):
        if table >= 0:  # the first entry is the star, of no table
            rows[table].append(Column(name, kind.upper(), number in keys, unique=number in sole, references=links.get(number)))
    return Schema(db_id, tuple(Table(name, tuple(row)) for name, row in zip(tables, rows, strict=True)))


