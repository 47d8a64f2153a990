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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_samples import CONFIG, group, question, write

from finer import run_owner, run_writer
from finer.errors import RunStoreError
from finer.records import Group, RewardBreakdown, RewardPart, Rollout, Trace
from finer.runs import MemoryEvent, Run, RunWriter

ROOT = Path(__file__).resolve().parent.parent


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


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT question_index FROM rollouts", "no such column: question_index"),
        ("SELECT FROM", "syntax error"),
        ("SELECT * FROM answers", "no such table: answers"),
        ("DELETE FROM rollouts", "this one writes"),
    ],
)
def test_a_statement_that_the_store_cannot_answer_is_not_taken_for_a_damaged_file(writer, run, statement, said):
    write(writer, 1)
    with pytest.raises(RunStoreError, match=said) as caught:
        run.query(statement)
    assert "damaged" not in str(caught.value) and "read and write" not in str(caught.value)
    assert run.group(1) == group(1)


def test_a_sign_of_life_is_no_new_version(writer, run, monkeypatch):
    """Who follows a run with long steps would draw the same picture again and again."""
    writer.take_requests()
    before, beat = run.version(), run.query("SELECT heartbeat FROM state")[0][0]
    monkeypatch.setattr(run_writer, "HEARTBEAT_SECONDS", 0.0)
    assert writer.take_requests() == []
    assert run.version() == before and run.query("SELECT heartbeat FROM state")[0][0] > beat


def test_an_unknown_group_is_refused_with_those_there_are(writer, run):
    with pytest.raises(RunStoreError, match="holds no group 5; it holds no group yet"):
        run.group(5)
    write(writer, 1)
    with pytest.raises(RunStoreError, match="holds no group 5; it holds groups 1 to 1"):
        run.group(5)


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
