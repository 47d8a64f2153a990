"""Several samples a question: voted on, judged and accounted for. Run with: pytest tests/test_sampling.py"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from finer.datasets import load_dataset
from finer.judge import Judge
from finer.metrics import rule
from finer.policy import load_policy
from finer.predictions import PredictionError
from finer.sampling import read_samples, run_vote, sample_and_vote, vote_table
from finer.vote import METHODS, VoteError

WRONG, BROKEN = "SELECT 'nobody would say this'", "SELECT nothing FROM nowhere"


@pytest.fixture(scope="module")
def dataset():
    return load_dataset("starter", split="dev")


def written(folder, lines):
    file = folder / "samples.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def answers(question, *sqls):
    return [{"index": question.index, "sql": sql} for sql in sqls]


def by_method(found):
    return {outcome["method"]: outcome for outcome in found["methods"]}


def test_a_file_of_samples_is_voted_on_and_judged(dataset, tmp_path):
    one, two = dataset.questions[:2]
    lines = answers(one, BROKEN, one.gold[0], WRONG, one.gold[0]) + answers(two, WRONG, WRONG, two.gold[0], BROKEN)
    found = run_vote(written(tmp_path, lines), dataset)
    methods = by_method(found)
    right = {name: [row.get("correct", row.get("value")) for row in outcome["per_question"]] for name, outcome in methods.items()}
    assert right == {
        "greedy": [False, False], "first": [True, False], "majority": [True, False], "vav-published": [True, False], "vav": [True, False],
        "pass@1": [0.5, 0.25], "pass@2": [pytest.approx(5 / 6), 0.5], "pass@4": [1.0, 1.0],
    }  # fmt: skip
    assert methods["majority"] | {"per_question": []} == {
        "method": "majority", "metric": "strict", "value": 0.5, "n": 2, "by_difficulty": methods["majority"]["by_difficulty"], "per_question": [],
    }  # fmt: skip
    assert methods["majority"]["per_question"][0] == {"index": one.index, "correct": True, "status": "ok", "sql": one.gold[0]}
    assert methods["greedy"]["per_question"][0]["status"] == "error"
    assert found["per_question"][0]["votes"]["majority"]["ballots"][0]["members"] == (1, 3)
    assert found["cost"]["sampling"] == {"seconds_a_question": None, "tokens_a_question": None}
    assert json.loads(json.dumps(found))["samples"] == {"least": 4, "most": 4}


def test_completions_are_read_and_the_lines_of_a_question_need_not_stand_together(dataset, tmp_path):
    one, two = dataset.questions[:2]
    lines = [*answers(one, "SELECT 1"), *answers(two, "SELECT 2"), {"index": one.index, "completion": "<think>so</think>SELECT 3"}]
    found = read_samples(written(tmp_path, lines), dataset)
    assert [(sampled.question.index, sampled.candidates) for sampled in found] == [(one.index, ("SELECT 1", "SELECT 3")), (two.index, ("SELECT 2",))]


def test_a_question_whose_gold_fails_is_not_judged_by_any_method(dataset, tmp_path):
    one = replace(dataset.questions[0], gold=(BROKEN,))
    found = run_vote(written(tmp_path, answers(one, "SELECT 1", BROKEN)), replace(dataset, questions=(one,)))
    assert all((outcome["value"], outcome["n"]) == (None, 0) for outcome in found["methods"])
    assert {row["status"] for outcome in found["methods"] for row in outcome["per_question"] if "status" in row} == {"gold_failed"}
    assert "not judged" in "\n".join(vote_table(found))


def test_where_no_candidate_ran_every_vote_is_wrong_and_says_why(dataset, tmp_path):
    one = dataset.questions[0]
    found = by_method(run_vote(written(tmp_path, answers(one, BROKEN, BROKEN)), dataset, ["majority", "vav", "pass@2"]))
    assert list(found) == ["majority", "vav", "pass@2"]
    assert found["vav"]["per_question"] == [{"index": one.index, "correct": False, "status": "error", "sql": ""}]
    assert found["pass@2"]["value"] == 0


MISTAKES = {
    "a misspelt method": ("majorty", VoteError, "did you mean 'majority'"),
    "pass@ without a number": ("pass@", VoteError, "unknown method"),
    "more samples than there are": ("pass@3", VoteError, "the fewest are 2"),
    "no sample at all": ("pass@0", VoteError, "pass@0"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_wrong_method_is_refused_before_anything_runs(case, dataset, tmp_path):
    method, kind, told = MISTAKES[case]
    file = written(tmp_path, answers(dataset.questions[0], "SELECT 1", "SELECT 2"))
    with pytest.raises(kind, match=told):
        run_vote(file, dataset, [method])


def test_a_rule_that_grades_is_refused(dataset, tmp_path):
    with Judge(dataset.databases, rule=rule("soft-f1")) as judge, pytest.raises(VoteError, match="soft-f1 grades answers"):
        run_vote(written(tmp_path, answers(dataset.questions[0], "SELECT 1")), dataset, judge=judge)


def test_the_judges_rule_decides_and_is_named(dataset, tmp_path):
    one = replace(dataset.questions[0], gold=("SELECT 1, 2",))
    file = written(tmp_path, answers(one, "SELECT 2, 1", "SELECT 2, 1"))
    data, found = replace(dataset, questions=(one,)), {}
    for name in ("strict", "spider-ex"):
        with Judge(data.databases, rule=rule(name)) as judge:
            found[name] = run_vote(file, data, ["majority"], judge)
    assert {name: (told["metric"], told["methods"][0]["value"]) for name, told in found.items()} == {"strict": ("strict", 0), "spider-ex": ("spider-ex", 1)}


def test_the_questions_of_a_database_that_is_not_here_are_not_judged(dataset, tmp_path):
    one = dataset.questions[0]
    databases = {**dataset.databases, one.db_id: replace(dataset.databases[one.db_id], instances=())}
    found = run_vote(written(tmp_path, answers(one, "SELECT 1", "SELECT 1")), replace(dataset, databases=databases))
    assert all((outcome["value"], outcome["n"]) == (None, 0) for outcome in found["methods"])


def test_a_broken_file_is_named_with_its_line(dataset, tmp_path):
    with pytest.raises(PredictionError, match=r"samples\.jsonl, line 1"):
        run_vote(written(tmp_path, [{"index": 0}]), dataset)


def test_the_tiny_policy_sampled_four_times_on_three_questions(dataset):
    found = sample_and_vote(load_policy("tiny"), dataset, samples=4, limit=3, seed=7, max_completion_tokens=100)
    assert (found["questions"], found["samples"]) == (3, {"least": 4, "most": 4})
    assert list(by_method(found)) == [*METHODS, "pass@1", "pass@2", "pass@4"]
    assert all(outcome["n"] == 3 for outcome in found["methods"])
    passed = [by_method(found)[f"pass@{n}"]["value"] for n in (1, 2, 4)]
    assert passed == sorted(passed)
    sampling, greedy = found["cost"]["sampling"], found["cost"]["greedy"]
    assert sampling["seconds_a_question"] > 0 and greedy["seconds_a_question"] > 0
    assert 1 <= greedy["tokens_a_question"] <= 100 and 4 <= sampling["tokens_a_question"] <= 400
    assert found["options"] == {
        "temperature": 1.0, "top_p": 1.0, "seed": 7, "max_completion_tokens": 100, "policy": "tiny", "columns": "whole schema",
    }  # fmt: skip
    assert any("tokens a question" in line for line in vote_table(found))
