"""Bound expressions → canonical text.

Columns carry the real name of their table, operands that may change places are sorted, a constant stands at the right
of its comparison. A column that the block's joins equate with another is written as the one that stands for both.
Subqueries and windows are written short here; their own operations are atoms of their own (``canonical``).
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from finer.atoms.keys import all_determined, classes, equalities, keys_of, linkable, never_null
from finer.atoms.tree import CONDITIONS, Block, Node, SetBlock, Source, column, joined, real

CONSTANTS = ("number", "text", "null")
TURNED_TEXT = {"<": ">", "<=": ">="}
SYMMETRIC = ("=", "<>", "IS", "IS NOT")


class Writer:
    """Writes the expressions of one query. ``digest`` gives a short name to a subquery's whole content."""

    def __init__(self, atoms_of: Callable[[Any], list]):
        self.atoms_of = atoms_of
        self.several = False
        """Does the block being written hold more than one subquery, so that each must be told from the other?"""
        self.twice: set[str] = set()

    def text(self, node: Node, block: Block) -> str:
        """The canonical text of an expression that stands in the block."""
        return _WRITERS[node.op](self, node, block)

    def texts(self, nodes: Any, block: Block) -> list[str]:
        return [self.text(node, block) for node in nodes]

    def name(self, source: Source, name: str, block: Block) -> str:
        """A column of a source, under the label that the source has in its block."""
        inside = source.owner is block or all(each.table != source.table for each in block.sources)
        prefix = "" if inside else "outer."
        if source.table == "recursive" and name in (source.names or ()):
            return f"{prefix}{source.label}.column {source.names.index(name) + 1}"
        if source.block is None:
            return f"{prefix}{source.label}.{name}"
        return f"{prefix}{source.label}.{self._output(source, name)}"

    def _output(self, source: Source, name: str) -> str:
        """What a column of a derived table is made of, so that its alias does not matter."""
        inner = source.block
        names = source.names if source.names is not None else inner.names
        while isinstance(inner, SetBlock):
            inner = inner.arms[0]
        if name not in names or names.index(name) >= len(inner.select):
            return name
        prepare(inner, self)
        return self.text(inner.select[names.index(name)], inner)

    def _column(self, node: Node, block: Block) -> str:
        return self.name(*real(*node.args), block)

    def _star(self, node: Node, block: Block) -> str:
        return self.name(real(node.args[0], "*")[0], "*", block)

    def _quoted(self, node: Node, block: Block) -> str:
        return "'" + node.args[0].replace("'", "''") + "'"

    def _argument(self, node: Node, block: Block) -> str:
        return node.args[0]

    def _compare(self, node: Node, block: Block) -> str:
        operator, left, right = node.args
        one, two = self._operand(left, block), self._operand(right, block)
        if left.op in CONSTANTS and right.op not in CONSTANTS:
            return f"{two} {TURNED_TEXT.get(operator, operator)} {one}"
        if operator in SYMMETRIC and right.op not in CONSTANTS and two < one:
            one, two = two, one
        return f"{one} {operator} {two}"

    def _and(self, node: Node, block: Block) -> str:
        return self._connected(" AND ", {self._inner(part, block) for part in node.args}, node)

    def _connected(self, word: str, texts: set[str], node: Node) -> str:
        """Said twice is said once; but `x AND x` is the truth of x, not x."""
        alone = len(texts) == 1 and node.args[0].op not in CONDITIONS
        return f"NOT NOT {next(iter(texts))}" if alone else word.join(sorted(texts))

    def _or(self, node: Node, block: Block) -> str:
        """Alternatives in order; equalities of one expression with constants as IN."""
        values: dict[str, set[str]] = {}
        texts: set[str] = set()
        for part in node.args:
            if part.op == "compare" and part.args[0] == "=" and (part.args[1].op in CONSTANTS) != (part.args[2].op in CONSTANTS):
                constant, subject = sorted(part.args[1:], key=lambda each: each.op not in CONSTANTS)
                values.setdefault(self.text(subject, block), set()).add(self.text(constant, block))
            else:
                texts.add(self._inner(part, block))
        for subject, constants in values.items():
            listed = ", ".join(sorted(constants))
            texts.add(f"{subject} IN ({listed})" if len(constants) > 1 else f"{subject} = {listed}")
        return self._connected(" OR ", texts, node)

    def _inner(self, node: Node, block: Block) -> str:
        text = self.text(node, block)
        return f"({text})" if node.op in ("and", "or") else text

    def _operand(self, node: Node, block: Block) -> str:
        text = self.text(node, block)
        return f"({text})" if node.op in CONDITIONS else text

    def _not(self, node: Node, block: Block) -> str:
        return f"NOT {self._inner(node.args[0], block)}"

    def _null_test(self, node: Node, block: Block) -> str:
        return f"{self._operand(node.args[0], block)} IS {'NOT ' if node.op == 'notnull' else ''}NULL"

    def _pattern(self, node: Node, block: Block) -> str:
        word, subject, pattern, *escape = node.args
        tail = f" ESCAPE {self.text(escape[0], block)}" if escape else ""
        return f"{self._operand(subject, block)} {word} {self._operand(pattern, block)}{tail}"

    def _arithmetic(self, node: Node, block: Block) -> str:
        operator, left, right = node.args
        one, two = self._operand(left, block), self._operand(right, block)
        if operator in "+*" and two < one:
            one, two = two, one
        return f"({one} {operator} {two})"

    def _aggregate(self, node: Node, block: Block) -> str:
        name, distinct, arguments = node.args
        if name == "COUNT" and len(arguments) == 1 and arguments[0].op == "col":
            distinct = distinct and not self._one_each(arguments[0], block)
            if not distinct and never_null(arguments[0], block):
                arguments = ()
        written = ", ".join(self.texts(arguments, block)) or ("*" if name == "COUNT" else "")
        return f"{name}({'DISTINCT ' if distinct else ''}{written})"

    def _one_each(self, node: Node, block: Block) -> bool:
        """Does the column differ in every row of its group?"""
        found = column(node)
        grouped = [each for each in map(column, block.group) if each is not None]
        return found is not None and all_determined(block, [found, *grouped])

    def _call(self, node: Node, block: Block) -> str:
        name, *arguments = node.args
        if name == "-":
            return f"-{self._operand(arguments[0], block)}"
        return f"{name}({', '.join(self.texts(arguments, block))})"

    def _case(self, node: Node, block: Block) -> str:
        parts = self.texts(node.args, block)
        whens = [f"WHEN {test} THEN {value}" for test, value in zip(parts[::2], parts[1::2], strict=False)]
        default = [f"ELSE {parts[-1]}"] if len(parts) % 2 else []
        return " ".join(["CASE", *whens, *default, "END"])

    def _subquery(self, node: Node, block: Block) -> str:
        inner = node.args[-1]
        name = self._short(inner)
        if node.op == "scalar":
            return f"({name})"
        if node.op in ("in", "notin"):
            return f"{self.text(node.args[0], block)} {'NOT IN' if node.op == 'notin' else 'IN'} ({name})"
        return f"{'NOT EXISTS' if node.op == 'notexists' else 'EXISTS'} ({name})"

    def _short(self, inner: Block | SetBlock) -> str:
        """A subquery by its outputs, or by its sources where it has none; by its whole content where there are several."""
        several = self.several
        whole = ""
        if several:
            atoms = sorted(f"{scope} {clause} {text}" for clause, text, scope, _ in self.atoms_of(inner))
            whole = " #" + blake2b("\n".join(atoms).encode("utf-8", "replace"), digest_size=4).hexdigest()
        first = inner
        while isinstance(first, SetBlock):
            first = first.arms[0]
        prepare(first, self)
        self.several = False
        outputs = ", ".join(self.texts(first.select, first))
        self.several = several
        return (f"SELECT {outputs}" if outputs else ", ".join(sorted(s.label for s in first.sources))) + whole

    def window(self, node: Node, block: Block) -> tuple[str, list[str]]:
        """The windowed function, and the parts of its window."""
        function, partition, order, spec = node.args
        parts = [f"PARTITION BY {', '.join(sorted(self.texts(partition, block)))}"] if partition else []
        if order:
            parts.append("ORDER BY " + ", ".join(f"{self.text(key, block)} {way}" for key, way in order))
        return self.text(function, block), parts + ([spec] if spec else [])

    def _window(self, node: Node, block: Block) -> str:
        function, parts = self.window(node, block)
        return f"{function} OVER ({'; '.join(parts) if function in self.twice else '…' if parts else ''})"


def prepare(block: Block, writer: Writer) -> None:
    """Give the sources of a block their labels, and every group of equal columns the one that stands for all."""
    if block.prepared:
        return
    block.prepared = True
    block.classes = classes(block) if block.where else []
    block.filters = block.where
    _label(block, writer)
    if not block.classes:
        return
    linked = [node for node in block.where if _is_link(node)]
    block.filters = [node for node in block.where if all(node is not each for each in linked)]
    own = {id(source) for source in block.sources}
    for group in block.classes:
        group.sort(key=lambda each: (id(each[0]) in own, frozenset([each[1]]) not in keys_of(each[0]), each[0].label, each[1]))
    for group in block.classes:
        for source, name in group[1:]:
            if id(source) in own:
                source.replace[name] = group[0]


def _is_link(node: Node) -> bool:
    for left, right in equalities([node]):
        one, two = column(left), column(right)
        return one is not None and two is not None and linkable(one, two)
    return False


def _label(block: Block, writer: Writer) -> None:
    """Tell several mentions of one table apart by what is said of them, not by their order or alias."""
    tables: dict[str, list[Source]] = {}
    for source in block.sources:
        tables.setdefault(source.table, []).append(source)
    waiting = {table: group for table, group in tables.items() if len(group) > 1}
    while waiting:
        said = {table: [(_said_of(each, block, writer), each) for each in group] for table, group in waiting.items()}
        # A table whose mentions can be told apart goes first: its labels then tell others apart.
        clear = [table for table, group in said.items() if len({str(each) for each, _ in group}) == len(group)]
        table = min(clear or said)
        for index, (_, source) in enumerate(sorted(said[table], key=lambda each: each[0])):
            source.label = f"{table}#{index + 1}" if index else table
        del waiting[table]


def _said_of(source: Source, block: Block, writer: Writer) -> tuple:
    source.label = "@"
    parts = (block.select, [node for node, _ in block.order], block.group, block.where)
    said = [sorted(text for node in part if "@" in (text := writer.text(node, block))) for part in parts]
    source.label = source.table
    return tuple((not texts, texts) for texts in said)


def link_span(group: list, member: tuple[Source, str], block: Block) -> Any:
    """The place of an equality that mentions the member of a class, or of all that made the class where none does."""
    spans = []
    for node in block.where:
        if node.op == "compare" and node.span is not None and node.args[0] == "=":
            ends = [side.args for side in node.args[1:] if side.op == "col"]
            if any(_raw(end, member) for end in ends):
                return node.span
            if any(_raw(end, each) for end in ends for each in group):
                spans.append(node.span)
    return joined(*spans)


def _raw(end: tuple[Source, str], member: tuple[Source, str]) -> bool:
    source, name = end
    while source.merged is not None:
        source = source.merged
    return source is member[0] and name == member[1]


_WRITERS: dict[str, Callable[[Writer, Node, Block], str]] = {
    "col": Writer._column,
    "star": Writer._star,
    "star_text": lambda writer, node, block: "*",
    "number": Writer._argument,
    "raw": Writer._argument,
    "unknown": Writer._argument,
    "text": Writer._quoted,
    "null": lambda writer, node, block: "NULL",
    "compare": Writer._compare,
    "and": Writer._and,
    "or": Writer._or,
    "not": Writer._not,
    "isnull": Writer._null_test,
    "notnull": Writer._null_test,
    "pattern": Writer._pattern,
    "arithmetic": Writer._arithmetic,
    "aggregate": Writer._aggregate,
    "call": Writer._call,
    "case": Writer._case,
    "scalar": Writer._subquery,
    "in": Writer._subquery,
    "notin": Writer._subquery,
    "exists": Writer._subquery,
    "notexists": Writer._subquery,
    "window": Writer._window,
}
