"""Starting a run from a notebook: a form, ``finer train`` in a process of its own, and the workbench of that run under it.

The process outlives the notebook (``launch``), and the form says so. What it prints goes into a file beside the run's folder; Stop in
the workbench's controls ends it, also from another notebook.

Not covered: training in this kernel (``finer.grpo.start``), going on with a run (Start in its ``controls``, or ``finer resume``).
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import ipywidgets

from finer.cli import free_folder
from finer.config import TrainConfig, from_mapping
from finer.errors import FinerError, RunStoreError
from finer.ladder import LADDER
from finer.render import Markup, page, section
from finer.render.markup import tag, text
from finer.render.style import STYLE
from finer.rewards import RECIPES, get_recipe
from finer.runs import Run
from finer.runs_schema import store_path
from widgets.beginning import beginning_words
from widgets.launch import OUTLIVES, Launched, log_of, train_arguments
from widgets.views import bundle
from widgets.workbench import Workbench

POLL_SECONDS = 0.2
BEGINNING_SECONDS = 0.75
_FIELDS = {
    "policy": "Policy", "dataset": "Dataset", "steps": "Steps", "questions_per_step": "Questions a step",
    "seed": "Seed", "learning_rate": "Learning rate",
}  # fmt: skip


class StartRun:
    """``StartRun()``: a form of a run's main settings, a Start button, and the run's workbench under it once it trains.

    ``folder``: where the run goes; one that is taken is not written over, the next free name is proposed. ``settings``: any
    of ``TrainConfig``'s, in place of its own; those without a field are kept as given. Raises ConfigError or RecipeError for
    a setting that is none. ``workbench`` is the started run's, ``process`` the one that trains, ``log`` the file of its output.
    """

    def __init__(self, folder: str | Path = "runs/mine", **settings: Any):
        self.settings = settings
        config = from_mapping(settings, "StartRun")
        get_recipe(config.recipe)
        self.workbench: Workbench | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.log: Path | None = None
        self._thread: threading.Thread | None = None
        self._build(config)
        self._propose(Path(folder))
        self._say(OUTLIVES, "" if config.learning_rate else "A learning rate of 0 is the one that suits the policy.")

    # -- what stands where ------------------------------------------------------------------------------------------

    def _build(self, config: TrainConfig) -> None:
        about = {"layout": ipywidgets.Layout(width="300px"), "style": {"description_width": "120px"}}
        self.folder = ipywidgets.Text(description="Folder", **about)
        self.fields: dict[str, Any] = {
            "recipe": ipywidgets.Dropdown(description="Recipe", options=list(dict.fromkeys([*RECIPES, config.recipe])), value=config.recipe, **about)
        }
        for key, label in _FIELDS.items():
            value = getattr(config, key)
            kind = {int: ipywidgets.IntText, float: ipywidgets.FloatText, str: ipywidgets.Combobox}[type(value)]
            self.fields[key] = kind(description=label, value=value, **about)
        self.fields["policy"].options = ["auto", *LADDER]
        self.fields["dataset"].options = ["starter"]
        self.button = ipywidgets.Button(description="Start", icon="play", tooltip="Train with these settings, in a process of its own")
        self.button.on_click(lambda _: self.start())
        self.status = ipywidgets.HTML()
        self.under = ipywidgets.VBox([])
        form = ipywidgets.HBox([self.folder, *self.fields.values()], layout=ipywidgets.Layout(flex_flow="row wrap"))
        self.widget = ipywidgets.VBox([ipywidgets.HTML(str(STYLE)), form, self.button, self.status, self.under])

    def _propose(self, folder: Path) -> None:
        self.folder.value = str(free_folder(folder.parent, folder.name))

    def _say(self, *words: str) -> None:
        self.status.value = str(tag("div", *[tag("p", text(line, 600)) for line in words if line], role="status"))

    # -- starting ---------------------------------------------------------------------------------------------------

    @property
    def config(self) -> TrainConfig:
        """What the form says. ConfigError where a value fits none."""
        return from_mapping({**self.settings, **{key: field.value for key, field in self.fields.items()}}, "the form")

    def start(self) -> subprocess.Popen[bytes] | None:
        """Starts the process; None where it cannot begin, and then the form says why."""
        if self._thread is not None and self._thread.is_alive():
            self._say("✗ This run still trains. Make a second form with StartRun() to train two at once.")
            return None
        try:
            config, folder = self.config, _free(self.folder.value)
            self._typed = Path(self.folder.value.strip())
            self._launch(config, folder)
        except (FinerError, OSError, ValueError) as error:
            self._say(f"✗ {error}")
            return None
        self.button.disabled = True
        self._say_beginning("has started, and loads its libraries, the questions and the policy")
        self._thread = threading.Thread(target=self._watch, args=(folder,), name="finer-start", daemon=True)
        self._thread.start()
        return self.process

    def _launch(self, config: TrainConfig, folder: Path) -> None:
        self._launched = Launched(train_arguments(config, folder), log_of(folder))
        self.process, self.log = self._launched.process, self._launched.log

    def wait(self) -> Run | None:
        """Waits until the process has ended and the form has said what came of it; the run, None where there is none."""
        if self._thread is not None:
            self._thread.join()
        return self.workbench.run if self.workbench else None

    # -- watching ---------------------------------------------------------------------------------------------------

    def _watch(self, folder: Path) -> None:
        """The thread: it must not die in silence, so trouble is shown in the form."""
        try:
            self.under.children, self.workbench = (), None
            run = self._run_of(folder)
            if run is not None:
                self.workbench = Workbench(run).follow()
                self.under.children = (self.workbench.widget,)
                self._follow_beginning(run, folder)
                self._say(f"▶ Process {self.process.pid} trains. Its output: {self.log}", OUTLIVES, _again(folder))
            self._tell_end(self.process.wait(), run, folder)
        except Exception as error:  # noqa: BLE001 - a thread's traceback is seen by nobody, the form is
            self._say(f"✗ Watching stopped, the training may go on. {type(error).__name__}: {error}", _again(folder))
        finally:
            self.button.disabled = False

    def _run_of(self, folder: Path) -> Run | None:
        """The run as soon as its store can be read; None where the process ended without one."""
        while True:
            ended = self.process.poll() is not None
            try:
                return Run(folder)
            except RunStoreError:
                if ended:
                    return None
                self._say_beginning("has started, and loads its libraries, the questions and the policy")
                time.sleep(POLL_SECONDS)

    def _follow_beginning(self, run: Run, folder: Path) -> None:
        """Says what happens until the first step is there; looks no more often than the workbench does."""
        while self.process.poll() is None and (words := beginning_words(run)):
            self._say_beginning(f"is at work: {words}", _again(folder))
            time.sleep(BEGINNING_SECONDS)

    def _say_beginning(self, words: str, *more: str) -> None:
        last = self._launched.last_word()
        self._say(f"… Process {self.process.pid} {words}.", f"It last said: {last}" if last else "", f"Its output: {self.log}", OUTLIVES, *more)

    def _tell_end(self, code: int, run: Run | None, folder: Path) -> None:
        if run is not None:
            self.workbench.stop_following()
            self._propose(self._typed)
        if code == 0 and run is not None:
            self._say(f"✓ {run.status.capitalize()} after step {run.last_step}, in {os.path.relpath(folder)}. Start trains a further run.")
            return
        going_on = f"Go on from the last checkpoint: finer resume {os.path.relpath(folder)}" if run is not None else ""
        self._say(f"✗ {self._launched.why()}", f"All of its output: {self.log}", going_on)

    # -- other forms ------------------------------------------------------------------------------------------------

    def fragments(self) -> list[Markup]:
        """The form's settings as text, and the workbench of the run that it started."""
        rows = [tag("li", f"{field.description}: ", text(field.value, 300)) for field in (self.folder, *self.fields.values())]
        form = section("Start a run", tag("ul", *rows))
        return [form, *(self.workbench.fragments() if self.workbench else [])]

    def to_html(self) -> str:
        """One self-contained document of the settings and the started run."""
        return page("Start a run", *self.fragments())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        first, *rest = self.fragments()
        return bundle(self.widget, first + "".join(rest).replace(STYLE, ""), repr(self))

    def __repr__(self) -> str:
        return f"StartRun of {self.workbench.run!r}" if self.workbench else f"StartRun into {self.folder.value!r}"


def _free(typed: str) -> Path:
    """The folder that was typed, as a full path; RunStoreError where it is none or holds a run."""
    if not typed.strip():
        raise RunStoreError("name a folder for the run, as in runs/mine")
    folder = Path(typed.strip()).resolve()
    if store_path(folder).exists():
        raise RunStoreError(f"{typed} holds a run already; take {free_folder(folder.parent, folder.name).name}, which is free")
    return folder


def _again(folder: Path) -> str:
    return f'To see it again from another notebook: Workbench("{os.path.relpath(folder)}").follow()'
