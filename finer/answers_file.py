"""The file of everything that a teacher answered: append-only, an object a line, each on the disk before the next is asked for.

What was paid for is never lost: a process that is killed leaves whole lines, and at most one that broke off, which is cut away
when the file is opened again. One process at a time writes it. Not covered: what the answers are worth (``distil``).
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from finer.datasets.entries import read_entries
from finer.errors import FinerError


@dataclass(frozen=True)
class Answer:
    """One answer of a teacher, and what became of it."""

    index: int
    """Of the question in its data set."""
    db_id: str
    question: str
    sample: int
    """Which of several answers to the question, from 0."""
    dataset: str
    model: str
    text: str
    reasoning: str
    """What the endpoint gave apart from the text."""
    thought: str
    sql: str
    correct: bool | None
    """By execution on every instance; None: there was nothing to judge."""
    is_trace: bool
    """Is it thought and query in the form that a policy is to write?"""
    reason: str
    """Why it is no trace, or wrong; '' for a right one."""
    tokens_in: int | None
    tokens_out: int | None
    most_tokens: int
    """The limit that it was asked with."""
    is_cut: bool
    """Did it end there?"""
    at: float
    """Seconds since 1970."""

    @property
    def key(self) -> tuple[str, int, int]:
        """What was asked: the model, the question's index, and which of several answers."""
        return self.model, self.index, self.sample


class AnswersFile:
    """The answers in a file, and its one writer; a context manager. FinerError where another process writes it."""

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._file = path.open("ab+")
        try:
            _hold(self._file, path)
            self._cut_what_broke_off()
            self.answers = [_answer(entry) for entry in read_entries(path)]
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def append(self, answer: Answer) -> None:
        """Puts an answer behind the others; returns when it is on the disk. From any thread."""
        line = json.dumps(asdict(answer), ensure_ascii=False) + "\n"
        with self._lock:
            self._file.write(line.encode("utf-8", "replace"))
            self._file.flush()
            os.fsync(self._file.fileno())
            self.answers.append(answer)

    def _cut_what_broke_off(self) -> None:
        """A last line without an end was being written when the process died; its question is asked again."""
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            self._file.truncate(whole)


def _answer(entry: Any) -> Answer:
    try:
        return Answer(**entry.values)
    except TypeError as error:
        raise entry.fault(f"no answer as finer distil writes it ({error}); name another file with --out") from error


def _hold(file: Any, path: Path) -> None:
    """Keeps other processes out, where the system can; Windows has no such lock, and two at once would ask everything twice."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise FinerError(f"{path} is being written by another process; wait for it, or name another file with --out") from error
