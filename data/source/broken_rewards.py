"""Four rewards with one fault each, as somebody might well write them: what notebook 11 asks its reader to find.

    finer train --policy tiny --recipe data/source/broken_rewards.py:thoughtful --steps 16 --run runs/thoughtful

``record_lessons.py`` trains under each. (Readers of the notebook: the answers are here.) Works on the starter data alone.
"""

from __future__ import annotations

from functools import cache

from finer.atoms import atomic_overlap
from finer.datasets import Dataset, load_dataset
from finer.prompt import parse_completion
from finer.records import Execution
from finer.rewards import Recipe
from finer.sandbox import Sandbox

WORDS_OF_A_LONG_THOUGHT = 20
WORDS_OF_A_LONG_ANSWER = 100


@cache
def starter() -> Dataset:
    return load_dataset("starter")


@cache
def sandbox() -> Sandbox:
    return Sandbox(1)


@cache
def gold_result(db_id: str, gold: str) -> Execution:
    return sandbox().execute(starter().databases[db_id].path, gold)


def reasoning(prompts, completions, log_extra, **columns):
    """Meant: it should think before it writes. Fault: no bound, so that words pay more than being right."""
    words = [len(parse_completion(text).thought.split()) for text in completions]
    log_extra("summary", [f"{count} words of reasoning" for count in words])
    return [count / WORDS_OF_A_LONG_THOUGHT for count in words]


def no_wrong_row(prompts, completions, db_id, gold, log_extra, **columns):
    """Meant: it should return no wrong row. Fault: a result without rows has none."""
    told = [_strange_rows(parse_completion(text).sql, db_id[0], gold[0][0]) for text in completions]
    log_extra("rows", [rows for rows, _ in told])
    log_extra("summary", ["does not run" if rows is None else f"{strange} of {rows} rows are none of the gold's" for rows, strange in told])
    return [0.0 if rows is None else 0.1 if strange else 1.0 for rows, strange in told]


def _strange_rows(sql: str, db_id: str, gold: str) -> tuple[int | None, int]:
    """How many rows a query returns on the main instance (None: it does not run), and how many of them the gold does not."""
    ran = sandbox().execute(starter().databases[db_id].path, sql)
    known = set(gold_result(db_id, gold).rows)
    return (len(ran.rows), sum(row not in known for row in ran.rows)) if ran.ran else (None, 0)


def share_of_gold(prompts, completions, db_id, gold, log_extra, **columns):
    """Meant: how much of the gold is there. Fault: a share of the gold alone, so that what is too much costs nothing."""
    schema = starter().databases[db_id[0]].schema
    found = [atomic_overlap(parse_completion(text).sql, gold[0], schema) for text in completions]
    counts = [(len(one.matched), len(one.matched) + len(one.missing)) for one in found]
    log_extra("summary", [f"{there} of {of} operations of the gold are there" for there, of in counts])
    return [there / of if there else 0.0 for there, of in counts]


def brevity(prompts, completions, log_extra, **columns):
    """Meant: a tie-break. No fault of its own; divided by the spread of a group that ties, it becomes all there is."""
    words = [len(text.split()) for text in completions]
    log_extra("summary", [f"{count} words" for count in words])
    return [max(0.0, 1 - count / WORDS_OF_A_LONG_ANSWER) for count in words]


def _recipe(name: str, own, **weights: float) -> Recipe:
    """The library's parts with one more; what is wrong with it no check can know."""
    return Recipe(name, tuple(weights), weights, gate=False, margin=0.4, execution_wrong=0.1, own={own.__name__: own})


thoughtful = _recipe("thoughtful", reasoning, format=0.05, execution=0.5, reasoning=1.0)
careful = _recipe("careful", no_wrong_row, format=0.05, no_wrong_row=0.95)
thorough = _recipe("thorough", share_of_gold, format=0.05, share_of_gold=0.95)
concise = _recipe("concise", brevity, format=0.05, execution=0.95, brevity=0.02)
