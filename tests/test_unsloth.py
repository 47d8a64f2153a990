"""Unsloth, without a GPU: is what we call there, and does its own backend for CPUs drive our code?

Two tiers, each skipped with its reason where a machine lacks what it needs; docs/gpu.md says how to bring it:
- the wheels' source, read as text: pinned ones of unsloth and unsloth_zoo in the folder that FINER_WHEELS names;
- steps of GRPO with a checkpoint and a resume, in the Python that FINER_UNSLOTH_PYTHON names, where Unsloth 2026.10.9 or newer is installed.

The third, its code for GPUs, is in test_unsloth_gpu_code.py. Run with: pytest tests/test_unsloth.py
"""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import json
import os
import re
import subprocess
import sys
import types
import zipfile
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from finer import policy as module
from finer.doctor import read_pins
from finer.ladder import LADDER
from finer.policy import Lora, PolicyError, load_policy

ROOT = Path(__file__).resolve().parents[1]
PINS = read_pins(ROOT / "constraints.txt")
FOLDER = os.environ.get("FINER_WHEELS", "")
WHEELS = sorted(Path(FOLDER).glob("unsloth-*.whl")) if FOLDER else []
needs_wheels = pytest.mark.skipif(not WHEELS, reason="FINER_WHEELS names no folder with Unsloth's wheels (docs/gpu.md)")
each_wheel = pytest.mark.parametrize("wheel", WHEELS or [None], ids=lambda wheel: wheel.name.split("-")[1] if wheel else "none")


# --- tier 1: what we call, in the wheels' source


def asked(fast_inference: bool = False) -> dict[str, dict[str, object]]:
    """Every call of ours with its arguments, noted by stand-ins."""
    calls: dict[str, dict[str, object]] = {}

    class Model:
        vllm_engine = "where it is asked for"

        def save_pretrained_merged(self, folder, tokenizer, **arguments):
            calls["save_pretrained_merged"] = arguments

    class FastLanguageModel:
        @staticmethod
        def from_pretrained(**arguments):
            calls["from_pretrained"] = arguments
            return Model(), types.SimpleNamespace(padding_side="right")

        @staticmethod
        def get_peft_model(model, **arguments):
            calls["get_peft_model"] = arguments
            return model

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "unsloth", types.SimpleNamespace(FastLanguageModel=FastLanguageModel))
        patch.setattr(module, "use_unsloth", lambda: True)
        loaded = load_policy("qwen2.5-coder-0.5b", context_tokens=2048, lora=Lora(rank=16, seed=7), fast_inference=fast_inference)
        patch.setattr(Path, "write_text", lambda *_, **__: 0)
        loaded.save(Path("nowhere"), merge=True)
    return calls


def test_what_unsloth_is_asked_for():
    calls, targets = asked(), list(LADDER["qwen2.5-coder-0.5b"].lora_targets)
    assert calls["from_pretrained"] == {"model_name": "Qwen/Qwen2.5-Coder-0.5B-Instruct", "max_seq_length": 2048, "load_in_4bit": True, "fast_inference": False}
    assert calls["get_peft_model"] == {
        "r": 16, "lora_alpha": 16, "lora_dropout": 0.0, "target_modules": targets, "bias": "none", "use_gradient_checkpointing": "unsloth", "random_state": 7,
    }  # fmt: skip
    assert calls["save_pretrained_merged"] == {"save_method": "merged_16bit"}


def test_with_fast_inference_it_is_asked_for_vllm_too():
    plain, fast = asked()["from_pretrained"], asked(fast_inference=True)["from_pretrained"]
    assert {key: value for key, value in fast.items() if plain.get(key) != value} == {"fast_inference": True, "max_lora_rank": 16, "gpu_memory_utilization": 0.5}


def test_a_policy_that_it_loads_without_the_vllm_that_was_asked_for_is_refused(monkeypatch):
    """It prints that this GPU or this model will not do, and goes on without."""
    plain = types.SimpleNamespace(from_pretrained=lambda **_: (object(), types.SimpleNamespace(padding_side="right")))
    monkeypatch.setitem(sys.modules, "unsloth", types.SimpleNamespace(FastLanguageModel=plain))
    monkeypatch.setattr(module, "use_unsloth", lambda: True)
    with pytest.raises(PolicyError, match="loaded qwen2.5-coder-0.5b without vLLM .* take use_vllm out"):
        load_policy("qwen2.5-coder-0.5b", fast_inference=True)


@cache
def tree(wheel: Path, file: str) -> ast.Module:
    with zipfile.ZipFile(wheel) as archive:
        return ast.parse(archive.read(file))


def parameters(wheel: Path, file: str, function: str, inside: str = "") -> set[str]:
    """Names of a function's parameters; ``inside`` names its class."""
    body = tree(wheel, file).body
    if inside:
        body = next(node for node in body if isinstance(node, ast.ClassDef) and node.name == inside).body
    found = next(node for node in body if isinstance(node, ast.FunctionDef) and node.name == function)
    return {one.arg for one in (*found.args.args, *found.args.kwonlyargs)}


def text(wheel: Path, file: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(file).decode("utf-8")


@needs_wheels
@each_wheel
def test_every_argument_of_ours_is_taken(wheel):
    calls = asked(fast_inference=True)
    assert set(calls["from_pretrained"]) <= parameters(wheel, "unsloth/models/loader.py", "from_pretrained", "FastLanguageModel")
    assert set(calls["get_peft_model"]) <= parameters(wheel, "unsloth/models/llama.py", "get_peft_model", "FastLlamaModel")
    assert set(calls["save_pretrained_merged"]) <= parameters(wheel, "unsloth/save.py", "unsloth_save_pretrained_merged")
    assert {"save_directory", "tokenizer", "quantization_method"} <= parameters(wheel, "unsloth/save.py", "unsloth_save_pretrained_gguf")
    (bases,) = (node.bases for node in tree(wheel, "unsloth/models/loader.py").body if isinstance(node, ast.ClassDef) and node.name == "FastLanguageModel")
    assert [base.id for base in bases] == ["FastLlamaModel"], "which get_peft_model comes from"


@needs_wheels
@each_wheel
def test_a_loaded_model_has_the_ways_to_save_that_we_use(wheel):
    source = text(wheel, "unsloth/save.py")
    assert re.search(r"model\.save_pretrained_merged\s*=", source) and re.search(r"model\.save_pretrained_gguf\s*=", source)


@needs_wheels
@each_wheel
def test_its_trainer_takes_the_vllm_that_came_with_the_model(wheel):
    """In place of the one that TRL's generation would make, and with the adapter; so it has to find the places in TRL that it rewrites."""
    assert re.search(r"\.vllm_engine\s*=", text(wheel, "unsloth/models/llama.py"))
    source = text(wheel, "unsloth/models/rl_replacements.py")
    assert "self.llm = model.vllm_engine" in source and 'kwargs["lora_request"] = load_lora(' in source.replace("'", '"')
    (pattern,) = re.findall(r'r"(\(\?P<llm_block>.+)",\n', source)
    generation = Path(importlib.util.find_spec("trl").origin).parent / "generation" / "vllm_generation.py"
    assert len(re.findall(pattern, generation.read_text(encoding="utf-8"), re.MULTILINE)) == 1


@needs_wheels
@each_wheel
def test_the_pins_lie_in_its_ranges(wheel):
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(archive.read(name).decode() for name in archive.namelist() if name.endswith("dist-info/METADATA"))
    needed = [Requirement(line.partition(": ")[2]) for line in metadata.splitlines() if line.startswith("Requires-Dist: ")]
    ours = [one for one in needed if one.marker is None and one.name in ("trl", "transformers", "peft", "datasets", "accelerate", "torch")]
    assert {one.name for one in ours} == {"trl", "transformers", "peft", "datasets", "accelerate", "torch"}
    assert [str(one) for one in ours if not one.specifier.contains(PINS[one.name])] == []


OURS = ("_calculate_rewards", "_get_train_sampler", "log")
"""Methods of TRL's trainer that ours overrides or relies on, and that Unsloth must leave as they are."""
HOOKED = ("_generate_and_score_completions", "_generate_single_turn", "_get_per_token_logps_and_entropies")
"""Those that it rewrites under the name that we override."""


@needs_wheels
@each_wheel
def test_the_trainer_that_it_rewrites_keeps_our_hooks(wheel):
    source = text(wheel, "unsloth/models/rl_replacements.py")
    rewritten = set(re.findall(r"^def grpo_trainer_(\w+)\(function_name", source, re.MULTILINE))
    named = set(re.findall(r'function_name != "(\w+)"', source))
    assert set(OURS) & (rewritten | named) == set()
    assert set(HOOKED) <= named
    import trl

    assert [name for name in (*OURS, *HOOKED) if not hasattr(trl.GRPOTrainer, name)] == []


HARMLESS = {"auto_find_batch_size", "eval_accumulation_steps", "include_num_input_tokens_seen", "include_tokens_per_second", "logging_nan_inf_filter",
            "per_device_eval_batch_size", "torch_empty_cache_steps"}  # fmt: skip
"""Of what it changes, what no update depends on: evaluation by TRL (which is off), counts, emptying the allocator."""


def changed_fields(wheel: Path) -> set[str]:
    """Fields of GRPOConfig whose default it replaces, or that the code which it puts into the class assigns."""
    import trl

    fields = {item.name for item in dataclasses.fields(trl.GRPOConfig)}
    found = set()
    for node in ast.walk(tree(wheel, "unsloth/models/rl.py")):
        if isinstance(node, ast.Dict):
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            found |= keys if keys & {"learning_rate", "mask_truncated_completions"} else set()
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(("    ", "if")):
            found |= set(re.findall(r"^ {4,}(\w+) = [^=\n]+\n?$", node.value, re.MULTILINE))
    return found & fields


@needs_wheels
@each_wheel
def test_every_default_that_it_changes_is_one_that_we_set(wheel, monkeypatch, tmp_path):
    """A run is then the same algorithm with and without it; what it makes of a value that was given, ``grpo_config.held`` puts back."""
    import trl

    from finer.config import TrainConfig
    from finer.grpo_config import grpo_config

    given: dict[str, object] = {}

    class Noted(trl.GRPOConfig):
        def __init__(self, **values):
            given.update(values)
            super().__init__(**values)

    monkeypatch.setattr(trl, "GRPOConfig", Noted)
    grpo_config(TrainConfig(learning_rate=1e-5), tmp_path, True)
    changed = changed_fields(wheel)
    assert {"beta", "epsilon_high", "learning_rate", "loss_type", "mask_truncated_completions", "optim", "scale_rewards", "seed", "weight_decay"} <= changed
    assert changed - set(given) - HARMLESS == set()


@needs_wheels
@each_wheel
def test_it_must_be_imported_before_these(wheel):
    assert re.search(r'critical_modules = \["trl", "transformers", "peft"\]', text(wheel, "unsloth/_gpu_init.py"))


FIRST = """
import sys, types
sys.path.insert(0, {root!r})

class Finder:
    def find_spec(self, name, *_):
        if name == "unsloth":
            print("before:", [one for one in ("trl", "transformers", "peft") if one in sys.modules])
            raise SystemExit(0)

sys.meta_path.insert(0, Finder())
from finer import policy
policy.use_unsloth = lambda: True
from finer.config import TrainConfig
from finer.{stage} import train
train({config}, "/nowhere/run")
"""
STAGES = {"grpo": "TrainConfig(policy='qwen2.5-coder-0.5b')", "warmstart": "__import__('finer.warmstart', fromlist=['x']).WarmConfig(policy='qwen2.5-coder-0.5b')"}


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_that_it_patches_is_imported_before_it(stage, tmp_path):
    """The whole way from the command to the first import of Unsloth, in a process of its own."""
    code = FIRST.format(root=str(ROOT), stage=stage, config=STAGES[stage])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip() == "before: []", done.stderr[-600:]


# --- tier 2: its own backend for CPUs drives our code

DRIVEN = """
import json, sys
sys.path.insert(0, {root!r})
import finer.grpo as grpo
from finer.config import TrainConfig

config = TrainConfig(policy="tiny", tune="lora", lora_rank=4, steps=3, questions_per_step=1, group_size=4, max_completion_tokens=40, learning_rate=1e-3,
                     evaluate_every=0, evaluate_questions=2, checkpoint_every=1, threads=1, seed=3)
whole = grpo.train(config, {folder!r} + "/whole")

class Killed(BaseException):
    pass

def kill(line):
    if line.startswith("step 2/3"):
        raise Killed

try:
    grpo.train(config, {folder!r} + "/killed", on_event=kill)
except Killed:
    pass
resumed = grpo.resume({folder!r} + "/killed")
import unsloth, trl
from finer.policy import load_policy
from safetensors.torch import load_file
one, other = (load_file({folder!r} + f"/{{name}}/policy/adapter_model.safetensors") for name in ("whole", "killed"))
print(json.dumps({{
    "device": unsloth.DEVICE_TYPE, "version": unsloth.__version__, "first": "unsloth" in sys.modules, "status": [whole.status, resumed.status],
    "steps": [whole.last_step, resumed.last_step], "answers": [len(run.rollouts()) for run in (whole, resumed)],
    "same": all(bool((one[name] == other[name]).all()) for name in one), "learnt": any(bool(one[name].any()) for name in one if "lora_B" in name),
    "answers_again": len(load_policy({folder!r} + "/whole/policy").generate([[{{"role": "user", "content": "book(title)"}}]], 5)),
}}))
"""


@pytest.mark.skipif("FINER_UNSLOTH_PYTHON" not in os.environ, reason="FINER_UNSLOTH_PYTHON names no Python with Unsloth (docs/gpu.md)")
def test_its_cpu_backend_trains_checkpoints_and_goes_on(tmp_path):
    environment = {**os.environ, "UNSLOTH_FORCE_CPU": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    code = DRIVEN.format(root=str(ROOT), folder=str(tmp_path))
    done = subprocess.run([os.environ["FINER_UNSLOTH_PYTHON"], "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=3000, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found.pop("version") >= "2026.10.9"
    assert found == {"device": "cpu", "first": True, "status": ["finished", "finished"], "steps": [3, 3], "answers": [12, 12], "same": True, "learnt": True, "answers_again": 1}
