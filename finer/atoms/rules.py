"""Rewrites of bound blocks that leave a query's result as it is, under the declared keys.

First subqueries (``subqueries``) and joins (``joins``), then here: conditions on NULL, GROUP BY, DISTINCT and ORDER BY
that change nothing go. Not covered: what would need the data, and rewrites across an aggregation.
"""

from __future__ import annotations

from finer.atoms.joins import drop_links, drop_null_tests, outer_joins, turn_right_joins
from finer.atoms.keys import all_determined, determined, identity, keys_of, never_null
from finer.atoms.semijoins import semi_joins
from finer.atoms.subqueries import first_rows, inline_subqueries, rank_extremes, set_as_conditions
from finer.atoms.tree import Block, Node, SetBlock, Source, column, columns, own_nodes, walk

MAXIMUM_GROUPING = 32
"""Grouping columns beyond which none is proved needless: the proof is made again for each."""


def simplify(block: Block) -> None:
    """Apply every rule to a bound block, in place."""
    if block.loose and block.limit is None:
        block.distinct, block.order = False, []
    first_rows(block)
    inline_subqueries(block)
    turn_right_joins(block)
    if any(source.join != "inner" for source in block.sources):
        outer_joins(block)
    drop_links(block)
    drop_null_tests(block)
    if block.group:
        columns_before = len(block.group)
        _grouping(block)
        if len(block.group) < columns_before:  # a parent may have been joined for that column alone
            drop_links(block)
    semi_joins(block)
    if block.distinct and _distinct_is_idle(block):
        block.distinct = False
    rank_extremes(block)
    if block.aggregated and not block.group:  # a single row
        block.order = []
        if block.offset is None and block.limit is not None and block.limit.args[:1] not in (("0",),):
            block.limit = None


def simplify_set(block: SetBlock) -> Block | SetBlock:
    """Apply every rule to a bound set operation; some are a selection in disguise."""
    if block.loose and block.limit is None:
        block.op = block.op.removesuffix(" ALL")
    left = set_as_conditions(block)
    if left is None:
        return block
    simplify(left)
    return left


def _grouping(block: Block) -> None:
    if block.limit is None:  # of several groups that tie for the last place, SQLite keeps the first in the grouping's order
        _fewer_groups(block)
    kept = [node for node in block.having if not _always(node, block)]
    if len(kept) < len(block.having):
        block.having = kept
        block.aggregated = _aggregates(block)
    moved = [node for node in block.having if _about_groups(node, block)]
    block.having = [node for node in block.having if all(node is not each for each in moved)]
    block.where += moved
    if block.aggregated or block.having or block.windowed:
        return
    keys, outputs = {identity(node) for node in block.group}, {identity(node) for node in block.select}
    if all_determined(block, _columns_of(block.group)):  # a group for each row
        block.group = []
    elif keys == outputs or (block.loose and outputs <= keys):
        block.group, block.distinct = [], not block.loose


def _always(node: Node, block: Block) -> bool:
    """A group has at least one row: COUNT(*) > 0 and COUNT(*) >= 1 hold for each."""
    if node.op != "compare":
        return False
    operator, left, right = node.args
    floor = (operator, left.args[:1]) in (("<", ("0",)), ("<=", ("1",)), ("<>", ("0",)))
    if not floor or left.op != "number" or right.op != "aggregate" or right.args[0] != "COUNT":
        return False
    return all(never_null(argument, block) for argument in right.args[2])


def _aggregates(block: Block) -> bool:
    """Does the block still aggregate, besides in its windows and subqueries?"""
    parts = [*block.select, *block.having, *(node for node, _ in block.order)]
    return any(node.op == "aggregate" for node in own_nodes(parts))


def _fewer_groups(block: Block) -> None:
    """A grouping column that the other ones determine makes no further groups."""
    unique = {identity(node): node for node in block.group}
    block.group = list(unique.values())
    if len(block.group) > MAXIMUM_GROUPING:
        return
    key_names = {(id(source), name) for source in block.sources for key in keys_of(source) for name in key}
    order = sorted(block.group, key=lambda node: (column(node) or (None, ""))[1:] and _is_key(node, key_names))
    for node in order:
        found = column(node)
        rest = [each for each in block.group if each is not node]
        if found is not None and rest and id(found[0]) in determined(block, _columns_of(rest)):
            block.group = rest


def _is_key(node: Node, key_names: set[tuple[int, str]]) -> bool:
    found = column(node)
    return found is not None and (id(found[0]), found[1]) in key_names


def _columns_of(nodes: list[Node]) -> list[tuple[Source, str]]:
    return [found for node in nodes if (found := column(node)) is not None]


def _about_groups(node: Node, block: Block) -> bool:
    """Does the HAVING condition speak of grouping columns, and of rows that they determine, alone, so that WHERE could hold it?"""
    if any(inner.op in ("aggregate", "window", "scalar", "in", "notin", "exists", "notexists", "unknown")
           for inner in walk(node)):  # fmt: skip
        return False
    grouped = _columns_of(block.group)
    keys = {(id(source), name) for source, name in grouped}
    others = [source for source, name in columns(node) if (id(source), name) not in keys]
    return not others or {id(source) for source in others} <= determined(block, grouped)


def _distinct_is_idle(block: Block) -> bool:
    outputs = {identity(node) for node in block.select}
    if block.group:
        return all(identity(node) in outputs for node in block.group)
    if block.aggregated:
        return True
    stars = [node.args[0] for node in block.select if node.op == "star"]
    known = _columns_of(block.select) + [(source, name) for source in stars for key in keys_of(source) for name in key]
    return all_determined(block, known)
