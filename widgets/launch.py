"""A command of ``finer`` in a process of its own, which outlives the notebook; what it prints goes into a file.

The process is in a session of its own, so that neither Ctrl-C in the notebook nor the end of its kernel reaches it. (A machine or
container that ends everything of a person ends it too; a run then counts as crashed, and ``finer resume`` goes on.)

Not covered: which command, and when (``start``, ``controls``).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from finer.config import TrainConfig, toml_value

MOST_LOG_BYTES = 65_536
"""Of the end of a log, for the error in it."""
OUTLIVES = "It trains in a process of its own, which goes on when this notebook is closed: Stop, in Controls, ends it."


class Launched:
    """``finer`` with these arguments, running; ``process`` is it, ``log`` the file that its output is added to.

    Raises OSError or ValueError where it cannot begin.
    """

    def __init__(self, arguments: list[str], log: Path):
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "finer.cli", *arguments]
        with log.open("ab") as output:
            self._start = output.tell()
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)

    def why(self) -> str:
        """Of a process that ended badly: what went wrong, in a line."""
        code = self.process.returncode
        return error_line(self._output()) or (f"signal {-code} ended it" if code < 0 else f"exit code {code}, and no word why")

    def last_word(self) -> str:
        """The last whole line that it has printed; "" before the first."""
        lines = [line for line in self._output().splitlines(keepends=True) if line.endswith("\n") and line.strip()]
        return lines[-1].strip() if lines else ""

    def _output(self) -> str:
        with self.log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._start, size - MOST_LOG_BYTES))
            return log.read().decode("utf-8", "replace")


def log_of(folder: Path) -> Path:
    """The file for the output of what trains into that folder: beside it, since the folder may not be there yet.

    >>> log_of(Path("runs/mine")).name
    'mine.log'
    """
    return folder.with_name(folder.name + ".log")


def train_arguments(config: TrainConfig, folder: Path) -> list[str]:
    """The arguments of the command that trains by this configuration into that folder; settings that are the default are left out.

    >>> train_arguments(TrainConfig(steps=5, memory=False, weights={"atomic": 0.2}), Path("runs/first"))
    ['train', '--run', 'runs/first', '--set=steps=5', '--set=memory=false', '--set=weights.atomic=0.2']
    """
    default = TrainConfig()
    changed = {key: getattr(config, key) for key in vars(default) if getattr(config, key) != getattr(default, key)}
    weights = changed.pop("weights", {})
    pairs = [*changed.items(), *[(f"weights.{part}", weight) for part, weight in weights.items()]]
    told = [f"--set={key}={value if isinstance(value, str) else toml_value(value)}" for key, value in pairs]
    return ["train", "--run", str(folder), *told]


def error_line(output: str) -> str:
    """What a command's output says went wrong: its one line to the person, or the first line of the exception; "" for neither.

    >>> error_line("loading\\nfiner: unknown policy 'tony'\\n")
    "unknown policy 'tony'"
    >>> error_line("Traceback (most recent call last):\\n  File ...\\nMemoryError: no\\nroom\\n")
    'MemoryError: no'
    """
    lines = [line for line in output.splitlines() if line.strip()]
    for line in lines:
        if line.startswith("finer: "):
            return line.removeprefix("finer: ")
    _, found, trace = output.rpartition("Traceback (most recent call last):\n")
    return next((line for line in trace.splitlines() if found and line.strip() and not line.startswith(" ")), "")
