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
from finer.question_history import MOST_GROUPS, best_paid, history_data
from finer.render.weights import weights_data
from finer.run_index_schema import QuestionGroups
from finer.runs import Run
from finer.whatif import Settings, answers_of_run, as_recorded, ranks, rerun
from widgets import MatrixView, RolloutsView, WhatIfView

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


def test_the_weights_page_carries_what_was_recorded():
    run = Run(RECORDED)
    answers = answers_of_run(run, 2)
    settings = Settings(answers.recipe)
    data = weights_data(answers, as_recorded(answers, Scaling()), settings, run.group(7))
    totals = [sum(weight * value for weight, value in zip(data["weights"], row[8])) for row in data["answers"]]
    assert totals == pytest.approx(answers.recorded_totals, abs=1e-12)
    inside = [row for row in data["answers"] if row[3] == data["own"]]
    assert [data["texts"][row[1]] for row in inside] == [one.breakdown.status for one in run.group(7).rollouts]
    assert all(row[1:3] == [0, 0] for row in data["answers"] if row[3] != data["own"]), "texts of the group alone"


def test_the_matrix_page_says_what_it_leaves_out():
    run = Run(RECORDED)
    often = [(7, 2, 8, 8, 1)] * (MOST_GROUPS + 3)
    data = history_data(run, [QuestionGroups(1, 17, "shop", "How many?", tuple(often))], {1}, 7)
    assert data["said"].endswith(f"asked more often than {MOST_GROUPS} times: 1; of these the last {MOST_GROUPS} groups.")
    (row,) = data["rows"]
    assert row["pinned"] and len(row["cells"]) == MOST_GROUPS and len(data["texts"]) <= 5, "a text is kept once"
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
    page.get_by_label("Search").fill(first.question)
    assert page.locator(".x-matrix tbody tr").count() == 1
    lab.keep(page.locator("main"), "matrix-page")


SCALINGS = {"none": Scaling(), "group": Scaling("group"), "batch": Scaling("batch"), "parts": Scaling(aggregation=PARTS_FIRST)}


@lab.in_browser
def test_turned_weights_give_the_numbers_of_whatif(opened, tmp_path):
    view = WhatIfView(RECORDED, group_id=7)
    page = opened(written(tmp_path, view))
    answers = answers_of_run(view.run, 2)
    own = answers.group_ids == 7
    turned = {**answers.recipe.weights, "execution": 0.0, "atomic": 1.25}
    for weights in (dict(answers.recipe.weights), turned):
        for part, weight in weights.items():
            slider = page.locator(f"input[data-part='{part}']")
            slider.evaluate("(node, value) => { node.value = value; node.dispatchEvent(new Event('input')); }", str(weight))
        for name, scaling in SCALINGS.items():
            page.locator(".x-scale").select_option(name)
            found = rerun(answers, Settings(dataclasses.replace(answers.recipe, weights=weights), scaling)).take(own)
            for column, expected in {"total": found.totals, "advantage": found.advantages, "rank": ranks(found.totals)}.items():
                cells = [page.locator(f".x-turned tr[data-position='{at}'] [data-name='{column}']") for at in answers.positions[own]]
                shown = [float(cell.get_attribute("data-value")) for cell in cells]
                assert np.allclose(shown, expected, rtol=0, atol=1e-9), (weights, name, column)
    lab.keep(page.locator(".f-weights"), "weights-page")
    page.set_viewport_size(lab.PHONE)
    lab.keep(page.locator(".f-weights"), "weights-page-phone")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


@lab.in_browser
@pytest.mark.parametrize("kind", [MatrixView, WhatIfView])
def test_hostile_texts_are_shown_and_nothing_runs(opened, tmp_path, hostile, kind):
    page = opened(written(tmp_path, kind(hostile)))
    page.set_viewport_size(lab.PHONE)
    for slider in page.locator("input[type=range]").all():
        slider.focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
    assert page.locator("img").count() == 0 and page.locator("script").count() == 2
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
