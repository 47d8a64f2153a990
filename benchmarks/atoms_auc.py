"""Does the atomic overlap tell right answers from wrong ones? Ours beside a bigram Jaccard of the text.

    FINER_TEST_DATA=<folder with spider/ and predictions/spider_dev/> python benchmarks/atoms_auc.py [--bird] [--fuzzed N]

Lines whose two recorded labels (with and without DISTINCT) disagree are left out; `prederr` counts as not right; an
overlap of None ranks lowest. AUC is the chance that a right answer ranks above one that is not right, ties counting
half. Texts a second: distinct predictions, one core, CPU time, gold parsed once, nothing else cached. The labels come
from one instance of each database, so some "right" answers are right by luck; ``--fuzzed N`` splits off those that differ
from gold on one of N perturbed copies (``finer.fuzz``, without added NULLs), by the rule that made the labels.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from finer import fuzz
from finer.atoms import atomic_overlap
from finer.metrics import Rule, rule
from finer.probe.figures import auc
from finer.records import Execution
from finer.rewards.bigram import bigram_overlap
from finer.schema import Schema, read_schema


def read_lines(folder: Path) -> list[dict]:
    """Recorded predictions of every system in the folder, those with disagreeing labels left out."""
    files = sorted(folder.glob("*.jsonl"))
    lines = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    return [line for line in lines if line["execution"] == line.get("execution_keep_distinct", line["execution"])]


def find_database(data: Path, db_id: str, bird: bool) -> Path:
    folder = data / "bird" / "dev_databases" if bird else data / "spider" / "database"
    return folder / db_id / f"{db_id}.sqlite"


def read_spider(data: Path) -> tuple[list[dict], dict[int, str], dict[str, Schema]]:
    """Predictions, gold by position, schemas by database."""
    lines = read_lines(data / "predictions" / "spider_dev")
    gold = {index: item["query"] for index, item in enumerate(json.loads((data / "spider" / "dev.json").read_text()))}
    names = {line["db_id"] for line in lines}
    schemas = {name: read_schema(find_database(data, name, bird=False)) for name in sorted(names)}
    return lines, gold, schemas


def read_bird(data: Path) -> tuple[list[dict], dict[int, str], dict[str, Schema]]:
    """The same of BIRD's superhero questions."""
    lines = read_lines(data / "predictions" / "bird_superhero")
    gold = {index: item["SQL"] for index, item in enumerate(json.loads((data / "bird" / "dev.json").read_text()))}
    return lines, gold, {"superhero": read_schema(find_database(data, "superhero", bird=True))}


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


STEPS = 2_000
"""Calls of SQLite's progress handler, one every 1,000 operations, after which a query on a copy is given up."""


def run_on(connection: sqlite3.Connection, sql: str) -> Execution | None:
    """What a query gives on a copy of a few rows; None where it fails or takes too long."""
    left = iter(range(STEPS))
    connection.set_progress_handler(lambda: next(left, None) is None, 1_000)
    try:
        cursor = connection.execute(sql)
        return Execution("ok", tuple(cursor.fetchmany(100_000)), tuple(each[0] for each in cursor.description or ()))
    except (sqlite3.Error, sqlite3.Warning):
        return None


def lucky(lines: list[dict], gold: dict[int, str], paths: dict[str, Path], by: Rule, count: int) -> set[tuple[int, str]]:
    """The right answers, as (index, sql), that give another result than gold on one of ``count`` perturbed copies."""
    questions: dict[int, tuple[str, dict[str, None]]] = {}
    for line in lines:
        if line["execution"] == "ok":
            questions.setdefault(line["index"], (line["db_id"], {}))[1][line["sql"]] = None
    sources = {name: fuzz.read_source(path) for name, path in paths.items()}
    found: set[tuple[int, str]] = set()
    for index, (db_id, sqls) in questions.items():
        on = fuzz.ground(sources[db_id], [gold[index]], sqls)
        for instance in islice(fuzz.instances(on, index), count):
            with closing(sqlite3.connect(":memory:")) as connection:
                connection.deserialize(instance.content)
                reference = run_on(connection, by.prepare_gold(gold[index]))
                for sql in [each for each in sqls if (index, each) not in found] if reference is not None else ():
                    result = run_on(connection, by.prepare_prediction(sql))
                    if result is not None and not by.compare(gold[index], reference, result).equal:
                        found.add((index, sql))
    return found


def split_table(lines: list[dict], ours: list[float | None], apart: set[tuple[int, str]]) -> str:
    """The figures with right answers that a copy tells from gold left out, and those of the ones left out."""
    values = [-1.0 if value is None else value for value in ours]
    right = [(v, (line["index"], line["sql"]) in apart) for v, line in zip(values, lines, strict=True) if line["execution"] == "ok"]
    wrong = [v for v, line in zip(values, lines, strict=True) if line["execution"] != "ok"]
    sure, luck = [v for v, by_luck in right if not by_luck], [v for v, by_luck in right if by_luck]
    rows = [f"right on every copy: {len(sure):,}; right by luck: {len(luck):,} ({len(luck) / len(right):.1%} of the right ones)"]
    for name, group in (("right on every copy", sure), ("right by luck", luck)):
        if group:
            rows.append(f"{name}: AUC {auc(group, wrong):.4f}, below 0.5 {sum(v < 0.5 for v in group) / len(group):.2%}")
    return "\n".join(rows)


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
    parser.add_argument("--fuzzed", type=int, default=0, metavar="N", help="split off right answers that one of N copies tells from gold")
    arguments = parser.parse_args()
    folder = os.environ.get("FINER_TEST_DATA")
    if not folder:
        parser.exit(2, "set FINER_TEST_DATA to the folder that holds spider/ and predictions/\n")
    lines, gold, schemas = (read_bird if arguments.bird else read_spider)(Path(folder))
    ours = measure(lines, gold, schemas)
    peer = [bigram_overlap(line["sql"], [gold[line["index"]]]).overlap for line in lines]
    print(table(lines, ours, peer))
    if arguments.fuzzed:
        paths = {name: find_database(Path(folder), name, arguments.bird) for name in schemas}
        by = rule("bird-ex" if arguments.bird else "spider-ex")
        print(split_table(lines, ours, lucky(lines, gold, paths, by, arguments.fuzzed)))


if __name__ == "__main__":
    main()
