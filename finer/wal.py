"""Switching an SQLite file to write-ahead logging, also while another process is about to do the same."""

from __future__ import annotations

import sqlite3
import time

PAUSE_SECONDS = 0.02


def use_wal(connection: sqlite3.Connection, patience_seconds: float = 10.0) -> None:
    """Readers and the writer of this file no longer block each other.

    SQLite does not wait, whatever its timeout, while another connection is about to write to a file that is not in this mode yet: it says at
    once that the database is locked. So it is asked again until ``patience_seconds`` are over; then its sqlite3.OperationalError stands.
    """
    end = time.monotonic() + patience_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(PAUSE_SECONDS)
