"""Sampling and scoring on a CPU against transformers' and TRL's own ways, on the bundled policy.

Run with: pytest tests/test_cpu_generation.py
"""

from __future__ import annotations

import copy

import pytest
import torch

from finer import cpu_generation, unpadded
from finer.datasets import load_dataset
from finer.policy import load_policy

LONGEST = 48


@pytest.fixture(scope="module")
def tiny():
    policy = load_policy("tiny")
    policy.model.eval()
    return policy


@pytest.fixture(scope="module")
def prompts(tiny):
    dataset = load_dataset("starter", split="dev")
    asked = [tiny.messages(q, dataset.databases[q.db_id].schema) for q in dataset.questions[:6]]
    texts = [tiny.tokenizer.apply_chat_template(one, tokenize=False, add_generation_prompt=True) for one in asked]
    return tiny.tokenizer(texts, add_special_tokens=False)["input_ids"]


@pytest.fixture(scope="module")
def ends(tiny):
    return {tiny.model.generation_config.eos_token_id}


def test_greedy_completions_are_those_of_transformers(tiny, prompts, ends):
    ours = cpu_generation.generate(tiny.model, prompts, LONGEST, ends, temperature=0)
    theirs = tiny._generate(tiny.model, prompts, LONGEST, ends, 0, 1.0)
    # Filling moves sums by rounding, which may turn one near-tie of a greedy choice, and no more.
    assert sum(one == other for one, other in zip(ours, theirs, strict=True)) >= len(prompts) - 1
    assert {len(one) for one in ours} != {LONGEST}, "some must end before the longest, or nothing left the batch"


def test_a_sampled_token_has_the_probability_that_the_model_gives_it(tiny, prompts, ends):
    """Two tokens after a prompt, 4,000 times: the second is sampled from the cache and must follow the model's distribution."""
    torch.manual_seed(5)
    pairs = cpu_generation.generate(tiny.model, [prompts[0]] * 4000, 2, ends, temperature=1.5)
    first = max({pair[0] for pair in pairs}, key=lambda token: sum(pair[0] == token for pair in pairs))
    followed = torch.tensor([pair[1] for pair in pairs if pair[0] == first and len(pair) == 2])
    with torch.no_grad():
        logits = tiny.model(torch.tensor([[*prompts[0], first]])).logits[0, -1] / 1.5
    expected = logits.softmax(-1)
    seen = torch.bincount(followed, minlength=len(expected)) / len(followed)
    assert len(followed) > 500
    assert (seen - expected).abs().max() < 4 * 0.5 / len(followed) ** 0.5


CUTS = {"top-k 1": {"top_k": 1}, "a top-p so small that one token is left": {"top_p": 1e-6}}


@pytest.mark.parametrize("case", CUTS, ids=str)
def test_a_cut_that_leaves_one_token_is_greedy(case, tiny, prompts, ends):
    greedy = cpu_generation.generate(tiny.model, prompts, 20, ends, temperature=0)
    assert cpu_generation.generate(tiny.model, prompts, 20, ends, **CUTS[case]) == greedy


def test_equal_prompts_are_read_once(tiny, prompts, ends, monkeypatch):
    rows = []
    forward = type(tiny.model).forward

    def counted(self, input_ids, **named):
        rows.append(tuple(input_ids.shape))
        return forward(self, input_ids=input_ids, **named)

    monkeypatch.setattr(type(tiny.model), "forward", counted)
    cpu_generation.generate(tiny.model, [prompts[0]] * 5 + [prompts[1]] * 5, 128, ends)
    assert rows[0][0] == 2 and rows[1] == (10, 1)
    assert rows[-1][0] < 10, "answers that ended must have left the batch"


def test_the_same_seed_gives_the_same_completions_and_the_mode_stays(tiny, prompts, ends):
    tiny.model.train()
    torch.manual_seed(1)
    once = cpu_generation.generate(tiny.model, prompts, 30, ends)
    torch.manual_seed(1)
    assert cpu_generation.generate(tiny.model, prompts, 30, ends) == once
    assert tiny.model.training
    tiny.model.eval()


def test_a_model_with_windows_is_left_to_transformers(tiny):
    odd = copy.copy(tiny.model)
    odd.config = copy.deepcopy(tiny.model.config)
    odd.config.layer_types = ["full_attention", "sliding_attention"]
    assert cpu_generation.serves(tiny.model) and not cpu_generation.serves(odd)


@pytest.mark.parametrize("prompts", [1, 5, 19], ids=["one prompt for all", "groups of unequal size", "every prompt once"])
def test_a_prompt_read_once_scores_as_read_for_every_answer(tiny, prompts):
    """Values and gradients, for prompts and completions of many lengths, some of them empty of filling, some not there at all."""
    ids, mask, width = _rows(torch.Generator().manual_seed(0), prompts)
    together = _score(tiny.model, ids, mask, width)
    apart = unpadded.by_prompt(_score, tiny.model, ids, mask, width)
    counted = mask[:, -width:].bool()
    for one, other in zip(together, apart, strict=True):
        assert torch.allclose(one[counted], other[counted], atol=2e-5)
    assert not apart[0][~counted].any()
    gradients = []
    for logps in (together[0], apart[0]):
        (logps * counted).sum().backward()
        gradients.append([p.grad.clone() for p in tiny.model.parameters()])
        tiny.model.zero_grad()
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=2e-3, rtol=1e-3)


def test_answers_to_one_prompt_are_put_into_one_lot():
    """Prompts 1 and 2, one of them behind filling; the order of first sight stays, and what belongs to a row goes with it."""
    lots = [
        {"prompt_ids": torch.tensor([[0, 1], [7, 2]]), "prompt_mask": torch.tensor([[0, 1], [1, 1]]), "advantages": torch.tensor([10.0, 20.0]), "tools": ["a", "b"], "items": torch.tensor(5), "none": None},
        {"prompt_ids": torch.tensor([[7, 2], [0, 1]]), "prompt_mask": torch.tensor([[1, 1], [0, 1]]), "advantages": torch.tensor([21.0, 11.0]), "tools": ["c", "d"], "items": torch.tensor(5), "none": None},
    ]  # fmt: skip
    dealt = unpadded.prompts_together(lots)
    assert [lot["advantages"].tolist() for lot in dealt] == [[10.0, 11.0], [20.0, 21.0]]
    assert [lot["tools"] for lot in dealt] == [["a", "d"], ["b", "c"]]
    assert [lot["prompt_ids"].tolist() for lot in dealt] == [[[0, 1], [0, 1]], [[7, 2], [7, 2]]]
    assert [(int(lot["items"]), lot["none"]) for lot in dealt] == [(5, None)] * 2


def _rows(generator, prompts):
    rows, prompt_width, width = 19, 20, 12
    ids = torch.randint(10, 1000, (rows, prompt_width + width), generator=generator)
    which = torch.randint(0, prompts, (rows,), generator=generator) if prompts < rows else torch.arange(rows)
    ids[:, :prompt_width] = ids[which, :prompt_width]
    prompt_lengths = torch.randint(3, prompt_width + 1, (rows, 1), generator=generator)[which]
    completions = torch.randint(0, width + 1, (rows, 1), generator=generator)
    columns = torch.arange(prompt_width + width)
    mask = ((columns >= prompt_width - prompt_lengths) & (columns < prompt_width + completions)).long()
    return ids, mask, width


def _score(decoder, ids, mask, width):
    """As TRL does: the backbone's states, then the head."""
    states = decoder.base_model(input_ids=ids, attention_mask=mask).last_hidden_state[:, -width - 1 : -1]
    everywhere = decoder.get_output_embeddings()(states).log_softmax(-1)
    logps = everywhere.gather(-1, ids[:, -width:].unsqueeze(-1)).squeeze(-1)
    entropies = -(everywhere.exp() * everywhere).sum(-1)
    counted = mask[:, -width:]
    return logps * counted, entropies * counted
