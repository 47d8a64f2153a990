"""Why one answer was paid what it was paid: a waterfall from the first part to the advantage.

Each step is a row that opens its evidence. The execution part is shown as two steps, "runs" and "right", because these are
two questions; its pay stands on "right" where the answer is right and on "runs" otherwise. The last row is the advantage as
arithmetic: (total − group mean) / (spread + 0.0001), TRL's formula with the sample standard deviation.

Not covered: changing weights to see what would happen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from statistics import fmean, stdev
from typing import Any

from finer.records import Group, RewardBreakdown, RewardPart, Rollout
from finer.render.charts import nice_ticks, tick_label
from finer.render.group import advantage_words, place_words
from finer.render.markup import Markup, join, tag, text
from finer.render.style import fragment, number, part_class, part_letter, signed, status_badge

EPSILON = 1e-4
"""Added to the spread before dividing, as TRL does, so that a group of equals gives 0 and not a division by zero."""

MOST_LINES = 40
_OF_RUNNING = ("status", "error", "seconds", "columns")
_RAN = frozenset({"correct", "wrong", "ok", "empty", "gold_failed"})


@dataclass(frozen=True)
class Stage:
    """One row of the waterfall: what it adds, how it went, and the part whose evidence it opens."""

    name: str
    amount: float | None
    """None: not scored."""
    mark: str
    part: RewardPart
    said: str
    keys: tuple[str, ...] = ()
    """The evidence that belongs to this row; empty means all of the part's."""


def waterfall(rollout: Rollout, group: Group) -> Markup:
    """The waterfall of one rollout of a group."""
    breakdown = rollout.breakdown
    rows = stages(breakdown)
    totals = [member.breakdown.total for member in group.rollouts]
    mean = fmean(totals)
    ends = list(accumulate((stage.amount or 0.0 for stage in rows), initial=0.0))
    low, high = _bounds(ends + totals)
    frame = Frame(low, high, mean)
    bars = [_stage_row(stage, start, frame) for stage, start in zip(rows, ends)]
    where = f"group {group.group_id}, step {rollout.step}" if group.group_id >= 0 else place_words(group)
    head = tag(
        "h3",
        f"Answer {rollout.position} of {where} ",
        status_badge(breakdown.status),
    )
    return fragment(
        "waterfall",
        f"Reward of answer {rollout.position}",
        head,
        _axis(frame),
        bars,
        _total_row(breakdown.total, frame),
        _advantage_row(rollout, totals),
        _gate_note(breakdown),
        _answer(rollout),
    )


def stages(breakdown: RewardBreakdown) -> list[Stage]:
    """The rows of a waterfall; execution becomes "runs" and "right"."""
    rows: list[Stage] = []
    for part in breakdown.parts:
        rows += _execution_stages(part, breakdown.status) if part.name == "execution" else [_stage(part)]
    return rows


def _stage(part: RewardPart) -> Stage:
    if part.value is None:
        return Stage(part.name, None, "·", part, _summary(part) or "not scored")
    mark = "✓" if part.contribution > 0 else "✗"
    return Stage(part.name, part.contribution, mark, part, _summary(part))


def _execution_stages(part: RewardPart, status: str) -> list[Stage]:
    if part.value is None or status == "not_judged":
        return [_stage(part)]
    ran, right = status in _RAN, status == "correct"
    runs_said = (
        f"it did not run: {_words(status)}"
        if not ran
        else "it ran to its end" + (": paid within “right”" if right else "")
    )
    runs = Stage("runs", 0.0 if right else part.contribution, "✓" if ran else "✗", part, runs_said, _OF_RUNNING)
    keys = tuple(key for key in part.evidence if key not in _OF_RUNNING)
    return [
        runs,
        Stage("right", part.contribution if right else 0.0, "✓" if right else "✗", part, _summary(part), keys),
    ]


def _words(status: str) -> str:
    return status.replace("_", " ")


def _summary(part: RewardPart) -> str:
    return str(part.evidence.get("summary", ""))


@dataclass(frozen=True)
class Frame:
    """The horizontal scale that all bars share, in thousandths of the width."""

    low: float
    high: float
    mean: float

    def x(self, value: float) -> float:
        return 1000 * (value - self.low) / (self.high - self.low)


def _bounds(values: list[float]) -> tuple[float, float]:
    low, high = min(0.0, *values), max(0.0, *values)
    return low, high + (0.04 * (high - low) or 1.0)


def _axis(frame: Frame) -> Markup:
    ticks = [_axis_label(frame.x(value) / 10, tick_label(value)) for value in nice_ticks(frame.low, frame.high, 4)]
    mean = _axis_label(frame.x(frame.mean) / 10, f"group mean {number(frame.mean)}", "w-mean")
    blank = tag("div", class_="w-empty")
    above = tag("div", blank, tag("div", mean, class_="w-axis"), blank, class_="w-grid", aria_hidden="true")
    below = tag("div", blank, tag("div", *ticks, class_="w-axis"), blank, class_="w-grid", aria_hidden="true")
    return join(above, below)


def _axis_label(percent: float, label: str, look: str = "") -> Markup:
    edge = "w-start" if percent < 8 else "w-end" if percent > 92 else ""
    return tag("span", label, class_=f"{look} {edge}".strip() or None, style=f"left:{percent:.2f}%")


def _bar(start: float, end: float, frame: Frame, look: str, label: str) -> Markup:
    """A bar from ``start`` to ``end``; where they are equal, a tick that shows where the sum stands."""
    left, right = sorted((frame.x(start), frame.x(end)))
    mean = frame.x(frame.mean)
    shapes = [
        tag("line", x1=frame.x(0.0), x2=frame.x(0.0), y1=0, y2=22, class_="w-zero"),
        tag("rect", x=left, y=3, width=right - left, height=16, class_=f"s-{look}") if right > left else None,
        tag("line", x1=frame.x(end), x2=frame.x(end), y1=1, y2=22, class_="w-link"),
        tag("line", x1=mean, x2=mean, y1=0, y2=22, class_="w-meanline"),
    ]
    svg = tag(
        "svg",
        tag("title", label),
        *shapes,
        viewbox="0 0 1000 22",
        preserveaspectratio="none",
        role="img",
        aria_label=label,
    )
    return tag("div", svg, class_="w-bar")


def _stage_row(stage: Stage, start: float, frame: Frame) -> Markup:
    amount = stage.amount or 0.0
    look = part_class(stage.part.name).removeprefix("p-")
    shown = "not scored" if stage.amount is None else signed(stage.amount)
    label = f"{stage.name}: {shown}, sum so far {number(start + amount)}"
    key = tag("i", part_letter(stage.part.name), class_=f"f-key {part_class(stage.part.name)}", aria_hidden="true")
    grid = tag(
        "div",
        tag("div", key, f" {stage.name} {stage.mark}", class_="w-name"),
        _bar(start, start + amount, frame, look, label),
        tag("div", shown, class_="f-number"),
        tag("div", text(stage.said, 600), class_="w-said f-text") if stage.said else None,
        class_="w-grid",
    )
    return tag("details", tag("summary", grid), _evidence(stage), class_="w-row")


def _evidence(stage: Stage) -> Markup:
    part = stage.part
    rows = [tag("dt", "weight × value"), tag("dd", _paid(stage))]
    for key, value in part.evidence.items():
        wanted = key != "summary" and (not stage.keys or key in stage.keys)
        if wanted and value not in (None, "", [], {}, ()):
            rows += [tag("dt", key.replace("_", " ")), tag("dd", _value(value))]
    return tag("dl", *rows, class_="w-evidence")


def _paid(stage: Stage) -> str:
    part = stage.part
    if part.value is None:
        return "not scored, so it adds nothing"
    other = "right" if stage.name == "runs" else "runs"
    elsewhere = f", paid within “{other}”" if stage.amount != part.contribution else ""
    return f"{part.weight:g} × {part.value:.4g} = {part.contribution:.4g}{elsewhere}"


def _value(value: Any) -> Markup:
    if isinstance(value, list):
        lines = [_line(one) for one in value[:MOST_LINES]]
        lines += [f"… and {len(value) - MOST_LINES} more"] if len(value) > MOST_LINES else []
        return tag("pre", tag("code", text("\n".join(lines), 4000)))
    if isinstance(value, float):
        return tag("span", f"{value:.4g}", class_="f-text")
    if isinstance(value, (str, int)):
        return tag("span", text(value, 2000), class_="f-text")
    return tag("code", text(json.dumps(value, ensure_ascii=False, default=str), 2000))


def _line(one: Any) -> str:
    """One item of evidence on one line: an atom, a pair of atoms (the gold's is shown), a neighbour, a row, a text."""
    if isinstance(one, list) and one and isinstance(one[-1], Mapping):
        return _line(one[-1])
    if isinstance(one, Mapping) and "clause" in one:
        return f"{one['clause']} {one['text']}" + (f"  (in {one['scope']})" if one.get("scope") else "")
    if isinstance(one, Mapping) and "similarity" in one:
        return f"{one['similarity']:.3f} {one['db_id']}: " + " ".join(str(one["thought"])[:400].split())
    return one if isinstance(one, str) else json.dumps(one, ensure_ascii=False, default=str)


def _total_row(total: float, frame: Frame) -> Markup:
    label = f"total: {number(total)}, group mean {number(frame.mean)}"
    above = total - frame.mean
    side = (
        "exactly the group mean"
        if abs(above) < 5e-5
        else f"{signed(above, 3)} against the group mean {number(frame.mean, 3)}"
    )
    grid = tag(
        "div",
        tag("div", "total", class_="w-name"),
        _bar(0.0, total, frame, "total", label),
        tag("div", number(total), class_="f-number"),
        tag("div", side, class_="w-said"),
        class_="w-grid",
    )
    return tag("div", grid, class_="w-row w-sum")


def advantage_sum(rollout: Rollout, totals: list[float]) -> tuple[float, str]:
    """The advantage by TRL's formula and the same as arithmetic a person can follow.

    Where the recorded advantage is the bare difference to the mean (``scale_rewards = "none"``), that is what is shown; also where
    all were paid the same, so that nothing tells one formula from the other.

    >>> from finer.records import RewardBreakdown, RewardPart
    >>> paid = RewardBreakdown("r", "correct", (RewardPart("execution", 1.0, 1.0),))
    >>> advantage_sum(Rollout(0, 1, 1, 0, "", paid, None), [1.0, 0.0])[1]
    '(1.000 − 0.500) / (0.7071 + 0.0001) = +0.707'
    """
    spread = stdev(totals) if len(totals) > 1 else 0.0
    mean, total = fmean(totals), rollout.breakdown.total
    value = (total - mean) / (spread + EPSILON)
    if spread < 1e-9 or _is_unscaled(rollout, total - mean, value):
        return total - mean, f"{number(total, 3)} − {number(mean, 3)} = {signed(total - mean, 3)}"
    return value, f"({number(total, 3)} − {number(mean, 3)}) / ({spread:.4f} + 0.0001) = {signed(value, 3)}"


def _is_unscaled(rollout: Rollout, difference: float, scaled: float) -> bool:
    """Was the recorded advantage the difference to the mean, and not that over the spread?"""
    recorded = rollout.advantage
    return recorded is not None and abs(recorded - difference) < 1e-3 < abs(recorded - scaled)


def _advantage_row(rollout: Rollout, totals: list[float]) -> Markup:
    value, arithmetic = advantage_sum(rollout, totals)
    recorded = rollout.advantage
    note = None
    if recorded is None:
        note = " No advantage was recorded: this answer did not train."
    elif abs(recorded - value) > 0.01:
        note = f" The trainer used {signed(recorded, 3)}: it scales advantages otherwise."
    grid = tag(
        "div",
        tag("div", "advantage", class_="w-name"),
        tag("div", tag("code", arithmetic), class_="w-bar"),
        tag("div", advantage_words(recorded), class_="f-number"),
        tag("div", "(total − group mean) / (spread + 0.0001)." if "/" in arithmetic else "total − group mean.", note, class_="w-said"),
        class_="w-grid",
    )
    return tag("div", grid, class_="w-row w-sum")


def ungated_total(breakdown: RewardBreakdown) -> float | None:
    """What the answer would have scored without the gate: the parts' ``ungated`` values, where a gate held any back.

    >>> held = RewardPart("atomic", 0.0, 1.0, {"summary": "held back by the gate", "ungated": 0.5})
    >>> ungated_total(RewardBreakdown("paper", "wrong", (held,)))
    0.5
    """
    if not any("ungated" in part.evidence for part in breakdown.parts):
        return None
    return sum(part.weight * (part.evidence.get("ungated", part.value) or 0.0) for part in breakdown.parts)


def _gate_note(breakdown: RewardBreakdown) -> Markup | None:
    would = ungated_total(breakdown)
    if would is None:
        return None
    said = f"The gate held this answer at {number(breakdown.total)}; it would have scored {number(would)} without the gate."
    return tag("p", said, class_="w-note")


def _answer(rollout: Rollout) -> Markup:
    return tag(
        "details",
        tag(
            "summary",
            f"The whole answer ({rollout.length_tokens} tokens)" if rollout.length_tokens else "The whole answer",
        ),
        tag("pre", tag("code", rollout.completion)),
    )
