"""The text difference between any two answers of a group, on a page that nobody can ask.

Not covered: two answers that were chosen already (``difference``).
"""

from __future__ import annotations

from typing import Any

from finer.records import Group
from finer.render.difference import DIFFERENCE_CSS, MOST_CHARACTERS
from finer.render.markup import Markup, tag
from finer.render.scripts import CONTROLS_CSS, Texts, scripted
from finer.render.style import fragment


def pairs(group: Group, chosen: tuple[int, int]) -> Markup:
    """Two lists of the answers and the difference; ``chosen``: the positions of the two that are compared first."""
    head = tag("h3", "The difference between any two answers")
    code = scripted("pairs", pairs_data(group, chosen), "difference")
    return fragment("pairs", "Difference of any two answers", head, *code, extra_css=CONTROLS_CSS + DIFFERENCE_CSS)


def pairs_data(group: Group, chosen: tuple[int, int]) -> dict[str, Any]:
    """The answers best paid first: position, status, total, completion; texts once each."""
    texts = Texts(MOST_CHARACTERS)
    ordered = sorted(group.rollouts, key=lambda one: (-one.breakdown.total, one.position))
    rows = [[one.position, texts.place(one.breakdown.status), round(one.breakdown.total, 5), texts.place(one.completion)] for one in ordered]
    places = {one.position: place for place, one in enumerate(ordered)}
    return {"texts": texts.all, "answers": rows, "chosen": [places[position] for position in chosen]}
