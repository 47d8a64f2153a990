"""Rewrites of the joins of a block that leave its result as it is, under the declared keys.

A derived table is inlined, an outer join becomes inner or NOT EXISTS where nothing else can come of it, two mentions of
a table with equal keys become one, and a join that adds nothing goes. Not covered: RIGHT joins after the first, FULL
joins, and keys that only the data have.
"""

from __future__ import annotations

from collections.abc import Iterator

from finer.atoms.keys import classes, determined, equalities, identity, keys_of, never_null, rejected
from finer.atoms.tree import Block, Node, SetBlock, Source, block_nodes, column, columns, joined


def plain(block: Block | SetBlock) -> bool:
    """Is the block a selection of rows and nothing more, so that it can be inlined?"""
    if isinstance(block, SetBlock) or not block.sources:
        return False
    shaped = block.distinct or block.group or block.having or block.aggregated or block.windowed
    return not shaped and block.limit is None and block.offset is None


def merge(inner: Block, outer: Block) -> None:
    """Move the sources and conditions of a plain block into the block around it."""
    for source in inner.sources:
        source.owner = outer
    outer.sources += inner.sources
    outer.where += inner.where
    outer.subqueries += inner.subqueries
    inner.sources, inner.where = [], []


def ignores_repeats(block: Block) -> bool:
    """Does it make no difference whether the block yields a row once or twice?"""
    if block.aggregated or block.windowed or block.group:
        return False
    return block.distinct or (block.loose and block.limit is None)


def put(block: Block, condition: Node, nodes: list[Node]) -> None:
    """Replace one condition of the block."""
    at = next(index for index, each in enumerate(block.where) if each is condition)
    block.where[at : at + 1] = nodes


# -- outer joins ----------------------------------------------------------------------------------------------------


def turn_right_joins(block: Block) -> None:
    """a RIGHT JOIN b is b LEFT JOIN a."""
    if len(block.sources) > 1 and block.sources[1].join == "right" and block.sources[0].join == "inner":
        left, right = block.sources[:2]
        left.join, right.join = "left", "inner"
        left.on, right.on = right.on, []


def outer_joins(block: Block) -> None:
    """Make inner, or NOT EXISTS, or nothing, of the left joins that are no more than that."""
    changed = True
    while changed:
        lost = {source for condition in block.where for source, _ in rejected(condition)}
        changed = False
        for source in block.sources:
            if source.join == "left" and id(source) in lost:  # its padded rows would not pass
                source.join, changed = "inner", True
                block.where += source.on
                source.on = []
    for source in [each for each in block.sources if each.join == "left"]:
        _anti_join(source, block) or _idle_left_join(source, block)


def _anti_join(source: Source, block: Block) -> bool:
    """LEFT JOIN b ON c WHERE b.key IS NULL is NOT EXISTS (b WHERE c)."""
    for condition in block.where:
        found = column(condition.args[0]) if condition.op == "isnull" else None
        if found is None or found[0] is not source or not _present(source, found[1]):
            continue
        if not any(each is source for each, _ in _used(block, {id(condition), *map(id, source.on)})):
            inner = Block()
            inner.parent, inner.loose = block, True
            inner.sources, inner.where = [source], source.on
            inner.span = joined(source.span, condition.span)
            source.owner, source.join, source.on = inner, "inner", []
            block.sources.remove(source)
            drop_null_tests(inner)
            put(block, condition, [Node("notexists", (inner,), inner.span)])
            block.subqueries += 1
            return True
    return False


def _present(source: Source, name: str) -> bool:
    """Is the column surely not NULL in a row that the join found?"""
    fact = source.fact.columns.get(name) if source.fact is not None else None
    return bool(fact and fact.never_null) or any((id(source), name) in rejected(each) for each in source.on)


def _idle_left_join(source: Source, block: Block) -> bool:
    """A left join whose columns are not used and that finds at most one row, or whose repeats cannot matter."""
    if any(each is source for each, _ in _used(block, set(map(id, source.on)))):
        return False
    others = [(each, name) for node in source.on for each, name in columns(node) if each is not source]
    if not ignores_repeats(block) and id(source) not in determined(block, others):
        return False
    block.sources.remove(source)
    return True


def _used(block: Block, besides: set[int]) -> Iterator[tuple[Source, str]]:
    """Every column mentioned in the block, outside of the conditions named by id."""
    for node in block_nodes(block):
        if id(node) not in besides:
            yield from columns(node)


# -- joins that add nothing -----------------------------------------------------------------------------------------


def drop_links(block: Block) -> None:
    """Make one source of two that a key equates, and drop parents that are only passed through."""
    _settle_equalities(block)
    if any(source.join in ("right", "full") for source in block.sources):
        return
    while block.where and (_unify(block) or _drop_parent(block)):
        _settle_equalities(block)


def _settle_equalities(block: Block) -> None:
    """x = x holds where x is not NULL."""
    for node in [each for each in block.where if each.op == "compare" and each.args[0] == "="]:
        _, left, right = node.args
        if column(left) is not None and identity(left) == identity(right):
            put(block, node, [] if never_null(left, block, besides=node) else [Node("notnull", (left,), node.span)])


def drop_null_tests(block: Block) -> None:
    """x IS NOT NULL says nothing of a column that cannot be NULL anyway."""
    for node in [each for each in block.where if each.op == "notnull"]:
        if never_null(node.args[0], block, besides=node):
            block.where = [each for each in block.where if each is not node]


def _unify(block: Block) -> bool:
    """Two mentions of a table with equal keys are one row of it."""
    if not block.loose and len({source.table for source in block.sources}) == len(block.sources):
        return False  # a source of the block around it can only be met in a subquery
    groups = classes(block)
    group_of = {(id(each), name): number for number, group in enumerate(groups) for each, name in group}
    for source in block.sources:
        if source.fact is None or source.first or source.join not in ("inner", "semi"):
            continue
        for other in _same_table(source, groups):
            if other.first or (source.join == "inner" and other.join == "semi"):
                continue  # the rows of the block are this source's
            if any(key and all(_equal(source, other, name, group_of) for name in key) for key in source.fact.keys):
                source.merged = other
                block.sources.remove(source)
                return True
    return False


def _same_table(source: Source, groups: list) -> list[Source]:
    found = {id(each): each for group in groups for each, _ in group if each.table == source.table and each is not source}
    return [each for each in found.values() if each.fact is source.fact]


def _equal(one: Source, two: Source, name: str, group_of: dict[tuple[int, str], int]) -> bool:
    return group_of.get((id(one), name), -1) == group_of.get((id(two), name), -2)


def _drop_parent(block: Block) -> bool:
    """A parent joined on its key by a foreign key of this block, of which nothing else is used."""
    if len(block.sources) < 2:
        return False
    for left, right in equalities(block.where):
        one, two = column(left), column(right)
        if one is None or two is None:
            continue
        for parent, child in ((one, two), (two, one)):
            if _passed_through(parent, child, block):
                parent[0].replace[parent[1]] = child
                block.sources.remove(parent[0])
                return True
    return False


def _passed_through(parent: tuple[Source, str], child: tuple[Source, str], block: Block) -> bool:
    source, name = parent
    fact = child[0].fact.columns.get(child[1]) if child[0].fact is not None else None
    if fact is None or fact.references != (source.table, name) or frozenset([name]) not in keys_of(source):
        return False
    inside = any(each is source for each in block.sources) and any(each is child[0] for each in block.sources)
    if not inside or child[0] is source or source.first:
        return False
    if (source.join, child[0].join) not in (("inner", "inner"), ("semi", "inner"), ("semi", "semi")):
        return False
    return all(used == name for each, used in _used(block, set()) if each is source)
