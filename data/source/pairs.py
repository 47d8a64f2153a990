"""Training pairs for the small policy: a prompt, and the thought and SQL that a teacher would write.

``stream`` draws worlds (made at random, or the nine databases that training may see), asks a question, shows the tables it
needs plus distractors, and lets the teacher answer with its habits. Not covered: the training itself (``make_tiny.py``).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from faults import teach
from grammar import ask, shown_tables
from phrases import Words, plain
from thoughts import STYLES, normalise, thought
from world import World, random_world

from finer.prompt import completion_text, messages
from finer.records import Question
from finer.schema import Column, Schema, Table


@dataclass(frozen=True)
class Pair:
    """One example: what the policy reads and what it should write."""

    prompt: str
    completion: str
    question: str
    sql: str
    """The right SQL, whatever the teacher wrote."""


def schema_of(world: World) -> Schema:
    """The schema as it would be read from the world's SQLite file, without samples."""
    def column(one) -> Column:
        references = tuple(one.refers.split(".", 1)) if one.refers else None
        return Column(one.name, "TEXT" if one.type == "DATE" else one.type, primary_key=one.role == "key", references=references)

    return Schema(world.domain.db_id, tuple(Table(t.name, tuple(map(column, t.columns))) for t in world.domain.tables))


def prompt_of(question: Question, schema: Schema) -> str:
    """What the small policy reads."""
    return messages(question, schema, "tiny")[0]["content"]


def pair(words: Words, schema: Schema, habits: dict[str, float], rng: random.Random) -> Pair:
    """One example from one world."""
    asked = ask(words)
    right = normalise(asked.sql)
    written = teach(right, habits, rng)[0] if habits else right
    question = Question(0, schema.db_id, plain(asked.text), (right,), evidence=asked.evidence,
                        tables=shown_tables(asked, words.world, rng))
    style = STYLES[0] if rng.random() < 0.97 else rng.choice(STYLES)
    return Pair(prompt_of(question, schema), completion_text(thought(written, style), written), question.text, right)


def stream(seed: int, worlds: list[World], habits: dict[str, float], share_random: float, avoid: frozenset[str]) -> Iterator[Pair]:
    """Endless pairs. ``avoid``: questions that must not be trained on (those of dev)."""
    rng = random.Random(seed)
    known = [(Words(world, rng), schema_of(world)) for world in worlds]
    while True:
        if rng.random() < share_random:
            world = random_world(rng)
            words, schema, count = Words(world, rng), schema_of(world), 2
        else:
            (words, schema), count = rng.choice(known), 1
        for _ in range(count):
            try:
                made = pair(words, schema, habits, rng)
            except LookupError:
                continue
            if made.question not in avoid:
                yield made
