"""Any score as of any step of a run, and a map: from its memory, built again of its first traces and its memory events.

A run's store keeps which traces came in and when, not their vectors: they are encoded again, and since the memory only grows,
``snapshot_at(step)`` is what the rollouts of that step saw. Not covered: drawing (``finer.render.memory_map``), and scoring
whole steps again in their order (``finer.replay``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from finer.encoder import Encoder
from finer.memory.bank import Memory
from finer.memory.plane import Plane, principal_plane
from finer.memory.retrieve import Query
from finer.records import MemoryMatch, Trace

MOST_STEPS = 60
"""Steps for which a score is computed; of a longer run an even choice of so many."""
MOST_SPOTS = 800
"""Traces on a map; of more, the nearest ones and an even choice of the others."""


@dataclass(frozen=True)
class PastScore:
    """What a thought's similarity would have been at one training step."""

    step: int
    match: MemoryMatch


@dataclass(frozen=True)
class Spot:
    """A trace on the map."""

    trace: Trace
    x: float
    y: float
    rank: int
    """1 for the nearest trace, up to k; 0 for one that is not in the centroid."""
    in_scope: bool
    """False for a trace that could not serve, because of its database."""


@dataclass(frozen=True)
class MemoryMap:
    """The memory as one training step saw it, on a plane, with one thought among its traces."""

    step: int
    spots: tuple[Spot, ...]
    """The traces that are drawn: those of the centroid, and as many of the others as there is room for."""
    traces: int
    """How many there are."""
    thought: tuple[float, float] | None
    """None where the encoder knows no word of it."""
    centroid: tuple[float, float] | None
    """Of the nearest traces; None where there is none."""
    shares: tuple[float, float]
    """Of the variance of the traces that the plane was made for, along its two axes."""


def replayed(first: Iterable[Trace], events: Iterable[Any], encoder: Encoder | None = None, contrast: bool = False) -> Memory:
    """A run's memory as it stands after its last event.

    ``first``: the traces that it started with (the data set's). ``events``: the run's memory events, in their order (records
    with ``kind``, ``trace``, ``step`` and ``collection``). ``encoder``: the one that the run used; None takes the default.
    """
    memory = Memory(encoder, contrast=contrast)
    memory.add(first)
    take_in(memory, events)
    return memory


def take_in(memory: Memory, events: Iterable[Any]) -> None:
    """Adds what came in with further events of the run whose memory it is."""
    kept = [event for event in events if event.kind == "inserted"]
    for collection in ("verified", "failed"):
        traces = [replace(event.trace, step=event.step) for event in kept if event.collection == collection]
        memory.add(traces, failed=collection == "failed")


def scores_over_steps(memory: Memory, query: Query, steps: Sequence[int]) -> list[PastScore]:
    """The query's match as of each step; each different snapshot is asked once."""
    known: dict[Any, MemoryMatch] = {}
    for snapshot in map(memory.snapshot_at, steps):
        if snapshot not in known:
            (known[snapshot],) = memory.match_many([query], snapshot)
    return [PastScore(step, known[memory.snapshot_at(step)]) for step in steps]


def steps_shown(last: int, own: int, most: int = MOST_STEPS) -> list[int]:
    """The steps 1 to ``last``, or an even choice of about ``most`` with the first, the last and ``own`` among them.

    >>> steps_shown(4, 2), steps_shown(100, 7, most=4)
    ([1, 2, 3, 4], [1, 7, 34, 67, 100])
    """
    if last <= most:
        return list(range(1, last + 1))
    even = {1 + round(place * (last - 1) / (most - 1)) for place in range(most)}
    return sorted(even | {own})


def first_plane(memory: Memory) -> Plane | None:
    """The plane of the traces that were there before the first step, on which a map stands still while the memory grows.

    None where those are fewer than three.
    """
    first = memory.snapshot_at(1)
    return principal_plane(memory.vectors(first)) if first.verified >= 3 else None


def map_as_of(memory: Memory, query: Query, step: int, plane: Plane | None = None) -> MemoryMap:
    """The verified traces that a step saw, with a thought and its nearest traces among them.

    ``plane``: None takes that of the traces which the step saw.
    """
    snapshot = memory.snapshot_at(step)
    vectors = memory.vectors(snapshot)
    if not len(vectors):
        return MemoryMap(step, (), 0, None, None, (0.0, 0.0))
    thought, near = memory.neighbourhood(query, snapshot)
    plane = plane or principal_plane(vectors)
    centroid = _point(plane, vectors[near].mean(axis=0)) if len(near) else None
    place = _point(plane, thought) if thought.any() else None
    return MemoryMap(step, _spots(memory, query, vectors, near, plane), len(vectors), place, centroid, plane.shares)


def _point(plane: Plane, vector: np.ndarray) -> tuple[float, float]:
    ((x, y),) = plane.places(vector[None])
    return float(x), float(y)


def _spots(memory: Memory, query: Query, vectors: np.ndarray, near: np.ndarray, plane: Plane) -> tuple[Spot, ...]:
    """The nearest traces last, so that they are drawn above the others."""
    rank = {int(place): order for order, place in enumerate(near, 1)}
    others = [place for place in range(len(vectors)) if place not in rank]
    others = others[:: -(-len(others) // MOST_SPOTS) or 1]
    places = [*others, *reversed(rank)]
    traces = memory.traces_at(places)
    scope = memory.retrieval.scope
    serves = [scope == "any" or (trace.db_id == query.db_id) == (scope == "same") for trace in traces]
    points = plane.places(vectors[places])
    return tuple(
        Spot(trace, float(x), float(y), rank.get(place, 0), serve)
        for place, trace, (x, y), serve in zip(places, traces, points, serves, strict=True)
    )
