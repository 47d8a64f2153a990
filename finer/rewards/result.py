"""The result part: how much of the gold's result does a wrong query return?

The mean of two Jaccard indices on the instance that decided: over the bag of cells, wherever they stand (Think2SQL, arXiv
2504.15077, pays the mean of cell precision, cell recall and cardinality, after QATCH), and over whole columns (PaVeRL-SQL, arXiv
2509.07159, pays the share of matched columns). Not covered: the order of rows and columns; a right table read in the wrong way earns nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any

from finer.records import Execution
from finer.rewards.facts import Facts, ResultOverlap, short
from finer.rewards.recipes import Recipe


def result_overlap(gold: Execution | None, prediction: Execution | None) -> ResultOverlap:
    """Cells and columns that two results share, each 0 to 1; 0 where a side did not run.

    >>> gold = Execution("ok", ((1, "Ada"), (2, "Bo")), ("id", "name"))
    >>> found = result_overlap(gold, Execution("ok", (("Ada",), ("Bo",)), ("name",)))
    >>> found.cells, found.columns, found.overlap
    (0.5, 0.5, 0.5)
    """
    if not (gold and prediction and gold.ran and prediction.ran):
        return ResultOverlap(reason="there is no result to compare")
    wanted, given = _columns(gold), _columns(prediction)
    if not wanted and not given:
        alike = float(len(gold.columns) == len(prediction.columns))
        return ResultOverlap(alike, alike, reason="neither result has a row")
    return ResultOverlap(_jaccard(_bag(wanted), _bag(given)), _jaccard(Counter(wanted), Counter(given)))


def _columns(execution: Execution) -> list[Hashable]:
    """Each column as the multiset of its values."""
    return [frozenset(Counter(map(_rounded, column)).items()) for column in zip(*execution.rows, strict=True)]


def _bag(columns: Iterable[Any]) -> Counter:
    bag: Counter = Counter()
    for column in columns:
        bag.update(dict(column))
    return bag


def _rounded(cell: Any) -> Any:
    """A float to six digits, which is as near as the strict rule's tolerance: 0.1 + 0.2 and 0.3 are one value."""
    return float(f"{cell:.6g}") if isinstance(cell, float) else cell


def _jaccard(one: Counter, two: Counter) -> float:
    union = (one | two).total()
    return (one & two).total() / union if union else 0.0


def value(facts: Facts, recipe: Recipe) -> float:
    """1 for a right query, else the overlap; 0 for a query that does not run, since it returns nothing."""
    return 1.0 if facts.right else facts.result.overlap


def evidence(facts: Facts, recipe: Recipe) -> dict[str, Any]:
    """The overlap and its two halves, on the instance that decided."""
    found = facts.result
    return {
        "reason": short(found.reason),
        "overlap": found.overlap,
        "cells": found.cells,
        "columns": found.columns,
        "instance": facts.verdict.instance,
    }


def summary(facts: Facts, recipe: Recipe) -> str:
    """The evidence in one sentence."""
    found = facts.result
    said = found.reason or f"results share {found.cells:.0%} of their cells and {found.columns:.0%} of their columns"
    return f"right, so paid in full; {said}" if facts.right else said
