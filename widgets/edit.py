"""Edit and re-score: type another thought or SQL, press Score, and see the new parts and the new group.

The original stays as it is; each scored edit is kept beside the run. Needs the databases of the run's data set; where they
are not here, it says so.
"""

from __future__ import annotations

import ipywidgets

from finer.datasets import Dataset
from finer.edited import Edit, apply_edit, draft
from finer.edits import Edits, EditScorer
from finer.errors import FinerError
from finer.records import Group, Rollout
from finer.render import Markup, section
from finer.render.edits import edited_answer
from finer.render.markup import tag, text
from widgets.views import View, nothing_yet

MOST_SHOWN = 3
REPLACES, JOINS = "in the answer's place", "as a further answer"


def text_fields() -> tuple[ipywidgets.Textarea, ipywidgets.Textarea]:
    """Fields for a thought and for SQL."""
    layout = ipywidgets.Layout(width="98%", height="90px")
    return ipywidgets.Textarea(description="Thought", layout=layout), ipywidgets.Textarea(description="SQL", layout=layout)


class EditView(View):
    """The fields, the button, and the edits of the chosen group that are kept, the newest first."""

    title = "Edit"
    dataset: Dataset | None = None
    """Set it where the run's own data set is not the one to score on."""

    def prepare(self) -> None:
        self.thought, self.sql = text_fields()
        self.where = ipywidgets.Dropdown(options=[REPLACES, JOINS], description="Counts", layout=ipywidgets.Layout(width="300px"))
        self.button = ipywidgets.Button(description="Score", icon="check", tooltip="Score this text as its training step would have")
        self.again = ipywidgets.Button(description="Take the chosen answer", icon="undo", tooltip="Put the chosen answer's text into the fields",
                                       layout=ipywidgets.Layout(width="200px"))  # fmt: skip
        self.look_button = ipywidgets.Button(description="Show in the other views", icon="eye", tooltip="Every view explains the newest edit in its group",
                                             layout=ipywidgets.Layout(width="200px"))  # fmt: skip
        self.status = ipywidgets.HTML()
        self.group: Group | None = None
        self.parent: Rollout | None = None
        self._taken: tuple[str, str] = ("", "")
        self._scorer: EditScorer | None = None
        buttons = ipywidgets.HBox([self.where, self.button, self.again, self.look_button], layout=ipywidgets.Layout(flex_flow="row wrap"))
        self._panel = ipywidgets.VBox([self.thought, self.sql, buttons, self.status, self.widget])
        self.button.on_click(lambda _: self.score())
        self.again.on_click(lambda _: self.take())
        self.look_button.on_click(lambda _: self.look())

    @property
    def panel(self) -> ipywidgets.Widget:
        return self._panel

    @property
    def edits(self) -> Edits:
        return Edits(self.run)

    def refresh(self) -> None:
        """The chosen answer goes into the fields, unless a person has typed something that is not scored yet."""
        with self.choice.lock:
            is_other = self.choice.rollout != self.parent and not self.choice.outside
            if (self.thought.value, self.sql.value) == self._taken and is_other:
                self.take()
            super().refresh()

    def take(self) -> None:
        """The chosen answer's thought and SQL into the fields; an edit is made of an answer of the run alone."""
        with self.choice.lock:
            if self.choice.outside:
                self._say("✗ What is looked at is no answer of the run: choose one first.")
                return
            self.group, self.parent = self.choice.group, self.choice.rollout
            self._taken = self.thought.value, self.sql.value = draft(self.parent)
            said = f"Answer {self.parent.position} of group {self.parent.group_id}, step {self.parent.step}." if self.parent else ""
            self._say(said)

    def score(self) -> Edit | None:
        """Scores what stands in the fields and keeps it; None where it cannot be scored, and then the label says why."""
        with self.choice.lock:
            if self.group is None:
                self._say("✗ There is no answer yet.")
                return None
            try:
                found = self._score(self.parent if self.where.value == REPLACES else None)
            except FinerError as error:
                self._say(f"✗ {error}")
                return None
            self._taken = self.thought.value, self.sql.value
            self._say(f"✓ Scored and kept as edit {found.edit_id}.")
            super().refresh()
            return found

    def look(self) -> None:
        """The newest edit of the group, and the group as it would have been, becomes what every view shows."""
        with self.choice.lock:
            kept = self._kept()
            if not kept:
                self._say("✗ No edit of this group is kept.")
                return
            found = apply_edit(self._edited(), kept[-1], self.edits.scale_rewards)
            words = f"edit {kept[-1].edit_id} in group {self._edited().group_id}"
            self.choice.pick_outside(found.apart(), found.child.position, words)
            super().refresh()

    def _edited(self) -> Group | None:
        """The group of the run whose edits are shown: the chosen one, else the one looked at last."""
        return self.group if self.choice.outside else self.choice.group

    def _kept(self) -> list[Edit]:
        group = self._edited()
        return self.edits.of_group(group.group_id) if group else []

    def _score(self, parent: Rollout | None) -> Edit:
        if self._scorer is None:
            self._scorer = EditScorer(self.run, self.dataset)
        return self.edits.keep(self._scorer.score(self.group, self.thought.value, self.sql.value, parent))

    def _say(self, words: str) -> None:
        self.status.value = str(tag("div", text(words, 600), role="status"))

    def fragment(self) -> Markup:
        group, self.look_button.disabled = self._edited(), True
        if group is None:
            return nothing_yet("An answer to edit")
        try:
            kept = [apply_edit(group, edit, self.edits.scale_rewards) for edit in reversed(self._kept())]
        except FinerError as error:
            return section("", tag("p", text(error, 600)))
        self.look_button.disabled = not kept
        if not kept:
            return section("", tag("p", f"No edit of group {group.group_id} is kept.", class_="f-soft"))
        more = [section("", tag("p", f"{len(kept) - MOST_SHOWN} older edits of this group are kept in edits.json."))] if len(kept) > MOST_SHOWN else []
        return Markup("".join([*[edited_answer(found) for found in kept[:MOST_SHOWN]], *more]))
