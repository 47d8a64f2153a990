"""Two results side by side, over a shop of four books: which rows each has alone, and which rules flip."""

from __future__ import annotations

import re

import pytest
from shop import make_shop

from finer.records import Question
from finer.render import result_difference
from finer.results import ROWS_KEPT, RULES, compare_results
from finer.sandbox import Sandbox

GOLD = "SELECT title, price FROM book WHERE price = 9"
DISTINCT = "SELECT DISTINCT author FROM book WHERE price = 9"

# name, gold, answer, the verdict of each rule in the order strict, ordered, bag, bird-ex, spider-ex
CASES = [
    ("the gold itself", GOLD, GOLD, (True, True, True, True, True)),
    ("columns turned round", GOLD, "SELECT price, title FROM book WHERE price = 9", (False, False, False, False, True)),
    ("a missing DISTINCT", DISTINCT, "SELECT author FROM book WHERE price = 9", (False, False, False, True, True)),
    ("another order", "SELECT title FROM book", "SELECT title FROM book ORDER BY title", (True, False, True, True, True)),
    ("an order asked for", "SELECT title FROM book ORDER BY title", "SELECT title FROM book", (False, False, True, True, False)),
    ("right by luck on the main instance", GOLD, "SELECT title, price FROM book WHERE price > 8", (True, True, True, True, True)),
    ("wrong on the other instance alone", "SELECT title FROM book WHERE price > 6", "SELECT title FROM book WHERE price > 8",
     (False, False, False, True, True)),
    ("an answer that fails", GOLD, "SELECT nothing FROM book", (False, False, False, False, False)),
    ("a gold that fails", "SELECT nothing FROM book", GOLD, (None, None, None, None, None)),
]  # fmt: skip


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return make_shop(tmp_path_factory.mktemp("shop")).databases["shop"]


def compared(shop, sandbox, gold, sql):
    return compare_results(Question(0, "shop", "?", (gold,)), sql, shop, sandbox)


@pytest.mark.parametrize(("gold", "sql", "verdicts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_rule_gives_its_own_verdict(shop, sandbox, gold, sql, verdicts):
    comparison = compared(shop, sandbox, gold, sql)
    assert tuple(comparison.verdict(name) for name in RULES) == verdicts
    assert comparison.flips == (len(set(verdicts)) > 1)


def test_rows_are_sorted_into_both_and_either(shop, sandbox):
    main = compared(shop, sandbox, "SELECT title FROM book WHERE price = 9", "SELECT title FROM book WHERE author = 1 OR title = 'Dune'").instances[0]
    assert (main.both.shown, main.only_gold.shown) == ((("Dune",),), (("Ulysses",),))
    assert set(main.only_prediction.shown) == {("Emma",), ("Persuasion",)}
    assert (main.both.count, main.only_gold.count, main.only_prediction.count) == (1, 1, 2)


def test_a_row_given_once_too_often_stands_alone_once(shop, sandbox):
    main = compared(shop, sandbox, DISTINCT, "SELECT author FROM book WHERE price = 9").instances[0]
    assert (main.both.count, main.only_gold.count, main.only_prediction.shown) == (1, 0, ((2,),))


def test_rows_of_another_width_have_no_partner(shop, sandbox):
    main = compared(shop, sandbox, GOLD, "SELECT title FROM book WHERE price = 9").instances[0]
    assert (main.both.count, main.only_gold.count, main.only_prediction.count) == (0, 2, 2)


def test_counts_are_of_all_rows_and_few_are_kept(shop, sandbox):
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i FROM n"
    main = compared(shop, sandbox, many, many).instances[0]
    assert (main.both.count, len(main.both.shown)) == (500, ROWS_KEPT)


def test_a_database_that_is_not_here_is_said_and_shown(tmp_path):
    lost = make_shop(tmp_path).databases["lost"]
    comparison = compare_results(Question(0, "lost", "?", ("SELECT 1",)), "SELECT 1", lost)
    assert comparison.missing == "the database 'lost' is not here: no file"
    assert comparison.verdict("strict") is None
    assert "Nothing was run" in result_difference(comparison)


def test_the_page_says_which_rules_disagree_and_opens_where_they_do(shop, sandbox):
    drawn = result_difference(compared(shop, sandbox, "SELECT title FROM book WHERE price > 6", "SELECT title FROM book WHERE price > 8"))
    assert "The rules disagree" in drawn and "under bird-ex, spider-ex" in drawn
    assert drawn.count("<details") == 2 and "<details open><summary>Rows on instance 1: 0 in both, 1 only in gold" in drawn


def test_rows_that_are_alike_stand_once_with_their_number(shop, sandbox):
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) SELECT i % 2 FROM n"
    comparison = compared(shop, sandbox, "SELECT 1", many)
    assert comparison.instances[0].only_prediction.each == (((1,), 299), ((0,), 300))
    drawn = result_difference(comparison)
    main = drawn[drawn.index("<details") : drawn.index("</details>")]
    assert "only in the answer, 299 times</th>" in main and "only in the answer, 300 times</th>" in main and "= in both</th>" in main
    assert " more</td>" not in main


def test_each_rule_shows_the_rows_that_it_cannot_pair(shop, sandbox):
    """A row twice instead of once: one too many for strict and for the bag, none for BIRD's sets."""
    drawn = result_difference(compared(shop, sandbox, DISTINCT, "SELECT author FROM book WHERE price = 9"))
    main = drawn[drawn.index("<details") : drawn.index("</details>")]
    assert "<b>bag</b>: ✗ differs: " in main and "<b>bird-ex</b>: ✓ equal." in main
    shown = re.findall(r'<div class="(e-of e-of[^"]*)">(.*?)</table>', main)
    assert [(classes.split()[1:], "+ only in the answer" in table) for classes, table in shown] == [(["e-of-strict", "e-of-ordered", "e-of-bag"], True)]
    assert "It looks at the main instance alone" in drawn and "It looks at the main instance alone" not in main


def test_values_that_look_alike_are_told_apart_and_text_is_escaped(shop, sandbox):
    drawn = result_difference(compared(shop, sandbox, "SELECT 1, NULL, '<b>'", "SELECT '1', '', '<b>'"))
    for shown in ("<td class=\"f-text\">1</td>", "<em>NULL</em>", "&#x27;1&#x27;", "&#x27;&lt;b&gt;&#x27;"):
        assert shown in drawn
    assert "<b>'" not in drawn
