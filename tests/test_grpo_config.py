"""A run's settings as TRL's GRPOConfig: every field is set, and stays as it was set. Run with: pytest tests/test_grpo_config.py"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import transformers
import trl

from finer.config import PRESETS, TrainConfig
from finer.grpo import lora_of
from finer.grpo_config import FIXED, grpo_config

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
    ours = {"learning_rate", "logging_steps", "vllm_server_host", "log_multimodal", "report_to", "disable_tqdm", "dataloader_pin_memory", "num_train_epochs", "ddp_find_unused_parameters"}
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
