"""The form that starts a run: real processes that train the bundled policy for a step or two. Run: pytest tests/test_start.py"""

from __future__ import annotations

import doctest

import pytest
from test_widgets import wait_for

import widgets.launch
from finer.errors import FinerError
from finer.runs import Run, RunWriter
from widgets import Controls, StartRun, Workbench
from widgets.beginning import beginning_words
from widgets.controls import start_of

SMALL = {"questions_per_step": 1, "group_size": 2, "evaluate_every": 0, "evaluate_questions": 1,
         "checkpoint_every": 0, "max_completion_tokens": 16, "threads": 1}  # fmt: skip


def test_doctests():
    assert doctest.testmod(widgets.launch) == (0, 4)


def test_the_form_begins_with_the_defaults_and_proposes_a_free_folder(tmp_path):
    (tmp_path / "mine").mkdir()
    form = StartRun(tmp_path / "mine", steps=7, group_size=4)
    assert form.folder.value == str(tmp_path / "mine-2")
    assert {key: field.value for key, field in form.fields.items()} == {
        "recipe": "finer", "policy": "tiny", "dataset": "starter", "steps": 7, "questions_per_step": 8, "seed": 0, "learning_rate": 0.0,
    }  # fmt: skip
    assert "the one that suits the policy" in form.status.value and "suits" not in StartRun(tmp_path / "mine", learning_rate=1e-4).status.value
    form.fields["seed"].value = 3
    assert (form.config.seed, form.config.group_size) == (3, 4)
    assert "Questions a step: 8" in form.to_html() and "goes on when this notebook is closed" in form.status.value


@pytest.mark.parametrize("settings", [{"stepz": 5}, {"steps": "many"}, {"recipe": "fine"}], ids=["key", "value", "recipe"])
def test_a_setting_that_is_none_is_refused_at_once(settings):
    with pytest.raises(FinerError):
        StartRun(**settings)


BAD = {
    "a number of steps": ("steps", 0, "steps must be a whole number of at least 1, not 0"),
    "a learning rate": ("learning_rate", -1.0, "learning_rate must be a number of at least 0"),
    "a text no command takes": ("policy", "ti\x00ny", "null byte"),
    "half a surrogate": ("policy", "ti\ud800ny", "surrogates not allowed"),
    "no folder": ("folder", " ", "name a folder for the run"),
    "a folder with a run": ("folder", "taken", "taken-2, which is free"),
}


@pytest.mark.parametrize("key, value, message", BAD.values(), ids=BAD)
def test_what_cannot_begin_is_said(tmp_path, monkeypatch, key, value, message):
    monkeypatch.chdir(tmp_path)
    RunWriter.create("taken", {}).close()
    form = StartRun(tmp_path / "new")
    (form.folder if key == "folder" else form.fields[key]).value = value
    assert form.start() is None
    assert message in form.status.value and form.process is None and not form.button.disabled


def test_start_leads_to_a_run_and_stop_ends_it(tmp_path, monkeypatch):
    """In one process, since each takes its time to load: more steps than Stop will ever let it train."""
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "cache"))
    form = StartRun(tmp_path / "mine", steps=500, **SMALL)
    said = []
    form.status.observe(lambda change: said.append(change["new"]), "value")
    form.button.click()
    try:
        assert form.button.disabled and form.start() is None and "still trains" in form.status.value
        assert wait_for(lambda: form.workbench is not None, 300), form.log.read_text()
        form.workbench.controls.buttons["stop"].click()
        run = form.wait()
    finally:
        form.process.kill()
    (request,) = run.requests()
    print(f"stop was acknowledged after {request.taken_at - request.asked_at:.3f} s")
    assert request.outcome.startswith("stopped after step") and "stop" in [event.kind for event in run.events()]
    assert "loads its libraries" in said[0] and any("It last said: loading the policy tiny" in words for words in said)
    last = run.last_step
    assert (run.status, run.config["questions_per_step"], form.process.returncode) == ("stopped", 1, 0) and 1 <= last < 500
    assert form.workbench.widget in form.under.children and f"stopped · step {last}" in form.workbench.head.value
    assert f"✓ Stopped after step {last}" in form.status.value and form.folder.value == str(tmp_path / "mine-2")
    assert f"stopped after step {last}" in form.log.read_text() and form.log.parent == run.folder.parent
    _goes_on(form.workbench, last)


def _goes_on(bench, last):
    """Start, in the row of the controls, goes on with the run that was stopped, and the workbench follows it."""
    controls = bench.controls
    controls.start_button.click()
    try:
        assert controls.start_button.disabled and controls.start() is None and "trains already" in controls.starting.value
        assert wait_for(lambda: bench.run.last_step > last or not controls.launched.process.poll() is None, 300)
        assert bench.following and not controls.buttons["stop"].disabled, controls.launched.log.read_text()
        controls.buttons["stop"].click()
        assert wait_for(lambda: "has ended" in controls.starting.value, 120)
    finally:
        controls.launched.process.kill()
    assert bench.run.status == "stopped" and bench.run.last_step > last and not controls.start_button.disabled


def test_what_a_run_does_before_its_first_step_is_said(tmp_path):
    asked = {"index": 0, "correct": True, "sql": "SELECT 1", "status": "ok"}
    told = {"questions_per_step": 8, "group_size": 4, "evaluate_questions": 60}
    with RunWriter.create(tmp_path / "a run", told) as writer:
        run = Run(tmp_path / "a run")
        bench = Workbench(run)
        assert beginning_words(run) == "before it trains, the policy answers 60 dev questions"
        assert "running · step 0 · before it trains" in bench.head.value and "as soon as the first step is there" in bench.controls.heading.value
        writer.write_evaluation(0, "dev", "strict", [asked])
        assert beginning_words(run) == "the first step's answers are being written: 4 to each of 8 questions"
        writer.write_step(1, [], {}, {})
        assert beginning_words(run) == ""


QUIET = {"an imported run": {"source": "trl"}, "a warm start": {"stage": "warm start", "questions_per_step": 1}}


@pytest.mark.parametrize("config", QUIET.values(), ids=QUIET)
def test_other_runs_have_no_such_beginning(tmp_path, config):
    with RunWriter.create(tmp_path / "a run", config):
        assert beginning_words(Run(tmp_path / "a run")) == ""


def test_a_run_that_ended_before_its_first_step_does_nothing(tmp_path):
    with RunWriter.create(tmp_path / "a run", {"questions_per_step": 8}) as writer:
        writer.set_status("stopped")
        assert beginning_words(Run(tmp_path / "a run")) == ""


def test_what_the_process_refuses_is_said_as_text(tmp_path):
    form = StartRun(tmp_path / "refused", weights={"<b>": 1})
    form.button.click()
    assert form.wait() is None and form.workbench is None and not form.button.disabled
    assert "✗ " in form.status.value and "&lt;b&gt;" in form.status.value and "<b>" not in form.status.value
    assert "finer: " in form.log.read_text()


ENDED = {
    "finished": ({"recipe": "paper", "steps": 3}, "finished", "StartRun(recipe=&#x27;paper&#x27;, steps=3)", False),
    "stopped": ({"steps": 3}, "stopped", "StartRun(steps=3)", True),
    "of another trainer": ({"source": "trl"}, "finished", "", False),
}


@pytest.mark.parametrize("config, status, words, resumes", ENDED.values(), ids=ENDED)
def test_controls_of_an_ended_run_say_how_to_start_again(tmp_path, config, status, words, resumes):
    with RunWriter.create(tmp_path / "a run", config) as writer:
        assert "StartRun" not in Controls(Run(tmp_path / "a run")).again.value
        writer.set_status(status)
    shown = Workbench(tmp_path / "a run").controls.again.value
    assert words in shown and ("finer resume" in shown) == resumes
    assert ("StartRun" in shown) == bool(words)


STARTS = {
    "finished: anew, never beside a recorded run": ({"recipe": "paper", "steps": 3}, "finished", ["train", "--run", "{new}", "--set=recipe=paper", "--set=steps=3"]),
    "stopped: goes on": ({"steps": 3}, "stopped", ["resume", "{run}"]),
    "crashed: goes on": ({"steps": 3}, "crashed", ["resume", "{run}"]),
    "a warm start that was stopped goes on": ({"stage": "warm start"}, "stopped", ["resume", "{run}"]),
    "a warm start that is finished": ({"stage": "warm start"}, "finished", None),
    "of another trainer": ({"source": "trl"}, "finished", None),
    "trains": ({"steps": 3}, "running", None),
}


@pytest.mark.parametrize("config, status, arguments", STARTS.values(), ids=STARTS)
def test_what_start_does_of_a_run(tmp_path, monkeypatch, config, status, arguments):
    monkeypatch.chdir(tmp_path)
    with RunWriter.create(tmp_path / "a run", config) as writer:
        writer.set_status(status)
        controls, found = Controls(Run(tmp_path / "a run")), start_of(Run(tmp_path / "a run"))
        assert controls.start_button.disabled == (arguments is None)
        if arguments is None:
            assert found is None and controls.start() is None and "✗ " in controls.starting.value and controls.launched is None
            return
    new, run = tmp_path / "runs" / "a run", tmp_path / "a run"
    assert found == ([one.format(new=new, run=run) for one in arguments], new if status == "finished" else run)


def test_a_run_that_cannot_go_on_says_why(tmp_path):
    with RunWriter.create(tmp_path / "run", {"steps": 3}) as writer:
        writer.set_status("stopped")
    controls = Controls(Run(tmp_path / "run"))
    controls.start_button.click()
    assert wait_for(lambda: "All of its output" in controls.starting.value, 120)
    assert "✗ " in controls.starting.value and not controls.start_button.disabled and "finer: " in controls.launched.log.read_text()


def test_a_process_that_is_killed_is_told(tmp_path):
    form = StartRun(tmp_path / "killed", **SMALL)
    form.start().kill()
    assert form.wait() is None
    assert "signal 9 ended it" in form.status.value
