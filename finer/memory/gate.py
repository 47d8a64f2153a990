"""What a proposed thought must be before the memory keeps it, and a count of what was refused and why.

The rules are the paper's (FINER-SQL, arXiv 2605.03465): length, mentions of the schema, no loops, nothing twice. Not
covered: whether the thought's SQL is right (who proposes it has executed it on every instance).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from finer.schema import Schema

REFUSAL_KINDS = ("length", "mentions", "density", "repetition", "duplicate")
"""The rules of the gate, in the order in which they are asked."""
PAPER_SIMILARITY = 0.9
"""The paper's threshold, made for the vectors of Qwen3-Embedding; an encoder may name its own."""


@dataclass(frozen=True)
class Refusal:
    """Why a thought was not taken."""

    kind: str
    """One of REFUSAL_KINDS."""
    reason: str
    """A sentence with the numbers."""


@dataclass(frozen=True)
class Gate:
    """The limits. The defaults follow the paper, but for thoughts shorter than its own; ``PAPER_GATE`` has its length."""

    fewest_words: int = 8
    most_words: int = 2000
    """Words are what white space parts; a tokenizer of a model counts about a third more."""
    fewest_mentions: int = 2
    """Different table and column names of the schema that the thought names as whole words."""
    least_density: float = 0.05
    """Least share of mentions (each time a name stands there) among the words."""
    unique_bigrams: float = 0.6
    """Least share of different pairs among its pairs of neighbouring words; a loop falls below it."""
    highest_similarity: float | None = None
    """A thought with a cosine this high to a trace that is there (or waits) is refused; None: the encoder's own."""

    def refusal_of_text(self, thought: str, schema: Schema) -> Refusal | None:
        """The first rule that the text breaks; None where it passes."""
        words = thought.split()
        if not self.fewest_words <= len(words) <= self.most_words:
            return Refusal(
                "length", f"{len(words)} words, and the gate takes {self.fewest_words} to {self.most_words}"
            )
        return self._of_mentions(thought, len(words), schema) or self._of_loops(words)

    def _of_mentions(self, thought: str, words: int, schema: Schema) -> Refusal | None:
        counts = _mention_counts(thought, schema)
        if len(counts) < self.fewest_mentions:
            reason = f"names {len(counts)} tables and columns of the schema, and the gate asks for {self.fewest_mentions}"
            return Refusal("mentions", reason)
        density = sum(counts.values()) / words if words else 1.0
        if density < self.least_density:
            reason = f"{density:.3f} mentions of the schema a word, and the gate asks for {self.least_density:g}"
            return Refusal("density", reason)
        return None

    def _of_loops(self, words: Sequence[str]) -> Refusal | None:
        share = unique_bigram_share(words)
        if share >= self.unique_bigrams:
            return None
        reason = f"repeats itself: {share:.0%} of its word pairs differ, and the gate asks for {self.unique_bigrams:.0%}"
        return Refusal("repetition", reason)

    def refusal_of_similarity(self, cosine: float, place: int, of_encoder: float) -> Refusal | None:
        """A refusal where the nearest trace, at ``place``, is too near."""
        limit = of_encoder if self.highest_similarity is None else self.highest_similarity
        if cosine < limit:
            return None
        reason = f"too close to trace {place}: cosine {cosine:.3f}, and the gate takes less than {limit}"
        return Refusal("duplicate", reason)


DEFAULT_GATE = Gate()
PAPER_GATE = Gate(fewest_words=30)
"""The gate as published: 30 to 2,000, two mentions at a density of 0.05, 60 % different pairs."""


@dataclass
class GateCount:
    """How many thoughts were offered to the gate, and how many each rule refused.

    >>> count = GateCount()
    >>> for kind in ("", "length", "duplicate", "duplicate"):
    ...     count.note(kind)
    >>> print(count)
    4 offered, 1 taken (25 %); refused: length 1 (25 %), duplicate 2 (50 %)
    """

    offered: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    """Refusals by kind; a kind that refused nothing is not there."""

    def note(self, kind: str) -> None:
        """One more was offered: taken ('') or refused by that rule."""
        self.offered += 1
        if kind:
            self.refused[kind] = self.refused.get(kind, 0) + 1

    @property
    def taken(self) -> int:
        return self.offered - sum(self.refused.values())

    def shares(self) -> Mapping[str, float]:
        """Share of all offered, 0 to 1, that each rule refused; empty where nothing was offered."""
        return {kind: self.refused[kind] / self.offered for kind in REFUSAL_KINDS if kind in self.refused}

    def __str__(self) -> str:
        if not self.offered:
            return "nothing was offered"
        told = ", ".join(f"{kind} {self.refused[kind]} ({share:.0%})" for kind, share in self.shares().items())
        told = f"; refused: {told}" if told else ""
        return f"{self.offered} offered, {self.taken} taken ({self.taken / self.offered:.0%}){told}".replace("%", " %")


def schema_mentions(text: str, schema: Schema) -> tuple[str, ...]:
    """The different table and column names that the text names as whole words, in any case, '_' read as a space."""
    return tuple(_mention_counts(text, schema))


def _mention_counts(text: str, schema: Schema) -> dict[str, int]:
    """How often each name stands in the text. Every word has two spaces of its own, so that neighbours both count."""
    spaced = f" {_plain(text).replace(' ', '  ')} "
    names = dict.fromkeys(_plain(name) for name in _names(schema))
    counts = {name: spaced.count(f" {name.replace(' ', '  ')} ") for name in names if name}
    return {name: count for name, count in counts.items() if count}


def _names(schema: Schema) -> Iterable[str]:
    for table in schema.tables:
        yield table.name
        yield from (column.name for column in table.columns)


def _plain(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in text.lower()).split())


def unique_bigram_share(words: Sequence[str]) -> float:
    """Different pairs of neighbouring words over all of them, 0 to 1; 1 for fewer than two words.

    >>> unique_bigram_share("a b a b a".split())
    0.5
    """
    pairs = list(pairwise(words))
    return len(set(pairs)) / len(pairs) if pairs else 1.0
