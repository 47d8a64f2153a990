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
from sqlglot.errors import ParseError
from thoughts import STYLES, normalise, thought
from words import CITIES, COUNTRIES, FIRST_NAMES, LAST_NAMES, day
from world import NOUNS, World, random_world, rare_word

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


PLAIN_WORDS = NOUNS.replace("\n", "").replace("|", " ").split()
SHARE_STRANGE = 0.4
"""Questions whose values are in no database, so that the reader learns to copy: what it only knows by heart it cannot copy."""


class StrangeWords(Words):
    """Words of a world, with values that nobody has seen."""

    def value(self, table, column):
        if column.type == "DATE" or column.role == "date":
            return day(self.rng, "1900-01-01", "2049-12-31")
        if column.type in ("INTEGER", "REAL"):
            return self._strange_number(column.type)
        words = [self._strange_word() for _ in range(self.rng.choice((1, 1, 2, 2, 3)))]
        return " ".join(words)

    def _strange_number(self, type_: str):
        size = 10 ** self.rng.randint(1, 6)
        number = self.rng.randint(0, size)
        if type_ == "REAL":
            return number + self.rng.randint(1, 99) / self.rng.choice((10, 100))
        return number * self.rng.choice((1, 1, 1, 10, 100, 1000))

    def _strange_word(self) -> str:
        draw = self.rng.random()
        if draw < 0.3:
            word = rare_word(self.rng)
            return word.capitalize() if self.rng.random() < 0.5 else word
        if draw < 0.5:
            word = self.rng.choice(PLAIN_WORDS)
            return word.capitalize() if self.rng.random() < 0.5 else word
        return self.rng.choice(self.rng.choice((FIRST_NAMES, LAST_NAMES, LAST_NAMES, CITIES, COUNTRIES)))


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


def stream(seed: int, worlds: list[World], habits: dict[str, float], share_random: float, avoid: frozenset[str],
           share_strange: float = SHARE_STRANGE, share_rare: float = 0.12) -> Iterator[Pair]:
    """Endless pairs. ``avoid``: questions that must not be trained on (those of dev); ``share_rare``: as for ``random_world``."""
    rng = random.Random(seed)
    known = [(world, schema_of(world)) for world in worlds]
    while True:
        if rng.random() < share_random:
            world = random_world(rng, share_rare)
            schema, count = schema_of(world), 2
        else:
            (world, schema), count = rng.choice(known), 1
        words = (StrangeWords if rng.random() < share_strange else Words)(world, rng)
        for _ in range(count):
            try:
                made = pair(words, schema, habits, rng)
            except (LookupError, ParseError):  # a rare word that SQL knows
                continue
            if made.question not in avoid:
                yield made
