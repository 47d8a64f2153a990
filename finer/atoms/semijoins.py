"""Semi-joins: sources of which a block only asks that they exist.

`s WHERE id IN (SELECT …)`, `s JOIN t … GROUP BY s.id` and `SELECT DISTINCT s.id … JOIN t` list the rows of s that have
partners once each. All of them become a join whose partners are marked 'semi', so that a query that forgot to remove
the repeats differs by one operation. Not covered: sums over semi-joined rows, and outer joins beside them.
"""

from __future__ import annotations

from finer.atoms.joins import ignores_repeats
from finer.atoms.keys import classes, determined
from finer.atoms.tree import Block, Node, Source, column, columns


def semi_joins(block: Block) -> None:
    """Mark the sources that are only asked for existence; make them plain where repeats cannot matter or cannot come."""
    if any(source.join in ("right", "full") for source in block.sources):
        return
    if len(block.sources) > 1 and (_listed_once(block) or _counted_once(block)):
        block.distinct, block.group = False, []
    semis = [source for source in block.sources if source.join == "semi" and not source.first]
    if not semis:
        return
    if ignores_repeats(block):
        for source in semis:
            source.join = "inner"
        return
    found = determined(block, sources=[source for source in block.sources if source.join != "semi"])
    for source in semis:
        source.join = "inner" if id(source) in found else "semi"


def _listed_once(block: Block) -> bool:
    """DISTINCT or GROUP BY that lists every row of some sources once, and asks of the other ones only that they exist."""
    if block.windowed or block.having or block.loose or block.aggregated or bool(block.group) == block.distinct:
        return False
    listed = block.group or block.select
    used = [*listed, *block.select, *(key for key, _ in block.order)]
    return _ask_others(block, listed, used)


def _counted_once(block: Block) -> bool:
    """COUNT(DISTINCT key): the rows counted once each, whatever else is joined to them."""
    if not block.aggregated or block.group or block.having or block.order or block.windowed or len(block.select) != 1:
        return False
    node = block.select[0]
    if node.op != "aggregate" or node.args[:2] != ("COUNT", True) or len(node.args[2]) != 1:
        return False
    counted = column(node.args[2][0])
    if counted is None:
        return False
    found = determined(block, [counted])
    same = next((group for group in classes(block) if any(_is(each, counted) for each in group)), [counted])
    inside = next((each for each in same if id(each[0]) in found), None)
    if inside is None:
        return False
    counted_node = Node("col", inside, node.args[2][0].span)
    if not _ask_others(block, [counted_node], [counted_node]):
        return False
    block.select = [Node("aggregate", ("COUNT", False, (counted_node,)), node.span)]
    return True


def _is(one: tuple[Source, str], two: tuple[Source, str]) -> bool:
    return one[0] is two[0] and one[1] == two[1]


def _ask_others(block: Block, listed: list[Node], used: list[Node]) -> bool:
    """Mark as semi-joined what the listed columns do not determine, if nothing of it is used."""
    if any(source.join not in ("inner", "semi") for source in block.sources):
        return False
    stars = [node.args[0] for node in listed if node.op == "star"]
    found = determined(block, [each for node in listed if (each := column(node)) is not None], stars)
    rows = [source for source in block.sources if id(source) in found]
    if not rows or len(rows) == len(block.sources):
        return False
    if any(id(source) not in found for node in used for source, _ in columns(node)):
        return False
    for source in block.sources:
        source.join = source.join if id(source) in found else "semi"
    return True
