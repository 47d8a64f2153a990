"""Syntax of expressions and conditions → bound nodes in canonical form.

Here NOT is pushed inward, BETWEEN and IN become comparisons, `>` is turned into `<`, and literals take the type of the
column they are compared with, as SQLite's affinity rules do. Each rewrite keeps SQL's three-valued logic. Not covered:
algebra on numbers (`a + 1 > b`), and equivalences of functions.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlglot import exp

from finer.atoms.catalog import affinity
from finer.atoms.errors import AtomError
from finer.atoms.names import Frame, bare, qualified
from finer.atoms.tree import CONDITIONS, Node, Source, Span, joined

MAXIMUM_NODES = 8_000
"""Bound on expressions after common table expressions are inlined, which can double at every step."""

COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
               exp.NullSafeEQ: "IS", exp.NullSafeNEQ: "IS NOT"}  # fmt: skip
NEGATED = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<", "IS": "IS NOT", "IS NOT": "IS"}
TURNED = {">": "<", ">=": "<="}
AGGREGATES = {exp.Count: "COUNT", exp.Sum: "SUM", exp.Avg: "AVG", exp.Min: "MIN", exp.Max: "MAX",
              exp.GroupConcat: "GROUP_CONCAT"}  # fmt: skip
ARITHMETIC = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%", exp.DPipe: "||",
              exp.BitwiseAnd: "&", exp.BitwiseOr: "|", exp.BitwiseLeftShift: "<<", exp.BitwiseRightShift: ">>"}  # fmt: skip
PATTERNS = {exp.Like: "LIKE", exp.Glob: "GLOB", exp.RegexpLike: "REGEXP"}
NUMERIC_AFFINITIES = ("integer", "real", "numeric")


class Expressions:
    """Binds expressions of one text; ``queries`` binds a subquery, given its tree, the frame and its use."""

    def __init__(self, sql: str, has_schema: bool, queries: Callable[[exp.Expression, Frame, str], Any]):
        self.sql, self.has_schema, self.queries = sql, has_schema, queries
        self.budget = MAXIMUM_NODES

    # -- values -------------------------------------------------------------------------------------------------

    def bind(self, tree: Any, frame: Frame) -> Node:
        """Any expression."""
        self.budget -= 1
        if self.budget < 0:
            raise AtomError(f"the query grows past {MAXIMUM_NODES:,} expressions once its WITH tables are inlined")
        method = _METHODS.get(type(tree))
        if method is not None:
            return method(self, tree, frame)
        if type(tree) is exp.Not:
            return self._truth(self.condition(tree, frame))
        if type(tree) in _CONDITIONS:
            return self.condition(tree, frame)
        return self._other(tree, frame)

    def _truth(self, node: Node) -> Node:
        """As a value NOT NOT x is 0 or 1, not x; as a condition the two are the same."""
        return node if node.op in CONDITIONS else Node("not", (Node("not", (node,), node.span),), node.span)

    def _column(self, tree: Any, frame: Frame) -> Node:
        part = tree.this
        span = place(part)
        table = tree.args.get("table")
        if not isinstance(part, exp.Identifier):  # t.* inside a function, or a malformed name
            return Node("star_text", (), span)
        name = part.this.lower()
        if table is not None:
            return qualified(frame, table.name.lower(), name, joined(place(table), span))
        return bare(frame, name, part.this, self._double_quoted(part), span)

    def _double_quoted(self, part: Any) -> bool:
        span = place(part) if part.args.get("quoted") else None
        return span is not None and self.sql[span[0] : span[0] + 1] == '"'

    def _literal(self, tree: Any, frame: Frame) -> Node:
        if tree.args.get("is_string"):
            return Node("text", (tree.this,), place(tree))
        return Node("number", (number(tree.this),), place(tree))

    def _boolean(self, tree: Any, frame: Frame) -> Node:
        return Node("number", ("1" if tree.this else "0",), place(tree))

    def _null(self, tree: Any, frame: Frame) -> Node:
        return Node("null", (), place(tree))

    def _negative(self, tree: Any, frame: Frame) -> Node:
        inner = self.bind(tree.this, frame)
        if inner.op == "number":
            text = inner.args[0]
            return Node("number", (text[1:] if text.startswith("-") else "-" + text,), inner.span)
        return Node("call", ("-", inner), inner.span)

    def _inside(self, tree: Any, frame: Frame) -> Node:
        return self.bind(tree.this, frame)

    def _arithmetic(self, tree: Any, frame: Frame) -> Node:
        operator = ARITHMETIC[type(tree)]
        left, right = self.bind(tree.this, frame), self.bind(tree.expression, frame)
        span = joined(left.span, right.span)
        return floating(operator, left, right, span) or Node("arithmetic", (operator, left, right), span)

    def _cast(self, tree: Any, frame: Frame) -> Node:
        """CAST(x AS REAL) is x * 1.0: both read a text's leading number, and both leave NULL."""
        if affinity(tree.args["to"].sql("sqlite")) != "real":
            return self._other(tree, frame)
        inner = self.bind(tree.this, frame)
        span = joined(place(tree), inner.span)
        return floating("*", inner, Node("number", ("1.0",)), span) or Node("arithmetic", ("*", inner, Node("number", ("1.0",))), span)

    def _aggregate(self, tree: Any, frame: Frame) -> Node:
        frame.block.aggregated = True
        inner = tree.this
        distinct = isinstance(inner, exp.Distinct)
        parts = inner.expressions if distinct else [inner, *tree.expressions]
        if isinstance(tree, exp.GroupConcat):
            parts = [*parts, tree.args.get("separator")]
        arguments = tuple(self.bind(part, frame) for part in parts if part is not None)
        name = AGGREGATES[type(tree)]
        if name in ("MIN", "MAX"):
            distinct = False  # the least of the values is the least of the distinct values
        if name == "COUNT" and not distinct and (not arguments or arguments[0].op in ("star_text", "number", "text")):
            arguments = ()
        return Node("aggregate", (name, distinct, arguments), self._closed(tree, *arguments))

    def _closed(self, tree: Any, *arguments: Node) -> Span:
        """The span of a call: from its name to the bracket that closes it."""
        start = place(tree)
        span = joined(start, *(argument.span for argument in arguments))
        if span is None or start is None:
            return span
        end = span[1]
        while end < len(self.sql) and self.sql[end] in " \t\n(*":
            end += 1
        return (span[0], end + 1) if self.sql[end : end + 1] == ")" else span

    def _star(self, tree: Any, frame: Frame) -> Node:
        return Node("star_text", (), place(tree))

    def _case(self, tree: Any, frame: Frame) -> Node:
        """CASE x WHEN 1 becomes CASE WHEN x = 1; IIF(a, b, c) becomes CASE WHEN a THEN b ELSE c."""
        branches = [tree] if isinstance(tree, exp.If) else tree.args.get("ifs") or []
        default = tree.args.get("false") if isinstance(tree, exp.If) else tree.args.get("default")
        subject = tree.this if isinstance(tree, exp.Case) else None
        parts: list[Node] = []
        for branch in branches:
            test = exp.EQ(this=subject, expression=branch.this) if subject is not None else branch.this
            parts += [self.condition(test, frame), self.bind(branch.args["true"], frame)]
        if default is not None and not isinstance(default, exp.Null):
            parts.append(self.bind(default, frame))
        return Node("case", tuple(parts), joined(place(tree), *(part.span for part in parts)))

    def _scalar(self, tree: Any, frame: Frame) -> Node:
        inner = tree
        while isinstance(inner, exp.Subquery) and isinstance(inner.this, exp.Subquery):
            inner = inner.this
        frame.block.subqueries += 1
        block = self.queries(inner, frame, "scalar")
        return Node("scalar", (block,), block.spans.get("all"))

    def _window(self, tree: Any, frame: Frame) -> Node:
        frame.block.windowed = True
        outer = frame.block.aggregated
        function = self.bind(tree.this, frame)
        frame.block.aggregated = outer  # SUM(x) OVER (…) groups nothing
        named = frame.windows.get(str(tree.args.get("alias") or "").lower())
        definitions = [part for part in (tree, named) if part is not None]
        partition = tuple(self.bind(part, frame) for each in definitions for part in each.args.get("partition_by") or ())
        orders = [each.args["order"] for each in definitions if each.args.get("order")]
        order = tuple(self.ordered(item, frame) for each in orders for item in each.expressions)
        frames = [each.args["spec"] for each in definitions if each.args.get("spec")]
        spec = _frame_text(frames[0]) if frames else ""
        spans = [node.span for node in partition] + [node.span for node, _ in order]
        return Node("window", (function, partition, order, spec), joined(function.span, *spans))

    def ordered(self, tree: Any, frame: Frame) -> tuple[Node, str]:
        """One key of ORDER BY with its direction; NULLS only where it is not SQLite's own placing."""
        descending = bool(tree.args.get("desc")) if isinstance(tree, exp.Ordered) else False
        key = tree.this if isinstance(tree, exp.Ordered) else tree
        direction = "DESC" if descending else "ASC"
        nulls_first = tree.args.get("nulls_first") if isinstance(tree, exp.Ordered) else None
        if nulls_first is not None and bool(nulls_first) == descending:
            direction += " NULLS FIRST" if nulls_first else " NULLS LAST"
        return self.bind(key, frame), direction

    def _tuple(self, tree: Any, frame: Frame) -> Node:
        parts = tuple(self.bind(part, frame) for part in tree.expressions)
        return Node("call", ("", *parts), joined(*(part.span for part in parts)))

    def _other(self, tree: Any, frame: Frame) -> Node:
        """Any other function or operator: its name and every argument, in the parser's order."""
        if not isinstance(tree, exp.Expression):
            return Node("raw", (str(tree).lower(),))
        name = str(tree.this).upper() if isinstance(tree, exp.Anonymous) else tree.key.upper()
        parts: list[Node] = []
        for key, value in tree.args.items():
            if (key == "this" and isinstance(tree, exp.Anonymous)) or key.startswith("_"):
                continue
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, exp.Expression):
                    parts.append(self.bind(item, frame))
                elif item not in (None, False, ""):
                    parts.append(Node("raw", (str(item).lower() if item is not True else key,)))
        if isinstance(tree, exp.AggFunc):
            frame.block.aggregated = True
        return Node("call", (name, *parts), self._closed(tree, *parts))

    def _identifier(self, tree: Any, frame: Frame) -> Node:
        return Node("raw", (tree.name.lower(),), place(tree))

    def _as_written(self, tree: Any, frame: Frame) -> Node:
        return Node("raw", (tree.sql("sqlite").lower(),), place(tree))

    # -- conditions ---------------------------------------------------------------------------------------------

    def conjuncts(self, tree: Any, frame: Frame) -> list[Node]:
        """A condition as the list of what must all hold."""
        node = self.condition(tree, frame)
        return list(node.args) if node.op == "and" else [node]

    def condition(self, tree: Any, frame: Frame, negate: bool = False) -> Node:
        """A condition in canonical form, negated where asked."""
        while isinstance(tree, (exp.Paren, exp.Not)):
            negate ^= isinstance(tree, exp.Not)
            tree = tree.this
        kind = type(tree)
        if kind in (exp.And, exp.Or):
            return self._connected(tree, frame, negate)
        if kind in COMPARISONS:
            operator = COMPARISONS[kind]
            operator = NEGATED[operator] if negate else operator
            return comparison(operator, *self._sides(tree, frame))
        method = _CONDITIONS.get(kind)
        if method is not None:
            return method(self, tree, frame, negate)
        node = self.bind(tree, frame)
        return Node("not", (node,), node.span) if negate else node

    def _sides(self, tree: Any, frame: Frame) -> tuple[Node, Node]:
        left, right = self.bind(tree.this, frame), self.bind(tree.expression, frame)
        if not self.has_schema and right.op == "col" and left.op == "col":
            right = self._literal_without_schema(tree.expression, right)
        return left, right

    def _literal_without_schema(self, tree: Any, node: Node) -> Node:
        """Without a schema a double-quoted name at the right of a comparison is most likely a value."""
        if isinstance(tree, exp.Column) and tree.args.get("table") is None and self._double_quoted(tree.this):
            return Node("text", (tree.name,), node.span)
        return node

    def _connected(self, tree: Any, frame: Frame, negate: bool) -> Node:
        kind = type(tree)
        parts = [self.condition(part, frame, negate) for part in _flat(tree, kind)]
        return connected("and" if (kind is exp.And) != negate else "or", parts)

    def _between(self, tree: Any, frame: Frame, negate: bool) -> Node:
        subject = self.bind(tree.this, frame)
        low, high = self.bind(tree.args["low"], frame), self.bind(tree.args["high"], frame)
        if negate:
            return connected("or", [comparison("<", subject, low), comparison(">", subject, high)])
        return connected("and", [comparison(">=", subject, low), comparison("<=", subject, high)])

    def _in(self, tree: Any, frame: Frame, negate: bool) -> Node:
        subject = self.bind(tree.this, frame)
        query = tree.args.get("query")
        if query is None and tree.args.get("field") is not None:  # x IN table
            query = exp.Select(expressions=[exp.Star()], from_=exp.From(this=exp.Table(this=tree.args["field"].this)))
        if query is not None:
            frame.block.subqueries += 1
            block = self.queries(query, frame, "in")
            return Node("notin" if negate else "in", (subject, block), joined(subject.span, block.spans.get("all")))
        values = [self.bind(value, frame) for value in tree.expressions]
        if not self.has_schema:
            values = [self._literal_without_schema(t, v) for t, v in zip(tree.expressions, values, strict=True)]
        if not values:  # x IN () holds for nothing
            return Node("number", ("1" if negate else "0",), subject.span)
        operator, word = ("<>", "and") if negate else ("=", "or")
        return connected(word, [comparison(operator, subject, value) for value in values])

    def _exists(self, tree: Any, frame: Frame, negate: bool) -> Node:
        frame.block.subqueries += 1
        block = self.queries(tree.this, frame, "exists")
        return Node("notexists" if negate else "exists", (block,), joined(place(tree), block.spans.get("all")))

    def _is(self, tree: Any, frame: Frame, negate: bool) -> Node:
        left, right = self.bind(tree.this, frame), self.bind(tree.expression, frame)
        span = joined(left.span, right.span)
        if right.op == "null":
            return Node("notnull" if negate else "isnull", (left,), span)
        return comparison("IS NOT" if negate else "IS", left, right)

    def _pattern(self, tree: Any, frame: Frame, negate: bool) -> Node:
        escape = None
        if isinstance(tree, exp.Escape):
            escape, tree = self.bind(tree.expression, frame), tree.this
        if type(tree) not in PATTERNS:
            return self._other(tree, frame)
        negate ^= bool(tree.args.get("negate"))
        word = PATTERNS[type(tree)]
        left, right = self._sides(tree, frame)
        if word == "LIKE" and right.op == "text":  # SQLite's LIKE does not tell ASCII cases apart
            right = Node("text", (_lower_ascii(right.args[0]),), right.span)
        parts = (left, right) if escape is None else (left, right, escape)
        return Node("pattern", (("NOT " if negate else "") + word, *parts), joined(left.span, right.span))


def place(tree: Any) -> Span:
    """Characters of the source text that the parser noted for an identifier, a literal or a function's name."""
    meta = tree._meta if tree is not None else None
    return (meta["start"], meta["end"] + 1) if meta and "start" in meta else None


def number(text: str) -> str:
    """A numeric literal in one spelling; whole numbers stay apart from floats, which divide otherwise.

    >>> number("1.50"), number("007"), number("1e2"), number("2.0")
    ('1.5', '7', '100.0', '2.0')
    """
    if text.isascii() and text.isdigit():
        return text.lstrip("0") or "0"
    try:
        value = Decimal(text)
        return repr(float(value)) if value.is_finite() else text.lower()
    except (InvalidOperation, OverflowError, ValueError):
        return text.lower()


def floating(operator: str, left: Node, right: Node, span: Span) -> Node | None:
    """x * 1.0 * 100, 100 * (x * 1.0) and x * 100.0 as x * 100.0; a / (b * 1.0) as (a * 1.0) / b; None for other arithmetic.

    Exact for whole numbers below 2^53 / 100; only one factor 1.0 is moved or taken up, so that no rounding changes.
    """
    (one, first), (two, second) = _factors(left), _factors(right)
    if operator == "/" and first is None and two is not None and second == "1.0":
        return Node("arithmetic", ("/", _product(left, "1.0", span), two), span)
    if operator != "*":
        return None
    if one is not None and two is not None:
        return None
    subject = one if one is not None else two
    if subject is None or first is None or second is None or "1.0" not in (first, second):
        return None
    return _product(subject, _float_text(second if first == "1.0" else first), span)


def _product(subject: Node, factor: str, span: Span) -> Node:
    return Node("arithmetic", ("*", subject, Node("number", (factor,), None)), span)


def _factors(node: Node) -> tuple[Node | None, str | None]:
    """x * 2 as (x, '2'); a bare number as (None, number); anything else as (itself, None)."""
    if node.op == "number":
        return None, node.args[0]
    if node.op == "arithmetic" and node.args[0] == "*":
        for subject, factor in (node.args[1:], node.args[:0:-1]):
            if factor.op == "number" and subject.op != "number":
                return subject, factor.args[0]
    return node, None


def _float_text(text: str) -> str:
    return f"{text}.0" if text.lstrip("-").isdigit() else text


def connected(word: str, parts: list[Node]) -> Node:
    """AND or OR of the parts, those of the same word inside them taken up."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.args if part.op == word else (part,))
    return flat[0] if len(flat) == 1 else Node(word, tuple(flat), joined(*(part.span for part in flat)))


def comparison(operator: str, left: Node, right: Node) -> Node:
    """A comparison with `>` turned, and a literal in the type that the column's affinity gives it."""
    left, right = _typed(left, right), _typed(right, left)
    if operator in TURNED:
        operator, left, right = TURNED[operator], right, left
    return Node("compare", (operator, left, right), joined(left.span, right.span))


def _typed(literal: Node, other: Node) -> Node:
    """A literal compared with a column: SQLite applies the column's affinity to it before comparing."""
    if literal.op not in ("text", "number"):
        return literal
    kind = _affinity(other)
    text = literal.args[0]
    if literal.op == "text" and kind in NUMERIC_AFFINITIES and _numeric(text):
        return Node("number", (_plain(number(text.strip())),), literal.span)
    if literal.op == "number":
        return Node("text", (text,), literal.span) if kind == "text" else Node("number", (_plain(text),), literal.span)
    return literal


def _affinity(node: Node) -> str:
    if node.op != "col":
        return ""
    source: Source = node.args[0]
    fact = source.fact.columns.get(node.args[1]) if source.fact is not None else None
    return fact.affinity if fact is not None else ""


def _numeric(text: str) -> bool:
    try:
        return text.isascii() and "_" not in text and Decimal(text.strip()).is_finite()
    except InvalidOperation:
        return False


def _plain(text: str) -> str:
    """In a comparison 5.0 is 5."""
    return text.removesuffix(".0")


def _flat(tree: Any, kind: type) -> list[Any]:
    """The operands of a chain of AND (or OR), without recursion: a chain of thousands is as deep as it is long."""
    found, stack = [], [tree]
    while stack:
        item = stack.pop()
        if type(item) is kind:
            stack += [item.expression, item.this]
        elif isinstance(item, exp.Paren) and type(item.this) is kind:
            stack.append(item.this)
        else:
            found.append(item)
    return found


def _lower_ascii(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def _frame_text(spec: Any) -> str:
    """ROWS 2 PRECEDING and ROWS BETWEEN 2 PRECEDING AND CURRENT ROW in one spelling; the default frame is ''."""
    values = []
    for side in ("start", "end"):
        value = spec.args.get(side)
        text = value if isinstance(value, str) else value.sql("sqlite") if value is not None else "CURRENT ROW"
        values.append(f"{text} {spec.args.get(side + '_side') or ''}".strip().upper())
    exclude = spec.args.get("exclude")
    text = f"{str(spec.args.get('kind')).upper()} {values[0]} TO {values[1]}" + (f" EXCLUDE {exclude}" if exclude else "")
    return "" if text == "RANGE UNBOUNDED PRECEDING TO CURRENT ROW" else text


def is_query(tree: Any) -> bool:
    """Is this tree a SELECT or a set operation?"""
    return isinstance(tree, (exp.Select, exp.SetOperation))


_METHODS: dict[type, Callable[..., Node]] = {
    exp.Column: Expressions._column,
    exp.Literal: Expressions._literal,
    exp.Boolean: Expressions._boolean,
    exp.Null: Expressions._null,
    exp.Neg: Expressions._negative,
    exp.Paren: Expressions._inside,
    exp.Alias: Expressions._inside,
    exp.Star: Expressions._star,
    exp.Case: Expressions._case,
    exp.If: Expressions._case,
    exp.Subquery: Expressions._scalar,
    exp.Select: Expressions._scalar,
    exp.Union: Expressions._scalar,
    exp.Intersect: Expressions._scalar,
    exp.Except: Expressions._scalar,
    exp.Window: Expressions._window,
    exp.Tuple: Expressions._tuple,
    exp.Identifier: Expressions._identifier,
    exp.Var: Expressions._identifier,
    exp.Cast: Expressions._cast,
    exp.DataType: Expressions._as_written,
    exp.JSONPath: Expressions._as_written,
    **dict.fromkeys(ARITHMETIC, Expressions._arithmetic),
    **dict.fromkeys(AGGREGATES, Expressions._aggregate),
}

_CONDITIONS: dict[type, Callable[..., Node] | None] = {
    exp.And: None,
    exp.Or: None,
    exp.Not: None,
    **dict.fromkeys(COMPARISONS, None),
    exp.Between: Expressions._between,
    exp.In: Expressions._in,
    exp.Exists: Expressions._exists,
    exp.Is: Expressions._is,
    exp.Escape: Expressions._pattern,
    **dict.fromkeys(PATTERNS, Expressions._pattern),
}
