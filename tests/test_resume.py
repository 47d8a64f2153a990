"""A run that is killed and goes on ends as one that was never killed, to the last bit; the same command gives the same run.

Run with: pytest tests/test_resume.py ; killed twenty times at random moments: pytest -m stress tests/test_resume.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from killed_run import POINTS, config
from run_contents import contents, differences, small_dataset

from finer.checkpoints import Mark, clear_broken, complete, last_checkpoint
from finer.grpo import resume, train
from finer.run_writer import RunWriter
from finer.runs import Run

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent)}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return str(small_dataset(tmp_path_factory.mktemp("data") / "seven"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, dataset):
    """What a run holds that was never killed."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    in_processes(folder, dataset)
    return contents(folder)


def in_processes(folder: Path, dataset: str, *points: str) -> None:
    command = [sys.executable, str(HERE / "killed_run.py"), str(folder), dataset, *points]
    done = subprocess.run(command, check=False, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_killed_at_every_kind_of_moment_it_ends_as_if_it_never_was(tmp_path, dataset, whole):
    in_processes(tmp_path / "killed", dataset, *POINTS)
    assert differences(whole, contents(tmp_path / "killed")) == []


def test_the_same_command_gives_the_same_run_and_another_seed_another(tmp_path, dataset, whole):
    train(config(dataset), tmp_path / "again")
    assert differences(whole, contents(tmp_path / "again")) == []
    train(replace(config(dataset), seed=1, steps=1), tmp_path / "other")
    assert Run(tmp_path / "other").rollouts()["completion"].tolist() != [row["completion"] for row in whole["rollouts"]][:8]


OTHER_STATE = {
    "an adapter, a schedule, a reference, answers used twice": {
        "tune": "lora", "lora_rank": 4, "lora_dropout": 0.1, "lr_scheduler_type": "cosine", "learning_rate": 1e-3, "beta": 0.02,
        "num_iterations": 2, "answers_at_once": 4, "top_k": 50,
    },
    "the memory of failed thoughts, each part apart, a new order each round": {
        "memory_contrast": True, "multi_objective_aggregation": "normalize_then_sum", "columns": 8, "loss_type": "dr_grpo",
    },
}  # fmt: skip


@pytest.mark.parametrize("case", OTHER_STATE)
def test_other_settings_go_on_as_exactly(case, tmp_path, dataset, monkeypatch):
    settings = replace(config(dataset), steps=6, evaluate_every=0, **OTHER_STATE[case])
    train(settings, tmp_path / "whole")
    write_step = RunWriter.write_step

    def break_off(writer, step, *values):
        write_step(writer, step, *values)
        if step == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(RunWriter, "write_step", break_off)
        train(settings, tmp_path / "broken")
    resume(tmp_path / "broken")
    assert differences(contents(tmp_path / "whole"), contents(tmp_path / "broken")) == []


def test_what_two_runs_have_in_common_is_looked_at_whole(whole):
    """The comparison itself: one value that differs is found in each of its parts."""
    assert {"weights", "optimizer.pt", "rng_state.pth", "scheduler.pt", "memory", "policy", "rollouts", "parts"} <= set(whole)
    assert len(whole["rollouts"]) == 7 * 2 * 4 and whole["steps"] == [1, 2, 3, 4, 5, 6, 7]
    changed = {**whole, "parts": [*whole["parts"][:-1], {**whole["parts"][-1], "value": 0.123}], "weights": whole["weights"][:-1] + b"\x00\x01"}
    assert [name.partition(":")[0] for name in differences(whole, changed)] == ["parts", "weights"]


def test_a_checkpoint_counts_once_its_mark_is_there(tmp_path):
    for step in (2, 10):
        (tmp_path / "checkpoints" / f"checkpoint-{step}").mkdir(parents=True)
    assert last_checkpoint(tmp_path) is None
    complete(tmp_path / "checkpoints/checkpoint-2", Mark(2, {"execution": 0.5}))
    assert last_checkpoint(tmp_path).name == "checkpoint-2"
    clear_broken(tmp_path)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["checkpoint-2"]


# --- stress ------------------------------------------------------------------------------------------------------------------


@pytest.mark.stress
def test_killed_twenty_times_at_random_moments():
    """With the commands that a person types; what survives is the same as without a kill, and no rollout is lost or there twice."""
    done = subprocess.run([sys.executable, str(HERE.parent / "benchmarks/kill_and_resume.py")], check=False, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.count("kill ") == 20 and "nothing differs" in done.stdout
