"""Voting on executed candidates: what each method picks, case by case, and the laws. Run with: pytest tests/test_vote.py"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.records import Execution
from finer.vote import (
    METHODS,
    VoteError,
    count_votes,
    pass_at_n,
    plain_number,
    published_signature,
    result_signature,
    vote,
)


def result(*rows, columns=()):
    """What a query that ran gave; columns are c0, c1 … where none are named."""
    names = tuple(columns) or tuple(f"c{place}" for place in range(len(rows[0]) if rows else 1))
    return Execution("ok" if rows else "empty", tuple(rows), names)


FAILED = Execution("error", error="no such column: nmae")
EMPTY = result()
COUNTED = METHODS[2:]
CITIES = [(f"a city with a long name, number {number:03}",) for number in range(100)]

# Candidates in order, and who wins by: majority, vav-published, vav. The published vote's faults stand first.
CASES = {
    "long results that begin alike are one to the published vote": (
        [result(*CITIES[:80]), result(*CITIES[:80]), result(*CITIES), result(*CITIES), *[result(("x",))] * 3], 4, 0, 4),
    "swapped columns are one to the published vote": ([result(("Ada", "Bob")), result(("Bob", "Ada")), result(("Bob", "Ada"))], 1, 0, 1),
    "cells swapped within one row are one to the published vote": (
        [result((1, 2), (3, 4)), result((2, 1), (3, 4)), result((2, 1), (3, 4))], 1, 0, 1),
    "rows that come twice are one to the published vote": ([result(("a",)), result(("a",), ("a",)), result(("a",), ("a",))], 1, 0, 1),
    "3 and 3.0 part the published vote": ([result((5,)), result((5,)), result((3,)), result((3.0,)), result((3.0,))], 2, 0, 2),
    "sums that differ by rounding part the published vote": (
        [result((0.5,)), result((0.5,)), result((0.1 + 0.2,)), result((0.3,)), result((0.3,))], 2, 0, 2),
    "NULL is the empty text to the published vote": ([result((None, "a")), result(("", "a")), result(("", "a"))], 1, 0, 1),
    "1 is the text 1 to the published vote": ([result((1,)), result(("1",)), result(("1",))], 1, 0, 1),
    "columns of one name fall into one in the published vote": (
        [result(("Ada", "Bob"), columns=("n", "n")), *[result(("Eve", "Bob"), columns=("n", "n"))] * 2], 1, 0, 1),
    "a count of zero loses the published vote, 3 to 1": ([*[result((0,))] * 3, result((4,))], 0, 3, 0),
    "an empty result loses the published vote, 3 to 1": ([EMPTY, EMPTY, EMPTY, result((4,))], 0, 3, 0),
    "a NULL counts as empty in the published vote": ([*[result((None,))] * 3, result((4,))], 0, 3, 0),
    "names beside a zero are dropped by the published vote": ([*[result(("Alice",), (0,))] * 2, result(("Bob",))], 0, 2, 0),
    "a text with semicolons and zeros is dropped by the published vote": ([*[result(("0;0",))] * 2, result(("Bob",))], 0, 2, 0),
    "0 % is dropped by the published vote": ([*[result(("0.0 %",))] * 2, result(("Bob",))], 0, 2, 0),
    "zeros in two columns escape the published vote": ([*[result((0, 0))] * 3, *[result((4, 5))] * 2], 0, 0, 3),
    "a tie goes to the greater text in the published vote": ([result((1,)), result((2,))], 0, 1, 0),
    "where all is empty or zero, the published vote takes the largest": ([EMPTY, result((0,)), result((0,))], 1, 1, 1),
    "nothing and something, 3 to 2": ([EMPTY, EMPTY, EMPTY, *[result((4,))] * 2], 0, 3, 3),
    "nothing and something, 4 to 2: a tie, so the first": ([*[EMPTY] * 4, *[result((4,))] * 2], 0, 4, 0),
    "row order parts no votes, and the commonest order speaks": (
        [result((2,), (1,)), result((1,), (2,)), result((1,), (2,)), result((7,))], 1, 0, 1),
    "failures do not count, however many": ([FAILED, FAILED, FAILED, result((4,))], 3, 3, 3),
    "failures do not count beside an empty result either": ([FAILED, FAILED, EMPTY], 2, 2, 2),
    "nothing ran": ([FAILED, FAILED], None, None, None),
    "one candidate": ([result((4,))], 0, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_who_wins(case):
    executions, *winners = CASES[case]
    found = {method: vote(["SELECT"] * len(executions), executions, method) for method in COUNTED}
    assert found == dict(zip(COUNTED, winners, strict=True))


def test_greedy_is_candidate_0_and_first_is_the_first_that_ran():
    executions = [FAILED, EMPTY, result((4,))]
    assert [vote("abc", executions, method) for method in ("greedy", "first")] == [0, 1]
    assert vote("a", [FAILED], "greedy") == 0 and vote("a", [FAILED], "first") is None


def test_the_evidence_shows_why_a_candidate_won():
    executions = [FAILED, result((0,)), result((4,)), result((4.0,))]
    found = count_votes(["a", "b", "c", "d"], executions, "vav")
    assert (found.winner, found.sql, found.failed) == (2, "c", (0,))
    assert [(ballot.members, ballot.votes, ballot.rows, ballot.columns) for ballot in found.ballots] == [((2, 3), 2.0, 1, 1), ((1,), 0.5, 1, 1)]
    assert found.ballots[0].signature == result_signature(executions[2]) and not found.ballots[0].note
    assert found.ballots[1].note == "no row, or only NULL and 0: its votes count half"
    assert found.reason.startswith("2 of 3 that ran agree on 1 × 1 (rows × columns); the next result has 1;")
    assert found.reason.endswith("1 did not run")


def test_the_evidence_of_the_published_vote_is_its_text_and_what_it_left_out():
    found = count_votes("abc", [result((0,)), result((0,)), result(("b", None), ("a", 1))], "vav-published")
    assert found.winner == 2
    assert [(ballot.signature, ballot.votes, ballot.note) for ballot in found.ballots] == [("1|a;|b", 1.0, ""), ("0", 0.0, "left out as all zero")]
    assert len(published_signature(result(*CITIES))) == 200


NUMBERS = {
    "whole float": (3.0, 3),
    "negative zero": (-0.0, 0),
    "what a sum leaves of zero": (5.6e-17, 0),
    "sum that is nearly whole": (2.9999999999996, 3),
    "rounding of ten digits": (1 / 3, 0.3333333333),
    "two decimals stay as they are": (2.67, 2.67),
    "large whole number": (2**62 + 1, 2**62 + 1),
    "infinity": (float("inf"), float("inf")),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_numbers_have_one_form(case):
    value, form = NUMBERS[case]
    assert plain_number(value) == form and type(plain_number(value)) is type(form)


DIFFERENT = {
    "a number and its text": (result((1,)), result(("1",))),
    "NULL and the empty text": (result((None,)), result(("",))),
    "text and bytes": (result(("a",)), result((b"a",))),
    "two rows and one row of two cells": (result((1,), (2,)), result((1, 2))),
    "a line end within a text": (result(("a\n('b',)",)), result(("a",), ("b",))),
    "how often a row comes": (result((1,)), result((1,), (1,))),
    "values rounded by ROUND": (result((2.675,)), result((2.68,))),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_different_results_have_different_signatures(case):
    first, second = DIFFERENT[case]
    assert result_signature(first) != result_signature(second)


def test_a_wrong_call_says_what_is_wanted():
    with pytest.raises(VoteError, match="did you mean 'majority'"):
        vote("a", [EMPTY], "majorty")
    with pytest.raises(ValueError, match="1 candidates and 0 executions"):
        vote("a", [], "majority")
    with pytest.raises(ValueError, match="0 candidates"):
        vote([], [], "first")


CELLS = st.one_of(st.none(), st.integers(-2, 2), st.sampled_from([0.5, 1.0, "", "0", "a", "b;c", "a|b"]))
RESULTS = st.integers(1, 2).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), max_size=3)).map(lambda rows: result(*rows))
CANDIDATES = st.lists(st.one_of(RESULTS, st.just(FAILED)), min_size=1, max_size=8)


@given(CANDIDATES, st.randoms(use_true_random=False))
def test_shuffling_the_candidates_keeps_the_winning_result_where_there_is_no_tie(executions, random):
    shuffled = random.sample(executions, len(executions))
    for method in ("majority", "vav"):
        counted = count_votes(["q"] * len(executions), executions, method)
        if counted.winner is None or (len(counted.ballots) > 1 and counted.ballots[0].votes == counted.ballots[1].votes):
            continue
        again = vote(["q"] * len(shuffled), shuffled, method)
        assert result_signature(shuffled[again]) == counted.ballots[0].signature


@given(CANDIDATES)
def test_a_candidate_that_failed_never_wins_and_the_ballots_are_all_that_ran(executions):
    ran = {place for place, execution in enumerate(executions) if execution.ran}
    for method in METHODS[1:]:
        found = count_votes(["q"] * len(executions), executions, method)
        assert found.winner in ran if ran else found.winner is None
        if method in COUNTED and ran:
            members = [place for ballot in found.ballots for place in ballot.members]
            assert sorted(members) == sorted(ran) and found.winner in found.ballots[0].members


@given(RESULTS, st.randoms(use_true_random=False))
def test_the_signature_ignores_row_order_and_the_type_of_a_number(execution, random):
    rows = [tuple(float(cell) if isinstance(cell, int) else cell for cell in row) for row in execution.rows]
    assert result_signature(result(*random.sample(rows, len(rows)))) == result_signature(execution)


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_pass_at_n_is_the_mean_at_1_and_grows_with_n(correct):
    values = [pass_at_n(correct, n) for n in range(1, len(correct) + 1)]
    assert values[0] == pytest.approx(sum(correct) / len(correct))
    assert values == sorted(values) and values[-1] == float(any(correct))


def test_pass_at_n_is_the_share_of_all_choices_of_n_samples():
    from itertools import combinations

    correct = [True, False, False, True, False]
    for n in range(1, 6):
        choices = list(combinations(correct, n))
        assert pass_at_n(correct, n) == pytest.approx(sum(map(any, choices)) / len(choices))
    with pytest.raises(ValueError, match="pass@6 needs at least 6 samples"):
        pass_at_n(correct, 6)
