"""Which process writes a run, and is it still there: how a crash is told from a long step.

A process is named by its host, its id and the moment it started, because ids are given out again. Within one process
(a notebook's training thread) the open writers are counted instead. Not covered: two machines that write one shared folder.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from pathlib import Path

SILENT_SECONDS = 600.0
"""A run on another machine counts as crashed after so long without a sign of life; a step may take minutes there."""
OPEN_HERE: set[Path] = set()
"""The stores that this process is writing now."""


def this_process() -> tuple[str, int, float]:
    """Host, process id and start time (seconds since 1970) of this process."""
    import psutil

    return socket.gethostname(), os.getpid(), psutil.Process().create_time()


def effective_status(state: sqlite3.Row, path: Path) -> str:
    """The status in the store, or 'crashed' where it says running or paused and its writer is gone."""
    if state["status"] in ("running", "paused") and not _is_alive(state, path):
        return "crashed"
    return state["status"]


def _is_alive(state: sqlite3.Row, path: Path) -> bool:
    import psutil

    if state["host"] != socket.gethostname():
        return time.time() - state["heartbeat"] < SILENT_SECONDS
    if state["pid"] == os.getpid():
        return path in OPEN_HERE
    try:
        process = psutil.Process(state["pid"])
        # A killed process that nobody waited for keeps its id as a zombie.
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - state["process_started"]) < 2.0
    except psutil.Error:
        return False
