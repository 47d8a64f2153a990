"""SQL → the operations it consists of, in canonical form.

Covers SQLite's queries: joins of every kind, aggregates, conditions, grouping, order, limits, subqueries, common table
expressions, set operations, windows, CASE. Not covered: VALUES as a query, and statements that are not queries.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from finer.atoms.bind import Misnamed, bind
from finer.atoms.canonical import atoms_of
from finer.atoms.catalog import Catalog, catalog_of
from finer.atoms.errors import AtomError
from finer.atoms.parse import parse
from finer.records import Atom


def extract(sql: str, schema: Any = None) -> tuple[Atom, ...]:
    """The operations of a query, equal for queries that differ only in spelling.

    ``schema`` (a ``finer.schema.Schema``) gives bare columns their table and lets keys be believed; without it the
    atoms are the best that the text alone allows. Raises AtomError with the reason for a text that is not one
    readable query: empty, unparsable, several statements, not a query, over a bound.

    >>> for atom in extract("SELECT s.name FROM singer AS s WHERE 20 < s.age"):
    ...     print(atom.clause, "|", atom.text, "|", atom.span)
    FROM | singer | (19, 30)
    SELECT | singer.name | (7, 13)
    WHERE | singer.age > 20 | (37, 47)
    """
    return extract_with(sql, catalog_of(schema))


def extract_with(sql: str, catalog: Catalog) -> tuple[Atom, ...]:
    """:func:`extract` with the schema already looked up."""
    tree = parse(sql)
    try:
        bound = bind(tree, sql, catalog)
        atoms = _as_written(atoms_of(bound.block), bound.misnamed)
    except RecursionError:
        raise AtomError("the query is nested too deeply") from None
    return tuple(_with_brackets(atom, sql) for atom in atoms)


def _as_written(atoms: tuple[Atom, ...], misnamed: Collection[Misnamed]) -> tuple[Atom, ...]:
    """The atoms with misnamed tables under the name that was written, those too whose table no operation needed: such a query fails."""
    for meant, written, span in misnamed:
        named = [at for at, atom in enumerate(atoms) if atom.clause == "FROM" and atom.text == meant and atom.span == span]
        if not named:
            atoms = (*atoms, Atom("FROM", written, "", span))
        atoms = tuple(replace(atom, text=written) if at in named else atom for at, atom in enumerate(atoms))
    return atoms


def _with_brackets(atom: Atom, sql: str) -> Atom:
    """The parser notes names and literals, not brackets: close in the span those that open in it."""
    if atom.span is None:
        return atom
    start, end = atom.span
    text = sql[start:end]
    wanting = text.count("(") - text.count(")")
    while wanting > 0:
        stop = end
        while stop < len(sql) and sql[stop].isspace():
            stop += 1
        if sql[stop : stop + 1] != ")":
            break
        end, wanting = stop + 1, wanting - 1
    return atom if end == atom.span[1] else replace(atom, span=(start, end))
