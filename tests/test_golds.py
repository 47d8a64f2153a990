"""Golds run once and are kept with their state; what is kept is never taken for something else."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest

import finer.golds
from finer.golds import Golds, default_golds_path
from finer.records import Execution
from finer.sandbox import Limits, Sandbox

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
GOLDS = {
    "SELECT a FROM t ORDER BY a": ("ok", ((1,), (2,), (3,))),
    "SELECT a FROM t WHERE a > 9": ("empty", ()),
    "SELECT NULL, 1.5, 'ä', x'00ff', 9223372036854775807": ("ok", ((None, 1.5, "ä", b"\x00\xff", 2**63 - 1),)),
    "SELECT nowhere FROM t": ("error", ()),
    "DROP TABLE t": ("refused", ()),
    "SELECT 1 FROM t, t AS u, t AS v, t AS w": ("too_large", ()),
    ENDLESS: ("timeout", ()),
}


class CountingSandbox(Sandbox):
    def __init__(self, **limits):
        super().__init__(limits=Limits(**{"seconds": 0.4, "rows": 50} | limits))
        self.asked = []

    def execute(self, path, sql):
        self.asked.append(sql)
        return super().execute(path, sql)


def make(path, rows=(1, 2, 3), age_seconds=60):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE IF NOT EXISTS t (a INTEGER)")
    connection.execute("DELETE FROM t")
    connection.executemany("INSERT INTO t VALUES (?)", [(row,) for row in rows])
    connection.commit()
    connection.close()
    moment = os.stat(path).st_mtime - age_seconds
    os.utime(path, (moment, moment))
    return path


@pytest.fixture
def database(tmp_path):
    return make(tmp_path / "t.sqlite")


@pytest.fixture
def sandbox():
    with CountingSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def store(tmp_path):
    return tmp_path / "cache" / "golds.sqlite"


@pytest.mark.parametrize("on_disk", [False, True], ids=["memory", "disk"])
def test_each_gold_runs_once_a_process_whatever_becomes_of_it(on_disk, store, database, sandbox):
    golds = Golds(store if on_disk else None)
    first = {sql: golds.get(database, sql, sandbox) for sql in GOLDS}
    assert {sql: (found.status, found.rows) for sql, found in first.items()} == GOLDS
    assert {sql: golds.get(database, sql, sandbox) for sql in GOLDS} == first
    assert sandbox.asked == list(GOLDS)
    states = {"ok": 2, "empty": 1, "error": 1, "refused": 1, "too_large": 1, "timeout": 1}
    assert golds.states() == (states if on_disk else {})


def test_another_process_takes_what_ran_and_runs_again_what_failed(store, database, sandbox):
    earlier = Golds(store)
    first = {sql: earlier.get(database, sql, sandbox) for sql in GOLDS}
    earlier.close()
    sandbox.asked.clear()
    later = Golds(store)
    for sql, (status, _) in GOLDS.items():
        found = later.get(database, sql, sandbox)
        assert found == first[sql] if status in ("ok", "empty") else found.status == status
    assert sandbox.asked == [sql for sql, (status, _) in GOLDS.items() if status not in ("ok", "empty")]


def test_a_timeout_is_run_again_under_wider_limits(store, database):
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT count(*) FROM n"
    golds = Golds(store)
    with CountingSandbox(seconds=0.001) as hurried, CountingSandbox(seconds=60) as patient:
        assert golds.get(database, slow, hurried).status == "timeout"
        assert golds.get(database, slow, patient).rows == ((300000,),)
        assert golds.get(database, slow, hurried).status == "timeout", "what is kept does not decide what is right"
        assert Golds(store).get(database, slow, hurried).status == "timeout"


DIFFERENT = {
    "other rows allowed": {"rows": 2},
    "other memory": {"megabytes": 64},
    "other treatment of broken text": {"text_errors": "strict"},
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_other_limits_are_other_golds(name, store, database, sandbox):
    sql = "SELECT a FROM t ORDER BY a"
    Golds(store).get(database, sql, sandbox)
    with CountingSandbox(**DIFFERENT[name]) as other:
        Golds(store).get(database, sql, other)
        assert other.asked == [sql]


def test_the_content_of_the_database_counts_and_not_its_place(store, database, sandbox, tmp_path):
    sql, golds = "SELECT max(a) FROM t", Golds(store)
    assert golds.get(database, sql, sandbox).rows == ((3,),)
    copy = tmp_path / "elsewhere.sqlite"
    copy.write_bytes(database.read_bytes())
    assert golds.get(copy, sql, sandbox).rows == ((3,),) and len(sandbox.asked) == 1
    make(database, rows=(1, 2, 8), age_seconds=0)
    assert golds.get(database, sql, sandbox).rows == ((8,),)
    for last in range(20):  # a file that changes faster than its clock ticks
        make(database, rows=(1, 2, last), age_seconds=0)
        assert golds.get(database, sql, sandbox).rows == ((max(2, last),),)


def test_an_old_file_is_read_once(store, database, sandbox, monkeypatch):
    monkeypatch.setattr(finer.golds, "YOUNG_SECONDS", 0.0)
    Golds(store).get(database, "SELECT 1", sandbox)
    monkeypatch.setattr(finer.golds.hashlib, "file_digest", None)
    assert Golds(store).get(database, "SELECT 1", sandbox).rows == ((1,),)


def test_memory_is_bounded_and_failures_stay(database, sandbox, monkeypatch):
    monkeypatch.setattr(finer.golds, "KEPT_CELLS", 5)
    golds, wide = Golds(), [f"SELECT {number}, 2, 3" for number in range(3)]
    for sql in ["SELECT nowhere", *wide, "SELECT nowhere", wide[2], wide[0]]:
        golds.get(database, sql, sandbox)
    assert sandbox.asked == ["SELECT nowhere", *wide, wide[0]]


def test_a_result_too_large_to_store_is_run_again(store, database, sandbox, monkeypatch):
    monkeypatch.setattr(finer.golds, "STORED_BYTES", 10)
    for _ in range(2):
        assert Golds(store).get(database, "SELECT 'some text that takes more'", sandbox).status == "ok"
    assert len(sandbox.asked) == 2 and Golds(store).states() == {"ok": 1}


def test_a_damaged_entry_is_run_again_and_mended(store, database, sandbox):
    golds = Golds(store)
    first = golds.get(database, "SELECT 1", sandbox)
    golds.close()
    connection = sqlite3.connect(store)
    connection.execute("UPDATE gold SET result = x'00'")
    connection.commit()
    connection.close()
    for _ in range(2):
        again = Golds(store).get(database, "SELECT 1", sandbox)
        assert (again.status, again.rows) == (first.status, first.rows)
    assert len(sandbox.asked) == 2


def no_database(store):
    store.parent.mkdir()
    store.write_bytes(b"this is no database" * 100)


def no_folder(store):
    store.parent.write_text("a file where the folder should be")


@pytest.mark.parametrize("spoil", [no_database, no_folder])
def test_a_cache_that_cannot_be_used_is_said_once_and_done_without(spoil, store, database, sandbox):
    spoil(store)
    before = store.read_bytes() if store.is_file() else b""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        golds = Golds(store)
        found = [golds.get(database, sql, sandbox).status for sql in ("SELECT 1", "SELECT nowhere", "SELECT 1")]
    assert found == ["ok", "error", "ok"] and len(sandbox.asked) == 2
    assert len(said) == 1 and f"no golds are kept in {str(store)!r}" in str(said[0].message)
    assert (store.read_bytes() if store.is_file() else b"") == before, "nothing is overwritten"


def test_a_cache_that_fails_later_is_given_up(store, database, sandbox):
    golds = Golds(store)
    golds._shelf.connection.execute("DROP TABLE gold")
    with pytest.warns(UserWarning, match="no such table: gold"):
        assert golds.get(database, "SELECT 1", sandbox).rows == ((1,),)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert golds.get(database, "SELECT 2", sandbox).rows == ((2,),)


PROCESS = """
import sys
from pathlib import Path
from finer.golds import Golds
from finer.sandbox import Limits, Sandbox
store, database = sys.argv[1:]
with Sandbox(limits=Limits(seconds=30)) as sandbox:
    golds = Golds(store)
    for number in range(150):
        assert golds.get(database, f"SELECT a + {number} FROM t ORDER BY a", sandbox).rows[0] == (1 + number,), number
"""


def test_two_processes_share_a_file(store, database):
    command = [sys.executable, "-W", "error", "-c", PROCESS, str(store), str(database)]
    folder = Path(finer.golds.__file__).parent.parent
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder) for _ in range(2)]
    faults = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], faults
    assert Golds(store).states() == {"ok": 150}


def test_several_threads_share_one(store, database, sandbox):
    golds, found = Golds(store), []

    def ask():
        found.extend(golds.get(database, f"SELECT a + {number} FROM t ORDER BY a", sandbox).rows[0][0] - number for number in range(50))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 200 and Golds(store).states() == {"ok": 50}


def test_a_missing_database_is_the_callers_fault(store, sandbox, tmp_path):
    with pytest.raises(FileNotFoundError, match="no database file"):
        Golds(store).get(tmp_path / "nothing.sqlite", "SELECT 1", sandbox)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"FINER_CACHE": "/one", "XDG_CACHE_HOME": "/two"}, "/one/golds-1.sqlite"),
        ({"XDG_CACHE_HOME": "/two"}, "/two/finer/golds-1.sqlite"),
        ({"HOME": "/three"}, "/three/.cache/finer/golds-1.sqlite"),
    ],
)
def test_the_place_in_the_users_cache(variables, expected, monkeypatch):
    for name in ("FINER_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert default_golds_path() == Path(expected)


def test_executions_come_back_as_they_were(store, database, sandbox):
    sql = "SELECT a AS first, a FROM t"
    first = Golds(store).get(database, sql, sandbox)
    assert Golds(store).get(database, sql, sandbox) == first == Execution("ok", first.rows, ("first", "a"), "", first.seconds)
