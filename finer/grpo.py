"""GRPO with TRL: one run from a configuration to a trained policy, in this thread, a background thread, or after a crash.

What is fixed here and why, as differences from TRL's defaults: learning rate constant and without warm-up (a run may be
stopped and resumed at any step); loss 'dapo', beta from the configuration; advantages are
differences to the group's mean, not divided by its standard deviation unless the configuration says so (with dense parts
the division blows small differences between wrong answers up to the size of right against wrong; Dr. GRPO, arXiv
2503.20783, leaves it out too); every completion scored, truncated ones too (their SQL is judged as it stands). Every value that Unsloth would
change silently is set. Works in one process with one device.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from finer.background import Training, start_in_thread
from finer.checkpoints import FOLDER, Mark, clear_broken, last_checkpoint, read_mark
from finer.config import CONFIG_FILE, TrainConfig, from_mapping, to_toml
from finer.datasets import Dataset, load_dataset
from finer.errors import FinerError, RunStoreError
from finer.judge import Judge
from finer.memory import Memory
from finer.policy import Policy, load_policy, quiet
from finer.recorder import Controls, StepRecorder, record_accuracy
from finer.rewards import Scorer
from finer.rewards.recipes import Recipe, get_recipe
from finer.run_writer import RunWriter
from finer.runs import Run
from finer.shown import Shown
from finer.trainer import make_callback, make_trainer, use_threads

CHECKPOINTS_KEPT = 2
Tell = Callable[[str], None]


def train(config: TrainConfig, folder: str | Path, on_event: Tell | None = None) -> Run:
    """Trains a policy to the end of its steps (or until it is asked to stop) and returns the run.

    Raises before anything is written: for an unknown policy, recipe or dataset, weights that let a wrong answer reach a
    right one, and a folder that holds a run. ``on_event`` gets one line for each thing worth telling.
    """
    prepared = _prepare(config)
    with RunWriter.create(folder, asdict(config)) as writer:
        _write_config(config, Path(folder))
        _run(config, Path(folder), writer, prepared, None, on_event or _silent)
    return Run(folder)


def resume(folder: str | Path, on_event: Tell | None = None) -> Run:
    """Goes on with a run that broke off or was stopped, from its last whole checkpoint (or from the start).

    Steps after the checkpoint are discarded from the store and done again, so no rollout is lost or there twice. On the same
    machine, on a CPU, the run ends as it would have without the break, to the last bit.
    """
    run, folder = Run(folder), Path(folder)
    config = from_mapping(run.config, f"the configuration in {folder}")
    if run.status == "finished":
        raise RunStoreError(f"{folder} is finished: all {config.steps} steps are there. Train a new run with --run DIR.")
    checkpoint = last_checkpoint(folder)
    mark = read_mark(checkpoint) if checkpoint else None
    is_done = mark is not None and mark.step >= config.steps
    prepared = None if is_done else _prepare(config)
    with RunWriter.resume(folder, mark.step if mark else 0) as writer:
        clear_broken(folder)
        _write_config(config, folder)
        if is_done:  # it broke off after the last checkpoint, which the trained policy's folder comes before
            writer.set_status("finished")
        else:
            _run(config, folder, writer, prepared, checkpoint, on_event or _silent)
    return Run(folder)


def _write_config(config: TrainConfig, folder: Path) -> None:
    (folder / CONFIG_FILE).write_text(to_toml(config), encoding="utf-8")


def start(config: TrainConfig, folder: str | Path) -> Training:
    """Starts :func:`train` in a background thread; returns as soon as the run's store is there to be looked at.

    Raises what ``train`` raises before its first step.
    """
    return start_in_thread(lambda on_event: train(config, folder, on_event), folder)


def _silent(_: str) -> None:
    pass


def recipe_of(config: TrainConfig) -> Recipe:
    """The recipe with the configuration's weights; RecipeError where a wrong answer could reach a right one."""
    recipe = get_recipe(config.recipe)
    return (recipe.with_weights(config.weights) if config.weights else recipe).check()


def _prepare(config: TrainConfig) -> tuple[Recipe, Dataset, Dataset, Policy]:
    """Everything that may be refused, before anything is written."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    recipe = recipe_of(config)
    if config.memory_contrast and not (config.memory and "memory" in recipe.parts):
        what = "memory is off" if "memory" in recipe.parts else f"recipe {recipe.name!r} has no memory part"
        raise FinerError(f"memory_contrast compares thoughts in the memory, and {what}; take it out, or set recipe and memory")
    everything = load_dataset(config.dataset)
    dataset = everything.split(config.split)
    dataset = replace(dataset, questions=tuple(q for q in dataset.questions if q.kind != config.without_kind))
    dev = everything.split("dev") if any(q.split == "dev" for q in everything.questions) else dataset
    if config.questions_per_step > len(dataset.questions):
        raise FinerError(
            f"questions_per_step is {config.questions_per_step}, but split {config.split!r} of {config.dataset} has "
            f"{len(dataset.questions)} questions; lower it with --set questions_per_step=N"
        )
    return recipe, dataset, dev, load_policy(config.policy)


def _run(config: TrainConfig, folder: Path, writer: RunWriter, prepared: tuple, checkpoint: Path | None, tell: Tell) -> None:
    """One run, or the rest of one."""
    recipe, dataset, dev, policy = prepared
    mark = read_mark(checkpoint) if checkpoint else Mark(0)
    use_threads(config.threads or mark.threads)
    with quiet(), closing(Controls(writer)) as controls, Judge({**dataset.databases, **dev.databases}) as judge:
        scorer = _scorer(config, recipe, dataset, judge, checkpoint)
        shown = Shown({**dataset.databases, **dev.databases}, config.columns)
        recorder = StepRecorder(writer, scorer, config.group_size, config.memory)
        steps_an_epoch = len(dataset.questions) // config.questions_per_step
        trainer = make_trainer(recorder, mark.step // steps_an_epoch, model=policy.model, args=_arguments(config, folder, policy),
                               train_dataset=_rows(dataset, policy, shown), processing_class=policy.tokenizer, peft_config=policy.lora())  # fmt: skip
        policy.model = trainer.model
        _set_weights(trainer, [scorer.recipe.weights[part] for part in scorer.recipe.parts])
        controls.scorer, controls.set_weights = scorer, lambda weights: _set_weights(trainer, weights)

        def measure(step: int, always: bool = False) -> None:
            due = config.evaluate_every and step % config.evaluate_every == 0
            if always or due or step == config.steps:
                record_accuracy(writer, step, policy, dev, judge, config.evaluate_questions, config.max_completion_tokens, shown, tell)

        callback = make_callback(recorder, controls, measure, lambda step, metrics: tell(_line(config, step, metrics)),
                                 finish=lambda: policy.save(folder / "policy"))  # fmt: skip
        callback.trainer = trainer
        trainer.add_callback(callback)
        if checkpoint is None:
            measure(0, always=True)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        stopped = trainer.state.global_step < config.steps
        if stopped:
            policy.save(folder / "policy")
        writer.set_status("stopped" if stopped else "finished")
        tell(f"{'stopped' if stopped else 'finished'} after step {trainer.state.global_step}")


def _scorer(config: TrainConfig, recipe: Recipe, dataset: Dataset, judge: Judge, checkpoint: Path | None) -> Scorer:
    """The scorer, with the memory and the weights as they were at the checkpoint."""
    memory = None
    if checkpoint is not None:
        recipe = recipe.with_weights(read_mark(checkpoint).weights)
        memory = Memory.load(checkpoint / "memory") if (checkpoint / "memory").exists() else None
    elif config.memory_contrast and "memory" in recipe.parts:
        memory = Memory(contrast=True)
        memory.add(dataset.traces)
    return Scorer(recipe, dataset, memory, judge)


def _rows(dataset: Dataset, policy: Policy, shown: Shown) -> Any:
    """The training questions as TRL's dataset: prompt (chat messages) and index."""
    from datasets import Dataset as Rows

    prompts = [policy.messages(q, dataset.databases[q.db_id].schema, shown.of(q)) for q in dataset.questions]
    return Rows.from_dict({"prompt": prompts, "index": [question.index for question in dataset.questions]})


def _arguments(config: TrainConfig, folder: Path, policy: Policy) -> Any:
    """TRL's configuration; a policy with LoRA takes one group at a time through the model, the bundled one a whole step."""
    import torch
    from trl import GRPOConfig

    accumulated = config.questions_per_step if policy.spec.lora_rank else 1
    cuda = torch.cuda.is_available()
    return GRPOConfig(
        output_dir=str(folder / FOLDER), max_steps=config.steps, seed=config.seed, data_seed=config.seed,
        per_device_train_batch_size=config.questions_per_step * config.group_size // accumulated,
        gradient_accumulation_steps=accumulated, num_generations=config.group_size,
        max_completion_length=config.max_completion_tokens, temperature=config.temperature,
        learning_rate=config.learning_rate, lr_scheduler_type="constant", warmup_steps=0, weight_decay=0.0,
        optim="adamw_8bit" if cuda and policy.spec.lora_rank else "adamw_torch", max_grad_norm=1.0,
        beta=config.beta, epsilon=0.2, loss_type="dapo", scale_rewards=config.scale_rewards, num_iterations=1,
        mask_truncated_completions=False, remove_unused_columns=False, shuffle_dataset=True,
        bf16=cuda, use_cpu=not cuda, gradient_checkpointing=bool(cuda and policy.spec.lora_rank),
        logging_steps=1, save_strategy="steps" if config.checkpoint_every else "no", save_steps=config.checkpoint_every or 1,
        save_total_limit=CHECKPOINTS_KEPT, report_to=[], disable_tqdm=True, dataloader_pin_memory=False,
    )  # fmt: skip


def _set_weights(trainer: Any, weights: Any) -> None:
    import torch

    trainer.reward_weights = torch.tensor(list(weights), dtype=torch.float32)


def _line(config: TrainConfig, step: int, metrics: dict[str, float]) -> str:
    silent = metrics.get("frac_reward_zero_std", 0.0)
    return (f"step {step}/{config.steps}  reward {metrics.get('reward', float('nan')):.3f}  "
            f"groups without a signal {100 * silent:.0f} %  {metrics.get('step_time', float('nan')):.1f} s")  # fmt: skip
