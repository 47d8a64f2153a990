"""Alarms: each with a run made to show it and one that must not; several runs over each other. Run: pytest tests/test_alarms.py"""

from __future__ import annotations

import doctest
import random
import re
from itertools import pairwise
from types import SimpleNamespace

import pytest
import render_samples as samples

import finer.alarms
from finer.alarms import GroupTexts, alarms, alarms_of
from finer.render.charts import LEFT
from finer.render.overlay import RunCurves, overlay
from finer.runs import Run, RunWriter
from widgets import Curves

STEPS = range(1, 31)


def curve(first: float, last: float, noise: float = 0.0) -> list[tuple[int, float]]:
    """A straight line over thirty steps, with noise from a fixed seed."""
    rng = random.Random(3)
    return [(step, first + (last - first) * (step - 1) / 29 + rng.uniform(-noise, noise)) for step in STEPS]


def judged(*values: float) -> list:
    return [
        SimpleNamespace(step=15 * place, split="dev", metric="strict", value=value, n=200)
        for place, value in enumerate(values)
    ]


def part(mean: tuple, spread: tuple) -> dict:
    return {"rewards/format/mean": curve(*mean), "rewards/format/std": curve(*spread)}


ALIKE = [GroupTexts(number, 8, 8, 0, 7) for number in range(6)]
CASES = {
    "reward up, accuracy flat": ({"reward": curve(0.4, 0.7, 0.05)}, judged(0.40, 0.41, 0.405), (), ["flat_accuracy"]),
    "reward up, accuracy down": ({"reward": curve(0.4, 0.7)}, judged(0.40, 0.30), (), ["flat_accuracy"]),
    "reward up, accuracy up": ({"reward": curve(0.4, 0.7)}, judged(0.40, 0.52), (), []),
    "reward flat in noise": ({"reward": curve(0.4, 0.44, 0.3)}, judged(0.40, 0.40), (), []),
    "reward up, judged once": ({"reward": curve(0.4, 0.7)}, judged(0.40), (), []),
    "length collapses": ({"completions/mean_length": curve(120, 20)}, (), (), ["length_collapse"]),
    "length shrinks a little": ({"completions/mean_length": curve(120, 90)}, (), (), []),
    "one text takes over": ({}, (), ALIKE, ["one_text"]),
    "one text where all are right": ({}, (), [GroupTexts(number, 8, 8, 8, 8) for number in range(6)], []),
    "one text in groups that could not be judged": (
        {},
        (),
        [GroupTexts(number, 8, 0, 0, 8) for number in range(6)],
        [],
    ),
    "one text in a few groups": ({}, (), ALIKE[:2] + [GroupTexts(9 + number, 8, 8, 3, 2) for number in range(6)], []),
    "a part at its ceiling": (part((0.7, 1.0), (0.2, 0.0)), (), (), []),
    "a part long at its ceiling": (part((1.0, 1.0), (0.0, 0.0)), (), (), ["ceiling"]),
    "a part high but spread": (part((0.99, 0.99), (0.1, 0.1)), (), (), []),
    "most groups silent": ({"frac_reward_zero_std": curve(0.1, 0.8)}, (), (), ["silent"]),
    "few groups silent": ({"frac_reward_zero_std": curve(0.1, 0.3)}, (), (), []),
    "too few steps to say": ({"frac_reward_zero_std": [(step, 1.0) for step in range(9)]}, (), (), []),
    "not measured is not 0": (
        {"completions/mean_length": [(step, None if step > 5 else 90.0) for step in STEPS]},
        (),
        (),
        [],
    ),
    "nothing at all": ({}, (), (), []),
}


@pytest.mark.parametrize("name", CASES)
def test_alarm(name):
    metrics, evaluations, groups, kinds = CASES[name]
    assert [alarm.kind for alarm in alarms(metrics, evaluations, groups)] == kinds


SAID = {
    "reward up, accuracy flat": [
        "from 0.42 (steps 1 to 6) to 0.68 (steps 25 to 30)",
        "from 40.0% (step 0) to 40.5% (step 30; 95 % interval 33.",
    ],
    "length collapses": ["from 111.38 (steps 1 to 6) to 28.62 (steps 25 to 30) tokens: to 26%"],
    "one text takes over": ["Of the 6 groups", "6 have one SQL text in at least 75%", "group 5, say, in 7 of 8"],
    "a part long at its ceiling": ["format stands at 1.000 in steps 25 to 30 with a spread of 0.000"],
    "most groups silent": ["74% of the groups", "at first it was 16%"],
}


@pytest.mark.parametrize("name", SAID)
def test_alarms_say_what_they_saw(name):
    (alarm,) = alarms(*CASES[name][:3])
    assert all(words in alarm.said for words in SAID[name]), alarm.said


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose groups each agree on one wrong text, and which gets shorter."""
    folder = tmp_path_factory.mktemp("alarming") / "run"
    with RunWriter.create(folder, {}) as writer:
        for step in range(1, 13):
            wrong = [
                samples.rollout(
                    place,
                    "wrong",
                    (1, 0, 0.5, 0.5),
                    sql=" SELECT 1 " if place else "SELECT 2",
                    step=step,
                    group_id=step,
                )
                for place in range(4)
            ]
            group = type(samples.group())(step, step, samples.question(), "", tuple(wrong))
            values = {**samples.metrics(step), "completions/mean_length": 100.0 / step, "entropy": 1.0}
            writer.write_step(step, [group], values, {"generation": 2.0, "scoring": 0.25})
    return Run(folder)


def test_alarms_of_a_run(run):
    found = {alarm.kind: alarm.said for alarm in alarms_of(run)}
    assert set(found) == {"one_text", "length_collapse"}
    assert "in 3 of 4" in found["one_text"]


def test_the_view_shows_alarms_stages_and_entropy(run):
    said = Curves(run).to_html()
    for words in (
        "One text takes over its group",
        "Seconds a step",
        "generation 2.00",
        "scoring 0.25",
        "Entropy of the policy",
    ):
        assert words in said
    assert "KL to the reference" not in said and "update 0" not in said


def test_several_runs_over_each_other(run):
    said = Curves([run, run.folder]).to_html()
    assert said.count("<polyline") >= 12 and "Part: atomic" in said and "Answers collapse" not in said
    assert said.count('class="d-key"') == 2


def test_runs_of_different_recipes_share_their_charts():
    one = RunCurves("a", {"reward": [(1, 0.5), (2, 0.6)], "rewards/atomic/mean": [(1, 0.5)]}, judged(0.4, 0.5))
    other = RunCurves("<b>", {"reward": [(1, 0.1)], "rewards/bigram/mean": [(1, 0.2)]})
    said = overlay([one, other])
    assert "Part: atomic" in said and "Part: bigram" in said and "Right on dev" in said and "<b>&" not in said
    assert "&lt;b&gt;" in said and "No step has been recorded yet" in overlay([RunCurves("empty", {})])
    with pytest.raises(ValueError, match="7 runs cannot be told apart"):
        overlay([one] * 7)


def test_equal_accuracies_of_several_runs_do_not_hide_each_other():
    said = overlay([RunCurves(name, {}, judged(0.4)) for name in "abc"])
    places = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', said)]
    assert [round(right - left, 1) for left, right in pairwise(places)] == [7.0, 7.0]
    steps = overlay([RunCurves(name, {}, judged(0.4, 0.5)) for name in "abc"])
    assert min(map(float, re.findall(r'<circle cx="([\d.]+)"', steps))) == LEFT, "none hides the axis"


def test_doctests():
    assert doctest.testmod(finer.alarms).failed == 0
