"""Meaning-breaking edits of names, values and conditions: the mistakes that people and models make, one at a time.

Same form as the rewrites: ``(tree, schema, rng) -> changed trees``, one for each place that an edit fits; the given tree stays as
it is. An edit need not change the result on the rows there are; whether it does is found by executing. Edits of whole clauses are in ``clause_edits``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from sqlglot import exp

from finer.probe.example import shown  # noqa: F401 -- the examples below use it
from finer.probe.trees import (
    Tree,
    columns_of,
    conjuncts,
    declared,
    joins,
    number_like,
    places,
    source_of,
    sources,
    table_of,
    table_of_column,
    together,
)
from finer.schema import Column, Schema

_LOOSER = {exp.GT: exp.GTE, exp.GTE: exp.GT, exp.LT: exp.LTE, exp.LTE: exp.LT, exp.EQ: exp.NEQ, exp.NEQ: exp.EQ}
_TURNED = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE}
_AGGREGATES = (exp.Max, exp.Min, exp.Sum, exp.Avg)


def other_table(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(other_table, "SELECT COUNT(*) FROM book")
    'SELECT COUNT(*) FROM sale'
    """
    for copy, node in places(tree, exp.Table):
        table = table_of(node, schema)
        others = [other.name for other in schema.tables if other is not table]
        if table and others:
            alias = node.alias_or_name
            node.set("this", exp.to_identifier(rng.choice(others)))
            if any(column.table.lower() == alias.lower() for column in copy.find_all(exp.Column)):
                node.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
            yield copy


def other_column(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(other_column, "SELECT name FROM book")
    'SELECT author FROM book'
    """
    for copy, node in places(tree, exp.Column):
        table, known = table_of_column(node, schema), declared(node, schema)
        others = [column.name for column in table.columns if column is not known] if table and known else []
        if others and not isinstance(node.parent, exp.Count):
            node.set("this", exp.to_identifier(rng.choice(others)))
            yield copy


def other_number(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(other_number, "SELECT name FROM book WHERE price > 10")
    'SELECT name FROM book WHERE price > 5'
    """
    for copy, node in places(tree, exp.Literal):
        if number_like(node) and isinstance(node.parent, (exp.Binary, exp.Between, exp.In)):
            value = float(node.this)
            value = rng.choice([value + 1, value - 1, value * 2 + 1, value / 2 if value % 2 == 0 else value + 10])
            node.replace(exp.Literal.number(int(value) if value.is_integer() else value))
            yield copy


def other_text(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """Another value of the column, or one that it does not have.

    >>> shown(other_text, "SELECT name FROM book WHERE author = 'Ada'")
    "SELECT name FROM book WHERE author = 'Bo'"
    """
    for copy, node in places(tree, exp.Literal):
        if node.is_string and isinstance(node.parent, (exp.EQ, exp.NEQ, exp.Like, exp.In)):
            known = declared(node.parent.this, schema)
            samples = [value for value in known.samples if isinstance(value, str) and value != node.this] if known else []
            if isinstance(node.parent, exp.Like):
                value = f"{node.this}z" if node.this.endswith("%") else f"{node.this}%z"
            else:
                value = rng.choice(samples) if samples else f"{node.this}x"
            node.replace(exp.Literal.string(value))
            yield copy


def letter_case_of_text(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(letter_case_of_text, "SELECT name FROM book WHERE author = 'Ada'")
    "SELECT name FROM book WHERE author = 'ada'"
    """
    for copy, node in places(tree, exp.Literal):
        if node.is_string and isinstance(node.parent, (exp.EQ, exp.NEQ, exp.In)) and node.this.lower() != node.this.upper():
            node.replace(exp.Literal.string(node.this.lower() if node.this.lower() != node.this else node.this.upper()))
            yield copy


def bound_moved(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """> for >=, = for <> and the like.

    >>> shown(bound_moved, "SELECT name FROM book WHERE price > 10")
    'SELECT name FROM book WHERE price >= 10'
    """
    for copy, node in places(tree, *_LOOSER):
        if not isinstance(node.parent, exp.Join):
            node.replace(_LOOSER[type(node)](this=node.this, expression=node.expression))
            yield copy


def comparison_turned(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(comparison_turned, "SELECT name FROM book WHERE price > 10")
    'SELECT name FROM book WHERE price < 10'
    """
    for copy, node in places(tree, *_TURNED):
        node.replace(_TURNED[type(node)](this=node.this, expression=node.expression))
        yield copy


def other_aggregate(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(other_aggregate, "SELECT MAX(price) FROM book")
    'SELECT SUM(price) FROM book'
    """
    for copy, node in places(tree, *_AGGREGATES):
        node.replace(rng.choice([kind for kind in _AGGREGATES if not isinstance(node, kind)])(this=node.this))
        yield copy


def count_for_sum(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """SUM, AVG, MAX or MIN of a column as its COUNT.

    >>> shown(count_for_sum, "SELECT SUM(price) FROM book")
    'SELECT COUNT(price) FROM book'
    """
    for copy, node in places(tree, *_AGGREGATES):
        node.replace(exp.Count(this=node.this))
        yield copy


def condition_dropped(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(condition_dropped, "SELECT name FROM book WHERE price > 10 AND author = 'Ada'")
    "SELECT name FROM book WHERE author = 'Ada'"
    """
    for copy, node in places(tree, exp.Where):
        parts = conjuncts(node.this)
        parts.pop(rng.randrange(len(parts)) if len(parts) > 2 else 0)
        if parts:
            node.set("this", together(parts))
        else:
            node.parent.set("where", None)
        yield copy


def condition_added(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A column of one of the tables held to one of its values.

    >>> shown(condition_added, "SELECT name FROM book")
    'SELECT name FROM book WHERE price = 2.0'
    """
    for copy, select in places(tree, exp.Select):
        found = [(source, column) for source in sources(select) for column in _sampled(source, schema)]
        if found:
            source, column = rng.choice(found)
            value = rng.choice(column.samples)
            literal = exp.Literal.string(value) if isinstance(value, str) else exp.Literal.number(value)
            name = exp.column(column.name, table=source.alias_or_name if joins(select) else None, quoted=not column.name.isidentifier())
            where = conjuncts(select.args["where"].this) if select.args.get("where") else []
            select.set("where", exp.Where(this=together([*where, exp.EQ(this=name, expression=literal)])))
            yield copy


def _sampled(source: Tree, schema: Schema) -> list[Column]:
    table = table_of(source, schema)
    return [column for column in table.columns if column.samples and not any(isinstance(value, bytes) for value in column.samples)] if table else []


def and_for_or(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """AND as OR, and OR as AND.

    >>> shown(and_for_or, "SELECT name FROM book WHERE price > 10 AND author = 'Ada'")
    "SELECT name FROM book WHERE (price > 10 OR author = 'Ada')"
    """
    for copy, node in places(tree, exp.And, exp.Or):
        other = exp.Or if isinstance(node, exp.And) else exp.And
        node.replace(exp.paren(other(this=node.this, expression=node.expression)))
        yield copy


def negation_lost(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """NOT dropped (of LIKE, IS NULL, IN, EXISTS …).

    >>> shown(negation_lost, "SELECT name FROM book WHERE NOT author IS NULL")
    'SELECT name FROM book WHERE author IS NULL'
    """
    for copy, node in places(tree, exp.Not):
        node.replace(node.this)
        yield copy


def subquery_negated(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """IN and EXISTS with a NOT, or without theirs.

    >>> shown(subquery_negated, "SELECT name FROM book WHERE book_id IN (SELECT book_id FROM sale)")
    'SELECT name FROM book WHERE NOT book_id IN (SELECT book_id FROM sale)'
    """
    for copy, node in places(tree, exp.In, exp.Exists):
        if isinstance(node, exp.In) and not node.args.get("query"):
            continue
        if isinstance(node.parent, exp.Not):
            node.parent.replace(node)
        else:
            node.replace(exp.Not(this=node.copy()))
        yield copy


def having_bound(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """The comparison of a HAVING with another bound.

    >>> shown(having_bound, "SELECT author FROM book GROUP BY author HAVING COUNT(*) > 1")
    'SELECT author FROM book GROUP BY author HAVING COUNT(*) >= 1'
    """
    for copy, node in places(tree, *_LOOSER):
        if node.find_ancestor(exp.Having, exp.Select) and isinstance(node.find_ancestor(exp.Having, exp.Select), exp.Having):
            node.replace(_LOOSER[type(node)](this=node.this, expression=node.expression))
            yield copy


def other_mention(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A column taken from another source of the same SELECT that has one of that name.

    >>> shown(other_mention, "SELECT a.name FROM book AS a JOIN book AS b ON a.author = b.name")
    'SELECT b.name FROM book AS a JOIN book AS b ON a.author = b.name'
    """
    for copy, node in places(tree, exp.Column):
        owner, select = source_of(node, schema), node.parent_select
        others = [source for source in sources(select) if source is not owner and node.name.lower() in columns_of(source, schema)] if owner and select else []
        if others and node.table:
            node.set("table", exp.to_identifier(rng.choice(others).alias_or_name))
            yield copy


def arithmetic(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """The operands of a difference or a quotient exchanged, a sum as a difference.

    >>> shown(arithmetic, "SELECT price - book_id FROM book")
    'SELECT book_id - price FROM book'
    """
    for copy, node in places(tree, exp.Sub, exp.Div, exp.Add):
        if isinstance(node, exp.Add):
            node.replace(exp.Sub(this=node.this.copy(), expression=node.expression.copy()))
        else:
            one, two = node.this.copy(), node.expression.copy()
            node.set("this", two)
            node.set("expression", one)
        yield copy


def pattern_anchored(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A wildcard of a LIKE forgotten.

    >>> shown(pattern_anchored, "SELECT name FROM book WHERE author LIKE '%da%'")
    "SELECT name FROM book WHERE author LIKE 'da%'"
    """
    for copy, node in places(tree, exp.Like):
        if isinstance(node.expression, exp.Literal) and "%" in node.expression.this:
            node.set("expression", exp.Literal.string(node.expression.this.replace("%", "", 1)))
            yield copy


def null_test_negated(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(null_test_negated, "SELECT name FROM book WHERE author IS NULL")
    'SELECT name FROM book WHERE NOT author IS NULL'
    """
    for copy, node in places(tree, exp.Is):
        if isinstance(node.parent, exp.Not):
            node.parent.replace(node)
        else:
            node.replace(exp.Not(this=node.copy()))
        yield copy


def ends_left_out(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """BETWEEN, or two bounds on one expression, without the two ends.

    >>> shown(ends_left_out, "SELECT name FROM book WHERE price BETWEEN 1 AND 2")
    'SELECT name FROM book WHERE (price > 1 AND price < 2)'
    >>> shown(ends_left_out, "SELECT name FROM book WHERE price >= 1 AND price <= 2")
    'SELECT name FROM book WHERE price > 1 AND price < 2'
    """
    for copy, node in places(tree, exp.Between):
        low = exp.GT(this=node.this.copy(), expression=node.args["low"].copy())
        node.replace(exp.paren(exp.And(this=low, expression=exp.LT(this=node.this.copy(), expression=node.args["high"].copy()))))
        yield copy
    for copy, node in places(tree, exp.And):
        bounds = {type(side): side for side in (node.this, node.expression) if isinstance(side, (exp.GTE, exp.LTE))}
        if len(bounds) == 2 and node.this.this == node.expression.this:
            bounds[exp.GTE].replace(exp.GT(**bounds[exp.GTE].args))
            bounds[exp.LTE].replace(exp.LT(**bounds[exp.LTE].args))
            yield copy


def column_counted(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """COUNT(*) as the count of a column that may be NULL, and COUNT of a column as COUNT(*).

    >>> shown(column_counted, "SELECT COUNT(author) FROM book")
    'SELECT COUNT(*) FROM book'
    """
    for copy, node in places(tree, exp.Count):
        if isinstance(node.this, exp.Star):
            found = sources(node.parent_select) if node.parent_select else []
            names = [(source, column.name) for source in found if (table := table_of(source, schema)) for column in table.columns if not column.not_null and not column.primary_key]
            if not names:
                continue
            source, name = rng.choice(names)
            node.set("this", exp.column(exp.to_identifier(name), table=source.alias_or_name))
        else:
            node.set("this", exp.Star())
        yield copy


CONDITION_EDITS = (
    other_table,
    other_column,
    other_number,
    other_text,
    letter_case_of_text,
    bound_moved,
    comparison_turned,
    other_aggregate,
    count_for_sum,
    condition_dropped,
    condition_added,
    and_for_or,
    negation_lost,
    subquery_negated,
    having_bound,
    other_mention,
    arithmetic,
    pattern_anchored,
    null_test_negated,
    ends_left_out,
    column_counted,
)
"""Edits of this module."""
