"""Meaning-preserving rewrites that need the schema's keys or SQLite's own rules to be sound.

Same form as in ``rewrites``: each yields changed queries and leaves the given tree as it is.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from sqlglot import exp

from finer.probe.example import shown  # noqa: F401 -- the examples below use it
from finer.probe.restructure import (
    common_as_derived,
    derived_as_common,
    exists_as_in,
    in_as_exists,
    in_as_join,
    join_as_in,
    never_null,
    plain_in,
    qualify_all,
)
from finer.probe.rewrites import between_as_bounds, bounds_as_between, in_as_or, or_as_in
from finer.probe.trees import (
    Tree,
    conjuncts,
    declared,
    has_star,
    is_plain,
    joins,
    places,
    source_of,
    sources,
    table_of,
    together,
    write,
)
from finer.schema import Schema

_NUMERIC = re.compile("INT|REAL|FLOA|DOUB|NUM|DEC")


def between_and_bounds(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """BETWEEN as two bounds, and two bounds as BETWEEN.

    >>> shown(between_and_bounds, "SELECT name FROM book WHERE price BETWEEN 1 AND 2")
    'SELECT name FROM book WHERE (price >= 1 AND price <= 2)'
    """
    yield from between_as_bounds(tree, schema, rng)
    yield from bounds_as_between(tree, schema, rng)


def in_and_or(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """IN of constants as OR, and OR as IN.

    >>> shown(in_and_or, "SELECT name FROM book WHERE price = 1 OR price = 2")
    'SELECT name FROM book WHERE price IN (1, 2)'
    """
    yield from in_as_or(tree, schema, rng)
    yield from or_as_in(tree, schema, rng)


def in_and_exists(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """IN over a query as EXISTS, and EXISTS as IN.

    >>> shown(in_and_exists, "SELECT name FROM book WHERE book_id IN (SELECT book_id FROM sale)")
    'SELECT name FROM book WHERE EXISTS(SELECT 1 FROM sale WHERE sale.book_id = book.book_id)'
    """
    yield from in_as_exists(tree, schema, rng)
    yield from exists_as_in(tree, schema, rng)


def in_and_join(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """IN over a key as a join, and such a join as IN.

    >>> shown(in_and_join, "SELECT year FROM sale WHERE book_id IN (SELECT book_id FROM book WHERE price > 1)")
    'SELECT sale.year FROM sale JOIN book ON sale.book_id = book.book_id WHERE book.price > 1'
    """
    yield from in_as_join(tree, schema, rng)
    yield from join_as_in(tree, schema, rng)


def derived_and_common(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A derived table as a common table, and a common table as derived tables.

    >>> shown(derived_and_common, "WITH some AS (SELECT name FROM book) SELECT name FROM some")
    'SELECT name FROM (SELECT name FROM book) AS some'
    """
    yield from derived_as_common(tree, schema, rng)
    yield from common_as_derived(tree, schema, rng)


def not_in_as_left_join(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """NOT IN or NOT EXISTS over one table as a LEFT JOIN of which no partner is found, where neither side can be NULL.

    >>> shown(not_in_as_left_join, "SELECT name FROM book WHERE NOT book_id IN (SELECT book_id FROM sale)")
    'SELECT book.name FROM book LEFT JOIN sale ON sale.book_id = book.book_id WHERE sale.book_id IS NULL'
    """
    for copy, node in [*places(tree, exp.Not), *(pair for other in exists_as_in(tree, schema, rng) for pair in places(other, exp.Not))]:
        select, outer = plain_in(node.this, schema) if isinstance(node.this, exp.In) else None, node.parent_select
        if not select or not isinstance(outer, exp.Select) or not is_plain(select) or has_star(outer) or select.find(exp.Subquery):
            continue
        where, (table, *others) = outer.args.get("where"), sources(select)
        inner, given = select.expressions[0], node.this.this
        if others or not where or not any(part is node for part in conjuncts(where.this)) or table.alias_or_name in {each.alias_or_name for each in sources(outer)}:
            continue
        if never_null(inner, schema) and never_null(given, schema) and qualify_all(outer, schema):
            kept = [part for part in conjuncts(where.this) if part is not node]
            on = [exp.EQ(this=inner.copy(), expression=given.copy()), *(conjuncts(select.args["where"].this) if select.args.get("where") else [])]
            outer.append("joins", exp.Join(this=table.copy(), side="LEFT", on=together(on)))
            outer.set("where", exp.Where(this=together([*kept, exp.Is(this=inner.copy(), expression=exp.Null())])))
            yield copy


def distinct_that_changes_nothing(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """DISTINCT where no row comes twice (an output is the key, or all grouped columns are shown), or repeats do not count (IN).

    >>> shown(distinct_that_changes_nothing, "SELECT author, COUNT(*) FROM book GROUP BY author")
    'SELECT DISTINCT author, COUNT(*) FROM book GROUP BY author'
    """
    for copy, select in places(tree, exp.Select):
        group, outputs = select.args.get("group"), [output.unalias() for output in select.expressions]
        keyed = is_plain(select) and any((column := declared(output, schema)) and column.unique and column.primary_key for output in outputs)
        grouped = group is not None and all(column in outputs for column in group.expressions)
        listed = isinstance(select.parent, exp.Subquery) and isinstance(select.parent.parent, exp.In) and not select.args.get("limit")
        if not select.args.get("distinct") and (keyed or grouped or listed):
            select.set("distinct", exp.Distinct())
            yield copy


def group_by_more(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A column grouped by beside the key of its table, which determines it; not under LIMIT, where it would part ties otherwise.

    >>> shown(group_by_more, "SELECT COUNT(*) FROM book GROUP BY book_id")
    'SELECT COUNT(*) FROM book GROUP BY book_id, book.author'
    """
    for copy, group in places(tree, exp.Group):
        for key in [] if group.parent.args.get("limit") else group.expressions:
            known, source = declared(key, schema), source_of(key, schema) if isinstance(key, exp.Column) else None
            if known and known.unique and known.primary_key:
                others = [column.name for column in table_of(source, schema).columns if column is not known]
                if others:
                    group.append("expressions", exp.column(exp.to_identifier(rng.choice(others)), table=source.alias_or_name))
                    yield copy
                    break


def parent_joined(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """The parent of a foreign key that cannot be NULL joined and not used.

    >>> shown(parent_joined, "SELECT year FROM sale")
    'SELECT sale.year FROM sale JOIN book AS parent ON sale.book_id = parent.book_id'
    """
    for copy, select in places(tree, exp.Select):
        table = table_of(sources(select)[0], schema) if sources(select) else None
        links = [column for column in table.columns if column.references and column.not_null] if table else []
        if not links or has_star(select) or joins(select) or not qualify_all(select, schema):
            continue
        link = rng.choice(links)
        one = exp.column(exp.to_identifier(link.name), table=sources(select)[0].alias_or_name)
        parent = exp.Table(this=exp.to_identifier(link.references[0]), alias=exp.TableAlias(this=exp.to_identifier("parent")))
        select.append("joins", exp.Join(this=parent, on=exp.EQ(this=one, expression=exp.column(exp.to_identifier(link.references[1]), table="parent"))))
        yield copy


def case_as_iif(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(case_as_iif, "SELECT CASE WHEN price > 1 THEN 'dear' ELSE 'cheap' END FROM book")
    "SELECT IIF(price > 1, 'dear', 'cheap') FROM book"
    """
    for copy, node in places(tree, exp.Case):
        if len(node.args["ifs"]) == 1 and node.args.get("default") and not node.this:
            first = node.args["ifs"][0]
            node.replace(exp.If(this=first.this.copy(), true=first.args["true"].copy(), false=node.args["default"].copy()))
            yield copy


def text_in_double_quotes(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[str]:
    """A text constant in double quotes, which SQLite reads as text where no column has that name.

    >>> shown(text_in_double_quotes, "SELECT name FROM book WHERE author = 'Ada'")
    'SELECT name FROM book WHERE author = "Ada"'
    """
    names = {column.name.lower() for table in schema.tables for column in table.columns} | {name.this.lower() for name in tree.find_all(exp.Identifier)}
    texts = [node.this for node in tree.find_all(exp.Literal) if node.is_string and isinstance(node.parent, (exp.EQ, exp.NEQ, exp.In, exp.Like))]
    for text in texts:
        if text and not set(text) & set("'\"") and text.lower() not in names:
            yield write(tree).replace(f"'{text}'", f'"{text}"')


def number_as_text(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A number compared with a numeric column, in quotes: the column's affinity makes it a number again.

    >>> shown(number_as_text, "SELECT name FROM book WHERE price = 1")
    "SELECT name FROM book WHERE price = '1'"
    """
    for copy, node in places(tree, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE):
        known, value = declared(node.this, schema), node.expression
        if known and _NUMERIC.search(known.type) and isinstance(value, exp.Literal) and not value.is_string:
            node.set("expression", exp.Literal.string(value.this))
            yield copy


def letter_case_of_like(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """The pattern of a LIKE in capitals or in small letters: SQLite's LIKE takes ASCII letters of either case as the same.

    >>> shown(letter_case_of_like, "SELECT name FROM book WHERE author LIKE 'A%a'")
    "SELECT name FROM book WHERE author LIKE 'A%A'"
    """
    for copy, node in places(tree, exp.Like):
        if isinstance(node.expression, exp.Literal) and node.expression.this.isascii():
            pattern = node.expression.this
            capitals = pattern.upper()
            node.set("expression", exp.Literal.string(capitals if capitals != pattern else pattern.lower()))
            yield copy


def left_as_right_join(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """a LEFT JOIN b as b RIGHT JOIN a; a JOIN b as the same where a row of b was found.

    >>> shown(left_as_right_join, "SELECT name, year FROM book LEFT JOIN sale ON sale.book_id = book.book_id")
    'SELECT name, year FROM sale RIGHT JOIN book ON sale.book_id = book.book_id'
    >>> shown(left_as_right_join, "SELECT name, year FROM sale JOIN book ON sale.book_id = book.book_id")
    'SELECT name, year FROM book RIGHT JOIN sale ON sale.book_id = book.book_id WHERE NOT book.book_id IS NULL'
    """
    for copy, select in places(tree, exp.Select):
        found = joins(select)
        if len(found) != 1 or found[0].side not in ("LEFT", "") or found[0].kind == "CROSS" or not found[0].args.get("on") or has_star(select):
            continue
        first, second = sources(select)
        if not found[0].side:
            key = _key_of(second, schema)
            if key is None:
                continue
            kept = conjuncts(select.args["where"].this) if select.args.get("where") else []
            select.set("where", exp.Where(this=together([*kept, exp.Not(this=exp.Is(this=key, expression=exp.Null()))])))
        select.set("joins", [exp.Join(this=first.copy(), side="RIGHT", on=found[0].args["on"].copy())])
        select.set("from_", exp.From(this=second.copy()))
        yield copy


def _key_of(source: Tree, schema: Schema) -> exp.Column | None:
    """The first column of the primary key of a table; None for a source that is no table, or has no key."""
    table = table_of(source, schema)
    return exp.column(exp.to_identifier(table.primary_key[0]), table=source.alias_or_name) if table and table.primary_key else None


EQUIVALENTS = (
    between_and_bounds,
    in_and_or,
    in_and_exists,
    in_and_join,
    derived_and_common,
    not_in_as_left_join,
    distinct_that_changes_nothing,
    group_by_more,
    parent_joined,
    case_as_iif,
    text_in_double_quotes,
    number_as_text,
    letter_case_of_like,
    left_as_right_join,
)
"""Rewrites of this module."""
