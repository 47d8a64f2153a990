"""Every view over a run full of hostile texts, without a browser: shown as text, and no longer than a page bears.

In a browser: ``test_jupyterlab`` and ``test_report_page``.
"""

from __future__ import annotations

import re

import pytest
from hostile_texts import FROM_A_DATABASE, HOSTILE, hostile_run

from widgets import Workbench

RUNS = re.compile(r"<script>alert|<img|<a |onmouseover=\"|javascript:[^<]*\"|[\u202e\x1b\u2028\u2029\udcff\x07]")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(hostile_run(tmp_path_factory.mktemp("hostile")))


@pytest.mark.parametrize("step", range(1, len(HOSTILE) + 3), ids=[*HOSTILE, "rows of a database", "all at once"])
def test_every_view_shows_it_as_text(bench, step):
    bench.choice.show_step(step)
    for view in bench.views:
        shown = view.fragment()
        assert not RUNS.search(shown), (view.title, RUNS.search(shown))
        assert len(shown) < 600_000, view.title


def test_rows_of_a_database_are_shown_as_values(bench):
    bench.choice.show_step(len(HOSTILE) + 1)
    shown = next(view for view in bench.views if view.title == "Results").fragment()
    assert FROM_A_DATABASE.count("CAST") == 1 and "&lt;img src=x onerror" in shown and "\\u202e" in shown and "A" in shown
