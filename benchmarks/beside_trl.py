"""Our GRPO step beside plain TRL's, with the same model, prompts and batch.

    python benchmarks/beside_trl.py [STEPS]

Three trainers, STEPS steps each (20): plain ``trl.GRPOTrainer`` with four trivial rewards; ours by recipe ``finer`` (so it also scores for
real) with everything recorded but TRL's rollouts and log-probabilities; ours as it is. They take turns in rounds of ``ROUND`` steps, so that
a busy minute of the machine meets all three. Prints medians of seconds and of CPU seconds a step, and their ratio to plain TRL.
Targets: 1.05 times its CPU time with everything recorded; 0.6 times its wall time with the CPU rollouts, on two quiet cores.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from unittest.mock import patch

from finer import cpu_generation, grpo
from finer.config import TrainConfig
from finer.grpo_config import grpo_config
from finer.policy import quiet
from finer.rewards import get_recipe
from finer.selection import rows

ROUND = 5
CONFIG = TrainConfig(steps=ROUND + 1, questions_per_step=4, group_size=8, evaluate_every=0, evaluate_questions=1, checkpoint_every=0,
                     learning_rate=1e-9, without_kind="hand")  # fmt: skip


def trivial(name: str):
    """A reward function that costs nothing: the length of a completion, modulo a number that differs by name."""

    def reward(completions, **_):
        return [float(len(one[0]["content"]) % (3 + len(name))) for one in completions]

    reward.__name__ = name
    return reward


def clocked(base, marks: list):
    """The trainer class, with the wall and CPU clock noted whenever a step begins."""

    class Clocked(base):
        def training_step(self, *given, **named):
            marks.append((time.perf_counter(), time.process_time()))
            return super().training_step(*given, **named)

    return Clocked


def steps_of(train) -> list[tuple[float, float]]:
    """Seconds and CPU seconds of each step that ``train(folder)`` makes, from its start to the next one's."""
    import trl

    marks: list[tuple[float, float]] = []
    with patch.object(trl, "GRPOTrainer", clocked(trl.GRPOTrainer, marks)), tempfile.TemporaryDirectory() as folder, quiet():
        train(Path(folder))
    return [(after[0] - before[0], after[1] - before[1]) for before, after in itertools.pairwise(marks)]


def plain(folder: Path) -> None:
    """TRL alone."""
    import trl
    from transformers import PrinterCallback

    prepared = grpo._prepare(CONFIG, print, get_recipe(CONFIG.recipe))
    policy = prepared.policy
    trainer = trl.GRPOTrainer(model=policy.model, args=grpo_config(CONFIG, folder, prepared.trains_adapter), train_dataset=rows(prepared.selection),
                              processing_class=policy.tokenizer, reward_funcs=[trivial(n) for n in ("a", "bb", "ccc", "dddd")])  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer.train()


def recorded(folder: Path) -> None:
    """Ours, with the rollouts and log-probabilities of TRL."""
    with patch.object(cpu_generation, "serves", lambda model: False):
        grpo.train(CONFIG, folder / "run")


def ours(folder: Path) -> None:
    """Ours as it is."""
    grpo.train(CONFIG, folder / "run")


def main(steps: int) -> None:
    trainers = {"plain TRL": plain, "ours, TRL's rollouts": recorded, "ours": ours}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in trainers}
    for _ in range(-(-steps // ROUND)):
        for name, train in trainers.items():
            found[name] += steps_of(train)
    medians = {name: [median(column) for column in zip(*rows)] for name, rows in found.items()}
    base = medians["plain TRL"]
    for name, (wall, cpu) in medians.items():
        print(f"{name:22} {wall:6.2f} s a step ({wall / base[0]:.2f} times)   {cpu:6.2f} s of CPU ({cpu / base[1]:.2f} times)   "
              f"median of {len(found[name])}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
