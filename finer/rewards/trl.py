"""The parts as reward functions with TRL's signature, for anybody's ``GRPOTrainer``.

Each takes ``prompts``, ``completions`` (texts or chat messages) and the dataset's columns as lists, and returns a
number a completion. The question is found by the column ``index`` (in the scorer's dataset), or else made from
``gold`` and ``db_id``. Values are unweighted: give the recipe's weights to ``GRPOConfig(reward_weights=...)``.

A part that was not scored returns 0, because an aggregation inside the group could turn a None into the group's mean;
where the gold failed every part returns None, and TRL leaves the completion out. Needs neither torch nor trl. Not
covered: inserting traces into the memory during training (``grpo``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from finer.records import Question, RewardBreakdown
from finer.rewards.scorer import Scorer

Completion = str | Sequence[dict[str, Any]]
RewardFunction = Callable[..., list[float | None]]


class BatchScorer:
    """Scores a batch once, however many parts ask for it one after another."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self._asked: Any = None
        self._paid: list[RewardBreakdown] = []

    def values(self, part: str, completions: Sequence[Completion], columns: dict[str, Any]) -> list[float | None]:
        """The part's value for each completion."""
        return [paid_value(answer, part) for answer in self.breakdowns(completions, columns)]

    def breakdowns(self, completions: Sequence[Completion], columns: dict[str, Any]) -> list[RewardBreakdown]:
        """What each completion is paid; neighbours with the same question are scored together."""
        texts = [completion_of(completion) for completion in completions]
        questions = questions_of(self.scorer, len(texts), columns)
        memory = self.scorer.memory
        asked = (texts, questions, self.scorer.recipe, memory.now() if memory else None)
        if asked != self._asked:
            self._paid = self._score(texts, questions)
            self._asked = asked
        return self._paid

    def _score(self, texts: list[str], questions: list[Question]) -> list[RewardBreakdown]:
        groups = [list(group) for _, group in groupby(zip(questions, texts), key=lambda pair: pair[0])]
        batch = [(group[0][0], [text for _, text in group]) for group in groups]
        return [answer for answers in self.scorer.score_many(batch) for answer in answers]


def reward_functions(scorer: Scorer) -> list[RewardFunction]:
    """One reward function a part of the scorer's recipe, in its order, named as the part (``rewards/atomic/mean``)."""
    batch = BatchScorer(scorer)
    return [part_function(part, batch) for part in scorer.recipe.parts]


def part_function(part: str, batch: BatchScorer) -> RewardFunction:
    """One part as a reward function of its name; its batch is scored once for all parts."""
    def reward(prompts: Any = None, completions: Sequence[Completion] = (), **columns: Any) -> list[float | None]:
        return batch.values(part, completions, columns)

    reward.__name__ = part
    return reward


def completion_of(completion: Completion) -> str:
    """The text of a completion: itself, or the content of its last message.

    >>> completion_of([{"role": "assistant", "content": "SELECT 1"}])
    'SELECT 1'
    """
    if isinstance(completion, str):
        return completion
    content = completion[-1].get("content") if completion else ""
    return content if isinstance(content, str) else ""


def questions_of(scorer: Scorer, count: int, columns: dict[str, Any]) -> list[Question]:
    """The question of each completion, from the columns. ValueError that says which columns are needed."""
    if "index" in columns:
        known = {question.index: question for question in scorer.dataset.questions}
        missing = [index for index in columns["index"] if index not in known]
        if missing:
            raise ValueError(f"column 'index' holds {missing[0]!r}, which is no question of {scorer.dataset.name!r}")
        return [known[index] for index in columns["index"]]
    if "gold" in columns and "db_id" in columns:
        return [_question(gold, db_id) for gold, db_id in zip(columns["gold"], columns["db_id"], strict=True)]
    raise ValueError(
        f"the rewards need the dataset's column 'index', or 'gold' and 'db_id'; the {count} completions came with "
        f"{sorted(columns)}; keep these columns in the training dataset"
    )


def _question(gold: str | Sequence[str], db_id: str) -> Question:
    golds = (gold,) if isinstance(gold, str) else tuple(gold)
    if not golds:
        raise ValueError(f"column 'gold' is empty for a question on {db_id!r}; give at least one right query")
    return Question(-1, db_id, "", golds)


def paid_value(answer: RewardBreakdown, part: str) -> float | None:
    """The part's value; 0 where it alone was not scored, None where nothing was."""
    value = answer.part(part).value
    return 0.0 if value is None and answer.status != "gold_failed" else value


@cache
def _starter() -> BatchScorer:
    """The starter dataset under the recipe ``finer``, made at the first call."""
    from finer.datasets import load_dataset

    return BatchScorer(Scorer("finer", load_dataset("starter")))


def format_reward(prompts: Any = None, completions: Sequence[Completion] = (), **columns: Any) -> list[float | None]:
    """1 for one thought and then one query, else 0; starter dataset, recipe ``finer``. Column ``index``, or ``gold``
    and ``db_id``. None where the gold query failed, as in the three others.
    """
    return _starter().values("format", completions, columns)


def execution_reward(prompts: Any = None, completions: Sequence[Completion] = (), **columns: Any) -> list[float | None]:
    """1 for the gold's result on every instance, 0.1 for a query that runs, else 0; columns as in format_reward."""
    return _starter().values("execution", completions, columns)


def atomic_reward(prompts: Any = None, completions: Sequence[Completion] = (), **columns: Any) -> list[float | None]:
    """1 for a right answer, else the overlap of its operations with the gold's; columns as in format_reward."""
    return _starter().values("atomic", completions, columns)


def memory_reward(prompts: Any = None, completions: Sequence[Completion] = (), **columns: Any) -> list[float | None]:
    """1 for a right answer, else the thought's similarity to the starter's traces; columns as in format_reward."""
    return _starter().values("memory", completions, columns)


# TRL names a metric after __name__ (rewards/atomic/mean); __qualname__ stays, so that pickling finds the function.
format_reward.__name__ = "format"
execution_reward.__name__ = "execution"
atomic_reward.__name__ = "atomic"
memory_reward.__name__ = "memory"
