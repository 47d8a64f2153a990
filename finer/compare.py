"""Is this result the gold result, under the rule ``strict``.

Strict means: as many columns, in the same order (their names do not count); rows as a bag, or in order where the
gold's outermost query orders them; native values, with a tolerance where a float takes part. The official rules of
Spider and BIRD, and the one shape that all rules share, are in ``metrics``.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finer.records import Execution
from finer.sandbox import sql_tokens

RELATIVE_TOLERANCE = 1e-6
ABSOLUTE_TOLERANCE = 1e-9
ROWS_SHOWN = 20
"""Differing rows kept for a person to see."""
ROW_CHARACTERS = 100
MATCHED_EXACTLY = 400
"""Rows alike but for their floats, up to which the best pairing is searched; above it, the first partner is final."""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Difference:
    """Whether two results are the same, and where they differ."""

    equal: bool
    reason: str = ""
    """One sentence without its full stop; '' where the results are equal."""
    only_gold: tuple[Row, ...] = ()
    """Up to 20 gold rows without a partner, a row as often as it lacks one."""
    only_prediction: tuple[Row, ...] = ()
    """Up to 20 rows of the prediction without a partner."""


def is_ordered(gold_sql: str) -> bool:
    """Does the outermost query order its rows?

    An ORDER BY belongs to the outermost query exactly where it stands outside all parentheses: those of subqueries,
    common tables, windows and aggregates stand inside. So no parser is needed, and any text gets an answer.

    >>> is_ordered("SELECT a FROM t ORDER BY a"), is_ordered("SELECT a FROM (SELECT a FROM t ORDER BY a)")
    (True, False)
    >>> is_ordered("SELECT 'ORDER BY', rank() OVER (ORDER BY a) FROM t")
    False
    """
    depth, previous = 0, ""
    for token in sql_tokens(gold_sql):
        word = token.upper()
        if depth == 0 and previous == "ORDER" and word == "BY":
            return True
        depth += (token == "(") - (token == ")")
        previous = word
    return False


def strict(gold: Execution, prediction: Execution, ordered: bool) -> Difference:
    """Compare a prediction's result with the gold's; ``ordered`` says that the order of rows counts.

    Two values are equal where SQLite holds them equal without conversion: 1 and 1.0 are, '1' and 1 are not, NULL
    equals NULL and nothing else. Where one is a float they may differ by 1e-6 of the larger, or by 1e-9.
    ValueError where the gold did not run: then there is nothing to compare with.

    >>> gold = Execution("ok", ((1, "Ada"), (2, "Bo")), ("id", "name"))
    >>> strict(gold, Execution("ok", ((2.0, "Bo"), (1, "Ada")), ("a", "b")), ordered=False).equal
    True
    >>> strict(gold, Execution("ok", ((1, "Ada"),), ("id", "name")), ordered=False).reason
    "row (2, 'Bo') is missing"
    """
    if failure := unusable(gold, prediction):
        return failure
    wanted, given = width_of(gold), width_of(prediction)
    if wanted != given:
        reason = f"{counted(given, 'column')} instead of {wanted}"
        return Difference(False, reason, gold.rows[:ROWS_SHOWN], prediction.rows[:ROWS_SHOWN])
    only_gold, only_prediction = unpaired(gold.rows, prediction.rows)
    if only_gold or only_prediction:
        reason = _bag_reason(gold.rows, prediction.rows, only_gold, only_prediction)
        return Difference(False, reason, tuple(only_gold[:ROWS_SHOWN]), tuple(only_prediction[:ROWS_SHOWN]))
    return _in_order(gold.rows, prediction.rows) if ordered else Difference(True)


def unusable(gold: Execution, prediction: Execution) -> Difference | None:
    """The difference where the prediction did not run, else None; ValueError where the gold did not run."""
    if not gold.ran:
        raise ValueError(f"the gold did not run ({gold.status}: {gold.error}); a verdict on it would mean nothing")
    if not prediction.ran:
        return Difference(False, f"the prediction did not run: {prediction.status}, {prediction.error}")
    return None


def _in_order(gold: Sequence[Row], prediction: Sequence[Row]) -> Difference:
    for place, (wanted, given) in enumerate(zip(gold, prediction, strict=True), start=1):
        if not _rows_equal(wanted, given):
            change = f"row {place} is {shown(given)} instead of {shown(wanted)}"
            return Difference(False, f"the rows are right but in another order: {change}")
    return Difference(True)


def width_of(execution: Execution) -> int:
    """How many columns a result has, also where it has no row."""
    return len(execution.columns) or len(execution.rows[0] if execution.rows else ())


def _bag_reason(
    gold: Sequence[Row], prediction: Sequence[Row], only_gold: list[Row], only_prediction: list[Row]
) -> str:
    if not prediction:
        return f"no row, where the gold has {counted(len(gold), 'row')}"
    if not gold:
        return f"{counted(len(prediction), 'row')}, where the gold has none"
    if only_gold:
        row, verb = only_gold[0], "is missing"
    else:
        row, verb = only_prediction[0], "should not be there"
    wanted, given = gold.count(row), prediction.count(row)
    if wanted and given:
        verb = f"comes {counted(given, 'time')} instead of {wanted}"
    if abs(len(gold) - len(prediction)) > 1:
        verb += f" ({counted(len(prediction), 'row')} instead of {len(gold)})"
    return f"row {shown(row)} {verb}"


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(0, "column")
    ('1 row', '0 columns')
    """
    return f"{number} {noun}" + ("" if number == 1 else "s")


def shown(row: Row) -> str:
    """A row as a sentence shows it: cut after 100 characters."""
    text = repr(row)
    return text if len(text) <= ROW_CHARACTERS else text[: ROW_CHARACTERS - 1] + "…"


def _cells_equal(first: Any, second: Any) -> bool:
    if isinstance(first, float) or isinstance(second, float):
        if isinstance(first, (int, float)) and isinstance(second, (int, float)):
            return math.isclose(first, second, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)
        return False
    return first == second


def _rows_equal(first: Row, second: Row) -> bool:
    return first == second or all(map(_cells_equal, first, second))


def unpaired(gold: Sequence[Row], prediction: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows of each side without a partner on the other, in their own order."""
    gold_counts, prediction_counts = Counter(gold), Counter(prediction)
    if gold_counts == prediction_counts:
        return [], []
    floats = _float_columns([*gold, *prediction])
    if not floats:
        return list((gold_counts - prediction_counts).elements()), list((prediction_counts - gold_counts).elements())
    left, right = _grouped(gold, floats), _grouped(prediction, floats)
    only_gold, only_prediction = [], []
    for key in left.keys() | right.keys():
        lone_left, lone_right = _pair(gold, prediction, left.get(key, []), right.get(key, []), floats)
        only_gold += lone_left
        only_prediction += lone_right
    return [gold[i] for i in sorted(only_gold)], [prediction[i] for i in sorted(only_prediction)]


def _float_columns(rows: Sequence[Row]) -> list[int]:
    return sorted({place for row in rows for place, cell in enumerate(row) if isinstance(cell, float)})


def _grouped(rows: Sequence[Row], floats: list[int]) -> dict[Row, list[int]]:
    """Positions of rows that agree in all but their numbers in columns that hold floats."""
    groups = defaultdict(list)
    for position, row in enumerate(rows):
        cells = list(row)
        for place in floats:
            if isinstance(cells[place], (int, float)):
                cells[place] = float  # the type itself stands for 'some number': no value of a result equals it
        groups[tuple(cells)].append(position)
    return groups


def _pair(
    gold: Sequence[Row], prediction: Sequence[Row], left: list[int], right: list[int], floats: list[int]
) -> tuple[list[int], list[int]]:
    """Pair two groups within the tolerance; the positions that stay alone."""
    numbers = [place for place in floats if left and isinstance(gold[left[0]][place], (int, float))]
    if not left or not right or not numbers:
        return left[len(right) :], right[len(left) :]
    # The column with the most values leaves the fewest candidates for each row.
    numbers.sort(key=lambda place: -len({gold[position][place] for position in left}))
    left = sorted(left, key=lambda position: [gold[position][place] for place in numbers])
    right = sorted(right, key=lambda position: [prediction[position][place] for place in numbers])
    if len(left) > MATCHED_EXACTLY or len(right) > MATCHED_EXACTLY:
        left, right = _merged(gold, prediction, left, right, numbers)
    values = [prediction[position][numbers[0]] for position in right]
    edges = {}
    for position in left:
        slots = _window(values, gold[position][numbers[0]], MATCHED_EXACTLY**2 // len(left))
        edges[position] = [slot for slot in slots if _rows_equal(gold[position], prediction[right[slot]])]
    paired = _largest_pairing(edges, reroute=len(edges) <= MATCHED_EXACTLY)
    partners = set(paired.values())
    lone = [position for position in left if position not in partners]
    return lone, [right[slot] for slot in range(len(right)) if slot not in paired]


def _merged(
    gold: Sequence[Row], prediction: Sequence[Row], left: list[int], right: list[int], numbers: list[int]
) -> tuple[list[int], list[int]]:
    """What stays alone when two sorted groups are paired in one walk: all there is to do for one column of floats.

    With several columns, noise in one can sort the others apart; those rows go on to the search for a pairing.
    """
    lone_left, lone_right = [], []
    i = j = 0
    while i < len(left) and j < len(right):
        wanted, given = gold[left[i]], prediction[right[j]]
        if _rows_equal(wanted, given):
            i, j = i + 1, j + 1
        elif [wanted[place] for place in numbers] < [given[place] for place in numbers]:
            lone_left.append(left[i])
            i += 1
        else:
            lone_right.append(right[j])
            j += 1
    return lone_left + left[i:], lone_right + right[j:]


def _window(values: list[float], value: float, most: int) -> range:
    """The stretch of sorted values that may be close to one; a little too wide, since closeness is checked again."""
    margin = 0.0 if math.isinf(value) else 2 * max(ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE * abs(value))
    start = bisect_left(values, value - margin)
    return range(start, min(bisect_right(values, value + margin), start + most))


def _largest_pairing(edges: dict[int, list[int]], reroute: bool) -> dict[int, int]:
    """Slot to position, as many pairs as there can be.

    Closeness is not transitive, so the first partner that fits may be the only one of somebody else; augmenting paths
    (Kuhn's algorithm) then move partners on. Without ``reroute`` the first free partner is final.
    """
    owner: dict[int, int] = {}

    def settle(position: int, seen: set[int]) -> bool:
        for slot in edges[position]:
            if slot not in seen:
                seen.add(slot)
                if slot not in owner or (reroute and settle(owner[slot], seen)):
                    owner[slot] = position
                    return True
        return False

    for position in edges:
        settle(position, set())
    return owner
