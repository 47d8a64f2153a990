"""A question as chat messages, and a completion as thought and SQL.

The format asked of a policy is ``<think>`` thought ``</think>`` and then one SQL statement. Reading a completion never
raises, whatever the text. Not covered: running the SQL (``sandbox``) and paying for the format (``rewards``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finer.extraction import find_sql
from finer.records import Question
from finer.sandbox import check_statement
from finer.schema import Kept, Schema, render_compact, render_ddl

OPEN, CLOSE = "<think>", "</think>"

SYSTEM_PROMPT = (
    "You answer questions about an SQLite database. First think between <think> and </think>: name the tables, the "
    "joins, the filters and the output. After </think> write exactly one SQLite SELECT statement that answers the "
    "question, and nothing else. Return only the columns that are asked for, in the order of the question."
)


@dataclass(frozen=True)
class Parsed:
    """What was read from a completion."""

    thought: str
    sql: str
    """The SQL as it would be run, '' where there is none; also SQL that the sandbox will refuse."""
    well_formed: bool
    reason: str = ""
    """What broke the format, one clause that a person can read; '' where it is well formed."""


def completion_text(thought: str, sql: str) -> str:
    """The completion that holds this thought and this SQL: what a policy is taught to write.

    >>> completion_text("Count the books.", "SELECT COUNT(*) FROM book")
    '<think>\\nCount the books.\\n</think>\\nSELECT COUNT(*) FROM book'
    """
    return f"{OPEN}\n{thought}\n{CLOSE}\n{sql}"


def parse_completion(text: str) -> Parsed:
    """Thought and SQL of a completion, and whether it keeps the format.

    Well formed is: exactly one ``<think>`` and one ``</think>``, only white space before ``<think>``, and after
    ``</think>`` one read-only query by :func:`finer.sandbox.check_statement`. The query may stand alone in one closed
    ``` fence, which is taken off; with anything beside the fence the text is not well formed.

    Where the format is broken the SQL is still looked for outside the thought, by :func:`finer.extraction.find_sql`. SQL
    inside a thought that is never closed is not an answer and is never taken.

    >>> parse_completion("<think>all of them</think> SELECT name FROM book")
    Parsed(thought='all of them', sql='SELECT name FROM book', well_formed=True, reason='')
    >>> parse_completion("I cannot answer that.").reason
    'no <think> … </think>'
    """
    thought, answer = _split(text)
    sql, rest = find_sql(answer)
    reason = _tag_fault(text) or _answer_fault(sql, rest)
    return Parsed(thought, sql, not reason, reason)


def _split(text: str) -> tuple[str, str]:
    """The thought, and the text outside it that may hold the answer."""
    start, end = text.find(OPEN), text.rfind(CLOSE)
    if start < 0 and end < 0:
        return "", text
    if end < 0 or end < text.rfind(OPEN):  # a thought that is never closed: whatever stands in it is no answer
        last = text.rfind(OPEN)
        answered = text[end + len(CLOSE) : last] if end >= 0 else text[: text.find(OPEN)]
        return text[last + len(OPEN) :].strip(), answered
    begin = start + len(OPEN) if start >= 0 else 0
    return text[begin:end].strip(), text[end + len(CLOSE) :]


def _tag_fault(text: str) -> str:
    opened, closed = text.count(OPEN), text.count(CLOSE)
    if not opened and not closed:
        return "no <think> … </think>"
    if opened != 1:
        return f"{opened} <think> tags, and exactly one is wanted"
    if closed != 1:
        return "the thought is never closed" if not closed else f"{closed} </think> tags, and exactly one is wanted"
    before = text[: text.find(OPEN)]
    if CLOSE in before:
        return "</think> stands before <think>"
    return "text stands before <think>" if before.strip() else ""


def _answer_fault(sql: str, rest: str) -> str:
    if not sql:
        return "no SQL outside the thought"
    if rest:
        return f"text beside the SQL: {rest[:40]!r}"
    return check_statement(sql)


def messages(question: Question, schema: Schema, style: str = "chat", columns: Sequence[Kept] = ()) -> list[dict[str, str]]:
    """The chat messages that ask a policy this question.

    ``tiny``: one user message of the compact schema (only ``question.tables`` where they are given), the evidence
    line where there is one, and the question. ``compact``: the same after a system message that states the format. ``chat``:
    that system message, then CREATE TABLE statements with descriptions and sample values, evidence and question. With ``columns`` these are shown in place of
    ``question.tables``, in the schema's order, with the values that the question names. ValueError for another style.
    """
    tables = () if columns else question.tables
    system = {"role": "system", "content": SYSTEM_PROMPT}
    if style in ("tiny", "compact"):
        lines = [render_compact(schema, tables, columns), _one_line(question.evidence), _one_line(question.text)]
        asked = {"role": "user", "content": "\n".join(line for line in lines if line)}
        return [asked] if style == "tiny" else [system, asked]
    if style == "chat":
        parts = [render_ddl(schema, tables, columns)]
        parts += [f"Evidence: {_one_line(question.evidence)}"] if question.evidence.strip() else []
        parts += [f"Question: {_one_line(question.text)}"]
        return [system, {"role": "user", "content": "\n\n".join(parts)}]
    raise ValueError(f"unknown prompt style {style!r}; use 'tiny', 'compact' or 'chat'")


def _one_line(text: str) -> str:
    return " ".join(text.split())
