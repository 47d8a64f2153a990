"""What if: sliders over a recipe and over how totals become advantages, and what would change, redrawn while they move.

The knobs only hold numbers; ``finer.whatif`` computes and ``finer.render.whatif`` draws. A step is always computed whole, since its
other groups may decide a group's scale. The whole run is read when that is chosen, and read again when it is chosen again.

Not covered: training with the settings (``Controls`` changes the weights of a run that trains).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import ipywidgets

from finer.contributions import AGGREGATIONS, SCALES, Scaling
from finer.render import Markup
from finer.render.knobs import knobs
from finer.render.markup import plain
from finer.render.whatif import what_if
from finer.rewards.recipes import RECIPES, Recipe, Shaping
from finer.whatif import Answers, Outcome, Settings, answers_of_run, as_recorded, rerun, scaling_of
from widgets.views import View, nothing_yet

AS_RECORDED = "as recorded"
GROUP, WHOLE_RUN = "this group", "the whole run"
MOST_ANSWERS = 50_000
"""Of a larger run the newest steps are read: 50,000 answers take about three seconds."""
MOST_CARRIED = 5_000
"""Answers on a page; some 150 bytes each."""
_ROW = {"flex_flow": "row wrap"}


class Knobs:
    """The sliders of one recipe; ``turned`` is called after a person moved one, while it still moves."""

    def __init__(self, recipe: Recipe, scaling: Scaling, turned: Callable[[], None]):
        self.recipe, self.scaling = recipe, scaling
        self._base, self._turned, self._setting = recipe, turned, False
        self.over = ipywidgets.Dropdown(options=[GROUP, WHOLE_RUN], value=GROUP, description="Over")
        self.start = ipywidgets.Dropdown(options=[AS_RECORDED, *startable(recipe)], value=AS_RECORDED, description="Recipe")
        self.reset = ipywidgets.Button(description="Back to recorded", icon="undo")
        self.weights = {part: _slider(part, weight, 0.0, max(2.0, 2 * weight)) for part, weight in recipe.weights.items()}
        self.shaping = {"lam": _slider("λ", 0.0, 0.0, 1.0), "beta": _slider("β", 0.0, 0.0, 2.0), "gamma": _slider("γ", 1.0, 0.05, 3.0)}
        self.margin = _slider("margin", recipe.margin, 0.01, max(1.0, recipe.margin))
        self.hold = ipywidgets.Checkbox(description="hold the margin: cut a wrong answer that comes nearer", indent=False, layout=ipywidgets.Layout(width="auto"))
        self.gate = ipywidgets.Checkbox(description="gate: a broken format pays 0", indent=False, disabled="format" not in recipe.parts)
        self.scale = ipywidgets.Dropdown(options=list(SCALES), description="scale")
        self.order = ipywidgets.Dropdown(options=[(name.replace("_", " "), name) for name in AGGREGATIONS], description="order")
        self.widget = self._arranged()
        self.set(recipe, scaling)
        for knob in self._all():
            knob.observe(self._moved, "value")
        self.start.observe(lambda _: self._begin(), "value")
        self.over.observe(lambda _: self._turned(), "value")
        self.reset.on_click(lambda _: self._back())

    @property
    def settings(self) -> Settings:
        """What the knobs say."""
        shaping = Shaping(**{name: knob.value for name, knob in self.shaping.items()})
        weights = {part: knob.value for part, knob in self.weights.items()}
        recipe = replace(self._base, weights=weights, shaping=shaping, margin=self.margin.value, gate=self.gate.value)
        return Settings(recipe, Scaling(self.scale.value, self.order.value), self.hold.value)

    def set(self, recipe: Recipe, scaling: Scaling) -> None:
        """Sets every knob to a recipe and a scaling; the changes this makes are not taken for a person's."""
        self._setting, self._base = True, recipe
        for part, knob in self.weights.items():
            _set(knob, recipe.weights.get(part, 0.0))
        for name, knob in self.shaping.items():
            _set(knob, getattr(recipe.shaping, name))
        _set(self.margin, recipe.margin)
        self.gate.value, self.hold.value = recipe.gate, False
        self.scale.value, self.order.value = scaling.scale_rewards, scaling.aggregation
        self._setting = False

    def _begin(self) -> None:
        """Starts from a named recipe: its numbers for the parts that were recorded."""
        known = RECIPES.get(self.start.value)
        weights = {part: known.weights.get(part, 0.0) for part in self.recipe.parts} if known else {}
        recipe = replace(known, parts=self.recipe.parts, weights=weights) if known else self.recipe
        self.set(recipe, Scaling(self.scale.value, self.order.value))
        self._turned()

    def _back(self) -> None:
        self._setting = True
        self.start.value = AS_RECORDED
        self.set(self.recipe, self.scaling)
        self._turned()

    def _moved(self, _: dict) -> None:
        if not self._setting:
            self._turned()

    def _all(self) -> list[ipywidgets.Widget]:
        return [*self.weights.values(), *self.shaping.values(), self.margin, self.hold, self.gate, self.scale, self.order]

    def _arranged(self) -> ipywidgets.Widget:
        def row(*children: ipywidgets.Widget) -> ipywidgets.Widget:
            return ipywidgets.HBox(list(children), layout=ipywidgets.Layout(**_ROW))

        shaped = self.shaping.values() if "atomic" in self.recipe.parts else ()
        return ipywidgets.VBox(
            [row(self.over, self.start, self.reset), row(*self.weights.values()), row(*shaped, self.margin),
             row(self.gate, self.hold), row(self.scale, self.order)]
        )  # fmt: skip


def startable(recipe: Recipe) -> list[str]:
    """The named recipes whose every part was recorded."""
    return [name for name, known in RECIPES.items() if set(known.parts) <= set(recipe.parts)]


class WhatIfView(View):
    """What the chosen group, or the whole run, would be paid under other settings."""

    title = "What-if"

    def prepare(self) -> None:
        self.knobs: Knobs | None = None
        self._box = ipywidgets.VBox()
        self._read: tuple[object, Answers | None] = (None, None)
        self._before: Outcome | None = None

    @property
    def panel(self) -> ipywidgets.Widget:
        """The knobs above what they change."""
        return self._box

    def refresh(self) -> None:
        super().refresh()
        shown = (self.knobs.widget, self.widget) if self.knobs else (self.widget,)
        if self._box.children != shown:
            self._box.children = shown

    def fragment(self) -> Markup:
        group, chosen = self.choice.group, self.choice.rollout
        answers = self._answers()
        if group is None or answers is None:
            return nothing_yet("What other settings would change")
        if self.knobs is None:
            self.knobs = Knobs(answers.recipe, scaling_of(answers), self._turned)
        if self._before is None:
            self._before = as_recorded(answers, self.knobs.scaling)
        only = None if self.over_run else group.group_id
        return what_if(answers, self._before, rerun(answers, self.knobs.settings), only, chosen.rollout_id if chosen else None)

    def whole(self) -> Markup:
        """For a page: what the knobs say, and under it knobs to turn over the group and the newest steps that a page can carry."""
        still, group, answers = self.fragment(), self.choice.group, self._answers()
        if group is None or answers is None:
            return still
        carried = answers_of_run(self.run, None, MOST_CARRIED)
        if carried.parts != answers.parts or group.group_id not in carried.group_ids:
            carried = answers_of_run(self.run, group.step)
        before = as_recorded(carried, self.knobs.scaling)
        return Markup(still + knobs(carried, before, self.knobs.settings, group))

    @property
    def over_run(self) -> bool:
        """True where the whole run is looked at."""
        return self.knobs is not None and self.knobs.over.value == WHOLE_RUN

    def _turned(self) -> None:
        with self.choice.lock:
            self.refresh()

    def _answers(self) -> Answers | None:
        """The step's answers, or the run's; read once, since what was recorded does not change."""
        wanted = WHOLE_RUN if self.over_run else self.choice.step
        if wanted != self._read[0]:
            found = answers_of_run(self.run, None if self.over_run else self.choice.step, MOST_ANSWERS)
            self._read, self._before = (wanted, found if len(found.group) else None), None
        return self._read[1]


def _slider(name: str, value: float, least: float, most: float) -> ipywidgets.FloatSlider:
    layout = ipywidgets.Layout(width="310px")
    return ipywidgets.FloatSlider(value=value, min=least, max=most, step=0.01, description=plain(name, 40), layout=layout, readout_format=".2f")


def _set(knob: ipywidgets.FloatSlider, value: float) -> None:
    knob.max = max(knob.max, value)
    knob.value = value
