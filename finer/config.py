"""What a training run is told: a TOML file, or options, checked before anything starts.

A wrong key or value is refused with the file, the key and the nearest valid keys. Not covered: whether the policy, the recipe
and the data set exist (the modules that load them say so).
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from finer.errors import ConfigError, unknown

CONFIG_FILE = "config.toml"


class Settings:
    """What every kind of run is told alike: a frozen dataclass of plain fields, checked when it is made."""

    LEAST: ClassVar[Mapping[str, int]] = {}
    """Least values; every other whole number starts at 0."""
    ABOVE_ZERO: ClassVar[tuple[str, ...]] = ()
    """Numbers that must be above 0; every other starts at 0."""
    AT_MOST_ONE: ClassVar[tuple[str, ...]] = ()
    """Shares: numbers that end at 1."""
    MAY_BE_EMPTY: ClassVar[tuple[str, ...]] = ()
    """Texts that may be ''."""
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Names of which there are only these."""

    def __post_init__(self) -> None:
        for key in keys_of(type(self)):
            if isinstance(getattr(self, key), list):  # as TOML and JSON read it
                object.__setattr__(self, key, tuple(getattr(self, key)))
            check(type(self), key, getattr(self, key))


Kind = TypeVar("Kind", bound=Settings)


@dataclass(frozen=True)
class TrainConfig(Settings):
    """Everything that decides a run, with the values that train the embedded policy in minutes on two cores.

    ``docs/training.md`` has every key in a table, with the paper's values. Keys that TRL's GRPOConfig has too carry its name.
    """

    # What is trained, on what, and what is paid.
    policy: str = "tiny"
    """A name of the ladder, a local folder, or a hub id."""
    recipe: str = "finer"
    """A recipe's name, or FILE.py:NAME: a recipe or a reward function of your own."""
    dataset: str = "starter"
    """'starter', 'spider', 'bird', or a folder."""
    data: str = ""
    """The folder of Spider's or BIRD's own files; '': fetched once."""
    split: str = "train"
    without_kind: str = "none"
    """A kind of question that is left out of training: 'hand' leaves out the starter's questions written by hand."""
    references: str = ""
    """A file of ``finer enrich``: its right answers are further references of the dense parts; '': none."""
    pass_rates: str = ""
    """A file of ``finer enrich``: how often each question was answered right beforehand; '': none."""
    leave_out: str = "both"
    """Questions without a signal that are left out by it: 'all_right', 'all_wrong', 'both' or 'none'."""
    columns: int = 0
    """How many columns a prompt shows, chosen for its question by the schema filter; 0: the whole schema."""
    max_prompt_tokens: int = 0
    """A question with a longer prompt is left out; 0: what the policy's context has beside a completion."""
    # How long, and how much a step.
    steps: int = 60
    """Updates of the policy."""
    questions_per_step: int = 8
    group_size: int = 8
    """Answers to each question of a step; at least 2, since advantages compare them."""
    num_iterations: int = 1
    """Updates from the same answers; above 1 the clip takes effect."""
    answers_at_once: int = 0
    """How many answers go through the model together in an update; 0: a group where an adapter is trained, else the whole step."""
    seed: int = 0
    threads: int = 0
    """CPU threads; 0: what OMP_NUM_THREADS says, else as many as the machine has."""
    # Answers.
    max_completion_tokens: int = 128
    temperature: float = 1.0
    top_p: float = 1.0
    """Sample from the likeliest tokens that hold this share of the probability; 1: from all."""
    top_k: int = 0
    """Sample from so many of the likeliest tokens; 0: from all."""
    use_vllm: bool = False
    """Let vLLM generate the answers, on a GPU."""
    vllm_mode: str = "colocate"
    """In the trainer's own process ('colocate'), or by a server that ``trl vllm-serve`` started ('server')."""
    vllm_server_host: str = "127.0.0.1"
    vllm_server_port: int = 8000
    # From what was paid to the update.
    scale_rewards: str = "none"
    """Divide a group's advantages by the standard deviation of the group ('group', GRPO) or of the step ('batch'), or not ('none', Dr. GRPO)."""
    multi_objective_aggregation: str = "sum_then_normalize"
    """Advantages of the weighted sum of the parts, or of each part apart, then summed ('normalize_then_sum', GDPO)."""
    loss_type: str = "dapo"
    """How token losses become one: 'grpo', 'dr_grpo', 'dapo', 'bnpo', 'cispo' or 'sapo'."""
    importance_sampling_level: str = "token"
    """One ratio a token, or one a completion ('sequence', GSPO)."""
    epsilon: float = 0.2
    """How far the ratio of a token's probabilities may fall below 1 before it is clipped."""
    epsilon_high: float = 0.0
    """How far it may rise above 1; 0: as far as it may fall."""
    beta: float = 0.0
    """Weight of the divergence from the starting policy."""
    mask_truncated_completions: bool = False
    """Leave completions that were cut off out of the loss."""
    # The optimizer.
    learning_rate: float = 0.0
    """0: the one that the ladder knows for the policy."""
    lr_scheduler_type: str = "constant"
    """'constant', 'constant_with_warmup', 'linear' or 'cosine'; the latter two fall to 0 at the last step."""
    warmup_steps: int = 0
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    """Longer gradients are cut to this length; 0: none is."""
    # The adapter.
    tune: str = "auto"
    """Train the whole model ('whole') or an adapter ('lora'); 'auto': what suits the policy."""
    lora_rank: int = 32
    lora_alpha: int = 0
    """The adapter's output is scaled by alpha / rank; 0: alpha is the rank."""
    lora_dropout: float = 0.0
    lora_targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    """Modules that get an adapter."""
    # The memory.
    memory: bool = True
    """May right answers join the memory while the policy trains?"""
    memory_contrast: bool = False
    """Set the failed thoughts against the verified ones: wrong answers then join the memory too, apart from the right ones."""
    # Looking at it, and going on with it.
    evaluate_every: int = 10
    """Steps between evaluations on dev; 0: only at the start and at the end."""
    evaluate_questions: int = 0
    """How many dev questions an evaluation asks; 0: all."""
    checkpoint_every: int = 20
    """Steps between checkpoints; 0: only at the end."""
    checkpoints_kept: int = 2
    weights: Mapping[str, float] = field(default_factory=dict)
    """Weights that replace the recipe's own, by part."""

    LEAST: ClassVar[Mapping[str, int]] = {
        "steps": 1, "questions_per_step": 1, "group_size": 2, "max_completion_tokens": 1, "num_iterations": 1, "lora_rank": 1,
        "checkpoints_kept": 1, "vllm_server_port": 1,
    }  # fmt: skip
    ABOVE_ZERO: ClassVar[tuple[str, ...]] = ("temperature", "top_p", "epsilon")
    AT_MOST_ONE: ClassVar[tuple[str, ...]] = ("top_p", "lora_dropout")
    MAY_BE_EMPTY: ClassVar[tuple[str, ...]] = ("data", "references", "pass_rates")
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "leave_out": ("all_right", "all_wrong", "both", "none"),
        "scale_rewards": ("group", "batch", "none"),
        "multi_objective_aggregation": ("sum_then_normalize", "normalize_then_sum"),
        "loss_type": ("grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo"),
        "importance_sampling_level": ("token", "sequence"),
        "lr_scheduler_type": ("constant", "constant_with_warmup", "linear", "cosine"),
        "tune": ("auto", "whole", "lora"),
        "vllm_mode": ("colocate", "server"),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warmup_steps and self.lr_scheduler_type == "constant":
            raise ConfigError(f"warmup_steps is {self.warmup_steps}, and lr_scheduler_type \"constant\" warms up for none; set it to \"constant_with_warmup\"")
        answers = self.questions_per_step * self.group_size
        if self.answers_at_once and answers % self.answers_at_once:
            fitting = [number for number in range(1, answers + 1) if answers % number == 0]
            raise ConfigError(f"answers_at_once is {self.answers_at_once}, which does not divide the {answers} answers of a step; it can be {', '.join(map(str, fitting))}")
        if self.checkpoint_every % self.num_iterations:
            raise ConfigError(
                f"checkpoint_every is {self.checkpoint_every}, and answers are used for {self.num_iterations} updates (num_iterations): "
                f"a run can go on only from between two lots of answers, so make it a multiple of {self.num_iterations}"
            )


PRESETS: dict[str, dict[str, Any]] = {
    "paper": {
        "recipe": "paper", "columns": 30, "max_prompt_tokens": 4096, "steps": 2000, "questions_per_step": 1, "group_size": 32,
        "max_completion_tokens": 2048, "scale_rewards": "group", "loss_type": "grpo", "beta": 0.04, "learning_rate": 8e-6,
        "evaluate_every": 100, "checkpoint_every": 100,
    },
    "released": {
        "recipe": "paper", "weights": {"memory": 0.0}, "columns": 30, "max_prompt_tokens": 4096, "steps": 1000, "questions_per_step": 1,
        "group_size": 16, "max_completion_tokens": 2048, "scale_rewards": "group", "loss_type": "dapo", "beta": 0.04,
        "learning_rate": 5e-6, "memory": False, "evaluate_every": 100, "checkpoint_every": 100,
    },
}  # fmt: skip
"""What FINER-SQL's paper says, what its text leaves open filled in from its training scripts; and what those scripts did for the 3 B model."""


def answers_at_once(config: TrainConfig, trains_adapter: bool) -> int:
    """How many answers of a step go through the model together."""
    whole = config.questions_per_step * config.group_size
    return config.answers_at_once or (config.group_size if trains_adapter else whole)


def keys_of(kind: type[Settings]) -> tuple[str, ...]:
    """The keys of a kind of settings, in their order."""
    return tuple(item.name for item in fields(kind))  # type: ignore[arg-type]


KEYS = keys_of(TrainConfig)


def read_config(
    path: str | Path | None = None, overrides: Iterable[str] = (), kind: type[Kind] = TrainConfig, preset: str | None = None, **chosen: Any
) -> Kind:
    """The configuration of a file (None: the defaults), then of ``chosen`` keys, then of ``KEY=VALUE`` texts.

    ``kind``: whose keys they are. ``preset``: a name in PRESETS whose values come before the file's; a file may name it itself
    (``preset = "paper"``). ConfigError names the file and its line, the key and what is wrong with it.

    >>> read_config(overrides=["steps=5", "recipe=sparse", "weights.atomic=0.2"], seed=3).steps
    5
    >>> read_config(preset="paper", steps=10).group_size
    32
    """
    values, place = _read_toml(Path(path)) if path is not None else ({}, str)
    named = values.pop("preset", None) if kind is TrainConfig else None
    config = kind()
    for name, where in ((named, place("preset")), (preset, "--preset")):
        if name is not None:
            config = from_mapping(_preset(name, where), where, config)
    config = from_mapping(values, place, config)
    config = from_mapping({key: value for key, value in chosen.items() if value is not None}, "options", config)
    for text in overrides:
        config = _override(config, text)
    return config


def _preset(name: Any, place: str) -> dict[str, Any]:
    if name not in PRESETS:
        raise ConfigError(f"{place}: {unknown('preset', str(name), PRESETS)}")
    return PRESETS[name]


def from_mapping(values: Mapping[str, Any], place: str | Callable[[str], str] = "configuration", base: Kind | None = None) -> Kind:
    """``base`` (None: a training run's defaults) with the given values; ``place`` says in a message where they (or a key) come from."""
    base = TrainConfig() if base is None else base
    keys = keys_of(type(base))
    where = place if callable(place) else lambda key: place
    for key, value in values.items():
        if key not in keys:
            raise ConfigError(f"{where(key)}: {_unknown_key(key, keys)}")
        try:
            check(type(base), key, value)
        except ConfigError as error:
            raise ConfigError(f"{where(key)}: {error}") from error
    try:
        return replace(base, **values)
    except ConfigError as error:
        raise ConfigError(f"{where('')}: {error}") from error


def with_full_paths(config: Kind, names: Mapping[str, Collection[str]]) -> Kind:
    """The configuration with the files and folders that are there by their full path, so that a run goes on from anywhere.

    ``names``: each key that may hold a place, with the values that are names of something else.
    """
    held = {key: getattr(config, key) for key in names}
    return replace(config, **{key: str(Path(value).resolve()) for key, value in held.items() if value not in names[key] and Path(value).exists()})


def _unknown_key(key: str, keys: tuple[str, ...]) -> str:
    """With the nearest keys; all of them, which are many, only where none is near."""
    told = unknown("key", key, keys)
    return told.partition(" There are:")[0] + " docs/training.md lists all" if "did you mean" in told else told


def to_toml(config: Settings) -> str:
    """The configuration as TOML, which ``read_config`` reads back to an equal one.

    >>> to_toml(TrainConfig(weights={"atomic": 0.2})).splitlines()[-2:]
    ['[weights]', '"atomic" = 0.2']
    """
    lines = [f"{key} = {toml_value(getattr(config, key))}" for key in keys_of(type(config)) if key != "weights"]
    weights = [f"{toml_value(part)} = {float(weight)!r}" for part, weight in getattr(config, "weights", {}).items()]
    return "\n".join([*lines, *(["", "[weights]", *weights] if weights else [])]) + "\n"


def toml_value(value: Any) -> str:
    """A text, number, switch or list as TOML: JSON's form, but for one character that only JSON allows as it stands."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read_toml(path: Path) -> tuple[dict[str, Any], Callable[[str], str]]:
    """A file's values, and where in it a key stands: the file, the line's number and its text."""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), lambda key: _line_of(key, path, text)
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist. Give a TOML file, or leave it out and use --policy, --recipe, --set.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}. A line reads: steps = 60, or recipe = \"finer\".") from error


def _line_of(key: str, path: Path, text: str) -> str:
    stands = re.compile(rf"""\s*(\[\s*)?["']?{re.escape(key)}["']?\s*[=.\]]""")
    for number, line in enumerate(text.splitlines(), start=1):
        if key and stands.match(line):
            return f"{path}, line {number} ({line.strip():.80})"
    return str(path)


def _override(config: Kind, text: str) -> Kind:
    """The configuration with one ``KEY=VALUE`` applied; ``weights.PART=NUMBER`` sets one weight."""
    key, equals, value = text.partition("=")
    key, value = key.strip(), value.strip()
    place = f"--set {text}"
    if not equals or not key:
        raise ConfigError(f"{place}: write KEY=VALUE, as in --set steps=20")
    kinds = _kinds(type(config))
    if key.startswith("weights.") and "weights" in kinds:
        return from_mapping({"weights": {**config.weights, key.removeprefix("weights."): _value(value)}}, place, config)
    return from_mapping({key: value if kinds.get(key) == "str" else _value(value)}, place, config)


def _kinds(kind: type[Settings]) -> dict[str, str]:
    """Key → its type, as it is written."""
    return {item.name: str(item.type) for item in fields(kind)}  # type: ignore[arg-type]


def _value(text: str) -> Any:
    """The text as TOML reads it; what TOML cannot read stays text, and the check of the key says what was wanted."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def check(settings: type[Settings], key: str, value: Any) -> None:
    """Raises ConfigError where a value does not fit its key."""
    kind = _kinds(settings)[key]
    if kind == "bool" and not isinstance(value, bool):
        raise ConfigError(f"{key} must be true or false, not {value!r}")
    if kind == "str" and (not isinstance(value, str) or not (value.strip() or key in settings.MAY_BE_EMPTY)):
        raise ConfigError(f"{key} must be a name in quotes, not {value!r}")
    if value not in settings.CHOICES.get(key, (value,)):
        raise ConfigError(f"{key} must be {' or '.join(json.dumps(name) for name in settings.CHOICES[key])}, not {value!r}")
    if kind == "int":
        _check_whole(key, value, settings.LEAST.get(key, 0))
    if kind == "float":
        _check_number(key, value, key in settings.ABOVE_ZERO, key in settings.AT_MOST_ONE)
    if kind.startswith("tuple"):
        _check_names(key, value)
    if key == "weights":
        _check_weights(value)


def _check_whole(key: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"{key} must be a whole number of at least {least}, not {value!r}")


def _check_number(key: str, value: Any, above_zero: bool = False, at_most_one: bool = False) -> None:
    wanted = "a number above 0" if above_zero else "a number of at least 0"
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf and not (above_zero and value == 0)
    if not fits or (at_most_one and value > 1):
        raise ConfigError(f"{key} must be {wanted}{' and at most 1' if at_most_one else ''}, not {value!r}")


def _check_names(key: str, value: Any) -> None:
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(name, str) and name.strip() for name in value):
        raise ConfigError(f"{key} must be a list of names, as in {key} = [\"q_proj\", \"v_proj\"], not {value!r}")


def _check_weights(value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ConfigError(f"weights must be a table of parts and numbers, as in weights.atomic = 0.3, not {value!r}")
    for part, weight in value.items():
        _check_number(f"weights.{part}", weight)
