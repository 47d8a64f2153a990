"""The memory formula against what torch really keeps, and against models' own counts. Run with: pytest tests/test_footprint.py"""

from __future__ import annotations

import doctest

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

import finer.footprint
from finer.footprint import Footprint, Load, Shape, footprint, shape_of
from finer.ladder import ATTENTION_AND_MLP
from finer.unpadded import prompt_once

SIZES = {"vocab_size": 300, "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 12, "num_attention_heads": 4, "num_key_value_heads": 2}
MODELS = {
    "Llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES)),
    "Llama with biases and one embedding": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, attention_bias=True, tie_word_embeddings=True)),
    "Qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES)),
}


@pytest.mark.parametrize("case", MODELS)
def test_parameters_are_counted_as_the_model_has_them(case):
    model = MODELS[case]()
    shape = shape_of(model.config.to_dict())
    assert shape.parameters == model.num_parameters()
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=list(ATTENTION_AND_MLP), task_type="CAUSAL_LM"))
    assert shape.adapter(4, ATTENTION_AND_MLP) == sum(one.numel() for one in adapted.parameters() if one.requires_grad)


def _kept_bytes(model, forward) -> int:
    """What autograd keeps of a forward pass, parameters aside, each storage once."""
    own, kept = {one.untyped_storage().data_ptr() for one in model.parameters()}, {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        forward()
    return sum(size for size, _ in kept.values())


@pytest.mark.parametrize("rank", [0, 16])
@pytest.mark.parametrize("case", ["Llama", "Qwen2"])
def test_an_update_on_a_cpu_keeps_what_the_formula_says(case, rank):
    model, rows, prompt, answer = MODELS[case](), 4, 30, 20
    shape, decoder = shape_of(model.config.to_dict()), model
    if rank:
        decoder = get_peft_model(model, LoraConfig(r=rank, target_modules=list(ATTENTION_AND_MLP), task_type="CAUSAL_LM")).base_model.model
    ids = torch.randint(3, 300, (rows, prompt + answer))
    told = footprint(shape, Load(rows, rows, rows, prompt, answer, rank, ATTENTION_AND_MLP)).update / finer.footprint.NOT_GIVEN_BACK
    assert _kept_bytes(model, lambda: prompt_once(decoder, prompt).base_model(ids)) == pytest.approx(told, rel=0.03)


@pytest.mark.parametrize("case", ["Llama", "Qwen2"])
def test_an_update_of_a_whole_model_with_every_answers_own_prompt_keeps_what_the_formula_says(case):
    """As on a GPU; the sizes are the same on any device."""
    model, rows, tokens = MODELS[case](), 4, 50
    ids = torch.randint(3, 300, (rows, tokens))
    mask = torch.ones_like(ids)
    mask[0, -3:] = 0  # answers are seldom of one length
    told = footprint(shape_of(model.config.to_dict()), Load(rows, rows, rows, 30, 20, 0, (), gpu=True)).update
    assert _kept_bytes(model, lambda: model.model(input_ids=ids, attention_mask=mask, use_cache=False)) == pytest.approx(told, rel=0.03)


def test_keys_and_values_take_what_the_formula_says():
    from transformers import DynamicCache

    model, cache = MODELS["Llama"](), DynamicCache()
    with torch.no_grad():
        model(input_ids=torch.ones(3, 50, dtype=torch.long), past_key_values=cache, use_cache=True)
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert held == footprint(shape_of(model.config.to_dict()), Load(3, 3, 3, 30, 20, 0, ())).generation


SHAPE = Shape(1000, 100, 10, 300, 100, 100, tied=True)  # 1,402,100 parameters, 1,302,100 of them in layers
# The layers keep 8·100 + 4·300 + 2·100 = 2,200 numbers of a token, 6·100 + … + 14 = 2,014 under an adapter of rank 2, and 1 for each token it sees.
# On a CPU: a prompt of 60 read once, 4 answers of 40 (which see 100), and 200 repeated numbers of the prompt for each answer.
BY_HAND = {
    "whole, on a CPU": (Load(8, 4, 4, 60, 40, 0, ()), Footprint(5.6084e6, 16.8252e6, 6.4e6, 2 * 40 * (60 * 2260 + 4 * (40 * 2300 + 60 * 200)), 1.2e9)),
    "two groups at once": (Load(8, 8, 4, 60, 40, 0, ()), Footprint(5.6084e6, 16.8252e6, 6.4e6, 4 * 40 * (60 * 2260 + 4 * (40 * 2300 + 60 * 200)), 1.2e9)),
    "more answers than share a reading": (Load(16, 16, 16, 60, 40, 0, ()), Footprint(5.6084e6, 16.8252e6, 12.8e6, 4 * 40 * (60 * 2260 + 8 * (40 * 2300 + 60 * 200)), 1.2e9)),
    "an adapter, on a CPU": (Load(8, 4, 4, 60, 40, 2, ("q_proj",)), Footprint(5.6084e6, 4000 * 16, 6.4e6, 2 * 40 * (60 * 2074 + 4 * (40 * 2114 + 60 * 200)), 1.2e9)),
    "an adapter, on a GPU": (Load(8, 4, 4, 60, 40, 2, ("q_proj",), gpu=True), Footprint(2.8042e6, 4000 * 10, 3.2e6, 0.8e6 + 3.3824e6, 1.5e9)),
    "in 4 bits": (Load(8, 4, 4, 60, 40, 2, ("q_proj",), gpu=True, four_bit=True), Footprint(871_883.6, 4000 * 10, 3.2e6, 0.8e6 + 3.3824e6, 1.5e9)),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_the_sum_by_hand(case):
    load, wanted = BY_HAND[case]
    found = footprint(SHAPE, load)
    for part, value in vars(wanted).items():
        assert getattr(found, part) == pytest.approx(value), part
    assert found.gigabytes == pytest.approx((wanted.weights + wanted.training + max(wanted.generation, wanted.update) + wanted.rest) / 1e9)


def test_doctests():
    assert doctest.testmod(finer.footprint).failed == 0
