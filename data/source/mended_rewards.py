"""The rewards of ``broken_rewards`` without their faults: the answers of notebook 11, which shows them under a fold.

What was meant in ``concise`` is the same reward; its fault lies in how the run turned totals into advantages.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import finer
from finer.atoms import atomic_overlap
from finer.prompt import parse_completion
from finer.rewards import Recipe


@cache
def starter():
    return finer.load_dataset("starter")


def reasoning(prompts, completions, **columns):
    words = [len(parse_completion(text).thought.split()) for text in completions]
    return [min(1.0, count / 20) for count in words]


def no_wrong_row(prompts, completions, db_id, gold, **columns):
    database = starter().databases[db_id[0]]
    wanted = Counter(finer.execute(database, gold[0][0]).rows)
    results = [finer.execute(database, parse_completion(text).sql) for text in completions]
    found = [Counter(one.rows) if one.ran else None for one in results]
    return [0.0 if one is None else (one & wanted).total() / max(1, (one | wanted).total()) for one in found]


def share_of_gold(prompts, completions, db_id, gold, **columns):
    schema = starter().databases[db_id[0]].schema
    found = [atomic_overlap(parse_completion(text).sql, gold[0], schema) for text in completions]
    counts = [(len(one.matched), len(one.matched) + len(one.missing) + len(one.extra)) for one in found]
    return [there / of if there else 0.0 for there, of in counts]


def _recipe(name: str, own, **weights: float) -> Recipe:
    return Recipe(name, tuple(weights), weights, gate=False, margin=0.4, execution_wrong=0.1, own={own.__name__: own})


thoughtful = _recipe("thoughtful", reasoning, format=0.05, execution=0.9, reasoning=0.05)
careful = _recipe("careful", no_wrong_row, format=0.05, execution=0.5, no_wrong_row=0.45)
thorough = _recipe("thorough", share_of_gold, format=0.05, execution=0.5, share_of_gold=0.45)
