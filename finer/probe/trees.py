"""Trees of sqlglot as rewrites and edits need them: text and back, places in a tree, and which table a column belongs to.

Names are resolved with the declared columns only; where two sources could be meant the answer is None, and the caller leaves
the place alone. Not covered: whether a changed tree means the same (each is executed).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from finer.schema import Column, Schema, Table

Tree = exp.Expression


def read(sql: str) -> Tree | None:
    """The tree of one query, None where sqlglot cannot read it."""
    try:
        tree = sqlglot.parse_one(sql, read="sqlite")
    except (SqlglotError, RecursionError):
        return None
    return tree if isinstance(tree, exp.Query) else None


def write(tree: Tree) -> str:
    """The SQL of a tree.

    >>> write(read("select a from t where b!=1"))
    'SELECT a FROM t WHERE b <> 1'
    """
    return tree.sql("sqlite")


def places(tree: Tree, *kinds: type[Tree]) -> Iterator[tuple[Tree, Tree]]:
    """For each node of these kinds a fresh copy of the tree, and that node in the copy.

    >>> [(write(copy), node.name) for copy, node in places(read("SELECT a, b FROM t"), exp.Column)]
    [('SELECT a, b FROM t', 'a'), ('SELECT a, b FROM t', 'b')]
    """
    for number, node in enumerate(tree.walk()):
        if isinstance(node, kinds):
            copy = tree.copy()
            yield copy, next(islice(copy.walk(), number, None))


def number_like(node: Tree) -> bool:
    """A numeric literal that stands for a value: not a LIMIT, and not a position in ORDER BY or GROUP BY."""
    return isinstance(node, exp.Literal) and not node.is_string and not isinstance(node.parent, (exp.Limit, exp.Offset, exp.Ordered, exp.Group))


def joins(select: Tree) -> list[exp.Join]:
    """The joins of a SELECT, in their order."""
    return select.args.get("joins") or []


def sources(select: Tree) -> list[Tree]:
    """What a SELECT reads from: tables and derived tables, in their order."""
    first = select.args.get("from_")
    return ([first.this] if first else []) + [join.this for join in joins(select)]


def table_of(source: Tree, schema: Schema) -> Table | None:
    """The table of the schema that a source is, None for a derived table or a common table."""
    if not isinstance(source, exp.Table) or not schema.has(source.name):
        return None
    return None if source.name.lower() in common_tables(source) else schema.table(source.name)


def common_tables(node: Tree) -> dict[str, exp.CTE]:
    """The common tables of the whole tree by lower-case name."""
    return {cte.alias.lower(): cte for cte in node.root().find_all(exp.CTE)}


def columns_of(source: Tree, schema: Schema) -> set[str]:
    """Lower-case names of a source's columns; empty where they are not known."""
    table = table_of(source, schema)
    if table:
        return {column.name.lower() for column in table.columns}
    cte = common_tables(source).get(source.name.lower()) if isinstance(source, exp.Table) else None
    inner = cte.this if cte else source.this
    if isinstance(inner, exp.Query) and not any(name == "*" for name in inner.named_selects):
        return {name.lower() for name in inner.named_selects}
    starred = [found for select in inner.find_all(exp.Select) if select is inner for found in sources(select)] if isinstance(inner, exp.Select) else []
    return set().union(*(columns_of(found, schema) for found in starred)) if starred else set()


def source_of(column: exp.Column, schema: Schema) -> Tree | None:
    """The source that a column is read from, in its own SELECT or one around it; None where that is not plain."""
    select = column.parent_select
    while isinstance(select, exp.Select):
        found = [source for source in sources(select) if _holds(source, column, schema)]
        if found:
            return found[0] if len(found) == 1 else None
        select = _around(select)
    return None


def _around(select: Tree) -> Tree | None:
    """The SELECT whose sources this one may use too; None from inside a derived or a common table."""
    node = select
    while node.parent is not None and not isinstance(node.parent, exp.Select):
        node = node.parent
        if isinstance(node, exp.CTE) or (isinstance(node, exp.Subquery) and isinstance(node.parent, (exp.From, exp.Join))):
            return None
    return node.parent


def _holds(source: Tree, column: exp.Column, schema: Schema) -> bool:
    if column.table:
        return source.alias_or_name.lower() == column.table.lower()
    return column.name.lower() in columns_of(source, schema)


def declared(column: Tree, schema: Schema) -> Column | None:
    """What the schema declares of a column, None for anything else."""
    if not isinstance(column, exp.Column) or isinstance(column.this, exp.Star):
        return None
    source = source_of(column, schema)
    table = table_of(source, schema) if source else None
    return table.column(column.name) if table and table.has(column.name) else None


def table_of_column(column: exp.Column, schema: Schema) -> Table | None:
    """The table of the schema that a column belongs to; None where its source is derived or unknown."""
    source = source_of(column, schema)
    return table_of(source, schema) if source else None


def conjuncts(condition: Tree | None) -> list[Tree]:
    """The conditions that AND puts together.

    >>> [write(part) for part in conjuncts(read("SELECT a FROM t WHERE b = 1 AND (c = 2 OR d = 3)").args["where"].this)]
    ['b = 1', '(c = 2 OR d = 3)']
    """
    if condition is None:
        return []
    if isinstance(condition, exp.Paren) and isinstance(condition.this, exp.And):
        return conjuncts(condition.this)
    return conjuncts(condition.left) + conjuncts(condition.right) if isinstance(condition, exp.And) else [condition]


def together(conditions: list[Tree]) -> Tree:
    """The conditions under AND, an OR among them in parentheses."""
    return exp.and_(*(condition.copy() for condition in conditions), copy=False)


def has_star(select: Tree) -> bool:
    """Does a * stand among the outputs (not inside COUNT)?"""
    return any(isinstance(output, exp.Star) or isinstance(output, exp.Column) and isinstance(output.this, exp.Star) for output in select.expressions)


def is_plain(select: Tree) -> bool:
    """A SELECT from one table with conditions at most: no join, group, aggregate, set operation, order or limit."""
    if not isinstance(select, exp.Select) or len(sources(select)) != 1:
        return False
    clauses = ("group", "having", "distinct", "order", "limit", "offset", "with_", "windows")
    return not any(select.args.get(clause) for clause in clauses) and not any(output.find(exp.AggFunc, exp.Window) for output in select.expressions)
