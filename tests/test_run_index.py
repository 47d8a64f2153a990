"""The index of a run, its notes, and the table of all answers. Run with: pytest tests/test_run_index.py"""

from __future__ import annotations

import doctest
import json
import os
import queue
import time
from dataclasses import replace

import pandas
import pytest
import render_samples as samples

import finer.run_index
import widgets.indexed
from finer.ledger import outcome_of, with_what_followed
from finer.records import Group
from finer.report import write_report
from finer.run_index import AnswerFilter, RunIndex
from finer.run_notes import NotesError, RunNotes
from finer.runs import Run, RunWriter
from widgets import LedgerView, MatrixView, RolloutsView
from widgets.rollouts import read_wanted


def write(writer: RunWriter, step: int) -> None:
    mixed = samples.group(2 * step, step)
    asked = replace(mixed, question=samples.question(17, "Which authors wrote 100% of a_b?"))
    writer.write_step(step, [asked, samples.silent_group(2 * step + 1, step)], {}, {})


@pytest.fixture
def writer(tmp_path):
    with RunWriter.create(tmp_path / "run", {}) as writer:
        for step in (1, 2, 3):
            write(writer, step)
        yield writer


@pytest.fixture
def run(writer):
    return Run(writer.path.parent)


@pytest.fixture
def index(run, tmp_path):
    index = RunIndex(run, tmp_path / "cache")
    assert index.update()
    return index


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """A run that no test changes, with its index."""
    folder = tmp_path_factory.mktemp("still")
    with RunWriter.create(folder / "run", {}) as writer:
        for step in (1, 2, 3):
            write(writer, step)
        index = RunIndex(Run(folder / "run"), folder / "cache")
        assert index.update()
        yield index


FILTERS = {
    "nothing asked": (AnswerFilter(), 24),
    "a word of the SQL": (AnswerFilter(text="yeer"), 3),
    "capitals do not matter": (AnswerFilter(text="select AUTHOR"), 21),
    "the beginning of a word": (AnswerFilter(text="autho"), 24),
    "an identifier whole": (AnswerFilter(text="author_id"), 24),
    "two letters are a whole word": (AnswerFilter(text="ye"), 0),
    "a word of the question alone": (AnswerFilter(text="which wrote"), 12),
    "percent and underscore are themselves": (AnswerFilter(text="100% a_b"), 12),
    "an operator of the search is a word": (AnswerFilter(text='NOT "OR* NEAR('), 0),
    "signs alone find nothing in answers": (AnswerFilter(text=">="), 0),
    "a status": (AnswerFilter(statuses=("wrong", "error")), 6),
    "a database": (AnswerFilter(db_id="library"), 24),
    "another database": (AnswerFilter(db_id="clinic"), 0),
    "steps": (AnswerFilter(first_step=2, last_step=2), 8),
    "a part, not scored is not 0": (AnswerFilter(part="memory", high=0.9), 6),
    "the total": (AnswerFilter(part="total", low=0.2, high=0.4), 6),
    "the advantage": (AnswerFilter(part="advantage", low=1.0), 3),
    "some ids": (AnswerFilter(rollout_ids=(200, 301, 9999)), 2),
    "no id": (AnswerFilter(rollout_ids=()), 0),
    "all together": (AnswerFilter(text="author", statuses=("wrong",), first_step=2, part="atomic", low=0.5), 2),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filter(still, name):
    wanted, found = FILTERS[name]
    assert still.page(wanted).found == found


@pytest.mark.parametrize("sort", ["total", "advantage", "length_tokens", "status", "db_id", "step", "atomic"])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_in_order_hold_every_answer_once(still, sort, descending):
    run, pages = still.run, [still.page(AnswerFilter(), sort, descending, start, 7) for start in range(0, 24, 7)]
    rows = [row for page in pages for row in page.rows]
    assert sorted(row.rollout_id for row in rows) == sorted(run.rollouts()["rollout_id"])
    table = run.rollouts().set_index("rollout_id")
    values = [table.loc[row.rollout_id, sort] for row in rows]
    known = [value for value in values if not pandas.isna(value)]
    assert known == sorted(known, reverse=descending)


def test_rows_say_what_the_run_says(still):
    index, run = still, still.run
    (row,) = index.page(AnswerFilter(rollout_ids=(401,))).rows
    held = run.group(4).rollouts[1]
    assert (row.total, row.advantage, row.status) == (held.breakdown.total, held.advantage, "wrong")
    assert row.sql == samples.WRONG and row.question_index == 17


def test_outcomes_are_those_of_the_groups(still):
    index, run = still, still.run
    whole = [outcome_of(summary) for summary in run.groups()]
    assert [one._replace(question="") for one in index.outcomes()] == [one._replace(question="") for one in whole]
    assert len({one.question for one in index.outcomes()}) == len({one.question for one in whole}) == 2


def all_wrong(group_id: int, step: int, totals: tuple[float, float]) -> Group:
    """Two wrong answers; the first is one sign away from the right answer of ``samples.group``."""
    texts = (samples.GOLD.replace(">=", ">"), "SELECT 1")
    at = {"group_id": group_id, "step": step, "advantage": 0.0}
    members = [samples.rollout(place, "wrong", (1, 0, total, 0), text, **at) for place, (text, total) in enumerate(zip(texts, totals, strict=True))]
    return replace(samples.group(group_id, step), rollouts=tuple(members))


@pytest.mark.parametrize("batch", [1, 200])
def test_what_followed_is_told_as_the_run_grows(tmp_path, monkeypatch, batch):
    monkeypatch.setattr(finer.run_index, "GROUPS_A_BATCH", batch)
    with RunWriter.create(tmp_path / "run", {}) as writer:
        run = Run(tmp_path / "run")
        index = RunIndex(run, tmp_path / "cache")
        writer.write_step(1, [all_wrong(1, 1, (0.9, 0.1)), all_wrong(2, 1, (0.5, 0.5))], {}, {})
        writer.write_step(2, [all_wrong(3, 2, (0.1, 0.9))], {}, {})
        assert index.update() and [one.became.first for one in index.outcomes()] == [None] * 3
        writer.write_step(3, [samples.group(4, 3)], {}, {})
        writer.write_step(4, [samples.group(5, 4)], {}, {})
        assert index.update() and [one.became.first for one in index.outcomes()] == [True, None, False, None, None]
        whole = with_what_followed(map(outcome_of, run.groups()), run.answered)
        assert [one._replace(question="") for one in index.outcomes()] == [one._replace(question="") for one in whole]
        words = "In 50 % (1 of 2) of these that can be told, it was the answer ranked first that became right"
        assert words in LedgerView(run).to_html() and words in write_report(run, tmp_path / "report.html").read_text()


@pytest.mark.parametrize(("sort", "part"), [("no such", ""), ("rollout_id", "no such")])
def test_an_unknown_part_is_told(still, sort, part):
    with pytest.raises(ValueError, match="unknown part 'no such'; there are atomic, execution, format, memory, total"):
        still.page(AnswerFilter(part=part), sort)


def test_grows_with_the_run_and_is_kept(index, run, writer, tmp_path):
    assert index.page(AnswerFilter(text="author")).found == 24
    write(writer, 4)
    assert index.update() and index.page(AnswerFilter(text="author")).found == 32
    again = RunIndex(run, tmp_path / "cache")
    assert again.page(AnswerFilter()).found == 32, "from the file, before anything is read again"


def test_a_little_at_a_time(run, tmp_path, monkeypatch):
    monkeypatch.setattr(finer.run_index, "GROUPS_A_BATCH", 2)
    index = RunIndex(run, tmp_path / "small")
    assert not index.update(seconds=0.0) and index.progress() == (2, 6)
    assert index.update() and index.progress() == (6, 6)


def test_a_resumed_run_is_indexed_anew(run, writer, index):
    writer.set_status("stopped")
    writer.close()
    with RunWriter.resume(run.folder, 1) as resumed:
        only = replace(samples.silent_group(4, 2), question=samples.question(99, "Something else?"))
        resumed.write_step(2, [only], {}, {})
        assert index.update() and index.page(AnswerFilter()).found == 12
        assert (
            index.page(AnswerFilter(text="something")).found == 4 and index.page(AnswerFilter(text="yeer")).found == 1
        )


def test_a_damaged_cache_is_made_anew(run, index, tmp_path):
    index._connection.close()
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(b"no database" * 400)
    again = RunIndex(run, tmp_path / "cache")
    assert again.update() and again.page(AnswerFilter()).found == 24


def test_indexes_that_nobody_opened_for_long_go(run, tmp_path):
    (tmp_path / "cache").mkdir(exist_ok=True)
    for name, days in (("old", 70), ("new", 3)):
        file = tmp_path / "cache" / f"{name}.sqlite"
        file.touch()
        os.utime(file, (time.time() - 86_400 * days,) * 2)
    assert RunIndex(run, tmp_path / "cache").update()
    assert not (tmp_path / "cache" / "old.sqlite").exists() and (tmp_path / "cache" / "new.sqlite").exists()


def test_the_background_goes_on_and_tells_everyone_when_it_is_done(run, tmp_path, monkeypatch):
    monkeypatch.setattr(finer.run_index, "GROUPS_A_BATCH", 1)
    monkeypatch.setattr(finer.run_index, "HEAD_START_SECONDS", 0.3)
    index, told = RunIndex(run, tmp_path / "slow"), queue.Queue()
    waiters = [
        lambda name=name: told.put((name, index.keep_up(0.0, print), index.progress()))
        for name in ("ledger", "rollouts")
    ]
    assert [index.keep_up(0.0, waiter) for waiter in (*waiters, waiters[0])] == [False] * 3
    assert [told.get(timeout=30) for _ in waiters] == [("ledger", True, (6, 6)), ("rollouts", True, (6, 6))]
    assert told.empty() and index.keep_up(0.0, print)


@pytest.fixture
def as_if_large(tmp_path, monkeypatch):
    """A view waits for no group of a run, and the background begins after as many seconds as are told."""
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "large"))
    monkeypatch.setattr(finer.run_index, "GROUPS_A_BATCH", 1)
    for module in (widgets.indexed, widgets.rollouts):
        monkeypatch.setattr(module, "SECONDS_TO_WAIT", 0.0)
    return lambda seconds: monkeypatch.setattr(finer.run_index, "HEAD_START_SECONDS", seconds)


def test_views_of_a_large_run_appear_by_themselves(run, as_if_large):
    as_if_large(0.3)
    view = LedgerView(run)
    assert "The run is being indexed: 1 of 6 groups so far" in view.widget.value
    end = time.monotonic() + 30
    while "being indexed" in view.widget.value and time.monotonic() < end:
        time.sleep(0.02)
    assert "Under execution alone, 50 % (3 of 6)" in view.widget.value


@pytest.mark.parametrize("kind", [LedgerView, MatrixView, RolloutsView])
def test_what_a_notebook_keeps_of_a_view_is_whole(run, as_if_large, kind):
    """No kernel runs where a saved notebook is read, so that nothing could appear there by itself."""
    as_if_large(30.0)
    bundle = kind(run)._repr_mimebundle_()
    kept = (bundle[0] if isinstance(bundle, tuple) else bundle)["text/html"]
    assert "being indexed" not in kept and "finer-view" in kept


@pytest.mark.parametrize(("kind", "words"), [(LedgerView, "50 % (3 of 6)"), (MatrixView, "step 3: 1 of 4 right"), (RolloutsView, "All 24 answers")])
def test_a_page_of_a_large_run_waits_for_the_index(run, as_if_large, kind, words):
    as_if_large(0.0)
    page = kind(run).to_html()
    assert words in page and "being indexed" not in page


def test_without_a_cache_it_lives_in_memory(run, tmp_path):
    (tmp_path / "file").write_text("a file where the folder should be")
    index = RunIndex(run, tmp_path / "file")
    assert index.update() and index.page(AnswerFilter(text="author")).found == 24


def test_questions_with_their_groups(still):
    index = still
    first, second = index.questions(index.most_asked(5))
    assert [step for _, step, *_ in first.groups] == [1, 2, 3] and second.groups[0] == (3, 1, 4, 4, 4)
    assert index.find_questions("how BOOKS", 5) == index.find_questions("18", 5) == (index.question_of(3),)


# --- notes


def test_notes_are_kept_beside_the_run(run):
    notes = RunNotes(run)
    notes.keep(401, pinned=True)
    notes.keep(401, text="  why so much? ")
    notes.keep(200, text="x")
    notes.keep(200, text="")
    again = RunNotes(Run(run.folder))
    assert again.pinned() == (401,) and again.all()[401].text == "why so much?" and list(again.all()) == [401]
    assert not again.is_stale(again.all()[401]) and again.is_stale(replace(again.all()[401], rollout_id=200))
    assert [file.name for file in run.folder.iterdir() if "notes" in file.name] == ["notes.json"]


def test_questions_are_pinned_once(run):
    notes = RunNotes(run)
    for _ in range(2):
        notes.pin_question("library", 17, "Which?")
    assert notes.questions() == [("library", 17, "Which?")]
    notes.pin_question("library", 17, "Which?", pinned=False)
    assert notes.questions() == []


BROKEN = {
    "no JSON": "{",
    "another format": json.dumps({"format": 9}),
    "a list": "[]",
    "a note without an id": '{"format":1,"answers":[{}],"questions":[]}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_notes_that_cannot_be_read_are_not_written_over(run, name):
    (run.folder / "notes.json").write_text(BROKEN[name])
    with pytest.raises(NotesError, match=r"notes\.json"):
        RunNotes(run).keep(401, pinned=True)
    assert (run.folder / "notes.json").read_text() == BROKEN[name]


# --- the table


@pytest.fixture
def view(run, tmp_path, monkeypatch):
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "cache"))
    return RolloutsView(run)


def test_the_table_answers_what_it_is_asked(view):
    assert view.widget.page["found"] == 24 and view.widget.page["statuses"] == ["correct", "error", "refused", "wrong"]
    view.widget.wanted = {"text": "yeer", "sort": "total", "descending": True}
    assert view.widget.page["said"] == "3 answers, 1 to 3 shown" and view.widget.page["sort"] == "total"
    assert [row["status"] for row in view.widget.page["rows"]] == ["! SQL error"] * 3


def test_a_click_chooses_for_every_view(view):
    view.widget.pick = {"id": 401, "group": 4, "position": 1}
    assert view.choice.pinned and view.choice.rollout.rollout_id == view.widget.page["chosen"] == 401
    view.widget.pick = {"group": 999, "position": 1}
    assert "holds no group 999" in view.widget.page["said"] and view.choice.rollout.rollout_id == 401


def test_pins_and_notes_by_hand(view):
    view.widget.mark = {"id": 401, "pinned": True}
    view.widget.mark = {"id": 401, "note": "<b>odd</b>\u202e"}
    view.widget.wanted = {"pinned": True}
    (row,) = view.widget.page["rows"]
    assert row["pinned"] and row["note"] == "<b>odd</b>\\u202e"
    (view.run.folder / "notes.json").write_text("{")
    view.widget.mark = {"id": 401, "pinned": False}
    assert "cannot be read as notes" in view.widget.page["said"]


NONSENSE = {
    "wrong types": {"text": 5, "status": ["x"], "low": "1", "start": "x", "sort": 3},
    "bounds that are no number": {"low": float("nan"), "high": float("inf"), "first_step": True},
    "a sort that injects": {"sort": "total; DROP TABLE answers", "part": "x OR 1"},
    "far away": {"start": 10**14, "first_step": -5},
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_from_outside_does_no_harm(view, name):
    view.widget.wanted = NONSENSE[name]
    assert isinstance(view.widget.page["found"], int)
    view.widget.wanted = {}
    assert view.widget.page["found"] == 24


def test_never_more_than_a_page(view, writer):
    for step in range(4, 12):
        write(writer, step)
    view.refresh()
    assert view.widget.page["found"] == 88 and len(view.widget.page["rows"]) == 50
    view.widget.wanted = {"start": 50}
    assert view.widget.page["said"] == "88 answers, 51 to 88 shown"


def test_the_static_form(view):
    assert "24 answers; the 20 best paid are shown" in view.to_html()


@pytest.mark.parametrize("asked", [{}, {"part": "total"}, {"part": "nothing", "sort": "atomic"}])
def test_wanted_reads_what_it_knows(asked):
    wanted = read_wanted(asked, ["atomic"])
    assert wanted.filter.part == ("total" if asked.get("part") == "total" else "")
    assert wanted.sort == asked.get("sort", "rollout_id")


def test_doctests():
    import widgets.rollouts

    assert doctest.testmod(finer.run_index).failed == doctest.testmod(widgets.rollouts).failed == 0
