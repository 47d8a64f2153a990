"""Views beside a workbench, and groups that its run does not hold: what is picked in one place, the others show."""

from __future__ import annotations

import re
import shutil

import pytest
from shop import make_shop

import finer
from finer.records import Group
from widgets import CompareRuns, Playground, Workbench

RECORDED = finer.DATA / "recorded" / "first-steps"
PLANTED, SOUND = (finer.DATA / "recorded" / "lessons" / name for name in ("planted", "sound"))
TITLES = ("Curves", "Group", "Rollout", "Edit", "Atoms", "Results", "Memory", "Ledger", "Habits", "What-if", "Matrix", "Rollouts", "Explore", "Guess")


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """At step 8, answer 1 of group 32."""
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "cache"))
    bench = Workbench(shutil.copytree(RECORDED, tmp_path / "run", ignore=shutil.ignore_patterns("edits.json")))
    bench.choice.pick(32, 1)
    return bench


@pytest.fixture
def shop(tmp_path):
    return make_shop(tmp_path)


@pytest.fixture
def tries(bench):
    """A playground beside the workbench, with two tries at the question of group 32: a constant, then the gold."""
    playground = Playground(bench)
    for sql in ("SELECT 41 + 1", bench.choice.group.question.gold[0]):
        playground.thought.value, playground.sql.value = "a try", sql
        playground.button.click()
    return playground


def test_what_is_chosen_in_the_workbench_comes_into_the_playground(bench):
    playground = Playground(bench)
    chosen = bench.selection[0]
    assert playground.question == bench.choice.group.question and playground.sql.value == chosen.sql
    bench.picks.take({"of": "g9a5"})
    assert playground.question == bench.choice.group.question and playground.sql.value == bench.selection[0].sql
    playground.sql.value = "SELECT typed"
    bench.picks.take({"of": "g32a1"})
    assert playground.sql.value == "SELECT typed" and playground.question != bench.choice.group.question


def test_a_question_that_the_data_set_lacks_is_told(bench):
    playground = Playground(bench)
    playground.dataset = playground.dataset.split("dev")
    bench.picks.take({"of": "g9a5"})
    assert "does not hold the question that the workbench shows" in playground.status.value


def test_a_try_is_what_the_workbench_shows(bench, tries):
    assert bench.selection == tries.selection and bench.selection[0].breakdown.status == "correct"
    assert "you look at the tries of a playground, answer 1<" in bench.head.value
    assert bench.selectors.groups.value < 0 and len(bench.selectors.rollouts.options) == 2
    shown = {title: bench.open(title).widget for title in TITLES}
    for title in ("Group", "Rollout"):
        assert "your own tries, not part of a run" in shown[title].value
    assert "41 + 1" in shown["Group"].value and 'data-pick="g-1a0"' in shown["What-if"].value
    assert "the step that is looked at" not in shown["Curves"].value
    weights = {name: field.value for name, field in bench.controls.weights.items()}
    assert weights == {part.name: part.weight for part in bench.run.group(32).rollouts[0].breakdown.parts}


def test_a_click_in_either_place_chooses_another_try(bench, tries):
    marks = re.findall(r'data-pick="([^"]*)"', tries.shown.value)
    assert sorted(marks) == ["g-1a0", "g-1a1"]
    tries.picks.take({"of": "g-1a0"})
    assert bench.selection == tries.selection and tries.tried.rollout.sql == "SELECT 41 + 1" and "41 + 1" in bench.open("Rollout").widget.value
    bench.picks.take({"of": "g-1a1"})
    assert tries.tried.rollout.breakdown.status == "correct" and tries.selection == bench.selection
    for mark in ("g-1a9", "g32a0", "x", "g-1a" + "9" * 90):
        tries.picks.take({"of": mark})
    assert tries.selection == bench.selection
    with pytest.raises(IndexError, match="no try 9"):
        tries.pick(9)


def test_the_list_of_groups_names_what_stands_outside_of_the_run(bench, tries):
    groups = bench.selectors.groups
    assert groups.label == bench.choice.outside == "the tries of a playground"
    groups.value = 30
    assert bench.choice.outside == "" and "the tries of a playground" not in dict(groups.options)


def test_the_run_is_back_as_soon_as_something_of_it_is_chosen(bench, tries):
    bench.selectors.groups.value = 30
    assert bench.choice.outside == "" and bench.choice.group == bench.run.group(30) and "step 8, group 30" in bench.head.value
    bench.picks.take({"of": "g-1a0"})
    assert bench.choice.group.group_id == 30, "the tries are not looked at any more"
    assert tries.tried is None
    tries.show_question(bench.run.group(32).question.index)
    tries.pick(0)
    assert bench.choice.outside, "the tries of a question are there when it is asked again"
    bench.selectors.newest.value = True
    assert bench.choice.outside == "" and bench.choice.step == bench.run.last_step


def test_sliders_turn_over_the_tries(bench, tries):
    whatif = bench.open("What-if")
    assert list(whatif.knobs.over.options) == ["this group"]
    before = whatif.widget.value
    whatif.knobs.weights["execution"].value = 0.0
    assert whatif.widget.value != before
    own = whatif.knobs
    bench.picks.take({"of": "g32a1"})
    assert whatif.knobs is not own and whatif.knobs.weights["execution"].value != 0.0, "the run has knobs of its own"
    tries.pick(0)
    assert whatif.knobs is own, "and the tries keep theirs"


def test_a_playground_alone_has_sliders_over_its_tries(shop):
    playground = Playground(shop, "finer", 1)
    assert playground.other.layout.display == "none" and playground.whatif.widget.children == ()
    for sql in ("SELECT title FROM book WHERE price > 6", "SELECT title FROM book WHERE price = 9"):
        playground.sql.value = sql
        playground.button.click()
    before = playground.whatif.html.value
    assert playground.other.layout.display == "" and 'data-pick="g-1a0"' in before
    playground.whatif.knobs.weights["execution"].value = 0.0
    assert playground.whatif.html.value != before
    playground.picks.take({"of": "g-1a0"})
    assert playground.whatif.knobs.weights["execution"].value == 0.0, "another try leaves the knobs as they are"
    playground.recipe.value = "sparse"
    playground.button.click()
    assert list(playground.whatif.knobs.weights) == ["execution"]
    assert "Turn a knob, and totals, ranks and advantages follow." in playground.to_html()
    playground.again.click()
    assert playground.whatif.widget.children == ()


def test_sliders_turn_over_a_group_with_an_edit_in_it(bench):
    edit = bench.open("Edit")
    assert edit.look_button.disabled
    edit.look_button.click()
    assert "No edit of this group" in edit.status.value
    edit.sql.value = bench.choice.group.question.gold[0]
    kept = edit.score()
    edit.look_button.click()
    group, was = bench.choice.group, bench.run.group(32)
    assert bench.selection[0].completion == kept.completion and bench.selection[0].breakdown.status == "correct"
    assert len(group.rollouts) == len(was.rollouts) and "you look at edit 1 in group 32, answer 1<" in bench.head.value
    assert "Edited answer" in edit.widget.value or "edit 1" in edit.widget.value
    edit.take()
    assert "no answer of the run" in edit.status.value
    whatif = bench.open("What-if")
    before = whatif.widget.value
    whatif.knobs.weights["execution"].value = 0.0
    assert whatif.widget.value != before and 'data-pick="g-1a1"' in before
    bench.picks.take({"of": "g32a1"})
    assert bench.choice.group == was


def test_pages_of_what_no_run_holds(bench, tries):
    page = bench.to_html()
    assert "your own tries, not part of a run" in page and "41 + 1" in page
    assert bench._repr_mimebundle_()["text/plain"]


def test_only_an_id_below_zero_is_outside(bench):
    with pytest.raises(ValueError, match="needs an id below zero, not 32"):
        bench.choice.pick_outside(bench.choice.group, 1, "mine")
    assert isinstance(bench.choice.group, Group) and bench.choice.outside == ""


@pytest.mark.parametrize("place", [0, 1])
def test_a_question_of_two_runs_is_chosen_in_the_one_that_the_workbench_shows(tmp_path, monkeypatch, place):
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "cache"))
    bench = Workbench((PLANTED, SOUND)[place])
    view = CompareRuns(bench, SOUND) if place == 0 else CompareRuns(PLANTED, bench)
    view.source.value, view.change.value = "last steps", ""
    pair = view.pairs()[3]
    place_of = view.comparison.pairs.index(pair)
    assert f'data-pick="q{place_of}"' in view.shown.value and "aria-current" in view.shown.value
    view.picks.take({"of": f"q{place_of}"})
    side = (pair.first, pair.second)[place]
    assert bench.choice.group.group_id == side.group_id
    assert bench.selection[0].breakdown.total == max(one.breakdown.total for one in bench.choice.group.rollouts)
    marked = re.findall(r"<tr[^>]*aria-current[^>]*>", view.shown.value)
    assert len(marked) == 1 and f"q{place_of}" in marked[0], "and stands first here, whatever the filters leave out"
    bench.choice.pick((view.pairs()[5].first, view.pairs()[5].second)[place].group_id)
    assert f'data-pick="q{view.comparison.pairs.index(view.pairs()[5])}"' in re.findall(r"<tr[^>]*aria-current[^>]*>", view.shown.value)[0]
    for mark in ("q99999", "g1", "", "q" + "9" * 99):
        view.picks.take({"of": mark})


def test_without_a_workbench_nothing_is_to_be_clicked(tmp_path, monkeypatch):
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "cache"))
    view = CompareRuns(PLANTED, SOUND)
    assert "data-pick" not in view.shown.value and "aria-current" not in view.shown.value
