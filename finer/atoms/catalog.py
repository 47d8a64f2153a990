"""What a schema says that binding and rules need, looked up by lower-case name.

Takes any object with ``.tables``, whose tables have ``.name`` and ``.columns``, whose columns have ``.name`` and, where
known, ``.type``, ``.primary_key``, ``.not_null``, ``.unique``, ``.references`` and ``.has_null``. What is declared is
believed: a primary key is unique and never NULL, a foreign key always finds its parent, and is never NULL unless the
data show one. Not covered: any other look at the data.
"""

from __future__ import annotations

from collections import OrderedDict
from difflib import get_close_matches
from typing import Any, NamedTuple

ALIKE = 0.8
"""Share of two names' characters that agree (difflib's ratio) from which one is read as the other: `singers` and `singer` have 0.92."""


class ColumnFact(NamedTuple):
    """What is believed of one column."""

    affinity: str
    """SQLite's: integer, real, numeric, text or none; 'unknown' without a declared column."""
    has_null: bool
    """The data show a NULL, which even a UNIQUE column may hold several times."""
    never_null: bool
    """NULL is ruled out by declaration or by belief: a foreign key in which the data show none."""
    references: tuple[str, str] | None


class TableFact(NamedTuple):
    """One table: its columns in order, and the sets of columns that identify a row."""

    name: str
    columns: dict[str, ColumnFact]
    keys: tuple[frozenset[str], ...]


class Catalog:
    """The tables of one schema by lower-case name; compared by identity, so that it can key a cache."""

    def __init__(self, schema: Any = None):
        self.tables = {fact.name: fact for fact in map(_table_fact, schema.tables)} if schema is not None else {}

    def table(self, name: str) -> TableFact | None:
        return self.tables.get(name.lower())

    def meant(self, name: str) -> TableFact | None:
        """The table that a name which is in no schema most likely means: a plural, a slip of the pen. None where none is alike."""
        near = get_close_matches(name.lower(), self.tables, 1, ALIKE)
        return self.tables[near[0]] if near else None


def affinity(declared: str) -> str:
    """SQLite's column affinity of a declared type (sqlite.org/datatype3.html, section 3.1).

    >>> affinity("VARCHAR(20)"), affinity("BIGINT"), affinity("FLOAT(10,2)"), affinity("DATE"), affinity("")
    ('text', 'integer', 'real', 'numeric', 'none')
    """
    kind = declared.upper()
    if "INT" in kind:
        return "integer"
    if any(word in kind for word in ("CHAR", "CLOB", "TEXT")):
        return "text"
    if not kind or "BLOB" in kind:
        return "none"
    return "real" if any(word in kind for word in ("REAL", "FLOA", "DOUB")) else "numeric"


def _table_fact(table: Any) -> TableFact:
    columns = {column.name.lower(): _column_fact(column) for column in table.columns}
    primary = frozenset(column.name.lower() for column in table.columns if getattr(column, "primary_key", False))
    keys = {frozenset([column.name.lower()]) for column in table.columns if getattr(column, "unique", False)}
    return TableFact(table.name.lower(), columns, tuple(sorted(keys | ({primary} if primary else set()), key=sorted)))


def _column_fact(column: Any) -> ColumnFact:
    references = getattr(column, "references", None)
    declared = any(getattr(column, name, False) for name in ("primary_key", "not_null"))
    has_null = not declared and getattr(column, "has_null", False)
    never_null = declared or (bool(references) and not has_null)
    target = (references[0].lower(), references[1].lower()) if references else None
    return ColumnFact(affinity(getattr(column, "type", None) or ""), has_null, never_null, target)


_KEPT = 256
_catalogs: OrderedDict[int, tuple[Any, Catalog]] = OrderedDict()
_EMPTY = Catalog()


def catalog_of(schema: Any) -> Catalog:
    """The catalog of a schema object, made once for it (a schema is frozen, so its identity stands for its content)."""
    if schema is None:
        return _EMPTY
    found = _catalogs.get(id(schema))
    if found is not None and found[0] is schema:
        return found[1]
    catalog = Catalog(schema)
    _catalogs[id(schema)] = (schema, catalog)  # the schema is kept too: its id must not be given to another
    if len(_catalogs) > _KEPT:
        _catalogs.popitem(last=False)
    return catalog
