"""The matrix of questions over steps, and scrubbing one answer through time. Run with: pytest tests/test_matrix.py"""

from __future__ import annotations

import doctest
from dataclasses import replace
from html import escape

import pytest
import render_samples as samples

import finer
import widgets.matrix
from finer.question_history import most_like
from finer.render.matrix import MatrixCell, MatrixRow, matrix
from finer.run_index_schema import QuestionGroups
from finer.run_notes import RunNotes
from finer.runs import Run, RunWriter
from widgets import MatrixView
from widgets.matrix import steps_shown


@pytest.fixture
def view(tmp_path, monkeypatch):
    """Three steps: question 17 with a new best answer each time, question 18 all right; at step 3 a question of its own."""
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "cache"))
    with RunWriter.create(tmp_path / "run", {}) as writer:
        for step in (1, 2, 3):
            mixed = samples.group(10 * step, step)
            members = [replace(mixed.rollouts[0], completion=f"SELECT {step} FROM author"), *mixed.rollouts[1:]]
            groups = [replace(mixed, rollouts=tuple(members)), samples.silent_group(10 * step + 1, step)]
            if step == 3:
                groups.append(replace(samples.silent_group(32, 3), question=samples.question(40, "<script>Alone?")))
            writer.write_step(step, groups, {}, {})
        yield MatrixView(Run(tmp_path / "run"))


def shown(view) -> dict:
    return view.live.matrix


def test_without_pins_the_questions_asked_most_often(view):
    rows = shown(view)["rows"]
    assert [(row["label"][:12], len(row["cells"])) for row in rows] == [
        ("17 · library", 3),
        ("18 · library", 3),
        ("40 · library", 1),
    ]
    assert shown(view)["steps"] == [1, 2, 3] and not shown(view)["earlier"]
    assert rows[0]["cells"][1] == {"group": 20, "step": 2, "right": 1, "judged": 4, "words": "step 2: 1 of 4 right"}


def test_it_says_that_there_are_other_questions(view):
    assert shown(view)["said"] == "3 questions, steps 1 to 3"
    few = MatrixView(finer.DATA / "recorded" / "first-steps")
    few.whole()  # waits for the index
    few.refresh()
    assert shown(few)["said"] == "12 questions, steps 1 to 3: those asked most often. A search finds the others."
    few.live.wanted = {"text": "the"}
    assert shown(few)["said"].startswith("12 questions, steps ") and "others" not in shown(few)["said"]


def test_a_click_chooses_the_group_and_shows_what_changed(view):
    view.live.pick = {"group": 20}
    assert view.choice.group.group_id == shown(view)["chosen"] == 20 and view.choice.pinned
    assert shown(view)["scrub"] == [10, 20, 30]
    assert "SELECT <del>1</del><ins>2</ins> FROM author" in view.widget.value
    assert "at step 2 against the one the time before, at step 1" in view.widget.value


def test_the_first_time_has_nothing_before_it(view):
    view.live.pick = {"group": 10}
    assert "Best paid answer at step 1; the question was not asked before." in view.widget.value
    assert "SELECT 1 FROM author" in view.widget.value and "answer 0 of step 1 (paid " in view.widget.value, "the answer is there to read"


def test_the_question_stands_in_full_over_its_answer(view):
    for group_id in (10, 20):
        view.live.pick = {"group": group_id}
        assert escape(view.run.group(group_id).question.text) in view.widget.value


FOLLOWS = {
    "best": (0, "Best paid answer at step 2 against the one the time before, at step 1."),
    "worst": (3, "Worst paid answer at step 2 against the one the time before, at step 1."),
    "right": (0, "First right answer at step 2 against the one the time before, at step 1."),
    "like": (2, "at step 1. The chosen one: answer 2 of group 10, step 1; 0 words apart."),
    "nonsense": (0, "Best paid answer at step 2"),
}


@pytest.mark.parametrize("how", FOLLOWS)
def test_the_answer_that_is_followed_is_a_persons_choice_and_becomes_everybodys(view, how):
    position, words = FOLLOWS[how]
    view.choice.pick(10, 2)
    view.refresh()
    view.live.wanted = {"how": how}
    view.live.pick = {"group": 20}
    assert view.choice.rollout.position == position and words in view.widget.value
    assert shown(view)["how"] == (how if how != "nonsense" else "best")


def test_what_is_most_alike_goes_by_the_answer_that_was_chosen_and_not_by_the_last_one_scrubbed(view):
    view.choice.pick(10, 1)
    view.live.wanted = {"how": "like"}
    for group_id in (20, 30):
        view.live.pick = {"group": group_id, "serial": group_id}
        assert view.choice.rollout.position == 1 and "The chosen one: answer 1 of group 10" in view.widget.value
    view.choice.pick(30, 2)
    view.refresh()
    view.live.pick = {"group": 10, "serial": 3}
    assert view.choice.rollout.position == 2 and view.asked()[-1] == view.run.group(30).rollouts[2].rollout_id
    view.live.pick = {"group": 21, "serial": 4}
    assert view.asked()[-1] == view.choice.rollout.rollout_id, "another question begins with its own answer"


def test_another_way_to_follow_moves_the_choice_at_once(view):
    view.live.pick = {"group": 20}
    view.live.wanted = {"how": "worst"}
    assert view.choice.rollout.position == 3
    view.live.wanted = {"how": "worst", "text": "books"}
    assert view.choice.rollout.position == 3


def test_a_right_answer_is_followed_over_groups_without_one(tmp_path, monkeypatch):
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "cache"))
    with RunWriter.create(tmp_path / "run", {}) as writer:
        for step in (1, 2, 3):
            group = samples.group(step, step)
            writer.write_step(step, [group if step != 2 else replace(group, rollouts=group.rollouts[1:])], {}, {})
        view = MatrixView(Run(tmp_path / "run"))
    said = {}
    view.live.wanted = {"how": "right"}
    for group_id in (1, 2, 3):
        view.live.pick = {"group": group_id}
        said[group_id] = view.widget.value
    assert "has no earlier right answer" in said[1] and "No answer at step 2 is right." in said[2]
    assert "First right answer at step 3 against the one the time before, at step 1." in said[3]


def test_most_like_takes_the_better_paid_of_equals():
    group = samples.group()
    alike = replace(group, rollouts=tuple(replace(one, completion="SELECT 1") for one in group.rollouts))
    assert most_like(alike, group.rollouts[3]).position == 0 and most_like(group, group.rollouts[3]).position == 3
    assert most_like(group, None) is None and most_like(replace(group, rollouts=()), group.rollouts[3]) is None


def test_pins_come_first_and_are_kept(view):
    question = shown(view)["rows"][2]["id"]
    view.live.pin = {"question": question, "pinned": True}
    assert [(row["id"], row["pinned"]) for row in shown(view)["rows"]] == [(question, True)]
    assert RunNotes(view.run).questions() == [("library", 40, "<script>Alone?")]
    view.live.pin = {"question": question, "pinned": False}
    assert len(shown(view)["rows"]) == 3


SEARCHES = {
    "a word": ("BOOKS there", [18]),
    "a number": ("40", [40]),
    "nothing found": ("zebra", []),
    "blank": ("  ", [17, 18, 40]),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_search(view, name):
    text, found = SEARCHES[name]
    view.live.wanted = {"text": text}
    assert [int(row["label"].split()[0]) for row in shown(view)["rows"]] == found


@pytest.mark.parametrize(
    "sent",
    [
        {"pick": {"group": 999}},
        {"pick": {"group": "x"}},
        {"wanted": {"skip": -3, "text": None}},
        {"pin": {"question": 77}},
    ],
)
def test_nonsense_from_outside_does_no_harm(view, sent):
    for name, value in sent.items():
        setattr(view.live, name, value)
    view.live.wanted = {}
    assert len(shown(view)["rows"]) == 3


def test_the_static_form(view):
    said = view.to_html()
    assert "&lt;script&gt;Alone?" in said and "<script>Alone" not in said
    assert said.count("step 2: 1 of 4 right") == 2 and "time before" in said


def test_steps_are_paged():
    row = QuestionGroups(1, 7, "shop", "?", tuple((step, step, 4, 4, 0) for step in range(1, 71)))
    assert (steps_shown([row], 0)[0][0], steps_shown([row], 30)[0][0], steps_shown([row], 60)) == (
        41,
        11,
        (list(range(1, 31)), False),
    )
    assert steps_shown([], 0) == ([], False)


def test_a_group_that_was_not_judged_is_not_called_wrong():
    row = MatrixRow(1, "7 · shop", False, (MatrixCell(1, 1, 0, 0, 4), MatrixCell(2, 2, 0, 4, 4)))
    said = matrix([row], [1, 2])
    assert "4 answers, not judged" in said and "step 2: 0 of 4 right" in said and said.count("stroke-dasharray=") == 1
    assert "No question to show yet" in matrix([], [])


def test_doctests():
    assert doctest.testmod(widgets.matrix).failed == 0
