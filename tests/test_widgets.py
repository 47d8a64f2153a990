"""The workbench over a real run store, without a browser: what it shows, what it follows, what it asks of a trainer."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
import time

import anywidget
import ipywidgets
import pytest
import render_samples as samples
from shop import make_shop

from finer.records import Trace
from finer.render.style import STYLE
from finer.runs import Run, RunStoreError, RunWriter
from finer.runs_schema import MemoryEvent
from widgets import AtomsView, Controls, Curves, GroupView, MemoryView, ResultsView, RolloutView, Workbench
from widgets.views import WIDGET_VIEW

SECONDS = {"generation": 1.0, "scoring": 0.1, "update": 0.5}


def write_step(writer: RunWriter, step: int) -> None:
    """Two groups a step: one silent, one mixed."""
    groups = [samples.silent_group(2 * step, step), samples.group(2 * step + 1, step)]
    trace = Trace(700 + step, "library", "How many?", samples.THOUGHT, samples.GOLD, "policy", step)
    writer.write_step(step, groups, samples.metrics(step), SECONDS, [MemoryEvent("inserted", trace, "", step)])


@pytest.fixture
def writer(tmp_path, monkeypatch):
    """A run that trains: two steps and one evaluation so far."""
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "cache"))
    with RunWriter.create(tmp_path / "first", {"recipe": "finer"}) as writer:
        rows = [{"index": place, "correct": place < 3, "sql": "SELECT 1", "status": "ok"} for place in range(10)]
        writer.write_evaluation(0, "dev", "strict", rows)
        for step in (1, 2):
            write_step(writer, step)
        yield writer


@pytest.fixture
def run(writer):
    return Run(writer.path.parent)


def wait_for(condition, seconds: float = 10.0) -> bool:
    """True as soon as the condition holds; the limit only keeps a broken test from hanging."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_starts_at_the_newest_steps_most_telling_group(run):
    bench = Workbench(run)
    assert (bench.choice.step, bench.choice.group.group_id) == (2, 5)
    assert [rollout.breakdown.status for rollout in bench.selection] == ["wrong"]
    assert "running · step 2 · right on dev: 30.0% (step 0)" in bench.head.value


def test_opens_a_folder_as_well_as_a_run(run):
    assert Workbench(run.folder).run.path == run.path
    with pytest.raises(RunStoreError, match="does not exist"):
        Workbench(run.folder / "nowhere")


WORDS = {
    "Curves": "Total reward",
    "Group": "1 of 4 answers right",
    "Rollout": "advantage",
    "Edit": "No edit of group 5 is kept",
    "Atoms": "only in gold",
    "Results": "Results under each rule",
    "Memory": "Nearest verified thoughts",
    "Ledger": "Under execution alone",
    "Habits": "questions where",
    "What-if": "change places",
    "Matrix": "Best paid answer at step 2",
    "Rollouts": "16 answers, 1 to 16 shown",
    "Explore": "answers of the run",
    "Guess": "place 1",
}


STATIC_WORDS = {
    "Matrix": "Questions over steps",
    "Rollouts": "16 answers; the 16 best paid are shown",
    "Explore": "answers of the run",
    "Guess": "Guess",
}


def test_tabs_are_named_and_filled(run):
    bench = Workbench(run)
    titles = [bench.tabs.get_title(place) for place in range(len(bench.tabs.children))]
    assert titles == [*WORDS, "Controls"]
    for title, words in WORDS.items():
        view = bench.open(title)
        shown = getattr(view.widget, "value", "") or str(view.widget.page)
        assert words in shown and STYLE not in shown
    with pytest.raises(ValueError, match="no view 'Rollout s'; it has Curves, Group, Rollout, "):
        bench.open("Rollout s")


def test_a_tab_is_drawn_when_it_is_opened_and_all_when_the_workbench_is_displayed(run):
    bench = Workbench(run)
    results = next(view for view in bench.views if view.title == "Results")
    assert results.widget.value == "" and bench.views[0].widget.value
    bench.selectors.rollouts.value = (500,)
    assert results.widget.value == ""
    static = bench._repr_mimebundle_()["text/html"]
    assert results.widget.value and static.count(STYLE) == 1
    missing = [title for title, words in (WORDS | STATIC_WORDS).items() if words not in static]
    assert missing == []


def test_a_choice_by_hand_moves_every_view_and_stays(run, writer):
    bench = Workbench(run)
    group = bench.open("Group")
    bench.selectors.groups.value = 4
    assert bench.choice.pinned and bench.choice.group.group_id == 4
    assert "gives no signal" in group.widget.value
    write_step(writer, 3)
    bench.refresh()
    assert bench.choice.group.group_id == 4 and bench.selectors.step.max == 3
    bench.selectors.newest.value = True
    assert (bench.choice.step, bench.choice.group.group_id) == (3, 7)


def test_the_step_slider_shows_an_earlier_step(run):
    bench = Workbench(run)
    bench.selectors.step.value = 1
    assert bench.choice.group.group_id == 3 and bench.choice.pinned
    assert not bench.selectors.newest.value


def test_several_answers_can_be_selected(run):
    bench = Workbench(run)
    bench.selectors.rollouts.value = (500, 502)
    assert [rollout.rollout_id for rollout in bench.selection] == [500, 502]
    assert bench.open("Rollout").widget.value.count("w-sum") == 4
    bench.selection.clear()
    assert len(bench.selection) == 2, "the list is the caller's own"


def test_unpinned_moves_on_with_the_run(run, writer):
    bench = Workbench(run)
    write_step(writer, 3)
    bench.refresh()
    assert (bench.choice.step, bench.selectors.groups.value) == (3, 7)


def test_a_run_without_a_step_says_what_will_come(tmp_path):
    with RunWriter.create(tmp_path / "new", {}):
        bench = Workbench(tmp_path / "new")
        assert bench.selection == [] and "after the first step" in bench.open("Group").widget.value
        assert "No step has been recorded yet" in bench.to_html()


def test_nothing_is_sent_where_nothing_changed(run):
    bench = Workbench(run)
    sent = []
    for widget in [bench.head, *[view.widget for view in bench.views], bench.selectors.groups, bench.controls.answers]:
        widget.observe(sent.append)
    bench.refresh()
    assert sent == []


# --- following


def test_following_shows_a_new_step_and_ends_with_the_run(run, writer):
    bench = Workbench(run).follow()
    assert bench.following and bench.follow() is bench
    assert sum(thread.name == "finer-workbench" for thread in threading.enumerate()) == 1
    write_step(writer, 3)
    assert wait_for(lambda: "step 3" in bench.head.value and bench.choice.step == 3)
    writer.set_status("finished")
    assert wait_for(lambda: not bench.following)
    assert "finished" in bench.head.value and "following" not in bench.head.value
    assert all("step 3" in bench.open(title).widget.value for title in ("Group", "Rollout"))


def test_following_draws_only_the_open_tab(run, writer):
    bench = Workbench(run)
    bench.open("Group")
    bench.open("Rollout")
    before = bench.views[1].widget.value
    bench.follow()
    write_step(writer, 3)
    assert wait_for(lambda: "step 3" in bench.views[2].widget.value)
    assert bench.views[1].widget.value == before
    bench.tabs.selected_index = 1
    assert "step 3" in bench.views[1].widget.value
    bench.stop_following()
    assert not bench.following


def test_trouble_while_following_is_shown(run, writer, monkeypatch, capsys):
    bench = Workbench(run)
    monkeypatch.setattr(bench, "refresh", lambda **_: 1 / 0)
    bench.follow()
    assert wait_for(lambda: "Following stopped" in bench.head.value)
    assert wait_for(lambda: not bench.following)
    assert "ZeroDivisionError" in bench.head.value and capsys.readouterr() == ("", "")


# --- controls


@pytest.mark.parametrize("kind", ["pause", "stop", "checkpoint"])
def test_a_press_becomes_a_request_and_its_answer_is_shown(run, writer, kind):
    bench = Workbench(run)
    bench.controls.buttons[kind].click()
    assert f"{kind} (request 1): asked, waiting" in bench.controls.answers.value
    assert bench.following, "the answer is watched for"
    (request,) = writer.take_requests()
    assert request.kind == kind
    assert wait_for(lambda: "taken after" in bench.controls.answers.value)
    writer.finish_request(request.request_id, "done at step 2")
    assert wait_for(lambda: "done at step 2" in bench.controls.answers.value)
    bench.stop_following()


def test_weights_are_those_of_the_group_until_changed(run, writer):
    controls = Workbench(run).controls
    assert {name: field.value for name, field in controls.weights.items()} == samples.WEIGHTS
    controls.weights["atomic"].value = 0.2
    controls.apply.click()
    (request,) = run.requests()
    assert request.values == {**samples.WEIGHTS, "atomic": 0.2}


STATES = {
    "running": {"pause", "stop", "checkpoint"},
    "paused": {"resume", "stop", "checkpoint"},
    "finished": set(),
}


@pytest.mark.parametrize("status", STATES)
def test_only_what_can_be_asked_is_enabled(run, writer, status):
    writer.set_status(status)
    controls = Controls(run)
    assert {kind for kind, button in controls.buttons.items() if not button.disabled} == STATES[status]


def test_a_press_on_a_finished_run_says_why_not(run, writer):
    controls = Controls(run)
    writer.set_status("finished")
    assert controls.press("pause") is None
    assert "is finished, so nobody would take a request" in controls.answers.value and run.requests() == []


# --- other forms


@pytest.mark.parametrize("kind", [Curves, GroupView, RolloutView, AtomsView, ResultsView, MemoryView])
def test_each_view_stands_alone(run, kind):
    view = kind(run)
    assert view.to_html().startswith("<!DOCTYPE html>") and STYLE in view.widget.value
    shown = view._repr_mimebundle_()
    assert set(shown) == {WIDGET_VIEW, "text/html", "text/plain"}
    assert shown[WIDGET_VIEW]["model_id"] == view.panel.model_id


def test_a_view_of_one_answer(run):
    view = RolloutView(run, group_id=3, position=2)
    assert "Answer 2 of group 3, step 1" in view.to_html()
    with pytest.raises(IndexError, match="has no answer 9; it has 0 to 3"):
        RolloutView(run, group_id=3, position=9)
    with pytest.raises(RunStoreError, match="holds no group 99"):
        RolloutView(run, group_id=99)


def test_the_static_form_holds_everything_once(run):
    shown = Workbench(run)._repr_mimebundle_()
    assert shown["text/html"].count(STYLE) == 1 and len(shown["text/html"]) < 200_000
    for words in ("Total reward", "1 of 4 answers right", "only in gold", "Only right answers are offered"):
        assert words in shown["text/html"] and words in Workbench(run).to_html()
    assert shown["text/plain"].startswith("Workbench of Run(")


def test_memory_says_that_the_right_answer_was_taken_in(run):
    assert "Yes: taken in after step 2" in MemoryView(run, 5, 0).to_html()


def test_hostile_text_from_the_store_stays_text(tmp_path):
    nasty = "<img src=x onerror=alert(1)>\u202e"
    with RunWriter.create(tmp_path / nasty[:4], {}) as writer:
        asked = samples.question(text=nasty)
        member = samples.rollout(0, "wrong", (1, 0, 0, 0), sql=nasty, thought=nasty, step=1, group_id=1)
        group = samples.group(1, 1)
        writer.write_step(1, [type(group)(1, 1, asked, nasty, (member, member_at(member, 1)))], {}, {})
        bench = Workbench(writer.path.parent)
        shown = [bench.to_html(), bench.head.value, bench._repr_mimebundle_()["text/html"]]
        assert not any("<img" in text or "\u202e" in text for text in shown)
        assert "\u202e" not in str(next(view for view in bench.views if view.title == "Rollouts").widget.page)  # data, which the front end sets as text
        assert all("\u202e" not in label for label, _ in bench.selectors.rollouts.options)


def member_at(member, position):
    return dataclasses.replace(member, rollout_id=member.rollout_id + position, position=position)


def test_widgets_need_no_training_library():
    code = (
        "import sys, widgets; bad = {'torch', 'transformers', 'trl', 'plotly'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_control_is_of_the_core(run):
    bench = Workbench(run)
    models = list(walk(bench.widget))
    models = [widget for widget in models if not isinstance(widget, anywidget.AnyWidget)]  # those fall back to their HTML
    assert {type(widget).__module__.split(".")[0] for widget in models} == {"ipywidgets"}
    known_to_7 = {
        "VBox",
        "HBox",
        "HTML",
        "Tab",
        "Button",
        "Dropdown",
        "IntSlider",
        "SelectMultiple",
        "Checkbox",
        "FloatText",
        "FloatSlider",
        "Textarea",
        "Select",
    }
    assert {type(widget).__name__ for widget in models} <= known_to_7


def walk(widget):
    yield widget
    if isinstance(widget, ipywidgets.Box):
        for child in widget.children:
            yield from walk(child)


def test_results_are_run_again_for_the_chosen_answer(run, tmp_path):
    view = ResultsView(run)
    assert "The rules disagree" in view.fragment() or "Every rule says the same" in view.fragment()
    view.dataset = make_shop(tmp_path)
    view.choice.show_rollouts((view.choice.group.rollouts[2].rollout_id,))
    assert "cannot be run again here: the data set &#x27;the shop&#x27; has no database &#x27;library&#x27;" in view.fragment()
