"""Tables, columns, types, keys and sample values of an SQLite file (DuckDB: ``schema_duckdb``), and their text for a prompt.

Reads only what the file declares (names, types, keys, uniqueness) and a look at its first rows. It guesses no link
that is not declared, and covers neither views nor virtual tables' hidden columns.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from finer.errors import FinerError

SAMPLE_COUNT = 3
"""Distinct values kept of a column."""
SAMPLE_ROWS = 1000
"""Rows looked at for them; a bound, so that a database of millions of rows opens at once."""
SAMPLE_CHARACTERS = 40
"""A longer value is cut in the rendering."""
DESCRIPTION_CHARACTERS = 100
"""So is a longer description."""

# The keywords that SQLite 3.40 does not take as a bare name; a test asks SQLite itself about each of them.
_RESERVED_WORDS = """
    ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CAST CHECK COLLATE COMMIT CONSTRAINT CREATE CURRENT_DATE
    CURRENT_TIME CURRENT_TIMESTAMP DEFAULT DEFERRABLE DELETE DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM
    GROUP HAVING IF IN INDEX INDEXED INSERT INTERSECT INTO IS ISNULL JOIN LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER
    PRIMARY RAISE REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION UNION UNIQUE UPDATE USING VALUES WHEN
    WHERE"""
RESERVED = frozenset(_RESERVED_WORDS.split())
_BARE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class DataError(FinerError, ValueError):
    """A file of data that cannot be used as it is; the message names it, the fault and the mend."""


class MissingDataError(DataError, FileNotFoundError):
    """A file of data that is not where it should be."""


@dataclass(frozen=True)
class Column:
    """One column as its table declares it."""

    name: str
    type: str
    """The declared type in upper case; '' where none is declared."""
    primary_key: bool = False
    """Part of the primary key."""
    not_null: bool = False
    """NULL is ruled out by declaration (NOT NULL, or the rowid key)."""
    unique: bool = False
    """No value twice by declaration: a one-column UNIQUE, or the whole primary key."""
    references: tuple[str, str] | None = None
    """(table, column) of the first declared foreign key, in the spelling of the table it refers to."""
    samples: tuple[Any, ...] = ()
    """Up to three distinct values other than NULL, in the order of the file."""
    description: str = ""
    """What the dataset says it means, as BIRD does; never read from the file."""
    has_null: bool = False
    """A NULL stands in one of the rows looked at for samples."""
    matched: tuple[str, ...] = ()
    """Values of it that a question names; set where a prompt is made, never read from the file."""


@dataclass(frozen=True)
class Table:
    """One table and its columns in declared order."""

    name: str
    columns: tuple[Column, ...]

    @cached_property
    def _columns_by_name(self) -> dict[str, Column]:
        return {column.name.lower(): column for column in self.columns}

    def has(self, column: str) -> bool:
        """Is there a column of that name (in any case)?"""
        return column.lower() in self._columns_by_name

    def column(self, name: str) -> Column:
        """The column of that name, in any case; KeyError that lists the columns there are."""
        try:
            return self._columns_by_name[name.lower()]
        except KeyError:
            known = [column.name for column in self.columns]
            raise KeyError(f"table {self.name!r} has no column {name!r}; it has {known}") from None

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the primary key's columns; empty where none is declared."""
        return tuple(column.name for column in self.columns if column.primary_key)


@dataclass(frozen=True)
class Schema:
    """The tables of one database."""

    db_id: str
    tables: tuple[Table, ...]

    @cached_property
    def _tables_by_name(self) -> dict[str, Table]:
        return {table.name.lower(): table for table in self.tables}

    def has(self, table: str) -> bool:
        """Is there a table of that name (in any case)?"""
        return table.lower() in self._tables_by_name

    def table(self, name: str) -> Table:
        """The table of that name, in any case; KeyError that lists the tables there are."""
        try:
            return self._tables_by_name[name.lower()]
        except KeyError:
            known = [table.name for table in self.tables]
            raise KeyError(f"database {self.db_id!r} has no table {name!r}; it has {known}") from None

    @property
    def keys(self) -> tuple[tuple[tuple[str, str], tuple[str, str]], ...]:
        """Declared foreign keys as ((child table, column), (parent table, column))."""
        return tuple(
            ((table.name, column.name), column.references)
            for table in self.tables
            for column in table.columns
            if column.references
        )


@dataclass(frozen=True)
class Kept:
    """A column that a prompt shows."""

    table: str
    column: str
    values: tuple[str, ...] = ()
    """Its values that the question names, as they are stored."""


def restrict(schema: Schema, columns: Sequence[Kept]) -> Schema:
    """The schema with these columns alone, in its own order, and their values beside them; tables without one are left out.

    A key that lacks a part is no key any more, and a link to a column that is left out is none. KeyError for a column that
    is not there.
    """
    chosen = {(schema.table(one.table).name, schema.table(one.table).column(one.column).name): one.values for one in columns}
    tables = []
    for table in schema.tables:
        whole_key = all((table.name, name) in chosen for name in table.primary_key)
        kept = [column for column in table.columns if (table.name, column.name) in chosen]
        shown = (
            replace(
                column,
                primary_key=column.primary_key and whole_key,
                references=column.references if column.references in chosen else None,
                matched=chosen[table.name, column.name],
            )
            for column in kept
        )
        tables += [Table(table.name, tuple(shown))] if kept else []
    return Schema(schema.db_id, tuple(tables))


def quote(name: str) -> str:
    """A name as SQL wants it: bare where that is read back as the same name, else in double quotes.

    >>> quote("title"), quote("unit price"), quote("order")
    ('title', '"unit price"', '"order"')
    """
    if _BARE_NAME.match(name) and name.upper() not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def engine_of(path: str | Path) -> str:
    """"duckdb" where the name ends in .duckdb or the file begins as DuckDB's do, else "sqlite"."""
    if str(path).lower().endswith(".duckdb"):
        return "duckdb"
    with open(path, "rb") as file:
        return "duckdb" if file.read(12)[8:] == b"DUCK" else "sqlite"


def database_uri(path: str | Path) -> str:
    """The URI that opens an SQLite file for reading only, without locks or files beside it.

    Raises MissingDataError where there is no file, DataError where newer content waits in a write-ahead log (opening
    without locks would silently miss it).
    """
    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"no database file {str(path)!r}; check the path")
    log = Path(f"{file}-wal")
    if log.exists() and log.stat().st_size:
        raise DataError(
            f"{str(path)!r} has content waiting in {log.name!r}; close the program that writes it, or run: "
            f"sqlite3 {str(path)!r} 'PRAGMA wal_checkpoint(TRUNCATE)'"
        )
    return Path(os.path.abspath(file)).as_uri() + "?mode=ro&immutable=1"


def read_schema(path: str | Path, db_id: str = "") -> Schema:
    """The schema of an SQLite or DuckDB file; ``db_id`` is by default the file's name without its ending.

    Raises MissingDataError for a missing file and DataError for one that is no readable database.
    """
    if Path(path).is_file() and engine_of(path) == "duckdb":
        from finer.schema_duckdb import read_duckdb_schema

        return read_duckdb_schema(path, db_id)
    uri = database_uri(path)
    try:
        connection = sqlite3.connect(uri, uri=True)
        try:
            connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
            return Schema(db_id or Path(path).stem, _tables(connection))
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise DataError(f"{str(path)!r} is not a readable SQLite database: {error}; give an .sqlite file") from error


def _tables(connection: sqlite3.Connection) -> tuple[Table, ...]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY rowid"
    names = [name for (name,) in connection.execute(query)]
    spelling = {name.lower(): name for name in names}
    return tuple(Table(name, _columns(connection, name, spelling)) for name in names)


def _columns(connection: sqlite3.Connection, table: str, spelling: dict[str, str]) -> tuple[Column, ...]:
    info = connection.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', (table,)).fetchall()
    key = [name for name, _, _, position in info if position]
    unique = _unique_columns(connection, table) | ({key[0]} if len(key) == 1 else set())
    links = _links(connection, table, spelling)
    samples, with_null = _samples(connection, table, [name for name, *_ in info])
    return tuple(
        Column(
            name,
            kind.upper(),
            primary_key=bool(position),
            # In SQLite a primary key admits NULL, unless it is the rowid itself.
            not_null=bool(not_null) or (key == [name] and kind.upper() == "INTEGER"),
            unique=name in unique,
            references=links.get(name.lower()),
            samples=samples[name],
            has_null=name in with_null,
        )
        for name, kind, not_null, position in info
    )


def _unique_columns(connection: sqlite3.Connection, table: str) -> set[str]:
    query = 'SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial'
    indexes = [name for (name,) in connection.execute(query, (table,)).fetchall()]
    columns = [connection.execute("SELECT name FROM pragma_index_info(?)", (index,)).fetchall() for index in indexes]
    return {found[0][0] for found in columns if len(found) == 1}


def _links(connection: sqlite3.Connection, table: str, spelling: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Column (in lower case) to what it refers to; a link to a table that does not exist is left out."""
    query = 'SELECT "table", "from", "to", seq FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq'
    links: dict[str, tuple[str, str]] = {}
    for parent, column, target, position in connection.execute(query, (table,)).fetchall():
        parent = spelling.get(parent.lower(), "")
        target = _target(connection, parent, target, position) if parent else ""
        if target:
            links.setdefault(column.lower(), (parent, target))
    return links


def _target(connection: sqlite3.Connection, parent: str, target: str | None, position: int) -> str:
    """The referred column in its own spelling; where the declaration names none, it is the parent's key."""
    info = connection.execute("SELECT name, pk FROM pragma_table_info(?)", (parent,)).fetchall()
    if target is None:
        return next((name for name, key in info if key == position + 1), "")
    return next((name for name, _ in info if name.lower() == target.lower()), "")


def _samples(connection: sqlite3.Connection, table: str, names: list[str]) -> tuple[dict[str, tuple[Any, ...]], set[str]]:
    selected = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    source = '"' + table.replace('"', '""') + '"'
    return collect_samples(connection.execute(f"SELECT {selected} FROM {source} LIMIT {SAMPLE_ROWS}"), names)


def collect_samples(rows: Iterable[Sequence[Any]], names: Sequence[str]) -> tuple[dict[str, tuple[Any, ...]], set[str]]:
    """The first few different values of each column, and the columns in which a NULL was met.

    >>> collect_samples([(1, "a"), (2, None), (1, "b")], ["id", "name"])
    ({'id': (1, 2), 'name': ('a', 'b')}, {'name'})
    """
    samples: dict[str, list[Any]] = {name: [] for name in names}
    with_null: set[str] = set()
    for row in rows:
        for name, value in zip(names, row, strict=True):
            if value is None:
                with_null.add(name)
            elif len(samples[name]) < SAMPLE_COUNT and value not in samples[name]:
                samples[name].append(value)
    return {name: tuple(values) for name, values in samples.items()}, with_null


def _shown(schema: Schema, tables: tuple[str, ...], columns: Sequence[Kept]) -> list[Table]:
    schema = restrict(schema, columns) if columns else schema
    return [schema.table(name) for name in tables] if tables else list(schema.tables)


def render_compact(schema: Schema, tables: tuple[str, ...] = (), columns: Sequence[Kept] = ()) -> str:
    """One line a table: names, and links to tables that are shown too. The small policy is trained on this form.

    ``tables`` chooses and orders them; empty means all. ``columns`` chooses columns (:func:`restrict`), again empty for all; the
    values that a question names stand behind theirs: ``name = 'Ada'``. KeyError for a table or column that is not there.

    >>> author = Table("author", (Column("author_id", "INTEGER"), Column("name", "TEXT")))
    >>> link = Column("author_id", "INTEGER", references=("author", "author_id"))
    >>> book = Table("book", (Column("book_id", "INTEGER"), link, Column("unit price", "REAL")))
    >>> print(render_compact(Schema("shop", (author, book))))
    author(author_id, name)
    book(book_id, author_id -> author.author_id, "unit price")
    >>> print(render_compact(Schema("shop", (author, book)), columns=[Kept("author", "name", ("Ada",)), Kept("book", "author_id")]))
    author(name = 'Ada')
    book(author_id)
    """
    shown = _shown(schema, tables, columns)
    names = {table.name for table in shown}
    return "\n".join(_compact_table(table, names) for table in shown)


def _compact_table(table: Table, shown: set[str]) -> str:
    return f"{quote(table.name)}({', '.join(_compact_column(column, shown) for column in table.columns)})"


def _compact_column(column: Column, shown: set[str]) -> str:
    text = quote(column.name) + (f" = {' or '.join(map(_literal, column.matched))}" if column.matched else "")
    # A link into a table that is left out would only point nowhere.
    if column.references is None or column.references[0] not in shown:
        return text
    parent, target = column.references
    return f"{text} -> {quote(parent)}.{quote(target)}"


def render_ddl(schema: Schema, tables: tuple[str, ...] = (), columns: Sequence[Kept] = ()) -> str:
    """CREATE TABLE statements with comments, for models that were trained on such text.

    It is SQL that SQLite accepts. ``tables`` and ``columns`` as in :func:`render_compact`. A column's comment is its
    description, the values that the question names, and sample values, as far as there are any.

    >>> book = Table("book", (Column("isbn", "TEXT", samples=("a1", "b2"), description="the code on its back"), Column("price", "REAL")))
    >>> print(render_ddl(Schema("shop", (book,)), columns=[Kept("book", "isbn", ("c3",))]))
    CREATE TABLE book (
        isbn TEXT  -- the code on its back; in the question: 'c3'; 'a1', 'b2'
    );
    """
    return "\n\n".join(_create_table(table) for table in _shown(schema, tables, columns))


def _create_table(table: Table) -> str:
    lines = [(_column_text(column, table), _comment(column)) for column in table.columns]
    if len(table.primary_key) > 1:
        lines.append((f"PRIMARY KEY ({', '.join(map(quote, table.primary_key))})", ""))
    body = []
    for position, (text, comment) in enumerate(lines):
        comma = "," if position < len(lines) - 1 else ""
        body.append(f"    {text}{comma}" + (f"  -- {comment}" if comment else ""))
    return f"CREATE TABLE {quote(table.name)} (\n" + "\n".join(body) + "\n);"


def _column_text(column: Column, table: Table) -> str:
    sole_key = table.primary_key == (column.name,)
    words = [quote(column.name), column.type, "PRIMARY KEY" if sole_key else ""]
    words.append("NOT NULL" if column.not_null and not sole_key else "")
    words.append("UNIQUE" if column.unique and not sole_key else "")
    if column.references:
        words.append(f"REFERENCES {quote(column.references[0])} ({quote(column.references[1])})")
    return " ".join(word for word in words if word)


def _comment(column: Column) -> str:
    matched = ", ".join(map(_literal, column.matched))
    samples = ", ".join(_literal(value) for value in column.samples if value not in column.matched)
    parts = (_cut(column.description, DESCRIPTION_CHARACTERS), f"in the question: {matched}" if matched else "", samples)
    return "; ".join(part for part in parts if part)


def _literal(value: Any) -> str:
    """A value as SQL writes it, on one line and cut where it is long."""
    if isinstance(value, bytes):
        return f"x'{value[: SAMPLE_CHARACTERS // 2].hex()}'"
    if not isinstance(value, str):
        return repr(value)
    return "'" + _cut(value, SAMPLE_CHARACTERS).replace("'", "''") + "'"


def _cut(text: str, characters: int) -> str:
    """A text on one line, and cut where it is long."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text[:1000]).split())
    return text if len(text) <= characters else text[: characters - 1] + "…"
