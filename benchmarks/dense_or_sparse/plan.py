"""Which runs the experiment is made of: the starts, the recipes, the seeds, one budget for all.

Four starts are the bundled policy ``tiny`` warm-started on a teacher with more and more mistakes at once (``data/source/faults.py``); the fifth is a real pretrained model.
Every run of a start asks the same questions in the same order for the same seed, and takes as many steps and answers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
sys.path.insert(0, str(REPOSITORY / "data" / "source"))

from faults import MIDDLING, POOR

from finer.config import TrainConfig
from finer.warmstart import WarmConfig

STARTS = {
    "half": MIDDLING,
    "twelfth": {name: round(0.68 * probability, 2) for name, probability in POOR.items()},
    "two-hundredth": POOR,
    "rarest": {**POOR, "key_too": 0.985, "plural_table": 0.985, "lower_constant": 0.97},
}
"""Teachers' habits by the start that they make, the easiest first."""
PRETRAINED = "smollm2"
"""SmolLM2-135M, warm-started on the starter's 576 traces, each seen twice."""
WARM_START = WarmConfig(
    policy="smollm2-135m", steps=36, learning_rate=1e-3, seed=1, threads=1, evaluate_questions=30, max_completion_tokens=128, checkpoint_every=6
)  # fmt: skip
BUNDLED = {"half": "tiny", "two-hundredth": "tiny-low"}
HARDEST, ALL_STARTS = list(STARTS)[-1], (*STARTS, PRETRAINED)
RECIPES = ("sparse", "bigram", "finer")
AT_THE_HARDEST = ("paper", "result", "finer-no-atoms", "finer-no-memory")
"""Asked there alone. These, ``sparse`` and ``finer`` have ten seeds there; ``bigram`` has five, as everywhere."""
ONE_CHANGE = ("paper-runs", "paper-linear", "paper-failing", "paper-no-memory")
"""``paper`` with one thing changed (``one_change.py``), at the hardest start; planned after its own runs had stayed down."""
NEAR = "finer-near"
"""``finer`` with near matches paid and little for running, planned after dev had fallen under ``finer`` on the pretrained model."""
ALL_RECIPES = (*RECIPES, *AT_THE_HARDEST, *ONE_CHANGE, NEAR)
PRETRAINED_RECIPES = ("sparse", "finer")
SEEDS, SEEDS_AT_THE_HARDEST, ONE_CHANGE_SEEDS, PRETRAINED_SEEDS = range(1, 6), range(1, 11), range(1, 2), range(1, 3)
"""Seeds 0 and 100 were for looking at the recipes while they were mended; they are in no table."""
FRESH_SEEDS = range(3, 5)
"""Of the pretrained model, for the recipe that was mended after its first two."""
STEPS = {"half": 30, "twelfth": 40, "two-hundredth": 60, "rarest": 120, PRETRAINED: 80}
"""A run's budget by its start: the same for all recipes."""
EVALUATE_EVERY, TEMPERATURE = 5, 0.9
OF_PRETRAINED = {"questions_per_step": 2, "evaluate_every": 20, "evaluate_questions": 60, "learning_rate": 1e-4}
"""What is told to the pretrained model's runs alone: a step of it takes 30 to 46 seconds of a core on average, its 80 steps about an hour."""
BUILD = REPOSITORY / "build" / "dense-or-sparse"
"""Starts and run stores; not committed."""
KEPT = REPOSITORY / "data" / "recorded" / "dense-or-sparse"
"""What is kept of every finished run; committed."""
WITHOUT = {"finer-no-atoms": ("finer", "atomic"), "finer-no-memory": ("finer", "memory"), "paper-no-memory": ("paper", "memory")}
"""Recipes of which a part is paid nothing."""


@dataclass(frozen=True)
class Cell:
    """One run."""

    start: str
    recipe: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.start}/{self.recipe}-{self.seed}"

    @property
    def record(self) -> Path:
        """The file that says the run is finished, and how it went."""
        return KEPT / self.start / f"{self.recipe}-{self.seed}.json"

    def config(self) -> TrainConfig:
        """What the run is told."""
        recipe, without = WITHOUT.get(self.recipe, (self.recipe, None))
        config = TrainConfig(
            policy=str(policy_of(self.start)), recipe=place_of(recipe) if recipe in ONE_CHANGE else recipe, seed=self.seed, steps=STEPS[self.start],
            temperature=TEMPERATURE, learning_rate=3e-4, evaluate_every=EVALUATE_EVERY, checkpoint_every=0, without_kind="hand", threads=1, weights={without: 0.0} if without else {},
            memory=without != "memory",
        )  # fmt: skip
        return replace(config, **OF_PRETRAINED) if self.start == PRETRAINED else config


def place_of(changed: str) -> str:
    """Where a changed recipe lies, as ``--recipe`` takes it."""
    return f"{HERE / 'one_change.py'}:{changed.replace('-', '_')}"


def policy_of(start: str) -> Path:
    """Where a start lies: two of them are bundled."""
    if start == PRETRAINED:
        return BUILD / "warm" / start / "policy"
    return REPOSITORY / "data" / "policies" / BUNDLED[start] if start in BUNDLED else BUILD / "starts" / start


def share_of(start: str) -> Path:
    """The file with a start's share of right samples."""
    return KEPT / f"start-{start}.json"


def cells() -> Iterator[Cell]:
    """Every run, seed by seed and the hardest start first, so that whoever stops early has whole pairs; then what was added after these, and the pretrained model's."""
    for seed in SEEDS_AT_THE_HARDEST:
        yield from (Cell(HARDEST, recipe, seed) for recipe in (*RECIPES, *AT_THE_HARDEST) if recipe != "bigram" or seed in SEEDS)
        if seed in SEEDS:
            yield from (Cell(start, recipe, seed) for start in reversed(STARTS) if start != HARDEST for recipe in RECIPES)
    yield from (Cell(HARDEST, recipe, seed) for seed in ONE_CHANGE_SEEDS for recipe in ONE_CHANGE)
    yield from (Cell(PRETRAINED, recipe, seed) for seed in PRETRAINED_SEEDS for recipe in PRETRAINED_RECIPES)
    yield from (Cell(PRETRAINED, NEAR, seed) for seed in FRESH_SEEDS)
    yield from (Cell(start, NEAR, seed) for start in reversed(STARTS) for seed in (SEEDS_AT_THE_HARDEST if start == HARDEST else SEEDS))
