"""Texts to unit vectors for the memory, offline.

The default encoder averages the static token vectors of WordLlama, whose weights (19 MB) lie in its wheel: no
download, no GPU, a third of a millisecond a text. FINER-SQL itself uses Qwen3-Embedding-0.6B (arXiv 2605.03465);
anything with the three members of ``Encoder`` can stand in its place.

Not covered: word order. A mean of token vectors tells apart what a thought speaks of, hardly how it says it.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np

CACHED_TEXTS = 8192
"""Vectors kept by text (8 MB at 256 dimensions); the least recently used goes first."""
ENCODED_CHARACTERS = 20_000
"""Only so much of a text is read, so that one endless completion cannot hold a step up."""


class Encoder(Protocol):
    """What the memory needs of an encoder."""

    name: str
    """Tells encoders apart whose vectors must not be mixed; stored beside the vectors."""
    dimensions: int

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Rows of length 1 (0 for a text without a known token): float32, shape (texts, dimensions)."""
        ...


class WordLlamaEncoder:
    """WordLlama's static vectors, loaded from its own wheel at the first use.

    >>> encoder = WordLlamaEncoder()
    >>> vectors = encoder.encode(["join book and author", "count the books of each author", ""])
    >>> vectors.shape, [round(float(row @ row), 3) for row in vectors]
    ((3, 256), [1.0, 1.0, 0.0])
    """

    dimensions = 256

    def __init__(self) -> None:
        self._vectors: OrderedDict[str, np.ndarray] = OrderedDict()

    @cached_property
    def name(self) -> str:
        """Package, version, configuration and width: 'wordllama-0.4.0.post1-l2_supercat-256'."""
        return f"wordllama-{metadata.version('wordllama')}-l2_supercat-{self.dimensions}"

    @cached_property
    def _model(self) -> Any:
        return _load_wordllama(self.dimensions)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit rows in the order of the texts; a text's vector never depends on its neighbours in the call."""
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for position, text in enumerate(texts):
            rows[position] = self._vector(text[:ENCODED_CHARACTERS])
        return rows

    def _vector(self, text: str) -> np.ndarray:
        if text not in self._vectors:
            self._vectors[text] = self._compute(text)
            if len(self._vectors) > CACHED_TEXTS:
                self._vectors.popitem(last=False)
        self._vectors.move_to_end(text)
        return self._vectors[text]

    def _compute(self, text: str) -> np.ndarray:
        # The tokenizer raises on half a surrogate pair, which a decoder of bytes can leave in a completion.
        readable = text.encode("utf-8", "replace").decode("utf-8")
        # One text a call: a batch is padded to its longest text, which costs gigabytes beside one that is endless.
        vector = self._model.embed([readable])[0]
        norm = np.linalg.norm(vector)
        return vector / norm if norm > 0 else vector


def default_encoder() -> Encoder:
    """The encoder used where none is given; it loads nothing before its first text."""
    return WordLlamaEncoder()


def _load_wordllama(dimensions: int) -> Any:
    """The model from the wheel's files. FileNotFoundError where they are missing; never a download."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    import wordllama

    # Importing it calls logging.basicConfig(INFO): undone, or every library would start to talk in the notebook.
    root.handlers[:], root.level = handlers, level
    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=folder, dim=dimensions, disable_download=True)
