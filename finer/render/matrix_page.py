"""The matrix in a page that can be sent: every cell opens, and a slider scrubs a question's best paid answer through time.

Not covered: which questions and groups it carries (``finer.question_history``).
"""

from __future__ import annotations

from typing import Any

from finer.render.difference import DIFFERENCE_CSS
from finer.render.markup import Markup, tag
from finer.render.matrix import MATRIX_CSS
from finer.render.scripts import CONTROLS_CSS, scripted
from finer.render.style import fragment

_CSS = (
    ".finer-view .x-cell{display:block;width:24px;padding:1px 2px;border-color:transparent;background:none;border-radius:3px}"
    ".finer-view .x-cell:hover{background:var(--f-lit)}"
    ".finer-view .x-cell[aria-current]{border-color:var(--f-total);box-shadow:0 0 0 1px var(--f-total)}"
    ".finer-view .x-cell:focus-visible{outline:2px solid var(--f-total);outline-offset:1px}"
)


def matrix_page(data: dict[str, Any]) -> Markup:
    """The section with its data and its script; ``data`` is ``finer.question_history.history_data``'s."""
    return fragment(
        "matrix",
        "Questions over steps",
        tag("p", data["said"], class_="f-soft"),
        *scripted("matrix", data, "difference"),
        extra_css=CONTROLS_CSS + MATRIX_CSS + DIFFERENCE_CSS + _CSS,
    )
