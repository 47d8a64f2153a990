"""The tables and columns that a query uses, by sqlglot's qualification with the schema.

A star uses its table, not every column of it. What does not exist in the schema is left out; double quotes around what is
no column's name hold a text, as SQLite reads them. Not covered: what the query does with them (``atoms``).
"""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from finer.atoms.errors import AtomError
from finer.atoms.parse import parse
from finer.schema import Schema

Name = tuple[str, str]
"""(table, column) in the schema's spelling."""


@lru_cache(maxsize=20_000)
def used_columns(sql: str, schema: Schema) -> tuple[frozenset[Name], frozenset[str]]:
    """The columns and the tables that a query names. AtomError where it cannot be read or its names cannot be settled.

    >>> from finer.schema import Column, Table
    >>> book = Table("book", (Column("Title", "TEXT"), Column("price", "REAL")))
    >>> used_columns('SELECT title FROM Book AS b WHERE b.title <> "x"', Schema("shop", (book,)))
    (frozenset({('book', 'Title')}), frozenset({'book'}))
    """
    tree = parse(sql).copy()
    for identifier in tree.find_all(exp.Identifier):
        identifier.set("this", identifier.name.lower())
    _quoted_texts(tree, schema)
    known = {table.name.lower(): {column.name.lower(): "text" for column in table.columns} for table in schema.tables}
    try:
        tree = qualify(
            tree, schema=known, dialect="sqlite", expand_stars=False, validate_qualify_columns=False, quote_identifiers=False,
            identify=False, expand_alias_refs=False,
        )  # fmt: skip
        scopes = traverse_scope(tree)
    except SqlglotError as error:
        raise AtomError(f"the names cannot be settled: {str(error).splitlines()[0]}") from None
    tables = {source.name for scope in scopes for source in scope.sources.values() if isinstance(source, exp.Table)}
    found = {(table, column.name) for scope in scopes for column in scope.columns if (table := _owner(scope, column.table))}
    columns = frozenset(_spelt(schema, *name) for name in found if schema.has(name[0]) and schema.table(name[0]).has(name[1]))
    return columns, frozenset(schema.table(name).name for name in tables if schema.has(name))


def _quoted_texts(tree: exp.Expression, schema: Schema) -> None:
    """Double-quoted names that are nothing's name become texts."""
    names = {column.name.lower() for table in schema.tables for column in table.columns}
    names |= {alias.alias for alias in tree.find_all(exp.Alias)}
    for column in list(tree.find_all(exp.Column)):
        if not column.table and isinstance(column.this, exp.Identifier) and column.this.quoted and column.name not in names:
            column.replace(exp.Literal.string(column.name))


def _owner(scope: Scope, alias: str) -> str:
    """The real table behind an alias, here or in a query around; '' where it is a subquery or unknown."""
    around: Scope | None = scope
    while around is not None:
        if alias in around.sources:
            source = around.sources[alias]
            return source.name if isinstance(source, exp.Table) else ""
        around = around.parent
    return ""


def _spelt(schema: Schema, table: str, column: str) -> Name:
    found = schema.table(table)
    return found.name, found.column(column).name
