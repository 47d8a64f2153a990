"""The memory of a run through time, for one thought, on a page: a slider over the steps, the nearest traces, and a map to choose on.

Not covered: other thoughts than the one that it was made for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finer.memory import Memory, Query, map_as_of, scores_over_steps
from finer.memory.past import MemoryMap, PastScore
from finer.memory.plane import Plane, principal_plane
from finer.records import Trace
from finer.render.markup import Markup, tag
from finer.render.memory import source_words
from finer.render.memory_map import MAP_CSS, NAMED, memory_legend
from finer.render.scripts import CONTROLS_CSS, Texts, scripted
from finer.render.style import fragment

LONGEST_THOUGHT = 600
_CSS = (
    ".finer-view .x-line{max-width:420px}.finer-view .x-map{margin:8px 0;max-width:760px}.finer-view .x-map [data-trace]{cursor:pointer}"
    ".finer-view .x-map .x-chosen>:is(path,rect,circle){stroke:var(--f-total);stroke-width:4;opacity:1}"
    ".finer-view .x-here{fill:none;stroke-width:2.5}.finer-view .x-near{cursor:pointer}"
)


def memory_page(memory: Memory, query: Query, steps: Sequence[int], own: int, recorded: float, plane: Plane | None = None) -> Markup:
    """The section with its data and its script; ``own``: the step of the answer, ``recorded``: the similarity that the run's store holds."""
    return fragment(
        "through-time",
        "The memory through time",
        tag("h3", "The memory as any step saw it"),
        tag("noscript", tag("p", "The slider needs scripts, which this reader does not run.")),
        *scripted("memory", memory_data(memory, query, steps, own, recorded, plane), "svg"),
        memory_legend(),
        extra_css=CONTROLS_CSS + MAP_CSS + _CSS,
    )


def memory_data(memory: Memory, query: Query, steps: Sequence[int], own: int, recorded: float, plane: Plane | None = None) -> dict[str, Any]:
    """What the script draws: traces once each, and by step the similarity, the places of the nearest ones and their centroid.

    ``steps``: in order, ``own`` among them. ``plane``: None takes that of the traces which the last step saw.
    """
    seen = memory.vectors(memory.snapshot_at(steps[-1]))
    plane = plane or (principal_plane(seen) if len(seen) else None)
    table, known, rows = _Table(), {}, []
    whole = map_as_of(memory, query, steps[-1], plane)
    for spot in whole.spots:
        table.place(spot.trace, spot.x, spot.y, spot.in_scope)
    for score in scores_over_steps(memory, query, steps):
        snapshot = memory.snapshot_at(score.step)
        if snapshot not in known:
            known[snapshot] = map_as_of(memory, query, score.step, plane)
        rows.append(table.row(score, known[snapshot]))
    return {
        "texts": table.texts.all, "traces": table.traces, "steps": rows, "own": own, "recorded": recorded, "named": NAMED,
        "thought": _rounded(whole.thought),
    }  # fmt: skip


class _Table:
    """Traces once each, and the steps that point into them."""

    def __init__(self) -> None:
        self.texts = Texts(LONGEST_THOUGHT)
        self.traces: list[list[Any]] = []
        self._places: dict[Trace, int] = {}

    def place(self, trace: Trace, x: float, y: float, serves: bool) -> int:
        if trace not in self._places:
            self._places[trace] = len(self.traces)
            told = [self.texts.place(said) for said in (trace.thought, trace.db_id, source_words(trace.source, trace.step))]
            self.traces.append([*told, trace.trace_id, *_rounded((x, y)), trace.step, serves])
        return self._places[trace]

    def row(self, score: PastScore, found: MemoryMap) -> list[Any]:
        """step, similarity, traces, places of the nearest, those that are listed with their similarity, centroid, why not compared."""
        ranked = sorted((spot for spot in found.spots if spot.rank), key=lambda spot: spot.rank)
        near = [self.place(spot.trace, spot.x, spot.y, spot.in_scope) for spot in ranked]
        by_id = {(spot.trace.trace_id, spot.trace.thought): place for spot, place in zip(ranked, near)}
        keys = [((one.trace_id, one.thought), one.similarity) for one in score.match.neighbours]
        listed = [[by_id[key], round(similarity, 5)] for key, similarity in keys if key in by_id]
        value = score.match.similarity
        return [score.step, None if value is None else round(value, 6), found.traces, near, listed, _rounded(found.centroid), self.texts.place(score.match.reason)]


def _rounded(point: tuple[float, float] | None) -> list[float] | None:
    return None if point is None else [round(number, 4) for number in point]
