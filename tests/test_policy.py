"""The ladder of policies, on the bundled one and on stand-ins. Run with: pytest tests/test_policy.py"""

from __future__ import annotations

import json
import sys
import types

import pytest

from finer import policy as module
from finer.datasets import load_dataset
from finer.policy import LADDER, PolicyError, choose_policy, load_policy, policy_spec
from finer.prompt import parse_completion


@pytest.fixture(scope="module")
def tiny():
    return load_policy("tiny")


def test_the_bundled_policies_are_small_standard_models():
    for name in ("tiny", "tiny-low"):
        folder = module.DATA / name
        config = json.loads((folder / "config.json").read_text())
        assert config["model_type"] == "llama"
        assert (folder / "model.safetensors").stat().st_size <= 12e6
        assert load_policy(name).model.num_parameters() <= 5e6


def test_tiny_answers_in_the_format_and_mostly_runs(tiny):
    dataset = load_dataset("starter", split="dev")
    questions = dataset.questions[:16]
    prompts = [tiny.messages(q, dataset.databases[q.db_id].schema) for q in questions]
    answers = [parse_completion(text) for text in tiny.generate(prompts, max_new_tokens=160)]
    assert sum(answer.well_formed for answer in answers) >= 14
    assert all(answer.thought for answer in answers if answer.well_formed)


def test_greedy_answers_do_not_depend_on_the_batch(tiny):
    dataset = load_dataset("starter", split="dev")
    prompts = [tiny.messages(q, dataset.databases[q.db_id].schema) for q in dataset.questions[:6]]
    together = tiny.generate(prompts, 60)
    alone = [tiny.generate([prompt], 60)[0] for prompt in prompts]
    # Padding moves sums by rounding, which may turn one near-tie of a greedy choice, and no more.
    assert sum(one == other for one, other in zip(together, alone)) >= 5


def test_a_saved_policy_loads_again_in_its_style(tiny, tmp_path):
    tiny.save(tmp_path / "mine")
    again = load_policy(str(tmp_path / "mine"))
    assert (again.spec.style, again.spec.lora_rank) == ("tiny", 0)
    assert again.model.num_parameters() == tiny.model.num_parameters()


WRONG = {
    "a misspelt name": ("tinny", "tiny"),
    "a folder with no model": (".", "holds no model"),
    "a path that is not there": ("./nowhere/at/all", "unknown policy"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_policy_is_refused_with_the_mend(case):
    name, told = WRONG[case]
    with pytest.raises(PolicyError, match=told):
        policy_spec(name)


def test_a_hub_id_with_no_network_says_what_to_do(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(PolicyError, match="--policy tiny"):
        load_policy("nobody/no-such-model-anywhere")


GPUS = {
    "no GPU": (0.0, "tiny"),
    "6 GB": (6.0, "tiny"),
    "8 GB": (8.4, "qwen2.5-coder-0.5b"),
    "12 GB": (12.9, "qwen2.5-coder-1.5b"),
    "24 GB": (25.4, "qwen2.5-coder-3b"),
}


@pytest.mark.parametrize("case", GPUS)
def test_the_largest_policy_that_fits_is_chosen_and_why(case, monkeypatch):
    gigabytes, name = GPUS[case]
    monkeypatch.setattr(module, "gpu_memory", lambda: (gigabytes, "Some GPU"))
    chosen, why = choose_policy()
    assert chosen == name
    assert ("CPU" if not gigabytes else "Some GPU") in why


def test_unsloth_is_asked_for_four_bits_and_lora_and_nothing_else(monkeypatch):
    asked: dict = {}

    class FastLanguageModel:
        @staticmethod
        def from_pretrained(**arguments):
            asked["load"] = arguments
            return "model", types.SimpleNamespace(padding_side="right")

        @staticmethod
        def get_peft_model(model, **arguments):
            asked["lora"] = arguments
            return f"{model} with LoRA"

    monkeypatch.setitem(sys.modules, "unsloth", types.SimpleNamespace(FastLanguageModel=FastLanguageModel))
    monkeypatch.setattr(module, "use_unsloth", lambda: True)
    loaded = load_policy("qwen2.5-coder-0.5b", context_tokens=2048)
    assert loaded.model == "model with LoRA" and loaded.tokenizer.padding_side == "left"
    assert asked["load"]["load_in_4bit"] and asked["load"]["max_seq_length"] == 2048
    assert asked["lora"]["r"] == LADDER["qwen2.5-coder-0.5b"].lora_rank
