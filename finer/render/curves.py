"""How training went: small charts of the total, each part, the signal, the length and the accuracy on dev.

Metrics carry TRL's names: ``loss`` and ``mean_token_accuracy`` of a warm start; ``reward``, ``reward_std``, ``rewards/atomic/mean``, ``rewards/atomic/std``,
``frac_reward_zero_std``, ``completions/mean_length``. A band is mean ± one standard deviation over the step's rollouts;
the interval of an accuracy is Wilson's at 95 %.

Not covered: several runs over each other (``render.overlay``), finding alarms (``finer.alarms``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finer.accounts import wilson
from finer.render.charts import Point, Series, chart, tick_label
from finer.render.markup import Markup, tag, text
from finer.render.style import fragment, part_class

Curve = Sequence[tuple[int, float | None]]
_PART = re.compile(r"rewards/(.+)/mean$")


_STAGE_MARKS = {"generation": "━", "scoring": "╍", "update": "┈", "store": "─·"}
"""How a stage's line is dashed, in a letter or two."""
DASHES = (
    ".finer-view .d-1{stroke-dasharray:7 4}.finer-view .d-2{stroke-dasharray:2 4}.finer-view .d-3{stroke-dasharray:9 3 2 3}"
    ".finer-view .d-4{stroke-dasharray:4 2}.finer-view .d-5{stroke-dasharray:1 2}.finer-view circle{stroke-dasharray:none}"
)
"""The dashes that tell lines apart where colour does not."""
_STAGES = ("generation", "scoring", "update", "store")
_CSS = (
    ".finer-view .k-stage{display:inline-block;white-space:nowrap;margin-right:8px}"
    ".finer-view .k-alarm{border-left:4px solid var(--f-down);background:var(--f-card);padding:6px 12px;margin:6px 0;border-radius:0 6px 6px 0}"
)


@dataclass(frozen=True)
class Panel:
    """One small chart: its caption, what it says to a reader without eyes, its lines and the bounds of its axis."""

    title: str
    last: Markup
    label: str
    series: tuple[Series, ...]
    bounds: tuple[float, float] | None = None

    def drawn(self, chosen: float | None) -> Markup:
        caption = tag("figcaption", tag("b", self.title), self.last)
        return tag("figure", caption, chart(self.label, list(self.series), self.bounds, chosen=chosen), class_="f-panel")


def curves(
    metrics: Mapping[str, Curve], evaluations: Iterable[Any] = (), steps: Sequence[Any] = (), alarms: Sequence[Any] = (), chosen: int | None = None
) -> Markup:
    """Charts of a run, under what is alarming in it.

    ``metrics``: each metric's points (step, value) by name; a value that is None (not measured) is left out, never drawn as 0.
    ``evaluations``: records with ``step``, ``split``, ``metric``, ``value`` (share of right answers, 0 to 1, or None)
    and ``n`` (questions judged); ``steps``: records with ``step`` and ``seconds`` by stage, as the run store hands them out.
    ``alarms``: records with ``title`` and ``said``, as ``finer.alarms`` finds them; ``chosen``: a step to mark.
    """
    judged = sorted((row for row in evaluations if row.value is not None and row.n), key=lambda row: row.step)
    panels = _accuracy_panels(judged) + _loss_panels(metrics) + _reward_panels(metrics) + _other_panels(metrics) + _stage_panel(steps)
    if not panels:
        return fragment("curves", "Training curves", tag("p", "No step has been recorded yet.", class_="f-soft"))
    lines = "mean over the step's answers. Band: ± one standard deviation" if "reward" in metrics else "mean over the step's traces"
    note = f"Line: {lines}. Dots: share of right answers with a 95 % interval."
    warned = [_alarm(alarm) for alarm in alarms]
    how = tag("span", " A click in a chart chooses its step for all views.", class_="f-listens")
    content = (*warned, tag("div", *[panel.drawn(chosen) for panel in panels], class_="f-panels"), tag("p", note, how, class_="f-soft"))
    return fragment("curves", "Training curves", *content, extra_css=_CSS + DASHES)


def _alarm(alarm: Any) -> Markup:
    return tag("div", tag("b", "⚠ ", alarm.title), " ", text(alarm.said, 1000), class_="k-alarm", role="note")


def part_names(metrics: Iterable[str]) -> list[str]:
    """Names of the parts that have a mean among the metrics, in the order they appear.

    >>> part_names({"reward": [], "rewards/format/mean": [(1, 1.0)], "rewards/atomic/mean": [(1, 0.4)]})
    ['format', 'atomic']
    """
    return [match.group(1) for match in map(_PART.match, metrics) if match]


def points(metrics: Mapping[str, Curve], name: str, spread: str = "") -> tuple[Point, ...]:
    """A metric's points, with the half-height of their band from the metric ``spread``; what was not measured is left out."""
    halves = dict(metrics.get(spread, ()))
    found = []
    for step, value in metrics.get(name, ()):
        if value is not None and not math.isnan(value):
            half = halves.get(step)
            half = 0.0 if half is None or math.isnan(half) else half
            found.append(Point(float(step), value, value - half, value + half))
    return tuple(found)


def _panel(title: str, series: Series, last: Markup | str, bounds: tuple[float, float] | None = None, form: str = ".3f") -> list[Panel]:
    if not series.points:
        return []
    start, end = series.points[0], series.points[-1]
    steps = f"steps {tick_label(start.x)} to {tick_label(end.x)}"
    label = f"{title}: from {start.y:{form}} to {end.y:{form}} over {steps}"
    return [Panel(title, tag("span", last, class_="f-last"), label, (series,), bounds)]


def _loss_panels(metrics: Mapping[str, Curve]) -> list[Panel]:
    """Of a warm start; GRPO's loss is near 0 whatever is learnt (the advantages of a group sum to 0), and says nothing as a curve."""
    if "reward" in metrics:
        return []
    loss, right = Series("loss", points(metrics, "loss"), "total"), Series("tokens right", points(metrics, "mean_token_accuracy"), "execution")
    seen = Series("tokens", points(metrics, "num_tokens"), "other")
    right_last, seen_last = (f"{one.points[-1].y:{form}}" if one.points else "" for one, form in ((right, ".1%"), (seen, ",.0f")))
    return (
        _panel("Loss on the completions", loss, _last(loss))
        + _panel("Tokens of the completions foretold", right, right_last)
        + _panel("Tokens seen", seen, seen_last, form=",.0f")
    )


def _reward_panels(metrics: Mapping[str, Curve]) -> list[Panel]:
    total = Series("reward", points(metrics, "reward", "reward_std"))
    panels = _panel("Total reward", total, _last(total))
    for name in part_names(metrics):
        look = part_class(name).removeprefix("p-")
        series = Series(name, points(metrics, f"rewards/{name}/mean", f"rewards/{name}/std"), look)
        panels += _panel(f"Part: {name}", series, _last(series))
    return panels


def _last(series: Series) -> str:
    return f"{series.points[-1].y:.2f}".replace("-", "−") if series.points else ""


def _other_panels(metrics: Mapping[str, Curve]) -> list[Panel]:
    silent = Series("groups without a signal", points(metrics, "frac_reward_zero_std"), "down")
    length = Series("tokens", points(metrics, "completions/mean_length"), "other")
    silent_last = f"{silent.points[-1].y:.0%}" if silent.points else ""
    length_last = f"{length.points[-1].y:.0f}" if length.points else ""
    entropy, divergence = Series("entropy", points(metrics, "entropy"), "other"), Series("KL", points(metrics, "kl"), "other")
    return (
        _panel("Groups without a signal", silent, silent_last, (0.0, 1.0))
        + _panel("Answer length (tokens)", length, length_last)
        + _panel("Entropy of the policy", entropy, _last(entropy))
        + _panel("KL to the reference", divergence, _last(divergence))
    )


def _stage_panel(steps: Sequence[Any]) -> list[Panel]:
    """Seconds a step, one line a stage; a stage that was never measured has none."""
    lines = []
    for place, stage in enumerate(_STAGES):
        marks = [(step.step, step.seconds.get(stage)) for step in steps]
        found = points({stage: marks}, stage)
        if found:
            lines.append(Series(stage, found, f"{('total', 'down', 'execution', 'other')[place]} d-{place}"))
    if not lines:
        return []
    told = [tag("span", f"{_STAGE_MARKS[one.label]} {one.label} {one.points[-1].y:.2f}", class_="k-stage") for one in lines]
    label = "Seconds a step: " + ", ".join(f"{one.label} {one.points[-1].y:.2f} at the last step" for one in lines)
    return [Panel("Seconds a step", tag("span", *told, class_="f-soft"), label, tuple(lines))]


def _accuracy_panels(judged: list[Any]) -> list[Panel]:
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
