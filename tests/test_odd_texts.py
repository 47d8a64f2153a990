"""Random and mutated texts through every part of a reward: none raises, and no value leaves its range. Run: pytest tests/test_odd_texts.py

The default run reads a few hundred; `make stress` reads many. ``test_atoms_bounds`` gives the atoms alone many more.
"""

from __future__ import annotations

import random

import pytest
from memory_samples import memory_of
from shop import DEAR, make_shop
from test_atoms_bounds import odd_text

from finer.judge import Judge
from finer.probe.measures import ALL_PARTS
from finer.prompt import completion_text
from finer.rewards import RECIPES, Scorer, breakdown
from finer.sandbox import Limits, Sandbox

FORMS = ("bare", "formatted", "unclosed", "fenced", "two thoughts")


@pytest.fixture(scope="module")
def scorer(tmp_path_factory):
    dataset = make_shop(tmp_path_factory.mktemp("odd"))
    memory = memory_of(("library", "all books that cost much"), ("library", "the singer with the most concerts"))
    with Judge(dataset.databases, Sandbox(1, Limits(seconds=0.5))) as judge:
        yield Scorer(ALL_PARTS, dataset, memory, judge)
        judge.sandbox.close()


def odd_completion(pick: random.Random) -> str:
    text = odd_text(pick)
    form = pick.choice(FORMS)
    if form == "formatted":
        return completion_text("all books that cost much", text)
    return {"bare": text, "unclosed": f"<think>{text}", "fenced": f"<think>a</think>```sql\n{text}\n```", "two thoughts": f"<think>{text}</think><think>b</think>{text}"}[form]


def score_odd_texts(scorer, count: int, seed: int) -> None:
    pick = random.Random(seed)
    question = scorer.dataset.questions[DEAR]
    texts = [odd_completion(pick) for _ in range(count)]
    facts = scorer.facts(question, texts)
    for text in texts:
        for recipe in RECIPES.values():
            paid = breakdown(recipe, facts[text])
            assert all(part.value is None or 0.0 <= part.value <= 2.0 for part in paid.parts), (text, paid)
            assert not facts[text].not_a_query or paid.total == 0.0, (text, paid)


def test_odd_texts_through_every_part(scorer):
    score_odd_texts(scorer, 400, seed=1)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(10))
def test_many_odd_texts_through_every_part(scorer, seed):
    score_odd_texts(scorer, 10_000, seed=100 + seed)
