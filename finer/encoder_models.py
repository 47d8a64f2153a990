"""Encoders that run a network: the paper's Qwen3-Embedding-0.6B, and any sentence-transformers model by name.

Nothing is imported or loaded before the first text. Texts that were not seen yet are encoded in one batch a call.
A vector of a padded batch may differ from the same text's alone in the last bits, so the first one is kept.

Not covered: a network on a CPU at the paper's size (a step's thoughts would take longer than the step; see ``device``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from finer.encoder import EncoderError, VectorCache

QWEN3 = "Qwen/Qwen3-Embedding-0.6B"
BATCH_TEXTS = 64
"""Texts that go through a network at once."""
MOST_TOKENS = 2048
"""A thought's longest length in the paper's gate; what follows is not read."""


class Qwen3Encoder:
    """Qwen3-Embedding through transformers: the hidden state of the last token, scaled to length 1.

    Source: the model's card (last-token pooling; no instruction, as for documents, so that nearness is symmetric).
    ``device``: None asks for a GPU and says so where there is none; 'cpu' is taken at its word.
    """

    duplicate_similarity = 0.9
    """The paper's threshold, which was made for these vectors."""

    def __init__(self, model: str = QWEN3, device: str | None = None) -> None:
        self.model, self.device = model, device
        self.name = model
        self._cache = VectorCache(self._vectors)

    @property
    def dimensions(self) -> int:
        """The width of the network's states: 1,024 for the paper's model. Loads it."""
        return self._loaded[1].config.hidden_size

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit rows in the order of the texts, float32."""
        return self._cache.rows(texts, self.dimensions)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """The tokenizer and the network."""
        import torch
        from transformers import AutoModel, AutoTokenizer

        if self.device is None and not torch.cuda.is_available():
            raise EncoderError(
                f"the encoder {self.model} needs a GPU, and there is none; take the default encoder (Memory()), "
                "or Qwen3Encoder(device='cpu') if some seconds a thought are no matter"
            )
        device = self.device or "cuda"
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.model, padding_side="left")
            network = AutoModel.from_pretrained(self.model, dtype=torch.float32 if device == "cpu" else torch.bfloat16)
        except (OSError, ValueError) as error:
            raise _no_weights(self.model, error) from error
        return tokenizer, network.to(device).eval()

    def _vectors(self, texts: list[str]) -> np.ndarray:
        return np.concatenate([self._batch(texts[at : at + BATCH_TEXTS]) for at in range(0, len(texts), BATCH_TEXTS)])

    def _batch(self, texts: list[str]) -> np.ndarray:
        import torch

        tokenizer, network = self._loaded
        tokens = tokenizer(texts, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt")
        if not tokens["input_ids"].shape[1]:
            return np.zeros((len(texts), self.dimensions), dtype=np.float32)
        with torch.inference_mode():
            # Padded on the left, so the last place is every text's last token.
            states = network(**tokens.to(network.device)).last_hidden_state[:, -1]
            empty = tokens["attention_mask"].sum(dim=1, keepdim=True) == 0
            rows = torch.nn.functional.normalize(states.float(), dim=1).masked_fill(empty, 0)
        return rows.cpu().numpy()


class SentenceTransformerEncoder:
    """A model of sentence-transformers, by hub id or folder. The package is optional: it is asked for at the first text.

    ``duplicate_similarity``: the cosine from which two thoughts count as one; measure it before the gate leans on it.
    """

    def __init__(self, model: str, device: str | None = None, duplicate_similarity: float = 0.9) -> None:
        self.model, self.device, self.duplicate_similarity = model, device, duplicate_similarity
        self.name = model
        self._cache = VectorCache(self._vectors)

    @property
    def dimensions(self) -> int:
        """The width of the model's vectors. Loads it."""
        return int(self._loaded.get_sentence_embedding_dimension())

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit rows in the order of the texts, float32."""
        return self._cache.rows(texts, self.dimensions)

    @cached_property
    def _loaded(self) -> Any:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EncoderError(
                f"the encoder {self.model} needs a package that is not there; install it with: pip install sentence-transformers"
            ) from error
        try:
            return SentenceTransformer(self.model, device=self.device)
        except (OSError, ValueError) as error:
            raise _no_weights(self.model, error) from error

    def _vectors(self, texts: list[str]) -> np.ndarray:
        rows = self._loaded.encode(
            texts, batch_size=BATCH_TEXTS, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(rows, dtype=np.float32)


def _no_weights(model: str, error: Exception) -> EncoderError:
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return EncoderError(f"the encoder {model} cannot be loaded ({said}); with a network, fetch it once: hf download {model}")
