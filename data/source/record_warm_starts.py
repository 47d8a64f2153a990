"""Record what notebook 06 looks at: a fallible teacher's traces, and three warm starts of one policy.

    python data/source/record_warm_starts.py [NAME ...]     # about 10 minutes on two quiet cores; NAME: of RUNS, all of them

The teacher answers every train question of starter with the habits of ``faults.MIDDLING``, reasoning and SQL alike; its traces go to
data/recorded/teachers/fallible.jsonl, each with its verdict. Then ``tiny-low`` imitates, for the same number of steps each: the faultless
traces of the data set, the fallible ones all, and those of the fallible ones that are right. The runs go to data/recorded/warm-starts,
without their checkpoints and policies.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
sys.path[:0] = [str(SOURCE), str(SOURCE.parent.parent)]

from faults import MIDDLING, teach
from thoughts import STYLES, thought

from finer.config import CONFIG_FILE
from finer.datasets import Dataset, load_dataset
from finer.judge import Judge
from finer.runs_schema import FILE_NAME
from finer.traces import Demonstration, dataset_traces, judged
from finer.warmstart import WarmConfig, train

RECORDED = Path("data/recorded")
"""From the repository's own folder."""
TEACHER = RECORDED / "teachers" / "fallible.jsonl"
POLICY, STEPS, SEED = "tiny-low", 36, 3
RUNS = {
    "faultless": {},
    "fallible": {"traces": str(TEACHER), "keep_wrong": True},
    "fallible-right-only": {"traces": str(TEACHER)},
}


def fallible(dataset: Dataset) -> list[Demonstration]:
    """The data set's traces as the fallible teacher writes them."""
    rng, written = random.Random(SEED), []
    for trace in dataset_traces(dataset):
        sql, made = teach(trace.sql, MIDDLING, rng)
        words = thought(sql, rng.choice(STYLES)) if made else trace.thought
        written.append(Demonstration(trace.question, words, sql if made else trace.sql))
    with Judge(dataset.databases) as judge:
        return judged(written, judge)


def record(name: str, **changes) -> None:
    folder = RECORDED / "warm-starts" / name
    shutil.rmtree(folder, ignore_errors=True)
    config = WarmConfig(policy=POLICY, steps=STEPS, seed=SEED, evaluate_every=18, checkpoint_every=0, **changes)
    run = train(config, folder, on_event=lambda line: print(f"{name}: {line}", flush=True))
    for extra in ("checkpoints", "policy"):
        shutil.rmtree(run.folder / extra, ignore_errors=True)
    (run.folder / "traces.jsonl").unlink()
    without_this_machine(run.folder)


def without_this_machine(folder: Path) -> None:
    """Takes the folder that the repository lies in here out of what the run was told."""
    here = f"{Path.cwd()}/"
    toml = folder / CONFIG_FILE
    toml.write_text(toml.read_text(encoding="utf-8").replace(here, ""), encoding="utf-8")
    with sqlite3.connect(folder / FILE_NAME) as store:
        store.execute("UPDATE configuration SET value = replace(value, ?, '')", (here,))
    store.close()


if __name__ == "__main__":
    os.chdir(SOURCE.parent.parent)
    traces = fallible(load_dataset("starter"))
    TEACHER.parent.mkdir(parents=True, exist_ok=True)
    TEACHER.write_text("".join(json.dumps(trace.as_json(), ensure_ascii=False) + "\n" for trace in traces), encoding="utf-8")
    print(f"the teacher is right on {sum(trace.correct is True for trace in traces)} of {len(traces)}", flush=True)
    for name in sys.argv[1:] or RUNS:
        record(name, **RUNS[name])
