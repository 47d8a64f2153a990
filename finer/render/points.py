"""A run's answers as points: any measure over any other, marked by status, database or difficulty, as a small SVG.

A class has a colour, a symbol and its name, so that colour alone says nothing. Marks of one class that would cover each other
are drawn once, which keeps the drawing small however many answers there are.

Not covered: which answers are taken (``finer.points``), the drawing that zooms and selects (``points_page``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from finer.render.charts import Scale, nice_ticks, tick_label
from finer.render.markup import Markup, plain_line, tag
from finer.render.style import STATUS_WORDS, fragment

COUNT = "number of answers"
"""In place of a measure as y: a histogram of x."""
WIDTH, HEIGHT = 760, 330
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 40
CELL = 5
"""Pixels: marks of a class in one cell of this size are drawn once."""
BINS = 24


class Look(NamedTuple):
    """A class's colour, plotly's name of its symbol and of its pattern in a bar, and the symbol as an SVG path around (0, 0)."""

    colour: str
    symbol: str
    pattern: str
    path: str


LOOKS = (
    Look("#0072b2", "circle", "", "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0"),
    Look("#d55e00", "x", "x", "m-3-3l6 6m0-6l-6 6"),
    Look("#e69f00", "square", "/", "m-2.7-2.7h5.4v5.4h-5.4z"),
    Look("#009e73", "diamond", "\\", "m0-3.8l3.8 3.8-3.8 3.8-3.8-3.8z"),
    Look("#cc79a7", "triangle-up", "-", "m0-3.6l3.4 6h-6.8z"),
    Look("#56b4e9", "cross", "+", "m-3.6 0h7.2m-3.6-3.6v7.2"),
    Look("#8c8c8c", "star", ".", "m0-4l1 3h3l-2.4 1.9 1 3.1-2.6-1.9-2.6 1.9 1-3.1-2.4-1.9h3z"),
    Look("#a39600", "triangle-down", "|", "m0 3.6l3.4-6h-6.8z"),
)
"""Okabe and Ito's colours, which people with any common colour blindness can tell apart."""


@dataclass(frozen=True)
class Points:
    """Answers as columns of one length. ``None`` in a measure: never scored, and so not drawn over it."""

    rollout_ids: tuple[int, ...]
    group_ids: tuple[int, ...]
    positions: tuple[int, ...]
    questions: tuple[str, ...]
    """Number, database and text, on a line."""
    sql: tuple[str, ...]
    """On a line; what was written instead where no SQL could be read."""
    measures: dict[str, tuple[float | None, ...]]
    marks: dict[str, tuple[str, ...]]
    said: str
    """Which answers of the run these are."""


@dataclass(frozen=True)
class PointClass:
    """The answers that look alike: their name, their look and their places in ``Points``."""

    name: str
    look: Look
    places: tuple[int, ...]


def status_words(status: str) -> str:
    """A status as symbol and words.

    >>> status_words("wrong")
    '✗ wrong rows'
    """
    symbol, words, _ = STATUS_WORDS.get(status, ("?", status, ""))
    return f"{symbol} {words}"


def classes(values: Sequence[str]) -> list[PointClass]:
    """A class for each value, the most frequent first, statuses in an order of their own; those beyond the looks share the last.

    >>> [(one.name, one.look.symbol, one.places) for one in classes(["hard", "easy", "hard"])]
    [('hard', 'circle', (0, 2)), ('easy', 'x', (1,))]
    """
    known = list(map(status_words, STATUS_WORDS))  # so that what is right looks alike in every run
    order = {name: known.index(name) for name in known}
    counted = sorted(found := Counter(values), key=lambda name: (order.get(name, len(order)), -found[name], name))
    own = counted if len(counted) <= len(LOOKS) else counted[: len(LOOKS) - 1]
    places: dict[str, list[int]] = {name: [] for name in own}
    others = f"{len(counted) - len(own)} others"
    kept = set(own)
    for place, value in enumerate(values):
        places.setdefault(value if value in kept else others, []).append(place)
    return [
        PointClass(plain_line(name, 60) or "(none)", look, tuple(at)) for (name, at), look in zip(places.items(), LOOKS, strict=False)
    ]


def points_chart(points: Points, x: str = "step", y: str = "total", by: str = "status") -> Markup:
    """The drawing with its legend and the choice of answers in words; y may be ``COUNT``. KeyError for an unknown measure."""
    shown = classes(points.marks[by])
    drawn = _bars(points.measures[x], shown) if y == COUNT else _marks(points.measures[x], points.measures[y], shown)
    if drawn is None:
        return fragment("points", "Answers as points", tag("p", f"No answer has both {x} and {y} yet.", class_="f-soft"))
    across, up, marks = drawn
    label = f"{y} over {x}, marked by {by}"
    axes = _axes(across, up, x, y)
    svg = tag("svg", tag("title", label), axes, marks, viewbox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label)
    keys = [tag("span", _key(one), f" {one.name} ({len(one.places):,})") for one in shown]
    lack = sum(None in pair for pair in zip(points.measures[x], points.measures.get(y, points.measures[x]), strict=True))
    said = points.said + (f" {lack:,} of them were never scored so, and are left out." if lack else "")
    return fragment("points", "Answers as points", tag("p", said, class_="f-soft"), svg, tag("p", *keys, class_="f-legend"))


def _key(one: PointClass) -> Markup:
    path = tag("path", d=f"M7 7{one.look.path}", style=_style(one.look))
    return tag("svg", path, viewbox="0 0 14 14", style="display:inline-block;width:14px;height:14px", aria_hidden="true")


def _style(look: Look) -> str:
    return f"fill:{look.colour};fill-opacity:.45;stroke:{look.colour};stroke-width:1.4"


def _scale(values: Sequence[float], start: float, end: float) -> Scale:
    low, high = min(values), max(values)
    margin = 0.03 * (high - low) or max(abs(high) * 0.1, 0.5)
    return Scale(low - margin, high + margin, start, end)


def _marks(xs: Sequence, ys: Sequence, shown: list[PointClass]) -> tuple[Scale, Scale, list[Markup]] | None:
    both = [(x, y) for x, y in zip(xs, ys, strict=True) if x is not None and y is not None]
    if not both:
        return None
    across = _scale([x for x, _ in both], LEFT, WIDTH - RIGHT)
    up = _scale([y for _, y in both], HEIGHT - BOTTOM, TOP)
    paths = []
    for one in shown:
        pairs = [(xs[place], ys[place]) for place in one.places if xs[place] is not None and ys[place] is not None]
        cells = dict.fromkeys((round(across(x) / CELL) * CELL, round(up(y) / CELL) * CELL) for x, y in pairs)
        paths.append(tag("path", d="".join(f"M{x} {y}{one.look.path}" for x, y in cells), style=_style(one.look)))
    return across, up, paths


def _bars(xs: Sequence, shown: list[PointClass]) -> tuple[Scale, Scale, list[Markup]] | None:
    values = [x for x in xs if x is not None]
    if not values:
        return None
    low, high = min(values), max(values)
    size = (high - low) / BINS or 1.0
    counts = [Counter(min(int((xs[place] - low) / size), BINS - 1) for place in one.places if xs[place] is not None) for one in shown]
    tops = Counter()
    for count in counts:
        tops.update(count)
    across = Scale(low, low + BINS * size, LEFT, WIDTH - RIGHT)
    up, done, bars = Scale(0, max(tops.values()), HEIGHT - BOTTOM, TOP), Counter(), []
    for one, count in zip(shown, counts, strict=True):
        for place, number in sorted(count.items()):
            left, top, bottom = across(low + place * size), up(done[place] + number), up(done[place])
            title = tag("title", f"{one.name}: {number:,}")
            wide = across(low + size) - LEFT - 1
            bars.append(tag("rect", title, x=left, y=top, width=wide, height=bottom - top, style=_style(one.look)))
            if bottom - top > 10:  # the class's symbol, so that the bar is told without its colour
                bars.append(tag("path", d=f"M{left + wide / 2:.1f} {(top + bottom) / 2:.1f}{one.look.path}", style=_style(one.look)))
            done[place] += number
    return across, up, bars


def _axes(across: Scale, up: Scale, x: str, y: str) -> list[Markup]:
    rows = []
    for value in nice_ticks(up.low, up.high):
        rows.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=up(value), y2=up(value), class_="c-grid"))
        rows.append(tag("text", tick_label(value), x=LEFT - 6, y=up(value) + 4, text_anchor="end"))
    for value in nice_ticks(across.low, across.high, 8):
        rows.append(tag("text", tick_label(value), x=across(value), y=HEIGHT - BOTTOM + 15, text_anchor="middle"))
    rows.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=up.start, y2=up.start, class_="c-axis"))
    rows.append(tag("text", plain_line(x, 60), x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 6, text_anchor="middle"))
    rows.append(tag("text", plain_line(y, 60), x=12, y=(TOP + HEIGHT - BOTTOM) / 2, text_anchor="middle", transform=f"rotate(-90 12 {(TOP + HEIGHT - BOTTOM) // 2})"))
    return rows
