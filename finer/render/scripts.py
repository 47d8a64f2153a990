"""Plain scripts in a page that can be sent: data as JSON beside them, and one script that draws it.

What a model, a person or a database wrote stands in the JSON alone and reaches the page as text nodes; the JSON is written so
that no text in it can end the element that holds it. Scripts are for pages alone: a notebook's output does not run them.

Not covered: what each script draws (``explorer``, ``matrix_page``, ``weights``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from finer.render.markup import Markup, plain, tag
from finer.render.style import STATUS_WORDS

CONTROLS_CSS = """
.finer-view .x-bar{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:end;margin:8px 0}
.finer-view .x-bar label{display:flex;flex-direction:column;font-size:12px;color:var(--f-soft);gap:2px;min-width:0;max-width:100%}
.finer-view .x-bar .x-wide{flex:1 1 220px}
.finer-view .x-bar input,.finer-view .x-bar select,.finer-view button{font:inherit;font-size:14px;color:var(--f-ink);background:var(--f-card);
border:1px solid var(--f-line);border-radius:6px;padding:4px 8px;max-width:100%;min-width:0}
.finer-view .x-bar input[type=range]{padding:0;width:100%;accent-color:var(--f-total)}
.finer-view button{cursor:pointer}
.finer-view button:disabled{opacity:.5;cursor:default}
""".replace("\n", "")


class Texts:
    """The texts of a page, once each, as they will be shown: hidden characters written out, a long one cut with a note.

    >>> texts = Texts(9)
    >>> [texts.place(one) for one in ("a", "b", "a", "0123456789")], texts.all
    ([0, 1, 0, 2], ['a', 'b', '012345678 … (1 further characters not shown)'])
    """

    def __init__(self, longest: int):
        self._longest = longest
        self._places: dict[str, int] = {}

    @property
    def all(self) -> list[str]:
        return list(self._places)

    def place(self, value: Any) -> int:
        """The place of a text among all."""
        return self._places.setdefault(plain(value, self._longest), len(self._places))


def safe_json(value: Any) -> Markup:
    r"""JSON that can stand in a script element: no text in it can close the element, open a comment or end a line.

    >>> safe_json(["</script><!--", "\u2028"])
    '["\\u003c/script\\u003e\\u003c!--","\\u2028"]'
    """
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return Markup(written)


def script(name: str) -> str:
    """The text of ``name``.js, which lies beside this module."""
    return Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8")


def scripted(name: str, data: dict[str, Any], *shared: str) -> tuple[Markup, Markup, Markup]:
    """The place where ``name``.js draws, its data, and the script; they must stand in one element of their own.

    ``shared``: further scripts that it calls.
    """
    source = "".join(map(script, ("element", "elements", *shared, name)))
    carried = safe_json(data | {"statuses": STATUS_WORDS})
    return (
        tag("div", class_="x-place"),
        tag("script", carried, type="application/json", class_="x-data"),
        tag("script", Markup(f'"use strict";(() => {{\n{source}}})();')),
    )
