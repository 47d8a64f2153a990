"""A training in two processes: the rewards of one process for the same answers, one whole store, and one end for both. Run with: pytest tests/test_two_processes.py"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from run_contents import differences, small_dataset, stored
from safetensors.torch import load_file
from two_processes import held

from finer import cpu_generation, ranks
from finer.checkpoints import last_checkpoint
from finer.config import TrainConfig, to_toml
from finer.datasets import DATA_FOLDER
from finer.errors import ConfigError
from finer.grpo import train
from finer.grpo_config import check_shares, shares
from finer.memory import Memory
from finer.runs import Run

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent)}
RECIPE = '''
from finer.rewards.recipes import get_recipe

def apart(prompts, completions, log_metric=None, **columns):
    """Differs with the whole group: a function that saw half of it would return something else."""
    log_metric("apart", len(set(completions)))
    return [len(set(completions)) / 10 + len(completions)] * len(completions)

def fails(prompts, completions, **columns):
    """On the second process only, and not when it is tried before the training."""
    import os
    if os.environ.get("RANK") == "1" and len(completions) > 2:
        raise ValueError("no such column")
    return [0.0] * len(completions)

WITH_APART = get_recipe("finer").with_reward(apart, 0.001)
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a small data set and a file of rewards."""
    folder = tmp_path_factory.mktemp("two")
    small_dataset(folder / "seven")
    (folder / "mine.py").write_text(RECIPE)
    return folder


def settings(place: Path, **changes) -> TrainConfig:
    """Three questions a step, four answers each: of the twelve each process has six, so the second group lies in both."""
    return replace(TrainConfig(dataset=str(place / "seven"), recipe=f"{place / 'mine.py'}:WITH_APART", steps=3, questions_per_step=3, group_size=4,
                               evaluate_every=0, evaluate_questions=2, checkpoint_every=0, max_completion_tokens=64, threads=1), **changes)  # fmt: skip


def begin(folder: Path, config: TrainConfig) -> subprocess.Popen:
    folder.parent.mkdir(exist_ok=True)
    file = folder.with_suffix(".toml")
    file.write_text(to_toml(config), encoding="utf-8")
    command = [sys.executable, str(HERE / "two_processes.py"), str(folder), str(file)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def in_two(folder: Path, config: TrainConfig) -> str:
    process = begin(folder, config)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    return said


@pytest.fixture(scope="module")
def trained(place):
    """A run of two processes, and what it said."""
    said = in_two(place / "runs/two", settings(place))
    return Run(place / "runs/two"), said


def test_one_whole_store(trained):
    run, said = trained
    table = run.rollouts()
    assert run.status == "finished" and sorted(table["rollout_id"]) == list(range(1, 37))
    assert table.groupby(["step", "group_id"]).size().tolist() == [4] * 9
    assert said.count("finished after step 3") == 1  # one of them talks
    assert [one.detail for one in run.events() if one.kind == "processes"] == ["2 processes train together, each with its share of a step's answers"]


def test_both_hold_the_same_memory(trained):
    run, _ = trained
    first, second = (json.loads((run.folder / f"memory-{rank}.json").read_text()) for rank in range(2))
    assert first == second and len(first["traces"]) > 0


def test_one_process_pays_the_same_answers_the_same_and_learns_the_same(trained, place, monkeypatch):
    """It is given the answers that the two sampled; everything else it does itself."""
    run, _ = trained
    steps = iter(zip(*(json.loads((run.folder / f"tokens-{rank}.json").read_text()) for rank in range(2)), strict=True))
    generate = cpu_generation.generate

    def given(model, prompts, most, ends, temperature=1.0, *cuts):
        return [ids for share in next(steps) for ids in share] if temperature else generate(model, prompts, most, ends, temperature, *cuts)

    with monkeypatch.context() as patch:
        patch.setattr(cpu_generation, "generate", given)
        train(settings(place), place / "runs/one")
    one, two = stored(place / "runs/one"), stored(run.folder)
    for table in ("groups", "rollouts", "parts", "memory_events", "steps", "evaluation_questions"):
        assert differences({table: one[table]}, two) == []
    memory = Memory.load(last_checkpoint(place / "runs/one") / "memory")
    assert json.loads(json.dumps(held(memory))) == json.loads((run.folder / "memory-0.json").read_text())
    assert len(one["rollouts"]) == 36 and len({row["name"] for row in one["parts"]}) == 5
    _same_numbers(one["metrics"], two["metrics"])
    ones, twos, start = (load_file(folder / "model.safetensors") for folder in (place / "runs/one/policy", run.folder / "policy", DATA_FOLDER / "policies/tiny"))
    assert _distance(ones, twos) < 1e-3 * _distance(ones, start)


def _distance(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> float:
    """Between two sets of weights, as vectors."""
    return float(sum((one[name].double() - two[name].double()).square().sum() for name in one) ** 0.5)


def _same_numbers(one: list[dict], two: list[dict]) -> None:
    """Metrics but for rounding: sums of floats come in another order."""
    values = [{(row["step"], row["name"]): row["value"] for row in rows} for rows in (one, two)]
    compared = {"reward", "reward_std", "loss", "apart", "rewards/atomic/mean", "completions/mean_length", "learning_rate"}
    assert compared <= {name for _, name in values[0]}
    for key, value in values[0].items():
        if key[1] in compared:
            assert values[1][key] == pytest.approx(value, abs=1e-5), key


def test_an_error_in_one_ends_both_and_is_in_the_store(place):
    process = begin(place / "runs/fails", settings(place, recipe=f"{place / 'mine.py'}:fails", questions_per_step=2))
    said, _ = process.communicate(timeout=600)
    assert "ended with 2 2" in said, said
    run = Run(place / "runs/fails")
    assert run.status == "crashed"
    [crash] = [one.detail for one in run.events() if one.kind == "crashed"]
    assert "no such column" in crash and "(in process 1 of 2)" in crash and "finer resume" in crash


def test_an_optimizer_is_loaded_to_the_place_that_accelerate_names(tmp_path):
    torch.save({"step": torch.tensor(3.0)}, tmp_path / "optimizer.pt")
    ranks._let_torch_know_numbered_cpus()
    found = torch.load(tmp_path / "optimizer.pt", map_location=torch.device("cpu", 0), weights_only=True)
    assert found["step"].item() == 3.0


@pytest.mark.stress
def test_stopped_by_a_press_and_resumed_it_ends_as_without(place):
    """A request reaches both; each goes on with its own random numbers."""
    config = settings(place, steps=8, checkpoint_every=4)
    in_two(place / "runs/whole", config)
    process, folder = begin(place / "runs/broken", config), place / "runs/broken"
    while process.poll() is None and not (folder / "run.sqlite").exists():
        time.sleep(0.1)
    time.sleep(1)
    Run(folder).request("stop")
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0 and Run(folder).status == "stopped", said
    in_two(folder, config)
    one, two = (Run(place / "runs" / name) for name in ("whole", "broken"))
    assert one.rollouts().drop(columns="at", errors="ignore").equals(two.rollouts().drop(columns="at", errors="ignore"))
    assert (one.folder / "policy/model.safetensors").read_bytes() == (two.folder / "policy/model.safetensors").read_bytes()


def test_a_folder_that_holds_a_run_ends_both_before_they_train(trained, place, monkeypatch):
    run, _ = trained
    before = run.path.read_bytes()
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    taken = (type("Taken", (ConfigError,), {}), "taken")
    monkeypatch.setattr(ranks, "gathered", lambda mine: [taken, mine])
    with pytest.raises(ConfigError, match="taken"):
        ranks.agreed(lambda: "fine here")
    assert run.path.read_bytes() == before


SHARES = {
    "one process": (1, {}, False, (64, 1)),
    "two, a whole model": (2, {}, False, (32, 1)),
    "two, an adapter": (2, {}, True, (8, 4)),
    "a group over two": (2, {"questions_per_step": 1}, True, (4, 1)),
    "more processes than fit a group": (16, {}, True, (4, 1)),
    "three": (3, {"questions_per_step": 3}, True, (8, 1)),
}


@pytest.mark.parametrize("case", SHARES)
def test_a_step_s_answers_go_evenly_to_all(case, monkeypatch):
    processes, changes, adapter, wanted = SHARES[case]
    monkeypatch.setattr(ranks, "count", lambda: processes)
    check_shares(TrainConfig(**changes), adapter)
    assert shares(TrainConfig(**changes), adapter) == wanted


def test_what_cannot_be_shared_is_refused_with_what_can(monkeypatch):
    monkeypatch.setattr(ranks, "count", lambda: 3)
    with pytest.raises(ConfigError, match=r"8 x 8 = 64 answers, which 3 processes cannot share evenly; start 1 or 2 of them"):
        check_shares(TrainConfig(), False)
    monkeypatch.setattr(ranks, "count", lambda: 4)
    with pytest.raises(ConfigError, match="answers_at_once is 32, which does not divide the 16 answers that each of 4 processes has"):
        check_shares(TrainConfig(answers_at_once=32), False)


CONFIGS = {"cpu": "MULTI_GPU", "gpus": "MULTI_GPU", "fsdp": "FSDP", "deepspeed": "DEEPSPEED"}


def test_every_shipped_configuration_is_here():
    assert {path.stem for path in (HERE.parent / "configs").glob("*.yaml")} == set(CONFIGS)


@pytest.mark.parametrize("name", CONFIGS)
def test_accelerate_knows_every_key_of_a_shipped_configuration(name):
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import launch_command_parser

    file = HERE.parent / "configs" / f"{name}.yaml"
    config = load_config_from_file(str(file))  # ValueError for a key that it does not know
    assert config.distributed_type == CONFIGS[name] and config.num_processes == 2
    options = {action.dest for action in launch_command_parser()._actions}
    assert set(config.fsdp_config) | set(config.deepspeed_config) <= options
