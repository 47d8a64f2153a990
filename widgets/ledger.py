"""The signal ledger of a run: what execution alone would have seen of each step's groups, and what the dense parts added."""

from __future__ import annotations

from finer.ledger import selected_of, signal_ledger
from finer.render import Markup
from finer.render.ledger import ledger
from widgets.indexed import IndexedView


class LedgerView(IndexedView):
    """For each step: groups all right, mixed, all wrong; how many of the last got a signal, and what became of them."""

    title = "Ledger"
    of_run = True

    def whole_fragment(self) -> Markup:
        return ledger(signal_ledger(self.index.outcomes()), selected_of(self.run.events()))
