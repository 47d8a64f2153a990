"""Bound blocks → atoms: one for each operation, with its scope and its place in the text.

A scope names where an operation stands by kind ('subquery', 'derived', 'union.left'), nested scopes joined by a dot,
so that equal operations of different subqueries of one kind are told apart by what the outer query says of them. A
semi-join is said by one atom, which names the tables whose rows are listed once each.
"""

from __future__ import annotations

from finer.atoms.tree import Block, Node, SetBlock, Span, joined, own_nodes
from finer.atoms.writing import Writer, link_span, prepare
from finer.records import Atom

Piece = tuple[str, str, str, Span]
"""Clause, text, scope within the block, place."""
COMMUTATIVE = ("UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL")
QUERIES = ("scalar", "in", "notin", "exists", "notexists")


def atoms_of(block: Block | SetBlock) -> tuple[Atom, ...]:
    """Every operation of a bound query."""
    return tuple(Atom(clause, text, scope, span) for clause, text, scope, span in _Atoms().pieces(block, True))


class _Atoms:
    def __init__(self) -> None:
        self.writer = Writer(self.pieces)
        self.known: dict[int, list[Piece]] = {}

    def pieces(self, block: Block | SetBlock, positions: bool = True) -> list[Piece]:
        """The operations of a block and of everything inside it, worked out once."""
        found = self.known.get(id(block))
        if found is None:
            several, twice = self.writer.several, self.writer.twice
            found = self._set(block, positions) if isinstance(block, SetBlock) else self._block(block, positions)
            self.writer.several, self.writer.twice = several, twice
            self.known[id(block)] = found
        return found

    # -- one SELECT ---------------------------------------------------------------------------------------------

    def _block(self, block: Block, positions: bool) -> list[Piece]:
        self.writer.several, self.writer.twice = False, set()
        prepare(block, self.writer)
        inside = own_nodes(_expressions(block)) if block.subqueries or block.windowed else []
        queries = [node.args[-1] for node in inside if node.op in QUERIES]
        self.writer.several = len(queries) > 1
        windows = [node for node in inside if node.op == "window"]
        functions = [self.writer.text(node.args[0], block) for node in windows]
        self.writer.twice = {each for each in functions if functions.count(each) > 1}
        pieces = [*self._from(block), *self._links(block), *self._select(block, positions), *self._filters(block)]
        pieces += [*self._tail(block, block.spans), *self._windows(block, windows)]
        for source in block.sources:
            if source.block is not None:
                pieces += _within("derived", self.pieces(source.block, False))
        for query in queries:
            pieces += _within("subquery", self.pieces(query))
        return pieces

    def _from(self, block: Block) -> list[Piece]:
        pieces: list[Piece] = []
        for source in block.sources:
            pieces.append(("FROM", source.table, "", source.span))
            if source.first:
                pieces.append(("LIMIT", f"first row of {source.label}", "", source.span))
            if source.join not in ("inner", "semi"):
                tests = self.writer.texts(source.on, block)
                told = f"{source.join.upper()} {source.label}"
                span = joined(source.span, *(node.span for node in source.on))
                pieces += [("JOIN", f"{told} ON {test}", "", node.span) for test, node in zip(tests, source.on, strict=True)]
                pieces.append(("JOIN", told, "", span))
        semis = [source for source in block.sources if source.join == "semi" and not source.first]
        if semis:
            rows = sorted(source.label for source in block.sources if source.join != "semi")
            span = joined(*(source.span for source in semis))
            pieces.append(("DISTINCT", f"rows of {', '.join(rows) or 'nothing'}", "", span))
        return pieces

    def _links(self, block: Block) -> list[Piece]:
        """Of each group of equal columns, the equality of every member with the one that stands for them."""
        pieces: list[Piece] = []
        for group in block.classes:
            first = self.writer.name(*group[0], block)
            for member in group[1:]:
                text = " = ".join(sorted((first, self.writer.name(*member, block))))
                pieces.append(("JOIN", text, "", link_span(group, member, block)))
        return pieces

    def _select(self, block: Block, positions: bool) -> list[Piece]:
        nodes = _stars(block)
        texts = self.writer.texts(nodes, block)
        pieces: list[Piece] = [("SELECT", text, "", node.span) for text, node in zip(texts, nodes, strict=True)]
        if positions and len(texts) > 1 and texts != sorted(texts):
            ranks = " ".join(str(sorted(texts).index(text) + 1) for text in texts)
            pieces.append(("SELECT", f"columns in order {ranks}", "", joined(*(node.span for node in nodes))))
        if block.distinct:
            pieces.append(("DISTINCT", "DISTINCT", "", joined(*(node.span for node in nodes))))
        return pieces

    def _filters(self, block: Block) -> list[Piece]:
        pieces = [("WHERE", text, "", span) for text, span in self._unique(block.filters, block)]
        pieces += [("GROUP BY", text, "", span) for text, span in self._unique(block.group, block)]
        pieces += [("HAVING", text, "", span) for text, span in self._unique(block.having, block)]
        return pieces

    def _unique(self, nodes: list[Node], block: Block) -> list[tuple[str, Span]]:
        """Said twice is said once."""
        texts: dict[str, Span] = {}
        for node in nodes:
            texts.setdefault(self.writer.text(node, block), node.span)
        return list(texts.items())

    def _tail(self, block: Block | SetBlock, spans: dict[str, Span]) -> list[Piece]:
        at = block if isinstance(block, Block) else _first(block)
        texts: dict[str, Span] = {}
        for node, direction in block.order:
            texts.setdefault(f"{self.writer.text(node, at)} {direction}", node.span)
        pieces: list[Piece] = []
        for index, (text, span) in enumerate(texts.items()):
            pieces.append(("ORDER BY", text if not index else f"{text} ({index + 1})", "", span))
        if block.limit is not None:
            pieces.append(("LIMIT", self.writer.text(block.limit, at), "", block.limit.span))
        if block.offset is not None and block.offset.args[:1] != ("0",):
            pieces.append(("OFFSET", self.writer.text(block.offset, at), "", block.offset.span))
        return pieces

    def _windows(self, block: Block, windows: list[Node]) -> list[Piece]:
        pieces: dict[str, Piece] = {}
        for node in windows:
            function, parts = self.writer.window(node, block)
            for part in parts:
                text = f"{function} OVER {part}"
                pieces.setdefault(text, ("WINDOW", text, "", node.span))
        return list(pieces.values())

    # -- set operations -----------------------------------------------------------------------------------------

    def _set(self, block: SetBlock, positions: bool) -> list[Piece]:
        arms = [(arm, self.pieces(arm, positions)) for arm in block.arms]
        if block.op in COMMUTATIVE:
            arms.sort(key=lambda arm: sorted(piece[:3] for piece in arm[1]))
            block.arms = [arm for arm, _ in arms]
        names = ("left", "right") if len(arms) == 2 else tuple(str(index + 1) for index in range(len(arms)))
        pieces: list[Piece] = [("SET", block.op, "", block.spans.get("all"))] * (len(arms) - 1)
        for name, (_, inner) in zip(names, arms, strict=True):
            pieces += _within(f"{block.op.lower()}.{name}", inner)
        prepare(_first(block), self.writer)
        return pieces + self._tail(block, block.spans)


def _first(block: SetBlock) -> Block:
    inner: Block | SetBlock = block
    while isinstance(inner, SetBlock):
        inner = inner.arms[0]
    return inner


def _expressions(block: Block) -> list[Node]:
    parts = [*block.select, *block.where, *block.group, *block.having, *(node for node, _ in block.order)]
    return parts + [node for source in block.sources for node in source.on]


def _within(scope: str, pieces: list[Piece]) -> list[Piece]:
    return [(clause, text, f"{scope}.{inside}" if inside else scope, span) for clause, text, inside, span in pieces]


def _stars(block: Block) -> list[Node]:
    """The outputs, where a source's columns listed in full and in order are its star."""
    nodes = list(block.select)
    for source in block.sources:
        names = list(source.fact.columns) if source.fact is not None else []
        if not 1 < len(names) <= len(nodes):
            continue
        for start in range(len(nodes) - len(names) + 1):
            run = nodes[start : start + len(names)]
            if all(node.op == "col" and node.args == (source, name) for node, name in zip(run, names, strict=True)):
                nodes[start : start + len(names)] = [Node("star", (source,), joined(*(node.span for node in run)))]
                break
    return nodes
