"""Record the runs that notebooks 08 and 11 read: short trainings of the bundled policies, thinned to what the views need.

    python data/source/record_lessons.py                      # all of them, a minute or two each on a free core
    python data/source/record_lessons.py concise --steps 2    # one, for a try

Each asks a dozen questions again and again. Notebook 11: a run under each of the ``broken_rewards``. Notebook 08: ``planted`` and
``sound``, the same questions, seed and recipe; in the first one a gold asks for the opposite, and halfway somebody sets the weights
of the dense parts to 0.

Written to data/recorded/lessons/NAME: the store, the configuration and the recipe's file, without policy and checkpoints. Paths are
those of the repository, the questions count as the starter's, and of a thought's neighbours the nearest is kept.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from finer.config import CONFIG_FILE, TrainConfig, from_mapping, to_toml
from finer.datasets import DATA_FOLDER
from finer.grpo import train
from finer.run_sources import COPY
from finer.runs import Run
from finer.runs_schema import FILE_NAME

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "recorded" / "lessons"
SHORT = TrainConfig(steps=10, questions_per_step=3, group_size=6, temperature=0.9, seed=11, learning_rate=5e-4, evaluate_every=10,
                    evaluate_questions=60, checkpoint_every=0, without_kind="hand", max_completion_tokens=96)  # fmt: skip
HACKS = {
    "thoughtful": {},
    "careful": {"max_completion_tokens": 128},
    "concise": {"scale_rewards": "group"},
    "thorough": {"policy": "tiny-low"},
}
"""The recipes of ``broken_rewards``, and what else their runs are told."""
NEIGHBOURS_KEPT = 1
PAGE_BYTES = 512
"""Small pages leave less empty at their ends: a tenth of such a store."""

READ = (17, 20, 28, 29, 44, 50, 98, 112, 172, 301, 424, 517)
"""Questions of the two runs of notebook 08, easy and hard, so few that each comes back several times and that all stand in one matrix."""
READ_STEPS = 16
NAMED = (1, 8, 91, 95, 103, 125, 137, 212, 286, 371, 463, 695)
"""Those of notebook 11: each names a thing, which the policy must copy, so that there is much to get wrong."""
MIXED = (8, 17, 20, 44, 50, 91, 98, 112, 286, 371, 463, 695)
"""Those of ``thorough``, whose policy gets so much wrong that half of its questions are easy ones."""
OPPOSITE = {20: "SELECT MAX(seats) FROM aircraft"}
"""Index → the gold that the planted run is given."""
SWITCHED_OFF_AFTER = 8
"""The step after which the planted run pays no dense part."""


def few_questions(asked: Sequence[int], golds: Mapping[int, str], folder: Path) -> Path:
    """The starter data as a folder with the asked questions alone in train; ``golds`` replaces some of their golds."""
    folder.mkdir()
    (folder / "databases").symlink_to(DATA_FOLDER / "starter" / "databases")
    shutil.copy(DATA_FOLDER / "starter" / "traces.jsonl", folder)
    told = [json.loads(line) for line in (DATA_FOLDER / "starter" / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    kept = [one for one in told if one["split"] != "train" or one["index"] in asked]
    changed = [one | {"gold": [golds[one["index"]]]} if one["index"] in golds else one for one in kept]
    (folder / "questions.jsonl").write_text("".join(json.dumps(one) + "\n" for one in changed), encoding="utf-8")
    return folder


def settings(name: str, place: Path) -> TrainConfig:
    """What a run is told; ``place`` takes its questions."""
    if name in HACKS:
        questions = few_questions(MIXED if name == "thorough" else NAMED, {}, place / "questions")
        return replace(SHORT, dataset=str(questions), recipe=f"{HERE / 'broken_rewards.py'}:{name}", **HACKS[name])
    questions = few_questions(READ, OPPOSITE if name == "planted" else {}, place / "questions")
    longer = replace(SHORT, steps=READ_STEPS, evaluate_every=READ_STEPS // 2, max_completion_tokens=128)
    return replace(longer, dataset=str(questions), recipe="finer")


def run_lesson(name: str, config: TrainConfig, folder: Path) -> Run:
    """One run, said step by step."""
    switch_after = min(SWITCHED_OFF_AFTER, config.steps - 1)

    def tell(line: str) -> None:
        print(f"{name}: {line}", flush=True)
        if name == "planted" and line.startswith(f"step {switch_after}/"):
            switch_off(folder)

    return train(config, folder, tell)


def switch_off(folder: Path) -> None:
    """Sets the dense weights to 0 as a person does in Controls, and returns when the trainer has heard it."""
    run = Run(folder)
    run.request("weights", atomic=0.0, memory=0.0)
    while run.requests()[-1].taken_at is None:
        time.sleep(0.05)


def keep(name: str, run: Run, folder: Path) -> None:
    """Writes the thinned store, the configuration and the recipe."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    places = {"dataset": "starter"} | ({"recipe": f"data/source/broken_rewards.py:{name}"} if name in HACKS else {})
    (folder / CONFIG_FILE).write_text(to_toml(replace(from_mapping(run.config), **places)), encoding="utf-8")
    if (run.folder / COPY).exists():
        shutil.copy(run.folder / COPY, folder)
    with closing(sqlite3.connect(run.folder / FILE_NAME)) as source, closing(sqlite3.connect(folder / FILE_NAME)) as kept:
        source.backup(kept)
        for key, value in places.items():
            kept.execute("UPDATE configuration SET value = ? WHERE key = ?", (json.dumps(value), key))
        kept.execute("UPDATE events SET detail = replace(detail, ?, '')", (f"{HERE.parents[1]}/",))
        thin(kept)


def thin(store: sqlite3.Connection) -> None:
    """Takes out of a store what weighs much and shows little, and the machine that it was made on."""
    for rollout, text in store.execute("SELECT rollout_id, evidence FROM parts WHERE name = 'memory'").fetchall():
        evidence = json.loads(text)
        evidence["neighbours"] = evidence["neighbours"][:NEIGHBOURS_KEPT]
        shorter = json.dumps(evidence, ensure_ascii=False, separators=(",", ":"))
        store.execute("UPDATE parts SET evidence = ? WHERE rollout_id = ? AND name = 'memory'", (shorter, rollout))
    store.execute("UPDATE state SET host = 'recorded', pid = 0")
    store.commit()
    store.execute("PRAGMA journal_mode = DELETE")
    store.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    store.execute("VACUUM")


def record(name: str, steps: int | None, folder: Path = FOLDER) -> None:
    with tempfile.TemporaryDirectory() as place:
        config = settings(name, Path(place))
        config = replace(config, steps=steps, evaluate_questions=20) if steps else config
        keep(name, run_lesson(name, config, Path(place) / name), folder / name)
    print(f"{name}: {(folder / name / FILE_NAME).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    lessons = [*HACKS, "planted", "sound"]
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("names", nargs="*", default=lessons, metavar="NAME", help=", ".join(lessons))
    options.add_argument("--steps", type=int, help="for a try: this many steps, and few dev questions")
    options.add_argument("--into", type=Path, default=FOLDER, metavar="DIR")
    told = options.parse_args()
    for lesson in told.names:
        record(lesson, told.steps, told.into)
