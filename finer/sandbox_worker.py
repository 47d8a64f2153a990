"""The process that runs statements for :mod:`finer.sandbox`: standard library only, started by its path.

Reads batches of requests and writes an answer a statement on its standard streams, as length-prefixed ``marshal``
frames; the first frame says that it is ready. It ends when its input ends, so it never outlives its parent. It trusts
its parent and nothing in the SQL.
"""

from __future__ import annotations

import marshal
import os
import signal
import sqlite3
import struct
import sys
import time
from collections import OrderedDict
from typing import Any, BinaryIO

KEPT_CONNECTIONS = 48
"""Databases held open, so that a statement does not pay for opening its file."""
CACHE_KIBIBYTES = 1000
"""Page cache of each of them; comes on top of the memory a statement may take."""
GRACE_SECONDS = 0.2
"""After its time a statement has this long to hear of it; then the process is ended from outside SQLite."""
STEPS_BETWEEN_LOOKS = 1000
"""Virtual machine steps between two looks at the clock; so often, a look costs at most 3 % of the time."""
VALUE_BYTES = 16
"""What any value of a result counts, beside its own bytes."""
PORTION_ROWS = 256
"""Rows read at a time, at most; the first portion is one row, and each is twice the one before."""
WORN_OUT = 64
"""Exit code of a process that wants to be replaced before it begins the statement at hand."""

ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
# load_extension runs foreign code; fts3_tokenizer takes a raw pointer where SQLite was built with it; the others read,
# write or run what lies outside the database, where a build has them.
FORBIDDEN_FUNCTIONS = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "fsdir", "eval"}
Answer = tuple[str, list[bytes], tuple[str, ...], str, float]


class TooLarge(Exception):
    """A result passed a bound; the message names it."""


class Runner:
    """Runs one statement at a time under fixed bounds."""

    def __init__(self, seconds: float, rows: int, megabytes: int, result_bytes: int, text_errors: str) -> None:
        self.seconds, self.rows, self.megabytes, self.result_bytes = seconds, rows, megabytes, result_bytes
        self.text_errors = text_errors
        self.connections: OrderedDict[tuple, sqlite3.Connection] = OrderedDict()
        self.deadline = 0.0
        self.denied = ""
        self.is_recursive = False

    def run(self, database: tuple, sql: str) -> Answer:
        """(status, marshalled portions of rows, columns, error, seconds) of one statement on one database.

        ``database`` is its URI and its stamp, which changes with the file.
        """
        started = time.perf_counter()
        self.deadline = time.monotonic() + self.seconds
        self.denied, self.is_recursive = "", False
        # The system's own alarm ends this process even inside one long call of C, and even when the parent is gone.
        signal.setitimer(signal.ITIMER_REAL, self.seconds + GRACE_SECONDS)
        portions: list[bytes] = []
        columns: tuple = ()
        try:
            portions, columns = self.fetch(self.connection(database), sql)
            status, error = ("ok" if portions else "empty"), ""
        except Exception as failure:  # noqa: BLE001 (whatever the text brings about becomes a status)
            status, error = self.explain(failure)
        signal.setitimer(signal.ITIMER_REAL, 0)
        return status, portions, columns, error, time.perf_counter() - started

    def fetch(self, connection: sqlite3.Connection, sql: str) -> tuple[list[bytes], tuple]:
        """All rows, packed a portion at a time, so that a bound stops the statement and not the memory."""
        cursor = connection.cursor()
        try:
            cursor.execute(sql)
            portions, count, size, wanted = [], 0, 0, 1
            while rows := cursor.fetchmany(wanted):
                count += len(rows)
                if count > self.rows:
                    raise TooLarge(f"more than {self.rows} rows")
                portions.append(marshal.dumps(rows))
                size += len(portions[-1]) + VALUE_BYTES * len(rows) * len(rows[0])
                if size > self.result_bytes:
                    raise TooLarge(f"a result of more than {self.result_bytes} bytes")
                wanted = min(2 * wanted, PORTION_ROWS)
            return portions, tuple(column[0] for column in cursor.description or ())
        finally:
            cursor.close()

    def explain(self, failure: Exception) -> tuple[str, str]:
        """The status and the sentence for what a statement raised."""
        endless = "; its WITH calls itself, perhaps without end" if self.is_recursive else ""
        if isinstance(failure, TooLarge):
            return "too_large", f"{failure}{endless}"
        if isinstance(failure, MemoryError):
            self.forget()
            return "too_large", f"needs more than {self.megabytes} MB of memory{endless}"
        if isinstance(failure, sqlite3.DataError):
            return "too_large", f"{failure} (a value of more than {self.result_bytes} bytes)"
        if self.denied:
            return "refused", self.denied
        if "one statement at a time" in str(failure):
            return "refused", "more than one statement"
        if getattr(failure, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return "timeout", f"stopped after {self.seconds:g} s{endless}"
        return "error", str(failure) or type(failure).__name__

    def connection(self, database: tuple) -> sqlite3.Connection:
        """The kept connection, or a new one; a file that changed on disk has another stamp and opens anew."""
        if database in self.connections:
            self.connections.move_to_end(database)
            return self.connections[database]
        while len(self.connections) >= KEPT_CONNECTIONS:
            self.connections.popitem(last=False)[1].close()
        self.connections[database] = self.open(database[0])
        return self.connections[database]

    def open(self, uri: str) -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, cached_statements=0)
        if self.text_errors != "strict":  # Python's own way is strict, and a third faster
            connection.text_factory = lambda raw: raw.decode("utf-8", self.text_errors)
        headroom = KEPT_CONNECTIONS * CACHE_KIBIBYTES * 1024
        connection.execute(f"PRAGMA hard_heap_limit = {self.megabytes * 2**20 + headroom}").fetchall()
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}").fetchall()
        connection.execute("PRAGMA temp_store = MEMORY").fetchall()  # a large sort must meet the bound, not the disk
        connection.execute("PRAGMA query_only = 1").fetchall()
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, self.result_bytes)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connect_virtual_tables(connection)  # also where a broken file fails
        connection.set_authorizer(self.authorize)
        connection.set_progress_handler(lambda: time.monotonic() > self.deadline, STEPS_BETWEEN_LOOKS)
        return connection

    def authorize(self, action: int, first: str | None, second: str | None, *_: Any) -> int:
        """SQLite asks this for everything a statement would do, while preparing it."""
        self.is_recursive = self.is_recursive or action == sqlite3.SQLITE_RECURSIVE
        if action == sqlite3.SQLITE_PRAGMA and (first, second) == ("data_version", None):
            return sqlite3.SQLITE_OK  # full-text tables ask for it, and it only reads
        if action == sqlite3.SQLITE_FUNCTION and str(second).lower() in FORBIDDEN_FUNCTIONS:
            self.denied = f"function {second} is not allowed"
        elif action not in ALLOWED:
            self.denied = self.denied or "only reading is allowed"
        else:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def forget(self) -> None:
        """Closes every connection, so that what one statement filled does not narrow the next one's memory."""
        while self.connections:
            self.connections.popitem()[1].close()


def connect_virtual_tables(connection: sqlite3.Connection) -> None:
    """Has SQLite declare the database's virtual tables and JSON's: a declaration is a change, which the authorizer bars."""
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%'"
    for name in [name for (name,) in connection.execute(sql)] + ["json_each", "json_tree"]:
        quoted = name.replace('"', '""')
        try:
            connection.execute(f'SELECT 1 FROM "{quoted}" LIMIT 0').fetchall()
        except sqlite3.Error:  # a module that this SQLite lacks; a statement that names the table hears so
            continue


def limit_process(megabytes: int) -> None:
    """Bounds on the whole process behind SQLite's own: memory, and not one byte to any file.

    Where the system offers none, SQLite's own must do.
    """
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # Python ignores the signal, so a write fails
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20,) * 2)
    except (ImportError, ValueError, OSError):
        return


def read_frame(stream: BinaryIO) -> Any:
    """The next message; EOFError where the stream ends."""
    header = stream.read(4)
    if len(header) < 4:
        raise EOFError
    (length,) = struct.unpack("<I", header)
    body = stream.read(length)
    if len(body) < length:
        raise EOFError
    return marshal.loads(body)


def write_frame(stream: BinaryIO, message: Any) -> None:
    """Sends one message of plain values."""
    body = marshal.dumps(message)
    stream.write(struct.pack("<I", len(body)))
    stream.write(body)
    stream.flush()


def serve(runner: Any, megabytes: int) -> None:
    """Answers batches of requests, each with ``runner.run(*request)``, until the input ends.

    Every answer is sent at once: where a statement ends this process, the parent knows which.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])  # a parent's mask is inherited
    limit_process(2 * megabytes + 512)
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    try:
        write_frame(answers, "ready")
        while True:
            for request in read_frame(requests):
                write_frame(answers, runner.run(*request))
    except (EOFError, BrokenPipeError):
        os._exit(0)


if __name__ == "__main__":
    serve(Runner(float(sys.argv[1]), *map(int, sys.argv[2:5]), sys.argv[5]), int(sys.argv[3]))
