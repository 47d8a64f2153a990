"""Two runs side by side: what the second gained and lost against the first, by an evaluation or by the last steps.

Not covered: more than two runs (``Curves([a, b, c])`` draws their curves over each other).
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import ipywidgets

from finer.compare_runs import (
    LAST_STEPS,
    QuestionPair,
    RunComparison,
    compare_evaluations,
    compare_last_groups,
    part_names,
    sources,
)
from finer.errors import FinerError
from finer.question_history import best_paid
from finer.render import Markup, page
from finer.render.apart_page import apart_page
from finer.render.markup import tag
from finer.render.runs_apart import MOST_PAIRS, runs_apart
from finer.run_index import RunIndex
from finer.run_sources import dataset_of_run
from finer.runs import Run
from widgets.choice import open_run
from widgets.picks import Picks
from widgets.views import bundle
from widgets.workbench import Workbench

CHANGES = (("gained and lost", "changed"), ("gained", "gained"), ("lost", "lost"), ("all", ""))


class CompareRuns:
    """``CompareRuns("runs/sparse", "runs/finer")``: the questions that both answered, filtered by change and by part.

    A workbench may stand in the place of either run: a click on a question makes its answer there the workbench's choice, and the
    question that is chosen in the workbench stands first here and is marked. Raises RunStoreError, with what to do, where a folder holds no run.
    """

    def __init__(self, first: Run | str | Path | Workbench, second: Run | str | Path | Workbench):
        self.workbenches = tuple(one if isinstance(one, Workbench) else None for one in (first, second))
        self.runs = tuple(one.run if isinstance(one, Workbench) else open_run(one) for one in (first, second))
        self.indexes = tuple(RunIndex(run) for run in self.runs)
        self._known: dict[str, tuple[tuple[int, ...], RunComparison]] = {}
        self._questions: dict[tuple[str, int], tuple[str, str]] | None = None
        self.source = ipywidgets.Dropdown(description="By", options=sources(*self.runs))
        self.change = ipywidgets.Dropdown(description="Show", options=CHANGES, value="changed")
        self.part = ipywidgets.Dropdown(description="Part moved", options=[("any", "")])
        self.shown = ipywidgets.HTML()
        row = ipywidgets.HBox([self.source, self.change, self.part], layout=ipywidgets.Layout(flex_flow="row wrap"))
        self.picks = Picks(None, self._picked)
        self.widget = ipywidgets.VBox([row, self.shown, self.picks.widget])
        self.widget.add_class("finer-bench")
        self.refresh()
        for control in (self.source, self.change, self.part):
            control.observe(lambda _: self.refresh(), "value")
        for workbench in filter(None, self.workbenches):
            workbench.on_selection(self.refresh)

    @property
    def comparison(self) -> RunComparison:
        """The comparison by the chosen source, read again only when a run has grown."""
        source, versions = self.source.value, tuple(run.version() for run in self.runs)
        if source not in self._known or self._known[source][0] != versions:
            self._known[source] = (versions, self._compared(source))
        return self._known[source][1]

    def pairs(self) -> list[QuestionPair]:
        """The questions that are shown."""
        changed = self.change.value == "changed"
        pairs = self.comparison.chosen("" if changed else self.change.value, self.part.value)
        return [pair for pair in pairs if pair.change != "same" or self.part.value] if changed else pairs

    def refresh(self) -> None:
        """Draws again what is chosen."""
        options = [("any", ""), *[(name, name) for name in part_names(self.comparison.pairs)]]
        if list(self.part.options) != options:
            self.part.options = options
        self.shown.value = str(self.fragment())

    def pick(self, pair: QuestionPair) -> None:
        """The best paid answer to this question becomes the choice of each workbench whose run trained on it."""
        for place, workbench in enumerate(self.workbenches):
            group_id = self._group_of(pair, place) if workbench else None
            if group_id is not None:
                best = best_paid(workbench.run.group(group_id))
                workbench.choice.pick(group_id, best.position if best else None)

    def _picked(self, mark: str) -> None:
        pairs = self.comparison.pairs
        if re.fullmatch(r"q\d{1,9}", mark) and int(mark[1:]) < len(pairs):
            with suppress(FinerError, IndexError):  # a drawing of a moment ago may name what a resumed run has taken back
                self.pick(pairs[int(mark[1:])])

    def _group_of(self, pair: QuestionPair, place: int) -> int | None:
        """The last group of a question in one of the runs; None where it was not trained on."""
        side = (pair.first, pair.second)[place]
        if side.group_id is not None:
            return side.group_id
        index = self.indexes[place]
        index.update()
        found = index.questions(index.ids_of([(pair.db_id, pair.question_index, pair.question)]))
        return found[0].groups[-1][0] if found else None

    def _looked_at(self, pair: QuestionPair) -> bool:
        """Does a workbench show this question?"""
        asked = [one.choice.group.question for one in self.workbenches if one and one.choice.group]
        return any((pair.question_index, pair.db_id, pair.question) == (one.index, one.db_id, one.text) for one in asked)

    def _marks(self, shown: list[QuestionPair]) -> dict[int, str]:
        """By a pair's identity what a click on it sends: its place; none where no workbench could show it."""
        places = {id(pair): place for place, pair in enumerate(self.comparison.pairs)}
        beside = [place for place, one in enumerate(self.workbenches) if one]
        known = [pair for pair in shown if any(self._group_of(pair, place) is not None for place in beside)]
        return {id(pair): f"q{places[id(pair)]}" for pair in known}

    @property
    def names(self) -> tuple[str, str]:
        """The runs' folders, with the folder above where both have one name."""
        names = tuple(run.folder.name for run in self.runs)
        if names[0] == names[1]:
            names = tuple("/".join(run.folder.parts[-2:]) for run in self.runs)
        return names

    def fragment(self) -> Markup:
        """The comparison as HTML."""
        pairs = self.pairs()
        looked_at = [pair for pair in self.comparison.pairs if self._looked_at(pair)] if any(self.workbenches) else []
        ordered = [*looked_at, *[pair for pair in pairs if pair not in looked_at]]
        marks = self._marks(ordered[:MOST_PAIRS])
        return runs_apart(self.comparison, ordered, self.names, self.part.value, self._answer, lambda pair: marks.get(id(pair)), len(looked_at))

    def to_html(self) -> str:
        """One self-contained document, with the questions to filter and to search; without scripts those that are chosen now."""
        found, still = self.comparison, self.fragment()
        if not found.pairs:
            return page("Two runs compared", still)
        shown = apart_page(found, part_names(found.pairs), self.names, self._answer)
        return page("Two runs compared", tag("noscript", still), shown)

    def _compared(self, source: str) -> RunComparison:
        if source == LAST_STEPS:
            for index in self.indexes:
                index.update()
            return compare_last_groups(*self.indexes)
        found = compare_evaluations(*self.runs, source)
        return RunComparison(
            found.source, tuple(self._named(pair, source.split(", ")[0]) for pair in found.pairs), found.p
        )

    def _named(self, pair: QuestionPair, split: str) -> QuestionPair:
        """An evaluation keeps a question's number alone; its text is the data set's, where that is here."""
        if self._questions is None:
            self._questions = _texts(self.runs[0])
        db_id, text = self._questions.get((split, pair.question_index), ("", ""))
        return QuestionPair(pair.question_index, db_id, text, pair.first, pair.second)

    def _answer(self, pair: QuestionPair, place: int) -> str:
        side = (pair.first, pair.second)[place]
        best = best_paid(self.runs[place].group(side.group_id)) if side.group_id is not None else None
        return (best.sql or best.completion) if best else ""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        return bundle(self.widget, str(self.fragment()), repr(self))

    def __repr__(self) -> str:
        return f"CompareRuns of {self.runs[0]!r} and {self.runs[1]!r}"


def _texts(run: Run) -> dict[tuple[str, int], tuple[str, str]]:
    """By split and index: of the run's data set, and of dev, which Spider and BIRD keep apart."""
    found: dict[tuple[str, int], tuple[str, str]] = {}
    for split in (None, "dev"):
        with suppress(FinerError):
            dataset = dataset_of_run(run, split=split, default="starter")
            found |= {(question.split, question.index): (question.db_id, question.text) for question in dataset.questions}
    return found
