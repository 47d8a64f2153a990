"""How hard a query is, by Spider's official rule read off the syntax tree: easy, medium, hard or extra.

The rule is that of Spider's evaluation (Yu et al., EMNLP 2018, "Spider: A Large-Scale Human-Labeled Dataset for Complex
and Cross-Domain Semantic Parsing and Text-to-SQL Task"; the same in the test-suite evaluation of Zhong et al., 2020),
which counts over its own parsed form. Three counts decide, all of the outermost SELECT alone; of a chain of set
operations, of its first SELECT, so an ORDER BY or LIMIT after the chain counts nothing.

Clauses (Spider's component 1), one each for:
  WHERE; GROUP BY; ORDER BY; LIMIT; every table after the first, where a subquery in FROM is one table whose inside is
  not read; every OR and every LIKE among the conditions of ON, WHERE and HAVING.
Nested queries (component 2), one each for:
  a subquery compared with in ON, WHERE or HAVING (its inside is not read); a chain of UNION, INTERSECT or EXCEPT, once
  however long it is.
Others, one each for:
  more than one aggregate; more than one output column; more than one WHERE condition; more than one GROUP BY column.
  The aggregates are counted as the official code does, quirks included: one for an output column that begins with an
  aggregate, none for one in parentheses or after a first column (``(max(a) - min(a))``, ``a - max(b)``); every one in
  ORDER BY; none in a HAVING condition, but one for each AND or OR between HAVING conditions; one for each NOT of a
  condition in WHERE or HAVING (NOT IN, NOT LIKE, NOT BETWEEN).

Where Spider's grammar ends, this rule goes on:
  CTE                     one nested query each, its inside not read; its name in FROM is a table
  EXISTS                  a condition and a nested query; NOT EXISTS also a NOT
  subquery elsewhere      one nested query: in SELECT, ORDER BY, GROUP BY, LIMIT, CASE or inside an expression
  window                  one clause, and one each for its PARTITION BY and its ORDER BY; a WINDOW clause counts these
                          two where it stands; the function that a window calls is no aggregate
  CASE, IIF, FILTER       one clause each; an AND, OR or NOT inside is not counted
  outer join              one clause for LEFT, RIGHT or FULL, besides the one for its table
  comma, CROSS, NATURAL   a table each; USING holds no condition to count
  GLOB                    as LIKE; every aggregate of SQLite as MAX, MIN, COUNT, SUM and AVG
  any other output column one aggregate where it holds one: ``round(avg(a), 2)``, ``max(a) - min(a)``
  conditions in brackets  each counts as if it stood alone, and NOT before a bracket as one NOT
  IS NULL, IS NOT NULL    a condition, without a NOT
  OFFSET, UNION ALL       part of its LIMIT; as UNION

Not covered: whether the names exist or SQLite would run the query, and VALUES as a whole query. Not copied: the official
reader loses an OR that follows a comparison with a column (``a = b OR c = 1``); here it counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from finer.atoms.errors import AtomError
from finer.atoms.parse import parse

LEVELS = ("easy", "medium", "hard", "extra")
"""Every class, from the lightest to the heaviest."""


@dataclass(frozen=True)
class _Conditions:
    """What Spider counts in the conditions of one clause."""

    leaves: int
    """Conditions between the connectors."""
    ors: int
    likes: int
    negations: int


def hardness(sql: str) -> str:
    """The class of one query: 'easy', 'medium', 'hard' or 'extra'.

    Raises ValueError with the reason where the text is not exactly one query that starts with SELECT or WITH, cannot
    be parsed, or is beyond the bounds of ``finer.atoms.parse``. Source of the formula: see the module.

    >>> hardness("SELECT count(*) FROM singer")
    'easy'
    >>> hardness("SELECT name, age FROM singer WHERE age > 30 ORDER BY age")
    'medium'
    >>> hardness("SELECT name FROM singer WHERE singer_id NOT IN (SELECT singer_id FROM song)")
    'hard'
    >>> hardness("DELETE FROM singer")
    Traceback (most recent call last):
    ...
    ValueError: no hardness for 'DELETE FROM singer': not a query: it begins with 'DELETE', not with SELECT or WITH
    """
    try:
        tree = parse(sql)
    except AtomError as error:
        raise ValueError(f"no hardness for {_shown(sql)}: {error}") from None
    select, nested = _first_select(tree)
    if not isinstance(select, exp.Select) or not select.expressions:
        raise ValueError(f"no hardness for {_shown(sql)}: it does not begin with a SELECT of at least one column")
    return _level(_clauses(select), nested + _nested(select), _others(select))


def _level(clauses: int, nested: int, others: int) -> str:
    if nested == 0:
        if clauses <= 1 and others == 0:
            return "easy"
        if (clauses <= 1 and others <= 2) or (clauses <= 2 and others < 2):
            return "medium"
        if (clauses <= 2 and others > 2) or (clauses == 3 and others <= 2):
            return "hard"
    return "hard" if nested == 1 and clauses <= 1 and others == 0 else "extra"


def _first_select(tree: exp.Expression) -> tuple[exp.Expression, int]:
    """What is measured, a SELECT in every right text, and the nested queries around it: set operation and CTEs."""
    chained, tables = 0, 0
    while isinstance(tree, (exp.SetOperation, exp.Subquery, exp.Paren)):
        chained |= isinstance(tree, exp.SetOperation)
        tables += _cte_count(tree)
        tree = tree.this
    return tree, chained + tables + _cte_count(tree)


def _cte_count(tree: exp.Expression) -> int:
    clause = tree.args.get("with_")
    return len(clause.expressions) if clause else 0


def _clauses(select: exp.Select) -> int:
    joins = _joins(select)
    count = sum(1 for name in ("where", "group", "order", "limit") if select.args.get(name)) + len(joins)
    for part in (_joined(joins), _where(select), _having(select)):
        count += part.ors + part.likes
    return count + sum(1 for join in joins if join.side) + _beyond_spider(select)


def _beyond_spider(select: exp.Select) -> int:
    """Clauses for windows, CASE, IIF and FILTER."""
    return sum(_weight(node) for node in _own_nodes(select))


def _weight(node: exp.Expression) -> int:
    if isinstance(node, exp.Window):
        called = not isinstance(node.this, exp.Identifier)  # else it is a definition in the WINDOW clause
        return called + bool(node.args.get("partition_by")) + bool(node.args.get("order"))
    if isinstance(node, exp.If):
        return not isinstance(node.parent, exp.Case)  # a CASE holds one If for each WHEN
    return isinstance(node, (exp.Case, exp.Filter))


def _nested(select: exp.Select) -> int:
    return sum(1 for node in _own_nodes(select) if isinstance(node, exp.Query))


def _own_nodes(select: exp.Select) -> Iterator[exp.Expression]:
    """Everything of a SELECT outside its table sources; of a nested query only the outermost node."""
    names = ("where", "group", "having", "order", "limit", "offset")
    parts = [*select.expressions, *(select.args.get("windows") or []), *(select.args.get(name) for name in names)]
    for part in [*parts, *(join.args.get("on") for join in _joins(select))]:
        if part is not None:
            yield from _outside_queries(part)


def _outside_queries(tree: exp.Expression) -> Iterator[exp.Expression]:
    return tree.walk(prune=lambda node: isinstance(node, exp.Query))


def _joins(select: exp.Select) -> list[exp.Join]:
    """Every join of the FROM clause, those inside brackets too; each adds one table source."""
    start = select.args.get("from_")
    joins, waiting = [], [select, *([start.this] if start else [])]
    while waiting:
        node = waiting.pop()
        own = node.args.get("joins") or []
        joins += own
        waiting += [join.this for join in own]
        if isinstance(node, exp.Subquery) and isinstance(node.this, (exp.Table, exp.Subquery)):
            waiting.append(node.this)
    return joins


def _joined(joins: list[exp.Join]) -> _Conditions:
    return _conditions([join.args["on"] for join in joins if join.args.get("on")])


def _where(select: exp.Select) -> _Conditions:
    clause = select.args.get("where")
    return _conditions([clause.this] if clause else [])


def _having(select: exp.Select) -> _Conditions:
    clause = select.args.get("having")
    return _conditions([clause.this] if clause else [])


def _conditions(trees: list[exp.Expression]) -> _Conditions:
    waiting = list(trees)
    leaves = ors = likes = negations = 0
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Connector):
            ors += isinstance(node, exp.Or)
            waiting += [node.this, node.expression]
        elif isinstance(node, (exp.Paren, exp.Escape)):
            waiting.append(node.this)
        elif isinstance(node, exp.Not):
            negations += not isinstance(node.this, exp.Is)
            waiting.append(node.this)
        else:
            leaves += 1
            likes += isinstance(node, (exp.Like, exp.Glob))
            negations += bool(node.args.get("negate"))
    return _Conditions(leaves, ors, likes, negations)


def _others(select: exp.Select) -> int:
    group = select.args.get("group")
    plural = (_aggregates(select), len(select.expressions), _where(select).leaves, len(group.expressions) if group else 0)
    return sum(1 for count in plural if count > 1)


def _aggregates(select: exp.Select) -> int:
    """Spider's number of aggregates, with its quirks: see the module."""
    outputs = sum(1 for item in select.expressions if _is_aggregate_output(item.unalias()))
    listed = sum(_aggregates_inside(select.args.get(name)) for name in ("group", "order"))
    having = _having(select)
    connectors = max(having.leaves - 1, 0)
    return outputs + listed + _where(select).negations + having.negations + connectors


def _is_aggregate_output(item: exp.Expression) -> bool:
    return _aggregates_inside(item) > 0 and not _is_overlooked(item)


def _is_overlooked(item: exp.Expression) -> bool:
    """Does Spider's grammar hold this output column, but look for an aggregate only at its first word?"""
    if isinstance(item, exp.Paren):
        return _is_unit(item.this) or _is_arithmetic(item.this)
    return _is_arithmetic(item) and isinstance(item.this, exp.Column)


def _is_arithmetic(tree: exp.Expression) -> bool:
    operators = (exp.Add, exp.Sub, exp.Mul, exp.Div)
    return isinstance(tree, operators) and _is_unit(tree.this) and _is_unit(tree.expression)


def _is_unit(tree: exp.Expression) -> bool:
    """A column, or one of Spider's five aggregates over a column or ``*``: what its arithmetic combines."""
    if isinstance(tree, (exp.Max, exp.Min, exp.Count, exp.Sum, exp.Avg)):
        inner = tree.this.expressions[0] if isinstance(tree.this, exp.Distinct) else tree.this
        return isinstance(inner, (exp.Column, exp.Star))
    return isinstance(tree, exp.Column)


def _aggregates_inside(tree: exp.Expression | None) -> int:
    return 0 if tree is None else sum(1 for node in _outside_queries(tree) if _is_aggregate(node))


_UNKNOWN_TO_SQLGLOT = {"total", "json_group_array", "json_group_object", "jsonb_group_array", "jsonb_group_object"}


def _is_aggregate(node: exp.Expression) -> bool:
    called = node.parent.parent if isinstance(node.parent, exp.Filter) else node.parent
    if isinstance(called, exp.Window) and node.arg_key == "this":
        return False
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in _UNKNOWN_TO_SQLGLOT
    return isinstance(node, exp.AggFunc)


def _shown(sql: object) -> str:
    text = repr(sql)
    return text if len(text) <= 80 else text[:77] + "..."
