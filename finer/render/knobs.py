"""What-if in a page that can be sent: weights, shaping, margin, gate and scaling to turn, over one group or all that the page carries.

The page carries the values of every part for whole steps, since the other groups of a step may decide a group's scale; the
script computes by the formulas of ``finer.whatif`` and ``finer.contributions``.

Not covered: beginning from another recipe by its name, whose parts pay in another way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from finer.contributions import PARTS_FIRST
from finer.records import Group
from finer.render.markup import Markup, plain, plain_line, tag
from finer.render.scripts import CONTROLS_CSS, Texts, scripted
from finer.render.style import fragment
from finer.render.whatif import WHATIF_CSS
from finer.rewards.recipes import Recipe
from finer.whatif import Answers, Outcome, Settings, least_right, pay

LONGEST_SQL = 160
_DIGITS = 12
_CSS = (
    ".finer-view .x-turned td{font-variant-numeric:tabular-nums}.finer-view .x-figure{white-space:nowrap}"
    ".finer-view .f-knobs .i-charts{max-width:440px}.finer-view .x-bar label.x-tick{flex-direction:row;align-items:center;gap:6px}"
    ".finer-view .x-turned td:last-child{width:34%}.finer-view .x-gain{min-width:90px}"
    ".finer-view .x-gain i{display:block;height:10px;border-radius:3px}.finer-view .x-up{background:var(--f-total)}"
    ".finer-view .x-down{background:repeating-linear-gradient(45deg,var(--f-down) 0 4px,transparent 4px 6px)}"
    "@container (max-width:640px){.finer-view .x-turned thead{display:none}.finer-view .x-turned tr{display:flex;flex-wrap:wrap;gap:2px 10px;"
    "border-bottom:1px solid var(--f-line);padding:5px 4px}.finer-view .x-turned td{border:0;padding:2px 0}"
    ".finer-view .x-turned td:last-child{width:100%}.finer-view .x-figure::before{content:attr(data-name) \" \";color:var(--f-soft)}}"
)


def knobs(answers: Answers, before: Outcome, settings: Settings, group: Group) -> Markup:
    """The section with its data and its script, for the answers of whole steps with ``group`` among them; from ``settings`` on."""
    steps = f"step {answers.steps.min()}" if answers.steps.min() == answers.steps.max() else f"steps {answers.steps.min()} to {answers.steps.max()}"
    turn = "turn a knob, and totals, ranks and advantages follow."
    said = f"Group {group.group_id}, step {group.step}: {turn} The page carries {steps}." if group.group_id >= 0 else turn.capitalize()
    return fragment(
        "knobs",
        "Settings to turn",
        tag("h3", "Turn the settings"),
        tag("p", said, class_="f-soft"),
        tag("noscript", tag("p", "The sliders need scripts, which this reader does not run.")),
        *scripted("knobs", knobs_data(answers, before, settings, group), "svg"),
        extra_css=CONTROLS_CSS + WHATIF_CSS + _CSS,
    )


def knobs_data(answers: Answers, before: Outcome, settings: Settings, group: Group) -> dict[str, Any]:
    """What the script computes with: numbers of all the answers, texts of the group alone."""
    recipe, own = settings.recipe, answers.group_ids == group.group_id
    texts, told = _texts(group)
    places = [told[int(position)] if inside else [0, 0] for position, inside in zip(answers.positions, own)]
    of_group = answers.group[own]
    return {
        "texts": texts, "parts": [plain(part, 60) for part in answers.parts], "own": int(of_group[0]) if len(of_group) else -1,
        "groups": list(dict.fromkeys(answers.group_ids.tolist())), "weights": [float(recipe.weights.get(part, 0.0)) for part in answers.parts],
        "shaping": vars(recipe.shaping), "margin": recipe.margin, "gate": recipe.gate, "hold": settings.hold_margin,
        **_bounds(recipe, answers.parts), "answers": _rows(answers, before, settings, places),
        "scale": "parts" if settings.scaling.aggregation == PARTS_FIRST else settings.scaling.scale_rewards,
    }  # fmt: skip


def _texts(group: Group) -> tuple[list[str], dict[int, list[int]]]:
    """The texts, and by an answer's position the places of its status and its SQL among them."""
    texts = Texts(LONGEST_SQL + 20)
    told = {one.position: [texts.place(one.breakdown.status), texts.place(plain_line(one.sql, LONGEST_SQL))] for one in group.rollouts}
    return texts.all, told


def _rows(answers: Answers, before: Outcome, settings: Settings, places: list[list[int]]) -> list[list[Any]]:
    """An answer each: position, places of its texts, group, step, was it scored, right or wrong, does its format hold, its overlap,
    does the shaping pay it, its recorded total and advantage, and its values before the gate."""
    open_gate = replace(settings, recipe=replace(settings.recipe, gate=False))
    outcomes = np.where(answers.right, "right", np.where(answers.wrong, "wrong", ""))
    overlaps = [round(float(one), _DIGITS) if np.isfinite(one) else None for one in answers.overlap]
    columns = [
        answers.positions.tolist(), *zip(*places), answers.group.tolist(), answers.batch.tolist(), answers.scored.tolist(), outcomes.tolist(),
        answers.well_formed.tolist(), overlaps, _bends(answers, settings.recipe).tolist(), before.totals.round(_DIGITS).tolist(),
        before.advantages.round(_DIGITS).tolist(), pay(answers, open_gate).values.round(_DIGITS).tolist(),
    ]  # fmt: skip
    return [list(row) for row in zip(*columns)]


def _bends(answers: Answers, recipe: Recipe) -> np.ndarray:
    """(n,) True where the atomic value is the shaping of the overlap: not of a right answer, nor where another value was recorded."""
    if "atomic" not in answers.parts:
        return np.zeros(len(answers.group), bool)
    failed = recipe.atomic_needs_run & ~answers.ran
    return answers.follows[:, answers.parts.index("atomic")] & ~answers.right & ~failed & np.isfinite(answers.overlap)


def _bounds(recipe: Recipe, parts: tuple[str, ...]) -> dict[str, list[float] | None]:
    """By part, the value that a right answer gets at least, and a wrong one at most; None where a part is none of ours."""
    even = replace(recipe, parts=parts, weights=dict.fromkeys(parts, 1.0), gate=True)
    if least_right(even) is None:
        return {"least": None, "most": None}
    return {"least": list(even.least_right_pay().values()), "most": list(even.most_wrong_pay().values())}
