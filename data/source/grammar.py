"""Ask questions of a world: ``ask(words)`` draws a kind and returns a question with its right SQL."""

from __future__ import annotations

import random

from kinds import KINDS
from kinds_joined import KINDS_JOINED
from phrases import Ask, Words

ALL_KINDS = KINDS + KINDS_JOINED
_FUNCTIONS = [kind for kind, _ in ALL_KINDS]
_WEIGHTS = [weight for _, weight in ALL_KINDS]


def ask(words: Words, function=None) -> Ask:
    """One question; of the given kind where there is one. LookupError: the world cannot ask that kind."""
    if function:
        return function(words)
    for _ in range(100):
        try:
            return words.rng.choices(_FUNCTIONS, _WEIGHTS)[0](words)
        except LookupError:
            continue
    raise LookupError(f"no kind of question fits {words.world.domain.db_id}")


def shown_tables(ask_: Ask, world, rng: random.Random, most: int = 4) -> tuple[str, ...]:
    """The tables that a prompt shows: those the question needs and one or two others, in the schema's order."""
    others = [table.name for table in world.domain.tables if table.name not in ask_.tables]
    extra = rng.sample(others, min(len(others), max(0, min(rng.choice((0, 1, 1, 2)), most - len(ask_.tables)))))
    needed = {*ask_.tables, *extra}
    return tuple(table.name for table in world.domain.tables if table.name in needed)
