"""Everything that a run left behind, for comparing two runs to the last bit; and a small data set to train on."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from finer.checkpoints import last_checkpoint, read_mark
from finer.datasets import DATA_FOLDER
from finer.memory import Memory
from finer.runs import Run

TABLES = ("groups", "rollouts", "parts", "metrics", "evaluations", "evaluation_questions", "memory_events")
WALL_TIMES = ("step_time",)
"""Metrics that no two runs share."""


def small_dataset(folder: Path, questions: int = 7) -> Path:
    """Some of the starter's training questions, over its databases and with its traces."""
    starter = DATA_FOLDER / "starter"
    folder.mkdir()
    (folder / "databases").symlink_to(starter / "databases")
    shutil.copy(starter / "traces.jsonl", folder)
    lines = [line for line in (starter / "questions.jsonl").read_text(encoding="utf-8").splitlines() if json.loads(line)["split"] == "train"]
    (folder / "questions.jsonl").write_text("\n".join(lines[:: len(lines) // questions][:questions]) + "\n", encoding="utf-8")
    return folder


def stored(folder: Path) -> dict[str, Any]:
    """The store without its clock."""
    run = Run(folder)
    found = {table: [_row(table, row) for row in run.query(f"SELECT * FROM {table} ORDER BY 1, 2")] for table in TABLES}
    found["metrics"] = [row for row in found["metrics"] if row["name"] not in WALL_TIMES]
    found["steps"] = [step.step for step in run.steps()]
    found["events"] = [(one.step, one.kind, one.detail) for one in run.events() if one.kind not in ("resumed", "crashed")]
    return found


def contents(folder: Path) -> dict[str, Any]:
    """The store without its clock, the trained policy, and the last checkpoint with its memory."""
    found, checkpoint = stored(folder), last_checkpoint(folder)
    found["policy"] = {path.name: path.read_bytes() for path in (folder / "policy").iterdir()}
    found["checkpoints"] = sorted(path.name for path in checkpoint.parent.iterdir())
    found["mark"] = asdict(read_mark(checkpoint))
    found |= {name: _tensors(checkpoint / name) for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth")}
    found["weights"] = next(checkpoint.glob("*model.safetensors")).read_bytes()
    memory = Memory.load(checkpoint / "memory")
    found["memory"] = ([asdict(trace) for trace in memory.traces], memory.vectors().tobytes(), memory.gate_counts)
    return found


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What of two runs differs, with the first row that does."""
    return [name + _first(value, other[name]) for name, value in one.items() if value != other[name]]


def _first(value: Any, other: Any) -> str:
    if isinstance(value, list):
        return next((f": {a!r:.300} and {b!r:.300}" for a, b in zip(value, other, strict=False) if a != b), "")
    if isinstance(value, dict):
        return ": " + ", ".join(str(key) for key, one in value.items() if one != other.get(key))
    return ""


def _row(table: str, row: Any) -> dict[str, Any]:
    values = {name: row[name] for name in row.keys() if name != "at"}  # noqa: SIM118 - a row's own iteration gives values
    if table == "parts":
        values["evidence"] = {name: value for name, value in json.loads(values["evidence"]).items() if name != "seconds"}
    return values


def _tensors(path: Path) -> Any:
    import torch

    return _plain(torch.load(path, weights_only=False))


def _plain(value: Any) -> Any:
    """Tensors and arrays as bytes, so that two of them compare."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, np.ndarray):
        return value.tobytes()
    return value.numpy().tobytes() if hasattr(value, "numpy") else value
