"""What a click in a view's drawing chooses: the marks that the views draw, and what the workbench makes of them."""

from __future__ import annotations

import re

import pytest

import finer
from finer.render.group import group_table
from finer.runs import Run
from widgets import GroupView, Workbench

RECORDED = finer.DATA / "recorded" / "first-steps"


@pytest.fixture
def bench():
    """At step 8; its group 32 has eight answers."""
    bench = Workbench(RECORDED)
    bench.choice.pick(32, 1)
    return bench


PICKS = {
    "a step": ({"of": "s3"}, 3, None, None),
    "a step before the first": ({"of": "s0"}, 1, None, None),
    "a step after the last": ({"of": "s99"}, 24, None, None),
    "a group": ({"of": "g9"}, 3, 9, None),
    "an answer": ({"of": "g32a4"}, 8, 32, [4]),
    "a pair": ({"of": "g9a5a2"}, 3, 9, [5, 2]),
    "a further answer": ({"of": "g32a4", "further": True}, 8, 32, [1, 4]),
    "a chosen one again": ({"of": "g32a1", "further": True}, 8, 32, [1]),
    "a further one of another group": ({"of": "g9a5", "further": True}, 3, 9, [5]),
    "no mark": ({"of": "x9"}, 8, 32, [1]),
    "nothing": ({}, 8, 32, [1]),
    "a group that is not there": ({"of": "g9999"}, 8, 32, [1]),
    "an answer that is not there": ({"of": "g32a99"}, 8, 32, [1]),
    "a number of any length": ({"of": "s" + "9" * 5000}, 8, 32, [1]),
    "another type": ({"of": ["s3"]}, 8, 32, [1]),
}


@pytest.mark.parametrize("pick, step, group, positions", PICKS.values(), ids=PICKS)
def test_what_a_click_chooses(bench, pick, step, group, positions):
    bench.picks.take(pick)
    assert bench.choice.step == step and bench.choice.pinned
    assert group is None or bench.choice.group.group_id == group
    assert positions is None or [rollout.position for rollout in bench.selection] == positions


def test_a_further_answer_leaves_by_a_second_click(bench):
    for _ in range(2):
        bench.picks.take({"of": "g32a4", "further": True})
    assert [rollout.position for rollout in bench.selection] == [1]


def test_a_group_view_alone_hears_clicks_and_one_in_a_workbench_leaves_them_to_it(bench):
    view = GroupView(RECORDED, 32, 1)
    view.picks.take({"of": "g32a4", "further": True})
    assert [rollout.position for rollout in view.choice.selection] == [1, 4]
    assert view.widget.value.count('aria-current="true"') == 2 and "answer 4 of step 8" in view.widget.value
    assert view.panel.children == (view.widget, view.picks.widget) and "finer-bench" in view.panel._dom_classes
    assert bench.open("Group").picks is None and bench.open("Group").panel is bench.open("Group").widget


def test_every_view_shows_what_was_clicked_and_the_head_says_it(bench):
    assert "you look at step 8, group 32, answer 1<" in bench.head.value
    curves = bench.open("Curves")
    bench.picks.take({"of": "s3"})
    assert "you look at step 3" in bench.head.value and bench.selectors.step.value == 3
    assert "the step that is looked at" in curves.widget.value
    bench.picks.take({"of": "g9a5a2"})
    group = bench.open("Group").widget.value
    assert group.count('aria-current="true"') == 2 and "answer 5 of step 3" in group
    bench.selectors.newest.value = True
    assert "you look at" not in bench.head.value and "the step that is looked at" not in bench.open("Curves").widget.value


MARKS = {
    "Curves": r"s\d+",
    "Group": r"g32a\d",
    "Ledger": r"s\d+",
    "What-if": r"g32a\d",
}


@pytest.mark.parametrize("title", MARKS)
def test_what_is_drawn_carries_marks_that_are_understood(bench, title):
    marks = re.findall(r'data-pick="([^"]*)"', bench.open(title).widget.value)
    assert len(marks) >= 8 and all(re.fullmatch(MARKS[title], mark) for mark in marks)


def test_an_inversion_chooses_both_answers(bench):
    whatif = bench.open("What-if")
    for part, slider in whatif.knobs.weights.items():
        slider.value = 1.0 if part == "format" else 0.0  # a wrong answer in good form then earns as much as a right one
    whatif.knobs.over.value = "the whole run"
    pairs = re.findall(r'<li data-pick="(g\d+a\d+a\d+)"', whatif.widget.value)
    assert pairs
    bench.picks.take({"of": pairs[0]})
    wrong, right = bench.selection
    assert (wrong.breakdown.status == "correct", right.breakdown.status) == (False, "correct")


def test_a_column_of_a_chart_tells_its_values(bench):
    said = re.findall(r"<title>(step 8: [^<]*)</title>", bench.open("Curves").widget.value)
    assert any(re.fullmatch(r"step 8: right on dev 0\.\d+ \(0\.\d+ to 0\.\d+\)", words) for words in said)
    assert any(words.startswith("step 8: generation ") and "; update " in words for words in said)


def test_the_group_marks_every_chosen_answer():
    group = Run(RECORDED).group(32)
    ids = [group.rollouts[place].rollout_id for place in (0, 3)]
    assert group_table(group, ids).count('class="f-chosen"') == 2
