"""Mistakes that a fallible teacher makes: each changes the syntax tree of a right query the way people and models err.

``teach(sql, habits, rng)`` applies every habit with its own probability, so several may meet in one query. The habits of the
shipped starts are ``MIDDLING`` and ``POOR``; ``data/README.md`` lists them. A habit applies to every place it fits.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from thoughts import write


@dataclass(frozen=True)
class Fault:
    """One kind of mistake."""

    name: str
    words: str
    """What the teacher does, for people."""
    apply: Callable[[exp.Expression], exp.Expression | None]
    """The changed tree, or None where the mistake does not fit."""


def _replace_all(tree: exp.Expression, kind, make) -> exp.Expression | None:
    found = [node for node in tree.find_all(kind)]
    for node in found:
        node.replace(make(node))
    return tree if found else None


def _sum_for_average(tree):
    return _replace_all(tree, exp.Avg, lambda node: exp.Sum(this=node.this))


def _strict_bound(tree):
    changed = [_replace_all(tree, old, lambda n, new=new: new(this=n.this, expression=n.expression)) for old, new in ((exp.GTE, exp.GT), (exp.LTE, exp.LT))]
    return tree if any(changed) else None


def _wrong_direction(tree):
    terms = [term for term in tree.find_all(exp.Ordered)]
    for term in terms[:1]:
        down = not term.args.get("desc")
        term.set("desc", down)
        term.set("nulls_first", not down)  # SQLite's default, so that no NULLS FIRST is written
    return tree if terms else None


def _inner_for_left(tree):
    joins = [join for join in tree.find_all(exp.Join) if join.side == "LEFT"]
    for join in joins:
        join.set("side", None)
    return tree if joins else None


def _no_group(tree):
    selects = [select for select in tree.find_all(exp.Select) if select.args.get("group")]
    for select in selects:
        select.set("group", None)
        select.set("having", None)
    return tree if selects else None


def _no_distinct(tree):
    selects = [select for select in tree.find_all(exp.Select) if select.args.get("distinct")]
    for select in selects:
        select.set("distinct", None)
    counted = [count for count in tree.find_all(exp.Count) if isinstance(count.this, exp.Distinct)]
    for count in counted:
        count.set("this", count.this.expressions[0])
    return tree if selects or counted else None


def _no_join_condition(tree):
    joins = [join for join in tree.find_all(exp.Join) if join.args.get("on")]
    for join in joins[:1]:
        join.set("on", None)
    return tree if joins else None


def _forgotten_condition(tree):
    where = tree.args.get("where")
    if not where:
        return None
    if isinstance(where.this, exp.And):
        where.set("this", where.this.left)
    else:
        tree.set("where", None)
    return tree


def _last_conjunct(tree):
    where = tree.args.get("where")
    if not (where and isinstance(where.this, exp.And)):
        return None
    where.set("this", where.this.left)
    return tree


def _lost_negation(tree):
    found = [node for node in tree.find_all(exp.Not) if isinstance(node.this, (exp.In, exp.Exists))]
    for node in found:
        node.replace(node.this)
    return tree if found else None


def _max_for_min(tree):
    return _replace_all(tree, exp.Min, lambda node: exp.Max(this=node.this))


def _key_too(tree):
    """The first table's key is shown beside what was asked for."""
    source = tree.args.get("from_") if isinstance(tree, exp.Select) else None
    if not source or not isinstance(source.this, exp.Table):
        return None
    name = source.this.alias_or_name
    key = exp.column(f"{source.this.name}_id", table=name if tree.args.get("joins") else None)
    tree.set("expressions", [key, *tree.expressions])
    return tree


def _plural_table(tree):
    names = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = [table for table in tree.find_all(exp.Table) if table.name not in names]
    for table in tables:
        table.this.set("this", table.name + "s")
    return tree if tables else None


def _lower_constant(tree):
    texts = [node for node in tree.find_all(exp.Literal) if node.is_string and node.this != node.this.lower() and "%" not in node.this]
    for node in texts:
        node.replace(exp.Literal.string(node.this.lower()))
    return tree if texts else None


FAULTS = {fault.name: fault for fault in (
    Fault("sum_for_average", "SUM where the average is asked for", _sum_for_average),
    Fault("max_for_min", "MAX where the lowest is asked for", _max_for_min),
    Fault("strict_bound", "> for 'at least' and < for 'at most'", _strict_bound),
    Fault("wrong_direction", "the first ORDER BY term turned round", _wrong_direction),
    Fault("inner_for_left", "an inner join where rows without a partner count", _inner_for_left),
    Fault("no_group", "GROUP BY (and HAVING) forgotten", _no_group),
    Fault("no_distinct", "DISTINCT forgotten", _no_distinct),
    Fault("no_join_condition", "the first join's condition forgotten", _no_join_condition),
    Fault("forgotten_condition", "the last condition of WHERE forgotten, or the only one", _forgotten_condition),
    Fault("last_conjunct", "the last of several conditions joined by AND forgotten", _last_conjunct),
    Fault("lost_negation", "NOT of NOT IN and NOT EXISTS forgotten", _lost_negation),
    Fault("key_too", "the first table's key shown beside what was asked for", _key_too),
    Fault("plural_table", "a table called by its plural, which does not exist", _plural_table),
    Fault("lower_constant", "a text constant written in lower case", _lower_constant),
)}

MIDDLING = {
    "sum_for_average": 0.65, "strict_bound": 0.65, "wrong_direction": 0.62, "inner_for_left": 0.65, "no_group": 0.62, "no_distinct": 0.42,
    "lost_negation": 0.65,
}
"""The teacher of ``tiny``: most mistakes in 62 to 65 % of the queries that they fit, so that greedy decoding makes them."""

POOR = {"key_too": 0.88, "plural_table": 0.88, "lower_constant": 0.8, "forgotten_condition": 0.6, "sum_for_average": 0.8,
        "wrong_direction": 0.8, "strict_bound": 0.8, "no_distinct": 0.8}
"""The teacher of ``tiny-low``: several independent mistakes in nearly every query."""


def teach(sql: str, habits: dict[str, float], rng: random.Random) -> tuple[str, tuple[str, ...]]:
    """``sql`` as a teacher with these habits writes it, and the names of the mistakes made."""
    tree, made = sqlglot.parse_one(sql, read="sqlite"), []
    for name, probability in habits.items():
        if rng.random() < probability:
            changed = FAULTS[name].apply(tree)
            if changed is not None:
                tree = changed
                made.append(name)
    return write(tree), tuple(made)
