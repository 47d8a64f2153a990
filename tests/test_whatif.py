"""What the same answers would be paid under other settings: the recorded run comes out again, and each knob does what it says."""

from __future__ import annotations

import dataclasses
import doctest
import itertools
import re
from functools import cache

import numpy as np
import pytest
import render_samples as samples

import finer
import finer.render.whatif
import finer.whatif
from finer.atoms import counting_of
from finer.contributions import EVERY_SCALING, PARTS_FIRST, Scaling, group_contributions
from finer.records import Counting, RewardPart
from finer.render.whatif import what_if
from finer.rewards.recipes import RECIPES, Shaping, get_recipe
from finer.runs import RunWriter
from finer.whatif import (
    Settings,
    answers_of_groups,
    answers_of_run,
    as_recorded,
    compare,
    inversions,
    least_right,
    pay,
    ranks,
    rerun,
    scaling_of,
)
from widgets import WhatIfView
from widgets.whatif import startable

RECORDED = finer.DATA / "recorded" / "first-steps"
FINER, PAPER = get_recipe("finer"), get_recipe("paper")


@cache
def recorded():
    return answers_of_run(finer.Run(RECORDED))


@pytest.mark.parametrize("module", [finer.whatif, finer.render.whatif], ids=lambda module: module.__name__)
def test_examples_in_the_docstrings(module):
    assert doctest.testmod(module).failed == 0


def test_the_runs_own_settings_give_the_recorded_run():
    run, answers = finer.Run(RECORDED), recorded()
    table = run.rollouts().set_index("rollout_id").loc[answers.rollout_ids]
    own = rerun(answers, Settings(FINER, Scaling(run.config["scale_rewards"])))
    assert np.array_equal(own.totals, table["total"]), "to the last bit"
    assert np.array_equal(answers.recorded_totals, table["total"])
    assert np.abs(own.advantages - table["advantage"]).max() < 1e-7, "the trainer computes in single precision"
    assert scaling_of(answers) == Scaling("none") and answers.recipe == FINER
    change = compare(answers, as_recorded(answers, Scaling()), own)
    assert (change.flips, change.turned) == (0, 0) and change.silent_before == change.silent_after == 10


def test_rounded_as_the_trainer_rounds_the_advantages_are_the_recorded_ones_to_the_last_bit():
    answers = recorded()
    paid = pay(answers, Settings(FINER))
    amounts = paid.weights.astype(np.float32) * paid.values.astype(np.float32)
    totals = np.add.accumulate(amounts, axis=1)[:, -1]
    groups = totals.reshape(-1, 8)
    means = np.add.accumulate(groups, axis=1)[:, -1:] / np.float32(8)
    assert np.array_equal((groups - means).ravel(), answers.recorded_advantages)


def test_of_a_large_run_the_newest_steps_are_read():
    run = finer.Run(RECORDED)
    newest = answers_of_run(run, most=100)
    assert sorted(set(newest.steps.tolist())) == [22, 23, 24] and len(newest.group) == 96
    assert set(answers_of_run(run, most=5).steps.tolist()) == {24}, "at least the last step"


def test_groups_and_the_run_give_the_same_answers():
    run, whole = finer.Run(RECORDED), recorded()
    groups = [run.group(summary.group_id) for summary in run.groups(3)]
    one, other = vars(answers_of_groups(groups)), vars(answers_of_run(run, 3))
    assert (one.pop("recipe"), one.pop("parts")) == (other.pop("recipe"), other.pop("parts"))
    for name, column in one.items():
        assert np.array_equal(column, other[name], equal_nan=column.dtype.kind == "f"), name
    kept = whole.take(whole.group_ids == groups[1].group_id)
    assert np.array_equal(kept.rollout_ids, [row.rollout_id for row in groups[1].rollouts])
    assert kept.group.tolist() == [0] * 8


SETTINGS = {
    "other weights": Settings(FINER.with_weights({"atomic": 0.8, "execution": 0.1})),
    "the paper's shaping": Settings(dataclasses.replace(FINER, shaping=PAPER.shaping)),
    "the paper's recipe": Settings(PAPER),
    "a gate": Settings(dataclasses.replace(FINER, gate=True)),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_answers_are_paid_as_the_scorer_would(name):
    """Against the parts' own functions, fed with the facts that the evidence holds."""
    recipe = SETTINGS[name].recipe
    run = finer.Run(RECORDED)
    groups = [run.group(summary.group_id) for summary in run.groups(2)]
    totals = rerun(answers_of_groups(groups), SETTINGS[name]).totals
    expected = [_by_hand(recipe, row.breakdown) for group in groups for row in group.rollouts]
    assert np.abs(totals - expected).max() < 1e-12


def _by_hand(recipe, paid):
    part = {one.name: one for one in paid.parts}
    if not any(one.value for one in paid.parts) or (recipe.gate and not part["format"].value):
        return 0.0
    right, ran = paid.status == "correct", paid.status in ("correct", "wrong")
    execution = recipe.execution_right if right else recipe.execution_wrong if ran else recipe.execution_fails
    atomic = 0.0 if recipe.atomic_needs_run and not ran else recipe.shaping(part["atomic"].evidence["overlap"])
    values = {"format": part["format"].value, "execution": execution, "memory": part["memory"].value}
    values["atomic"] = recipe.atomic_right if right else atomic
    return sum(recipe.weights[name] * value for name, value in values.items())


def test_a_recorded_gate_can_be_opened():
    closed = (RewardPart("format", 0.0, 1.0, {"gate": "no thought", "ungated": 0.0}),
              RewardPart("execution", 0.0, 1.0, {"ungated": 1.0}),
              RewardPart("atomic", 0.0, 1.0, {"overlap": 0.5, "ungated": PAPER.shaping(0.5)}),
              RewardPart("memory", 0.0, 1.0, {"ungated": 0.25}))  # fmt: skip
    group = samples.group()
    paid = dataclasses.replace(group.rollouts[1].breakdown, recipe="paper", parts=closed)
    held = dataclasses.replace(group, rollouts=(dataclasses.replace(group.rollouts[1], breakdown=paid),))
    answers = answers_of_groups([held])
    assert rerun(answers, Settings(answers.recipe)).totals.tolist() == [0.0]
    opened = rerun(answers, Settings(dataclasses.replace(answers.recipe, gate=False)))
    assert opened.totals[0] == pytest.approx(1.0 + PAPER.shaping(0.5) + 0.25, abs=1e-12)


def test_a_held_margin_keeps_wrong_answers_below():
    greedy = FINER.with_weights({"execution": 0.05, "atomic": 1.0})
    answers = recorded()
    free, held = (rerun(answers, Settings(dataclasses.replace(greedy, atomic_right=0.5), hold_margin=hold)) for hold in (False, True))
    least = least_right(held.settings.recipe)
    assert free.totals[answers.wrong].max() > least - 0.4 and held.totals[answers.wrong].max() <= least - 0.4 + 1e-12
    assert np.array_equal(free.totals[answers.right], held.totals[answers.right])
    assert "margin" in held.contributions and "margin" not in free.contributions
    assert not inversions(answers, held.totals) and inversions(answers, free.totals)


@pytest.mark.parametrize("scaling", EVERY_SCALING, ids=lambda s: f"{s.aggregation}, {s.scale_rewards}")
@pytest.mark.parametrize("name", SETTINGS)
def test_contributions_sum_to_the_advantages(name, scaling):
    found = rerun(recorded(), dataclasses.replace(SETTINGS[name], scaling=scaling, hold_margin=scaling.aggregation != PARTS_FIRST))
    assert np.abs(sum(found.contributions.values()) - found.advantages).max() < 1e-9
    kept = recorded().group_ids == 5
    assert np.array_equal(found.take(kept).contributions["atomic"], found.contributions["atomic"][kept])


def test_a_group_is_split_as_the_group_table_splits_it():
    run = finer.Run(RECORDED)
    group = run.group(7)
    found = rerun(answers_of_groups([group]), Settings(FINER))
    for place, terms in enumerate(group_contributions(group)):
        assert {name: float(term[place]) for name, term in found.contributions.items()} == pytest.approx(terms, abs=1e-12)


def test_inversions_and_flips_are_counted_pair_by_pair():
    answers = answers_of_groups([samples.group()])
    before = as_recorded(answers, scaling_of(answers))
    generous = FINER.with_weights({"execution": 0.0, "atomic": 1.0, "memory": 3.0})
    after = rerun(answers, Settings(dataclasses.replace(generous, shaping=Shaping(0.0, 3.0, 0.1))))
    assert before.totals.tolist() == [row.breakdown.total for row in samples.group().rollouts]
    found = inversions(answers, after.totals)
    expected = [(w, r) for w in (1, 2, 3) for r in (0,) if after.totals[w] >= after.totals[r]]
    assert sorted((one.wrong_position, one.right_position) for one in found) == expected
    assert found == sorted(found, key=lambda one: one.right_total - one.wrong_total)
    change = compare(answers, before, after)
    pairs = [(a, b) for a in range(4) for b in range(a)]
    flips = [(a, b) for a, b in pairs if (before.totals[a] - before.totals[b]) * (after.totals[a] - after.totals[b]) < 0]
    assert (change.flips, change.pairs, change.inversions_after) == (len(flips), 6, len(expected))


def test_what_does_not_follow_is_held_and_said():
    group = samples.group()  # its evidence holds an overlap for the wrong answer alone
    answers = answers_of_groups([group])
    assert answers.follows[1].all() and not answers.follows[2, 2]
    bent = rerun(answers, Settings(dataclasses.replace(FINER, shaping=PAPER.shaping)))
    assert bent.values[1, 2] == pytest.approx(PAPER.shaping(0.5)) and bent.values[2, 2] == 0.4
    assert "keep a recorded value that does not follow from the recipe" in what_if(answers, bent, bent, 3)


def test_a_recipe_of_ones_own_can_be_weighed_anew():
    group = samples.group()
    own = dataclasses.replace(group.rollouts[0].breakdown, recipe="mine.py:reward", parts=(RewardPart("mine", 0.7, 2.0), RewardPart("other", None, 1.0)))
    answers = answers_of_groups([dataclasses.replace(group, rollouts=(dataclasses.replace(group.rollouts[0], breakdown=own),))])
    assert rerun(answers, Settings(answers.recipe)).totals.tolist() == [1.4]
    assert rerun(answers, Settings(dataclasses.replace(answers.recipe, weights={"mine": 3.0}))).totals[0] == pytest.approx(2.1)
    assert least_right(answers.recipe) is None
    shown = what_if(answers, *[rerun(answers, Settings(answers.recipe, hold_margin=True))] * 2, 3)
    assert "mine 2, other 1" in shown and "Training would refuse" not in shown


def test_where_the_gold_failed_nothing_is_paid_or_learned():
    group = samples.group()
    none = tuple(RewardPart(part.name, None, part.weight) for part in group.rollouts[0].breakdown.parts)
    failed = [dataclasses.replace(row, advantage=0.0, breakdown=dataclasses.replace(row.breakdown, status="gold_failed", parts=none)) for row in group.rollouts]
    answers = answers_of_groups([dataclasses.replace(group, rollouts=tuple(failed))])
    for scaling in EVERY_SCALING:
        found = rerun(answers, Settings(FINER, scaling))
        assert not found.totals.any() and not found.advantages.any() and not inversions(answers, found.totals)


def test_no_answers_are_no_trouble():
    nothing = answers_of_groups([])
    assert pay(nothing, Settings(FINER)).totals.tolist() == [] and nothing.pairs[0].tolist() == []
    empty = rerun(nothing, Settings(nothing.recipe))
    assert "There are no answers yet" in what_if(nothing, empty, empty)
    assert ranks(empty.totals).tolist() == []


# --- drawing


def test_a_group_is_drawn_answer_by_answer():
    answers = answers_of_groups([samples.group()])
    before = as_recorded(answers, Scaling("group"))
    after = rerun(answers, Settings(dataclasses.replace(FINER.with_weights({"execution": 0.0}), shaping=PAPER.shaping)))
    shown = what_if(answers, before, after, 3, chosen=301)
    for words in ("of 6 pairs of answers change", "✓0", "Training would refuse this", "Shaping φ(J)", "is the sum of", "i-chosen", "answer 1: 0.355 →"):
        assert words in shown
    assert shown.count('class="i-line s-down i-wrong') == 3 and "i-wrong i-chosen" in shown


def test_every_answer_of_a_group_is_named_where_its_line_ends_in_rows_that_stand_apart():
    answers = answers_of_groups([finer.Run(RECORDED).group(76)])
    before = as_recorded(answers, Scaling())
    rows = re.findall(r'<text x="290" y="([\d.]+)">([^<]+)', what_if(answers, before, before, 76))
    assert sorted(name for _, said in rows for name in said.split()) == ["✓1", "✓5", "✗0", "✗2", "✗3", "✗4", "✗6", "✗7"]
    heights = [float(y) for y, _ in rows]
    assert min(below - above for above, below in itertools.pairwise(heights)) >= 11


def test_a_large_group_counts_whom_it_cannot_name():
    group = finer.Run(RECORDED).group(76)
    many = dataclasses.replace(group, rollouts=tuple(dataclasses.replace(group.rollouts[at % 8], rollout_id=at, position=at) for at in range(128)))
    answers = answers_of_groups([many])
    before = as_recorded(answers, Scaling())
    assert re.search(r">✗\d+ ✗\d+ \+\d+<", what_if(answers, before, before, 76))


def test_a_run_is_drawn_as_a_cloud_of_bounded_size():
    answers = recorded()
    upside = rerun(answers, Settings(FINER.with_weights({"execution": 0.0, "memory": 2.0}), Scaling("group")))
    shown = what_if(answers, as_recorded(answers, Scaling()), upside)
    assert "600 of 768 answers" in shown and "● right, ○ wrong" in shown and "<table" not in shown
    assert len(shown) < 90_000


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_can_be_drawn(recipe):
    answers = recorded()
    named = dataclasses.replace(RECIPES[recipe], weights={**dict.fromkeys(answers.parts, 0.0), **RECIPES[recipe].weights})
    assert "Totals" in what_if(answers, as_recorded(answers, Scaling()), rerun(answers, Settings(named)), 7)


# --- the knobs


def test_a_turned_knob_is_drawn_at_once():
    view = WhatIfView(RECORDED, group_id=7)
    assert "0 of 28 pairs of answers change places; 0 of 8 advantages change sign" in view.widget.value
    assert view.knobs.settings == Settings(FINER)
    assert all(knob.continuous_update for knob in view.knobs.weights.values())
    view.knobs.weights["execution"].value = 0.0
    assert "execution 0, atomic 0.35" in view.widget.value and "execution 0, atomic 0.35" in view.to_html()
    view.knobs.shaping["gamma"].value, view.knobs.shaping["beta"].value, view.knobs.shaping["lam"].value = 0.2, 0.79, 0.05
    assert "λ 0.05, β 0.79, γ 0.2" in view.widget.value
    view.knobs.scale.value, view.knobs.gate.value, view.knobs.hold.value = "group", True, True
    assert "a gate on the format; margin 0.4 held; advantages scaled by the group" in view.widget.value
    view.knobs.reset.click()
    assert view.knobs.settings == Settings(FINER) and "0 of 28 pairs" in view.widget.value


def test_the_knobs_start_from_a_named_recipe():
    view = WhatIfView(RECORDED, group_id=7)
    assert view.knobs.start.options == ("as recorded", "sparse", "paper", "finer")
    view.knobs.start.value = "sparse"
    assert view.knobs.settings.recipe.weights == {"format": 0.0, "execution": 1.0, "atomic": 0.0, "memory": 0.0}
    view.knobs.start.value = "paper"
    assert view.knobs.settings.recipe == dataclasses.replace(PAPER, weights=view.knobs.settings.recipe.weights)
    view.knobs.start.value = "as recorded"
    assert view.knobs.settings == Settings(FINER)


def test_the_whole_run_and_the_step_of_a_group():
    view = WhatIfView(RECORDED, group_id=7)
    view.knobs.order.value = PARTS_FIRST
    step = answers_of_run(finer.Run(RECORDED), 2)
    best = rerun(step, view.knobs.settings).advantages[step.group_ids == 7].max()
    assert f"▲ +{best:.2f}" in view.widget.value, "the other groups of the step count"
    view.knobs.over.value = "the whole run"
    assert "of 2,688 pairs" in view.widget.value and "Steps 1 to 24: 768 answers" in view.widget.value
    assert view.panel.children[1] is view.widget


def test_another_way_of_counting_is_read_from_the_evidence_and_asks_for_a_rescore(tmp_path):
    """The overlap is held as it was counted, so a recipe that counts otherwise is no place to start from."""
    group = samples.group()
    near = {"extra": 0.5, "changed": 0.5}
    counted = [
        dataclasses.replace(row, breakdown=dataclasses.replace(row.breakdown, parts=tuple(
            dataclasses.replace(part, evidence={**part.evidence, "counting": near}) if part.name == "atomic" else part for part in row.breakdown.parts)))
        for row in group.rollouts
    ]  # fmt: skip
    as_jaccard, as_near = (answers_of_groups([one]).recipe for one in (group, dataclasses.replace(group, rollouts=tuple(counted))))
    assert as_jaccard.counting == Counting() and as_near.counting == Counting(**near)
    with RunWriter.create(tmp_path / "run", {"recipe": "finer-near"}) as writer:
        writer.write_step(1, [dataclasses.replace(group, step=1, rollouts=tuple(dataclasses.replace(row, step=1) for row in counted))], {}, {})
    assert answers_of_run(finer.Run(tmp_path / "run")).recipe.counting == Counting(**near)
    assert "finer" in startable(as_jaccard) and "finer-near" not in startable(as_jaccard)
    assert "finer-near" in startable(as_near) and "finer" not in startable(as_near) and "sparse" in startable(as_near)


ODD_COUNTING = {"a word": "half", "a list": [0.5], "out of range": {"extra": 2, "changed": None}, "not numbers": {"extra": "x", "changed": "y"}, "nothing": None}


@pytest.mark.parametrize("told", ODD_COUNTING.values(), ids=ODD_COUNTING)
def test_odd_evidence_on_counting_is_read_as_the_plain_index(told):
    assert counting_of({"counting": told}) == Counting()
