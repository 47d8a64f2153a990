"""The shipped data: every gold on every instance through the real scorer, and what data/README.md promises.

Run with: pytest tests/test_starter.py
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections import Counter
from pathlib import Path

import pytest

from finer.datasets import load_dataset
from finer.prompt import completion_text
from finer.rewards import Scorer
from finer.sandbox import Sandbox

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
sys.path.insert(0, str(DATA / "source"))

DATASET = load_dataset("starter")
DATABASES = sorted(DATASET.databases)


def of_database(db_id: str) -> list:
    return [question for question in DATASET.questions if question.db_id == db_id]


@pytest.fixture(scope="module")
def scorer():
    with Scorer("finer", DATASET) as one:
        yield one


@pytest.mark.parametrize("db_id", DATABASES)
def test_every_gold_earns_full_marks_on_every_instance(db_id, scorer):
    for question in of_database(db_id):
        paid = scorer.score(question, [completion_text("the tables, the filter, the output", question.gold[0])])[0]
        assert (paid.status, round(paid.total, 9)) == ("correct", 1.0), (question.index, question.text, paid)


@pytest.mark.parametrize("db_id", DATABASES)
def test_every_gold_returns_rows_on_the_main_instance(db_id):
    database = DATASET.databases[db_id]
    with Sandbox() as sandbox:
        for question in of_database(db_id):
            statuses = [execution.status for execution in sandbox.execute_many([(path, question.gold[0]) for path in database.instances])]
            assert statuses[0] == ("empty" if question.meant_empty else "ok"), question.text
            assert set(statuses) <= {"ok", "empty"}, question.text


@pytest.mark.parametrize("db_id", DATABASES)
def test_golds_do_not_depend_on_the_direction_of_a_scan(db_id):
    from finer.compare import is_ordered

    for path in DATASET.databases[db_id].instances:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        for question in of_database(db_id):
            results = []
            for direction in ("OFF", "ON"):
                connection.execute(f"PRAGMA reverse_unordered_selects = {direction}")
                rows = [tuple(round(v, 6) if isinstance(v, float) else v for v in row) for row in connection.execute(question.gold[0])]
                results.append(rows if is_ordered(question.gold[0]) else Counter(rows))
            assert results[0] == results[1], (path.name, question.text)


@pytest.mark.parametrize("db_id", DATABASES)
def test_databases_are_as_large_and_as_whole_as_promised(db_id):
    database = DATASET.databases[db_id]
    assert len(database.instances) >= 4
    assert 3 <= len(database.schema.tables) <= 8
    for place, path in enumerate(database.instances):
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        counts = [connection.execute(f"SELECT COUNT(*) FROM {table.name}").fetchone()[0] for table in database.schema.tables]
        assert place > 0 or (min(counts) >= 200 and max(counts) <= 5000), counts
        assert place == 0 or min(counts) < 200


def test_instances_differ_as_promised():
    def empty_tables(path: Path, names) -> int:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        return sum(connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] == 0 for name in names)

    for database in DATASET.databases.values():
        names = [table.name for table in database.schema.tables]
        assert empty_tables(database.instances[2], names) >= 1, database.db_id
        assert len({path.read_bytes() for path in database.instances}) == len(database.instances)


def test_splits_and_phrasings():
    lines = [json.loads(line) for line in (DATA / "starter" / "questions.jsonl").read_text().splitlines()]
    splits = Counter(line["split"] for line in lines)
    assert len(lines) >= 900 and set(splits) == {"train", "dev", "unseen"}
    assert len({line["phrasing"] for line in lines}) >= 600
    unseen = {line["db_id"] for line in lines if line["split"] == "unseen"}
    assert len(unseen) == 3
    assert not unseen & {line["db_id"] for line in lines if line["split"] != "unseen"}
    texts = Counter((line["db_id"], line["question"]) for line in lines)
    assert max(texts.values()) == 1
    assert sum(bool(line["evidence"]) for line in lines) >= 40


def test_every_train_question_has_a_trace_that_leads_to_its_gold():
    train = {question.index: question for question in DATASET.questions if question.split == "train"}
    lines = [json.loads(line) for line in (DATA / "starter" / "traces.jsonl").read_text().splitlines()]
    assert {line["index"] for line in lines} == set(train)
    for line in lines:
        assert line["sql"] == train[line["index"]].gold[0]
        assert len(line["thought"].split()) >= 3
    starts = Counter(line["thought"].split()[0] for line in lines)
    assert {"use", "The", "1."} <= set(starts), "three styles"


def test_the_readme_counts_what_is_there():
    from census import table

    assert table() in (DATA / "README.md").read_text(), "run: python data/source/census.py, and paste its table"


def test_the_readme_tells_the_teachers_habits():
    from faults import FAULTS, MIDDLING, POOR

    text = (DATA / "README.md").read_text()
    for fault in FAULTS.values():
        rates = [f"{habits[fault.name]:.0%}" if fault.name in habits else "–" for habits in (MIDDLING, POOR)]
        assert f"| `{fault.name}` | {fault.words} | {rates[0]} | {rates[1]} |" in text


def test_sizes():
    def megabytes(folder: Path) -> float:
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6

    assert megabytes(DATA / "starter") <= 15
    for name in ("tiny", "tiny-low"):
        assert megabytes(DATA / "policies" / name) <= 12
