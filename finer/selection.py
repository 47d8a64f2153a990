"""Which questions a run asks, and with which prompts; how many were left out, and why.

A question is left out where its kind is, where its database is not here, where a policy always or never got it right beforehand
(its group would give no signal), and where its prompt and an answer do not fit into the policy's context (TRL cuts no prompt). Not covered: the order in which they are asked (TRL draws it), and those of dev.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from finer.config import TrainConfig
from finer.datasets import Dataset, load_dataset
from finer.enrich import read_enriched, with_references
from finer.errors import FinerError
from finer.policy import Policy
from finer.records import Question
from finer.schema import DataError
from finer.shown import Shown

PROGRESS_SECONDS = 5.0
LEAST_TOKENS = 64
"""Shorter answers hold no thought and query."""
Tell = Callable[[str], None]
Prompt = list[dict[str, str]]


@dataclass(frozen=True)
class Selection:
    """The questions that a run asks, each with its prompt."""

    dataset: Dataset
    prompts: list[Prompt]
    left_out: dict[str, int] = field(default_factory=dict)
    """Why → how many."""
    said: tuple[str, ...] = ()
    """What was left out, in sentences; none where nothing was."""


def load_split_and_dev(config: TrainConfig) -> tuple[Dataset, Dataset]:
    """The questions of the run's split, with their further references, and those of dev, which are the same where there are none of dev."""
    data = config.data or None
    dataset = load_dataset(config.dataset, config.split, data)
    if config.references:
        dataset = with_references(dataset, read_enriched(config.references, dataset)[1])
    try:
        dev = dataset if config.split == "dev" else load_dataset(config.dataset, "dev", data)
    except DataError:
        dev = dataset
    here = tuple(question for question in dev.questions if dev.databases[question.db_id].instances)
    return dataset, replace(dev, questions=here)


def select(config: TrainConfig, dataset: Dataset, policy: Policy, shown: Shown, tell: Tell) -> Selection:
    """The questions that can be asked. FinerError where they are fewer than a step asks, with what would help."""
    about, outcomes = _outcomes(config, dataset)
    reasons = {question.index: _why_not(config, dataset, question, outcomes) for question in dataset.questions}
    candidates = [question for question in dataset.questions if not reasons[question.index]]
    prompts = _prompts(candidates, dataset, policy, shown, tell)
    lengths = [prompt_tokens(policy, prompt) for prompt in prompts]
    most = longest_prompt(config, policy)
    fits = [most is None or length <= most for length in lengths]
    kept = [pair for pair, fit in zip(zip(candidates, prompts, strict=True), fits, strict=True) if fit]
    left_out = dict(Counter(why for why in reasons.values() if why))
    said = [f"{count} of {len(dataset.questions)} questions are left out: {why}" for why, count in left_out.items()]
    said += _of_references(dataset) + _of_rates(config, about, outcomes, candidates)
    if len(kept) < len(candidates):
        left_out["prompt too long"] = len(candidates) - len(kept)
        said.append(_too_long(config, policy, lengths, most, len(candidates) - len(kept)))
    if len(kept) < config.questions_per_step:
        raise FinerError(_too_few(config, len(kept), said))
    questions = tuple(question for question, _ in kept)
    return Selection(replace(dataset, questions=questions), [prompt for _, prompt in kept], left_out, tuple(said))


def longest_prompt(config: TrainConfig, policy: Policy) -> int | None:
    """Tokens that a prompt may have beside a completion; None where neither the settings nor the model set a bound."""
    context = _context(policy)
    room = max(0, context - config.max_completion_tokens) if context else None
    return min((most for most in (config.max_prompt_tokens or None, room) if most is not None), default=None)


def _context(policy: Policy) -> int | None:
    """Tokens that the model was made for, where it says."""
    return getattr(policy.model.config, "max_position_embeddings", None)


def prompt_tokens(policy: Policy, prompt: Prompt) -> int:
    """How long a prompt is as the policy reads it."""
    return len(policy.tokenizer.apply_chat_template(prompt, tokenize=True, add_generation_prompt=True, return_dict=False))


def _why_not(config: TrainConfig, dataset: Dataset, question: Question, outcomes: Mapping[int, str]) -> str:
    if question.kind == config.without_kind:
        return f"kind {question.kind!r}"
    if not dataset.databases[question.db_id].instances:
        return "their database is not here"
    outcome = outcomes.get(question.index, "")
    left_out = ("all right", "all wrong") if config.leave_out == "both" else (config.leave_out.replace("_", " "),)
    return f"{outcome} beforehand" if outcome in left_out else ""


def _outcomes(config: TrainConfig, dataset: Dataset) -> tuple[dict[str, Any], dict[int, str]]:
    """How the pass rates were measured, and what they say of each question."""
    if not config.pass_rates:
        return {}, {}
    about, found = read_enriched(config.pass_rates, dataset)
    return about, {one.index: one.outcome for one in found}


def _of_rates(config: TrainConfig, about: Mapping[str, Any], outcomes: Mapping[int, str], asked: Sequence[Question]) -> list[str]:
    if not config.pass_rates:
        return []
    unknown = sum(not outcomes.get(question.index) for question in asked)
    told = f"pass rates of {about.get('policy')} at temperature {about.get('temperature')}, {about.get('samples')} answers a question"
    return [told + (f"; {unknown} questions without one are asked" if unknown else "")]


def _of_references(dataset: Dataset) -> list[str]:
    count = sum(bool(question.references) for question in dataset.questions)
    return [f"{count} of {len(dataset.questions)} questions have further references"] if count else []


def _prompts(questions: Sequence[Question], dataset: Dataset, policy: Policy, shown: Shown, tell: Tell) -> list[Prompt]:
    prompts, told = [], time.monotonic()
    for question in questions:
        prompts.append(policy.messages(question, dataset.databases[question.db_id].schema, shown.of(question)))
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            tell(f"prompts: {len(prompts)} of {len(questions)}")
    return prompts


def _too_long(config: TrainConfig, policy: Policy, lengths: Sequence[int], most: int, count: int) -> str:
    shorter = (_context(policy) or 0) - max(lengths)  # answers of so many tokens would leave every prompt its room
    if most == (config.max_prompt_tokens or None) or shorter < LEAST_TOKENS:
        mend = f"--set columns={min(20, config.columns // 2 or 20)} shows fewer columns"
    else:
        mend = f"--set max_completion_tokens={shorter} leaves room for all"
    return (
        f"{count} of {len(lengths)} questions are left out: their prompt has more than {most} tokens, the most that fits beside "
        f"{config.max_completion_tokens} tokens of an answer (median {median(lengths):.0f}, longest {max(lengths)}); {mend}"
    )


def _too_few(config: TrainConfig, kept: int, said: Sequence[str]) -> str:
    place = f"split {config.split!r} of {config.dataset}"
    told = f"questions_per_step is {config.questions_per_step}, but {place} has {kept} questions to ask"
    why = "".join(f"; {sentence}" for sentence in said)
    return told + why + ("" if said else "; lower it with --set questions_per_step=N")


def rows(selection: Selection) -> Any:
    """The questions as TRL's dataset: prompt (chat messages) and index."""
    from datasets import Dataset as Rows

    return Rows.from_dict({"prompt": selection.prompts, "index": [question.index for question in selection.dataset.questions]})
