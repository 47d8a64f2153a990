"""Spider and BIRD in their own layouts: what is read, what may lack, and what each fault is told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from benchmark_files import BIRD_DEV, SINGER_TABLES, SPIDER_DEV, write_bird, write_database, write_json, write_spider

from finer.datasets import load_dataset
from finer.records import Question
from finer.schema import DataError, MissingDataError, render_compact

SHOWN = "singer(singer_id, name, age)\nsong(song_id, singer_id -> singer.singer_id, title)"


def test_spider(tmp_path):
    dataset = load_dataset("spider", data=write_spider(tmp_path))
    assert dataset.name == "spider" and dataset.release == "Spider dev of an unknown release, 3 questions"
    assert dataset.questions == (
        Question(0, "concert", "How many singers?", ("SELECT count(*) FROM singer",), difficulty="easy", split="dev"),
        Question(1, "gone", SPIDER_DEV[1]["question"], (SPIDER_DEV[1]["query"],), difficulty="medium", split="dev"),
        Question(2, "concert", "Hm?", ("SELECT FROM WHERE",), difficulty="", split="dev"),
    )
    assert [path.stem for path in dataset.databases["concert"].instances] == ["concert", "concertv9", "concertv10"]


def test_spider_train_joins_both_files(tmp_path):
    folder = write_spider(tmp_path)
    assert [question.text for question in load_dataset("spider", "train", folder).questions] == ["All songs?"]
    write_json(folder / "train_others.json", SPIDER_DEV[:1])
    questions = load_dataset("spider", "train", folder).questions
    assert [(question.index, question.text, question.split) for question in questions] == [(0, "All songs?", "train"), (1, "How many singers?", "train")]


@pytest.mark.parametrize("write", [write_spider, write_bird])
def test_a_missing_database_leaves_its_questions_and_schema(write, tmp_path):
    folder = write(tmp_path)
    dataset = load_dataset(write.__name__.removeprefix("write_"), data=folder)
    assert list(dataset.missing) == ["gone"] and "gone.sqlite; put the database there" in dataset.missing["gone"]
    gone = dataset.databases["gone"]
    assert gone.instances == () and gone.schema.db_id == "gone"
    assert render_compact(gone.schema) == SHOWN == render_compact(dataset.databases["concert"].schema)
    assert gone.schema.table("singer").primary_key == ("singer_id", "name")
    with pytest.raises(MissingDataError, match=r"no file of the database 'gone' is here; Dataset.missing\['gone'\] says why"):
        _ = gone.path


UNUSABLE = {
    "no database": (lambda path: path.write_text("not SQLite " * 99), "is not a readable SQLite database"),
    "no table": (lambda path: path.write_bytes(b""), "holds no table; fetch the database again"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_file_counts_as_missing(name, tmp_path):
    write, message = UNUSABLE[name]
    folder = write_spider(tmp_path)
    (folder / "database/gone").mkdir()
    write(folder / "database/gone/gone.sqlite")
    assert message in load_dataset("spider", data=folder).missing["gone"]


def test_tables_without_rows_are_a_database(tmp_path):
    folder = write_spider(tmp_path)
    write_database(folder / "database", "gone", sql="CREATE TABLE singer (name TEXT, age INT)")
    dataset = load_dataset("spider", data=folder)
    assert dataset.missing == {} and dataset.databases["gone"].path.name == "gone.sqlite"


def test_without_tables_json_a_missing_database_has_no_schema(tmp_path):
    folder = write_spider(tmp_path)
    (folder / "tables.json").unlink()
    assert load_dataset("spider", data=folder).databases["gone"].schema.tables == ()


def test_bird(tmp_path):
    dataset = load_dataset("bird", data=write_bird(tmp_path))
    assert dataset.release == "BIRD dev, unknown release (2 questions)"
    first = BIRD_DEV[0]
    assert dataset.questions[0] == Question(0, "concert", first["question"], (first["SQL"],), first["evidence"], "simple", "dev")


def test_bird_mini_dev_by_name_or_where_there_is_no_dev(tmp_path):
    folder = write_bird(tmp_path)
    mini_dev = load_dataset("bird", "mini_dev", folder)
    assert [(question.index, question.db_id, question.split) for question in mini_dev.questions] == [(0, "gone", "mini_dev"), (1, "concert", "mini_dev")]
    (folder / "dev.json").unlink()
    assert load_dataset("bird", data=folder).questions == mini_dev.questions


MEANT = {
    "from the CSV file": ("concert", "singer", "name", "the singer’s name"),
    "the CSV file before the JSON file": ("concert", "singer", "age", "in years; 0 or empty: not known"),
    "from the JSON file": ("concert", "song", "title", "The title. Never empty."),
    "of a missing database": ("gone", "singer", "name", "'Who sings'"),
    "none": ("concert", "singer", "singer_id", ""),
}


@pytest.mark.parametrize("name", MEANT)
def test_bird_column_descriptions(name, tmp_path):
    db_id, table, column, text = MEANT[name]
    dataset = load_dataset("bird", data=write_bird(tmp_path))
    assert dataset.databases[db_id].schema.table(table).column(column).description == text


def test_bird_descriptions_in_latin_1(tmp_path):
    folder = write_bird(tmp_path)
    path = folder / "dev_databases/concert/database_description/Singer.csv"
    path.write_bytes("original_column_name,column_description\nname,prénom\n".encode("latin-1"))
    assert load_dataset("bird", data=folder).databases["concert"].schema.table("singer").column("name").description == "prénom"


@pytest.mark.parametrize("write", [write_spider, write_bird])
def test_a_folder_in_a_benchmarks_layout(write, tmp_path):
    folder = write(tmp_path)
    dataset = load_dataset(folder)
    assert dataset.name == str(folder)
    assert dataset.questions == load_dataset(write.__name__.removeprefix("write_"), data=folder).questions


FAULTS = {
    "no list": (write_spider, "dev.json", "{}", "expected a list of objects"),
    "cut short": (write_spider, "dev.json", '[{"db_id":\n', "line 2: no JSON"),
    "no query": (write_spider, "dev.json", '[{"db_id": "concert", "question": "?"}]', "element 0: the field 'query' is missing"),
    "no question": (write_spider, "dev.json", "[]", "no question; fetch the file again"),
    "no schema": (write_spider, "tables.json", '[{"db_id": "concert"}]', "element 0: no schema of 'concert' (KeyError: 'table_names_original'); expected"),
    "a link to nowhere": (write_spider, "tables.json", json.dumps([SINGER_TABLES | {"foreign_keys": [[5, 99]]}]), "element 0: no schema of 'concert'"),
    "no SQL": (write_bird, "dev.json", '[{"db_id": "concert", "question": "?"}]', "element 0: the field 'SQL' is missing"),
    "difficulty that is no text": (write_bird, "dev.json", json.dumps([BIRD_DEV[0] | {"difficulty": 3}]), "'difficulty' must be a str, not 3"),
    "meanings that are a list": (write_bird, "column_meaning.json", "[]", "expected an object of 'db_id|table|column'"),
    "a meaning of no column": (write_bird, "column_meaning.json", '{"concert|name": "x"}', "expected 'db_id|table|column' → text"),
    "descriptions of another form": (write_bird, "dev_databases/concert/database_description/song.csv", "a,b\n1,2\n", "line 2: expected a header with"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_file_names_place_and_mend(name, tmp_path):
    write, file, text, message = FAULTS[name]
    folder = write(tmp_path)
    (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as fault:
        load_dataset(folder)
    assert str(folder / file) in str(fault.value) and message in str(fault.value)


ABSENT = {
    "spider's file": ("spider", "dev", "no file .*dev.json.*; give the folder that holds Spider's dev.json, tables.json and database/"),
    "bird's file": ("bird", None, "no file .*dev.json.*; give the folder that holds BIRD's dev.json, dev_tables.json and dev_databases/"),
    "spider's split": ("spider", "test", r"Spider has no split 'test' here; it has \['dev', 'train'\]"),
    "bird's split": ("bird", "test", r"BIRD has no split 'test' here; it has \['dev', 'mini_dev', 'train'\]"),
}


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_not_there(name, tmp_path):
    dataset, split, message = ABSENT[name]
    with pytest.raises(DataError, match=message):
        load_dataset(dataset, split, tmp_path)


@pytest.fixture(scope="module")
def real():
    folder = os.environ.get("FINER_TEST_DATA")
    if not folder:
        pytest.skip("FINER_TEST_DATA is not set: it names the folder that holds spider/ and bird/")
    return Path(folder)


REAL = {
    "spider dev": ("spider", None, "Spider dev 1.0, 1,034 questions", 20, set()),
    "spider train": ("spider", "train", "Spider train 1.0 without train_others.json, 7,000 questions", 140, {"chinook_1", "soccer_1", "store_1"}),
    "bird dev": ("bird", "dev", "BIRD dev 20240627, 1,534 questions", 11, "all but superhero"),
    "bird mini-dev": ("bird", "mini_dev", "BIRD mini-dev (SQLite), 500 questions", 11, "all but superhero"),
}


@pytest.mark.parametrize("name", REAL)
def test_the_real_files(name, real):
    benchmark, split, release, databases, missing = REAL[name]
    dataset = load_dataset(benchmark, split, real / benchmark)
    assert dataset.release == release and len(dataset.databases) == databases
    assert set(dataset.missing) == (set(dataset.databases) - {"superhero"} if missing == "all but superhero" else missing)
    assert all(dataset.databases[db_id].schema.tables for db_id in dataset.missing), "the schema file stands in"
    assert [question.index for question in dataset.questions] == list(range(len(dataset.questions)))
    assert all(question.difficulty and question.gold[0] for question in dataset.questions)


def test_the_questions_that_run_on_superhero(real):
    """129 of dev and 52 of mini-dev, as the README of the data says; its columns have meanings."""
    for split, count in (("dev", 129), ("mini_dev", 52)):
        dataset = load_dataset("bird", split, real / "bird")
        assert sum(question.db_id not in dataset.missing for question in dataset.questions) == count
    column = dataset.databases["superhero"].schema.table("superhero").column("height_cm")
    assert column.description.startswith("The height of the superhero in centimeters") and column.samples
