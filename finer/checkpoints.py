"""A run's checkpoints: which of them are whole, what makes one whole, and what is cleared away of a broken one.

A checkpoint is a folder that transformers writes (weights, optimizer, schedule, random states, the trainer's counts), the
memory in it, and last of all a marker with what TRL does not keep. A process that is killed leaves a folder without the
marker, which counts for nothing. Not covered: the run's store (``run_writer`` goes back to the checkpoint's step).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

FOLDER = "checkpoints"
MARKER = "finer.json"
"""Written last into a checkpoint; a checkpoint without it broke off and is passed over."""


@dataclass(frozen=True)
class Mark:
    """What a whole checkpoint says of itself."""

    step: int
    weights: Mapping[str, float] = field(default_factory=dict)
    """The recipe's, which a person may have changed while it trained."""
    threads: int = 0
    """CPU threads that computed it; sums come out the same only under as many. 0: not known."""
    processes: int = 1
    """That trained it together; each draws random numbers of its own."""


def last_checkpoint(folder: Path) -> Path | None:
    """The latest whole checkpoint of a run, or None."""
    found = [path.parent for path in (folder / FOLDER).glob(f"checkpoint-*/{MARKER}")]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def read_mark(checkpoint: Path) -> Mark:
    """The marker of a whole checkpoint."""
    return Mark(**json.loads((checkpoint / MARKER).read_text(encoding="utf-8")))


def complete(checkpoint: Path, mark: Mark) -> None:
    """Makes a checkpoint whole: all of it to the disk, then the marker in one move."""
    for path in checkpoint.rglob("*"):
        if path.is_file():
            _to_disk(path)
    part = checkpoint / (MARKER + ".part")
    part.write_text(json.dumps(asdict(mark)), encoding="utf-8")
    _to_disk(part)
    part.replace(checkpoint / MARKER)


def clear_broken(folder: Path) -> None:
    """Takes away the checkpoints that broke off; transformers would count them among those to keep."""
    for path in (folder / FOLDER).glob("checkpoint-*"):
        if path.is_dir() and not (path / MARKER).exists():
            shutil.rmtree(path)


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
