"""How many recorded right answers are right by luck? The share for which a witness is found.

    FINER_TEST_DATA=<folder with spider/, bird/ and predictions/> python benchmarks/witness.py --out DIR [--bird] [--metric M] [--pairs N] [--seconds S]

A seeded sample of the distinct (question, SQL) pairs recorded as right; those that the metric judges right on the main
instance are searched. A found witness shows that two queries differ on some rows that keep the declared keys, which is not
yet that a person would mind: read a sample of DIR/witnesses.json, as --show prints it. Spider's figures stand on copies of
its databases with one instance each, BIRD's on the superhero database alone.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from finer.datasets import Dataset, load_dataset
from finer.witness import run_witness


def recorded_right(folder: Path, count: int, seed: int) -> list[tuple[int, str]]:
    """A sample of distinct (index, SQL) pairs recorded as right by whichever system."""
    lines = [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    pairs = sorted({(line["index"], line["sql"]) for line in lines if line["execution"] == "ok"})
    return pairs if not count or count >= len(pairs) else random.Random(seed).sample(pairs, count)


def report(result: dict[str, Any], dataset: Dataset, seconds: float, cpu: float) -> str:
    """The figures, over all databases and for each."""
    distinct, databases = result["distinct"], {question.index: question.db_id for question in dataset.questions}
    found = Counter(databases[witness["index"]] for witness in result["witnesses"])
    doubts = Counter(" + ".join(sorted({text.split(" in ")[0] for text in witness["reservations"]})) or "none" for witness in result["witnesses"])
    shares = {name: f"{distinct[name]} ({distinct[name] / max(1, distinct['right']):.1%})" for name in ("by_luck", "without_reservation")}
    return "\n".join(
        [
            f"metric {result['metric']}: {result['n']} distinct pairs recorded as right, {distinct['right']} right here too",
            f"told apart: {shares['by_luck']}, without reservation {shares['without_reservation']}",
            f"reservations: {dict(doubts.most_common())}",
            f"by database: {dict(found.most_common())}",
            f"{seconds:.0f} s, {cpu:.0f} s of CPU (the sandbox included)",
        ]
    )


def shown(witness: dict[str, Any]) -> str:
    return "\n".join(
        f"  {name:<12}{value}"
        for name, value in [
            ("question", witness["index"]),
            ("gold", " ".join(witness["gold"].split())),
            ("prediction", " ".join(witness["prediction"].split())),
            ("reason", witness["reason"]),
            ("doubts", "; ".join(witness["reservations"]) or "none"),
            ("file", witness["path"]),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="folder for the witnesses")
    parser.add_argument("--bird", action="store_true", help="the superhero predictions instead of Spider dev")
    parser.add_argument("--metric", default="strict")
    parser.add_argument("--pairs", type=int, default=600, help="pairs sampled, 0 for all")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each pair")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=0, help="witnesses printed, sampled")
    arguments = parser.parse_args()
    data = os.environ.get("FINER_TEST_DATA")
    if not data:
        parser.exit(2, "set FINER_TEST_DATA to the folder that holds spider/, bird/ and predictions/\n")
    name, predictions = ("bird", "bird_superhero") if arguments.bird else ("spider", "spider_dev")
    dataset = load_dataset(name, data=Path(data) / name)
    questions = {question.index: question for question in dataset.questions}
    pairs = recorded_right(Path(data) / "predictions" / predictions, arguments.pairs, arguments.seed)
    start = time.perf_counter()
    answers = [(questions[index], sql) for index, sql in pairs]
    result = run_witness(dataset, answers, arguments.out, arguments.metric, arguments.seconds, arguments.seed)
    times = os.times()
    cpu = times.user + times.system + times.children_user + times.children_system
    print(report(result, dataset, time.perf_counter() - start, cpu))
    chosen = random.Random(arguments.seed).sample(result["witnesses"], min(arguments.show, len(result["witnesses"])))
    for number, witness in enumerate(chosen, start=1):
        print(f"{number}.", shown(witness), sep="\n")


if __name__ == "__main__":
    main()
