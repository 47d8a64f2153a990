"""The bound form of a query, between syntax tree and atoms: nodes, sources, blocks.

Every column is a pair (source, name) rather than a text, so aliases are gone and a rule can move or merge sources
without touching the expressions that mention them. Plain mutable classes with slots: they live for one extraction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Span = tuple[int, int] | None
CONDITIONS = ("compare", "and", "or", "not", "isnull", "notnull", "pattern", "in", "notin", "exists", "notexists")
"""Nodes that are true or false; as operands of another operation they stand in brackets."""


class Node:
    """One bound expression: an operation, its arguments (nodes, texts, sources or blocks), its place in the text."""

    __slots__ = ("args", "op", "span")

    def __init__(self, op: str, args: tuple[Any, ...] = (), span: Span = None):
        self.op, self.args, self.span = op, args, span


class Source:
    """One row source of a block: a table, or a derived table that could not be inlined.

    ``join`` is 'inner', 'left', 'right', 'full', or 'semi': a row of the block needs some row of this source (all semi
    sources together, as one EXISTS), but is not repeated for several. ``first`` marks the source of a scalar subquery,
    of which SQLite takes the first row.
    """

    __slots__ = ("block", "fact", "first", "join", "label", "merged", "names", "on", "owner", "replace", "span", "table")

    def __init__(self, table: str, fact: Any, block: Any, span: Span):
        self.table, self.fact, self.block, self.span = table, fact, block, span
        self.owner: Block | None = None
        self.join = "inner"
        self.first = False
        self.on: list[Node] = []
        self.merged: Source | None = None
        self.replace: dict[str, tuple[Source, str]] = {}
        self.label = table
        self.names: list[str] | None = None


class Block:
    """One SELECT."""

    __slots__ = (
        "aggregated",
        "classes",
        "distinct",
        "filters",
        "group",
        "having",
        "limit",
        "loose",
        "names",
        "offset",
        "order",
        "parent",
        "prepared",
        "select",
        "sources",
        "span",
        "spans",
        "subqueries",
        "where",
        "windowed",
    )  # fmt: skip

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.where: list[Node] = []
        self.select: list[Node] = []
        self.names: list[str] = []
        self.distinct = False
        self.group: list[Node] = []
        self.having: list[Node] = []
        self.order: list[tuple[Node, str]] = []
        self.limit: Node | None = None
        self.offset: Node | None = None
        self.aggregated = self.windowed = False
        self.loose = False
        """True where repeated rows cannot matter: under EXISTS and IN."""
        self.span: Span = None
        self.subqueries = 0
        """Subqueries mentioned in its expressions when it was bound; rules may have inlined some since."""
        self.classes: list[list[tuple[Source, str]]] = []
        self.filters: list[Node] = []
        self.spans: dict[str, Span] = {}
        self.prepared = False
        self.parent: Any = None


class SetBlock:
    """A set operation over two or more arms; of one kind, UNION and UNION ALL apart."""

    __slots__ = ("arms", "limit", "loose", "names", "offset", "op", "order", "parent", "spans")

    def __init__(self, op: str, arms: list[Any]):
        self.op, self.arms = op, arms
        self.order: list[tuple[Node, str]] = []
        self.limit: Node | None = None
        self.offset: Node | None = None
        self.spans: dict[str, Span] = {}
        self.names: list[str] = []
        self.parent: Any = None
        self.loose = False


def joined(*spans: Span) -> Span:
    """The smallest span around all of them."""
    found: Span = None
    for span in spans:
        if span is not None:
            found = span if found is None else (min(found[0], span[0]), max(found[1], span[1]))
    return found


def real(source: Source, name: str) -> tuple[Source, str]:
    """Where a column truly comes from, after sources were merged or dropped."""
    while True:
        if source.merged is not None:
            source = source.merged
        elif name in source.replace:
            source, name = source.replace[name]
        else:
            return source, name


def column(node: Node) -> tuple[Source, str] | None:
    """The (source, name) of a node that is a bare column of a known source, else None."""
    return real(*node.args) if node.op == "col" else None


def columns(node: Node) -> Iterator[tuple[Source, str]]:
    """Every column a node mentions, those of its subqueries included; '*' for a whole source."""
    for inner in walk(node):
        if inner.op == "col":
            yield real(*inner.args)
        elif inner.op == "star":
            yield real(inner.args[0], "*")


def walk(node: Node) -> Iterator[Node]:
    """A node and everything under it, through subqueries."""
    stack: list[Any] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, Node):
            yield item
            if item.op not in ("col", "star", "number", "text"):
                stack.extend(item.args)
        elif isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, (Block, SetBlock)):
            stack.extend(block_nodes(item))


def own_nodes(nodes: Iterable[Node]) -> list[Node]:
    """The nodes and everything under them, not what is inside their subqueries."""
    found: list[Node] = []
    stack: list[Any] = list(nodes)
    while stack:
        item = stack.pop()
        if isinstance(item, Node):
            found.append(item)
            if item.op not in ("col", "star", "number", "text"):
                stack.extend(item.args)
        elif isinstance(item, tuple):
            stack.extend(item)
    return found


def block_nodes(block: Block | SetBlock) -> Iterator[Node]:
    """Every expression that stands in a block, its derived tables and arms included."""
    yield from (node for node, _ in block.order)
    yield from (node for node in (block.limit, block.offset) if node is not None)
    if isinstance(block, SetBlock):
        for arm in block.arms:
            yield from block_nodes(arm)
        return
    for part in (block.select, block.where, block.group, block.having):
        yield from part
    for source in block.sources:
        yield from source.on
        if source.block is not None:
            yield from block_nodes(source.block)
