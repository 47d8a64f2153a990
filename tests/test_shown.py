"""What the prompts of a data set show, and that an oracle is named wherever its figures go."""

from __future__ import annotations

import doctest
import types
from dataclasses import replace

import pytest

import finer.shown
from finer.errors import FinerError
from finer.evaluate import evaluate
from finer.judge import Judge
from finer.ladder import PolicySpec
from finer.policy import Answers
from finer.recorder import record_accuracy
from finer.sampling import sample_and_vote
from finer.schema import Kept
from finer.shown import Shown, gold_columns
from tests.shop import make_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    whole = make_shop(tmp_path_factory.mktemp("shop"))
    return replace(whole, questions=whole.questions[:3])


class Notes:
    """A policy that notes the columns it is shown, and answers with the gold."""

    spec = PolicySpec("notes", "nowhere", "tiny", 0)

    def __init__(self):
        self.seen = []

    def messages(self, question, schema, columns=()):
        self.seen.append(columns)
        return [{"role": "user", "content": question.gold[0]}]

    def generate(self, prompts, tokens):
        return [prompt[0]["content"] for prompt in prompts]

    def sample(self, prompts, samples, tokens, temperature=1.0, top_p=1.0, seed=None):
        return [Answers((prompt[0]["content"],) * samples, (1,) * samples, 0.0) for prompt in prompts]


GOLDS = {
    "its columns": ("SELECT title FROM book WHERE price = 9", {("book", "title"), ("book", "price")}),
    "a table without columns, without a key": ("SELECT count(*) FROM book", {("book", "title")}),
    "a table that is not there": ("SELECT name FROM nobody", set()),
    "no query": ("no query", set()),
}


@pytest.mark.parametrize("name", GOLDS)
def test_gold_columns(shop, name):
    sql, columns = GOLDS[name]
    assert gold_columns(replace(shop.questions[0], gold=(sql,)), shop.databases["shop"].schema) == columns


SHOWN = {  # k, oracle: the columns of the second question, 'Which books cost 9?'
    "whole schema": (0, False, ()),
    "1 columns": (1, False, 1),
    "99 columns": (99, False, 3),
    "oracle columns": (0, True, (Kept("book", "title"), Kept("book", "price"))),
}


@pytest.mark.parametrize("label", SHOWN)
def test_what_a_policy_is_shown_and_what_its_figures_say(shop, label):
    k, oracle, columns = SHOWN[label]
    shown, policy = Shown(shop.databases, k, oracle), Notes()
    found = evaluate(policy, shop, shown=shown)
    metric = "strict (oracle columns)" if oracle else "strict"
    assert (found["value"], found["metric"], found["options"]["columns"]) == (1.0, metric, label)
    assert policy.seen[1] == columns or len(policy.seen[1]) == columns
    voted = sample_and_vote(Notes(), shop, 2, shown=shown)
    assert (voted["metric"], voted["options"]["columns"]) == (metric, label)
    assert {method["metric"] for method in voted["methods"]} == {metric}


def test_without_shown_nothing_changes(shop):
    policy = Notes()
    found = evaluate(policy, shop)
    assert policy.seen == [(), (), ()] and found["metric"] == "strict" and "columns" not in found["options"]


def test_a_database_that_is_not_here_is_ranked_by_its_words(shop):
    lost = replace(shop.databases["shop"], instances=(), missing="no file")
    assert len(Shown({"shop": lost}, 2).of(shop.questions[1])) == 2


@pytest.mark.parametrize("shown", [False, True])
def test_what_must_be_said_of_a_policy_stands_beside_every_figure(shop, shown):
    policy = Notes()
    policy.spec = replace(policy.spec, note="reconstructed prompt")
    assert evaluate(policy, shop, shown=Shown(shop.databases, oracle=True, note=policy.spec.note) if shown else None)["metric"] == (
        "strict (oracle columns, reconstructed prompt)" if shown else "strict (reconstructed prompt)"
    )
    assert sample_and_vote(policy, shop, 2)["metric"] == "strict (reconstructed prompt)"
    written = []
    writer = types.SimpleNamespace(write_evaluation=lambda step, split, metric, rows: written.append(metric))
    with Judge(shop.databases) as judge:
        record_accuracy(writer, 1, policy, shop, judge, 0, 60, Shown(shop.databases, note=policy.spec.note), lambda line: None)
    assert written == ["strict (reconstructed prompt)"], "in a run's store too"


@pytest.mark.parametrize(("k", "oracle"), [(-1, False), (5, True)])
def test_what_does_not_go_together(k, oracle):
    with pytest.raises(FinerError, match="give a number of columns"):
        Shown({}, k, oracle)


def test_the_example_in_the_docstring():
    assert doctest.testmod(finer.shown).failed == 0
