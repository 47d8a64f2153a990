"""A prediction's result beside the gold's: which rows each has alone, and which rule calls them equal, instance by instance.

Rows are paired as the rule ``strict`` pairs them, so a row that only one side has is what a person has to explain. The official
rules see less (``bird-ex`` no duplicates, ``spider-ex`` no DISTINCT and no order of columns): where they part, the verdict flips.
Every rule runs here under one set of bounds, the sandbox's; a file of answers is judged under the official ones (``evaluate``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from finer.compare import Difference, Row, is_ordered, strict, unpaired, width_of
from finer.datasets import Database
from finer.metrics import rule
from finer.records import Execution, Question
from finer.sandbox import Sandbox

RULES = {
    "strict": "columns in order, rows as a bag, in order where the gold orders them",
    "ordered": "columns in order, rows in order",
    "bag": "columns in order, rows in any order, each as often as in the gold",
    "bird-ex": "BIRD: the same set of rows; duplicates and order do not count",
    "spider-ex": "Spider: columns may be permuted, DISTINCT is taken out of both queries",
}
"""The rules that are compared, and what each looks at."""
MAIN_ONLY = ("bird-ex", "spider-ex")
"""Rules that look at the main instance alone."""
ROWS_KEPT = 200
"""Rows of each kind kept for a person to look at; the counts are of all of them."""


@dataclass(frozen=True)
class Rows:
    """Some rows of a kind, and how many there are."""

    each: tuple[tuple[Row, int], ...] = ()
    """Different rows, in the order of the first of each, with how often it is among all."""
    count: int = 0

    @property
    def shown(self) -> tuple[Row, ...]:
        """The same, each as often as it is there."""
        return tuple(islice((row for row, times in self.each for _ in range(times)), ROWS_KEPT))


@dataclass(frozen=True)
class InstanceResult:
    """Both results on one instance of the database."""

    instance: int
    """0 is the main one."""
    gold: Execution
    prediction: Execution
    both: Rows
    only_gold: Rows
    only_prediction: Rows
    differences: dict[str, Difference | None]
    """By rule; None: not judged, because the gold did not run."""


@dataclass(frozen=True)
class ResultComparison:
    """One prediction against one gold on every instance."""

    gold_sql: str
    sql: str
    instances: tuple[InstanceResult, ...]
    missing: str = ""
    """Why nothing was run; '' where something was."""

    def verdict(self, name: str) -> bool | None:
        """Is the prediction right under a rule, on the instances that it looks at? None: not judged."""
        looked_at = self.instances[:1] if name in MAIN_ONLY else self.instances
        found = [one.differences[name] for one in looked_at]
        if not found or None in found:
            return None
        return all(difference.equal for difference in found)

    @property
    def flips(self) -> bool:
        """Do two rules disagree?"""
        return len({self.verdict(name) for name in RULES} - {None}) > 1


def compare_results(question: Question, sql: str, database: Database, sandbox: Sandbox | None = None) -> ResultComparison:
    """Run ``sql`` and the question's reference gold on every instance and lay the results side by side.

    Statements that fail are results too, with their status; nothing is raised for them. ``sandbox``: None starts one for this call.
    """
    gold_sql = question.gold[0] if question.gold else ""
    if not database.instances or not gold_sql:
        why = "the question has no gold SQL" if database.instances else f"the database {database.db_id!r} is not here: {database.missing}"
        return ResultComparison(gold_sql, sql, (), why)
    if sandbox is not None:
        return ResultComparison(gold_sql, sql, _on_each(gold_sql, sql, database, sandbox))
    with Sandbox() as own:
        return ResultComparison(gold_sql, sql, _on_each(gold_sql, sql, database, own))


def _on_each(gold_sql: str, sql: str, database: Database, sandbox: Sandbox) -> tuple[InstanceResult, ...]:
    spider = rule("spider-ex")
    texts = gold_sql, sql, spider.prepare_gold(gold_sql), spider.prepare_prediction(sql)
    distinct = list(dict.fromkeys(texts))
    results = []
    for instance, path in enumerate(database.instances):
        ran = dict(zip(distinct, sandbox.execute_many((path, text) for text in distinct), strict=True))
        results.append(_instance(instance, gold_sql, *(ran[text] for text in texts)))
    return tuple(results)


def _instance(
    instance: int, gold_sql: str, gold: Execution, prediction: Execution, spider_gold: Execution, spider_prediction: Execution
) -> InstanceResult:
    comparisons: dict[str, tuple[Callable[[Execution, Execution], Difference], Execution, Execution]] = {
        "strict": (partial(strict, ordered=is_ordered(gold_sql)), gold, prediction),
        "ordered": (partial(strict, ordered=True), gold, prediction),
        "bag": (partial(strict, ordered=False), gold, prediction),
        "bird-ex": (partial(rule("bird-ex").compare, gold_sql), gold, prediction),
        "spider-ex": (partial(rule("spider-ex").compare, gold_sql), spider_gold, spider_prediction),
    }
    differences = {name: compare(left, right) if left.ran else None for name, (compare, left, right) in comparisons.items()}
    return InstanceResult(instance, gold, prediction, *_sorted_rows(gold, prediction), differences)


def _sorted_rows(gold: Execution, prediction: Execution) -> tuple[Rows, Rows, Rows]:
    """(in both, only in the gold, only in the prediction); rows of another width have no partner."""
    if width_of(gold) != width_of(prediction):
        return Rows(), _rows(gold.rows), _rows(prediction.rows)
    only_gold, only_prediction = unpaired(gold.rows, prediction.rows)
    lone = Counter(only_gold)
    both = []
    for row in gold.rows:
        if lone[row]:
            lone[row] -= 1
        else:
            both.append(row)
    return _rows(both), _rows(only_gold), _rows(only_prediction)


def _rows(rows: Sequence[Row]) -> Rows:
    return Rows(tuple(Counter(rows).items())[:ROWS_KEPT], len(rows))
