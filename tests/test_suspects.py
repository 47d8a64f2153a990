"""Golds in doubt, and the alternatives that people accept. Run with: pytest tests/test_suspects.py"""

from __future__ import annotations

import json
import re

import pytest
from shop import make_shop

from finer.judge import Judge
from finer.metrics import rule
from finer.predictions import Prediction
from finer.sandbox import Sandbox
from finer.suspects import AlternativesError, accept, find_suspects, read_alternatives


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return make_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def judge(shop):
    with Judge(shop.databases) as judge:
        yield judge


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


def found(*arguments, **named):
    return [(one.index, one.kind, one.reason) for one in find_suspects(*arguments, **named)]


DOUBTS = [
    (2, "tie", "2 rows are equal in the order for 1 place before the LIMIT: 'Dune', 'Ulysses'"),
    (3, "empty", "the gold gives no row, so every query without a row is right"),
    (4, "fails", "the gold gives error: no such table: nobody"),
]


def test_golds_that_fail_are_empty_or_cut_a_tie(shop, judge):
    assert found(shop, judge) == DOUBTS
    assert found(shop, judge, indices=[0, 1, 3]) == DOUBTS[1:2]


def answers(shop, index, *sqls):
    return [(shop.question(index), Prediction(index, sql)) for sql in sqls]


SAME = ("SELECT title FROM book WHERE price > 5", "SELECT title FROM book WHERE price = 9", "SELECT title FROM book WHERE price > 6")
OTHER = ("SELECT author FROM book", "SELECT b.author FROM book b", "SELECT author FROM book WHERE 1")
MAJORITIES = {
    "most agree with the gold": (SAME, None),
    "all agree on another result": (OTHER, "3 of 3 answers agree on another result"),
    "most do": ((*OTHER, *SAME[:2]), "3 of 5 answers agree on another result"),
    "half of them is not most": ((*OTHER, *SAME), None),
    "two answers say nothing": (OTHER[:2], None),
    "answers that fail agree on nothing": (("SELECT x", "SELECT x", "SELECT x"), None),
    "three results": ((SAME[0], OTHER[0], "SELECT 1"), None),
}


@pytest.mark.parametrize(("sqls", "reason"), MAJORITIES.values(), ids=MAJORITIES)
def test_golds_that_most_answers_are_against(shop, judge, sqls, reason):
    (suspect,) = find_suspects(shop, judge, answers(shop, 1, *sqls), indices=[1]) or [None]
    assert (suspect and suspect.reason) == reason
    assert reason is None or suspect.answer == OTHER[0]


def test_the_rule_says_which_results_are_the_same(shop):
    sqls = ["SELECT title, price FROM book WHERE price = 9", "SELECT price, title FROM book WHERE price = 9", "SELECT price, title FROM book WHERE price > 8"]
    for name, agreed in (("strict", "2 of 3"), ("spider-ex", "3 of 3")):
        with Judge(shop.databases, rule=rule(name)) as judge:
            (suspect,) = find_suspects(shop, judge, answers(shop, 1, *sqls), indices=[1])
            assert suspect.reason.startswith(agreed)


def test_an_alternative_is_written_with_who_and_why(shop, sandbox, tmp_path):
    file = tmp_path / "alternatives.jsonl"
    first = accept(shop, 2, "SELECT 'Ulysses'", " Ada ", "equally dear", file, sandbox)
    accept(shop, 1, "SELECT 'Dune'", "Bo", "the one in stock", file, sandbox)
    assert {name: first[name] for name in ("index", "db_id", "question", "sql", "who", "why")} == {
        "index": 2, "db_id": "shop", "question": "Which book is the dearest?", "sql": "SELECT 'Ulysses'", "who": "Ada", "why": "equally dear",
    }  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", first["when"])
    assert [one["index"] for one in read_alternatives(file, shop)] == [2, 1]


REFUSED = {
    "no such question": ((99, "SELECT 1", "Ada", "so"), "has no question 99"),
    "nobody": ((1, "SELECT 1", " ", "so"), "needs a name and a reason"),
    "no reason": ((1, "SELECT 1", "Ada", ""), "needs a name and a reason"),
    "no query": ((1, "DROP TABLE book", "Ada", "so"), "not one read-only query: starts with DROP"),
    "a query that fails": ((1, "SELECT isbn FROM book", "Ada", "so"), "gives error on instance 0 of shop: no such column: isbn"),
    "the gold itself": ((0, "SELECT count(*) FROM book", "Ada", "so"), "question 0 has this reference already"),
    "accepted already": ((2, "SELECT 'Dune'", "Ada", "so"), "question 2 has this reference already"),
}


@pytest.mark.parametrize(("given", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_accepted_leaves_the_file_as_it_was(shop, sandbox, tmp_path, given, message):
    file = tmp_path / "alternatives.jsonl"
    accept(shop, 2, "SELECT 'Dune'", "Bo", "so", file, sandbox)
    before = file.read_bytes()
    with pytest.raises(AlternativesError, match=message):
        accept(shop, *given, file, sandbox)
    assert file.read_bytes() == before


GOOD = {"index": 0, "db_id": "shop", "question": "How many books are there?", "sql": "SELECT 4", "who": "Ada", "why": "so", "when": "2026-01-01"}
BAD_LINES = {
    "not JSON": ("{", "line 2 is not JSON"),
    "not an object": ("[]", "line 2: wanted is an object"),
    "no name": (json.dumps({**GOOD, "who": None}), "line 2: wanted is an object with 'index' as a number and db_id, question, sql, who"),
    "another question": (json.dumps({**GOOD, "question": "How many authors?"}), "line 2: question 0 of 'the shop' is another one"),
    "another database": (json.dumps({**GOOD, "db_id": "market"}), "line 2: question 0 of 'the shop' is another one"),
}


@pytest.mark.parametrize(("line", "message"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_file_of_alternatives_is_named_with_its_line(shop, tmp_path, line, message):
    file = tmp_path / "alternatives.jsonl"
    file.write_text(f"{json.dumps(GOOD)}\n{line}\n")
    with pytest.raises(AlternativesError, match=message):
        read_alternatives(file, shop)


def test_alternatives_of_another_split_are_passed_over(shop, tmp_path):
    file = tmp_path / "alternatives.jsonl"
    file.write_text(f"{json.dumps(GOOD)}\n{json.dumps({**GOOD, 'index': 77})}\n")
    assert [one["index"] for one in read_alternatives(file, shop)] == [0]
