"""The process that runs statements on DuckDB files for :mod:`finer.sandbox`: started by its path, like ``sandbox_worker``.

The file is opened read-only, with no access to other files, no extensions and a locked configuration; DuckDB's own
parser says whether the text is exactly one SELECT (``FROM`` first, VALUES, DESCRIBE and SUMMARIZE are SELECTs to it).
One thread, a bound on memory and no temporary files, so that a large sort meets the bound and not the disk. While a
file is open here DuckDB lets others read it but not write it; time zones are UTC.

Values come as Python has them for booleans, numbers, text and blobs. A DECIMAL becomes the float that prints as it, and
text where none does; every other type (dates, times, intervals, lists, structs, UUIDs) becomes DuckDB's own text, as
``CAST(… AS VARCHAR)`` gives it.
"""

from __future__ import annotations

import marshal
import os
import sys
import threading
import time
from decimal import Decimal
from typing import Any

if __package__:
    from finer import sandbox_worker
else:  # started by its path: beside it lies the other worker, and the parent says where DuckDB is
    sys.path.insert(0, os.path.dirname(__file__))
    import sandbox_worker

    sys.path[0] = sys.argv[6]

import duckdb

SETTINGS = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_unsigned_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",  # a table name would otherwise find this program's own variables
    "temp_directory": "",
    "max_temp_directory_size": "0KB",
    "threads": "1",
}
OWN_MEGABYTES = 1024
"""Address space that DuckDB itself takes, some 800 MB before any statement; nearly none of it is memory in use."""
_FORBIDDEN = ("attached in read-only mode", "configuration has been locked", "file system operations are disabled")
_PLAIN = {
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
    "FLOAT", "DOUBLE", "VARCHAR", "BLOB", '"NULL"',
}  # fmt: skip


class Refused(Exception):
    """The text is not one query; the message says what it is."""


def is_plain(kind: str) -> bool:
    """Does Python have values of this type as they are?

    >>> is_plain("DECIMAL(10,2)"), is_plain("VARCHAR[]"), is_plain("DATE")
    (True, False, False)
    """
    return kind in _PLAIN or (kind.startswith("DECIMAL(") and kind.endswith(")"))


def plain(value: Any) -> Any:
    """A DECIMAL as the float that prints as it, else as text; any other value as it is.

    >>> plain(Decimal("1.50")), plain(Decimal("1234567890.1234567890")), plain("1.5")
    (1.5, '1234567890.1234567890', '1.5')
    """
    if not isinstance(value, Decimal):
        return value
    number = float(value)
    return number if Decimal(repr(number)) == value else str(value)


class Watch:
    """A thread that interrupts a statement at its time; started once, since memory may lack for a thread later."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.connection: duckdb.DuckDBPyConnection | None = None
        self.deadline = 0.0
        threading.Thread(target=self.look, daemon=True).start()

    def set(self, connection: duckdb.DuckDBPyConnection | None, deadline: float = 0.0) -> None:
        """Interrupt this connection then; None: no more. After it returns no earlier one is interrupted."""
        with self.condition:
            self.connection, self.deadline = connection, deadline
            self.condition.notify()

    def look(self) -> None:
        with self.condition:
            while True:
                if self.connection is not None and time.monotonic() >= self.deadline:
                    self.connection.interrupt()
                    self.connection = None
                self.condition.wait(None if self.connection is None else self.deadline - time.monotonic())


class DuckRunner(sandbox_worker.Runner):
    """Runs one statement at a time on the file that was asked for last."""

    def __init__(self, *bounds: Any) -> None:
        super().__init__(*bounds)
        self.watch = Watch()
        self.is_worn = False

    def run(self, database: tuple, sql: str) -> sandbox_worker.Answer:
        if self.is_worn:  # DuckDB keeps the addresses of memory that it could not fill, and the process has only so many
            os._exit(sandbox_worker.WORN_OUT)
        return super().run(database, sql)

    def connection(self, database: tuple) -> duckdb.DuckDBPyConnection:
        """The kept connection; only one is kept, since the bound on memory holds for each by itself."""
        if database not in self.connections:
            self.forget()
            self.connections[database] = self.open(database[0])
        return self.connections[database]

    def open(self, uri: str) -> duckdb.DuckDBPyConnection:
        settings = SETTINGS | {"memory_limit": f"{self.megabytes}MiB"}
        connection = duckdb.connect(uri, read_only=True, config=settings)
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
        return connection

    def fetch(self, connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[bytes], tuple]:
        """All rows, packed a portion at a time, so that a bound stops the statement and not the memory."""
        self.watch.set(connection, self.deadline)
        try:
            text = one_query(connection, sql)
            result = connection.sql(text)  # reads names and types; nothing runs yet
            kinds = [str(kind) for kind in result.types]
            return self.portions(connection.execute(castings(text, kinds))), tuple(result.columns)
        finally:
            self.watch.set(None)

    def portions(self, result: Any) -> list[bytes]:
        portions, count, size, wanted = [], 0, 0, 1
        while rows := result.fetchmany(wanted):
            if time.monotonic() > self.deadline:
                raise duckdb.InterruptException
            count += len(rows)
            if count > self.rows:
                raise sandbox_worker.TooLarge(f"more than {self.rows} rows")
            portions.append(marshal.dumps([tuple(map(plain, row)) for row in rows]))
            size += len(portions[-1]) + sandbox_worker.VALUE_BYTES * len(rows) * len(rows[0])
            if size > self.result_bytes:
                raise sandbox_worker.TooLarge(f"a result of more than {self.result_bytes} bytes")
            wanted = min(2 * wanted, sandbox_worker.PORTION_ROWS)
        return portions

    def explain(self, failure: Exception) -> tuple[str, str]:
        """The status and the sentence for what a statement raised."""
        text = " ".join(str(failure).split("\n\n")[0].split())
        if isinstance(failure, (MemoryError, duckdb.OutOfMemoryException)):
            self.is_worn = True
            return "too_large", f"needs more than {self.megabytes} MB of memory"
        if isinstance(failure, sandbox_worker.TooLarge):
            return "too_large", text
        if isinstance(failure, duckdb.InterruptException):
            return "timeout", f"stopped after {self.seconds:g} s"
        if isinstance(failure, (Refused, duckdb.PermissionException)) or any(part in text for part in _FORBIDDEN):
            return "refused", text
        self.is_worn = isinstance(failure, (duckdb.FatalException, duckdb.InternalException))
        return "error", text or type(failure).__name__


def one_query(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The text of the one SELECT, without what comes after it. Refused where it is anything else."""
    statements = connection.extract_statements(sql)
    if not statements:
        raise Refused("no SQL")
    if len(statements) > 1:
        raise Refused("more than one statement")
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT:
        name = str(kind).rpartition(".")[2]
        raise Refused(f"{'several statements in one' if name == 'MULTI' else name} is not a query; only reading is allowed")
    raw = statements[0].query.encode()
    end = len(raw)
    for start, token in reversed(duckdb.tokenize(raw.decode())):  # counts bytes
        if token != duckdb.token_type.comment and raw[start:end].strip() != b";":
            break
        end = start
    return raw[:end].decode()


def castings(text: str, kinds: list[str]) -> str:
    """The query, with columns of other than plain types cast to text by DuckDB."""
    if all(map(is_plain, kinds)):
        return text
    columns = [f"#{place}" if is_plain(kind) else f"CAST(#{place} AS VARCHAR)" for place, kind in enumerate(kinds, start=1)]
    return f"SELECT {', '.join(columns)} FROM (\n{text}\n)"


if __name__ == "__main__":
    runner = DuckRunner(float(sys.argv[1]), *map(int, sys.argv[2:5]), sys.argv[5])
    sandbox_worker.serve(runner, runner.megabytes + OWN_MEGABYTES // 2)  # it bounds the process by twice this and a constant
