"""A run's settings as TRL's GRPOConfig, every field of GRPO set, so that no other package's defaults decide a run.

Unsloth replaces GRPOConfig on a GPU and changes defaults in it, some of them behind values that were given (with the loss 'dapo'
it raises epsilon_high and masks what was cut off); ``held`` puts such a value back. Differences from TRL 1.14's defaults:
advantages are differences to the group's mean, not divided by its standard deviation, unless the settings say so (with dense parts
the division blows small differences between wrong answers up to the size of right against wrong; Dr. GRPO, arXiv 2503.20783,
leaves it out too); the learning rate is constant; checkpoints at steps of one's own choice.
"""

from __future__ import annotations

import importlib.util
from math import gcd
from pathlib import Path
from typing import Any

from finer import ranks
from finer.checkpoints import FOLDER
from finer.config import TrainConfig, answers_at_once
from finer.errors import ConfigError
from finer.policy import half_precision, use_unsloth

FIXED: dict[str, Any] = {
    # The model is given loaded; its reference, where beta asks for one, is the start.
    "model_init_kwargs": None, "trust_remote_code": False, "router_aux_loss_coef": None, "disable_dropout": False,
    "cast_lm_head_to_fp32": False, "sync_ref_model": False, "ref_model_mixup_alpha": 0.6, "ref_model_sync_steps": 512,
    # Questions and answers.
    "remove_unused_columns": False, "shuffle_dataset": True, "pad_to_multiple_of": None, "generation_batch_size": None,
    "num_generations_eval": None, "min_p": None, "repetition_penalty": 1.0, "generation_kwargs": None, "chat_template_kwargs": None,
    "cache_implementation": None, "max_tool_calling_iterations": None, "ds3_gather_for_generation": True,
    "use_transformers_continuous_batching": False, "transformers_continuous_batching_config": None,
    # Losses that the settings do not offer, and corrections that are off.
    "delta": None, "sapo_temperature_neg": 1.05, "sapo_temperature_pos": 1.0, "vespo_k_pos": 2.0, "vespo_lambda_pos": 3.0,
    "vespo_k_neg": 3.0, "vespo_lambda_neg": 2.0, "top_entropy_quantile": 1.0, "entropy_coef": 0.0, "use_adaptive_entropy": False,
    "entropy_coef_min": 0.0, "entropy_coef_max": 1.0, "entropy_coef_delta": 0.005, "entropy_target": 0.2,
    "off_policy_mask_threshold": None, "use_bias_correction_kl": True,
    # The weights are the trainer's, which a person may change while it runs.
    "reward_weights": None,
    # What vLLM is told, where the settings ask for it.
    "vllm_model_impl": "vllm", "vllm_enable_sleep_mode": False, "vllm_structured_outputs_regex": None, "vllm_server_base_url": None,
    "vllm_server_timeout": 240.0, "vllm_group_port": 51216, "vllm_gpu_memory_utilization": 0.3, "vllm_max_model_length": None,
    "vllm_tensor_parallel_size": 1, "vllm_importance_sampling_correction": True, "vllm_importance_sampling_mode": "sequence_mask",
    "vllm_importance_sampling_clip_max": 3.0, "vllm_importance_sampling_clip_min": None,
    # The run's own store keeps the completions; nothing is printed from the training thread or sent anywhere.
    "log_completions": False, "log_multimodal": False, "num_completions_to_print": None, "log_unique_prompts": False,
    "log_completions_hub_repo": None, "report_to": [], "disable_tqdm": True, "logging_strategy": "steps", "logging_steps": 1,
    "push_to_hub": False, "eval_strategy": "no",
    # The optimizer's own.
    "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8, "lr_scheduler_kwargs": None, "optim_args": None,
    "num_train_epochs": 1.0, "dataloader_pin_memory": False, "dataloader_num_workers": 0, "use_liger_kernel": False,
    # Of several processes: every weight that is trained takes part in every answer.
    "ddp_find_unused_parameters": False,
}  # fmt: skip
"""What every run has alike: TRL's own defaults but for what is said above."""


def grpo_config(config: TrainConfig, folder: Path, trains_adapter: bool) -> Any:
    """TRL's configuration of a run whose checkpoints go into ``folder``."""
    from trl import GRPOConfig

    asked = {**FIXED, **_of_run(config, folder), **_of_step(config, trains_adapter), **_of_machine(trains_adapter)}
    return held(GRPOConfig(**asked), asked)


def held(built: Any, asked: dict[str, Any]) -> Any:
    """The configuration with every field of ours as it was asked, whatever its class made of it. Derived fields are its own."""
    derived = ("output_dir", "generation_batch_size", "report_to", "optim", "bf16", "fp16", "use_cpu", "lr_scheduler_type", "save_strategy")
    for name, value in asked.items():
        if name not in derived and getattr(built, name) != value:
            setattr(built, name, value)
    return built


def _of_run(config: TrainConfig, folder: Path) -> dict[str, Any]:
    every = config.checkpoint_every
    return {
        "output_dir": str(folder / FOLDER), "max_steps": config.steps, "seed": config.seed, "data_seed": config.seed,
        "save_strategy": "steps" if every else "no", "save_steps": every or 1, "save_total_limit": config.checkpoints_kept,
    }  # fmt: skip


def _of_step(config: TrainConfig, trains_adapter: bool) -> dict[str, Any]:
    at_once, lots = shares(config, trains_adapter)
    same_name = (
        "num_iterations", "temperature", "top_p", "top_k", "scale_rewards", "multi_objective_aggregation", "loss_type",
        "importance_sampling_level", "epsilon", "beta", "mask_truncated_completions", "learning_rate", "lr_scheduler_type",
        "warmup_steps", "weight_decay", "max_grad_norm", "use_vllm", "vllm_mode", "vllm_server_host", "vllm_server_port",
    )  # fmt: skip
    return {
        **{name: getattr(config, name) for name in same_name},
        "num_generations": config.group_size, "max_completion_length": config.max_completion_tokens,
        "epsilon_high": config.epsilon_high or config.epsilon,
        "per_device_train_batch_size": at_once, "gradient_accumulation_steps": lots, "steps_per_generation": lots,
    }  # fmt: skip


def shares(config: TrainConfig, trains_adapter: bool) -> tuple[int, int]:
    """How many answers of a step go through the model together on each device, and how many such lots each has."""
    here = config.questions_per_step * config.group_size // ranks.count()
    at_once = gcd(answers_at_once(config, trains_adapter), here)
    return at_once, here // at_once


def check_shares(config: TrainConfig, trains_adapter: bool) -> None:
    """ConfigError where the answers of a step do not go evenly to the processes that train together."""
    answers, processes = config.questions_per_step * config.group_size, ranks.count()
    if answers % processes:
        fitting = [number for number in range(1, processes) if answers % number == 0]
        raise ConfigError(
            f"a step has {config.questions_per_step} x {config.group_size} = {answers} answers, which {processes} processes cannot share evenly; "
            f"start {' or '.join(map(str, fitting))} of them, or change questions_per_step or group_size"
        )
    if config.answers_at_once and shares(config, trains_adapter)[0] != config.answers_at_once:
        raise ConfigError(f"answers_at_once is {config.answers_at_once}, which does not divide the {answers // processes} answers that each of {processes} processes has of a step")


def check_vllm(config: TrainConfig, trains_adapter: bool) -> None:
    """ConfigError where answers are to come from vLLM and cannot, with what to do."""
    if not config.use_vllm:
        return
    import torch

    off = "or take use_vllm out: the policy then generates its answers itself"
    if not torch.cuda.is_available():
        raise ConfigError(f"use_vllm is on, and torch sees no CUDA device, over which the policy's weights get to vLLM at every step; train on a GPU, {off}")
    if importlib.util.find_spec("vllm") is None:
        raise ConfigError(f"use_vllm is on, and the package vllm is not installed here (the trainer needs it beside a server too); pip install \"trl[vllm]\", {off}")
    if trains_adapter and use_unsloth() and config.vllm_mode == "server":
        raise ConfigError(f"Unsloth, which loads this policy, has a vLLM of its own in the trainer's process and takes no server's; set vllm_mode to 'colocate', uninstall unsloth, {off}")


def _of_machine(trains_adapter: bool) -> dict[str, Any]:
    import torch

    cuda, half = torch.cuda.is_available(), half_precision()
    return {
        "optim": "adamw_8bit" if cuda and trains_adapter else "adamw_torch",
        "bf16": half == torch.bfloat16, "fp16": half == torch.float16, "use_cpu": not cuda, "gradient_checkpointing": bool(cuda and trains_adapter),
    }  # fmt: skip
