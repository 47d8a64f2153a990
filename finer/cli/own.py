"""The command that makes a data set of one's own files: ``finer prepare``."""

from __future__ import annotations

import argparse

from finer.cli.parser import Command, count, whole
from finer.cli.shared import say, until_done


def add(command: Command) -> None:
    parser = command("prepare", prepare, "make a data set of a database and a CSV of questions of your own")
    parser.add_argument("database", metavar="DATABASE", help="an SQLite (or DuckDB) file")
    parser.add_argument("questions", metavar="QUESTIONS", help="a CSV (or .jsonl, .json) with a column question and a column gold: the SQL that answers it")
    parser.add_argument("--out", required=True, metavar="DIR", help="the folder to write; every command takes it as --dataset")
    parser.add_argument("--instances", type=whole, default=3, metavar="N", help="further instances of the database, to tell right from right by luck (default: 3)")
    parser.add_argument("--folds", type=count, default=4, metavar="K", help="hold out every Kth question, where the file names no splits (default: 4)")
    parser.add_argument("--fold", type=whole, default=0, metavar="I", help="beginning with question I, from 0 to K - 1 (default: 0)")
    parser.add_argument("--seed", type=whole, default=0, metavar="S", help="of what is drawn (default: 0)")


def prepare(chosen: argparse.Namespace) -> int:
    from finer.prepare import prepare as make

    with until_done("looking for telling instances") as progress:
        found = make(chosen.database, chosen.questions, chosen.out, chosen.instances, chosen.folds, chosen.fold, chosen.seed, progress)
    for sentence in found.told:
        say(sentence)
    run, traces = f"runs/{found.folder.name}", len(found.dataset.traces)
    say(f"Then: finer warmstart --policy tiny --dataset {chosen.out} --steps 40 --set traces_per_step={min(traces, 32)} --run {run}-warm")
    say(f"      finer train --policy {run}-warm/policy --dataset {chosen.out} --set questions_per_step={min(traces, 5)} --set learning_rate=1e-4 --run {run}-trained")
    say(f"      finer evaluate --policy {run}-trained/policy --dataset {chosen.out} --split dev")
    return 0
