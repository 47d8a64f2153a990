"""What to lower where memory does not suffice: two settings with the values to try next, by what was being done.

Generation holds all answers of a step at once, an update as many as go through the model together; both grow with the length of
prompt and answer. Not covered: how much a policy needs beforehand (``footprint`` reckons it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from finer.config import TrainConfig, answers_at_once
from finer.errors import ConfigError, FinerError

LEAST_TOKENS = 64
"""Shorter answers hold no thought and query."""
COLUMNS = 20
"""What is advised where prompts show whole schemas; the filter then still shows nearly every column that is needed."""
WORDS = {"evaluation": "while dev was asked before", "generation": "while answers were generated in", "update": "in the update of"}


class OutOfMemory(FinerError):
    """A GPU (or the machine) has too little memory for the settings; the message says which to lower, and to what."""


def lower(config: TrainConfig, stage: str, trains_adapter: bool) -> dict[str, int | str]:
    """The two settings to lower first, with their next values; fewer where nothing else can be lowered.

    ``stage``: generation, evaluation or update.

    >>> lower(TrainConfig(max_completion_tokens=512), "generation", False)
    {'questions_per_step': 4, 'max_completion_tokens': 256}
    >>> lower(TrainConfig(max_completion_tokens=512, group_size=16), "update", True)
    {'answers_at_once': 8, 'max_completion_tokens': 256}
    """
    candidates = {
        "generation": (_questions, _answers, _tokens, _columns),
        "update": (_at_once, _tokens, _columns, _rank),
        "evaluation": (_tokens, _columns),
    }[stage]
    found: dict[str, int | str] = {}
    for candidate in candidates:
        found |= candidate(config, trains_adapter)
    return dict(list(found.items())[:2])


def _questions(config: TrainConfig, trains_adapter: bool) -> dict[str, int]:
    return {"questions_per_step": config.questions_per_step // 2} if config.questions_per_step > 1 else {}


def _answers(config: TrainConfig, trains_adapter: bool) -> dict[str, int]:
    return {"group_size": config.group_size // 2} if config.questions_per_step == 1 and config.group_size > 3 else {}


def _tokens(config: TrainConfig, trains_adapter: bool) -> dict[str, int]:
    return {"max_completion_tokens": max(LEAST_TOKENS, config.max_completion_tokens // 2)} if config.max_completion_tokens > LEAST_TOKENS else {}


def _columns(config: TrainConfig, trains_adapter: bool) -> dict[str, int]:
    fewer = config.columns // 2 or COLUMNS
    return {"columns": fewer} if fewer >= 5 else {}


def _at_once(config: TrainConfig, trains_adapter: bool) -> dict[str, int]:
    now, whole = answers_at_once(config, trains_adapter), config.questions_per_step * config.group_size
    return {"answers_at_once": max(number for number in range(1, now // 2 + 1) if whole % number == 0)} if now > 1 else {}


def _rank(config: TrainConfig, trains_adapter: bool) -> dict[str, int | str]:
    if not trains_adapter:
        return {"tune": "lora"}
    return {"lora_rank": config.lora_rank // 2} if config.lora_rank > 8 else {}


def message(config: TrainConfig, stage: str, trains_adapter: bool, folder: Path, step: int, said: str) -> str:
    """What happened, what to lower, and the command that begins again with it."""
    changes = lower(config, stage, trains_adapter)
    if config.answers_at_once and not _fits(config, changes):
        changes["answers_at_once"] = 0
    values = " and ".join(f"{name} to {value}" for name, value in changes.items()) or "nothing more: take a smaller policy"
    options = " ".join(f"--set {name}={value}" for name, value in changes.items())
    again = f"finer train {folder / 'config.toml'} {options} --run {folder}-2"
    return f"memory did not suffice {WORDS[stage]} step {step} ({' '.join(said.split())[:160]}). Lower {values}: {again}. The steps before it are safe in {folder}"


def _fits(config: TrainConfig, changes: dict[str, int | str]) -> bool:
    try:
        replace(config, **changes)
    except ConfigError:
        return False
    return True


@contextmanager
def told(describe: Callable[[str], str]) -> Iterator[None]:
    """Turns torch's out-of-memory errors into an OutOfMemory with what ``describe`` makes of their text."""
    import torch

    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.cuda.OutOfMemoryError) or "DefaultCPUAllocator" in str(error):
            raise OutOfMemory(describe(str(error))) from error
        raise
