"""The atomic part: how many operations of the gold query does a wrong query share (FINER-SQL, arXiv 2605.03465)?

The overlap J is ``finer.atoms``' (best over the gold queries), counted as the recipe says; its shaping turns it into a value. Not
covered: meaning. Two queries with the same operations count as alike whatever they return.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from finer.atoms import counted
from finer.records import JACCARD, Atom
from finer.rewards.facts import Facts, short
from finer.rewards.recipes import Recipe

MOST_ATOMS = 40
"""Atoms kept of each list in evidence; the summary counts them all."""


def value(facts: Facts, recipe: Recipe) -> float | None:
    """phi(J) for a wrong query; the recipe's fixed value for a right one; None where an overlap cannot be had."""
    if facts.right:
        return recipe.atomic_right
    if recipe.atomic_needs_run and not facts.runs:
        return 0.0
    overlap = counted(facts.overlap, recipe.counting).overlap
    return None if overlap is None else recipe.shaping(overlap)


def evidence(facts: Facts, recipe: Recipe) -> dict[str, Any]:
    """The overlap before shaping, and the atoms that match, that are missing and that are extra.

    ``changed`` are near matches, pairs like the matched ones; their atoms are missing and extra as well. ``counting`` is there
    where the overlap is not a Jaccard index.
    """
    overlap = counted(facts.overlap, recipe.counting)
    counting = {} if recipe.counting == JACCARD else {"counting": asdict(recipe.counting)}
    return {
        "reason": short(overlap.reason),
        "overlap": overlap.overlap,
        "matched": [_atoms(pair) for pair in overlap.matched[:MOST_ATOMS]],
        "missing": _atoms(overlap.missing[:MOST_ATOMS]),
        "extra": _atoms(overlap.extra[:MOST_ATOMS]),
        "changed": [_atoms(pair) for pair in overlap.changed[:MOST_ATOMS]],
        "gold": short(overlap.gold, 4000),
        **counting,
    }


def summary(facts: Facts, recipe: Recipe) -> str:
    """The evidence in one sentence."""
    overlap = counted(facts.overlap, recipe.counting)
    if overlap.overlap is None:
        found = f"no overlap: {short(overlap.reason)}"
    else:
        counts = f"{len(overlap.matched)} operations match, {len(overlap.missing)} missing, {len(overlap.extra)} extra"
        near = f" ({len(overlap.changed)} of them changed: another constant or operator)" if overlap.changed else ""
        found = f"overlap {overlap.overlap:.2f}: {counts}{near}"
    if facts.right:
        return f"right, so paid {recipe.atomic_right:g} whatever the overlap; {found}"
    if recipe.atomic_needs_run and not facts.runs:
        return f"paid only where the query runs; {found}"
    return found


def _atoms(atoms: Sequence[Atom]) -> list[dict[str, Any]]:
    return [_atom(atom) for atom in atoms]


def _atom(atom: Atom) -> dict[str, Any]:
    span = list(atom.span) if atom.span else None
    return {"clause": atom.clause, "text": short(atom.text), "scope": atom.scope, "span": span}
