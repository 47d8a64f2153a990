"""How the texts of two answers differ, word by word: what only the first has struck out, what only the second has underlined.

Not covered: what the difference means (``atoms``, ``results``).
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from finer.records import Rollout
from finer.render.markup import Markup, join, tag, text
from finer.render.style import fragment, number

MOST_CHARACTERS = 8_000
MOST_WORDS = 1_000
"""Words and spaces of either text that are compared: time grows with their product, half a second at the worst."""
_WORD = re.compile(r"\s+|\w+|[^\w\s]")
DIFFERENCE_CSS = (
    ".finer-view .d-text{white-space:pre-wrap}"
    ".finer-view .d-text del{color:var(--f-bad);background:var(--f-tint-bad);text-decoration:line-through}"
    ".finer-view .d-text ins{color:var(--f-good);background:var(--f-tint-good);text-decoration:underline;text-underline-offset:3px}"
)


def answer_difference(one: Rollout, other: Rollout) -> Markup:
    """Two whole answers as one text, with what each was paid; the first is struck out, the second underlined."""
    first, second = _name(one), _name(other)
    said = difference_words(one.completion, other.completion)
    key = tag("p", tag("del", "only in the first"), " · ", tag("ins", "only in the second"), class_="d-text f-soft")
    shown = tag("pre", tag("code", text_difference(one.completion, other.completion)), class_="d-text")
    head = tag("h3", f"{first} → {second}")
    return fragment("difference", "Difference of two answers", head, tag("p", said), key, shown, extra_css=DIFFERENCE_CSS)


def whole_answer(one: Rollout) -> Markup:
    """An answer with nothing to compare it with: its text, and what it was paid."""
    shown = tag("pre", tag("code", text(one.completion, MOST_CHARACTERS)), class_="d-text")
    return fragment("answer", "One answer", tag("h3", _name(one)), shown, extra_css=DIFFERENCE_CSS)


def text_difference(old: str, new: str) -> Markup:
    """The words of both texts in order; a cut is noted at the end.

    >>> text_difference("SELECT name FROM book", "SELECT title FROM book")
    'SELECT <del>name</del><ins>title</ins> FROM book'
    """
    mine, theirs = _words(old), _words(new)
    pieces = []
    for kind, start, end, begin, stop in _matcher(mine, theirs).get_opcodes():
        if kind == "equal":
            pieces.append(text("".join(mine[start:end])))
            continue
        pieces.append(tag("del", text("".join(mine[start:end]))) if end > start else None)
        pieces.append(tag("ins", text("".join(theirs[begin:stop]))) if stop > begin else None)
    cut = len("".join(mine)) < len(old) or len("".join(theirs)) < len(new)
    note = tag("em", f"\n… compared are the first {MOST_WORDS:,} words of either text") if cut else None
    return join(*pieces, note)


def difference_words(old: str, new: str) -> str:
    """One sentence on how much differs.

    >>> difference_words("SELECT name FROM book", "SELECT title FROM book")
    '1 word only in the first, 1 only in the second, 3 in both.'
    >>> difference_words("SELECT 1", "SELECT 1")
    'The two texts are the same.'
    """
    if old == new:
        return "The two texts are the same."
    mine, theirs = _words(old), _words(new)
    same = sum(_count(mine[block.a : block.a + block.size]) for block in _matcher(mine, theirs).get_matching_blocks())
    lost, gained = _count(mine) - same, _count(theirs) - same
    if not lost and not gained:
        return "The two texts differ in their white space alone."
    return f"{lost} word{'s' * (lost != 1)} only in the first, {gained} only in the second, {same} in both."


def _name(rollout: Rollout) -> str:
    return f"answer {rollout.position} of step {rollout.step} (paid {number(rollout.breakdown.total)})"


def _words(source: str) -> list[str]:
    return _WORD.findall(source[:MOST_CHARACTERS])[:MOST_WORDS]


def _matcher(mine: list[str], theirs: list[str]) -> SequenceMatcher:
    return SequenceMatcher(None, mine, theirs, autojunk=False)


def _count(words: list[str]) -> int:
    return sum(not word.isspace() for word in words)
