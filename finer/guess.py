"""Guess, then reveal: the answers of a group in an order that says nothing, and how much of a reader's order was right.

Not covered: drawing (``render``), moving answers about (``widgets``).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from finer.records import Group, Rollout

_TIE = 1e-9
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Card:
    """One answer to be placed: the same text is one card, however often it was given."""

    letter: str
    rollout: Rollout
    times: int

    @property
    def total(self) -> float:
        return self.rollout.breakdown.total


@dataclass(frozen=True)
class Score:
    """How a reader's order agrees with the pay, pair by pair; pairs that were paid the same do not count."""

    right: int
    wrong: int
    tied: int = 0

    @property
    def share(self) -> float | None:
        """Share of the pairs in the right order, 0 to 1; None where there is no pair to order."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def tau(self) -> float | None:
        """Kendall's tau over the pairs that are not tied (Goodman and Kruskal's gamma), −1 to 1.

        >>> Score(right=5, wrong=1).tau
        0.6666666666666666
        """
        return (self.right - self.wrong) / (self.right + self.wrong) if self.right + self.wrong else None

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.wrong + other.wrong, self.tied + other.tied)


@dataclass
class Tally:
    """The scores by group; a group counts once, with its first guess."""

    scores: dict[int, Score] = field(default_factory=dict)

    def add(self, group_id: int, score: Score) -> None:
        self.scores.setdefault(group_id, score)

    @property
    def sum(self) -> Score:
        """All pairs of all groups."""
        return sum(self.scores.values(), Score(0, 0))


def cards(group: Group, seed: int = 0) -> list[Card]:
    """The different answers of a group, shuffled; the letters follow the shuffled order, so that they tell nothing.

    The same group and seed give the same order. More answers than letters are numbered on: A1, B1 …
    """
    first = {rollout.completion: rollout for rollout in reversed(group.rollouts)}
    different = sorted(first.values(), key=lambda rollout: rollout.position)
    random.Random(f"{seed}:{group.group_id}").shuffle(different)
    given = [rollout.completion for rollout in group.rollouts]
    return [Card(_letter(place), rollout, given.count(rollout.completion)) for place, rollout in enumerate(different)]


def score(order: Sequence[Card]) -> Score:
    """How an order, best first, agrees with what was paid."""
    gaps = [one.total - other.total for one, other in combinations(order, 2)]
    tied = sum(abs(gap) < _TIE for gap in gaps)
    right = sum(gap >= _TIE for gap in gaps)
    return Score(right, len(gaps) - tied - right, tied)


def moved(order: Sequence[Card], letter: str, by: int) -> list[Card]:
    """The order with one card moved ``by`` places (up is negative), at most to the end.

    ValueError for a letter that no card has.
    """
    place = [card.letter for card in order].index(letter)
    others = [card for card in order if card.letter != letter]
    others.insert(min(max(place + by, 0), len(others)), order[place])
    return others


def places(order: Iterable[Card]) -> list[int]:
    """The true place of each card from 1, in the order given; equals share the better place."""
    totals = [card.total for card in order]
    return [1 + sum(other > total + _TIE for other in totals) for total in totals]


def _letter(place: int) -> str:
    round_of, at = divmod(place, len(LETTERS))
    return LETTERS[at] + (str(round_of) if round_of else "")
