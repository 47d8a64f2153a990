"""Memory that does not suffice: which two settings are named, with which values, at each stage. Run with: pytest tests/test_out_of_memory.py"""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
import torch
from run_contents import small_dataset

from finer import grpo, out_of_memory
from finer.config import TrainConfig, read_config
from finer.grpo import train
from finer.out_of_memory import OutOfMemory, lower, message
from finer.runs import Run

SAID = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.79 GiB of which 1.20 GiB is free."
LOWERED = {
    "many questions, generating": ("generation", {}, True, {"questions_per_step": 4, "max_completion_tokens": 64}),
    "one question, generating": ("generation", {"questions_per_step": 1, "group_size": 32}, True, {"group_size": 16, "max_completion_tokens": 64}),
    "little is left, generating": ("generation", {"questions_per_step": 1, "group_size": 2, "max_completion_tokens": 64, "columns": 30}, True, {"columns": 15}),
    "a group at once, updating": ("update", {"max_completion_tokens": 1024}, True, {"answers_at_once": 4, "max_completion_tokens": 512}),
    "a whole step at once, updating": ("update", {}, False, {"answers_at_once": 32, "max_completion_tokens": 64}),
    "by the next that divides": ("update", {"questions_per_step": 1, "group_size": 9}, True, {"answers_at_once": 3, "max_completion_tokens": 64}),
    "one answer at once, updating": ("update", {"answers_at_once": 1, "max_completion_tokens": 64}, True, {"columns": 20, "lora_rank": 16}),
    "one answer at once, the whole model": ("update", {"answers_at_once": 1, "max_completion_tokens": 64, "columns": 8}, False, {"tune": "lora"}),
    "asking dev": ("evaluation", {"max_completion_tokens": 2048, "columns": 40}, True, {"max_completion_tokens": 1024, "columns": 20}),
    "nothing is left": ("evaluation", {"max_completion_tokens": 64, "columns": 6}, True, {}),
}


@pytest.mark.parametrize("case", LOWERED)
def test_the_two_to_lower(case):
    stage, settings, adapter, wanted = LOWERED[case]
    assert lower(TrainConfig(**settings), stage, adapter) == wanted


def test_doctests():
    assert doctest.testmod(out_of_memory).failed == 0


@pytest.mark.parametrize("case", [case for case in LOWERED if LOWERED[case][3]])
def test_the_command_that_is_told_is_one_that_settings_take(case, tmp_path):
    stage, settings, adapter, _ = LOWERED[case]
    told = message(TrainConfig(**settings), stage, adapter, tmp_path / "run", 5, SAID)
    assert "step 5 (CUDA out of memory. Tried to allocate 2.00 GiB" in told and f"--run {tmp_path / 'run'}-2" in told
    overrides = re.findall(r"--set (\S+)", told)
    assert overrides and read_config(None, overrides, **settings)


def test_a_number_at_once_that_does_not_fit_any_more_is_let_go():
    told = message(TrainConfig(questions_per_step=3, group_size=6, answers_at_once=9), "generation", True, Path("run"), 1, SAID)
    assert "--set questions_per_step=1 --set max_completion_tokens=64 --set answers_at_once=0" in told


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    data = small_dataset(tmp_path_factory.mktemp("data") / "seven")
    return TrainConfig(dataset=str(data), steps=3, questions_per_step=2, group_size=4, evaluate_every=0, evaluate_questions=1,
                       checkpoint_every=0, max_completion_tokens=80, threads=1)  # fmt: skip


def full(*_, **__):
    raise torch.cuda.OutOfMemoryError(SAID)


STAGES = {
    "generation": ("while answers were generated in step 2", "questions_per_step to 1 and max_completion_tokens to 64"),
    "update": ("in the update of step 2", "answers_at_once to 4 and max_completion_tokens to 64"),
    "evaluation": ("while dev was asked before step 1", "max_completion_tokens to 64 and columns to 20"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_training_that_runs_out_of_memory_says_what_to_lower_and_keeps_what_it_has(stage, settings, tmp_path, monkeypatch):
    make = grpo.make_trainer

    def spoiled(*values, **named):
        trainer = make(*values, **named)
        name = {"generation": "_generate", "update": "compute_loss"}.get(stage)
        if name:
            real = getattr(trainer, name)
            setattr(trainer, name, lambda *v, **n: (full if trainer.state.global_step else real)(*v, **n))
        return trainer

    monkeypatch.setattr(grpo, "make_trainer", spoiled)
    if stage == "evaluation":
        monkeypatch.setattr(grpo, "record_accuracy", full)
    with pytest.raises(OutOfMemory) as caught:
        train(settings, tmp_path / "run")
    where, what = STAGES[stage]
    assert where in str(caught.value) and f"Lower {what}: finer train" in str(caught.value)
    run = Run(tmp_path / "run")
    assert run.status == "crashed" and run.last_step == (0 if stage == "evaluation" else 1)


def test_a_policy_that_memory_does_not_hold(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(grpo, "load_policy", full)
    with pytest.raises(OutOfMemory, match="memory does not hold tiny .*take a smaller policy, or tune"):
        train(settings, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_another_error_stays_what_it_is(settings, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(grpo, "record_accuracy", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        train(settings, tmp_path / "run")
