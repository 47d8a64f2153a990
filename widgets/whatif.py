"""What if: sliders over a recipe and over how totals become advantages, and what would change, redrawn while they move.

The knobs only hold numbers; ``finer.whatif`` computes and ``finer.render.whatif`` draws. A step is always computed whole, since its
other groups may decide a group's scale. The whole run is read when that is chosen, and read again when it is chosen again. A group
that no run holds (the tries of a playground, a group with an edit in it) has knobs of its own.

Not covered: training with the settings (``Controls`` changes the weights of a run that trains).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import ipywidgets

from finer.contributions import AGGREGATIONS, SCALES, Scaling
from finer.records import Group
from finer.render import Markup
from finer.render.knobs import knobs
from finer.render.markup import plain
from finer.render.style import STYLE
from finer.render.whatif import what_if
from finer.rewards.recipes import RECIPES, Recipe, Shaping
from finer.whatif import Answers, Outcome, Settings, answers_of_groups, answers_of_run, as_recorded, rerun, scaling_of
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

    def __init__(self, recipe: Recipe, scaling: Scaling, turned: Callable[[], None], over_run: bool = True):
        self.recipe, self.scaling = recipe, scaling
        self._base, self._turned, self._setting = recipe, turned, False
        self.over = ipywidgets.Dropdown(options=[GROUP, WHOLE_RUN] if over_run else [GROUP], value=GROUP, description="Over")
        self.start = ipywidgets.Dropdown(options=[AS_RECORDED, *startable(recipe)], value=AS_RECORDED, description="Recipe")
        self.reset = ipywidgets.Button(description="Back to recorded", icon="undo")
        self.weights = {part: _slider(part, weight, 0.0, max(2.0, 2 * weight)) for part, weight in recipe.weights.items()}
        self.shaping = {"lam": _slider("λ", 0.0, 0.0, 1.0), "beta": _slider("β", 0.0, 0.0, 2.0), "gamma": _slider("γ", 1.0, 0.05, 3.0)}
        self.margin = _slider("margin", recipe.margin, 0.01, max(1.0, recipe.margin))
        self.hold = ipywidgets.Checkbox(description="hold the margin: cut wrong answers", indent=False, layout=ipywidgets.Layout(width="auto"))
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
    """The named recipes whose every part was recorded, and whose operations were counted as they count them."""
    return [name for name, known in RECIPES.items() if set(known.parts) <= set(recipe.parts) and ("atomic" not in known.parts or known.counting == recipe.counting)]


class ApartKnobs:
    """Knobs for groups that no run holds: for each recipe and scaling their own, which stay as a person left them."""

    def __init__(self, turned: Callable[[], None]):
        self._turned = turned
        self._known: dict[tuple[str, tuple[str, ...], Scaling], Knobs] = {}

    def of(self, answers: Answers) -> Knobs:
        """The knobs for these answers."""
        key = answers.recipe.name, answers.parts, scaling_of(answers)
        if key not in self._known:
            self._known[key] = Knobs(answers.recipe, key[2], self._turned, over_run=False)
        return self._known[key]


class WhatIfTries:
    """The same sliders over one group alone, which no run need hold; ``widget`` is empty until ``show``."""

    def __init__(self) -> None:
        self.knobs: Knobs | None = None
        self.html = ipywidgets.HTML()
        self.widget = ipywidgets.VBox()
        self._apart = ApartKnobs(self._draw)
        self._group: Group | None = None
        self._chosen: int | None = None

    def show(self, group: Group | None, chosen: int | None = None) -> None:
        """Draws what the knobs say of this group; ``chosen`` is the rollout to mark."""
        self._group, self._chosen = group, chosen
        if group is None:
            self.widget.children = ()
            return
        self.knobs = self._apart.of(answers_of_groups([group]))
        self._draw()
        if self.widget.children != (self.knobs.widget, self.html):
            self.widget.children = (self.knobs.widget, self.html)

    def whole(self) -> Markup:
        """For a page: knobs to turn over the group."""
        answers = answers_of_groups([self._group])
        return knobs(answers, as_recorded(answers, self.knobs.scaling), self.knobs.settings, self._group)

    def _draw(self) -> None:
        answers = answers_of_groups([self._group])
        before = as_recorded(answers, self.knobs.scaling)
        drawn = what_if(answers, before, rerun(answers, self.knobs.settings), self._group.group_id, self._chosen)
        self.html.value = drawn.replace(STYLE, "")


class WhatIfView(View):
    """What the chosen group, or the whole run, would be paid under other settings."""

    title = "What-if"

    def prepare(self) -> None:
        self.knobs: Knobs | None = None
        self._own: Knobs | None = None
        self._apart = ApartKnobs(self._turned)
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
        self.knobs = self._knobs_of(answers)
        if self._before is None:
            self._before = as_recorded(answers, self.knobs.scaling)
        only = None if self.over_run else group.group_id
        return what_if(answers, self._before, rerun(answers, self.knobs.settings), only, chosen.rollout_id if chosen else None)

    def _knobs_of(self, answers: Answers) -> Knobs:
        if self.choice.outside:
            return self._apart.of(answers)
        if self._own is None:
            self._own = Knobs(answers.recipe, scaling_of(answers), self._turned)
        return self._own

    def whole(self) -> Markup:
        """For a page: what the knobs say, and under it knobs to turn over the group and the newest steps that a page can carry."""
        still, group, answers = self.fragment(), self.choice.group, self._answers()
        if group is None or answers is None:
            return still
        carried = answers if self.choice.outside else self._carried(group, answers)
        before = as_recorded(carried, self.knobs.scaling)
        return Markup(still + knobs(carried, before, self.knobs.settings, group))

    def _carried(self, group: Group, answers: Answers) -> Answers:
        carried = answers_of_run(self.run, None, MOST_CARRIED)
        is_in = carried.parts == answers.parts and group.group_id in carried.group_ids
        return carried if is_in else answers_of_run(self.run, group.step)

    @property
    def over_run(self) -> bool:
        """True where the whole run is looked at."""
        return not self.choice.outside and self._own is not None and self._own.over.value == WHOLE_RUN

    def _turned(self) -> None:
        with self.choice.lock:
            self.refresh()

    def _answers(self) -> Answers | None:
        """The step's answers, or the run's, read once, since what was recorded does not change; or those of a group of no run."""
        group = self.choice.group
        if self.choice.outside:
            if self._read[0] != group:
                self._read, self._before = (group, answers_of_groups([group])), None
            return self._read[1]
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
