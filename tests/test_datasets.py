"""A folder of questions and databases: what is read, and what each fault is told."""

from __future__ import annotations

import json
import sqlite3

import pytest

import finer
from finer.datasets import load_dataset
from finer.records import Question, Trace
from finer.schema import DataError, MissingDataError

QUESTIONS = [
    {"db_id": "shop", "question": "All books?", "gold": ["SELECT title FROM book"], "split": "train", "tables": ["BOOK"]},
    {"index": 7, "db_id": "shop", "question": "How many?", "gold": "SELECT count(*) FROM book", "split": "dev",
     "evidence": "count rows", "difficulty": "easy", "meant_empty": False, "kind": "count", "author": "unknown fields are left alone"},
]  # fmt: skip
TRACES = [
    {
        "trace_id": 0,
        "index": 0,
        "db_id": "shop",
        "question": "All books?",
        "thought": "book",
        "sql": "SELECT title FROM book",
    }
]


def write(folder, questions=QUESTIONS, traces=TRACES, instances=("shop", "shop_2", "shop_10", "shop_1", "other_1")):
    place = folder / "databases" / "shop"
    place.mkdir(parents=True)
    for name in instances:
        connection = sqlite3.connect(place / f"{name}.sqlite")
        connection.execute("CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT)")
        connection.close()
    for name, objects in (("questions", questions), ("traces", traces)):
        lines = [line if isinstance(line, str) else json.dumps(line) for line in objects]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_a_folder_is_read(tmp_path):
    dataset = load_dataset(write(tmp_path))
    assert dataset.questions == (
        Question(0, "shop", "All books?", ("SELECT title FROM book",), split="train", tables=("BOOK",)),
        Question(7, "shop", "How many?", ("SELECT count(*) FROM book",), "count rows", "easy", "dev", kind="count"),
    )
    assert dataset.traces == (Trace(0, "shop", "All books?", "book", "SELECT title FROM book", "starter"),)
    database = dataset.databases["shop"]
    assert [path.stem for path in database.instances] == ["shop", "shop_1", "shop_2", "shop_10"]
    assert database.path == database.instances[0] and database.schema.table("book").has("title")
    assert dataset.question(7).text == "How many?"
    with pytest.raises(KeyError, match="no question of index 8"):
        dataset.question(8)


def test_a_split_keeps_databases_and_traces(tmp_path):
    whole = load_dataset(str(write(tmp_path)))
    dev = load_dataset(tmp_path, split="dev")
    assert [question.index for question in dev.questions] == [7]
    assert (dev.databases, dev.traces) == (whole.databases, whole.traces)
    with pytest.raises(DataError, match=r"no split 'test'; it has \['dev', 'train'\]"):
        whole.split("test")


def test_traces_are_optional(tmp_path):
    (write(tmp_path) / "traces.jsonl").unlink()
    assert load_dataset(tmp_path).traces == ()


GOOD = QUESTIONS[0]
QUESTION_FAULTS = {
    "no JSON": ('{"db_id": "shop",', "no JSON"),
    "no object": ("[1, 2]", "expected an object"),
    "no question": ({"db_id": "shop", "gold": "SELECT 1"}, "the field 'question' is missing; add it as a str"),
    "no gold": ({"db_id": "shop", "question": "?"}, "'gold' must be a list of texts, not None"),
    "empty gold": (GOOD | {"gold": []}, "at least one right SQL query"),
    "gold of another type": (GOOD | {"gold": [1]}, "'gold' must be a list of texts"),
    "gold that changes": (GOOD | {"gold": "DELETE FROM book"}, "gold is not one read-only query (starts with DELETE"),
    "unknown database": (GOOD | {"db_id": "zoo"}, "there is no database 'zoo'; put it into databases/zoo/zoo.sqlite"),
    "unknown table": (GOOD | {"tables": ["pets"]}, "database 'shop' has no table 'pets'; it has ['book']"),
    "text for a number": (GOOD | {"index": "0"}, "'index' must be a int, not '0'"),
    "truth for a number": (GOOD | {"index": True}, "'index' must be a int, not True"),
    "an index twice": (GOOD | {"index": 0}, "index 0 is also that of line 1; give each its own"),
}


@pytest.mark.parametrize("name", QUESTION_FAULTS)
def test_a_faulty_question_names_file_line_and_mend(name, tmp_path):
    line, message = QUESTION_FAULTS[name]
    write(tmp_path, questions=[GOOD, "", line])
    with pytest.raises(DataError) as fault:
        load_dataset(tmp_path)
    assert f"{tmp_path / 'questions.jsonl'}, line 3: " in str(fault.value)
    assert message in str(fault.value)


TRACE_FAULTS = {
    "no thought": ({"trace_id": 1, "db_id": "shop", "question": "?", "sql": "SELECT 1"}, "'thought' is missing"),
    "an id twice": (TRACES[0], "trace_id 0 is also that of line 1"),
    "unknown database": (TRACES[0] | {"trace_id": 1, "db_id": "zoo"}, "there is no database 'zoo'"),
}


@pytest.mark.parametrize("name", TRACE_FAULTS)
def test_a_faulty_trace_names_file_line_and_mend(name, tmp_path):
    line, message = TRACE_FAULTS[name]
    write(tmp_path, traces=[TRACES[0], line])
    with pytest.raises(DataError, match="traces.jsonl, line 2: ") as fault:
        load_dataset(tmp_path)
    assert message in str(fault.value)


def test_missing_files(tmp_path):
    with pytest.raises(MissingDataError, match="unknown dataset 'spidr': give 'starter', or a folder"):
        load_dataset("spidr")
    (tmp_path / "questions.jsonl").write_text("{}")
    with pytest.raises(MissingDataError, match="put each database into <db_id>/<db_id>.sqlite"):
        load_dataset(tmp_path)
    (tmp_path / "databases" / "zoo").mkdir(parents=True)
    with pytest.raises(MissingDataError, match="name the database's file like its folder"):
        load_dataset(tmp_path)


def test_unreadable_files(tmp_path):
    folder = write(tmp_path)
    (folder / "questions.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8 at byte 0"):
        load_dataset(folder)
    (folder / "questions.jsonl").write_text("\n\n")
    with pytest.raises(DataError, match="no question; add one"):
        load_dataset(folder)
    (folder / "databases" / "shop" / "shop.sqlite").write_text("no database " * 99)
    with pytest.raises(DataError, match=r"shop.sqlite' is not a readable SQLite database"):
        load_dataset(folder)


def test_the_starter_data():
    dataset = finer.load_dataset("starter")
    assert dataset.name == "starter" and len(dataset.databases) >= 12 and len(dataset.questions) >= 900
    assert {question.split for question in dataset.questions} == {"train", "dev", "unseen"}
    assert all(len(database.instances) >= 4 for database in dataset.databases.values())
    assert len(dataset.traces) >= len(dataset.split("train").questions)


def test_the_package_offers_its_names_lazily():
    assert finer.__version__ == "0.1.0"
    assert finer.Database is not None and "evaluate" in dir(finer)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        finer.nothing  # noqa: B018
