"""GRPO with TRL: one run from a configuration to a trained policy, in this thread, a background thread, or after a crash.

Every completion is scored, truncated ones too (their SQL is judged as it stands). What TRL is told: ``grpo_config``; which
questions are asked: ``selection``. Under ``accelerate launch`` every process runs this, and the first one writes (``ranks``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from finer import out_of_memory, ranks
from finer.background import Training, start_in_thread
from finer.checkpoints import Mark, clear_broken, last_checkpoint, read_mark
from finer.config import CONFIG_FILE, TrainConfig, from_mapping, to_toml, with_full_paths
from finer.datasets import Database, Dataset
from finer.errors import FinerError, RunStoreError
from finer.grpo_config import check_shares, check_vllm, grpo_config
from finer.judge import Judge
from finer.ladder import LADDER, policy_spec
from finer.memory import Memory
from finer.policy import Lora, Policy, check_trainer, choose_policy, load_policy, quiet
from finer.prompt import completion_text
from finer.recorder import Controls, StepRecorder, record_accuracy
from finer.rewards import Scorer, own_part
from finer.rewards.own import RewardError, RewardFunction, is_place
from finer.rewards.recipes import RECIPES, Recipe, get_recipe, recipe_from
from finer.run_sources import COPY, changed_since, keep_files, keep_recipe, recipe_of_run, with_own_files
from finer.run_writer import RunWriter
from finer.runs import Run
from finer.selection import Selection, load_split_and_dev, rows, select
from finer.shown import Shown
from finer.trainer import make_callback, make_trainer, save_policy, use_threads, whole_weights

Tell = Callable[[str], None]
OwnRecipe = Recipe | RewardFunction | Sequence[RewardFunction]


def train(config: TrainConfig, folder: str | Path, on_event: Tell | None = None, recipe: OwnRecipe | None = None) -> Run:
    """Trains a policy to the end of its steps (or until it is asked to stop) and returns the run.

    ``recipe``: one of your own in place of the configuration's: a Recipe, a function with TRL's signature, or several of them. Only
    what comes from a file (``recipe = "FILE.py:NAME"`` in the configuration) can go on without being given again.

    Raises before anything is written: for an unknown policy, recipe or dataset, a reward function that fails on a first try,
    weights that let a wrong answer reach a right one, and a folder that holds a run. ``on_event`` gets one line for each
    thing worth telling.
    """
    folder, tell = Path(folder), _heard(on_event)
    given = None if recipe is None else recipe_from(recipe)
    config = settled(config if given is None else replace(config, recipe=given.source or given.name), tell)
    prepared = ranks.agreed(lambda: _prepare(config, tell, recipe_of(config, given)))
    with _writer(lambda: RunWriter.create(folder, asdict(config))) as writer:
        _note_beginning(config, folder, writer, prepared, ())
        _run(config, folder, writer, prepared, None, tell)
    return Run(folder)


def settled(config: TrainConfig, tell: Tell = lambda line: None) -> TrainConfig:
    """The configuration with what depends on this moment and place fixed, so that a run goes on from anywhere as it began.

    The policy that 'auto' takes, the learning rate that suits it, and files and folders by their full path.
    """
    if config.policy == "auto":
        name, why = choose_policy(config)
        tell(f"policy {name}: {why}")
        config = replace(config, policy=name)
    if not config.learning_rate:
        config = replace(config, learning_rate=policy_spec(config.policy).learning_rate)
    if is_place(config.recipe):
        file, _, name = config.recipe.rpartition(":")
        config = replace(config, recipe=f"{Path(file).resolve()}:{name}")
    names = {"policy": LADDER, "dataset": ("starter", "spider", "bird"), "data": ("",), "references": ("",), "pass_rates": ("",)}
    return with_full_paths(config, names)


def resume(folder: str | Path, on_event: Tell | None = None, recipe: OwnRecipe | None = None) -> Run:
    """Goes on with a run that broke off or was stopped, from its last whole checkpoint (or from the start).

    ``recipe``: the functions that :func:`train` was given, where they came from no file.

    Steps after the checkpoint are discarded from the store and done again, so no rollout is lost or there twice. On the same
    machine, on a CPU, the run ends as it would have without the break, to the last bit.
    """
    run, folder, tell = Run(folder), Path(folder), _heard(on_event)
    if run.status == "finished":
        raise RunStoreError(f"{folder} is finished: all {run.config.get('steps', run.last_step)} steps are there. Train a new run with --run DIR.")
    config = from_mapping(run.config, f"the configuration in {folder}")
    checkpoint = last_checkpoint(folder)
    mark = read_mark(checkpoint) if checkpoint else None
    is_done = mark is not None and mark.step >= config.steps
    prepared = None if is_done else ranks.agreed(lambda: _prepare(with_own_files(config, folder), tell, _recipe_again(run, config, recipe, tell)))
    if mark and mark.processes != ranks.count():
        tell(f"this run was trained by {mark.processes} processes and goes on with {ranks.count()}: its answers from here on are others than without the break")
    with _writer(lambda: RunWriter.resume(folder, mark.step if mark else 0)) as writer:
        if ranks.is_first():
            clear_broken(folder)
        if is_done:  # it broke off after the last checkpoint, which the trained policy's folder comes before
            writer.set_status("finished")
            tell(f"finished after step {config.steps}")
        else:
            _note_beginning(config, folder, writer, prepared, {(event.kind, event.detail) for event in run.events()})
            _run(config, folder, writer, prepared, checkpoint, tell)
    return Run(folder)


def _note_beginning(config: TrainConfig, folder: Path, writer: RunWriter | ranks.NoWriter, prepared: Prepared, known: Collection[tuple[str, str]]) -> None:
    """What lies beside the store, and what was said before the first step; of a run that goes on, what a crash left out of it."""
    if not ranks.is_first():
        return
    (folder / CONFIG_FILE).write_text(to_toml(config), encoding="utf-8")
    keep_recipe(prepared.recipe, folder)
    keep_files(config, folder)
    said = [*(("selected", one) for one in prepared.selection.said), *(("unproven", one) for one in unproven(prepared.recipe))]
    if ranks.count() > 1:
        said.append(("processes", f"{ranks.count()} processes train together, each with its share of a step's answers"))
    for kind, sentence in said:
        if (kind, sentence) not in known:
            writer.write_event(0, kind, sentence)


def _recipe_again(run: Run, config: TrainConfig, given: OwnRecipe | None, tell: Tell) -> Recipe:
    """The recipe that a run was started with."""
    if given is not None:
        recipe = recipe_from(given)
        if recipe.name != config.recipe:
            raise FinerError(f"{run.folder} was paid by {config.recipe!r}, and {recipe.name!r} is given; give what it was started with")
        return recipe_of(config, recipe)
    if config.recipe not in RECIPES and not is_place(config.recipe):
        raise FinerError(f"{run.folder} was paid by {config.recipe!r}, which no file holds; give it again: finer.grpo.resume({str(run.folder)!r}, recipe=...)")
    if changed := changed_since(run):
        tell(f"{changed} has changed since this run began, which goes on with its own copy: {run.folder / COPY}")
    return recipe_of_run(run).check()


def start(config: TrainConfig, folder: str | Path, recipe: OwnRecipe | None = None) -> Training:
    """Starts :func:`train` in a background thread; returns as soon as the run's store is there to be looked at.

    Raises what ``train`` raises before its first step.
    """
    return start_in_thread(lambda on_event: train(config, folder, on_event, recipe), folder)


def _silent(_: str) -> None:
    pass


def _heard(on_event: Tell | None) -> Tell:
    """What is told once, by the first of several processes."""
    return on_event if on_event and ranks.is_first() else _silent


def _writer(opened: Callable[[], RunWriter]) -> RunWriter | ranks.NoWriter:
    """The run's writer, in the first of several processes; where it cannot be opened all of them end."""
    return ranks.agreed(lambda: opened() if ranks.is_first() else ranks.NoWriter())


def recipe_of(config: TrainConfig, given: Recipe | None = None) -> Recipe:
    """The recipe (None: the one that the configuration names) with the configuration's weights; RecipeError where a wrong answer
    could reach a right one.
    """
    recipe = get_recipe(config.recipe) if given is None else given
    return (recipe.with_weights(config.weights) if config.weights else recipe).check()


@dataclass(frozen=True)
class Prepared:
    """Everything that may be refused, before anything is written."""

    recipe: Recipe
    selection: Selection
    dev: Dataset
    policy: Policy
    lora: Lora
    shown: Shown

    @property
    def databases(self) -> dict[str, Database]:
        return {**self.selection.dataset.databases, **self.dev.databases}

    @property
    def trains_adapter(self) -> bool:
        return self.lora.rank > 0


def unproven(recipe: Recipe) -> list[str]:
    """What cannot be promised of a recipe with functions of one's own, as a sentence."""
    if not recipe.own:
        return []
    return [f"nothing is known of {' and '.join(recipe.own)}, so a wrong answer may be paid more than a right one: `finer probe` shows whether it is"]


def _prepare(config: TrainConfig, tell: Tell, recipe: Recipe) -> Prepared:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if config.memory_contrast and not (config.memory and "memory" in recipe.parts):
        what = "memory is off" if "memory" in recipe.parts else f"recipe {recipe.name!r} has no memory part"
        raise FinerError(f"memory_contrast compares thoughts in the memory, and {what}; take it out, or set recipe and memory")
    lora = lora_of(config)
    check_shares(config, lora.rank > 0)
    check_vllm(config, lora.rank > 0)
    dataset, dev = load_split_and_dev(config)
    _try_rewards(recipe, dataset)
    context = config.max_prompt_tokens + config.max_completion_tokens if config.max_prompt_tokens else 4096
    tell(f"loading the policy {config.policy}")
    with out_of_memory.told(lambda said: f"memory does not hold {config.policy} ({said[:160]}); take a smaller policy, or tune = \"lora\""):
        policy = load_policy(config.policy, context_tokens=context, lora=lora, fast_inference=config.use_vllm)
    check_trainer(policy)
    shown = Shown({**dataset.databases, **dev.databases}, config.columns, note=policy.spec.note)
    selection = select(config, dataset, policy, shown, tell)
    for sentence in (*selection.said, *unproven(recipe)):
        tell(sentence)
    return Prepared(recipe, selection, dev, policy, lora, shown)


def _try_rewards(recipe: Recipe, dataset: Dataset) -> None:
    """Asks functions of one's own once about a right answer and an empty one, so that a fault in them is met before training."""
    question = dataset.questions[0]
    answers = [completion_text("the columns that the question asks for", question.gold[0]), ""]
    own_part.values(recipe.own, question, dataset.databases[question.db_id].schema, answers)


def lora_of(config: TrainConfig) -> Lora:
    """The adapter that is trained; of rank 0 where the whole model is."""
    whole = config.tune == "whole" or (config.tune == "auto" and not policy_spec(config.policy).lora_rank)
    return Lora(0 if whole else config.lora_rank, config.lora_alpha, config.lora_dropout, config.lora_targets, config.seed)


def _run(config: TrainConfig, folder: Path, writer: RunWriter | ranks.NoWriter, prepared: Prepared, checkpoint: Path | None, tell: Tell) -> None:
    """One run, or the rest of one."""
    policy, dev, shown = prepared.policy, prepared.dev, prepared.shown
    mark = read_mark(checkpoint) if checkpoint else Mark(0)
    use_threads(config.threads or mark.threads)
    with quiet(), closing(Controls(writer)) as controls, Judge(prepared.databases) as judge:
        scorer = _scorer(config, prepared, judge, checkpoint)
        recorder = StepRecorder(writer, scorer, config.group_size, config.memory)
        trainer = _trainer(config, folder, prepared, recorder, mark.step)
        policy.model = trainer.model
        _set_weights(trainer, [scorer.recipe.weights[part] for part in scorer.recipe.parts])
        controls.scorer, controls.set_weights = scorer, lambda weights: _set_weights(trainer, weights)

        def measure(step: int, always: bool = False) -> None:
            due = config.evaluate_every and step % config.evaluate_every == 0
            if always or due or step == config.steps:
                trainer.finer_stage = "evaluation"
                with whole_weights(trainer):
                    record_accuracy(writer, step, policy, dev, judge, config.evaluate_questions, config.max_completion_tokens, shown, tell)

        callback = make_callback(recorder, controls, measure, lambda step, metrics: tell(_line(config, step, metrics)),
                                 finish=lambda: save_policy(trainer, policy, folder / "policy"))  # fmt: skip
        callback.trainer = trainer
        trainer.add_callback(callback)
        def lower(said: str) -> str:
            return out_of_memory.message(config, trainer.finer_stage, prepared.trains_adapter, folder, trainer.state.global_step + 1, said)

        with out_of_memory.told(lower):
            if checkpoint is None:
                measure(0, always=True)
            try:
                trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            except RewardError as error:
                raise RewardError(f"{error}.{_mend(prepared.recipe, folder)}") from error
        stopped = trainer.state.global_step < config.steps
        if stopped:
            save_policy(trainer, policy, folder / "policy")
        writer.set_status("stopped" if stopped else "finished")
        tell(f"{'stopped' if stopped else 'finished'} after step {trainer.state.global_step}")


def _trainer(config: TrainConfig, folder: Path, prepared: Prepared, recorder: StepRecorder, step: int) -> Any:
    """TRL's trainer, for a run that begins after ``step``."""
    from transformers import set_seed

    set_seed(config.seed)  # an adapter is drawn before TRL itself sets its seed
    steps_an_epoch = len(prepared.selection.prompts) // config.questions_per_step * config.num_iterations
    policy = prepared.policy
    return make_trainer(
        recorder,
        step // steps_an_epoch,
        model=policy.model,
        args=grpo_config(config, folder, prepared.trains_adapter),
        train_dataset=rows(prepared.selection),
        processing_class=policy.tokenizer,
        peft_config=policy.lora(wanted=prepared.lora),
    )


def _scorer(config: TrainConfig, prepared: Prepared, judge: Judge, checkpoint: Path | None) -> Scorer:
    """The scorer, with the memory and the weights as they were at the checkpoint."""
    recipe, dataset, memory = prepared.recipe, prepared.selection.dataset, None
    if checkpoint is not None:
        recipe = recipe.with_weights(read_mark(checkpoint).weights)
        memory = Memory.load(checkpoint / "memory") if (checkpoint / "memory").exists() else None
    elif config.memory_contrast and "memory" in recipe.parts:
        memory = Memory(contrast=True)
        memory.add(dataset.traces)
    return Scorer(recipe, dataset, memory, judge)


def _mend(recipe: Recipe, folder: Path) -> str:
    """Where to mend a function that failed while it trained."""
    if not recipe.source:
        return ""
    return f" Mend it in {folder / COPY}, the copy that this run goes on with, then: finer resume {folder}"


def _set_weights(trainer: Any, weights: Any) -> None:
    import torch

    trainer.reward_weights = torch.tensor(list(weights), dtype=torch.float32)


def _line(config: TrainConfig, step: int, metrics: dict[str, float]) -> str:
    head, seconds = f"step {step}/{config.steps}", f"{metrics.get('step_time', float('nan')):.1f} s"
    if "reward" not in metrics:
        return f"{head}  the same answers again  {seconds}"
    silent = metrics.get("frac_reward_zero_std", 0.0)
    return f"{head}  reward {metrics['reward']:.3f}  groups without a signal {100 * silent:.0f} %  {seconds}"
