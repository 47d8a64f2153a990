"""The memory on a plane: its traces, one thought, the traces nearest to it and their centroid, each with a shape of its own.

Hovering a mark names the trace. Not covered: computing the plane (``finer.memory.past``), zooming.
"""

from __future__ import annotations

from finer.memory.past import MemoryMap, Spot
from finer.render.charts import Scale
from finer.render.markup import Markup, one_line, tag
from finer.render.memory import source_words
from finer.render.style import fragment

WIDTH, HEIGHT, MARGIN = 640, 400, 22
NAMED = 5
"""Nearest traces that carry their rank as a number: those whose texts the memory view lists."""
MAP_CSS = """
.finer-view .mm-other{fill:var(--f-soft);stroke:var(--f-soft);stroke-width:1;opacity:.6}
.finer-view .mm-other.mm-hollow{fill:none;opacity:.45}
.finer-view .mm-near{fill:var(--f-memory);stroke:var(--f-ink);stroke-width:1}
.finer-view .mm-centroid{fill:var(--f-back);stroke:var(--f-ink);stroke-width:2}
.finer-view .mm-thought{fill:none;stroke:var(--f-total);stroke-width:4}
.finer-view .mm-link{stroke:var(--f-ink);stroke-width:1;stroke-dasharray:4 3}
.finer-view svg text.mm-rank{fill:var(--f-ink);font-weight:700;stroke:var(--f-back);stroke-width:3;paint-order:stroke}
.finer-view .f-legend svg.mm-key{display:inline-block;width:14px;height:14px;vertical-align:-2px;margin-right:4px}
"""


def memory_map(found: MemoryMap) -> Markup:
    """The map with its legend, or a line that says why there is none."""
    head = tag("h3", f"The memory as step {found.step} saw it, on a plane")
    if not found.spots:
        return fragment("map", "Map of the memory", head, tag("p", "The memory held no trace yet.", class_="f-soft"))
    return fragment("map", "Map of the memory", head, _drawing(found), _legend(found), _words(found), extra_css=MAP_CSS)


def _drawing(found: MemoryMap) -> Markup:
    points = [(spot.x, spot.y) for spot in found.spots] + [point for point in (found.thought, found.centroid) if point]
    across, up = _scales(points)
    marks = [_spot(spot, across(spot.x), up(spot.y)) for spot in found.spots]
    if found.thought and found.centroid:
        ends = {"x1": across(found.thought[0]), "y1": up(found.thought[1])}
        marks.append(tag("line", **ends, x2=across(found.centroid[0]), y2=up(found.centroid[1]), class_="mm-link"))
    if found.centroid:
        marks.append(_mark("centroid", across(found.centroid[0]), up(found.centroid[1]), "the centroid of the nearest traces"))
    if found.thought:
        marks.append(_mark("thought", across(found.thought[0]), up(found.thought[1]), "the thought of this answer"))
    label = f"{found.traces} traces of the memory, the thought, the traces nearest to it and their centroid"
    return tag("svg", tag("title", label), *marks, viewbox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label)


def _scales(points: list[tuple[float, float]]) -> tuple[Scale, Scale]:
    """One scale for both axes, so that distances are as long in each direction; the drawing lies in the middle."""
    (left, right), (low, high) = ((min(numbers), max(numbers)) for numbers in zip(*points))
    wide, tall = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    unit = max((right - left) / wide, (high - low) / tall) or 1.0
    x, y = (left + right) / 2, (low + high) / 2
    across = Scale(x - unit * wide / 2, x + unit * wide / 2, MARGIN, WIDTH - MARGIN)
    return across, Scale(y - unit * tall / 2, y + unit * tall / 2, HEIGHT - MARGIN, MARGIN)


def _spot(spot: Spot, x: float, y: float) -> Markup:
    trace = spot.trace
    near = f"nearest no. {spot.rank}: " if spot.rank else ""
    about = f"{near}{trace.db_id}, trace {trace.trace_id}, {source_words(trace.source, trace.step)}: {trace.thought}"
    kind = "near" if spot.rank else "written" if trace.step else "shipped"
    mark = _mark(kind, x, y, about, hollow=not spot.in_scope)
    if not 1 <= spot.rank <= NAMED:
        return mark
    return tag("g", mark, tag("text", spot.rank, x=x + 7, y=y + 4, class_="mm-rank"))


def _mark(kind: str, x: float, y: float, title: str = "", hollow: bool = False) -> Markup:
    """One mark: a dot, a square, a triangle, a diamond or a cross."""
    said = tag("title", one_line(title, 150)) if title else None
    look = f"mm-other{' mm-hollow' if hollow else ''}"
    if kind == "shipped":
        return tag("circle", said, cx=x, cy=y, r=2.5, class_=look)
    if kind == "written":
        return tag("rect", said, x=x - 3, y=y - 3, width=6, height=6, class_=look)
    steps = {"near": "m0,-6 l5.5,10 h-11 z", "centroid": "m0,-8 l8,8 l-8,8 l-8,-8 z", "thought": "m-8,0 h16 m-8,-8 v16"}[kind]
    return tag("path", said, d=f"M{x:.2f},{y:.2f} {steps}", class_=f"mm-{kind}")


def _legend(found: MemoryMap) -> Markup:
    return memory_legend(sum(spot.rank > 0 for spot in found.spots))


def memory_legend(near: int | None = None) -> Markup:
    """What the marks stand for; ``near``: how many traces make the centroid, None where that changes."""
    many = "" if near is None else f"{near} "
    first = NAMED if near is None else min(near, NAMED)
    kinds = [
        ("thought", False, "this thought"),
        ("centroid", False, f"centroid of the {many}nearest"),
        ("near", False, f"the {many}nearest, the first {first} numbered"),
        ("shipped", False, "trace of the data set"),
        ("written", False, "trace written by the policy"),
        ("shipped", True, "hollow: of a database that takes no part"),
    ]
    keys = [tag("span", _key(kind, hollow), words) for kind, hollow, words in kinds]
    return tag("div", *keys, class_="f-legend")


def _key(kind: str, hollow: bool) -> Markup:
    box = "5 5 10 10" if kind in ("shipped", "written") else "0 0 20 20"
    return tag("svg", _mark(kind, 10, 10, hollow=hollow), viewbox=box, class_="mm-key", aria_hidden="true")


def _words(found: MemoryMap) -> Markup:
    kept = 100 * sum(found.shares)
    words = f"The two axes keep {kept:.0f} % of how the traces differ: near on the map is a hint. The measure is the cosine of "
    words += "this thought and the centroid, which is the similarity."
    cut = f" {len(found.spots):,} of {found.traces:,} traces are drawn." if len(found.spots) < found.traces else ""
    unknown = "" if found.thought else " The encoder knows no word of the thought."
    return tag("p", words + cut + unknown, class_="f-soft")
