"""The report in a real browser with the network off: search, filter, scrub, walk, hover; hostile texts stay texts.

Run with: FINER_BROWSER=/usr/bin/chromium pytest tests/test_report_page.py
"""

from __future__ import annotations

import lab
import pytest
from hostile_texts import HOSTILE, group_of, recorded

import finer
from finer.report import write_report
from finer.runs import Run

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(lab.reason_to_skip()), reason=lab.reason_to_skip())]
RECORDED = finer.DATA / "recorded" / "first-steps"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write_report(Run(RECORDED), tmp_path_factory.mktemp("report") / "report.html")


def test_search_and_filter(opened, report):
    page = opened(report)
    count = page.locator(".x-count")
    assert count.inner_text() == "768 of 768 answers"
    assert page.locator(".x-hits tr").count() == 51, "fifty rows, and a button for more"
    page.get_by_role("combobox", name="Outcome").select_option("right")
    right = Run(RECORDED).rollouts()
    right = right[right.status == "correct"]
    assert count.inner_text() == f"{len(right)} of 768 answers"
    page.get_by_label("Search").fill("playlist")
    has = right.apply(lambda row: "playlist" in f"{row.question} {row.db_id} {row.thought} {row.sql}".lower(), axis=1)
    page.wait_for_function("words => document.querySelector('.x-count').textContent === words", arg=f"{has.sum()} of 768 answers")
    page.get_by_role("combobox", name="Outcome").select_option("")
    page.get_by_label("Search").fill("")
    page.get_by_role("combobox", name="Part").select_option(label="memory")
    page.get_by_role("combobox", name="was").select_option("unscored")
    frame = Run(RECORDED).rollouts()
    page.wait_for_function("words => document.querySelector('.x-count').textContent === words", arg=f"{frame.memory.isna().sum()} of 768 answers")


def test_scrub_walk_and_hover(opened, report):
    page = opened(report)
    slider, where = page.locator(".x-step"), page.locator(".x-where")
    assert where.inner_text() == "step 24, group 96 (96 of 96)"
    slider.focus()
    page.keyboard.press("Home")
    assert where.inner_text() == "step 1, group 1 (1 of 96)" and page.locator(".x-previous").is_disabled()
    page.locator(".x-next").click()
    assert where.inner_text() == "step 1, group 2 (2 of 96)"
    page.locator(".x-hits tr").nth(9).click()
    assert where.inner_text() == "step 1, group 2 (2 of 96)" and page.locator(".x-group tr[aria-current]").count() == 1
    chip = page.locator(".x-group .a-chip.k-matched").first
    chip.hover()
    place = page.locator(f".x-group .a-span[data-operation='{chip.get_attribute('data-operation')}']")
    assert "x-lit" in place.first.get_attribute("class")
    lab.keep(page.locator(".f-explorer"), "report-wide")


def test_an_answer_shows_its_near_thoughts_and_its_difference_to_any_other(opened, report):
    page = opened(report)
    group = Run(RECORDED).group(96)
    chosen = next(one for one in group.rollouts if str(one.position) == page.locator(".x-group tr[aria-current] td").first.inner_text())
    page.locator(".x-memory summary").click()
    near = next(part for part in chosen.breakdown.parts if part.name == "memory").evidence["neighbours"]
    assert page.locator(".x-memory .f-text").all_inner_texts() == [one["thought"] for one in near]
    for other in group.rollouts:
        if other == chosen:
            continue
        page.locator(".x-against").select_option(str(other.position))
        shown = page.locator(".x-group .d-text")
        whole = [f"{one.breakdown.thought}\n\n{one.breakdown.sql}" if one.breakdown.sql.strip() else one.completion for one in (chosen, other)]
        assert [shown.evaluate(lab.TEXT_WITHOUT, tag) for tag in ("ins", "del")] == whole
    page.locator(".x-group tr[tabindex]").last.click()
    assert page.locator(".x-against").input_value() in ("", str(other.position)), "the comparison stays while a reader goes through the answers"
    lab.keep(page.locator(".f-explorer"), "report-difference")


@pytest.mark.parametrize("look", ["phone", "dark"])
def test_it_fits_a_phone_and_a_dark_screen(opened, report, look):
    page = opened(report)
    page.emulate_media(color_scheme="dark" if look == "dark" else "light")
    page.set_viewport_size(lab.PHONE if look == "phone" else lab.WIDE)
    lab.keep(page.locator(".f-explorer"), f"report-{look}")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_hostile_texts_are_shown_and_nothing_runs(opened, tmp_path):
    texts = list(HOSTILE.values())
    groups = [
        group_of(step, completion=nasty, breakdown={"thought": nasty, "sql": "" if step % 2 else nasty}, question={"text": nasty})
        for step, nasty in enumerate(texts, 1)
    ]
    page = opened(write_report(recorded(tmp_path, groups), tmp_path / "report.html"))
    assert page.locator(".x-count").inner_text() == f"{4 * len(texts)} of {4 * len(texts)} answers"
    for size in (lab.WIDE, lab.PHONE):
        page.set_viewport_size(size)
        page.locator(".x-step").focus()
        page.keyboard.press("Home")
        for _ in texts:
            assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
            page.keyboard.press("ArrowRight")
    assert page.locator("img").count() == 0 and page.locator("script").count() == 2
    page.get_by_label("Search").fill("onerror")
    page.wait_for_function("() => document.querySelector('.x-count').textContent.startsWith('4 of')")
