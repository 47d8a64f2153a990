"""The official rules, case by case: tests/metrics/README.md says how to add one."""

from __future__ import annotations

import doctest
import itertools
import math
import random
import re
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import finer.metrics
import finer.metrics.bird
import finer.metrics.spider
import finer.metrics.timing
import finer.metrics.ves
from finer.datasets import Database
from finer.judge import Judge
from finer.metrics import METRICS, MetricError, rule, soft_f1, spider
from finer.metrics.timing import measure
from finer.metrics.ves import r_ves, time_ratio, ves
from finer.records import Execution, Question
from finer.sandbox import Limits, Sandbox
from finer.schema import read_schema

FOLDER = Path(__file__).parent / "metrics"
RULES = {
    **{name: rule(name) for name in ("strict", "bird-ex", "soft-f1", "spider-ex", "spider-ts")},
    "keep_distinct": rule("spider-ex", keep_distinct=True),
    "plug_value": rule("spider-ex", plug_value=True),
}
SECONDS = {"failures": 0.4}
"""A shorter bound, for the file whose cases run against it."""
CASE = re.compile(
    r"-- CASE (?P<name>[^\n]+)\n(?:-- NOTE [^\n]*\n)*-- (?P<expected>[^\n]+)\n(?:-- NOTE [^\n]*\n)*"
    r"-- GOLD\n(?P<gold>.*?)\n-- PREDICTION\n(?P<prediction>.*)",
    re.DOTALL,
)


def read_cases():
    for path in sorted(FOLDER.glob("*.sql")):
        for text in re.split(r"(?m)^(?=-- CASE )", path.read_text(encoding="utf-8"))[1:]:
            case = CASE.fullmatch(text)
            assert case, f"{path}: not a case: {text[:80]}"
            expected = dict(item.split() for item in case["expected"].split(", "))
            assert expected.keys() == RULES.keys(), f"{path}, {case['name']}: give a verdict for each of {list(RULES)}"
            yield pytest.param(path.stem, expected, case["gold"], case["prediction"].rstrip("\n"), id=f"{path.stem}: {case['name']}")


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rules")
    paths = []
    for name, scripts in (("main", ["database"]), ("second", ["database", "second_instance"])):
        paths.append(folder / f"{name}.sqlite")
        connection = sqlite3.connect(paths[-1])
        for script in scripts:
            connection.executescript((FOLDER / f"{script}.sql").read_text(encoding="utf-8"))
        connection.close()
    return {"main": Database("main", tuple(paths), read_schema(paths[0], "main"))}


@pytest.fixture(scope="module")
def sandboxes():
    opened: dict[Limits, Sandbox] = {}

    def sandbox(limits):
        return opened.setdefault(limits, Sandbox(limits=limits))

    yield sandbox
    for sandbox in opened.values():
        sandbox.close()


@pytest.mark.parametrize(("file", "expected", "gold", "prediction"), list(read_cases()))
def test_every_case_under_every_rule(file, expected, gold, prediction, databases, sandboxes):
    found = {}
    for name, tried in RULES.items():
        limits = replace(tried.limits, seconds=SECONDS.get(file, 60))
        judge = Judge(databases, sandboxes(limits), tried)
        (verdict,) = judge.judge(Question(0, "main", "?", (gold,)), [prediction])
        if name == "soft-f1":
            value = tried.value(verdict)
            found[name] = "none" if value is None else str(round(value, 3))
        else:
            found[name] = {True: "right", False: "wrong", None: "none"}[verdict.correct]
        assert bool(verdict.reason) != (verdict.correct is True), "what is not right says why"
    assert found == expected


def test_the_files_of_cases_are_all_found():
    assert len(list(read_cases())) > 50 and {parameter.values[0] for parameter in read_cases()} >= {"values", "columns", "rows"}


def rows_of(*rows):
    return Execution("ok" if rows else "empty", tuple(rows))


def test_every_name_gives_its_rule():
    assert [rule(name).name for name in METRICS] == list(METRICS)
    with pytest.raises(MetricError, match="unknown metric 'spider'; did you mean .*spider-ex"):
        rule("spider")
    with pytest.raises(MetricError, match="bird-ex knows neither keep_distinct nor plug_value"):
        rule("bird-ex", keep_distinct=True)
    with pytest.raises(ValueError, match="timed_values"):
        rule("ves").value(None)


@pytest.mark.parametrize("name", ["strict", "bird-ex", "spider-ex"])
def test_a_gold_that_failed_compares_with_nothing(name):
    with pytest.raises(ValueError, match="the gold did not run"):
        rule(name).compare("SELECT 1", Execution("timeout"), rows_of())
    with pytest.raises(ValueError, match="the gold did not run"):
        soft_f1(Execution("timeout"), rows_of())


@pytest.mark.parametrize(
    ("name", "official"), [("bird-ex", "BIRD's script counts it as wrong"), ("spider-ex", "Spider's evaluator stops at it")]
)
def test_the_reason_says_what_the_official_script_does_with_a_failed_gold(name, official, databases, sandboxes):
    judge = Judge(databases, sandboxes(rule(name).limits), rule(name))
    (verdict,) = judge.judge(Question(0, "main", "?", ("SELECT nowhere",)), ["SELECT 1"])
    assert verdict.correct is None and official in verdict.reason and "no such column: nowhere" in verdict.reason


REASONS = {
    "another number of rows": ("SELECT a", [(1,)], [(1,), (1,)], "2 rows, where the gold has 1"),
    "rows for none": ("SELECT a", [], [(1,)], "1 row, where the gold has none"),
    "another width": ("SELECT a", [(1,)], [(1, 2)], "2 columns instead of 1"),
    "another value": ("SELECT a", [(1,), (2,)], [(2,), (3,)], "row (1,) is missing"),
    "no permutation": ("SELECT a", [(1, 2)], [(1, 3)], "row (1, 2) is missing, in any order of the columns"),
    "another order": ("SELECT a ORDER BY a", [(1,), (2,)], [(2,), (1,)], "right but in another order: row 1 is (2,) instead of (1,)"),
    "the quick check": ("SELECT a", [(10, 1)], [(10, 1.0)], "quick check"),
}


@pytest.mark.parametrize("name", REASONS)
def test_spider_says_why(name):
    gold_sql, gold, prediction, reason = REASONS[name]
    difference = spider.compare(gold_sql, rows_of(*gold), rows_of(*prediction))
    assert not difference.equal and reason in difference.reason


def every_permutation(gold, prediction, ordered):
    """The definition, tried out: some permutation of the columns makes the rows equal."""
    if not gold and not prediction:
        return True
    if len(gold) != len(prediction) or len(gold[0]) != len(prediction[0]):
        return False
    turned = ([tuple(row[place] for place in order) for row in prediction] for order in itertools.permutations(range(len(gold[0]))))
    return any(gold == rows if ordered else Counter(gold) == Counter(rows) for rows in turned)


TABLES = st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[st.sampled_from("ab")] * width), min_size=1, max_size=6))


@settings(deadline=None)
@given(TABLES, TABLES, st.booleans(), st.randoms())
def test_the_search_for_a_permutation_is_the_definition(gold, other, ordered, source):
    sql = "SELECT a ORDER BY a" if ordered else "SELECT a"
    order = source.sample(range(len(gold[0])), len(gold[0]))
    turned = [tuple(row[place] for place in order) for row in gold]
    shuffled = turned if ordered else source.sample(turned, len(turned))
    assert spider.compare(sql, rows_of(*gold), rows_of(*shuffled)).equal
    assert spider.compare(sql, rows_of(*gold), rows_of(*other)).equal == every_permutation(gold, other, ordered)


def test_many_columns_alike_do_not_hang():
    source = random.Random(0)
    rows = [tuple(source.randrange(2) for _ in range(24)) for _ in range(200)]
    order = source.sample(range(24), 24)
    turned = [tuple(row[place] for place in order) for row in source.sample(rows, 200)]
    assert spider.compare("SELECT 1", rows_of(*rows), rows_of(*turned)).equal
    wide = tuple(range(1500))
    assert spider.compare("SELECT 1", rows_of(wide), rows_of(wide[::-1])).equal


PREPARED = {
    "a quote that never ends": ("SELECT DISTINCT 'a", "SELECT  'a"),
    "a semicolon in a literal": ("SELECT ';' ; SELECT 2", "SELECT ';' ;"),
    "a semicolon in a comment": ("SELECT 1 -- ; DISTINCT\n, 2", "SELECT 1 -- ; DISTINCT\n, 2"),
    "quoted names": ('SELECT "DISTINCT", [distinct], `Distinct` FROM t', 'SELECT "DISTINCT", [distinct], `Distinct` FROM t'),
    "part of a name": ("SELECT distinct_count, t.indistinct", "SELECT distinct_count, t.indistinct"),
    "without a space": ("SELECT DISTINCT(a)", "SELECT (a)"),
}


@pytest.mark.parametrize("name", PREPARED)
def test_what_spider_executes(name):
    given_text, executed = PREPARED[name]
    assert spider.prepare_prediction(given_text) == executed


def test_soft_f1_of_the_official_example_and_of_repeated_cells():
    table = rows_of(("Apple", 325), ("Orange", None), ("Banana", 119))
    assert math.isclose(soft_f1(table, rows_of((325, "Apple"), (191, "Orange"), (None, "Banana"))), 2 / 3)
    assert soft_f1(rows_of((1,)), rows_of((1, 1))) == 1.0, "each cell of the prediction counts, so a repeated one counts twice"
    assert soft_f1(rows_of((1, 2)), Execution("timeout")) == 0.0


def test_ratios_leave_outliers_out():
    assert time_ratio([1.0] * 99 + [1000.0], [1.0] * 100) == 1.0
    assert time_ratio([2.0], [1.0]) == 2.0, "one run, or all alike"
    with pytest.raises(ValueError, match="no run"):
        time_ratio([], [])


@pytest.mark.parametrize(("ratio", "reward"), [(2.01, 1.25), (2, 1.25), (1.99, 1), (1, 1), (0.99, 0.75), (0.49, 0.5), (0.24, 0.25)])
def test_the_steps_of_r_ves(ratio, reward):
    assert r_ves(ratio) == math.sqrt(reward) and ves(ratio) == math.sqrt(ratio)


def test_timed_values(databases, sandboxes):
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT count(*) > 0 FROM n"
    judge = Judge(databases, sandboxes(rule("r-ves").limits), rule("r-ves"))
    question = Question(0, "main", "?", (slow,))
    pairs = [(question, sql) for sql in ("SELECT 1", "SELECT 2", slow)] + [(Question(1, "main", "?", ("SELECT x",)), "SELECT 1")]
    verdicts = judge.judge_many(pairs)
    assert [verdict.correct for verdict in verdicts] == [True, False, True, None]
    fast, wrong, same, unjudged = judge.timed_values(pairs, verdicts, runs=5)
    assert (fast, wrong, unjudged) == (math.sqrt(1.25), 0.0, None) and same > 0
    assert measure(judge.sandbox, databases["main"].path, slow, "SELECT nowhere", runs=3) is None


@pytest.mark.parametrize("module", [finer.metrics, finer.metrics.bird, finer.metrics.spider, finer.metrics.ves, finer.metrics.timing])
def test_the_examples_in_the_docstrings(module):
    assert not doctest.testmod(module).failed
