"""BIRD's rules: execution accuracy (``bird-ex``) and Soft-F1, as its evaluation scripts compute them.

``bird-ex``: right exactly where the set of the prediction's rows equals the set of the gold's. So the order and the
number of columns count and their names do not; neither the order of rows nor duplicates count; values compare as
Python's do: 1 equals 1.0, '1' does not equal 1, NULL equals NULL and not '', and no tolerance for floats; two results
without rows are equal, whatever their columns.

Where a verdict can differ from the official script, because what runs here is bounded and read-only:

- The gold has its own 30 seconds; officially one bound of 30 seconds covers the prediction and then the gold.
- A gold that fails counts as a wrong answer officially. Here the question is not judged (None) and is counted apart.
- What is not a query is refused. Officially a PRAGMA gives rows, and an empty text or an UPDATE (which changes the
  database for all that follow) gives none, which equals a gold without rows.
- A result above a million rows or 64 MB, or a text above 20,000 characters, is not right.

Text that is not UTF-8 is an error in both. Sources: ``evaluation.py`` of BIRD (DAMO-ConvAI) and of its mini-dev,
``evaluation_f1.py`` of mini-dev.
"""

from __future__ import annotations

from collections.abc import Sequence

from finer.compare import ROWS_SHOWN, Difference, Row, counted, shown, unusable, width_of
from finer.records import Execution


def compare(gold_sql: str, gold: Execution, prediction: Execution) -> Difference:
    """Do two results hold the same set of rows? ``gold_sql`` plays no part. ValueError where the gold did not run.

    >>> gold = Execution("ok", ((1, "Ada"), (2, "Bo")))
    >>> compare("", gold, Execution("ok", ((2.0, "Bo"), (1, "Ada"), (1, "Ada")))).equal
    True
    >>> compare("", gold, Execution("ok", (("Ada", 1), ("Bo", 2)))).reason
    "row (1, 'Ada') is missing"
    """
    if failure := unusable(gold, prediction):
        return failure
    wanted, given = set(gold.rows), set(prediction.rows)
    if wanted == given:
        return Difference(True)
    missing = tuple(row for row in dict.fromkeys(gold.rows) if row not in given)[:ROWS_SHOWN]
    extra = tuple(row for row in dict.fromkeys(prediction.rows) if row not in wanted)[:ROWS_SHOWN]
    return Difference(False, _reason(gold, prediction, missing, extra), missing, extra)


def _reason(gold: Execution, prediction: Execution, missing: Sequence[Row], extra: Sequence[Row]) -> str:
    if not prediction.rows:
        return f"no row, where the gold has {counted(len(gold.rows), 'row')}"
    if not gold.rows:
        return f"{counted(len(prediction.rows), 'row')}, where the gold has none"
    if width_of(gold) != width_of(prediction):
        return f"{counted(width_of(prediction), 'column')} instead of {width_of(gold)}"
    return f"row {shown(missing[0])} is missing" if missing else f"row {shown(extra[0])} should not be there"


def soft_f1(gold: Execution, prediction: Execution) -> float:
    """Mini-dev's Soft-F1, 0 to 1: how much of the gold's cells the prediction holds, row by row.

    Duplicate rows are dropped, then rows are paired by their position, so the order of rows counts although
    ``bird-ex`` ignores it. In a pair each cell counts as found where its value stands anywhere in the other row;
    counts are shares of the gold's columns. A row without a partner counts 1 on its side. 0 where the prediction did
    not run; ValueError where the gold did not.

    >>> gold = Execution("ok", (("Apple", 325), ("Orange", None), ("Banana", 119)))
    >>> prediction = Execution("ok", ((325, "Apple"), (191, "Orange"), (None, "Banana")))
    >>> round(soft_f1(gold, prediction), 3)
    0.667
    """
    if unusable(gold, prediction):
        return 0.0
    wanted, given = list(dict.fromkeys(gold.rows)), list(dict.fromkeys(prediction.rows))
    if not wanted and not given:
        return 1.0
    pairs = [_row_shares(*pair) for pair in zip(wanted, given, strict=False)]
    both = sum(found for found, _, _ in pairs)
    only_prediction = sum(extra for _, extra, _ in pairs) + max(0, len(given) - len(wanted))
    only_gold = sum(missing for _, _, missing in pairs) + max(0, len(wanted) - len(given))
    if not both:
        return 0.0
    precision, recall = both / (both + only_prediction), both / (both + only_gold)
    return 2 * precision * recall / (precision + recall)


def _row_shares(wanted: Row, given: Row) -> tuple[float, float, float]:
    """(found, only in the prediction, only in the gold) of one pair of rows, each over the gold's columns."""
    found = sum(cell in wanted for cell in given)
    missing = sum(cell not in given for cell in wanted)
    return found / len(wanted), (len(given) - found) / len(wanted), missing / len(wanted)
