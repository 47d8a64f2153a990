"""The reader's initial weights: copying is wired before any training. Run with: pytest tests/test_circuit.py"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "data" / "source"))

LENGTH = 24


@pytest.fixture(scope="module")
def attention():
    """What each head of the first two layers attends to, on random tokens that are then all repeated: (layer, head, from, to)."""
    import torch
    from circuit import wire_copying
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(3)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=2000, hidden_size=192, num_hidden_layers=3, num_attention_heads=3, num_key_value_heads=3, intermediate_size=256,
        max_position_embeddings=256, attention_bias=True, tie_word_embeddings=True, attn_implementation="eager",
        rope_parameters={"rope_type": "default", "rope_theta": 1e6}))  # fmt: skip
    wire_copying(model)
    tokens = torch.randperm(2000)[:LENGTH].repeat(2)[None]
    with torch.no_grad():
        return torch.stack([layer[0] for layer in model(tokens, output_attentions=True).attentions[:2]])


@pytest.mark.parametrize("head", [0, 1])
def test_the_first_layer_looks_one_back(attention, head):
    assert all(attention[0, head, place, place - 1] > 0.9 for place in range(8, 2 * LENGTH))


@pytest.mark.parametrize("head", [0, 1])
def test_the_second_layer_looks_at_what_followed_the_same_token(attention, head):
    follows = [float(attention[1, head, place, place - LENGTH + 1]) for place in range(LENGTH, 2 * LENGTH - 1)]
    rivals = [float(attention[1, head, place].sort().values[-2]) for place in range(LENGTH, 2 * LENGTH - 1)]
    assert sum(follows) / len(follows) > 0.3
    assert sum(found > rival for found, rival in zip(follows, rivals, strict=True)) / len(follows) > 0.5  # by chance 1 in 40


def test_the_last_head_is_left_to_learn_anything(attention):
    assert float(attention[:, 2, LENGTH:].amax()) < 0.2
