"""What is measured on a changed query: the parts before any pay, the total of each recipe, and a reward function of one's own.

Everything is a number for each of several answers to one question, or None where it was not scored. Not covered: what the
numbers say about it (``report``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from finer.prompt import Parsed, messages
from finer.records import Question
from finer.rewards import Scorer, breakdown, own_part
from finer.rewards.facts import Facts
from finer.rewards.own import OwnReward, RewardFunction, Score
from finer.rewards.recipes import PART_NAMES, Recipe
from finer.schema import Schema

ALL_PARTS = Recipe("all parts", PART_NAMES, dict.fromkeys(PART_NAMES, 1.0), gate=False, margin=1.0)
"""A recipe that asks for every part, so that each fact is found out once for all recipes."""


@dataclass(frozen=True)
class Answer:
    """One answer to a question, with all that was found out about it."""

    completion: str
    facts: Facts


def part_scores(facts: Facts) -> dict[str, Score]:
    """The parts before any pay: what each sees in an answer, whether it is right or wrong.

    ``execution`` is 1 right, 0.1 runs, 0 fails; ``atomic``, ``bigram`` and ``result`` are overlaps; ``memory`` is the similarity.
    """
    scored = not facts.not_a_query
    return {
        "format": float(facts.parsed.well_formed),
        "execution": 1.0 if facts.right else 0.1 * facts.runs,
        "atomic": facts.overlap.overlap,
        "bigram": facts.bigram.overlap,
        "result": facts.result.overlap if scored else None,
        "memory": facts.match.similarity,
    }


def scores(answers: Sequence[Answer], recipes: Iterable[Recipe], reward: RewardFunction | None, question: Question, schema: Schema) -> list[dict[str, Score]]:
    """For each answer the score by every measure: ``part NAME``, ``recipe NAME``, and ``reward`` where a function is given."""
    texts = [answer.completion for answer in answers]
    given = call(reward, question, schema, texts) if reward else [None] * len(answers)
    rows = [{f"part {name}": score for name, score in part_scores(answer.facts).items()} for answer in answers]
    for recipe in recipes:
        for answer, row, own in zip(answers, rows, own_part.values(recipe.own, question, schema, texts), strict=True):
            row[f"recipe {recipe.name}"] = breakdown(recipe, replace(answer.facts, own=own)).total
    return [row | {"reward": value} if reward else row for row, value in zip(rows, given, strict=True)]


def answers_of(scorer: Scorer, question: Question, completions: Sequence[str]) -> list[Answer]:
    """Completions with their facts, in order."""
    facts = scorer.facts(question, completions)
    return [Answer(completion, facts[completion]) for completion in completions]


def as_answered(facts: Facts, thought: str, sql: str) -> Facts:
    """The facts of bare SQL as those of an answer in the right format with this thought."""
    return replace(facts, parsed=Parsed(thought, sql, True))


def call(reward: RewardFunction, question: Question, schema: Schema, completions: Sequence[str]) -> list[Score]:
    """What a function with TRL's signature returns for several completions of one question (``rewards.own``).

    RewardError where it raises, or returns anything but a number or None for each.
    """
    own = reward if isinstance(reward, OwnReward) else OwnReward(reward)
    return [found.value for found in own(question, messages(question, schema), completions)]
