"""Small line charts in hand-written SVG: round ticks, lines with a band, dots with whiskers, and under the pointer the values.

Points carry the bounds of their band. A missing value (``None`` or NaN) breaks the line instead of being drawn as 0.

Not covered: bars, log scales, more than a few series in one chart.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from finer.render.markup import Markup, tag

WIDTH, HEIGHT = 320, 170
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 8, 32
MOST_POINTS = 300
"""A longer series is averaged into this many equal bins: more dots than pixels tell nothing and weigh a lot."""
MOST_TOLD = 40
"""Places of a chart that tell their values; of more steps, each tells the means of a span."""


class Point(NamedTuple):
    """One mark of a series; ``low`` and ``high`` bound its band or whisker."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Series:
    """Points of one quantity; ``look`` names its colour, ``dots`` draws whiskers instead of a line.

    ``aside``: pixels by which its dots stand beside their step, so that those of another series are not hidden.
    """

    label: str
    points: tuple[Point, ...]
    look: str = "total"
    dots: bool = False
    aside: float = 0.0


def nice_ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """About ``wanted`` round numbers between ``low`` and ``high``, one step beyond neither.

    >>> nice_ticks(0, 1), nice_ticks(0, 180), nice_ticks(5, 5)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 50.0, 100.0, 150.0], [5.0])
    """
    if not high > low:
        return [float(low)]
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = min((factor * power for factor in (1, 2, 5, 10)), key=lambda size: abs(size - raw))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(count * step, 12) for count in range(first, last + 1)]


def tick_label(value: float) -> str:
    """A tick as short as it can be.

    >>> tick_label(0.2), tick_label(50.0), tick_label(1500), tick_label(-0.5)
    ('0.2', '50', '1500', '−0.5')
    """
    return f"{value:.6g}".replace("-", "−")


def thin(points: list[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most ``most`` points: means of equal bins where there are more; the last point is kept as it is."""
    if len(points) <= most:
        return points
    size = math.ceil((len(points) - 1) / (most - 1))
    bins = [points[start : start + size] for start in range(0, len(points) - 1, size)]
    return [_mean_point(bin_) for bin_ in bins] + [points[-1]]


def _mean_point(points: list[Point]) -> Point:
    return Point(*(sum(values) / len(points) for values in zip(*points, strict=True)))


@dataclass(frozen=True)
class Scale:
    """From data to pixels, for one axis."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = 0.5 if self.high == self.low else (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def chart(
    label: str,
    series: list[Series],
    bounds: tuple[float, float] | None = None,
    unit: str = "training step",
    chosen: float | None = None,
    names: Mapping[float, str] | None = None,
) -> Markup:
    """A chart of one or several series over training steps, or what ``unit`` names; ``bounds`` fixes the y axis, else it fits the points.

    ``chosen``: a step to mark. ``names``: what stands at places of the x axis instead of round numbers.
    """
    drawn = [one for one in series if one.points]
    xs = [point.x for one in drawn for point in one.points]
    low, high = bounds or _bounds(drawn)
    room = 0.12 * (max(xs) - min(xs)) if names else 0.0  # so that a name at either end stands whole
    aside = max(abs(one.aside) for one in drawn)
    across = Scale(min(xs) - room, max(xs) + room, LEFT + aside, WIDTH - RIGHT - aside)
    up = Scale(low, high, HEIGHT - BOTTOM, TOP)
    marks = [_dots(one, across, up) if one.dots else _line(one, across, up) for one in drawn]
    return tag(
        "svg",
        tag("title", label),
        _axes(across, up, unit, names),
        _chosen(chosen, across),
        marks,
        None if names else _told(drawn, across),
        viewbox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=label,
    )


def _bounds(series: list[Series]) -> tuple[float, float]:
    lows = [point.low for one in series for point in one.points]
    highs = [point.high for one in series for point in one.points]
    low, high = min(lows), max(highs)
    if low >= 0 and low < 0.5 * high:
        low = 0.0  # start at zero unless that would squeeze the line into a corner
    margin = 0.06 * (high - low) or max(abs(high) * 0.1, 0.5)
    return (low if low == 0 else low - margin), high + margin


def _axes(across: Scale, up: Scale, unit: str, names: Mapping[float, str] | None) -> list[Markup]:
    rows = []
    names = names or {value: tick_label(value) for value in _whole_ticks(across)}
    for value in nice_ticks(up.low, up.high):
        y = up(value)
        rows.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="c-grid"))
        rows.append(tag("text", tick_label(value), x=LEFT - 6, y=y + 4, text_anchor="end"))
    for value, name in names.items():
        rows.append(tag("text", name, x=across(value), y=HEIGHT - BOTTOM + 14, text_anchor="middle"))
    rows.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=up.start, y2=up.start, class_="c-axis"))
    rows.append(tag("text", unit, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 4, text_anchor="middle"))
    return rows


def _whole_ticks(across: Scale) -> list[float]:
    return [value for value in nice_ticks(across.low, across.high) if value == int(value)] or [across.low]


def _line(series: Series, across: Scale, up: Scale) -> list[Markup]:
    points = thin(list(series.points))
    xs = [f"{across(point.x):.1f}" for point in points]
    line = " ".join(f"{x},{up(point.y):.1f}" for x, point in zip(xs, points))
    marks = [tag("polyline", points=line, class_=f"c-line s-{series.look}")]
    if any(point.high > point.low for point in points):
        top = [f"{x},{_inside(up, point.high):.1f}" for x, point in zip(xs, points)]
        bottom = [f"{x},{_inside(up, point.low):.1f}" for x, point in zip(xs, points)]
        marks.insert(0, tag("polygon", points=" ".join(top + bottom[::-1]), class_=f"c-band s-{series.look}"))
    last = points[-1]
    marks.append(_dot(last, series, across, up, 3.2))
    return marks


def _chosen(step: float | None, across: Scale) -> Markup | None:
    if step is None or not across.low <= step <= across.high:
        return None
    x = across(step)
    return tag("line", tag("title", "the step that is looked at"), x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM, class_="c-chosen")


def _told(series: list[Series], across: Scale) -> list[Markup]:
    """Unseen columns over the drawing, each with the values of its step or span; a click on one is a choice, where somebody listens."""
    steps = sorted({point.x for one in series for point in one.points})
    size = math.ceil(len(steps) / MOST_TOLD)
    spans = [steps[start : start + size] for start in range(0, len(steps), size)]
    edges = [LEFT - 6.0, *[across((one[-1] + other[0]) / 2) for one, other in itertools.pairwise(spans)], WIDTH - RIGHT + 6.0]
    return [_column(span, series, left, right) for span, left, right in zip(spans, edges, edges[1:])]


def _column(span: list[float], series: list[Series], left: float, right: float) -> Markup:
    first, last = span[0], span[-1]
    when = f"step {tick_label(first)}" if first == last else f"steps {tick_label(first)} to {tick_label(last)}"
    inside = ((one, [point for point in one.points if first <= point.x <= last]) for one in series)
    said = "; ".join(f"{one.label} {value_words(_mean_point(points))}" for one, points in inside if points)
    where = {"x": round(left, 1), "y": TOP, "width": round(right - left, 1), "height": HEIGHT - BOTTOM - TOP}
    return tag("rect", tag("title", f"{when}: {said}"), **where, class_="c-told", data_pick=f"s{tick_label(first)}")


def value_words(point: Point) -> str:
    """A value, and the bounds of its band where it has one.

    >>> value_words(Point(8, 0.6, 0.4737, 0.7143)), value_words(Point(8, 61.25, 61.25, 61.25)), value_words(Point(8, 12345.0, 12345.0, 12345.0))
    ('0.600 (0.474 to 0.714)', '61.250', '12,345')
    """
    said = [f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}" for value in (point.y, point.low, point.high)]
    words = f"{said[0]} ({said[1]} to {said[2]})" if point.high > point.low else said[0]
    return words.replace("-", "−")


def _inside(up: Scale, value: float) -> float:
    """The pixel of a value, held inside the axis: a band may pass a fixed bound, the drawing must not."""
    return up(min(max(value, up.low), up.high))


def _dots(series: Series, across: Scale, up: Scale) -> list[Markup]:
    marks = []
    for point in series.points:
        x = across(point.x) + series.aside
        whisker = {"x1": x, "x2": x, "y1": _inside(up, point.low), "y2": _inside(up, point.high)}
        said = tag("title", f"{series.label} {value_words(point)}")
        marks.append(tag("line", said, **whisker, class_=f"c-whisker s-{series.look}"))
        marks.append(_dot(point, series, across, up, 4.0))
    return marks


def _dot(point: Point, series: Series, across: Scale, up: Scale, radius: float) -> Markup:
    return tag("circle", cx=across(point.x) + series.aside, cy=up(point.y), r=radius, class_=f"s-{series.look}")
