"""The memory as a run's rollouts saw it, led from step to step, for a scorer that asks the whole of it.

How it is built again is ``finer.memory.replayed``; a look back at any step, in any order, is its ``snapshot_at``. Not
covered: a memory that was loaded from a folder of its own before the run (its traces are in no run).
"""

from __future__ import annotations

from collections.abc import Sequence

from finer.datasets import Dataset
from finer.memory import Memory, replayed, take_in
from finer.records import Group
from finer.runs import Run


class MemoryReplay:
    """A memory that is led through the steps of a run, forwards only."""

    def __init__(self, run: Run, dataset: Dataset):
        self.events = run.memory_events()
        self.memory = replayed(dataset.traces, (), contrast=bool(run.config.get("memory_contrast")))
        self.step = 0

    def go_to(self, step: int) -> Memory:
        """The memory that the rollouts of a step were scored against: all that came in before it. ValueError backwards."""
        if step < self.step:
            raise ValueError(f"the memory is at step {self.step} and cannot go back to step {step}; make a new replay")
        self.step = step
        take_in(self.memory, [event for event in self.events if event.step < step])
        self.events = [event for event in self.events if event.step >= step]
        return self.memory

    def agrees_with(self, groups: Sequence[Group]) -> bool:
        """Does the memory hold as many traces as the groups' evidence says they were scored against?"""
        parts = [part for group in groups for rollout in group.rollouts for part in rollout.breakdown.parts if part.name == "memory"]
        seen = {part.evidence.get("snapshot") for part in parts if part.evidence.get("snapshot")}
        return seen <= {self.memory.snapshot}
