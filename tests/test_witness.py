"""Pairs of queries that agree on the rows of today: the lucky ones are told apart, the equivalent ones never are."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from finer.datasets import Database, Dataset
from finer.fuzz import read_source
from finer.judge import Judge
from finer.metrics import rule
from finer.records import Execution, Question
from finer.sandbox import Sandbox
from finer.schema import read_schema
from finer.settled import settled
from finer.witness import WitnessError, WitnessSearch, find_witness, run_witness, with_witnesses

SHOP = """
CREATE TABLE author (author_id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT, age INTEGER);
CREATE TABLE book (book_id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER REFERENCES author (author_id), price REAL, list_price REAL,
                   year INTEGER, genre TEXT);
INSERT INTO author VALUES (1, 'Ada', 'France', 30), (2, 'Bo', 'Spain', 41), (3, 'Cy', 'France', 52), (4, 'Di', 'Peru', 35);
INSERT INTO book VALUES (1, 'Sea', 1, 9.5, 9.5, 1999, 'poem'), (2, 'Sky', 2, 12.0, 12.0, 2005, 'novel'), (3, 'Sun', 3, 20.0, 20.0, 2010, 'poem'),
                        (4, 'Ice', 1, 15.0, 15.0, 2012, 'novel'), (5, 'Fog', 4, 7.0, 7.0, 2001, 'essay');
"""

# name: (gold, a prediction that gives the same on SHOP)
LUCKY = {
    "DISTINCT missing": ("SELECT DISTINCT title FROM book", "SELECT title FROM book"),
    "> for >=": ("SELECT title FROM book WHERE price >= 13", "SELECT title FROM book WHERE price > 13"),
    "a bound that is off": ("SELECT title FROM book WHERE year > 2005", "SELECT title FROM book WHERE year > 2006"),
    "INNER for LEFT JOIN": (
        "SELECT name, COUNT(book_id) FROM author LEFT JOIN book USING (author_id) GROUP BY author.author_id",
        "SELECT name, COUNT(book_id) FROM author JOIN book USING (author_id) GROUP BY author.author_id",
    ),
    "COUNT(*) for COUNT of a column": ("SELECT COUNT(country) FROM author", "SELECT COUNT(*) FROM author"),
    "the first by order for MIN": ("SELECT MIN(price) FROM book", "SELECT price FROM book ORDER BY price LIMIT 1"),
    "the first row for MIN": ("SELECT MIN(book_id), MIN(author_id) FROM book", "SELECT book_id, author_id FROM book LIMIT 1"),
    "OR for AND": (
        "SELECT name FROM author WHERE country = 'Spain' AND age = 41",
        "SELECT name FROM author WHERE country = 'Spain' OR age = 41",
    ),
    "LIKE for =": ("SELECT name FROM author WHERE country = 'Spain'", "SELECT name FROM author WHERE country LIKE 'spain'"),
    "a pattern for a value": ("SELECT name FROM author WHERE country = 'Spain'", "SELECT name FROM author WHERE country LIKE '%Spain%'"),
    "the join's condition missing": (
        "SELECT DISTINCT name FROM author JOIN book ON author.author_id = book.author_id",
        "SELECT DISTINCT name FROM author, book",
    ),
    "a column that is equal today": ("SELECT title, price FROM book", "SELECT title, list_price FROM book"),
    "a bound of HAVING": (
        "SELECT author_id FROM book GROUP BY author_id HAVING COUNT(*) >= 2",
        "SELECT author_id FROM book GROUP BY author_id HAVING COUNT(*) = 2",
    ),
    "one of several maxima": ("SELECT title FROM book WHERE price = (SELECT MAX(price) FROM book)", "SELECT title FROM book ORDER BY price DESC LIMIT 1"),
    "grouped by the name for the key": (
        "SELECT name, COUNT(*) FROM author JOIN book USING (author_id) GROUP BY author.author_id",
        "SELECT name, COUNT(*) FROM author JOIN book USING (author_id) GROUP BY name",
    ),
    "the other end of an order": ("SELECT title FROM book ORDER BY price", "SELECT title FROM book ORDER BY list_price"),
    "a constant for a subquery": ("SELECT title FROM book WHERE price > (SELECT AVG(price) FROM book)", "SELECT title FROM book WHERE price > 12.7"),
    "UNION ALL for UNION": (
        "SELECT name FROM author UNION SELECT title FROM book",
        "SELECT name FROM author UNION ALL SELECT title FROM book",
    ),
    "a filter that all pass": ("SELECT name FROM author", "SELECT name FROM author WHERE age < 60"),
    "a literal in the query": ("SELECT MAX(age) FROM author", "SELECT 52"),
}

# name: (gold, another way to write it)
SAME = {
    "itself": ("SELECT name FROM author", "SELECT name FROM author"),
    "IN for a join on the key": (
        "SELECT title FROM book JOIN author USING (author_id) WHERE country = 'France'",
        "SELECT title FROM book WHERE author_id IN (SELECT author_id FROM author WHERE country = 'France')",
    ),
    "EXISTS for IN": (
        "SELECT name FROM author WHERE author_id IN (SELECT author_id FROM book)",
        "SELECT name FROM author WHERE EXISTS (SELECT 1 FROM book WHERE book.author_id = author.author_id)",
    ),
    "other aliases": ("SELECT T1.name FROM author AS T1", "SELECT a.name AS who FROM author a"),
    "COUNT of the key": ("SELECT COUNT(*) FROM book", "SELECT COUNT(book_id) FROM book"),
    "COUNT of a column that is NOT NULL": ("SELECT COUNT(*) FROM author", "SELECT COUNT(name) FROM author"),
    "commuted conditions": (
        "SELECT name FROM author WHERE country = 'Spain' AND age > 40",
        "SELECT name FROM author WHERE 40 < age AND country = 'Spain'",
    ),
    "a join that the foreign key makes idle": ("SELECT title FROM book", "SELECT title FROM book JOIN author ON book.author_id = author.author_id"),
    "DISTINCT on the key": ("SELECT author_id FROM author", "SELECT DISTINCT author_id FROM author"),
    "tables joined the other way": (
        "SELECT name, title FROM author JOIN book USING (author_id)",
        "SELECT name, title FROM book JOIN author USING (author_id)",
    ),
    "a tie cut elsewhere": (
        "SELECT country FROM author GROUP BY country ORDER BY COUNT(*) DESC LIMIT 1",
        "SELECT country FROM author GROUP BY country ORDER BY COUNT(*) DESC, country DESC LIMIT 1",
    ),
    "an order that ties leave open": ("SELECT name FROM author ORDER BY age", "SELECT name FROM author ORDER BY age, name DESC"),
    "a mean by hand": ("SELECT AVG(price) FROM book", "SELECT SUM(price) / COUNT(price) FROM book"),
    "bounds on whole numbers": ("SELECT name FROM author WHERE age > 40", "SELECT name FROM author WHERE age >= 41"),
}


def make_database(folder, script=SHOP, name="shop"):
    path = folder / f"{name}.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return Database(name, (path,), read_schema(path, name))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(2) as sandbox:
        yield sandbox


def question(*gold, index=0):
    return Question(index, "shop", "", gold)


def search(shop, sandbox, folder, gold, prediction, **named):
    gold = gold if isinstance(gold, tuple) else (gold,)
    return find_witness(question(*gold), prediction, shop, folder, sandbox=sandbox, seconds=600, **named)


@pytest.mark.parametrize("gold, prediction", LUCKY.values(), ids=LUCKY)
def test_a_lucky_prediction_is_told_apart(shop, sandbox, tmp_path, gold, prediction):
    with Judge({"shop": shop}, sandbox) as judge:
        assert judge.judge(question(gold), [prediction])[0].correct, "it must be right on the main instance, else it is not lucky"
        witness = search(shop, sandbox, tmp_path, gold, prediction)
        assert witness is not None
        further = Database("shop", (*shop.instances, witness.path), shop.schema)
    with Judge({"shop": further}, sandbox) as judge:
        verdict = judge.judge(question(gold), [prediction])[0]
    assert not verdict.correct and verdict.instance == 1
    assert (verdict.gold.rows, verdict.prediction.rows) == (witness.gold_rows, witness.prediction_rows)
    assert witness.reason and witness.perturbations


@pytest.mark.parametrize("gold, prediction", SAME.values(), ids=SAME)
def test_an_equivalent_prediction_is_not(shop, sandbox, tmp_path, gold, prediction):
    assert search(shop, sandbox, tmp_path, gold, prediction, tries=160) is None
    assert not list(tmp_path.rglob("*.sqlite"))


def test_a_witness_is_small_and_keeps_the_keys(shop, sandbox, tmp_path):
    witness = search(shop, sandbox, tmp_path, *LUCKY["> for >="])
    assert witness.path.parent == tmp_path / "shop" and witness.path.name.startswith("w_0_")
    with closing(sqlite3.connect(witness.path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("SELECT COUNT(*) FROM book").fetchone() == (1,)
        assert connection.execute("SELECT COUNT(*) FROM author").fetchone() <= (1,)
    assert witness.reservations == ()


def test_reservations_name_the_null(shop, sandbox, tmp_path):
    witness = search(shop, sandbox, tmp_path, *LUCKY["COUNT(*) for COUNT of a column"])
    assert "NULL in author.country, which has none today" in witness.reservations


def test_reservations_name_what_is_distinct_today(shop, sandbox, tmp_path):
    witness = search(shop, sandbox, tmp_path, *LUCKY["grouped by the name for the key"])
    assert witness.reservations == ("a text twice in author.name, which holds none twice today",)


def test_a_witness_without_reservations_is_preferred(shop, sandbox, tmp_path):
    """The missing join condition shows by a NULL, by an author named twice, or by an author without books."""
    assert search(shop, sandbox, tmp_path, *LUCKY["the join's condition missing"]).reservations == ()


def test_the_same_seed_finds_the_same_witness(shop, sandbox, tmp_path):
    first, second = (search(shop, sandbox, tmp_path, *LUCKY["OR for AND"], seed=3) for _ in range(2))
    assert first == second


def test_a_prediction_must_differ_from_every_gold(shop, sandbox, tmp_path):
    gold, prediction = LUCKY["> for >="]
    assert search(shop, sandbox, tmp_path, (gold, prediction), prediction, tries=80) is None


@pytest.mark.parametrize("metric, found", [("strict", True), ("bird-ex", False), ("spider-ex", False)])
def test_only_what_the_rule_sees_counts(shop, sandbox, tmp_path, metric, found):
    """Duplicate rows: strict alone sees them, BIRD's rule makes sets and Spider's strips DISTINCT."""
    witness = search(shop, sandbox, tmp_path, *LUCKY["DISTINCT missing"], rule=rule(metric), tries=80)
    assert (witness is not None) == found


def test_what_was_found_is_tried_first_for_the_next_question(shop, sandbox, tmp_path):
    gold, prediction = LUCKY["> for >="]
    with WitnessSearch(shop, tmp_path, sandbox=sandbox) as search_:
        first = search_.find(question(gold), [prediction], seconds=600)[prediction]
        second = search_.find(question(gold, index=1), [prediction], seconds=600, tries=0)[prediction]
    assert second.perturbations == first.perturbations
    assert [path.name.split("_")[1] for path in sorted((tmp_path / "shop").iterdir())] == ["0", "1"]


def test_a_prediction_that_fails_or_changes_data_finds_nothing(shop, sandbox, tmp_path):
    before = shop.path.read_bytes()
    for sql in ("DELETE FROM author", "SELECT nobody FROM author", "no SQL at all"):
        assert search(shop, sandbox, tmp_path, "SELECT name FROM author", sql, tries=20) is None
    assert shop.path.read_bytes() == before


def test_a_whole_file_of_answers(shop, tmp_path):
    lucky, same = LUCKY["> for >="], SAME["other aliases"]
    questions = (question(lucky[0]), question(same[0], index=1))
    dataset = Dataset("mine", questions, {"shop": shop})
    answers = [(questions[0], lucky[1])] * 2 + [(questions[1], same[1]), (questions[1], "SELECT 'wrong'")]
    seen = []
    result = run_witness(dataset, answers, tmp_path / "out", seconds_per_question=600, on_progress=lambda *counts: seen.append(counts))
    assert {name: result[name] for name in ("metric", "n", "right", "by_luck", "without_reservation")} == {
        "metric": "strict",
        "n": 4,
        "right": 3,
        "by_luck": 2,
        "without_reservation": 2,
    }
    assert seen[-1] == (2, 2)
    assert json.loads((tmp_path / "out" / "witnesses.json").read_text())["witnesses"] == result["witnesses"]
    further = with_witnesses(dataset, tmp_path / "out")
    assert [str(path) for path in further.databases["shop"].instances[1:]] == [result["witnesses"][0]["path"]]


def test_a_witness_that_leaves_another_gold_to_chance_is_no_further_instance(shop, tmp_path):
    lucky = "SELECT name FROM author WHERE country = 'Spain' AND age = 41", "SELECT name FROM author WHERE country = 'Spain' OR age = 41"
    witness = find_witness(question(lucky[0]), lucky[1], shop, tmp_path, seconds=600)
    with closing(sqlite3.connect(witness.path)) as connection, connection:
        connection.execute("INSERT INTO author (name, age) VALUES ('Twin', 1), ('Twain', 1)")
    dataset = Dataset("mine", (question(lucky[0]), question("SELECT name FROM author ORDER BY age LIMIT 1", index=1)), {"shop": shop})
    assert with_witnesses(dataset, tmp_path).databases["shop"].instances == shop.instances


def test_a_folder_without_witnesses_is_a_mistake(shop, tmp_path):
    with pytest.raises(WitnessError, match="finer witness --out"):
        with_witnesses(Dataset("mine", (), {"shop": shop}), tmp_path)


SETTLED = {
    "rows as a bag": ("SELECT name FROM author", "order"),
    "an order without ties": ("SELECT name FROM author ORDER BY age", "order"),
    "an order with ties": ("SELECT name FROM author ORDER BY country", "rows"),
    "a cut without ties": ("SELECT name FROM author ORDER BY age LIMIT 2", "order"),
    "a cut through a tie": ("SELECT name FROM author ORDER BY country LIMIT 1", ""),
    "a cut through a tie of groups": ("SELECT age FROM author WHERE age <> 30 GROUP BY age ORDER BY COUNT(*) LIMIT 1", ""),
    "a cut without an order": ("SELECT name FROM author LIMIT 2", ""),
    "a cut in a subquery": ("SELECT age FROM author WHERE name = (SELECT name FROM author ORDER BY country LIMIT 1)", ""),
    "a bare column of a group": ("SELECT name, COUNT(*) FROM author GROUP BY country", ""),
    "the row of a maximum": ("SELECT name, MAX(age) FROM author", "order"),
    "texts joined in the order of a scan": ("SELECT group_concat(name) FROM author", ""),
    "ranks with ties": ("SELECT name, rank() OVER (ORDER BY country) FROM author", "order"),
    "one that fails": ("SELECT nobody FROM author", ""),
    "one that would write": ("INSERT INTO author (name) VALUES ('Eve')", ""),
}


@pytest.mark.parametrize("gold, level", SETTLED.values(), ids=SETTLED)
def test_what_is_settled(shop, sandbox, gold, level):
    source = read_source(shop.path)
    result = sandbox.execute(shop.path, gold)
    assert settled(source, source.rows, gold, result if result.ran else Execution("empty")) == level
