"""What speaks for a column, seen from a question: one row of numbers a column, in the order of :data:`FEATURES`.

Everything is read from the schema, its descriptions, the question, its evidence line and, where there is a file, the
database's values. A query, right or not, is never looked at. How much each number weighs is ``columns``' matter.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from finer.column_words import (
    STOP_STEMS,
    STOP_WORDS,
    acronyms,
    asked_stems,
    hinted_stems,
    likeness,
    names_place,
    pieces,
    proper_words,
    stems,
    trigrams,
)
from finer.records import Question
from finer.schema import Column, Schema, Table
from finer.values import Name, Values

FEATURES = (
    "name", "name_idf", "name_likeness", "hint", "description", "evidence", "table", "name_and_table", "spelt",
    "spelt_in_evidence", "spelt_with_table", "date", "value", "value_part", "number", "refers", "referred", "primary_key",
    "key_of_table", "named", "named_and_table", "proper_name", "place", "same_link", "table_size", "primary_key_and_size",
    "description_cosine", "name_cosine",
)  # fmt: skip
_NAMES = set(stems("name title surname forename first last full lname fname label"))
_PLACES = set(stems("country nationality nation city county state region district location place continent citizenship origin town area address"))
_DATES = set(stems("year date season"))
_YEAR = re.compile(r"\b(1[6-9]|20)\d\d\b")
_SATURATION, _LENGTH_SHARE = 1.2, 0.75
"""k1 and b of BM25 (Robertson and Zaragoza, 2009, eq. 3.15), at their usual values."""


class SchemaIndex:
    """The words of a schema's columns and how rare they are, made once a schema."""

    def __init__(self, schema: Schema, values: Values | None = None, encoder: Any = None) -> None:
        self.schema, self.values, self.encoder = schema, values or Values(()), encoder
        self.columns: list[tuple[Table, Column]] = [(table, column) for table in schema.tables for column in table.columns]
        self.names: list[Name] = [(table.name, column.name) for table, column in self.columns]
        self.name_words = [tuple(dict.fromkeys(stems(column.name))) or (column.name.lower(),) for _, column in self.columns]
        self.table_words = {table.name: frozenset(stems(table.name)) for table in schema.tables}
        self.description_words = [Counter(word for word in stems(column.description) if word not in STOP_STEMS) for _, column in self.columns]
        self._in_names = Counter(word for words in self.name_words for word in words)
        self._anywhere = Counter(word for words, said in zip(self.name_words, self.description_words, strict=True) for word in {*words, *said})
        self.mean_length = sum(said.total() for said in self.description_words) / max(len(self.columns), 1) or 1.0
        self.refers = {child for child, _ in schema.keys}
        self.referred = {parent for _, parent in schema.keys}

    def name_rarity(self, word: str) -> float:
        """Its inverse document frequency among names: log(1 + (N - n + 1/2) / (n + 1/2))."""
        return _rarity(len(self.columns), self._in_names[word])

    def relevance(self, place: int, asked: set[str]) -> float:
        """BM25 of a column's description for the words asked."""
        said = self.description_words[place]
        length = 1 - _LENGTH_SHARE + _LENGTH_SHARE * said.total() / self.mean_length
        return sum(
            _rarity(len(self.columns), self._anywhere[word]) * said[word] * (_SATURATION + 1) / (said[word] + _SATURATION * length)
            for word in asked
            if word in said
        )

    @cached_property
    def known_words(self) -> set[str]:
        return {word for words in self.name_words for word in words}.union(*self.table_words.values())

    @cached_property
    def same_link(self) -> list[int]:
        """How many columns of the table before this one refer to the same column (at most 3 are counted)."""
        seen: Counter = Counter()
        ranks = []
        for (table, column), name in zip(self.columns, self.names, strict=True):
            link = (table.name, column.references)
            ranks.append(min(seen[link], 3) if name in self.refers else 0)
            seen[link] += 1
        return ranks

    @cached_property
    def vectors(self) -> tuple[np.ndarray, np.ndarray]:
        """Of names with descriptions, and of names alone."""
        texts = [" ".join((*pieces(table.name), *pieces(column.name))) for table, column in self.columns]
        described = [f"{text}. {column.description}" for text, (_, column) in zip(texts, self.columns, strict=True)]
        return self.encoder.encode(described), self.encoder.encode(texts)


@dataclass
class _Asked:
    """What a question asks, made ready once for all columns."""

    words: set[str]
    question: set[str]
    evidence: set[str]
    hints: set[str]
    like: list[tuple[str, frozenset[str]]]
    short: set[str]
    lower: str
    lower_evidence: str
    year: bool
    proper: bool
    place: bool
    values: dict[Name, float]
    parts: dict[Name, float]
    numbers: dict[Name, float]


def features(index: SchemaIndex, question: Question) -> np.ndarray:
    """One row a column of the index, in its order: float, shape (columns, len(FEATURES)). The gold is not looked at."""
    asked = _asked(index, question)
    rows = np.array([_row(index, asked, place) for place in range(len(index.columns))], dtype=float).reshape(-1, len(FEATURES) - 2)
    return np.hstack([rows, _cosines(index, question)])


def _asked(index: SchemaIndex, question: Question) -> _Asked:
    text = f"{question.text} {question.evidence}"
    words = asked_stems(text)
    raw = pieces(text)
    own = asked_stems(question.text)
    proper = proper_words(question.text, index.known_words) > 0
    distinct = sorted({word for word in raw if len(word) >= 3 and word not in STOP_WORDS})
    numbers = {word for word in raw if word.isdigit()}
    values = {name: max(held**-0.5 for _, held in found) for name, found in index.values.named(text).items()}
    return _Asked(
        words, own, asked_stems(question.evidence) - own, hinted_stems(words, text) - words,
        [(word, trigrams(word)) for word in distinct], acronyms(raw), text.lower(), question.evidence.lower(),
        bool(_YEAR.search(text)), proper, proper or names_place(question.text), values,
        _shares(index.values.parts, words), _shares(index.values.numbers, numbers),
    )  # fmt: skip


def _shares(holders: dict[str, set[Name]], words: set[str]) -> dict[Name, float]:
    """Column → the sum, at most 1, over words that its values hold, of one by the columns that hold it."""
    found: dict[Name, float] = defaultdict(float)
    for word in words:
        for name in holders.get(word, ()):
            found[name] = min(1.0, found[name] + 1 / len(holders[word]))
    return found


def _row(index: SchemaIndex, asked: _Asked, place: int) -> list[float]:
    """Every feature but the last two, which are computed for all columns at once."""
    (table, column), name, words = index.columns[place], index.names[place], index.name_words[place]
    rarity = {word: index.name_rarity(word) for word in words}
    whole = sum(rarity.values())
    matched = sum(rarity[word] for word in words if word in asked.words)
    alike = sum((1.0 if word in asked.short else likeness(word, asked.like)) * rarity[word] for word in words if word not in asked.words)
    hint = any(word in asked.hints for word in words) / len(words)
    title = index.table_words[table.name]
    of_table = len(title & asked.words) / max(len(title), 1)
    spelt = [len(column.name) > 1 and _spelt(column.name, text) for text in (asked.lower, asked.lower_evidence)]
    with_table = spelt[1] and f"{table.name.lower()}." in asked.lower_evidence
    is_date = asked.year and (bool(_DATES & set(words)) or column.type in ("DATE", "DATETIME", "YEAR", "TIMESTAMP"))
    names = bool(_NAMES & set(words)) or column.name.lower().endswith(("name", "title"))
    refers, referred, key = name in index.refers, name in index.referred, column.primary_key
    size = math.log(len(table.columns))
    return [
        matched / whole, matched, alike / whole, hint, index.relevance(place, asked.question), index.relevance(place, asked.evidence),
        of_table, matched / whole * of_table, *spelt, with_table, is_date, asked.values.get(name, 0.0), asked.parts.get(name, 0.0),
        asked.numbers.get(name, 0.0), refers, referred, key, (refers or referred) * of_table, names, names * of_table,
        names and asked.proper, bool(_PLACES & set(words)) and asked.place, index.same_link[place], size, key * size,
    ]  # fmt: skip


def _spelt(name: str, text: str) -> bool:
    """Does the name stand in the text as a word of its own?"""
    name = name.lower()
    start = text.find(name)
    while start >= 0:
        around = text[max(start - 1, 0) : start] + text[start + len(name) : start + len(name) + 1]
        if not any(letter.isalnum() or letter == "_" for letter in around):
            return True
        start = text.find(name, start + 1)
    return False


def _cosines(index: SchemaIndex, question: Question) -> np.ndarray:
    if index.encoder is None or not index.columns:
        return np.zeros((len(index.columns), 2))
    described, named = index.vectors
    both, alone = index.encoder.encode([f"{question.text} {question.evidence}", question.text])
    return np.stack([described @ both, named @ alone], axis=1).astype(float)


def _rarity(total: int, holding: int) -> float:
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))
