"""Run one SQL statement that nobody vouches for: read-only, and bounded in time, rows, bytes and memory.

Each statement runs in a small process of its own kind (``sandbox_worker``), started afresh by its path, so nothing
that the caller has loaded or locked is in it. Whatever the text does, the caller gets an :class:`Execution` with a
status; only a database that cannot be used raises, because that is the caller's fault and not the statement's. Needs
POSIX signals (Linux, macOS). Not covered: whether the result is right (``compare``, ``judge``).

| status | what happened |
|---|---|
| ok, empty | it ran to its end, with or without rows |
| error | SQLite refused the text or failed on it; ``error`` holds its message |
| timeout | stopped after ``Limits.seconds`` |
| too_large | more rows, more bytes or more memory than the limits |
| refused | not exactly one statement, not a query, or it would do more than read |

Reading only: the text must read as one query (:func:`check_statement`), SQLite's authorizer allows reading and nothing
else (no ATTACH, no PRAGMA, no extension, no function that touches files), the file is open with ``mode=ro`` and
``query_only``, and on Linux the process may not write a byte to any file.

Bounds: SQLite looks at the clock many times a millisecond, and a statement stuck inside one long call of C is ended
with its process a fifth of a second after its time; the process is then replaced. Sorts and temporary tables stay in
memory and meet its limit. A recursive WITH without end meets time, rows or memory, and ``error`` says that it recurs.

A file is opened ``immutable``: no locks are taken and nothing appears beside it, so it may lie on a read-only disk. That
is safe only while nobody writes, therefore: content that waits in a write-ahead log, or half a transaction that a crash
left behind, is refused (DataError); a file that changed since the last statement is opened anew; one that changed while
a statement read it is read again, and after several such changes the statement ends as ``error``.

Results are as SQLite's own (LIKE ignores the case of ASCII letters, values keep their types), save that undecodable text
is read as ``Limits.text_errors`` says.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import marshal
import os
import queue
import re
import shlex
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from finer import sandbox_worker
from finer.errors import FinerError
from finer.records import Execution
from finer.schema import DataError, database_uri, engine_of

MAXIMUM_CHARACTERS = 20_000
"""A longer statement is refused unread."""
BATCH_STATEMENTS = 16
"""Statements that a process is given at a time, at most."""
MAXIMUM_CHANGES = 3
"""A file that changed this often while one statement read it is given up."""
TEXT_ERRORS = ("replace", "strict", "ignore")

_SKIPPED = r"[ \t\n\f\r\ufeff]+|--[^\n]*|/\*.*?(?:\*/|\Z)"
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


class SandboxError(FinerError):
    """The process that runs statements cannot be started."""


@dataclass(frozen=True)
class Limits:
    """What one statement may take.

    >>> Limits(megabytes=16).result_bytes
    1048576
    """

    seconds: float = 5.0
    rows: int = 10_000
    megabytes: int = 256
    """Memory of SQLite while it runs; its result may hold a sixteenth of that."""
    text_errors: str = "replace"
    """Text that is no UTF-8: ``replace`` puts U+FFFD for it, ``ignore`` drops it, ``strict`` makes it an error."""

    def __post_init__(self) -> None:
        for name in ("seconds", "rows", "megabytes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Limits: {name} must be above 0, not {getattr(self, name)!r}")
        if self.text_errors not in TEXT_ERRORS:
            raise ValueError(f"Limits: text_errors must be one of {', '.join(TEXT_ERRORS)}, not {self.text_errors!r}")

    @property
    def result_bytes(self) -> int:
        """Bytes that a result, and any one value in it, may hold; at most the 10^9 of SQLite itself."""
        return min(int(self.megabytes * 2**20 / 16), 10**9)


class _Database(NamedTuple):
    """A file as it is now."""

    engine: str
    uri: str
    stamp: tuple[int, ...]
    """Changes when the file does."""


_SCRIPTS = {"sqlite": sandbox_worker.__file__, "duckdb": str(Path(sandbox_worker.__file__).with_name("sandbox_duckdb.py"))}
"""The program that runs the statements of each engine."""


class _Worker:
    """One process at a time, started when it is first needed, after it died, and for files of another engine."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.engine = ""
        self.process: subprocess.Popen | None = None
        self.is_closed = False

    def run(self, requests: Sequence[tuple[_Database, str]]) -> list[Execution]:
        """An execution for each, in order; a statement that ends the process costs the others nothing."""
        done: list[Execution] = []
        for engine, group in itertools.groupby(requests, key=lambda request: request[0].engine):
            group = [(database[1:], sql) for database, sql in group]
            wanted = len(done) + len(group)
            while len(done) < wanted:
                done += self.exchange(self.living(engine), group[len(done) - wanted :])
        return done

    def living(self, engine: str) -> subprocess.Popen:
        """The process for files of this engine."""
        if self.process is None or self.process.poll() is not None or self.engine != engine:
            self.stop()
            self.start(engine)
        return self.process

    def exchange(self, process: subprocess.Popen, requests: list) -> list[Execution]:
        """Answers up to the first statement during which the process ended, that one included."""
        answers: list[Execution] = []
        is_sent, asked = False, time.perf_counter()
        try:
            sandbox_worker.write_frame(process.stdin, requests)
            is_sent = True
            for _ in requests:
                answers.append(_execution(*sandbox_worker.read_frame(process.stdout)))
                asked = time.perf_counter()
        except (EOFError, OSError, ValueError):  # ValueError: the stream was closed in another thread
            lost = self.obituary(process, time.perf_counter() - asked)
            is_guilty = is_sent and process.returncode != sandbox_worker.WORN_OUT
            answers += [lost] if is_guilty else []  # a process that was gone before it was asked is no statement's doing
        except BaseException:  # an interrupt between question and answer: the next answer would belong to this question
            self.stop()
            raise
        return answers

    def start(self, engine: str) -> None:
        self.check_open()
        limits = self.limits
        bounds = (limits.seconds, int(limits.rows), int(limits.megabytes), limits.result_bytes, limits.text_errors)
        # -I -S: neither the environment nor the working folder adds code. A session of its own keeps Ctrl-C away.
        command = [sys.executable, "-I", "-S", _SCRIPTS[engine], *map(str, bounds)]
        command += [_duckdb_folder()] if engine == "duckdb" else []
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null, start_new_session=True)
        self.process, self.engine = process, engine
        try:
            sandbox_worker.read_frame(process.stdout)  # it says that it is ready
        except EOFError:
            code = process.wait()
            self.stop()
            self.check_open()
            raise SandboxError(
                f"the process that runs statements ended with code {code} before it ran any; free some memory, or see "
                f"what it says: {shlex.join(command)}"
            ) from None
        except BaseException:
            self.stop()
            raise

    def check_open(self) -> None:
        if self.is_closed:
            raise RuntimeError("this Sandbox is closed; make another one")

    def obituary(self, process: subprocess.Popen, seconds: float) -> Execution:
        """The status for a statement during which the process ended."""
        code = process.wait()
        self.stop()
        self.check_open()
        if code == -signal.SIGALRM:
            bound = self.limits.seconds + sandbox_worker.GRACE_SECONDS
            return Execution("timeout", error=f"killed after {bound:g} s", seconds=seconds)
        if code == -signal.SIGKILL:
            error = "killed by the system, most likely for want of memory"
            return Execution("too_large", error=error, seconds=seconds)
        return Execution("error", error=f"the process that ran it ended with code {code}", seconds=seconds)

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            try:
                stream.close()
            except OSError:
                pass  # what was still to be written has no reader any more


def _execution(status: str, portions: list[bytes], columns: tuple, error: str, seconds: float) -> Execution:
    rows = tuple(itertools.chain.from_iterable(map(marshal.loads, portions)))
    return Execution(status, rows, columns, error, seconds)


class Sandbox:
    """A few processes that run statements; may be used from several threads, and closes as a context manager.

    Processes start on first use (about 30 ms each), die with this one, and are replaced when a statement kills them.
    A tiny query costs some 40 microseconds of processor time above SQLite's own, so results are worth keeping only
    where the statement itself is slow. After ``os.fork`` the child has processes of its own.
    """

    def __init__(self, workers: int = 1, limits: Limits | None = None) -> None:
        if workers < 1:
            raise ValueError(f"Sandbox: workers must be at least 1, not {workers!r}")
        self.limits = limits or Limits()
        self._count = workers
        self._begin()

    def _begin(self) -> None:
        self._owner = os.getpid()
        self._workers = [_Worker(self.limits) for _ in range(self._count)]
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()  # last in, first out: a warm cache is used again
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(self._count, "finer-sandbox") if self._count > 1 else None
        self._finalizer = weakref.finalize(self, _stop_all, self._workers, self._owner)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def execute(self, path: str | Path, sql: str) -> Execution:
        """Run one statement on a database file. DataError where the file itself cannot be used."""
        return self.execute_many([(path, sql)])[0]

    def execute_many(self, jobs: Iterable[tuple[str | Path, str]]) -> list[Execution]:
        """Run (path, sql) pairs on all processes at once; the results come in the order of the pairs.

        DataError, before any of them runs, where a file cannot be used.
        """
        self._check_use()
        jobs = [(path, sql, _located(path)) for path, sql in jobs]
        results = [Execution("refused", error=reason) if reason else None for reason in map(_reason, jobs)]
        places = [place for place, result in enumerate(results) if result is None]
        # Several batches for each process, so that one slow batch does not keep the others waiting at the end.
        size = max(1, min(BATCH_STATEMENTS, len(places) // (4 * self._count)))
        batches = [places[start : start + size] for start in range(0, len(places), size)]
        is_spread = self._threads is not None and len(batches) > 1
        run = self._threads.map if is_spread else map
        for batch, answers in zip(batches, run(lambda batch: self._run([jobs[place] for place in batch]), batches)):
            for place, answer in zip(batch, answers, strict=True):
                results[place] = answer
        return results

    def _check_use(self) -> None:
        if self._owner != os.getpid():  # a forked child: the processes and threads it remembers are its parent's
            self._finalizer.detach()
            self._begin()
        if not self._finalizer.alive:
            raise RuntimeError("this Sandbox is closed; make another one")

    def _run(self, jobs: list[tuple[str | Path, str, _Database]]) -> list[Execution]:
        """One batch on one process; statements whose file changed meanwhile run again, alone."""
        answers = self._ask([(database, sql) for _, sql, database in jobs])
        changed = {path for path, database in {job[0]: job[2] for job in jobs}.items() if _located(path) != database}
        if not changed:
            return answers
        return [self._run_again(job[0], job[1]) if job[0] in changed else answer for job, answer in zip(jobs, answers)]

    def _run_again(self, path: str | Path, sql: str) -> Execution:
        for _ in range(MAXIMUM_CHANGES):
            database = _located(path)
            (answer,) = self._ask([(database, sql)])
            if _located(path) == database:
                return answer
        return Execution("error", error="the database file changes while the statement reads it; try when nobody writes")

    def _ask(self, requests: list[tuple[_Database, str]]) -> list[Execution]:
        worker = self._idle.get()
        try:
            return worker.run(requests)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End the processes, whatever they are at; a second call does nothing."""
        if self._owner == os.getpid():
            self._finalizer()
            if self._threads is not None:
                self._threads.shutdown(cancel_futures=True)


def _stop_all(workers: list[_Worker], owner: int) -> None:
    if owner == os.getpid():  # a forked child that ends must not end its parent's processes
        for worker in workers:
            worker.is_closed = True
            worker.stop()


def _reason(job: tuple) -> str:
    """Why a text is not run; of DuckDB's own grammar its own parser is the judge, before anything runs."""
    return _text_fault(job[1]) if job[2].engine == "duckdb" else check_statement(job[1])


def _located(path: str | Path) -> _Database:
    """The file as it is now; DataError where it cannot be read as it stands."""
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        database_uri(path)  # says what is missing
        raise
    text = os.fspath(path)
    if os.path.exists(f"{text}-wal") or os.path.exists(f"{text}-journal"):
        _check_beside(text)
    stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_dev)
    return _opened(text if os.path.isabs(text) else os.path.abspath(text), stamp)


@functools.lru_cache(maxsize=4096)
def _opened(path: str, stamp: tuple[int, ...]) -> _Database:
    uri, engine = database_uri(path), engine_of(path)
    return _Database(engine, path if engine == "duckdb" else uri, stamp)


def _duckdb_folder() -> str:
    """Where the package lies: the process that runs statements looks nowhere else."""
    found = importlib.util.find_spec("duckdb")
    if found is None:
        raise SandboxError("DuckDB files need the package duckdb; install it: pip install duckdb")
    return os.path.dirname(os.path.dirname(found.origin))


def _check_beside(path: str) -> None:
    """DataError where a log or a journal beside the file says that the file alone is not the truth."""
    database_uri(path)
    try:
        with open(f"{path}-journal", "rb") as file:
            is_hot = file.read(8) == b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
    except OSError:
        return
    if is_hot:
        raise DataError(
            f"{path!r} may hold half a transaction, since {os.path.basename(path)}-journal lies beside it; close the "
            f"program that writes it, or open it once: sqlite3 {path!r} .tables"
        )


@functools.lru_cache(maxsize=2)
def _shared(limits: Limits) -> Sandbox:
    return Sandbox(1, limits)


def execute(database: Any, sql: str, limits: Limits | None = None) -> Execution:
    """Run one statement on a path, or on the main instance of a :class:`finer.Database`.

    The process behind it is kept for the next call. Errors as in :meth:`Sandbox.execute`.
    """
    return _shared(limits or Limits()).execute(getattr(database, "path", database), sql)
