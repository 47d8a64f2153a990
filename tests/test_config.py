"""The configuration of a run: what is read, and what is refused with which words. Run with: pytest tests/test_config.py"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finer.config import KEYS, PRESETS, TrainConfig, from_mapping, read_config, to_toml
from finer.errors import ConfigError


def test_without_a_file_there_are_the_defaults():
    assert read_config() == TrainConfig()
    assert (TrainConfig().policy, TrainConfig().recipe, TrainConfig().steps, TrainConfig().weights) == ("tiny", "finer", 60, {})


def test_later_words_win(tmp_path):
    path = tmp_path / "first.toml"
    path.write_text('steps = 5\nrecipe = "paper"\nseed = 1\n[weights]\natomic = 0.5\n')
    config = read_config(path, ["steps=7", "weights.memory=0.1", "memory=false"], recipe="sparse", seed=None)
    assert (config.steps, config.recipe, config.seed, config.memory) == (7, "sparse", 1, False)
    assert config.weights == {"atomic": 0.5, "memory": 0.1}


OVERRIDES = {
    "a name without quotes": ("recipe=sparse", "recipe", "sparse"),
    "a folder with an equals sign": ("dataset=data/a=b", "dataset", "data/a=b"),
    "a name that looks like a number": ("policy=135", "policy", "135"),
    "a small number": ("learning_rate=1e-5", "learning_rate", 1e-5),
    "a whole number for a number": ("temperature=1", "temperature", 1),
    "spaces around": (" steps = 3 ", "steps", 3),
    "a switch": ("memory=true", "memory", True),
    "a table": ("weights={atomic = 0.2}", "weights", {"atomic": 0.2}),
    "a list": ('lora_targets=["q_proj", "v_proj"]', "lora_targets", ("q_proj", "v_proj")),
    "no folder": ("data=", "data", ""),
}


@pytest.mark.parametrize(("text", "key", "value"), OVERRIDES.values(), ids=OVERRIDES)
def test_set_reads(text, key, value):
    assert getattr(read_config(overrides=[text]), key) == value


REFUSED = {
    "an unknown key": ("stepz=3", "--set stepz=3: unknown key 'stepz'; did you mean 'steps'"),
    "no value": ("steps", "--set steps: write KEY=VALUE"),
    "no key": ("=3", "write KEY=VALUE"),
    "text for a number": ("steps=many", "steps must be a whole number of at least 1, not 'many'"),
    "a fraction for a whole number": ("steps=2.5", "steps must be a whole number"),
    "a switch for a number": ("steps=true", "steps must be a whole number"),
    "too small a group": ("group_size=1", "group_size must be a whole number of at least 2"),
    "below nothing": ("threads=-1", "threads must be a whole number of at least 0"),
    "backwards": ("learning_rate=-1", "learning_rate must be a number of at least 0"),
    "not a number": ("learning_rate=nan", "learning_rate must be a number of at least 0"),
    "without end": ("beta=inf", "beta must be a number of at least 0"),
    "a word for a switch": ("memory=yes", "memory must be true or false, not 'yes'"),
    "an empty name": ("recipe=", "recipe must be a name"),
    "a weight below nothing": ("weights.atomic=-1", "weights.atomic must be a number of at least 0"),
    "weights that are no table": ("weights=3", "weights must be a table"),
    "a name that is none": ("loss_type=dap", 'loss_type must be "grpo" or "dr_grpo" or "dapo" or "bnpo" or "cispo" or "sapo", not \'dap\''),
    "more than all": ("top_p=1.5", "top_p must be a number above 0 and at most 1, not 1.5"),
    "a name for a list": ("lora_targets=q_proj", 'lora_targets must be a list of names, as in lora_targets = ["q_proj", "v_proj"]'),
    "an empty list": ("lora_targets=[]", "lora_targets must be a list of names"),
    "answers that do not go in": ("answers_at_once=7", "does not divide the 64 answers of a step; it can be 1, 2, 4, 8, 16, 32, 64"),
    "a checkpoint between two updates": ("num_iterations=3", "checkpoint_every is 20, and answers are used for 3 updates"),
    "a warm-up of none": ("warmup_steps=5", 'set it to "constant_with_warmup"'),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_set_refuses(text, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        read_config(overrides=[text])


BAD_FILES = {
    "an unknown key": (b"steps = 3\n\nlearning_rat = 1.0 # fast\n", ", line 3 (learning_rat = 1.0 # fast): unknown key 'learning_rat'; did you mean 'learning_rate'?"),
    "a table that is none": (b"[trainer]\nsteps = 3", ", line 1 ([trainer]): unknown key 'trainer'"),
    "a wrong value": (b'seed = 1\nsteps = "many"', ', line 2 (steps = "many"): steps must be a whole number of at least 1, not \'many\''),
    "a wrong weight": (b"[weights]\natomic = -1", ", line 1 ([weights]): weights.atomic must be a number of at least 0"),
    "two that do not go together": (b"warmup_steps = 5", ": warmup_steps is 5, and lr_scheduler_type"),
    "an unknown preset": (b'preset = "papr"', ", line 1 (preset = \"papr\"): unknown preset 'papr'; did you mean 'paper'?"),
    "no TOML": (b"steps: 3", " is not TOML: Expected '=' after a key"),
    "no text": (b"\xff\xfe\x00", " is not TOML"),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_named_with_its_line_and_what_is_wrong(tmp_path, content, message):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert str(caught.value).startswith(f"{path}{message}")


def test_an_unknown_key_near_another_does_not_bring_the_whole_list():
    with pytest.raises(ConfigError) as caught:
        read_config(overrides=["stepz=3"])
    assert len(str(caught.value)) < 120
    with pytest.raises(ConfigError, match="there are: policy, recipe, .*, weights"):
        read_config(overrides=["xyzzy=3"])


def test_a_preset_comes_before_everything_else(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('preset = "paper"\nsteps = 5\n')
    config = read_config(path, ["group_size=4"], seed=3)
    assert (config.recipe, config.learning_rate, config.beta, config.loss_type) == ("paper", 8e-6, 0.04, "grpo")
    assert (config.steps, config.group_size, config.seed) == (5, 4, 3)
    assert read_config(path, preset="released").learning_rate == 5e-6, "an option wins"
    assert read_config(preset="released").weights == {"memory": 0.0}
    with pytest.raises(ConfigError, match="--preset: unknown preset 'papers'; did you mean 'paper'"):
        read_config(preset="papers")


DOCUMENT = (Path(__file__).parents[1] / "docs/training.md").read_text(encoding="utf-8")
ROWS = {cells[0].strip("`"): cells[1:] for line in DOCUMENT.splitlines() if line.startswith("| `") for cells in [[cell.strip() for cell in line.strip("|").split("|")]]}


def test_the_documents_table_has_every_key_with_its_default_and_the_papers_value():
    assert list(ROWS) == list(KEYS)
    for item in fields(TrainConfig):
        default, paper, _, what = ROWS[item.name]
        assert default == shown(getattr(TrainConfig(), item.name)), item.name
        wanted = shown(PRESETS["paper"][item.name]) if item.name in PRESETS["paper"] else "–"
        assert paper.rstrip(" ¹²") == wanted, item.name
        assert what or item.name in ("weight_decay", "lora_rank", "lora_dropout"), "a name of the field's own needs no words"
    assert set(PRESETS["released"]) <= set(KEYS)


def shown(value):
    """As the table writes it."""
    if value == {} or value == ():
        return "none"
    if isinstance(value, tuple):
        return "attention and MLP"
    return f"`{json.dumps(value)}`" if not isinstance(value, float) else f"`{value:g}`"


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere.toml does not exist"):
        read_config(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path)


def test_wrong_values_are_refused_in_python_too():
    with pytest.raises(ConfigError, match="group_size must be"):
        TrainConfig(group_size=1)
    with pytest.raises(ConfigError, match="configuration: unknown key 'batch'"):
        from_mapping({"batch": 3})


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1).filter(str.strip)
NUMBERS = st.floats(0, 1e6, allow_nan=False)
CONFIGS = st.builds(
    TrainConfig,
    policy=NAMES,
    dataset=NAMES,
    steps=st.integers(1, 10**6),
    group_size=st.integers(2, 64),
    learning_rate=st.floats(1e-12, 1.0),
    beta=NUMBERS,
    memory=st.booleans(),
    weights=st.dictionaries(NAMES, NUMBERS, max_size=3),
)


@settings(max_examples=50, deadline=None)
@given(config=CONFIGS)
def test_what_is_written_is_read_back(config, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "round.toml"
    path.write_text(to_toml(config), encoding="utf-8", newline="")
    assert read_config(path) == config


def test_every_key_has_a_check():
    for key in KEYS:
        with pytest.raises(ConfigError, match=key):
            TrainConfig(**{key: object()})
