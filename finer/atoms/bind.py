"""Syntax tree of a query → bound blocks: sources, conditions, outputs, with every name resolved.

Common table expressions are bound afresh at each mention, as the derived table they stand for; a derived table that
is a plain selection is inlined into the block around it. Not covered: recursive common table expressions are kept
as a source of their own, and table-valued functions are opaque sources.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlglot import exp

from finer.atoms.catalog import Catalog, TableFact
from finer.atoms.errors import AtomError
from finer.atoms.expressions import Expressions, comparison, is_query, place
from finer.atoms.joins import merge, plain
from finer.atoms.names import Frame, View, again, lookup
from finer.atoms.rules import simplify, simplify_set
from finer.atoms.tree import Block, Node, SetBlock, Source, Span, joined

MAXIMUM_TABLES = 64
"""Tables of a whole query once common table expressions are inlined; SQLite joins no more than 64 either."""
SIDES = ("LEFT", "RIGHT", "FULL")


class Misnamed(NamedTuple):
    """A table called by a name that the schema has not; it was bound as the one that is meant."""

    meant: str
    written: str
    span: Span


class Bound(NamedTuple):
    block: Block | SetBlock
    misnamed: tuple[Misnamed, ...]
    """In the order in which they were met, so that the atoms of a query always come in the same order."""


def bind(tree: exp.Expression, sql: str, catalog: Catalog) -> Bound:
    """The bound form of a whole query. Raises AtomError for a query without columns and the like."""
    queries = _Queries(sql, catalog)
    return Bound(queries.query(tree, Frame(None), "outermost"), tuple(queries.misnamed))


class _Queries:
    def __init__(self, sql: str, catalog: Catalog):
        self.sql, self.catalog = sql, catalog
        self.expressions = Expressions(sql, bool(catalog.tables), self.query)
        self.tables = 0
        self.misnamed: dict[Misnamed, None] = {}

    def query(self, tree: Any, parent: Frame, use: str) -> Block | SetBlock:
        """Bind a SELECT or a set operation inside a frame. ``use`` says what it is for: 'exists' ignores outputs."""
        wrappers = []
        while isinstance(tree, (exp.Subquery, exp.Paren)):
            wrappers.append(tree)
            tree = tree.this
        if not is_query(tree):
            raise AtomError(f"a {tree.key.upper() if tree is not None else 'missing'} part stands where a query should")
        frame = Frame(parent)
        frame.block.parent = parent.block
        for each in (*wrappers, tree):
            self._with(each, frame)
        block = self._set(tree, frame, use) if isinstance(tree, exp.SetOperation) else self._select(tree, frame, use)
        for wrapper in reversed(wrappers):
            self._tail(wrapper, frame, block)
        _drop_idle_order(block, use)
        block.spans["all"] = joined(*block.spans.values())
        if isinstance(block, SetBlock):
            return simplify_set(block)
        simplify(block)
        return block

    def _with(self, tree: Any, frame: Frame) -> None:
        clause = tree.args.get("with_")
        if clause is None:
            return
        for table in clause.expressions:
            names = [part.name.lower() for part in table.args["alias"].columns] if table.args.get("alias") else []
            frame.ctes[table.alias.lower()] = (table.this, frame, names, bool(clause.args.get("recursive")))

    # -- one SELECT ---------------------------------------------------------------------------------------------

    def _select(self, tree: Any, frame: Frame, use: str) -> Block:
        block = frame.block
        block.loose = use in ("exists", "in")
        self._sources(tree, frame)
        for window in tree.args.get("windows") or ():
            frame.windows[str(window.name).lower()] = window
        self._outputs(tree, frame)
        if not block.select:
            raise AtomError("a SELECT without columns")
        where = tree.args.get("where")
        if where is not None:
            block.where += self.expressions.conjuncts(where.this, frame)
        self._grouping(tree, frame)
        distinct = tree.args.get("distinct")
        if distinct is not None:
            block.distinct = True
        self._tail(tree, frame, block)
        block.spans["select"] = joined(*(node.span for node in (*block.select, *block.where, *block.group)),
                                       *(source.span for source in block.sources))  # fmt: skip
        if use == "exists" and (block.group or not block.aggregated):  # an aggregate over everything always has a row
            block.select, block.names = [], []
        return block

    def _outputs(self, tree: Any, frame: Frame) -> None:
        for item in tree.expressions:
            if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                self._star(item, frame)
                continue
            node = self.expressions.bind(item, frame)
            frame.block.select.append(node)
            name = (item.alias or "").lower() if isinstance(item, exp.Alias) else ""
            if name:
                frame.aliases[name] = node
            elif isinstance(item, exp.Column):
                name = item.name.lower()
            frame.block.names.append(name)

    def _star(self, item: Any, frame: Frame) -> None:
        wanted = item.args.get("table").name.lower() if isinstance(item, exp.Column) and item.args.get("table") else None
        span = joined(place(item), place(item.this) if isinstance(item, exp.Column) else None)
        shared, told = set(frame.shared), set()  # USING and NATURAL list their columns once
        for alias, entry in frame.entries:
            if wanted is not None and alias != wanted:
                continue
            if isinstance(entry, View):
                frame.block.select += entry.nodes
                frame.block.names += entry.names
                continue
            names = list(entry.fact.columns) if entry.fact is not None else entry.names
            if wanted is None and names and shared & set(names):
                frame.block.select += [Node("col", (entry, name), span) for name in names if name not in told & shared]
                frame.block.names += [name for name in names if name not in told & shared]
                told |= set(names)
                continue
            short = names is not None and len(names) == 1
            frame.block.select.append(Node("col", (entry, names[0]), span) if short else Node("star", (entry,), span))
            frame.block.names.append(names[0] if short else "*")
        if not frame.block.select:
            frame.block.select.append(Node("unknown", ("?.*",), span))
            frame.block.names.append("*")

    def _grouping(self, tree: Any, frame: Frame) -> None:
        block, group = frame.block, tree.args.get("group")
        if group is not None:
            block.group = [self._position(item, frame) or self.expressions.bind(item, frame) for item in group.expressions]
        having = tree.args.get("having")
        if having is not None:
            block.having = self.expressions.conjuncts(having.this, frame)

    def _position(self, tree: Any, frame: Frame) -> Node | None:
        """The output that a number stands for in GROUP BY and ORDER BY."""
        if not isinstance(tree, exp.Literal) or tree.args.get("is_string"):
            return None
        outputs = frame.block.select
        found = tree.this.isdigit() and 0 < int(tree.this) <= len(outputs)
        return again(outputs[int(tree.this) - 1], place(tree)) if found else None

    def _tail(self, tree: Any, frame: Frame, block: Block | SetBlock) -> None:
        """ORDER BY, LIMIT and OFFSET, of a SELECT, a set operation, or the brackets around one."""
        order, limit, offset = (tree.args.get(name) for name in ("order", "limit", "offset"))
        if order is not None:
            block.order = [self._ordered(item, frame) for item in order.expressions]
            block.spans["order"] = joined(*(node.span for node, _ in block.order))
        if limit is not None and limit.args.get("expression") is not None:
            block.limit = self.expressions.bind(limit.args["expression"], frame)
            block.spans["limit"] = block.limit.span
        if offset is not None and offset.args.get("expression") is not None:
            block.offset = self.expressions.bind(offset.args["expression"], frame)

    def _ordered(self, item: Any, frame: Frame) -> tuple[Node, str]:
        node, direction = self.expressions.ordered(item, frame)
        key = item.this if isinstance(item, exp.Ordered) else item
        at = self._position(key, frame)
        if at is None and isinstance(key, exp.Column) and key.args.get("table") is None:
            alias = frame.aliases.get(key.name.lower())  # in ORDER BY an output's alias goes before a column
            at = again(alias, node.span) if alias is not None else None
        return (at or node), direction

    # -- sources ------------------------------------------------------------------------------------------------

    def _sources(self, tree: Any, frame: Frame) -> None:
        start = tree.args.get("from_")
        if start is not None:
            self._source(start.this, frame, "inner")
        for join in tree.args.get("joins") or ():
            self._join(join, frame)

    def _join(self, join: Any, frame: Frame) -> None:
        side = (join.args.get("side") or "").upper()
        kind = side.lower() if side in SIDES else "inner"
        before, sources = list(frame.entries), len(frame.block.sources)
        self._source(join.this, frame, kind)
        added = frame.entries[len(before) :]
        conditions: list[Node] = []
        if join.args.get("on") is not None:
            conditions = self.expressions.conjuncts(join.args["on"], frame)
        using = [part.name.lower() for part in join.args.get("using") or ()]
        if (join.args.get("method") or "").upper() == "NATURAL":
            using = _common(before, added)
        conditions += [node for name in using if (node := _shared(name, before, added, frame)) is not None]
        # Conditions of an inner join are conditions of the block; those of an outer join stay with their source.
        if kind == "inner" or len(frame.block.sources) == sources:
            frame.block.where += conditions
        else:
            frame.block.sources[-1].on += conditions

    def _source(self, tree: Any, frame: Frame, kind: str) -> None:
        if isinstance(tree, exp.Subquery) and not is_query(_core(tree)):  # brackets around a join
            self._brackets(tree, frame, kind)
        elif isinstance(tree, exp.Subquery):
            block = self.query(tree, frame, "table")
            self._derived(block, tree.alias.lower(), [c.lower() for c in tree.alias_column_names], frame, kind)
        elif isinstance(tree, exp.Table) and isinstance(tree.this, exp.Identifier):
            self._table(tree, frame, kind)
        else:
            text = tree.sql("sqlite").lower() if isinstance(tree, exp.Expression) else "?"
            _add(Source(text, None, None, None), (tree.alias or "").lower(), frame, kind)
        for join in (tree.args.get("joins") or ()) if isinstance(tree, (exp.Table, exp.Subquery)) else ():
            self._join(join, frame)

    def _brackets(self, tree: Any, frame: Frame, kind: str) -> None:
        """A join in brackets. Under an outer join its conditions stay with its sources."""
        block = frame.block
        sources, conditions = len(block.sources), len(block.where)
        self._source(tree.this, frame, kind)
        if kind != "inner" and len(block.sources) > sources:
            for source in block.sources[sources:]:
                source.join = kind
            block.sources[-1].on += block.where[conditions:]
            del block.where[conditions:]

    def _table(self, tree: Any, frame: Frame, kind: str) -> None:
        self.tables += 1
        if self.tables > MAXIMUM_TABLES:
            raise AtomError(f"the query grows past {MAXIMUM_TABLES} tables once its WITH tables are inlined")
        name = tree.name.lower()
        alias = (tree.alias or tree.name).lower()
        span = joined(place(tree.this), place(tree.args["alias"].this) if tree.args.get("alias") else None)
        common = frame.cte(name) if tree.args.get("db") is None else None
        if common is None:
            fact = self.catalog.table(name) or self._meant(name, span)
            _add(Source(name if fact is None else fact.name, fact, None, span), alias, frame, kind)
            return
        query, home, names, recursive = common
        if query is None:
            _add(_itself(names, span), alias, frame, kind)
            return
        if recursive and _mentions(query, name):
            self._recursive(query, home, name, names, alias, frame, kind, span)
            return
        # While its body is bound the name means whatever it meant before: a table of the same name, say.
        del home.ctes[name]
        try:
            block = self.query(query, home, "table")
        finally:
            home.ctes[name] = common
        self._derived(block, alias, names, frame, kind, span)

    def _meant(self, name: str, span: Span) -> TableFact | None:
        """Were a misnamed table a strange one, no column of it could be known, and one wrong letter would cost every operation."""
        fact = self.catalog.meant(name)
        if fact is not None:
            self.misnamed[Misnamed(fact.name, name, span)] = None
        return fact

    def _recursive(self, query: Any, home: Frame, name: str, names: list[str], alias: str, frame: Frame, kind: str,
                   span: Any) -> None:  # fmt: skip
        common = home.ctes[name]
        names = names or [part.alias_or_name.lower() for part in _first_select(query).expressions]
        home.ctes[name] = (None, home, names, False)  # inside its body the name means the table itself
        try:
            body = self.query(query, home, "table")
        finally:
            home.ctes[name] = common
        source = _itself(names, span)
        source.block = body
        _add(source, alias, frame, kind)

    def _derived(self, block: Any, alias: str, names: list[str], frame: Frame, kind: str, span: Any = None) -> None:
        names = (names + block.names[len(names) :]) if names else list(block.names)
        if kind == "inner" and plain(block):
            merge(block, frame.block)
            frame.entries.append((alias, View(names, list(block.select))))
            return
        if kind == "inner" and _one_row(block):
            frame.block.subqueries += 1
            frame.entries.append((alias, View(names, [Node("scalar", (block,), joined(span, block.spans.get("all")))])))
            return
        if kind == "left" and plain(block) and _one_table(block):
            source = block.sources[0]
            source.on += block.where
            block.where = []
            merge(block, frame.block)
            source.join = "left"
            frame.entries.append((alias, source if names == ["*"] else View(names, list(block.select))))
            return
        source = Source("derived", None, block, joined(span, block.spans.get("all")))
        source.names = None if "*" in names else names
        _add(source, alias, frame, kind)

    # -- set operations -----------------------------------------------------------------------------------------

    def _set(self, tree: Any, frame: Frame, use: str) -> SetBlock:
        op = tree.key.upper() + ("" if tree.args.get("distinct") else " ALL")
        arms, inner = [], tree
        while type(inner) is type(tree) and inner.args.get("distinct") == tree.args.get("distinct"):
            arms.append(inner.expression)
            inner = inner.this
            if op.startswith("EXCEPT"):
                break  # a EXCEPT b EXCEPT c is not a EXCEPT (b EXCEPT c)
        arms.append(inner)
        inside = "table" if use in ("exists", "outermost") else use
        block = SetBlock(op, [self.query(arm, frame, inside) for arm in reversed(arms)])
        first = block.arms[0]
        block.names = list(first.names)
        frame.block.select = _outputs_of(first)
        frame.aliases = {name: node for name, node in zip(block.names, frame.block.select, strict=False) if name}
        self._tail(tree, frame, block)
        block.spans["arms"] = joined(*(arm.spans.get("all") for arm in block.arms))
        block.loose = use in ("exists", "in")
        return block


def _drop_idle_order(block: Block | SetBlock, use: str) -> None:
    """Order without a limit means nothing inside a query; a scalar subquery takes the first row, asked to or not."""
    if use == "scalar" and not block.order and block.limit is not None and block.offset is None and block.limit.args == ("1",):
        block.limit = None
    if use == "outermost" or not block.order or block.limit is not None:
        return
    if use == "scalar":
        block.limit = Node("number", ("1",), None)
    else:
        block.order = []


def _outputs_of(block: Block | SetBlock) -> list[Node]:
    while isinstance(block, SetBlock):
        block = block.arms[0]
    return block.select


def _core(tree: Any) -> Any:
    while isinstance(tree, (exp.Subquery, exp.Paren)):
        tree = tree.this
    return tree


def _one_row(block: Block | SetBlock) -> bool:
    """One value in exactly one row: an aggregate over everything, which a name for it may stand for."""
    if isinstance(block, SetBlock) or not block.aggregated or block.group or block.having:
        return False
    return len(block.select) == 1 and block.limit is None and block.offset is None


def _one_table(block: Block) -> bool:
    columns_only = all(node.op in ("col", "star") for node in block.select)
    return len(block.sources) == 1 and block.sources[0].join == "inner" and columns_only


def _itself(names: list[str], span: Span) -> Source:
    source = Source("recursive", None, None, span)
    source.names = names
    return source


def _first_select(tree: Any) -> Any:
    while not isinstance(tree, exp.Select):
        tree = tree.this
    return tree


def _mentions(query: Any, name: str) -> bool:
    return any(table.name.lower() == name for table in query.find_all(exp.Table))


def _add(source: Source, alias: str, frame: Frame, kind: str) -> None:
    source.owner, source.join = frame.block, kind
    frame.block.sources.append(source)
    frame.entries.append((alias, source))


def _names_of(entry: Source | View) -> list[str]:
    if isinstance(entry, Source):
        return list(entry.fact.columns) if entry.fact is not None else entry.names or []
    found: list[str] = []
    for name, node in zip(entry.names, entry.nodes, strict=False):
        found += _names_of(node.args[0]) if node.op == "star" else [name]
    return found


def _common(before: list[tuple[str, Any]], added: list[tuple[str, Any]]) -> list[str]:
    """The columns that NATURAL joins on, in the order of the left side."""
    right = {name for _, entry in added for name in _names_of(entry)}
    left = [name for _, entry in before for name in _names_of(entry)]
    return [name for name in dict.fromkeys(left) if name in right]


def _shared(name: str, before: list[tuple[str, Any]], added: list[tuple[str, Any]], frame: Frame) -> Node | None:
    left = next((node for _, entry in before if (node := lookup(entry, name, None)) is not None), None)
    right = next((node for _, entry in added if (node := lookup(entry, name, None)) is not None), None)
    if left is None or right is None:
        return None
    frame.shared[name] = left
    return comparison("=", left, right)
