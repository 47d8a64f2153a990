"""A run's settings as TRL's GRPOConfig: every field is set, and stays as it was set. Run with: pytest tests/test_grpo_config.py"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import transformers
import trl

from finer.config import PRESETS, TrainConfig
from finer.errors import ConfigError
from finer.grpo import lora_of, train
from finer.grpo_config import FIXED, check_vllm, grpo_config

DEPRECATED = {"use_transformers_paged", "vllm_importance_sampling_cap"}
OF_TRAINING = {
    "learning_rate", "optim", "per_device_train_batch_size", "gradient_accumulation_steps", "weight_decay", "warmup_steps", "seed", "data_seed",
    "logging_steps", "lr_scheduler_type", "max_grad_norm", "adam_beta1", "adam_beta2", "adam_epsilon", "bf16", "fp16", "gradient_checkpointing",
}  # fmt: skip
"""Those of transformers that Unsloth changes, or that decide an update."""


@pytest.fixture
def asked(monkeypatch):
    """What the class is called with."""
    calls = {}

    class Noted(trl.GRPOConfig):
        def __init__(self, **values):
            calls.update(values)
            super().__init__(**values)

    monkeypatch.setattr(trl, "GRPOConfig", Noted)
    return calls


def test_every_field_of_grpo_is_set(asked):
    grpo_config(TrainConfig(), Path("run"), False)
    inherited = {item.name for item in fields(transformers.TrainingArguments)}
    own = {item.name for item in fields(trl.GRPOConfig)} - inherited - DEPRECATED
    assert own - set(asked) == set()
    assert OF_TRAINING - set(asked) == set()


def test_what_is_fixed_is_trls_own_default_but_for_what_is_said():
    ours = {"learning_rate", "logging_steps", "log_multimodal", "report_to", "disable_tqdm", "dataloader_pin_memory", "num_train_epochs", "ddp_find_unused_parameters"}
    defaults = {item.name: item.default for item in fields(trl.GRPOConfig)}
    assert [name for name, value in FIXED.items() if name not in ours and value != defaults[name]] == []


MAPPED = {
    "a whole step goes through a small model at once": ({}, False, {"per_device_train_batch_size": 64, "gradient_accumulation_steps": 1, "steps_per_generation": 1}),
    "an adapter takes a group at a time": ({}, True, {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 8, "generation_batch_size": 64}),
    "as many at once as it is told": ({"answers_at_once": 16}, True, {"per_device_train_batch_size": 16, "gradient_accumulation_steps": 4}),
    "the upper clip follows the lower one": ({"epsilon": 0.1}, False, {"epsilon": 0.1, "epsilon_high": 0.1}),
    "an upper clip of its own": ({"epsilon_high": 0.28}, False, {"epsilon": 0.2, "epsilon_high": 0.28}),
    "no checkpoints on the way": ({"checkpoint_every": 0}, False, {"save_strategy": "no"}),
    "the paper's values": (PRESETS["paper"], True, {"num_generations": 32, "learning_rate": 8e-6, "beta": 0.04, "loss_type": "grpo", "max_steps": 2000,
                                                  "scale_rewards": "group", "max_completion_length": 2048, "generation_batch_size": 32}),
    "answers from a server": ({"use_vllm": True, "vllm_mode": "server", "vllm_server_host": "10.0.0.5", "vllm_server_port": 8123}, True,
                              {"use_vllm": True, "vllm_mode": "server", "vllm_server_host": "10.0.0.5", "vllm_server_port": 8123, "vllm_server_base_url": None}),
    "answers from the policy itself": ({}, True, {"use_vllm": False, "vllm_mode": "colocate", "vllm_server_host": "127.0.0.1", "vllm_server_port": 8000}),
    "names that both sides have": ({"top_p": 0.9, "top_k": 40, "temperature": 0.7, "lr_scheduler_type": "cosine", "num_iterations": 2, "seed": 5},
                                   False, {"top_p": 0.9, "top_k": 40, "temperature": 0.7, "lr_scheduler_type": "cosine", "num_iterations": 2, "seed": 5}),
}  # fmt: skip


@pytest.mark.parametrize("case", MAPPED)
def test_settings_become_trls(case, tmp_path):
    settings, adapter, wanted = MAPPED[case]
    built = grpo_config(TrainConfig(**settings), tmp_path, adapter)
    assert {name: getattr(built, name) for name in wanted} == wanted


def test_a_class_that_changes_what_it_is_given_does_not_get_its_way(monkeypatch, tmp_path):
    """As Unsloth's does with the loss 'dapo' and 'dr_grpo'."""

    class Changing(trl.GRPOConfig):
        def __init__(self, **values):
            super().__init__(**{**values, "epsilon_high": 0.28, "mask_truncated_completions": True, "scale_rewards": "none", "beta": 0.001})

    monkeypatch.setattr(trl, "GRPOConfig", Changing)
    built = grpo_config(TrainConfig(scale_rewards="group"), tmp_path, False)
    assert (built.epsilon_high, built.mask_truncated_completions, built.scale_rewards, built.beta) == (0.2, False, "group", 0.0)


NO_VLLM = {
    "no CUDA device": ((False, True, False), "torch sees no CUDA device"),
    "not installed": ((True, False, False), r'pip install "trl\[vllm\]"'),
    "a policy of Unsloth's, and a server": ((True, True, True), "set vllm_mode to 'colocate', uninstall unsloth"),
}


@pytest.mark.parametrize("case", NO_VLLM)
def test_vllm_is_refused_where_it_cannot_work(case, monkeypatch):
    (has_cuda, is_installed, is_unsloth), told = NO_VLLM[case]
    _machine(monkeypatch, has_cuda, is_installed, is_unsloth)
    with pytest.raises(ConfigError, match=told) as refused:
        check_vllm(TrainConfig(use_vllm=True, vllm_mode="server"), True)
    assert "take use_vllm out" in str(refused.value)
    check_vllm(TrainConfig(), True)


def test_vllm_goes_with_a_gpu_and_the_package(monkeypatch):
    _machine(monkeypatch, True, True, False)
    check_vllm(TrainConfig(use_vllm=True), True)
    _machine(monkeypatch, True, True, True)
    check_vllm(TrainConfig(use_vllm=True), True)  # Unsloth's own, in the trainer's process
    check_vllm(TrainConfig(use_vllm=True, vllm_mode="server"), False)  # a whole model is loaded by transformers


def test_vllm_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ConfigError, match="torch sees no CUDA device"):
        train(TrainConfig(use_vllm=True), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_server_that_the_docs_start_is_trl_s_own():
    """Its options in docs/gpu.md are options of the script, and the port is the one that the settings look at."""
    from trl.scripts import vllm_serve

    defaults = {item.name: item.default for item in fields(vllm_serve.ScriptArguments)}
    assert defaults["port"] == TrainConfig().vllm_server_port and "model" in defaults


def _machine(monkeypatch, has_cuda: bool, is_installed: bool, is_unsloth: bool) -> None:
    import importlib.util

    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if is_installed else None)
    monkeypatch.setattr("finer.grpo_config.use_unsloth", lambda: is_unsloth)


ADAPTERS = {
    "the bundled policies train whole": ({}, 0),
    "others by an adapter": ({"policy": "qwen2.5-coder-0.5b"}, 32),
    "or whole": ({"policy": "qwen2.5-coder-0.5b", "tune": "whole"}, 0),
    "a bundled one by an adapter": ({"tune": "lora", "lora_rank": 4}, 4),
}


@pytest.mark.parametrize("case", ADAPTERS)
def test_what_is_trained(case):
    settings, rank = ADAPTERS[case]
    assert lora_of(TrainConfig(**settings)).rank == rank


def test_alpha_is_the_rank_where_it_is_not_given():
    told = replace(TrainConfig(), tune="lora", lora_rank=8, lora_targets=("q_proj",))
    assert lora_of(told).arguments == {"r": 8, "lora_alpha": 8, "lora_dropout": 0.0, "target_modules": ["q_proj"]}
    assert lora_of(replace(told, lora_alpha=32)).arguments["lora_alpha"] == 32
