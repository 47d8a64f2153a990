"""The single views: each shows one fragment of ``finer.render`` for what is chosen, alone or inside a workbench.

Each has ``to_html()``, one self-contained document, and displays itself as a widget where there is a kernel and as the
same static HTML where there is none.

Not covered: following a run and choosing by hand (``Workbench``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets

from finer.alarms import alarms_of
from finer.contributions import recorded_scaling
from finer.records import Group, Rollout
from finer.render import Markup, atom_ledger, curves, group_table, page, section, waterfall
from finer.render.difference import answer_difference
from finer.render.markup import tag
from finer.render.one_of import one_of
from finer.render.overlay import RunCurves, overlay
from finer.render.pairs import pairs
from finer.render.style import STATUS_WORDS, STYLE, number
from finer.runs import Run
from widgets.choice import Choice, open_run
from widgets.picks import Picks

STATIC_ALONE = "FINER_STATIC"
"""Set this environment variable to 1, and outputs hold the static form alone: for a front end that shows an error in place of a widget."""
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
STATIC_NOTE = tag(
    "div",
    tag("p", "The static form of this view: no kernel is running, or this reader cannot show widgets (docs/front-ends.md).", class_="f-soft"),
    class_="finer-view",
)


def bundle(widget: ipywidgets.Widget, static: str, plain: str) -> dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]:
    """One output in three forms: the live widget, static HTML, which says that it is, for readers without one, and plain text.

    With the output's metadata beside it where a front end asks for some, as IPython allows.
    """
    still = {"text/html": static + STATIC_NOTE, "text/plain": plain}
    if os.environ.get(STATIC_ALONE, "") not in ("", "0"):
        return still
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    asked = colab_metadata(widget)
    data = {WIDGET_VIEW: view, **still}
    return (data, asked) if asked else data


def colab_metadata(widget: ipywidgets.Widget) -> dict[str, Any]:
    """Where Colab finds the manager that loads anywidget, for an output that holds one; empty elsewhere.

    Colab writes it itself on what ``display`` shows, not on the value of a cell's last line; anywidget knows it.
    """
    if "google.colab" not in sys.modules:
        return {}
    held = next((one for one in _within(widget) if isinstance(one, anywidget.AnyWidget)), None)
    return held._repr_mimebundle_()[1] if held is not None else {}


def _within(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _within(child)


def nothing_yet(what: str) -> Markup:
    """A line that stands in for a view with nothing to show."""
    return section("", tag("p", f"{what} appears here after the first step.", class_="f-soft"))


def answer_words(rollout: Rollout) -> str:
    """An answer in a list: its position, how it fared and what it was paid."""
    symbol, words, _ = STATUS_WORDS.get(rollout.breakdown.status, ("?", rollout.breakdown.status, ""))
    return f"{rollout.position} · {symbol} {words} · paid {number(rollout.breakdown.total)}"


class View:
    """Base of the views: holds what is chosen and one HTML widget that shows it."""

    title = ""
    _latest: Markup = Markup()
    """The fragment of the last refresh."""
    of_run = False
    """True where the view shows the whole run, whatever group is chosen."""

    def __init__(
        self,
        run: Run | str | Path,
        group_id: int | None = None,
        position: int | None = None,
        *,
        choice: Choice | None = None,
    ):
        self.run = open_run(run)
        self.choice = choice or Choice(self.run, group_id, position)
        self.widget = ipywidgets.HTML()
        self._shared_style = choice is not None  # a workbench carries the style sheet once for all its views
        self.prepare()
        if choice is None:
            self.refresh()  # a workbench refreshes its views when all of it stands

    def prepare(self) -> None:
        """Makes what the view brings beside its HTML widget; once, before it is first drawn."""

    def fragment(self) -> Markup:
        """The view's HTML as it should look now."""
        raise NotImplementedError

    @property
    def panel(self) -> ipywidgets.Widget:
        """What a notebook shows: the HTML widget, in some views with controls beside it."""
        return self.widget

    def static(self) -> Markup:
        """What stands in a notebook for readers without a kernel; right after ``refresh``, which has drawn it in most views."""
        return self._latest

    def whole(self) -> Markup:
        """The fragment with what is only drawn on demand, for a page that nobody can ask."""
        return self.fragment()

    def refresh(self) -> None:
        """Draws again; sends nothing to the browser where nothing changed."""
        drawn = self._latest = self.fragment()
        self.widget.value = self.styled(drawn)

    def each_answer(self, draw: Callable[[Rollout], Markup]) -> Markup:
        """For a page: the fragment of every answer of the group, one at a time, the chosen one first; several chosen ones together."""
        group, chosen = self.choice.group, self.choice.selection
        if group is None or not chosen:
            return self.fragment()
        several = [(f"the {len(chosen)} chosen answers", Markup("".join(map(draw, chosen))))] if len(chosen) > 1 else []
        ordered = sorted(group.rollouts, key=lambda one: (-one.breakdown.total, one.position))
        named = [*several, *[(answer_words(one), draw(one)) for one in ordered]]
        return one_of("Answer", named, 0 if several else ordered.index(chosen[0]), f"group {group.group_id}{' several' * len(several)}")

    def styled(self, drawn: Markup) -> str:
        """A fragment for a widget: a workbench carries the style sheet for all of its views."""
        return drawn.replace(STYLE, "") if self._shared_style else str(drawn)

    def to_html(self) -> str:
        """One self-contained document."""
        return page(f"{self.title}: {self.run.folder.name}", self.whole())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        self.refresh()
        return bundle(self.panel, str(self.fragment()), repr(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {self.run!r}"


class Curves(View):
    """How training went, under what is alarming in it; ``Curves([run_a, run_b])`` draws several runs over each other."""

    title = "Curves"
    of_run = True
    _drawn: tuple[tuple[int | None, ...], Markup] | None = None

    def __init__(self, run: Run | str | Path | Sequence[Run | str | Path], *told: Any, **named: Any):
        runs = run if isinstance(run, (list, tuple)) else [run]
        self.others = [open_run(one) for one in runs[1:]]
        super().__init__(runs[0], *told, **named)

    def fragment(self) -> Markup:
        runs = [self.run, *self.others]
        versions = tuple(run.version() for run in runs)
        state = (*versions, self._looked_at())
        if self._drawn is None or self._drawn[0] != state:
            self._drawn = (state, self._several(runs) if self.others else self._one())
        return self._drawn[1]

    def _one(self) -> Markup:
        metrics = self.run.metrics()
        return curves(metrics, self.run.evaluations(), self.run.steps(), alarms_of(self.run, metrics), self._looked_at())

    def _looked_at(self) -> int | None:
        """The step that a person chose; None where the newest is shown."""
        return self.choice.step if self.choice.pinned and not self.choice.outside else None

    def _several(self, runs: list[Run]) -> Markup:
        return overlay([RunCurves(run.folder.name, run.metrics(), run.evaluations()) for run in runs])


class GroupView(View):
    """The answers to one question at one step, best paid first; of the first two that are chosen, how their texts differ."""

    title = "Group"
    _known: tuple[tuple[int, ...], list[Group]] = ((), [])
    picks: Picks | None = None
    """Hears the clicks where the view stands alone; a workbench hears those in all of its views."""

    def prepare(self) -> None:
        self._panel = self.widget
        if not self._shared_style:
            self.picks, self.choice.chosen = Picks(self.choice), self.refresh
            self._panel = ipywidgets.VBox([self.widget, self.picks.widget])
            self._panel.add_class("finer-bench")

    @property
    def panel(self) -> ipywidgets.Widget:
        return self._panel

    def fragment(self) -> Markup:
        return Markup(self._table() + self._difference()) if self.choice.group else nothing_yet("A group")

    def whole(self) -> Markup:
        """For a page: the difference between any two answers."""
        group = self.choice.group
        if group is None or len(group.rollouts) < 2:
            return self.fragment()
        best = max(group.rollouts, key=lambda one: (one.breakdown.total, -one.position))
        first, second = [*self.choice.selection, best, *group.rollouts][:2]
        if first == second:
            second = next(one for one in group.rollouts if one != first)
        return Markup(self._table() + pairs(group, (first.position, second.position)))

    def _table(self) -> Markup:
        group, chosen = self.choice.group, [one.rollout_id for one in self.choice.selection]
        # The other groups of the step are read only where the group alone does not explain its advantages.
        batch = () if self.choice.outside or recorded_scaling([group]) else self._step()
        return group_table(group, chosen, batch)

    def _step(self) -> list[Group]:
        """The groups of the step, whole; read once, since a step does not change."""
        ids = tuple(summary.group_id for summary in self.choice.summaries)
        if ids != self._known[0]:
            self._known = ids, [self.run.group(group_id) for group_id in ids]
        return self._known[1]

    def _difference(self) -> Markup:
        if len(self.choice.selection) >= 2:
            return answer_difference(*self.choice.selection[:2])
        how = tag("span", " A click on a line chooses it, with Ctrl or ⌘ a second one.", class_="f-listens")
        return section("", tag("p", "Select two answers to see how their texts differ.", how, class_="f-soft"))


class RolloutView(View):
    """Why the chosen answers were paid what they were paid, from the first part to the advantage."""

    title = "Rollout"

    def fragment(self) -> Markup:
        return Markup("".join(map(self._shown, self.choice.selection))) or nothing_yet("An answer")

    def whole(self) -> Markup:
        return self.each_answer(self._shown)

    def _shown(self, rollout: Rollout) -> Markup:
        return waterfall(rollout, self.choice.group)


class AtomsView(View):
    """Which operations of the gold query the chosen answers share, lack, or add."""

    title = "Atoms"

    def fragment(self) -> Markup:
        return Markup("".join(map(self._shown, self.choice.selection))) or nothing_yet("An answer's operations")

    def whole(self) -> Markup:
        return self.each_answer(self._shown)

    def _shown(self, rollout: Rollout) -> Markup:
        return atom_ledger(rollout, self.choice.group.question)
