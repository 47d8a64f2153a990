"""What the declared keys prove about a block: which rows are determined, which columns are never NULL.

Everything here is a proof under the belief that declared keys hold (see ``catalog``); where nothing can be shown the
answer is "no", so a rule that asks leaves the query as it is. Not covered: keys that only the data have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from finer.atoms.tree import Block, Node, Source, column, columns, real

Column = tuple[Source, str]


def identity(item: Any) -> Any:
    """A hashable stand-in for a bound expression: equal where two expressions are the same operation."""
    if isinstance(item, Node):
        if item.op == "col":
            source, name = real(*item.args)
            return ("col", id(source), name)
        return (item.op, *(identity(part) for part in item.args))
    if isinstance(item, tuple):
        return tuple(identity(part) for part in item)
    return item if isinstance(item, (str, bool, int)) or item is None else id(item)


def equalities(conditions: Iterable[Node]) -> Iterator[tuple[Node, Node]]:
    """The two sides of every condition that is a plain equality."""
    for node in conditions:
        if node.op == "compare" and node.args[0] == "=":
            yield node.args[1], node.args[2]


def keys_of(source: Source) -> tuple[frozenset[str], ...]:
    """Sets of columns that identify a row of the source."""
    if source.fact is not None:
        return source.fact.keys
    block = source.block
    if not isinstance(block, Block):
        return ()
    if block.aggregated and not block.group:
        return (frozenset(),)
    names = {identity(node): name for node, name in zip(block.select, source.names or block.names, strict=False) if name}
    grouped = [names.get(identity(node)) for node in block.group]
    return (frozenset(grouped),) if grouped and all(grouped) else ()


def determined(block: Block, known: Iterable[Column] = (), sources: Iterable[Source] = ()) -> set[int]:
    """Ids of the sources of which at most one row remains once these columns and sources (and all outer ones) are fixed."""
    own = {id(source) for source in block.sources}
    if any(source.join in ("right", "full") for source in block.sources):
        return set()
    fixed = {(id(source), name) for source, name in known}
    found = {id(source) for source in sources}

    def is_fixed(source: Source, name: str) -> bool:
        source, name = real(source, name)
        return id(source) not in own or id(source) in found or (id(source), name) in fixed

    def known_value(node: Node) -> bool:
        return all(is_fixed(*each) for each in columns(node)) and not _has_query(node)

    sides = [pair for pair in equalities(_conditions(block))]
    while True:
        size = len(found) + len(fixed)
        for left, right in (*sides, *((right, left) for left, right in sides)):
            target = column(left)
            if target is not None and not is_fixed(*target) and known_value(right):
                fixed.add((id(target[0]), target[1]))
        for source in block.sources:
            if id(source) not in found and any(_names_row(source, key, block, is_fixed) for key in keys_of(source)):
                found.add(id(source))
        if len(found) + len(fixed) == size:
            return found


def _names_row(source: Source, key: frozenset[str], block: Block, is_fixed: Callable[[Source, str], bool]) -> bool:
    """Are all columns of the key fixed, those that hold NULLs (UNIQUE allows several) to a value that is none?"""
    if not all(is_fixed(source, name) for name in key):
        return False
    loose = [name for name in key if source.fact is not None and source.fact.columns[name].has_null]
    return not loose or all(any((id(source), name) in rejected(each) for each in _conditions(block)) for name in loose)


def _conditions(block: Block) -> Iterator[Node]:
    yield from block.where
    for source in block.sources:
        # A row of the left side fixes its partner; the partner fixes nothing, as it may be missing.
        yield from (node for node in source.on if any(each is source for each, _ in columns(node)))


def _has_query(node: Node) -> bool:
    return node.op in ("scalar", "in", "notin", "exists", "notexists", "aggregate", "window")


def all_determined(block: Block, known: Iterable[Column] = ()) -> bool:
    """Is at most one row of the whole block left once these columns are fixed?"""
    if not block.sources:
        return False
    found = determined(block, known)
    return all(id(source) in found or source.join == "semi" for source in block.sources)


def rejected(node: Node) -> set[tuple[int, str]]:
    """Columns that cannot be NULL in a row for which the condition holds, as (id of source, name)."""
    if node.op == "compare" and node.args[0] not in ("IS", "IS NOT"):
        return {_key(found) for side in node.args[1:] if (found := column(side)) is not None}
    if node.op in ("pattern", "notnull", "in"):
        found = column(node.args[1] if node.op == "pattern" else node.args[0])
        return {_key(found)} if found is not None else set()
    if node.op == "and":
        return set().union(*map(rejected, node.args))
    if node.op == "or":
        return set.intersection(*map(rejected, node.args))
    return set()


def _key(found: Column) -> tuple[int, str]:
    return id(found[0]), found[1]


def never_null(node: Node, block: Block, besides: Node | None = None) -> bool:
    """Can the expression never be NULL in a row of the block? ``besides``: a condition that is not to be counted."""
    if node.op in ("number", "text"):
        return True
    found = column(node)
    if found is None:
        return False
    source, name = found
    fact = source.fact.columns.get(name) if source.fact is not None else None
    if fact is not None and fact.never_null and not _nullable(source):
        return True
    return any((id(source), name) in rejected(each) for each in block.where if each is not besides)


def _nullable(source: Source) -> bool:
    """May an outer join put NULLs in place of this source's row?"""
    owner = source.owner
    return source.join not in ("inner", "semi") or owner is None or any(each.join in ("right", "full") for each in owner.sources)


def comparable(left: Column, right: Column) -> bool:
    """May an equality of the two columns let either stand for the other? Not if their types turn values about."""
    facts = [source.fact.columns.get(name) if source.fact is not None else None for source, name in (left, right)]
    if facts[0] is None or facts[1] is None or facts[0].affinity == facts[1].affinity:
        return True
    if {facts[0].affinity, facts[1].affinity} <= {"integer", "real", "numeric"}:
        return True
    return facts[0].references == (right[0].table, right[1]) or facts[1].references == (left[0].table, left[1])


def classes(block: Block) -> list[list[Column]]:
    """Groups of columns that are equal in every row of the block, through its equalities."""
    groups: dict[tuple[int, str], list[Column]] = {}
    for left, right in equalities(block.where):
        one, two = column(left), column(right)
        if one is None or two is None or not linkable(one, two):
            continue
        first, second = groups.get(_key(one), [one]), groups.get(_key(two), [two])
        if first is not second:
            there = set(map(_key, first))
            first = first + [each for each in second if _key(each) not in there]
        for each in first:
            groups[_key(each)] = first
    return list({id(group): group for group in groups.values()}.values())


def linkable(one: Column, two: Column) -> bool:
    """Is an equality of these two columns a link that makes them interchangeable?"""
    if one[0] is two[0] and one[1] == two[1]:
        return False
    return not _nullable(one[0]) and not _nullable(two[0]) and comparable(one, two)
