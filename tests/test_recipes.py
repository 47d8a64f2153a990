"""Recipes: their numbers, their proof, and the three invariants over everything a part can say. Run: pytest tests/test_recipes.py"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from finer.atoms import counted
from finer.prompt import Parsed
from finer.records import Atom, AtomicOverlap, Counting, Execution, MemoryMatch, Verdict
from finer.rewards import RECIPES, Recipe, RecipeError, Shaping, breakdown, get_recipe
from finer.rewards.facts import BigramOverlap, Facts, ResultOverlap

FAILED = ("error", "timeout", "too_large", "refused")
RAN = ("ok", "empty")


def facts(correct=True, status="ok", overlap=1.0, similarity=1.0, well_formed=True, not_a_query="", bigram=1.0, cells=1.0, columns=1.0):
    ran = status in RAN
    parsed = Parsed("a thought", "SELECT 1", well_formed, "" if well_formed else "no thought")
    execution = Execution(status, error="" if status in RAN else "it broke")
    return Facts(
        parsed,
        Verdict(correct, status, "" if correct else "row (1,) is missing", 0, execution, Execution("ok")),
        not_a_query,
        None,
        overlap if isinstance(overlap, AtomicOverlap) else AtomicOverlap(overlap, reason="" if overlap is not None else "unreadable"),
        MemoryMatch(similarity, (), 3, "" if similarity is not None else "no thought"),
        BigramOverlap(bigram),
        ResultOverlap(cells, columns) if ran else ResultOverlap(reason="there is no result to compare"),
    )


def compared(matched, missing=0, extra=0, changed=0):
    """A comparison with so many operations on each side; the changed ones are missing and extra as well."""
    atom = Atom("SELECT", "a")
    pairs = ((atom, atom),)
    missing, extra = missing + changed, extra + changed
    union = matched + missing + extra
    return AtomicOverlap(matched / union if union else None, pairs * matched, (atom,) * missing, (atom,) * extra, "", "", pairs * changed)


NEAR = Counting(extra=0.5, changed=0.5)


def total(recipe, **what):
    return breakdown(recipe, facts(**what)).total


# -- the recipes, number by number ------------------------------------------------------------------------------------

PHI_HALF = 0.05 * 0.5 + 0.95 * 0.79 * 0.5**0.2
WRONG = {"correct": False, "status": "ok", "overlap": 0.5, "similarity": 0.6, "bigram": 0.3, "cells": 0.4, "columns": 0.2}


@pytest.mark.parametrize(
    ("name", "what", "expected"),
    [
        # recipe, facts, (format, execution, atomic, memory), (format, execution, bigram or result) or (execution,)
        ("sparse", {}, (1,)),
        ("sparse", WRONG, (0,)),
        ("sparse", {**WRONG, "status": "error"}, (0,)),
        ("sparse", {"well_formed": False}, (1,)),
        ("paper", {"overlap": 0.3, "similarity": 0.2}, (1, 2, 0, 1)),
        ("paper", WRONG, (1, 1, PHI_HALF, 0.6)),
        ("paper", {**WRONG, "status": "empty"}, (1, 1, PHI_HALF, 0.6)),
        ("paper", {**WRONG, "status": "error"}, (1, 0, 0, 0.6)),
        ("paper", {**WRONG, "overlap": 0.0}, (1, 1, 0, 0.6)),
        ("paper", {**WRONG, "overlap": None, "similarity": None}, (1, 1, None, None)),
        ("paper", {"well_formed": False}, (0, 0, 0, 0)),
        ("paper", {**WRONG, "well_formed": False}, (0, 0, 0, 0)),
        ("bigram", {"bigram": 0.2}, (1, 1, 1)),
        ("bigram", WRONG, (1, 0.1, 0.3)),
        ("bigram", {**WRONG, "status": "error"}, (1, 0, 0.3)),
        ("bigram", {**WRONG, "well_formed": False}, (0, 0.1, 0.3)),
        ("result", {"cells": 0.0, "columns": 0.0}, (1, 1, 1)),
        ("result", WRONG, (1, 0.1, 0.3)),
        ("result", {**WRONG, "cells": 1.0, "columns": 1.0}, (1, 0.1, 1)),
        ("result", {**WRONG, "status": "error"}, (1, 0, 0)),
        ("result", {**WRONG, "status": "timeout", "well_formed": False}, (0, 0, 0)),
        ("finer", {"overlap": 0.3, "similarity": 0.2}, (1, 1, 1, 1)),
        ("finer", {"overlap": None, "similarity": None}, (1, 1, 1, 1)),
        ("finer", WRONG, (1, 0.1, 0.5, 0.6)),
        ("finer", {**WRONG, "status": "timeout"}, (1, 0, 0.5, 0.6)),
        ("finer", {**WRONG, "well_formed": False}, (0, 0.1, 0.5, 0.6)),
        ("finer", {"well_formed": False}, (0, 1, 1, 1)),
        ("finer-near", {"overlap": 0.3, "similarity": 0.2}, (1, 1, 1, 1)),
        ("finer-near", {**WRONG, "overlap": compared(2, changed=1)}, (1, 0.02, 2.5 / 3, 0.6)),
        ("finer-near", {**WRONG, "overlap": compared(2, missing=1)}, (1, 0.02, 2 / 3, 0.6)),
        ("finer-near", {**WRONG, "status": "error", "overlap": compared(2, extra=1)}, (1, 0, 2 / 2.5, 0.6)),
        ("finer", {**WRONG, "overlap": None, "similarity": None}, (1, 0.1, None, None)),
    ],
)
def test_values(name, what, expected):
    assert tuple(part.value for part in breakdown(get_recipe(name), facts(**what)).parts) == pytest.approx(expected)


@pytest.mark.parametrize("name", RECIPES)
def test_a_failed_gold_scores_nothing(name):
    paid = breakdown(get_recipe(name), facts(correct=None, status="gold_failed"))
    assert paid.status == "gold_failed" and paid.total == 0
    assert all(part.value is None and "the gold query failed" in part.evidence["summary"] for part in paid.parts)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("well_formed", [True, False])
def test_no_query_is_paid_nothing_with_the_reason(name, well_formed):
    paid = breakdown(
        get_recipe(name), facts(correct=False, status="refused", well_formed=well_formed, not_a_query="two statements")
    )
    assert paid.status == "refused"
    assert all(part.value == 0 and part.evidence["reason"] == "two statements" for part in paid.parts)


def test_the_gate_says_what_it_held_back():
    paid = breakdown(get_recipe("paper"), facts(**WRONG, well_formed=False))
    assert paid.total == 0
    assert [part.evidence["ungated"] for part in paid.parts] == pytest.approx([0, 1, PHI_HALF, 0.6])
    assert {part.evidence["gate"] for part in paid.parts} == {"no thought"}


def test_full_marks_and_margins():
    assert [recipe.full_marks for recipe in RECIPES.values()] == pytest.approx([1, 4, 1, 1, 1, 1])
    assert [recipe.margin for recipe in RECIPES.values()] == pytest.approx([1, 0.1995, 0.4, 0.4, 0.4, 0.4])


@pytest.mark.parametrize("name", ["bigram", "result", "finer"])
def test_stated_bounds(name):
    recipe = get_recipe(name)
    assert total(recipe, well_formed=False) == pytest.approx(0.95)
    assert total(recipe, correct=False) == pytest.approx(0.55)


# -- counting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counting", "counts", "value", "says"),
    [
        pytest.param(Counting(), (2, 0, 0, 1), 2 / 4, "overlap 0.50: 2 operations match, 1 missing, 1 extra (1 of them changed", id="Jaccard: a changed one is missing and extra"),
        pytest.param(NEAR, (2, 0, 0, 1), 2.5 / 3, "overlap 0.83: 2 operations match", id="near: a changed one earns half"),
        pytest.param(NEAR, (2, 1, 0, 0), 2 / 3, "overlap 0.67: 2 operations match, 1 missing, 0 extra", id="near: leaving it out earns less"),
        pytest.param(NEAR, (2, 0, 1, 0), 2 / 2.5, "overlap 0.80: 2 operations match, 0 missing, 1 extra", id="near: an extra one costs half"),
        pytest.param(Counting(extra=0.0), (2, 1, 3, 0), 2 / 3, "overlap 0.67: 2 operations match, 1 missing, 3 extra", id="extra ones cost nothing"),
        pytest.param(Counting(changed=1.0), (2, 0, 0, 1), 1.0, "overlap 1.00", id="a changed one counts as a match"),
    ],
)  # fmt: skip
def test_what_extra_and_changed_operations_count(counting, counts, value, says):
    part = breakdown(replace(FINER, counting=counting), facts(**{**WRONG, "overlap": compared(*counts)})).part("atomic")
    assert part.value == pytest.approx(value) == part.evidence["overlap"] and says in part.evidence["summary"]
    assert part.evidence.get("counting") == (None if counting == Counting() else {"extra": counting.extra, "changed": counting.changed})


unit = st.floats(0, 1)
few = st.integers(0, 6)
countings = st.builds(Counting, st.floats(0, 1), st.none() | st.floats(0, 1))


@given(counting=countings, matched=few, missing=few, extra=few, changed=few)
def test_a_counted_overlap_lies_between_none_and_all(counting, matched, missing, extra, changed):
    found = counted(compared(matched, missing, extra, changed), counting)
    if not matched + missing + extra + changed:
        assert found.overlap is None
    else:
        assert 0 <= found.overlap <= 1 and (found.overlap > 0 or not matched)


@given(extra=unit, changed=unit, matched=few, missing=few, more=few)
def test_an_operation_that_is_tried_earns_no_less_than_one_left_out(extra, changed, matched, missing, more):
    counting = Counting(extra, changed)
    tried, left_out = (counted(compared(matched, *counts), counting).overlap for counts in ((missing, more, 1), (missing + 1, more, 0)))
    assert tried >= left_out - 1e-12


@given(counting=countings, matched=st.integers(1, 6), missing=few, extra=few, changed=few)
def test_one_more_match_earns_no_less_and_one_more_extra_no_more(counting, matched, missing, extra, changed):
    at, found, longer = (counted(compared(m, g, x, changed), counting).overlap for m, g, x in ((matched, missing + 1, extra), (matched + 1, missing, extra), (matched, missing + 1, extra + 1)))
    assert longer <= at + 1e-12 and found >= at - 1e-12


# -- shaping ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [(0, 0), (0.01, 0.30), (0.05, 0.41), (0.1, 0.48), (0.25, 0.58), (0.5, 0.68), (0.75, 0.75), (1, 0.80)],
)
def test_shaping_of_the_paper(overlap, expected):
    """The sweep's figures for S3."""
    assert get_recipe("paper").shaping(overlap) == pytest.approx(expected, abs=0.01)


shapings = st.builds(Shaping, st.floats(0, 1), st.floats(0, 2), st.floats(0.05, 5))


@given(shaping=shapings, first=st.floats(0, 1), second=st.floats(0, 1))
def test_an_accepted_shaping_rises_from_zero(shaping, first, second):
    assert not shaping.problem() and shaping(0.0) == 0
    assert shaping(min(first, second)) <= shaping(max(first, second)) + 1e-12


# -- check ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_passes_its_own_check(name):
    assert get_recipe(name).check() is get_recipe(name)


FINER, PAPER = RECIPES["finer"], RECIPES["paper"]
NAN = float("nan")


@pytest.mark.parametrize(
    ("case", "recipe", "message"),
    [
        (
            "atomic too heavy",
            PAPER.with_weights({"atomic": 1.3}),
            r"= 4; .*1\.041 \(atomic\).* = 4\.041\. .* -0\.04065, and",
        ),
        (
            "the sweep's S1",
            replace(PAPER, shaping=Shaping(0.15, 1.0, 0.35)),
            r"Between them lie 0, and the margin is 0\.1995",
        ),
        (
            "execution too light",
            FINER.with_weights({"execution": 0.3}),
            r"= 0\.75; .* = 0\.53\. Between them lie 0\.22",
        ),
        ("format too heavy", FINER.with_weights({"format": 0.2}), r"0 \(format\).*0\.2 \(format\)"),
        ("format too heavy beside bigrams", RECIPES["bigram"].with_weights({"format": 0.2}), r"0\.45 \(bigram\) = 0\.95; .*0\.45 \(bigram\) = 0\.7\. Between them lie 0\.25"),
        (
            "execution too light beside results",
            RECIPES["result"].with_weights({"execution": 0.2}),
            r"0\.2 \(execution\) \+ 0\.45 \(result\) = 0\.65; .*0\.02 \(execution\) \+ 0\.45 \(result\) = 0\.52\. Between them lie 0\.13",
        ),
        ("no weight at all", FINER.with_weights(dict.fromkeys(FINER.parts, 0.0)), "Between them lie 0,"),
        ("negative weight", FINER.with_weights({"memory": -0.1}), "the weight of memory is -0.1; it must be"),
        ("weight not a number", FINER.with_weights({"memory": NAN}), "the weight of memory is nan"),
        ("weight as text", FINER.with_weights({"memory": "0.1"}), "the weight of memory is '0.1'"),
        ("weight without end", FINER.with_weights({"execution": float("inf")}), "the weight of execution is inf"),
        ("margin of nothing", replace(FINER, margin=0.0), "the margin is 0.0; it must be a number above 0"),
        ("wrong pays like right", replace(FINER, execution_wrong=1.5), "execution pays 0.0 / 1.5 / 1.0"),
        ("failing pays more", replace(FINER, execution_fails=0.2), "execution pays 0.2 / 0.1 / 1.0"),
        ("lam out of range", replace(FINER, shaping=Shaping(lam=1.2)), "lam is 1.2; it must lie between 0 and 1"),
        ("beta negative", replace(FINER, shaping=Shaping(0.5, -1, 1)), "beta is -1"),
        ("an extra operation above 1", replace(FINER, counting=Counting(extra=1.5)), "an extra operation counts 1.5; it must lie between 0 and 1"),
        ("a changed operation below 0", replace(FINER, counting=Counting(changed=-0.5)), "a changed operation earns -0.5; it must lie between 0 and 1, or be None"),
        ("gamma zero", replace(FINER, shaping=Shaping(0.5, 1, 0)), "gamma is 0"),
        ("atomic of right below 0", replace(FINER, atomic_right=-1.0), "the atomic value of a right answer is -1.0"),
        (
            "unknown part",
            replace(FINER, parts=("format", "style")),
            "unknown part 'style'; there are format, execution, atomic, bigram, result, memory",
        ),
        ("part twice", replace(RECIPES["sparse"], parts=("execution", "execution")), "a part is named twice"),
        ("weight missing", replace(FINER, weights={"format": 1.0}), r"weights are given for \['format'\]"),
        ("gate without format", replace(RECIPES["sparse"], gate=True), "a gate needs the part 'format'"),
    ],
)
def test_check_refuses(case, recipe, message):
    with pytest.raises(RecipeError, match=message) as caught:
        recipe.check()
    assert recipe.name in str(caught.value), case


def test_with_weights_changes_a_copy():
    changed = FINER.with_weights({"memory": 0.05})
    assert changed.weights == {**FINER.weights, "memory": 0.05} and FINER.weights["memory"] == 0.1
    assert hash(changed) == hash(FINER) and changed != FINER


def test_with_weights_names_the_parts_there_are():
    with pytest.raises(RecipeError, match="recipe 'sparse' has no part 'memory'; it has execution"):
        get_recipe("sparse").with_weights({"memory": 1})


def test_unknown_recipe_names_those_there_are():
    with pytest.raises(RecipeError, match="unknown recipe 'papper'; did you mean 'paper'.*, or FILE.py:NAME"):
        get_recipe("papper")


# -- the three invariants ---------------------------------------------------------------------------------------------

maybe = st.none() | unit
overlaps = st.none() | st.builds(compared, st.integers(1, 6), few, few, few) | st.builds(compared, few, st.integers(1, 6), few, few)
queries = st.fixed_dictionaries(
    {
        "status": st.sampled_from(RAN + FAILED[:3]),
        "overlap": overlaps,
        "similarity": maybe,
        "bigram": unit,
        "cells": unit,
        "columns": unit,
        "well_formed": st.booleans(),
    }
)
rights = st.fixed_dictionaries(
    {"status": st.sampled_from(RAN), "overlap": overlaps, "similarity": maybe, "well_formed": st.booleans()}
)


@st.composite
def accepted_recipes(draw):
    """Recipes that pass ``check``: the named ones, and others with any weights, values and shaping."""
    if draw(st.booleans()):
        return draw(st.sampled_from(list(RECIPES.values())))
    parts = ("execution", *draw(st.sets(st.sampled_from(["format", "atomic", "bigram", "result", "memory"]))))
    fails, wrong = sorted(draw(st.tuples(unit, unit)))
    recipe = Recipe(
        "drawn",
        parts,
        {part: draw(st.floats(0, 2)) for part in parts} | {"execution": draw(st.floats(1, 10))},
        gate="format" in parts and draw(st.booleans()),
        margin=1.0,
        execution_fails=fails,
        execution_wrong=wrong,
        execution_right=wrong + draw(st.floats(0.1, 3)),
        counting=draw(countings),
        shaping=draw(shapings),
        atomic_right=draw(unit),
        atomic_needs_run=draw(st.booleans()),
    )
    gap = sum(recipe.least_right_pay().values()) - sum(recipe.most_wrong_pay().values())
    assume(gap > 1e-3)
    return replace(recipe, margin=gap * draw(st.floats(0.01, 1))).check()


@given(recipe=accepted_recipes(), right=rights, wrong=queries)
def test_gold_earns_full_marks(recipe, right, wrong):
    full = total(recipe, **{**right, "well_formed": True})
    assert full == pytest.approx(recipe.full_marks)
    assert full >= max(total(recipe, **right), total(recipe, correct=False, **wrong)) - 1e-9


@given(recipe=accepted_recipes(), right=rights, wrong=queries)
def test_a_wrong_answer_stays_below_a_right_one_by_the_margin(recipe, right, wrong):
    if recipe.gate:  # the margin is stated among the answers that pass the gate
        right = {**right, "well_formed": True}
    assert total(recipe, correct=False, **wrong) <= total(recipe, **right) - recipe.margin + 1e-8


@given(recipe=accepted_recipes(), text=queries, query=queries, correct=st.booleans())
def test_no_query_earns_no_more_than_any_query(recipe, text, query, correct):
    if correct:
        query = {**query, "status": "ok"}
    paid = breakdown(recipe, facts(correct=False, **{**text, "status": "refused"}, not_a_query="prose"))
    assert all(part.value == 0 for part in paid.parts)
    assert paid.total <= total(recipe, correct=correct, **query)


@pytest.mark.parametrize(("name", "credit"), [("finer", 0.35 * 0.5), ("paper", 0.0)], ids=["finer: whether it runs or not", "paper: only where it runs"])
def test_credit_for_operations_of_a_query_that_does_not_run(name, credit):
    part = breakdown(get_recipe(name), facts(**{**WRONG, "status": "error"})).part("atomic")
    assert part.contribution == pytest.approx(credit)
    assert ("paid only where the query runs" in part.evidence["summary"]) is (name == "paper")


@settings(max_examples=50)
@given(recipe=accepted_recipes())
def test_the_bound_on_wrong_answers_is_reached(recipe):
    """So ``check`` refuses nothing that would hold."""
    assert total(recipe, correct=False, overlap=compared(1), similarity=1.0) == pytest.approx(
        sum(recipe.most_wrong_pay().values())
    )
