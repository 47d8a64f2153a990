"""Thoughts near the chosen answers', what became of theirs, and on demand a map and the score as of any step.

The map and the past scores need the data set's traces and the encoder beside the run's file; they are drawn when somebody
ticks the box, so that following a run stays cheap. Where the data set is not here, the view says so.
"""

from __future__ import annotations

from typing import Any

import ipywidgets

from finer.datasets import Dataset
from finer.encoder import default_encoder
from finer.errors import FinerError
from finer.memory import Memory, Query, first_plane, map_as_of, replayed, scores_over_steps, steps_shown, take_in
from finer.memory.plane import Plane
from finer.records import Rollout
from finer.render import Markup, memory_as_of, memory_gate, memory_map, memory_matches, memory_past, section
from finer.render.markup import tag, text
from finer.render.memory_page import memory_page
from finer.run_sources import dataset_of_run
from finer.runs_schema import MemoryEvent
from widgets.views import View, nothing_yet


class MemoryView(View):
    """Which thoughts are near the chosen answers' thoughts, whether the memory took them in, and what its gate let in.

    With ``past`` ticked, for the first chosen answer: its similarity against the memory of every step, the nearest traces as
    of the step that ``as_of`` names, and a map.
    """

    title = "Memory"
    dataset: Dataset | None = None
    """Set it where the run's own data set, whose traces the memory began with, is not the one to be loaded."""

    def prepare(self) -> None:
        self.past = ipywidgets.Checkbox(description="map, and the score as of other steps", indent=False)
        self.as_of = ipywidgets.IntSlider(description="As of step", min=1, max=1, continuous_update=False, disabled=True)
        self.drawn = ipywidgets.HTML()
        self._encoder = default_encoder()
        self._memory: Memory | None = None
        self._taken: list[MemoryEvent] = []
        self._plane: Plane | None = None
        self._shown: tuple[Any, ...] = ()
        self._moving = False
        controls = ipywidgets.HBox([self.past, self.as_of], layout=ipywidgets.Layout(flex_flow="row wrap"))
        self._panel = ipywidgets.VBox([self.widget, controls, self.drawn])
        self.past.observe(self._asked, "value")
        self.as_of.observe(self._asked, "value")

    @property
    def panel(self) -> ipywidgets.Widget:
        return self._panel

    def fragment(self) -> Markup:
        events = self.run.memory_events()
        shown = [self._near(rollout, events) for rollout in self.choice.selection]
        return Markup("".join([*shown, memory_gate(events)])) if shown else nothing_yet("A thought's neighbours")

    def _near(self, rollout: Rollout, events: list[MemoryEvent]) -> Markup:
        return memory_matches(rollout, [event for event in events if event.step == rollout.step])

    def whole(self) -> Markup:
        """For a page: the neighbours of every answer, and the memory of every step for the chosen one's thought."""
        rollout, events = self.choice.rollout, self.run.memory_events()
        if rollout is None:
            return self.fragment()
        still = self._past(rollout, _own_step(rollout), events)
        through = self._through_time(rollout, events)
        under = Markup(tag("noscript", still) + through) if through else still
        return Markup(self.each_answer(lambda one: self._near(one, events)) + under + memory_gate(events))

    def _through_time(self, rollout: Rollout, events: list[MemoryEvent]) -> Markup:
        """Empty where the answer was not compared or the memory cannot be built here; ``_past`` says why."""
        recorded = _recorded(rollout)
        try:
            memory = self._replayed(events)
        except FinerError:
            return Markup()
        if recorded is None:
            return Markup()
        own = _own_step(rollout)
        steps = steps_shown(self.run.last_step, own)
        return memory_page(memory, self._query(rollout), steps, own, recorded, self._plane)

    def refresh(self) -> None:
        super().refresh()
        with self.choice.lock:
            self._draw_past()

    def _asked(self, _: dict) -> None:
        with self.choice.lock:  # first the lock, then the look: see Selectors
            if not self._moving:
                self._draw_past()

    def _draw_past(self) -> None:
        """Draws what is asked for on demand; nothing where it stands there already."""
        rollout = self.choice.rollout
        self.as_of.disabled = not (self.past.value and rollout)
        if self.as_of.disabled:
            self._shown, self.drawn.value = (), ""
            return
        events = self.run.memory_events()
        who = rollout.rollout_id, rollout.completion  # what is no answer of the run may have another's id
        self._move_slider(rollout, keep=self._shown[:1] == (who,))
        key = (who, self.as_of.value, self.run.last_step, len(events))
        if key != self._shown:
            drawn = self._past(rollout, self.as_of.value, events)
            self.drawn.value = self.styled(drawn)
            self._shown = key

    def _move_slider(self, rollout: Rollout, keep: bool) -> None:
        """To the answer's own step, or where a person put it for this answer."""
        self._moving = True
        try:
            self.as_of.max = max(self.run.last_step, 1)
            if not keep:
                self.as_of.value = _own_step(rollout)
        finally:
            self._moving = False

    def _past(self, rollout: Rollout, step: int, events: list[MemoryEvent]) -> Markup:
        recorded = _recorded(rollout)
        if recorded is None:
            said = "This answer was not compared with the memory, so it has no score as of another step."
            return section("", tag("p", said, class_="f-soft"))
        try:
            memory = self._replayed(events)
        except FinerError as error:
            return section("", tag("p", "The memory cannot be built again here: ", text(error, 600)))
        query, own = self._query(rollout), _own_step(rollout)
        scores = scores_over_steps(memory, query, steps_shown(self.run.last_step, own))
        shown = [memory_past(scores, own, recorded, step)]
        if step != own:
            shown.append(memory_as_of(*scores_over_steps(memory, query, [step]), recorded))
        return Markup("".join([*shown, memory_map(map_as_of(memory, query, step, self._plane))]))

    def _query(self, rollout: Rollout) -> Query:
        question = self.choice.group.question
        return Query(rollout.breakdown.thought, question.db_id, question.text)

    def _replayed(self, events: list[MemoryEvent]) -> Memory:
        """The run's memory. It grows with the run; only where a resumed run took events back is it built again."""
        count = len(self._taken)
        if self._memory is None or self._taken[-1:] != events[max(count - 1, 0) : count]:
            self._memory, count = self._first_memory(), 0
            self._plane = first_plane(self._memory)
        take_in(self._memory, events[count:])
        self._taken = events
        return self._memory

    def _first_memory(self) -> Memory:
        """As it was before the first step."""
        config = self.run.config
        if self.dataset is None:
            self.dataset = dataset_of_run(self.run, default="starter")
        return replayed(self.dataset.traces, (), self._encoder, bool(config.get("memory_contrast", False)))


def _own_step(rollout: Rollout) -> int:
    """The step whose memory an answer was compared with; of one that no step wrote the first, whose memory holds no trace of the run."""
    return max(1, rollout.step)


def _recorded(rollout: Rollout) -> float | None:
    """The similarity that the store holds; None where nothing was compared."""
    evidence = next((part.evidence for part in rollout.breakdown.parts if part.name == "memory"), {})
    return evidence.get("similarity")
