"""Views over a whole run: fed by its index, drawn again only when the run has grown, honest while the index is being made.

Not covered: what they show.
"""

from __future__ import annotations

import time
from typing import Any

from finer.render import Markup, section
from finer.render.markup import tag
from finer.run_index import RunIndex
from widgets.views import View

SECONDS_TO_WAIT = 0.15
"""A small run's index is made within this; a large one's goes on in the background, and the view says how far it is."""

SECONDS_TO_BE_KEPT = 1.0
"""A view that a cell shows waits so long: what the notebook keeps of it is then whole, for runs of a few thousand groups."""

SECONDS_A_LOOK = 5.0


class IndexedView(View):
    """Base of the views over a whole run; the drawing is kept until the run grows or something is asked for."""

    of_run = True
    _drawn: tuple[object, Markup] | None = None

    @property
    def index(self) -> RunIndex:
        return self.choice.index

    def whole_fragment(self) -> Markup:
        """The view's HTML, once every group is indexed."""
        raise NotImplementedError

    def asked(self) -> object:
        """What, besides the run, the drawing hangs on; a change draws anew."""
        return None

    def fragment(self) -> Markup:
        state = (self.run.version(), self.asked())
        if self._drawn is None or self._drawn[0] != state:
            if not self.index.keep_up(SECONDS_TO_WAIT, self._grown):
                return self._building()
            self._drawn = (state, self.whole_fragment())
        return self._drawn[1]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        self.index.update(SECONDS_TO_BE_KEPT)
        return super()._repr_mimebundle_(include, exclude)

    def whole(self) -> Markup:
        """For a page, in which nothing appears later by itself: once every group is indexed, however long that takes."""
        while not self.index.keep_up(SECONDS_A_LOOK, self._grown):
            time.sleep(0.05)
        return self.fragment()

    def _building(self) -> Markup:
        done, of = self.index.progress()
        words = f"The run is being indexed: {done:,} of {of:,} groups so far. This view appears by itself when that is done."
        return section("", tag("p", words, role="status"))

    def _grown(self) -> None:
        """The background thread has ended."""
        with self.choice.lock:
            self.refresh()
