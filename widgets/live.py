"""What the views with a front end of their own share: an ES module and a style sheet from ``frontend/``, and a stage for it.

A widget manager that cannot load anywidget shows an error in the front end's place. Beside every front end therefore stands a
core HTML widget, the spare, with the view's static form. Style rules alone hide it while a browser runs the module, and for
the first moments; once the module has said that it runs, the spare is emptied and drawn no more.

A module that runs asks whether it is heard. One that cannot hear the answer, since a crowded browser took too long to start it, is
put in place anew.

Not covered: what the modules do; readers without any widget manager, who get the output's HTML form (``views.bundle``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
SECONDS_TO_HEAR = 3
"""So long an answer may take to the browser."""
MOST_MADE = 3
"""Front ends, one after the other; where the last is deaf as well, the static form stays."""
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

    ping = traitlets.Dict().tag(sync=True)
    """Set by the module as soon as a browser runs it, and until it hears an answer: the last ``heard`` that reached it."""
    heard = traitlets.Int(0).tag(sync=True)
    """The answer: grows by one with each ping."""


class Stage:
    """The place of a front end, and under it that of the static form; ``widget`` holds both.

    ``make`` makes the front end, again where the last one is deaf; ``drawn`` is called when that has been put in place.
    """

    def __init__(self, make: Callable[[], FrontEnd], drawn: Callable[[], None]):
        self._make, self._drawn = make, drawn
        self._answered, self._made = 0.0, 0
        self.alive = False
        """True once a browser has run the module."""
        self.html = ipywidgets.HTML()
        self.html.add_class("finer-spare")
        self.widget = ipywidgets.VBox()
        self.widget.add_class("finer-front-end")
        self._put()

    def keep(self, draw: Callable[[], str]) -> None:
        """Draws the static form where no browser has run the module; nothing else."""
        self.html.value = "" if self.alive else SPARE_STYLE + SPARE_NOTE + draw()

    def _put(self) -> None:
        self._front, self._made = self._make(), self._made + 1
        self._front.observe(lambda change: self._pinged(change["new"]), "ping")
        self.widget.children = (self._front, self.html)

    def _pinged(self, ping: dict[str, Any]) -> None:
        is_deaf = ping.get("heard") != self._front.heard and time.monotonic() - self._answered > SECONDS_TO_HEAR
        if is_deaf:
            self._replace()
            return
        self.alive = True
        self.keep(str)
        # Pings that waited for a busy kernel come all at once: they are answered, and say nothing of the module's ears.
        self._answered = time.monotonic()
        self._front.heard += 1

    def _replace(self) -> None:
        if self._made < MOST_MADE:
            self._put()
        else:
            self.alive, self.widget.children = False, (self.html,)
        self._drawn()
