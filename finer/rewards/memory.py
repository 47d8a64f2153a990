"""The memory part: does the thought resemble verified thoughts about other databases (FINER-SQL, arXiv 2605.03465)?

1 for a right answer, else the similarity that ``finer.memory`` found. Not covered: whether the thought is true.
"""

from __future__ import annotations

from typing import Any

from finer.records import Neighbour
from finer.rewards.facts import Facts, short
from finer.rewards.recipes import Recipe

MOST_NEIGHBOURS = 5


def value(facts: Facts, recipe: Recipe) -> float | None:
    """1 where the answer is right, else the similarity; None where there is no thought or no trace."""
    return 1.0 if facts.right else facts.match.similarity


def evidence(facts: Facts) -> dict[str, Any]:
    """Similarity, snapshot (a count of traces) and the nearest traces."""
    match = facts.match
    return {
        "reason": short(match.reason),
        "similarity": match.similarity,
        "snapshot": match.snapshot,
        "neighbours": [_neighbour(neighbour) for neighbour in match.neighbours[:MOST_NEIGHBOURS]],
    }


def summary(facts: Facts, recipe: Recipe) -> str:
    match = facts.match
    if match.similarity is None:
        found = f"no similarity: {short(match.reason)}"
    else:
        found = (
            f"the thought is {match.similarity:.2f} similar to verified ones ({match.snapshot} traces in the memory)"
        )
    return f"right, so paid in full; {found}" if facts.right else found


def _neighbour(neighbour: Neighbour) -> dict[str, Any]:
    return {**vars(neighbour), "thought": short(neighbour.thought)}
