"""A folder from a database and a CSV of one's own: what is made, what is said, and what each fault is told. Run: pytest tests/test_prepare.py"""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from finer.cli import main
from finer.datasets import Database, load_dataset
from finer.errors import FinerError
from finer.judge import Judge
from finer.prepare import prepare
from finer.probe.cases import mistakes
from finer.records import Question
from finer.schema import DataError, read_schema
from finer.telltale import telltale
from finer.traces import dataset_traces, judged

BEES = Path(__file__).resolve().parent.parent / "data" / "bees"
SHOP = """
    CREATE TABLE author (author_id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE book (book_id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES author (author_id), title TEXT NOT NULL, price INTEGER NOT NULL);
    INSERT INTO author VALUES (1, 'Ada'), (2, 'Bo'), (3, 'Cy');
    INSERT INTO book VALUES (1, 1, 'Emma', 5), (2, 2, 'Dune', 9), (3, 2, 'Ulysses', 12), (4, 1, 'Persuasion', 5);"""
ASKED = ("How many books are there?,SELECT COUNT(*) FROM book", "Which books cost more than 9?,SELECT title FROM book WHERE price > 9",
         "Who wrote a book?,SELECT DISTINCT author.name FROM author JOIN book ON book.author_id = author.author_id",
         "What do all books cost?,SELECT SUM(price) FROM book", "Which is the dearest book?,SELECT title FROM book ORDER BY price DESC LIMIT 1")  # fmt: skip


@pytest.fixture
def shop(tmp_path):
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as connection:
        connection.executescript(SHOP)
    return tmp_path / "shop.sqlite"


def asked(folder: Path, *lines: str, header: str = "question,sql", name: str = "questions.csv") -> Path:
    (folder / name).write_text("\n".join((header, *(lines or ASKED))) + "\n", encoding="utf-8")
    return folder / name


# --- what is made -------------------------------------------------------------------------------------------------------------


def test_a_folder_is_made_that_loads_with_splits_classes_instances_and_traces(shop, tmp_path):
    made = prepare(shop, asked(tmp_path), tmp_path / "own")
    dataset = load_dataset(tmp_path / "own")
    assert dataset == made.dataset
    assert [question.split for question in dataset.questions] == ["dev", "train", "train", "train", "dev"]
    assert [question.difficulty for question in dataset.questions] == ["easy", "easy", "easy", "easy", "medium"]
    database = dataset.databases["shop"]
    assert [path.name for path in database.instances] == ["shop.sqlite", "shop_1.sqlite", "shop_2.sqlite", "shop_3.sqlite"]
    assert database.path.read_bytes() == shop.read_bytes()
    assert [trace.question for trace in dataset.traces] == [question.text for question in dataset.questions if question.split == "train"]
    assert dataset.traces[0].thought == "use book; keep price > 9; show title"
    assert made.told[0] == "5 questions over shop.sqlite: 3 to learn from, 2 held out"


def test_every_trace_is_right_on_every_instance(shop, tmp_path):
    dataset = prepare(shop, asked(tmp_path), tmp_path / "own").dataset
    with Judge(dataset.databases) as judge:
        assert [trace.correct for trace in judged(dataset_traces(dataset), judge)] == [True] * 3


def test_each_fold_holds_out_others_and_together_all(shop, tmp_path):
    questions, held_out = asked(tmp_path), []
    for fold in range(3):
        dataset = prepare(shop, questions, tmp_path / f"own-{fold}", instances=0, folds=3, fold=fold).dataset
        held_out += [question.index for question in dataset.questions if question.split == "dev"]
    assert sorted(held_out) == [0, 1, 2, 3, 4]


def test_splits_thoughts_and_further_columns_of_the_file_are_kept(shop, tmp_path):
    header = "question,gold,split,thought,evidence,colour"
    lines = ("How many books?,SELECT COUNT(*) FROM book,train,count them,all of them,red", "Who?,SELECT name FROM author,test,,,")
    made = prepare(shop, asked(tmp_path, *lines, header=header), tmp_path / "own", instances=0)
    first, second = made.dataset.questions
    assert (first.split, second.split, first.evidence) == ("train", "test", "all of them")
    assert [trace.thought for trace in made.dataset.traces] == ["count them"]
    assert any("not read: 'colour'" in sentence for sentence in made.told)


FORMS = {"semicolons": ("question;sql", ";"), "tabs": ("question\tsql", "\t"), "a column called query": ("question,query", ",")}


@pytest.mark.parametrize(("header", "sign"), FORMS.values(), ids=FORMS)
def test_what_spreadsheets_write_is_read(header, sign, shop, tmp_path):
    lines = [line.replace(",", sign, 1) for line in ASKED]
    dataset = prepare(shop, asked(tmp_path, *lines, header=header), tmp_path / "own", instances=0).dataset
    assert [question.text for question in dataset.questions] == [line.split(",")[0] for line in ASKED]


def test_golds_to_doubt_are_named_with_their_line(shop, tmp_path):
    lines = ("Which books cost 100?,SELECT title FROM book WHERE price = 100", "Which is the cheapest?,SELECT title FROM book ORDER BY price LIMIT 1")
    told = prepare(shop, asked(tmp_path, *lines), tmp_path / "own", instances=0).told
    assert any(sentence.startswith("questions.csv, line 2: look at the gold: the gold gives no row") for sentence in told)
    assert any(sentence.startswith("questions.csv, line 3: look at the gold: ") and "before the LIMIT" in sentence for sentence in told)


# --- further instances --------------------------------------------------------------------------------------------------------


def test_mistakes_are_one_a_kind_and_none_is_the_query_itself():
    schema = read_schema(BEES / "bees.sqlite")
    sql = "SELECT label FROM hive WHERE queen_year < 2023"
    found = mistakes(sql, schema, random.Random(0))
    assert sql not in found and len(found) == len(set(found)) > 5
    assert "SELECT label FROM hive WHERE queen_year <= 2023" in found and "SELECT label FROM hive" in found
    assert mistakes("SELECT FROM WHERE", schema, random.Random(0)) == []


def test_copies_tell_a_mistake_that_the_file_does_not(shop):
    schema = read_schema(shop)
    question = Question(0, "shop", "Which books cost more than 9?", ("SELECT title FROM book WHERE price > 9",))
    lucky = "SELECT title FROM book WHERE price > 10"  # nothing costs 10 in the file
    found = telltale(Database("shop", (shop,), schema), [question], count=3)
    paths = [shop]
    for number, content in enumerate(found.contents):
        paths.append(shop.with_name(f"copy_{number}.sqlite"))
        paths[-1].write_bytes(content)
    told = [judged_on(paths[:1], question, lucky, schema), judged_on(paths, question, lucky, schema)]
    assert told == [True, False]
    assert judged_on(paths, question, question.gold[0], schema)
    assert len(found.told) == len(found.contents) + 1 and list(found.told) == sorted(found.told) and found.told[0] < found.told[-1] <= found.variants


def judged_on(paths, question, sql, schema) -> bool | None:
    with Judge({"shop": Database("shop", tuple(paths), schema)}) as judge:
        return judge.judge(question, [sql])[0].correct


def test_the_same_seed_makes_the_same_copies(shop):
    question = Question(0, "shop", "Which books cost more than 9?", ("SELECT title FROM book WHERE price > 9",))
    database = Database("shop", (shop,), read_schema(shop))
    assert telltale(database, [question], 2, seed=5) == telltale(database, [question], 2, seed=5)


# --- what is refused ----------------------------------------------------------------------------------------------------------

GOOD = ASKED[0]
FAULTS = {
    "a wrong column": (("quesion,sql", GOOD), "line 1: the header has no column 'question', only 'quesion', 'sql'; rename 'quesion' to it"),
    "a column of another name": (("ask,sql", GOOD), "line 1: the header has no column 'question', only 'ask', 'sql'; rename the column that holds it to 'question'"),
    "no column of SQL": (("question,answer", GOOD), "line 1: the header has no column 'gold', only 'question', 'answer'"),
    "an empty question": (("question,sql", GOOD, " ,SELECT 1"), "line 3: the column 'question' is empty; fill it in, or delete the line"),
    "no SQL": (("question,sql", GOOD, "Who?,"), "line 3: the column 'sql' is empty; fill it in, or delete the line"),
    "SQL that fails": (("question,sql", GOOD, "Who?,SELECT nme FROM author"), "line 3: the gold does not run (error: no such column: nme); it reads: SELECT nme FROM author"),
    "SQL with another table": (("question,sql", "Who?,SELECT name FROM authors"), "the database has\n  author(author_id, name)\n  book(book_id, author_id -> author.author_id"),
    "SQL that writes": (("question,sql", GOOD, "Who?,DELETE FROM book"), "line 3: gold is not one read-only query (starts with DELETE"),
    "another database": (("question,sql,db_id", GOOD + ",shop", "Who?,SELECT 1,zoo"), "line 3: there is no database 'zoo'"),
    "a question twice": (("question,sql", GOOD, GOOD), "line 3: the same question as line 2"),
    "a comma that is not quoted": (("question,sql", "Who, and where?,SELECT 1"), "line 2: more fields than the header names (['SELECT 1']); quote every field"),
    "no question at all": (("question,sql",), "no question; add one"),
}


@pytest.mark.parametrize(("lines", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_names_file_line_and_mend_and_nothing_is_written(lines, message, shop, tmp_path):
    header, *rest = lines
    path = asked(tmp_path, *(rest or [""]), header=header)
    with pytest.raises(DataError) as fault:
        prepare(shop, path, tmp_path / "own")
    assert str(path) in str(fault.value) and message in str(fault.value)
    assert not list(tmp_path.glob("own*"))


def test_all_golds_that_fail_are_named_at_once(shop, tmp_path):
    with pytest.raises(DataError, match=re.escape("7 of 8 questions cannot be used")) as fault:
        prepare(shop, asked(tmp_path, GOOD, *(f"Who is {n}?,SELECT c{n} FROM book" for n in range(7))), tmp_path / "own")
    assert "line 3: " in str(fault.value) and "line 7: " in str(fault.value) and "and 2 more" in str(fault.value)


def test_a_database_that_is_missing_or_none(shop, tmp_path):
    questions = asked(tmp_path)
    with pytest.raises(DataError, match=r"no database file '.*nowhere\.sqlite'; check the path"):
        prepare(tmp_path / "nowhere.sqlite", questions, tmp_path / "own")
    with pytest.raises(DataError, match=r"questions\.csv: a database file ends in \.sqlite, \.db, \.duckdb; rename it"):
        prepare(questions, questions, tmp_path / "own")
    (tmp_path / "text.db").write_text("no database " * 99, encoding="utf-8")
    with pytest.raises(DataError, match=r"text\.db' is not a readable SQLite database"):
        prepare(tmp_path / "text.db", questions, tmp_path / "own")
    sqlite3.connect(tmp_path / "empty.db").close()
    with pytest.raises(DataError, match=r"empty\.db.* holds no table"):
        prepare(tmp_path / "empty.db", questions, tmp_path / "own")


def test_a_file_of_questions_that_is_missing_or_of_another_kind(shop, tmp_path):
    with pytest.raises(DataError, match=r"no file of questions '.*nowhere\.csv'; check the path"):
        prepare(shop, tmp_path / "nowhere.csv", tmp_path / "own")
    (tmp_path / "questions.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"questions\.xlsx: questions are read from \.jsonl, \.json, \.csv; save it as CSV"):
        prepare(shop, tmp_path / "questions.xlsx", tmp_path / "own")


def test_a_folder_that_holds_something_is_kept(shop, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FinerError, match="is there already, and nothing is written over"):
        prepare(shop, asked(tmp_path), tmp_path / "own")
    assert (tmp_path / "own" / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_folds_that_do_not_fit(shop, tmp_path):
    with pytest.raises(FinerError, match="fold 4 of 4: folds is at least 2, and fold from 0 to 3"):
        prepare(shop, asked(tmp_path), tmp_path / "own", fold=4)


# --- the command, and the example that is shipped ----------------------------------------------------------------------------


def test_the_command_says_what_it_did_and_what_comes_next(shop, tmp_path, capsys):
    assert main(["prepare", str(shop), str(asked(tmp_path)), "--out", str(tmp_path / "own")]) == 0
    said = capsys.readouterr().out
    assert "5 questions over shop.sqlite: 3 to learn from, 2 held out" in said and "3 traces, the thoughts made from the golds" in said
    assert f"finer warmstart --policy tiny --dataset {tmp_path / 'own'}" in said and "finer evaluate" in said


def test_a_fault_is_one_line_of_the_command(shop, tmp_path, capsys):
    assert main(["prepare", str(shop), str(asked(tmp_path, "Who?,SELECT nme FROM author")), "--out", str(tmp_path / "own")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "questions.csv: 1 of 1 questions cannot be used: line 2: the gold does not run" in said


def test_the_shipped_example_is_made_by_its_script_and_its_questions_run(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BEES.parent / "source"))
    from make_bees import make

    with closing(sqlite3.connect(BEES / "bees.sqlite")) as connection:
        assert make() == {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in make()}
    files = [list(csv.DictReader((BEES / name).open(encoding="utf-8"))) for name in ("questions.csv", "reworded.csv")]
    assert [row["sql"] for row in files[0]] == [row["sql"] for row in files[1]]
    assert len({row["question"] for file in files for row in file}) == 40
    shutil.copy(BEES / "questions.csv", tmp_path / "questions.csv")
    made = prepare(BEES / "bees.sqlite", tmp_path / "questions.csv", tmp_path / "own", instances=0)
    assert made.told == ("20 questions over bees.sqlite: 15 to learn from, 5 held out", "no further instances", "15 traces, the thoughts made from the golds")
    assert json.loads((tmp_path / "own" / "questions.jsonl").read_text(encoding="utf-8").splitlines()[0])["question"] == "How many hives do I have?"
