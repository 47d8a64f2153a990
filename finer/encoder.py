"""Texts to unit vectors for the memory, offline by default.

The default encoder averages the static token vectors of WordLlama, whose weights (19 MB) lie in its wheel: no
download, no GPU, a third of a millisecond a text. FINER-SQL itself uses Qwen3-Embedding-0.6B (arXiv 2605.03465);
``encoder_models`` has it and every sentence-transformers model, and anything with the members of ``Encoder`` can stand
in their place. Every encoder here keeps the vectors of texts it has seen.

Not covered: word order. A mean of token vectors tells apart what a thought speaks of, hardly how it says it.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from finer.errors import FinerError

CACHED_TEXTS = 8192
"""Vectors kept by text (8 MB at 256 dimensions); the least recently used goes first."""
ENCODED_CHARACTERS = 20_000
"""Only so much of a text is read, so that one endless completion cannot hold a step up."""


class EncoderError(FinerError):
    """An encoder that cannot be loaded here: a package, a GPU or weights are missing."""


class Encoder(Protocol):
    """What the memory needs of an encoder.

    One that also has ``duplicate_similarity`` names the cosine from which the gate takes two thoughts for one; without
    it the paper's 0.9 holds.
    """

    name: str
    """Tells encoders apart whose vectors must not be mixed; stored beside the vectors."""
    dimensions: int

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Rows of length 1 (0 for a text without a known token): float32, shape (texts, dimensions)."""
        ...


class VectorCache:
    """Vectors by text; what is not there is computed in one call."""

    def __init__(self, compute: Callable[[list[str]], np.ndarray]) -> None:
        self._compute = compute
        self._vectors: OrderedDict[str, np.ndarray] = OrderedDict()

    def rows(self, texts: Sequence[str], dimensions: int) -> np.ndarray:
        """A row a text, in order; only the first ENCODED_CHARACTERS of each are read."""
        texts = [readable(text) for text in texts]
        missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        found = {text: self._vectors[text] for text in texts if text in self._vectors}
        if missing:
            found.update(zip(missing, self._compute(missing), strict=True))
        for text in texts:
            self._keep(text, found[text])
        return np.array([found[text] for text in texts], dtype=np.float32).reshape(len(texts), dimensions)

    def _keep(self, text: str, vector: np.ndarray) -> None:
        self._vectors[text] = vector
        self._vectors.move_to_end(text)
        if len(self._vectors) > CACHED_TEXTS:
            self._vectors.popitem(last=False)


def readable(text: str) -> str:
    """What is encoded of a text. Tokenizers raise on half a surrogate pair, which a decoder of bytes can leave."""
    return text[:ENCODED_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


class WordLlamaEncoder:
    """WordLlama's static vectors, loaded from its own wheel at the first use.

    >>> encoder = WordLlamaEncoder()
    >>> vectors = encoder.encode(["join book and author", "count the books of each author", ""])
    >>> vectors.shape, [round(float(row @ row), 3) for row in vectors]
    ((3, 256), [1.0, 1.0, 0.0])
    """

    dimensions = 256
    duplicate_similarity = 0.95
    """At the paper's 0.9 one in eight of the starter's traces has a neighbour that means another query, because means of
    static vectors lie close together; at 0.95 one in forty (``benchmarks/encoder_quality.py``)."""

    def __init__(self) -> None:
        self._cache = VectorCache(lambda texts: np.stack([self._vector(text) for text in texts]))

    @cached_property
    def name(self) -> str:
        """Package, version, configuration and width: 'wordllama-0.4.0.post1-l2_supercat-256'."""
        return f"wordllama-{metadata.version('wordllama')}-l2_supercat-{self.dimensions}"

    @cached_property
    def _model(self) -> Any:
        return _load_wordllama(self.dimensions)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit rows in the order of the texts; a text's vector never depends on its neighbours in the call."""
        return self._cache.rows(texts, self.dimensions)

    def _vector(self, text: str) -> np.ndarray:
        # One text a call: a batch is padded to its longest text, which costs gigabytes beside one that is endless.
        vector = self._model.embed([text])[0]
        norm = np.linalg.norm(vector)
        return vector / norm if norm > 0 else vector


def default_encoder() -> Encoder:
    """The encoder used where none is given; it loads nothing before its first text."""
    return WordLlamaEncoder()


def get_encoder(name: str = "wordllama") -> Encoder:
    """An encoder by name: 'wordllama', 'qwen3' (the paper's), or a sentence-transformers model's hub id or folder.

    Loads nothing yet; what is missing is said at the first text (EncoderError).

    >>> get_encoder("sentence-transformers/all-MiniLM-L6-v2").name
    'sentence-transformers/all-MiniLM-L6-v2'
    """
    if name == "wordllama":
        return WordLlamaEncoder()
    from finer.encoder_models import QWEN3, Qwen3Encoder, SentenceTransformerEncoder

    return Qwen3Encoder() if name in ("qwen3", QWEN3) else SentenceTransformerEncoder(name)


def _load_wordllama(dimensions: int) -> Any:
    """The model from the wheel's files. FileNotFoundError where they are missing; never a download."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    import wordllama

    # Importing it calls logging.basicConfig(INFO): undone, or every library would start to talk in the notebook.
    root.handlers[:], root.level = handlers, level
    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=folder, dim=dimensions, disable_download=True)
