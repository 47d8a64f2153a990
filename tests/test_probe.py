"""The probe: its rewrites and edits on a small database, and what it says of rewards that are known to be good or bad. Run: pytest tests/test_probe.py"""

from __future__ import annotations

import json
import random
import sqlite3
from dataclasses import replace

import pytest

from finer.datasets import Database, Dataset
from finer.judge import Judge
from finer.probe import BREAKING, PRESERVING, RewardError, cases, load_reward, run_probe
from finer.probe.cases import Case, ladder
from finer.probe.figures import auc, spearman
from finer.probe.labels import LabelError, read_labelled
from finer.probe.measures import call
from finer.probe.report import Scored, label_figures, measure_figures
from finer.probe.trees import read, write
from finer.records import Question, Trace
from finer.schema import read_schema

SCRIPT = """
CREATE TABLE author (author_id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT);
CREATE TABLE book (book_id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER NOT NULL REFERENCES author(author_id), year INTEGER, price REAL);
INSERT INTO author VALUES (1, 'Ada', 'Kenya'), (2, 'Bo', 'Peru'), (3, 'Cy', 'Kenya'), (4, 'Di', NULL);
"""
ROWS = (
    "INSERT INTO book VALUES (1, 'Fog', 1, 1999, 9.5), (2, 'Rain', 1, 2004, 12.0), (3, 'Sun', 2, 2010, 7.25), (4, 'Fog', 3, 2004, NULL), (5, 'Sea', 2, 2012, 12.0)",
    "INSERT INTO book VALUES (1, 'Fog', 3, 2001, 4.0), (2, 'Fog', 1, 2004, 8.0), (3, 'Sea', 2, NULL, 15.0), (4, 'Ice', 2, 2012, 9.0), (5, 'Sun', 2, 2012, 2.5)",
)
QUERIES = [
    "SELECT title FROM book WHERE year > 2000 AND price <= 12",
    "SELECT DISTINCT country FROM author WHERE country IS NOT NULL",
    "SELECT author.name, book.title FROM author JOIN book ON book.author_id = author.author_id WHERE book.year BETWEEN 2000 AND 2010",
    "SELECT a.name, COUNT(*) FROM author AS a JOIN book AS b ON b.author_id = a.author_id GROUP BY a.author_id HAVING COUNT(*) > 1",
    "SELECT a.name, COUNT(b.book_id) FROM author AS a LEFT JOIN book AS b ON b.author_id = a.author_id GROUP BY a.author_id ORDER BY a.name",
    "SELECT name FROM author WHERE author_id IN (SELECT author_id FROM book WHERE year = 2004)",
    "SELECT name FROM author WHERE author_id NOT IN (SELECT author_id FROM book)",
    "SELECT name FROM author WHERE NOT EXISTS (SELECT 1 FROM book WHERE book.author_id = author.author_id AND book.price > 10)",
    "SELECT book.title FROM book JOIN author ON book.author_id = author.author_id WHERE author.country = 'Kenya'",
    "SELECT title FROM book WHERE author_id IN (SELECT author_id FROM author WHERE country = 'Kenya')",
    "SELECT title FROM book WHERE title LIKE 'F%' OR title IN ('Sun', 'Ice')",
    "SELECT country, MAX(year) FROM author JOIN book USING (author_id) WHERE country <> 'Peru' GROUP BY country",
    "SELECT name FROM author WHERE country = 'Kenya' EXCEPT SELECT name FROM author JOIN book ON book.author_id = author.author_id WHERE year < 2004",
    "WITH late AS (SELECT author_id, COUNT(*) AS books FROM book WHERE year >= 2004 GROUP BY author_id) SELECT name FROM author JOIN late ON late.author_id = author.author_id WHERE books = 1",
    "SELECT AVG(books) FROM (SELECT author_id, COUNT(*) AS books FROM book GROUP BY author_id) AS counted",
    "SELECT title, RANK() OVER (PARTITION BY author_id ORDER BY year DESC) FROM book",
    "SELECT title, CASE WHEN price > 9 THEN 'dear' ELSE 'cheap' END FROM book ORDER BY year DESC, title LIMIT 3",
    "SELECT SUM(price) - MIN(price), COUNT(DISTINCT author_id) FROM book WHERE price = (SELECT MAX(price) FROM book)",
]
THOUGHT = "Use the table book and keep the rows that the question asks for."


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    paths = tuple(folder / f"library_{number}.sqlite" for number in range(len(ROWS)))
    for path, rows in zip(paths, ROWS):
        connection = sqlite3.connect(path)
        connection.executescript(SCRIPT + rows)
        connection.close()
    questions = tuple(Question(index, "library", f"Question {index}?", (sql,)) for index, sql in enumerate(QUERIES))
    traces = (Trace(0, "shop", "q", THOUGHT, "SELECT 1", "starter"),)
    return Dataset("small", questions, {"library": Database("library", paths, read_schema(paths[0], "library"))}, traces)


@pytest.fixture(scope="module")
def judge(dataset):
    with Judge(dataset.databases) as judge:
        yield judge


def texts(change, sql, schema):
    tree = read(sql)
    before = write(tree)
    found = [changed if isinstance(changed, str) else write(changed) for changed in change(tree, schema, random.Random(3))]
    assert write(tree) == before, f"{change.__name__} changed the tree it was given"
    return found


# -- rewrites and edits -----------------------------------------------------------------------------------------------


def test_there_are_enough_and_each_has_a_name_of_its_own():
    names = [change.__name__ for change in PRESERVING + BREAKING]
    assert len(PRESERVING) >= 14 and len(BREAKING) >= 18 and len(set(names)) == len(names)


@pytest.mark.parametrize("change", PRESERVING, ids=lambda change: change.__name__)
def test_a_preserving_rewriting_changes_no_result(change, dataset, judge):
    """Every place of every query, not a sample; and each rewriting fits somewhere."""
    fitted = 0
    for question in dataset.questions:
        found = texts(change, question.gold[0], dataset.databases["library"].schema)
        fitted += len(found)
        for sql, verdict in zip(found, judge.judge(question, found), strict=True):
            assert verdict.correct, f"{question.gold[0]}\n{sql}\n{verdict.reason}"
    assert fitted


@pytest.mark.parametrize("change", BREAKING, ids=lambda change: change.__name__)
def test_a_breaking_edit_gives_another_query(change, dataset, judge):
    """Most change a result here; what matters is that each fits somewhere and changes one at least once."""
    broken = 0
    for question in dataset.questions:
        found = texts(change, question.gold[0], dataset.databases["library"].schema)
        assert write(read(question.gold[0])) not in found and all(read(sql) is not None for sql in found)
        broken += sum(verdict.correct is False for verdict in judge.judge(question, found)) if found else 0
    assert broken


def test_a_ladder_has_five_rungs_each_one_edit_further(dataset):
    schema = dataset.databases["library"].schema
    rungs = ladder(read(QUERIES[3]), schema, random.Random(1))
    assert [case.edits for case in rungs] == [1, 2, 3, 4, 5] and len({case.sql for case in rungs}) == 5
    assert [case.change.count(" + ") for case in rungs] == [0, 1, 2, 3, 4]
    assert ladder(read("SELECT 1"), schema, random.Random(1)) == []


# -- what is drawn ----------------------------------------------------------------------------------------------------


def one_more_condition(tree, schema, rng):
    copy = tree.copy()
    yield copy.where("1 = 0") if isinstance(copy, type(read("SELECT 1"))) else copy


def a_comment(tree, schema, rng):
    yield write(tree) + " -- no change"


def test_what_the_result_does_not_bear_out_is_set_aside(dataset, judge, monkeypatch):
    monkeypatch.setattr(cases, "PRESERVING", (one_more_condition, a_comment))
    monkeypatch.setattr(cases, "BREAKING", (one_more_condition, a_comment))
    (drawn,) = cases.draw(replace(dataset, questions=dataset.questions[:1]), judge, most=10, ladders=0)
    assert {(case.family, case.change) for case in drawn.cases} == {("preserving", "a_comment"), ("breaking", "one_more_condition")}
    assert {(case.family, case.change) for case in drawn.set_aside} == {("preserving", "one_more_condition"), ("breaking", "a_comment")}


def comments_and_a_condition(tree, schema, rng):
    yield from (write(tree) + f" -- {word}" for word in ("one", "two"))
    yield from one_more_condition(tree, schema, rng)


def test_another_text_of_an_edit_is_tried_where_one_changes_nothing(dataset, judge, monkeypatch):
    monkeypatch.setattr(cases, "PRESERVING", ())
    monkeypatch.setattr(cases, "BREAKING", (comments_and_a_condition,))
    found = [next(cases.draw(replace(dataset, questions=dataset.questions[:1]), judge, 10, 0, seed)) for seed in range(6)]
    assert all("1 = 0" in case.sql for drawn in found for case in drawn.cases) and all(len(drawn.cases) == 1 for drawn in found)
    assert {len(drawn.set_aside) for drawn in found} == {0, 1, 2}


def test_drawing_is_repeatable_and_stops_at_enough(dataset, judge):
    first, again, other = (list(cases.draw(dataset, judge, 2, 3, seed)) for seed in (5, 5, 6))
    assert first == again != other
    counted = [case.change for drawn in first for case in drawn.cases if case.family != "ladder"]
    assert max(counted.count(name) for name in counted) == 2
    assert sum(any(case.family == "ladder" for case in drawn.cases) for drawn in first) <= 3


@pytest.mark.parametrize("gold", ["SELECT nothing FROM nowhere", "VALUES (1)"], ids=["gold that fails", "gold that is no SELECT"])
def test_a_question_without_a_usable_gold_is_passed_over(dataset, judge, gold):
    questions = (Question(0, "library", "?", (gold,)),)
    assert list(cases.draw(replace(dataset, questions=questions), judge, 5, 5)) == []


# -- rewards that are known to be good or bad -------------------------------------------------------------------------


def length(prompts, completions, **columns):
    """Paid by the character: a longer wrong text beats a shorter right one."""
    return [float(len(text)) for text in completions]


def constant(prompts, completions, **columns):
    return [1.0] * len(completions)


def prose_lover(completions, **columns):
    return [2.0 if "SELECT" not in text else 1.0 for text in completions]


def never(completions, **columns):
    return [None] * len(completions)


@pytest.fixture(scope="module")
def report(dataset):
    return run_probe(dataset, cases=6, seed=2)


def test_every_part_and_recipe_is_measured(report):
    parts = [f"part {name}" for name in ("format", "execution", "atomic", "bigram", "result", "memory")]
    assert [each.name for each in report.measures] == parts + [f"recipe {name}" for name in ("sparse", "paper", "bigram", "result", "finer", "finer-near")]
    assert report.questions > 10 and report.measure("part atomic").preserving.count > 50
    with pytest.raises(KeyError, match="'part style' was not measured; there are"):
        report.measure("part style")


@pytest.mark.parametrize("name", ["sparse", "paper", "bigram", "result", "finer", "finer-near"])
def test_no_recipe_pays_a_wrong_query_like_a_right_one(report, name):
    found = report.measure(f"recipe {name}")
    assert found.preserving_full == found.breaking_less == 1
    assert found.wrong_above_right.inverted == 0 < found.wrong_above_right.pairs
    assert found.text_above_query.inverted == 0 < found.text_above_query.pairs


def test_operations_are_told_apart_better_than_bigrams(report):
    atomic, bigram = report.measure("part atomic"), report.measure("part bigram")
    assert atomic.preserving_full > 0.9 and bigram.preserving_full < 0.5
    assert atomic.breaking_less > 0.95
    assert -1 <= atomic.spearman_within < -0.5


def test_what_sees_only_the_thought_cannot_tell_queries_apart(report):
    memory = report.measure("part memory")
    assert memory.preserving_full == 1 and memory.breaking_less == 0 and memory.spearman_within == 0


@pytest.mark.parametrize(
    ("reward", "full", "less", "wrong_above_right", "text_above_query"),
    [(constant, 1, 0, False, False), (length, None, None, True, True), (prose_lover, 1, 0, False, True), (never, None, None, False, False)],
    ids=["constant", "length", "prose lover", "never scores"],
)
def test_a_bad_reward_is_found_out(dataset, capsys, reward, full, less, wrong_above_right, text_above_query):
    found = run_probe(dataset, recipes=(), reward=reward, limit=8, cases=3).measure("reward")
    if full is not None:
        assert (found.preserving_full, found.breaking_less) == (full, less)
    assert bool(found.wrong_above_right.inverted) is wrong_above_right
    assert bool(found.wrong_above_right.examples) is wrong_above_right
    assert bool(found.text_above_query.inverted) is text_above_query
    printed = capsys.readouterr().out
    assert ("reward: a wrong query paid more than a right one" in printed) is wrong_above_right


def test_examples_of_an_inversion_say_what_was_paid_for_what(dataset):
    found = run_probe(dataset, recipes=(), reward=prose_lover, limit=4, cases=2).measure("reward").text_above_query
    example = found.examples[0]
    assert (example.score, example.against_score) == (2.0, 1.0) and read(example.against) is not None
    assert len({each.index for each in found.examples}) == len(found.examples)


# -- a reward function of one's own -----------------------------------------------------------------------------------


def test_a_function_is_called_as_trl_calls_it(dataset):
    seen = {}

    def spy(prompts, completions, **columns):
        seen.update(columns, prompts=prompts, completions=completions)
        return [0.5] * len(completions)

    assert call(spy, dataset.questions[2], dataset.databases["library"].schema, ["a", "b"]) == [0.5, 0.5]
    assert seen["index"] == [2, 2] and seen["gold"] == [[QUERIES[2]]] * 2 and seen["db_id"] == ["library"] * 2
    assert seen["completions"] == ["a", "b"] and seen["prompts"][0][-1]["role"] == "user"


def raises(**_):
    raise ZeroDivisionError("by zero")


@pytest.mark.parametrize(
    ("reward", "message"),
    [
        (raises, "failed on question 0: ZeroDivisionError: by zero. It is called with prompts, completions"),
        (lambda **_: 1.0, "returned no list for the 2 completions of question 0"),
        (lambda **_: [1.0], "returned 1 values for the 2 completions of question 0"),
        (lambda **_: ["good", 1.0], "returned 'good' on question 0; return a number, or None"),
        (lambda **_: [float("nan"), 1.0], "returned nan on question 0"),
    ],
    ids=["raises", "one number", "too few", "text", "nan"],
)
def test_a_function_that_returns_no_scores_is_refused(dataset, reward, message):
    with pytest.raises(RewardError, match=message):
        call(reward, dataset.questions[0], dataset.databases["library"].schema, ["a", "b"])


def test_a_function_is_loaded_by_its_path(tmp_path, dataset):
    (tmp_path / "mine.py").write_text("def reward(completions, **_):\n    return [1.0 for _ in completions]\n")
    place = f"{tmp_path / 'mine.py'}:reward"
    assert load_reward(place)(completions=["x"]) == [1.0]
    assert run_probe(dataset, recipes=["sparse"], reward=place, limit=2, cases=1).measure("reward").breaking_less == 0


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("mine.py", "'mine.py' names no reward function; write FILE.py:NAME"),
        ("mine.py:a-b", "names no reward function"),
        ("gone.py:reward", "there is no file '.*gone.py'; check the path"),
        ("mine.py:other", "holds no reward function 'other'"),
        ("mine.py:NUMBER", "NUMBER' is int and no function"),
        ("broken.py:reward", "cannot be loaded: SyntaxError"),
        ("plain.txt:reward", "is no Python file"),
    ],
)
def test_a_function_that_cannot_be_loaded_says_why(tmp_path, place, message):
    (tmp_path / "mine.py").write_text("NUMBER = 1\ndef reward(completions, **_):\n    return []\n")
    (tmp_path / "broken.py").write_text("def reward(:\n")
    (tmp_path / "plain.txt").write_text("reward")
    with pytest.raises(RewardError, match=message):
        load_reward(str(tmp_path / place) if ":" in place else place)


# -- labelled predictions ---------------------------------------------------------------------------------------------

LINES = [
    {"index": 0, "sql": QUERIES[0], "execution": "ok"},
    {"index": 0, "sql": "SELECT title FROM book WHERE year > 2001 AND price <= 12", "execution": "ok"},  # right on the main instance alone
    {"index": 0, "sql": "SELECT title FROM book", "execution": "wrong"},
    {"index": 0, "sql": "I cannot answer that.", "execution": "prederr", "execution_keep_distinct": "prederr"},
    {"index": 1, "sql": "SELECT country FROM author WHERE country IS NOT NULL", "execution": "ok", "execution_keep_distinct": "wrong"},
    {"index": 1, "sql": QUERIES[1], "correct": True},
]


def written(folder, lines, name="predictions.jsonl"):
    path = folder / name
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    return path


def test_labels_are_read_and_two_opinions_left_out(tmp_path, dataset):
    found, left_out = read_labelled(written(tmp_path, LINES), dataset)
    assert [each.right for each in found] == [True, True, False, False, True] and left_out == 1


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        ("p.jsonl", [LINES[0], {"index": 0, "sql": "SELECT 1"}], "line 2: no label; add"),
        ("p.jsonl", [{"index": 0, "sql": "SELECT 1", "correct": "yes"}], "line 1: no label"),
        ("p.sql", [LINES[0]], "cannot hold labels; give a .jsonl file"),
    ],
    ids=["no label", "label as text", "another form"],
)
def test_a_file_without_labels_is_refused(tmp_path, dataset, name, lines, message):
    with pytest.raises(LabelError, match=message):
        read_labelled(written(tmp_path, lines, name), dataset)


def test_auc_on_labels_with_and_without_luck(tmp_path, dataset, capsys):
    report = run_probe(dataset, recipes=["finer"], predictions=written(tmp_path, LINES), cases=1, limit=3)
    found = report.measure("recipe finer").labels
    assert (found.right, found.agreed_right, found.wrong) == (3, 2, 2)
    assert found.auc == found.auc_agreed == 1 and found.wrong_full == 0 and found.agreed_below_half == 0
    assert report.labels_left_out == 1
    assert "3 right (2 on every instance), 2 not right, 1 left out" in capsys.readouterr().out


def test_label_figures_number_by_number():
    """(held right, right on every instance, score, the gold's score)"""
    rows = [(True, True, 0.9, 1.0), (True, False, 0.2, 1.0), (True, True, 0.4, 1.0), (False, False, 0.4, 1.0), (False, False, None, 1.0), (False, False, 1.0, 1.0)]
    found = label_figures(rows)
    assert found.auc == pytest.approx((2 + 1 + 1.5) / 9) and found.auc_agreed == pytest.approx((2 + 1.5) / 6)
    assert found.wrong_full == pytest.approx(1 / 3) and found.agreed_below_half == 0.5
    assert label_figures(rows[:3]).auc is None


# -- the report -------------------------------------------------------------------------------------------------------


def scored(family, score, full=1.0, index=0, edits=1):
    return Scored(index, Case(family, "made up", f"SELECT {score}", edits), "SELECT 1", {"it": score}, {"it": full})


def test_measure_figures_number_by_number():
    rows = [scored("preserving", 1.0), scored("preserving", 0.8), scored("preserving", None), scored("preserving", 1.0, None)]
    rows += [scored("breaking", 0.9), scored("breaking", 1.0), scored("breaking", None)]
    rows += [scored("ladder", score, edits=edits, index=7) for edits, score in enumerate((0.9, 0.5, 0.5, 0.1), start=1)]
    found = measure_figures("it", rows, [scored("text", 0.95)], None)
    assert found.preserving_full == pytest.approx(1 / 3), "a gold that is not scored counts on neither side"
    assert found.breaking_less == pytest.approx(2 / 3)
    assert found.preserving.not_scored == 1 and found.preserving.mean == pytest.approx(2.8 / 3)
    assert found.spearman == found.spearman_within == pytest.approx(-0.9487, abs=1e-4)
    # 0.9 is above 0.8 and above nothing; 1.0 is above 0.8 and nothing; what is not scored is paid 0.
    assert (found.wrong_above_right.pairs, found.wrong_above_right.inverted) == (12, 4)
    assert (found.text_above_query.pairs, found.text_above_query.inverted) == (3, 2)


def test_the_whole_report_is_written_as_json(tmp_path, dataset, capsys):
    path = tmp_path / "report.json"
    report = run_probe(dataset, recipes=["sparse"], limit=5, cases=2, json=path)
    kept = json.loads(path.read_text())
    assert kept["questions"] == report.questions and kept["measures"][0]["name"] == "part format"
    assert {change["name"] for change in kept["changes"]} == {change.__name__ for change in PRESERVING + BREAKING}
    printed = capsys.readouterr().out
    assert "Probe of small, seed 0" in printed and "share that scores full (preserving) or less than full (breaking)" in printed
    assert "set aside (" in printed and "recipe sparse" in printed


def test_figures_of_no_values():
    assert auc([], [1.0]) is None and spearman([1, 1], [0.2, 0.3]) is None
