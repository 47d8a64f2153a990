"""Pages in a real browser, named by FINER_BROWSER. Run with: FINER_BROWSER=/usr/bin/chromium pytest tests/test_browser.py"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

import finer
from finer.report import write_report
from widgets import Workbench

BROWSER = os.environ.get("FINER_BROWSER", "")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not BROWSER, reason="FINER_BROWSER names no browser")]
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=3000""".split()
RECORDED = finer.DATA / "recorded" / "first-steps"


def opened(page: Path, profile: Path) -> tuple[str, str]:
    """The page's DOM after its scripts ran, and what the browser's console said."""
    assert Path(BROWSER).exists(), f"FINER_BROWSER names {BROWSER}, which is not there"
    command = [BROWSER, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


PAGES = {
    "the report of a run": lambda folder: write_report(finer.Run(RECORDED), folder / "page.html"),
    "the workbench without a kernel": lambda folder: _written(folder / "page.html", Workbench(RECORDED).to_html()),
}


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_by_itself(name, tmp_path):
    page = PAGES[name](tmp_path)
    dom, console = opened(page, tmp_path / "profile")
    assert not console, console
    assert dom.count("<svg") >= 5
    assert "dev" in dom and "advantage" in dom
    outside = [link for link in re.findall(r'(?:src|href)="([^"]+)"', dom) if link.startswith(("http:", "https:", "//"))]
    assert not outside, "a page that can be sent loads nothing from elsewhere"
