"""Which questions a run asks: left out by kind, database, pass rate and length, and said; Spider end to end. Run: pytest tests/test_selection.py"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from run_contents import small_dataset
from shop import make_shop

from finer import cli
from finer.config import TrainConfig
from finer.datasets import load_dataset
from finer.enrich import Enriched, EnrichError
from finer.errors import FinerError
from finer.grpo import train
from finer.ledger import outcome_of, selected_of, signal_ledger
from finer.policy import load_policy
from finer.render.ledger import ledger
from finer.report import write_report
from finer.run_sources import dataset_of_run, with_own_files
from finer.runs import Run
from finer.selection import load_split_and_dev, select
from finer.shown import Shown


@dataclass
class Wordy:
    """A policy whose prompts have as many tokens as the question has words."""

    context: int = 100

    @property
    def model(self):
        return SimpleNamespace(config=SimpleNamespace(max_position_embeddings=self.context))

    @property
    def tokenizer(self):
        return SimpleNamespace(apply_chat_template=lambda prompt, **_: prompt[0]["content"].split())

    def messages(self, question, schema, columns=()):
        return [{"role": "user", "content": question.text}]


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop").mkdir()
    shop = make_shop(tmp_path / "shop")
    return replace(shop, questions=tuple(replace(question, kind="hand" if question.index == 5 else "") for question in shop.questions))


def rates(path, shop, **right):
    """A file of pass rates: q0=4 says that question 0 was answered right four times of four."""
    rows = [Enriched(question.index, question.db_id, question.text, 4, right.get(f"q{question.index}", 2)) for question in shop.questions]
    about = {"policy": "other", "temperature": 0.7, "samples": 4}
    path.write_text("\n".join([json.dumps({"about": about}), *(json.dumps(asdict(row)) for row in rows)]))
    return str(path)


def chosen(shop, policy=None, **settings):
    config = TrainConfig(**{"questions_per_step": 1, "max_completion_tokens": 10, **settings})
    return select(config, shop, policy or Wordy(), Shown(shop.databases, config.columns), lambda line: None)


KEPT = {
    "all whose database is here": ({}, [0, 1, 2, 3, 4, 5], {"their database is not here": 1}),
    "without a kind": ({"without_kind": "hand"}, [0, 1, 2, 3, 4], {"kind 'hand'": 1, "their database is not here": 1}),
    "no prompt longer than is asked for": ({"max_prompt_tokens": 4}, [1, 3, 4], {"their database is not here": 1, "prompt too long": 3}),
    "no prompt without room for an answer": ({"max_completion_tokens": 96}, [1, 3, 4], {"their database is not here": 1, "prompt too long": 3}),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_is_asked(case, shop):
    settings, indices, left_out = KEPT[case]
    found = chosen(shop, **settings)
    assert [question.index for question in found.dataset.questions] == indices and found.left_out == left_out
    assert [prompt[0]["content"] for prompt in found.prompts] == [question.text for question in found.dataset.questions]
    assert len(found.said) == len(left_out)


LEFT_OUT = {"both": [2, 3, 4, 5], "all_right": [1, 2, 3, 4, 5], "all_wrong": [0, 2, 3, 4, 5], "none": [0, 1, 2, 3, 4, 5]}


@pytest.mark.parametrize("leave_out", LEFT_OUT)
def test_questions_without_a_signal_are_left_out_by_their_pass_rate(leave_out, shop, tmp_path):
    found = chosen(shop, pass_rates=rates(tmp_path / "rates.jsonl", shop, q0=4, q1=0), leave_out=leave_out)
    assert [question.index for question in found.dataset.questions] == LEFT_OUT[leave_out]
    told = " ".join(found.said)
    assert ("1 of 7 questions are left out: all right beforehand" in told) is (0 not in LEFT_OUT[leave_out])
    assert ("1 of 7 questions are left out: all wrong beforehand" in told) is (1 not in LEFT_OUT[leave_out])
    assert "pass rates of other at temperature 0.7, 4 answers a question" in told


def test_a_question_without_a_pass_rate_is_asked_and_counted(shop, tmp_path):
    path = Path(rates(tmp_path / "rates.jsonl", shop, q0=0))
    path.write_text("\n".join(line for line in path.read_text().split("\n") if '"index": 3' not in line))
    found = chosen(shop, pass_rates=str(path))
    assert 3 in [question.index for question in found.dataset.questions] and "1 questions without one are asked" in found.said[-1]


REFUSED = {
    "all are too long": ({"max_prompt_tokens": 1}, "has 0 questions to ask.*6 of 6 questions are left out: their prompt has more than 1 tokens.*--set columns=20"),
    "too few for a step": ({"questions_per_step": 7}, "questions_per_step is 7, but split 'train' of starter has 6 questions to ask; 1 of 7"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_too_few_are_refused_with_what_would_help(case, shop):
    settings, message = REFUSED[case]
    with pytest.raises(FinerError, match=message):
        chosen(shop, **settings)


def test_an_answer_that_leaves_no_room_is_told_how_long_it_may_be(shop):
    with pytest.raises(FinerError, match="more than 0 tokens, the most that fits beside 2048 tokens of an answer.*--set max_completion_tokens=93 leaves room for all"):
        chosen(shop, max_completion_tokens=2048)


def test_pass_rates_of_other_questions_are_refused(shop, tmp_path):
    path = rates(tmp_path / "rates.jsonl", replace(shop, questions=tuple(replace(q, text="Who?") for q in shop.questions)))
    with pytest.raises(EnrichError, match="line 2: question 0 of 'the shop' is another one"):
        chosen(shop, pass_rates=path)


def test_a_run_says_what_it_left_out_and_keeps_what_it_drew_on(tmp_path):
    data = small_dataset(tmp_path / "seven")
    questions = load_dataset(str(data)).questions
    about = {"about": {"policy": "tiny", "temperature": 1.0, "samples": 2}}
    rows = [Enriched(q.index, q.db_id, q.text, 2, place % 3, references=(f"SELECT {place}",)) for place, q in enumerate(questions)]
    sampled = tmp_path / "sampled.jsonl"
    sampled.write_text("\n".join([json.dumps(about), *(json.dumps(asdict(row)) for row in rows)]))
    config = TrainConfig(dataset=str(data), steps=1, questions_per_step=2, group_size=2, evaluate_every=0, evaluate_questions=1, threads=1,
                         max_completion_tokens=32, references=str(sampled), pass_rates=str(sampled))  # fmt: skip
    told = []
    run = train(config, tmp_path / "run", told.append)
    assert {summary.question_index for summary in run.groups()} <= {row.index for row in rows if row.right == 1}
    assert run.group(1).question.references[0].startswith("SELECT ")
    said = selected_of(run.events())
    assert said == [line for line in told if line in said] and len(said) == 4
    assert said[0].endswith("questions are left out: all wrong beforehand") and "7 of 7 questions have further references" in said
    shown = ledger(signal_ledger(map(outcome_of, run.groups())), said)
    assert said[0] in shown and said[0] in write_report(run, tmp_path / "report.html").read_text()
    sampled.unlink()
    assert with_own_files(config, run.folder).references == str(run.folder / "references.jsonl")
    assert load_split_and_dev(with_own_files(config, run.folder))[0].questions[0].references == ("SELECT 0",)


# --- Spider ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spider(tmp_path_factory):
    """Every 35th training question and every 50th of dev, over the real databases."""
    data = os.environ.get("FINER_TEST_DATA")
    if not data:
        pytest.skip("FINER_TEST_DATA is not set: it names the folder that holds spider/")
    real, folder = Path(data) / "spider", tmp_path_factory.mktemp("spider")
    for name in ("database", "tables.json"):
        (folder / name).symlink_to(real / name)
    for name, step in (("train_spider.json", 35), ("dev.json", 50)):
        (folder / name).write_text(json.dumps(json.loads((real / name).read_text(encoding="utf-8"))[::step]), encoding="utf-8")
    return folder


def test_spider_trains_end_to_end(spider, tmp_path, capsys):
    settings = {"questions_per_step": 2, "group_size": 4, "columns": 12, "max_completion_tokens": 48, "evaluate_questions": 4, "evaluate_every": 0, "threads": 1}
    words = [f"--set={key}={value}" for key, value in settings.items()]
    assert cli.main(["train", "--dataset", "spider", "--data", str(spider), "--steps", "3", *words, "--run", str(tmp_path / "run")]) == 0
    run = Run(tmp_path / "run")
    assert run.status == "finished" and len(run.rollouts()) == 3 * 2 * 4
    assert {summary.db_id for summary in run.groups()} <= set(load_dataset("spider", "train", spider).databases)
    assert [one.n for one in run.evaluations()] == [4, 4] and run.config["data"] == str(spider.resolve())
    assert any("of 200 questions are left out: their database is not here" in one for one in selected_of(run.events()))
    assert dataset_of_run(run).questions[0].split == "train"
    capsys.readouterr()
    assert cli.main(["rescore", str(run.folder), "--recipe", "result", "--out", str(tmp_path / "again")]) == 0
    assert "24 answers scored under result" in capsys.readouterr().out


def test_whole_schemas_of_spider_overflow_a_small_context_and_fewer_columns_mend_it(spider):
    policy, counts = load_policy("tiny"), {}
    for columns in (0, 12):
        config = TrainConfig(dataset="spider", data=str(spider), columns=columns, max_completion_tokens=400)
        dataset, dev = load_split_and_dev(config)
        found = select(config, dataset, policy, Shown({**dataset.databases, **dev.databases}, columns), lambda line: None)
        counts[columns] = found.left_out.get("prompt too long", 0)
        if not columns:
            assert "--set columns=20 shows fewer columns" in found.said[-1]
    assert counts[0] > counts[12]
