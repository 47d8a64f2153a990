"""What a habit of the answers earns within its group, and whether that is backwards. Run with: pytest tests/test_habits.py"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import render_samples as samples
from hypothesis import given
from hypothesis import strategies as st
from test_render import Reader

from finer.habits import LONG, LONG_THOUGHT, READABLE, RIGHT, RUNS, Habit, PaidAnswer, habits, habits_of
from finer.render.habits import backwards_words, habits_table
from finer.runs import Run, RunWriter
from finer.seeds import OverSeeds
from widgets import HabitsView

RECORDED = Path(__file__).resolve().parents[1] / "data" / "recorded"
ASKED, BARE = "SELECT a FROM t WHERE b = 9", "SELECT a FROM t"


def group(group_id, *answers, gold=ASKED):
    """Answers as (sql, pay of the atomic part, status)."""
    return [PaidAnswer(group_id, sql, "a thought", gold, status, {"atomic": pay, "execution": 0.0}) for sql, pay, status in answers]


TRIED, LEFT_OUT, BROKEN = ("SELECT a FROM t WHERE b = 1", 0.2, "wrong"), ("SELECT a FROM t", 0.3, "wrong"), ("SELECT a FROM", 0.0, "error")
PROSE = ("I do not know", 0.0, "refused")

CASES = [
    ("a condition that was tried earns less than one left out", group(1, TRIED, LEFT_OUT), {("where", True): (1, 2, 1, -0.1), (LONG, None): (1, 2, 1, -0.1)}),
    ("the mean over groups, not over answers", group(1, TRIED, LEFT_OUT) + group(2, TRIED, *[(BARE, 0.2, "wrong")] * 3), {("where", True): (2, 6, 2, -0.05), (LONG, None): (2, 6, 2, -0.05)}),
    ("where the gold has none", group(1, TRIED, LEFT_OUT, gold=BARE), {("where", False): (1, 2, 1, -0.1), (LONG, None): (1, 2, 1, -0.1)}),
    ("a group of one mind says nothing, and is counted", group(1, TRIED, TRIED) + group(2, TRIED, LEFT_OUT), {("where", True): (3, 4, 1, -0.1), (LONG, None): (1, 4, 1, -0.1)}),
    ("a text that cannot be read has no query's habit", group(1, TRIED, PROSE), {(READABLE, None): (1, 2, 1, 0.2), (RUNS, None): (1, 2, 1, 0.2), (LONG, None): (1, 2, 1, 0.2)}),
    ("where the gold failed nothing is compared", group(1, (ASKED, 0.2, "gold_failed"), (BARE, 0.0, "gold_failed")), {}),
    ("a right answer", group(1, (ASKED, 1.0, "correct"), TRIED), {(RIGHT, None): (1, 2, 1, 0.8)}),
    ("a longer thought", [replace(one, thought="so " * place) for place, one in enumerate(group(1, TRIED, TRIED, (ASKED, 0.5, "wrong")))], {(LONG_THOUGHT, None): (1, 3, 1, 0.3)}),
    ("no answers", [], {}),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "expected"), [pytest.param(*case, id=name) for name, *case in CASES])
def test_what_a_habit_earns(answers, expected):
    found = {(one.name, one.asked): (one.with_it, one.answers, one.groups, one.earned.value) for one in habits_of(answers)}
    assert found == {key: (*counts, pytest.approx(earned)) for key, (*counts, earned) in expected.items()}


answers = st.builds(
    lambda sql, pay, status: (sql, pay, status),
    st.sampled_from([ASKED, BARE, "SELECT a FROM t JOIN u USING (k) ORDER BY a LIMIT 1", "SELECT DISTINCT a FROM t", "no query"]),
    st.floats(0, 1),
    st.sampled_from(["wrong", "correct", "error"]),
)


@given(members=st.lists(st.lists(answers, min_size=1, max_size=6), max_size=4), gold=st.sampled_from([ASKED, BARE]), raised=st.floats(-1, 1))
def test_parts_add_up_and_only_differences_within_a_group_count(members, gold, raised):
    plain = habits_of([one for place, each in enumerate(members) for one in group(place, *each, gold=gold)])
    moved = habits_of([replace(one, pay={**one.pay, "execution": raised * place}) for place, each in enumerate(members) for one in group(place, *each, gold=gold)])
    for one, other in zip(plain, moved, strict=True):
        assert sum(one.parts.values()) == pytest.approx(one.earned.value) and 0 < one.groups <= one.answers
        assert other.earned.value == pytest.approx(one.earned.value), "what all of a group are paid tells their habits nothing"


def habit(asked, low, high):
    return Habit("where", asked, 3, 9, 4, OverSeeds((low + high) / 2, low, high, 4), {"atomic": (low + high) / 2})


BACKWARDS = {
    "the gold has it and it costs": (habit(True, -0.2, -0.1), True),
    "the gold has it and it pays": (habit(True, 0.1, 0.2), False),
    "the gold has it not and it pays": (habit(False, 0.1, 0.2), True),
    "the gold has it not and it costs": (habit(False, -0.2, -0.1), False),
    "the interval holds 0": (habit(True, -0.2, 0.1), False),
    "neither good nor bad by itself": (replace(habit(None, -0.2, -0.1), name=LONG), False),
    "a longer thought that pays": (replace(habit(None, 0.1, 0.2), name=LONG_THOUGHT), False),
    "running costs": (replace(habit(None, -0.2, -0.1), name=RUNS), True),
    "running pays": (replace(habit(None, 0.1, 0.2), name=RUNS), False),
    "one group has no interval": (replace(habit(True, -0.2, -0.1), earned=OverSeeds(-0.1, None, None, 1)), False),
}


@pytest.mark.parametrize("name", BACKWARDS)
def test_what_is_paid_backwards(name):
    found, backwards = BACKWARDS[name]
    assert found.backwards is backwards
    assert backwards_words([found]).startswith("Paid backwards: ") is backwards


def test_the_table_names_what_is_backwards_and_every_number():
    source = habits_table([habit(True, -0.2, -0.1), habit(None, 0.1, 0.3)])
    said = Reader(source).text
    assert "Paid backwards: where, which earns −0.150 where the gold has it (atomic −0.150)." in said
    assert "3 of 9" in said and "−0.150 (−0.200 to −0.100)" in said and "+0.200 (+0.100 to +0.300)" in said
    assert source.count('class="h-backwards"') == 1 and 'aria-label="atomic −0.150"' in source
    assert source.count("width:100.0%") == 2, "what holds for any gold has a scale of its own"
    assert "No group holds" in Reader(habits_table([])).text
    assert "<img" not in habits_table([replace(habit(True, 0.1, 0.2), parts={"<img src=x>": 0.1})])


def test_a_recorded_run_reads_by_steps_and_agrees_with_a_sum_by_hand():
    run = Run(RECORDED / "first-steps")
    whole, early = habits(run), habits(run, 1, 4)
    assert whole == habits(run, 1, run.last_step) and {one.name for one in whole} >= {"where", "join", RUNS}
    assert sum(one.answers for one in early if one.name == RUNS) == 4 * sum(one.answers for one in whole if one.name == RUNS) / run.last_step
    paid = run.rollouts()
    runs = next(one for one in whole if one.name == RUNS)
    by_hand = []
    for _, each in paid.groupby("group_id"):
        does = each.status.isin(["correct", "wrong"])
        if does.any() and not does.all():
            by_hand.append(each.total[does].mean() - each.total[~does].mean())
    assert runs.groups == len(by_hand) and runs.earned.value == pytest.approx(sum(by_hand) / len(by_hand))


def test_a_reward_for_reasoning_words_pays_running_backwards():
    found = habits(Run(RECORDED / "lessons" / "thoughtful"))
    assert [one.name for one in found if one.backwards] == [RUNS]
    assert next(one for one in found if one.name == LONG_THOUGHT).parts["reasoning"] > 0.2


def test_of_a_large_run_the_last_steps_are_read(monkeypatch):
    run = Run(RECORDED / "first-steps")
    size = len(run.rollouts()) // run.last_step
    assert run.first_step_within(3 * size) == run.last_step - 2 and run.first_step_within(1) == run.last_step and run.first_step_within(10**6) == 1
    monkeypatch.setattr("finer.habits.MOST_ANSWERS", 3 * size)
    assert habits(run) == habits(run, run.last_step - 2)


def test_the_view_before_and_after_the_first_step(tmp_path, monkeypatch):
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "cache"))
    with RunWriter.create(tmp_path / "run", {"recipe": "finer"}) as writer:
        view = HabitsView(tmp_path / "run")
        assert "No group holds answers with a habit" in view.widget.value
        writer.write_step(1, [samples.group(1, 1)], {}, {})
        view.refresh()
        assert "answers with it" in view.widget.value and "by part" in view.to_html()
