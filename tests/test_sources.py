"""The scripts that make the data: grammar, thoughts, faults. Run with: pytest tests/test_sources.py"""

from __future__ import annotations

import doctest
import importlib
import random
import sys
from itertools import islice
from pathlib import Path

import pytest
import sqlglot

SOURCE = Path(__file__).resolve().parent.parent / "data" / "source"
sys.path.insert(0, str(SOURCE))

from faults import FAULTS, POOR, teach
from grammar import ALL_KINDS
from make_starter import TRAIN_DATABASES, UNSEEN_DATABASES, load_world
from pairs import stream
from phrases import Words, plain
from thoughts import normalise, thought
from words import lexicon
from world import random_world

from finer.prompt import parse_completion

FAULTY = {
    "sum_for_average": ("SELECT AVG(price) FROM book", "SELECT SUM(price) FROM book"),
    "max_for_min": ("SELECT MIN(price) FROM book", "SELECT MAX(price) FROM book"),
    "strict_bound": ("SELECT a FROM t WHERE b >= 3", "SELECT a FROM t WHERE b > 3"),
    "wrong_direction": ("SELECT a FROM t ORDER BY b DESC, a", "SELECT a FROM t ORDER BY b ASC, a"),
    "inner_for_left": ("SELECT a FROM t LEFT JOIN u ON t.i = u.i", "SELECT a FROM t JOIN u ON t.i = u.i"),
    "no_group": ("SELECT a, COUNT(*) FROM t GROUP BY a HAVING COUNT(*) > 2", "SELECT a, COUNT(*) FROM t"),
    "no_distinct": ("SELECT COUNT(DISTINCT a) FROM t", "SELECT COUNT(a) FROM t"),
    "no_join_condition": ("SELECT a FROM t JOIN u ON t.i = u.i", "SELECT a FROM t, u"),
    "forgotten_condition": ("SELECT a FROM t WHERE b = 1", "SELECT a FROM t"),
    "last_conjunct": ("SELECT a FROM t WHERE b = 1 AND c = 2", "SELECT a FROM t WHERE b = 1"),
    "lost_negation": ("SELECT a FROM t WHERE i NOT IN (SELECT i FROM u)", "SELECT a FROM t WHERE i IN (SELECT i FROM u)"),
    "key_too": ("SELECT name FROM book", "SELECT book_id, name FROM book"),
    "plural_table": ("SELECT name FROM book", "SELECT name FROM books"),
    "lower_constant": ("SELECT a FROM t WHERE b = 'Oslo'", "SELECT a FROM t WHERE b = 'oslo'"),
}


def test_every_fault_has_a_case():
    assert set(FAULTY) == set(FAULTS)


@pytest.mark.parametrize("name", FAULTY)
def test_fault(name):
    right, wrong = FAULTY[name]
    assert teach(right, {name: 1.0}, random.Random(0)) == (wrong, (name,))


@pytest.mark.parametrize("name", FAULTY)
def test_a_fault_that_does_not_fit_changes_nothing(name):
    sql = "SELECT 1"
    assert teach(sql, {name: 1.0}, random.Random(0)) == (sql, ())


def test_a_habit_of_probability_nought_is_never_shown():
    assert teach("SELECT AVG(a) FROM t", dict.fromkeys(FAULTS, 0.0), random.Random(0))[1] == ()


@pytest.mark.parametrize("kind", [kind for kind, _ in ALL_KINDS], ids=lambda kind: kind.__name__)
def test_every_kind_asks_parseable_questions(kind):
    rng, made = random.Random(3), []
    for _ in range(400):
        words = Words(random_world(rng), rng) if kind.__name__ != "own_pairs" else Words(load_world("company"), rng)
        try:
            made.append(kind(words))
        except LookupError:
            continue
        if len(made) == 8:
            break
    assert made, "no world could ask it"
    for asked in made:
        assert plain(asked.text)[-1] in "?.)" and "«" not in plain(asked.text)
        assert normalise(normalise(asked.sql)) == normalise(asked.sql)
        used = {table.name for table in sqlglot.parse_one(asked.sql, read="sqlite").find_all(sqlglot.exp.Table)} - {"counts"}
        assert used <= set(asked.tables), asked


def test_pairs_come_out_the_same_from_the_same_seed_and_avoid_what_they_must():
    worlds = [load_world("library")]
    first = list(islice(stream(5, worlds, POOR, 0.5, frozenset()), 40))
    assert first == list(islice(stream(5, worlds, POOR, 0.5, frozenset()), 40))
    avoided = frozenset(made.question for made in first[:10])
    assert not avoided & {made.question for made in islice(stream(5, worlds, POOR, 0.5, avoided), 40)}


def test_completions_keep_the_format():
    for made in islice(stream(6, [load_world("shop")], {}, 0.3, frozenset()), 60):
        parsed = parse_completion(made.completion)
        assert parsed.well_formed and parsed.sql == made.sql, parsed.reason


def test_thought_follows_a_nested_query():
    sql = "SELECT name FROM a WHERE x > (SELECT AVG(x) FROM a)"
    assert thought(sql) == "use a; keep x > (use a; show AVG(x)); show name"
    assert thought(sql, "steps").splitlines()[0] == "1. The table needed is a."


@pytest.mark.parametrize("module", ["phrases", "thoughts", "words"])
def test_doctests(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_the_databases_named_are_those_there():
    assert {path.stem for path in (SOURCE / "domains").glob("*.py")} == {*TRAIN_DATABASES, *UNSEEN_DATABASES}


@pytest.mark.parametrize("db_id", [*TRAIN_DATABASES, *UNSEEN_DATABASES])
def test_the_committed_database_is_what_the_script_makes(db_id):
    import sqlite3

    for variant in range(4):
        name = f"{db_id}_{variant}" if variant else db_id
        connection = sqlite3.connect(f"file:{SOURCE.parent / 'starter' / 'databases' / db_id / name}.sqlite?mode=ro", uri=True)
        for table, rows in load_world(db_id, variant).rows.items():
            assert connection.execute(f"SELECT * FROM {table}").fetchall() == rows, (name, table)


@pytest.fixture(scope="module")
def tokenizer():
    from make_tiny import make_tokenizer

    worlds = [load_world(name) for name in TRAIN_DATABASES[:3]]
    sample = islice(stream(1, worlds, {}, share_random=0.4, avoid=frozenset()), 300)
    return make_tokenizer([text for made in sample for text in (made.prompt, made.completion)])


COPIED = {
    "a name": ("Which loans has Grace Quinn made?", "Grace Quinn", "SELECT x FROM t WHERE name = 'Grace Quinn'"),
    "a number": ("products above 2150000, please", "2150000", "WHERE price > 2150000"),
    "a decimal": ("a rating of at least 4.25?", "4.25", "WHERE rating >= 4.25)"),
    "a date": ("after 2019-05-03.", "2019-05-03", "x > '2019-05-03'"),
}


@pytest.mark.parametrize("case", COPIED, ids=str)
def test_a_value_is_the_same_tokens_in_a_question_and_in_sql(case, tokenizer):
    question, value, sql = COPIED[case]
    tokens = tokenizer.tokenize(value)
    for text in (question, sql):
        found = tokenizer.tokenize(text)
        assert any(found[start:start + len(tokens)] == tokens for start in range(len(found))), found


@pytest.mark.parametrize(("question", "name"), [("Which bikes are red?", "bike"), ("the quorks' prices", "quork"), ("fees", "fee")])
def test_a_plural_begins_with_the_tokens_of_its_singular(question, name, tokenizer):
    tokens, found = tokenizer.tokenize(name), tokenizer.tokenize(question)
    assert any(found[start:start + len(tokens) + 1] == [*tokens, "s"] for start in range(len(found))), found


def test_the_lexicon_holds_no_word_of_sql():
    assert len(lexicon()) > 5000 and not {"select", "count", "union"} & set(lexicon())


def test_a_rare_word_that_sql_knows_is_passed_over(monkeypatch):
    monkeypatch.setattr("world.rare_word", lambda rng: "union")
    made = list(islice(stream(3, [load_world("shop")], {}, share_random=0.5, avoid=frozenset(), share_rare=0.5), 60))
    assert len(made) == 60 and not any("union" in pair.sql.lower().split()[:5] for pair in made)


ODD_TEXTS = {
    "what is not a word": "a  b\n\n\tc -- x - 5 a-b --x -5 > -5, 1e-5 v1.2.3 .5x a.b.5",
    "other alphabets": "José García z’s 'ü' 日本 é\tq Ωmega Ж",
    "its own marks": "## \u203f \u0120 <think>\nuse t\n</think>\nSELECT 1 <|end",
    "blanks at both ends": "  x ",
    "a plural's s, and words that are s": "bikes are bike s, s s; ss cass cats's bike's books_s 1990s As is x s_x sat s",
}


@pytest.mark.parametrize("case", ODD_TEXTS, ids=str)
def test_any_text_comes_back_as_it_was(case, tokenizer):
    assert tokenizer.decode(tokenizer(ODD_TEXTS[case])["input_ids"]) == ODD_TEXTS[case]


def test_every_pair_comes_back_as_it_was(tokenizer):
    worlds = [load_world(name) for name in TRAIN_DATABASES]
    for made in islice(stream(2, worlds, {}, share_random=0.4, avoid=frozenset()), 200):
        for text in (made.prompt, made.completion):
            assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
