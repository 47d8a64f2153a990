"""Models as one GGUF file: made by llama.cpp's converter or Unsloth, and read back through transformers.

The converter is a script of llama.cpp's repository, which is in no package; where it is not found, the message says how to get it. Not
covered: running a GGUF file in llama.cpp.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from finer.errors import FinerError

TYPES = ("f32", "f16", "bf16", "q8_0")
"""What the converter writes; smaller ones are made from these by llama.cpp's llama-quantize."""
SCRIPT = "convert_hf_to_gguf.py"
PLACE = "LLAMA_CPP"
"""The variable that names llama.cpp's folder."""


class GgufError(FinerError):
    """No converter, one that failed, or a file that cannot be read."""


def converter() -> Path | None:
    """llama.cpp's script: in the folder that LLAMA_CPP names, on the path, or where Unsloth keeps it."""
    named, found = os.environ.get(PLACE), shutil.which(SCRIPT)
    places = [*([Path(named) / SCRIPT, Path(named)] if named else []), *([Path(found)] if found else []), Path.home() / ".unsloth" / "llama.cpp" / SCRIPT]
    return next((place for place in places if place.is_file() and place.suffix == ".py"), None)


def convert(folder: Path, file: Path, kind: str) -> Path:
    """Writes the model of a folder as a GGUF file. GgufError where there is no converter, or it does not know this model."""
    script = converter()
    if script is None:
        raise GgufError(
            f"no GGUF file can be made: llama.cpp's {SCRIPT} is not here. Get it with: git clone https://github.com/ggml-org/llama.cpp, and name its "
            f"folder: {PLACE}=FOLDER finer export … --form gguf"
        )
    done = subprocess.run([sys.executable, str(script), str(folder), "--outfile", str(file), "--outtype", kind], capture_output=True, text=True, check=False)
    if done.returncode or not file.is_file():
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise GgufError(f"{script} did not convert {folder} ({said[-1][:300] if said else f'exit code {done.returncode}'}); the merged model is what it was given")
    return file


def read(file: Path) -> tuple[Any, Any]:
    """Model and tokenizer of a GGUF file, in float32, to be asked, trained and saved like any other.

    transformers (5.17) dequantizes the weights but goes on taking the model for quantised, and mistakes the end mark.
    """
    if importlib.util.find_spec("gguf") is None:
        raise GgufError(f"{file} is a GGUF file, which takes a package to read: {sys.executable} -m pip install gguf==0.19.0")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    model.hf_quantizer = None
    del model.config.quantization_config
    end = model.generation_config.eos_token_id  # as the file says
    tokenizer.eos_token = tokenizer.pad_token = tokenizer.convert_ids_to_tokens(end)
    tokenizer.clean_up_tokenization_spaces = False  # it would take the blank out before a comma, and transformers warns of it at each load
    model.config.eos_token_id = end
    return model, tokenizer
