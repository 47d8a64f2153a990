"""The memory as of other steps: replay, map, their drawings and the view. Run: pytest tests/test_memory_past.py"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from memory_samples import HashingEncoder, memory_of, trace

from finer.datasets import load_dataset
from finer.memory import Query, first_plane, map_as_of, replayed, scores_over_steps, steps_shown
from finer.memory import past as past_module
from finer.memory.plane import principal_plane
from finer.render import memory_as_of, memory_map, memory_past
from finer.runs import Run
from widgets import MemoryView

RECORDED = Path(__file__).parent.parent / "data" / "recorded" / "first-steps"
GROUP, STEP = 63, 16
"""A mixed group of the recorded run, and its step."""


@pytest.fixture(scope="module")
def run():
    return Run(RECORDED)


@pytest.fixture(scope="module")
def memory(run):
    return replayed(load_dataset("starter").traces, run.memory_events())


def event(thought, step, kind="inserted", collection="verified"):
    return SimpleNamespace(kind=kind, collection=collection, step=step, trace=trace(thought))


GROWN = [event("join b c", 1), event("guess", 1, collection="failed"), event("no", 1, "refused"), event("join a b", 3)]


# -- replay -----------------------------------------------------------------------------------------------------------


def test_the_score_as_of_its_own_step_is_the_recorded_one(run, memory):
    """Every rollout of the recorded run that was compared with the memory: the replay misses none and moves none."""
    compared = 0
    for summary in run.groups():
        group = run.group(summary.group_id)
        for rollout in group.rollouts:
            evidence = rollout.breakdown.part("memory").evidence
            if evidence["similarity"] is not None:
                query = Query(rollout.breakdown.thought, group.question.db_id, group.question.text)
                (past,) = scores_over_steps(memory, query, [group.step])
                assert past.match.similarity == pytest.approx(evidence["similarity"], abs=1e-6)
                assert past.match.snapshot == evidence["snapshot"]
                compared += 1
    assert compared == 732


def test_a_replayed_memory_holds_what_the_gate_took_each_in_its_collection():
    memory = replayed([trace("count rows")], GROWN, HashingEncoder(), contrast=True)
    assert [one.thought for one in memory.traces] == ["count rows", "join b c", "join a b"]
    assert [one.thought for one in memory.failed_traces] == ["guess"] and memory.retrieval.contrast
    assert [memory.snapshot_at(step) for step in (1, 2, 3, 4)] == [(1, 0), (2, 1), (2, 1), (3, 1)]


def test_a_score_over_steps_asks_each_snapshot_once(monkeypatch):
    memory = replayed([trace("count rows")], GROWN, HashingEncoder())
    asked, match_many = [], memory.match_many
    monkeypatch.setattr(memory, "match_many", lambda queries, seen: asked.append(seen) or match_many(queries, seen))
    scores = scores_over_steps(memory, Query("join a b", "library"), range(1, 6))
    assert asked == [(1, 0), (2, 1), (3, 1)]
    assert [one.match.snapshot for one in scores] == [1, 2, 2, 3, 3]
    values = [one.match.similarity for one in scores]
    assert values[0] < values[1] == values[2] < values[3] == values[4]


@pytest.mark.parametrize(("last", "own"), [(1, 1), (60, 3), (61, 60), (2000, 1999), (5000, 1)])
def test_the_steps_that_are_shown_hold_the_ends_and_the_own_one(last, own):
    steps = steps_shown(last, own)
    assert {1, own, last} <= set(steps) and len(steps) <= 61 and steps == sorted(steps)


# -- the plane and the map --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(40, 9), (9, 40)], ids=["more rows than numbers", "fewer"])
def test_the_plane_is_that_of_the_covariance(shape):
    rows = np.random.default_rng(0).standard_normal(shape) * np.linspace(3, 1, shape[1])
    plane = principal_plane(rows)
    values, vectors = np.linalg.eigh(np.cov(rows.T))
    assert plane.shares == pytest.approx((values[-1] / values.sum(), values[-2] / values.sum()))
    assert np.abs(plane.axes @ vectors[:, [-1, -2]]) == pytest.approx(np.eye(2), abs=1e-6)
    assert plane.places(rows).mean(axis=0) == pytest.approx([0, 0], abs=1e-9)


FLAT = {"one row": np.ones((1, 4)), "equal rows": np.ones((5, 4)), "one number": np.arange(6.0)[:, None]}


@pytest.mark.parametrize("case", FLAT)
def test_vectors_that_span_no_plane_still_have_places(case):
    plane = principal_plane(FLAT[case])
    assert np.isfinite(plane.places(FLAT[case])).all() and not plane.axes[1].any()


def test_the_map_ranks_the_nearest_and_marks_what_takes_no_part():
    memory = memory_of(("shop", "join a b"), ("bank", "sum c"), ("library", "join a b"), ("shop", "join a d"), k=2)
    found = map_as_of(memory, Query("join a b", "library"), 1, first_plane(memory))
    ranks = {spot.trace.trace_id: (spot.rank, spot.in_scope) for spot in found.spots}
    assert ranks == {0: (1, True), 1: (0, True), 2: (0, False), 3: (2, True)}
    assert found.spots[-1].rank == 1, "the nearest are drawn last, above the others"
    near = [(spot.x, spot.y) for spot in found.spots if spot.rank]
    assert found.centroid == pytest.approx(np.mean(near, axis=0)) and found.traces == 4


def test_the_map_stands_still_while_the_memory_grows():
    first = [trace("count rows"), trace("sum money"), trace("join a b")]
    memory = replayed(first, GROWN, HashingEncoder())
    plane = first_plane(memory)
    early, late = (map_as_of(memory, Query("join a b", "x"), step, plane) for step in (1, 5))
    places = {spot.trace.trace_id: (spot.x, spot.y) for spot in late.spots}
    assert all(places[spot.trace.trace_id] == (spot.x, spot.y) for spot in early.spots)
    assert (early.traces, late.traces) == (3, 5)


MAPS = {
    "an empty memory": (memory_of(), "join", "The memory held no trace yet."),
    "one trace": (memory_of(("shop", "join")), "join", "centroid of the 1 nearest"),
    "a thought of unknown words": (memory_of(("shop", "join")), " ", "The encoder knows no word of the thought."),
}


@pytest.mark.parametrize("case", MAPS)
def test_a_map_of_little_is_drawn_all_the_same(case):
    memory, thought, words = MAPS[case]
    assert words in memory_map(map_as_of(memory, Query(thought, "x"), 1, first_plane(memory)))


def test_of_a_large_memory_some_traces_are_drawn_and_it_says_so(monkeypatch):
    monkeypatch.setattr(past_module, "MOST_SPOTS", 10)
    memory = memory_of(*[("shop", f"join w{number}") for number in range(55)], k=3)
    found = map_as_of(memory, Query("join w7", "x"), 1)
    assert len(found.spots) <= 13 and sum(spot.rank > 0 for spot in found.spots) == 3
    assert f"{len(found.spots)} of 55 traces are drawn" in memory_map(found)


# -- drawings ---------------------------------------------------------------------------------------------------------


def test_each_kind_of_mark_has_its_shape_and_names_itself():
    first = [trace("count <b>rows</b>"), trace("sum money", "x"), trace("join a b")]
    memory = replayed(first, GROWN[:1], HashingEncoder())
    memory.retrieval = replace(memory.retrieval, k=1)
    drawn = memory_map(map_as_of(memory, Query("join a b", "x"), 2))
    svg = drawn[drawn.index("<svg") : drawn.index("</svg>")]
    assert [svg.count(f"<{kind}") for kind in ("circle", "rect", "path")] == [2, 1, 3]
    assert svg.count("mm-hollow") == 1 and 'class="mm-rank">1<' in svg
    assert "nearest no. 1: shop, trace 2, shipped with the starter data: join a b" in svg
    assert "count &lt;b&gt;rows" in svg and "<b>" not in svg


def past(*values, step=1):
    memory = memory_of(("shop", "join a b"))
    (one,) = scores_over_steps(memory, Query("join a b", "x"), [step])
    return [replace(one, step=step + place, match=replace(one.match, similarity=value)) for place, value in enumerate(values)]


PASTS = {
    "comes again": (past(0.5, 0.75), 0.75 + 1e-9, "✓ As of step 2, its own, the recorded similarity comes again: 0.7500."),
    "differs": (past(0.5, 0.75), 0.8, "✗ As of step 2, its own, the similarity is 0.7500, and the run recorded 0.8000"),
    "ends": (past(0.5, 0.75), 0.75, "as of step 1: 0.5000 among 1 traces; as of step 2: 0.7500 among 1 traces; +0.2500"),
    "empty at first": (past(None, 0.75), 0.75, "as of step 2: 0.7500 among 1 traces; as of step 2"),
    "never": (past(None, None), 0.75, "At no step could it be compared."),
}


@pytest.mark.parametrize("case", PASTS)
def test_the_past_is_told_in_words(case):
    scores, recorded, words = PASTS[case]
    assert words in memory_past(scores, 2, recorded)


def test_as_of_one_step_the_neighbours_are_those_of_then():
    (one,) = past(0.5)
    said = memory_as_of(one, 0.75)
    assert "As of step 1: 0.5000 among 1 traces; −0.2500 against the recorded 0.7500." in said and "join a b" in said
    nothing = replace(one, match=replace(one.match, similarity=None, reason="the memory holds no trace"))
    assert "Not compared: the memory holds no trace" in memory_as_of(nothing, 0.75)


# -- the view ---------------------------------------------------------------------------------------------------------


def test_the_view_draws_the_map_on_demand_and_moves_to_any_step(run):
    view = MemoryView(run, GROUP, 1)
    assert view.drawn.value == "" and view.as_of.disabled and "on a plane" not in view.fragment()
    view.past.value = True
    assert f"The memory as step {STEP} saw it" in view.drawn.value and (view.as_of.value, view.as_of.max) == (STEP, 24)
    assert f"✓ As of step {STEP}, its own, the recorded similarity comes again" in view.drawn.value
    assert "the step that is looked at" not in view.drawn.value
    view.as_of.value = 3
    assert "Nearest verified thoughts as of step 3" in view.drawn.value and "The memory as step 3 saw it" in view.drawn.value
    assert "the step that is looked at" in view.drawn.value, "the slider's step stands in the curve"
    view.refresh()
    assert view.as_of.value == 3, "a person's step stays"
    view.choice.show_group(GROUP, 2)
    view.refresh()
    assert view.as_of.value == STEP, "another answer starts at its own step"
    view.past.value = False
    assert view.drawn.value == ""
    assert len(re.findall("on a plane</h3>", view.to_html())) == 1, "a page that can be sent holds the map"


def test_a_run_that_goes_on_is_taken_in_and_one_that_went_back_is_built_again(run):
    view, events = MemoryView(run, GROUP, 1), run.memory_events()
    view.dataset = SimpleNamespace(traces=(trace("count rows"),))
    first = view._replayed(events[:20])
    assert view._replayed(events) is first and len(first.traces) == 1 + 25
    again = view._replayed([*events[:20], *events[30:]])
    assert again is not first and [one.thought for one in again.traces][1:] == [
        event.trace.thought for place, event in enumerate(events) if event.kind == "inserted" and not 20 <= place < 30
    ]


def test_the_view_says_why_there_is_no_map(run):
    view = MemoryView(run, GROUP, 1)
    view.run = SimpleNamespace(config={"dataset": "no/such/folder"}, memory_events=run.memory_events, last_step=24, folder=run.folder)
    view.past.value = True
    assert "The memory cannot be built again here: unknown dataset &#x27;no/such/folder&#x27;" in view.drawn.value
    part = view.choice.rollout.breakdown.part("memory")
    silent = replace(part, evidence={**part.evidence, "similarity": None})
    breakdown = replace(view.choice.rollout.breakdown, parts=(silent,))
    view.choice.selection = [replace(view.choice.rollout, rollout_id=-1, breakdown=breakdown)]
    view.refresh()
    assert "This answer was not compared with the memory" in view.drawn.value
