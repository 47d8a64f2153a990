"""What an SQLite file holds and what it promises: the rows to draw from, and the keys that every copy must keep.

Believed are: primary keys (unique, never NULL), NOT NULL, UNIQUE, CHECK, and foreign keys as total and never NULL. Where
the file itself breaks a foreign key (a NULL, a value that refers to nothing), copies may break it too, with those very
values. Of a large table the first rows are read, and the rows that they refer to. Not covered: virtual tables (left out),
triggers (not run), and rules that no declaration states.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from operator import contains
from pathlib import Path
from typing import Any

from finer.schema import DataError, database_uri

ROWS_READ = 2_000
"""Rows read of a table."""

Row = tuple[Any, ...]
Rows = dict[str, list[Row]]
"""Table → its rows, each in the order of ``Form.columns``."""


@dataclass(frozen=True)
class Form:
    """The columns of one table and what its rows must keep."""

    name: str
    columns: tuple[str, ...]
    """Without generated columns, which nobody can write."""
    affinities: tuple[str, ...]
    """INTEGER, REAL, NUMERIC, TEXT or BLOB, by SQLite's rules on the declared type."""
    not_null: frozenset[int]
    """Positions of the columns that may not be NULL, the primary key's among them."""
    keys: tuple[tuple[int, ...], ...]
    """Positions of the columns of each key, the primary key first."""
    holds_null: frozenset[int] = frozenset()
    """Positions of the columns that hold a NULL in the file."""
    distinct: frozenset[int] = frozenset()
    """Positions of the columns of texts that hold none twice in the file, though no declaration says so."""

    @cached_property
    def places(self) -> dict[str, int]:
        """Column (in lower case) → its position."""
        return {name.lower(): place for place, name in enumerate(self.columns)}

    @cached_property
    def key_places(self) -> frozenset[int]:
        """Positions of the columns that are part of a key."""
        return frozenset(place for key in self.keys for place in key)


@dataclass(frozen=True)
class Link:
    """Columns of one table that refer to columns of another."""

    table: str
    columns: tuple[int, ...]
    parent: str
    parent_columns: tuple[int, ...]
    affinities: tuple[str, ...]
    """Those of the parent's columns, under which SQLite compares."""
    nullable: bool = False
    """A NULL is there in the file, so it may be."""
    dangling: frozenset[Row] = frozenset()
    """Values that refer to nothing in the file, so they may stay."""

    def child_key(self, row: Row) -> Row | None:
        """What a child's row refers to; None where a column is NULL, which refers to nothing."""
        return self._key(row, self.columns)

    def parent_key(self, row: Row) -> Row | None:
        """What a parent's row is referred to by."""
        return self._key(row, self.parent_columns)

    def _key(self, row: Row, places: tuple[int, ...]) -> Row | None:
        key = tuple([stored(row[place], affinity) for place, affinity in zip(places, self.affinities, strict=True)])
        return None if None in key else key


@dataclass(frozen=True)
class Source:
    """One file: its declarations and the rows to draw from."""

    forms: dict[str, Form]
    links: tuple[Link, ...]
    rows: Rows
    declarations: tuple[str, ...]
    """The statements that make the tables, indexes and views."""

    @cached_property
    def names(self) -> dict[str, str]:
        """Table in lower case → its spelling."""
        return {name.lower(): name for name in self.forms}

    @cached_property
    def _empty(self) -> bytes:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            connection.execute("PRAGMA page_size = 512")  # a copy has few rows, and a page at least for each table
            for declaration in self.declarations:
                connection.execute(declaration)
            return connection.serialize()

    @cached_property
    def plain_declarations(self) -> tuple[str, ...]:
        """The tables without keys, so that rows stay in the order they come in, and the views."""
        if any(" COLLATE " in f" {' '.join(sql.upper().split())} " for sql in self.declarations):
            return self.declarations  # a collation changes what is equal, and only the declaration tells it
        plain = [
            f"CREATE TABLE {quoted(form.name)} ({', '.join(f'{quoted(name)} {kind}' for name, kind in zip(form.columns, form.affinities, strict=True))})"
            for form in self.forms.values()
        ]
        return (*plain, *(sql for sql in self.declarations if sql.lstrip().upper().startswith("CREATE VIEW")))

    def repaired(self, rows: Mapping[str, Iterable[Row]]) -> Rows:
        """The rows that keep every key: of two with one key the first stays, and children go with their parents."""
        kept = {name: _valid(form, rows.get(name, ())) for name, form in self.forms.items()}
        changed = True
        while changed:
            changed = False
            for link in self.links:
                if not kept[link.table]:
                    continue
                parents = {link.parent_key(row) for row in kept[link.parent]}
                children = [row for row in kept[link.table] if self._refers(link, row, parents)]
                changed |= len(children) < len(kept[link.table])
                kept[link.table] = children
        return kept

    @staticmethod
    def _refers(link: Link, row: Row, parents: set[Row | None]) -> bool:
        key = link.child_key(row)
        return link.nullable if key is None else key in parents or key in link.dangling

    def filled(self, rows: Rows) -> tuple[bytes, Rows]:
        """A database file with these rows, and the rows that it took: what breaks a CHECK is left out, with its children."""
        rows = self.repaired(rows)
        while True:
            with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
                connection.deserialize(self._empty)
                connection.execute("PRAGMA foreign_keys = OFF")
                connection.execute("BEGIN")
                taken = {name: self._insert(connection, self.forms[name], rows[name]) for name in self.forms}
                connection.execute("COMMIT")
                whole = self.repaired(taken)
                if whole == rows:
                    return connection.serialize(), rows
                rows = whole

    def _insert(self, connection: sqlite3.Connection, form: Form, rows: list[Row]) -> list[Row]:
        if not rows:
            return rows
        names, marks = ", ".join(map(quoted, form.columns)), ", ".join("?" * len(form.columns))
        sql = f"INSERT OR IGNORE INTO {quoted(form.name)} ({names}) VALUES ({marks})"
        before = connection.total_changes
        for row in rows:
            try:
                connection.execute(sql, row)
            except (sqlite3.IntegrityError, OverflowError):
                pass  # text in an INTEGER PRIMARY KEY, a number of more than 64 bits: no OR IGNORE lets them pass
        if connection.total_changes - before == len(rows):
            return rows
        return [tuple(row) for row in connection.execute(f"SELECT {names} FROM {quoted(form.name)}")]


def quoted(name: str) -> str:
    """A name in double quotes, whatever it is."""
    return '"' + name.replace('"', '""') + '"'


@lru_cache(maxsize=65_536, typed=True)
def stored(value: Any, affinity: str) -> Any:
    """A value as a column of that affinity keeps it.

    >>> stored("7", "INTEGER"), stored(7, "TEXT"), stored("seven", "INTEGER"), stored("7.5", "NUMERIC")
    (7, '7', 'seven', 7.5)
    """
    if isinstance(value, str) and affinity in ("INTEGER", "REAL", "NUMERIC"):
        number = number_in(value)
        value = value if number is None else number
    if isinstance(value, float) and value.is_integer() and affinity in ("INTEGER", "NUMERIC"):
        return int(value)
    if isinstance(value, int) and affinity == "REAL":
        return float(value)
    return str(value) if isinstance(value, (int, float)) and affinity == "TEXT" else value


def number_in(text: str) -> int | float | None:
    """The number that a text spells, None where it spells none.

    >>> number_in("2014"), number_in(" 1.50 "), number_in("nan"), number_in("1_0")
    (2014, 1.5, None, None)
    """
    if not any(sign.isdigit() for sign in text) or any(sign.isalpha() and sign not in "eE" for sign in text) or "_" in text:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return None


def read_source(path: str | Path) -> Source:
    """Read an SQLite file. MissingDataError where there is none, DataError where it is no readable database."""
    try:
        with closing(sqlite3.connect(database_uri(path), uri=True)) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
            return _read(connection)
    except sqlite3.Error as error:
        raise DataError(f"{str(path)!r} is not a readable SQLite database: {error}; give an .sqlite file") from error


def _read(connection: sqlite3.Connection) -> Source:
    query = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
    entries = [entry for entry in connection.execute(query).fetchall() if entry[0] != "trigger"]
    virtual = {name for kind, name, sql in entries if kind == "table" and sql.lstrip().upper().startswith("CREATE VIRTUAL")}
    names = [name for kind, name, _ in entries if kind == "table" and not any(name == v or name.startswith(f"{v}_") for v in virtual)]
    forms = {name: _form(connection, name) for name in names}
    rows = {name: _select(connection, form, f"LIMIT {ROWS_READ}") for name, form in forms.items()}
    links = [link for name in names for link in _links(connection, forms, name)]
    _fetch_parents(connection, forms, links, rows)
    believed = tuple(_with_exceptions(link, rows) for link in links)
    kept = [sql for kind, name, sql in entries if kind != "table" or name in forms]
    return Source(forms, believed, rows, tuple(_possible(kept)))


def _possible(declarations: list[str]) -> Iterator[str]:
    """Those that can be made from the tables that are kept: no index on a virtual table, say."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for declaration in declarations:
            try:
                connection.execute(declaration)
                yield declaration
            except sqlite3.Error:
                pass


def _form(connection: sqlite3.Connection, table: str) -> Form:
    query = 'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?) WHERE hidden = 0'
    info = connection.execute(query, (table,)).fetchall()
    names = [name for name, *_ in info]
    primary = tuple(place for _, place in sorted((pk, place) for place, (_, _, _, pk) in enumerate(info) if pk))
    query = 'SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial'
    keys = [primary] if primary else []
    for (index,) in connection.execute(query, (table,)).fetchall():
        columns = [name for (name,) in connection.execute("SELECT name FROM pragma_index_info(?)", (index,))]
        if all(name in names for name in columns):
            keys.append(tuple(names.index(name) for name in columns))
    empty = frozenset(place for place, name in enumerate(names) if _has_null(connection, table, name))
    not_null = {place for place, entry in enumerate(info) if entry[2]} | set(primary)
    affinities = tuple(affinity(kind) for _, kind, _, _ in info)
    declared = {key[0] for key in keys if len(key) == 1}
    distinct = frozenset(place for place, name in enumerate(names) if place not in declared and _are_distinct(connection, table, name))
    return Form(table, tuple(names), affinities, frozenset(not_null), tuple(dict.fromkeys(keys)), empty, distinct)


def _are_distinct(connection: sqlite3.Connection, table: str, column: str) -> bool:
    name = quoted(column)
    sql = f"SELECT COUNT({name}) > 1 AND COUNT({name}) = COUNT(DISTINCT {name}) AND MIN(typeof({name})) = 'text' FROM {quoted(table)} WHERE {name} IS NOT NULL"
    return bool(connection.execute(sql).fetchone()[0])


def _has_null(connection: sqlite3.Connection, table: str, column: str) -> bool:
    sql = f"SELECT EXISTS (SELECT 1 FROM {quoted(table)} WHERE {quoted(column)} IS NULL)"
    return bool(connection.execute(sql).fetchone()[0])


def affinity(kind: str) -> str:
    """SQLite's affinity of a declared type (https://sqlite.org/datatype3.html, section 3.1).

    >>> affinity("VARCHAR(20)"), affinity("BIGINT"), affinity("BOOL"), affinity("")
    ('TEXT', 'INTEGER', 'NUMERIC', 'BLOB')
    """
    kind = kind.upper()
    for name, words in (("INTEGER", ("INT",)), ("TEXT", ("CHAR", "CLOB", "TEXT")), ("BLOB", ("BLOB",)), ("REAL", ("REAL", "FLOA", "DOUB"))):
        if any(word in kind for word in words):
            return name
    return "NUMERIC" if kind else "BLOB"


def _select(connection: sqlite3.Connection, form: Form, rest: str, values: Row = ()) -> list[Row]:
    names = ", ".join(map(quoted, form.columns))
    return [tuple(row) for row in connection.execute(f"SELECT {names} FROM {quoted(form.name)} {rest}", values)]


def _links(connection: sqlite3.Connection, forms: dict[str, Form], table: str) -> Iterator[Link]:
    """The declared foreign keys of a table whose parents are there."""
    spelling = {name.lower(): name for name in forms}
    query = 'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq'
    found: dict[int, list[tuple[str, str, str | None]]] = {}
    for number, parent, column, target in connection.execute(query, (table,)):
        found.setdefault(number, []).append((parent, column, target))
    for parts in found.values():
        child, parent = forms[table], forms.get(spelling.get(parts[0][0].lower(), ""))
        if parent is None:
            continue
        columns = [child.places.get(column.lower()) for _, column, _ in parts]
        targets = [parent.places.get(target.lower()) for _, _, target in parts if target]
        targets = targets or (list(parent.keys[0]) if parent.keys else [])
        if None not in columns and None not in targets and len(columns) == len(targets):
            yield make_link(forms, table, tuple(columns), parent.name, tuple(targets))


def make_link(forms: Mapping[str, Form], table: str, columns: tuple[int, ...], parent: str, targets: tuple[int, ...]) -> Link:
    """A link whose exceptions are not known yet."""
    return Link(table, columns, parent, targets, tuple(forms[parent].affinities[place] for place in targets))


def _fetch_parents(connection: sqlite3.Connection, forms: dict[str, Form], links: list[Link], rows: Rows) -> None:
    """Rows of large tables that are referred to by rows that were read. A chain of links needs as many rounds as it is long."""
    for _ in range(len(forms)):
        fetched = 0
        for link in links:
            if len(rows[link.parent]) < ROWS_READ:
                continue
            known = {link.parent_key(row) for row in rows[link.parent]}
            wanted = {key for row in rows[link.table] if (key := link.child_key(row)) is not None} - known
            form = forms[link.parent]
            test = " AND ".join(f"{quoted(form.columns[place])} = ?" for place in link.parent_columns)
            found = [row for key in sorted(wanted, key=repr) for row in _select(connection, form, f"WHERE {test} LIMIT 1", key)]
            rows[link.parent] += found
            fetched += len(found)
        if not fetched:
            return


def _with_exceptions(link: Link, rows: Rows) -> Link:
    """The link with what breaks it in the file."""
    parents = {link.parent_key(row) for row in rows[link.parent]}
    keys = {link.child_key(row) for row in rows[link.table]}
    return replace(link, nullable=None in keys, dangling=frozenset(keys - parents - {None}))


def _valid(form: Form, rows: Iterable[Row]) -> list[Row]:
    """The rows of one table that keep NOT NULL and its keys."""
    seen: list[set[Row]] = [set() for _ in form.keys]
    kept = []
    for row in rows:
        if None in row and any(row[place] is None for place in form.not_null):
            continue
        values = [tuple([row[place] for place in key]) for key in form.keys]
        if any(map(contains, seen, values)):
            continue
        for value, taken in zip(values, seen, strict=True):
            if None not in value:
                taken.add(value)
        kept.append(row)
    return kept
