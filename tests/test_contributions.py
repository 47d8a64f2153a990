"""Each advantage as the sum of what the parts added: for every way of scaling, behind a gate, under a shaping and a cap."""

from __future__ import annotations

import dataclasses
import doctest
import html
import json
import re
from statistics import fmean, stdev

import numpy as np
import pytest
import render_samples as samples
from hypothesis import given, settings
from hypothesis import strategies as st

import finer
from finer import contributions as module
from finer.contributions import (
    EVERY_SCALING,
    Payments,
    Scaling,
    advantages,
    contributions,
    group_contributions,
    payments,
    recorded_scaling,
)
from finer.records import RewardPart
from finer.render import answer_difference, group_table
from finer.render.difference import text_difference
from finer.render.markup import plain
from widgets import GroupView

RECORDED = finer.DATA / "recorded" / "first-steps"
values = st.floats(0, 1) | st.sampled_from([0.0, 0.1, 0.3, 1.0])


def test_examples_in_the_docstrings():
    assert doctest.testmod(module).failed == 0


@st.composite
def paid(draw):
    """Two steps of groups of any size, some closed behind a gate, some shaped, some not scored, some capped."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    rows, columns = sum(sizes), draw(st.integers(1, 4))
    table = lambda of: np.array(draw(st.lists(st.lists(of, min_size=columns, max_size=columns), min_size=rows, max_size=rows)))
    plain_values, shaped, opened = table(values), table(values), table(st.booleans())
    flags = lambda: np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
    scored, bent = flags(), flags()
    shaped = np.where(bent[:, None], shaped, plain_values)
    weights = np.tile(draw(st.lists(st.floats(0, 4), min_size=columns, max_size=columns)), (rows, 1))
    group = np.repeat(np.arange(len(sizes)), sizes)
    cap = draw(st.none() | st.just(-0.1 * flags()))
    parts = tuple("abcd"[:columns])
    return Payments(parts, weights, plain_values, shaped, shaped * opened, scored, group, group % 2, cap)


@settings(max_examples=60, deadline=None)
@given(paid(), st.sampled_from(EVERY_SCALING))
def test_terms_sum_to_the_advantage(answers, scaling):
    terms = contributions(answers, scaling)
    assert set(answers.parts) <= set(terms) <= {*answers.parts, "shaping", "gate", "margin"}
    largest = max(1.0, *(np.abs(term).max() for term in terms.values()))
    assert np.abs(sum(terms.values()) - advantages(answers, scaling)).max() < 1e-9 * largest


@settings(max_examples=25, deadline=None)
@given(paid(), st.sampled_from(EVERY_SCALING))
def test_terms_of_a_group_sum_to_nothing(answers, scaling):
    for term in contributions(answers, scaling).values():
        assert np.abs(np.bincount(answers.group, term)).max() < 1e-9 * max(1.0, np.abs(term).max())
    assert not advantages(answers, scaling)[~answers.scored].any()


def by_hand(rewards, weights, scaling, size):
    """TRL's formulas answer by answer, with None for an answer whose gold failed: one step, groups of one size."""
    groups = [range(start, start + size) for start in range(0, len(rewards), size)]
    known = [at for at, row in enumerate(rewards) if row]

    def spread_out(values, members):
        held = [values[at] for at in members if at in known]
        return fmean(held), stdev(held)

    if scaling.aggregation == "normalize_then_sum":
        summed = [0.0] * len(rewards)
        for place, weight in enumerate(weights):
            for members in groups:
                column = [row[place] if row else None for row in rewards]
                mean, spread = spread_out(column, members)
                for at in set(members) & set(known):
                    summed[at] += weight * (column[at] - mean) / (spread + 1e-4)
        mean, spread = spread_out(summed, range(len(rewards)))
        return [(summed[at] - mean) / (spread + 1e-4) if at in known else 0.0 for at in range(len(rewards))]
    totals = [sum(weight * value for weight, value in zip(weights, row)) if row else None for row in rewards]
    found = [0.0] * len(rewards)
    for members in groups:
        mean, of_group = spread_out(totals, members)
        of_step = spread_out(totals, range(len(rewards)))[1]
        divisor = {"none": 1.0, "group": of_group + 1e-4, "batch": of_step + 1e-4}[scaling.scale_rewards]
        for at in set(members) & set(known):
            found[at] = (totals[at] - mean) / divisor
    return found


@pytest.mark.parametrize("scaling", EVERY_SCALING, ids=lambda s: f"{s.aggregation}, {s.scale_rewards}")
def test_advantages_are_trls(scaling):
    rewards, weights = np.random.default_rng(0).random((12, 3)), [0.5, 0.3, 2.0]
    scored, group = np.arange(12) != 5, np.repeat([0, 1, 2], 4)
    answers = Payments(("a", "b", "c"), np.tile(weights, (12, 1)), rewards, rewards, rewards, scored, group, 0 * group)
    expected = by_hand([row if known else None for row, known in zip(rewards.tolist(), scored)], weights, scaling, 4)
    assert np.abs(advantages(answers, scaling) - expected).max() < 1e-12


BENDS = {
    "linear": (RewardPart("atomic", 0.5, 1.0, {"overlap": 0.5}), "wrong", (0.5, 0.5, 0.5)),
    "shaped": (RewardPart("atomic", 0.7, 1.0, {"overlap": 0.5}), "wrong", (0.5, 0.7, 0.7)),
    "shaped, behind the gate": (RewardPart("atomic", 0.0, 1.0, {"overlap": 0.5, "ungated": 0.7}), "wrong", (0.5, 0.7, 0.0)),
    "right: a fixed value": (RewardPart("atomic", 1.0, 1.0, {"overlap": 0.5}), "correct", (1.0, 1.0, 1.0)),
    "did not run: nothing is shaped": (RewardPart("atomic", 0.0, 1.0, {"overlap": 0.5}), "error", (0.0, 0.0, 0.0)),
    "not scored": (RewardPart("atomic", None, 1.0, {"overlap": None}), "wrong", (0.0, 0.0, 0.0)),
    "another part's overlap is its value": (RewardPart("bigram", 1.0, 1.0, {"overlap": 0.5}), "wrong", (1.0, 1.0, 1.0)),
    "hostile evidence": (RewardPart("atomic", 0.3, 1.0, {"overlap": "<b>", "ungated": float("nan")}), "wrong", (0.3, 0.3, 0.3)),
}


@pytest.mark.parametrize("name", BENDS)
def test_bends_of_a_recorded_part(name):
    part, status, expected = BENDS[name]
    assert module.bends_of(part, status) == expected


def test_a_closed_gate_is_a_term_of_its_own():
    parts = (RewardPart("format", 0.0, 1.0, {"gate": "no thought", "ungated": 0.0}), RewardPart("atomic", 0.0, 1.0, {"overlap": 0.5, "ungated": 0.7}))
    group = samples.group()
    closed = dataclasses.replace(group.rollouts[1].breakdown, parts=parts)
    passed = dataclasses.replace(closed, parts=(RewardPart("format", 1.0, 1.0), RewardPart("atomic", 0.7, 1.0, {"overlap": 0.5})))
    members = tuple(dataclasses.replace(group.rollouts[0], position=at, breakdown=one) for at, one in enumerate((closed, passed)))
    terms, other = group_contributions(dataclasses.replace(group, rollouts=members))
    assert {name: round(amount, 9) for name, amount in terms.items()} == {"format": -0.5, "atomic": 0.0, "shaping": 0.0, "gate": -0.35}
    assert other["gate"] == -terms["gate"]


def test_a_recorded_run_is_reproduced():
    run = finer.Run(RECORDED)
    for step in (1, 12, 24):
        groups = [run.group(summary.group_id) for summary in run.groups(step)]
        assert recorded_scaling(groups) == Scaling(run.config["scale_rewards"])
        recorded = np.array([row.advantage for group in groups for row in group.rollouts])
        assert np.abs(advantages(payments(groups)) - recorded).max() < 1e-7, "recorded in single precision"


def test_a_scaling_that_is_none_of_them_is_not_guessed():
    group = samples.group()
    assert recorded_scaling([group]) == Scaling("group")
    odd = dataclasses.replace(group, rollouts=tuple(dataclasses.replace(row, advantage=7.0) for row in group.rollouts))
    assert recorded_scaling([odd]) is None
    untold = dataclasses.replace(group, rollouts=tuple(dataclasses.replace(row, advantage=None) for row in group.rollouts))
    assert recorded_scaling([untold]) is None
    with pytest.raises(ValueError, match="'groups' is no way to scale rewards; it is one of none, group, batch"):
        Scaling("groups")


def test_the_group_table_says_the_sum():
    shown = group_table(samples.group())
    assert "The terms sum to the advantage: (total − group mean) / (spread of the group + 0.0001)." in shown
    (first, *_) = group_contributions(samples.group(), Scaling("group"))
    assert abs(sum(first.values()) - samples.group().rollouts[0].advantage) < 1e-9
    assert f"execution +{first['execution']:.2f}, atomic +{first['atomic']:.2f}" in shown


# --- text difference


def test_two_selected_answers_are_compared_in_the_group_view():
    view = GroupView(RECORDED, group_id=20)
    assert "Select two answers to see how their texts differ" in view.widget.value
    view.choice.show_rollouts(tuple(row.rollout_id for row in view.choice.group.rollouts[:2]))
    view.refresh()
    assert "answer 0 of step 5" in view.widget.value and "<ins>MIN(</ins>price<del>, title</del>" in view.widget.value
    view.choice.show_rollouts(tuple(row.rollout_id for row in view.choice.group.rollouts[1::-1]))
    page = view.to_html()
    rows, chosen = json.loads(re.search(r'"answers":(\[\[.*?\]\])', page)[1]), json.loads(re.search(r'"chosen":(\[.*?\])', page)[1])
    assert [rows[place][0] for place in chosen] == [1, 0], "in the order of the selection"


@given(st.text(max_size=80), st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_a_difference_holds_both_texts(old, new):
    shown = text_difference(old, new)
    assert rebuilt(shown, "ins") == plain(old) and rebuilt(shown, "del") == plain(new)


def rebuilt(shown: str, dropped: str) -> str:
    """The text that is left when one kind of word is dropped."""
    return html.unescape(re.sub(r"</?(?:del|ins)>", "", re.sub(rf"<{dropped}>.*?</{dropped}>", "", shown, flags=re.DOTALL)))


def test_hostile_answers_stay_text():
    group = samples.group()
    nasty = dataclasses.replace(group.rollouts[0], completion="<script>alert(1)</script>\u202e\x1b[31m</del>" + "y " * 1_000_000)
    shown = answer_difference(group.rollouts[1], nasty)
    assert "<script>" not in shown and "&lt;" in shown and "\\u202e" in shown and "\x1b" not in shown
    assert "compared are the first 1,000 words" in shown and len(shown) < 60_000
