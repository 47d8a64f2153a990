"""The run store's files: damaged, of another version, read-only; and the page about them. Run with: pytest tests/test_run_files.py"""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from run_samples import CONFIG, group, write

from finer import runs_schema
from finer.errors import FinerError, RunStoreError
from finer.records import Trace
from finer.runs import MemoryEvent, Run, RunWriter

ROOT = Path(__file__).resolve().parent.parent


def test_create_refuses_a_folder_that_holds_a_run(tmp_path):
    with RunWriter.create(tmp_path, CONFIG) as writer:
        write(writer, 1)
    before = (tmp_path / "run.sqlite").read_bytes()
    with pytest.raises(RunStoreError, match="already holds a run.*another folder.*finer resume"):
        RunWriter.create(tmp_path, CONFIG)
    assert (tmp_path / "run.sqlite").read_bytes() == before


UNFINISHED = {
    "the file was made": lambda path: path.write_bytes(b""),
    "its mode was set": lambda path: sqlite3.connect(path).execute("PRAGMA journal_mode = WAL"),
}


@pytest.mark.parametrize("leave", UNFINISHED.values(), ids=UNFINISHED)
def test_a_run_killed_before_it_began_leaves_its_folder_free(tmp_path, leave):
    leave(tmp_path / "run.sqlite")
    with RunWriter.create(tmp_path, CONFIG) as writer:
        write(writer, 1)
    assert Run(tmp_path).last_step == 1


def test_create_refuses_a_run_that_was_killed_before_its_first_step(tmp_path):
    """Its tables are still in the -wal beside the file."""
    script = f"""
import os
from finer.runs import RunWriter
RunWriter.create({str(tmp_path)!r}, {{"policy": "tiny"}})
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 9
    with pytest.raises(RunStoreError, match="already holds a run"):
        RunWriter.create(tmp_path, CONFIG)
    assert Run(tmp_path).config == {"policy": "tiny"}


def test_create_refuses_a_file_in_the_folder_s_place(tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(RunStoreError, match="is a file, not a folder"):
        RunWriter.create(tmp_path / "taken", CONFIG)


def test_a_configuration_that_is_not_json_makes_no_run(tmp_path):
    with pytest.raises(ValueError, match="configuration 'policy' is not JSON-ready"):
        RunWriter.create(tmp_path / "run", {"policy": object()})
    assert not (tmp_path / "run").exists()


def damage_header(path):
    path.write_bytes(b"not a database at all, but long enough to be read as one" * 20)


def damage_middle(path):
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)


BAD_FOLDERS = {
    "missing": (lambda path: (path.unlink(), path.parent.rmdir()), "does not exist"),
    "no run in it": (lambda path: path.unlink(), "is not a run's folder"),
    "not SQLite": (damage_header, "is damaged or not an SQLite file"),
    "pages overwritten": (damage_middle, "is damaged or not an SQLite file"),
    "empty file": (lambda path: path.write_bytes(b""), "is not a run store"),
    "another program's file": (lambda path: (path.unlink(), sqlite3.connect(path).execute("CREATE TABLE t (a)")), "is not a run store"),
}


@pytest.mark.parametrize(("spoil", "message"), BAD_FOLDERS.values(), ids=BAD_FOLDERS)
def test_a_bad_folder_gets_a_clear_message(tmp_path, spoil, message):
    folder = tmp_path / "run"
    with RunWriter.create(folder, CONFIG) as writer:
        write(writer, 1)
        writer.set_status("finished")
    spoil(folder / "run.sqlite")
    with pytest.raises(FinerError, match=message):
        Run(folder).rollouts()
    with pytest.raises(FinerError, match=message):
        RunWriter.resume(folder, 0)


def test_a_finished_run_is_one_plain_file_that_opens_where_nothing_may_be_written(tmp_path):
    with RunWriter.create(tmp_path / "run", CONFIG) as writer:
        write(writer, 1)
        writer.set_status("finished")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.sqlite"]
    (tmp_path / "run" / "run.sqlite").chmod(0o444)
    (tmp_path / "run").chmod(0o555)
    try:
        assert Run(tmp_path / "run").group(1) == group(1)
        assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.sqlite"]
    finally:
        (tmp_path / "run").chmod(0o755)


def test_a_store_of_a_newer_program_names_the_program_it_needs(tmp_path):
    RunWriter.create(tmp_path, CONFIG).close()
    connection = sqlite3.connect(tmp_path / "run.sqlite")
    connection.executescript("PRAGMA user_version = 99; UPDATE state SET needs_program = '7.2'")
    with pytest.raises(RunStoreError, match="schema version 99; this program reads up to 2. It needs finer-workbench 7.2 or newer"):
        Run(tmp_path)


def make_newer(monkeypatch):
    """A program one schema further on than the store."""
    for module in ("finer.runs", "finer.run_writer", "finer.runs_schema"):
        monkeypatch.setattr(f"{module}.SCHEMA_VERSION", 3)
    monkeypatch.setitem(runs_schema.UPGRADES, 2, "UPDATE events SET kind = 'was ' || kind; ALTER TABLE steps ADD COLUMN note TEXT")


OLD_REASONS = {
    "length": "3 words, and the gate takes 8 to 2000",
    "mentions": "names 1 tables and columns of the schema, and the gate asks for 2",
    "density": "0.010 mentions of the schema a word, and the gate asks for 0.05",
    "repetition": "repeats itself: 40% of its word pairs differ, and the gate asks for 60%",
    "duplicate": "too close to trace 7: cosine 0.981, and the gate takes less than 0.95",
    "": "a reason of another program",
}


def test_a_store_of_version_1_tells_the_gates_rule_from_its_sentence(tmp_path):
    """A store as that version wrote it: memory events without a collection and without a rule."""
    trace = Trace(7, "library", "?", "a thought", "SELECT 1", "policy", 1)
    events = [MemoryEvent("refused", trace, reason) for reason in OLD_REASONS.values()]
    with RunWriter.create(tmp_path, CONFIG) as writer:
        writer.write_step(1, [], {}, {}, [*events, MemoryEvent("inserted", trace)])
    connection = sqlite3.connect(tmp_path / "run.sqlite")
    connection.executescript("ALTER TABLE memory_events DROP COLUMN collection; ALTER TABLE memory_events DROP COLUMN rule; PRAGMA user_version = 1")
    connection.close()
    seen = Run(tmp_path).memory_events()
    assert [event.rule for event in seen] == [*OLD_REASONS, ""]
    assert {event.collection for event in seen} == {"verified"}


def test_an_older_store_is_read_through_a_copy_and_left_as_it_is(tmp_path, monkeypatch):
    with RunWriter.create(tmp_path, CONFIG) as writer:
        write(writer, 1)
        writer.write_event(1, "checkpoint")
    before = (tmp_path / "run.sqlite").read_bytes()
    make_newer(monkeypatch)
    run = Run(tmp_path)
    assert run.events()[0].kind == "was checkpoint" and run.group(1) == group(1)
    assert (tmp_path / "run.sqlite").read_bytes() == before


def test_the_recorded_run_opens_and_its_folder_stays_as_it_is():
    """It was recorded under version 1."""
    folder = ROOT / "data" / "recorded" / "first-steps"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    counted = Counter((event.kind, event.rule) for event in Run(folder).memory_events())
    assert counted == {("inserted", ""): 25, ("refused", "length"): 4, ("refused", "duplicate"): 62}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_resume_upgrades_an_older_store_in_place(tmp_path, monkeypatch):
    with RunWriter.create(tmp_path, CONFIG) as writer:
        write(writer, 1)
    make_newer(monkeypatch)
    with RunWriter.resume(tmp_path, 1) as writer:
        write(writer, 2)
    assert sqlite3.connect(tmp_path / "run.sqlite").execute("PRAGMA user_version").fetchone() == (3,)
    assert Run(tmp_path).last_step == 2


# --- the page about it -------------------------------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "run-store.md").read_text()
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def small_run(tmp_path):
    with RunWriter.create(tmp_path, CONFIG) as writer:
        write(writer, 1, values=[0.5] * 4)
        write(writer, 2)
        for step, correct in ((0, False), (2, True)):
            writer.write_evaluation(step, "dev", "strict", [{"index": 3, "correct": correct, "sql": f"SELECT {step}"}])
    return sqlite3.connect(tmp_path / "run.sqlite")


ANSWERS = {
    "parts by step": [(1, "atomic", 0.5, 4, 4), (1, "execution", 0.5, 4, 4), (1, "memory", None, 0, 4)],
    "no signal": [(1, 1, "Which books are there?", 0.7)],
    "paid though wrong": [(2, 1, "wrong", 0.7, "SELECT name FROM book")],
    "learned": [(3, "SELECT 0", "SELECT 2")],
    "time": [(2, 1.5, None, 0.5)],
}


@pytest.mark.parametrize("number", range(len(ANSWERS)), ids=ANSWERS)
def test_the_page_s_queries_answer_what_they_promise(small_run, number):
    expected = list(ANSWERS.values())[number]
    rows = small_run.execute(QUERIES[number]).fetchall()
    assert [row[: len(expected[0])] for row in rows[: len(expected)]] == expected


def test_the_page_holds_five_queries_and_every_table_and_column(small_run):
    assert len(QUERIES) == 5
    tables = [name for (name,) in small_run.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    sections = {heading: body for heading, body in re.findall(r"### (.*?)\n(.*?)(?=\n### |\Z)", PAGE, re.DOTALL)}
    for table in tables:
        (body,) = [body for heading, body in sections.items() if table in re.split(r"[,: ]+", heading)]
        for column in small_run.execute(f"PRAGMA table_info({table})").fetchall():
            assert re.search(rf"`({table})?\.?{column[1]}`", body), f"{table}.{column[1]} is not described"
