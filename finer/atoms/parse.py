"""Text → syntax tree of exactly one query, within bounds that keep a hostile text cheap.

The bounds (characters, tokens, nesting) are checked before parsing: the compiled parser recurses in C, where a
thousand parentheses would end the process rather than raise. Not covered: what the query means (``bind``), and
whether SQLite would accept it.
"""

from __future__ import annotations

import threading

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.tokens import TokenType

from finer.atoms.errors import AtomError

MAXIMUM_CHARACTERS = 20_000
MAXIMUM_TOKENS = 4_000
MAXIMUM_DEPTH = 64
"""Parentheses, CASEs and prefix operators inside one another. SQL that people write stays under ten."""

MAXIMUM_READINGS = 300_000
"""Tokens times the readings that the parser tries of them: two for each JOIN without a condition (a JOIN b JOIN c ON … ON …)."""

SQLGLOT_FROM, SQLGLOT_BELOW = (30, 30), (31, 0)


def check_version(version: str) -> None:
    """Raise ImportError unless this sqlglot builds the trees that ``bind`` reads.

    >>> check_version("30.30.0")
    >>> check_version("27.29.0")
    Traceback (most recent call last):
    ...
    ImportError: finer.atoms reads the trees of sqlglot 30.30 up to, not including, 31.0, but 27.29.0 is installed; \
run: pip install "sqlglot[c]==30.30.0"
    """
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if not SQLGLOT_FROM <= numbers < SQLGLOT_BELOW:
        raise ImportError(
            f"finer.atoms reads the trees of sqlglot 30.30 up to, not including, 31.0, but {version} is installed; "
            'run: pip install "sqlglot[c]==30.30.0"'
        )


check_version(sqlglot.__version__)



class _Tools(threading.local):
    """A tokenizer and a parser for each thread: building them takes as long as a short query, and they keep state."""

    def __init__(self) -> None:
        dialect = Dialect.get_or_raise("sqlite")
        self.tokenizer, self.parser = dialect.tokenizer(), dialect.parser()


_TOOLS = _Tools()
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_STARTS = {TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN}
_JOINERS = {TokenType.COMMA, TokenType.AND, TokenType.OR, *_CLOSING}


def parse(sql: str) -> exp.Expression:
    """The syntax tree of the one query in the text.

    Raises AtomError where the text is no text, empty, over a bound, unparsable, several statements, or not a query.
    """
    if not isinstance(sql, str):
        raise AtomError(f"the query must be text, not {type(sql).__name__}")
    if len(sql) > MAXIMUM_CHARACTERS:
        raise AtomError(f"the text has {len(sql):,} characters; at most {MAXIMUM_CHARACTERS:,} are read")
    tokens = _tokens(sql)
    _check_tokens(tokens)
    try:
        # A comment behind the last semicolon comes as a statement of its own.
        trees = [tree for tree in _TOOLS.parser.parse(tokens, sql) if tree is not None and not isinstance(tree, exp.Semicolon)]
    except RecursionError:
        raise AtomError("the query is nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - the parser lets a few errors of other kinds through on mangled text
        raise AtomError(f"the text cannot be parsed: {_first_line(error)}") from None
    if len(trees) != 1:
        raise AtomError(f"the text holds {len(trees)} statements; one query is read at a time")
    return _query(trees[0])


def _tokens(sql: str) -> list:
    try:
        return _TOOLS.tokenizer.tokenize(sql)
    except Exception as error:  # noqa: BLE001 - TokenError, and what the compiled tokenizer lets through on odd Unicode
        raise AtomError(f"the text cannot be split into tokens: {_first_line(error)}") from None


def _check_tokens(tokens: list) -> None:
    if not tokens:
        raise AtomError("the text is empty")
    if len(tokens) > MAXIMUM_TOKENS:
        raise AtomError(f"the text has {len(tokens):,} tokens; at most {MAXIMUM_TOKENS:,} are read")
    if tokens[0].token_type not in _STARTS:
        raise AtomError(f"not a query: it begins with {tokens[0].text[:40]!r}, not with SELECT or WITH")
    if _depth(tokens) > MAXIMUM_DEPTH:
        raise AtomError(f"the query is nested more than {MAXIMUM_DEPTH} deep")
    loose = _loose_joins(tokens)
    if len(tokens) << min(loose, 32) > MAXIMUM_READINGS:
        raise AtomError(f"the query has {loose} joins without a condition of their own; there are too many ways to read it")


def _loose_joins(tokens: list) -> int:
    """JOINs that no ON or USING follows before the next JOIN of the same brackets; CROSS and NATURAL take none."""
    loose, before = 0, None
    open_at = [False]
    for token in tokens:
        kind = token.token_type
        if kind in _OPENING:
            open_at.append(False)
        elif kind in _CLOSING:
            loose += open_at.pop()
            open_at = open_at or [False]
        elif kind is TokenType.JOIN:
            loose += open_at[-1]
            open_at[-1] = before not in (TokenType.CROSS, TokenType.NATURAL)
        elif kind in (TokenType.ON, TokenType.USING):
            open_at[-1] = False
        before = kind
    return loose + sum(open_at)


def _depth(tokens: list) -> int:
    """The deepest nesting a parser could reach: open brackets plus a run of operators with nothing between them."""
    depth = deepest = run = 0
    for token in tokens:
        kind = token.token_type
        if kind in _OPENING:
            depth += 1
            deepest = max(deepest, depth + run)
        elif kind in _CLOSING:
            depth -= 1
        if kind in _PREFIXES:
            run += 1
            deepest = max(deepest, depth + run)
        elif kind in _JOINERS or kind not in _OPENING:
            run = 0
    return deepest


_PREFIXES = {TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE, TokenType.EXISTS, TokenType.INTERVAL}


def _query(tree: exp.Expression) -> exp.Expression:
    inner = tree
    while isinstance(inner, (exp.Subquery, exp.Paren)):
        inner = inner.this
    if isinstance(inner, (exp.Select, exp.SetOperation)):
        return _unwrapped(tree)
    raise AtomError(f"not a query: it is {'an' if inner.key[:1] in 'aeiou' else 'a'} {inner.key.upper()} statement")


def _unwrapped(tree: exp.Expression) -> exp.Expression:
    """``SELECT * FROM (query)``, and nothing else in it, is the query; one that orders its rows stays, for the outer one does not."""
    while isinstance(tree, exp.Select):
        source = tree.args.get("from_")
        given = {name for name, value in tree.args.items() if value}
        if given != {"expressions", "from_"} or tree.expressions != [exp.Star()] or not isinstance(source.this, exp.Subquery):
            break
        wrapped = source.this
        if wrapped.this.args.get("order") or {name for name, value in wrapped.args.items() if value} - {"this", "alias"}:
            break
        tree = wrapped.this
    return tree


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
