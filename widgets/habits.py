"""What each habit of the answers earned, beside the answers of the same group that have it not."""

from __future__ import annotations

from finer.habits import habits
from finer.render import Markup
from finer.render.habits import habits_table
from widgets.indexed import IndexedView


class HabitsView(IndexedView):
    """A row a habit (a WHERE, a JOIN, a longer text …): what it earns part by part, and whether it is paid backwards."""

    title = "Habits"

    def whole_fragment(self) -> Markup:
        return habits_table(habits(self.run))
