"""Every statement in ``hostile/``: its status is one it may end with, in its time, and nothing anywhere has changed.

All of them run at once, on two processes with small limits; what the slowness of a busy machine cut short runs again
alone with more time. The long form (``make stress``) has the real limits, and afterwards compares a thousand plain
statements in that sandbox with a thousand in a fresh one.
"""

from __future__ import annotations

import doctest
import hashlib
import os
import resource
import statistics
import sys
import time
from collections import defaultdict
from typing import NamedTuple

import hostile_statements
import pytest

from finer.records import Execution
from finer.sandbox import Limits, Sandbox

HOSTILE = hostile_statements.read_all()
SMALL = Limits(seconds=0.3, rows=5000, megabytes=64)
PATIENT = Limits(seconds=5, rows=5000, megabytes=64)
OVERRUN_SECONDS = 0.5
"""No statement may go on for longer after its time."""
PLAIN = "SELECT a.name, count(*) FROM book b JOIN author a ON a.id = b.id % 5 + 1 GROUP BY a.id ORDER BY a.id"
class Outcome(NamedTuple):
    """All of them run once: what came back, and what it left behind."""

    executions: dict[tuple[str, str], Execution]
    before: dict[str, str]
    after: dict[str, str]
    parent_growth_mebibytes: float


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    hostile_statements.make_databases(folder)
    return folder


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=2, limits=SMALL) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def outcome(folder, sandbox):
    before, memory = hashes(folder), resident_mebibytes()
    answers = sandbox.execute_many(jobs(folder))
    growth = resident_mebibytes() - memory
    executions = {(hostile.family, hostile.name): answer for hostile, answer in zip(HOSTILE, answers, strict=True)}
    return Outcome(executions, before, hashes(folder), growth)


def jobs(folder):
    return [(folder / "library.sqlite", hostile.sql.replace("$FOLDER", str(folder))) for hostile in HOSTILE]


def hashes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def resident_mebibytes():
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except FileNotFoundError:  # elsewhere the highest mark so far must do; macOS gives bytes, others KiB
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def plain_rows():
    return tuple((f"Author {i}", 12) for i in range(1, 6))


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own():
    assert len(HOSTILE) >= 250
    assert len({(hostile.family, hostile.name) for hostile in HOSTILE}) == len(HOSTILE)
    found = doctest.testmod(hostile_statements)
    assert found.attempted and not found.failed


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: f"{hostile.family}: {hostile.name}")
def test_each_ends_with_its_status(hostile, folder, outcome):
    execution = outcome.executions[hostile.family, hostile.name]
    if execution.status == "timeout" and "timeout" not in hostile.expected:  # a busy machine
        with Sandbox(limits=PATIENT) as patient:
            execution = patient.execute(folder / "library.sqlite", hostile.sql.replace("$FOLDER", str(folder)))
    assert execution.status in hostile.expected, execution
    assert execution.ran or (execution.rows == () and execution.error)


def test_no_byte_has_changed_and_no_file_has_appeared(outcome):
    assert outcome.after == outcome.before


def test_none_outlives_its_time(folder, outcome):
    assert sum(execution.status == "timeout" for execution in outcome.executions.values()) > 30
    for hostile, (path, sql) in zip(HOSTILE, jobs(folder), strict=True):
        overrun = outcome.executions[hostile.family, hostile.name].seconds - SMALL.seconds
        if overrun > OVERRUN_SECONDS:  # the machine's doing or the statement's? Alone, and at best, it is the statement's
            with Sandbox(limits=SMALL) as alone:
                overrun = min(alone.execute(path, sql).seconds for _ in range(5)) - SMALL.seconds
        assert overrun <= OVERRUN_SECONDS, hostile


def test_an_endless_recursion_is_called_by_its_name(outcome):
    execution = outcome.executions["recursion", "endless count"]
    assert "calls itself" in execution.error


def test_the_memory_of_the_parent_stays_flat(outcome):
    assert outcome.parent_growth_mebibytes < 40


def test_texts_of_ten_megabytes_are_refused_unread(folder, sandbox):
    memory = resident_mebibytes()
    for text in ("SELECT " + "1+" * 5_000_000 + "1", "SELECT '" + "é" * 5_000_000 + "'", "(" * 10_000_000, ";" * 10_000_000):
        execution = sandbox.execute(folder / "library.sqlite", text)
        assert (execution.status, len(execution.error) < 100) == ("refused", True)
    assert resident_mebibytes() - memory < 40


def test_ordinary_statements_still_answer(folder, sandbox, outcome):
    executions = sandbox.execute_many([(folder / "library.sqlite", PLAIN)] * 100)
    assert all(execution.rows == plain_rows() for execution in executions if execution.status != "timeout")
    assert sum(execution.status == "ok" for execution in executions) > 50, "a busy machine may cut some short"


def test_the_authorizer_refuses_what_the_reading_would_let_pass(folder, monkeypatch):
    monkeypatch.setattr("finer.sandbox.check_statement", lambda sql: "")
    before = hashes(folder)
    families = ("attach", "ddl", "files", "pragma", "several", "writes")
    chosen = [
        (hostile, job)
        for hostile, job in zip(HOSTILE, jobs(folder), strict=True)
        if hostile.family in families and set(hostile.expected) <= {"refused", "error"}
        # Harmless, and refused for another reason: the plan of a query, and a query after an empty statement.
        and hostile.name not in ("explain", "explain query plan", "semicolon first")
    ]
    with Sandbox(workers=2, limits=PATIENT) as sandbox:
        executions = sandbox.execute_many(job for _, job in chosen)
    ran = [hostile.name for (hostile, _), execution in zip(chosen, executions, strict=True) if execution.rows]
    assert not ran
    assert hashes(folder) == before


@pytest.mark.stress
def test_with_the_real_limits_and_the_speed_afterwards(folder, capsys):
    path, limits = folder / "library.sqlite", Limits()
    with Sandbox(workers=2, limits=limits) as sandbox:
        before, memory = hashes(folder), resident_mebibytes()
        executions = sandbox.execute_many(jobs(folder))
        growth = resident_mebibytes() - memory
        with Sandbox(limits=limits) as fresh:
            used_seconds, fresh_seconds = speeds([sandbox, fresh], path)
    unexpected = [
        (hostile.name, execution.status)
        for hostile, execution in zip(HOSTILE, executions, strict=True)
        # Greater limits may let an expected timeout end otherwise, and a busy machine cut anything short.
        if execution.status not in {*hostile.expected, "timeout"} and "timeout" not in hostile.expected
    ]
    worst: dict[str, float] = defaultdict(float)
    for hostile, execution in zip(HOSTILE, executions, strict=True):
        worst[hostile.family] = max(worst[hostile.family], execution.seconds - limits.seconds)
    with capsys.disabled():
        for family, seconds in worst.items():
            number = sum(hostile.family == family for hostile in HOSTILE)
            print(f"\n{family:12} {number:4} statements, worst overrun {max(0, seconds):.3f} s", end="")
        ratio = used_seconds / fresh_seconds
        print(f"\na plain statement takes {ratio:.2f} of its time in a fresh sandbox; the parent grew by {growth:.1f} MiB")
    assert not unexpected
    assert hashes(folder) == before
    assert growth < 100
    assert max(worst.values()) <= OVERRUN_SECONDS


def speeds(sandboxes, path):
    """Seconds of a plain statement in each: the median of a thousand, taken in turns, so that the machine's load is shared."""
    seconds = [[] for _ in sandboxes]
    for _ in range(1000):
        for sandbox, taken in zip(sandboxes, seconds, strict=True):
            started = time.perf_counter()
            assert sandbox.execute(path, PLAIN).rows == plain_rows()
            taken.append(time.perf_counter() - started)
    return [statistics.median(taken) for taken in seconds]
