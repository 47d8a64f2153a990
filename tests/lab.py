"""A real JupyterLab, or Notebook 7, and a real Chromium for the tests of the views: start a server, open a notebook, run its cells.

``FINER_BROWSER`` names the browser; nothing is downloaded and nothing outside the given folder is written.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

BROWSER = os.environ.get("FINER_BROWSER", "")
ROOT = Path(__file__).resolve().parents[1]
ARTEFACTS = ROOT / "artefacts"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
WIDE, PHONE = {"width": 1280, "height": 1000}, {"width": 390, "height": 844}
MILLISECONDS = 90_000
"""How long a gesture may take before a test counts as hung; nothing waits this long where all is well."""
START_SECONDS = 180
LATE = "[anywidget] Failed to initialize model."
"""What anywidget says of a module that took over two seconds to start, as on a crowded machine. The view is then put in place anew
(``widgets.live``; test_front_ends.py holds the browser up on purpose), so it is no complaint; a view that stays dead fails its gesture."""
# Features that ask the network.
_DISABLED = ["@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension"]
_SETTINGS = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}  # a cell out of sight stays in the page


def reason_to_skip() -> str:
    """Why these tests cannot run here; '' where they can."""
    if not BROWSER:
        return "FINER_BROWSER names no browser (on Debian: FINER_BROWSER=/usr/bin/chromium)"
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "the package playwright is not installed (it comes with the dev extra)"
    return ""


def in_browser(test):
    """Marks a test as one that needs the browser; it is skipped, with the reason, where it cannot run."""
    return pytest.mark.browser(pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())(test))


@dataclass(frozen=True)
class App:
    """How a front end is started, and where it shows one notebook alone."""

    command: tuple[str, ...]
    page: str


LAB = App(("jupyter", "lab", "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"), "doc/tree/{}.ipynb?reset&")
NOTEBOOK = App(("notebook", "--JupyterNotebookApp.expose_app_in_browser=True"), "notebooks/{}.ipynb?")


class Server:
    """JupyterLab or Notebook 7 on the loopback, on a port and with a token of its own."""

    def __init__(self, folder: Path, app: App = LAB):
        self.app, self.notebooks = app, folder / "notebooks"
        self.token = secrets.token_hex(16)
        self.log = folder / "lab.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process = self._start(folder)

    def _start(self, folder: Path) -> subprocess.Popen:
        for name in ("notebooks", "config/labconfig", "data", "runtime", "ipython", "home"):
            (folder / name).mkdir(parents=True)
        self._page_config = folder / "config/labconfig/page_config.json"
        self.without()
        (folder / "config/labconfig/default_setting_overrides.json").write_text(json.dumps(_SETTINGS))
        places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
        places |= {"IPYTHONDIR": "ipython", "HOME": "home"}
        environment = os.environ | {name: str(folder / place) for name, place in places.items()} | {"PYTHONPATH": str(ROOT)}
        told = [f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}"]
        told += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={self.notebooks}", "--no-browser", "--allow-root"]
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", *self.app.command, *told]
            return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder)

    def without(self, *extensions: str) -> None:
        """Pages that are opened from now on lack these extensions of JupyterLab, as where they are not installed."""
        page = {"disabledExtensions": dict.fromkeys([*_DISABLED, *extensions], True)}
        self._page_config.write_text(json.dumps(page))

    def wait(self) -> Server:
        """Returns when the server answers."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api?token={self.token}", timeout=5).close()
                return self
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{self.app.command[0]} did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    def write(self, name: str, cells: list[str]) -> str:
        """A notebook of these code cells; its address in single-document mode. A cell that fails does not hold up the next."""
        tags = {"tags": ["raises-exception"]}
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell, metadata=tags) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.notebooks / f"{name}.ipynb")
        return f"http://127.0.0.1:{self.port}/{self.app.page.format(name)}token={self.token}"

    def stop(self) -> None:
        """Ends the server and its kernels."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()


@contextmanager
def server(folder: Path, app: App = LAB):
    """A running server; ends with the block."""
    one = Server(folder, app)
    try:
        yield one.wait()
    finally:
        one.stop()


@contextmanager
def browser():
    """Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=BROWSER, args=FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def opener(chromium):
    """A function that opens a file with the network off; a complaint of the console or a dialog fails the block."""
    context = chromium.new_context(viewport=WIDE, offline=True)
    page = context.new_page()
    page.set_default_timeout(MILLISECONDS)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))

    def open_file(path: Path):
        page.goto(path.as_uri())
        return page

    yield open_file
    context.close()
    assert said == []


class Notebook:
    """A notebook that is open in the browser, and everything the console complained about."""

    def __init__(self, page, address: str):
        self.page = page
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        page.set_default_timeout(MILLISECONDS)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._complain(str(error)))
        page.on("dialog", self._asked)
        self._open(address)

    def _open(self, address: str) -> None:
        self.page.goto(address)
        self.page.wait_for_function("() => window.jupyterapp && document.querySelector('.jp-Notebook .jp-Cell')")

    def _heard(self, message) -> None:
        if message.type == "error":
            self._complain(f"{message.text} ({message.location.get('url', '')})")

    def _complain(self, said: str) -> None:
        if said != LATE:
            self.complaints.append(said)

    def _asked(self, dialog) -> None:
        if dialog.type == "beforeunload":  # the second try of ``run_all`` leaves a notebook that is not saved
            dialog.accept()
            return
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def command(self, name: str, **values) -> None:
        """Runs one of JupyterLab's own commands and waits for it, but not for ever: a lost connection answers nothing."""
        self.page.evaluate(_COMMAND, [name, values, MILLISECONDS])

    def run_all(self) -> None:
        """Runs every cell, as the menu does, until each has its number; a crowded machine that lost the kernel gets a second try."""
        for is_last in (False, True):
            self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.ready.then(() => null)")
            self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
            try:
                self.page.wait_for_function(_ALL_HAVE_RUN, timeout=2 * MILLISECONDS)
                return
            except Exception:
                if is_last:
                    raise
                self._open(self.page.url)

    def run(self, place: int) -> str:
        """Runs the cell at ``place`` again; what it printed."""
        self.page.locator(".jp-CodeCell").nth(place).locator(".jp-InputPrompt").click()
        self.command("notebook:run-cell")
        return self.output(place).inner_text()

    def output(self, place: int):
        """The output of the cell at ``place``."""
        return self.page.locator(".jp-CodeCell").nth(place).locator(".jp-Cell-outputWrapper")

    def theme(self, name: str) -> None:
        """``JupyterLab Light`` or ``JupyterLab Dark``."""
        self.command("apputils:change-theme", theme=name)
        light = "true" if "Light" in name else "false"
        self.page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=light)

    def size(self, size: dict[str, int]) -> None:
        """``WIDE`` or ``PHONE``: a phone-wide page folds JupyterLab's side bars away, as a person would."""
        self.page.set_viewport_size(size)
        narrow = size["width"] < 600
        for side in ("left", "right"):
            if self.page.locator(f".jp-mod-{side}.jp-SideBar").is_visible() == narrow:
                self.command("application:toggle-side-tabbar", side=side)

    def overflow(self, output) -> float:
        """Pixels by which something in the output sticks out of it to the right, where nothing of the view's own scrolls it.

        A box of widgets that is too narrow for what it holds, and shows a scroll bar for it, counts.
        """
        return output.evaluate(_STICKS_OUT)


def wait_for_another_text(place) -> None:
    """Returns when the place says something else than now."""
    from playwright.sync_api import expect

    expect(place).not_to_have_text(place.inner_text(), timeout=MILLISECONDS)


_COMMAND = """([name, values, milliseconds]) => Promise.race([
  window.jupyterapp.commands.execute(name, values).then(() => null),
  new Promise((_, fail) => setTimeout(() => fail(new Error(`${name} took over ${milliseconds} ms`)), milliseconds)),
])"""
_ALL_HAVE_RUN = """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(prompt => /\\d/.test(prompt.textContent))"""
TEXT_WITHOUT = """(node, tag) => {
  const copy = node.cloneNode(true);
  for (const one of copy.querySelectorAll(tag)) one.remove();
  return copy.textContent;
}"""
"""The text of an element without its elements of one name: of a difference, one of the two texts."""
_STICKS_OUT = """root => {
  const edge = root.getBoundingClientRect().right;
  const scrolls = node => {
    for (let up = node.parentElement; up && up !== root; up = up.parentElement)
      if (getComputedStyle(up).overflowX !== 'visible') return true;
    return false;
  };
  let worst = 0;
  for (const box of root.querySelectorAll('.jp-OutputArea-output, .widget-box'))
    if (box.clientWidth) worst = Math.max(worst, box.scrollWidth - box.clientWidth);
  for (const node of root.querySelectorAll('*')) {
    const box = node.getBoundingClientRect();
    if (box.width && box.right - edge > worst && !scrolls(node)) worst = box.right - edge;
  }
  return worst;
}"""


def keep(place, name: str) -> Path:
    """A screenshot of one place, kept under artefacts/; the window grows for it, so that nothing is cut off."""
    path, page = ARTEFACTS / f"{name}.png", place.page
    size = page.viewport_size
    page.set_viewport_size({**size, "height": max(size["height"], int(place.bounding_box()["height"]) + 300)})
    place.screenshot(path=path)
    page.set_viewport_size(size)
    return path
