"""Tables, columns, types, keys and sample values of a DuckDB file: what ``finer.schema.read_schema`` gives for one.

Covers the tables of the schema ``main``; views and other schemas are left out. Keys and uniqueness are those declared.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb

from finer.sandbox_duckdb import SETTINGS, is_plain, plain
from finer.schema import SAMPLE_ROWS, Column, DataError, MissingDataError, Schema, Table, collect_samples

_COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns()
    JOIN duckdb_tables() USING (table_oid, table_name, schema_name, database_name)
    WHERE schema_name = 'main' AND database_name = current_database() ORDER BY table_oid, column_index"""
_CONSTRAINTS = """
    SELECT table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names
    FROM duckdb_constraints() WHERE schema_name = 'main' AND database_name = current_database()
    ORDER BY table_oid, constraint_index"""


def duckdb_path(path: str | Path) -> str:
    """The absolute path that DuckDB opens. MissingDataError where there is no file."""
    if not Path(path).is_file():
        raise MissingDataError(f"no database file {str(path)!r}; check the path")
    return os.path.abspath(path)


def read_duckdb_schema(path: str | Path, db_id: str = "") -> Schema:
    """The schema of a DuckDB file; ``db_id`` is by default the file's name without its ending.

    MissingDataError for a missing file, DataError for one that DuckDB cannot open, another program's write lock included.
    """
    try:
        with duckdb.connect(duckdb_path(path), read_only=True, config=SETTINGS) as connection:
            return Schema(db_id or Path(path).stem, _tables(connection))
    except duckdb.Error as error:
        reason = str(error).split("\n")[0]
        raise DataError(f"{str(path)!r} cannot be read as a DuckDB database: {reason}; close what writes it, or give another file") from error


def _tables(connection: duckdb.DuckDBPyConnection) -> tuple[Table, ...]:
    declared: dict[str, list[tuple[str, str, bool]]] = {}
    for table, *column in connection.execute(_COLUMNS).fetchall():
        declared.setdefault(table, []).append(tuple(column))
    constraints = connection.execute(_CONSTRAINTS).fetchall()
    links = _links(constraints)
    tables = []
    for table, columns in declared.items():
        keys = [names for owner, kind, names, *_ in constraints if (owner, kind) == (table, "PRIMARY KEY")]
        unique = [names for owner, kind, names, *_ in constraints if (owner, kind) == (table, "UNIQUE")]
        primary = {name for names in keys for name in names}
        sole = {names[0] for names in keys + unique if len(names) == 1}
        samples, with_null = _samples(connection, table, columns)
        read = (
            Column(name, kind, name in primary, not nullable, name in sole, links.get((table, name)), samples[name], has_null=name in with_null)
            for name, kind, nullable in columns
        )
        tables.append(Table(table, tuple(read)))
    return tuple(tables)


def _links(constraints: list[tuple]) -> dict[tuple[str, str], tuple[str, str]]:
    """(table, column) → the (table, column) of the first foreign key declared for it."""
    links: dict[tuple[str, str], tuple[str, str]] = {}
    for table, kind, columns, parent, targets in constraints:
        if kind == "FOREIGN KEY":
            for column, target in zip(columns, targets, strict=True):
                links.setdefault((table, column), (parent, target))
    return links


def _samples(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[tuple[str, str, bool]]
) -> tuple[dict[str, tuple[Any, ...]], set[str]]:
    names = [_quoted(name) if is_plain(kind) else f"CAST({_quoted(name)} AS VARCHAR)" for name, kind, _ in columns]
    rows = connection.execute(f"SELECT {', '.join(names)} FROM main.{_quoted(table)} LIMIT {SAMPLE_ROWS}").fetchall()
    return collect_samples((tuple(map(plain, row)) for row in rows), [name for name, *_ in columns])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
