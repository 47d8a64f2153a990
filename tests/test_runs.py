"""The run store: whole steps, crashes, live readers, refusals. Run with: pytest tests/test_runs.py"""

from __future__ import annotations

import math
import os
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finer import run_owner, runs_schema
from finer.errors import FinerError, RunStoreError
from finer.records import Group, Question, RewardBreakdown, RewardPart, Rollout, Trace
from finer.runs import MemoryEvent, Run, RunWriter

ROOT = Path(__file__).resolve().parent.parent
CONFIG = {"policy": "tiny", "recipe": "finer", "seed": 7, "weights": {"atomic": 0.4}, "learning_rate": 3e-4}


def question(index=3):
    gold = ("SELECT name FROM book", "SELECT b.name FROM book b")
    return Question(index, "library", "Which books are there?", gold, "a hint", "easy", "train", ("book",), True)


def rollout(rollout_id, step, group_id, position, value=0.5, status="wrong"):
    parts = (
        RewardPart("execution", value, 1.0, {"summary": "row (3, 'Ada') is missing", "rows": [[3, "Ada"], [None, 0.1]]}),
        RewardPart("atomic", value, 0.4, {"summary": "3 of 4 operations"}),
        RewardPart("memory", None, 0.1, {"summary": "not scored: no trace of another database"}),
    )
    breakdown = RewardBreakdown("finer", status, parts, "look at book", "SELECT name FROM book")
    return Rollout(rollout_id, step, group_id, position, "<think>…</think>\nSELECT", breakdown, 0.25 * position, 12)


def group(step, group_id=None, first=None, size=4, values=None, statuses=None):
    group_id = step if group_id is None else group_id
    first = 1 + (step - 1) * size if first is None else first
    values = values or [i / 7 for i in range(size)]
    statuses = statuses or ["correct"] + ["wrong"] * (size - 1)
    members = (rollout(first + i, step, group_id, i, values[i], statuses[i]) for i in range(size))
    return Group(group_id, step, question(), "the prompt", tuple(members))


def write(writer, step, **more):
    writer.write_step(step, [group(step, **more)], {"reward": step / 10, "loss": math.nan}, {"generation": 1.5, "update": 0.5})


@pytest.fixture
def writer(tmp_path):
    with RunWriter.create(tmp_path / "run", CONFIG) as open_writer:
        yield open_writer


@pytest.fixture
def run(writer):
    return Run(writer.path.parent)


# --- what is written is what is read -----------------------------------------------------------------------------------------


def test_configuration_and_versions_come_back(run):
    assert run.config == CONFIG
    assert run.versions["python"].startswith("3.") and run.versions["sqlite"] == sqlite3.sqlite_version


def test_a_group_comes_back_equal(writer, run):
    write(writer, 1)
    assert run.group(1) == group(1)


def test_steps_metrics_and_events_come_back(writer, run):
    write(writer, 1)
    write(writer, 2)
    writer.write_event(2, "checkpoint", "checkpoints/2")
    first, second = run.steps()
    assert (first.step, second.step) == (1, 2)
    assert first.seconds["generation"] == 1.5 and first.seconds["scoring"] is None and first.seconds["store"] > 0
    assert run.metrics("reward") == [(1, 0.1), (2, 0.2)]
    assert run.metrics() == {"reward": [(1, 0.1), (2, 0.2)], "loss": [(1, None), (2, None)]}
    assert run.metrics("unheard of") == []
    assert [(event.step, event.kind, event.detail) for event in run.events()] == [(2, "checkpoint", "checkpoints/2")]


def test_memory_events_come_back(writer, run):
    trace = Trace(900, "library", "Which books?", "look at book", "SELECT name FROM book", "policy", 1)
    events = [MemoryEvent("inserted", trace), MemoryEvent("refused", trace, "too like trace 7", collection="failed", rule="duplicate")]
    writer.write_step(1, [], {}, {}, memory_events=events)
    seen = run.memory_events()
    assert [(e.collection, e.rule) for e in seen] == [("verified", ""), ("failed", "duplicate")]
    assert [(e.kind, e.trace, e.reason, e.step) for e in seen] == [("inserted", trace, "", 1), ("refused", trace, "too like trace 7", 1)]


EVALUATIONS = {
    "one of two judged": ([True, False, None], 0.5, 2),
    "none judged": ([None, None], None, 0),
    "all right": ([True, True], 1.0, 2),
    "no questions": ([], None, 0),
}


@pytest.mark.parametrize(("outcomes", "value", "n"), EVALUATIONS.values(), ids=EVALUATIONS)
def test_an_evaluation_counts_only_what_was_judged(writer, run, outcomes, value, n):
    rows = [{"index": i, "correct": correct, "sql": "SELECT 1", "status": "ok"} for i, correct in enumerate(outcomes)]
    writer.write_evaluation(0, "dev", "strict", rows)
    (seen,) = run.evaluations(questions=True)
    assert (seen.step, seen.split, seen.metric, seen.value, seen.n) == (0, "dev", "strict", value, n)
    assert [question.correct for question in seen.questions] == outcomes


def test_an_evaluation_made_again_replaces_the_first(writer, run):
    writer.write_evaluation(5, "dev", "strict", [{"index": 0, "correct": False, "sql": ""}])
    writer.write_evaluation(5, "dev", "strict", [{"index": 0, "correct": True, "sql": ""}])
    assert [(seen.step, seen.value) for seen in run.evaluations()] == [(5, 1.0)]


def test_summaries_compute_totals_as_the_records_do(writer, run):
    write(writer, 1)
    (summary,) = run.groups(step=1)
    assert summary.totals == tuple(r.breakdown.total for r in group(1).rollouts)
    assert (summary.question, summary.db_id, summary.question_index) == ("Which books are there?", "library", 3)
    assert run.groups(step=2) == []


SHARES = {
    "half right": (["correct", "wrong"], 0.5),
    "an unjudged one is not counted": (["correct", "gold_failed"], 1.0),
    "nothing judged": (["gold_failed", "gold_failed"], None),
}


@pytest.mark.parametrize(("statuses", "share"), SHARES.values(), ids=SHARES)
def test_share_right_leaves_out_what_was_not_judged(writer, run, statuses, share):
    write(writer, 1, size=2, statuses=statuses)
    assert run.groups()[0].share_right == share


def test_a_group_with_equal_totals_has_no_signal(writer, run):
    write(writer, 1, values=[0.5] * 4)
    write(writer, 2)
    assert [summary.has_signal for summary in run.groups()] == [False, True]


def test_rollouts_are_a_table_with_a_column_a_part(writer, run):
    write(writer, 1)
    table = run.rollouts()
    assert list(table["rollout_id"]) == [1, 2, 3, 4] and list(table["position"]) == [0, 1, 2, 3]
    assert list(table["execution"]) == pytest.approx([i / 7 for i in range(4)])
    assert table["memory"].isna().all(), "not scored is NaN, never 0"
    assert list(table["total"]) == [r.breakdown.total for r in group(1).rollouts]
    assert set(table["db_id"]) == {"library"}


def test_rollouts_of_a_run_without_steps_are_an_empty_table(run):
    assert len(run.rollouts()) == 0 and "total" in run.rollouts().columns


def test_a_part_named_like_a_column_keeps_both(writer, run):
    breakdown = RewardBreakdown("own", "wrong", (RewardPart("status", 0.25, 1.0),))
    writer.write_step(1, [Group(1, 1, question(), "", (Rollout(1, 1, 1, 0, "", breakdown, None),))], {}, {})
    table = run.rollouts()
    assert (table["status"][0], table["part.status"][0]) == ("wrong", 0.25)


@settings(max_examples=25, deadline=None)
@given(text=st.text(alphabet=st.characters(codec=None), max_size=40))
def test_any_text_is_kept_but_for_half_characters(tmp_path_factory, text):
    with RunWriter.create(tmp_path_factory.mktemp("text") / "run", {}) as writer:
        breakdown = RewardBreakdown("own", "wrong", (RewardPart("format", 0.0, 1.0, {"summary": text}),), text, text)
        writer.write_step(1, [Group(1, 1, question(), text, (Rollout(1, 1, 1, 0, text, breakdown, None),))], {}, {})
        seen = Run(writer.path).group(1)
    whole = text.encode("utf-8", "replace").decode()
    member = seen.rollouts[0]
    assert {seen.prompt, member.completion, member.sql, member.breakdown.thought} == {whole}
    assert member.breakdown.parts[0].evidence == {"summary": whole}


# --- a step is whole or not there --------------------------------------------------------------------------------------------


def broken_group(**change):
    breakdown = RewardBreakdown("finer", "wrong", (RewardPart("atomic", change.get("value", 0.1), 1.0, change.get("evidence", {})),))
    member = Rollout(900, change.get("step", 2), 900, 0, "", breakdown, change.get("advantage", 0.0))
    return Group(900, change.get("group_step", 2), question(), "", (member,))


FAULTS = {
    "a value that is not a number": (broken_group(value=math.nan), ValueError, "rollout 900, part 'atomic': the value is nan"),
    "an advantage that is not a number": (broken_group(advantage=math.nan), ValueError, "rollout 900: the advantage is nan"),
    "evidence with bytes": (broken_group(evidence={"row": b"x"}), ValueError, "rollout 900, part 'atomic': the evidence is not JSON"),
    "a group of another step": (broken_group(group_step=5), ValueError, "group 900 is of step 5"),
    "a rollout of another step": (broken_group(step=5), ValueError, "rollout 900 does not belong"),
    "a rollout that is there already": (group(2, 900, first=1), RunStoreError, "step 2 is not written"),
}


@pytest.mark.parametrize(("faulty", "kind", "message"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_step_leaves_nothing_behind(writer, run, faulty, kind, message):
    write(writer, 1)
    before = run.version()
    with pytest.raises(kind, match=re.escape(message)):
        writer.write_step(2, [group(2), faulty], {"reward": 1.0}, {})
    assert (run.last_step, run.version(), len(run.rollouts())) == (1, before, 4)
    write(writer, 2)
    assert run.last_step == 2


def test_a_step_is_written_once(writer, run):
    write(writer, 1)
    with pytest.raises(RunStoreError, match="step 1 is not written"):
        write(writer, 1)


def test_an_unknown_stage_is_named(writer):
    with pytest.raises(ValueError, match="unknown stages \\['sampling'\\]; the stages are generation, scoring"):
        writer.write_step(1, [], {}, {"sampling": 1.0})


def test_a_full_disk_loses_only_the_step_that_did_not_fit(writer, run):
    write(writer, 1)
    pages = writer._connection.execute("PRAGMA page_count").fetchone()[0]
    writer._connection.execute(f"PRAGMA max_page_count = {pages + 2}")  # SQLite then says what it says of a full disk
    with pytest.raises(RunStoreError, match="everything up to step 1 is safe. Free some space.*finer resume"):
        write(writer, 2, size=400, values=[0.0] * 400, first=100)
    assert (run.last_step, len(run.rollouts())) == (1, 4)
    writer._connection.execute("PRAGMA max_page_count = 1000000")
    write(writer, 2)
    assert run.last_step == 2


# --- resuming ----------------------------------------------------------------------------------------------------------------


def test_resume_discards_what_came_after_the_checkpoint(tmp_path):
    trace = Trace(1, "library", "q", "t", "SELECT 1", "policy")
    with RunWriter.create(tmp_path, CONFIG) as writer:
        for step in (1, 2, 3):
            write(writer, step)
            writer.write_evaluation(step, "dev", "strict", [{"index": 0, "correct": True, "sql": ""}])
            writer.write_memory_events(step, [MemoryEvent("inserted", trace)])
            writer.write_event(step, "checkpoint")
    with RunWriter.resume(tmp_path, 2) as writer:
        run = Run(tmp_path)
        assert run.last_step == 2 and [g.step for g in run.groups()] == [1, 2]
        assert [e.step for e in run.evaluations()] == [1, 2] and [e.step for e in run.memory_events()] == [1, 2]
        assert run.events()[-1].detail == "from the checkpoint at step 2; 1 later steps discarded"
        assert (writer.next_rollout_id, writer.next_group_id) == (9, 3)
        assert run.status == "running"
        write(writer, 3)
        writer.set_status("finished")
    assert [g.step for g in run.groups()] == [1, 2, 3] and run.status == "finished"
    orphans = "SELECT count(*) FROM evaluation_questions WHERE evaluation_id NOT IN (SELECT evaluation_id FROM evaluations)"
    assert sqlite3.connect(tmp_path / "run.sqlite").execute(orphans).fetchone() == (0,)


def test_resume_refuses_a_checkpoint_that_the_store_does_not_reach(tmp_path):
    with RunWriter.create(tmp_path, CONFIG) as writer:
        write(writer, 1)
    with pytest.raises(RunStoreError, match="ends at step 1, before the checkpoint at step 5"):
        RunWriter.resume(tmp_path, 5)
    assert Run(tmp_path).last_step == 1


def test_resume_refuses_a_run_that_still_trains(writer):
    with pytest.raises(RunStoreError, match="is running: another process or thread trains it"):
        RunWriter.resume(writer.path.parent, 0)


def test_resume_answers_the_requests_that_were_left_open(tmp_path):
    with RunWriter.create(tmp_path, CONFIG):
        Run(tmp_path).request("stop")
    with RunWriter.resume(tmp_path, 0) as writer:
        assert writer.take_requests() == []
        assert Run(tmp_path).requests()[0].outcome.startswith("dropped")


WRITES_UNTIL_KILLED = textwrap.dedent(
    """
    import sys
    sys.path[:0] = sys.argv[2:]
    from finer.runs import RunWriter
    from test_runs import CONFIG, write
    writer = RunWriter.create(sys.argv[1], CONFIG)
    for step in range(1, 100_000):
        write(writer, step)
        print(step, flush=True)
    """
)


def start_writer(folder):
    command = [sys.executable, "-c", WRITES_UNTIL_KILLED, str(folder), str(ROOT), str(ROOT / "tests")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_after_kill_9_nothing_is_lost_and_nothing_is_there_twice(tmp_path):
    process = start_writer(tmp_path)
    while int(process.stdout.readline()) < 10:
        pass
    run = Run(tmp_path)
    assert run.status == "running", "a reader beside a live writer in another process"
    with pytest.raises(RunStoreError, match="another process"):
        RunWriter.resume(tmp_path, 5)
    process.send_signal(signal.SIGKILL)
    said = max([10, *map(int, process.stdout.read().split())])
    process.stdout.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert run.status == "crashed", "also while the killed process is a zombie that nobody has waited for"
    process.wait()
    assert run.status == "crashed"
    assert run.last_step >= said, "a step that was reported as written is there"
    with RunWriter.resume(tmp_path, said) as writer:
        for step in range(said + 1, said + 4):
            write(writer, step)
        writer.set_status("finished")
    table = run.rollouts()
    assert list(table["rollout_id"]) == list(range(1, 4 * (said + 3) + 1)), "each rollout once, none missing"
    assert run.status == "finished" and [run.group(g.group_id) for g in run.groups(step=said)] == [group(said)]
    assert sqlite3.connect(run.path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


# --- reading a live run ------------------------------------------------------------------------------------------------------


def test_readers_in_threads_see_whole_steps_and_block_nobody(writer, run):
    done = threading.Event()

    def follow():
        seen = set()
        while not done.is_set():
            rollouts = len(run.rollouts())
            assert rollouts % 4 == 0 and len(run.groups()) >= rollouts // 4, "half a step"
            seen.add(rollouts)
        return seen

    with ThreadPoolExecutor(2) as readers:
        followers = [readers.submit(follow) for _ in range(2)]
        try:
            for step in range(1, 31):
                write(writer, step)
        finally:
            done.set()
        assert all(follower.result() for follower in followers), "each reader saw something, and nothing went wrong"
    assert len(run.rollouts()) == 120


def test_a_reader_in_the_middle_of_its_reading_holds_no_writer_up(writer, run):
    write(writer, 1)
    with run._reading() as connection:
        before = connection.execute("SELECT count(*) FROM rollouts").fetchone()[0]
        write(writer, 2)
        assert connection.execute("SELECT count(*) FROM rollouts").fetchone()[0] == before, "one moment of the run"
    assert run.last_step == 2


def test_the_version_grows_with_every_write_and_only_then(writer, run):
    versions = [run.version(), run.version()]
    write(writer, 1)
    versions.append(run.version())
    run.request("pause")
    versions.append(run.version())
    writer.write_evaluation(1, "dev", "strict", [])
    versions.append(run.version())
    assert versions == [1, 1, 2, 3, 4]


# --- control -----------------------------------------------------------------------------------------------------------------


def test_a_request_is_taken_once_and_answered(writer, run):
    request_id = run.request("weights", atomic=0.3, format=0)
    (taken,) = writer.take_requests()
    assert (taken.request_id, taken.kind, taken.values) == (request_id, "weights", {"atomic": 0.3, "format": 0})
    assert writer.take_requests() == []
    assert run.requests()[0].taken_at is not None and run.requests()[0].outcome is None
    writer.finish_request(request_id, "weights changed at step 3")
    assert run.requests()[0].outcome == "weights changed at step 3"


REQUEST_FAULTS = {
    "an unknown kind": ("explode", {}, "unknown request 'explode'; it is one of pause, resume"),
    "values where none belong": ("pause", {"minutes": 3}, "takes no values; it was given minutes"),
    "weights without a number": ("weights", {}, "gives each part a number"),
    "weights that are text": ("weights", {"atomic": "more"}, "gives each part a number"),
}


@pytest.mark.parametrize(("kind", "values", "message"), REQUEST_FAULTS.values(), ids=REQUEST_FAULTS)
def test_a_request_that_makes_no_sense_is_refused(run, kind, values, message):
    with pytest.raises(ValueError, match=message):
        run.request(kind, **values)
    assert run.requests() == []


@pytest.mark.parametrize("status", ["finished", "stopped", "crashed"])
def test_nobody_takes_requests_of_a_run_that_has_ended(writer, run, status):
    writer.set_status(status)
    with pytest.raises(RunStoreError, match=f"is {status}, so nobody would take a request"):
        run.request("pause")


def test_status_follows_the_writer(writer, run):
    for status in ("paused", "running", "finished"):
        writer.set_status(status)
        assert run.status == status
    with pytest.raises(ValueError, match="unknown status 'asleep'"):
        writer.set_status("asleep")


def test_an_error_in_the_trainer_is_a_crash_with_its_reason(tmp_path):
    with pytest.raises(ZeroDivisionError), RunWriter.create(tmp_path, {}) as writer:
        write(writer, 1)
        raise ZeroDivisionError("division by zero")
    assert Run(tmp_path).status == "crashed"
    assert Run(tmp_path).events()[-1].detail == "ZeroDivisionError: division by zero"


def test_a_writer_that_went_away_without_a_word_has_crashed(tmp_path):
    RunWriter.create(tmp_path, {}).close()
    assert Run(tmp_path).status == "crashed"


SIGNS_OF_LIFE = {
    "another process has been given the id": ({"process_started": 1.0, "pid": os.getppid()}, "crashed"),
    "another machine, heard of just now": ({"host": "elsewhere", "heartbeat": time.time() + 60}, "running"),
    "another machine, silent for long": ({"host": "elsewhere", "heartbeat": time.time() - run_owner.SILENT_SECONDS - 1}, "crashed"),
}


@pytest.mark.parametrize(("changes", "status"), SIGNS_OF_LIFE.values(), ids=SIGNS_OF_LIFE)
def test_signs_of_life(writer, run, changes, status):
    for column, value in changes.items():
        writer._connection.execute(f"UPDATE state SET {column} = ?", (value,))
    assert run.status == status


# --- files that are not what they should be ----------------------------------------------------------------------------------


def test_create_refuses_a_folder_that_holds_a_run(tmp_path):
    with RunWriter.create(tmp_path, CONFIG) as writer:
        write(writer, 1)
    before = (tmp_path / "run.sqlite").read_bytes()
    with pytest.raises(RunStoreError, match="already holds a run.*another folder.*finer resume"):
        RunWriter.create(tmp_path, CONFIG)
    assert (tmp_path / "run.sqlite").read_bytes() == before


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


def test_an_unknown_group_is_refused_with_those_there_are(writer, run):
    with pytest.raises(RunStoreError, match="holds no group 5; it holds no group yet"):
        run.group(5)
    write(writer, 1)
    with pytest.raises(RunStoreError, match="holds no group 5; it holds groups 1 to 1"):
        run.group(5)


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
