"""Unsloth's code for GPUs, without one: do the trainers that it writes from TRL's keep what ours rely on, and take the same steps?

- ``trainer_source`` looks for what we need in a trainer's source. That it finds what is missing is tested on TRL's own, everywhere.
- Where FINER_UNSLOTH_GPU_PYTHON names a Python that has what the code for GPUs imports (docs/gpu.md), ``unsloth_steps`` has it write its trainers in a
  process and a folder of its own, and trains through them on the CPU. Elsewhere these tests are skipped with this reason.

Run with: pytest tests/test_unsloth_gpu_code.py
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import trainer_source
import trl

from finer.runs import Run
from finer.trainer import listening

ROOT = Path(__file__).resolve().parents[1]
PYTHON = os.environ.get("FINER_UNSLOTH_GPU_PYTHON", "")
needs_unsloth = pytest.mark.skipif(not PYTHON, reason="FINER_UNSLOTH_GPU_PYTHON names no Python with what Unsloth's code for GPUs imports (docs/gpu.md)")
OURS = listening(trl.GRPOTrainer, None, [])
PLAIN = inspect.getsource(inspect.getmodule(trl.GRPOTrainer))


def faults_when(source: str, case: str, classes: tuple[str, ...]) -> list[str]:
    """What is found in a source that is broken so."""
    old, new, _ = trainer_source.BROKEN[case]
    assert old in source, f"{case}: the source has no {old}"
    return trainer_source.faults(source.replace(old, new), OURS, trl.GRPOTrainer, classes)


def test_trls_own_trainer_has_what_ours_needs():
    assert trainer_source.faults(PLAIN, OURS, trl.GRPOTrainer, ("GRPOTrainer",)) == []


@pytest.mark.parametrize("case", trainer_source.BROKEN)
def test_a_broken_trainer_is_found_out(case):
    found = faults_when(PLAIN, case, ("GRPOTrainer",))
    assert any(trainer_source.BROKEN[case][2] in fault for fault in found), found


def test_a_configuration_that_lacks_a_field_is_found_out():
    fields = [field.name for field in dataclasses.fields(trl.GRPOConfig)]
    source = f"class UnslothGRPOConfig(GRPOConfig):\n    def __init__(self, {' = None, '.join(fields)} = None, **kwargs): pass"
    assert trainer_source.config_faults(source, set(fields)) == []
    assert trainer_source.config_faults(source.replace("beta = None, ", ""), set(fields)) == ["beta"]


# --- with Unsloth


def run_steps(python: str, kind: str, folder: Path) -> str:
    """What the program printed."""
    folder.mkdir()
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    program = [python, str(ROOT / "tests/unsloth_steps.py"), kind, str(folder)]
    done = subprocess.run(program, capture_output=True, text=True, env=environment, cwd=folder, timeout=3000, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """Runs through Unsloth's trainer and through TRL's; what was seen; and the source that Unsloth wrote."""
    folder = tmp_path_factory.mktemp("steps")
    seen = json.loads(run_steps(PYTHON, "unsloth", folder / "unsloth").strip().splitlines()[-1])
    run_steps(sys.executable, "trl", folder / "trl")
    print(f"unsloth {seen['version']}: imported in {seen['import_seconds']} s, its trainers written in {seen['written_seconds']} s")
    source = (folder / "unsloth/unsloth_compiled_cache/UnslothGRPOTrainer.py").read_text(encoding="utf-8")
    return SimpleNamespace(unsloth=folder / "unsloth", trl=folder / "trl", seen=seen, source=source)


def adapter(run: Path, step: int = 0):
    """Weights of the adapter after a step (0: at the end), in one row."""
    import torch
    from safetensors.torch import load_file

    weights = load_file(run / (f"checkpoints/checkpoint-{step}" if step else "policy") / "adapter_model.safetensors")
    return torch.cat([weights[name].flatten() for name in sorted(weights) if "lora_B" in name])


@needs_unsloth
def test_the_trainer_that_unsloth_writes_has_what_ours_needs(steps):
    classes = (trainer_source.INNER, trainer_source.OUTER)
    assert trainer_source.faults(steps.source, OURS, trl.GRPOTrainer, classes) == []
    assert trainer_source.config_faults(steps.source, set(steps.seen["given"])) == []
    broken = {case: faults_when(steps.source, case, classes) for case in trainer_source.BROKEN}
    assert [case for case, found in broken.items() if not any(trainer_source.BROKEN[case][2] in fault for fault in found)] == []


@needs_unsloth
def test_ours_is_made_on_it_and_no_setting_of_ours_is_changed(steps):
    seen = steps.seen
    assert seen["device"] == "cuda" and seen["classes"][:5] == ["ListeningTrainer", "KnowsTiedWeights", "CpuTrainer", "UnslothGRPOTrainer", "_UnslothGRPOTrainer"]
    assert (seen["not_held"], seen["changed_by_trainer"]) == ({}, {})


@needs_unsloth
def test_its_step_is_the_step_of_trl(steps):
    """The same answers, paid and weighed alike, move the adapter to the same place."""
    import torch

    one, other = (Run(folder / "whole") for folder in (steps.unsloth, steps.trl))
    columns = ["completion", "advantage", "total"]
    first, same = (run.rollouts().query("step == 1")[columns].to_dict("list") for run in (one, other))
    assert len(first["completion"]) == 8 and len(set(first["advantage"])) > 2
    assert first == same
    there, expected = adapter(one.folder, 1), adapter(other.folder, 1)
    assert expected.abs().max() > 5e-4, "it has moved"
    torch.testing.assert_close(there, expected, rtol=0, atol=5e-5)


@needs_unsloth
def test_a_step_of_its_warm_start_is_the_step_of_trl(steps):
    one, other = (Run(folder / "warm").metrics() for folder in (steps.unsloth, steps.trl))
    assert len(one["loss"]) == 3
    for name in ("loss", "grad_norm", "learning_rate"):
        assert one[name] == [(step, pytest.approx(value, rel=1e-4)) for step, value in other[name]]


@needs_unsloth
def test_a_run_through_it_is_stored_whole_and_goes_on_to_the_same_weights(steps):
    assert [steps.seen[what] for what in ("status", "steps", "answers")] == [["finished", "finished"], [3, 3], [24, 24]]
    assert adapter(steps.unsloth / "whole").equal(adapter(steps.unsloth / "killed"))


@needs_unsloth
def test_gradients_are_checkpointed_in_every_update_though_dev_is_asked_between_them(steps):
    """Also where answers are used twice: only before new ones does Unsloth's trainer itself turn on again what asking turned off."""
    assert Run(steps.unsloth / "twice").status == "finished"
    assert set(map(tuple, steps.seen["checkpointing"])) == {(True,)} == set(map(tuple, steps.seen["checkpointing_warm"]))


@needs_unsloth
def test_a_policy_that_unsloth_has_not_loaded_is_refused_beside_it(steps):
    assert "start a new process for it" in steps.seen["refused"]
