"""What comes out of a run, on the bundled policy trained for two steps by an adapter. Run with: pytest tests/test_export.py"""

from __future__ import annotations

import doctest
import json
import re
import shutil
import warnings

import pytest

import finer
import finer.model_card
from finer import cli, gguf_file
from finer.config import TrainConfig
from finer.evaluate import evaluate
from finer.export import ExportError, export
from finer.gguf_file import GgufError
from finer.grpo import train
from finer.model_card import model_card
from finer.policy import load_policy
from finer.run_writer import RunWriter
from finer.runs import Run

FEW = {"steps": 2, "questions_per_step": 2, "group_size": 4, "max_completion_tokens": 40, "temperature": 1.5, "evaluate_every": 0, "evaluate_questions": 2,
       "checkpoint_every": 0, "threads": 1, "learning_rate": 1e-2, "seed": 5}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Of an adapter."""
    return train(TrainConfig(tune="lora", lora_rank=4, **FEW), tmp_path_factory.mktemp("runs") / "mine")


@pytest.fixture(scope="module")
def out(run, tmp_path_factory):
    return export(run, tmp_path_factory.mktemp("out") / "mine")


@pytest.fixture
def converter(tmp_path, monkeypatch):
    """Stands in for llama.cpp's script: writes what it was asked for into the file."""
    script = tmp_path / gguf_file.SCRIPT
    script.write_text("import sys\nopen(sys.argv[3], 'w').write(' '.join(sys.argv[1:]))\n")
    monkeypatch.setenv(gguf_file.PLACE, str(tmp_path))
    return script


@pytest.fixture
def no_converter(monkeypatch, tmp_path):
    monkeypatch.delenv(gguf_file.PLACE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(gguf_file.shutil, "which", lambda name: None)


def logits(policy):
    import torch

    encoded = policy.tokenizer.apply_chat_template([{"role": "user", "content": "book(title)\nWhich books?"}], return_tensors="pt", add_generation_prompt=True, return_dict=True)
    with torch.no_grad():
        return policy.model(input_ids=encoded["input_ids"]).logits


def test_each_form_is_the_policy_that_was_trained(run, out):
    import torch

    assert [path.name for path in out] == ["adapter", "merged"]
    trained, untrained = logits(load_policy(str(run.folder / "policy"))), logits(load_policy("tiny"))
    assert (trained - untrained).abs().max() > 0.05, "the adapter changes something"
    for place in out:
        policy = load_policy(str(place))
        assert policy.spec.style == "tiny"
        torch.testing.assert_close(logits(policy), trained, rtol=1e-3, atol=1e-3)
    assert not (out[1] / "adapter_config.json").exists() and not hasattr(load_policy(str(out[1])).model, "peft_config")


def test_evaluate_takes_any_of_them(run, out):
    dev = finer.load_dataset("starter", split="dev")
    found = [evaluate(str(place), dev, limit=3, max_completion_tokens=60) for place in (run.folder / "policy", *out)]
    assert [one["n"] for one in found] == [3, 3, 3]
    assert len({tuple(row["sql"] for row in one["per_question"]) for one in found}) == 1, "and they answer alike"


def test_the_adapter_names_its_base_as_others_know_it(run, out):
    base = [json.loads((place / "adapter_config.json").read_text())["base_model_name_or_path"] for place in (run.folder / "policy", out[0])]
    assert base[0].endswith("data/policies/tiny") and base[1] == "tiny"


def test_an_adapter_goes_on_learning(out, tmp_path):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*Unable to fetch remote file.*")  # nothing is looked for on a hub
        again = train(TrainConfig(policy=str(out[0]), **{**FEW, "steps": 1}), tmp_path / "again")
    assert (again.folder / "policy" / "adapter_config.json").is_file() and again.status == "finished"


def test_the_card_stands_beside_each_and_says_what_the_store_holds(run, out):
    cards = {(place / "README.md").read_text() for place in (out[0].parent, *out)}
    assert cards == {model_card(run, "mine")}
    card = cards.pop()
    for one in run.evaluations():
        assert f"| dev | strict | {one.step} | {one.value:.1%} |" in card
    assert "| `seed` | 5 |" in card and "| `lora_rank` | 4 |" in card and "Seed 5." in card
    weights = finer.rewards.get_recipe("finer").weights
    assert all(f"| {part} | {weight:g} |" in card for part, weight in weights.items())
    assert "- starter (made with the workbench; Apache-2.0), split train" in card


def test_a_card_of_a_recorded_run_names_no_place_of_the_machine():
    run = Run(finer.DATA / "recorded" / "first-steps")
    card = model_card(run, "first-steps")
    assert str(finer.DATA) not in card and "/home" not in card and "/work" not in card
    head = card.split("---")[1]
    assert "base_model" not in head and "tags: [text-to-sql" in head, "tiny is on no hub"
    assert f"{run.last_step} steps, finished" in card


CARDS = {  # configuration: what the card must say
    "a policy of the hub": ({"policy": "qwen2.5-coder-3b"}, "base_model: Qwen/Qwen2.5-Coder-3B-Instruct"),
    "a released model": ({"policy": "finer-sql-3b-bird"}, "- What built the prompts that its base was trained with is not public"),
    "a run that broke off": ({"policy": "tiny", "steps": 90}, "- The run is stopped after 0 of 90 steps."),
    "a reward of one's own": ({"recipe": "/nowhere/mine.py:brevity"}, "mine.py:brevity"),
    "a warm start": ({"stage": "warm start", "policy": "tiny", "steps": 0}, "supervised fine-tuning on traces"),
    "a run that says nothing": ({}, "not named"),
}


@pytest.mark.parametrize("case", CARDS)
def test_what_a_card_must_say(case, tmp_path):
    config, said = CARDS[case]
    with RunWriter.create(tmp_path / "run", config) as writer:
        writer.set_status("stopped")
    assert said in model_card(Run(tmp_path / "run"), "mine")


def test_a_card_says_what_its_start_was_made_of(tmp_path):
    with RunWriter.create(tmp_path / "warm", {"stage": "warm start", "policy": "tiny", "dataset": "starter", "steps": 0}) as writer:
        writer.set_status("finished")
    with RunWriter.create(tmp_path / "run", {"policy": str(tmp_path / "warm" / "policy"), "recipe": "finer", "dataset": "starter"}) as writer:
        writer.set_status("finished")
    card = model_card(Run(tmp_path / "run"), "mine")
    assert "It began from another run: `tiny`, taught by supervised fine-tuning on traces" in card


def test_a_gguf_file_by_the_converter(run, converter, tmp_path):
    made = export(run, tmp_path / "out", ["gguf"], "f16")
    assert [path.name for path in made] == ["out.f16.gguf"] and not (tmp_path / "out" / "merged").exists()
    model, *rest = made[0].read_text().split()
    assert model.endswith("merged") and rest[0] == "--outfile" and rest[2:] == ["--outtype", "f16"]


def test_a_converter_that_fails_costs_only_its_own_form(run, converter, tmp_path):
    converter.write_text("import sys\nsys.exit('NotImplementedError: BPE pre-tokenizer was not recognized')\n")
    said = []
    made = export(run, tmp_path / "out", ["merged", "gguf"], on_event=said.append)
    assert [path.name for path in made] == ["merged"] and "BPE pre-tokenizer was not recognized" in said[0]
    with pytest.raises(GgufError, match="did not convert"):
        export(run, tmp_path / "other", ["gguf"])
    assert not (tmp_path / "other").exists()


def test_without_a_converter_it_says_how_to_get_one(run, no_converter, tmp_path, capsys):
    assert cli.main(["export", str(run.folder), "--out", str(tmp_path / "out"), "--form", "gguf"]) == 2
    assert re.search(r"no GGUF file can be made.*git clone https://github.com/ggml-org/llama.cpp.*LLAMA_CPP=FOLDER", capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def _without_policy(run, tmp_path):
    shutil.copytree(run.folder, tmp_path / "bare", ignore=shutil.ignore_patterns("policy"))
    return Run(tmp_path / "bare"), ()


def _of_a_whole_model(run, tmp_path):
    shutil.copytree(run.folder, tmp_path / "whole", ignore=shutil.ignore_patterns("policy"))
    shutil.copytree(finer.DATA / "policies" / "tiny", tmp_path / "whole" / "policy")
    return Run(tmp_path / "whole"), ["adapter"]


def _into_a_taken_folder(run, tmp_path):
    (tmp_path / "out").mkdir()
    return run, ()


MISTAKES = {
    "a run without a trained policy": (_without_policy, "holds no trained policy.*finer resume"),
    "an adapter of a run that trained the whole": (_of_a_whole_model, "ask for --form merged"),
    "a folder that is taken": (_into_a_taken_folder, "is there already; name another folder"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_what_cannot_come_out_is_said(case, run, tmp_path):
    spoil, told = MISTAKES[case]
    with pytest.raises(ExportError, match=told):
        export(*(spoiled := spoil(run, tmp_path))[:1], tmp_path / "out", spoiled[1])


def test_a_whole_model_comes_out_as_it_was_saved(run, tmp_path):
    made = export(_of_a_whole_model(run, tmp_path)[0], tmp_path / "out")
    assert [path.name for path in made] == ["merged"] and load_policy(str(made[0])).spec.style == "tiny"


def test_a_gguf_file_without_the_package_that_reads_it(tmp_path, monkeypatch):
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(gguf_file.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(GgufError, match="pip install gguf"):
        load_policy(str(tmp_path / "x.gguf"))


def test_doctests():
    assert doctest.testmod(finer.model_card).failed == 0
