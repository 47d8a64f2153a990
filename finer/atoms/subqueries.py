"""Rewrites of subqueries in conditions, and of set operations, into joins and (NOT) EXISTS, where that says the same.

Under the declared keys only. `x = (SELECT y FROM t WHERE name = 'a')` takes the first of several rows, so it is the join
and an operation beside it that says so, unless a key leaves one row. Not covered: subqueries that aggregate (but for
one of groups on a key), and those inside OR.
"""

from __future__ import annotations

from finer.atoms.expressions import comparison
from finer.atoms.joins import drop_links, drop_null_tests, ignores_repeats, merge, plain, put
from finer.atoms.keys import all_determined, equalities, identity, never_null
from finer.atoms.tree import Block, Node, SetBlock, Source, block_nodes, column, columns

Pairs = list[tuple[Node, Node]]
TIES = "1 with ties"


def inline_subqueries(block: Block) -> None:
    """Bring every subquery in the block's conditions to the join or the EXISTS that it amounts to."""
    for condition in _split_unions(block):
        node = _as_exists(condition, block)
        inner = node.args[0] if node.op == "exists" else None
        if isinstance(inner, Block) and _inlinable(inner, block):
            put(block, condition, [])
            for source in inner.sources:
                source.join = "semi" if source.join == "inner" else source.join
            merge(inner, block)
        elif node is not condition:
            put(block, condition, [node])
        elif condition.op in ("in", "compare"):
            _inline_groups(condition, block)


def first_rows(block: Block) -> None:
    """JOIN (SELECT y … LIMIT 1) AS t ON x = t.y is x = (SELECT y … LIMIT 1), if nothing else of t is used."""
    for source in [each for each in block.sources if each.block is not None and each.join == "inner"]:
        if len(block.sources) > 1 and isinstance(source.block, Block) and _is_first_row(source.block):
            _first_row_as_scalar(source, block)


def _is_first_row(inner: Block) -> bool:
    return inner.limit is not None and inner.limit.args == ("1",) and inner.offset is None


def _first_row_as_scalar(source: Source, block: Block) -> None:
    inner, names = source.block, source.names
    used = [(node, name) for node in block_nodes(block) for each, name in columns(node) if each is source]
    condition = used[0][0] if len(used) == 1 else None
    if condition is None or names is None or used[0][1] not in names or all(condition is not node for node in block.where):
        return
    for left, right in equalities([condition]):
        for subject, side in ((left, right), (right, left)):
            if column(side) == (source, used[0][1]) and side.op == "col":
                at = names.index(used[0][1])
                inner.select, inner.names = [inner.select[at]], [inner.names[at]]
                block.sources.remove(source)
                put(block, condition, [comparison("=", subject, Node("scalar", (inner,), side.span))])
                block.subqueries += 1
                return


def _split_unions(block: Block) -> list[Node]:
    """NOT IN (a UNION b) is NOT IN a AND NOT IN b. Returns the conditions that may hold a subquery."""
    for condition in list(block.where):
        inner = condition.args[1] if condition.op == "notin" else None
        if isinstance(inner, SetBlock) and inner.op == "UNION" and inner.limit is None:
            put(block, condition, [Node("notin", (condition.args[0], arm), condition.span) for arm in inner.arms])
            block.subqueries += 1
    return [condition for condition in block.where if condition.op in ("in", "notin", "exists", "compare")]


def _inlinable(inner: Block, block: Block) -> bool:
    if not inner.sources:  # every source of it turned out to be one of the block around it
        return not (inner.aggregated or inner.group or inner.having or inner.limit or inner.offset)
    if not plain(inner):
        return False
    joined_in = all(source.join in ("inner", "semi") for source in inner.sources)
    return joined_in or ignores_repeats(block) or all_determined(inner)


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
    for subject, side in _scalars(node):
        inner = side.args[0]
        if _pairs(subject, inner) and column(inner.select[0]) is not None:
            if all_determined(inner):
                return _correlated(inner, _pairs(subject, inner), "exists", node)
            if _first_row(inner):
                return _correlated(inner, _pairs(subject, inner), "exists", node)
    return node


def _scalars(node: Node) -> Pairs:
    """Both readings of an equality with a scalar subquery: (other side, subquery)."""
    if node.op != "compare" or node.args[0] != "=":
        return []
    _, left, right = node.args
    return [(one, two) for one, two in ((left, right), (right, left)) if two.op == "scalar"]


def _pairs(subject: Node, inner: Block | SetBlock) -> Pairs:
    """Subject and output, column by column; empty where the subquery is more than a plain selection."""
    if isinstance(inner, SetBlock) or not plain(inner):
        return []
    subjects = list(subject.args[1:]) if subject.op == "call" and subject.args[0] == "" else [subject]
    if len(subjects) != len(inner.select) or any(node.op == "star" for node in inner.select):
        return []
    return list(zip(subjects, inner.select, strict=True))


def _correlated(inner: Block, pairs: Pairs, op: str, node: Node) -> Node:
    inner.where += [comparison("=", subject, output) for subject, output in pairs]
    inner.select, inner.names, inner.order, inner.loose = [], [], [], True
    drop_links(inner)
    drop_null_tests(inner)
    return Node(op, (inner,), node.span)


def _first_row(inner: Block) -> bool:
    """Mark the sources of x = (SELECT y …) as read by their first row: the join, and an operation of its own beside it.

    Not where the output is itself asked about inside: through the join that condition could be one of the outside.
    """
    output = column(inner.select[0])
    asked = {(id(source), name) for node in inner.where for source, name in columns(node)}
    if (id(output[0]), output[1]) in asked or any(source.join != "inner" for source in inner.sources):
        return False
    for source in inner.sources:
        source.first = True
    return True


# -- groups on a key ------------------------------------------------------------------------------------------------


def _inline_groups(condition: Node, block: Block) -> None:
    """key IN (SELECT k … GROUP BY k HAVING …) is the join grouped by the key; likewise a ranking with LIMIT."""
    readings = [condition.args] if condition.op == "in" else _scalars(condition)
    for subject, side in readings:
        inner = side if isinstance(side, (Block, SetBlock)) else side.args[0]
        if isinstance(inner, Block) and _grouped_on_key(subject, inner, block, condition.op == "in"):
            put(block, condition, [comparison("=", subject, inner.select[0])])
            block.group, block.having, block.aggregated = inner.group, inner.having, inner.aggregated
            block.order, block.limit = inner.order or block.order, inner.limit or block.limit
            merge(inner, block)
            return


def _grouped_on_key(subject: Node, inner: Block, block: Block, several: bool) -> bool:
    shaped = block.group or block.having or block.aggregated or block.windowed
    if shaped or len(inner.select) != 1 or column(subject) is None or column(inner.select[0]) is None:
        return False
    if inner.distinct or inner.windowed or inner.offset is not None or not inner.sources:
        return False
    if any(source.join != "inner" for source in (*inner.sources, *block.sources)):
        return False
    by_output = [identity(node) for node in inner.group] == [identity(inner.select[0])]
    if not all_determined(block, [column(subject)]) or not (by_output or (not inner.group and not inner.aggregated)):
        return False
    if inner.limit is None:
        return several and by_output
    one = inner.limit.args[:1] == ("1",)
    return (one or (several and by_output)) and _whole_parent(subject, inner.select[0], block)


def _whole_parent(subject: Node, output: Node, block: Block) -> bool:
    """Is the block nothing but a parent table whose every child is ranked, so that the ranking can be its own?"""
    shaped = block.order or block.limit is not None or block.offset is not None or block.distinct
    if shaped or len(block.sources) != 1 or len(block.where) != 1:
        return False
    return _refers(column(output), column(subject)) or _same_column(column(output), column(subject))


def _refers(child: tuple[Source, str], parent: tuple[Source, str]) -> bool:
    fact = child[0].fact.columns.get(child[1]) if child[0].fact is not None else None
    return fact is not None and fact.references == (parent[0].table, parent[1])


def _same_column(one: tuple[Source, str], two: tuple[Source, str]) -> bool:
    return one[0].table == two[0].table and one[1] == two[1]


# -- the row with the least value -----------------------------------------------------------------------------------


def rank_extremes(block: Block) -> None:
    """x = (SELECT MIN(x) FROM …the same rows) is ORDER BY x LIMIT 1, ties included: near the plain ranking, not equal."""
    shaped = block.group or block.aggregated or block.windowed or block.order or block.distinct
    if shaped or block.limit is not None or block.offset is not None:
        return
    for condition in block.where:
        for subject, side in _scalars(condition):
            direction = _extreme_of(subject, side.args[0], condition, block)
            if direction:
                put(block, condition, [])
                block.order = [(Node(subject.op, subject.args, condition.span), direction)]
                block.limit = Node("raw", (TIES,), condition.span)
                return


def _extreme_of(subject: Node, inner: Block | SetBlock, condition: Node, block: Block) -> str:
    """'ASC' or 'DESC' where the subquery is the least or greatest value of the subject over the block's rows."""
    found = column(subject)
    if found is None or isinstance(inner, SetBlock) or len(inner.sources) != 1 or len(inner.select) != 1:
        return ""
    if inner.group or inner.having or inner.limit is not None or inner.select[0].op != "aggregate":
        return ""
    name, _, arguments = inner.select[0].args
    source, own = found[0], inner.sources[0]
    if name not in ("MIN", "MAX") or len(arguments) != 1 or own.fact is not source.fact or own.table != source.table:
        return ""
    rest = [node for node in block.where if node is not condition and not _to_parent(node, block)]
    linked = sum(_to_parent(node, block) for node in block.where)
    same = {_as_if(node, own, source) for node in inner.where} == {identity(node) for node in rest}
    if not same or linked != len(block.sources) - 1 or _as_if(arguments[0], own, source) != identity(subject):
        return ""
    return "ASC" if name == "MIN" else "DESC"


def _to_parent(node: Node, block: Block) -> bool:
    """Is the condition a declared link between two sources of the block?"""
    for left, right in equalities([node]):
        one, two = column(left), column(right)
        if one is not None and two is not None and one[0] is not two[0]:
            return _refers(one, two) or _refers(two, one)
    return False


def _as_if(node: Node, own: Source, source: Source) -> object:
    """The identity of an expression with one source read as the other."""
    own.merged = source
    try:
        return identity(node)
    finally:
        own.merged = None


# -- set operations -------------------------------------------------------------------------------------------------


def set_as_conditions(block: SetBlock) -> Block | None:
    """INTERSECT and EXCEPT of plain selections as a DISTINCT selection with (NOT) EXISTS; None for other ones."""
    op = {"INTERSECT": "exists", "EXCEPT": "notexists"}.get(block.op)
    if op is None or not all(_convertible(arm) for arm in block.arms):
        return None
    left = block.arms[0]
    if any(len(arm.select) != len(left.select) for arm in block.arms):
        return None
    for right in block.arms[1:]:
        pairs = list(zip(left.select, right.select, strict=True))
        right.where += [_equal(one, two, left, right) for one, two in pairs]
        right.select, right.names, right.distinct, right.loose = [], [], False, True
        drop_links(right)
        left.where.append(Node(op, (right,), right.spans.get("all")))
        left.subqueries += 1
    left.distinct, left.loose = True, block.loose
    left.order, left.limit, left.offset = block.order, block.limit, block.offset
    left.spans["all"] = block.spans.get("all")
    return left


def _equal(one: Node, two: Node, left: Block, right: Block) -> Node:
    """Set operations take NULL for equal to NULL, as IS does; where there is none, = says the same."""
    return comparison("=" if never_null(one, left) or never_null(two, right) else "IS", one, two)


def _convertible(arm: Block | SetBlock) -> bool:
    if isinstance(arm, SetBlock) or any(node.op == "star" for node in arm.select):
        return False
    distinct, arm.distinct = arm.distinct, False
    result = plain(arm)
    arm.distinct = distinct
    return result
