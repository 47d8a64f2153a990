"""The check of a GPU, on machines without one and with a stand-in for one. Run with: pytest tests/test_gpu_check.py"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from finer import cli, gpu_check
from finer.doctor import Torch
from finer.errors import FinerError
from finer.gpu_check import STEPS, Findings, lines, measure, missing, run_gpu_check

MISSING = {  # what torch says, is it a build for CPUs, what is told
    "a build for CPUs": (Torch(threads=2), True, ("torch with CUDA", "pip install torch==2.13.0")),
    "no device": (Torch(threads=2), False, ("CUDA device", "nvidia-smi")),
    "a broken torch": (Torch(problem="OSError: libcudart"), False, ("torch", "pip install torch==2.13.0")),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_is_missing_and_what_mends_it(case, monkeypatch):
    torch, for_cpu, (what, mend) = MISSING[case]
    monkeypatch.setattr(gpu_check, "installed", lambda names: {})
    first, packages = missing(torch, for_cpu)
    assert first.name == what and first.mend.startswith(mend)
    assert packages.name == "unsloth and bitsandbytes" and packages.mend.endswith("-e '.[gpu]'")


def test_nothing_is_missing_on_a_machine_with_all_of_it(monkeypatch):
    monkeypatch.setattr(gpu_check, "installed", lambda names: dict.fromkeys(names, "1.0"))
    assert missing(Torch("RTX 4070", 12.6), False) == []


def test_without_a_gpu_it_says_so_writes_the_file_and_makes_no_step(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(gpu_check, "read_torch", lambda: Torch(threads=2))
    assert cli.main(["doctor", "--gpu", "--json", str(tmp_path / "gpu.json")]) == 1
    said = capsys.readouterr().out
    assert "No step was made: a CUDA device is needed. docs/gpu.md" in said and "attach it" in said
    written = json.loads((tmp_path / "gpu.json").read_text())
    assert written["steps"] == [] and written["missing"] and written["machine"]["versions"]["trl"]


SMALL = replace(STEPS, questions_per_step=1, group_size=2, max_completion_tokens=16, threads=1)


def test_two_steps_are_made_and_told_by_stage():
    """On the CPU, with the bundled policy; the memory of a GPU is not there to be read."""
    found, said = Findings({}), []
    measure("tiny", found, said.append, SMALL)
    assert found.error == "" and len(found.steps) == 2 and found.loader == "transformers"
    assert set(found.steps[0]) == {"generation", "scoring", "update", "store"} and found.settings["policy"] == "tiny"
    assert found.formula_gigabytes["peak"] > found.formula_gigabytes["rest"] > 1
    told = lines(found)
    assert [line.split(":")[0] for line in told[:2]] == ["step 1", "step 2"] and "generation" in told[0] and "compiled once" in told[0]
    json.dumps(vars(found))


def test_what_breaks_is_in_the_file_with_its_place(tmp_path, monkeypatch, capsys):
    def breaks(*_, **__):
        raise RuntimeError("CUDA error: no kernel image is available")

    monkeypatch.setattr(gpu_check, "read_torch", lambda: Torch("RTX 4070", 12.6, True, 8))
    monkeypatch.setattr(gpu_check, "_machine", lambda torch: {"gpu": torch.cuda_name})
    monkeypatch.setattr(gpu_check, "_train", breaks)
    assert run_gpu_check("tiny", str(tmp_path / "gpu.json")) == 1
    assert "It broke: RuntimeError: CUDA error: no kernel image" in capsys.readouterr().out
    written = json.loads((tmp_path / "gpu.json").read_text())
    assert "test_gpu_check.py" in written["error"] and written["policy"] == "tiny" and written["machine"]["gpu"] == "RTX 4070"


def test_memory_at_the_peak_is_told_beside_the_formula():
    found = Findings({}, policy="qwen2.5-coder-3b", peak_gigabytes={"tensors": 5.25, "allocator": 6.5}, formula_gigabytes={"peak": 7.6, "rest": 1.5})
    assert lines(found) == ["memory at the peak: 5.25 GB in tensors, 6.50 GB held", "the formula says 7.60 GB, of which 1.50 GB are CUDA's own and not torch's"]


def test_a_file_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    with pytest.raises(FinerError, match="with --json"):
        run_gpu_check("tiny", str(tmp_path / "nowhere" / "gpu.json"))


def test_a_policy_without_gpu_is_refused(capsys):
    assert cli.main(["doctor", "--policy", "tiny"]) == 2
    assert "finer doctor --gpu --policy P" in capsys.readouterr().err
