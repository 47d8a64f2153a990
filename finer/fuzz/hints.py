"""What queries mention: the tables, columns, literals and joins that a perturbation should touch.

Names are matched generously (a bare column counts for every mentioned table that has it): a hint too many costs a try, one
too few costs a witness. Text that no parser can read still gives its tables and columns, by its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from finer.atoms.errors import AtomError
from finer.atoms.parse import parse
from finer.fuzz.source import Link, Source, make_link, number_in
from finer.sandbox import sql_tokens

Place = tuple[str, int]
"""A table and the position of one of its columns."""

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.Glob, exp.Between, exp.In, exp.Is)


@dataclass
class Hints:
    """Collected over some queries; every list is in a fixed order, so that a seed means one thing."""

    tables: list[str] = field(default_factory=list)
    columns: list[Place] = field(default_factory=list)
    literals: dict[Place, list[Any]] = field(default_factory=dict)
    """Column → what it is compared with."""
    counts: list[int] = field(default_factory=list)
    """Whole numbers that no column is compared with: of HAVING, most of the time."""
    groups: list[Place] = field(default_factory=list)
    """Columns that a GROUP BY names."""
    joins: list[tuple[Place, Place]] = field(default_factory=list)
    """Columns of two tables that a query sets equal."""


def read_hints(source: Source, sqls: Iterable[str]) -> Hints:
    """What the queries mention of that database."""
    hints = Hints()
    for sql in sqls:
        words = {token.strip('"`[]').lower() for token in sql_tokens(sql)}
        try:
            tree = parse(sql)
        except AtomError:
            tree = None  # the words have to do
        named = words if tree is None else {node.name.lower() for node in tree.find_all(exp.Table)}
        tables = [spelling for name, spelling in source.names.items() if name in named]
        _extend(hints.tables, tables)
        _extend(hints.columns, [(t, p) for t in tables for name, p in source.forms[t].places.items() if name in words])
        if tree is not None:
            _Reader(source, hints, tree, tables).read()
    return hints


def joined_links(source: Source, gold_sqls: Iterable[str]) -> tuple[Link, ...]:
    """Links that nobody declared, but that the gold joins on, that lead to a key, and that the file keeps without exception."""
    declared = {(link.table, link.columns) for link in source.links}
    found = []
    for pair in read_hints(source, gold_sqls).joins:
        for (table, place), (parent, target) in (pair, pair[::-1]):
            if (target,) not in source.forms[parent].keys or (table, (place,)) in declared or table == parent:
                continue
            link = make_link(source.forms, table, (place,), parent, (target,))
            parents = {link.parent_key(row) for row in source.rows[parent]}
            rows = source.rows[table]
            if rows and all(link.child_key(row) in parents for row in rows) and (place,) not in source.forms[table].keys:
                found.append(link)
    return tuple(dict.fromkeys(found))


class _Reader:
    """One tree."""

    def __init__(self, source: Source, hints: Hints, tree: exp.Expression, tables: list[str]) -> None:
        self.source, self.hints, self.tree, self.tables = source, hints, tree, tables
        self.aliases: dict[str, list[str]] = {}
        for node in tree.find_all(exp.Table):
            if node.name.lower() in source.names:
                self.aliases.setdefault(node.alias_or_name.lower(), []).append(source.names[node.name.lower()])

    def read(self) -> None:
        for node in self.tree.walk():
            if isinstance(node, _COMPARISONS):
                self.comparison(node)
            elif isinstance(node, exp.Group):
                for column in node.find_all(exp.Column):
                    _extend(self.hints.groups, self.resolved(column))

    def comparison(self, node: exp.Expression) -> None:
        operands = [node.this, node.expression, node.args.get("low"), node.args.get("high"), *node.args.get("expressions", ())]
        operands = [operand for operand in operands if isinstance(operand, exp.Expression)]
        columns = [column for operand in operands if not operand.find(exp.Query) for column in operand.find_all(exp.Column)]
        places = [(column, self.resolved(column)) for column in columns]
        # "usa" in double quotes is a text where no column has that name.
        texts = [column.name for column, found in places if not found and column.this.args.get("quoted")]
        values = [value for operand in operands if (value := _value(operand)) is not None] + texts
        found = [each for _, each in places if each]
        for place in {place: None for each in found for place in each}:
            _extend(self.hints.literals.setdefault(place, []), values)
        if not found or node.find(exp.AggFunc):
            _extend(self.hints.counts, [value for value in values if isinstance(value, int)])
        if isinstance(node, exp.EQ) and len(found) == 2:
            _extend(self.hints.joins, [(one, two) for one in found[0] for two in found[1] if one != two])

    def resolved(self, column: exp.Column) -> list[Place]:
        tables = self.aliases.get(column.table.lower(), self.tables) if column.table else self.tables
        name = column.name.lower()
        return [(t, self.source.forms[t].places[name]) for t in dict.fromkeys(tables) if name in self.source.forms[t].places]


def _value(node: exp.Expression) -> Any:
    """The value of a literal, None for anything else."""
    if isinstance(node, exp.Paren):
        return _value(node.this)
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        number = number_in(node.this.name)
        return None if number is None else -number
    if isinstance(node, exp.Literal):
        return node.name if node.is_string else number_in(node.name)
    return None


def _extend(found: list[Any], items: Iterable[Any]) -> None:
    found += [item for item in dict.fromkeys(items) if item not in found]


_DATE = re.compile(r"(.*?)(\d+)(\D*)\Z", re.DOTALL)


def neighbours(value: Any) -> list[Any]:
    """A literal and what lies just beside it: where a wrong bound, a wrong case or a wrong pattern shows.

    >>> neighbours(5)
    [5, 4, 6]
    >>> neighbours("2014"), neighbours("%Ann%")
    (['2014', '2013', '2015'], ['Ann', 'aAnn', 'Anna', 'xAnnx', 'ANN', 'ann'])
    """
    if isinstance(value, float):
        return [value, value - 0.5, value + 0.5, int(value)]
    if isinstance(value, int):
        return [value, value - 1, value + 1]
    number = number_in(value)
    if isinstance(number, int) and str(number) == value:
        return [value, str(number - 1), str(number + 1)]
    if "%" in value or "_" in value:
        core = value.replace("%", "")
        return list(dict.fromkeys([core, f"a{core}", f"{core}a", f"x{core}x", core.upper(), core.lower()]))
    beside = []
    if match := _DATE.match(value):  # a date, a code: the last number one lower and one higher
        head, digits, tail = match.groups()
        beside = [f"{head}{max(0, int(digits) + step):0{len(digits)}d}{tail}" for step in (-1, 1)]
    return list(dict.fromkeys([value, *beside, value.lower(), value.upper(), value.title(), f"{value} II", f"New {value}"]))
