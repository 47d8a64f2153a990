"""Two processes that open a new SQLite file at the same moment. Run with: pytest tests/test_wal.py"""

from __future__ import annotations

import sqlite3
import threading

import pytest

from finer.wal import use_wal

MOMENTS = {"reads": "BEGIN", "is about to write": "BEGIN IMMEDIATE", "writes": "BEGIN EXCLUSIVE"}


@pytest.fixture
def other(tmp_path):
    """Another connection to a file that is not in WAL mode yet."""
    connection = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE t (x)")
    yield connection
    connection.close()


def begun(other: sqlite3.Connection, moment: str) -> sqlite3.Connection:
    """A second connection, after the first has begun a transaction."""
    other.execute(MOMENTS[moment])
    other.execute("SELECT * FROM t").fetchall()
    return sqlite3.connect(other.execute("PRAGMA database_list").fetchone()[2], timeout=10, isolation_level=None)


@pytest.mark.parametrize("moment", MOMENTS)
def test_it_waits_for_another_that(moment, other):
    mine = begun(other, moment)
    threading.Timer(0.3, lambda: other.execute("COMMIT")).start()
    use_wal(mine)
    assert mine.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_it_does_not_wait_for_ever(other):
    mine = begun(other, "is about to write")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        use_wal(mine, patience_seconds=0.1)
