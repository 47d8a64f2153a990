"""Shares, intervals and pairs: figures that can be checked by hand. Run with: pytest tests/test_accounts.py"""

from __future__ import annotations

import doctest
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import finer.accounts
from finer.accounts import bootstrap_interval, mcnemar, paired, share, shares, wilson

OUTCOMES = st.lists(st.sampled_from([True, False, None, 0.25]), max_size=30)


def test_the_examples_in_the_docstrings():
    found = doctest.testmod(finer.accounts)
    assert found.attempted and not found.failed


@pytest.mark.parametrize(("right", "n"), [(1, 10), (50, 100), (900, 1000), (9_700, 10_000)])
def test_an_interval_is_near_the_normal_one(right, n):
    """The standard error of a share p of n is √(p(1-p)/n), and 95 % lie within 1.96 of them, where n is large."""
    p = right / n
    margin = 1.96 * math.sqrt(p * (1 - p) / n)
    low, high = bootstrap_interval([1.0] * right + [0.0] * (n - right))
    assert low == pytest.approx(max(p - margin, 0), abs=0.15 * margin + 1 / n)
    assert high == pytest.approx(p + margin, abs=0.15 * margin + 1 / n)


def test_an_interval_of_scores_is_near_the_normal_one():
    values = [place / 100 for place in range(101)]
    margin = 1.96 * math.sqrt(sum((value - 0.5) ** 2 for value in values) / 101 / 101)
    assert bootstrap_interval(values) == pytest.approx((0.5 - margin, 0.5 + margin), abs=0.01)


def test_the_same_outcomes_give_the_same_interval_in_any_order():
    assert bootstrap_interval([1, 0, 0, 1, 0]) == bootstrap_interval([0, 0, 0, 1, 1])


@given(OUTCOMES)
def test_a_share_lies_in_its_interval_and_counts_only_what_was_judged(outcomes):
    found = share(outcomes)
    assert found.n == sum(outcome is not None for outcome in outcomes)
    assert (found.value is None) == (found.interval is None) == (found.n == 0)
    if found.n:
        low, high = found.interval
        assert 0 <= low <= found.value + 1e-12 and found.value <= high + 1e-12 and high <= 1


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share_and_stays_a_share(counts):
    low, high = wilson(*counts)
    assert 0 <= low <= counts[0] / counts[1] + 1e-12 and counts[0] / counts[1] - 1e-12 <= high <= 1


@pytest.mark.parametrize(("outcomes", "low", "high"), [([True], 0.207, 1.0), ([False] * 4, 0.0, 0.490), ([True] * 180, 0.979, 1.0)])
def test_outcomes_that_are_all_alike_leave_a_doubt(outcomes, low, high):
    """No resample of them differs; Wilson's interval for one right answer of one begins at 1 / (1 + 1.96²)."""
    assert share(outcomes).interval == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))


def test_groups_overlap_where_labels_do():
    found = shares([True, False, None], [["a", "b"], ["b"], ["b", "c"]])
    assert {name: (one.value, one.n) for name, one in found.items()} == {"a": (1.0, 1), "b": (0.5, 2), "c": (None, 0)}


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.sampled_from([True, False, None])), max_size=30))
def test_a_pair_adds_up(pairs):
    first, second = [one for one, _ in pairs], [other for _, other in pairs]
    there, back = paired(first, second), paired(second, first)
    assert there.gained == back.lost and there.lost == back.gained and there.p == back.p
    if there.n:
        assert there.difference.value == pytest.approx(there.second.value - there.first.value)
        assert there.difference.value == pytest.approx((len(there.gained) - len(there.lost)) / there.n)
        assert set(there.as_json()) == {"n", "gained", "lost", "first", "second", "difference", "p"}


def test_pairs_of_different_length_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        paired([True], [])


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (6, 0), (8, 1), (59, 41), (600, 500), (3_000, 3_300)])
def test_mcnemar_is_the_exact_sum(gained, lost):
    tries = gained + lost
    tail = sum(math.comb(tries, k) for k in range(min(gained, lost) + 1))
    assert mcnemar(gained, lost) == pytest.approx(float(min(Fraction(1), Fraction(2 * tail, 2**tries))), rel=1e-12)
    assert mcnemar(gained, lost) == mcnemar(lost, gained)
