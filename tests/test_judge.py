"""Verdicts over every instance of a database; golds run once and may fail."""

from __future__ import annotations

import sqlite3
from collections import Counter

import pytest

from finer.datasets import Database
from finer.judge import Judge
from finer.metrics import rule
from finer.records import Question
from finer.sandbox import Limits, Sandbox
from finer.schema import read_schema

INSTANCES = (
    [(1, "Ada", 9.5), (2, "Bo", 9.5), (3, "Cy", 1.0)],
    [(1, "Ada", 2.0), (2, "Bo", None), (3, "Ada", 3.0)],
    [],
)
GOLD = "SELECT name FROM author WHERE price > 5"


class CountingSandbox(Sandbox):
    """A sandbox that keeps what it was asked."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.asked = []

    def execute_many(self, jobs):
        jobs = list(jobs)
        self.asked += [(path.stem, sql) for path, sql in jobs]
        return super().execute_many(jobs)


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    paths = []
    for number, rows in enumerate(INSTANCES):
        paths.append(folder / f"shop_{number}.sqlite")
        connection = sqlite3.connect(paths[-1])
        connection.execute("CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
        connection.executemany("INSERT INTO author VALUES (?, ?, ?)", rows)
        if number == 2:
            connection.execute("ALTER TABLE author ADD COLUMN only_here TEXT")
        else:
            connection.execute("CREATE TABLE only_early (a)")
        connection.commit()
        connection.close()
    return {"shop": Database("shop", tuple(paths), read_schema(paths[0], "shop"))}


@pytest.fixture
def sandbox():
    with CountingSandbox(limits=Limits(seconds=10, rows=50)) as sandbox:
        yield sandbox


def question(*gold):
    return Question(0, "shop", "Who is dear?", gold or (GOLD,))


VERDICTS = {  # sql: (correct, status, instance, a piece of the reason)
    "the gold itself": (GOLD, True, "ok", 0, ""),
    "another way": ("SELECT a.name FROM author AS a WHERE NOT a.price <= 5", True, "ok", 0, ""),
    "right by luck": (
        "SELECT name FROM author WHERE id < 3",
        False,
        "ok",
        1,
        "2 rows, where the gold has none on instance 1",
    ),
    "wrong": ("SELECT name FROM author", False, "ok", 0, "row ('Cy',) should not be there"),
    "empty": ("SELECT name FROM author WHERE 0", False, "empty", 0, "no row, where the gold has 2 rows"),
    "another column": ("SELECT id FROM author", False, "ok", 0, "row ('Ada',) is missing"),
    "unknown column": ("SELECT nam FROM author", False, "error", 0, "error: no such column: nam"),
    "refused": ("DROP TABLE author", False, "refused", 0, "refused: starts with DROP"),
    "nothing": ("", False, "refused", 0, "refused: no SQL"),
    "no text": (None, False, "refused", 0, "refused: not text but NoneType"),
    "too many rows": (
        "SELECT 1 FROM author a, author b, author c, author d",
        False,
        "too_large",
        0,
        "more than 50 rows",
    ),
    "fails elsewhere": (
        GOLD + " AND (SELECT count(*) FROM only_early) = 0",
        False,
        "error",
        2,
        "error on instance 2: no such table: only_early",
    ),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts(name, databases, sandbox):
    sql, correct, status, instance, reason = VERDICTS[name]
    (verdict,) = Judge(databases, sandbox).judge(question(), [sql])
    assert (verdict.correct, verdict.status, verdict.instance) == (correct, status, instance)
    assert reason in verdict.reason and bool(verdict.reason) != correct
    assert verdict.prediction.status == status and verdict.gold.ran


def test_a_batch_equals_its_single_verdicts(databases, sandbox):
    sqls = [sql for sql, *_ in VERDICTS.values()] * 2
    judge = Judge(databases, sandbox)
    batch = judge.judge(question(), sqls)
    singles = [Judge(databases, sandbox).judge(question(), [sql])[0] for sql in sqls]
    assert [(v.correct, v.status, v.reason, v.instance) for v in batch] == [
        (v.correct, v.status, v.reason, v.instance) for v in singles
    ]
    assert judge.judge(question(), []) == []


def test_equal_texts_and_golds_run_once_and_wrong_ones_stop_early(databases, sandbox):
    judge = Judge(databases, sandbox)
    judge.judge(question(), [GOLD + " -- mine"] * 4 + ["SELECT 1"])
    judge.judge(question(), ["SELECT 2"])
    asked = [sql for _, sql in sandbox.asked]
    assert asked.count(GOLD) == asked.count(GOLD + " -- mine") == len(INSTANCES)
    assert asked.count("SELECT 1") == asked.count("SELECT 2") == 1


FAILING_GOLDS = {
    "broken": ("SELECT nowhere FROM author", 0, "the gold gave error on instance 0 (no such column: nowhere)"),
    "on a later instance": (
        "SELECT a FROM only_early",
        2,
        "the gold gave error on instance 2 (no such table: only_early)",
    ),
    "too large": ("SELECT 1 FROM author a, author b, author c, author d", 0, "the gold gave too_large on instance 0"),
}


@pytest.mark.parametrize("name", FAILING_GOLDS)
def test_a_gold_that_fails_judges_nobody(name, databases, sandbox):
    gold, instance, reason = FAILING_GOLDS[name]
    for verdict in Judge(databases, sandbox).judge(question(gold), [GOLD, gold, "SELECT 1", "DROP TABLE author"]):
        assert (verdict.correct, verdict.status, verdict.instance) == (None, "gold_failed", instance)
        assert reason in verdict.reason and verdict.prediction is None and not verdict.gold.ran


def test_the_order_of_rows_counts_where_the_gold_orders_them(databases, sandbox):
    judge = Judge(databases, sandbox)
    turned = "SELECT name FROM author ORDER BY id DESC"
    assert judge.judge(question("SELECT name FROM author"), [turned])[0].correct is True
    assert "in another order" in judge.judge(question("SELECT name FROM author ORDER BY id"), [turned])[0].reason


def test_any_of_several_golds_will_do_but_one_throughout(databases, sandbox):
    judge = Judge(databases, sandbox)
    first, second = "SELECT name FROM author WHERE price > 5", "SELECT name FROM author WHERE id < 3"
    both = question(first, second)
    right = judge.judge(both, [first, second, "SELECT name FROM author WHERE id <= 2", "SELECT name FROM author"])
    assert [verdict.correct for verdict in right] == [True, True, True, False]
    assert judge.judge(question("SELECT nowhere FROM author", second), [second])[0].correct is True
    luck = "EXISTS (SELECT 1 FROM author WHERE id = 1 AND price = 2)"
    mixed = f"SELECT name FROM author WHERE id < 3 AND (price > 5 OR {luck})"
    assert judge.judge(both, [mixed])[0].correct is True, "equal to the second gold everywhere"


def test_an_unknown_database(databases, sandbox):
    with pytest.raises(KeyError, match=r"no database 'zoo'; there are \['shop'\]"):
        Judge(databases, sandbox).judge(Question(0, "zoo", "?", ("SELECT 1",)), ["SELECT 1"])


def test_a_database_that_is_not_here_judges_nobody(databases, sandbox):
    missing = {"gone": Database("gone", (), databases["shop"].schema, missing="no file gone.sqlite")}
    asked = Question(0, "gone", "?", (GOLD,))
    for tried in ("strict", "bird-ex", "spider-ts"):
        for verdict in Judge(missing, sandbox, rule(tried)).judge(asked, [GOLD, "SELECT 1"]):
            assert (verdict.correct, verdict.status) == (None, "gold_failed") and "'gone' is not here" in verdict.reason
            assert verdict.reason.endswith("not here: no file gone.sqlite"), "a person is told why"


def test_many_verdicts_equal_the_single_ones(databases):
    questions = [question(), question(GOLD, "SELECT 1"), question("SELECT nowhere"), question("SELECT name FROM author ORDER BY id")]
    pairs = [(asked, sql) for sql, *_ in VERDICTS.values() if sql is not None for asked in questions] * 2
    with CountingSandbox(workers=2, limits=Limits(seconds=10, rows=50)) as sandbox:
        judge = Judge(databases, sandbox)
        many = judge.judge_many(pairs)
        asked = Counter(sandbox.asked)
        each = dict(judge.judge_each(pairs))
        single = [judge.judge(*(asked, [sql]))[0] for asked, sql in pairs]
    as_text = [(v.correct, v.status, v.reason, v.instance) for v in single]
    assert [(v.correct, v.status, v.reason, v.instance) for v in many] == as_text
    assert [(each[place].correct, each[place].status, each[place].reason, each[place].instance) for place in range(len(pairs))] == as_text
    assert all(verdict.prediction is None and verdict.gold is None for verdict in many), "results are let go"
    assert all(verdict.prediction for verdict in each.values() if verdict.correct is not None)
    # A gold may be asked for by two groups at once; a prediction runs once for each gold that it meets.
    assert max(asked.values()) <= 5


def test_many_verdicts_may_be_left_unfinished(databases, sandbox):
    judge = Judge(databases, sandbox)
    endless = ((question(GOLD + f" AND id <> {number + 10}"), GOLD) for number in range(500))
    first = next(judge.judge_each(endless))
    assert first[1].correct is True
    assert len(sandbox.asked) < 400, "what nobody waits for is not run"


def test_a_fault_in_one_pair_is_raised(databases, sandbox):
    with pytest.raises(KeyError, match="no database 'zoo'"):
        Judge(databases, sandbox).judge_many([(question(), GOLD), (Question(1, "zoo", "?", ("SELECT 1",)), "SELECT 1")])


def test_a_judge_closes_only_its_own_sandbox(databases, sandbox):
    with Judge(databases, sandbox) as judge:
        judge.judge(question(), [GOLD])
    assert sandbox.execute(databases["shop"].path, "SELECT 1").ran
    with Judge(databases) as own:
        assert own.judge(question(), [GOLD])[0].correct is True
    with pytest.raises(RuntimeError, match="closed"):
        own.judge(question("SELECT 5"), [GOLD])
