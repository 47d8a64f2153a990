"""Which column a name means: SQLite's rules of scope, and what it reads as a text literal.

A frame is one SELECT while it is bound. Names are looked for in its sources, then among its output aliases, then in
the frame around it; a double-quoted name found nowhere is a text literal, as SQLite has it. Not covered: errors.
A name that SQLite would refuse stays as '?.name', so that the rest of the query still counts.
"""

from __future__ import annotations

from typing import Any

from finer.atoms.tree import Block, Node, Source, Span, joined

ROWID_NAMES = frozenset(("rowid", "oid", "_rowid_"))


class View:
    """The name of a derived table that was inlined: its output names and the expressions they stand for."""

    __slots__ = ("names", "nodes")

    def __init__(self, names: list[str], nodes: list[Node]):
        self.names, self.nodes = names, nodes


class Frame:
    """The names that one SELECT sees."""

    __slots__ = ("aliases", "block", "ctes", "entries", "parent", "shared", "windows")

    def __init__(self, parent: Frame | None):
        self.parent = parent
        self.block = Block()
        self.entries: list[tuple[str, Source | View]] = []
        self.ctes: dict[str, Any] = {}
        self.aliases: dict[str, Node] = {}
        self.windows: dict[str, Any] = {}
        self.shared: dict[str, Node] = {}
        """Columns named by USING or NATURAL: a bare name means the left one."""

    def cte(self, name: str) -> Any:
        """The common table expression of that name that is nearest, or None."""
        frame: Frame | None = self
        while frame is not None:
            if name in frame.ctes:
                return frame.ctes[name]
            frame = frame.parent
        return None


def lookup(entry: Source | View, name: str, span: Span) -> Node | None:
    """The column of that name in one source; None where it surely has none."""
    if isinstance(entry, View):
        return _view_column(entry, name, span)
    if has_column(entry, name) is False:
        return None
    return Node("col", (entry, name), span)


def has_column(source: Source, name: str) -> bool | None:
    """Does the source have that column? None: not known, no schema."""
    if source.fact is not None:
        return name in source.fact.columns
    return None if source.names is None else name in source.names


def _view_column(view: View, name: str, span: Span) -> Node | None:
    for known, node in zip(view.names, view.nodes, strict=False):
        if known == name:
            return Node(node.op, node.args, span or node.span)
        if node.op == "star" and known == "*":
            found = lookup(node.args[0], name, span)
            if found is not None:
                return found
    return None


def qualified(frame: Frame, table: str, name: str, span: Span) -> Node:
    """A column written table.name."""
    searched: Frame | None = frame
    while searched is not None:
        for alias, entry in searched.entries:
            if alias == table:
                return lookup(entry, name, span) or _misspelt(entry, table, name, span)
        searched = searched.parent
    # SQLite refuses the real name once an alias is given; models write it, and what they mean is plain.
    for _, entry in frame.entries:
        if isinstance(entry, Source) and entry.table == table:
            return Node("col", (entry, name), span)
    return Node("unknown", (f"?{table}.{name}",), span)


def _misspelt(entry: Source | View, table: str, name: str, span: Span) -> Node:
    if isinstance(entry, Source):
        return Node("col", (entry, _row_key(entry, name)), span)
    return Node("unknown", (f"?{table}.{name}",), span)


def _row_key(source: Source, name: str) -> str:
    """'rowid' stands for an integer primary key."""
    if name in ROWID_NAMES and source.fact is not None:
        for key in source.fact.keys:
            only = next(iter(key))
            if len(key) == 1 and source.fact.columns[only].affinity == "integer":
                return only
    return name


def bare(frame: Frame, name: str, written: str, double_quoted: bool, span: Span) -> Node:
    """A column written without its table. ``written`` is the name in its own case, for a text literal."""
    searched: Frame | None = frame
    while searched is not None:
        found = _in_frame(searched, name, span)
        if found is not None:
            return found
        searched = searched.parent
    if double_quoted:
        return Node("text", (written,), span)
    only = frame.entries[0][1] if len(frame.entries) == 1 else None
    if isinstance(only, Source):
        return Node("col", (only, _row_key(only, name)), span)
    return Node("unknown", (f"?.{name}",), span)


def _in_frame(frame: Frame, name: str, span: Span) -> Node | None:
    if name in frame.shared:
        node = frame.shared[name]
        return Node(node.op, node.args, span)
    unsure, found = [], []
    for _, entry in frame.entries:
        if isinstance(entry, Source) and has_column(entry, name) is None:
            unsure.append(entry)
        elif (node := lookup(entry, name, span)) is not None:
            found.append(node)
    if found:
        # Of two columns SQLite refuses to choose; so the text can match no query that runs.
        return found[0] if len(found) == 1 else Node("unknown", (f"?ambiguous.{name}",), span)
    if name in frame.aliases:
        return again(frame.aliases[name], span)
    if len(unsure) == 1:
        return Node("col", (unsure[0], name), span)
    return None


def again(node: Node, span: Span) -> Node:
    """The same expression at another place of the text."""
    return Node(node.op, node.args, joined(span) or node.span)
