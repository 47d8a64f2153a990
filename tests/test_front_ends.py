"""Front ends other than JupyterLab as it should be: Notebook 7, and readers that cannot show a view live.

A JupyterLab whose page lacks anywidget, or the widget manager, stands for such front ends; nbconvert is what nbviewer and GitHub
convert notebooks with. Run with: FINER_BROWSER=/usr/bin/chromium pytest tests/test_front_ends.py
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import lab
import nbformat
import pytest

import finer
from finer.render.style import STYLE
from widgets import AtomsView, GroupView, MatrixView, RolloutsView, Workbench, live
from widgets.live import SPARE_NOTE
from widgets.views import STATIC_ALONE, STATIC_NOTE, WIDGET_VIEW

RECORDED = finer.DATA / "recorded" / "first-steps"
KINDS = {"alone": RolloutsView, "with core controls": MatrixView, "without a module": AtomsView, "hearing clicks": GroupView, "a workbench": Workbench}
STILL = {"Rollouts": "the 20 best paid are shown", "Matrix": "Each bar is one group"}
"""Words of a static form that the live one does not show."""


# --- what an output holds


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_output_is_static_alone_where_that_is_asked_for(monkeypatch, kind):
    monkeypatch.setenv(STATIC_ALONE, "1")
    shown = kind(RECORDED)._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"} and shown["text/html"].endswith(STATIC_NOTE)
    monkeypatch.setenv(STATIC_ALONE, "0")
    assert WIDGET_VIEW in kind(RECORDED)._repr_mimebundle_()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_colab_is_told_which_manager_loads_anywidget(monkeypatch, kind):
    """By a stand-in for Colab's module: it names its manager beside what display shows, not beside a cell's last value."""
    output = ModuleType("google.colab.output")
    output._widgets = SimpleNamespace(_installed_url="https://colab/manager.js")
    output.enable_custom_widget_manager = lambda: None
    view = kind(RECORDED)
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    shown = view._repr_mimebundle_()
    if kind is AtomsView:
        assert WIDGET_VIEW in shown, "core controls need no other manager"
        return
    data, metadata = shown
    assert WIDGET_VIEW in data and metadata == {WIDGET_VIEW: {"colab": {"custom_widget_manager": {"url": "https://colab/manager.js"}}}}


@pytest.mark.parametrize("kind", [RolloutsView, MatrixView])
def test_the_static_form_stands_in_until_a_browser_runs_the_module(kind):
    view = kind(RECORDED)
    spare, front = view._stage.html, view._stage.widget.children[0]
    assert SPARE_NOTE in spare.value and STYLE in spare.value and STILL[view.title] in spare.value
    front.ping = {"serial": 1, "heard": 0}
    assert spare.value == "" and front.heard == 1
    view.refresh()
    assert spare.value == ""


PINGS = {
    "one that hears": ([(0, 0.0)], 1),
    "another view of one that hears": ([(0, 0.0), (1, 900.0)], 1),
    "a busy kernel, which gets all at once": ([(0, 0.0), (0, 0.0), (0, 0.1)], 1),
    "a deaf one": ([(0, 0.0), (0, 5.0)], 2),
    "a deaf one after another": ([(0, 0.0), (0, 5.0), (0, 10.0), (0, 15.0)], 3),
    "deaf to the end": ([(0, 5.0 * asked) for asked in range(6)], 4),
}
"""What the module last heard, when it asks again, in seconds; and how many widgets stand there in turn, the last the static form."""


@pytest.mark.parametrize("kind", [RolloutsView, MatrixView])
@pytest.mark.parametrize("pings, made", PINGS.values(), ids=PINGS)
def test_a_front_end_that_cannot_hear_is_made_anew(monkeypatch, kind, pings, made):
    view, now = kind(RECORDED), [1000.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    seen = [view._stage.widget.children[0]]
    for serial, (heard, at) in enumerate(pings):
        now[0] = 1000.0 + at
        seen[-1].ping = {"serial": serial, "heard": heard}
        seen.append(view._stage.widget.children[0])
    assert len(set(seen)) == made
    shown = view.widget.page if kind is RolloutsView else view.live.matrix
    assert shown["rows"], "the one that was put in place is drawn"
    assert (seen[-1] is view._stage.html and STILL[view.title] in seen[-1].value) == (made == 4)


def test_nbconvert_shows_the_static_form_of_a_saved_notebook():
    """As JupyterLab saves it: with the id of a widget whose state is nowhere."""
    from nbconvert import HTMLExporter

    view = GroupView(RECORDED)
    shown = nbformat.v4.new_output("execute_result", view._repr_mimebundle_(), execution_count=1)
    cell = nbformat.v4.new_code_cell("GroupView(run)", outputs=[shown], execution_count=1)
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    assert all(words in page for words in ("answers right", "The static form of this view")) and view.panel.model_id not in page


# --- what a person sees


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A function that opens the notebook in a JupyterLab without some extensions, and runs it."""
    cells = [
        f"import os\nfrom widgets import *\nrun = {str(RECORDED)!r}",
        "RolloutsView(run)",
        "bench = Workbench(run)\nbench.open('Matrix')\nbench",
        f"os.environ[{STATIC_ALONE!r}] = '1'\nRolloutsView(run)",
    ]
    with lab.server(tmp_path_factory.mktemp("lab") / "server") as server, lab.browser() as browser:

        def open_without(name: str, *extensions: str, script: str = "") -> lab.Notebook:
            server.without(*extensions)
            page = browser.new_page(viewport=lab.WIDE)
            page.add_init_script(script)
            notebook = lab.Notebook(page, server.write(name, cells))
            notebook.run_all()
            return notebook

        yield open_without


@lab.in_browser
def test_without_anywidget_the_static_form_stands_in_and_the_rest_lives(opened):
    notebook = opened("no-anywidget", "anywidget")
    alone, bench = notebook.output(1), notebook.output(2)
    alone.get_by_text(STILL["Rollouts"]).wait_for()
    alone.get_by_text("This reader did not load anywidget").wait_for()
    lab.keep(alone, "no-anywidget-rollouts")
    bench.locator(".finer-spare:visible table").first.wait_for()
    lab.keep(bench, "no-anywidget-matrix")
    bench.get_by_role("tab", name="Group", exact=True).click()
    bench.locator("select[multiple]:visible option").nth(2).click()
    bench.get_by_text("Select two answers to see how").locator("visible=true").wait_for()


@lab.in_browser
def test_with_anywidget_the_spare_is_gone(opened):
    notebook = opened("all-there")
    alone = notebook.output(1)
    alone.locator(".fr-rollouts tr[data-id]").first.wait_for()
    notebook.page.wait_for_function("() => [...document.querySelectorAll('.finer-spare')].every(one => !one.textContent)")
    still = notebook.output(3)
    still.get_by_text(STILL["Rollouts"]).wait_for()
    still.get_by_text("The static form of this view").wait_for()
    assert still.locator(".jupyter-widgets").count() == 0


CROWDED = """let made = 0;
const timeout = AbortSignal.timeout;
AbortSignal.timeout = (milliseconds) => (milliseconds === 2000 && ++made <= 3 ? timeout.call(AbortSignal, 0) : timeout.call(AbortSignal, milliseconds));
"""
"""The first three models of anywidget are given no time to start, as in a browser with too much to do."""


@lab.in_browser
def test_a_view_that_a_crowded_browser_left_deaf_comes_back(opened):
    notebook = opened("crowded", script=CROWDED)
    for place in (1, 2):
        notebook.output(place).locator(".fr-rollouts tr[data-id], .fx-cell").first.wait_for()
    alone = notebook.output(1)
    alone.get_by_label("Search all answers").fill("playlist")
    alone.get_by_text("playlist").first.wait_for()


NEEDS_NOTEBOOK = pytest.mark.skipif(find_spec("notebook") is None, reason="Notebook 7 is not installed (pip install notebook)")


@lab.in_browser
@NEEDS_NOTEBOOK
def test_notebook_7_shows_the_views_live_and_leaves_their_keys_to_them(tmp_path):
    cells = [f"from widgets import *\nbench = Workbench({str(RECORDED)!r})\nbench", "print(bench.choice.step, [one.position for one in bench.selection])"]
    with lab.server(tmp_path / "server", lab.NOTEBOOK) as server, lab.browser() as browser:
        notebook = lab.Notebook(browser.new_page(viewport=lab.WIDE), server.write("views", cells))
        notebook.run_all()
        notebook.complaints.clear()  # Notebook's own, of settings that the tests leave out
        output, press = notebook.output(0), notebook.page.keyboard.press
        output.locator("figure .c-told[data-pick=s8]:visible").nth(1).wait_for()
        notebook.page.locator(".finer-picks").wait_for()
        output.locator("figure .c-told[data-pick=s8]:visible").nth(1).click()
        output.get_by_text("you look at step 8").wait_for()
        output.get_by_role("tab", name="Curves", exact=True).focus()
        press("ArrowRight")
        press("Enter")
        output.locator("tr[data-pick][tabindex]:visible").nth(2).focus()
        press("ArrowDown")
        press("Enter")
        notebook.page.wait_for_function("() => document.activeElement.matches('tr.f-chosen')")
        place = notebook.page.evaluate("document.activeElement.cells[0].textContent")
        lab.keep(output, "notebook-7-group")
        output.get_by_role("tab", name="Rollouts", exact=True).click()
        output.get_by_label("Search all answers").fill("playlist")
        output.locator(".fr-rollouts tr[data-id]", has_text="playlist").first.wait_for()
        assert notebook.run(1).strip() == f"8 [{place}]"
        assert notebook.overflow(output) < 1 and notebook.complaints == [] and notebook.dialogs == []


@lab.in_browser
def test_without_a_widget_manager_the_output_is_the_static_form(opened):
    notebook = opened("no-manager", "@jupyter-widgets/jupyterlab-manager")
    for place in (1, 2):
        notebook.output(place).get_by_text("The static form of this view").wait_for()
        assert notebook.output(place).locator(".jupyter-widgets").count() == 0
    lab.keep(notebook.output(1), "no-manager-rollouts")
