"""What the views with a front end of their own share: an ES module and a style sheet from ``frontend/``, and a spare.

A widget manager that cannot load anywidget shows an error in the front end's place. Beside every front end therefore stands a
core HTML widget, the spare, with the view's static form. Style rules alone hide it while a browser runs the module, and for
the first moments; once the module has said that it runs, the spare is emptied and drawn no more.

Not covered: what the modules do; readers without any widget manager, who get the output's HTML form (``views.bundle``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anywidget
import ipywidgets
import traitlets

from finer.render.markup import tag
from finer.render.scripts import script
from finer.render.style import STYLE

FRONTEND = Path(__file__).parent / "frontend"
BASE_CSS = STYLE.removeprefix("<style>").removesuffix("</style>")
SECONDS_TO_LOAD = 3
"""So long the spare waits, unseen, for the module; one that comes later still takes its place."""
SPARE_STYLE = (
    "<style>.finer-front-end:has(.finer-live)>.finer-spare{display:none}"
    f".finer-spare .widget-html-content{{animation:finer-late 0s {SECONDS_TO_LOAD}s backwards}}"
    "@keyframes finer-late{from{visibility:hidden;max-height:0;overflow:hidden}}</style>"
)
SPARE_NOTE = tag(
    "div",
    tag("p", "✗ This reader did not load anywidget, which makes this view live; here is its static form. What helps: docs/front-ends.md.", role="status"),
    class_="finer-view",
)


def front_end(name: str) -> dict[str, str]:
    """The module, with what all share in front, and the style of a view, as the class attributes that anywidget asks for."""
    module, style = ((FRONTEND / f"{name}.{ending}").read_text(encoding="utf-8") for ending in ("js", "css"))
    shared = script("element") + (FRONTEND / "alive.js").read_text(encoding="utf-8")
    return {"_esm": shared + module, "_css": BASE_CSS + style}


class FrontEnd(anywidget.AnyWidget):
    """Base of the widgets with a module of their own."""

    alive = traitlets.Bool(False).tag(sync=True)
    """Set by the module as soon as a browser runs it."""


class Spare:
    """A front end, and under it the place for the static form; ``widget`` holds both."""

    def __init__(self, front: FrontEnd):
        self._front = front
        self.html = ipywidgets.HTML(layout=ipywidgets.Layout(width="100%"))
        self.html.add_class("finer-spare")
        self.widget = ipywidgets.VBox([front, self.html])
        self.widget.add_class("finer-front-end")
        front.observe(lambda _: self.keep(str), "alive")

    def keep(self, draw: Callable[[], str]) -> None:
        """Draws the static form where no browser has run the module; nothing else."""
        self.html.value = "" if self._front.alive else SPARE_STYLE + SPARE_NOTE + draw()
