"""The SQL in a text that may hold more: prose, fences, remarks, the next question.

Where there are fenced blocks, the last one that holds a statement is taken; else the text itself, where it is a statement;
else all from the first place where a query begins: a line, or what follows a colon or stands in back quotes. What comes
after the statement and can be no part of it is cut off: a sentence, a heading, a chat model's end marker, the next question
of a prompt. Several statements are kept as they are, for the sandbox to refuse: which of them was meant is not ours to say.

The text is never changed, only cut: what is found is a piece of it. Reading takes time linear in the text, and never raises.
Not covered: the thought before the answer (``prompt``), and whether the SQL runs (``sandbox``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from finer.sandbox import check_statement

FENCE = "```"

_NAME = r'(?:\w+|"[^"\n]*"|\[[^\]\n]*\]|`[^`\n]*`)'
_QUERY = rf"(?:SELECT\b|WITH\s+(?:RECURSIVE\s+)?{_NAME}\s*(?:\(|AS\b))"
_QUERY_START = re.compile(_QUERY, re.IGNORECASE)
_QUERY_LINE = re.compile(rf"^[ \t]*{_QUERY}", re.IGNORECASE | re.MULTILINE)
_QUERY_IN_LINE = re.compile(rf"(?::[ \t*]*|<\w+>[ \t]*)(?P<rest>{_QUERY})|(?<!`)`(?P<quoted>{_QUERY}[^`\n]*)`", re.IGNORECASE)
_OTHER_STATEMENT = re.compile(
    r"(?:ALTER|ANALYZE|ATTACH|BEGIN|COMMIT|CREATE|DELETE|DETACH|DROP|EXPLAIN|INSERT|PRAGMA|REINDEX|RELEASE|REPLACE"
    r"|ROLLBACK|SAVEPOINT|UPDATE|VACUUM|VALUES)\b",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(r"[ \t]*(?:(?:sqlite3?|sql)(?=\s|\Z)|(?!SELECT\b|WITH\b|VALUES\b)[\w+-]*[ \t]*(?=\n|\Z))\s*", re.IGNORECASE)
_NEXT_QUESTION = re.compile(r"^[ \t]*(?:#+[ \t]*|\*\*[ \t]*)?(?:Question|Q)[ \t]*\d*[ \t]*[:.]", re.IGNORECASE | re.MULTILINE)

_PIECE = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))|(?P<quoted>'[^']*'|\"[^\"]*\"|`[^`]*`|\[[^\]]*\])|(?P<word>[^\W\d][\w$]*)|(?P<number>[\d.]+)"
    r"|(?P<space>\s+)|(?P<mark></[a-z]+>|<\|)|(?P<other>.)",
    re.DOTALL,
)
_NO_SQL_LINE = re.compile(r"#|\*\*|[A-Za-z][\w ]{0,30}:(?=\s|\Z)")
"""Starts no line of SQL: a heading, bold text, a label such as ``Explanation:``."""
_SENTENCE = re.compile(r"[A-Z][a-z']*[ ,][^\n]*[.:!?]\s*(?:\n|\Z)")
"""A line from a capital to a full stop; SQL ends no line so."""
_KEYWORD = re.compile(r"(?P<word>[A-Za-z]+)\b\s*(?P<bracket>\()?")
_AFTER_WORD = re.compile(r"\s*(?:[,);]|\Z|(?P<word>[^\W\d]\w*))")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WANTS_MORE = _words(
    "ALL AND AS BETWEEN BY CASE COLLATE CROSS DISTINCT ELSE ESCAPE EXCEPT EXISTS FROM FULL GLOB GROUP HAVING IN INNER INTERSECT"
    " IS JOIN LEFT LIKE LIMIT MATCH NATURAL NOT NULLS OFFSET ON OR ORDER OUTER RECURSIVE REGEXP RIGHT SELECT THEN UNION USING VALUES"
    " WHEN WHERE WINDOW WITH"
)
"""Keywords after which a query goes on; after any other word it may be at its end."""
_OTHER_DIALECTS = _words(
    "ANTI ASOF DIV FETCH FOR ILIKE LATERAL MINUS MOD PIVOT POSITIONAL QUALIFY RLIKE SEMI SIMILAR TABLESAMPLE UNPIVOT XOR"
)
"""Cutting these off would turn a query that fails into one that runs."""
_GOES_ON = _WANTS_MORE | _OTHER_DIALECTS | _words("ASC DESC END FILTER INDEXED ISNULL NOTNULL OVER")
"""Keywords that may begin a line of a query where the one before ended with a name or a value."""
_FOLLOWS_ALIAS = _words(
    "CROSS EXCEPT FROM FULL GROUP HAVING INDEXED INNER INTERSECT JOIN LEFT LIMIT NATURAL NOT ON ORDER RIGHT UNION USING WHERE WINDOW"
)


def find_sql(text: str) -> tuple[str, str]:
    """The SQL in a text, '' where there is none, and the text beside it ('' where there is nothing but the SQL).

    >>> find_sql("Here you are:\\n```sql\\nSELECT 1\\n```")
    ('SELECT 1', 'Here you are:')
    >>> find_sql("SELECT name FROM book;\\n\\n### Question: how many?")
    ('SELECT name FROM book;', '### Question: how many?')
    >>> find_sql("I cannot say.")
    ('', 'I cannot say.')
    """
    # Outside fences the next question is cut off with whatever else is no SQL, and quotes are minded.
    answer, following = _without_next_question(text) if FENCE in text else (text, "")
    sql, beside = _fenced(answer) if FENCE in answer else _plain(answer)
    return sql, (beside + following).strip()


def _without_next_question(text: str) -> tuple[str, str]:
    """The text up to where it goes on with another question; one before any SQL is a question repeated, and stays."""
    query = _QUERY_LINE.search(text)
    fences, last = 0, 0
    for found in _NEXT_QUESTION.finditer(text):
        fences += text.count(FENCE, last, found.start())
        last = found.start()
        if fences % 2 == 0 and (fences or (query and query.start() < last)):
            return text[:last], text[last:]
    return text, ""


def _fenced(text: str) -> tuple[str, str]:
    """The last fenced block that holds a statement; a block that is never closed counts too, but leaves a rest."""
    pieces = text.split(FENCE)  # outside, block, outside, block, ...: an even count means that the last block is open
    blocks = range(1, len(pieces), 2)
    for place in reversed(blocks):
        body = pieces[place][_LANGUAGE.match(pieces[place]).end() if _LANGUAGE.match(pieces[place]) else 0 :]
        if _is_statement(body.strip()):
            sql, after = _cut(body.strip())
            beside = "".join(piece for other, piece in enumerate(pieces) if other != place).strip() + after
            is_open = len(pieces) % 2 == 0 and place == len(pieces) - 1
            return sql, beside or ("a fence that is never closed" if is_open else "")
    outside = [found for found in (_plain(piece) for piece in pieces[::2]) if found[0]]
    return (outside[0][0], text) if outside else ("", text)


def _plain(text: str) -> tuple[str, str]:
    whole = text.strip()
    if _is_statement(whole):
        return _cut(whole)
    found = _QUERY_LINE.search(whole)
    start = found.start() if found else -1
    if start < 0 and (found := _QUERY_IN_LINE.search(whole)):
        if found["quoted"]:
            return found["quoted"].strip(), whole[: found.start()] + whole[found.end() :]
        start = found.start("rest")
    if start < 0:
        return "", whole
    sql, after = _cut(whole[start:].strip())
    return sql, whole[:start] + after


def _is_statement(text: str) -> bool:
    return bool(not check_statement(text) or _OTHER_STATEMENT.match(text) or _QUERY_LINE.match(text))


def _cut(text: str) -> tuple[str, str]:
    """A text that begins with a statement, split where the statement can go on no more."""
    end = next(_ends(text), len(text))
    return text[:end].strip(), text[end:].strip()


def _ends(text: str) -> Iterator[int]:
    """Places where what follows is no SQL: at a marker, behind a semicolon, or at the start of a line; never in quotes or comments."""
    previous, breaks, depth = "", 0, 0
    for piece in _PIECE.finditer(text):
        kind, word = piece.lastgroup, piece.group()
        if kind == "space":
            breaks = word.count("\n")
        elif kind == "mark" or (previous == ";" and kind == "word" and not _begins_statement(text, piece.start())):
            yield piece.start()
        elif kind != "comment":
            if breaks and previous and _is_prose(text, piece, previous, breaks, depth):
                yield piece.start()
            depth += (word == "(") - (word == ")")
            previous, breaks = word.upper(), 0


def _begins_statement(text: str, start: int) -> bool:
    """Does a statement begin there, or what a query would go on with (``…; AND (``), which makes two broken ones of it?"""
    return bool(_QUERY_START.match(text, start) or _OTHER_STATEMENT.match(text, start) or _goes_on(text, start))


def _goes_on(text: str, start: int) -> bool:
    """A keyword in capitals, or one that a bracket follows: a sentence begins with neither."""
    found = _KEYWORD.match(text, start)
    return found is not None and found["word"].upper() in _WANTS_MORE and (found["word"].isupper() or bool(found["bracket"]))


def _is_prose(text: str, piece: re.Match, previous: str, breaks: int, depth: int) -> bool:
    """Is the line that begins with this piece no SQL, given the token before it and how many line breaks lie between?"""
    start, kind, word = piece.start(), piece.lastgroup, piece.group()
    if _NO_SQL_LINE.match(text, start) or (breaks > 1 and _SENTENCE.match(text, start)):
        return True
    if previous == ";":
        return kind != "word" and word not in ";("
    if depth > 0 or kind not in ("word", "number") or not _may_end(previous):
        return False
    return kind == "number" or (word.upper() not in _GOES_ON and (breaks > 1 or not _is_alias(text, piece.end())))


def _may_end(previous: str) -> bool:
    """May a name, a value or a clause end with this token?"""
    return previous[0] in ")'\"`" or (previous[0] == "[" and len(previous) > 1) or (
        (previous[0].isalnum() or previous[0] == "_") and previous not in _WANTS_MORE
    )


def _is_alias(text: str, end: int) -> bool:
    """Could the word that ends here be an alias: does the end, a sign, or a keyword that may come after an alias follow?"""
    found = _AFTER_WORD.match(text, end)
    return found is not None and (found["word"] is None or found["word"].upper() in _FOLLOWS_ALIAS)
