"""Run one SQL statement that nobody vouches for: read-only, and bounded in time, rows and memory.

Each statement runs in a small process of its own kind (``sandbox_worker``), started afresh by its path, so nothing
that the caller has loaded or locked is in it. Whatever the text does, the caller gets an :class:`Execution` with a
status; only a missing database raises, because that is the caller's fault and not the statement's. Needs POSIX
signals (Linux, macOS). Not covered: whether the result is right (``compare``, ``judge``).

| status | what happened |
|---|---|
| ok, empty | it ran to its end, with or without rows |
| error | SQLite refused the text or failed on it; ``error`` holds its message |
| timeout | stopped after ``Limits.seconds`` |
| too_large | more rows, more bytes or more memory than the limits |
| refused | not exactly one statement, not a query, or it would do more than read |
"""

from __future__ import annotations

import functools
import os
import queue
import re
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from finer import sandbox_worker
from finer.records import Execution
from finer.schema import database_uri

MAXIMUM_CHARACTERS = 20_000
"""A longer statement is refused unread."""

_SKIPPED = r"[ \t\n\f\r]+|--[^\n]*|/\*.*?(?:\*/|\Z)"
_QUOTED = r"'[^']*'|\"[^\"]*\"|`[^`]*`|\[[^\]]*\]"
_TOKEN = re.compile(rf"(?P<skip>{_SKIPPED})|(?P<quoted>{_QUOTED})|(?P<word>[^\W\d][\w$]*)|(?P<other>.)", re.DOTALL)
_CHANGES = {"INSERT", "REPLACE", "UPDATE", "DELETE"}


def check_statement(sql: str) -> str:
    """'' where the text is exactly one read-only query, else the reason as a clause; never raises, runs nothing.

    One query starts with SELECT, VALUES or WITH (comments and parentheses before it are fine, one ``;`` after it
    too) and, after WITH, goes on with a query. Whether SQLite can run it is another matter: names and the rest of
    the grammar are left to the execution, whose authorizer also holds where this reading were wrong.

    >>> check_statement("SELECT ';' /* ; */; -- done")
    ''
    >>> check_statement("SELECT 1; DROP TABLE book")
    'more than one statement'
    >>> check_statement("WITH old AS (SELECT 1) DELETE FROM book")
    'DELETE is not a query; only reading is allowed'
    """
    fault = _text_fault(sql)
    if fault:
        return fault
    tokens = sql_tokens(sql)
    tokens = tokens[:-1] if tokens[-1:] == [";"] else tokens
    if set(tokens) <= {";"}:
        return "no SQL"
    if any(token in _STRAY_QUOTES for token in tokens):
        return "a quote is never closed"
    if ";" in tokens:
        return "more than one statement"
    return _verb_fault(tokens)


def sql_tokens(sql: str) -> list[str]:
    """Words, quoted pieces and single signs of a text, in order, without white space and comments.

    >>> sql_tokens("SELECT 'a;b', [c d] -- note")
    ['SELECT', "'a;b'", ',', '[c d]']
    """
    return [match.group() for match in _TOKEN.finditer(sql) if match.lastgroup != "skip"]


_STRAY_QUOTES = {"'", '"', "`", "["}


def _text_fault(sql: Any) -> str:
    if not isinstance(sql, str):
        return f"not text but {type(sql).__name__}"
    if len(sql) > MAXIMUM_CHARACTERS:
        return f"{len(sql)} characters, and {MAXIMUM_CHARACTERS} are allowed"
    if "\0" in sql:
        return "holds a NUL character"
    return "holds half a surrogate pair, which is no text" if re.search("[\ud800-\udfff]", sql) else ""


def _verb_fault(tokens: list[str]) -> str:
    verb = next((token.upper() for token in tokens if token != "("), "(")
    if verb == "WITH":
        verb = _verb_after_with(tokens)
        if verb in _CHANGES:
            return f"{verb} is not a query; only reading is allowed"
        return "" if verb in ("SELECT", "VALUES") else "WITH is not followed by a query"
    if verb in ("SELECT", "VALUES"):
        return ""
    return f"starts with {verb[:20]}, and a query starts with SELECT or WITH"


def _verb_after_with(tokens: list[str]) -> str:
    """The first word after the body of a common table: a word that follows a parenthesis, outside all others."""
    start = next(position for position, token in enumerate(tokens) if token.upper() == "WITH")
    depth, previous = 0, ""
    for token in tokens[start + 1 :]:
        if depth == 0 and previous == ")" and token != "," and token.upper() != "AS":
            return token.upper()
        depth += (token == "(") - (token == ")")
        previous = token
    return ""


@dataclass(frozen=True)
class Limits:
    """What one statement may take."""

    seconds: float = 5.0
    rows: int = 10_000
    megabytes: int = 256
    """Memory of SQLite while it runs; its result may hold a sixteenth of that."""

    def __post_init__(self) -> None:
        for name in ("seconds", "rows", "megabytes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Limits: {name} must be above 0, not {getattr(self, name)!r}")

    @property
    def result_bytes(self) -> int:
        """Bytes that a result, and any one value in it, may hold."""
        return int(self.megabytes * 2**20 / 16)


class _Worker:
    """One process, started when it is first needed and again after it died."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.process: subprocess.Popen | None = None

    def run(self, database: tuple, sql: str) -> Execution:
        if self.process is None or self.process.poll() is not None:
            self.start()
        try:
            sandbox_worker.write_frame(self.process.stdin, (database, sql))
            return Execution(*sandbox_worker.read_frame(self.process.stdout))
        except (EOFError, OSError):
            return self.obituary()
        except BaseException:  # an interrupt between question and answer: the next answer would belong to this question
            self.stop()
            raise

    def start(self) -> None:
        limits = self.limits
        bounds = (limits.seconds, int(limits.rows), int(limits.megabytes), limits.result_bytes)
        # -I -S: neither the environment nor the working folder adds code. A session of its own keeps Ctrl-C away.
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", sandbox_worker.__file__, *map(str, bounds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def obituary(self) -> Execution:
        """The status for a statement during which the process ended."""
        code = self.process.wait()
        self.stop()
        if code == -signal.SIGALRM:
            return Execution("timeout", error=f"killed after {self.limits.seconds + sandbox_worker.GRACE_SECONDS:g} s")
        if code == -signal.SIGKILL:
            return Execution("too_large", error="killed by the system, most likely for want of memory")
        return Execution("error", error=f"the process that ran it ended with code {code}")

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            try:
                stream.close()
            except OSError:
                pass  # what was still to be written has no reader any more
        process.wait()


class Sandbox:
    """A few processes that run statements; may be used from several threads, and closes as a context manager.

    Processes start on first use (about 30 ms each), die with this one, and are replaced when a statement kills them.
    """

    def __init__(self, workers: int = 1, limits: Limits | None = None) -> None:
        if workers < 1:
            raise ValueError(f"Sandbox: workers must be at least 1, not {workers!r}")
        self.limits = limits or Limits()
        self._workers = [_Worker(self.limits) for _ in range(workers)]
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()  # last in, first out: a warm cache is used again
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="finer-sandbox") if workers > 1 else None
        self._finalizer = weakref.finalize(self, _stop_all, self._workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def execute(self, path: str | Path, sql: str) -> Execution:
        """Run one statement on an SQLite file. DataError where the file itself cannot be used."""
        reason = check_statement(sql)
        database = _stamped(path)
        if reason:
            return Execution("refused", error=reason)
        if not self._finalizer.alive:
            raise RuntimeError("this Sandbox is closed; make another one")
        worker = self._idle.get()
        try:
            return worker.run(database, sql)
        finally:
            self._idle.put(worker)

    def execute_many(self, jobs: Iterable[tuple[str | Path, str]]) -> list[Execution]:
        """Run (path, sql) pairs on all processes at once; the results come in the order of the pairs."""
        jobs = list(jobs)
        if self._threads is None or len(jobs) < 2:
            return [self.execute(path, sql) for path, sql in jobs]
        return list(self._threads.map(lambda job: self.execute(*job), jobs))

    def close(self) -> None:
        """End the processes; a second call does nothing."""
        if self._threads is not None:
            self._threads.shutdown()
        self._finalizer()


def _stop_all(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.stop()


def _stamped(path: str | Path) -> tuple:
    """The URI of a database and what changes when its file does."""
    uri = database_uri(path)
    stat = os.stat(path)
    return uri, stat.st_mtime_ns, stat.st_size, stat.st_ino


@functools.lru_cache(maxsize=2)
def _shared(limits: Limits) -> Sandbox:
    return Sandbox(1, limits)


def execute(database: Any, sql: str, limits: Limits | None = None) -> Execution:
    """Run one statement on a path, or on the main instance of a :class:`finer.Database`.

    The process behind it is kept for the next call. Errors as in :meth:`Sandbox.execute`.
    """
    return _shared(limits or Limits()).execute(getattr(database, "path", database), sql)
