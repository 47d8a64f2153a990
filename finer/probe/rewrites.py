"""Meaning-preserving rewrites within a clause: names, comparisons, parentheses, and the look of the text.

Each takes a tree, its schema and a random generator, and yields changed queries (trees, or text where the change is one of letters), one for each
place that it fits. The given tree stays as it is. Sound under the declared keys; whether the data keep them is found by
executing. Rewrites of joins and subqueries are in ``restructure``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from sqlglot import exp

from finer.probe.example import shown  # noqa: F401 -- the examples below use it
from finer.probe.trees import (
    Tree,
    conjuncts,
    declared,
    has_star,
    number_like,
    places,
    source_of,
    sources,
    table_of,
    together,
    write,
)
from finer.schema import RESERVED, Schema

_TURNED = {exp.GT: exp.LT, exp.LT: exp.GT, exp.GTE: exp.LTE, exp.LTE: exp.GTE}
_NEGATED = {exp.GT: exp.LTE, exp.LT: exp.GTE, exp.GTE: exp.LT, exp.LTE: exp.GT, exp.EQ: exp.NEQ, exp.NEQ: exp.EQ}


def _renamed(select: Tree, schema: Schema, names: list[str]) -> bool:
    """Give the sources of one SELECT these aliases and change every mention; False where a mention is not plain."""
    found = sources(select)
    columns = [(column, source_of(column, schema)) for column in select.find_all(exp.Column) if not isinstance(column.this, exp.Star)]
    if any(source is None for _, source in columns) or any(join.args.get("using") or join.method for join in select.find_all(exp.Join)):
        return False
    for source, name in zip(found, names, strict=True):
        for column, owner in columns:
            if owner is source:
                column.set("table", exp.to_identifier(name))
        source.set("alias", None if name == source.name else exp.TableAlias(this=exp.to_identifier(name)))
    return True


def other_aliases(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(other_aliases, "SELECT name FROM book WHERE price > 1")
    'SELECT x50.name FROM book AS x50 WHERE x50.price > 1'
    """
    for copy, select in places(tree, exp.Select):
        first = rng.randrange(1, 90)
        if sources(select) and not has_star(select) and _renamed(select, schema, [f"x{first + n}" for n in range(len(sources(select)))]):
            yield copy


def tables_own_names(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """Aliases dropped.

    >>> shown(tables_own_names, "SELECT b.name FROM book AS b")
    'SELECT book.name FROM book'
    """
    for copy, select in places(tree, exp.Select):
        names = [source.name if table_of(source, schema) else source.alias_or_name for source in sources(select)]
        around = [source.alias_or_name for other in tree.find_all(exp.Select) for source in sources(other)]
        aliased = any(name != source.alias_or_name for name, source in zip(names, sources(select), strict=True))
        if aliased and len(set(names)) == len(names) and not set(names) & set(around) and not has_star(select) and _renamed(select, schema, names):
            yield copy


def output_names(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """Outputs of the outermost SELECT given names that nothing else uses.

    >>> shown(output_names, "SELECT name FROM book")
    'SELECT name AS answer_0 FROM book'
    """
    if isinstance(tree, exp.Select) and not has_star(tree) and not any(isinstance(output, exp.Alias) for output in tree.expressions):
        copy = tree.copy()
        copy.set("expressions", [exp.alias_(output, f"answer_{place}") for place, output in enumerate(copy.expressions)])
        yield copy


def qualified_columns(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(qualified_columns, "SELECT name FROM book WHERE price > 1")
    'SELECT book.name FROM book WHERE book.price > 1'
    """
    copy = tree.copy()
    bare = [(column, source_of(column, schema)) for column in copy.find_all(exp.Column) if not column.table and not isinstance(column.this, exp.Star)]
    for column, source in bare:
        if source is not None:
            column.set("table", exp.to_identifier(source.alias_or_name))
    if any(source is not None for _, source in bare):
        yield copy


def bare_columns(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(bare_columns, "SELECT book.name FROM book WHERE book.price > 1")
    'SELECT name FROM book WHERE price > 1'
    """
    copy = tree.copy()
    changed = False
    for column in [column for column in copy.find_all(exp.Column) if column.table and not isinstance(column.this, exp.Star)]:
        name, owner = column.args["table"], source_of(column, schema)
        column.set("table", None)
        if owner is not None and source_of(column, schema) is owner:
            changed = True
        else:
            column.set("table", name)
    if changed:
        yield copy


def letter_case_of_names(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(letter_case_of_names, "SELECT name FROM book")
    'SELECT NAME FROM BOOK'
    """
    copy = tree.copy()
    change = rng.choice([str.swapcase, str.upper, str.title])
    for name in copy.find_all(exp.Identifier):
        if not name.args.get("quoted"):
            name.set("this", change(name.this))
    yield copy


def letter_case_of_keywords(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[str]:
    """
    >>> shown(letter_case_of_keywords, "SELECT name FROM book WHERE author = 'FROM'")
    "select name from book where author = 'FROM'"
    """
    yield re.sub(r"'[^']*'|\"[^\"]*\"|\w+", lambda word: word[0].lower() if word[0].upper() in RESERVED else word[0], write(tree))


def white_space_and_comments(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[str]:
    """
    >>> shown(white_space_and_comments, "SELECT name FROM book")
    'SELECT /* what is asked for */ name\\nFROM book -- done'
    """
    text = tree.sql("sqlite", pretty=False)
    yield re.sub(r"^SELECT ", "SELECT /* what is asked for */ ", text).replace(" FROM ", "\nFROM ", 1) + " -- done"


def not_equal_sign(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[str]:
    """
    >>> shown(not_equal_sign, "SELECT name FROM book WHERE price <> 1")
    'SELECT name FROM book WHERE price != 1'
    """
    text = write(tree)
    if tree.find(exp.NEQ):
        yield re.sub(r"'[^']*'|<>", lambda found: "!=" if found[0] == "<>" else found[0], text)


def swapped_equality(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(swapped_equality, "SELECT name FROM book WHERE price = 1")
    'SELECT name FROM book WHERE 1 = price'
    """
    for copy, node in places(tree, exp.EQ, exp.NEQ):
        node.replace(type(node)(this=node.expression, expression=node.this))
        yield copy


def turned_comparison(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(turned_comparison, "SELECT name FROM book WHERE price > 1")
    'SELECT name FROM book WHERE 1 < price'
    """
    for copy, node in places(tree, *_TURNED):
        node.replace(_TURNED[type(node)](this=node.expression, expression=node.this))
        yield copy


def condition_order(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(condition_order, "SELECT name FROM book WHERE price > 1 AND author = 'Ada'")
    "SELECT name FROM book WHERE author = 'Ada' AND price > 1"
    """
    for copy, node in places(tree, exp.And, exp.Or):
        one, two = node.this.copy(), node.expression.copy()
        node.set("this", two)
        node.set("expression", one)
        yield copy


def between_as_bounds(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(between_as_bounds, "SELECT name FROM book WHERE price BETWEEN 1 AND 2")
    'SELECT name FROM book WHERE (price >= 1 AND price <= 2)'
    """
    for copy, node in places(tree, exp.Between):
        low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
        node.replace(exp.paren(exp.And(this=low, expression=exp.LTE(this=node.this.copy(), expression=node.args["high"].copy()))))
        yield copy


def bounds_as_between(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(bounds_as_between, "SELECT name FROM book WHERE price >= 1 AND price <= 2")
    'SELECT name FROM book WHERE price BETWEEN 1 AND 2'
    """
    for copy, node in places(tree, exp.And):
        low, high = node.this, node.expression
        if isinstance(low, exp.LTE) and isinstance(high, exp.GTE):
            low, high = high, low
        if isinstance(low, exp.GTE) and isinstance(high, exp.LTE) and low.this == high.this:
            node.replace(exp.Between(this=low.this.copy(), low=low.expression.copy(), high=high.expression.copy()))
            yield copy


def equality_as_in(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(equality_as_in, "SELECT name FROM book WHERE price = 1")
    'SELECT name FROM book WHERE price IN (1)'
    """
    for copy, node in places(tree, exp.EQ):
        if isinstance(node.expression, exp.Literal):
            node.replace(exp.In(this=node.this.copy(), expressions=[node.expression.copy()]))
            yield copy


def in_as_or(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(in_as_or, "SELECT name FROM book WHERE price IN (1, 2)")
    'SELECT name FROM book WHERE (price = 1 OR price = 2)'
    """
    for copy, node in places(tree, exp.In):
        if node.expressions:
            node.replace(exp.paren(exp.or_(*(exp.EQ(this=node.this.copy(), expression=value.copy()) for value in node.expressions))))
            yield copy


def or_as_in(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(or_as_in, "SELECT name FROM book WHERE price = 1 OR price = 2")
    'SELECT name FROM book WHERE price IN (1, 2)'
    """
    for copy, node in places(tree, exp.Or):
        one, two = node.this, node.expression
        if isinstance(one, exp.EQ) and isinstance(two, exp.EQ) and one.this == two.this and isinstance(one.expression, exp.Literal) and isinstance(two.expression, exp.Literal):
            node.replace(exp.In(this=one.this.copy(), expressions=[one.expression.copy(), two.expression.copy()]))
            yield copy


def pushed_not(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A comparison as the negation of its opposite.

    >>> shown(pushed_not, "SELECT name FROM book WHERE price > 1")
    'SELECT name FROM book WHERE NOT (price <= 1)'
    """
    for copy, node in places(tree, *_NEGATED):
        node.replace(exp.Not(this=exp.paren(_NEGATED[type(node)](this=node.this.copy(), expression=node.expression.copy()))))
        yield copy


def de_morgan(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(de_morgan, "SELECT name FROM book WHERE price > 1 AND author = 'Ada'")
    "SELECT name FROM book WHERE NOT (NOT (price > 1) OR NOT (author = 'Ada'))"
    """
    for copy, node in places(tree, exp.And, exp.Or):
        other = exp.Or if isinstance(node, exp.And) else exp.And
        sides = [exp.Not(this=exp.paren(side.copy())) for side in (node.this, node.expression)]
        node.replace(exp.Not(this=exp.paren(other(this=sides[0], expression=sides[1]))))
        yield copy


def parentheses(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(parentheses, "SELECT name FROM book WHERE price > 1")
    'SELECT name FROM book WHERE (price > 1)'
    """
    for copy, node in places(tree, *_NEGATED, exp.Like, exp.Exists, exp.Is):
        node.replace(exp.paren(node.copy()))
        yield copy


def number_spelling(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A whole number beside a comparison, with a fraction of 0: SQLite compares by value.

    >>> shown(number_spelling, "SELECT name FROM book WHERE price > 1")
    'SELECT name FROM book WHERE price > 1.0'
    """
    for copy, node in places(tree, exp.Literal):
        column = declared(node.parent.this, schema) if isinstance(node.parent, tuple(_NEGATED)) else None
        if number_like(node) and node.this.isdecimal() and column and re.search("INT|REAL|FLOA|DOUB|NUM|DEC", column.type):
            node.replace(exp.Literal.number(f"{node.this}.0"))
            yield copy


def count_of_a_key(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """COUNT(*) as the count of the first table's key, where no outer join can pad rows.

    >>> shown(count_of_a_key, "SELECT COUNT(*) FROM book")
    'SELECT COUNT(book.book_id) FROM book'
    """
    for copy, node in places(tree, exp.Count):
        select = node.parent_select
        table = table_of(sources(select)[0], schema) if select and sources(select) else None
        padded = any(join.side for join in select.find_all(exp.Join)) if select else True
        if isinstance(node.this, exp.Star) and table and len(table.primary_key) == 1 and table.column(table.primary_key[0]).not_null and not padded:
            node.set("this", exp.column(table.primary_key[0], table=sources(select)[0].alias_or_name))
            yield copy


def order_by_position(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(order_by_position, "SELECT name FROM book ORDER BY name")
    'SELECT name FROM book ORDER BY 1'
    """
    for copy, node in places(tree, exp.Ordered):
        outputs = node.parent_select.expressions if isinstance(node.parent.parent, exp.Select) else []
        if not isinstance(node.this, exp.Literal) and node.this in outputs:
            node.set("this", exp.Literal.number(outputs.index(node.this) + 1))
            yield copy


def ascending_spelt_out(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """
    >>> shown(ascending_spelt_out, "SELECT name FROM book ORDER BY name")
    'SELECT name FROM book ORDER BY name ASC'
    """
    for copy, node in places(tree, exp.Ordered):
        if node.args.get("desc") is None:
            node.set("desc", False)
            yield copy


def where_as_having(tree: Tree, schema: Schema, rng: random.Random) -> Iterator[Tree]:
    """A condition on what is grouped by, or on the row that a grouped key names, moved from WHERE to HAVING.

    DISTINCT is such a grouping, and so are the single rows of a table with a key.

    >>> shown(where_as_having, "SELECT author, COUNT(*) FROM book WHERE author <> 'Ada' GROUP BY author")
    "SELECT author, COUNT(*) FROM book GROUP BY author HAVING author <> 'Ada'"
    >>> shown(where_as_having, "SELECT DISTINCT author FROM book WHERE author <> 'Ada'")
    "SELECT author FROM book GROUP BY author HAVING author <> 'Ada'"
    >>> shown(where_as_having, "SELECT name FROM book WHERE price > 1")
    'SELECT name FROM book GROUP BY book.book_id HAVING price > 1'
    """
    for copy, select in places(tree, exp.Select):
        grouped, where = _grouped(select, schema), select.args.get("where")
        if not grouped or not where:
            continue
        keyed = _keyed(select, grouped, schema)
        parts = conjuncts(where.this)
        moved = [part for part in parts if not part.find(exp.Query) and all(_told(column, grouped, keyed, schema) for column in part.find_all(exp.Column))]
        if moved:
            kept = [part for part in parts if part not in moved]
            having = conjuncts(select.args["having"].this) if select.args.get("having") else []
            select.set("where", exp.Where(this=together(kept)) if kept else None)
            select.set("having", exp.Having(this=together([*having, *moved])))
            select.set("distinct", None)
            if not select.args.get("group"):
                select.set("group", exp.Group(expressions=[column.copy() for column in grouped]))
            yield copy


def _grouped(select: Tree, schema: Schema) -> list[Tree]:
    """The columns by which the rows are grouped: those of GROUP BY, all outputs of a DISTINCT, or the key of the one table."""
    group, outputs = select.args.get("group"), [output.unalias() for output in select.expressions]
    if group:
        return [] if select.args.get("distinct") else list(group.expressions)
    if has_star(select) or any(node.parent_select is select for node in select.find_all(exp.AggFunc, exp.Window)):
        return []
    if select.args.get("distinct"):
        return outputs if all(isinstance(output, exp.Column) for output in outputs) else []
    table = table_of(sources(select)[0], schema) if len(sources(select)) == 1 and not select.parent else None
    key = table.primary_key if table else ()
    return [exp.column(exp.to_identifier(key[0]), table=sources(select)[0].alias_or_name)] if len(key) == 1 else []


def _keyed(select: Tree, grouped: list[Tree], schema: Schema) -> list[Tree]:
    """The sources of which a grouped key names the row."""
    keys = {(source.alias_or_name, name) for source in sources(select) if (table := table_of(source, schema)) and len(table.primary_key) == 1 for name in table.primary_key}
    owners = [(column.name, next((each for each in sources(select) if each.alias_or_name == column.table), None) or source_of(column, schema)) for column in grouped if isinstance(column, exp.Column)]
    return [owner for name, owner in owners if owner is not None and (owner.alias_or_name, name) in keys]


def _told(column: Tree, grouped: list[Tree], keyed: list[Tree], schema: Schema) -> bool:
    return column in grouped or any(source_of(column, schema) is source for source in keyed)


SPELLING = (
    other_aliases,
    tables_own_names,
    output_names,
    qualified_columns,
    bare_columns,
    letter_case_of_names,
    letter_case_of_keywords,
    white_space_and_comments,
    not_equal_sign,
    swapped_equality,
    turned_comparison,
    condition_order,
    equality_as_in,
    pushed_not,
    de_morgan,
    parentheses,
    number_spelling,
    count_of_a_key,
    order_by_position,
    ascending_spelt_out,
    where_as_having,
)
"""Rewrites of this module; those that have a way back stand in ``equivalents``, beside it."""
