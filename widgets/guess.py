"""Guess, then reveal, for teaching: put a group's answers in order, see what they were paid, keep a tally.

The answers are a list that keeps the chosen one marked while the buttons move it, so that the keyboard alone does: arrows choose, Tab
goes to a button, Enter presses it again and again. Core ipywidgets only. The view picks its own groups, since the selectors
of a workbench tell the pay; what was revealed becomes the workbench's choice. The tally lies beside the run, so that it survives the kernel.

Not covered: a tally for each of several people.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import ipywidgets

from finer.errors import FinerError
from finer.guess import Card, Tally, cards, moved, score
from finer.records import Group
from finer.render import Markup
from finer.render.guess import guess_cards, guess_page, guess_result, guess_static
from finer.render.markup import plain, tag
from finer.render.telling import is_mixed
from finer.run_notes import RunNotes
from finer.runs import Run
from widgets.choice import Choice
from widgets.views import View, nothing_yet

_MOVES = (("Up", "arrow-up", -1), ("Down", "arrow-down", 1), ("To the top", "angle-double-up", -10_000), ("To the end", "angle-double-down", 10_000))
MOST_STEPS_TRIED = 12
MOST_CARRIED = 12
"""Groups on a page."""


class GuessView(View):
    """``GuessView(run)``: order the answers of a group, press Reveal; ``tally`` holds the scores by group, of this and of earlier kernels."""

    title = "Guess"
    of_run = True

    def __init__(
        self,
        run: Run | str | Path,
        group_id: int | None = None,
        position: int | None = None,
        *,
        choice: Choice | None = None,
        seed: int = 0,
    ):
        self.seed, self.tally = seed, Tally()
        self.status = ipywidgets.HTML()
        self.group: Group | None = None
        self.order: list[Card] = []
        self.revealed = False
        self._wanted = group_id
        self._random = random.Random(seed)
        self._make_controls()
        super().__init__(run, group_id, position, choice=choice)
        self._box.children = (self._controls, self.status, self.widget)

    def prepare(self) -> None:
        self.notes = RunNotes(self.run)
        self._kept(lambda: None)

    def _make_controls(self) -> None:
        self.answers = ipywidgets.Select(options=[], rows=8, description="Your order", layout=ipywidgets.Layout(width="min(760px, 70%)"))
        self.moves = [ipywidgets.Button(description=name, icon=icon) for name, icon, _ in _MOVES]
        for button, (_, _, by) in zip(self.moves, _MOVES):
            button.on_click(lambda _, by=by: self.move(by))
        self.reveal_button = ipywidgets.Button(description="Reveal", icon="eye", button_style="primary")
        self.reveal_button.on_click(lambda _: self.reveal())
        self.next_button = ipywidgets.Button(description="Another group", icon="forward")
        self.next_button.on_click(lambda _: self.another())
        row = ipywidgets.HBox([self.answers, ipywidgets.VBox(self.moves)], layout=ipywidgets.Layout(flex_flow="row wrap"))
        self.forget_button = ipywidgets.Button(description="Begin the tally anew", icon="trash", layout=ipywidgets.Layout(width="190px"))
        self.forget_button.on_click(lambda _: self.forget())
        buttons = ipywidgets.HBox([self.reveal_button, self.next_button, self.forget_button], layout=ipywidgets.Layout(flex_flow="row wrap"))
        self._controls = ipywidgets.VBox([row, buttons])
        self._box = ipywidgets.VBox()

    @property
    def panel(self) -> ipywidgets.Widget:
        """The list and its buttons above the answers."""
        return self._box

    def fragment(self) -> Markup:
        """The static form: the pay is behind a fold."""
        self._begin()
        return guess_static(self.group, cards(self.group, self.seed)) if self.group else nothing_yet("A group to put in order")

    def refresh(self) -> None:
        """Draws the cards, or what was revealed; the group stays until another is asked for."""
        self._begin()
        if self.group is None:
            drawn = nothing_yet("A group to put in order")
        elif self.revealed:
            drawn = guess_result(self.group, self.order, self.tally)
        else:
            drawn = guess_cards(self.group, self.order)
        self.widget.value = self.styled(drawn)

    def static(self) -> Markup:
        return self.fragment()

    def whole(self) -> Markup:
        """For a page: this group and others that give a signal, mixed ones first, to put in order and to reveal."""
        self._begin()
        own = [self.group] if self.group else []
        others = [one for one in self.run.groups() if one.has_signal and one.group_id not in [group.group_id for group in own]]
        mixed = [one for one in others if is_mixed(one)]
        chosen = self._random.sample(mixed or others, min(MOST_CARRIED - 1, len(mixed or others))) if own else []
        groups = [*own, *[self.run.group(one.group_id) for one in chosen]]
        return guess_page([(group, cards(group, self.seed)) for group in groups])

    def move(self, by: int) -> None:
        """Moves the marked answer; it stays marked."""
        letter = self.answers.value
        if self.revealed or letter is None:
            return
        self.order = moved(self.order, letter, by)
        self._list(letter)
        self.refresh()

    def reveal(self) -> None:
        """Shows the pay and counts the guess; the group becomes what the other views show."""
        if self.group is None or self.revealed:
            return
        self.revealed = True
        group_id, found = self.group.group_id, score(self.order)
        self.tally.add(group_id, found)
        self._kept(lambda: self.notes.keep_guess(group_id, found))
        with self.choice.lock:
            self.choice.show_group(self.group.group_id)
            self.choice.pinned = True
        self._enable()
        self.refresh()

    def forget(self) -> None:
        """Takes every guess away, also those of earlier kernels."""
        self.tally = Tally()
        self._kept(self.notes.forget_guesses)
        self.refresh()

    def _kept(self, keep: Callable[[], None]) -> None:
        """Changes what lies beside the run, and takes in what does; where that fails, says so and goes on with this kernel's tally."""
        try:
            keep()
            self.tally = Tally(self.notes.guesses())
            self.status.value = ""
        except FinerError as error:
            said = tag("p", f"✗ The tally is kept in this kernel alone. {error}", role="status")
            self.status.value = str(tag("div", said, class_="finer-view"))

    def another(self) -> None:
        """The next group that gives a signal and was not revealed yet; the same where there is no other."""
        self._kept(lambda: None)
        found = self._next_group()
        if found is not None:
            self._take(found)
            self.refresh()

    def _begin(self) -> None:
        if self.group is None and self.choice.group is not None:
            self._take(self.choice.group if self._wanted is not None else self._next_group() or self.choice.group)

    def _take(self, group: Group) -> None:
        self.group, self.order, self.revealed = group, cards(group, self.seed), False
        self._list(self.order[0].letter if self.order else None)
        self._enable()

    def _next_group(self) -> Group | None:
        """Looks through a few steps chosen by chance, so that a long run is not read as a whole."""
        last = self.run.last_step
        steps = self._random.sample(range(1, last + 1), min(last, MOST_STEPS_TRIED))
        for step in steps:
            fresh = [found for found in self.run.groups(step) if found.has_signal and found.group_id not in self.tally.scores]
            mixed = [found for found in fresh if 0 < found.statuses.count("correct") < len(found.statuses)]
            if fresh:
                return self.run.group(self._random.choice(mixed or fresh).group_id)
        return None

    def _list(self, marked: str | None) -> None:
        self.answers.options = [(_line(place, card), card.letter) for place, card in enumerate(self.order, 1)]
        self.answers.rows = max(2, min(10, len(self.order)))
        self.answers.value = marked

    def _enable(self) -> None:
        for button in (*self.moves, self.reveal_button):
            button.disabled = self.revealed


def _line(place: int, card: Card) -> str:
    """An answer on one line: its place, its letter and its SQL, as far as it goes."""
    said = " ".join((card.rollout.sql or card.rollout.completion)[:600].split())
    return plain(f"{place}. {card.letter}: {said[:140]}")
