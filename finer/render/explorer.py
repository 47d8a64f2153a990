"""The part of the report that a person can search: a run's answers as JSON in the page, and one plain script that draws them.

Nothing is drawn before it is asked for. What a model, a person or a database wrote stands in the JSON alone and reaches the
page as text nodes; the JSON is written so that no text in it can end the element that holds it.

Not covered: which answers are chosen, and what is kept of them (``finer.explorer``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from finer.render.markup import Markup, tag
from finer.render.style import STATUS_WORDS, fragment, part_class, part_letter

_SCRIPT = Path(__file__).with_name("explorer.js")
_CSS = """
.finer-view .x-bar{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:end;margin:8px 0}
.finer-view .x-bar label{display:flex;flex-direction:column;font-size:12px;color:var(--f-soft);gap:2px;min-width:0;max-width:100%}
.finer-view .x-bar .x-wide{flex:1 1 220px}
.finer-view .x-bar input,.finer-view .x-bar select,.finer-view button{font:inherit;font-size:14px;color:var(--f-ink);background:var(--f-card);
border:1px solid var(--f-line);border-radius:6px;padding:4px 8px;max-width:100%;min-width:0}
.finer-view .x-bar input[type=range]{padding:0;width:100%;accent-color:var(--f-total)}
.finer-view button{cursor:pointer}
.finer-view button:disabled{opacity:.5;cursor:default}
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


def safe_json(value: Any) -> Markup:
    r"""JSON that can stand in a script element: no text in it can close the element, open a comment or end a line.

    >>> safe_json(["</script><!--", "\u2028"])
    '["\\u003c/script\\u003e\\u003c!--","\\u2028"]'
    """
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return Markup(written)


def explorer(data: dict[str, Any]) -> Markup:
    """The section with its data and its script; ``data`` is ``finer.explorer.explorer_data``'s."""
    looks = {name: [part_letter(name), part_class(name)] for name in data["parts"]}
    carried = data | {"looks": looks, "statuses": STATUS_WORDS}
    return fragment(
        "explorer",
        "All answers",
        tag("p", data["said"], class_="f-soft"),
        tag("noscript", tag("p", "Search and the step slider need scripts, which this reader does not run.")),
        tag("div", class_="x-place"),
        tag("script", safe_json(carried), type="application/json", class_="x-data"),
        tag("script", Markup(_SCRIPT.read_text(encoding="utf-8"))),
        extra_css=_CSS,
    )
