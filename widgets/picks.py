"""A choice by a click on what a view has drawn: a line of a table, a column of a chart, a pair in a list.

What can be chosen carries ``data-pick``: ``s12`` a step, ``g93`` a group, ``g93a4`` an answer of it, ``g93a4a2`` several. Where no browser runs
the module, the drawing is the same and nothing is clicked: the selectors choose as before.

Not covered: drawing (``finer.render``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import ipywidgets
import traitlets

from finer.errors import FinerError
from widgets.choice import Choice
from widgets.live import FrontEnd, Stage, front_end

_PICK = re.compile(r"s(\d{1,12})|g(-?\d{1,12})((?:a\d{1,6})*)")


class PicksFrontEnd(FrontEnd):
    """The one trait that comes back."""

    _esm, _css = front_end("picks").values()
    pick = traitlets.Dict().tag(sync=True)


class Picks:
    """Listens to the clicks in a workbench; ``widget`` shows nothing, also where it cannot be loaded.

    ``taken``: called with what was clicked, where that is no choice in a run's groups.
    """

    def __init__(self, choice: Choice | None, taken: Callable[[str], None] | None = None):
        self.choice, self._taken = choice, taken
        self._stage = Stage(self._front_end, lambda: None)
        self.widget = ipywidgets.VBox([self._stage.widget], layout=ipywidgets.Layout(display="none"))

    def _front_end(self) -> PicksFrontEnd:
        front = PicksFrontEnd()
        front.observe(lambda change: self.take(change["new"]), "pick")
        return front

    def take(self, pick: dict[str, Any]) -> None:
        """Makes what was clicked the choice; with ``further``, an answer joins the chosen ones or leaves them. What makes no sense is left out."""
        if self._taken is not None:
            self._taken(str(pick.get("of", ""))[:100])
            return
        found = _PICK.fullmatch(str(pick.get("of", ""))[:100])
        if found is None:
            return
        step, group, answers = found.groups()
        try:
            self._choose(step, group, [int(one) for one in answers.split("a")[1:]] if answers else [], bool(pick.get("further")))
        except (FinerError, IndexError):
            return  # a drawing of a moment ago may name what a resumed run has taken back

    def _choose(self, step: str | None, group: str | None, positions: list[int], further: bool) -> None:
        if step is not None:
            self.choice.pick_step(int(step))
        elif further and positions:
            self.choice.pick_further(int(group), positions[0])
        elif len(positions) > 1:
            self.choice.pick_positions(int(group), positions)
        else:
            self.choice.pick(int(group), positions[0] if positions else None)
