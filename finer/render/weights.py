"""Sliders over the weights of one group in a page that can be sent: totals, ranks and advantages follow as they move.

The page carries the values of every part for all answers of the step, since its other groups may decide a group's scale; the
script computes by the formulas of ``finer.contributions``.

Not covered: shaping, gate and margin, which stay as they were when the page was made.
"""

from __future__ import annotations

from typing import Any

from finer.contributions import PARTS_FIRST
from finer.records import Group
from finer.render.markup import Markup, plain, tag
from finer.render.scripts import CONTROLS_CSS, scripted
from finer.render.style import fragment
from finer.whatif import Answers, Outcome, Settings, pay

LONGEST_SQL = 160
_CSS = (
    ".finer-view .x-turned td{font-variant-numeric:tabular-nums}.finer-view .x-figure{white-space:nowrap}"
    ".finer-view .x-turned td:last-child{width:34%}.finer-view .x-gain{min-width:90px}"
    ".finer-view .x-gain i{display:block;height:10px;border-radius:3px}.finer-view .x-up{background:var(--f-total)}"
    ".finer-view .x-down{background:repeating-linear-gradient(45deg,var(--f-down) 0 4px,transparent 4px 6px)}"
    "@container (max-width:640px){.finer-view .x-turned thead{display:none}.finer-view .x-turned tr{display:flex;flex-wrap:wrap;gap:2px 10px;"
    "border-bottom:1px solid var(--f-line);padding:5px 4px}.finer-view .x-turned td{border:0;padding:2px 0}"
    ".finer-view .x-turned td:last-child{width:100%}.finer-view .x-figure::before{content:attr(data-name) \" \";color:var(--f-soft)}}"
)


def weight_sliders(answers: Answers, before: Outcome, settings: Settings, group: Group) -> Markup:
    """The section with its data and its script, for the answers of one step with ``group`` among them; from ``settings`` on."""
    said = [f"Weights of group {group.group_id}, step {group.step}: move a slider, and totals, ranks and advantages follow."]
    if settings.hold_margin:
        said.append("The margin is not held here.")
    return fragment(
        "weights",
        "Weights to turn",
        tag("h3", "Turn the weights"),
        tag("p", " ".join(said), class_="f-soft"),
        tag("noscript", tag("p", "The sliders need scripts, which this reader does not run.")),
        *scripted("weights", weights_data(answers, before, settings, group)),
        extra_css=CONTROLS_CSS + _CSS,
    )


def weights_data(answers: Answers, before: Outcome, settings: Settings, group: Group) -> dict[str, Any]:
    """What the script computes with: numbers of the whole step, texts of the group alone."""
    values, texts = pay(answers, settings).values, [""]
    own = answers.group[answers.group_ids == group.group_id]
    sql = {rollout.position: _line(rollout.sql) for rollout in group.rollouts}
    rows = []
    for at in range(len(answers.group)):
        inside = answers.group_ids[at] == group.group_id
        places = [0, 0]
        if inside:
            texts += [plain(str(answers.statuses[at]), 60), plain(sql.get(int(answers.positions[at]), ""))]
            places = [len(texts) - 2, len(texts) - 1]
        outcome = "right" if answers.right[at] else "wrong" if answers.wrong[at] else ""
        paid = [float(before.totals[at]), float(before.advantages[at]), values[at].tolist()]
        rows.append([int(answers.positions[at]), *places, int(answers.group[at]), bool(answers.scored[at]), outcome, *paid])
    scale = "parts" if settings.scaling.aggregation == PARTS_FIRST else settings.scaling.scale_rewards
    weights = [float(settings.recipe.weights.get(part, 0.0)) for part in answers.parts]
    names = [plain(part, 60) for part in answers.parts]
    return {"texts": texts, "parts": names, "weights": weights, "scale": scale, "own": int(own[0]) if len(own) else -1, "answers": rows}


def _line(sql: str) -> str:
    line = " ".join(sql[: 4 * LONGEST_SQL].split())
    return line if len(line) <= LONGEST_SQL else f"{line[:LONGEST_SQL]} …"
