"""Does a query cut a tie: is what it gives left to chance by a LIMIT that falls between rows equal in the order?

Read off the syntax tree: the query is run again with its order's terms as further columns and a few rows beyond the cut. A
LIMIT without any ORDER BY cuts a tie wherever there are more rows than it keeps. Subqueries that stand on their own are looked
at too. Only literal limits are read, and a query that SQLite or the parser would read otherwise is passed over: no suspicion
is better than a false one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from sqlglot import exp

from finer.atoms.errors import AtomError
from finer.atoms.parse import parse
from finer.compare import Row
from finer.records import Execution

BEYOND = 200
"""Rows read after the cut, to see all those that are tied there."""
SHOWN = 3

Run = Callable[[str], Execution]


def cut_tie(sql: str, result: Execution, run: Run) -> str:
    """One sentence on the tie that a query cuts, or ''. ``result`` is what it gives, ``run`` executes on the same database.

    Rows that are tied but alike in every column make no difference, and are no tie here.
    """
    try:
        tree = parse(sql)
    except AtomError:
        return ""
    for query in _limited(tree):
        outermost = query is tree
        if reason := _reason(query, result if outermost else None, run):
            return reason if outermost else f"in a subquery, {reason}"
    return ""


def _limited(tree: exp.Expression) -> Iterator[exp.Query]:
    """The queries with a LIMIT, the outermost first; of the others, those whose meaning does not hang on where they stand."""
    common = {table.alias_or_name.lower() for table in tree.find_all(exp.CTE)}
    for query in tree.find_all(exp.Select, exp.SetOperation, bfs=True):
        if query.args.get("limit") and (query is tree or not {table.name.lower() for table in query.find_all(exp.Table)} & common):
            yield query


def _reason(query: exp.Query, result: Execution | None, run: Run) -> str:
    limit, offset = _number(query.args.get("limit")), _number(query.args.get("offset"), 0)
    widened = _widened(query, limit, offset) if limit and offset is not None else None
    if widened is None:
        return ""
    text, keys = widened
    found = run(text)
    if not found.ran:
        return ""
    width = len(found.columns) - sum(isinstance(key, str) for key in keys)
    places = _places(keys, width)
    rows = [(tuple(row[place] for place in places), row[:width]) for row in found.rows]
    # Where the parser's text is not the query's own meaning, what the gold gave is not among the rows.
    if result is not None and Counter(result.rows) - Counter(row for _, row in rows):
        return ""
    return _tie_at(rows, offset, limit, has_order=bool(keys)) or (_tie_at(rows, 0, offset, has_order=bool(keys)) if offset else "")


def _tie_at(rows: list[tuple[Row, Row]], start: int, kept: int, has_order: bool) -> str:
    """The tie at the end of ``kept`` rows from ``start``, where rows alike in their keys but not in their cells stand on both sides."""
    cut = start + kept
    if not 0 < cut < len(rows) or rows[cut - 1][0] != rows[cut][0]:
        return ""
    tied = [row for key, row in rows if key == rows[cut][0]]
    different = sorted(set(tied), key=repr)  # which of them comes first is chance, the words are not to be
    if len(different) == 1:
        return ""
    inside = sum(key == rows[cut][0] for key, _ in rows[start:cut])
    examples = ", ".join(repr(row if len(row) > 1 else row[0])[:40] for row in different[:SHOWN])
    more = " or more" if len(rows) == len(tied) and len(rows) > BEYOND else ""
    what = "rows are equal in the order" if has_order else "rows stand in no order"
    return f"{len(tied)}{more} {what} for {inside} place{'s' * (inside != 1)} before the LIMIT: {examples}" + (" …" if len(different) > SHOWN else "")


def _number(clause: exp.Expression | None, absent: int | None = None) -> int | None:
    """The number that a LIMIT or OFFSET states; None where it is no literal."""
    if clause is None:
        return absent
    value = clause.expression
    return int(value.name) if isinstance(value, exp.Literal) and not value.is_string and value.name.isdigit() else None


def _widened(query: exp.Query, limit: int, offset: int) -> tuple[str, list[int | str]] | None:
    """The query's text with more rows and its order's terms as columns, and where each term then stands: a place, or '' for an added one."""
    order = query.args.get("order")
    terms = [term.this if isinstance(term, exp.Ordered) else term for term in order.expressions] if order else []
    names = [column.alias_or_name.lower() for column in query.selects]
    keys: list[int | str] = []
    added: list[exp.Expression] = []
    for term in terms:
        place = _place(term, names, query)
        if place is None:
            if isinstance(query, exp.SetOperation) or query.args.get("distinct") or not _stands_alone(term, query, names):
                return None
            added.append(term.copy())
        keys.append("" if place is None else place)
    wider = query.copy()
    wider.set("limit", exp.Limit(expression=exp.Literal.number(limit + offset + BEYOND)))
    wider.set("offset", None)
    if added:
        wider.set("expressions", [*wider.expressions, *added])
    return wider.sql("sqlite"), keys


def _place(term: exp.Expression, names: list[str], query: exp.Query) -> int | None:
    """The output column that a term of the order is, where it is one: by number, by alias, or as the same expression."""
    if isinstance(term, exp.Literal) and not term.is_string and term.name.isdigit():
        return int(term.name) - 1
    if any(column.is_star for column in query.selects):
        return None
    if isinstance(term, exp.Column) and not term.table and term.name.lower() in names:
        return names.index(term.name.lower())
    same = [place for place, column in enumerate(query.selects) if column.unalias() == term]
    return same[0] if same else None


def _stands_alone(term: exp.Expression, query: exp.Query, names: list[str]) -> bool:
    """May the term be an output column: does it speak of no alias, which only ORDER BY may?"""
    aliases = {name for name, column in zip(names, query.selects, strict=True) if isinstance(column, exp.Alias)}
    return not any(not column.table and column.name.lower() in aliases for column in term.find_all(exp.Column))


def _places(keys: list[int | str], width: int) -> list[int]:
    """Where each term stands among the columns: the added ones follow the query's own, in order."""
    found, following = [], width
    for key in keys:
        found.append(following if isinstance(key, str) else key)
        following += isinstance(key, str)
    return found
