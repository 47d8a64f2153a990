"""How training went: small charts of the total, each part, the signal, the length and the accuracy on dev.

Metrics carry TRL's names: ``reward``, ``reward_std``, ``rewards/atomic/mean``, ``rewards/atomic/std``,
``frac_reward_zero_std``, ``completions/mean_length``. A band is mean ± one standard deviation over the step's rollouts;
the interval of an accuracy is Wilson's at 95 %.

Not covered: several runs over each other, alarms.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from finer.render.charts import Point, Series, chart, tick_label, wilson
from finer.render.markup import Markup, tag
from finer.render.style import fragment, part_class

Curve = Sequence[tuple[int, float | None]]
_PART = re.compile(r"rewards/(.+)/mean$")


def curves(metrics: Mapping[str, Curve], evaluations: Iterable[Any] = ()) -> Markup:
    """Charts of a run.

    ``metrics``: each metric's points (step, value) by name; a value that is None (not measured) is left out, never drawn as 0.
    ``evaluations``: records with ``step``, ``split``, ``metric``, ``value`` (share of right answers, 0 to 1, or None)
    and ``n`` (questions judged), as the run store hands them out.
    """
    judged = sorted((row for row in evaluations if row.value is not None and row.n), key=lambda row: row.step)
    panels = _accuracy_panels(judged) + _reward_panels(metrics) + _other_panels(metrics)
    if not panels:
        return fragment("curves", "Training curves", tag("p", "No step has been recorded yet.", class_="f-soft"))
    note = "Line: mean over the step's answers. Band: ± one standard deviation. Dots: share of right answers with a 95 % interval."
    return fragment(
        "curves", "Training curves", tag("div", *panels, class_="f-panels"), tag("p", note, class_="f-soft")
    )


def part_names(metrics: Iterable[str]) -> list[str]:
    """Names of the parts that have a mean among the metrics, in the order they appear.

    >>> part_names({"reward": [], "rewards/format/mean": [(1, 1.0)], "rewards/atomic/mean": [(1, 0.4)]})
    ['format', 'atomic']
    """
    return [match.group(1) for match in map(_PART.match, metrics) if match]


def _points(metrics: Mapping[str, Curve], name: str, spread: str = "") -> tuple[Point, ...]:
    halves = dict(metrics.get(spread, ()))
    points = []
    for step, raw in metrics.get(name, ()):
        value, half = _real(raw), _real(halves.get(step)) or 0.0
        if value is not None:
            points.append(Point(float(step), value, value - half, value + half))
    return tuple(points)


def _real(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _panel(title: str, series: Series, last: Markup | str, bounds: tuple[float, float] | None = None) -> list[Markup]:
    if not series.points:
        return []
    start, end = series.points[0], series.points[-1]
    steps = f"steps {tick_label(start.x)} to {tick_label(end.x)}"
    label = f"{title}: from {start.y:.3f} to {end.y:.3f} over {steps}"
    caption = tag("figcaption", tag("b", title), tag("span", last, class_="f-last"))
    return [tag("figure", caption, chart(label, [series], bounds), class_="f-panel")]


def _reward_panels(metrics: Mapping[str, Curve]) -> list[Markup]:
    total = Series("reward", _points(metrics, "reward", "reward_std"))
    panels = _panel("Total reward", total, _last(total))
    for name in part_names(metrics):
        look = part_class(name).removeprefix("p-")
        series = Series(name, _points(metrics, f"rewards/{name}/mean", f"rewards/{name}/std"), look)
        panels += _panel(f"Part: {name}", series, _last(series))
    return panels


def _last(series: Series) -> str:
    return f"{series.points[-1].y:.2f}".replace("-", "−") if series.points else ""


def _other_panels(metrics: Mapping[str, Curve]) -> list[Markup]:
    silent = Series("groups without a signal", _points(metrics, "frac_reward_zero_std"), "down")
    length = Series("tokens", _points(metrics, "completions/mean_length"), "other")
    silent_last = f"{silent.points[-1].y:.0%}" if silent.points else ""
    length_last = f"{length.points[-1].y:.0f}" if length.points else ""
    return _panel("Groups without a signal", silent, silent_last, (0.0, 1.0)) + _panel(
        "Answer length (tokens)", length, length_last
    )


def _accuracy_panels(judged: list[Any]) -> list[Markup]:
    panels = []
    for split, metric in dict.fromkeys((row.split, row.metric) for row in judged):
        rows = [row for row in judged if (row.split, row.metric) == (split, metric)]
        title = f"Right on {split} ({metric}, n {rows[-1].n})"
        series = Series(f"right on {split}", tuple(_share(row) for row in rows), "execution", dots=True)
        panels += _panel(title, series, _accuracy_words(rows), (0.0, 1.0))
    return panels


def _share(row: Any) -> Point:
    low, high = wilson(row.value * row.n, row.n)
    return Point(float(row.step), row.value, low, high)


def _accuracy_words(rows: list[Any]) -> Markup:
    was = tag("small", f" was {rows[0].value:.1%}") if len(rows) > 1 else None
    return tag("span", f"{rows[-1].value:.1%}", was)
