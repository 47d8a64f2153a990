"""The ladder: what each rung is, and which is taken where. Run with: pytest tests/test_ladder.py"""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path

import pytest

import finer.ladder
from finer import policy
from finer.config import PRESETS, TrainConfig
from finer.ladder import (
    ATTENTION_AND_MLP,
    LADDER,
    RECONSTRUCTED,
    STYLE_FILE,
    PolicyError,
    choose,
    policy_spec,
    write_style,
)
from finer.policy import choose_policy
from finer.prompt import SYSTEM_PROMPT

RUNGS = {  # name: source, style, parameters, trained by an adapter, for a GPU
    "tiny": ("data/policies/tiny", "tiny", 3_178_176, False, False),
    "tiny-low": ("data/policies/tiny-low", "tiny", 3_178_176, False, False),
    "smollm2-135m": ("HuggingFaceTB/SmolLM2-135M-Instruct", "compact", 134_515_008, True, False),
    "qwen2.5-coder-0.5b": ("Qwen/Qwen2.5-Coder-0.5B-Instruct", "chat", 494_032_768, True, True),
    "qwen2.5-coder-1.5b": ("Qwen/Qwen2.5-Coder-1.5B-Instruct", "chat", 1_543_714_304, True, True),
    "qwen2.5-coder-3b": ("Qwen/Qwen2.5-Coder-3B-Instruct", "chat", 3_085_938_688, True, True),
    "finer-sql-0.5b-bird": ("griffith-bigdata/FINER-SQL-0.5B-BIRD", "chat", 494_032_768, True, True),
    "finer-sql-0.5b-spider": ("griffith-bigdata/FINER-SQL-0.5B-Spider", "chat", 494_032_768, True, True),
    "finer-sql-3b-bird": ("griffith-bigdata/FINER-SQL-3B-BIRD", "chat", 3_085_938_688, True, True),
    "finer-sql-3b-spider": ("griffith-bigdata/FINER-SQL-3B-Spider", "chat", 3_085_938_688, True, True),
}


@pytest.mark.parametrize("name", RUNGS)
def test_each_rung(name):
    source, style, parameters, adapter, gpu = RUNGS[name]
    spec = LADDER[name]
    assert spec.source.endswith(source) and (spec.style, spec.shape.parameters, spec.four_bit) == (style, parameters, gpu)
    assert (spec.lora_rank, spec.lora_targets) == (32 if adapter else 0, ATTENTION_AND_MLP)
    assert 0 < spec.learning_rate < 1e-3 and spec.learning_rate_from
    assert spec.note == (RECONSTRUCTED if name.startswith("finer-sql") else "")


def test_the_ladder_is_these():
    assert list(LADDER) == list(RUNGS)


MACHINES = {  # GB of the GPU, Unsloth: with the default settings
    "no GPU": (0.0, False, "tiny"),
    "3 GB": (3.0, True, "tiny"),
    "6 GB": (6.2, True, "qwen2.5-coder-0.5b"),
    "8 GB": (8.4, True, "qwen2.5-coder-1.5b"),
    "8 GB without Unsloth": (8.4, False, "qwen2.5-coder-0.5b"),
    "a T4": (15.8, True, "qwen2.5-coder-3b"),
    "24 GB without Unsloth": (25.4, False, "qwen2.5-coder-3b"),
}


@pytest.mark.parametrize("case", MACHINES)
def test_the_largest_that_fits_is_taken_and_why(case, monkeypatch):
    gigabytes, unsloth, name = MACHINES[case]
    chosen, why = choose(gigabytes, "Some GPU", unsloth)
    assert chosen == name
    assert ("CPU" if not gigabytes else "Some GPU") in why
    monkeypatch.setattr(policy, "gpu_memory", lambda: (gigabytes, "Some GPU"))
    monkeypatch.setattr(policy, "has_unsloth", lambda: unsloth)
    assert choose_policy() == (chosen, why)


def test_longer_and_more_answers_need_more():
    """The paper's settings put 32 answers of 6,144 tokens through an update at once."""
    assert choose(15.8, "a T4", True, TrainConfig(**PRESETS["paper"]))[0] == "tiny"
    assert "answers_at_once=1 it would need" in choose(15.8, "a T4", True, TrainConfig(**PRESETS["paper"]))[1]
    assert choose(15.8, "a T4", True, TrainConfig(**PRESETS["paper"], answers_at_once=1))[0] == "qwen2.5-coder-3b"
    needs = [LADDER["smollm2-135m"].needs(TrainConfig(group_size=size, max_completion_tokens=tokens)).gigabytes for size, tokens in ((8, 128), (16, 128), (16, 256))]
    assert needs == sorted(needs) and needs[0] < needs[2]


def test_a_run_takes_the_rate_that_suits_its_policy_unless_it_is_told_another():
    from finer.grpo import settled

    assert settled(TrainConfig(policy="tiny")).learning_rate == 3e-4
    assert settled(TrainConfig(policy="finer-sql-3b-bird")).learning_rate == 5e-6
    assert settled(TrainConfig(policy="Qwen/Qwen2.5-Coder-7B-Instruct")).learning_rate == 8e-6
    assert settled(TrainConfig(policy="tiny", learning_rate=1e-5)).learning_rate == 1e-5


WRONG = {
    "a misspelt name": ("tinny", "tiny"),
    "a folder with no model": (".", "holds no model"),
    "a path that is not there": ("./nowhere/at/all", "unknown policy"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_policy_is_refused_with_the_mend(case):
    name, told = WRONG[case]
    with pytest.raises(PolicyError, match=told):
        policy_spec(name)


def _folder(path, config, style="", adapter=None):
    path.mkdir()
    if config:
        (path / "config.json").write_text(json.dumps(config))
    if adapter:
        (path / "adapter_config.json").write_text(json.dumps(adapter))
    if style:
        (path / STYLE_FILE).write_text(style)
    return policy_spec(str(path))


QWEN = {"model_type": "qwen2", "vocab_size": 151936, "hidden_size": 896, "num_hidden_layers": 24, "intermediate_size": 4864,
        "num_attention_heads": 14, "num_key_value_heads": 2, "tie_word_embeddings": True}  # fmt: skip


def test_a_folder_is_trained_as_the_rung_it_descends_from(tmp_path):
    tiny = _folder(tmp_path / "tiny", json.loads((finer.ladder.DATA / "tiny" / "config.json").read_text()), "tiny")
    assert (tiny.style, tiny.lora_rank, tiny.learning_rate) == ("tiny", 0, 3e-4)
    qwen = _folder(tmp_path / "qwen", QWEN)
    assert (qwen.style, qwen.lora_rank, qwen.learning_rate, qwen.shape.parameters) == ("chat", 32, 8e-6, 494_032_768)
    bare = _folder(tmp_path / "bare", json.loads((finer.ladder.DATA / "tiny" / "config.json").read_text()))
    assert (bare.style, bare.lora_rank) == ("tiny", 0), "by its shape, where no style is noted"
    unknown = _folder(tmp_path / "other", {"model_type": "gpt2"})
    assert (unknown.style, unknown.lora_rank, unknown.shape, unknown.needs()) == ("chat", 32, None, None)
    on_tiny = _folder(tmp_path / "adapter", {}, "tiny", {"base_model_name_or_path": LADDER["tiny"].source, "r": 4})
    assert (on_tiny.style, on_tiny.lora_rank, on_tiny.shape) == ("tiny", 4, LADDER["tiny"].shape)


def test_what_must_be_said_of_a_policy_is_said_of_what_was_trained_from_it(tmp_path):
    on_released = _folder(tmp_path / "adapter", {}, "", {"base_model_name_or_path": "griffith-bigdata/FINER-SQL-3B-BIRD", "r": 32})
    assert on_released.note == RECONSTRUCTED
    merged = _folder(tmp_path / "merged", QWEN)
    assert merged.note == ""
    write_style(on_released, tmp_path / "merged")
    assert (policy_spec(str(tmp_path / "merged")).style, policy_spec(str(tmp_path / "merged")).note) == ("chat", RECONSTRUCTED)


def test_the_compact_prompt_of_a_rung():
    """SmolLM2 is told the format, as the large ones are, over a schema as short as tiny's."""
    from finer.datasets import load_dataset

    dataset = load_dataset("starter", split="dev")
    question = dataset.questions[0]
    asked = policy.Policy(LADDER["smollm2-135m"], None, None).messages(question, dataset.databases[question.db_id].schema)
    short = policy.Policy(LADDER["tiny"], None, None).messages(question, dataset.databases[question.db_id].schema)
    assert asked == [{"role": "system", "content": SYSTEM_PROMPT}, *short]


PAGE = (Path(__file__).parents[1] / "docs/policies.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `") and line.count("|") == 9]


def test_the_documents_table_is_the_ladder():
    assert [name for row in ROWS for name in re.findall("`(.+?)`", row[0])] == list(LADDER)
    known = ""
    for names, _, parameters, style, trained, weights, rate, source in ROWS:
        known = known if source == "the same" else source
        for name in re.findall("`(.+?)`", names):
            spec = LADDER[name]
            assert parameters == f"{spec.shape.parameters / 1e6:,.1f} M" and style.rstrip(" ¹") == f"`{spec.style}`"
            assert trained == ("adapter, rank 32" if spec.lora_rank else "whole") and weights == spec.precision
            assert float(rate) == spec.learning_rate and known == spec.learning_rate_from


def test_doctests():
    assert doctest.testmod(finer.ladder).failed == 0
