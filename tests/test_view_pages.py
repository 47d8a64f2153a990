"""Single views as pages: they filter, scrub and compute in a real browser with the network off; hostile texts stay texts.

The tests of what the pages carry need no browser. Run with: FINER_BROWSER=/usr/bin/chromium pytest tests/test_view_pages.py
"""

from __future__ import annotations

import dataclasses
import json
import re

import lab
import numpy as np
import pytest
from hostile_texts import group_of, hostile_run, recorded

import finer
from finer.contributions import PARTS_FIRST, Scaling
from finer.datasets import load_dataset
from finer.guess import Tally, cards, moved, places, score
from finer.memory import Query, map_as_of, replayed, scores_over_steps
from finer.question_history import MOST_GROUPS, best_paid, history_data, worst_paid
from finer.render.guess import score_words, tally_words
from finer.render.knobs import knobs_data
from finer.render.whatif import change_words
from finer.rewards.recipes import Shaping
from finer.run_index_schema import QuestionGroups
from finer.runs import Run
from finer.whatif import Settings, answers_of_run, as_recorded, compare, problem_of, ranks, rerun
from widgets import (
    GroupView,
    GuessView,
    MatrixView,
    MemoryView,
    Playground,
    ResultsView,
    RolloutsView,
    RolloutView,
    WhatIfView,
    Workbench,
)

RECORDED = finer.DATA / "recorded" / "first-steps"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield hostile_run(tmp_path_factory.mktemp("hostile"))


def written(folder, view):
    path = folder / "page.html"
    path.write_text(view.to_html(), encoding="utf-8")
    return path


# --- what the pages carry


def test_the_knobs_page_carries_what_was_recorded():
    run = Run(RECORDED)
    answers = answers_of_run(run, 2)
    settings = Settings(answers.recipe)
    data = knobs_data(answers, as_recorded(answers, Scaling()), settings, run.group(7))
    totals = [sum(weight * value for weight, value in zip(data["weights"], row[12])) for row in data["answers"]]
    assert totals == pytest.approx(answers.recorded_totals, abs=1e-9)
    inside = [row for row in data["answers"] if row[3] == data["own"]]
    assert [data["texts"][row[1]] for row in inside] == [one.breakdown.status for one in run.group(7).rollouts]
    assert all(row[1:3] == [0, 0] for row in data["answers"] if row[3] != data["own"]), "texts of the group alone"


def test_the_matrix_page_says_what_it_leaves_out():
    run = Run(RECORDED)
    often = [(7, 2, 8, 8, 1)] * (MOST_GROUPS + 3)
    data = history_data(run, [QuestionGroups(1, 17, "shop", "How many?", tuple(often))], {1}, 7)
    assert data["said"].endswith(f"asked more often than {MOST_GROUPS} times: 1; of these the last {MOST_GROUPS} groups.")
    (row,) = data["rows"]
    assert row["pinned"] and len(row["cells"]) == MOST_GROUPS and len(data["texts"]) <= 7, "a text is kept once"
    assert history_data(run, [])["rows"] == []


VIEWS = {"Rollouts": RolloutsView, "Matrix": MatrixView, "What-if": WhatIfView}


@pytest.mark.parametrize("kind", VIEWS.values(), ids=VIEWS.keys())
def test_no_text_leaves_the_data_and_a_notebook_gets_no_script(hostile, kind):
    view = kind(hostile)
    (inside,) = re.findall(r'class="x-data">(.*?)</script>', view.to_html(), re.DOTALL)
    assert not re.search("[<>&\u2028\u2029\u202e\x1b\udcff]", inside) and json.loads(inside)["texts"]
    assert "<script" not in view._repr_mimebundle_()["text/html"]


# --- in a browser


def told(step, completion):
    """The sample group, all of whose answers have this text."""
    return group_of(step, completion=completion)


@lab.in_browser
def test_all_answers_are_searched_and_filtered(opened, tmp_path):
    page = opened(written(tmp_path, RolloutsView(RECORDED)))
    assert page.locator(".x-count").inner_text() == "768 of 768 answers"
    page.get_by_label("Outcome").select_option("right")
    right = (Run(RECORDED).rollouts().status == "correct").sum()
    assert page.locator(".x-count").inner_text() == f"{right} of 768 answers"


@lab.in_browser
def test_the_matrix_is_clicked_walked_scrubbed_and_filtered(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("FINER_CACHE", str(tmp_path / "cache"))
    view = MatrixView(recorded(tmp_path, [told(step, f"SELECT {step}, name FROM author") for step in (1, 2, 3)]))
    page = opened(written(tmp_path, view))
    first = view.questions("")[0]
    ids = [group_id for group_id, *_ in first.groups]
    cell = page.locator(f".x-cell[data-group='{ids[1]}']")
    cell.click()
    where = page.locator(".x-where")
    assert where.inner_text().endswith(f"group {ids[1]} (2 of {len(ids)} of this question)")
    assert page.locator(".x-cell[aria-current]").count() == 1
    best = best_paid(view.run.group(ids[1]))
    shown = page.locator(".x-detail .d-text")
    assert best.completion == "SELECT 2, name FROM author"
    assert shown.evaluate("node => node.innerHTML") == "SELECT <del>1</del><ins>2</ins>, name FROM author"
    cell.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert "(1 of " in where.inner_text() and "no earlier answer" in page.locator(".x-detail").inner_text()
    page.locator(".x-scrub").focus()
    page.keyboard.press("End")
    assert f"({len(ids)} of {len(ids)} " in where.inner_text()
    worst = worst_paid(view.run.group(ids[-1]))
    page.get_by_label("Follow the").select_option("worst paid answer")
    assert f"Worst paid answer: answer {worst.position}" in page.locator(".x-detail h3").inner_text()
    assert "Against the worst paid answer at step" in page.locator(".x-detail").inner_text()
    page.get_by_label("Search").fill(first.question)
    assert page.locator(".x-matrix tbody tr").count() == 1
    lab.keep(page.locator("main"), "matrix-page")


SCALINGS = {"none": Scaling(), "group": Scaling("group"), "batch": Scaling("batch"), "parts": Scaling(aggregation=PARTS_FIRST)}
PAPERS = Shaping(0.05, 0.79, 0.20)
TURNED = {
    "nothing": ({}, False),
    "weights": ({"weights": {"format": 0.05, "execution": 0.0, "atomic": 1.25, "memory": 0.1}}, False),
    "shaping": ({"shaping": PAPERS}, False),
    "gate": ({"gate": True}, False),
    "a margin that is held": ({"margin": 0.9}, True),
    "all at once": ({"weights": {"format": 0.3, "execution": 0.2, "atomic": 1.5, "memory": 0.7}, "shaping": PAPERS, "gate": True, "margin": 0.25}, True),
}
"""Of the recipe, and whether its margin is held."""


def turn(page, recipe, hold, scale):
    """Sets every knob of the page, as a person would by dragging."""
    for name, value in {**recipe.weights, **vars(recipe.shaping), "margin": recipe.margin}.items():
        page.locator(f"input[data-knob='{name}']").evaluate("(node, value) => { node.value = value; node.dispatchEvent(new Event('input')); }", str(value))
    for name, on in {"gate": recipe.gate, "hold": hold}.items():
        page.locator(f"input[data-knob='{name}']").set_checked(on)
    page.locator(".x-scale").select_option(scale)


@lab.in_browser
@pytest.mark.parametrize("group_id", [29, 68], ids=["right, wrong and refused answers", "broken formats"])
def test_turned_knobs_give_the_numbers_of_whatif(opened, tmp_path, group_id):
    view = WhatIfView(RECORDED, group_id=group_id)
    page = opened(written(tmp_path, view))
    answers = answers_of_run(view.run)
    own, before = answers.group_ids == group_id, as_recorded(answers, Scaling())
    for name, (changed, hold) in TURNED.items():
        recipe = dataclasses.replace(answers.recipe, **changed)
        for scale, scaling in SCALINGS.items():
            turn(page, recipe, hold, scale)
            after = rerun(answers, Settings(recipe, scaling, hold))
            found = after.take(own)
            for column, expected in {"total": found.totals, "advantage": found.advantages, "rank": ranks(found.totals)}.items():
                cells = [page.locator(f".x-turned tr[data-position='{at}'] [data-name='{column}']") for at in answers.positions[own]]
                shown = [float(cell.get_attribute("data-value")) for cell in cells]
                assert np.allclose(shown, expected, rtol=0, atol=1e-9), (name, scale, column)
        page.locator(".x-range").select_option("run")
        change = compare(answers, before, after)
        assert change_words(change).replace(",", "").replace("changes its sign", "change sign") == page.locator(".f-knobs p[role=status]").inner_text(), name
        assert page.locator(".x-inverted").inner_text().endswith(f"{change.inversions_after} pairs ({change.inversions_before} before)"), name
        assert page.locator(".f-knobs .w-note").is_visible() == bool(problem_of(recipe)), name
        page.locator(".x-range").select_option("group")
    lab.keep(page.locator(".f-knobs"), "knobs-page")
    page.set_viewport_size(lab.PHONE)
    lab.keep(page.locator(".f-knobs"), "knobs-page-phone")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


@lab.in_browser
def test_another_answer_is_chosen_and_the_views_of_a_page_go_together(opened, tmp_path):
    """On the page of a whole workbench: what is chosen in one place, the others show."""
    bench = Workbench(RECORDED)
    group = bench.choice.group
    page = opened(written(tmp_path, bench))
    ordered = sorted(group.rollouts, key=lambda one: (-one.breakdown.total, one.position))
    menus = page.get_by_label("Answer", exact=True)
    assert menus.count() == 4, "Rollout, Atoms, Results and Memory"
    menus.nth(0).select_option(index=0)
    page.get_by_role("button", name="Next Answer").nth(1).click()
    assert [menus.nth(at).evaluate("node => node.selectedIndex") for at in range(4)] == [1] * 4
    assert page.get_by_text(f"Answer {ordered[1].position} of group {group.group_id}").locator("visible=true").count() == 1
    assert page.get_by_text(f"Answer {ordered[0].position} of group {group.group_id}").locator("visible=true").count() == 0


@lab.in_browser
def test_an_instance_is_opened_and_any_two_answers_compared(opened, tmp_path):
    page = opened(written(tmp_path, ResultsView(RECORDED, group_id=63)))
    page.locator(".x-one:visible summary", has_text="Rows on instance 1").click()
    page.locator(".x-one:visible details[open] .e-rows:visible").nth(1).wait_for()
    block = page.locator(".x-one:visible details[open]").first
    for rule in ("bird-ex", "strict", "spider-ex"):
        page.locator(".x-one:visible .e-switch").get_by_text(rule).click()
        assert [one.inner_text().split(":")[0] for one in block.locator("p.e-of").all() if one.is_visible()] == [rule]
        assert block.locator("div.e-of:visible").count() == 1
    page.keyboard.press("Enter")  # a form that nobody sends
    assert page.locator(".x-one:visible .e-switch input:checked").input_value() == "spider-ex" and "rule=" not in page.url
    lab.keep(page.locator("main"), "results-page")
    view = GroupView(RECORDED, group_id=63)
    page = opened(written(tmp_path, view))
    first, second = page.locator(".f-pairs select").all()
    by_position = {one.position: one for one in view.choice.group.rollouts}
    for one, other in ((4, 1), (0, 6)):
        first.select_option(label=f"answer {one} (paid {by_position[one].breakdown.total:.2f})")
        second.select_option(label=f"answer {other} (paid {by_position[other].breakdown.total:.2f})")
        shown = page.locator(".f-pairs .d-text")
        assert [shown.evaluate(lab.TEXT_WITHOUT, tag) for tag in ("ins", "del")] == [by_position[one].completion, by_position[other].completion]
    page.get_by_role("button", name="swap").click()
    assert "answer 6 (paid 0.39) → answer 0" in page.locator(".f-pairs p[role=status]").inner_text()


@lab.in_browser
def test_the_memory_is_scrubbed_and_a_trace_chosen(opened, tmp_path):
    view = MemoryView(RECORDED, group_id=96)
    page = opened(written(tmp_path, view))
    rollout, events = view.choice.rollout, view.run.memory_events()
    query = Query(rollout.breakdown.thought, view.choice.group.question.db_id, view.choice.group.question.text)
    memory = replayed(load_dataset("starter").traces, events)
    slider, said = page.locator(".x-as-of"), page.locator(".f-through-time p[role=status]")
    slider.focus()
    for key, step in (("Home", 1), ("End", view.run.last_step)):
        page.keyboard.press(key)
        (score,) = scores_over_steps(memory, query, [step])
        assert said.inner_text().startswith(f"As of step {step}: {score.match.similarity:.4f} among {score.match.snapshot} traces"), step
        near = page.locator(".f-through-time .x-near .f-text").all_inner_texts()
        assert near == [one.thought[:300] for one in score.match.neighbours], step
        assert page.locator(".x-map .mm-near").count() == sum(spot.rank > 0 for spot in map_as_of(memory, query, step).spots)
    page.locator(".x-near").nth(1).click()
    assert page.locator(".x-trace blockquote").inner_text() == score.match.neighbours[1].thought
    assert page.locator(".x-map .x-chosen").count() == 1
    page.locator(".x-map .mm-near").last.click()
    assert "Nearest no. 1 " in page.locator(".x-trace h4").inner_text()
    lab.keep(page.locator(".f-through-time"), "memory-page")


CUT = "nodes => nodes.map(node => node.scrollHeight > node.clientHeight)"
LINES = """nodes => nodes.map(node => {
  const text = document.createRange();
  text.selectNodeContents(node);
  return text.getClientRects().length;
})"""


@lab.in_browser
def test_guesses_are_moved_revealed_and_tallied(opened, tmp_path):
    view = GuessView(RECORDED, group_id=23)
    page = opened(written(tmp_path, view))
    dealt = cards(view.choice.group)
    assert page.locator(".q-card pre").all_inner_texts() == [card.rollout.completion for card in dealt]
    assert page.locator(".q-card pre").evaluate_all(CUT) == [False] * len(dealt), "every answer is to be read whole"
    order = moved(dealt, "A", 2)
    page.get_by_role("button", name="Move A down").click()
    page.keyboard.press("Enter")  # the button stays with its card
    assert [one.get_attribute("data-letter") for one in page.locator(".q-card").all()] == [card.letter for card in order]
    page.get_by_role("button", name="Reveal").click()
    first = score(order)
    assert page.locator("p[role=status]").inner_text() == f"{score_words(first)} {tally_words(Tally({0: first}))}"
    assert page.locator(".q-table tbody td:nth-child(3)").all_inner_texts() == [str(place) for place in places(order)]
    assert set(page.locator(".q-table tbody td:nth-child(4)").evaluate_all(LINES)) == {1}, "no total is broken in two"
    lab.keep(page.locator("main"), "guess-page")
    page.get_by_role("button", name="Another group").click()
    assert "group 2 of 12 of this page" in page.locator(".x-guess").inner_text()
    page.get_by_role("button", name="Reveal").click()
    assert "So far: 2 groups, " in page.locator("p[role=status]").inner_text()


@lab.in_browser
def test_the_tries_of_a_playground_are_stepped_through(opened, tmp_path):
    view = Playground(question=12)
    for sql in ("SELECT 1", "SELECT COUNT(*) FROM booking"):
        view.sql.value = sql
        view.score()
    page = opened(written(tmp_path, view))
    menu = page.get_by_label("Try", exact=True)
    assert menu.locator("option").count() == 2 and menu.evaluate("node => node.selectedIndex") == 1
    assert page.locator(".x-one:visible").get_by_text("SELECT COUNT(*) FROM booking").count() > 0
    page.get_by_role("button", name="Previous Try").click()
    assert page.locator(".x-one:visible .f-waterfall").count() == 1
    assert page.locator(".x-one:visible .f-atoms, .x-one:visible section").get_by_text("SELECT 1").count() > 0
    slider = page.locator(".f-knobs input[type=range]").nth(1)
    before = page.locator(".f-knobs").inner_text()
    slider.focus()
    slider.press("Home")
    assert page.locator(".f-knobs").inner_text() != before, "the knobs turn over the tries"
    lab.keep(page.locator("main"), "playground-page")


WITH_SCRIPTS = {"Matrix": MatrixView, "What-if": WhatIfView, "Group": GroupView, "Rollout": RolloutView, "Memory": MemoryView, "Guess": GuessView}


@lab.in_browser
@pytest.mark.parametrize("kind", WITH_SCRIPTS.values(), ids=WITH_SCRIPTS)
def test_hostile_texts_are_shown_and_nothing_runs(opened, tmp_path, hostile, kind):
    page = opened(written(tmp_path, kind(hostile)))
    page.set_viewport_size(lab.PHONE)
    for slider in page.locator("input[type=range]").all():
        slider.focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
    assert page.locator("img").count() == 0 and page.locator("script").count() == (4 if kind is MemoryView and page.locator(".f-through-time").count() else 2)
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
