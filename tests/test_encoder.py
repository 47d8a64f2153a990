"""Encoders: the default one, the cache, and those that run a network. Run: pytest tests/test_encoder.py"""

from __future__ import annotations

import logging
import socket
import sys
import types

import numpy as np
import pytest
from memory_samples import trace

from finer import encoder as module
from finer.encoder import CACHED_TEXTS, ENCODED_CHARACTERS, EncoderError, VectorCache, WordLlamaEncoder, get_encoder
from finer.encoder_models import QWEN3, Qwen3Encoder, SentenceTransformerEncoder
from finer.memory import Memory

# -- the real encoder -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wordllama():
    return WordLlamaEncoder()


def test_loads_without_the_network_and_leaves_logging_alone(monkeypatch):
    def refuse(*_):
        raise AssertionError("the encoder opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    before = (list(logging.getLogger().handlers), logging.getLogger().level)
    encoder = WordLlamaEncoder()
    assert encoder.encode(["a"]).shape == (1, encoder.dimensions)
    assert (list(logging.getLogger().handlers), logging.getLogger().level) == before


def test_rows_are_unit_float32_and_independent_of_the_batch(wordllama):
    texts = ["join book and author", "x" * 200_000, "count 🙂 \ud800 \x00", "sum of prices"]
    rows = wordllama.encode(texts)
    assert rows.dtype == np.float32 and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    fresh = WordLlamaEncoder()
    assert np.array_equal(np.concatenate([fresh.encode([text]) for text in reversed(texts)])[::-1], rows)


def test_empty_text_is_a_zero_row(wordllama):
    assert not wordllama.encode([""]).any() and wordllama.encode([]).shape == (0, 256)


def test_close_meaning_is_closer_than_another_subject(wordllama):
    base, near, far = wordllama.encode(
        [
            "Join book with author and count the books of each writer.",
            "Count how many books each author has written, joining the two tables.",
            "Filter the flights that leave in March and sort them by delay.",
        ]
    )
    assert base @ near > base @ far + 0.2


def test_cache_is_bounded(wordllama, monkeypatch):
    from finer import encoder as module

    monkeypatch.setattr(module, "CACHED_TEXTS", 3)
    small = WordLlamaEncoder()
    small.encode([f"text {number}" for number in range(5)] + ["text 4"])
    assert list(small._cache._vectors) == ["text 2", "text 3", "text 4"] and CACHED_TEXTS > 1000


def test_default_memory_tells_a_thought_from_babble(wordllama):
    memory = Memory(wordllama)
    memory.add([trace("Join order with customer on customer_id, group by city and count the orders.")])
    thought, babble = memory.match(["Join book with author, group by name and count the books.", "la la la"], "library")
    assert 1 >= thought.similarity > babble.similarity + 0.2


# -- the cache, names -------------------------------------------------------------------------------------------------


def test_only_texts_not_seen_are_computed_in_one_call():
    calls = []

    def compute(texts):
        calls.append(texts)
        return np.array([[len(text)] for text in texts], dtype=np.float32)

    cache = VectorCache(compute)
    assert cache.rows(["aa", "b", "aa"], 1).tolist() == [[2], [1], [2]]
    assert cache.rows(["b", "cccc"], 1).tolist() == [[1], [4]] and cache.rows([], 1).shape == (0, 1)
    assert calls == [["aa", "b"], ["cccc"]]
    assert cache.rows(["x" * 30_000], 1)[0, 0] == ENCODED_CHARACTERS


def test_a_batch_larger_than_the_cache_is_answered_whole(monkeypatch):
    monkeypatch.setattr(module, "CACHED_TEXTS", 2)
    cache = VectorCache(lambda texts: np.array([[float(text)] for text in texts]))
    cache.rows(["1"], 1)
    assert cache.rows(["2", "3", "4", "1", "2"], 1)[:, 0].tolist() == [2, 3, 4, 1, 2]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("wordllama", WordLlamaEncoder), ("qwen3", Qwen3Encoder), (QWEN3, Qwen3Encoder), ("some/model", SentenceTransformerEncoder)],
)
def test_an_encoder_by_name_loads_nothing(name, kind):
    encoder = get_encoder(name)
    assert isinstance(encoder, kind) and encoder.name and 0 < encoder.duplicate_similarity <= 1
    assert Memory(encoder).match(["a"], "x")[0].similarity is None, "an empty memory asks no encoder"


# -- networks ---------------------------------------------------------------------------------------------------------


def test_without_a_gpu_the_papers_encoder_says_what_to_do(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EncoderError, match=r"needs a GPU, and there is none; take the default encoder"):
        get_encoder("qwen3").encode(["a"])


def test_missing_weights_name_the_command(tmp_path):
    with pytest.raises(EncoderError, match=r"cannot be loaded .*fetch it once: hf download"):
        Qwen3Encoder(str(tmp_path), device="cpu").encode(["a"])


def test_a_missing_package_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EncoderError, match="install it with: pip install sentence-transformers"):
        get_encoder("sentence-transformers/all-MiniLM-L6-v2").encode(["a"])


def test_a_sentence_transformers_model_is_asked_once_a_text(monkeypatch):
    asked = []

    class SentenceTransformer:
        def __init__(self, name, device=None):
            assert (name, device) == ("some/model", None)

        def get_sentence_embedding_dimension(self):
            return 2

        def encode(self, texts, batch_size, normalize_embeddings, convert_to_numpy, show_progress_bar):
            assert normalize_embeddings and convert_to_numpy and not show_progress_bar
            asked.append(texts)
            return np.array([[0.6, 0.8]] * len(texts))

    package = types.ModuleType("sentence_transformers")
    package.SentenceTransformer = SentenceTransformer
    monkeypatch.setitem(sys.modules, "sentence_transformers", package)
    encoder = get_encoder("some/model")
    assert encoder.encode(["a", "b", "a"]).tolist() == [[np.float32(0.6), np.float32(0.8)]] * 3
    encoder.encode(["b"])
    assert asked == [["a", "b"]] and encoder.encode(["a"]).dtype == np.float32


@pytest.fixture(scope="module")
def tiny_qwen(tmp_path_factory):
    """A Qwen3 network of a few thousand random weights, and a tokenizer of a few words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3Model

    folder = tmp_path_factory.mktemp("qwen")
    words = ["<pad>", "<unk>", "join", "book", "author", "count", "the", "rows"]
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>").save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "head_dim": 8}
    Qwen3Model(Qwen3Config(vocab_size=8, num_attention_heads=2, num_key_value_heads=2, **sizes)).save_pretrained(folder)
    return str(folder)


def test_qwen3_takes_the_last_token_of_each_text_of_a_batch(tiny_qwen):
    texts = ["join book", "count the rows of the author and the book", "book join", ""]
    together = Qwen3Encoder(tiny_qwen, device="cpu").encode(texts)
    assert together.shape == (4, 16) and np.allclose(np.linalg.norm(together, axis=1), [1, 1, 1, 0], atol=1e-5)
    alone = np.concatenate([Qwen3Encoder(tiny_qwen, device="cpu").encode([text]) for text in texts])
    assert np.allclose(together, alone, atol=1e-4), "padding changes nothing"
    assert abs(float(together[0] @ together[2])) < 0.999, "word order counts"
