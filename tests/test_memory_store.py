"""The trace store: saved copies, live folders, readers beside a writer, kill -9. Run: pytest tests/test_memory_store.py"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from memory_samples import GOOD, LIBRARY, HashingEncoder, memory_of, trace

from finer.memory import Memory, MemoryFileError, Retrieval
from finer.memory import store as module

WRITER = Path(__file__).parent / "memory_writer.py"


def saved(tmp_path, count=30):
    memory = memory_of(*[("shop", f"count é \ud800 \u2028 {number}") for number in range(count)])
    memory.add([trace("wrong")], failed=True)
    memory.save(tmp_path / "memory")
    return memory, tmp_path / "memory"


def vectors_of(folder, kind="verified"):
    (path,) = folder.glob(f"{kind}-*.f32")
    return path


# -- saved copies -----------------------------------------------------------------------------------------------------


def test_reload_is_bit_equal(tmp_path):
    memory, folder = saved(tmp_path)
    memory.retrieval = Retrieval(k=7, scope="any", by="question", contrast=True)
    memory.propose(trace("too short"), LIBRARY)
    memory.save(folder)
    again = Memory.load(folder, HashingEncoder())
    assert again.traces == memory.traces and again.failed_traces == memory.failed_traces
    assert again.retrieval == memory.retrieval and again.gate_counts == memory.gate_counts
    assert again.match(["count 3"], "x", question="how") == memory.match(["count 3"], "x", question="how")
    assert np.fromfile(vectors_of(folder), "<f4").reshape(30, 64).tobytes() == HashingEncoder().encode([t.thought for t in memory.traces]).tobytes()
    assert len(list(folder.iterdir())) == 3, "two files of vectors and one of SQLite; the replaced ones are gone"


def test_reload_encodes_nothing_again(tmp_path):
    class Mute(HashingEncoder):
        def encode(self, texts):
            raise AssertionError("encoded again")

    assert Memory.load(saved(tmp_path)[1], Mute()).snapshot == 30


def test_a_reloaded_memory_grows_on_without_its_folder(tmp_path):
    folder = saved(tmp_path)[1]
    again = Memory.load(folder, HashingEncoder())
    for path in folder.iterdir():
        path.unlink()
    assert again.propose(trace(GOOD), LIBRARY) == "" and again.commit() == 31
    assert again.match([GOOD], "x")[0].neighbours[0].thought == GOOD


def test_an_empty_memory_is_saved_too(tmp_path):
    Memory(HashingEncoder()).save(tmp_path)
    again = Memory.load(tmp_path, HashingEncoder())
    assert again.snapshot == 0 and again.match(["a"], "x")[0].similarity is None and again.add([trace("a")]) == 1


def test_waiting_proposals_are_not_saved(tmp_path):
    memory = Memory(HashingEncoder())
    memory.propose(trace(GOOD), LIBRARY)
    memory.save(tmp_path)
    assert Memory.load(tmp_path, HashingEncoder()).traces == ()


@pytest.mark.parametrize("stop_at", ["_put_rows", "_to_disk", "replace"])
def test_a_crash_while_saving_leaves_the_older_memory(tmp_path, monkeypatch, stop_at):
    memory, folder = saved(tmp_path, 5)
    older = memory.traces
    memory.add([trace("one more"), trace("and another")])

    def crash(*_):
        raise KeyboardInterrupt

    owner = {"_put_rows": module.TraceStore, "_to_disk": module, "replace": module.os}[stop_at]
    monkeypatch.setattr(owner, stop_at, crash)
    with pytest.raises(KeyboardInterrupt):
        memory.save(folder)
    monkeypatch.undo()
    assert Memory.load(folder, HashingEncoder()).traces == older and not list(folder.glob("*.tmp"))
    memory.save(folder)
    assert Memory.load(folder, HashingEncoder()).snapshot == 7 and len(list(folder.iterdir())) == 3


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def flip(path):
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


def execute(folder, sql):
    connection = sqlite3.connect(folder / "traces.sqlite")
    connection.execute(sql)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("no folder", lambda f: [path.unlink() for path in f.iterdir()], "traces.sqlite is missing"),
        ("no vectors", lambda f: vectors_of(f).unlink(), "is missing; a memory's folder must be copied whole"),
        ("cut vectors", lambda f: cut(vectors_of(f)), "is damaged: 29 rows, and 30 traces"),
        ("one bit", lambda f: flip(vectors_of(f)), "is damaged between rows 0 and 30"),
        ("one bit of a failed one", lambda f: flip(vectors_of(f, "failed")), "is damaged between rows 0 and 1"),
        ("cut database", lambda f: cut(f / "traces.sqlite"), "damaged|cannot be read"),
        ("no database", lambda f: (f / "traces.sqlite").write_bytes(b"hello" * 1000), "cannot be read or written"),
        ("other database", lambda f: execute(f, "PRAGMA application_id = 7"), "is not a memory's trace store"),
        ("later version", lambda f: execute(f, "PRAGMA user_version = 9"), "has version 9, this program reads 1; update finer"),
        ("a trace is gone", lambda f: execute(f, "DELETE FROM traces WHERE place = 3"), "29 verified traces, 30 rows"),
        ("no head", lambda f: execute(f, "DELETE FROM head"), "cannot be read or written"),
        ("other encoder", lambda f: execute(f, "UPDATE head SET value = 'x' WHERE name = 'encoder'"), "was encoded by 'x'"),
    ],
)
def test_damaged_folder_says_what_to_do(tmp_path, name, damage, message):
    folder = saved(tmp_path)[1]
    damage(folder)
    with pytest.raises(MemoryFileError, match=message):
        Memory.load(folder, HashingEncoder())


# -- a memory that lives in a folder ----------------------------------------------------------------------------------


def test_a_commit_is_on_the_disk(tmp_path):
    memory = Memory.open(tmp_path, HashingEncoder(), retrieval=Retrieval(k=3, scope="any"))
    memory.add([trace("count the rows"), trace("sort by price", "library")])
    memory.propose(trace(GOOD, step=4), LIBRARY)
    memory.propose(trace("guess " + GOOD, step=4), LIBRARY, failed=True)
    memory.propose(trace("short"), LIBRARY)
    beside = Memory.open(tmp_path, HashingEncoder(), read_only=True)
    assert (beside.now(), beside.retrieval.k) == ((2, 0), 3), "what waits is not there"
    memory.commit()
    assert beside.refresh() == 3 and beside.now() == (3, 1)
    assert beside.traces == memory.traces and beside.failed_traces == memory.failed_traces
    assert beside.gate_counts == memory.gate_counts and beside.gate_counts["verified"].offered == 2
    assert beside.match([GOOD, "count"], "x") == memory.match([GOOD, "count"], "x")
    assert beside.snapshot_at(4) == (2, 0)
    Memory.load(tmp_path, HashingEncoder())


def test_an_opened_memory_grows_behind_what_is_mapped(tmp_path):
    for round_ in range(4):
        memory = Memory.open(tmp_path, HashingEncoder())
        memory.add(trace(f"w{round_ * 10 + n} count", f"db{n % 3}") for n in range(10))
    live = memory_of(*[(f"db{n % 10 % 3}", f"w{n} count") for n in range(40)])
    assert [m.similarity for m in memory.match(["w3 count"], "db1")] == [m.similarity for m in live.match(["w3 count"], "db1")]
    assert [t.trace_id for t in Memory.open(tmp_path, HashingEncoder()).traces] == list(range(40))


def test_a_saved_copy_can_be_lived_in_and_saved_from(tmp_path):
    folder = saved(tmp_path)[1]
    memory = Memory.open(folder, HashingEncoder())
    memory.add([trace("one more")])
    memory.save(folder)
    memory.save(tmp_path / "copy")
    assert Memory.load(tmp_path / "copy", HashingEncoder()).traces == Memory.load(folder, HashingEncoder()).traces == memory.traces


def test_reading_alone_writes_nothing(tmp_path):
    folder = saved(tmp_path)[1]
    memory = Memory.open(folder, HashingEncoder(), read_only=True)
    with pytest.raises(MemoryFileError, match="was opened to read"):
        memory.add([trace("x")])
    assert memory.snapshot == 30
    with pytest.raises(MemoryFileError, match=r"traces.sqlite is missing"):
        Memory.open(tmp_path / "nothing", HashingEncoder(), read_only=True)
    assert not (tmp_path / "nothing").exists()


def test_the_second_writer_is_told_to_open_again(tmp_path):
    first, second = (Memory.open(tmp_path, HashingEncoder()) for _ in range(2))
    first.add([trace("a")])
    with pytest.raises(MemoryFileError, match="was written by another process since it was opened here"):
        second.add([trace("b")])
    assert Memory.load(tmp_path, HashingEncoder()).traces == first.traces


def test_a_folder_that_is_open_elsewhere_is_not_saved_over(tmp_path):
    folder = saved(tmp_path)[1]
    (folder / "traces.sqlite-wal").write_bytes(b"")
    with pytest.raises(MemoryFileError, match="is open in another program"):
        memory_of(("shop", "a")).save(folder)


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    memory = Memory.open(tmp_path, HashingEncoder())
    memory.add([trace("a")])

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    memory.propose(trace(GOOD), LIBRARY)
    with pytest.raises(MemoryFileError, match="No space left.*nothing is lost"):
        memory.commit()
    assert memory.snapshot == 1
    monkeypatch.undo()
    assert memory.commit() == 2 and Memory.load(tmp_path, HashingEncoder()).traces == memory.traces


def test_refresh_is_for_folders():
    with pytest.raises(ValueError, match="opened from a folder"):
        Memory(HashingEncoder()).refresh()


# -- kill -9 ----------------------------------------------------------------------------------------------------------


def killed_in_the_middle(folder, times, seed=0):
    """Starts the writer on the folder so many times, kills it at a random moment, and opens what it left."""
    draw, encoder, most = random.Random(seed), HashingEncoder(), 0
    for _ in range(times):
        writer = subprocess.Popen([sys.executable, WRITER, folder], stdout=subprocess.PIPE, text=True, cwd=WRITER.parent.parent)
        told = int(writer.stdout.readline())
        time.sleep(draw.uniform(0, 0.15))
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate()
        told = max([told, *(int(line) for line in rest.split("\n")[:-1])])
        memory = Memory.open(folder, encoder, read_only=True)
        module.TraceStore(folder).check()
        assert memory.snapshot >= told >= most, "a commit that was told of is there"
        assert memory.snapshot % 7 == 0 and len(memory.failed_traces) == memory.snapshot // 7, "whole transactions"
        assert [t.thought for t in memory.traces] == [f"count w{n}" for n in range(memory.snapshot)]
        vectors = np.fromfile(vectors_of(folder), "<f4").reshape(-1, 64)[: memory.snapshot]
        assert np.array_equal(vectors, encoder.encode([t.thought for t in memory.traces]))
        most = memory.snapshot
    assert most > times


def test_killed_five_times_it_opens_whole(tmp_path):
    killed_in_the_middle(tmp_path, 5)


@pytest.mark.stress
def test_killed_fifty_times_it_opens_whole(tmp_path):
    killed_in_the_middle(tmp_path, 50, seed=1)


def test_a_reader_sees_whole_commits_while_another_process_writes(tmp_path):
    writer = subprocess.Popen([sys.executable, WRITER, tmp_path], stdout=subprocess.PIPE, text=True, cwd=WRITER.parent.parent)
    try:
        writer.stdout.readline()
        memory = Memory.open(tmp_path, HashingEncoder(), read_only=True)
        seen = [memory.refresh() for _ in range(30)]
        assert seen == sorted(seen) and all(count % 7 == 0 for count in seen)
        newest = f"count w{seen[-1] - 1}"
        assert memory.traces[-1].thought == newest
        # Not "is the nearest": 64 buckets are few, and an older word may hash to the same vector.
        assert memory.match([newest], "x")[0].neighbours[0].similarity == pytest.approx(1.0)
    finally:
        writer.kill()
        writer.communicate()


def test_rows_that_a_crash_left_behind_are_written_over(tmp_path):
    memory = Memory.open(tmp_path, HashingEncoder())
    memory.add([trace("a"), replace(trace("b"), step=1)])
    with vectors_of(tmp_path).open("ab") as file:
        file.write(b"\x07" * 300)
    again = Memory.open(tmp_path, HashingEncoder())
    assert again.snapshot == 2
    again.add([trace("c")])
    assert Memory.load(tmp_path, HashingEncoder()).match(["c"], "x")[0].neighbours[0].thought == "c"
