"""Which columns a prompt shows: the schema filter ranks them for a question and keeps the best, with the keys that join them.

No training is needed: what speaks for a column (``column_features``) is weighed by the constants here. They were fitted by
logistic regression to the gold columns of the questions with an even index of Spider dev and BIRD dev (``docs/prompts.md`` says how,
``benchmarks/columns.py`` reports the odd ones apart). Ranking never looks at a gold.
Not covered: the text of the prompt (``prompt``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from finer.column_features import FEATURES, SchemaIndex, features
from finer.column_words import asked_stems
from finer.records import Question
from finer.schema import Kept, Schema
from finer.values import Name, Values

_FIRST = dict(zip(FEATURES, (
    0.9, 0.16, 1.72, 1.96, 0.09, 0.04, 0.07, 1.37, 1.55, -0.49, 1.01, 1.16, 3.3, 0.71, 2.41, 1.04, 0.78, -0.63, 0.34, 0.2, 0.4,
    0.83, 0.98, -0.57, -0.27, 0.66, 2.42, 1.58,
), strict=True))  # fmt: skip
"""What a feature weighs in the first ranking, which looks at each column alone."""
_SECOND = dict(zip((*FEATURES, "table_share", "joined_share", "best_words"), (
    0.89, 0.01, 1.9, 1.85, 0.12, 0.07, -0.18, 0.76, 1.44, -0.31, 1.01, 1.33, 3.0, 0.72, 2.4, -0.71, -0.87, -0.77, -0.02, 0.49, 0.25,
    0.75, 0.67, -0.75, -0.54, 0.58, 1.84, 1.23, 0.74, 0.35, 1.15,
), strict=True))  # fmt: skip
"""In the second, which also knows how the first thinks of its table, of the tables that it joins, and of its rivals for a word."""
LEAST_SHARE = 1e-3
VALUES_SHOWN = 3
"""Values shown beside a column, at most."""


class ColumnFilter:
    """Ranks the columns of one schema. ``values``: those of its database; ``encoder``: the memory's, or None for words alone."""

    def __init__(self, schema: Schema, values: Values | None = None, encoder: Any = None) -> None:
        self.index = SchemaIndex(schema, values, encoder)
        self._last: tuple[Question | None, np.ndarray] = (None, np.zeros(0))
        self._places = {name: place for place, name in enumerate(self.index.names)}
        self._tables = {table.name: [self._places[table.name, column.name] for column in table.columns] for table in schema.tables}
        self._links: dict[str, list[tuple[str, int, int]]] = {name: [] for name in self._tables}
        for child, parent in schema.keys:
            if parent in self._places:
                self._links[child[0]].append((parent[0], self._places[child], self._places[parent]))
                self._links[parent[0]].append((child[0], self._places[parent], self._places[child]))

    def scores(self, question: Question) -> dict[Name, float]:
        """(table, column) → how much speaks for it; only their order has a meaning."""
        return dict(zip(self.index.names, self._scores(question).tolist(), strict=True))

    def keep(self, question: Question, k: int) -> tuple[Kept, ...]:
        """At most ``k`` columns, in the schema's order: the best ones, and the keys that join their tables, counted among the k.

        A column whose table joins those kept so far needs the keys on the shortest way there; where they no longer fit, it is
        passed over. Each column carries the values of it that the question names. ValueError for a k below 1.
        """
        if k < 1:
            raise ValueError(f"k={k}: at least one column must be kept")
        return self.shown(question, self._chosen(self._scores(question), k))

    def shown(self, question: Question, chosen: set[int] | frozenset[Name]) -> tuple[Kept, ...]:
        """These columns (places, or names) in the schema's order, with the values that the question names."""
        named = self.index.values.named(f"{question.text} {question.evidence}")
        found = []
        for place, (table, column) in enumerate(self.index.names):
            if place in chosen or (table, column) in chosen:
                values = tuple(value for value, _ in named.get((table, column), ()))[:VALUES_SHOWN]
                found.append(Kept(table, column, values))
        return tuple(found)

    def _scores(self, question: Question) -> np.ndarray:
        if self._last[0] != question:
            self._last = (question, self._ranked(question))
        return self._last[1]

    def _ranked(self, question: Question) -> np.ndarray:
        seen = features(self.index, question)
        if not len(seen):
            return np.zeros(0)
        first = seen @ _weights(_FIRST)
        return np.hstack([seen, self._context(first, question)]) @ _weights(_SECOND)

    def _context(self, first: np.ndarray, question: Question) -> np.ndarray:
        """Three numbers a column that rest on the first ranking."""
        found = np.zeros((len(first), 3))
        fourth = np.sort(first)[-min(4, len(first))]  # a query uses three or four columns: there the share of one is a half
        likely = 1 / (1 + np.exp(fourth - first))
        share = {table: float(np.log(likely[places].sum() + LEAST_SHARE)) for table, places in self._tables.items()}
        for table, places in self._tables.items():
            found[places, 0] = share[table]
            for other, own, _ in self._links[table]:
                found[own, 1] = max(found[own, 1], share[other] - np.log(LEAST_SHARE))
        best: dict[str, int] = {}
        asked = asked_stems(f"{question.text} {question.evidence}")
        for place, words in enumerate(self.index.name_words):
            for word in asked.intersection(words):
                if word not in best or first[place] > first[best[word]]:
                    best[word] = place
        for place in best.values():
            found[place, 2] = min(found[place, 2] + 1, 2)
        return found

    def _chosen(self, scores: np.ndarray, k: int) -> set[int]:
        kept: set[int] = set()
        tables: set[str] = set()
        for place in np.argsort(-scores, kind="stable").tolist():
            if len(kept) >= k:
                break
            table = self.index.names[place][0]
            joining = self._way(table, tables, scores) if tables and table not in tables else []
            needed = {place, *joining} - kept
            if len(kept) + len(needed) <= k:
                kept |= needed
                tables |= {self.index.names[one][0] for one in needed}
        return kept

    def _way(self, start: str, goals: set[str], scores: np.ndarray) -> list[int]:
        """The key columns on the shortest way from a table to one of the goals, best scores first; none where there is no way."""
        before: dict[str, tuple[str, int, int] | None] = {start: None}
        waiting = deque([start])
        while waiting:
            table = waiting.popleft()
            if table in goals:
                places = []
                while (step := before[table]) is not None:
                    table = step[0]
                    places += step[1:]
                return places
            for other, own, theirs in sorted(self._links[table], key=lambda link: -(scores[link[1]] + scores[link[2]])):
                if other not in before:
                    before[other] = (table, own, theirs)
                    waiting.append(other)
        return []


def _weights(named: Mapping[str, float]) -> np.ndarray:
    return np.array(list(named.values()))
