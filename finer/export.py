"""What comes out of a run: its adapter, the whole model with the adapter worked in, a GGUF file, and a card beside each.

A folder is written whole or not at all, and never over one that is there. Each form is a policy again:
``finer evaluate --policy OUT/merged``. Not covered: uploading.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from finer import gguf_file
from finer.errors import FinerError
from finer.ladder import LADDER, policy_spec, write_style
from finer.model_card import model_card
from finer.runs import Run

FORMS = ("adapter", "merged", "gguf")
CARD = "README.md"


class ExportError(FinerError):
    """A run without a trained policy, a form that it has not, or a folder that is taken."""


def export(run: Run | str | Path, out: str | Path, forms: Sequence[str] = (), gguf_type: str = "q8_0", on_event: Callable[[str], None] = lambda line: None) -> list[Path]:
    """Writes the forms of a run's policy into a new folder and returns where each lies.

    ``forms``: of FORMS; none: the adapter where the run trained one, and the merged model. ExportError or GgufError before anything is left
    behind; a GGUF file that cannot be made costs only itself where other forms were asked for, and ``on_event`` says why.
    """
    run, out = run if isinstance(run, Run) else Run(run), Path(out)
    policy = run.folder / "policy"
    forms = _checked(run, policy, out, forms)
    part = out.with_name(f".{out.name}.part-{os.getpid()}")
    try:
        part.mkdir(parents=True)
        made = _write(run, policy, part, forms, gguf_type, out.name, on_event)
        part.rename(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return [out / path.relative_to(part) for path in made]


def _checked(run: Run, policy: Path, out: Path, forms: Sequence[str]) -> list[str]:
    adapter = (policy / "adapter_config.json").is_file()
    if not adapter and not (policy / "config.json").is_file():
        raise ExportError(f"{run.folder} holds no trained policy (the run is {run.status}); it is written at the end: finer resume {run.folder}")
    if out.exists():
        raise ExportError(f"{out} is there already; name another folder with --out")
    if "adapter" in forms and not adapter:
        raise ExportError(f"{run.folder} trained the whole model, so there is no adapter; ask for --form merged")
    if list(forms) == ["gguf"] and gguf_file.converter() is None and not _by_unsloth():
        gguf_file.convert(policy, out, "")  # says what is missing, before a model is loaded for nothing
    return [form for form in FORMS if form in (forms or (["adapter", "merged"] if adapter else ["merged"]))]


def _by_unsloth() -> bool:
    from finer.policy import use_unsloth

    return use_unsloth()


def _write(run: Run, policy: Path, part: Path, forms: list[str], gguf_type: str, name: str, tell: Callable[[str], None]) -> list[Path]:
    made, card = [], model_card(run, name)
    if "adapter" in forms:
        made.append(_adapter(policy, part / "adapter"))
    if "merged" in forms or "gguf" in forms:
        _merge(policy, part / "merged")
    if "gguf" in forms:
        try:
            made.append(_gguf(policy, part / "merged", part / f"{name}.{gguf_type}.gguf", gguf_type))
        except gguf_file.GgufError as error:
            if forms == ["gguf"]:
                raise
            tell(str(error))
    if "merged" in forms:
        made.append(part / "merged")
    else:
        shutil.rmtree(part / "merged", ignore_errors=True)
    write_style(policy_spec(str(policy)), part)
    for folder in (part, *(path for path in made if path.is_dir())):
        (folder / CARD).write_text(card, encoding="utf-8")
    return made


def _adapter(policy: Path, folder: Path) -> Path:
    """A copy that names its base as others know it, and not by a folder of this machine."""
    shutil.copytree(policy, folder)
    note = folder / "adapter_config.json"
    config = json.loads(note.read_text(encoding="utf-8"))
    base = str(config.get("base_model_name_or_path") or "")
    rung = next((spec for spec in LADDER.values() if Path(base).name == Path(spec.source).name), None)
    if rung is not None:
        config["base_model_name_or_path"] = rung.name if Path(rung.source).is_absolute() else rung.source
        note.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return folder


def _merge(policy: Path, folder: Path) -> None:
    if (policy / "adapter_config.json").is_file():
        from finer.policy import load_policy, quiet

        loaded = load_policy(str(policy))  # before ``quiet``, which imports transformers: Unsloth has to come first
        with quiet():
            loaded.save(folder, merge=True)
    else:
        shutil.copytree(policy, folder)


def _gguf(policy: Path, merged: Path, file: Path, kind: str) -> Path:
    """By the converter; where it is not here but Unsloth works, by Unsloth, which fetches and builds what it needs."""
    if gguf_file.converter() is None and _by_unsloth():
        from finer.policy import load_policy

        loaded, folder = load_policy(str(policy)), file.with_suffix("")
        loaded.model.save_pretrained_gguf(str(folder), loaded.tokenizer, quantization_method=kind)
        written = next(iter(sorted([*folder.rglob("*.gguf"), *folder.parent.glob(f"{folder.name}*/*.gguf")])), None)
        if written is None:
            raise gguf_file.GgufError(f"Unsloth wrote no GGUF file into {folder}; llama.cpp's converter serves too: {gguf_file.PLACE}=FOLDER")
        return written.rename(file)
    return gguf_file.convert(merged, file, kind)
