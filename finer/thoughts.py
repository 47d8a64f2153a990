"""The reasoning that leads to a query, written from its syntax tree: tables, joins, filters, output, in three styles.

A thought is made from the SQL that follows it, so the thought of a mistaken query is mistaken in the same place. It says what the
query does, not why the question asks for it. Every function raises sqlglot's ParseError for a text that it cannot read.
"""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp

STYLES = ("plan", "sentences", "steps")


def normalise(sql: str) -> str:
    """The query as the starter data write it: sqlglot's SQLite text on one line."""
    return write(sqlglot.parse_one(sql, read="sqlite"))


def write(node: exp.Expression) -> str:
    """SQLite text as people write it: ``x IS NOT NULL`` and ``x NOT IN (…)`` instead of a leading NOT.

    >>> normalise("select a from t where b not in (1, 2) and c is not null")
    'SELECT a FROM t WHERE b NOT IN (1, 2) AND c IS NOT NULL'
    """
    text = node.sql(dialect="sqlite")
    text = re.sub(r"NOT ((?:\w+\.)?(?:\w+|\"[^\"]+\")) IS NULL", r"\1 IS NOT NULL", text)
    return re.sub(r"NOT ((?:\w+\.)?(?:\w+|\"[^\"]+\")) (IN|LIKE|BETWEEN) ", r"\1 NOT \2 ", text)


def thought(sql: str, style: str = "plan") -> str:
    """The reasoning before ``sql``.

    >>> thought("SELECT name FROM member WHERE city = 'Oslo'")
    "use member; keep city = 'Oslo'; show name"
    >>> thought("SELECT name FROM member WHERE city = 'Oslo'", "sentences")
    "The table needed is member. Only rows where city = 'Oslo' count. The answer shows name."
    """
    tree = sqlglot.parse_one(sql, read="sqlite")
    if style == "plan":
        return "; ".join(_plan(tree))
    if style == "sentences":
        return " ".join(_sentence(part) for part in _plan(tree))
    return "\n".join(f"{number}. {_sentence(part)}" for number, part in enumerate(_plan(tree), 1))


_OPENINGS = {
    "use ": "The table needed is ", "keep ": "Only rows where ", "group by ": "Group the rows by ", "having ": "Of the groups, keep those with ",
    "order by ": "Sort by ", "limit ": "Take no more rows than ", "show different ": "The answer shows, without repeats, ", "show ": "The answer shows ",
    "first ": "First build ", "skip ": "Skip this many rows: ",
}


def _sentence(part: str) -> str:
    for start, opening in _OPENINGS.items():
        if part.startswith(start):
            body = opening + part.removeprefix(start)
            if start == "use " and (", " in part or " join " in part):
                body = body.replace("The table needed is", "The tables needed are", 1)
            return body + (" count." if start == "keep " else ".")
    return part[0].upper() + part[1:] + "."


def _plan(tree: exp.Expression) -> list[str]:
    if isinstance(tree, (exp.Subquery, exp.Paren)):
        return _plan(tree.this)
    parts = [f"first {cte.alias} = ({'; '.join(_plan(cte.this))})" for cte in tree.ctes]
    if isinstance(tree, exp.SetOperation):
        word = {"union": "plus", "intersect": "in common with", "except": "without"}[tree.key]
        word += " repeats kept," if tree.key == "union" and not tree.args.get("distinct") else ""
        return [*parts, *_plan(tree.left), f"{word} ({'; '.join(_plan(tree.right))})", *_tail(tree)]
    return [*parts, *_body(tree)]


def _body(tree: exp.Select) -> list[str]:
    parts = []
    if source := tree.args.get("from_"):
        tables = [_text(source.this)] + [_join(join) for join in tree.args.get("joins") or ()]
        parts.append("use " + "".join(tables))
    if where := tree.args.get("where"):
        parts.append("keep " + _text(where.this))
    if group := tree.args.get("group"):
        parts.append("group by " + ", ".join(map(_text, group.expressions)))
    if having := tree.args.get("having"):
        parts.append("having " + _text(having.this))
    shown = "show different " if tree.args.get("distinct") else "show "
    return [*parts, *_tail(tree), shown + ", ".join(map(_text, tree.expressions))]


def _join(join: exp.Join) -> str:
    kind = " ".join(filter(None, (join.side, join.kind))).lower()
    on = join.args.get("on")
    return f" {kind} join ".replace("  ", " ") + _text(join.this) + (f" on {_text(on)}" if on else "")


def _tail(tree: exp.Expression) -> list[str]:
    parts = []
    if order := tree.args.get("order"):
        parts.append("order by " + ", ".join(map(_text, order.expressions)))
    if limit := tree.args.get("limit"):
        parts.append("limit " + _text(limit.expression))
    if offset := tree.args.get("offset"):
        parts.append("skip " + _text(offset.expression))
    return parts


def _text(node: exp.Expression) -> str:
    """A node's SQL, with the queries inside it told as plans in parentheses."""
    if isinstance(node, exp.Subquery):
        alias = f" as {node.alias}" if node.alias else ""
        return "(" + "; ".join(_plan(node.this)) + ")" + alias
    return write(node.copy().transform(_told))


def _told(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.Subquery):
        return exp.Var(this="(" + "; ".join(_plan(node.this)) + ")")
    if isinstance(node, (exp.Select, exp.SetOperation)):
        return exp.Var(this="; ".join(_plan(node)))
    return node
