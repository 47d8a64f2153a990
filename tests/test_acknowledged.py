"""A press on a control, in a real JupyterLab, for a run in another process: acknowledged while its step still goes on.

On a busy machine no clock can be asked whether that took a second. What is asserted is that the view shows the acknowledgement
before the step ends, which the test alone lets end, and that the waits between a look and the next add up to a second. The seconds
that were measured, in the store and in the page, lie in artefacts/acknowledged.json.
Run with: FINER_BROWSER=/usr/bin/chromium pytest tests/test_acknowledged.py
"""

from __future__ import annotations

import ast
import json

import lab
import pytest

import finer
import finer.recorder
import widgets.workbench

RECORDED = finer.DATA / "recorded" / "first-steps"
SETUP = f"""import atexit, subprocess, sys, tempfile
from finer.runs import Run
from widgets import Workbench
folder = tempfile.mkdtemp() + "/held"
command = [sys.executable, {str(lab.ROOT / "tests" / "held_run.py")!r}, folder, {str(RECORDED)!r}]
trainer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
atexit.register(trainer.kill)
assert trainer.stdout.readline() == "ready\\n"
lines = 0  # when the notebook runs all cells, no step ends
bench = Workbench(folder).follow()
bench"""
ASK = "print([bench.run.last_step, [(one.kind, one.taken_at is not None, one.outcome) for one in bench.run.requests()]])"
END_STEP = 'trainer.stdin.write(lines * "\\n"); trainer.stdin.flush(); lines = 1'
SECONDS = "print({str(one.request_id): round(one.taken_at - one.asked_at, 3) for one in bench.run.requests()})"
VIEW, ASKED, STEP, TIMES = range(4)
WATCH = """() => {
  [window.pressed, window.acknowledged] = [0, {}];
  document.addEventListener("click", () => { window.pressed = performance.now(); }, true);
  const look = () => {
    for (const found of document.body.innerText.matchAll(/request (\\d+)\\): taken/g))
      window.acknowledged[found[1]] ??= Math.round(performance.now() - window.pressed) / 1000;
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
PRESSES = (
    ("Apply", "weights", "weights from step 3 on: "),
    ("Checkpoint now", "checkpoint", "checkpoint at the end of step 3"),
    ("Pause", "pause", "paused after step 4"),
    ("Stop", "stop", "stopped after step 5, with a checkpoint"),
)
"""Button, kind of request, and what the next end of a step makes of it."""


def test_the_waits_until_a_press_is_shown_add_up_to_a_second_at_most():
    assert finer.recorder.POLL_SECONDS + max(widgets.workbench.POLL_SECONDS, widgets.workbench.LONGEST_REST) <= 1


@pytest.fixture
def notebook(tmp_path):
    with lab.server(tmp_path / "server") as server, lab.browser() as browser:
        opened = lab.Notebook(browser.new_page(viewport=lab.WIDE), server.write("held", [SETUP, ASK, END_STEP, SECONDS]))
        opened.run_all()
        yield opened


@lab.in_browser
def test_every_press_is_acknowledged_before_the_step_ends_and_done_when_it_has(notebook):
    output = notebook.output(VIEW)
    output.get_by_role("tab", name="Controls", exact=True).click()
    notebook.page.evaluate(WATCH)
    for step, (button, kind, outcome) in enumerate(PRESSES, 1):
        _press(notebook, button, kind, step)
        notebook.run(STEP)
        output.get_by_text(outcome).wait_for()
        if kind == "pause":
            output.get_by_role("button", name="Resume").click()
            output.get_by_text("resumed after step 4").wait_for()
    output.get_by_text("stopped · step 5").wait_for()
    lab.keep(output, "acknowledged")
    _keep_seconds(notebook)
    assert notebook.complaints == []


def _press(notebook, button: str, kind: str, step: int) -> None:
    """Presses, waits until the view shows that it was taken, and sees in the store that the step has not ended."""
    before = len(ast.literal_eval(notebook.run(ASKED))[1])
    notebook.output(VIEW).get_by_role("button", name=button).click()
    notebook.output(VIEW).get_by_text(f"(request {before + 1}): taken after").wait_for()
    last_step, requests = ast.literal_eval(notebook.run(ASKED))
    assert (last_step, requests[before]) == (step, (kind, True, None))


def _keep_seconds(notebook) -> None:
    """From the press to the trainer's mark in the store, and from the click to the page's words."""
    store, page = ast.literal_eval(notebook.run(TIMES)), notebook.page.evaluate("() => window.acknowledged")
    told = {"seconds from the request to the mark in the store": store, "seconds from the click to the words in the page": page}
    (lab.ARTEFACTS / "acknowledged.json").write_text(json.dumps(told, indent=1))
    assert set(page) == set(store)
