"""What a training run is told: a TOML file, or options, checked before anything starts.

A wrong key or value is refused with the file, the key and the nearest valid keys. Not covered: whether the policy, the recipe
and the data set exist (the modules that load them say so).
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterable, Mapping
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
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Names of which there are only these."""

    def __post_init__(self) -> None:
        for key in keys_of(type(self)):
            _check(self, key)


Kind = TypeVar("Kind", bound=Settings)


@dataclass(frozen=True)
class TrainConfig(Settings):
    """Everything that decides a run, with the values that train the embedded policy in minutes on two cores."""

    policy: str = "tiny"
    """A name of the ladder, a local folder, or a hub id."""
    recipe: str = "finer"
    dataset: str = "starter"
    """'starter', or a folder."""
    split: str = "train"
    without_kind: str = "none"
    """A kind of question that is left out of training: 'hand' leaves out the starter's questions written by hand."""
    steps: int = 60
    questions_per_step: int = 8
    group_size: int = 8
    """Answers to each question of a step; at least 2, since advantages compare them."""
    learning_rate: float = 3e-4
    seed: int = 0
    max_completion_tokens: int = 128
    temperature: float = 1.0
    scale_rewards: str = "none"
    """Divide a group's advantages by the group's standard deviation ('group', as in GRPO), or not ('none', as in Dr. GRPO)."""
    evaluate_every: int = 10
    """Steps between evaluations on dev; 0: only at the start and at the end."""
    evaluate_questions: int = 0
    """How many dev questions an evaluation asks; 0: all."""
    checkpoint_every: int = 20
    """Steps between checkpoints; 0: only at the end."""
    columns: int = 0
    """How many columns a prompt shows, chosen for its question by the schema filter; 0: the whole schema."""
    beta: float = 0.0
    """Weight of the divergence from the starting policy."""
    memory: bool = True
    """May right answers join the memory while the policy trains?"""
    memory_contrast: bool = False
    """Set the failed thoughts against the verified ones: wrong answers then join the memory too, apart from the right ones."""
    threads: int = 0
    """CPU threads; 0: what OMP_NUM_THREADS says, else as many as the machine has."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Weights that replace the recipe's own, by part."""

    LEAST: ClassVar[Mapping[str, int]] = {"steps": 1, "questions_per_step": 1, "group_size": 2, "max_completion_tokens": 1}
    ABOVE_ZERO: ClassVar[tuple[str, ...]] = ("learning_rate", "temperature")
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {"scale_rewards": ("group", "none")}


def keys_of(kind: type[Settings]) -> tuple[str, ...]:
    """The keys of a kind of settings, in their order."""
    return tuple(item.name for item in fields(kind))  # type: ignore[arg-type]


KEYS = keys_of(TrainConfig)


def read_config(path: str | Path | None = None, overrides: Iterable[str] = (), kind: type[Kind] = TrainConfig, **chosen: Any) -> Kind:
    """The configuration of a file (None: the defaults), then of ``chosen`` keys, then of ``KEY=VALUE`` texts.

    ``kind``: whose keys they are. ConfigError names the file, the key and what is wrong with it.

    >>> read_config(overrides=["steps=5", "recipe=sparse", "weights.atomic=0.2"], seed=3).steps
    5
    """
    config = from_mapping(_read_toml(Path(path)), str(path), kind()) if path is not None else kind()
    config = from_mapping({key: value for key, value in chosen.items() if value is not None}, "options", config)
    for text in overrides:
        config = _override(config, text)
    return config


def from_mapping(values: Mapping[str, Any], place: str = "configuration", base: Kind | None = None) -> Kind:
    """``base`` (None: a training run's defaults) with the given values; ``place`` says in a message where they come from."""
    base = TrainConfig() if base is None else base
    keys = keys_of(type(base))
    for key in values:
        if key not in keys:
            raise ConfigError(f"{place}: {unknown('key', key, keys)}")
    try:
        return replace(base, **values)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error


def to_toml(config: Settings) -> str:
    """The configuration as TOML, which ``read_config`` reads back to an equal one.

    >>> to_toml(TrainConfig(weights={"atomic": 0.2})).splitlines()[-2:]
    ['[weights]', '"atomic" = 0.2']
    """
    lines = [f"{key} = {_toml(getattr(config, key))}" for key in keys_of(type(config)) if key != "weights"]
    weights = [f"{_toml(part)} = {float(weight)!r}" for part, weight in getattr(config, "weights", {}).items()]
    return "\n".join([*lines, *(["", "[weights]", *weights] if weights else [])]) + "\n"


def _toml(value: Any) -> str:
    """A text, number or switch as TOML: JSON's form, but for one character that only JSON allows as it stands."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist. Give a TOML file, or leave it out and use --policy, --recipe, --set.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}. A line reads: steps = 60, or recipe = \"finer\".") from error


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


def _check(settings: Settings, key: str) -> None:
    """Raises ConfigError where a value does not fit its key."""
    value, kind = getattr(settings, key), _kinds(type(settings))[key]
    if kind == "bool" and not isinstance(value, bool):
        raise ConfigError(f"{key} must be true or false, not {value!r}")
    if kind == "str" and (not isinstance(value, str) or not value.strip()):
        raise ConfigError(f"{key} must be a name in quotes, not {value!r}")
    if value not in settings.CHOICES.get(key, (value,)):
        raise ConfigError(f"{key} must be {' or '.join(json.dumps(name) for name in settings.CHOICES[key])}, not {value!r}")
    if kind == "int":
        _check_whole(key, value, settings.LEAST.get(key, 0))
    if kind == "float":
        _check_number(key, value, above_zero=key in settings.ABOVE_ZERO)
    if key == "weights":
        _check_weights(value)


def _check_whole(key: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"{key} must be a whole number of at least {least}, not {value!r}")


def _check_number(key: str, value: Any, above_zero: bool = False) -> None:
    wanted = "a number above 0" if above_zero else "a number of at least 0"
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf or (above_zero and value == 0):
        raise ConfigError(f"{key} must be {wanted}, not {value!r}")


def _check_weights(value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ConfigError(f"weights must be a table of parts and numbers, as in weights.atomic = 0.3, not {value!r}")
    for part, weight in value.items():
        _check_number(f"weights.{part}", weight)
