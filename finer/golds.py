"""What each gold gives on each database, run once and kept, with its state: ok, empty, timeout, error and the rest.

A result is kept under the content of the database (not its place), the text of the query, the bounds on rows and
memory, the treatment of broken text and the version of SQLite; so it is never that of another file, another query or
other rules. Only what ran to its end is taken from disk. A failure may be the machine's: each process runs that gold
again, once, and its state is stored anew. A result that took longer than the time there is now is run again as well,
so no verdict depends on what was cached.

The file is one SQLite database in WAL mode, which several processes may use at once: each statement is a transaction,
and two that store the same gold store the same. What cannot be read or written there is said once and done without.
Results above 4 MB as stored are run again by each process. Not covered: comparing (``metrics``), and deleting: the file
may be deleted whenever no process uses it.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sqlite3
import threading
import time
import warnings
import zlib
from collections import OrderedDict
from pathlib import Path

from finer.datasets.fetch import cache_folder
from finer.records import Execution
from finer.sandbox import Sandbox
from finer.wal import use_wal

STORED_BYTES = 4 * 2**20
"""A result that takes more when compressed is not stored."""
KEPT_CELLS = 2_000_000
"""Cells of results kept in memory; the results used longest ago are dropped first. Failures are all kept."""
YOUNG_SECONDS = 2.0
"""A file changed so lately could change again within one tick of the clock, so its hash is not kept."""
FILE_NAME = "golds-1.sqlite"

_TABLES = """
    CREATE TABLE IF NOT EXISTS file (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS gold (key TEXT PRIMARY KEY, status TEXT NOT NULL, error TEXT NOT NULL, seconds REAL NOT NULL,
                                     result BLOB) WITHOUT ROWID;
"""


def default_golds_path() -> Path:
    """The file in the user's cache folder."""
    return cache_folder() / FILE_NAME


class Golds:
    """Results of golds, in memory and, where a path is given, in that file. May be used from several threads."""

    def __init__(self, path: str | Path | None = None) -> None:
        self._shelf = _Shelf(Path(path)) if path is not None else None
        self._kept: OrderedDict[tuple[str, float], Execution] = OrderedDict()
        self._cells = 0
        self._hashes: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()

    def get(self, database_path: str | Path, sql: str, sandbox: Sandbox) -> Execution:
        """The result of a gold on one database file, run in the sandbox where it is not known. Errors as the sandbox's."""
        key = self._key(database_path, sql, sandbox)
        if not key:
            return sandbox.execute(database_path, sql)
        seconds = sandbox.limits.seconds
        with self._lock:
            if (key, seconds) in self._kept:
                self._kept.move_to_end((key, seconds))
                return self._kept[key, seconds]
        found = self._shelf.load(key) if self._shelf else None
        if found is None or found.seconds > seconds:
            found = sandbox.execute(database_path, sql)
            if self._shelf:
                self._shelf.store(key, found)
        self._keep((key, seconds), found)
        return found

    def states(self) -> dict[str, int]:
        """How many golds of each status are stored in the file; empty without one."""
        return self._shelf.states() if self._shelf else {}

    def close(self) -> None:
        """Close the file; what is asked for afterwards is run."""
        if self._shelf:
            self._shelf.close()

    def _key(self, path: str | Path, sql: str, sandbox: Sandbox) -> str:
        """'' where the file is in motion: nothing is kept then."""
        content = self._content(path)
        limits = sandbox.limits
        rules = (sqlite3.sqlite_version, limits.rows, limits.megabytes, limits.text_errors)
        return hashlib.sha256(repr((content, sql, rules)).encode("utf-8", "surrogatepass")).hexdigest() if content else ""

    def _keep(self, key: tuple[str, float], execution: Execution) -> None:
        with self._lock:
            self._cells += 0 if key in self._kept else _cells(execution)
            self._kept[key] = execution
            # Failures weigh nothing and stay: a timeout that is forgotten would be waited for again.
            weighty = [known for known, other in self._kept.items() if other.rows] if self._cells > KEPT_CELLS else []
            for oldest in weighty:
                if self._cells <= KEPT_CELLS or oldest == key:
                    break
                self._cells -= _cells(self._kept.pop(oldest))

    def _content(self, path: str | Path) -> str:
        """The SHA-256 of a database file; '' where the file is missing (the sandbox says so) or in motion."""
        place = os.path.abspath(path)
        try:
            before = os.stat(place)
        except OSError:
            return ""
        stamp = f"{before.st_mtime_ns} {before.st_ctime_ns} {before.st_size} {before.st_ino}"
        known = self._hashes.get(place) or (self._shelf.hash_of(place) if self._shelf else None)
        if known and known[0] == stamp:
            self._hashes[place] = known
            return known[1]
        with open(place, "rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        after = os.stat(place)
        if (after.st_mtime_ns, after.st_ctime_ns, after.st_size) != (before.st_mtime_ns, before.st_ctime_ns, before.st_size):
            return ""
        if time.time() - max(after.st_mtime, after.st_ctime) > YOUNG_SECONDS:
            self._hashes[place] = (stamp, content)
            if self._shelf:
                self._shelf.store_hash(place, stamp, content)
        return content


def _cells(execution: Execution) -> int:
    """What a result weighs in memory: its values, a long text or blob counting for several."""
    return sum(1 + len(value) // 64 if isinstance(value, (str, bytes)) else 1 for row in execution.rows for value in row)


class _Shelf:
    """The file behind it. Any fault of SQLite or of the disk closes it for good, with one warning."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.connection: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            use_wal(self.connection)
            self.connection.execute("PRAGMA synchronous = NORMAL").fetchall()
            self.connection.executescript(_TABLES)
        except (sqlite3.Error, OSError) as error:
            self.give_up(error)

    def load(self, key: str) -> Execution | None:
        """What ran to its end and was stored with its rows."""
        rows = self.ask("SELECT status, error, seconds, result FROM gold WHERE key = ?", key)
        if not rows or rows[0][3] is None:
            return None
        status, error, seconds, result = rows[0]
        try:
            values, columns = marshal.loads(zlib.decompress(result))
        except (zlib.error, ValueError, EOFError, TypeError):
            return None  # a damaged entry is as good as none: it is run again and stored anew
        return Execution(status, values, columns, error, seconds)

    def store(self, key: str, execution: Execution) -> None:
        result = zlib.compress(marshal.dumps((execution.rows, execution.columns)), 1) if execution.ran else None
        if result is not None and len(result) > STORED_BYTES:
            result = None
        row = (key, execution.status, execution.error, execution.seconds, result)
        self.ask("INSERT OR REPLACE INTO gold VALUES (?, ?, ?, ?, ?)", *row)

    def hash_of(self, path: str) -> tuple[str, str] | None:
        rows = self.ask("SELECT stamp, sha256 FROM file WHERE path = ?", path)
        return rows[0] if rows else None

    def store_hash(self, path: str, stamp: str, sha256: str) -> None:
        self.ask("INSERT OR REPLACE INTO file VALUES (?, ?, ?)", path, stamp, sha256)

    def states(self) -> dict[str, int]:
        return dict(self.ask("SELECT status, count(*) FROM gold GROUP BY status"))

    def ask(self, statement: str, *values: object) -> list[tuple]:
        with self.lock:
            if self.connection is None:
                return []
            try:
                return self.connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                self.give_up(error)
                return []

    def give_up(self, error: Exception) -> None:
        self.close()
        warnings.warn(f"no golds are kept in {str(self.path)!r} ({error}); each is run once in this process", stacklevel=4)

    def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()
