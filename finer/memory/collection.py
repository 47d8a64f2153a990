"""Traces with their vectors, in the order in which they came: what the memory searches.

It only ever grows. The rows of a store on disk are mapped, not read, and their traces are read when somebody asks for
them; what comes later is kept here. Not covered: what may come in (``gate``), files (``store``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from finer.records import Trace

ReadTraces = Callable[[Sequence[int]], list[Trace]]
Encode = Callable[[Sequence[str]], np.ndarray]
"""Texts to float32 rows of length 1 (or 0), shape (texts, dimensions)."""


class Collection:
    """``visible`` of its traces are there for retrieval; those after them wait for the next commit."""

    def __init__(self) -> None:
        self.visible = 0
        self._traces: list[Trace | None] = []
        self._read: ReadTraces | None = None
        self._base = self._tail = self._questions = np.zeros((0, 0), dtype=np.float32)
        self._code_of: dict[str, int] = {}
        self._codes: list[int] = []
        self._steps: list[int] = []
        self._places: dict[int, np.ndarray] = {}
        self._places_count = 0

    @classmethod
    def stored(cls, vectors: np.ndarray, places: Sequence[tuple[str, int]], read: ReadTraces) -> Collection:
        """A collection of what a store holds: (db_id, step) of each trace, its vectors, and how to read traces."""
        collection = cls()
        collection._base = vectors
        collection._tail = np.zeros((0, vectors.shape[1]), dtype=np.float32)
        collection._read = read
        collection._traces = [None] * len(places)
        collection._note(places)
        collection.visible = len(places)
        return collection

    def __len__(self) -> int:
        return len(self._traces)

    def append(self, traces: Sequence[Trace], vectors: np.ndarray) -> None:
        """Adds traces that wait; each gets its place as its id."""
        start = len(self._traces)
        used, end = start - len(self._base), start - len(self._base) + len(traces)
        if end > len(self._tail):
            room = np.zeros((max(end, 2 * len(self._tail)), vectors.shape[1]), dtype=np.float32)
            if used:
                room[:used] = self._tail[:used]
            self._tail = room
        self._tail[used:end] = vectors
        self._traces.extend(replace(trace, trace_id=start + place) for place, trace in enumerate(traces))
        self._note([(trace.db_id, trace.step) for trace in traces])

    def _note(self, places: Sequence[tuple[str, int]]) -> None:
        codes = self._code_of
        self._codes.extend(codes.setdefault(db_id, len(codes)) for db_id, _ in places)
        self._steps.extend(step for _, step in places)

    def traces(self, places: Sequence[int]) -> list[Trace]:
        """The traces at these places, in order."""
        unread = sorted({place for place in places if self._traces[place] is None})
        if unread:
            for place, trace in zip(unread, self._read(unread), strict=True):
                self._traces[place] = trace
        return [self._traces[place] for place in places]

    def segments(self, count: int) -> list[np.ndarray]:
        """The first ``count`` vectors, in one or two pieces."""
        based = min(count, len(self._base))
        pieces = [self._base[:based], self._tail[: count - based]]
        return [piece for piece in pieces if len(piece)] or pieces[:1]

    def question_vectors(self, count: int, encode: Encode) -> np.ndarray:
        """The vectors of the first ``count`` traces' questions; encoded at the first call that needs them, then kept."""
        done = len(self._questions)
        if done < count:
            encoded = encode([trace.question for trace in self.traces(range(done, count))])
            self._questions = np.concatenate([self._questions, encoded]) if done else encoded
        return self._questions[:count]

    def places_of(self, db_id: str, count: int) -> np.ndarray:
        """Places of that database's traces among the first ``count``, ascending."""
        if self._places_count != len(self._codes):
            codes = np.asarray(self._codes)
            order = np.argsort(codes, kind="stable")
            starts = np.searchsorted(codes[order], np.arange(len(self._code_of) + 1))
            self._places = {code: order[low:high] for code, (low, high) in enumerate(pairwise(starts))}
            self._places_count = len(codes)
        places = self._places.get(self._code_of.get(db_id, -1), np.zeros(0, dtype=int))
        return places[: np.searchsorted(places, count)]

    def count_at(self, step: int) -> int:
        """How many traces a rollout of that training step saw: those before the first one taken in after it or later."""
        later = np.flatnonzero(np.asarray(self._steps[: self.visible]) >= step)
        return int(later[0]) if len(later) else self.visible

    def read_whole(self) -> None:
        """Reads everything into this process; the store's files are not needed any more."""
        self._base = np.array(self._base)
        self.traces(range(len(self)))
        self._read = None
