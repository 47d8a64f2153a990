"""Questions down, steps across: how each group fared, and one answer of a question scrubbed through time.

Pinned questions come first (the pins lie beside the run); without pins, those that were asked most often. The cell that is
clicked is the workbench's choice; below stand its question and how an answer to it (the best or the worst paid, the first right one, or
the one most like an answer that was chosen anywhere) differs from the one the time before; the first time, that answer alone.

Not covered: how an answer is followed (``finer.question_history``).
"""

from __future__ import annotations

from typing import Any

import ipywidgets
import traitlets

from finer.compare import counted
from finer.errors import FinerError
from finer.ledger import words_apart, words_of
from finer.question_history import FOLLOWED, MOST_QUESTIONS, best_paid, followed, history_data
from finer.records import Group, Rollout
from finer.render import Markup, section
from finer.render.difference import answer_difference, whole_answer
from finer.render.markup import plain, tag, text
from finer.render.matrix import MatrixCell, MatrixRow, matrix
from finer.render.matrix_page import matrix_page
from finer.run_index_schema import QuestionGroups
from finer.run_notes import RunNotes
from widgets.indexed import IndexedView
from widgets.live import FrontEnd, Stage, front_end

MOST_ROWS = 12
MOST_STEPS = 30
MOST_SCRUBBED = 1000
"""Of a question that was asked more often, the last groups."""


class MatrixFrontEnd(FrontEnd):
    """The traits that go back and forth."""

    _esm, _css = front_end("matrix").values()
    matrix = traitlets.Dict().tag(sync=True)
    wanted = traitlets.Dict().tag(sync=True)
    pick = traitlets.Dict().tag(sync=True)
    pin = traitlets.Dict().tag(sync=True)


def steps_shown(rows: list[QuestionGroups], skip: int) -> tuple[list[int], bool]:
    """The steps at which any of the questions was asked: the last MOST_STEPS before the last ``skip``; and are there earlier ones.

    >>> row = QuestionGroups(1, 7, "shop", "?", tuple((step, step, 4, 4, 0) for step in range(1, 41)))
    >>> steps, earlier = steps_shown([row], 5)
    >>> steps[0], steps[-1], earlier
    (6, 35, True)
    """
    every = sorted({step for row in rows for _, step, *_ in row.groups})
    end = max(len(every) - skip, min(MOST_STEPS, len(every)))
    start = max(0, end - MOST_STEPS)
    return every[start:end], start > 0


class MatrixView(IndexedView):
    """How the answers to chosen questions changed with the steps."""

    title = "Matrix"

    def prepare(self) -> None:
        self.notes = RunNotes(self.run)
        self._anchor: Rollout | None = None
        self._scrubbed: int | None = None
        """The answer that scrubbing has chosen."""
        self._how = "best"
        self._stage = Stage(self._front_end, self.refresh)
        self._panel = ipywidgets.VBox([self._stage.widget, self.widget])

    def _front_end(self) -> MatrixFrontEnd:
        self._live = MatrixFrontEnd(matrix=_empty(""), wanted={})
        self._live.observe(lambda _: self._asked_for(), "wanted")
        self._live.observe(lambda change: self._picked(change["new"]), "pick")
        self._live.observe(lambda change: self._pinned(change["new"]), "pin")
        return self._live

    @property
    def panel(self) -> ipywidgets.Widget:
        return self._panel

    @property
    def live(self) -> MatrixFrontEnd:
        """The widget with the matrix."""
        return self._live

    def refresh(self) -> None:
        """Answers the front end again, and draws the difference to the time before; sends nothing where nothing changed."""
        with self.choice.lock:
            self._take_anchor()
            if not self.index.keep_up(0.05, self._grown):
                done, of = self.index.progress()
                self._live.matrix = _empty(f"The run is being indexed: {done:,} of {of:,} groups so far.")
                return
            try:
                self._live.matrix = self._shown()
                self._stage.keep(lambda: self.styled(self._still()))
                drawn = self._difference()
            except FinerError as error:
                drawn = section("", tag("p", "✗ ", plain(str(error), 600), role="alert"))
            self.widget.value = self.styled(drawn)

    def static(self) -> Markup:
        return self.fragment()

    def whole_fragment(self) -> Markup:
        """The static form: the matrix, and under it the difference."""
        return Markup(self._still() + self._difference())

    def _still(self) -> Markup:
        rows = self.questions(self._wanted()[0])
        steps, _ = steps_shown(rows, 0)
        return matrix([self._row(row, steps) for row in rows], steps)

    def whole(self) -> Markup:
        """For a page: the matrix to click and to scrub, over what it carries; the static form where no script runs."""
        still = super().whole()
        rows = self.questions(self._wanted()[0], MOST_QUESTIONS)
        pinned = {row.question_id for row in rows if self._is_pinned(row)}
        self._take_anchor()
        data = history_data(self.run, rows, pinned, self._chosen(), self._how, self._anchor)
        return Markup(tag("noscript", still) + matrix_page(data))

    def asked(self) -> object:
        self._take_anchor()
        group, anchor = self.choice.group, self._anchor
        return (group.group_id if group else None, tuple(self.notes.questions()), self._how, anchor and anchor.rollout_id)

    def questions(self, text: str, most: int = MOST_ROWS) -> list[QuestionGroups]:
        """Those that hold the words of ``text``; without words the pinned ones, else those asked most often."""
        if text.strip():
            return self.index.questions(self.index.find_questions(text, most))
        pinned = self.index.ids_of(self.notes.questions())
        return self.index.questions(pinned[:most] or self.index.most_asked(most))

    def _wanted(self) -> tuple[str, int]:
        wanted = self._live.wanted
        skip = wanted.get("skip")
        good = isinstance(skip, int) and not isinstance(skip, bool) and 0 <= skip < 10**9
        return str(wanted.get("text") or "")[:500], skip if good else 0

    def _shown(self) -> dict[str, Any]:
        text, skip = self._wanted()
        rows = self.questions(text)
        steps, earlier = steps_shown(rows, skip)
        chosen = self._chosen()
        own = self.index.questions((self.index.question_of(chosen),)) if chosen is not None else []
        said = counted(len(rows), "question") + (f", steps {steps[0]} to {steps[-1]}" if steps else "")
        if len(rows) == MOST_ROWS and not text.strip() and not any(self._is_pinned(row) for row in rows):
            said += ": those asked most often. A search finds the others."
        return {
            "rows": [_sent(self._row(row, steps)) for row in rows], "steps": steps, "skip": skip, "earlier": earlier, "said": said,
            "ways": FOLLOWED, "how": self._how, "chosen": chosen, "scrub": [group[0] for group in own[0].groups[-MOST_SCRUBBED:]] if own else [],
        }  # fmt: skip

    def _chosen(self) -> int | None:
        """The group of the run that is looked at."""
        return self.choice.group.group_id if self.choice.group and not self.choice.outside else None

    def _row(self, row: QuestionGroups, steps: list[int]) -> MatrixRow:
        within = set(steps)
        cells = {
            step: MatrixCell(group, step, right, judged, answers)
            for group, step, answers, judged, right in row.groups
            if step in within
        }
        label = plain(" ".join(f"{row.question_index} · {row.db_id} · {row.question}"[:500].split()), 120)
        return MatrixRow(row.question_id, label, self._is_pinned(row), tuple(cells.values()))

    def _is_pinned(self, row: QuestionGroups) -> bool:
        return (row.db_id, row.question_index, row.question) in self.notes.questions()

    def _take_anchor(self) -> None:
        """What ``like`` goes by: the answer that was chosen last, in any view, but not by scrubbing."""
        chosen = self.choice.rollout
        if chosen is not None and chosen.rollout_id != self._scrubbed and not self.choice.outside:
            self._anchor, self._scrubbed = chosen, None

    def _difference(self) -> Markup:
        """The question of the chosen group, and its followed answer against that of the question's group before."""
        group = self.choice.group
        own = self.index.questions((self.index.question_of(group.group_id),)) if group else []
        if not own:
            return _line("Choose a cell to see its answer.")
        asked = section("", tag("p", text(group.question.text, 2_000), class_="f-question f-text"))
        return Markup(asked + self._followed(group, own[0].groups))

    def _followed(self, group: Group, asked: tuple[tuple[int, ...], ...]) -> Markup:
        """The followed answer of a group, among all groups of its question."""
        now = followed(group, self._how, self._anchor)
        if now is None:
            return _line(f"No answer at step {group.step} is right." if self._how == "right" else "This group has no answer.")
        earlier = [one for one in asked[: [one[0] for one in asked].index(group.group_id)] if self._how != "right" or one[4]]
        if not earlier:
            what = "has no earlier right answer" if self._how == "right" else "was not asked before"
            return Markup(_line(f"{_sentence(self._how)} at step {group.step}; the question {what}.") + whole_answer(now))
        before = followed(self.run.group(earlier[-1][0]), self._how, self._anchor)
        said = f"{_sentence(self._how)} at step {group.step} against the one the time before, at step {earlier[-1][1]}."
        return Markup(_line(said + self._anchor_words(now)) + (answer_difference(before, now) if before else ""))

    def _anchor_words(self, now: Rollout) -> str:
        if self._how != "like" or self._anchor is None:
            return ""
        apart = words_apart(words_of(now.completion), words_of(self._anchor.completion))
        return f" The chosen one: answer {self._anchor.position} of group {self._anchor.group_id}, step {self._anchor.step}; {apart} words apart."

    def _asked_for(self) -> None:
        """Another search, other steps, or another answer to follow; that one becomes the choice."""
        how = str(self._live.wanted.get("how"))
        if how in FOLLOWED and how != self._how:
            self._how = how
            if self._chosen() is not None:
                self._picked({"group": self._chosen()})
        self.refresh()

    def _picked(self, pick: dict[str, Any]) -> None:
        if isinstance(pick.get("group"), int):
            try:
                self._scrub(pick["group"])
            except FinerError as error:
                self._live.matrix = {**self._live.matrix, "said": plain(str(error), 300)}
                return
            self.refresh()

    def _scrub(self, group_id: int) -> None:
        """The followed answer of a group becomes the choice; another question's group begins anew with its own answer."""
        with self.choice.lock:
            group = self.run.group(group_id)
            self._take_anchor()
            is_another = self.choice.group is None or self.choice.group.question != group.question
            found = followed(group, self._how, None if is_another else self._anchor) or best_paid(group)
            self._scrubbed = found.rollout_id if found and not is_another else None
            self.choice.pick(group_id, found.position if found else None)

    def _pinned(self, pin: dict[str, Any]) -> None:
        found = self.index.questions((pin.get("question"),)) if isinstance(pin.get("question"), int) else []
        try:
            for row in found:
                self.notes.pin_question(row.db_id, row.question_index, row.question, bool(pin.get("pinned")))
        except FinerError as error:
            self._live.matrix = {**self._live.matrix, "said": plain(str(error), 300)}
            return
        self.refresh()


def _sentence(how: str) -> str:
    words = FOLLOWED[how]
    return f"{words[0].upper()}{words[1:]}"


def _line(said: str) -> Markup:
    return section("", tag("p", said, class_="f-soft"))


def _sent(row: MatrixRow) -> dict[str, Any]:
    cells = [
        {"group": cell.group_id, "step": cell.step, "right": cell.right, "judged": cell.judged, "words": cell.words}
        for cell in row.cells
    ]
    return {"id": row.question_id, "label": row.label, "pinned": row.pinned, "cells": cells}


def _empty(said: str) -> dict[str, Any]:
    return {"rows": [], "steps": [], "skip": 0, "earlier": False, "said": said, "ways": FOLLOWED, "how": "best", "chosen": None, "scrub": []}
