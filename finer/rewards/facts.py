"""What was found out about one completion before anything is paid, and how evidence is made small and JSON-ready.

Facts do not depend on a recipe's weights; the parts turn them into a value and evidence under a recipe. Not covered:
finding them out (``scorer``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from finer.compare import Difference
from finer.prompt import Parsed
from finer.records import AtomicOverlap, MemoryMatch, Verdict

LONGEST_TEXT = 400
"""Characters kept of any one text in evidence."""
MOST_CELLS = 20
"""Cells kept of a row."""


@dataclass(frozen=True)
class BigramOverlap:
    """Pairs of neighbouring tokens that two texts share."""

    overlap: float | None
    """Jaccard over sets, 0 to 1; None: not compared."""
    missing: tuple[str, ...] = ()
    """The gold's pairs that the text lacks."""
    extra: tuple[str, ...] = ()
    gold: str = ""
    """The gold query that fits best, of several."""


@dataclass(frozen=True)
class ResultOverlap:
    """Values that two results share."""

    cells: float = 0.0
    """Jaccard over the bag of cells, 0 to 1."""
    columns: float = 0.0
    """Jaccard over the bag of columns, each as the bag of its values, 0 to 1."""
    reason: str = ""
    """Why there is nothing to compare."""

    @property
    def overlap(self) -> float:
        """The mean of both."""
        return (self.cells + self.columns) / 2


NO_OVERLAP = AtomicOverlap(None, reason="not compared")
NO_MATCH = MemoryMatch(None, reason="not compared")


@dataclass(frozen=True)
class Facts:
    """One completion: what it says, what its SQL did, and what it resembles."""

    parsed: Parsed
    verdict: Verdict
    not_a_query: str = ""
    """Why the SQL is not exactly one read-only query; '' where it is."""
    difference: Difference | None = None
    """For a query that runs and is wrong: the rows that differ."""
    overlap: AtomicOverlap = NO_OVERLAP
    match: MemoryMatch = NO_MATCH
    bigram: BigramOverlap = BigramOverlap(None)
    result: ResultOverlap = ResultOverlap(reason="not compared")
    own: Mapping[str, Any] = field(default_factory=dict)
    """What functions of one's own say of it, by part (``own.OwnValue``)."""

    @property
    def gold_failed(self) -> bool:
        """True where the gold query failed, so that nothing can be said."""
        return self.verdict.correct is None

    @property
    def right(self) -> bool:
        return self.verdict.correct is True and not self.not_a_query

    @property
    def runs(self) -> bool:
        """True where the query ran to its end on every instance (right or wrong)."""
        return self.verdict.status in ("ok", "empty") and not self.not_a_query

    @property
    def status(self) -> str:
        """'correct', 'wrong', or the execution status of a prediction that did not run."""
        if self.gold_failed:
            return "gold_failed"
        if self.right:
            return "correct"
        if not self.runs:
            return self.verdict.status if self.verdict.status not in ("ok", "empty") else "refused"
        return "wrong"


def short(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text, cut with a mark that says how much is missing.

    >>> short("abcdefgh", 5)
    'abcde… (3 more characters)'
    """
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text) - longest} more characters)"


def json_cell(value: Any) -> Any:
    """A value of SQLite as JSON holds it: bytes as X'…', a number that JSON lacks as text.

    >>> json_cell(b"\\x01\\xff"), json_cell(float("inf")), json_cell(2.5), json_cell(None)
    ("X'01ff'", 'inf', 2.5, None)
    """
    if isinstance(value, (bytes, bytearray)):
        return short(f"X'{value[:LONGEST_TEXT].hex()}'")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return short(value) if isinstance(value, str) else value


def json_rows(rows: Iterable[tuple[Any, ...]], most: int = 5) -> list[list[Any]]:
    """The first few rows with JSON-ready cells."""
    return [[json_cell(cell) for cell in row[:MOST_CELLS]] for row in list(rows)[:most]]
