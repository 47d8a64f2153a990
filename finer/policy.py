"""The ladder of policies: from a tiny bundled one to 3 B parameters, behind one way to load and to ask.

Only this module knows which loader is used: Unsloth (4-bit LoRA) where a CUDA device and the package are there, else
transformers. Covers loading, prompts and generation; not training (``grpo``). The CUDA path follows Unsloth's documented
calls and is tested against a stand-in, not on a GPU.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finer.errors import FinerError, unknown
from finer.prompt import messages
from finer.records import Question
from finer.schema import Schema

DATA = Path(__file__).resolve().parent.parent / "data" / "policies"
STYLE_FILE = "finer_style.txt"
"""Beside a saved policy: the prompt style that it was trained with."""
ATTENTION_AND_MLP = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class PolicyError(FinerError):
    """A policy that cannot be loaded; the message says what to do."""


@dataclass(frozen=True)
class PolicySpec:
    """One rung of the ladder."""

    name: str
    source: str
    """A folder, or a hub id."""
    style: str
    """Prompt style: 'tiny' or 'chat'."""
    lora_rank: int
    """0: all parameters are trained."""
    gpu_gigabytes: float
    """GPU memory that GRPO with 8 answers needs, as its maker's guides say; 0: a CPU does."""


LADDER = {
    spec.name: spec
    for spec in (
        PolicySpec("tiny", str(DATA / "tiny"), "tiny", 0, 0),
        PolicySpec("tiny-low", str(DATA / "tiny-low"), "tiny", 0, 0),
        PolicySpec("qwen2.5-coder-0.5b", "Qwen/Qwen2.5-Coder-0.5B-Instruct", "chat", 32, 8),
        PolicySpec("qwen2.5-coder-1.5b", "Qwen/Qwen2.5-Coder-1.5B-Instruct", "chat", 32, 12),
        PolicySpec("qwen2.5-coder-3b", "Qwen/Qwen2.5-Coder-3B-Instruct", "chat", 32, 16),
    )
}


@dataclass
class Policy:
    """A loaded model with its tokenizer."""

    spec: PolicySpec
    model: Any
    tokenizer: Any

    def messages(self, question: Question, schema: Schema) -> list[dict[str, str]]:
        """The prompt for a question, in this policy's style."""
        return messages(question, schema, self.spec.style)

    def generate(
        self, prompts: Sequence[list[dict[str, str]]], max_new_tokens: int, temperature: float = 0.0, batch_size: int = 64
    ) -> list[str]:
        """One completion a prompt, in order; temperature 0 is greedy. Short prompts are batched with short ones."""
        texts = [self.tokenizer.apply_chat_template(p, tokenize=False, add_generation_prompt=True) for p in prompts]
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found = [""] * len(texts)
        for batch in (order[start : start + batch_size] for start in range(0, len(order), batch_size)):
            answers = self._generate([texts[place] for place in batch], max_new_tokens, temperature)
            for place, answer in zip(batch, answers, strict=True):
                found[place] = answer
        return found

    def _generate(self, texts: list[str], max_new_tokens: int, temperature: float) -> list[str]:
        import torch

        encoded = self.tokenizer(texts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False)
        encoded = {name: encoded[name].to(self.model.device) for name in ("input_ids", "attention_mask")}
        sampling = {"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}
        training = self.model.training
        self.model.eval()
        with torch.no_grad():
            output = self.model.generate(
                **encoded, max_new_tokens=max_new_tokens, pad_token_id=self.tokenizer.pad_token_id, **sampling
            )
        self.model.train(training)
        return self.tokenizer.batch_decode(output[:, encoded["input_ids"].shape[1] :], skip_special_tokens=True)

    def save(self, folder: Path) -> Path:
        """The model (or its adapter) and tokenizer in a folder that ``load_policy`` reads."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        (folder / STYLE_FILE).write_text(self.spec.style + "\n", encoding="utf-8")
        return folder


def policy_spec(name: str) -> PolicySpec:
    """The spec of a name of the ladder, a local folder, or a hub id ('owner/model'). PolicyError names the nearest."""
    if name in LADDER:
        return LADDER[name]
    folder = Path(name)
    if (folder / "config.json").is_file() or (folder / "adapter_config.json").is_file():
        return _folder_spec(folder)
    if folder.exists():
        raise PolicyError(f"{name} holds no model (no config.json); give the folder that a run wrote as its 'policy'")
    if name.count("/") == 1 and not name.startswith((".", "/")):
        return PolicySpec(name, name, "chat", 32, 8)
    raise PolicyError(unknown("policy", name, LADDER) + "; a local folder or a hub id (owner/model) serves too")


def _folder_spec(folder: Path) -> PolicySpec:
    """A folder that a run saved says its style; a small policy goes on training whole, as it began."""
    note = folder / STYLE_FILE
    style = note.read_text(encoding="utf-8").strip() if note.is_file() else "chat"
    return PolicySpec(str(folder), str(folder), style, 0, 0) if style == "tiny" else PolicySpec(str(folder), str(folder), style, 32, 8)


def choose_policy() -> tuple[str, str]:
    """The largest policy of the ladder that this machine can train, and one sentence that says why."""
    gigabytes, device = gpu_memory()
    if not gigabytes:
        return "tiny", "no CUDA device is here, so the bundled policy of 2.6 M parameters trains on the CPU"
    fitting = [spec for spec in LADDER.values() if 0 < spec.gpu_gigabytes <= gigabytes]
    if not fitting:
        return "tiny", f"{device} has {gigabytes:.0f} GB, less than the 8 GB that the smallest of the others needs"
    spec = max(fitting, key=lambda one: one.gpu_gigabytes)
    return spec.name, f"{device} has {gigabytes:.0f} GB, and {spec.name} needs about {spec.gpu_gigabytes:.0f} GB"


def gpu_memory() -> tuple[float, str]:
    """Memory of the first CUDA device in GB (0: there is none) and its name."""
    import torch

    if not torch.cuda.is_available():
        return 0.0, ""
    properties = torch.cuda.get_device_properties(0)
    return properties.total_memory / 1e9, properties.name


def use_unsloth() -> bool:
    """Is Unsloth to be used: is it installed, and a CUDA device here?"""
    return importlib.util.find_spec("unsloth") is not None and gpu_memory()[0] > 0


def load_policy(name: str = "tiny", context_tokens: int = 4096) -> Policy:
    """A policy ready to answer and to be trained. PolicyError where its files cannot be had.

    'auto' takes what :func:`choose_policy` chooses. Call it before trl is imported, since Unsloth patches trl.
    """
    spec = policy_spec(choose_policy()[0] if name == "auto" else name)
    if spec.lora_rank and use_unsloth():
        return _load_with_unsloth(spec, context_tokens)
    if spec.source.startswith(str(DATA)) and not (Path(spec.source) / "config.json").is_file():
        raise PolicyError(f"the bundled policy {spec.name} is missing from data/policies; restore it, or run: make tiny")
    return _load_with_transformers(spec)


def _load_with_transformers(spec: PolicySpec) -> Policy:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    cuda = torch.cuda.is_available()
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(spec.source, padding_side="left")
            dtype = torch.bfloat16 if cuda and spec.lora_rank else torch.float32
            model = AutoModelForCausalLM.from_pretrained(spec.source, dtype=dtype)
    except OSError as error:
        raise PolicyError(
            f"{spec.name}: {spec.source} cannot be loaded ({str(error).splitlines()[0]}). With no network, give a local "
            "folder with --policy, or use the bundled policy: --policy tiny"
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Policy(spec, model.to("cuda" if cuda else "cpu"), tokenizer)


def _load_with_unsloth(spec: PolicySpec, context_tokens: int) -> Policy:
    from unsloth import FastLanguageModel

    model, tokenizer = FastLanguageModel.from_pretrained(
        model_name=spec.source, max_seq_length=context_tokens, load_in_4bit=True, fast_inference=False
    )
    model = FastLanguageModel.get_peft_model(
        model, r=spec.lora_rank, lora_alpha=spec.lora_rank, target_modules=list(ATTENTION_AND_MLP), lora_dropout=0.0,
        bias="none", use_gradient_checkpointing="unsloth", random_state=3407,
    )  # fmt: skip
    tokenizer.padding_side = "left"
    return Policy(spec, model, tokenizer)


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' loading and saving bars, which leave empty widgets in a notebook."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
