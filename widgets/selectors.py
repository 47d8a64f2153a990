"""Step, group and answers as controls that write into a ``Choice`` and follow it.

Not covered: filters and search over a whole run.
"""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from finer.records import Rollout
from finer.render.group import advantage_words
from finer.render.markup import plain_line
from finer.render.style import STATUS_WORDS, number
from finer.runs_schema import GroupSummary
from widgets.choice import Choice

MOST_ROWS = 8


def group_label(summary: GroupSummary) -> str:
    """A group on one line: how many right, whether it gives a signal, the question.

    >>> group_label(GroupSummary(3, 1, 17, "Who wrote it?", "library", "easy", (1.0, 0.3), ("correct", "wrong")))
    '1/2 right · question 17, library: Who wrote it?'
    """
    right = f"{summary.statuses.count('correct')}/{len(summary.statuses)} right"
    right = right if summary.share_right is not None else f"{len(summary.statuses)} answers, not judged"
    silent = "" if summary.has_signal else " · no signal"
    return f"{right}{silent} · question {summary.question_index}, {summary.db_id}: {plain_line(summary.question, 90)}"


def rollout_label(rollout: Rollout) -> str:
    """An answer on one line: its place, status, total, advantage and SQL."""
    symbol, words, _ = STATUS_WORDS.get(rollout.breakdown.status, ("?", rollout.breakdown.status, ""))
    paid = f"{number(rollout.breakdown.total)} {advantage_words(rollout.advantage)}"
    return f"{rollout.position}: {symbol} {words} · {paid} · {plain_line(rollout.sql or rollout.completion, 100)}"


class Selectors:
    """The controls; ``changed`` is called after a person has chosen something."""

    def __init__(self, choice: Choice, changed: Callable[[], None]):
        self.choice = choice
        self._changed = changed
        self._showing = False
        wide = ipywidgets.Layout(width="98%")
        self.step = ipywidgets.IntSlider(description="Step", min=0, max=0, layout=ipywidgets.Layout(flex="1 1 300px"))
        self.step.continuous_update = False
        self.newest = ipywidgets.Checkbox(value=not choice.pinned, description="stay at the newest step", indent=False)
        self.groups = ipywidgets.Dropdown(description="Group", layout=wide)
        self.rollouts = ipywidgets.SelectMultiple(description="Answers", layout=wide)
        top = ipywidgets.HBox([self.step, self.newest], layout=ipywidgets.Layout(flex_flow="row wrap"))
        self.widget = ipywidgets.VBox([top, self.groups, self.rollouts])
        self.show()
        self.step.observe(self._on_step, "value")
        self.newest.observe(self._on_newest, "value")
        self.groups.observe(self._on_group, "value")
        self.rollouts.observe(self._on_rollouts, "value")

    def show(self) -> None:
        """Sets every control to the choice; the changes this makes are not taken for a person's."""
        self._showing = True
        try:
            self._show_step()
            self._show_group()
            self.newest.value = not self.choice.pinned
        finally:
            self._showing = False

    def _show_step(self) -> None:
        last = self.choice.run.last_step
        self.step.max = max(last, self.step.max)
        self.step.min = min(1, last)
        self.step.value = self.choice.step

    def _show_group(self) -> None:
        group = self.choice.group
        outside = ((plain_line(self.choice.outside, 90), group.group_id),) if group and self.choice.outside else ()
        labels = tuple((group_label(summary), summary.group_id) for summary in self.choice.summaries)
        _set_options(self.groups, (*outside, *labels))
        self.groups.value = group.group_id if group else None
        members = group.rollouts if group else ()
        ordered = sorted(members, key=lambda rollout: (-rollout.breakdown.total, rollout.position))
        _set_options(self.rollouts, tuple((rollout_label(rollout), rollout.rollout_id) for rollout in ordered))
        self.rollouts.rows = max(2, min(MOST_ROWS, len(ordered)))
        self.rollouts.value = tuple(rollout.rollout_id for rollout in self.choice.selection)

    def _on_step(self, change: dict) -> None:
        self._person(lambda: self.choice.show_step(change["new"]))

    def _on_group(self, change: dict) -> None:
        if change["new"] is not None:
            self._person(lambda: self.choice.show_group(change["new"]))

    def _on_rollouts(self, change: dict) -> None:
        if change["new"]:
            self._person(lambda: self.choice.show_rollouts(change["new"]))

    def _on_newest(self, change: dict) -> None:
        with self.choice.lock:
            if self._showing:
                return
            self.choice.pinned = not change["new"]
            if change["new"]:
                self.choice.show_newest()
            self._changed()

    def _person(self, choose: Callable[[], None]) -> None:
        """Runs a person's choice and holds it there; does nothing for a change that ``show`` made."""
        with self.choice.lock:  # first the lock, then the look: another thread's ``show`` must not swallow a gesture
            if self._showing:
                return
            choose()
            self.choice.pinned = True
            self._changed()


def _set_options(control: ipywidgets.Widget, options: tuple) -> None:
    if tuple(control.options) != options:
        control.options = options
