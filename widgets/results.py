"""The rows of the gold and of the chosen answer, run again on every instance, under each rule of comparison.

The one view that needs more than the run's file: the databases. Where they are not here, it says so and shows nothing else.
"""

from __future__ import annotations

from functools import cached_property

from finer.datasets import Dataset
from finer.errors import FinerError
from finer.records import Question, Rollout
from finer.render import Markup, result_difference, section
from finer.render.markup import tag, text
from finer.results import ResultComparison, compare_results
from finer.run_sources import dataset_of_run
from widgets.views import View, nothing_yet


class ResultsView(View):
    """Which rows the chosen answer has too many or too few, and which rule would have called it right."""

    title = "Results"
    dataset: Dataset | None = None
    """Set it where the run's own data set is not the one to run on."""

    def fragment(self) -> Markup:
        rollout = self.choice.rollout
        return self._shown(rollout) if rollout else nothing_yet("An answer's result")

    def whole(self) -> Markup:
        """For a page: of every answer of the group; each different query runs once."""
        return self.each_answer(self._shown)

    def _shown(self, rollout: Rollout) -> Markup:
        try:
            return result_difference(self._compared(rollout))
        except FinerError as error:
            return section("", tag("p", "The answer cannot be run again here: ", text(error, 600)))

    @cached_property
    def _known(self) -> dict[tuple[Question, str], ResultComparison]:
        """By question and SQL: following a run draws often, answers repeat each other, and a result does not change."""
        return {}

    def _compared(self, rollout: Rollout) -> ResultComparison:
        key = self.choice.group.question, rollout.sql
        if key not in self._known:
            if self.dataset is None:
                self.dataset = dataset_of_run(self.run, default="starter")
            question = self.choice.group.question
            database = self.dataset.databases.get(question.db_id)
            if database is None:
                raise FinerError(f"the data set {self.dataset.name!r} has no database {question.db_id!r}; set the view's dataset")
            self._known[key] = compare_results(question, rollout.sql, database)
        return self._known[key]
