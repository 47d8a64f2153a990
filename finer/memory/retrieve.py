"""How close a thought is to the traces of a memory: the nearest ones in a scope, their centroid, and the contrast.

The published form is FINER-SQL's (arXiv 2605.03465, section on memory): the cosine between the thought's vector and the
centroid of its k nearest traces of *other* databases, so that copying a neighbour's table names cannot pay. Not covered:
whether the answer is right (a right one is paid in full by ``finer.rewards.memory``, whatever is found here).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from finer.memory.collection import Collection, Encode
from finer.memory.search import cosines_to, nearest, take
from finer.records import MemoryMatch, Neighbour

NEIGHBOURS_KEPT = 5
"""Neighbours that a match names; the centroid is that of all k."""
SCOPES = {"other": "of another database", "any": "", "same": "of the same database"}
"""Whose traces may serve: those of other databases (the paper's), all, or those of the question's own database."""
BY = ("thought", "question")


@dataclass(frozen=True)
class Retrieval:
    """Which traces a thought is compared with."""

    k: int = 20
    """Traces in the centroid; all of them where the scope has fewer."""
    scope: str = "other"
    by: str = "thought"
    """'thought': the traces whose thoughts are nearest to the thought (as published). 'question': those whose questions are
    nearest to the question (what the paper's text argues for); the thought is compared with their thoughts all the same."""
    contrast: bool = False
    """Compare with failed traces too: (1 + s - f) / 2, where f is the same similarity to the nearest failed ones."""

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k is {self.k}; a memory needs at least one neighbour")
        if self.scope not in SCOPES:
            raise ValueError(f"scope is {self.scope!r}; it is one of {', '.join(SCOPES)}")
        if self.by not in BY:
            raise ValueError(f"by is {self.by!r}; it is one of {', '.join(BY)}")


class Query(NamedTuple):
    """A thought to be compared, with the question that it is about."""

    thought: str
    db_id: str
    question: str = ""


class Snapshot(NamedTuple):
    """What a score could see: the first so many traces of each collection."""

    verified: int
    failed: int = 0


@dataclass(frozen=True)
class ContrastiveMatch(MemoryMatch):
    """A match of the contrastive form; ``similarity`` is (1 + to_verified - to_failed) / 2."""

    to_verified: float | None = None
    """Cosine to the centroid of the verified neighbours, clipped to 0..1."""
    to_failed: float | None = None
    failed_neighbours: tuple[Neighbour, ...] = ()
    failed_snapshot: int = 0
    """Number of failed traces that could be seen."""


def match(
    queries: Sequence[Query],
    verified: Collection,
    failed: Collection,
    snapshot: Snapshot,
    retrieval: Retrieval,
    encode: Encode,
) -> list[MemoryMatch]:
    """A match for each query, in order; each distinct one is looked up once, all of them in one search."""
    different = [query for query in dict.fromkeys(queries) if query.thought.strip()]
    found = _compare(different, verified, snapshot.verified, retrieval, encode, "trace")
    if retrieval.contrast:
        against = _compare(different, failed, snapshot.failed, retrieval, encode, "failed trace")
        found = [_contrasted(*pair) for pair in zip(found, against)]
    matches = dict(zip(different, found))
    silent = MemoryMatch(None, (), snapshot.verified, "the completion has no thought")
    return [matches.get(query, silent) for query in queries]


def _contrasted(verified: MemoryMatch, failed: MemoryMatch) -> ContrastiveMatch:
    scored = verified.similarity is not None and failed.similarity is not None
    value = (1 + verified.similarity - failed.similarity) / 2 if scored else None
    reason = verified.reason or failed.reason
    return ContrastiveMatch(
        value, verified.neighbours, verified.snapshot, reason,
        verified.similarity, failed.similarity, failed.neighbours, failed.snapshot,
    )  # fmt: skip


def _compare(
    queries: Sequence[Query], collection: Collection, count: int, retrieval: Retrieval, encode: Encode, what: str
) -> list[MemoryMatch]:
    """The similarity of each query's thought to its neighbours in one collection."""
    if not queries or not count:
        return [_nothing(count, retrieval, what)] * len(queries)
    thoughts, asked, places = looked_up(queries, collection, count, retrieval, encode)
    collection.traces([int(place) for near in places for place in near[:NEIGHBOURS_KEPT]])  # one reading for all
    rows = collection.segments(count)
    return [
        _nothing(count, retrieval, what) if not len(near)
        else _unknown(count, retrieval.by) if not vector.any()
        else _centroid_match(thought, near, rows, collection, count)
        for thought, vector, near in zip(thoughts, asked, places)
    ]  # fmt: skip


def looked_up(
    queries: Sequence[Query], collection: Collection, count: int, retrieval: Retrieval, encode: Encode
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The thoughts' vectors, what was looked for, and the places of each query's nearest traces among the first ``count``."""
    thoughts = encode([query.thought for query in queries])
    if retrieval.by == "thought":
        asked, segments = thoughts, collection.segments(count)
    else:
        asked, segments = encode([query.question for query in queries]), [collection.question_vectors(count, encode)]
    return thoughts, asked, _neighbours(queries, asked, segments, collection, count, retrieval)


def _neighbours(queries, asked, segments, collection, count, retrieval) -> list[np.ndarray]:
    """Places of the nearest traces in the scope of each query, nearest first."""
    if retrieval.scope == "any":
        return [places for places, _ in nearest(asked, segments, retrieval.k)]
    rows_of: dict[str, list[int]] = {}
    for row, query in enumerate(queries):
        rows_of.setdefault(query.db_id, []).append(row)
    own = {db_id: collection.places_of(db_id, count) for db_id in rows_of}
    if retrieval.scope == "other":
        hidden = [(np.array(rows), own[db_id]) for db_id, rows in rows_of.items()]
        return [places for places, _ in nearest(asked, segments, retrieval.k, hidden)]
    found: dict[int, np.ndarray] = {}
    for db_id, rows in rows_of.items():
        mine = take(segments, own[db_id]).astype(np.float32)
        found.update(zip(rows, (own[db_id][near] for near, _ in nearest(asked[rows], [mine], retrieval.k))))
    return [found[row] for row in range(len(queries))]


def _centroid_match(
    thought: np.ndarray, places: np.ndarray, segments: Sequence[np.ndarray], collection: Collection, count: int
) -> MemoryMatch:
    """Compares the thought with the centroid of the traces at ``places``."""
    query = thought.astype(np.float64)
    centroid = take(segments, places).mean(axis=0)
    length = float(np.sqrt((query * query).sum() * (centroid * centroid).sum()))
    if length == 0:
        return _unknown(count, "thought")
    similarity = float((query * centroid).sum()) / length
    named = places[:NEIGHBOURS_KEPT]
    cosines = cosines_to(thought, segments, named)
    traces = collection.traces([int(place) for place in named])
    neighbours = tuple(
        Neighbour(trace.trace_id, trace.db_id, trace.thought, min(max(float(cosine), -1.0), 1.0), trace.source, trace.step)
        for trace, cosine in zip(traces, cosines)
    )
    return MemoryMatch(min(max(similarity, 0.0), 1.0), neighbours, count)


def _nothing(count: int, retrieval: Retrieval, what: str) -> MemoryMatch:
    return MemoryMatch(None, (), count, f"the memory holds no {what} {SCOPES[retrieval.scope]}".rstrip())


def _unknown(count: int, what: str) -> MemoryMatch:
    return MemoryMatch(None, (), count, f"the encoder knows no word of the {what}")
