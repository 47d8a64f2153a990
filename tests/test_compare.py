"""The rule ``strict``: what counts as the same result, and what a person is told where it is not."""

from __future__ import annotations

import doctest
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import finer.compare
from finer.compare import ROWS_SHOWN, is_ordered, strict
from finer.records import Execution


def result(*rows, width=None):
    columns = tuple(f"c{i}" for i in range(width or (len(rows[0]) if rows else 1)))
    return Execution("ok" if rows else "empty", tuple(rows), columns)


EQUAL = {
    "rows in another order": (result((1,), (2,)), result((2,), (1,))),
    "both empty": (result(), result()),
    "integer and float": (result((1, "a")), result((1.0, "a"))),
    "null": (result((None,)), result((None,))),
    "float noise": (result((0.1 + 0.2,)), result((0.3,))),
    "float noise near zero": (result((1e-17,)), result((0,))),
    "infinity": (result((float("inf"),)), result((float("inf"),))),
    "noise in two columns, sorted apart": (
        result((0.1 + 0.2, 1.0), (0.3, 5.0)),
        result((0.1 + 0.2, 5.0), (0.3, 1.0)),
    ),
    "the only pairing that works": (result((1.0,), (1.0000008,)), result((1.0000008,), (1.0000016,))),
    "bytes": (result((b"\x00",)), result((b"\x00",))),
    "huge integers": (result((2**63 - 1,)), result((2**63 - 1,))),
}
DIFFERENT = {
    "text and number": (result(("1",)), result((1,)), "row ('1',) is missing"),
    "null and empty text": (result((None,)), result(("",)), "row (None,) is missing"),
    "null and zero": (result((None,)), result((0.0,)), "row (None,) is missing"),
    "text and bytes": (result(("a",)), result((b"a",)), "row ('a',) is missing"),
    "case": (result(("Math",)), result(("math",)), "row ('Math',) is missing"),
    "columns swapped": (result((1, 2)), result((2, 1)), "row (1, 2) is missing"),
    "a column too many": (result((1,)), result((1, 1)), "2 columns instead of 1"),
    "a column too many, no row": (result(), result(width=2), "2 columns instead of 1"),
    "a duplicate lost": (result((1,), (1,)), result((1,)), "row (1,) comes 1 time instead of 2"),
    "a duplicate gained": (result((1,), (2,)), result((1,), (2,), (2,)), "row (2,) comes 2 times instead of 1"),
    "nothing found": (result((1,), (2,)), result(), "no row, where the gold has 2 rows"),
    "something found": (result(), result((1,)), "1 row, where the gold has none"),
    "a row missing": (result((1, "a"), (2, "b")), result((1, "a")), "row (2, 'b') is missing"),
    "many rows missing": (
        result(*((i,) for i in range(5))),
        result((0,)),
        "row (1,) is missing (1 row instead of 5)",
    ),
    "a row too many": (result((1,)), result((1,), (2,)), "row (2,) should not be there"),
    "floats apart": (result((1.0,)), result((1.00001,)), "row (1.0,) is missing"),
    "large integers one apart": (result((1_000_000_000,)), result((1_000_000_001,)), "row (1000000000,) is missing"),
    "infinity and a number": (result((float("inf"),)), result((1e308,)), "row (inf,) is missing"),
    "integer for float among floats": (result((2.5,), (10**9,)), result((2.5,), (10**9 + 1,)), "row (1000000000,)"),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal(name):
    gold, prediction = EQUAL[name]
    assert strict(gold, prediction, ordered=False) == strict(prediction, gold, ordered=False)
    difference = strict(gold, prediction, ordered=False)
    assert (difference.equal, difference.reason, difference.only_gold) == (True, "", ())


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_and_why(name):
    gold, prediction, reason = DIFFERENT[name]
    difference = strict(gold, prediction, ordered=False)
    assert not difference.equal and difference.reason.startswith(reason), difference
    assert difference.only_gold or difference.only_prediction or not (gold.rows or prediction.rows)


def test_order_counts_only_where_the_gold_orders():
    gold, turned = result((1.0, "a"), (2.0, "b")), result((2, "b"), (1, "a"))
    assert strict(gold, turned, ordered=False).equal
    difference = strict(gold, turned, ordered=True)
    assert difference.reason == "the rows are right but in another order: row 1 is (2, 'b') instead of (1.0, 'a')"
    assert strict(gold, result((1.0 + 1e-9, "a"), (2, "b")), ordered=True).equal


@pytest.mark.parametrize("status", ["error", "timeout", "too_large", "refused"])
def test_what_did_not_run(status):
    failed = Execution(status, error="why")
    assert strict(result((1,)), failed, ordered=False).reason == f"the prediction did not run: {status}, why"
    with pytest.raises(ValueError, match="the gold did not run"):
        strict(failed, result((1,)), ordered=False)


ORDERED = {
    "SELECT a FROM t ORDER BY a": True,
    "select a from t order\n/* x */ by a limit 1": True,
    "SELECT a FROM t UNION SELECT b FROM u ORDER BY 1": True,
    "WITH c AS (SELECT a FROM t) SELECT a FROM c ORDER BY a": True,
    "SELECT a FROM t": False,
    "SELECT a FROM t WHERE b = (SELECT b FROM u ORDER BY b LIMIT 1)": False,
    "WITH c AS (SELECT a FROM t ORDER BY a LIMIT 3) SELECT a FROM c": False,
    "SELECT row_number() OVER (ORDER BY a) FROM t": False,
    "SELECT 'order by' FROM t -- ORDER BY a": False,
    'SELECT "order" , by FROM t': False,
    "SELECT (((": False,
    "": False,
}


@pytest.mark.parametrize("sql", ORDERED)
def test_the_outermost_order_by(sql):
    assert is_ordered(sql) is ORDERED[sql]


def test_rows_kept_to_look_at_are_capped():
    difference = strict(result(*((i,) for i in range(99))), result(*((-i - 1,) for i in range(99))), ordered=False)
    assert len(difference.only_gold) == len(difference.only_prediction) == ROWS_SHOWN


@pytest.mark.parametrize("kind", ["distinct", "one float alike", "all alike", "two noisy columns"])
def test_ten_thousand_rows(kind):
    make = {
        "distinct": lambda i: (i, f"name {i}", None),
        "one float alike": lambda i: (0.5, i * 1.5),
        "all alike": lambda i: (0.1 + 0.2,),
        "two noisy columns": lambda i: (i % 100 / 10, i / 7, "x"),
    }[kind]
    rows = [make(i) for i in range(10_000)]
    noisy = [tuple(v * (1 + 1e-12) if isinstance(v, float) else v for v in row) for row in rows]
    random.Random(0).shuffle(noisy)
    assert strict(result(*rows), result(*noisy), ordered=False).equal
    assert not strict(result(*rows), result(*noisy[:-1]), ordered=False).equal
    assert not strict(result(*rows), result(*noisy[:-1], (*noisy[-1][:-1], "other")), ordered=False).equal


VALUES = st.one_of(
    st.none(),
    st.integers(-3, 3),
    st.sampled_from([0.0, 0.5, 1.0, 1.0000005, 1 / 3]),
    st.sampled_from(["", "1", "a", b"a"]),
)
ROWS = st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[VALUES] * width), min_size=1, max_size=8))


@settings(deadline=None)
@given(ROWS, st.randoms())
def test_a_shuffled_bag_with_noise_is_the_same_bag(rows, source):
    moved = [tuple(value * (1 + 1e-10) if isinstance(value, float) else value for value in row) for row in rows]
    source.shuffle(moved)
    assert strict(result(*rows), result(*moved), ordered=False).equal
    assert strict(result(*rows), result(*rows), ordered=True).equal


@settings(deadline=None)
@given(ROWS, ROWS)
def test_the_rule_is_symmetric_and_counts_rows(first, second):
    there, back = (
        strict(a, b, ordered=False) for a, b in ((result(*first), result(*second)), (result(*second), result(*first)))
    )
    assert there.equal == back.equal
    assert not there.equal or len(first) == len(second)
    if len(first[0]) == len(second[0]):
        assert len(there.only_gold) == len(back.only_prediction), "the largest pairing has one size from both sides"


def test_the_examples_in_the_docstrings():
    found = doctest.testmod(finer.compare)
    assert found.attempted and not found.failed
