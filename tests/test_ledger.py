"""The signal ledger: what is counted, and what the view says of it. Run with: pytest tests/test_ledger.py"""

from __future__ import annotations

import doctest

import pytest
import render_samples as samples

import finer.ledger
import finer.render.ledger
from finer.ledger import (
    Answered,
    GroupOutcome,
    StepSignal,
    became_right,
    outcome_of,
    signal_ledger,
    summed,
    with_what_followed,
)
from finer.render.ledger import ledger
from finer.runs import Run, RunWriter
from widgets import LedgerView


def group(step: int, right: int, spread: float = 0.3, question: str = "a", judged: int = 4) -> GroupOutcome:
    return GroupOutcome(100 * step + right, step, question, 4, judged, right, spread)


CASES = {
    "all right": ([group(1, 4, 0.0)], {"all_right": 1}),
    "all right with a spread is silent under execution all the same": ([group(1, 4, 0.2)], {"all_right": 1}),
    "mixed": ([group(1, 2)], {"mixed": 1}),
    "all wrong and ordered": ([group(1, 0)], {"all_wrong": 1, "ranked": 1}),
    "all wrong, paid the same": ([group(1, 0, 0.0)], {"all_wrong": 1}),
    "a spread below epsilon is rounding": ([group(1, 0, 1e-9)], {"all_wrong": 1}),
    "gold failed: not judged, and not wrong": ([group(1, 0, 0.3, judged=0)], {"unjudged": 1}),
    "asked again, still wrong": ([group(1, 0), group(2, 0)], {"all_wrong": 1, "ranked": 1, "ranked_seen_again": 1}),
    "asked again and right": (
        [group(1, 0), group(2, 1)],
        {"all_wrong": 1, "ranked": 1, "ranked_seen_again": 1, "ranked_later_right": 1},
    ),
    "right at last, after another wrong step": (
        [group(1, 0), group(2, 0), group(3, 3)],
        {"all_wrong": 1, "ranked": 1, "ranked_seen_again": 1, "ranked_later_right": 1},
    ),
    "right before is not later": ([group(1, 0), group(0, 4)], {"all_wrong": 1, "ranked": 1}),
    "right in the same step is not later": ([group(1, 0), group(1, 4)], {"all_right": 1, "all_wrong": 1, "ranked": 1}),
    "another question's success does not count": (
        [group(1, 0), group(2, 4, question="b")],
        {"all_wrong": 1, "ranked": 1},
    ),
    "silent and later right, for contrast": (
        [group(1, 0, 0.0), group(2, 1)],
        {"all_wrong": 1, "silent_seen_again": 1, "silent_later_right": 1},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_first_step_counts(name):
    groups, counted = CASES[name]
    (row,) = [row for row in signal_ledger(groups) if row.step == 1]
    assert row == StepSignal(1, groups=sum(one.step == 1 for one in groups), **counted)


WRONG, NEAR, GOLD = "SELECT title FROM loan", "SELECT name FROM author", "SELECT name FROM author WHERE born > 1900"
BECAME = {
    "the one ranked first is the nearer": ([(NEAR, 0.4), (WRONG, 0.1)], [GOLD], (True, 1 / 2)),
    "the one ranked last is": ([(NEAR, 0.1), (WRONG, 0.4)], [GOLD], (False, 1 / 2)),
    "equal words count once, paid as the best of them": ([(NEAR, 0.1), ("select  NAME from author", 0.4), (WRONG, 0.2)], [GOLD], (True, 1 / 2)),
    "one of three": ([(NEAR, 0.4), (WRONG, 0.1), ("SELECT 1", 0.2)], [GOLD], (True, 1 / 3)),
    "two ranked first, one of them nearest": ([(NEAR, 0.4), (WRONG, 0.4), ("SELECT 1", 0.2)], [GOLD], (True, 2 / 3)),
    "two as near, the other one ranked first": ([(NEAR, 0.1), ("SELECT FROM name author", 0.1), (WRONG, 0.2)], [GOLD], (False, 1 / 2)),
    "any right answer will do": ([(NEAR, 0.4), (WRONG, 0.1)], [WRONG + " WHERE x = 1 AND y = 2", GOLD], (True, 1 / 2)),
    "one text alone cannot tell": ([(NEAR, 0.4), (NEAR, 0.1)], [GOLD], (None, None)),
    "no right answer later": ([(NEAR, 0.4), (WRONG, 0.1)], [], (None, None)),
}


@pytest.mark.parametrize("name", BECAME)
def test_whether_the_answer_ranked_first_became_right(name):
    answers, right, (first, chance) = BECAME[name]
    later = [Answered("SELECT name FROM author LIMIT 3", "wrong", 0.9), *[Answered(text, "correct", 1.0) for text in right]]
    found = became_right([Answered(text, "wrong", total) for text, total in answers], later)
    assert found.first is first and found.chance == (None if chance is None else pytest.approx(chance))


def test_the_first_later_group_with_a_right_answer_tells():
    asked = []

    def answered(group_ids):
        asked.append(sorted(group_ids))
        return {key: [Answered(NEAR, "wrong", 0.4), Answered(WRONG, "wrong", 0.1), *[Answered(GOLD, "correct", 1.0)] * (key % 100)] for key in group_ids}

    groups = [group(1, 0), group(1, 1), group(2, 0), group(2, 0, 0.0, "b")._replace(group_id=250), group(3, 2), group(4, 3), group(4, 2, question="b"), group(5, 0)]
    told = with_what_followed(groups, answered)
    assert asked == [[100, 200, 302]], "a group without a signal, and one that nothing followed, are not read"
    assert [one.group_id for one in told if one.became.first] == [100, 200]
    whole = summed(signal_ledger(told))
    assert (whole.ranked_later_right, whole.ranked_told, whole.first_became_right, whole.chance_became_right) == (2, 2, 2, 1.0)
    said = ledger(signal_ledger(told))
    assert "In 100 % (2 of 2) of these that can be told, it was the answer ranked first that became right" in said
    assert "dealt out by chance would have had it in 50 %" in said


def test_the_order_in_which_groups_come_does_not_matter():
    groups = [group(step, right, question=name) for step in range(1, 6) for right in (0, 2, 4) for name in "ab"]
    assert signal_ledger(groups) == signal_ledger(groups[::-1])
    assert summed(signal_ledger(groups)).groups == 30


def test_the_view_says_the_shares_with_their_counts():
    said = ledger(signal_ledger([group(1, 0), group(1, 4, 0.0, "b"), group(2, 1), group(2, 0, 0.0, "c")]))
    assert "75 % (3 of 4) of the judged groups" in said and "2 all wrong and 1 all right" in said
    assert "a signal to 50 % (1 of 2)" in said and "asked again, 100 % (1 of 1) later had a right answer" in said
    assert "None of their questions was asked again" in said


def test_of_groups_that_there_are_none_of_nothing_is_said():
    """Under a sparse reward no all-wrong group has a signal, so that there is no question of theirs to be asked again."""
    said = ledger(signal_ledger([group(1, 0, 0.0, "b"), group(2, 0, 0.0, "b")]))
    assert "a signal to 0 % (0 of 2) of the all-wrong groups. </p>" in said


def test_a_long_run_is_summed_into_spans_and_stays_small():
    said = ledger([StepSignal(step, groups=4, mixed=1, all_wrong=3, ranked=2) for step in range(1, 6251)])
    assert "steps 1 to 105" in said and len(said) < 120_000


def test_no_group_yet():
    assert "No group has been recorded yet" in ledger([])


def test_the_view_of_a_run(tmp_path):
    with RunWriter.create(tmp_path / "run", {}) as writer:
        for step in (1, 2):
            writer.write_step(step, [samples.silent_group(2 * step, step), samples.group(2 * step + 1, step)], {}, {})
        outcomes = [outcome_of(summary) for summary in Run(tmp_path / "run").groups()]
        assert [(one.right, one.judged, round(one.spread, 3)) for one in outcomes[:2]] == [(4, 4, 0.0), (1, 4, 0.95)]
        view = LedgerView(tmp_path / "run")
    assert "50 % (2 of 4) of the judged groups" in view.to_html()


@pytest.mark.parametrize("module", [finer.ledger, finer.render.ledger])
def test_doctests(module):
    assert doctest.testmod(module).failed == 0
