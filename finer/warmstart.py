"""A warm start with TRL: a policy imitates traces before it is paid for anything, in this thread, a background thread, or after a crash.

Differences from TRL's SFTTrainer as it comes: (1) the rows are made here, token by token as ``Policy`` asks its questions, so
that no chat template drops a thought, and the loss is on the completion alone; (2) a trace that is too long is left out and
counted, never cut; (3) each step's traces are a random draw, sorted by length within the step and put through a few at a time,
so that little is padding and the loss of a step is still that of a random draw; (4) packed only where FlashAttention runs, which
is where packing saves time (docs/warm-start.md has the figures); (5) every value that decides a run is set. Works in one process
with one device.
"""

from __future__ import annotations

import json
import math
import os
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from finer.background import Training, start_in_thread
from finer.checkpoints import FOLDER, Mark, clear_broken, last_checkpoint, read_mark
from finer.config import CONFIG_FILE, Settings, TrainConfig, from_mapping, to_toml, with_full_paths
from finer.datasets import Dataset, load_dataset
from finer.datasets.folder import is_folder
from finer.errors import FinerError, RunStoreError
from finer.judge import Judge
from finer.ladder import ATTENTION_AND_MLP, LADDER, policy_spec
from finer.policy import Lora, Policy, check_trainer, choose_policy, half_precision, load_policy, quiet
from finer.recorder import Controls, LossRecorder, record_accuracy
from finer.run_writer import RunWriter
from finer.runs import Run
from finer.runs_schema import WARM_START
from finer.selection import load_split_and_dev
from finer.shown import Shown
from finer.traces import Demonstration, Progress, dataset_traces, judged, read_traces
from finer.trainer import KnowsTiedWeights, make_callback, use_threads

TRACES_FILE = "traces.jsonl"
"""In the run's folder: the traces that it learns from, as they were judged when it began."""
CHECKPOINTS_KEPT = 2
MOST_WARM_UP_STEPS = 100
FEW_STEPS = 20
"""Fewer, where nobody chose them, are told: a warm start on the traces of twenty questions would be over before it began."""
DATASETS_OWN = "dataset"
TINY_RATE, LORA_RATE, WHOLE_RATE = 5e-4, 2e-4, 2e-5
"""Learning rates by what is trained: the bundled policies, an adapter, a whole pretrained model (arXiv 2605.03465)."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class WarmConfig(Settings):
    """Everything that decides a warm start, with the paper's two epochs and values that suit the bundled policies."""

    policy: str = "tiny"
    """A name of the ladder, a local folder, or a hub id; 'auto': the largest of the ladder that fits."""
    traces: str = DATASETS_OWN
    """A JSONL file of traces; 'dataset': those that the data set carries."""
    keep_wrong: bool = False
    """Learn from traces whose SQL is wrong too, as the paper does: they still show the format and how to reason."""
    dataset: str = "starter"
    """'starter', 'spider', 'bird', or a folder: whose questions the traces answer."""
    data: str = ""
    """The folder of Spider's or BIRD's own files; '': fetched once."""
    split: str = "train"
    """Traces of other splits are left out."""
    epochs: float = 2.0
    """How often each trace is seen."""
    steps: int = 0
    """How many steps, whatever ``epochs`` says; 0: as many as the epochs need."""
    traces_per_step: int = 32
    traces_at_once: int = 4
    """How many of a step's traces go through the model together; fewer take less memory, and on a CPU less padding."""
    most_tokens: int = 1024
    """Prompt and completion together; a longer trace is left out. Packed: the length of a pack."""
    packing: str = "auto"
    """Several traces in one row, apart in attention: 'on', 'off', or 'auto' (where FlashAttention runs)."""
    tune: str = "auto"
    """Train the whole model ('whole') or an adapter ('lora'); 'auto': what suits the policy."""
    lora_rank: int = 32
    lora_alpha: int = 0
    """The adapter's output is scaled by alpha / rank; 0: alpha is the rank."""
    lora_dropout: float = 0.0
    lora_targets: tuple[str, ...] = ATTENTION_AND_MLP
    """Modules that get an adapter."""
    learning_rate: float = 0.0
    """Its highest value, after a warm-up over a tenth of the steps, before a cosine to 0; 0: what suits the policy."""
    seed: int = 0
    columns: int = 0
    """How many columns a prompt shows, chosen for its question by the schema filter; 0: the whole schema."""
    evaluate_every: int = 0
    """Steps between evaluations on dev; 0: only at the start and at the end."""
    evaluate_questions: int = 0
    """How many dev questions an evaluation asks; 0: all."""
    max_completion_tokens: int = 0
    """Of an answer in an evaluation; 0: 160 for the bundled policies, 1024 for others."""
    checkpoint_every: int = 20
    """Steps between checkpoints; 0: only at the end."""
    threads: int = 0
    """CPU threads; 0: what OMP_NUM_THREADS says, else as many as the machine has."""

    LEAST: ClassVar[Mapping[str, int]] = {"traces_per_step": 1, "traces_at_once": 1, "most_tokens": 16, "lora_rank": 1}
    ABOVE_ZERO: ClassVar[tuple[str, ...]] = ("epochs",)
    AT_MOST_ONE: ClassVar[tuple[str, ...]] = ("lora_dropout",)
    MAY_BE_EMPTY: ClassVar[tuple[str, ...]] = ("data",)
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {"packing": ("auto", "on", "off"), "tune": ("auto", "whole", "lora")}


@dataclass(frozen=True)
class Row:
    """Token ids of a trace, or of several packed into one row."""

    ids: list[int]
    labels: list[int]
    """The ids that the loss is on; -100 where it is not."""
    lengths: tuple[int, ...]
    """Tokens of each trace in it."""


@dataclass
class Prepared:
    """Everything that may be refused, before anything is written."""

    config: WarmConfig
    """With what was left to be chosen filled in."""
    dataset: Dataset
    dev: Dataset
    policy: Policy
    traces: list[Demonstration]
    rows: list[Row]
    shown: Shown
    told: list[str]
    """What was done with the traces, in sentences."""


def train(config: WarmConfig, folder: str | Path, on_event: Tell | None = None, on_progress: Progress | None = None) -> Run:
    """Teaches a policy to write as the traces do, to the end of its steps (or until it is asked to stop); the run.

    The trained policy lies in ``policy`` of the run's folder, whole, for ``load_policy``. Raises before anything is written: for
    an unknown policy or data set, a file of traces that cannot be read, no trace that may be learnt from, and a folder that
    holds a run. ``on_event`` gets one line for each thing worth telling, ``on_progress`` how many traces are judged of how many.
    """
    config = _settled(config, on_event or _silent)
    prepared = prepare(config, None, on_progress)
    folder = Path(folder)
    with RunWriter.create(folder, {"stage": WARM_START, **asdict(prepared.config)}) as writer:
        _begin(prepared, folder, writer, on_event or _silent)
        _run(prepared, folder, writer, None, on_event or _silent)
    return Run(folder)


def resume(folder: str | Path, on_event: Tell | None = None) -> Run:
    """Goes on with a warm start that broke off or was stopped, from its last whole checkpoint (or from the start).

    It ends with the weights of one that never broke off. Steps after the checkpoint are discarded from the store and done again.
    """
    run, folder = Run(folder), Path(folder)
    config = from_mapping({key: value for key, value in run.config.items() if key != "stage"}, f"the configuration in {folder}", WarmConfig())
    if run.status == "finished":
        raise RunStoreError(f"{folder} is finished: all {config.steps} steps are there. Begin a new warm start with --run DIR.")
    checkpoint = last_checkpoint(folder)
    mark = read_mark(checkpoint) if checkpoint else Mark(0)
    is_done = mark.step >= config.steps
    has_begun = (folder / TRACES_FILE).exists()
    prepared = None if is_done else prepare(config, folder / TRACES_FILE if has_begun else None, None)
    with RunWriter.resume(folder, mark.step) as writer:
        clear_broken(folder)
        if prepared is not None and not has_begun:
            _begin(prepared, folder, writer, on_event or _silent)
        if prepared is None:  # it broke off after the last checkpoint, which the trained policy's folder comes before
            writer.set_status("finished")
        else:
            _run(prepared, folder, writer, checkpoint, on_event or _silent)
    return Run(folder)


def _settled(config: WarmConfig, tell: Tell) -> WarmConfig:
    """With the policy that 'auto' takes, and files and folders by their full path."""
    if config.policy == "auto":
        name, why = choose_policy()
        tell(f"policy {name}: {why}")
        config = replace(config, policy=name)
    return with_full_paths(config, {"policy": LADDER, "dataset": ("starter", "spider", "bird"), "data": ("",), "traces": (DATASETS_OWN,)})


def _begin(prepared: Prepared, folder: Path, writer: RunWriter, tell: Tell) -> None:
    """What a run's folder holds from the beginning; the traces last, and whole or not at all."""
    (folder / CONFIG_FILE).write_text(to_toml(prepared.config), encoding="utf-8")
    for sentence in prepared.told:
        writer.write_event(0, "traces", sentence)
        tell(sentence)
    part = folder / (TRACES_FILE + ".part")
    part.write_text("".join(json.dumps(trace.as_json(), ensure_ascii=False) + "\n" for trace in prepared.traces), encoding="utf-8")
    part.replace(folder / TRACES_FILE)


def start(config: WarmConfig, folder: str | Path) -> Training:
    """Starts :func:`train` in a background thread; returns as soon as the run's store is there to be looked at.

    Raises what ``train`` raises before its first step.
    """
    return start_in_thread(lambda on_event: train(config, folder, on_event), folder)


def _silent(_: str) -> None:
    pass


# --- what is learnt from


def prepare(config: WarmConfig, kept: Path | None, on_progress: Progress | None) -> Prepared:
    """``kept``: the traces that a run began with, which are neither chosen nor judged again."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    dataset, dev = load_split_and_dev(TrainConfig(dataset=config.dataset, split=config.split, data=config.data))
    holds_splits = config.dataset == "starter" or is_folder(Path(config.dataset))
    everything = load_dataset(config.dataset) if holds_splits else dataset  # to tell of traces of other splits
    shown = Shown({**dataset.databases, **dev.databases}, config.columns)
    if kept is None:
        traces, told = chosen_traces(config, everything, on_progress)
    else:
        traces, told = read_traces(kept, everything), []
    policy = load_policy(config.policy, context_tokens=config.most_tokens, lora=_lora(config))
    check_trainer(policy)
    config, shown.note = _chosen(config, policy), policy.spec.note
    made = [(trace, tokens_of(trace, policy, dataset, shown)) for trace in traces]
    fitting = [(trace, row) for trace, row in made if len(row.ids) <= config.most_tokens]
    if not fitting:
        raise FinerError(f"every trace is longer than {config.most_tokens} tokens with its prompt; raise it with --set most_tokens=N")
    if len(fitting) < len(made):
        told.append(f"{len(made) - len(fitting)} of {len(made)} are left out: with their prompt they are longer than {config.most_tokens} tokens (most_tokens)")
    rows = [row for _, row in fitting]
    rows = packed(rows, config.most_tokens) if config.packing == "on" else rows
    if not config.steps:
        config = replace(config, steps=steps_of(config, rows))
        told += _of_few_steps(config, len(fitting))
    return Prepared(config, dataset, dev, policy, [trace for trace, _ in fitting], rows, shown, told)


def chosen_traces(config: WarmConfig, dataset: Dataset, on_progress: Progress | None = None) -> tuple[list[Demonstration], list[str]]:
    """The traces that may be learnt from, each judged by execution on every instance, and what became of the others, in sentences."""
    found = dataset_traces(dataset) if config.traces == DATASETS_OWN else read_traces(config.traces, dataset)
    here = [trace for trace in found if trace.question.split == config.split]
    with Judge(dataset.databases) as judge:
        verdicts = judged(here, judge, on_progress)
    kept = [trace for trace in verdicts if (trace.correct or (config.keep_wrong and trace.correct is False)) and not trace.fault]
    if not kept:
        others = Counter(trace.question.split for trace in found if trace.question.split != config.split)
        wrong = sum(trace.correct is False for trace in verdicts)
        raise FinerError(
            f"of {len(found)} traces none may be learnt from: {wrong} are wrong, {sum(others.values())} are of other splits than {config.split!r}, "
            f"{len(here) - wrong} could not be judged or do not keep the format. Wrong ones are kept with --keep-wrong"
        )
    return kept, _told(config, found, verdicts)


def _told(config: WarmConfig, found: Sequence[Demonstration], verdicts: Sequence[Demonstration]) -> list[str]:
    right, wrong, unjudged = (sum(trace.correct is value for trace in verdicts) for value in (True, False, None))
    kept = "kept (keep_wrong)" if config.keep_wrong else "left out"
    said = [f"{len(verdicts)} traces judged on every instance: {right} right, {wrong} wrong" + (f" and {kept}" if wrong else "")]
    if unjudged:
        said.append(f"{unjudged} could not be judged and are left out; the first: {next(t.reason for t in verdicts if t.correct is None)}")
    faults = [trace.fault for trace in verdicts if trace.fault]
    if faults:
        said.append(f"{len(faults)} do not keep the format and are left out; the first: {faults[0]}")
    others = len(found) - len(verdicts)
    if others:
        said.append(f"{others} are of other splits than {config.split!r} and are left out")
    return said


def _of_few_steps(config: WarmConfig, traces: int) -> list[str]:
    if config.steps >= FEW_STEPS:
        return []
    return [f"{traces} traces, each seen {config.epochs:g} times, make {config.steps} step{'s' * (config.steps > 1)}, which teach little; --steps {2 * FEW_STEPS} shows them more often"]


def tokens_of(trace: Demonstration, policy: Policy, dataset: Dataset, shown: Shown) -> Row:
    """The trace as the policy would meet and write it: its prompt's tokens, the completion's, and the end mark."""
    question, tokenizer = trace.question, policy.tokenizer
    asked = policy.messages(question, dataset.databases[question.db_id].schema, shown.of(question))
    prompt = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    after = tokenizer(trace.completion, add_special_tokens=False)["input_ids"]
    after.append(tokenizer.eos_token_id)
    return Row(before + after, [-100] * len(before) + after, (len(before) + len(after),))


def _lora(config: WarmConfig) -> Lora:
    """The adapter that is trained; of rank 0 where the whole model is."""
    whole = config.tune == "whole" or (config.tune == "auto" and not policy_spec(config.policy).lora_rank)
    return Lora(0 if whole else config.lora_rank, config.lora_alpha, config.lora_dropout, config.lora_targets, config.seed)


def _chosen(config: WarmConfig, policy: Policy) -> WarmConfig:
    """The configuration with every 'auto' chosen for this policy. FinerError where a choice does not fit it."""
    from trl.trainer.sft_trainer import FLASH_ATTENTION_VARIANTS

    tune = "lora" if _lora(config).rank else "whole"
    if tune == "whole" and hasattr(policy.model, "peft_config"):
        raise FinerError(f"{config.policy} is a policy with an adapter on it, so it cannot be trained whole; leave out tune=whole")
    rate = config.learning_rate or (LORA_RATE if tune == "lora" else TINY_RATE if policy.spec.style == "tiny" else WHOLE_RATE)
    flash = getattr(policy.model.config, "_attn_implementation", None) in FLASH_ATTENTION_VARIANTS
    packing = config.packing if config.packing != "auto" else ("on" if flash else "off")
    limit = getattr(policy.model.config, "max_position_embeddings", None) or config.most_tokens
    return replace(config, tune=tune, learning_rate=rate, packing=packing, most_tokens=min(config.most_tokens, limit))


def packed(rows: Sequence[Row], most_tokens: int) -> list[Row]:
    """The rows put together into few of at most ``most_tokens``, by TRL's best fit; none is cut."""
    from datasets import Dataset as Rows
    from datasets.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    from trl import pack_dataset

    table, silent = Rows.from_dict({"input_ids": [row.ids for row in rows], "labels": [row.labels for row in rows]}), are_progress_bars_disabled()
    disable_progress_bars()
    packs = pack_dataset(table, most_tokens, "bfd")
    if not silent:
        enable_progress_bars()
    return [Row(pack["input_ids"], pack["labels"], tuple(pack["seq_lengths"])) for pack in packs]


def rows_per_step(config: WarmConfig, rows: Sequence[Row]) -> int:
    """How many rows a step takes, so that it sees ``traces_per_step`` traces: as many where they are not packed, about so many packed."""
    return max(1, round(config.traces_per_step * len(rows) / sum(len(row.lengths) for row in rows)))


def steps_of(config: WarmConfig, rows: Sequence[Row]) -> int:
    """How many steps the epochs take; the last may reach into a further epoch.

    >>> steps_of(WarmConfig(epochs=2, traces_per_step=32), [Row([5], [5], (1,))] * 576)
    36
    """
    return max(1, math.ceil(config.epochs * len(rows) / rows_per_step(config, rows)))


def ordered(lengths: Sequence[int], steps: int, size: int, seed: int) -> list[int]:
    """Places of the rows in the order in which they are seen: each step's a random draw, by length within the step.

    Every row is seen once before any is seen twice.

    >>> ordered([9, 5, 7, 3], steps=2, size=2, seed=1), ordered([9, 5], steps=1, size=4, seed=0)
    ([3, 0, 1, 2], [1, 1, 0, 0])
    """
    draw, places = random.Random(seed), []
    while len(places) < steps * size:
        epoch = list(range(len(lengths)))
        draw.shuffle(epoch)
        places += epoch
    batches = [places[start : start + size] for start in range(0, steps * size, size)]
    return [place for batch in batches for place in sorted(batch, key=lambda one: (lengths[one], one))]


# --- training


def _run(prepared: Prepared, folder: Path, writer: RunWriter, checkpoint: Path | None, tell: Tell) -> None:
    """One warm start, or the rest of one."""
    config, policy, dev = prepared.config, prepared.policy, prepared.dev
    use_threads(config.threads or (read_mark(checkpoint).threads if checkpoint else 0))
    with quiet(), closing(Controls(writer)) as controls, Judge(dev.databases) as judge:
        trainer = make_trainer(prepared, folder)
        policy.model = trainer.model

        def measure(step: int, always: bool = False) -> None:
            due = config.evaluate_every and step % config.evaluate_every == 0
            if always or due or step == config.steps:
                record_accuracy(writer, step, policy, dev, judge, config.evaluate_questions, config.max_completion_tokens, prepared.shown, tell)

        def save() -> None:
            policy.save(folder / "policy", merge=True)

        callback = make_callback(LossRecorder(writer), controls, measure, lambda step, metrics: tell(_line(config, step, metrics)), save)
        callback.trainer = trainer
        trainer.add_callback(callback)
        if checkpoint is None:
            measure(0, always=True)
        else:
            counted = Run(folder).metrics("num_tokens")
            trainer._total_train_tokens = int(counted[-1][1]) if counted else 0  # TRL counts from 0 again
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        stopped = trainer.state.global_step < config.steps
        if stopped:
            save()
        writer.set_status("stopped" if stopped else "finished")
        tell(f"{'stopped' if stopped else 'finished'} after step {trainer.state.global_step}; the policy: {folder / 'policy'}")


def make_trainer(prepared: Prepared, folder: Path) -> Any:
    """TRL's trainer over the rows; its class is imported here, because Unsloth replaces trl's own when it is imported."""
    import torch
    from datasets import Dataset as Rows
    from transformers import PrinterCallback, set_seed
    from trl import SFTTrainer

    class ImitatingTrainer(KnowsTiedWeights, SFTTrainer):
        pass

    config, policy, rows = prepared.config, prepared.policy, prepared.rows
    if config.tune == "whole" and policy.model.dtype != torch.float32:
        policy.model.float()  # AdamW's small steps are lost in half precision
    set_seed(config.seed)  # an adapter is drawn before TRL itself sets its seed
    size = rows_per_step(config, rows)
    order = ordered([len(row.ids) for row in rows], config.steps, size, config.seed)
    columns = {"input_ids": [row.ids for row in rows], "labels": [row.labels for row in rows]}
    columns |= {"seq_lengths": [row.lengths for row in rows]} if config.packing == "on" else {}
    trainer = ImitatingTrainer(model=policy.model, args=_arguments(config, folder, size), train_dataset=Rows.from_dict(columns).select(order),
                         processing_class=policy.tokenizer, peft_config=policy.lora(wanted=_lora(config)))  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(config: WarmConfig, folder: Path, size: int) -> Any:
    """TRL's configuration of one pass over the ordered rows, ``size`` of them a step."""
    import torch
    from trl import SFTConfig

    cuda, is_packed = torch.cuda.is_available(), config.packing == "on"
    most = 1 if is_packed else min(config.traces_at_once, size)
    at_once = next(count for count in range(most, 0, -1) if size % count == 0)
    return SFTConfig(
        output_dir=str(folder / FOLDER), max_steps=config.steps, seed=config.seed, data_seed=config.seed,
        per_device_train_batch_size=at_once, gradient_accumulation_steps=size // at_once,
        train_sampling_strategy="sequential", shuffle_dataset=False, completion_only_loss=True, loss_type="chunked_nll",
        max_length=None, packing=False, padding_free=is_packed,
        learning_rate=config.learning_rate, lr_scheduler_type="cosine", warmup_steps=min(MOST_WARM_UP_STEPS, config.steps // 10),
        weight_decay=0.0, max_grad_norm=1.0, optim="adamw_torch",
        bf16=half_precision() == torch.bfloat16, fp16=half_precision() == torch.float16, use_cpu=not cuda, gradient_checkpointing=bool(cuda and config.tune == "lora"),
        logging_steps=1, save_strategy="steps" if config.checkpoint_every else "no", save_steps=config.checkpoint_every or 1,
        save_total_limit=CHECKPOINTS_KEPT, report_to=[], disable_tqdm=True, dataloader_pin_memory=False,
    )  # fmt: skip


def _line(config: WarmConfig, step: int, metrics: Mapping[str, float]) -> str:
    """What a step is told by; Unsloth's trainer reports its loss alone."""
    told = [f"step {step}/{config.steps}  loss {metrics.get('loss', float('nan')):.3f}"]
    if "mean_token_accuracy" in metrics:
        told.append(f"tokens right {100 * metrics['mean_token_accuracy']:.0f} %")
    if "num_tokens" in metrics:
        told.append(f"{metrics['num_tokens']:,.0f} tokens seen")
    return "  ".join(told)
