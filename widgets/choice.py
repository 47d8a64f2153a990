"""What is being looked at: a run, a step, a group and some of its answers; shared by all views of one workbench.

Plain Python, no widget. Until a person chooses, the newest step's most telling group is shown; after that it stays. A group
that the run does not hold (tries of a playground, a group with an edit in it) can be looked at as well; it goes under an
id below zero.

Not covered: drawing (``finer.render``), gestures (``selectors``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from finer.records import Group, Rollout
from finer.render.telling import how_telling, telling_rollout
from finer.run_index import RunIndex
from finer.runs import Run
from finer.runs_schema import GroupSummary


def open_run(run: Run | str | Path) -> Run:
    """The run itself, or the one in that folder; RunStoreError, with what to do, where there is none."""
    return run if isinstance(run, Run) else Run(run)


class Choice:
    """The step, group and answers that are shown."""

    def __init__(self, run: Run, group_id: int | None = None, position: int | None = None):
        self.run = run
        self.lock = threading.RLock()
        """Held while the choice changes or is drawn: a person's gesture and the following thread may come at once."""
        self.step = 0
        self.summaries: list[GroupSummary] = []
        """The groups of the step."""
        self.group: Group | None = None
        self.selection: list[Rollout] = []
        """The chosen answers; the first is the one that is explained."""
        self.pinned = group_id is not None
        """True once a person has chosen: then nothing moves by itself."""
        self.outside = ""
        """What is looked at where it is no group of the run; "" where it is one."""
        self.chosen: Callable[[], None] = lambda: None
        """Called after ``pick``; a workbench puts its own refresh here."""
        if group_id is None:
            self.show_newest()
        else:
            self.show_group(group_id, position)

    @property
    def rollout(self) -> Rollout | None:
        """The answer that is explained."""
        return self.selection[0] if self.selection else None

    @cached_property
    def index(self) -> RunIndex:
        """The run's index, shared by the views of one workbench."""
        return RunIndex(self.run)

    def pick(self, group_id: int, position: int | None = None) -> None:
        """A person's choice of one answer in some view: it stays, and every view follows."""
        with self.lock:
            self.show_group(group_id, position)
            self.pinned = True
            self.chosen()

    def pick_several(self, group_id: int, rollout_ids: tuple[int, ...]) -> None:
        """A person's choice of several answers to one question; the first is the one that is explained."""
        with self.lock:
            self.show_group(group_id)
            self.show_rollouts(rollout_ids)
            self.pinned = True
            self.chosen()

    def pick_step(self, step: int) -> None:
        """A person's choice of a step; of one that was not trained, the nearest before it, else the first."""
        with self.lock:
            steps = [one.step for one in self.run.steps()]
            self.show_step(max((one for one in steps if one <= step), default=min(steps, default=step)))
            self.pinned = True
            self.chosen()

    def pick_positions(self, group_id: int, positions: Sequence[int]) -> None:
        """A person's choice of several answers to one question, by their positions."""
        by_position = {rollout.position: rollout.rollout_id for rollout in self._found(group_id).rollouts}
        self.pick_several(group_id, tuple(by_position[one] for one in positions if one in by_position))

    def pick_further(self, group_id: int, position: int) -> None:
        """A further answer beside the chosen ones; one that is chosen already is let go. Of another group, it is a choice anew."""
        with self.lock:
            if self.group is None or self.group.group_id != group_id:
                self.pick(group_id, position)
                return
            held = [rollout.position for rollout in self.selection]
            wanted = [one for one in held if one != position] if position in held else [*held, position]
            self.pick_positions(group_id, wanted or [position])

    def pick_outside(self, group: Group, position: int, words: str) -> None:
        """A person's choice of an answer in a group that the run does not hold: every view shows it until something else is chosen.

        ``words`` say what the group is. ValueError for a group under an id that a run may give.
        """
        if group.group_id >= 0:
            raise ValueError(f"a group that no run holds needs an id below zero, not {group.group_id}")
        with self.lock:
            self._take(group, position)
            self.outside, self.pinned = words, True
            self.chosen()

    def show_newest(self) -> None:
        """The newest step's most telling group."""
        self.show_step(self.run.last_step)

    def show_step(self, step: int) -> None:
        """The most telling group of a step; an empty choice where the step has none."""
        self.step, self.outside = step, ""
        self.summaries = self.run.groups(step)
        self.group, self.selection = None, []
        if self.summaries:
            self._take(self.run.group(max(self.summaries, key=how_telling).group_id))

    def show_group(self, group_id: int, position: int | None = None) -> None:
        """One group, and of it the answer at ``position``, else the most telling; RunStoreError where there is none."""
        group = self._found(group_id)
        if group_id >= 0:
            self.outside = ""
            if group.step != self.step or not self.summaries:
                self.step, self.summaries = group.step, self.run.groups(group.step)
        self._take(group, position)

    def show_rollouts(self, rollout_ids: tuple[int, ...]) -> None:
        """These answers of the group, in the order given; one that is not in it (any more) is left out."""
        by_id = {rollout.rollout_id: rollout for rollout in self.group.rollouts} if self.group else {}
        self.selection = [by_id[rollout_id] for rollout_id in rollout_ids if rollout_id in by_id]

    def _found(self, group_id: int) -> Group:
        if self.outside and self.group.group_id == group_id:
            return self.group
        return self.run.group(group_id)

    def _take(self, group: Group, position: int | None = None) -> None:
        self.group = group
        at = [rollout for rollout in group.rollouts if rollout.position == position]
        if position is not None and not at:
            raise IndexError(f"group {group.group_id} has no answer {position}; it has 0 to {len(group.rollouts) - 1}")
        best = at[0] if at else telling_rollout(group)
        self.selection = [best] if best else []
