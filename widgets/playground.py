"""The playground: pick a question or bring a database, type a thought and SQL, and see what a recipe pays and why.

Waterfall, atoms, results and memory of the chosen try, the newest until another is clicked; all tries of the question as a group, and
what other weights would pay them. Needs no run; given a workbench, the answer that is chosen there comes into the fields, and the
try that is chosen here is shown by all of its views. The logic is ``finer.playground``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import ipywidgets

from finer.datasets import Dataset, load_dataset
from finer.edited import draft
from finer.errors import FinerError
from finer.playground import GROUP_ID, Tried, Tries, find_questions, own_dataset
from finer.records import Question, Rollout
from finer.render import Markup, atom_ledger, group_table, memory_matches, page, result_difference, section, waterfall
from finer.render.markup import plain, tag, text
from finer.render.one_of import one_of
from finer.render.style import STYLE
from finer.results import ResultComparison
from finer.rewards import RECIPES, get_recipe
from finer.run_sources import dataset_of_run
from finer.schema import render_compact
from widgets.choice import Choice
from widgets.edit import text_fields
from widgets.picks import Picks
from widgets.views import answer_words, bundle
from widgets.whatif import WhatIfTries
from widgets.workbench import Workbench

_ROW = "row wrap"
_MARK = re.compile(rf"g{GROUP_ID}a(\d{{1,6}})")


class Playground:
    """``Playground()`` on the starter data, ``Playground("spider-folder")``, or one question over a file of your own:
    ``Playground(database="my.sqlite", question="How many?", gold="SELECT count(*) FROM t")``.

    ``Playground(workbench)``: on the data set of its run, beside it. ``question``: with a data set, the index of the one to begin
    with. ``tried`` is the chosen try as records.
    """

    def __init__(
        self,
        dataset: Dataset | str | Path | Workbench = "starter",
        recipe: str = "finer",
        question: int | str | None = None,
        *,
        database: str | Path | None = None,
        gold: str = "",
    ):
        get_recipe(recipe)
        self.tried: Tried | None = None
        self.workbench = dataset if isinstance(dataset, Workbench) else None
        self._tries: Tries | None = None
        self._taken = ("", "")
        self._build(recipe)
        if database is not None:
            self.bring(database, str(question or ""), gold)
        else:
            self._open(_opened(dataset))
            if question is not None:
                self.show_question(int(question))
        if self.workbench is not None:
            self.workbench.on_selection(self._follow)
            self._follow()

    # -- what stands where ------------------------------------------------------------------------------------------

    def _build(self, recipe: str) -> None:
        wide = ipywidgets.Layout(width="98%")
        self.search = ipywidgets.Text(description="Find", placeholder="words of a question, a database, an index", layout=wide, continuous_update=False)
        self.questions = ipywidgets.Dropdown(description="Question", layout=wide)
        self.recipe = ipywidgets.Dropdown(description="Recipe", options=list(dict.fromkeys([*RECIPES, recipe])), value=recipe)
        self.thought, self.sql = text_fields()
        self.button = ipywidgets.Button(description="Score", icon="check", tooltip="What the recipe pays this answer, and why")
        self.again = ipywidgets.Button(description="Forget the tries", icon="trash", tooltip="Begin this question anew")
        self.status, self.asked, self.shown = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        self.picks, self.whatif = Picks(None, self._picked), WhatIfTries()
        self.other = ipywidgets.Accordion(children=[self.whatif.widget], selected_index=None)
        self.other.set_title(0, "What if: other weights, shaping, gate and scaling over the tries")
        self.other.layout.display = "none"
        self.own = [ipywidgets.Text(description=name, layout=wide, continuous_update=False) for name in ("Database", "Question", "Gold SQL")]
        self.open_own = ipywidgets.Button(description="Open it", icon="folder-open", tooltip="Ask this question of this SQLite or DuckDB file")
        buttons = ipywidgets.HBox([self.recipe, self.button, self.again], layout=ipywidgets.Layout(flex_flow=_ROW))
        bring = ipywidgets.VBox([ipywidgets.HTML("A database of your own: its file, a question, and the SQL that answers it."), *self.own, self.open_own])
        self.widget = ipywidgets.VBox(
            [ipywidgets.HTML(str(STYLE)), self.search, self.questions, self.asked, self.thought, self.sql, buttons, self.status, self.shown, self.other, bring, self.picks.widget]
        )
        self.widget.add_class("finer-bench")
        self.search.observe(lambda _: self._find(), "value")
        self.questions.observe(lambda _: self._asked(), "value")
        self.button.on_click(lambda _: self.score())
        self.again.on_click(lambda _: self.forget())
        self.open_own.on_click(lambda _: self._bring_typed())

    def _open(self, dataset: Dataset) -> None:
        if self._tries is not None:
            self._tries.close()
        self.dataset, self._tries = dataset, Tries(dataset, self.recipe.value)
        self.search.value = ""
        self._find()

    def _find(self) -> None:
        found = find_questions(self.dataset, self.search.value)
        self.questions.options = [(plain(_label(question), 140), question.index) for question in found]
        self.questions.value = found[0].index if found else None
        self._say("" if found else f"No question of {self.dataset.name} holds these words.")
        self._asked()

    @property
    def question(self) -> Question | None:
        """The question that is asked."""
        index = self.questions.value
        return None if index is None else self.dataset.question(index)

    def show_question(self, index: int) -> None:
        """Asks the question of that index. FinerError where the data set has none."""
        if all(question.index != index for question in self.dataset.questions):
            raise FinerError(f"the data set {self.dataset.name!r} has no question {index}")
        if self.questions.value == index:
            return
        if self.search.value:
            self.search.value = ""
        if all(index != known for _, known in self.questions.options):
            self.search.value = str(index)
        self.questions.value = index

    # -- gestures ---------------------------------------------------------------------------------------------------

    def bring(self, database: str | Path, question: str, gold: str) -> None:
        """One question over a file of your own. FinerError, with what to do, where it cannot be asked."""
        self._open(own_dataset(database, question, gold))

    def score(self) -> Tried | None:
        """Scores what is typed; None where nothing can be scored, and then the label says why."""
        question = self.question
        if question is None:
            self._say("✗ Choose a question first.")
            return None
        try:
            self._tries.recipe = get_recipe(self.recipe.value)
            self.tried = self._tries.score(question, self.thought.value, self.sql.value)
        except FinerError as error:
            self._say(f"✗ {error}")
            return None
        self._taken = self.thought.value, self.sql.value
        self._say(f"✓ Try {self.tried.rollout.position + 1} of this question.")
        self._draw()
        self._tell()
        return self.tried

    @property
    def selection(self) -> list[Rollout]:
        """The chosen try, as a list, like a workbench's."""
        return [self.tried.rollout] if self.tried else []

    def pick(self, position: int) -> None:
        """An earlier try becomes the one that is explained, here and in the workbench. IndexError where there is none."""
        if self.tried is None or not 0 <= position < len(self.tried.group.rollouts):
            raise IndexError(f"this question has no try {position}")
        self.tried = self._tries.tried(self.tried.group, position)
        self._draw()
        self._tell()

    def _picked(self, mark: str) -> None:
        found = _MARK.fullmatch(mark)
        if found and self.tried and int(found[1]) < len(self.tried.group.rollouts):
            self.pick(int(found[1]))

    def _tell(self) -> None:
        """The workbench's views show the try."""
        if self.workbench is not None:
            position = self.tried.rollout.position
            self.workbench.choice.pick_outside(self.tried.group, position, "the tries of a playground")

    def _follow(self) -> None:
        """The answer that is chosen in the workbench comes into the fields, unless something is typed there that was not scored."""
        choice = self.workbench.choice
        if choice.outside:
            self._follow_try(choice)
        elif choice.rollout is not None and (self.thought.value, self.sql.value) == self._taken:
            asked = choice.group.question
            if all((asked.index, asked.db_id, asked.text) != (one.index, one.db_id, one.text) for one in self.dataset.questions):
                self._say(f"✗ {self.dataset.name} does not hold the question that the workbench shows.")
                return
            self.show_question(asked.index)
            self._taken = self.thought.value, self.sql.value = draft(choice.rollout)
            self._say(f"Answer {choice.rollout.position} of group {choice.group.group_id}: change it and press Score.")

    def _follow_try(self, choice: Choice) -> None:
        """A click in a view of the workbench chose another try."""
        is_mine = self.tried is not None and choice.group == self.tried.group and choice.rollout is not None
        if is_mine and choice.rollout != self.tried.rollout:
            self.tried = self._tries.tried(self.tried.group, choice.rollout.position)
            self._draw()

    def forget(self) -> None:
        """Lets go of this question's tries."""
        if self.question is not None:
            self._tries.forget(self.question)
        self.tried = None
        self._draw()
        self._say("")

    def _bring_typed(self) -> None:
        try:
            self.bring(*[field.value.strip() for field in self.own])
        except FinerError as error:
            self._say(f"✗ {error}")

    def _asked(self) -> None:
        if self.tried is None or self.tried.group.question != self.question:
            self.tried = self._tries.newest(self.question) if self.question else None
        self._draw()

    def _say(self, words: str) -> None:
        self.status.value = str(tag("div", text(words, 600), role="status"))

    def _draw(self) -> None:
        self.asked.value = self._question_shown().replace(STYLE, "")
        self.shown.value = "".join(self._try_shown()).replace(STYLE, "")
        self.whatif.show(*((self.tried.group, self.tried.rollout.rollout_id) if self.tried else (None,)))
        self.other.layout.display = "" if self.tried else "none"

    # -- drawing ----------------------------------------------------------------------------------------------------

    def fragments(self) -> list[Markup]:
        """The question and the newest try, one view after the other."""
        return [self._question_shown(), *self._try_shown()]

    def _question_shown(self) -> Markup:
        question = self.question
        if question is None:
            return section("", tag("p", "No question is chosen.", class_="f-soft"))
        database = self.dataset.databases.get(question.db_id)
        schema = tag("pre", tag("code", render_compact(database.schema))) if database else None
        evidence = tag("p", "Evidence: ", text(question.evidence), class_="f-soft") if question.evidence else None
        facts = tag("p", f"{question.db_id} · question {question.index} of {self.dataset.name}", class_="f-soft")
        return section("", tag("p", text(question.text), class_="f-question f-text"), facts, evidence, schema)

    def _try_shown(self) -> list[Markup]:
        if self.tried is None:
            return []
        return [*self._together(), *self._explained(self.tried.rollout, self.tried.results)]

    def _explained(self, rollout: Rollout, results: ResultComparison) -> list[Markup]:
        group = self.tried.group
        return [waterfall(rollout, group), atom_ledger(rollout, group.question), result_difference(results), memory_matches(rollout)]

    def _together(self) -> list[Markup]:
        group = self.tried.group
        return [group_table(group, (self.tried.rollout.rollout_id,))] if len(group.rollouts) > 1 else []

    def to_html(self) -> str:
        """One self-contained document of the question and its tries, to step through, the chosen one first, with knobs to turn over them."""
        if self.tried is None:
            return page("Playground", *self.fragments())
        group = self.tried.group
        explained = [Markup("".join(self._explained(one, self._tries.results(group.question, one.sql)))) for one in group.rollouts]
        named = [(f"try {answer_words(one)}", shown) for one, shown in zip(group.rollouts, explained)]
        return page("Playground", self._question_shown(), one_of("Try", named, self.tried.rollout.position), *self._together(), self.whatif.whole())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        first, *rest = self.fragments()
        return bundle(self.widget, first + "".join(rest).replace(STYLE, ""), repr(self))

    def __repr__(self) -> str:
        return f"Playground on {self.dataset.name}"


def _opened(dataset: Dataset | str | Path | Workbench) -> Dataset:
    if isinstance(dataset, Workbench):
        return dataset_of_run(dataset.run, default="starter")
    return dataset if isinstance(dataset, Dataset) else load_dataset(dataset)


def _label(question: Question) -> str:
    return f"{question.index} · {question.db_id}: {' '.join(question.text.split())}"
