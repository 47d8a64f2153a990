"""Alarms of a run: patterns that usually mean a broken reward, each said with the figures it was seen in.

Each compares the last steps with the first: a window is a fifth of the run, from 5 to 50 steps. The bounds are ours,
chosen so that a run that learns as it should raises none.

Not covered: what to do about it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance
from typing import Any

from finer.accounts import wilson
from finer.ledger import UNJUDGED
from finer.runs import Run

FEWEST_STEPS = 10
LEAST_RISE = 0.03
"""Of the total reward, and more than three standard errors of the windows' means, to count as a rise."""
FLAT_POINTS = 0.02
"""A gain in accuracy below two points is flat."""
COLLAPSED = 0.5
CEILING, SPREADLESS = 0.98, 0.02
SILENT_SHARE = 0.5
TAKEN_OVER, TAKEN_SHARE, FEWEST_GROUPS = 0.75, 0.5, 4

Curve = Sequence[tuple[int, float | None]]


@dataclass(frozen=True)
class Alarm:
    """One alarm: its kind, a title, and what was seen, with figures."""

    kind: str
    title: str
    said: str


@dataclass(frozen=True)
class GroupTexts:
    """How alike the answers of one group are; ``most_alike`` is how many share one SQL text."""

    group_id: int
    answers: int
    judged: int
    right: int
    most_alike: int


@dataclass(frozen=True)
class Windows:
    """A metric's values in the first and in the last steps."""

    first: tuple[float, ...]
    last: tuple[float, ...]
    first_steps: tuple[int, int]
    last_steps: tuple[int, int]

    @property
    def words(self) -> str:
        return f"{fmean(self.first):.2f} (steps {self.first_steps[0]} to {self.first_steps[1]}) to {fmean(self.last):.2f} ({self.span})"

    @property
    def span(self) -> str:
        return f"steps {self.last_steps[0]} to {self.last_steps[1]}"


def alarms_of(run: Run, metrics: Mapping[str, Curve] | None = None) -> list[Alarm]:
    """The alarms of a run as it stands; reads the answers' texts of the last steps only. ``metrics``: where they are read already."""
    steps = run.last_step
    return alarms(run.metrics() if metrics is None else metrics, run.evaluations(), _texts(run, steps - _window(steps)))


def alarms(
    metrics: Mapping[str, Curve], evaluations: Iterable[Any] = (), groups: Iterable[GroupTexts] = ()
) -> list[Alarm]:
    """The alarms that these figures raise; ``groups`` are those of the last window."""
    named = {name: windows for name in metrics if (windows := windows_of(metrics[name]))}
    judged = [row for row in evaluations if row.value is not None and row.n]
    found = [
        _flat_accuracy(named.get("reward"), judged),
        _collapse(named.get("completions/mean_length")),
        _taken_over(list(groups)),
    ]
    found += [_ceiling(name, named) for name in named if name.startswith("rewards/") and name.endswith("/mean")]
    return [alarm for alarm in [*found, _silent(named.get("frac_reward_zero_std"))] if alarm is not None]


def windows_of(curve: Curve) -> Windows | None:
    """The first and the last fifth of a metric's points; None where fewer than FEWEST_STEPS were measured.

    >>> windows_of([(step, float(step)) for step in range(1, 26)])
    Windows(first=(1.0, 2.0, 3.0, 4.0, 5.0), last=(21.0, 22.0, 23.0, 24.0, 25.0), first_steps=(1, 5), last_steps=(21, 25))
    """
    points = [(step, float(value)) for step, value in curve if value is not None and not math.isnan(value)]
    if len(points) < FEWEST_STEPS:
        return None
    size = _window(len(points))
    first, last = points[:size], points[-size:]
    return Windows(
        tuple(value for _, value in first),
        tuple(value for _, value in last),
        (first[0][0], first[-1][0]),
        (last[0][0], last[-1][0]),
    )


def _window(steps: int) -> int:
    return min(max(5, steps // 5), 50)


def _texts(run: Run, since: int) -> list[GroupTexts]:
    marks = ", ".join("?" * len(UNJUDGED))
    rows = run.query(
        f"""SELECT group_id, sum(n), sum(judged), sum(right_answers), max(n) FROM (
            SELECT group_id, count(*) AS n, sum(status NOT IN ({marks})) AS judged, sum(status = 'correct') AS right_answers
            FROM rollouts WHERE step > ? GROUP BY group_id, CASE trim(sql) WHEN '' THEN completion ELSE trim(sql) END)
        GROUP BY group_id""",
        (*UNJUDGED, since),
    )
    return [GroupTexts(*row) for row in rows]


def _flat_accuracy(reward: Windows | None, judged: list[Any]) -> Alarm | None:
    for split in dict.fromkeys(row.split for row in judged):
        first, last = ([row for row in judged if row.split == split][place] for place in (0, -1))
        if reward is None or first.step == last.step or not _rose(reward) or last.value - first.value >= FLAT_POINTS:
            continue
        low, high = wilson(last.value * last.n, last.n)
        said = (
            f"Total reward rose from {reward.words}, while accuracy on {split} went from {first.value:.1%} (step {first.step}) to "
            f"{last.value:.1%} (step {last.step}; 95 % interval {low:.1%} to {high:.1%}, {last.n} questions)."
        )
        return Alarm("flat_accuracy", "Reward up, accuracy flat", said)
    return None


def _rose(reward: Windows) -> bool:
    rise = fmean(reward.last) - fmean(reward.first)
    error = math.sqrt(sum(variance(side) / len(side) for side in (reward.first, reward.last)))
    return rise >= LEAST_RISE and rise > 3 * error


def _collapse(length: Windows | None) -> Alarm | None:
    if length is None or fmean(length.last) >= COLLAPSED * fmean(length.first):
        return None
    share = fmean(length.last) / fmean(length.first)
    said = f"The mean length of an answer fell from {length.words} tokens: to {share:.0%} of what it was."
    return Alarm("length_collapse", "Answers collapse in length", said)


def _taken_over(groups: list[GroupTexts]) -> Alarm | None:
    """Groups that are all right may well agree on one text; those are left out."""
    open_groups = [
        group for group in groups if group.judged and group.right < group.judged and group.answers >= FEWEST_GROUPS
    ]
    taken = [group for group in open_groups if group.most_alike >= TAKEN_OVER * group.answers]
    if len(open_groups) < FEWEST_GROUPS or len(taken) < TAKEN_SHARE * len(open_groups):
        return None
    worst = max(taken, key=lambda group: (group.most_alike / group.answers, group.group_id))
    said = (
        f"Of the {len(open_groups)} groups of the last steps that are not all right, {len(taken)} have one SQL text in at least "
        f"{TAKEN_OVER:.0%} of their answers; group {worst.group_id}, say, in {worst.most_alike} of {worst.answers}."
    )
    return Alarm("one_text", "One text takes over its group", said)


def _ceiling(name: str, named: Mapping[str, Windows]) -> Alarm | None:
    mean, spread = named[name], named.get(name.removesuffix("mean") + "std")
    if fmean(mean.last) < CEILING or (spread is not None and fmean(spread.last) > SPREADLESS):
        return None
    part = name.split("/")[1]
    told = f" with a spread of {fmean(spread.last):.3f}" if spread else ""
    said = f"The part {part} stands at {fmean(mean.last):.3f} in {mean.span}{told}: it no longer tells answers apart."
    return Alarm("ceiling", f"Part {part} is at its ceiling", said)


def _silent(share: Windows | None) -> Alarm | None:
    if share is None or fmean(share.last) < SILENT_SHARE:
        return None
    said = f"In {share.span}, {fmean(share.last):.0%} of the groups were paid the same throughout; at first it was {fmean(share.first):.0%}."
    return Alarm("silent", "Most groups give no signal", said)
