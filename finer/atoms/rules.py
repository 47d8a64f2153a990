"""Rewrites of bound blocks that leave a query's result as it is, under the declared keys.

In order: subqueries in conditions become joins or (NOT) EXISTS, outer joins become inner or NOT EXISTS where nothing
else can come of them, joins that add nothing go, and DISTINCT, GROUP BY and ORDER BY go where they change nothing.
Not covered: what would need the data (a key that is not declared), and rewrites across an aggregation.

One belief goes beyond keys: `x = (SELECT key FROM t WHERE name = 'a')` is read as the join, although SQLite would take
the first of several rows; whoever writes `=` there means one row.
"""

from __future__ import annotations

from collections.abc import Iterator

from finer.atoms.expressions import comparison
from finer.atoms.keys import (
    all_determined,
    classes,
    determined,
    equalities,
    identity,
    keys_of,
    never_null,
    rejected,
)
from finer.atoms.tree import Block, Node, SetBlock, Source, block_nodes, column, columns, joined, walk


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
    inner.sources, inner.where = [], []


def simplify(block: Block) -> None:
    """Apply every rule to a bound block, in place."""
    if block.loose and block.limit is None:
        block.distinct, block.order = False, []
    _subqueries(block)
    _turn_right_joins(block)
    if any(source.join != "inner" for source in block.sources):
        _outer_joins(block)
    drop_links(block)
    _nulls(block)
    if block.group:
        _grouping(block)
    if block.distinct and _distinct_is_idle(block):
        block.distinct = False
    if block.aggregated and not block.group:  # a single row
        block.order = []
        if block.offset is None and block.limit is not None and block.limit.args[:1] not in (("0",),):
            block.limit = None


# -- subqueries in conditions ---------------------------------------------------------------------------------------


def _subqueries(block: Block) -> None:
    kept: list[Node] = []
    pending, block.where = block.where, []
    for condition in pending:
        node = _as_exists(condition, block)
        inner = node.args[0] if node.op == "exists" else None
        if isinstance(inner, Block) and plain(inner) and (_ignores_repeats(block) or all_determined(inner)):
            merge(inner, block)
        else:
            kept.append(node)
    block.where = kept + block.where


def _ignores_repeats(block: Block) -> bool:
    if block.aggregated or block.windowed or block.group:
        return False
    return block.distinct or (block.loose and block.limit is None)


def _as_exists(node: Node, block: Block) -> Node:
    """IN, NOT IN and = (SELECT key …) as (NOT) EXISTS with the equality inside, where that says the same."""
    if node.op in ("in", "notin"):
        subject, inner = node.args
        pairs = _pairs(subject, inner)
        if not pairs:
            return node
        if node.op == "notin" and not all(never_null(a, block) and never_null(b, inner) for a, b in pairs):
            return node
        return _correlated(inner, pairs, "exists" if node.op == "in" else "notexists", node)
    if node.op == "compare" and node.args[0] == "=":
        for subject, side in (node.args[1:], node.args[:0:-1]):
            if side.op == "scalar" and _names_one_row(subject, side.args[0]):
                return _correlated(side.args[0], _pairs(subject, side.args[0]), "exists", node)
    return node


def _pairs(subject: Node, inner: Block | SetBlock) -> list[tuple[Node, Node]]:
    """Subject and output, column by column; empty where the subquery is more than a plain selection."""
    if isinstance(inner, SetBlock) or not plain(inner):
        return []
    subjects = list(subject.args[1:]) if subject.op == "call" and subject.args[0] == "" else [subject]
    if len(subjects) != len(inner.select) or any(node.op == "star" for node in inner.select):
        return []
    return list(zip(subjects, inner.select, strict=True))


def _correlated(inner: Block, pairs: list[tuple[Node, Node]], op: str, node: Node) -> Node:
    inner.where += [comparison("=", subject, output) for subject, output in pairs]
    inner.select, inner.names, inner.order, inner.loose = [], [], [], True
    drop_links(inner)
    return Node(op, (inner,), node.span)


def _names_one_row(subject: Node, inner: Block | SetBlock) -> bool:
    if isinstance(inner, SetBlock) or not _pairs(subject, inner) or column(inner.select[0]) is None:
        return False
    if all_determined(inner):
        return True
    constants = any(left.op == "text" or right.op == "text" for left, right in equalities(inner.where))
    return constants and all_determined(inner, [column(inner.select[0])])


# -- outer joins ----------------------------------------------------------------------------------------------------


def _turn_right_joins(block: Block) -> None:
    """a RIGHT JOIN b is b LEFT JOIN a."""
    if len(block.sources) > 1 and block.sources[1].join == "right" and block.sources[0].join == "inner":
        left, right = block.sources[:2]
        left.join, right.join = "left", "inner"
        left.on, right.on = right.on, []


def _outer_joins(block: Block) -> None:
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
            block.where[block.where.index(condition)] = Node("notexists", (inner,), inner.span)
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
    if not _ignores_repeats(block) and id(source) not in determined(block, others):
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
    if any(source.join in ("right", "full") for source in block.sources):
        return
    while block.where and (_unify(block) or _drop_parent(block)):
        block.where = [node for node in block.where if not _trivial(node)]


def _trivial(node: Node) -> bool:
    return node.op == "compare" and node.args[0] == "=" and column(node.args[1]) is not None and (
        identity(node.args[1]) == identity(node.args[2])
    )  # fmt: skip


def _unify(block: Block) -> bool:
    """Two mentions of a table with equal keys are one row of it."""
    groups = classes(block)
    for source in block.sources:
        if source.fact is None or source.join != "inner":
            continue
        for other in _same_table(source, groups):
            if any(key and all(_equal(source, other, name, groups) for name in key) for key in source.fact.keys):
                source.merged = other
                block.sources.remove(source)
                return True
    return False


def _same_table(source: Source, groups: list) -> list[Source]:
    found = {id(each): each for group in groups for each, _ in group if each.table == source.table and each is not source}
    return [each for each in found.values() if each.fact is source.fact]


def _equal(one: Source, two: Source, name: str, groups: list) -> bool:
    wanted = ((id(one), name), (id(two), name))
    return any(all(each in {(id(s), n) for s, n in group} for each in wanted) for group in groups)


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
    if not inside or child[0] is source or source.join != "inner" or child[0].join != "inner":
        return False
    return all(used == name for each, used in _used(block, set()) if each is source)


# -- shapes ---------------------------------------------------------------------------------------------------------


def _nulls(block: Block) -> None:
    """x IS NOT NULL says nothing of a column that cannot be NULL anyway."""
    for node in [each for each in block.where if each.op == "notnull"]:
        if never_null(node.args[0], block, besides=node):
            block.where = [each for each in block.where if each is not node]


def _grouping(block: Block) -> None:
    _fewer_groups(block)
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


def _fewer_groups(block: Block) -> None:
    """A grouping column that the other ones determine makes no further groups."""
    unique = {identity(node): node for node in block.group}
    block.group = list(unique.values())
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
    """Does the HAVING condition speak of grouping columns alone, so that WHERE could hold it?"""
    if any(inner.op in ("aggregate", "window", "scalar", "in", "notin", "exists", "notexists", "unknown")
           for inner in walk(node)):  # fmt: skip
        return False
    keys = {(id(source), name) for source, name in _columns_of(block.group)}
    return all((id(source), name) in keys for source, name in columns(node))


def _distinct_is_idle(block: Block) -> bool:
    outputs = {identity(node) for node in block.select}
    if block.group:
        return all(identity(node) in outputs for node in block.group)
    if block.aggregated:
        return True
    stars = [node.args[0] for node in block.select if node.op == "star"]
    known = _columns_of(block.select) + [(source, name) for source in stars for key in keys_of(source) for name in key]
    return all_determined(block, known)


# -- set operations -------------------------------------------------------------------------------------------------


def simplify_set(block: SetBlock) -> Block | SetBlock:
    """INTERSECT and EXCEPT of plain selections as (NOT) EXISTS, where no NULL can make a difference."""
    if block.loose:
        block.op = block.op.removesuffix(" ALL") if block.limit is None else block.op
    op = {"INTERSECT": "exists", "EXCEPT": "notexists"}.get(block.op)
    if op is None or not all(_convertible(arm) for arm in block.arms):
        return block
    left = block.arms[0]
    width = len(left.select)
    if any(len(arm.select) != width or not _all_present(arm) for arm in block.arms):
        return block
    for right in block.arms[1:]:
        right.distinct = False
        pairs = list(zip(left.select, right.select, strict=True))
        span = right.spans.get("all")
        left.where.append(_correlated(right, pairs, op, Node(op, (), span)))
    left.distinct, left.loose = True, block.loose
    left.order, left.limit, left.offset = block.order, block.limit, block.offset
    left.spans["all"] = block.spans.get("all")
    simplify(left)
    return left


def _convertible(arm: Block | SetBlock) -> bool:
    if isinstance(arm, SetBlock):
        return False
    distinct, arm.distinct = arm.distinct, False
    result = plain(arm)
    arm.distinct = distinct
    return result


def _all_present(arm: Block) -> bool:
    return all(column(node) is not None and never_null(node, arm) for node in arm.select)
