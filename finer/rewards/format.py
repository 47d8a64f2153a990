"""The format part: is the completion one thought and then one query (FINER-SQL, arXiv 2605.03465)?

What counts as well formed is ``finer.prompt.parse_completion``'s to say. Differs from the published code: no least
length of the thought.
"""

from __future__ import annotations

from typing import Any

from finer.rewards.facts import Facts, short
from finer.rewards.recipes import Recipe


def value(facts: Facts, recipe: Recipe) -> float:
    """1 where the format holds, else 0."""
    return 1.0 if facts.parsed.well_formed else 0.0


def evidence(facts: Facts, recipe: Recipe) -> dict[str, Any]:
    """``reason``: what broke the format."""
    return {"reason": short(facts.parsed.reason)}


def summary(facts: Facts, recipe: Recipe) -> str:
    """The evidence in one sentence."""
    if facts.parsed.well_formed:
        return "one thought, then one query"
    return f"the format is broken: {short(facts.parsed.reason)}"
