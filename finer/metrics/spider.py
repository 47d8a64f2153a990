"""The rule of Spider's test-suite evaluator: ``spider-ts`` on every instance, ``spider-ex`` on the main one alone.

What is executed is not the text as it was given:

- ``value`` becomes 1 in a prediction, wherever the letters stand, also inside a name or a literal;
- ``> =``, ``< =`` and ``! =`` are closed up, in both;
- ``YEAR(CURDATE())`` becomes 2020, in both;
- unless ``keep_distinct``: every DISTINCT is deleted from both, also inside COUNT(DISTINCT …), and what follows the
  first statement is dropped.

Then the results compare: the same number of rows and of columns, and one permutation of the columns that makes the
rows equal, as a list where the letters ``order by`` stand anywhere in the gold (one space between the words; a
subquery or a literal will do), else as a multiset. Two results without rows are equal. Values compare as Python's do:
1 equals 1.0, no tolerance for floats.

Where a verdict can differ from the official one, because what runs here is bounded and read-only:

- Officially the bound of 60 seconds never fires; here it does, for the gold and for the prediction each.
- A gold that fails stops the official evaluator. Here the question is not judged (None) and is counted apart.
- What is not a query is refused. Officially a PRAGMA gives rows, and an empty text or an UPDATE gives none, which
  equals a gold without rows.
- A result above a million rows or 64 MB, or a text above 20,000 characters, is not right.
- ``plug_value`` tries 10,000 ways to fill a prediction's literals with the gold's; officially all.

Bytes that are no UTF-8 are left out of a text in both. Source: ``evaluation.py``, ``exec_eval.py`` and ``parse.py`` of
test-suite-sql-eval.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from finer.compare import ROWS_SHOWN, Difference, Row, counted, shown, unusable, width_of
from finer.records import Execution

PLUGGED_TEXTS = 10_000
"""Ways tried to fill a prediction's literals with the gold's."""
SEARCHED_CELLS = 20_000_000
"""Cells looked at in the search for a permutation of columns; only many columns alike in their values need more."""

_CLOSED_UP = {"> =": ">=", "< =": "<=", "! =": "!="}
_THIS_YEAR = re.compile(r"YEAR\s*\(\s*CURDATE\s*\(\s*\)\s*\)\s*", re.IGNORECASE)
_PIECE = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<quoted>'[^']*'|\"[^\"]*\"|`[^`]*`|\[[^\]]*\])"
    r"|(?P<number>(?<![\w.])\d+(?:\.\d+)?(?![\w.]))|(?P<word>\w+)|(?P<end>;)|(?P<other>.)",
    re.DOTALL,
)


def prepare_gold(sql: str) -> str:
    """What is executed for a gold.

    >>> prepare_gold("SELECT count(DISTINCT a) FROM t WHERE b > = 2 AND y = YEAR(CURDATE())")
    'SELECT count( a) FROM t WHERE b >= 2 AND y = 2020'
    """
    return without_distinct(prepare_gold_keeping_distinct(sql))


def prepare_prediction(sql: str) -> str:
    """What is executed for a prediction.

    >>> prepare_prediction("SELECT DISTINCT a FROM t WHERE b = value; and some prose")
    'SELECT  a FROM t WHERE b = 1;'
    """
    return without_distinct(prepare_prediction_keeping_distinct(sql))


def prepare_gold_keeping_distinct(sql: str) -> str:
    """What is executed for a gold under ``keep_distinct``."""
    for spaced, closed in _CLOSED_UP.items():
        sql = sql.replace(spaced, closed)
    return _THIS_YEAR.sub("2020", sql)


def prepare_prediction_keeping_distinct(sql: str) -> str:
    """What is executed for a prediction under ``keep_distinct``."""
    return prepare_gold_keeping_distinct(sql.replace("value", "1"))


def without_distinct(sql: str) -> str:
    """The first statement of a text, without the word DISTINCT outside quotes and comments."""
    pieces = []
    for match in _PIECE.finditer(sql):
        if match.group().lower() != "distinct":
            pieces.append(match.group())
        if match.lastgroup == "end" and "".join(pieces).strip("; \t\r\n"):
            break
    return "".join(pieces)


def plugged(gold_sql: str, prediction_sql: str) -> Iterator[str]:
    """The prediction with its literals (texts and numbers) replaced by the gold's, in every way.

    >>> list(plugged("SELECT a FROM t WHERE b = 'x' LIMIT 3", "SELECT a FROM t WHERE b = 'y'"))
    ["SELECT a FROM t WHERE b = 'x'", 'SELECT a FROM t WHERE b = 3']
    """
    values = list(dict.fromkeys(piece for piece, is_value in _literals(gold_sql) if is_value))
    pieces = _literals(prediction_sql)
    slots = [place for place, (_, is_value) in enumerate(pieces) if is_value]
    for chosen in itertools.islice(itertools.product(values, repeat=len(slots)), PLUGGED_TEXTS):
        texts = [piece for piece, _ in pieces]
        for place, value in zip(slots, chosen, strict=True):
            texts[place] = value
        yield "".join(texts)


def _literals(sql: str) -> list[tuple[str, bool]]:
    """The pieces of a text; True beside those that are a literal, double quotes being taken for one."""
    found = []
    for match in _PIECE.finditer(sql):
        is_text = match.lastgroup == "quoted" and match.group()[0] in "'\""
        found.append((match.group(), is_text or match.lastgroup == "number"))
    return found


def compare(gold_sql: str, gold: Execution, prediction: Execution) -> Difference:
    """Is there one permutation of columns that makes two results equal? ``gold_sql``: the gold as it was executed.

    ValueError where the gold did not run.

    >>> gold = Execution("ok", ((1, "Ada"), (2, "Bo")), ("id", "name"))
    >>> turned = Execution("ok", (("Bo", 2), ("Ada", 1)), ("name", "id"))
    >>> compare("SELECT id, name FROM t", gold, turned).equal
    True
    >>> compare("SELECT id, name FROM t ORDER BY id", gold, turned).reason
    "the rows are right but in another order: row 1 is ('Bo', 2) instead of (1, 'Ada')"
    """
    if failure := unusable(gold, prediction):
        return failure
    if not gold.rows and not prediction.rows:
        return Difference(True)
    if reason := _size_reason(gold, prediction):
        return Difference(False, reason, gold.rows[:ROWS_SHOWN], prediction.rows[:ROWS_SHOWN])
    ordered = "order by" in gold_sql.lower()
    if (_equal_lists if ordered else _equal_bags)(gold.rows, prediction.rows):
        if _equal_as_sorted_text(gold.rows, prediction.rows, ordered):
            return Difference(True)
        return Difference(False, "equal, but sorted apart by the evaluator's quick check, which tells 1 from 1.0")
    return _difference(gold.rows, prediction.rows, ordered)


def _size_reason(gold: Execution, prediction: Execution) -> str:
    wanted, given = len(gold.rows), len(prediction.rows)
    if wanted != given:
        return f"{counted(given, 'row')}, where the gold has {wanted or 'none'}"
    if width_of(gold) != width_of(prediction):
        return f"{counted(width_of(prediction), 'column')} instead of {width_of(gold)}"
    return ""


def _difference(gold: Sequence[Row], prediction: Sequence[Row], ordered: bool) -> Difference:
    """Why two results of the same size differ, told on the columns as they stand."""
    wanted, given = Counter(gold), Counter(prediction)
    missing, extra = tuple((wanted - given).elements()), tuple((given - wanted).elements())
    if ordered and _equal_bags(gold, prediction):
        place = next(place for place, pair in enumerate(zip(gold, prediction, strict=True)) if pair[0] != pair[1])
        change = f"row {place + 1} is {shown(prediction[place])} instead of {shown(gold[place])}"
        return Difference(False, f"the rows are right but in another order: {change}", missing[:ROWS_SHOWN], extra[:ROWS_SHOWN])
    what = f"row {shown(missing[0])} is missing" if missing else f"row {shown(extra[0])} should not be there"
    permuted = ", in any order of the columns" if len(gold[0]) > 1 else ""
    return Difference(False, what + permuted, missing[:ROWS_SHOWN], extra[:ROWS_SHOWN])


def _equal_lists(gold: Sequence[Row], prediction: Sequence[Row]) -> bool:
    """Equal as lists of rows under some permutation of columns, which is: the same bag of whole columns."""
    return gold == prediction or Counter(zip(*gold, strict=True)) == Counter(zip(*prediction, strict=True))


def _equal_bags(gold: Sequence[Row], prediction: Sequence[Row]) -> bool:
    """Equal as bags of rows under some permutation of columns.

    Columns are matched one by one, those with the most values first, and a match stands only while the rows agree on
    the columns matched so far; so the search hardly ever turns back.
    """
    if Counter(gold) == Counter(prediction):
        return True
    wanted, given = list(zip(*gold, strict=True)), list(zip(*prediction, strict=True))
    wanted.sort(key=lambda column: -len(set(column)))
    bags = [frozenset(Counter(column).items()) for column in given]
    choices = []
    for column in wanted:
        bag = frozenset(Counter(column).items())
        choices.append([place for place, other in enumerate(bags) if other == bag])
        if not choices[-1]:
            return False
    return _matched(wanted, given, choices)


def _matched(wanted: list[Row], given: list[Row], choices: list[list[int]]) -> bool:
    """Is there a choice for each wanted column, none twice, under which the rows agree? A search in depth."""
    steps = max(1000, SEARCHED_CELLS // len(wanted[0]))
    start = (0,) * len(wanted[0])
    stack = [(start, start, frozenset(), iter(choices[0]))]
    while stack and steps:
        left, right, used, untried = stack[-1]
        place = next((place for place in untried if place not in used), None)
        if place is None:
            stack.pop()
            continue
        steps -= 1
        names: dict[tuple, int] = {}
        refined = [
            tuple(names.setdefault(pair, len(names)) for pair in zip(rows, column, strict=True))
            for rows, column in ((left, wanted[len(stack) - 1]), (right, given[place]))
        ]
        if Counter(refined[0]) == Counter(refined[1]):
            if len(stack) == len(wanted):
                return True
            stack.append((refined[0], refined[1], used | {place}, iter(choices[len(stack)])))
    return False


def _equal_as_sorted_text(gold: Sequence[Row], prediction: Sequence[Row], ordered: bool) -> bool:
    """The evaluator's first check: rows with their cells sorted as text, which sorts 10 and 1 unlike 10 and 1.0.

    Only a float can make equal cells differ as text, so without one there is nothing to check.
    """
    if not any(isinstance(cell, float) for row in itertools.chain(gold, prediction) for cell in row):
        return True
    wanted, given = ([tuple(sorted(row, key=lambda cell: str(cell) + str(type(cell)))) for row in rows] for rows in (gold, prediction))
    return wanted == given if ordered else set(wanted) == set(given)
