"""A part of one's own: what a person's reward function said of an answer, and the evidence that it gave.

The value is the function's, as it stands. Not covered: calling a function (``own``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finer.prompt import messages
from finer.records import Question
from finer.rewards.facts import Facts
from finer.rewards.own import OwnReward, OwnValue
from finer.rewards.recipes import Recipe
from finer.schema import Schema

_NOTHING = OwnValue(None)


@dataclass(frozen=True)
class OwnPart:
    """A part as the scorer asks it, of the name of a function."""

    name: str

    def value(self, facts: Facts, recipe: Recipe) -> float | None:
        """What the function returned."""
        return facts.own.get(self.name, _NOTHING).value

    def evidence(self, facts: Facts, recipe: Recipe) -> dict[str, Any]:
        """What it gave to ``log_extra``."""
        return {name: value for name, value in facts.own.get(self.name, _NOTHING).evidence.items() if name != "summary"}

    def summary(self, facts: Facts, recipe: Recipe) -> str:
        """The evidence in one sentence: the function's own (``log_extra("summary", …)``), or its value."""
        found = facts.own.get(self.name)
        if found is None:
            return f"not scored: {self.name} was not asked"
        told = found.evidence.get("summary")
        return str(told) if told else f"{self.name} returned {'None' if found.value is None else format(found.value, '.4g')}"


of = OwnPart


def values(
    rewards: Mapping[str, OwnReward],
    question: Question,
    schema: Schema,
    completions: Sequence[str],
    metrics: Callable[[str, float], None] | None = None,
) -> list[dict[str, OwnValue]]:
    """What each function says of each completion of a question, by name. RewardError where one fails."""
    if not rewards:
        return [{} for _ in completions]
    prompt = messages(question, schema)
    by_name = {name: reward(question, prompt, completions, metrics) for name, reward in rewards.items()}
    return [{name: found[place] for name, found in by_name.items()} for place in range(len(completions))]
