"""What is measured on a changed query: the parts before any pay, the total of each recipe, and a reward function of one's own.

Everything is a number for each of several answers to one question, or None where it was not scored. Not covered: what the
numbers say about it (``report``).
"""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finer.errors import FinerError
from finer.prompt import Parsed, messages
from finer.records import Question
from finer.rewards import Scorer, breakdown
from finer.rewards.facts import Facts
from finer.rewards.recipes import PART_NAMES, Recipe
from finer.schema import Schema

Score = float | None
RewardFunction = Callable[..., Sequence[Score]]

ALL_PARTS = Recipe("all parts", PART_NAMES, dict.fromkeys(PART_NAMES, 1.0), gate=False, margin=1.0)
"""A recipe that asks for every part, so that each fact is found out once for all recipes."""


class RewardError(FinerError):
    """A reward function that cannot be loaded, or that returns something other than a number for each completion."""


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
    own = call(reward, question, schema, [answer.completion for answer in answers]) if reward else [None] * len(answers)
    found = []
    for answer, value in zip(answers, own, strict=True):
        row = {f"part {name}": score for name, score in part_scores(answer.facts).items()}
        row |= {f"recipe {recipe.name}": breakdown(recipe, answer.facts).total for recipe in recipes}
        found.append(row | {"reward": value} if reward else row)
    return found


def answers_of(scorer: Scorer, question: Question, completions: Sequence[str]) -> list[Answer]:
    """Completions with their facts, in order."""
    facts = scorer.facts(question, completions)
    return [Answer(completion, facts[completion]) for completion in completions]


def as_answered(facts: Facts, thought: str, sql: str) -> Facts:
    """The facts of bare SQL as those of an answer in the right format with this thought."""
    return replace(facts, parsed=Parsed(thought, sql, True))


def call(reward: RewardFunction, question: Question, schema: Schema, completions: Sequence[str]) -> list[Score]:
    """What a function with TRL's signature returns for several completions of one question.

    It is called as TRL calls it: ``prompts``, ``completions`` (texts), and the columns ``index``, ``question``, ``gold``, ``db_id`` and
    ``evidence`` as lists. RewardError where it raises, or returns anything but a number or None for each.
    """
    count = len(completions)
    columns = {"index": question.index, "question": question.text, "gold": list(question.gold), "db_id": question.db_id, "evidence": question.evidence}
    prompt = messages(question, schema)
    try:
        values = reward(prompts=[prompt] * count, completions=list(completions), **{name: [value] * count for name, value in columns.items()})
    except Exception as error:  # whatever a person's own function raises is told with the question that it raised at
        raise RewardError(
            f"the reward function failed on question {question.index}: {type(error).__name__}: {error}. It is called with prompts, completions "
            f"(a list of texts) and the columns {', '.join(columns)} as lists"
        ) from error
    return [_number(value, question) for value in _listed(values, count, question)]


def _listed(values: Any, count: int, question: Question) -> list[Any]:
    try:
        found = list(values)
    except TypeError:
        found = None
    if found is None or len(found) != count:
        got = "no list" if found is None else f"{len(found)} values"
        raise RewardError(f"the reward function returned {got} for the {count} completions of question {question.index}; return a number for each")
    return found


def _number(value: Any, question: Question) -> Score:
    try:
        number = None if value is None else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if number is not None and math.isnan(number):
        raise RewardError(f"the reward function returned {value!r} on question {question.index}; return a number, or None where it is not scored")
    return number


def load_reward(place: str) -> RewardFunction:
    """The function that ``FILE.py:NAME`` names. RewardError where there is no such file or function, or the file fails.

    >>> load_reward("reward.py")
    Traceback (most recent call last):
    ...
    finer.probe.measures.RewardError: 'reward.py' names no reward function; write FILE.py:NAME
    """
    file, _, name = place.rpartition(":")
    if not file or not name.isidentifier():
        raise RewardError(f"{place!r} names no reward function; write FILE.py:NAME")
    if not Path(file).is_file():
        raise RewardError(f"there is no file {file!r}; check the path before the colon of {place!r}")
    function = getattr(_module(Path(file)), name, None)
    if not callable(function):
        raise RewardError(f"{file!r} holds no function {name!r}; define it there, or correct the name after the colon")
    return function


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"reward_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RewardError(f"{str(path)!r} is no Python file; give one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # any fault of the file itself, a syntax error included
        del sys.modules[spec.name]
        raise RewardError(f"{str(path)!r} cannot be loaded: {type(error).__name__}: {error}") from error
    return module
