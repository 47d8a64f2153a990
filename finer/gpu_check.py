"""``finer doctor --gpu``: the first thing to run on a machine with a GPU. Loads a policy, trains it for two steps, and writes down what they took.

Whatever happens is in the file: the machine, the versions, memory at the peak beside what the formula said, seconds by stage, and where it
broke, the error with its place. Without a CUDA device it says what is missing. Not covered: how well the policy learns.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finer.config import TrainConfig
from finer.doctor import FOR_GPU, GIGABYTE, NEEDED, ROOT, Check, Torch, check_gpu_packages, installed, read_torch
from finer.errors import FinerError

FILE = "finer-gpu.json"
STEPS = TrainConfig(
    policy="auto", steps=2, questions_per_step=2, group_size=8, evaluate_every=0, evaluate_questions=2, checkpoint_every=0, max_completion_tokens=256
)
"""What is trained: two steps, since the first also compiles."""
CUDA_TORCH = "pip install torch==2.13.0   (where that brings a CPU build: from the index that PyTorch's install page names for your CUDA)"


@dataclass
class Findings:
    """What goes into the file."""

    machine: dict[str, Any]
    missing: list[dict[str, str]] = field(default_factory=list)
    policy: str = ""
    why: str = ""
    loader: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    formula_gigabytes: dict[str, float] | None = None
    peak_gigabytes: dict[str, float] = field(default_factory=dict)
    """As torch counts it on the GPU: held by tensors, and held by its allocator."""
    steps: list[dict[str, float | None]] = field(default_factory=list)
    """Seconds by stage."""
    error: str = ""


def run_gpu_check(policy: str = "auto", file: str | None = None, say: Callable[[str], None] = print) -> int:
    """Prints what was found and writes it into ``file``; 0 where two steps were made, else 1."""
    path = Path(file or FILE)
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise FinerError(f"{path} cannot be written: name a file in a folder that is there, with --json")
    torch = read_torch()
    found = Findings(_machine(torch))
    found.missing = [{"what": check.name, "detail": check.detail, "mend": check.mend} for check in missing(torch, _torch_is_for_cpu())]
    if torch.cuda_name:
        measure(policy, found, say)
    for line in lines(found):
        say(line)
    path.write_text(json.dumps(vars(found), indent=2) + "\n", encoding="utf-8")
    say(f"Written to {path}: attach it when you report how it went, or what went wrong.")
    return 0 if len(found.steps) == STEPS.steps else 1


def missing(torch: Torch, for_cpu: bool) -> list[Check]:
    """What stands between this machine and training on a GPU. ``for_cpu``: is torch a build without CUDA?"""
    checks = []
    if torch.problem:
        checks.append(Check("torch", "missing", torch.problem, CUDA_TORCH))
    elif not torch.cuda_name and for_cpu:
        checks.append(Check("torch with CUDA", "missing", "this torch was built for CPUs only", CUDA_TORCH))
    elif not torch.cuda_name:
        checks.append(Check("CUDA device", "missing", "torch sees none: no NVIDIA GPU, no driver, or CUDA_VISIBLE_DEVICES hides it", "nvidia-smi"))
    packages = [check for check in check_gpu_packages(Torch("a GPU"), installed(FOR_GPU)) if check.status == "missing"]
    names = " and ".join(check.name for check in packages)
    return [*checks, *([Check(names, "missing", "for 4-bit training on a GPU", packages[0].mend)] if packages else [])]


def _torch_is_for_cpu() -> bool:
    try:
        import torch
    except Exception:  # noqa: BLE001  a broken torch is read_torch's to tell
        return False
    return torch.version.cuda is None


def _machine(torch: Torch) -> dict[str, Any]:
    about = {"python": sys.version.split()[0], "system": platform.platform(), "gpu": torch.cuda_name, "gigabytes": round(torch.cuda_gigabytes, 2), "bfloat16": bool(torch.cuda_name) and torch.bf16}
    versions = installed([*NEEDED, *FOR_GPU, "unsloth_zoo", "xformers", "triton", "vllm"])
    if torch.cuda_name:
        import torch as library

        about |= {"capability": ".".join(map(str, library.cuda.get_device_capability(0))), "cuda": library.version.cuda}
    return {**about, "versions": versions}


def measure(policy: str, found: Findings, say: Callable[[str], None], settings: TrainConfig = STEPS) -> None:
    """Two steps of GRPO with ``policy``, into ``found``; an error is noted there, and not raised."""
    from dataclasses import replace

    from finer.ladder import policy_spec
    from finer.policy import choose_policy, gpu_memory, has_unsloth, use_unsloth

    try:
        config = replace(settings, policy=policy)
        if policy == "auto":
            found.policy, found.why = choose_policy(config)
            config = replace(config, policy=found.policy)
        found.policy = config.policy
        spec = policy_spec(config.policy)
        found.loader = "Unsloth" if use_unsloth() and spec.lora_rank else "transformers"
        needs = spec.needs(config, gpu_memory()[0] > 0, has_unsloth())
        found.formula_gigabytes = None if needs is None else {**{part: round(value / GIGABYTE, 2) for part, value in vars(needs).items()}, "peak": round(needs.gigabytes, 2)}
        say(f"{found.policy} by {found.loader}: {found.why or 'as it was asked for'}")
        _train(config, found, say)
    except Exception as error:  # noqa: BLE001  whatever breaks here is what the file is for
        found.error = "".join(traceback.format_exception(error)).replace(str(ROOT), ".")


def _train(config: TrainConfig, found: Findings, say: Callable[[str], None]) -> None:
    from finer.grpo import train

    with tempfile.TemporaryDirectory(prefix="finer-gpu-") as folder:
        _reset_peak()
        run = train(config, Path(folder) / "run", on_event=say)
        found.settings = dict(run.config)
        found.steps = [dict(step.seconds) for step in run.steps()]
        found.peak_gigabytes = _peak()


def _reset_peak() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def _peak() -> dict[str, float]:
    import torch

    if not torch.cuda.is_available():
        return {}
    return {"tensors": round(torch.cuda.max_memory_allocated() / GIGABYTE, 2), "allocator": round(torch.cuda.max_memory_reserved() / GIGABYTE, 2)}


def lines(found: Findings) -> list[str]:
    """What was found, in words."""
    told = [f"missing: {one['what']} ({one['detail']}), to mend it:\n  {one['mend']}" for one in found.missing]
    if not found.policy:
        return [*told, "No step was made: a CUDA device is needed. docs/gpu.md has the recipes to install."]
    for number, seconds in enumerate(found.steps, start=1):
        split = ", ".join(f"{stage} {value:.2f}" for stage, value in seconds.items() if value is not None)
        told.append(f"step {number}: {sum(value or 0 for value in seconds.values()):.2f} s ({split})" + (", with what is compiled once" if number == 1 else ""))
    if found.peak_gigabytes:
        told.append(f"memory at the peak: {found.peak_gigabytes['tensors']:.2f} GB in tensors, {found.peak_gigabytes['allocator']:.2f} GB held")
    if found.formula_gigabytes:
        told.append(f"the formula says {found.formula_gigabytes['peak']:.2f} GB, of which {found.formula_gigabytes['rest']:.2f} GB are CUDA's own and not torch's")
    if found.error:
        told.append(f"It broke: {found.error.strip().splitlines()[-1]}")
    return told
