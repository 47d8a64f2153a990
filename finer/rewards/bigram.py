"""The bigram part: how many pairs of neighbouring tokens does the text share with the gold's (Reasoning-SQL, arXiv 2503.23157)?

The dense baseline that costs nothing: no parser, no schema. Differs from the source: tokens are words and single signs in lower
case with a mark at either end, and a right answer is paid in full whatever its text. Not covered: meaning; another alias
costs as much as another table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from finer.rewards.facts import BigramOverlap, Facts, short
from finer.rewards.recipes import Recipe

MOST_BIGRAMS = 20
"""Pairs kept of each list in evidence."""

_TOKEN = re.compile(r"\w+|[^\w\s]")
Bigrams = frozenset[tuple[str, str]]


def bigram_overlap(sql: str, golds: Sequence[str]) -> BigramOverlap:
    """Jaccard of the two sets of bigrams, with the gold that fits best.

    >>> found = bigram_overlap("SELECT name FROM book", ["SELECT title FROM book"])
    >>> round(found.overlap, 4), found.missing
    (0.4286, ('select title', 'title from'))
    """
    return max((_against(bigrams(sql), gold) for gold in golds), key=lambda found: found.overlap)


def bigrams(sql: str) -> Bigrams:
    """The set of pairs of neighbouring tokens, in lower case, with the text's start ^ and end $.

    >>> sorted(bigrams("SELECT 1"))
    [('1', '$'), ('^', 'select'), ('select', '1')]
    """
    return frozenset(pairwise(["^", *_TOKEN.findall(sql.lower()), "$"]))


_gold_bigrams = lru_cache(maxsize=16_384)(bigrams)
"""Gold queries come back at every step."""


def _against(found: Bigrams, gold: str) -> BigramOverlap:
    wanted = _gold_bigrams(gold)
    overlap = len(found & wanted) / len(found | wanted)
    return BigramOverlap(overlap, _texts(wanted - found), _texts(found - wanted), gold)


def _texts(pairs: Bigrams) -> tuple[str, ...]:
    return tuple(sorted(f"{one} {two}" for one, two in pairs))


def value(facts: Facts, recipe: Recipe) -> float:
    """1 for a right query, else the overlap, whether it runs or not."""
    return 1.0 if facts.right else facts.bigram.overlap


def evidence(facts: Facts, recipe: Recipe) -> dict[str, Any]:
    """The overlap, and the pairs that only one side has."""
    found = facts.bigram
    return {
        "reason": "",
        "overlap": found.overlap,
        "missing": [short(text) for text in found.missing[:MOST_BIGRAMS]],
        "extra": [short(text) for text in found.extra[:MOST_BIGRAMS]],
        "gold": short(found.gold, 4000),
    }


def summary(facts: Facts, recipe: Recipe) -> str:
    """The evidence in one sentence."""
    found = facts.bigram
    said = f"bigram overlap {found.overlap:.2f}: {len(found.missing)} pairs missing, {len(found.extra)} extra"
    return f"right, so paid in full; {said}" if facts.right else said
