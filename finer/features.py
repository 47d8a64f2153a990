"""What a query uses: join, grouping, nesting and the like, to count accuracy by.

A query has every feature that occurs anywhere in it, in its subqueries too, so the groups overlap. ``hardness`` says how
hard a query is in one word. Not covered: whether the query runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from sqlglot import exp

from finer.atoms.errors import AtomError
from finer.atoms.parse import parse

PLAIN, UNREADABLE = "none of these", "not readable"


def _has(*kinds: type[exp.Expression]) -> Callable[[exp.Expression], bool]:
    return lambda tree: tree.find(*kinds) is not None


def _is_nested(tree: exp.Expression) -> bool:
    """Does a query stand where a value, a condition or a table stands? A side of a set operation and a CTE's body do not count."""
    return any(_is_inside(query) for query in tree.find_all(exp.Select, exp.SetOperation) if query is not tree)


def _is_inside(query: exp.Expression) -> bool:
    around = query.parent
    while isinstance(around, (exp.Subquery, exp.Paren)):
        around = around.parent
    return around is not None and not isinstance(around, (exp.SetOperation, exp.CTE))


def _is_outer(tree: exp.Expression) -> bool:
    return any(join.side for join in tree.find_all(exp.Join))


_USES: dict[str, Callable[[exp.Expression], bool]] = {
    "join": _has(exp.Join),
    "outer join": _is_outer,
    "group by": _has(exp.Group),
    "having": _has(exp.Having),
    "order by": lambda tree: any(not isinstance(order.parent, exp.Window) for order in tree.find_all(exp.Order)),
    "limit": _has(exp.Limit, exp.Fetch),
    "nested": _is_nested,
    "set operation": _has(exp.SetOperation),
    "distinct": _has(exp.Distinct),
    "CTE": _has(exp.CTE),
    "window": _has(exp.Window),
    "case": lambda tree: tree.find(exp.Case) is not None or any(not isinstance(node.parent, exp.Case) for node in tree.find_all(exp.If)),
    "like": _has(exp.Like, exp.Glob),
}
FEATURES = (*_USES, PLAIN, UNREADABLE)
"""Every feature, in the order in which tables show them."""


@lru_cache(maxsize=20_000)
def features(sql: str) -> tuple[str, ...]:
    """The features of a query, in the order of :data:`FEATURES`; never raises.

    >>> features("SELECT a.x FROM a JOIN b USING (k) WHERE a.y IN (SELECT y FROM c) ORDER BY a.x LIMIT 3")
    ('join', 'order by', 'limit', 'nested')
    >>> features("SELECT x FROM a"), features("no query")
    (('none of these',), ('not readable',))
    """
    try:
        tree = parse(sql)
    except AtomError:
        return (UNREADABLE,)
    return tuple(used_in(tree)) or (PLAIN,)


def used_in(tree: exp.Expression) -> list[str]:
    """The same of a query that is parsed already; nothing where it has none of them."""
    return [name for name, uses in _USES.items() if uses(tree)]
