"""The memory as a run's rollouts saw it: the data set's traces, and what the run took in, step by step.

A run stores no vectors; texts are encoded again, which gives the same ones. Not covered: a memory that was loaded from a
folder of its own before the run (its traces are in no run).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from finer.datasets import Dataset
from finer.memory import Memory
from finer.records import Group
from finer.runs import Run


class MemoryReplay:
    """A memory that is led through the steps of a run, forwards only."""

    def __init__(self, run: Run, dataset: Dataset):
        self.events = [event for event in run.memory_events() if event.kind == "inserted"]
        self.memory = Memory(contrast=bool(run.config.get("memory_contrast")))
        self.memory.add(dataset.traces)
        self.step = 0

    def go_to(self, step: int) -> Memory:
        """The memory that the rollouts of a step were scored against: all that came in before it. ValueError backwards."""
        if step < self.step:
            raise ValueError(f"the memory is at step {self.step} and cannot go back to step {step}; make a new replay")
        self.step = step
        due = [event for event in self.events if event.step < step]
        self.events = [event for event in self.events if event.step >= step]
        for failed in (False, True):
            traces = [replace(event.trace, step=event.step) for event in due if (event.collection == "failed") == failed]
            self.memory.add(traces, failed)
        return self.memory

    def agrees_with(self, groups: Sequence[Group]) -> bool:
        """Does the memory hold as many traces as the groups' evidence says they were scored against?"""
        parts = [part for group in groups for rollout in group.rollouts for part in rollout.breakdown.parts if part.name == "memory"]
        seen = {part.evidence.get("snapshot") for part in parts if part.evidence.get("snapshot")}
        return seen <= {self.memory.snapshot}
