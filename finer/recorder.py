"""What happens in a training step, gathered on its way into the run store; and the requests that come back out of it.

``StepRecorder`` collects the step's groups, timings and memory events, ``LossRecorder`` what a step of a warm start has;
``record_accuracy`` asks the policy on dev. ``Controls`` polls the store's requests in a thread
of its own (so that a press is acknowledged within a second) and applies them between stages. Knows neither torch nor trl.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finer import ranks
from finer.datasets import Dataset
from finer.errors import FinerError
from finer.evaluate import evaluate
from finer.judge import Judge
from finer.records import Group, Rollout, Trace
from finer.rewards import Scorer
from finer.run_writer import RunWriter
from finer.runs_schema import MemoryEvent, Request
from finer.shown import Shown
from finer.step_scoring import Scored

if TYPE_CHECKING:
    from finer.policy import Policy

POLL_SECONDS = 0.25


@dataclass
class StepRecorder:
    """Turns what a trainer hands over into one ``write_step``."""

    writer: RunWriter
    scorer: Scorer
    group_size: int
    grow_memory: bool
    groups: list[Group] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    pending: Scored | None = None

    def add_groups(self, step: int, advantages: Sequence[float]) -> None:
        """Makes groups of what was scored last, now that the advantages are known."""
        scored = self.pending
        if scored is None:
            return
        first_rollout, first_group = self.writer.next_rollout_id, self.writer.next_group_id
        rollouts = [
            Rollout(first_rollout + place, step, first_group + place // self.group_size, place % self.group_size,
                    scored.completions[place], scored.paid[place], float(advantages[place]), scored.lengths_tokens[place])
            for place in range(len(scored.completions))
        ]  # fmt: skip
        self.groups = [
            Group(rollouts[start].group_id, step, scored.questions[start], scored.prompts[start],
                  tuple(rollouts[start : start + self.group_size]))
            for start in range(0, len(rollouts), self.group_size)
        ]  # fmt: skip
        self.pending = None

    @property
    def ready(self) -> bool:
        """Is there a step to write? One that uses the answers of an earlier step again has no groups."""
        return "update" in self.seconds

    def save(self, folder: Path) -> dict[str, Any]:
        """Puts the memory into a checkpoint; what its marker is to hold."""
        if self.scorer.memory is not None:
            self.scorer.memory.save(folder / "memory")
        return {"weights": dict(self.scorer.recipe.weights)}

    def write(self, step: int, metrics: Mapping[str, float | None]) -> None:
        """Writes the step, and lets the memory take in what the step taught."""
        events = self.remember(step)
        metrics = {**metrics, **self.scorer.take_metrics()}
        self.writer.write_step(step, self.groups, metrics, self.seconds, events)
        self.groups, self.seconds = [], {}

    def remember(self, step: int) -> list[MemoryEvent]:
        """Offers the right answers' thoughts to the memory; they count from the next step on.

        To a memory in the contrastive form the wrong answers' thoughts too, for its failed traces.
        """
        memory = self.scorer.memory
        if memory is None or not self.grow_memory:
            return []
        events = []
        for group in self.groups:
            paid = [rollout.breakdown for rollout in group.rollouts]
            events += [self._offer(trace, "verified") for trace in self.scorer.right_traces(group.question, paid, step)]
            if memory.retrieval.contrast:
                events += [self._offer(trace, "failed") for trace in self.scorer.failed_traces(group.question, paid, step)]
        memory.commit()
        return events

    def _offer(self, trace: Trace, collection: str) -> MemoryEvent:
        memory, failed = self.scorer.memory, collection == "failed"
        refusal = memory.offer(trace, self.scorer.dataset.databases[trace.db_id].schema, failed)
        if refusal:
            return MemoryEvent("refused", trace, refusal.reason, collection=collection, rule=refusal.kind)
        kept = (memory.failed_waiting if failed else memory.waiting)[-1]
        return MemoryEvent("inserted", kept, collection=collection)


@dataclass
class LossRecorder:
    """The same for a warm start: a step is its metrics and the seconds of its update."""

    writer: RunWriter
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Is there a step to write?"""
        return bool(self.seconds)

    def save(self, folder: Path) -> dict[str, Any]:
        """What a checkpoint's marker is to hold: nothing beyond the step."""
        return {}

    def write(self, step: int, metrics: Mapping[str, float | None]) -> None:
        """Writes the step."""
        self.writer.write_step(step, (), metrics, self.seconds)
        self.seconds = {}


def record_accuracy(
    writer: RunWriter, step: int, policy: Policy, dev: Dataset, judge: Judge, questions: int, most_tokens: int, shown: Shown, tell: Callable[[str], None]
) -> None:
    """Greedy execution accuracy on ``dev``, into the store; ``questions``: how many are asked (0: all)."""
    if step == 0:
        tell(f"asking the policy {questions or len(dev.questions)} dev questions before it trains")
    found = evaluate(policy, dev, judge, questions, most_tokens, shown=shown)
    writer.write_evaluation(step, "dev", found["metric"], found["per_question"])
    tell(f"step {step}: {100 * found['value']:.1f} % of {found['n']} dev questions right (greedy, every instance)")


class Controls:
    """Requests of a person: taken at once by a polling thread, applied by the trainer between stages.

    Made as soon as the store is there, since a person may press a button while the trainer is still being built.
    """

    def __init__(self, writer: RunWriter):
        self.writer = writer
        self.scorer: Scorer | None = None
        """Whose weights a request changes; set, as ``set_weights``, before the first ``apply``."""
        self.set_weights: Callable[[Sequence[float]], None] = lambda weights: None
        self.paused = self.stopping = self.checkpoint = False
        self._taken: queue.Queue[Request] = queue.Queue()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="finer-requests", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the polling; requests that were taken and not applied are answered."""
        self._ended.set()
        self._thread.join(timeout=10)
        while not self._taken.empty():
            self.writer.finish_request(self._taken.get().request_id, "not applied: the run had ended")

    def _poll(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            try:
                for request in self.writer.take_requests():
                    self._taken.put(request)
            except FinerError:
                return  # the store broke; the next write in the trainer says why

    def apply(self, step: int) -> None:
        """Applies what was taken, in order, on every rank; a request that cannot be done is answered with the reason."""
        for request in ranks.of_first(self._drained()):
            try:
                outcome = getattr(self, f"_{request.kind}")(step, **request.values)
            except FinerError as error:
                outcome = f"refused: {error}"
            self.writer.finish_request(request.request_id, outcome)
            self.writer.write_event(step, request.kind, outcome)

    def _drained(self) -> list[Request]:
        found = []
        while not self._taken.empty():
            found.append(self._taken.get())
        return found

    def wait_while_paused(self, step: int) -> None:
        """Applies requests; while paused, waits for resume or stop."""
        self.apply(step)
        if not self.paused or self.stopping:
            return
        self.writer.set_status("paused")
        while self.paused and not self.stopping:
            time.sleep(POLL_SECONDS)
            self.apply(step)
        self.writer.set_status("running")

    def _pause(self, step: int) -> str:
        self.paused = True
        return f"paused after step {step}"

    def _resume(self, step: int) -> str:
        if not self.paused:
            return "the run was not paused"
        self.paused = False
        return f"resumed after step {step}"

    def _stop(self, step: int) -> str:
        self.stopping = True
        return f"stopped after step {step}, with a checkpoint"

    def _checkpoint(self, step: int) -> str:
        self.checkpoint = True
        return f"checkpoint at the end of step {step if step else 1}"

    def _weights(self, step: int, **weights: float) -> str:
        if self.scorer is None:
            raise FinerError("a warm start imitates traces and pays no reward, so there are no weights to set")
        recipe = self.scorer.recipe.with_weights(weights).check()
        self.scorer.recipe = recipe
        self.set_weights([recipe.weights[part] for part in recipe.parts])
        told = ", ".join(f"{part} {weight:g}" for part, weight in recipe.weights.items())
        return f"weights from step {step + 1} on: {told}"
