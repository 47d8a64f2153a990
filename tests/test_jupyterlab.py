"""Every view in a real JupyterLab in a real browser: it renders, its gesture works, Python sees it, the console is silent.

A new view is one entry of ``VIEWS`` and, where it has a gesture of its own, one function. All stand in one notebook, since
opening JupyterLab takes longer than all gestures together. Screenshots land in artefacts/: wide, phone-wide and dark.
Run with: FINER_BROWSER=/usr/bin/chromium pytest tests/test_jupyterlab.py
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import lab
import pytest

import finer

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(lab.reason_to_skip()), reason=lab.reason_to_skip())]
RECORDED = finer.DATA / "recorded" / "first-steps"
SETUP = f"""import atexit, shutil, sys, tempfile
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {str(lab.ROOT / "tests")!r})
from hostile_texts import hostile_run
from finer.runs import Run, RunWriter
from widgets import *
beside = shutil.ignore_patterns("notes.json", "edits.json")  # edits, pins and notes are kept beside a run: a reader may have left some
folder = shutil.copytree({str(RECORDED)!r}, tempfile.mkdtemp() + "/first-steps", ignore=beside)
benches = {{}}
def view(name):
    return next(one for one in bench.views if one.title == name)
def trains():
    "A run that this kernel holds open, as a trainer would, with one group of the recorded one."
    global writer  # held, so that it stays open
    writer = RunWriter.create(tempfile.mkdtemp() + "/live", {{"dataset": "starter"}})
    writer.write_step(3, [Run(folder).group(9)], {{}}, {{}})
    return Run(writer.path.parent)
def asked_again():
    "A run that asked one question at four steps; its answers grow by a word each time."
    one = Run(folder).group(9)
    with RunWriter.create(tempfile.mkdtemp() + "/again", {{"dataset": "starter"}}) as writer:
        for step in range(1, 5):
            grown = [replace(a, rollout_id=100 * step + a.position, step=step, group_id=step, completion=a.completion + " again" * step) for a in one.rollouts]
            writer.write_step(step, [replace(one, group_id=step, step=step, rollouts=tuple(grown))], {{}}, {{}})
    return writer.path.parent
def starts():
    "A form of a small run in a process of its own, which ends with this kernel at the latest."
    form = StartRun("runs/mine", group_size=2, evaluate_every=0, evaluate_questions=1, checkpoint_every=0, max_completion_tokens=16, threads=1)
    atexit.register(lambda: form.process and form.process.kill())
    return form
"""


# --- gestures: each takes what it needs from the output and returns when the page shows the effect


def pick(output, *places: int) -> None:
    """Clicks answers in the list, the second and later with the control key."""
    options = output.locator("select[multiple]:visible option")
    for count, place in enumerate(places):
        options.nth(place).click(modifiers=["Control"] if count else [])


def hover_a_curve(output) -> None:
    """The tooltip is the browser's own: its text stands in the title of the column under the pointer."""
    column = output.locator("figure .c-told[data-pick=s8]:visible").first
    column.hover()
    said = column.locator("title").text_content()
    assert said.startswith("step 8: ") and " 0." in said


def click_in_drawings(output) -> None:
    """A dip of a curve leads to its step; there a line is clicked, and with Ctrl another."""
    output.locator("figure .c-told[data-pick=s8]:visible").nth(1).click()
    output.get_by_text("you look at step 8").wait_for()
    output.locator("figure .c-chosen").first.wait_for(state="attached")
    output.get_by_role("tab", name="Group", exact=True).click()
    lines = output.locator("tr[data-pick]:visible")
    lines.nth(3).click()
    output.locator(".f-chosen:visible").get_by_text("SELECT").first.wait_for()
    output.get_by_text("Select two answers").locator("visible=true").wait_for()
    lines.nth(6).click(modifiers=["Control"])
    output.locator(".f-difference del:visible").first.wait_for()
    assert output.locator("tr.f-chosen:visible").count() == 2


def use_the_keyboard(output) -> None:
    """From the first tab: arrow and Enter open the next one, Tab goes through its controls to the lines, Enter chooses, the arrow goes on."""
    press, held = output.page.keyboard.press, "document.activeElement.matches('tr[data-pick]')"
    output.get_by_role("tab", name="Curves", exact=True).focus()
    press("ArrowRight")
    press("Enter")
    output.locator("tr[data-pick][tabindex]:visible").first.wait_for()
    for _ in range(12):
        press("Tab")
        if output.page.evaluate(held):
            break
    assert output.page.evaluate(held), "Tab reaches the lines"
    press("ArrowDown")
    press("Enter")
    output.get_by_text("you look at").wait_for()
    output.page.wait_for_function(f"() => {held} && document.activeElement.classList.contains('f-chosen')")


def scrub_a_question(output) -> None:
    """Drags through the times that a question was asked, and reads what changed in its best paid answer, then in its worst paid one."""
    output.locator(".fx-cell").last.click()
    output.get_by_text("4 of 4 groups of this question").wait_for()
    box, mouse = output.locator(".fx-scrub input").bounding_box(), output.page.mouse
    mouse.move(box["x"] + box["width"] - 6, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2, steps=6)
    mouse.up()
    output.get_by_text("2 of 4 groups of this question").wait_for()
    output.get_by_text("Best paid answer at step 2 against the one the time before, at step 1").wait_for()
    assert output.locator(".f-difference ins:visible").last.inner_text().strip() == "again"
    output.get_by_label("Which answer to follow").select_option("worst paid answer")
    output.get_by_text("Worst paid answer at step 2 against the one the time before, at step 1").wait_for()


def pick_two_answers(output) -> None:
    pick(output, 0, 2)
    output.locator(".f-difference del").first.wait_for()


def open_evidence(output) -> None:
    pick(output, 1)
    output.locator("details.w-row:visible").first.locator("summary").click()
    output.get_by_text("weight × value").locator("visible=true").first.wait_for()


def hover_an_operation(output) -> None:
    """The operation lights up, and so does its place in both texts; the other way round as well."""
    pick(output, 1)
    lit = "node => getComputedStyle(node).boxShadow !== 'none'"
    span = output.locator(".a-span.a-matched:visible").first
    number = next(name for name in span.get_attribute("class").split() if name[0] == "n")
    places = output.locator(f".a-pair .{number}:visible")
    assert places.count() == 2 and not places.nth(1).evaluate(lit)
    output.locator(f".a-chip.{number}:visible").hover()
    assert [places.nth(0).evaluate(lit), places.nth(1).evaluate(lit)] == [True, True]
    places.nth(1).hover()
    assert output.locator(f".a-chip.{number}:visible").evaluate(lit)


def open_an_instance(output) -> None:
    pick(output, 1)
    output.locator("details:visible > summary", has_text="Rows on").nth(1).click()
    output.get_by_text("row").locator("visible=true").first.wait_for()
    output.locator(".e-switch:visible").get_by_text("bird-ex").click()
    output.locator(".e-of-bird-ex:visible").first.wait_for()
    assert output.locator(".e-of-strict:not(.e-of-bird-ex):visible").count() == 0


def drag_to_start(slider) -> None:
    handle, track = slider.locator(".noUi-handle"), slider.locator(".noUi-target").bounding_box()
    handle.hover()
    mouse = slider.page.mouse
    mouse.down()
    mouse.move(track["x"] - 40, track["y"] + track["height"] / 2, steps=6)
    mouse.up()


def scrub(output) -> None:
    drag_to_start(output.locator(".widget-slider:visible").first)
    output.locator(".widget-readout:visible").get_by_text("1", exact=True).first.wait_for()


def look_back(output) -> None:
    """Ticks the map, drags to the memory of the first step, reads a near trace's mark, and goes to that step."""
    output.get_by_text("map, and the score as of other steps").click()
    output.get_by_text("saw it, on a plane").wait_for()
    drag_to_start(output.locator(".widget-slider:visible", has_text="As of step"))
    output.get_by_text("The memory as step 1 saw it").wait_for()
    mark = output.locator("svg[role=img] .mm-near").first
    mark.hover()
    assert "nearest no. " in mark.locator("title").text_content()
    scrub(output)


def lower_a_weight(output) -> None:
    drag_to_start(output.locator(".widget-slider:visible", has_text="execution"))
    output.get_by_text("Settings: format 0.05, execution 0, ").wait_for()


def edit_the_sql(output) -> None:
    output.locator("textarea:visible").last.fill("SELECT 1")
    output.get_by_role("button", name="Score").click()
    output.get_by_text("Scored and kept as edit 1").wait_for()


def guess(output) -> None:
    output.get_by_role("button", name="Down").click()
    output.get_by_role("button", name="Reveal").click()
    output.locator(".f-guess .f-stack").first.wait_for()


def find_an_answer(output) -> None:
    output.get_by_label("Search all answers").fill("playlist")
    row = output.locator(".fr-rollouts tr[data-id]", has_text="playlist").nth(1)
    row.click()
    output.locator(f".fr-rollouts tr[aria-current][data-id='{row.get_attribute('data-id')}']").wait_for()


def read_a_bar(output) -> None:
    bar = output.locator(".l-chart:visible g").first
    bar.hover()
    assert "step" in bar.locator("title").text_content()


def read_a_row(output) -> None:
    bar = output.locator(".h-bar:visible").first
    bar.hover()
    assert re.search(r"execution [+−]?\d\.\d{3}", bar.get_attribute("title"))


def choose_a_cell(output) -> None:
    cell = output.locator(".fx-cell").nth(1)
    group = cell.get_attribute("data-group")
    cell.click()
    output.locator(f".fx-cell[aria-current][data-group='{group}']").wait_for()


def ask_for_plotly(output) -> None:
    """Returns when plotly has drawn the points as wide as its place is; it begins with 700 pixels."""
    output.get_by_role("button", name="Zoom and select").click()
    output.locator(".js-plotly-plot .point").first.wait_for()
    wide = "plot => Number(plot.querySelector('.main-svg').getAttribute('width')) === plot.clientWidth"
    output.page.wait_for_function(wide, arg=output.locator(".js-plotly-plot").first.element_handle())


def box_the_points(output) -> None:
    """Asks for plotly, and drags a box around the left half of what it drew."""
    ask_for_plotly(output)
    area = output.locator(".js-plotly-plot .nsewdrag").first
    area.scroll_into_view_if_needed()
    box, mouse = area.bounding_box(), output.page.mouse
    mouse.move(box["x"] + 2, box["y"] + 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2, steps=6)
    mouse.up()
    output.get_by_text("selected, of").wait_for()


def try_an_answer(output) -> None:
    output.get_by_placeholder("words of a question").fill("playlist")
    output.locator("textarea:visible").last.fill("SELECT 1")
    output.get_by_role("button", name="Score").click()
    output.locator(".f-waterfall").first.wait_for()
    output.locator("textarea:visible").last.fill("SELECT 2")
    output.get_by_role("button", name="Score").click()
    output.get_by_text("✓ Try 2 of this question").wait_for()
    output.locator("tr[data-pick='g-1a0']:visible").first.click()
    output.locator("tr[data-pick='g-1a0'].f-chosen:visible").first.wait_for()


def show_all_questions(output) -> None:
    """And chooses one, which the workbench beside it then shows."""
    output.locator("select:visible").nth(0).select_option("last steps")
    output.locator("select:visible").nth(1).select_option("all")
    row = output.locator("tr[data-pick]:visible").nth(4)
    mark = row.get_attribute("data-pick")
    row.click()
    output.locator(f"tr[data-pick={mark}].f-chosen").wait_for()


def press_pause(output) -> None:
    output.get_by_role("button", name="Pause").click()
    output.get_by_text("pause (request 1)").wait_for()


def start_and_stop(output) -> None:
    """Fills the form, starts, sees a first step and the curves move on, and stops, long before the steps that were asked for."""
    for label, value in {"Steps": "500", "Questions a step": "1", "Seed": "3"}.items():
        field = output.locator(".widget-inline-hbox", has=output.page.get_by_text(label, exact=True)).locator("input")
        field.fill(value)
        field.press("Tab")
    output.get_by_role("button", name="Start").click()
    output.get_by_text("loads its libraries").wait_for()
    output.get_by_text("running · step").wait_for(timeout=4 * lab.MILLISECONDS)
    lab.wait_for_another_text(output.get_by_text("· following"))
    output.get_by_role("tab", name="Controls", exact=True).click()
    output.get_by_role("button", name="Stop").click()
    output.get_by_text("✓ Stopped after step").wait_for()
    output.get_by_role("tab", name="Curves", exact=True).click()


@dataclass(frozen=True)
class Case:
    """One view, most in a workbench of its own: its tab, words it shows, its gesture, and what Python then says."""

    says: str
    gesture: Callable
    ask: str = "[rollout.position for rollout in bench.selection]"
    """An expression, printed after the gesture; ``bench`` is what the cell before shows."""
    answers: str = ""
    shown: str = "Workbench(folder)"
    tab: str = ""
    """The tab to begin with; the case's own name unless another is told."""

    @property
    def has_tab(self) -> bool:
        return self.shown.startswith("Workbench")


VIEWS = {
    "Curves": Case("Total reward", hover_a_curve, "bench.tabs.get_title(bench.tabs.selected_index)", "Curves"),
    "Group": Case("answers right", pick_two_answers, answers="[2, 4]"),
    "Rollout": Case("advantage", open_evidence, answers="[3]"),
    "Atoms": Case("= in both", hover_an_operation, answers="[3]"),
    "Results": Case("Results under each rule", open_an_instance, answers="[3]"),
    "Memory": Case("Nearest verified thoughts", look_back, "bench.choice.step, view('Memory').as_of.value", "1 1"),
    "Ledger": Case("Under execution alone", read_a_bar, "bench.tabs.get_title(bench.tabs.selected_index)", "Ledger"),
    "Habits": Case("answers with it", read_a_row, "bench.tabs.get_title(bench.tabs.selected_index)", "Habits"),
    "What-if": Case("Settings:", lower_a_weight, "view('What-if').knobs.weights['execution'].value", "0.0"),
    "Edit": Case("No edit of group", edit_the_sql, "len(view('Edit').edits.of_group(bench.choice.group.group_id))", "1"),
    "Guess": Case("Another group", guess, "len(view('Guess').tally.scores)", "1"),
    "Rollouts": Case("answers", find_an_answer, "[view('Rollouts').widget.page['chosen'] == one.rollout_id for one in bench.selection]", "[True]"),
    "Matrix": Case("question", choose_a_cell, "view('Matrix').live.pick['group'] == bench.selection[0].group_id", "True"),
    "Explore": Case("answers of the run", box_the_points, "{one.group_id for one in bench.selection} <= {one.group_id for one in view('Explore').selection}, len(bench.selection) > 1", "True True"),
    "Clicks": Case("Total reward", click_in_drawings, "bench.choice.step, len(bench.selection)", "8 2", tab="Curves"),
    "Keyboard": Case("Total reward", use_the_keyboard, "bench.choice.pinned, bench.tabs.selected_index, len(bench.selection)", "True 1 1", tab="Curves"),
    "Scrub": Case("question", scrub_a_question, "bench.choice.step", "2", "Workbench(asked_again())", "Matrix"),
    "Overlay": Case("Total reward", hover_a_curve, "[one.folder.name for one in bench.others]", "['again']", "Curves([folder, asked_again()])"),
    "Playground": Case("A database of your own", try_an_answer, "'playlist' in bench.question.text, bench.tried.rollout.sql", "True SELECT 1", "Playground()"),
    "Compare": Case("questions", show_all_questions, "[bench._looked_at(one) for one in bench.pairs()].count(True), bench.workbenches[1].choice.pinned", "1 True", "CompareRuns(folder, benches['Group'])"),
    "Controls": Case("Weights, from the next step on", press_pause, "[one.kind for one in bench.run.requests()]", "['pause']", "Workbench(trains())"),
    "StartRun": Case("It trains in a process of its own", start_and_stop, "bench.wait().status, bench.config.steps, bench.workbench.run.config['seed']", "stopped 500 3", "starts()"),
}


def cells() -> list[str]:
    """The notebook: a cell that makes the helpers, then for each view one that shows it and one that asks Python."""
    made = [SETUP]
    for name, case in VIEWS.items():
        made.append(f"benches[{name!r}] = {case.shown}\nbenches[{name!r}]")
        made.append(f"bench = benches[{name!r}]\nprint({case.ask})")
    return [*made, "hostile = Workbench(hostile_run(Path(tempfile.mkdtemp())))\nhostile"]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The notebook, opened once, every cell run."""
    with lab.server(tmp_path_factory.mktemp("lab") / "server") as server, lab.browser() as browser:
        opened = lab.Notebook(browser.new_page(viewport=lab.WIDE), server.write("views", cells()))
        opened.run_all()
        yield opened


def place_of(name: str) -> int:
    return 1 + 2 * list(VIEWS).index(name)


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_renders_and_its_gesture_reaches_python(notebook, name):
    case, output = VIEWS[name], notebook.output(place_of(name))
    notebook.complaints.clear()
    if case.has_tab:
        output.get_by_role("tab", name=case.tab or name, exact=True).click()
    output.get_by_text(case.says).locator("visible=true").first.wait_for()
    case.gesture(output)
    assert notebook.run(place_of(name) + 1).strip() == case.answers
    assert notebook.overflow(output) < 1
    lab.keep(output, f"{name.lower()}-wide")
    assert notebook.complaints == []


@pytest.fixture(scope="module")
def phone(notebook):
    notebook.size(lab.PHONE)
    return notebook


@pytest.fixture(scope="module")
def dark(notebook):
    notebook.size(lab.WIDE)
    notebook.theme("JupyterLab Dark")
    return notebook


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_fits_a_phone(phone, name):
    output = phone.output(place_of(name))
    lab.keep(output, f"{name.lower()}-phone")
    assert phone.overflow(output) < 1


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_follows_the_dark_theme(dark, name):
    output = dark.output(place_of(name))
    lab.keep(output, f"{name.lower()}-dark")
    back, around = output.locator(".finer-view:visible").last.evaluate(
        "node => [node, node.closest('.widget-tab-contents') ?? node].map(one => getComputedStyle(one).backgroundColor)"
    )
    assert back == around, "a view is as dark as the tab that it stands in"
    assert max(int(part) for part in back[back.index("(") + 1 : -1].split(",")[:3]) < 60, back


def test_hostile_texts_are_shown_and_nothing_runs(notebook):
    """On a phone, where a long line would stick out first."""
    notebook.theme("JupyterLab Light")
    notebook.size(lab.PHONE)
    output = notebook.output(-1)
    for name in (name for name, case in VIEWS.items() if case.has_tab and not case.tab):
        output.get_by_role("tab", name=name, exact=True).click()
        if name == "Explore":  # plotly reads some HTML in the names and hover texts that it is given
            ask_for_plotly(output)
            output.locator(".js-plotly-plot .point").last.hover(force=True)
            output.locator(".js-plotly-plot .hovertext").first.wait_for()
        assert notebook.overflow(output) < 1, name
        lab.keep(output, f"hostile-{name.lower()}")
    assert output.locator("script, img, a[href], iframe").count() == 0
    assert notebook.dialogs == [] and notebook.complaints == []


def test_the_console_stayed_silent(notebook):
    assert notebook.complaints == [] and notebook.dialogs == []
