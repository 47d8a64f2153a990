"""The part of the report that a person can search: a run's answers as JSON in the page, and one plain script that draws them.

Nothing is drawn before it is asked for.

Not covered: which answers are chosen, and what is kept of them (``finer.explorer``).
"""

from __future__ import annotations

from typing import Any

from finer.render.difference import DIFFERENCE_CSS
from finer.render.markup import Markup, tag
from finer.render.scripts import CONTROLS_CSS, scripted
from finer.render.style import fragment, part_class, part_letter

_CSS = """
.finer-view .x-hits{max-height:21em;overflow:auto;border:1px solid var(--f-line);border-radius:8px;padding:0 6px}
.finer-view .x-hits table{margin:0;table-layout:fixed}
.finer-view .x-hits tr{cursor:pointer}
.finer-view .x-hits td{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.finer-view .x-hits td:nth-child(1){width:6.5em}.finer-view .x-hits td:nth-child(2){width:10.5em}.finer-view .x-hits td:nth-child(3){width:4.2em}
.finer-view .x-answers td:last-child{width:45%}.finer-view .x-answers td:nth-child(2){min-width:150px}.finer-view .x-parts th{white-space:nowrap}
.finer-view tr[tabindex]:hover{background:var(--f-card)}
.finer-view .x-lit{background-color:var(--f-lit)!important;box-shadow:0 0 0 2px var(--f-lit)}
@container (max-width:640px){
.finer-view .x-hits tr{display:grid;grid-template-columns:auto auto 1fr;gap:0 8px;border-bottom:1px solid var(--f-line);padding:4px 0}
.finer-view .x-hits td,.finer-view .x-hits td:nth-child(n){width:auto;border:0;padding:2px}
.finer-view .x-hits td:nth-child(n+4){grid-column:1/4}
.finer-view .x-answers tr{display:grid;grid-template-columns:auto 1fr auto auto;gap:2px 8px;border-bottom:1px solid var(--f-line);padding:6px 4px}
.finer-view .x-answers td,.finer-view .x-answers td:nth-child(n){border:0;padding:2px 0;width:auto}
.finer-view .x-answers td:nth-child(2){grid-column:2/5}
.finer-view .x-answers td:nth-child(5){grid-column:1/3;grid-row:2}
.finer-view .x-answers td:last-child{grid-column:1/5}
.finer-view .x-parts tr{display:block;border-bottom:1px solid var(--f-line);padding:4px 0}
.finer-view .x-parts th,.finer-view .x-parts td{display:block;border:0;padding:1px 0}}
""".replace("\n", "")


def explorer(data: dict[str, Any]) -> Markup:
    """The section with its data and its script; ``data`` is ``finer.explorer.explorer_data``'s."""
    looks = {name: [part_letter(name), part_class(name)] for name in data["parts"]}
    return fragment(
        "explorer",
        "All answers",
        tag("p", data["said"], class_="f-soft"),
        tag("noscript", tag("p", "Search and the step slider need scripts, which this reader does not run.")),
        *scripted("explorer", data | {"looks": looks}, "difference"),
        extra_css=CONTROLS_CSS + DIFFERENCE_CSS + _CSS,
    )
