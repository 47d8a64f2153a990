"""Two runs compared: gained and lost questions, by an evaluation and by the last steps. Run: pytest tests/test_compare_runs.py"""

from __future__ import annotations

from dataclasses import replace

import lab
import pytest
import render_samples as samples

from finer.compare_runs import (
    ComparisonError,
    QuestionPair,
    RunComparison,
    Side,
    compare_evaluations,
    compare_judged,
    part_names,
    sources,
)
from finer.render.runs_apart import comparison_words
from finer.runs import Run, RunWriter
from widgets import CompareRuns


def group(group_id: int, step: int, index: int, right: int, atomic: float):
    """Four answers of which ``right`` are right."""
    members = [
        samples.rollout(
            place,
            "correct" if place < right else "wrong",
            (1, place < right, atomic, None),
            sql=f"SELECT {index}, {right}",
            step=step,
            group_id=group_id,
        )
        for place in range(4)
    ]
    return replace(
        samples.group(group_id, step),
        question=samples.question(index, f"<i>Question</i> {index}?"),
        rollouts=tuple(members),
    )


def write(folder, groups: dict[int, list[tuple]], verdicts: dict[int, bool | None], split: str = "dev") -> Run:
    with RunWriter.create(folder, {"dataset": "nowhere"}) as writer:
        rows = [
            {"index": index, "correct": right, "sql": f"SELECT {index}", "status": "ok"}
            for index, right in verdicts.items()
        ]
        writer.write_evaluation(0, split, "strict", [{**row, "correct": False} for row in rows])
        number = 0
        for step, members in groups.items():
            made = []
            for member in members:
                number += 1
                made.append(group(number, step, *member))
            writer.write_step(step, made, {}, {})
        writer.write_evaluation(max(groups), split, "strict", rows)
        writer.set_status("finished")
    return Run(folder)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "cache"))
    first = write(
        tmp_path / "a",
        {1: [(1, 4, 0.5), (2, 0, 0.5)], 2: [(1, 2, 0.5), (3, 1, 0.2)]},
        {0: True, 1: True, 2: False, 3: None, 4: False},
    )
    second = write(
        tmp_path / "b",
        {1: [(1, 0, 0.5), (2, 0, 0.9)], 2: [(1, 4, 0.5), (9, 4, 0.2)]},
        {0: True, 1: False, 2: True, 3: True, 7: True},
    )
    return first, second


def test_sources_are_what_both_have(runs, tmp_path):
    assert sources(*runs) == ["dev, strict", "last steps"]
    other = write(tmp_path / "c", {1: [(1, 0, 0.5)]}, {0: True}, split="test")
    assert sources(runs[0], other) == ["last steps"]
    with pytest.raises(ComparisonError, match="share no evaluation 'dev, strict'; they can be compared by last steps"):
        compare_evaluations(runs[0], other, "dev, strict")


def test_an_evaluation_pairs_what_both_were_judged_on(runs):
    found = compare_evaluations(*runs, "dev, strict")
    assert [(pair.question_index, pair.change) for pair in found.pairs] == [(0, "same"), (1, "lost"), (2, "gained")]
    assert found.p == 1.0


PAIRS = (
    QuestionPair(
        1,
        "shop",
        "a",
        Side(0.5, parts={"atomic": 0.5, "memory": None}),
        Side(1.0, parts={"atomic": 0.52, "memory": 0.4}),
    ),
    QuestionPair(2, "shop", "b", Side(0.5, parts={"atomic": 0.9}), Side(0.25, parts={"atomic": 0.1})),
    QuestionPair(3, "shop", "c", Side(0.0, parts={"atomic": 0.1}), Side(0.0, parts={"atomic": 0.4})),
)
CHOSEN = {
    "all, the largest change first": ({}, [1, 2, 3]),
    "gained": ({"change": "gained"}, [1]),
    "lost": ({"change": "lost"}, [2]),
    "a part that moved, the largest move first": ({"part": "atomic"}, [2, 3]),
    "a part not scored in one run did not move": ({"part": "memory"}, []),
    "lost, and the part moved": ({"change": "lost", "part": "atomic"}, [2]),
    "a smaller move will do": ({"part": "atomic", "least": 0.01}, [2, 3, 1]),
}


@pytest.mark.parametrize("name", CHOSEN)
def test_chosen(name):
    wanted, indices = CHOSEN[name]
    assert [pair.question_index for pair in RunComparison("last steps", PAIRS).chosen(**wanted)] == indices


P_SHOWN = {None: "0 as before.", 1.0: "exact p is 1.000.", 0.0625: "exact p is 0.062.", 0.00013: "exact p is below 0.001."}


@pytest.mark.parametrize("p", P_SHOWN)
def test_a_p_is_never_told_as_0(p):
    gained = [QuestionPair(place, "shop", "?", Side(0.0), Side(1.0)) for place in range(2)]
    assert comparison_words(RunComparison("dev, strict", tuple(gained), p), ("one", "other")).endswith(P_SHOWN[p])


def test_parts_that_both_scored():
    assert part_names(PAIRS) == ["atomic"]


def test_the_view_by_evaluation(runs):
    view = CompareRuns(*runs)
    said = view.shown.value
    assert "3 questions are shared: a is right in 66.7%, b in 66.7%; 1 gained, 1 lost, 1 as before. McNemar" in said
    assert "▲ gained" in said and "▼ lost" in said and "= same" not in said
    assert "2 questions." in said
    view.change.value = ""
    assert "= same" in view.shown.value
    view.change.value = "lost"
    assert "1 question." in view.shown.value


def test_the_view_by_the_last_steps(runs):
    view = CompareRuns(*(run.folder for run in runs))
    view.source.value = "last steps"
    said = view.shown.value
    assert "By last steps, 2 questions are shared: a is right in 25.0%, b in 50.0%" in said
    assert "50% right at step 2, group 3" in said and "SELECT 1, 2" in said and "SELECT 1, 4" in said
    assert "&lt;i&gt;Question" in said and "<i>Q" not in said
    view.part.value = "atomic"
    assert [pair.question_index for pair in view.pairs()] == [2] and "atomic +0.40" in view.shown.value
    assert view._repr_mimebundle_()["text/html"] and view.to_html().startswith("<!DOCTYPE html>")


def test_a_run_against_itself_has_no_change(runs):
    view = CompareRuns(runs[0], runs[0])
    assert view.pairs() == [] and "0 gained, 0 lost, 4 as before" in view.shown.value


def test_nothing_in_common(runs, tmp_path):
    view = CompareRuns(runs[0], write(tmp_path / "c", {1: [(50, 0, 0.5)]}, {0: True}, split="test"))
    assert "no question in common here" in view.shown.value


@lab.in_browser
def test_the_page_is_filtered_as_the_view_is(runs, tmp_path):
    view = CompareRuns(*runs)
    view.source.value = "last steps"
    path = tmp_path / "page.html"
    path.write_text(view.to_html(), encoding="utf-8")
    with lab.browser() as chromium, lab.opener(chromium) as opened:
        page = opened(path)
        rows, count = page.locator(".y-pairs tbody tr"), page.locator(".x-count")
        assert count.inner_text() == "1 of 2 questions" and "▲ gained" in rows.inner_text()
        assert "50% right at step 2, group 3" in rows.inner_text() and "SELECT 1, 4" in rows.inner_text()
        page.get_by_label("Part moved").select_option(label="atomic")
        assert "atomic +0.40" in rows.inner_text() and "<i>Question" in rows.inner_text()
        page.get_by_label("Part moved").select_option(label="any")
        page.get_by_label("Show").select_option(label="all")
        assert rows.count() == 2
        page.get_by_label("Search").fill("select 1, 4")
        assert count.inner_text() == "1 of 2 questions"
        lab.keep(page.locator("main"), "compare-page")


def test_judged_predictions_compare_like_evaluations():
    def judged(**rows):
        per_question = [{"index": int(name[1:]), "correct": right, "status": status, "sql": name} for name, (right, status) in rows.items()]
        return {"metric": "strict", "per_question": per_question}

    first = judged(q3=(True, "ok"), q1=(False, "error"), q2=(None, "gold_failed"), q4=(True, "ok"))
    second = judged(q1=(True, "ok"), q2=(True, "ok"), q3=(False, "empty"), q5=(True, "ok"))
    found = compare_judged(first, second, [samples.question(1, "How many?")])
    assert (found.source, found.p) == ("strict", 1.0)
    assert [(pair.question_index, pair.question, pair.change, pair.first.status, pair.second.status) for pair in found.pairs] == [
        (3, "", "lost", "correct", "wrong"),
        (1, "How many?", "gained", "error", "correct"),
    ]
