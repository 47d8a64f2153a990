"""What BIRD says its columns mean, put into the schemas."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from finer.datasets.dataset import Database
from finer.datasets.entries import read_json
from finer.schema import DataError, Schema

Meanings = dict[tuple[str, str], str]
"""(table, column), both in lower case → its meaning."""


def described(databases: dict[str, Database], home: Path, meaning_file: Path) -> dict[str, Database]:
    """The databases with a description for every column that has one; a database's own CSV files come before the JSON file."""
    shared = _shared_meanings(meaning_file) if meaning_file.is_file() else {}
    return {
        db_id: replace(database, schema=_with_meanings(database.schema, shared.get(db_id, {}) | _own_meanings(home / db_id)))
        for db_id, database in databases.items()
    }


def _with_meanings(schema: Schema, meanings: Meanings) -> Schema:
    if not meanings:
        return schema
    tables = []
    for table in schema.tables:
        texts = [meanings.get((table.name.lower(), column.name.lower()), "") for column in table.columns]
        columns = tuple(replace(column, description=text) for column, text in zip(table.columns, texts, strict=True))
        tables.append(replace(table, columns=columns))
    return replace(schema, tables=tuple(tables))


def _shared_meanings(path: Path) -> dict[str, Meanings]:
    """By db_id. The texts are a model's: each line begins with a hash sign, and some hold its end-of-turn mark."""
    values = read_json(path)
    if not isinstance(values, dict):
        raise DataError(f"{path}: expected an object of 'db_id|table|column' → text, not a {type(values).__name__}")
    found: dict[str, Meanings] = {}
    for key, text in values.items():
        names = key.split("|")
        if len(names) != 3 or not isinstance(text, str):
            raise DataError(f"{path}: expected 'db_id|table|column' → text, not {key!r:.80} → {text!r:.60}")
        lines = (line.strip().lstrip("#").strip() for line in text.replace("<|im_end|>", "").splitlines())
        found.setdefault(names[0], {})[names[1].lower(), names[2].lower()] = " ".join(line for line in lines if line)
    return found


def _own_meanings(folder: Path) -> Meanings:
    meanings: Meanings = {}
    for path in sorted((folder / "database_description").glob("*.csv")):
        rows = csv.DictReader(io.StringIO(_text(path), newline=""))
        try:
            for row in rows:
                parts = (" ".join((row.get(part) or "").split()) for part in ("column_description", "value_description"))
                meanings[path.stem.lower(), row["original_column_name"].strip().lower()] = "; ".join(part for part in parts if part)
        except (csv.Error, KeyError, AttributeError) as error:
            expected = "a header with original_column_name, column_description and value_description"
            raise DataError(f"{path}, line {rows.line_num}: expected {expected} ({error}); fetch the file again") from error
    return {key: text for key, text in meanings.items() if text}


def _text(path: Path) -> str:
    """UTF-8, else Latin-1, which some of BIRD's files are in."""
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
