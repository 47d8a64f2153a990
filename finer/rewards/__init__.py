"""What an answer is paid, and why: four parts, recipes that weigh them, and a scorer that applies a recipe.

Needs neither torch nor trl. Every formula is in ``docs/rewards.md``.
"""

from __future__ import annotations

from functools import lru_cache

from finer.datasets import Dataset, load_dataset
from finer.records import Counting, Question, RewardBreakdown
from finer.rewards.recipes import RECIPES, Recipe, RecipeError, Shaping, get_recipe
from finer.rewards.scorer import Scorer, breakdown
from finer.rewards.trl import atomic_reward, execution_reward, format_reward, memory_reward, reward_functions

__all__ = [
    "RECIPES",
    "Counting",
    "Recipe",
    "RecipeError",
    "Scorer",
    "Shaping",
    "atomic_reward",
    "breakdown",
    "execution_reward",
    "format_reward",
    "get_recipe",
    "memory_reward",
    "reward_functions",
    "score",
]


def score(
    question: Question, completion: str, recipe: Recipe | str = "finer", dataset: Dataset | None = None
) -> RewardBreakdown:
    """What one completion is paid. For many, keep a ``Scorer``: this one starts another for each call on a dataset.

    ``dataset``: None is the starter dataset, whose scorer is kept between calls (that of the last four recipes).
    """
    if dataset is None:
        return _starter(get_recipe(recipe) if isinstance(recipe, str) else recipe).score(question, [completion])[0]
    with Scorer(recipe, dataset) as scorer:
        return scorer.score(question, [completion])[0]


@lru_cache(maxsize=4)
def _starter(recipe: Recipe) -> Scorer:
    return Scorer(recipe, load_dataset("starter"))
