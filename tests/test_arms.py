"""An experiment's arms as pictures. Run with: pytest tests/test_arms.py"""

from __future__ import annotations

import re

import pytest

from finer.render.arms import arm_curves, gains
from finer.seeds import over_seeds

TWO_SEEDS = [[(0, 0.0), (5, 0.2), (10, 0.4)], [(0, 0.0), (5, 0.4), (10, 0.6)]]


def test_a_panel_shows_the_mean_of_the_steps_that_every_seed_has():
    drawn = arm_curves({"rarest": {"finer": [*TWO_SEEDS, [(0, 0.0), (10, 0.8)]], "sparse": TWO_SEEDS[:1]}})
    assert "finer (3 seeds) 0.600 at step 10; sparse (1 seed) 0.400 at step 10" in drawn
    assert drawn.count("c-band") == 1 + drawn.count(".c-band")  # one seed has no interval
    assert len(re.findall("<polyline", drawn)) == 2


def test_an_arm_looks_the_same_in_every_panel():
    drawn = arm_curves({"a": {"sparse": TWO_SEEDS, "finer": TWO_SEEDS}, "b": {"finer": TWO_SEEDS}})
    colours = re.findall(r'<polyline[^>]*class="c-line (s-\w+)', drawn)
    assert colours[1] == colours[2] != colours[0]


def test_an_interval_stays_inside_the_chart():
    points = re.findall(r'<polygon points="([^"]+)"', arm_curves({"a": {"finer": [[(0, 0.0), (5, 0.9)], [(0, 1.0), (5, 1.0)]]}}))
    heights = [float(pair.split(",")[1]) for pair in points[0].split()]
    assert min(heights) >= 8 and max(heights) <= 138


def test_gains_stand_at_the_shares_they_were_measured_at():
    drawn = gains({"finer": [(0.5, over_seeds([0.01, 0.03])), (0.0005, over_seeds([0.3, 0.5]))]})
    assert "finer +2.0 at 50 %; finer +40.0 at 0.05 %" in drawn and ">0.05 %</text>" in drawn and ">50 %</text>" in drawn


def test_the_numbers_stand_under_the_picture():
    drawn = gains({"finer": [(0.5, over_seeds([0.01, 0.03])), (0.0005, over_seeds([0.3]))], "bigram": [(0.5, over_seeds([-0.02]))]})
    cells = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", drawn)
    assert cells == ["right samples at the start", "finer", "bigram", "0.05 %", "+30.0, 1 pair", "–", "50 %", "+2.0 (−10.7 to +14.7), 2 pairs", "−2.0, 1 pair"]


def test_no_interval_is_drawn_beyond_what_a_gain_can_be():
    drawn = gains({"finer": [(0.5, over_seeds([0.9, 0.1])), (0.01, over_seeds([0.0]))]})
    ticks = [float(label.replace("−", "-")) for label in re.findall(r">([−0-9]+)</text>", drawn)]
    assert max(ticks) <= 100 and min(ticks) >= -100 and "(−458.2 to +558.2)" in drawn


def test_a_share_of_nought_has_no_place_on_the_axis():
    with pytest.raises(ValueError, match="a share of 0 has no place"):
        gains({"finer": [(0.0, over_seeds([0.1]))]})


def test_marks_of_two_arms_at_one_share_stand_side_by_side():
    drawn = gains({"bigram": [(0.5, over_seeds([0.1, 0.2])), (0.01, over_seeds([0.1, 0.2]))], "finer": [(0.5, over_seeds([0.1, 0.2]))]})
    assert len(set(re.findall(r'<circle[^>]*cx="([^"]+)"', drawn))) == 3
