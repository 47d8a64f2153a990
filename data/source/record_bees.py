"""Record what notebook 12 looks at: twenty questions over the bees, each held out once, before and after a warm start, and after GRPO.

    python data/source/record_bees.py [FOLD ...]      # a few minutes a fold on two quiet cores; FOLD: 0 to 3, all of them

For each fold the folder is prepared anew, so that every fourth question is held out; ``tiny`` imitates the traces of the other fifteen, and in
fold 0 is then trained on them. After each stage it answers all twenty questions as they are (questions.csv) and in other words (reworded.csv). The
answers go to data/recorded/bees/fold-I as files of predictions; of fold 0 both runs are kept, without policies and checkpoints. What is
recorded is not made again: delete it first.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
sys.path[:0] = [str(SOURCE), str(SOURCE.parent.parent)]

from record_warm_starts import without_this_machine

from finer import grpo, warmstart
from finer.config import TrainConfig
from finer.datasets import Dataset, load_dataset
from finer.datasets.folder import read_questions
from finer.evaluate import answers
from finer.policy import load_policy
from finer.prepare import prepare

BEES, RECORDED, RUNS = Path("data/bees"), Path("data/recorded/bees"), Path("runs")
POLICY, FOLDS, SEED = "tiny", 4, 1
WARM = {"steps": 40, "traces_per_step": 15, "traces_at_once": 5, "checkpoint_every": 0}
TRAINED = {"steps": 12, "questions_per_step": 5, "temperature": 0.9, "learning_rate": 1e-4, "max_completion_tokens": 160, "evaluate_every": 0, "checkpoint_every": 0}


def record(fold: int) -> None:
    """All stages of a fold; those whose answers are recorded are passed over."""
    folder, answered = RUNS / f"bees-fold-{fold}", RECORDED / f"fold-{fold}"
    warm, trained = (folder.with_name(f"{folder.name}-{stage}") for stage in ("warm", "trained"))
    dataset = load_dataset(folder) if folder.exists() else prepare(BEES / "bees.sqlite", BEES / "questions.csv", folder, folds=FOLDS, fold=fold).dataset
    asked = {"": dataset, "-reworded": reworded(dataset)}
    if not (RECORDED / "before.jsonl").exists():
        ask(POLICY, asked, RECORDED / "before")
    if not (answered / "warm.jsonl").exists():
        shutil.rmtree(warm, ignore_errors=True)
        warmstart.train(warmstart.WarmConfig(policy=POLICY, dataset=str(folder), seed=SEED, **WARM), warm, said(fold))
        ask(str(warm / "policy"), asked, answered / "warm")
    if fold:
        return
    if not (answered / "trained.jsonl").exists():
        shutil.rmtree(trained, ignore_errors=True)
        grpo.train(TrainConfig(policy=str(warm / "policy"), dataset=str(folder), seed=SEED, **TRAINED), trained, said(fold))
        ask(str(trained / "policy"), asked, answered / "trained")
    keep(warm, RECORDED / "warm")
    keep(trained, RECORDED / "trained")


def said(fold: int):
    return lambda line: print(f"fold {fold}: {line}", flush=True)


def reworded(dataset: Dataset) -> Dataset:
    """The same questions in other words, in the same order."""
    found = [question for _, question in read_questions(BEES / "reworded.csv", dataset.databases)]
    assert [question.gold for question in found] == [question.gold for question in dataset.questions]
    return replace(dataset, questions=tuple(replace(mine, text=theirs.text) for mine, theirs in zip(dataset.questions, found, strict=True)))


def ask(policy: str, asked: dict[str, Dataset], file: Path) -> None:
    """The greedy answers, a file for each wording."""
    file.parent.mkdir(parents=True, exist_ok=True)
    loaded = load_policy(policy)
    for ending, dataset in asked.items():
        lines = [json.dumps({"index": question.index, "completion": given.text}, ensure_ascii=False) for question, given in answers(loaded, dataset)]
        file.with_name(f"{file.name}{ending}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def keep(run: Path, into: Path) -> None:
    """The run's store and settings, without the folder that the repository lies in here."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    for name in ("config.toml", "run.sqlite"):
        shutil.copy(run / name, into / name)
    without_this_machine(into)
    with sqlite3.connect(into / "run.sqlite") as store:
        store.execute("VACUUM")
    store.close()


if __name__ == "__main__":
    os.chdir(SOURCE.parent.parent)
    for number in map(int, sys.argv[1:] or range(FOLDS)):
        record(number)
