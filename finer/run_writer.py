"""Writes a run: one SQLite file, one transaction a step, by one writer at a time.

A step is in the store whole or not at all. Readers are never waited for (WAL), and the only thing they write is a
request. After a crash, ``RunWriter.resume(folder, step)`` takes away what was written after the checkpoint at ``step``, so
that the trainer writes it again: nothing twice, nothing before the checkpoint lost.

Not covered: the checkpoints themselves and the memory's contents (the trainer keeps them beside the store).
"""

from __future__ import annotations

import json
import math
import platform
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any, Self

from finer.errors import RunStoreError
from finer.records import Group, Rollout
from finer.run_owner import OPEN_HERE, effective_status, this_process
from finer.runs_schema import (
    APPLICATION_ID,
    FILE_NAME,
    MEMORY_COLLECTIONS,
    MEMORY_KINDS,
    NEEDS_PROGRAM,
    SCHEMA_VERSION,
    STAGES,
    STATUSES,
    TABLES,
    MemoryEvent,
    Request,
    check_header,
    connect,
    damaged,
    has_tables,
    holds_nothing,
    require_file,
    store_path,
    transaction,
    upgrade,
)
from finer.wal import use_wal

PACKAGES = ("finer-workbench", "torch", "transformers", "trl", "peft", "datasets", "numpy", "sqlglot", "wordllama", "unsloth")
HEARTBEAT_SECONDS = 5.0
"""``take_requests`` renews the sign of life at most this often, so that asking costs a read and not a write."""


class RunWriter:
    """The one writer of a run; make it with ``create`` or ``resume``, and use it in a ``with`` block.

    Leaving the block by an exception marks the run as crashed and notes the error. Every method may be called from any thread.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection):
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()
        self._beat = 0.0
        OPEN_HERE.add(path)

    @classmethod
    def create(cls, folder: str | Path, config: Mapping[str, Any]) -> RunWriter:
        """Starts a run's store in ``folder`` (made where missing) with its configuration, a JSON-ready dict.

        Raises RunStoreError where the folder already holds a run: nothing is ever overwritten. What a process left that was
        killed right here holds nothing yet, and the next one begins in its place.
        """
        rows = [(key, as_json(value, f"configuration {key!r}")) for key, value in config.items()]
        path, is_new = _claim(Path(folder))
        connection = connect(path, "rw")
        try:
            _fill(connection, rows, path)
        except sqlite3.Error as error:
            connection.close()
            if is_new:
                path.unlink(missing_ok=True)
            raise _full_or_damaged(error, path, "nothing of this run was written yet") from error
        except RunStoreError:
            connection.close()
            raise
        return cls(path, connection)

    @classmethod
    def resume(cls, folder: str | Path, step: int) -> RunWriter:
        """Opens a run that broke off and goes back to its checkpoint at ``step`` (0: from the start).

        Steps, evaluations, memory events and events after ``step`` are discarded in one transaction; requests that were open
        get an outcome that says so. RunStoreError where the run still trains or the store does not reach ``step``.
        """
        path = store_path(folder).resolve()
        require_file(path)
        connection = connect(path, "rw")
        try:
            upgrade(connection, check_header(connection, path))
            use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            _go_back(connection, step, path)
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise _full_or_damaged(error, path, "the run is as it was") from error
            raise
        return cls(path, connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if error is not None and not isinstance(error, RunStoreError):
                self.write_event(self.last_step, "crashed", f"{type(error).__name__}: {error}")
                self.set_status("crashed")
        finally:
            self.close()

    def close(self) -> None:
        """Lets go of the file. A run that is closed while it is running counts as crashed; call ``set_status`` first."""
        with self._lock:
            if self.path not in OPEN_HERE:
                return
            self._fold()
            self._connection.close()
            OPEN_HERE.discard(self.path)

    def _fold(self) -> None:
        """Makes a run that has ended one plain file, without -wal and -shm beside it, where no reader is at it just now."""
        try:
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error:
            pass  # a reader holds it, or the disk is full: the store is whole in its WAL form too

    @property
    def last_step(self) -> int:
        """The last step in the store; 0 before the first."""
        return self._number("SELECT coalesce(max(step), 0) FROM steps")

    @property
    def next_rollout_id(self) -> int:
        """The first free rollout id: number a step's rollouts from here on."""
        return self._number("SELECT coalesce(max(rollout_id), 0) + 1 FROM rollouts")

    @property
    def next_group_id(self) -> int:
        """The first free group id."""
        return self._number("SELECT coalesce(max(group_id), 0) + 1 FROM groups")

    def write_step(
        self,
        step: int,
        groups: Sequence[Group],
        metrics: Mapping[str, float | None],
        seconds: Mapping[str, float],
        memory_events: Iterable[MemoryEvent] = (),
    ) -> None:
        """Writes one step whole or not at all.

        ``seconds`` maps stages (generation, scoring, update, store) to seconds; a store time that is not given is measured here,
        up to the commit. A metric that is None or NaN is stored as NULL. ValueError where a number that must be one is NaN.
        """
        began = time.perf_counter()
        unknown = set(seconds) - set(STAGES)
        if unknown:
            raise ValueError(f"step {step}: unknown stages {sorted(unknown)}; the stages are {', '.join(STAGES)}")
        tables = _rows_of_groups(step, groups)
        with self._writing(step) as connection:
            connection.execute("INSERT INTO steps (step, at) VALUES (?, ?)", (step, time.time()))
            for sql, rows in tables:
                connection.executemany(sql, rows)
            rows = [(step, name, _number_or_none(value)) for name, value in metrics.items()]
            connection.executemany("INSERT INTO metrics VALUES (?, ?, ?)", rows)
            self._insert_memory_events(step, memory_events)
            measured = {"store": time.perf_counter() - began, **seconds}
            for stage, value in measured.items():
                connection.execute(f"UPDATE steps SET {stage}_seconds = ? WHERE step = ?", (float(value), step))

    def write_memory_events(self, step: int, memory_events: Iterable[MemoryEvent]) -> None:
        """Notes traces that the memory took in or refused outside of a step's own transaction."""
        with self._writing(step):
            self._insert_memory_events(step, memory_events)

    def write_evaluation(self, step: int, split: str, metric: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Writes an evaluation: a row a question with ``index``, ``correct`` (True, False, None: not judged), ``sql``, ``status``.

        The value is the share that is right of the questions that were judged. The same step, split and metric is replaced.
        """
        rows = list(rows)
        judged = [bool(row["correct"]) for row in rows if row["correct"] is not None]
        value = sum(judged) / len(judged) if judged else None
        key = (step, split, metric)
        with self._writing(step) as connection:
            _delete_evaluations(connection, "step = ? AND split = ? AND metric = ?", key)
            sql = "INSERT INTO evaluations (step, split, metric, value, n, at) VALUES (?, ?, ?, ?, ?, ?)"
            evaluation = connection.execute(sql, (*key, value, len(judged), time.time())).lastrowid
            connection.executemany(
                "INSERT INTO evaluation_questions VALUES (?, ?, ?, ?, ?)",
                [(evaluation, *_question_row(row)) for row in rows],
            )

    def write_event(self, step: int, kind: str, detail: str = "") -> None:
        """Notes that something happened to the run."""
        with self._writing(step) as connection:
            _insert_event(connection, step, kind, detail)

    def take_requests(self) -> list[Request]:
        """The requests that nobody has taken yet, oldest first, now marked as taken. Cheap: call it as often as you like."""
        waiting = "SELECT request_id, kind, arguments, asked_at FROM requests WHERE taken_at IS NULL ORDER BY request_id"
        with self._lock:
            rows = self._query(waiting)
            now = time.time()
            if not rows:
                if now - self._beat >= HEARTBEAT_SECONDS:
                    with self._writing(self.last_step, by=0):
                        pass  # a sign of life and nothing more: who follows the run has nothing to draw again
                return []
            with self._writing(self.last_step) as connection:
                marks = [(now, row["request_id"]) for row in rows]
                connection.executemany("UPDATE requests SET taken_at = ? WHERE request_id = ?", marks)
        return [Request(row[0], row[1], json.loads(row[2]), row[3], now) for row in rows]

    def finish_request(self, request_id: int, outcome: str) -> None:
        """Says what came of a request that was taken."""
        with self._writing(self.last_step) as connection:
            connection.execute("UPDATE requests SET outcome = ? WHERE request_id = ?", (outcome, request_id))

    def set_status(self, status: str) -> None:
        """running, paused, finished, stopped or crashed."""
        if status not in STATUSES:
            raise ValueError(f"unknown status {status!r}; it is one of {', '.join(STATUSES)}")
        with self._writing(self.last_step) as connection:
            connection.execute("UPDATE state SET status = ?", (status,))

    def _number(self, sql: str) -> int:
        return self._query(sql)[0][0]

    def _query(self, sql: str) -> list[sqlite3.Row]:
        try:
            with self._lock:
                return self._connection.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            raise damaged(self.path, error) from error

    def _insert_memory_events(self, step: int, events: Iterable[MemoryEvent]) -> None:
        rows = []
        for event in events:
            if event.kind not in MEMORY_KINDS:
                raise ValueError(f"unknown memory event {event.kind!r}; it is one of {', '.join(MEMORY_KINDS)}")
            if event.collection not in MEMORY_COLLECTIONS:
                raise ValueError(f"unknown collection {event.collection!r}; it is one of {', '.join(MEMORY_COLLECTIONS)}")
            trace = as_json(asdict(event.trace), f"trace {event.trace.trace_id}")
            rows.append((step, event.kind, trace, _text(event.reason), time.time(), event.collection, event.rule))
        sql = "INSERT INTO memory_events (step, kind, trace, reason, at, collection, rule) VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._connection.executemany(sql, rows)

    @contextmanager
    def _writing(self, step: int, by: int = 1) -> Iterator[sqlite3.Connection]:
        """One transaction that also moves the revision and the heartbeat on; SQLite's errors come out as RunStoreError."""
        with self._lock:
            try:
                with transaction(self._connection) as connection:
                    yield connection
                    self._beat = time.time()
                    connection.execute("UPDATE state SET revision = revision + ?, heartbeat = ?", (by, self._beat))
            except sqlite3.IntegrityError as error:
                raise RunStoreError(
                    f"step {step} is not written to {self.path}: {error}. Each step, group and rollout is written once; "
                    "to write a step again, go back to its checkpoint with `finer resume`."
                ) from error
            except sqlite3.ProgrammingError:
                raise  # a value that SQLite cannot hold, or a closed writer: a fault of the caller, not of the disk
            except sqlite3.Error as error:
                raise _full_or_damaged(error, self.path, f"everything up to step {self._safe_step()} is safe") from error

    def _safe_step(self) -> int | str:
        try:
            return self.last_step
        except RunStoreError:
            return "the last one written"


def _claim(folder: Path) -> tuple[Path, bool]:
    """The folder's store file, and whether it was made by this call; one that is there already must be without content."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = (folder / FILE_NAME).resolve()
        path.open("x").close()
    except FileExistsError as error:
        if not folder.is_dir():
            raise RunStoreError(f"{folder} is a file, not a folder. Choose another folder with --run.") from error
        if not holds_nothing(path):
            raise _taken(path) from error
        return path, False
    except OSError as error:
        raise RunStoreError(f"{folder} cannot hold a run ({error.strerror}). Choose another folder with --run.") from error
    return path, True


def _taken(path: Path) -> RunStoreError:
    return RunStoreError(
        f"{path.parent} already holds a run, and nothing was changed in it. Choose another folder with --run, "
        f"or go on with that run: finer resume {path.parent}"
    )


def _fill(connection: sqlite3.Connection, configuration: list[tuple[str, str]], path: Path) -> None:
    """Makes the tables, in one transaction: a run that breaks off here is no run, rather than half a one.

    Of two processes that found the same empty file, the second to come here finds the tables of the first.
    """
    use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")  # a step is worth seconds, so it may cost one flush to survive a power cut
    with transaction(connection):
        if has_tables(connection):
            raise _taken(path)
        for statement in TABLES.split(";"):
            connection.execute(statement)
        owner = (*this_process(), time.time(), time.time())
        connection.execute("INSERT INTO state VALUES (1, 'running', 1, ?, ?, ?, ?, ?, ?)", (NEEDS_PROGRAM, *owner))
        connection.executemany("INSERT INTO configuration VALUES (?, ?)", configuration)
        connection.executemany("INSERT INTO versions VALUES (?, ?)", _versions())
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _go_back(connection: sqlite3.Connection, step: int, path: Path) -> None:
    """Discards what came after ``step`` and takes the run over, in one transaction."""
    with transaction(connection):
        status = effective_status(connection.execute("SELECT * FROM state").fetchone(), path)
        if status in ("running", "paused"):
            raise RunStoreError(f"{path.parent} is {status}: another process or thread trains it. Stop that first, then resume.")
        last = connection.execute("SELECT coalesce(max(step), 0) FROM steps").fetchone()[0]
        if last < step:
            raise RunStoreError(f"{path} ends at step {last}, before the checkpoint at step {step}. Resume an earlier checkpoint.")
        after = (step,)
        of_rollouts = "rollout_id IN (SELECT rollout_id FROM rollouts WHERE step > ?)"
        connection.execute(f"DELETE FROM parts WHERE {of_rollouts}", after)
        _delete_evaluations(connection, "step > ?", after)
        for table in ("rollouts", "groups", "metrics", "memory_events", "events", "steps"):
            connection.execute(f"DELETE FROM {table} WHERE step > ?", after)
        dropped = "dropped: the run broke off before this took effect"
        now = time.time()
        connection.execute("UPDATE requests SET taken_at = coalesce(taken_at, ?), outcome = ? WHERE outcome IS NULL", (now, dropped))
        _insert_event(connection, step, "resumed", f"from the checkpoint at step {step}; {last - step} later steps discarded")
        connection.execute(
            "UPDATE state SET status = 'running', revision = revision + 1, host = ?, pid = ?, process_started = ?, heartbeat = ?",
            (*this_process(), now),
        )


def _delete_evaluations(connection: sqlite3.Connection, where: str, values: tuple) -> None:
    chosen = f"SELECT evaluation_id FROM evaluations WHERE {where}"
    connection.execute(f"DELETE FROM evaluation_questions WHERE evaluation_id IN ({chosen})", values)
    connection.execute(f"DELETE FROM evaluations WHERE {where}", values)


def _insert_event(connection: sqlite3.Connection, step: int, kind: str, detail: str) -> None:
    row = (step, kind, _text(detail), time.time())
    connection.execute("INSERT INTO events (step, kind, detail, at) VALUES (?, ?, ?, ?)", row)


def _versions() -> list[tuple[str, str]]:
    """Versions of Python, SQLite and the packages that decide what a run does; packages that are absent are left out."""
    found = [("python", platform.python_version()), ("sqlite", sqlite3.sqlite_version)]
    for package in PACKAGES:
        try:
            found.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            continue
    return found


def _rows_of_groups(step: int, groups: Sequence[Group]) -> list[tuple[str, list[tuple]]]:
    """INSERT statements with their rows; all of it is made before the transaction begins, so that a fault costs nothing."""
    group_rows, rollout_rows, part_rows = [], [], []
    for group in groups:
        if group.step != step:
            raise ValueError(f"group {group.group_id} is of step {group.step}, not of step {step}")
        question = as_json(asdict(group.question), f"question {group.question.index}")
        group_rows.append((group.group_id, step, question, _text(group.prompt)))
        for rollout in group.rollouts:
            rollout_rows.append(_rollout_row(group, rollout))
            part_rows.extend(_part_rows(rollout))
    return [
        ("INSERT INTO groups VALUES (?, ?, ?, ?)", group_rows),
        ("INSERT INTO rollouts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rollout_rows),
        ("INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?)", part_rows),
    ]


def _rollout_row(group: Group, rollout: Rollout) -> tuple:
    if (rollout.group_id, rollout.step) != (group.group_id, group.step):
        raise ValueError(f"rollout {rollout.rollout_id} does not belong to group {group.group_id} of step {group.step}")
    paid = rollout.breakdown
    texts = (_text(rollout.completion), _text(paid.sql), _text(paid.thought), paid.recipe, paid.status)
    advantage = _finite(rollout.advantage, f"rollout {rollout.rollout_id}: the advantage")
    key = (rollout.rollout_id, group.group_id, group.step, rollout.position)
    return (*key, *texts, advantage, int(rollout.length_tokens))


def _part_rows(rollout: Rollout) -> list[tuple]:
    rows = []
    for position, part in enumerate(rollout.breakdown.parts):
        what = f"rollout {rollout.rollout_id}, part {part.name!r}"
        value = _finite(part.value, f"{what}: the value")
        weight = _finite(part.weight, f"{what}: the weight")
        rows.append((rollout.rollout_id, part.name, position, value, weight, as_json(part.evidence, f"{what}: the evidence")))
    return rows


def _question_row(row: Mapping[str, Any]) -> tuple:
    correct = row["correct"]
    return int(row["index"]), None if correct is None else int(correct), row.get("status") or "", _text(row.get("sql") or "")


def _finite(value: float | None, what: str) -> float | None:
    """The number; SQLite would store NaN as NULL, which here means 'not scored', so NaN is refused."""
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{what} is {value}; it must be a number, or None where it was not scored")
    return None if value is None else float(value)


def _number_or_none(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _text(text: str) -> str:
    """The text with lone surrogates replaced: SQLite holds UTF-8, and a model may write half a character."""
    return text.encode("utf-8", "replace").decode("utf-8")


def as_json(value: Any, what: str) -> str:
    """Compact JSON; ValueError naming ``what`` where the value is not JSON-ready (NaN, bytes, a record)."""
    try:
        return _text(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} is not JSON-ready: {error}") from error


def _full_or_damaged(error: sqlite3.Error, path: Path, safe: str) -> RunStoreError:
    """What to say of an error while writing; ``safe`` says what is not lost."""
    message = str(error)
    if "disk is full" in message or "disk I/O" in message:
        return RunStoreError(
            f"The disk that holds {path} cannot take more ({message}); {safe}. "
            f"Free some space, then go on with: finer resume {path.parent}"
        )
    return RunStoreError(f"{damaged(path, error)} ({safe})")
