"""The execution part: does the query run, and is its result the gold's on every instance of the database?

FINER-SQL (arXiv 2605.03465) pays 0 / 1 / 2 for fails / runs but is wrong / right; a recipe states its own three
values. Not covered: how near a wrong result is.
"""

from __future__ import annotations

from typing import Any

from finer.rewards.facts import Facts, json_rows, short
from finer.rewards.recipes import Recipe


def value(facts: Facts, recipe: Recipe) -> float:
    """The recipe's value for right, wrong, or does not run."""
    if facts.right:
        return recipe.execution_right
    return recipe.execution_wrong if facts.runs else recipe.execution_fails


def evidence(facts: Facts, recipe: Recipe) -> dict[str, Any]:
    """Status, deciding instance, error, seconds, and up to five rows that only one side returned."""
    verdict, prediction, gold = facts.verdict, facts.verdict.prediction, facts.verdict.gold
    difference = facts.difference
    return {
        "reason": short(verdict.reason),
        "status": verdict.status,
        "instance": verdict.instance,
        "error": short(prediction.error) if prediction else "",
        "seconds": prediction.seconds if prediction else None,
        "columns": [short(name) for name in prediction.columns[:20]] if prediction else [],
        "gold_columns": [short(name) for name in gold.columns[:20]] if gold else [],
        "only_gold": json_rows(difference.only_gold) if difference else [],
        "only_prediction": json_rows(difference.only_prediction) if difference else [],
    }


def summary(facts: Facts, recipe: Recipe) -> str:
    """The evidence in one sentence."""
    if facts.right:
        return "right: the result is the gold's on every instance"
    reason = short(facts.verdict.reason)
    if facts.runs:
        return f"runs, but is wrong: {reason}" if reason else "runs, but is wrong"
    error = facts.verdict.prediction.error if facts.verdict.prediction else ""
    return f"does not run ({facts.verdict.status}): {short(error) or reason}"
