"""Eight callers at once, one statement in twenty hostile: every answer is right, and nothing is left behind.

Five seconds by default; ``make stress`` takes FINER_LOAD_MINUTES (10 unless told otherwise).
"""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import hostile_statements
import psutil
import pytest

from finer.sandbox import Limits, Sandbox

CALLERS = 8
WORKERS = 2
HOSTILE_SHARE = 0.05
LIMITS = Limits(seconds=0.5, rows=5000, megabytes=64)
TRIES = 200
"""A plain statement that a busy machine cut short is asked again, this often at most."""
HOSTILE = hostile_statements.read_all()


@dataclass
class Tally:
    """What the callers saw; under one lock."""

    plain: int = 0
    hostile: int = 0
    cut_short: int = 0
    """Plain statements that a busy machine did not get done in time, and that were asked again."""
    wrong: list = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Traces:
    """What this process and its workers hold."""

    files: int
    parent_mebibytes: float
    workers_mebibytes: float
    children: set[int]

    @classmethod
    def now(cls):
        process = psutil.Process()
        children = process.children(recursive=True)
        held = [child.memory_info().rss / 2**20 for child in children if child.is_running()]
        own = process.memory_info().rss / 2**20
        return cls(process.num_fds(), own, max(held, default=0), {child.pid for child in children})


@pytest.fixture
def paths(tmp_path):
    """Three databases with the factor of their numbers, beside the two for the hostile statements."""
    hostile_statements.make_databases(tmp_path)
    paths = {}
    for factor in (1, 1000, 1_000_000):
        path = tmp_path / f"times_{factor}.sqlite"
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, price REAL)")
        rows = [(i, f"Book {i * factor}", i * factor / 2) for i in range(1, 61)]
        connection.executemany("INSERT INTO book VALUES (?, ?, ?)", rows)
        connection.commit()
        connection.close()
        paths[path] = factor
    return paths


def plain_job(dice: random.Random, paths: dict[Path, int]):
    """A statement that no other caller asks, with its rows."""
    path, factor = dice.choice(list(paths.items()))
    number, first = dice.randrange(10**9), dice.randint(1, 50)
    wanted = range(first, first + dice.choice((1, 3, 10)))
    sql = f"SELECT id, title, price, {number} FROM book WHERE id BETWEEN {first} AND {wanted[-1]} ORDER BY id"
    return path, sql, tuple((i, f"Book {i * factor}", i * factor / 2, number) for i in wanted)


def ask_plain(sandbox, dice, paths, tally):
    """Half of them alone, half in company; what is cut short is asked again."""
    asked = [plain_job(dice, paths) for _ in range(dice.choice((1, 6)))]
    executions = sandbox.execute_many([(path, sql) for path, sql, _ in asked])
    with tally.lock:
        tally.plain += len(asked)
        tally.wrong += ["lost"] * (len(asked) - len(executions))
    for (path, sql, rows), execution in zip(asked, executions, strict=True):
        for _ in range(TRIES):
            if execution.status != "timeout":
                break
            with tally.lock:
                tally.cut_short += 1
            execution = sandbox.execute(path, sql)
        if execution.rows != rows:
            with tally.lock:
                tally.wrong.append((sql, execution))


def ask_hostile(sandbox, dice, paths, tally):
    hostile = dice.choice(HOSTILE)
    folder = next(iter(paths)).parent
    execution = sandbox.execute(folder / "library.sqlite", hostile.sql.replace("$FOLDER", str(folder)))
    with tally.lock:
        tally.hostile += 1
        if execution.status not in {*hostile.expected, "timeout"}:  # a busy machine may cut anything short
            tally.wrong.append((hostile, execution))


def call(sandbox, paths, seed, until, tally):
    dice = random.Random(seed)
    while time.monotonic() < until:
        (ask_hostile if dice.random() < HOSTILE_SHARE else ask_plain)(sandbox, dice, paths, tally)


def run_callers(sandbox, paths, seconds, seed):
    tally, until = Tally(), time.monotonic() + seconds
    threads = [threading.Thread(target=call, args=(sandbox, paths, seed + i, until, tally)) for i in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def load(paths, seconds, say):
    folder = next(iter(paths)).parent
    contents = {path: path.read_bytes() for path in folder.iterdir()}
    start = Traces.now()
    with Sandbox(workers=WORKERS, limits=LIMITS) as sandbox:
        run_callers(sandbox, paths, min(20, seconds / 5), seed=1)  # until everything has been imported and warmed
        warm = Traces.now()
        tally = run_callers(sandbox, paths, seconds, seed=100)
        late = Traces.now()
        executions = [sandbox.execute(path, "SELECT count(*) FROM book") for path in paths]
    end = Traces.now()
    say(
        f"\n{seconds:.0f} s, {CALLERS} callers, {WORKERS} processes: {tally.plain} plain and {tally.hostile} hostile statements, "
        f"{tally.cut_short} cut short and asked again, {len(tally.wrong)} wrong; files {start.files} before, {warm.files} warm, "
        f"{late.files} late, {end.files} after; parent {warm.parent_mebibytes:.0f} -> {late.parent_mebibytes:.0f} MiB, "
        f"largest worker {warm.workers_mebibytes:.0f} -> {late.workers_mebibytes:.0f} MiB"
    )
    assert not tally.wrong, tally.wrong[:3]
    assert tally.plain > 0
    assert all(execution.rows == ((60,),) for execution in executions if execution.status != "timeout")
    assert len(late.children - start.children) <= WORKERS
    assert end.children <= start.children, "no process is left behind"
    assert end.files <= start.files
    assert late.files <= start.files + 2 * WORKERS
    assert late.parent_mebibytes - warm.parent_mebibytes < 30
    assert late.workers_mebibytes < 2 * LIMITS.megabytes + 100
    assert {path: path.read_bytes() for path in folder.iterdir()} == contents


@pytest.mark.skipif(os.name != "posix", reason="the sandbox needs POSIX signals")
def test_eight_callers_for_five_seconds(paths):
    load(paths, 5, print)


@pytest.mark.stress
def test_eight_callers_for_minutes(paths, capsys):
    def say(text):
        with capsys.disabled():
            print(text)

    load(paths, 60 * float(os.environ.get("FINER_LOAD_MINUTES", "10")), say)
