"""Does the atomic overlap tell right answers from wrong ones? Ours beside a bigram Jaccard of the text.

    FINER_TEST_DATA=<folder with spider/ and predictions/spider_dev/> python benchmarks/atoms_auc.py [--bird]

Lines whose two recorded labels (with and without DISTINCT) disagree are left out; `prederr` counts as not right; an
overlap of None ranks lowest. AUC is the chance that a right answer ranks above one that is not right, ties counting
half. Texts a second: distinct predictions, one core, CPU time, gold parsed once, nothing else cached. The labels come
from one instance of each database, so some "right" answers are right by luck.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from bisect import bisect_left, bisect_right
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from finer.atoms import atomic_overlap
from finer.schema import Schema, read_schema


def auc(right: list[float], wrong: list[float]) -> float:
    """Chance that a right answer ranks above a wrong one; ties count half.

    >>> auc([0.9, 0.5], [0.5, 0.1])
    0.875
    """
    ordered = sorted(wrong)
    wins = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in right)
    return wins / 2 / (len(right) * len(wrong))


def bigram_jaccard(one: str, two: str) -> float:
    """Jaccard of the sets of neighbouring tokens of two texts in lower case."""
    sets = []
    for text in (one, two):
        tokens = ["^", *re.findall(r"\w+|[^\w\s]", text.lower()), "$"]
        sets.append(set(pairwise(tokens)))
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def read_lines(folder: Path) -> list[dict]:
    """Recorded predictions of every system in the folder, those with disagreeing labels left out."""
    files = sorted(folder.glob("*.jsonl"))
    lines = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    return [line for line in lines if line["execution"] == line.get("execution_keep_distinct", line["execution"])]


def read_spider(data: Path) -> tuple[list[dict], dict[int, str], dict[str, Schema]]:
    """Predictions, gold by position, schemas by database."""
    lines = read_lines(data / "predictions" / "spider_dev")
    gold = {index: item["query"] for index, item in enumerate(json.loads((data / "spider" / "dev.json").read_text()))}
    names = {line["db_id"] for line in lines}
    schemas = {name: read_schema(data / "spider" / "database" / name / f"{name}.sqlite") for name in sorted(names)}
    return lines, gold, schemas


def read_bird(data: Path) -> tuple[list[dict], dict[int, str], dict[str, Schema]]:
    """The same of BIRD's superhero questions."""
    lines = read_lines(data / "predictions" / "bird_superhero")
    gold = {index: item["SQL"] for index, item in enumerate(json.loads((data / "bird" / "dev.json").read_text()))}
    path = data / "bird" / "dev_databases" / "superhero" / "superhero.sqlite"
    return lines, gold, {"superhero": read_schema(path)}


def measure(lines: list[dict], gold: dict[int, str], schemas: dict[str, Schema]) -> list[float | None]:
    """The overlap of each line; prints the texts a second."""
    for line in lines:
        atomic_overlap("SELECT 1", gold[line["index"]], schemas[line["db_id"]])  # gold is read once, outside the clock
    distinct = {(line["index"], line["sql"]): line for line in lines}
    start = time.process_time()
    found = {
        key: atomic_overlap(line["sql"], gold[line["index"]], schemas[line["db_id"]]).overlap
        for key, line in distinct.items()
    }
    seconds = time.process_time() - start
    print(f"{len(distinct):,} distinct texts, {len(distinct) / seconds:,.0f} a second of CPU")
    return [found[line["index"], line["sql"]] for line in lines]


def table(lines: list[dict], ours: list[float | None], peer: list[float]) -> str:
    """The figures of both, side by side."""
    right = [line["execution"] == "ok" for line in lines]
    rows = [("", "atoms", "bigram")]
    values = ([-1.0 if value is None else value for value in ours], peer)
    split = [([v for v, ok in zip(each, right, strict=True) if ok],
              [v for v, ok in zip(each, right, strict=True) if not ok]) for each in values]  # fmt: skip
    rows.append(("AUC, right against not right", *(f"{auc(good, bad):.4f}" for good, bad in split)))
    rows.append(("wrong with 1.0", *(f"{sum(v == 1 for v in bad) / len(bad):.2%}" for _, bad in split)))
    rows.append(("right below 0.5", *(f"{sum(v < 0.5 for v in good) / len(good):.2%}" for good, _ in split)))
    rows.append(("not scored", f"{sum(v is None for v in ours)}", "0"))
    rows.append((f"({sum(right):,} right, {len(right) - sum(right):,} not)", "", ""))
    return "\n".join(f"{name:<32}{one:>10}{two:>10}" for name, one, two in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bird", action="store_true", help="the superhero predictions instead of Spider dev")
    arguments = parser.parse_args()
    folder = os.environ.get("FINER_TEST_DATA")
    if not folder:
        parser.exit(2, "set FINER_TEST_DATA to the folder that holds spider/ and predictions/\n")
    lines, gold, schemas = (read_bird if arguments.bird else read_spider)(Path(folder))
    ours = measure(lines, gold, schemas)
    peer = [bigram_jaccard(line["sql"], gold[line["index"]]) for line in lines]
    print(table(lines, ours, peer))


if __name__ == "__main__":
    main()
