"""Trains a small run in processes that kill themselves, each at its own point, and one after the other goes on where the last died.

A script, so that everything heavy is imported once: each process is a fork of this one. ``python killed_run.py FOLDER DATASET
[POINT...]`` exits with 0 where every process but the last was killed and the last finished the run.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from trl import GRPOTrainer  # noqa: F401 - imported before the forks

from finer import checkpoints, grpo, run_writer, trainer
from finer.config import TrainConfig
from finer.errors import FinerError
from finer.grpo import resume, train
from finer.memory import Memory
from finer.policy import Policy
from finer.run_writer import RunWriter
from finer.runs import Run

CHECKPOINT_EVERY, STEPS = 2, 7


def config(dataset: str) -> TrainConfig:
    """Seven questions, two a step: every three steps they are shuffled anew."""
    return TrainConfig(dataset=dataset, steps=STEPS, questions_per_step=2, group_size=4, evaluate_every=3, evaluate_questions=3,
                       checkpoint_every=CHECKPOINT_EVERY, max_completion_tokens=64, threads=1)  # fmt: skip


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str, when=lambda *values: True) -> None:
    """Dies where a function is called, before it does anything."""
    around(owner, name, die, None, when)


def after(owner: Any, name: str, when=lambda *values: True) -> None:
    around(owner, name, None, die, when)


def around(owner: Any, name: str, first: Any, then: Any, when: Any) -> None:
    real = getattr(owner, name)

    def stand_in(*values: Any, **named: Any) -> Any:
        due = when(*values)
        if first and due:
            first()
        found = real(*values, **named)
        if then and due:
            then()
        return found

    setattr(owner, name, stand_in)


def of_step(step: int):
    return lambda writer, at, *_: at == step


def at_checkpoint(step: int):
    return lambda folder, *_: Path(folder).name == f"checkpoint-{step}" or Path(folder).parent.name == f"checkpoint-{step}"


POINTS = {
    "before the store has tables": lambda: before(run_writer, "_versions"),
    "before anything lies beside the store": lambda: before(grpo, "_note_beginning"),
    "in the transaction of step 2": lambda: after(RunWriter, "_insert_memory_events", of_step(2)),
    "before the memory of checkpoint 2": lambda: before(Memory, "save"),
    "before the mark of checkpoint 4": lambda: before(trainer, "complete", at_checkpoint(4)),
    "before checkpoint 4 is moved into place": lambda: before(checkpoints, "_to_disk", lambda path: path.suffix == ".part" and path.parent.name.endswith("-4")),
    "after checkpoint 4": lambda: after(trainer, "complete", at_checkpoint(4)),
    "between step 6 and its evaluation": lambda: before(RunWriter, "write_evaluation", of_step(6)),
    "while the trained policy is written": lambda: after(Policy, "save"),
    "before the run is called finished": lambda: before(RunWriter, "set_status"),
}


def go_on(folder: Path, dataset: str) -> None:
    """What a person does: resume, or begin where nothing is there yet."""
    try:
        Run(folder)
    except FinerError:
        train(config(dataset), folder)
    else:
        resume(folder)


def main(folder: str, dataset: str, points: list[str]) -> int:
    for point in [*points, ""]:
        child = os.fork()
        if not child:
            if point:
                POINTS[point]()
            go_on(Path(folder), dataset)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        ended = os.waitstatus_to_exitcode(status)
        print(f"{point or 'the end'}: {ended}", flush=True)
        if ended != (-signal.SIGKILL if point else 0):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
