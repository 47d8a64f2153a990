"""A folder of questions and databases: what is read, and what each fault is told."""

from __future__ import annotations

import json
import shutil
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
    "no gold": ({"db_id": "shop", "question": "?"}, "the field 'gold' is missing; add it as a list of texts, or one text"),
    "an empty question": (GOOD | {"question": " "}, "the question is empty; write it, or delete the line"),
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
    with pytest.raises(MissingDataError, match="unknown dataset 'spidr': give 'starter', 'spider' or 'bird', or a folder"):
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


GOLD = "SELECT title FROM book"
ROWS = [{"index": 3, "db_id": "shop", "question": "All books?", "gold": GOLD, "tables": ["book"], "meant_empty": True},
        {"index": 4, "db_id": "shop", "question": "Books, by\nname?", "gold": GOLD}]  # fmt: skip
CSV = 'index,db_id,question,gold,tables,meant_empty\n3,shop,All books?,SELECT title FROM book,book,true\n4,shop,"Books, by\nname?",SELECT title FROM book,,\n'
FORMS = {
    "questions.jsonl": "\n".join(map(json.dumps, ROWS)),
    "questions.json": json.dumps(ROWS),
    "questions.csv": CSV,
}


@pytest.mark.parametrize("name", FORMS)
def test_the_three_forms_of_a_questions_file_say_the_same(name, tmp_path):
    (write(tmp_path) / "questions.jsonl").unlink()
    (tmp_path / name).write_text(FORMS[name], encoding="utf-8-sig")
    questions = load_dataset(tmp_path).questions
    assert questions == (
        Question(3, "shop", "All books?", (GOLD,), split="train", tables=("book",), meant_empty=True),
        Question(4, "shop", "Books, by\nname?", (GOLD,), split="train"),
    )


FORM_FAULTS = {
    "JSON cut short": ("questions.json", '[\n{"db_id": "shop",', "line 2: no JSON"),
    "JSON that is no list": ("questions.json", '{"db_id": "shop"}', "expected a list of objects"),
    "an element that is none": ("questions.json", '[{"db_id": "shop", "question": "?", "gold": "SELECT 1"}, 5]', "element 1: expected an object"),
    "too many fields": ("questions.csv", "db_id,question,gold\nshop,?,SELECT 1,2\n", "line 2: more fields than the header names"),
    "no whole number": ("questions.csv", CSV.replace("\n4,", "\nfour,"), "line 3: 'index' must be a whole number, not 'four'"),
    "no gold in a row": ("questions.csv", "db_id,question,gold\nshop,?,\n", "line 2: the column 'gold' is empty; fill it in, or delete the line"),
    "a wrong column": ("questions.csv", "db_id,quesion,gold\nshop,?,SELECT 1\n", "line 1: the header has no column 'question', only 'db_id', 'quesion', 'gold'; rename 'quesion' to it"),
    "an index twice": ("questions.csv", CSV.replace("\n4,", "\n3,"), "line 3: index 3 is also that of line 2"),
}


@pytest.mark.parametrize("name", FORM_FAULTS)
def test_a_faulty_file_names_its_place(name, tmp_path):
    file, text, message = FORM_FAULTS[name]
    (write(tmp_path) / "questions.jsonl").unlink()
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as fault:
        load_dataset(tmp_path)
    assert str(tmp_path / file) in str(fault.value) and message in str(fault.value)


def test_with_one_database_nobody_needs_to_name_it(tmp_path):
    write(tmp_path, questions=[{"question": "?", "gold": "SELECT 1"}])
    assert load_dataset(tmp_path).questions == (Question(0, "shop", "?", ("SELECT 1",), split="train"),)
    shutil.copy(tmp_path / "databases/shop/shop.sqlite", tmp_path / "databases/zoo.db")
    with pytest.raises(DataError, match="line 1: the field 'db_id' is missing"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("alias", ["query", "SQL", "sql"])
def test_other_names_for_gold_and_index(alias, tmp_path):
    write(tmp_path, questions=[{"question_id": 9, "db_id": "shop", "question": "?", alias: "SELECT 1"}])
    assert load_dataset(tmp_path).questions == (Question(9, "shop", "?", ("SELECT 1",), split="train"),)


@pytest.mark.parametrize("home", ["", "databases"])
def test_flat_database_files(home, tmp_path):
    folder = write(tmp_path)
    shutil.copy(folder / "databases/shop/shop.sqlite", tmp_path / "shop.db")
    shutil.rmtree(folder / "databases")
    place = folder / home
    place.mkdir(exist_ok=True)
    shutil.move(tmp_path / "shop.db", place / "shop.db")
    assert load_dataset(folder).databases["shop"].instances == (place / "shop.db",)


def test_two_files_where_one_is_meant(tmp_path):
    folder = write(tmp_path)
    (folder / "questions.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="questions.jsonl and questions.json; keep the one to use"):
        load_dataset(folder)
    (folder / "questions.json").unlink()
    shutil.copy(folder / "databases/shop/shop.sqlite", folder / "databases/shop.db")
    with pytest.raises(DataError, match="two files for the database 'shop'"):
        load_dataset(folder)
    shutil.copy(folder / "databases/shop/shop.sqlite", folder / "databases/shop/shop.db")
    with pytest.raises(DataError, match="two main instances"):
        load_dataset(folder)


def test_data_goes_with_a_benchmark_only(tmp_path):
    with pytest.raises(DataError, match="goes with 'spider' or 'bird', not with 'starter'"):
        load_dataset("starter", data=tmp_path)
    with pytest.raises(MissingDataError, match="give data= .* the folder that holds the files of spider"):
        load_dataset("spider", data=tmp_path / "nowhere")


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
