"""The workbench: all views of one run in tabs, following it while it trains.

It reads the run store alone, so a run of this kernel, of another process, or of last week look the same. A tab is drawn
when it is opened, and the open one again when something changes; all are drawn once when the workbench is displayed, since
its static form holds every view. Following is a daemon thread that looks a few times a second whether the store changed,
rests at least thirty times as long as drawing took, and ends with the run.

Not covered: starting a run (``start``), comparing runs (``compare``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets

from finer.records import Rollout
from finer.render import Markup, page, section
from finer.render.markup import tag, text
from finer.render.style import STYLE
from finer.runs import Run
from finer.runs_schema import WARM_START
from widgets.beginning import beginning_words
from widgets.choice import Choice, open_run
from widgets.controls import Controls
from widgets.edit import EditView
from widgets.explore import ExploreView
from widgets.guess import GuessView
from widgets.habits import HabitsView
from widgets.ledger import LedgerView
from widgets.matrix import MatrixView
from widgets.memory import MemoryView
from widgets.picks import Picks
from widgets.results import ResultsView
from widgets.rollouts import RolloutsView
from widgets.selectors import Selectors
from widgets.views import AtomsView, Curves, GroupView, RolloutView, View, bundle
from widgets.whatif import WhatIfView

POLL_SECONDS = 0.25
LONGEST_REST = 0.75
SECONDS_TO_STATUS = 1.0
"""How often it is asked whether the writer is still there, while nothing is written."""
REST_FACTOR = 30
"""After drawing for t seconds of CPU, rest for 30 t, so that following costs about 3 % of one core; at most so long that what is shown lags less than a second."""
ALIVE = ("running", "paused")
_BAR = ".finer-tabs>:is(.lm-TabBar,.p-TabBar)"
_TABS_STYLE = (
    f"<style>{_BAR}{{min-height:0;overflow:visible}}"
    f"{_BAR} :is(.lm-TabBar-content,.p-TabBar-content){{flex-wrap:wrap;height:auto}}"
    f"{_BAR} :is(.lm-TabBar-tab,.p-TabBar-tab){{flex:0 0 auto;min-width:0}}"
    f"@media (max-width:640px){{{_BAR} :is(.lm-TabBar-tab,.p-TabBar-tab){{padding:0 6px;min-width:0;width:auto}}}}</style>"
)
"""Tabs go on in a second row where there are too many for the page; ipywidgets alone would cut their names short."""
KINDS = (
    Curves,
    GroupView,
    RolloutView,
    EditView,
    AtomsView,
    ResultsView,
    MemoryView,
    LedgerView,
    HabitsView,
    WhatIfView,
    MatrixView,
    RolloutsView,
    ExploreView,
    GuessView,
)
"""The views in the order of their tabs; one that shows the whole run has no selectors above it. A warm start has no answers that
were paid, so only its curves."""


class Workbench:
    """``Workbench(run)`` or ``Workbench("runs/first")``: every view of a run in a tab of its own, and its controls.

    ``follow()`` keeps it up to date while the run trains; ``selection`` is the chosen answers as a plain list.
    Raises RunStoreError, with what to do, where the folder holds no run.
    """

    def __init__(self, run: Run | str | Path):
        self.run = open_run(run)
        self.choice = Choice(self.run)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._trouble = ""
        self._followers: list[Callable[[], None]] = []
        self._told: object = None
        kinds = KINDS if self.run.config.get("stage") != WARM_START else (Curves,)
        self.views: list[View] = [kind(self.run, choice=self.choice) for kind in kinds]
        self.controls = Controls(self.run, self._pressed)
        self.selectors = Selectors(self.choice, self._chosen)
        self.picks = Picks(self.choice)
        self.head = ipywidgets.HTML()
        self.tabs = self._tabs()
        self.choice.chosen = self.refresh
        self.widget = ipywidgets.VBox([ipywidgets.HTML(str(STYLE) + _TABS_STYLE), self.head, self.tabs, self.picks.widget])
        self.widget.add_class("finer-bench")
        self.refresh()
        self.tabs.observe(lambda _: self.refresh(), "selected_index")

    def open(self, title: str) -> View:
        """Opens the tab of this name, as a click would, and returns its view; ValueError where no view has it."""
        titles = [view.title for view in self.views]
        if title not in titles:
            raise ValueError(f"the workbench has no view {title!r}; it has {', '.join(titles)}")
        self.tabs.selected_index = titles.index(title)
        return self.views[titles.index(title)]

    def _tabs(self) -> ipywidgets.Tab:
        above = [[] if view.of_run else [self.selectors.widget] for view in self.views]
        children = [ipywidgets.VBox([*over, view.panel]) for over, view in zip(above, self.views)] + [self.controls.widget]
        tabs = ipywidgets.Tab(children=children)
        tabs.add_class("finer-tabs")
        for place, title in enumerate([*[view.title for view in self.views], "Controls"]):
            tabs.set_title(place, title)  # the one way that ipywidgets 7 and 8 share
        tabs.selected_index = 0
        return tabs

    @property
    def selection(self) -> list[Rollout]:
        """The chosen answers; the first is the one that the views explain."""
        return list(self.choice.selection)

    @property
    def following(self) -> bool:
        """True while the thread watches the run."""
        return self._thread is not None and self._thread.is_alive()

    def refresh(self, every: bool = False) -> None:
        """Reads the store and draws again: the view whose tab is open, or with ``every`` all of them."""
        with self.choice.lock:
            if not self.choice.pinned and self.choice.step != self.run.last_step:
                self.choice.show_newest()
            self.selectors.show()
            self.controls.refresh(None if self.choice.outside else self.choice.group)
            for place, view in enumerate(self.views):
                if every or place == self.tabs.selected_index:
                    view.refresh()
            self.head.value = str(self._head())
            self._tell()

    def on_selection(self, told: Callable[[], None]) -> None:
        """Calls ``told`` after a person, or a run that goes on, has chosen something else."""
        self._followers.append(told)

    def _tell(self) -> None:
        group = self.choice.group
        chosen = self.choice.outside, group and group.group_id, tuple(rollout.rollout_id for rollout in self.selection)
        if chosen != self._told:
            self._told = chosen
            for told in self._followers:
                told()

    def follow(self) -> Workbench:
        """Watches the run in a daemon thread until it ends or ``stop_following`` is called; itself, for chaining."""
        with self.choice.lock:
            if not self.following:
                self._ended.clear()
                self._trouble = ""
                self._thread = threading.Thread(target=self._watch, name="finer-workbench", daemon=True)
                self._thread.start()
        return self

    def stop_following(self) -> None:
        """Ends the watching; what is drawn stays. Returns when the thread has ended."""
        self._ended.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5.0)
        self.refresh()

    def _watch(self) -> None:
        """The thread: it must not print and must not die in silence, so trouble is shown in the head."""
        try:
            self._look_until_the_end()
        except Exception as error:  # noqa: BLE001 - a thread's traceback is seen by nobody, the view is
            self._trouble = f"{type(error).__name__}: {error}"
            self.head.value = str(self._head())

    def _look_until_the_end(self) -> None:
        seen, asked, rest = None, 0.0, 0.0
        while not self._ended.wait(rest):
            began, version = time.thread_time(), self.run.version()
            if version != seen or time.monotonic() - asked > SECONDS_TO_STATUS:  # a crash writes nothing
                asked = time.monotonic()
                if self.run.status not in ALIVE:
                    self._ended.set()
                    self.refresh()
                    return
            if version != seen:
                seen = version
                self.refresh()
            rest = min(max(POLL_SECONDS, REST_FACTOR * (time.thread_time() - began)), LONGEST_REST)

    def _pressed(self) -> None:
        """After a request: watch for the trainer's answer, also where nobody was following."""
        if self.run.status in ALIVE:
            self.follow()

    def _chosen(self) -> None:
        self.refresh()

    def _head(self) -> Markup:
        name = tag("b", self.run.folder.name)
        if self._trouble:
            trouble = tag("p", "✗ Following stopped. ", text(self._trouble, 600), role="alert")
            return tag("div", tag("p", name), trouble, class_="finer-view")
        live = " · following" if self.following and not self._ended.is_set() else ""
        looked_at = tag("span", f" · {self._choice_words()}", class_="f-soft") if self.choice.pinned and self.choice.group else None
        return tag("div", tag("p", name, f" · {self._status_words()}{live}", looked_at, role="status"), class_="finer-view")

    def _choice_words(self) -> str:
        """What a person chose, also above the views that show the whole run."""
        places = ", ".join(str(rollout.position) for rollout in self.selection)
        answers = f", answer{'s' * (len(self.selection) > 1)} {places}" if places else ""
        where = text(self.choice.outside, 100) if self.choice.outside else f"step {self.choice.step}, group {self.choice.group.group_id}"
        return f"you look at {where}{answers}"

    def _status_words(self) -> str:
        judged = [row for row in self.run.evaluations() if row.value is not None]
        words = f"{self.run.status} · step {self.run.last_step}"
        if judged:
            words += f" · right on {judged[-1].split}: {judged[-1].value:.1%} (step {judged[-1].step})"
        beginning = beginning_words(self.run)
        return f"{words} · {beginning}" if beginning else words

    def fragments(self, whole: bool = False) -> list[Markup]:
        """The static form: every view of what is chosen, one after the other; ``whole``: with what is drawn on demand."""
        with self.choice.lock:
            views = [view.whole() if whole else view.fragment() for view in self.views]
            return [self._static_head(), *views, self.controls.fragment()]

    def _static_head(self) -> Markup:
        return section("", tag("p", tag("b", self.run.folder.name), f" · {self._status_words()}"))

    def to_html(self) -> str:
        """One self-contained document that needs no kernel and no network."""
        return page(f"Run {self.run.folder.name}", *self.fragments(whole=True))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        self.refresh(every=True)
        first, *rest = [self._static_head(), *[view.static() for view in self.views], self.controls.fragment()]
        static = first + "".join(rest).replace(STYLE, "")
        return bundle(self.widget, static, repr(self))

    def __repr__(self) -> str:
        return f"Workbench of {self.run!r}"
