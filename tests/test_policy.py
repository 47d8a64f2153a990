"""Policies loaded, asked and saved: the bundled one, adapters and stand-ins. Run with: pytest tests/test_policy.py"""

from __future__ import annotations

import json
import shutil

import pytest

from finer import grpo, warmstart
from finer import policy as module
from finer.config import TrainConfig
from finer.datasets import load_dataset
from finer.ladder import PolicyError
from finer.policy import load_policy
from finer.prompt import parse_completion


@pytest.fixture(scope="module")
def tiny():
    return load_policy("tiny")


def test_the_bundled_policies_are_small_standard_models():
    for name in ("tiny", "tiny-low"):
        folder = module.DATA / name
        config = json.loads((folder / "config.json").read_text())
        assert config["model_type"] == "llama"
        assert (folder / "model.safetensors").stat().st_size <= 12e6
        assert load_policy(name).model.num_parameters() <= 5e6


def test_tiny_answers_in_the_format_and_mostly_runs(tiny):
    dataset = load_dataset("starter", split="dev")
    questions = dataset.questions[:16]
    prompts = [tiny.messages(q, dataset.databases[q.db_id].schema) for q in questions]
    answers = [parse_completion(text) for text in tiny.generate(prompts, max_new_tokens=160)]
    assert sum(answer.well_formed for answer in answers) >= 14
    assert all(answer.thought for answer in answers if answer.well_formed)


def test_greedy_answers_do_not_depend_on_the_batch(tiny):
    dataset = load_dataset("starter", split="dev")
    prompts = [tiny.messages(q, dataset.databases[q.db_id].schema) for q in dataset.questions[:6]]
    together = tiny.generate(prompts, 60)
    alone = [tiny.generate([prompt], 60)[0] for prompt in prompts]
    # Padding moves sums by rounding, which may turn one near-tie of a greedy choice, and no more.
    assert sum(one == other for one, other in zip(together, alone)) >= 5


def test_samples_come_in_order_repeat_with_their_seed_and_say_what_they_cost(tiny):
    import torch

    dataset = load_dataset("starter", split="dev")
    prompts = [tiny.messages(q, dataset.databases[q.db_id].schema) for q in dataset.questions[:3]]
    before = torch.get_rng_state()
    found = tiny.sample(prompts, 4, 40, seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert [len(answers.completions) for answers in found] == [4, 4, 4]
    assert all(1 <= tokens <= 40 for answers in found for tokens in answers.tokens)
    assert all(answers.seconds > 0 for answers in found)
    assert len({text for answers in found for text in answers.completions}) > 3
    again = tiny.sample(prompts, 4, 40, seed=1)
    assert [answers.completions for answers in again] == [answers.completions for answers in found]
    assert [answers.completions for answers in tiny.sample(prompts, 4, 40, seed=2)] != [answers.completions for answers in found]


def test_the_length_of_a_completion_is_its_tokens_and_its_end_mark(tiny):
    dataset = load_dataset("starter", split="dev")
    question = dataset.questions[0]
    (answer,) = tiny.sample([tiny.messages(question, dataset.databases[question.db_id].schema)], 1, 160, temperature=0)
    assert answer.tokens[0] == len(tiny.tokenizer(answer.completions[0], add_special_tokens=False)["input_ids"]) + 1


SAMPLING_MISTAKES = {
    "no sample": {"samples": 0},
    "several greedy samples": {"samples": 2, "temperature": 0},
    "a temperature below zero": {"samples": 1, "temperature": -1},
    "no probability at all": {"samples": 1, "top_p": 0},
}


@pytest.mark.parametrize("case", SAMPLING_MISTAKES)
def test_sampling_that_makes_no_sense_is_refused(case, tiny):
    with pytest.raises(ValueError, match="at least 1 sample"):
        tiny.sample([[{"role": "user", "content": "book(title)"}]], max_new_tokens=5, **SAMPLING_MISTAKES[case])


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """A LoRA adapter of the tiny policy that changes what it writes."""
    import torch
    from peft import LoraConfig, get_peft_model

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = get_peft_model(load_policy("tiny").model, LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
        folder = tmp_path_factory.mktemp("runs") / "adapter"
        model.save_pretrained(folder)
    return folder


def test_an_adapter_goes_on_top_of_its_base(tiny, adapter):
    import torch

    adapted = load_policy("tiny", adapter=adapter)
    assert (adapted.spec.name, adapted.spec.style) == ("tiny with adapter", "tiny")
    prompt = [{"role": "user", "content": "book(title)\nWhich books are there?"}]
    encoded = tiny.tokenizer.apply_chat_template(prompt, return_tensors="pt", add_generation_prompt=True, return_dict=True)
    encoded = {name: encoded[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        assert not torch.equal(adapted.model(**encoded).logits, tiny.model(**encoded).logits)
    assert len(adapted.generate([prompt], 5)) == 1


def _without_config(folder):
    (folder / "adapter_config.json").unlink()


def _of_another_base(folder):
    _changed(folder, base_model_name_or_path="Qwen/Qwen2.5-Coder-0.5B-Instruct")


def _with_broken_config(folder):
    (folder / "adapter_config.json").write_text("{", encoding="utf-8")


def _of_another_rank(folder):
    _changed(folder, r=4)


def _of_other_modules(folder):
    _changed(folder, target_modules=["k_proj"])


def _without_weights(folder):
    (folder / "adapter_model.safetensors").unlink()


def _changed(folder, **values):
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values), encoding="utf-8")


ADAPTER_MISTAKES = {
    "no adapter_config.json": (_without_config, "no adapter_config.json"),
    "another base": (_of_another_base, "was trained on Qwen/Qwen2.5-Coder-0.5B-Instruct"),
    "a configuration that is no JSON": (_with_broken_config, "no adapter's configuration"),
    "weights of another rank": (_of_another_rank, "does not fit tiny"),
    "weights for other modules": (_of_other_modules, "does not fit tiny"),
    "no weights": (_without_weights, "does not fit tiny"),
}


@pytest.mark.parametrize("case", ADAPTER_MISTAKES)
def test_an_adapter_that_does_not_fit_says_why_and_what_to_do(case, adapter, tmp_path):
    spoil, told = ADAPTER_MISTAKES[case]
    folder = shutil.copytree(adapter, tmp_path / "adapter")
    spoil(folder)
    with pytest.raises(PolicyError, match=told) as caught:
        load_policy("tiny", adapter=folder)
    assert "--policy" in str(caught.value) or "folder" in str(caught.value)


def test_a_saved_policy_loads_again_in_its_style(tiny, tmp_path):
    tiny.save(tmp_path / "mine")
    again = load_policy(str(tmp_path / "mine"))
    assert (again.spec.style, again.spec.lora_rank) == ("tiny", 0)
    assert again.model.num_parameters() == tiny.model.num_parameters()


def test_a_hub_id_with_no_network_says_what_to_do(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(PolicyError, match="--policy tiny"):
        load_policy("nobody/no-such-model-anywhere")


def as_unsloths(model):
    """The switches that Unsloth puts on a model, and its ``generate``: checkpointing of gradients is off while it answers, and comes back only in
    a model that it found in training.
    """
    def switch(training, checkpointing):
        model.train(training)
        for part in model.modules():
            if hasattr(part, "gradient_checkpointing"):
                part.gradient_checkpointing = checkpointing

    def generate(**arguments):
        training, checkpointing = model.training, model.model.gradient_checkpointing
        switch(False, False)
        written = type(model).generate(model, **arguments)
        if training:
            switch(True, checkpointing)
        return written

    model.for_training = lambda use_gradient_checkpointing: switch(True, use_gradient_checkpointing)
    model.generate = generate


@pytest.mark.parametrize("checkpointing", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_a_model_of_unsloths_is_left_as_it_was_asked_between_two_steps(training, checkpointing, monkeypatch):
    """Else updates before which no answers are sampled for training keep what checkpointing was to save: a warm start's after its first evaluation."""
    policy = load_policy("tiny")
    as_unsloths(policy.model)
    monkeypatch.setattr(module.cpu_generation, "serves", lambda model: False)
    policy.model.for_training(use_gradient_checkpointing=checkpointing)
    policy.model.train(training)
    policy.sample([[{"role": "user", "content": "book(title)"}]], 1, 3)
    assert (policy.model.training, policy.model.model.gradient_checkpointing) == (training, checkpointing and training)


STAGES = {
    "GRPO": lambda folder: grpo.train(TrainConfig(steps=1, questions_per_step=1, group_size=2, evaluate_every=0), folder),
    "a warm start": lambda folder: warmstart.train(warmstart.WarmConfig(steps=1), folder),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_policy_of_another_loader_is_refused_where_unsloth_has_replaced_the_trainers(stage, tmp_path, monkeypatch):
    """Its trainers put no adapter on a model, and use switches of Unsloth's own models at the first step."""
    import trl

    monkeypatch.setattr(trl, "GRPOTrainer", type("UnslothGRPOTrainer", (trl.GRPOTrainer,), {}))
    with pytest.raises(PolicyError, match="tiny was not loaded by Unsloth, which has replaced TRL's trainers in this process.*start a new process"):
        STAGES[stage](tmp_path / "run")
    assert not (tmp_path / "run").exists()
