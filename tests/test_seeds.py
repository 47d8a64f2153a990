"""What several seeds say together. Run with: pytest tests/test_seeds.py"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.seeds import difference, over_seeds, ratio, steps_to, waited

CURVES = {
    "at once": ([(0, 0.6), (5, 0.7)], 0),
    "later, though it falls again": ([(0, 0.1), (5, 0.5), (10, 0.3)], 5),
    "never": ([(0, 0.1), (5, 0.49)], None),
    "no evaluation": ([], None),
}


@pytest.mark.parametrize("case", CURVES, ids=str)
def test_steps_to_a_level(case):
    curve, expected = CURVES[case]
    assert steps_to(curve, 0.5) == expected


@pytest.mark.parametrize("count", [2, 5, 10, 40])
def test_the_interval_holds_the_mean_in_95_of_100_experiments(count):
    rng = random.Random(count)
    held = 0
    for _ in range(4000):
        found = over_seeds(rng.gauss(0.4, 0.1) for _ in range(count))
        held += found.low <= 0.4 <= found.high
    assert 0.935 < held / 4000 < 0.965


def test_one_seed_says_nothing_of_others():
    assert (over_seeds([0.7]).low, str(over_seeds([0.7])), str(over_seeds([]))) == (None, "0.7", "–")


@given(st.dictionaries(st.integers(0, 9), st.integers(1, 60), min_size=2), st.floats(0.1, 3))
def test_a_run_that_always_takes_a_share_of_the_steps_has_that_ratio(steps, share):
    found = ratio(steps, {seed: count * share for seed, count in steps.items()})
    assert found.value == pytest.approx(share) and found.low == pytest.approx(share) and found.high == pytest.approx(share)


@given(st.dictionaries(st.integers(0, 9), st.floats(0, 1)), st.dictionaries(st.integers(0, 9), st.floats(0, 1)))
def test_only_seeds_that_both_have_are_compared(first, second):
    assert difference(first, second).n == len(first.keys() & second.keys())


def test_a_run_that_never_got_there_counts_with_the_whole_budget():
    sparse, dense = {0: waited(None, 60), 1: waited(40, 60)}, {0: waited(15, 60), 1: waited(10, 60)}
    assert ratio(sparse, dense).value == pytest.approx(0.25)
