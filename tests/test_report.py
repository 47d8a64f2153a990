"""The report of a run: what it says, that it is one whole file, and what a bad path gets."""

from __future__ import annotations

import re

import pytest
import render_samples as samples
from test_render import Reader

from finer.report import ReportError, changed, chosen_groups, first_and_last, report_html, write_report
from finer.runs import Run, RunStoreError, RunWriter
from finer.runs_schema import GroupSummary

SECONDS = {"generation": 3.0, "scoring": 0.5, "update": 2.4, "store": 0.1}


def evaluation_rows(right: set[int]) -> list[dict]:
    return [
        {"index": place, "correct": place in right, "sql": f"SELECT {place}", "status": "ok"} for place in range(10)
    ]


@pytest.fixture
def run(tmp_path):
    """Ten steps; 3 of 10 right before, 7 after (5 gained, 1 lost)."""
    with RunWriter.create(
        tmp_path / "first", {"policy": "tiny", "recipe": "finer", "dataset": "starter", "seed": 3}
    ) as writer:
        writer.write_evaluation(0, "dev", "strict", evaluation_rows({0, 1, 2}))
        for step in range(1, 11):
            groups = [samples.silent_group(2 * step, step), samples.group(2 * step + 1, step)]
            writer.write_step(step, groups, samples.metrics(step), SECONDS)
        writer.write_evaluation(10, "dev", "strict", evaluation_rows({1, 2, 3, 4, 5, 6, 7}))
        writer.set_status("finished")
    return Run(tmp_path / "first")


def test_the_report_says_what_was_trained_and_how_much_better_it_got(run):
    said = Reader(report_html(run)).text
    for words in (
        "Policy tiny, recipe finer, data set starter, seed 3; 10 steps, finished.",
        "30.0% right on dev before 95 % interval 10.8% to 60.3%, 10 questions",
        "70.0% right on dev after 10 steps",
        "+40.0 points",
        "80 answers scored",
        "1.0 min in training steps 6.00 s a step: generation 3.00, scoring 0.50, update 2.40, store 0.10",
        "5 questions became right and 1 became wrong between steps 0 and 10",
        "Became right (5)",
        "Early: the first group with right and wrong answers side by side",
        "Late: the last step that had right and wrong answers side by side",
    ):
        assert words in said


def test_the_report_is_one_file_that_needs_nothing(run, tmp_path):
    path = write_report(run, tmp_path / "report.html")
    source = path.read_text(encoding="utf-8")
    assert source.startswith("<!DOCTYPE html>") and source.count("--f-ink:") < 10
    assert not re.search(r"https?://|<script src|<img|<link|url\((?!#)|@import", source)
    assert source.count("<script") == 2, "the data and the one script that draws them"
    assert path.stat().st_size < 300_000
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == [], "no half-written file stays"


def test_a_report_is_the_same_every_time_and_replaces_the_old_one(run, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    first = write_report(run.folder, str(path)).read_bytes()
    assert write_report(run, path).read_bytes() == first


def test_a_run_that_has_just_begun_has_a_report_too(tmp_path):
    with RunWriter.create(tmp_path / "new", {}):
        said = Reader(report_html(Run(tmp_path / "new"))).text
    assert "0 steps, running." in said and "nothing has been trained yet" in said


BAD_PATHS = {
    "folder that is not there": ("nowhere/report.html", "No such file or directory"),
    "a folder": ("first", "it is a folder"),
}


@pytest.mark.parametrize(("name", "reason"), BAD_PATHS.values(), ids=BAD_PATHS.keys())
def test_a_path_that_cannot_be_written(run, tmp_path, name, reason):
    with pytest.raises(
        ReportError, match=rf"{re.escape(str(tmp_path / name))} cannot be written \({reason}\). Give a file name"
    ):
        write_report(run, tmp_path / name)


def test_no_run_no_report(tmp_path):
    with pytest.raises(RunStoreError, match="holds no run.sqlite"):
        write_report(tmp_path, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def summary(group_id: int, totals: tuple, right: int) -> GroupSummary:
    statuses = ("correct",) * right + ("wrong",) * (len(totals) - right)
    return GroupSummary(group_id, group_id // 10, 0, "q", "db", "easy", totals, statuses)


CHOICES = {
    "nothing": ([], []),
    "only silent groups": ([summary(10, (1, 1), 2), summary(20, (0, 0), 0)], []),
    "one mixed group is shown once": ([summary(10, (1, 0.2), 1)], [10]),
    "early, rescued, late": (
        [
            summary(10, (1, 0.2), 1),
            summary(20, (0.3, 0.1), 0),
            summary(21, (0.5, 0.1), 0),
            summary(30, (1, 0.9), 1),
            summary(31, (1, 0.1), 1),
        ],
        [10, 21, 31],
    ),
    "nothing right yet": ([summary(10, (0.3, 0.1), 0)], [10]),
}


@pytest.mark.parametrize(("summaries", "ids"), CHOICES.values(), ids=CHOICES.keys())
def test_which_groups_are_shown(summaries, ids):
    assert [one.group_id for _, one in chosen_groups(summaries)] == ids


def test_a_question_that_was_not_judged_is_neither_gained_nor_lost(tmp_path):
    with RunWriter.create(tmp_path / "run", {}) as writer:
        rows = evaluation_rows(set())
        writer.write_evaluation(0, "dev", "strict", rows)
        writer.write_evaluation(5, "dev", "strict", [{**rows[0], "correct": None}, {**rows[1], "correct": True}])
        ((first, last),) = first_and_last(Run(tmp_path / "run").evaluations(questions=True))
    gained, lost = changed(first, last)
    assert [after.question_index for _, after in gained] == [1] and lost == []
