"""Several runs over each other: one panel a metric, one line a run, told apart by colour, dash and a legend.

Not covered: more than MOST_RUNS runs; bands (they would hide each other).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finer.accounts import wilson
from finer.render.charts import Point, Series, chart, tick_label
from finer.render.curves import DASHES, Curve, part_names, points
from finer.render.markup import Markup, one_line, tag
from finer.render.style import fragment

MOST_RUNS = 6
DOTS_APART = 7.0
"""Pixels between the dots of two runs at one step: equal values would hide each other."""
LOOKS = ("total", "down", "execution", "memory", "atomic", "other")
CSS = DASHES + (
    ".finer-view .d-key{display:inline-block;width:34px;height:10px;vertical-align:middle;margin-right:6px}"
    ".finer-view .d-keys{display:flex;flex-wrap:wrap;gap:2px 18px;font-size:13px;list-style:none;padding:0;margin:4px 0}"
)


@dataclass(frozen=True)
class RunCurves:
    """What is drawn of one run: its name, metrics by name, and evaluations, as the run store hands them out."""

    name: str
    metrics: Mapping[str, Curve]
    evaluations: Sequence[Any] = ()


def look(place: int) -> str:
    """The colour and the dash of the run at a place."""
    return f"{LOOKS[place % MOST_RUNS]} d-{place % MOST_RUNS}"


def overlay(runs: Sequence[RunCurves]) -> Markup:
    """Every metric of several runs; ValueError for more than MOST_RUNS."""
    if len(runs) > MOST_RUNS:
        raise ValueError(f"{len(runs)} runs cannot be told apart in one chart; give at most {MOST_RUNS}")
    parts = dict.fromkeys(part for run in runs for part in part_names(run.metrics))
    panels = [_accuracy(runs, split) for split in dict.fromkeys(row.split for run in runs for row in run.evaluations)]
    if not any("reward" in run.metrics for run in runs):  # GRPO's loss says nothing as a curve
        panels.append(_panel("Loss on the completions", _series(runs, "loss")))
    panels.append(_panel("Total reward", _series(runs, "reward")))
    panels += [_panel(f"Part: {part}", _series(runs, f"rewards/{part}/mean")) for part in parts]
    panels.append(_panel("Groups without a signal", _series(runs, "frac_reward_zero_std"), (0.0, 1.0)))
    panels.append(_panel("Answer length (tokens)", _series(runs, "completions/mean_length")))
    drawn = [panel for panel in panels if panel is not None]
    content = (
        tag("div", *drawn, class_="f-panels") if drawn else tag("p", "No step has been recorded yet.", class_="f-soft")
    )
    return fragment(
        "overlay", "Training curves of several runs", line_keys([run.name for run in runs]), content, extra_css=CSS
    )


def line_keys(names: Iterable[str], first: int = 0) -> Markup:
    """A legend of lines: colour, dash and name; the looks begin with that of place ``first``."""
    items = []
    for place, name in enumerate(names, first):
        stroke = tag("line", x1=0.0, x2=34.0, y1=5.0, y2=5.0, class_=f"c-line s-{look(place)}")
        items.append(
            tag("li", tag("svg", stroke, viewbox="0 0 34 10", class_="d-key", aria_hidden="true"), one_line(name, 60))
        )
    return tag("ul", *items, class_="d-keys")


def _series(runs: Sequence[RunCurves], metric: str) -> list[Series]:
    drawn = []
    for place, run in enumerate(runs):
        flat = tuple(Point(point.x, point.y, point.y, point.y) for point in points(run.metrics, metric))
        drawn.append(Series(run.name, flat, look(place)))
    return [one for one in drawn if one.points]


def _accuracy(runs: Sequence[RunCurves], split: str) -> Markup | None:
    drawn = []
    for place, run in enumerate(runs):
        rows = sorted(
            (row for row in run.evaluations if row.split == split and row.value is not None and row.n),
            key=lambda row: row.step,
        )
        marks = tuple(Point(float(row.step), row.value, *wilson(row.value * row.n, row.n)) for row in rows)
        drawn.append(Series(run.name, marks, look(place), dots=True, aside=DOTS_APART * (place - (len(runs) - 1) / 2)))
    return _panel(f"Right on {split}", [one for one in drawn if one.points], (0.0, 1.0))


def _panel(title: str, series: list[Series], bounds: tuple[float, float] | None = None) -> Markup | None:
    if not series:
        return None
    told = "; ".join(f"{one.label} {one.points[-1].y:.3f} at step {tick_label(one.points[-1].x)}" for one in series)
    last = " · ".join(f"{one.points[-1].y:.2f}".replace("-", "−") for one in series)
    caption = tag("figcaption", tag("b", title), tag("span", last, class_="f-last"))
    return tag("figure", caption, chart(f"{title}: {told}", series, bounds), class_="f-panel")
