"""The memory part: does the thought resemble verified thoughts about other databases (FINER-SQL, arXiv 2605.03465)?

1 for a right answer, else the similarity that ``finer.memory`` found. Not covered: whether the thought is true.
"""

from __future__ import annotations

from typing import Any

from finer.memory import ContrastiveMatch, Memory
from finer.records import MemoryMatch, Neighbour, Question, Rollout
from finer.rewards.facts import Facts, short
from finer.rewards.recipes import Recipe

MOST_NEIGHBOURS = 5


def value(facts: Facts, recipe: Recipe) -> float | None:
    """1 where the answer is right, else the similarity; None where there is no thought or no trace."""
    return 1.0 if facts.right else facts.match.similarity


def evidence(facts: Facts, recipe: Recipe) -> dict[str, Any]:
    """Similarity, snapshot (a count of traces) and the nearest traces; in the contrastive form the failed ones too."""
    match = facts.match
    found = {
        "reason": short(match.reason),
        "similarity": match.similarity,
        "snapshot": match.snapshot,
        "neighbours": [_neighbour(neighbour) for neighbour in match.neighbours[:MOST_NEIGHBOURS]],
    }
    return {**found, **_contrast(match)} if isinstance(match, ContrastiveMatch) else found


def value_as_of(memory: Memory, question: Question, rollout: Rollout) -> float | None:
    """The part's value again, from a memory that has grown since: as the rollout's training step saw it.

    Before the rules that stand above the parts: what a closed gate, or a text that is no query, made 0 is not asked. None
    where nothing could be retrieved or the gold failed. ValueError for step 0.
    """
    breakdown = rollout.breakdown
    if breakdown.status in ("correct", "gold_failed"):
        return 1.0 if breakdown.status == "correct" else None
    seen = memory.snapshot_at(rollout.step)
    return memory.match([breakdown.thought], question.db_id, seen, question.text)[0].similarity


def summary(facts: Facts, recipe: Recipe) -> str:
    """The evidence in one sentence."""
    match = facts.match
    if match.similarity is None:
        found = f"no similarity: {short(match.reason)}"
    else:
        found = (
            f"the thought is {match.similarity:.2f} similar to verified ones{_beside(match)} ({match.snapshot} traces in the memory)"
        )
    return f"right, so paid in full; {found}" if facts.right else found


def _beside(match: MemoryMatch) -> str:
    return " as against failed ones" if isinstance(match, ContrastiveMatch) else ""


def _contrast(match: ContrastiveMatch) -> dict[str, Any]:
    return {
        "to_verified": match.to_verified,
        "to_failed": match.to_failed,
        "failed_snapshot": match.failed_snapshot,
        "failed_neighbours": [_neighbour(neighbour) for neighbour in match.failed_neighbours[:MOST_NEIGHBOURS]],
    }


def _neighbour(neighbour: Neighbour) -> dict[str, Any]:
    return {**vars(neighbour), "thought": short(neighbour.thought)}
