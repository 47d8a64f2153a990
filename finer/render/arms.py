"""An experiment's arms: several seeds of each recipe as a mean with its interval, and what an arm gains over another.

Not covered: single runs (``overlay``), the statistics (``finer.seeds``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from finer.render.charts import Point, Series, chart, tick_label
from finer.render.markup import Markup, tag
from finer.render.overlay import CSS, line_keys, look
from finer.render.style import fragment
from finer.seeds import OverSeeds, over_seeds

Curve = Sequence[tuple[int, float]]
"""(step, share right), one a seed."""
SIDE_BY_SIDE = 0.1
"""Decades between the marks of two arms at the same share."""
WIDE = (
    ".finer-view .f-panels.a-arms{grid-template-columns:repeat(auto-fill,minmax(min(380px,100%),1fr))}"
    ".finer-view .f-panel .f-last{white-space:normal}.finer-view .a-gains{max-width:420px}"
    ".finer-view .a-numbers{overflow-x:auto;max-width:720px}.finer-view .a-numbers td{white-space:nowrap;font-variant-numeric:tabular-nums}"
)


def arm_curves(panels: Mapping[str, Mapping[str, Sequence[Curve]]], title: str = "Right on dev, mean of seeds with its 95 % interval") -> Markup:
    """A panel a start, in it a line an arm: the mean of its seeds and its interval; one seed has none. Arms have the same look in all panels."""
    arms = list(dict.fromkeys(arm for panel in panels.values() for arm in panel))
    drawn = [_panel(name, [_mean(arm, panel[arm], arms.index(arm)) for arm in arms if panel.get(arm)]) for name, panel in panels.items()]
    told = tag("p", f"{title}; bands end at 0 and 1. Numbers: where the lines end, in the order of the key.", class_="f-soft")
    return fragment("arms", title, told, line_keys(arms), tag("div", *drawn, class_="f-panels a-arms"), extra_css=CSS + WIDE)


def gains(rows: Mapping[str, Sequence[tuple[float, OverSeeds]]], title: str = "Gain over sparse at the end, in points of dev") -> Markup:
    """An arm's gain (a share, with its interval) against the share of right samples at the start, above 0, on a logarithmic axis.

    Arms look as they do in ``arm_curves`` behind the one they are compared with; they stand side by side so that none hides another. An
    interval that few seeds stretch beyond 100 points, which no gain can pass, is drawn up to there. A table under the picture has the numbers.
    """
    shares = sorted({share for points in rows.values() for share, _ in points})
    if shares and shares[0] <= 0:
        raise ValueError("a share of 0 has no place on a logarithmic axis; give the upper end of its interval")
    names = {math.log10(share): f"{100 * share:.2g} %" for share in shares}
    drawn = []
    for place, (arm, points) in enumerate(rows.items()):
        aside = SIDE_BY_SIDE * (place - (len(rows) - 1) / 2)
        marks = tuple(_gain(math.log10(share) + aside, one) for share, one in points)
        drawn.append(Series(arm, marks, look(place + 1).split()[0], dots=True))
    picture = chart(f"{title}: {_told(rows)}", drawn, unit="right samples at the start", names=names)
    return fragment("gains", title, tag("p", f"{title}.", class_="f-soft"), line_keys(rows, 1), tag("figure", picture, class_="f-panel a-gains"), _table(rows, shares), extra_css=CSS + WIDE)


def _table(rows: Mapping[str, Sequence[tuple[float, OverSeeds]]], shares: list[float]) -> Markup:
    """Gains in points: a row a share, a column an arm, so that the numbers stand whole on a phone."""
    head = tag("tr", tag("th", "right samples at the start"), *[tag("th", arm) for arm in rows])
    body = [tag("tr", tag("th", f"{100 * share:.2g} %"), *[tag("td", _points(dict(points).get(share))) for points in rows.values()]) for share in shares]
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body)), class_="a-numbers")


def _points(gain: OverSeeds | None) -> str:
    if gain is None:
        return "–"
    interval = "" if gain.low is None else f" ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
    return f"{100 * gain.value:+.1f}{interval}, {gain.n} pair{'s' * (gain.n > 1)}".replace("-", "−")


def _mean(arm: str, curves: Sequence[Curve], place: int) -> Series:
    """Over the steps that every seed has."""
    by_step = [dict(curve) for curve in curves]
    steps = sorted(set.intersection(*(set(one) for one in by_step)))
    points = []
    for step in steps:
        found = over_seeds(one[step] for one in by_step)
        low, high = (found.value, found.value) if found.low is None else (found.low, found.high)
        points.append(Point(float(step), found.value, max(0.0, low), min(1.0, high)))
    return Series(f"{arm} ({len(curves)} seed{'s' * (len(curves) > 1)})", tuple(points), look(place))


def _panel(name: str, series: list[Series]) -> Markup:
    told = "; ".join(f"{one.label} {one.points[-1].y:.3f} at step {tick_label(one.points[-1].x)}" for one in series)
    caption = tag("figcaption", tag("b", name), tag("span", " · ".join(f"{one.points[-1].y:.2f}" for one in series), class_="f-last"))
    return tag("figure", caption, chart(f"{name}: {told}", series, (0.0, 1.0)), class_="f-panel")


def _gain(x: float, gain: OverSeeds) -> Point:
    low, high = (gain.value, gain.value) if gain.low is None else (gain.low, gain.high)
    return Point(x, 100 * gain.value, max(-100.0, 100 * low), min(100.0, 100 * high))


def _told(rows: Mapping[str, Sequence[tuple[float, OverSeeds]]]) -> str:
    return "; ".join(f"{arm} {100 * gain.value:+.1f} at {100 * share:.2g} %" for arm, points in rows.items() for share, gain in points)
