"""Meaning-breaking edits of whole clauses: joins, grouping, order, limits, set operations, outputs.

Same form as in ``edits``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from sqlglot import exp

from finer.probe.example import shown  # noqa: F401 -- the examples below use it
from finer.probe.trees import Tree, declared, joins, places, source_of, sources, table_of, table_of_column
from finer.schema import Schema

_SETS = (exp.Union, exp.Intersect, exp.Except)


def join_side(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """LEFT JOIN as JOIN, and JOIN as LEFT JOIN.

    >>> shown(join_side, "SELECT name, year FROM book JOIN sale ON sale.book_id = book.book_id")
    'SELECT name, year FROM book LEFT JOIN sale ON sale.book_id = book.book_id'
    """
    for copy, join in places(tree, exp.Join):
        if join.side == "LEFT" or (not join.side and (join.args.get("on") or join.args.get("using"))):
            join.set("side", None if join.side else "LEFT")
            join.set("kind", None)
            yield copy


def join_condition_dropped(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(join_condition_dropped, "SELECT name, year FROM book JOIN sale ON sale.book_id = book.book_id")
    'SELECT name, year FROM book CROSS JOIN sale'
    """
    for copy, join in places(tree, exp.Join):
        if join.args.get("on") and not join.side:
            join.replace(exp.Join(this=join.this.copy(), kind="CROSS"))
            yield copy


def join_column(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A join along another column of one side.

    >>> shown(join_column, "SELECT name, year FROM book JOIN sale ON sale.book_id = book.book_id")
    'SELECT name, year FROM book JOIN sale ON sale.year = book.book_id'
    """
    for copy, join in places(tree, exp.Join):
        condition = join.args.get("on")
        if isinstance(condition, exp.EQ) and declared(condition.this, schema):
            table, known = table_of_column(condition.this, schema), declared(condition.this, schema)
            alike = [column.name for column in table.columns if column is not known and column.type == known.type]
            others = alike or [column.name for column in table.columns if column is not known]
            if others:
                condition.this.set("this", exp.to_identifier(rng.choice(others)))
                yield copy


def join_dropped(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """The last inner join of whose table no output or condition speaks.

    >>> shown(join_dropped, "SELECT name FROM book JOIN sale ON sale.book_id = book.book_id")
    'SELECT name FROM book'
    """
    for copy, select in places(tree, exp.Select):
        found = joins(select)
        if found and found[-1].args.get("on"):
            name, inside = found[-1].this, {id(column) for column in found[-1].find_all(exp.Column)}
            spoken = [column for column in select.find_all(exp.Column) if id(column) not in inside]
            if all(source_of(column, schema) not in (name, None) for column in spoken if not isinstance(column.this, exp.Star)):
                select.set("joins", found[:-1])
                yield copy


def distinct_lost(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(distinct_lost, "SELECT DISTINCT author FROM book")
    'SELECT author FROM book'
    """
    for copy, select in places(tree, exp.Select):
        if select.args.get("distinct"):
            select.set("distinct", None)
            yield copy
    for copy, count in places(tree, exp.AggFunc):
        if isinstance(count.this, exp.Distinct):
            count.set("this", count.this.expressions[0])
            yield copy


def distinct_added(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """DISTINCT for a SELECT, or inside a COUNT.

    >>> shown(distinct_added, "SELECT author FROM book")
    'SELECT DISTINCT author FROM book'
    """
    for copy, node in places(tree, exp.Select, exp.Count):
        if isinstance(node, exp.Select) and not node.args.get("distinct"):
            node.set("distinct", exp.Distinct())
            yield copy
        elif isinstance(node, exp.Count) and isinstance(node.this, exp.Column):
            node.set("this", exp.Distinct(expressions=[node.this.copy()]))
            yield copy


def group_column(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """Another column to group by.

    >>> shown(group_column, "SELECT COUNT(*) FROM book GROUP BY author")
    'SELECT COUNT(*) FROM book GROUP BY name'
    """
    for copy, group in places(tree, exp.Group):
        for node in group.expressions:
            table, known = (table_of_column(node, schema), declared(node, schema)) if isinstance(node, exp.Column) else (None, None)
            others = [column.name for column in table.columns if column is not known] if known else []
            if others:
                node.set("this", exp.to_identifier(rng.choice(others)))
                yield copy
                break


def group_dropped(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """GROUP BY, with its HAVING, forgotten; of several columns the last.

    >>> shown(group_dropped, "SELECT author, COUNT(*) FROM book GROUP BY author")
    'SELECT author, COUNT(*) FROM book'
    """
    for copy, group in places(tree, exp.Group):
        if len(group.expressions) > 1:
            group.set("expressions", group.expressions[:-1])
        else:
            select = group.parent
            select.set("group", None)
            select.set("having", None)
        yield copy


def having_dropped(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(having_dropped, "SELECT author FROM book GROUP BY author HAVING COUNT(*) > 1")
    'SELECT author FROM book GROUP BY author'
    """
    for copy, having in places(tree, exp.Having):
        having.parent.set("having", None)
        yield copy


def order_direction(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(order_direction, "SELECT name FROM book ORDER BY price")
    'SELECT name FROM book ORDER BY price DESC'
    """
    for copy, node in places(tree, exp.Ordered):
        down = not node.args.get("desc")
        node.set("desc", down)
        node.set("nulls_first", not down)  # SQLite's default, so that none is written
        yield copy


def order_dropped(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(order_dropped, "SELECT name FROM book ORDER BY price LIMIT 1")
    'SELECT name FROM book LIMIT 1'
    """
    for copy, order in places(tree, exp.Order):
        if isinstance(order.parent, exp.Query):
            order.parent.set("order", None)
            yield copy


def other_limit(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(other_limit, "SELECT name FROM book ORDER BY price LIMIT 1")
    'SELECT name FROM book ORDER BY price LIMIT 3'
    """
    for copy, limit in places(tree, exp.Limit):
        if isinstance(limit.expression, exp.Literal):
            limit.set("expression", exp.Literal.number(int(limit.expression.this) + rng.choice([1, 2])))
            yield copy


def limit_dropped(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(limit_dropped, "SELECT name FROM book ORDER BY price LIMIT 1")
    'SELECT name FROM book ORDER BY price'
    """
    for copy, limit in places(tree, exp.Limit):
        limit.parent.set("limit", None)
        yield copy


def set_operation(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """UNION, INTERSECT and EXCEPT exchanged.

    >>> shown(set_operation, "SELECT name FROM book UNION SELECT author FROM book")
    'SELECT name FROM book INTERSECT SELECT author FROM book'
    """
    for kind in rng.sample(_SETS, 3):
        for copy, node in places(tree, *_SETS):
            if type(node) is not kind:
                other = kind(**{**node.args, "distinct": True})
                if node is copy:
                    yield other
                else:
                    node.replace(other)
                    yield copy


def set_arms_swapped(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """The two sides of an EXCEPT, or a UNION ALL for a UNION.

    >>> shown(set_arms_swapped, "SELECT name FROM book EXCEPT SELECT author FROM book")
    'SELECT author FROM book EXCEPT SELECT name FROM book'
    """
    for copy, node in places(tree, exp.Except, exp.Union):
        if isinstance(node, exp.Union):
            node.set("distinct", not node.args.get("distinct"))
        else:
            one, two = node.this.copy(), node.expression.copy()
            node.set("this", two)
            node.set("expression", one)
        yield copy


def column_order(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(column_order, "SELECT name, price FROM book")
    'SELECT price, name FROM book'
    """
    for copy, select in places(tree, exp.Select):
        if len(select.expressions) > 1:
            outputs = [output.copy() for output in select.expressions]
            select.set("expressions", [*outputs[1:], outputs[0]])
            yield copy


def column_added(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """The first table's first column shown as well.

    >>> shown(column_added, "SELECT name FROM book")
    'SELECT book.book_id, name FROM book'
    """
    if isinstance(tree, exp.Select) and sources(tree) and (table := table_of(sources(tree)[0], schema)):
        copy = tree.copy()
        name = exp.column(exp.to_identifier(table.columns[0].name), table=sources(copy)[0].alias_or_name)
        copy.set("expressions", [name, *copy.expressions])
        yield copy


def column_missing(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(column_missing, "SELECT name, price FROM book")
    'SELECT name FROM book'
    """
    for copy, select in places(tree, exp.Select):
        if len(select.expressions) > 1:
            select.set("expressions", select.expressions[:-1])
            yield copy


def window_changed(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A window's PARTITION BY or ORDER BY forgotten, its order turned, or ROW_NUMBER for RANK.

    >>> shown(window_changed, "SELECT RANK() OVER (PARTITION BY author ORDER BY price) FROM book")
    'SELECT RANK() OVER (ORDER BY price) FROM book'
    """
    for clause in ("partition_by", "order"):
        for copy, window in places(tree, exp.Window):
            if window.args.get(clause):
                window.set(clause, None)
                yield copy
    for copy, window in places(tree, exp.Window):
        for key in window.args["order"].expressions[:1] if window.args.get("order") else ():
            down = not key.args.get("desc")
            key.set("desc", down)
            key.set("nulls_first", not down)
            yield copy
    for copy, window in places(tree, exp.Window):
        if isinstance(window.this, (exp.Rank, exp.DenseRank)):
            window.set("this", exp.RowNumber())
            yield copy


def branches_swapped(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """THEN and ELSE of a CASE exchanged.

    >>> shown(branches_swapped, "SELECT CASE WHEN price > 1 THEN 'dear' ELSE 'cheap' END FROM book")
    "SELECT CASE WHEN price > 1 THEN 'cheap' ELSE 'dear' END FROM book"
    """
    for copy, node in places(tree, exp.Case):
        if node.args.get("default"):
            then, other = node.args["ifs"][0].args["true"].copy(), node.args["default"].copy()
            node.args["ifs"][0].set("true", other)
            node.set("default", then)
            yield copy


def order_key_dropped(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """The last of several keys to order by.

    >>> shown(order_key_dropped, "SELECT name FROM book ORDER BY price, name")
    'SELECT name FROM book ORDER BY price'
    """
    for copy, order in places(tree, exp.Order):
        if len(order.expressions) > 1:
            order.set("expressions", order.expressions[:-1])
            yield copy


def all_columns(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(all_columns, "SELECT name FROM book")
    'SELECT * FROM book'
    """
    if isinstance(tree, exp.Select) and not tree.args.get("group") and not tree.find(exp.AggFunc):
        copy = tree.copy()
        copy.set("expressions", [exp.Star()])
        yield copy


CLAUSE_EDITS = (
    join_side,
    join_condition_dropped,
    join_column,
    join_dropped,
    distinct_lost,
    distinct_added,
    group_column,
    group_dropped,
    having_dropped,
    order_direction,
    order_dropped,
    other_limit,
    limit_dropped,
    set_operation,
    set_arms_swapped,
    column_order,
    column_added,
    column_missing,
    window_changed,
    branches_swapped,
    order_key_dropped,
    all_columns,
)
"""Edits of this module."""
