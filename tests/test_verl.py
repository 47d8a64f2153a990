"""The rewards as verl's: the file is loaded and called as verl does it, from its documentation and source (July 2025 to 2026). Run with: pytest tests/test_verl.py

verl itself is not installed here; nothing of this has been seen to train in it.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import math
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from finer.datasets import DATA_FOLDER, load_dataset
from finer.errors import FinerError
from finer.prompt import completion_text
from finer.rewards import Scorer
from finer.verl import rows

FILE = Path(__file__).parents[1] / "finer/verl.py"


@pytest.fixture(scope="module")
def compute_score():
    """As verl loads a file that custom_reward_function.path names: by its path, under no name of sys.modules."""
    spec = importlib.util.spec_from_file_location("custom_module_1", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "custom_module_1" not in sys.modules
    return module.compute_score


@pytest.fixture(scope="module")
def train_split():
    return load_dataset("starter", "train")


@pytest.fixture(scope="module")
def table(train_split):
    """The rows as they come back from parquet, where numbers and texts are numpy's or Arrow's."""
    return {row["extra_info"]["index"]: row for row in rows(train_split)}


def called(compute_score, row, completion, **kwargs):
    """verl's call: the four by name, and reward_kwargs merged in."""
    return partial(compute_score, **kwargs)(
        data_source=row["data_source"], solution_str=completion, ground_truth=row["reward_model"]["ground_truth"],
        extra_info={**row["extra_info"], "num_turns": None, "rollout_reward_scores": {}},
    )  # fmt: skip


def test_the_signature_is_the_documented_one(compute_score):
    """compute_score is the name that verl takes where none is given."""
    parameters = inspect.signature(compute_score).parameters
    assert list(parameters)[:4] == ["data_source", "solution_str", "ground_truth", "extra_info"]
    assert parameters["extra_info"].default is None and not inspect.iscoroutinefunction(compute_score)
    assert inspect.Parameter.VAR_KEYWORD in {one.kind for one in parameters.values()}  # reward_router_address and the like


def test_a_row_has_the_five_fields_and_survives_parquet(table, tmp_path):
    import pandas

    pandas.DataFrame(list(table.values())[:20]).to_parquet(tmp_path / "train.parquet")
    back = pandas.read_parquet(tmp_path / "train.parquet").iloc[3]
    assert list(back.index) == ["data_source", "prompt", "ability", "reward_model", "extra_info"]
    assert {message["role"] for message in back["prompt"]} <= {"system", "user"} and "SELECT" in back["reward_model"]["ground_truth"]
    assert back["extra_info"]["split"] == "train"


ANSWERS = {
    "the gold": (lambda question: completion_text("look at the table", question.gold[0]), {"acc": 1.0, "judged": 1.0}),
    "another query": (lambda question: completion_text("look at the table", "SELECT 1"), {"acc": 0.0, "judged": 1.0}),
    "no query": (lambda question: "I do not know", {"acc": 0.0, "score": 0.0}),
    "nothing": (lambda question: "", {"acc": 0.0, "score": 0.0}),
    "half a character": (lambda question: "\ud800", {"acc": 0.0}),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_it_pays_what_the_scorer_pays(case, compute_score, table, train_split):
    written, wanted = ANSWERS[case]
    question = train_split.questions[7]
    found = called(compute_score, table[question.index], written(question))
    with Scorer("finer", train_split) as scorer:
        paid = scorer.score(question, [written(question)])[0]
    assert found["score"] == pytest.approx(paid.total) and {name: found[name] for name in wanted} == wanted
    assert all(type(value) is float and math.isfinite(value) for value in found.values())


def test_reward_kwargs_choose_the_recipe(compute_score, table, train_split):
    question = train_split.questions[0]
    gold = completion_text("look", question.gold[0])
    assert called(compute_score, table[question.index], gold, recipe="sparse") == {"score": 1.0, "acc": 1.0, "judged": 1.0, "execution": 1.0}
    assert set(called(compute_score, table[question.index], gold)) == {"score", "acc", "judged", "format", "execution", "atomic", "memory"}


def test_it_is_called_from_several_threads(compute_score, table, train_split):
    asked = train_split.questions[:24]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda question: called(compute_score, table[question.index], completion_text("look", question.gold[0])), asked))
    assert [one["acc"] for one in found] == [1.0] * 24


def test_a_gold_that_fails_pays_nothing_and_says_so(compute_score, tmp_path):
    folder = _broken_gold(tmp_path / "broken")
    row = rows(load_dataset(folder), data_source=str(folder))[0]
    found = called(compute_score, row, completion_text("look", "SELECT 1"))
    assert (found["score"], found["acc"], found["judged"]) == (0.0, 0.0, 0.0)


def _broken_gold(folder: Path) -> Path:
    """One question over the starter's databases, whose gold names a table that is not there."""
    folder.mkdir()
    (folder / "databases").symlink_to(DATA_FOLDER / "starter/databases")
    question = {"db_id": "library", "question": "What is nowhere?", "gold": ["SELECT no_such FROM nowhere"], "split": "train"}
    (folder / "questions.jsonl").write_text(json.dumps(question) + "\n", encoding="utf-8")
    return folder


WRONG = {
    "no index": ({"extra_info": None}, "extra_info holds no 'index'"),
    "a question that is not there": ({"extra_info": {"split": "train", "index": 10**6}}, "split 'train' of 'starter' has no question 1000000"),
    "another gold": ({"ground_truth": "SELECT 2"}, "and ground_truth is 'SELECT 2'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_does_not_fit_the_data_is_said(case, compute_score, table):
    changes, told = WRONG[case]
    row = next(iter(table.values()))
    given = {"data_source": row["data_source"], "solution_str": "", "ground_truth": row["reward_model"]["ground_truth"], "extra_info": row["extra_info"]}
    with pytest.raises(FinerError, match=told):
        compute_score(**{**given, **changes})
