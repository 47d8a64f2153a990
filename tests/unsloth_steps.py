"""Steps on a CPU as a GPU would take them: through the trainers that Unsloth's code for GPUs writes, or through TRL's own.

``python unsloth_steps.py trl FOLDER`` trains FOLDER/whole by GRPO and FOLDER/warm by a warm start; with ``unsloth`` also FOLDER/killed, which breaks
off in step 2 and goes on, and FOLDER/twice, which uses its answers twice; the last line is then what was seen, as JSON. Unsloth writes its trainers
into ./unsloth_compiled_cache.

UNSLOTH_ALLOW_CPU=1 is the switch of Unsloth's own tests: its code for GPUs is imported without one. A stand-in loads the policy, since Unsloth's
loader and its kernels need a GPU: transformers and PEFT load it, and it gets the switches and the ``generate`` that Unsloth puts on its models.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import sys
import time
import types
from pathlib import Path
from typing import Any

SETTINGS = {"policy": "tiny", "tune": "lora", "lora_rank": 4, "steps": 3, "questions_per_step": 2, "group_size": 4, "max_completion_tokens": 80, "learning_rate": 1e-3,
            "evaluate_every": 1, "evaluate_questions": 1, "checkpoint_every": 1, "checkpoints_kept": 9, "threads": 1, "seed": 3}  # fmt: skip
WARM = {"policy": "tiny", "tune": "lora", "lora_rank": 4, "steps": 3, "traces_per_step": 8, "traces_at_once": 4, "evaluate_every": 1, "evaluate_questions": 1,
        "checkpoint_every": 1, "threads": 1, "learning_rate": 1e-3}  # fmt: skip
OTHERS = ({}, {"loss_type": "grpo", "scale_rewards": "group"}, {"loss_type": "dr_grpo", "scale_rewards": "group"}, {"loss_type": "dapo", "beta": 0.04, "epsilon_high": 0.28})
"""Settings beside those, whose values Unsloth's configuration is known to change or to comment on."""
SEEN: dict[str, Any] = {}


def bring_unsloth() -> None:
    os.environ |= {"UNSLOTH_ALLOW_CPU": "1", "UNSLOTH_COMPILE_DISABLE": "1", "UNSLOTH_FORCE_FLOAT32": "1"}
    began = time.perf_counter()
    import unsloth
    from unsloth.models import rl
    from unsloth.models.llama import FastLlamaModel

    SEEN.update(version=unsloth.__version__, device=unsloth.DEVICE_TYPE, import_seconds=round(time.perf_counter() - began, 1))
    os.environ["UNSLOTH_ALLOW_CPU"] = "0"  # with it, its trainers stay unwritten
    began = time.perf_counter()
    rl.PatchRL(FastLlamaModel)
    for name in ("grpo_trainer", "sft_trainer"):
        rl._patch_trl_rl_trainers(name)
    SEEN["written_seconds"] = round(time.perf_counter() - began, 1)


def as_unsloths(model: Any) -> None:
    from unsloth.models.llama import FastLlamaModel, unsloth_fast_generate

    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model._unsloth_gradient_checkpointing = True
    model._old_generate, model.generate = model.generate, types.MethodType(unsloth_fast_generate, model)
    part = model
    while part is not None:
        part.for_training, part.for_inference = functools.partial(FastLlamaModel.for_training, part), functools.partial(FastLlamaModel.for_inference, part)
        part = getattr(part, "model", None)


def main(kind: str, folder: Path) -> None:
    if kind == "unsloth":
        bring_unsloth()
    from finer import cpu_generation, grpo, warmstart
    from finer.config import TrainConfig

    cpu_generation.serves = lambda model: False  # answers and their probabilities come the way they come on a GPU
    grpo.load_policy = warmstart.load_policy = functools.partial(load, dress=as_unsloths if kind == "unsloth" else lambda model: None)
    config = TrainConfig(**SETTINGS)
    if kind == "unsloth":
        observe(config, folder)
    whole = grpo.train(config, folder / "whole")
    warmstart.train(warmstart.WarmConfig(**WARM), folder / "warm")
    if kind == "unsloth":
        resumed = killed_and_resumed(config, folder / "killed")
        grpo.train(dataclasses.replace(config, num_iterations=2, steps=2, checkpoint_every=2), folder / "twice")
        SEEN.update(status=[whole.status, resumed.status], steps=[whole.last_step, resumed.last_step], answers=[len(run.rollouts()) for run in (whole, resumed)])
        SEEN["refused"] = refusal(config)
        print(json.dumps(SEEN))


def load(name: str, context_tokens: int, lora: Any, dress: Any, **_: Any) -> Any:
    from peft import get_peft_model
    from transformers import set_seed

    from finer import policy

    loaded = policy._load_with_transformers(policy.policy_spec(name))
    set_seed(lora.seed)
    model = get_peft_model(loaded.model, loaded.lora(wanted=lora))
    dress(model)
    return dataclasses.replace(loaded, model=model)


def observe(config: Any, folder: Path) -> None:
    """Notes what becomes of our settings, and what the updates to come are like. Gradients are checkpointed, as on a GPU."""
    import trl

    from finer import grpo_config, warmstart

    of_machine = grpo_config._of_machine
    grpo_config._of_machine = lambda trains_adapter: {**of_machine(trains_adapter), "gradient_checkpointing": True}
    arguments = warmstart._arguments
    warmstart._arguments = lambda *values: dataclasses.replace(arguments(*values), gradient_checkpointing=True)
    SEEN["not_held"] = {str(other): fields for other in OTHERS if (fields := not_held(dataclasses.replace(config, **other), folder))}
    for stage, trainer_class in {"checkpointing": trl.GRPOTrainer, "checkpointing_warm": trl.SFTTrainer}.items():
        SEEN[stage] = []
        note_updates(trainer_class, SEEN[stage])
    note_settings(trl.GRPOTrainer)


def killed_and_resumed(config: Any, folder: Path) -> Any:
    from finer import grpo

    class Killed(BaseException):
        pass

    def kill(line: str) -> None:
        if line.startswith("step 2/3"):
            raise Killed

    try:
        grpo.train(config, folder, on_event=kill)
    except Killed:
        pass
    return grpo.resume(folder)


def not_held(config: Any, folder: Path) -> dict[str, str]:
    """Fields that the configuration's class has made something else of, and that are not put back; also notes which fields are given."""
    import trl

    from finer.grpo_config import grpo_config

    real, given = trl.GRPOConfig, {}

    def noted(**values: Any) -> Any:
        given.update(values)
        return real(**values)

    trl.GRPOConfig = noted
    try:
        built = grpo_config(config, folder, True)
    finally:
        trl.GRPOConfig = real
    SEEN["given"] = sorted(given)
    plain = {name: getattr(value, "value", value) for name in given if (value := getattr(built, name)) is not None or given[name] is not None}
    return {name: f"{given[name]} -> {value}" for name, value in plain.items() if value != given[name] and name != "generation_batch_size"}


def note_updates(trainer_class: type, seen: list[Any]) -> None:
    """Notes of each update whether gradients are checkpointed."""
    compute = trainer_class.compute_loss

    def compute_loss(self: Any, model: Any, *values: Any, **named: Any) -> Any:
        seen.append(sorted({bool(part.gradient_checkpointing) for part in model.modules() if hasattr(part, "gradient_checkpointing")}))
        return compute(self, model, *values, **named)

    trainer_class.compute_loss = compute_loss


def note_settings(trainer_class: type) -> None:
    """Notes what the trainer has made of its settings, and which classes it is of."""
    build = trainer_class.__init__

    def __init__(self: Any, *values: Any, args: Any, **named: Any) -> None:
        before = {name: getattr(args, name) for name in SEEN["given"]}
        build(self, *values, args=args, **named)
        SEEN["changed_by_trainer"] = {name: f"{value} -> {getattr(self.args, name)}" for name, value in before.items() if getattr(self.args, name) != value}
        SEEN["classes"] = [one.__name__ for one in type(self).__mro__]

    trainer_class.__init__ = __init__


def refusal(config: Any) -> str:
    """What is said of a policy that Unsloth has not loaded."""
    from finer import grpo, policy

    grpo.load_policy = lambda name, **_: policy._load_with_transformers(policy.policy_spec(name))
    try:
        grpo._prepare(dataclasses.replace(config, tune="whole"), lambda line: None, grpo.recipe_of(config))
    except policy.PolicyError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
