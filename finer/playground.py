"""Try an answer of your own: one question, a thought and SQL, and all that a recipe says about them at once.

The question comes from a data set, or with a database file of one's own. Tries of one question make a group, so that each
gets an advantage against the others. Nothing is stored.

Not covered: drawing (``render``), and answers of a policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from finer.advantages import advantages, scored_total
from finer.datasets import Database, Dataset, load_dataset
from finer.errors import FinerError
from finer.golds import Golds
from finer.judge import Judge
from finer.memory import Memory
from finer.prompt import completion_text
from finer.records import Group, Question, Rollout, Trace
from finer.rescore import why_not
from finer.results import ResultComparison, compare_results
from finer.rewards import Recipe, Scorer, get_recipe
from finer.sandbox import Sandbox
from finer.schema import read_schema

GROUP_ID = -1
"""Below zero, as the ids of the tries: no run holds them."""


@dataclass(frozen=True)
class Tried:
    """One try, what it was paid, its group (all tries of its question so far), and its result beside the gold's."""

    rollout: Rollout
    group: Group
    results: ResultComparison


class Tries:
    """Scores tries on a data set under a recipe; a context manager, or call ``close``."""

    def __init__(self, dataset: Dataset, recipe: Recipe | str = "finer", scale_rewards: str = "none"):
        self.dataset = dataset
        self.recipe = get_recipe(recipe) if isinstance(recipe, str) else recipe
        self.scale_rewards = scale_rewards
        self._sandbox = Sandbox()
        self._judge = Judge(dataset.databases, self._sandbox, golds=Golds())
        self._memory: Memory | None = None
        self._texts: dict[Question, list[tuple[str, str]]] = {}
        self._groups: dict[Question, Group] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._judge.close()
        self._sandbox.close()

    def score(self, question: Question, thought: str, sql: str) -> Tried:
        """Scores a try together with all earlier ones of the question, under the recipe as it is now.

        FinerError for a question without a gold, or whose database is not here.
        """
        why = why_not(question, self.dataset)
        if why:
            raise FinerError(f"question {question.index} cannot be tried: {why}")
        tries = self._texts.setdefault(question, [])
        if (thought, sql) in tries:
            tries.remove((thought, sql))  # the same again is no other try: it is the newest
        tries.append((thought, sql))
        group = self._groups[question] = self._group(question, tries)
        return self.tried(group, len(group.rollouts) - 1)

    def tried(self, group: Group, position: int) -> Tried:
        """One try of a group that was scored here, with its results. IndexError where it has none at that position."""
        rollout = group.rollouts[position]
        return Tried(rollout, group, self.results(group.question, rollout.sql))

    def newest(self, question: Question) -> Tried | None:
        """The newest try of a question, as it was scored; None where there is none."""
        group = self._groups.get(question)
        return self.tried(group, len(group.rollouts) - 1) if group else None

    def results(self, question: Question, sql: str) -> ResultComparison:
        """What the SQL returns beside what the gold does."""
        return compare_results(question, sql, self.dataset.databases[question.db_id], self._sandbox)

    def forget(self, question: Question) -> None:
        """Lets go of a question's tries."""
        self._texts.pop(question, None)
        self._groups.pop(question, None)

    def _group(self, question: Question, tries: list[tuple[str, str]]) -> Group:
        texts = [completion_text(thought, sql) if thought.strip() else sql for thought, sql in tries]
        paid = self._scorer().score(question, texts)
        found = advantages([scored_total(one) for one in paid], self.scale_rewards)
        rollouts = [
            Rollout(-1 - place, 0, GROUP_ID, place, text, one, advantage)
            for place, (text, one, advantage) in enumerate(zip(texts, paid, found, strict=True))
        ]
        return Group(GROUP_ID, 0, question, "", tuple(rollouts))

    def _scorer(self) -> Scorer:
        if "memory" in self.recipe.parts and self._memory is None:
            self._memory = Memory()
            self._memory.add(self.dataset.traces)
        return Scorer(self.recipe, self.dataset, self._memory, self._judge)


def own_dataset(database: str | Path, question: str, gold: str, evidence: str = "", traces: tuple[Trace, ...] | None = None) -> Dataset:
    """A data set of one question over a database file of one's own (SQLite or DuckDB).

    ``traces``: what a thought is compared with; None takes the starter's. DataError for a file that is no database,
    FinerError where the question or the gold is empty.
    """
    for name, told in (("question", question), ("gold", gold)):
        if not told.strip():
            raise FinerError(f"the {name} is empty; a database of your own needs a question and the SQL that answers it")
    schema = read_schema(database)
    found = Database(schema.db_id, (Path(database),), schema)
    asked = Question(0, schema.db_id, question.strip(), (gold.strip(),), evidence)
    return Dataset("your own", (asked,), {schema.db_id: found}, load_dataset("starter").traces if traces is None else traces)


def find_questions(dataset: Dataset, words: str = "", most: int = 200) -> list[Question]:
    """The first questions that hold all these words in their text, database, difficulty or split; a number is an index.

    >>> from finer.records import Question
    >>> shop = Dataset("shop", (Question(0, "shop", "How many books?", ("SELECT 1",)), Question(1, "shop", "Who?", ("SELECT 2",))), {})
    >>> [question.index for question in find_questions(shop, "MANY books")], [question.index for question in find_questions(shop, "1")]
    ([0], [1])
    """
    if words.strip().isdecimal():
        return [question for question in dataset.questions if question.index == int(words)]
    wanted = words.lower().split()
    found = []
    for question in dataset.questions:
        told = f"{question.text} {question.db_id} {question.difficulty} {question.split}".lower()
        if all(word in told for word in wanted):
            found.append(question)
            if len(found) == most:
                break
    return found
