"""The probe's shares as a table: the order of its rows, its words, and what it leaves out. Run: pytest tests/test_render_probe.py"""

from __future__ import annotations

from finer.render import ChangeShares, probe_shares

CHANGES = [
    ChangeShares("swapped_equality", "preserving", 4, {"a": 1.0, "b": 0.0}),
    ChangeShares("other_table", "breaking", 4, {"a": 1.0, "b": 0.25}),
    ChangeShares("other_<number>", "breaking", 2, {"a": 1.0, "b": 0.0}),
    ChangeShares("other_limit", "breaking", 4, {"a": 1.0, "b": 1.0}),  # everybody passes: named, no row
    ChangeShares("having_bound", "breaking", 0, {"a": None, "b": None}),  # no case: left out
    ChangeShares("window_changed", "breaking", 1, {"a": None, "b": 1.0}),  # not scored is not 0
]


def test_blind_spots_come_first_and_in_words():
    drawn = probe_shares(CHANGES, {"a": "atoms", "b": "bigrams"})
    assert drawn.index("other &lt;number&gt;") < drawn.index("other table") and "other_" not in drawn
    assert "25 %" in drawn and 'class="b-blind"' in drawn
    assert "And 1 that every one passes: other limit." in drawn
    assert "having bound" not in drawn and "—" in drawn
    assert "55 %" in drawn, "of all breaking cases: (4 × 0.25 + 0 + 4 + 1) / 11"


def test_nothing_to_show_is_said():
    assert "No case to show yet." in probe_shares([CHANGES[4]], {"a": "atoms"})
