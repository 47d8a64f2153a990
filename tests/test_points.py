"""A run's answers as points: which are taken, what the page carries, and the page in a real browser with the network off.

Run with: FINER_BROWSER=/usr/bin/chromium pytest tests/test_points.py
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

import lab
import pytest
import render_samples as samples
from hostile_texts import HOSTILE, group_of, recorded

import finer
from finer import cli
from finer.points import points_of
from finer.render import points_page as page_module
from finer.render.points import COUNT, LOOKS, classes, points_chart
from finer.render.points_page import PlotlyMissingError, plotly_script, points_page
from finer.report import write_exploration
from finer.runs import Run, RunWriter
from widgets import ExploreView
from widgets.explore import hover_words

RECORDED = finer.DATA / "recorded" / "first-steps"


@pytest.fixture(scope="module")
def exploration(tmp_path_factory):
    """Made as a person makes it."""
    folder = tmp_path_factory.mktemp("explore")
    assert cli.main(["report", str(RECORDED), "--html", str(folder / "report.html"), "--explore", str(folder / "explore.html")]) == 0
    assert sorted(one.name for one in folder.iterdir()) == ["explore.html", "report.html"]
    return folder / "explore.html"


# --- the points


def test_the_columns_are_what_the_run_holds():
    run = Run(RECORDED)
    points = points_of(run)
    place = points.group_ids.index(9) + 3
    rollout = run.group(9).rollouts[3]
    assert points.rollout_ids[place] == rollout.rollout_id and points.positions[place] == 3
    told = {name: values[place] for name, values in points.measures.items()}
    expected = {"step": 3, "total": rollout.breakdown.total, "advantage": rollout.advantage, "completion tokens": rollout.length_tokens}
    expected["step"] = run.group(9).step
    expected |= {f"part {part.name}": part.value for part in rollout.breakdown.parts}
    assert told == pytest.approx(expected, abs=1e-5)
    assert points.said == f"All {len(points.sql)} answers of the run." and set(points.marks) == {"status", "database", "difficulty"}


def test_a_longer_run_is_thinned_evenly_and_says_so(tmp_path):
    points = points_of(recorded(tmp_path, [samples.group(step, step) for step in range(1, 10)]), most=12)
    assert sorted(set(points.group_ids)) == [1, 5, 9]
    assert points.said.startswith("12 of the run's 36 answers: 3 of 9 groups, taken at even distances")


def test_what_was_never_scored_is_left_out_and_counted(tmp_path):
    group = samples.group(1, 1)
    unpaid = replace(group, rollouts=tuple(replace(one, advantage=None) for one in group.rollouts[:2]) + group.rollouts[2:])
    points = points_of(recorded(tmp_path, [unpaid]))
    assert points.measures["advantage"][:2] == (None, None)
    assert "2 of them were never scored so" in points_chart(points, "step", "advantage")


def test_every_class_has_its_own_colour_and_symbol_and_the_rest_share_one():
    shown = classes([name for count, name in enumerate("abcdefghij") for _ in range(20 - count)])
    assert [one.name for one in shown] == [*"abcdefg", "3 others"]
    assert len({one.look.colour for one in shown}) == len({one.look.symbol for one in shown}) == len({look.path for look in LOOKS}) == 8


@pytest.mark.parametrize("y", ["total", COUNT])
def test_the_still_drawing_is_small_and_has_no_script(y):
    drawn = points_chart(points_of(Run(RECORDED)), "step", y, "difficulty")
    assert 2_000 < len(drawn) < 90_000 and "<script" not in drawn and "easy (" in drawn


def test_a_run_that_has_just_begun_has_no_points(tmp_path):
    with RunWriter.create(tmp_path / "new", {}):
        points = points_of(Run(tmp_path / "new"))
    assert points.sql == () and "No answer has both step and total yet." in points_chart(points)
    assert "All 0 answers" in points_page(points)


# --- the page


def test_five_thousand_answers_and_plotly_take_less_than_ten_megabytes(tmp_path):
    """Each answer with a long text of its own, in an alphabet of three bytes a letter."""
    one = samples.group(1, 1).rollouts[0]
    with RunWriter.create(tmp_path / "run", {}) as writer:
        for step in range(1, 65):
            texts = [f"{step} {position} " + "\u6570" * 500 for position in range(79)]
            answers = [
                replace(one, rollout_id=79 * step + position, group_id=step, step=step, position=position, breakdown=replace(one.breakdown, sql=text))
                for position, text in enumerate(texts)
            ]
            writer.write_step(step, [replace(samples.group(step, step), rollouts=tuple(answers))], {}, {})
    path = write_exploration(Run(tmp_path / "run"), tmp_path / "explore.html")
    written = path.read_text(encoding="utf-8")
    assert plotly_script() in written and path.stat().st_size < 10_000_000
    assert "4,977 of the run&#x27;s 5,056 answers: 63 of 64 groups" in written


def test_without_plotly_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(page_module, "find_spec", lambda name: None)
    plotly_script.cache_clear()
    with pytest.raises(PlotlyMissingError, match="pip install 'plotly"):
        plotly_script()


def figures(page) -> dict:
    return page.evaluate("""() => { const plot = document.querySelector('.x-plot'); return {
        points: plot.data.reduce((sum, one) => sum + one.x.length, 0), names: plot.data.map(one => one.name),
        symbols: plot.data.map(one => one.marker.symbol), type: plot.data[0].type}; }""")


def drag(page, lasso=False) -> None:
    """A box, or a lasso, around everything between the axes."""
    box = page.locator(".x-plot .nsewdrag").first.bounding_box()
    left, top, right, bottom = box["x"] + 2, box["y"] + 2, box["x"] + box["width"] - 2, box["y"] + box["height"] - 2
    corners = [(right, top), (right, bottom), (left, bottom), (left, top)] if lasso else [(right, bottom)]
    page.mouse.move(left, top)
    page.mouse.down()
    for corner in corners:
        page.mouse.move(*corner, steps=5)
    page.mouse.up()


@lab.in_browser
def test_axes_marks_filters_and_selection_work_offline(opened, exploration):
    page = opened(exploration)
    whole = len(points_of(Run(RECORDED)).sql)
    page.locator(".x-plot .point").first.wait_for()
    first = figures(page)
    assert first["points"] == whole and len(set(first["symbols"])) == len(first["names"]) > 2
    offered = page.locator(".modebar-btn").evaluate_all("all => all.map(one => one.dataset.title)")
    assert "Lasso Select" in offered and not [one for one in offered if "Share" in one or "loud" in one], offered
    drag(page)
    page.locator(".x-selected").wait_for()
    assert page.locator(".x-selected").inner_text() == f"{whole} answers selected, the first 100 listed"
    page.get_by_label("Only this status").select_option(label="✓ right")
    only = figures(page)
    assert 0 < only["points"] < whole and only["names"] == ["✓ right"] and page.locator(".x-selected").count() == 0
    page.get_by_label("Search").fill("playlist")
    page.get_by_label("Colour and symbol").select_option("difficulty")
    assert 0 < figures(page)["points"] < only["points"]
    page.locator(".modebar-btn[data-val=lasso]").click()
    drag(page, lasso=True)
    page.locator(".x-selected").wait_for()
    assert page.locator(".x-chosen tbody tr").count() == figures(page)["points"]
    page.get_by_label("Up (y)").select_option(COUNT)
    assert figures(page)["type"] == "histogram"
    page.get_by_label("Search").fill("")
    page.locator(".x-plot .point path").first.click(force=True)
    lab.keep(page.locator(".f-explore"), "explore-page-histogram")


@lab.in_browser
def test_the_page_fits_a_phone_and_a_dark_screen(opened, exploration):
    page = opened(exploration)
    for look, size, scheme in (("wide", lab.WIDE, "light"), ("dark", lab.WIDE, "dark"), ("phone", lab.PHONE, "light")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.locator(".x-plot .point").first.wait_for()
        page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")  # plotly draws anew a moment after the window has changed
        lab.keep(page.locator(".f-explore"), f"explore-page-{look}")
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


@lab.in_browser
def test_hostile_texts_are_shown_in_hover_and_list_and_nothing_runs(opened, tmp_path):
    nasty = [*HOSTILE.values(), "<b>bold</b> <a href='javascript:alert(1)'>link</a> &lt;i&gt; %{x} $\\alpha$ <br>"]
    groups = [
        group_of(step, completion=one, breakdown={"sql": one}, question={"text": one, "db_id": one[:40] or "x", "difficulty": one[:40]})
        for step, one in enumerate(nasty, 1)
    ]
    page = opened(write_exploration(recorded(tmp_path, groups), tmp_path / "explore.html"))
    page.get_by_label("Colour and symbol").select_option("database")
    page.get_by_label("Search").fill("bold")
    page.locator(".x-plot .point").first.hover(force=True)
    said = page.locator(".hovertext").first.text_content()
    assert "<b>bold</b> <a href='javascript:alert(1)'>link</a> &lt;i&gt; %{x} $\\alpha$ <br>" in said, said
    page.get_by_label("Search").fill("")
    drag(page)
    page.locator(".x-chosen tbody tr").first.wait_for()
    assert page.locator("img, .x-chosen a, .x-plot svg a").count() == 0
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_no_text_leaves_the_json(tmp_path):
    nasty = "</script><script>alert(1)</script>\u202e"
    points = points_of(recorded(tmp_path, [group_of(1, completion=nasty, breakdown={"sql": nasty}, question={"text": nasty})]))
    plotly_script.cache_clear()
    inside = re.search(r'class="x-data">(.*?)</script>', points_page(points), re.DOTALL).group(1)
    assert not re.search("[<>&\u202e]", inside) and "alert(1)" in json.dumps(json.loads(inside)["texts"])


# --- the view


def test_the_view_waits_with_plotly_and_a_box_is_the_choice(tmp_path):
    view = ExploreView(Run(RECORDED))
    still = view._repr_mimebundle_()["text/html"]
    assert len(still) < 60_000 and "<script" not in still and view.figure is None
    assert (view.x.value, view.y.value, view.by.value) == ("step", "total", "status") and COUNT in view.y.options
    view.by.value, view.x.value = "difficulty", "completion tokens"
    assert "completion tokens" in view.widget.value
    view.start()
    assert sum(len(trace.x) for trace in view.figure.data) == len(view.points().sql)
    assert view.figure._config["showSendToCloud"] is False and view.panel.children[1] is view.figure
    view._choose([view.points().group_ids.index(9) + at for at in (1, 4)] + [0])
    assert [one.position for one in view.choice.selection] == [1, 4] and view.choice.group.group_id == 9
    assert sorted((one.group_id, one.position) for one in view.selection) == [(view.points().group_ids[0], 0), (9, 1), (9, 4)]
    assert "3 answers selected, of 2 groups" in view.says.value


def test_a_run_that_trains_is_read_seldom_and_at_once_when_asked_or_ended(tmp_path):
    with RunWriter.create(tmp_path / "run", {}) as writer:
        writer.write_step(1, [samples.group(1, 1)], {}, {})
        view = ExploreView(Run(tmp_path / "run"))
        view._rested = float("inf")
        writer.write_step(2, [samples.group(2, 2)], {}, {})
        assert len(view.points().sql) == 4
        view.start()
        assert len(view.points().sql) == 8
        view._rested = float("inf")
        writer.write_step(3, [samples.group(3, 3)], {}, {})
        writer.set_status("finished")
        assert len(view.points().sql) == 12


def test_what_a_point_says_is_escaped_for_plotly(tmp_path):
    nasty = "<b>x</b><br>&lt;"
    points = points_of(recorded(tmp_path, [group_of(1, breakdown={"sql": nasty})]))
    assert hover_words(points, 0).endswith("<br>&lt;b&gt;x&lt;/b&gt;&lt;br&gt;&amp;lt;")
