"""Start, pause, resume, stop, checkpoint and weights: each press but the first only writes a request into the run store.

The trainer, in this kernel or in another process, takes requests between two stages of a step; the label says when it has,
and what came of it. Start is for a run that has ended: one that broke off or was stopped goes on, one that is finished is trained anew
in a further folder, either in a process of its own.

Not covered: starting a run with other settings (``start``).
"""

from __future__ import annotations

import os
import shlex
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets

from finer.cli import free_folder
from finer.config import TrainConfig, from_mapping
from finer.errors import ConfigError
from finer.records import Group
from finer.render import Markup, page, section
from finer.render.markup import tag, text
from finer.runs import Request, Run, RunStoreError
from finer.runs_schema import WARM_START
from widgets.choice import open_run
from widgets.launch import OUTLIVES, Launched, log_of, train_arguments
from widgets.views import bundle

_BUTTONS = (
    ("pause", "Pause", "pause", "Hold training at the next stage of a step"),
    ("resume", "Resume", "play", "Go on after a pause"),
    ("stop", "Stop", "stop", "End training after this step; it can be resumed"),
    ("checkpoint", "Checkpoint now", "save", "Write a checkpoint at the end of this step"),
)
_ALLOWED = {
    "running": {"pause", "stop", "checkpoint", "weights"},
    "paused": {"resume", "stop", "checkpoint", "weights"},
}
_WEIGHTS_LATER = "Weights: they stand here, to be changed, as soon as the first step is there."
MOST_SHOWN = 6
POLL_SECONDS = 0.2
NEW_RUNS = Path("runs")
"""Where a finished run is trained anew, as with ``StartRun``: never beside a recorded one."""


def request_words(request: Request) -> str:
    """A request as a sentence.

    >>> request_words(Request(3, "pause", {}, 100.0, 100.42, "paused at step 7"))
    'pause (request 3): taken after 0.4 s: paused at step 7'
    >>> request_words(Request(4, "weights", {"atomic": 0.3}, 100.0))
    'weights atomic 0.3 (request 4): asked, waiting for the trainer'
    """
    values = "".join(f" {name} {value:g}" for name, value in request.values.items())
    if request.taken_at is None:
        state = "asked, waiting for the trainer"
    else:
        taken = f"taken after {max(0.0, request.taken_at - request.asked_at):.1f} s"
        state = (
            f"{taken}: {request.outcome}"
            if request.outcome
            else f"{taken}, takes effect at the next step at the latest"
        )
    return f"{request.kind}{values} (request {request.request_id}): {state}"


def again_words(run: Run) -> list[str]:
    """How to start again a run that has ended: nothing while it trains, or where it was not trained by ``finer train``."""
    status = run.status
    told = run.config
    if status in _ALLOWED or not told:
        return []
    going_on = f"Go on from the last checkpoint: finer resume {shlex.quote(os.path.relpath(run.folder))}"
    if told.get("stage") == WARM_START:
        return [f"The warm start is {status}, and takes no requests.", *([] if status == "finished" else [going_on])]
    try:
        config = from_mapping(told)
    except ConfigError:
        return []
    default = TrainConfig()
    changed = [f"{key}={value!r}" for key, value in vars(config).items() if value != getattr(default, key)]
    anew = f"Train anew with the same settings, in a notebook: StartRun({', '.join(changed)})"
    return [f"The run is {status}, and takes no requests.", *([] if status == "finished" else [going_on]), anew]


def start_of(run: Run) -> tuple[list[str], Path] | None:
    """The arguments of ``finer`` that start an ended run again, and the folder that then trains; None where there is nothing to start.

    One that trains, a warm start that is finished, and one that was not trained by ``finer train`` cannot be started.
    """
    status = run.status
    told = {} if status in _ALLOWED else run.config
    if not told:
        return None
    if told.get("stage") != WARM_START:
        try:
            config = from_mapping(told)
        except ConfigError:
            return None
    if status != "finished":
        return ["resume", str(run.folder)], run.folder
    if told.get("stage") == WARM_START:
        return None
    folder = free_folder(NEW_RUNS, run.folder.name).resolve()
    return train_arguments(config, folder), folder


class Controls:
    """The buttons, the weights and the answers to the requests; ``pressed`` is called after a request was written."""

    def __init__(self, run: Run | str | Path, pressed: Callable[[], None] = lambda: None):
        self.run = open_run(run)
        self._pressed = pressed
        self.buttons = {kind: self._button(kind, *about) for kind, *about in _BUTTONS}
        self.weights: dict[str, ipywidgets.FloatText] = {}
        self.apply = self._button("weights", "Apply", "check", "Pay by these weights from the next step on")
        self.start_button = ipywidgets.Button(description="Start", icon="play-circle", tooltip="Go on with a run that ended early, or train a finished one anew")
        self.start_button.on_click(lambda _: self.start())
        self.launched: Launched | None = None
        self.starting = ipywidgets.HTML()
        self.answers = ipywidgets.HTML()
        self.again = ipywidgets.HTML()
        self._fields = ipywidgets.HBox([], layout=ipywidgets.Layout(flex_flow="row wrap"))
        row = ipywidgets.HBox([self.start_button, *self.buttons.values()], layout=ipywidgets.Layout(flex_flow="row wrap"))
        self.heading = ipywidgets.HTML(_WEIGHTS_LATER)
        self.widget = ipywidgets.VBox([row, self.starting, self.heading, self._fields, self.answers, self.again])
        self.refresh(None)

    def _button(self, kind: str, label: str, icon: str, tooltip: str) -> ipywidgets.Button:
        button = ipywidgets.Button(description=label, icon=icon, tooltip=tooltip)
        button.on_click(lambda _: self.press(kind))
        return button

    def press(self, kind: str) -> int | None:
        """Writes a request and says so; its id, or None where the run takes none (the label then says why)."""
        values = {name: field.value for name, field in self.weights.items()} if kind == "weights" else {}
        try:
            request_id = self.run.request(kind, **values)
        except (RunStoreError, ValueError) as error:
            self.answers.value = str(tag("div", f"✗ {kind}: ", text(error, 600), role="status"))
            return None
        self.show_requests()
        self._pressed()
        return request_id

    def start(self) -> Launched | None:
        """Starts the ended run again, in a process of its own; None where that cannot be, and then the label says why."""
        found = start_of(self.run)
        if found is None or self._trains():
            self._say("✗ This run trains already, or was not trained by finer train.")
            return None
        arguments, folder = found
        try:
            self.launched = Launched(arguments, log_of(folder))
        except (OSError, ValueError) as error:
            self._say(f"✗ {error}")
            return None
        self.start_button.disabled = True
        self._say(f"… Process {self.launched.process.pid} loads the policy. Its output: {self.launched.log}", OUTLIVES)
        threading.Thread(target=self._watch, args=(self.launched, folder), name="finer-started", daemon=True).start()
        return self.launched

    def _trains(self) -> bool:
        return self.launched is not None and self.launched.process.poll() is None

    def _watch(self, launched: Launched, folder: Path) -> None:
        """The thread: says when it trains, has the workbench follow, and says what came of it."""
        while launched.process.poll() is None and not _is_alive(folder):
            time.sleep(POLL_SECONDS)
        if launched.process.poll() is None:
            shown = os.path.relpath(folder)
            other = "" if folder == self.run.folder else f'It is another run. To see it: Workbench("{shown}").follow()'
            self._say(f"▶ Process {launched.process.pid} trains into {shown}. Its output: {launched.log}", OUTLIVES, other)
            self._pressed()
        failed = launched.process.wait()
        self.refresh(None)
        if failed:
            self._say(f"✗ {launched.why()}", f"All of its output: {launched.log}")
        else:
            self._say(f"✓ Process {launched.process.pid} has ended. Its output: {launched.log}")

    def _say(self, *words: str) -> None:
        self.starting.value = str(tag("div", *[tag("p", text(line, 600)) for line in words if line], role="status"))

    def refresh(self, group: Group | None) -> None:
        """Sets the buttons to the run's status, and the fields to the weights of the newest group, where they are known."""
        allowed = _ALLOWED.get(self.run.status, set())
        for kind, button in [*self.buttons.items(), ("weights", self.apply)]:
            button.disabled = kind not in allowed
        self.start_button.disabled = self._trains() or start_of(self.run) is None
        self.again.value = str(tag("div", *[tag("p", text(line, 600)) for line in again_words(self.run)]))
        if group and group.rollouts:
            self._show_weights({part.name: part.weight for part in group.rollouts[0].breakdown.parts})
        self.show_requests()

    def fragment(self) -> Markup:
        """The static form: what was asked of the trainer, what came of it, and how the run stands."""
        asked = self.run.requests()
        nothing = tag("p", "Nothing was asked of the trainer.", class_="f-soft")
        requests = tag("ul", *[tag("li", text(request_words(one), 600)) for one in asked]) if asked else nothing
        state = f"The run is {self.run.status}, at step {self.run.last_step}."
        return section("Controls", tag("p", state), requests, *[tag("p", text(line, 600)) for line in again_words(self.run)[1:]])

    def to_html(self) -> str:
        """One self-contained document."""
        return page(f"Controls: {self.run.folder.name}", self.fragment())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> Any:
        return bundle(self.widget, str(self.fragment()), repr(self))

    def __repr__(self) -> str:
        return f"Controls of {self.run!r}"

    def _show_weights(self, weights: dict[str, float]) -> None:
        """Makes the fields once; later values are a person's, and are not written over."""
        if list(weights) == list(self.weights):
            return
        layout = ipywidgets.Layout(width="170px")
        self.weights = {
            name: ipywidgets.FloatText(value=weight, step=0.05, description=name, layout=layout)
            for name, weight in weights.items()
        }
        self._fields.children = (*self.weights.values(), self.apply)
        self.heading.value = "Weights, from the next step on:"

    def show_requests(self) -> bool:
        """Shows the newest requests; True while the trainer has one to take or to carry out."""
        requests = self.run.requests()
        shown = [_line(request) for request in reversed(requests[-MOST_SHOWN:])]
        self.answers.value = str(tag("div", *shown, role="status", aria_live="polite"))
        return any(request.taken_at is None or request.outcome is None for request in requests)


def _is_alive(folder: Path) -> bool:
    try:
        return Run(folder).status in _ALLOWED
    except RunStoreError:
        return False


def _line(request: Request) -> Markup:
    mark = "…" if request.taken_at is None else "◷" if request.outcome is None else "✓"
    return tag("div", f"{mark} {request_words(request)}", style="line-height:1.5")
