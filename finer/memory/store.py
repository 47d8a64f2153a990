"""A trace store on disk: one folder, written while it is read, whole after a crash.

``traces.sqlite`` (WAL mode) says what counts: traces as JSON, how many there are, the encoder, the gate's count.
``verified-ID.f32`` and ``failed-ID.f32`` hold the vectors, rows of little-endian float32, and are mapped into memory, so
that opening reads none of them. The order of writing makes both one: inside the SQLite transaction the rows are put
behind the last one that counts and forced to the disk, then the transaction ends. A crash leaves rows too many, which
the next writer writes over, never a trace without its row. A reader sees the transactions that had ended.

Two writers do not harm each other: the one that finds traces it does not know is told to open the store again. Not
covered: what is in a vector (``encoder``), and searching (``search``).
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from finer.errors import FinerError
from finer.records import Trace
from finer.wal import use_wal

FILE_NAME = "traces.sqlite"
KINDS = ("verified", "failed")
_APPLICATION_ID = 0x46544D31
_VERSION = 1
_ROW_TYPE = np.dtype("<f4")
_ASKED_AT_ONCE = 500
"""Places named in one statement."""
_TABLES = f"""
CREATE TABLE head (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE traces (kind TEXT NOT NULL, place INTEGER NOT NULL, db_id TEXT NOT NULL, step INTEGER NOT NULL, trace TEXT NOT NULL);
CREATE UNIQUE INDEX traces_by_place ON traces (kind, place, db_id, step);
CREATE TABLE batches (kind TEXT NOT NULL, first INTEGER NOT NULL, rows INTEGER NOT NULL, crc32 INTEGER NOT NULL);
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_VERSION};
"""


class MemoryFileError(FinerError):
    """A memory folder that is missing, damaged, in use, or was written with another encoder."""


@dataclass(frozen=True)
class Head:
    """What a store says about itself."""

    encoder: str
    dimensions: int
    settings: dict[str, Any]
    """How the memory retrieves, and its gate's count, as ``bank`` writes them."""
    store_id: str = ""


Batch = tuple[Sequence[Trace], np.ndarray]


class TraceStore:
    """The files of one memory. Every call opens the database for itself, so a store belongs to no thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE_NAME

    @classmethod
    def create(cls, folder: str | Path, head: Head) -> TraceStore:
        """An empty store in a folder that has none."""
        store = cls(Path(folder))
        store.folder.mkdir(parents=True, exist_ok=True)
        store.write({}, head)
        return store

    def exists(self) -> bool:
        return self.path.exists()

    def _head(self, connection: sqlite3.Connection) -> Head:
        values = dict(connection.execute("SELECT name, value FROM head"))
        return Head(values["encoder"], int(values["dimensions"]), json.loads(values["settings"]), values["store_id"])

    def contents(self) -> tuple[Head, dict[str, list[tuple[str, int]]]]:
        """The head, and (db_id, step) of every trace by kind and place, at one moment."""
        sql = "SELECT db_id, step FROM traces WHERE kind = ? ORDER BY place"
        with self._reading() as connection:
            head = self._head(connection)
            return head, {kind: connection.execute(sql, (kind,)).fetchall() for kind in KINDS}

    def traces(self, kind: str, places: Sequence[int]) -> list[Trace]:
        """The traces at these places, which ascend."""
        found = []
        with self._reading() as connection:
            for start in range(0, len(places), _ASKED_AT_ONCE):
                asked = places[start : start + _ASKED_AT_ONCE]
                sql = f"SELECT trace FROM traces WHERE kind = ? AND place IN ({','.join('?' * len(asked))}) ORDER BY place"
                found += connection.execute(sql, (kind, *map(int, asked))).fetchall()
            return [Trace(**json.loads(row[0])) for row in found]

    def vectors(self, kind: str, rows: int, head: Head) -> np.ndarray:
        """The first rows, mapped read-only. MemoryFileError where the file holds fewer."""
        if not rows:
            return np.zeros((0, head.dimensions), dtype=np.float32)
        path = self._vector_file(kind, head)
        if not path.exists():
            raise MemoryFileError(f"{path} is missing; a memory's folder must be copied whole: take another copy")
        there = path.stat().st_size // (head.dimensions * _ROW_TYPE.itemsize)
        if there < rows:
            raise MemoryFileError(f"{path} is damaged: {there} rows, and {rows} traces; take another copy")
        return np.memmap(path, _ROW_TYPE, "r", shape=(rows, head.dimensions))

    def check(self) -> None:
        """Reads everything once; MemoryFileError where a vector changed since it was written or a trace is missing."""
        with self._reading() as connection:
            head = self._head(connection)
            found = connection.execute("PRAGMA integrity_check").fetchone()[0]
            if found != "ok":
                raise MemoryFileError(f"{self.path} is damaged: {found}; take another copy")
            for kind in KINDS:
                self._check_kind(connection, kind, head)

    def _check_kind(self, connection: sqlite3.Connection, kind: str, head: Head) -> None:
        traces = connection.execute("SELECT count(*), max(place) FROM traces WHERE kind = ?", (kind,)).fetchone()
        batches = connection.execute(
            "SELECT first, rows, crc32 FROM batches WHERE kind = ? ORDER BY first", (kind,)
        ).fetchall()
        rows = sum(batch[1] for batch in batches)
        if traces != (rows, rows - 1 if rows else None):
            raise MemoryFileError(f"{self.path} is damaged: {traces[0]} {kind} traces, {rows} rows; take another copy")
        vectors = self.vectors(kind, rows, head)
        for first, count, checksum in batches:
            if zlib.crc32(vectors[first : first + count]) != checksum:
                path = self._vector_file(kind, head)
                raise MemoryFileError(f"{path} is damaged between rows {first} and {first + count}; take another copy")

    def append(self, batches: dict[str, Batch], known: dict[str, int], head: Head) -> None:
        """Adds traces with their vectors behind the ``known`` counts, and the head's settings; all or nothing."""
        with self._writing() as connection:
            there = {kind: self._count(connection, kind) for kind in KINDS}
            if there != known or self._head(connection).store_id != head.store_id:
                raise MemoryFileError(
                    f"{self.folder} was written by another process since it was opened here; "
                    "open it again, and let one process write it"
                )
            self._insert(connection, batches, known, head)
            settings = json.dumps(head.settings)
            connection.execute("UPDATE head SET value = ? WHERE name = 'settings'", (settings,))

    def write(self, batches: dict[str, Batch], head: Head) -> None:
        """Puts a store of these traces in the place of the one that is there, in one move, as one plain SQLite file.

        A crash before that move leaves the older store, one after it some files too many.
        """
        self._refuse_in_use()
        head = Head(head.encoder, head.dimensions, head.settings, uuid4().hex[:12])
        beside = self.folder / f"{FILE_NAME}.{os.getpid()}.tmp"
        connection = sqlite3.connect(beside, isolation_level=None)
        try:
            connection.executescript(_TABLES)
            connection.execute("BEGIN")
            values = {**asdict(head), "settings": json.dumps(head.settings)}
            connection.executemany("INSERT INTO head VALUES (?, ?)", [(name, str(values[name])) for name in values])
            self._insert(connection, batches, dict.fromkeys(KINDS, 0), head)
            connection.execute("COMMIT")
            connection.close()
            _to_disk(beside)
            os.replace(beside, self.path)
        finally:
            connection.close()
            beside.unlink(missing_ok=True)
        self._remove_others(head)

    def _refuse_in_use(self) -> None:
        journal = self.path.with_name(FILE_NAME + "-wal")
        if self.path.exists() and journal.exists():
            raise MemoryFileError(f"{self.folder} is open in another program (or was, when it crashed); save elsewhere")

    def _remove_others(self, head: Head) -> None:
        """Vectors of the store that was replaced, or of one that was never finished."""
        mine = {self._vector_file(kind, head) for kind in KINDS}
        for path in self.folder.glob("*.f32"):
            if path not in mine:
                path.unlink(missing_ok=True)

    def _insert(self, connection: sqlite3.Connection, batches: dict[str, Batch], known: dict[str, int], head: Head):
        for kind, (traces, vectors) in batches.items():
            if not len(traces):
                continue
            rows = np.ascontiguousarray(vectors, dtype=_ROW_TYPE)
            self._put_rows(self._vector_file(kind, head), known[kind], rows)
            connection.executemany(
                "INSERT INTO traces VALUES (?, ?, ?, ?, ?)",
                ((kind, trace.trace_id, trace.db_id, trace.step, json.dumps(asdict(trace))) for trace in traces),
            )
            batch = (kind, known[kind], len(rows), zlib.crc32(rows))
            connection.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", batch)

    def _put_rows(self, path: Path, first: int, rows: np.ndarray) -> None:
        """Writes rows at their place and forces them to the disk; what a crash left there is written over."""
        try:
            with path.open("r+b" if path.exists() else "w+b") as file:
                file.seek(first * rows.shape[1] * _ROW_TYPE.itemsize)
                file.write(memoryview(rows).cast("B"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise MemoryFileError(f"{path} cannot be written ({error}); make room and go on: nothing is lost") from error

    def _vector_file(self, kind: str, head: Head) -> Path:
        return self.folder / f"{kind}-{head.store_id}.f32"

    def _count(self, connection: sqlite3.Connection, kind: str) -> int:
        return connection.execute("SELECT coalesce(max(place) + 1, 0) FROM traces WHERE kind = ?", (kind,)).fetchone()[0]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other writer comes between."""
        with self._connected("rw") as connection:
            use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one moment of the store."""
        with self._connected("ro") as connection:
            connection.execute("BEGIN")
            if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
                raise MemoryFileError(f"{self.path} is not a memory's trace store; name the folder that save() wrote")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version != _VERSION:
                raise MemoryFileError(f"{self.path} has version {version}, this program reads {_VERSION}; update finer")
            yield connection

    @contextmanager
    def _connected(self, mode: str) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            raise MemoryFileError(f"{self.path} is missing; name a folder that Memory.save or Memory.open wrote")
        connection = None
        try:
            connection = sqlite3.connect(self._uri(mode), uri=True, isolation_level=None, timeout=30)
            yield connection
        except (sqlite3.Error, KeyError, TypeError, ValueError) as error:
            raise MemoryFileError(f"{self.folder} cannot be read or written ({error}); take another copy") from error
        finally:
            if connection is not None:
                connection.close()

    def _uri(self, mode: str) -> str:
        """In a folder that may not be written, WAL mode can only be read as a file that does not change."""
        fixed = mode == "ro" and not os.access(self.folder, os.W_OK)
        return f"{self.path.resolve().as_uri()}?mode={mode}{'&immutable=1' if fixed else ''}"


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
