"""The official rules against recorded verdicts of published systems. Needs FINER_TEST_DATA.

A line of a recorded file holds ``index``, ``sql`` and the verdict of the official comparison: ``ok`` is right, all else
is not. Add a ``.jsonl`` file to ``predictions/spider_dev`` or ``predictions/bird_superhero``, and it is tried too.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from finer.datasets import load_dataset
from finer.golds import Golds
from finer.judge import Judge
from finer.metrics import rule


@pytest.fixture(scope="module")
def folder():
    folder = os.environ.get("FINER_TEST_DATA")
    if not folder:
        pytest.skip("FINER_TEST_DATA is not set: it names the folder that holds spider/, bird/ and predictions/")
    return Path(folder)


def recorded(folder, name):
    paths = sorted((folder / "predictions" / name).glob("*.jsonl"))
    if not paths:
        pytest.fail(f"no recorded prediction in {folder / 'predictions' / name}; put the files there or unset FINER_TEST_DATA")
    return [(path.stem, json.loads(line)) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def differences(dataset, lines, tried, field, golds=None):
    questions = {question.index: question for question in dataset.questions}
    with Judge(dataset.databases, rule=tried, golds=golds) as judge:
        verdicts = judge.judge_many((questions[line["index"]], line["sql"]) for _, line in lines)
    assert all(verdict.correct is not None for verdict in verdicts), "every gold runs"
    return [
        f"{system}, question {line['index']}: recorded {line[field]}, here {verdict.correct} ({verdict.reason}): {line['sql']}"
        for (system, line), verdict in zip(lines, verdicts, strict=True)
        if verdict.correct != (line[field] == "ok")
    ]


@pytest.mark.parametrize(("keep_distinct", "field"), [(False, "execution"), (True, "execution_keep_distinct")])
def test_spider_ex_agrees_on_every_line(folder, keep_distinct, field, tmp_path):
    lines, dataset = recorded(folder, "spider_dev"), load_dataset("spider", split="dev", data=folder / "spider")
    assert len(lines) >= 4853
    golds = Golds(tmp_path / "golds.sqlite")
    tried = rule("spider-ex", keep_distinct=keep_distinct)
    assert differences(dataset, lines, tried, field, golds) == []
    assert differences(dataset, lines, tried, field, Golds(tmp_path / "golds.sqlite")) == [], "with golds from disk"


def test_bird_ex_agrees_on_every_line(folder):
    lines, dataset = recorded(folder, "bird_superhero"), load_dataset("bird", data=folder / "bird")
    assert len(lines) >= 774
    assert differences(dataset, lines, rule("bird-ex"), "execution") == []


def test_strict_is_no_official_rule(folder):
    """What the two call differently is shown, so that nobody takes one figure for the other."""
    lines, dataset = recorded(folder, "spider_dev"), load_dataset("spider", split="dev", data=folder / "spider")
    found = differences(dataset, lines, rule("strict"), "execution")
    assert 0 < len(found) < 0.1 * len(lines)
