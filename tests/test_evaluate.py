"""The figures of an evaluation, on a shop of four books. Run with: pytest tests/test_evaluate.py"""

from __future__ import annotations

import json

import pytest
from shop import DEAR, make_shop

from finer.evaluate import judge_predictions, outcome, with_alternatives
from finer.judge import Judge
from finer.metrics import MetricError, rule
from finer.predictions import Prediction, PredictionError
from finer.records import EXECUTION_STATUSES
from finer.versus import compare_predictions


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return make_shop(tmp_path_factory.mktemp("shop"))


def pairs(shop, sqls):
    return [(shop.question(index), Prediction(index, sql)) for index, sql in sqls.items()]


ANSWERS = {
    0: "SELECT count(title) FROM book",
    DEAR: "SELECT title FROM book WHERE price > 8",
    2: "SELECT price FROM book ORDER BY price DESC LIMIT 1",
    3: "SELECT title FROM book WHERE price > 50",
    4: "SELECT 1",
    6: "SELECT 1",
}
CORRECT = [True, True, False, True, None, None]


def test_the_figures(shop):
    found = judge_predictions(pairs(shop, ANSWERS), shop)
    assert [row["correct"] for row in found["per_question"]] == CORRECT
    assert (found["metric"], found["value"], found["n"], found["not_judged"], found["unanswered"]) == ("strict", 0.75, 4, 2, 1)
    assert found["interval"][0] <= 0.75 <= found["interval"][1]
    assert {name: (one["value"], one["n"]) for name, one in found["by_difficulty"].items()} == {"easy": (1, 3), "medium": (0, 1), "hard": (None, 0)}
    assert {name: (one["value"], one["n"]) for name, one in found["by_feature"].items()} == {"order by": (0, 1), "limit": (0, 1), "none of these": (1, 3)}
    assert found["statuses"] == {**dict.fromkeys(EXECUTION_STATUSES, 0), "ok": 3, "empty": 1, "gold_failed": 2}
    assert found["release"] == "the shop" and found["options"]["empty_golds"] == "counted" and found["seconds"] > 0
    assert set(found["per_question"][0]) == {"index", "correct", "status", "reason", "instance", "sql"}
    assert json.loads(json.dumps(found)) == found


def test_further_instances_flip_what_was_right_by_luck(shop):
    lucky = {0: "SELECT 4", DEAR: "SELECT title FROM book WHERE price > 6", 2: "SELECT 1"}
    found = judge_predictions(pairs(shop, lucky), shop)
    assert found["flipped"] == {"count": 2, "of": 3} and found["value"] == 0
    assert [row["instance"] for row in found["per_question"]] == [1, 1, 0]
    assert judge_predictions(pairs(shop, lucky), shop, "bird-ex")["flipped"] is None, "that rule looks at the main instance alone"
    assert judge_predictions(pairs(shop, lucky), shop, "bird-ex")["value"] == pytest.approx(2 / 3)


def test_empty_golds_are_left_out_where_it_is_asked_for(shop):
    found = judge_predictions(pairs(shop, ANSWERS), shop, count_empty=False)
    assert [row["correct"] for row in found["per_question"]] == [True, True, False, None, None, None]
    assert found["per_question"][3]["reason"] == "left out: the gold gives no row"
    assert (found["n"], found["not_judged"], found["options"]["empty_golds"]) == (3, 3, "left out")


def test_a_graded_metric_gives_each_question_a_value(shop):
    half = {DEAR: "SELECT title FROM book WHERE title = 'Dune'", 0: "SELECT 4", 4: "SELECT 1"}
    found = judge_predictions(pairs(shop, half), shop, "soft-f1")
    assert [outcome(row) for row in found["per_question"]] == [pytest.approx(2 / 3), 1.0, None]
    assert found["value"] == pytest.approx(5 / 6) and found["per_question"][0]["correct"] is False


@pytest.mark.parametrize("metric", ["ves", "r-ves"])
def test_a_timed_metric_gives_the_wrong_nothing(shop, metric, monkeypatch):
    monkeypatch.setattr("finer.metrics.timing.measure", lambda *arguments: 4.0)
    found = judge_predictions(pairs(shop, {0: "SELECT 4", DEAR: "SELECT 1", 4: "SELECT 1"}), shop, metric)
    assert [outcome(row) for row in found["per_question"]] == [2.0 if metric == "ves" else pytest.approx(1.25**0.5), 0.0, None]


def test_spiders_switches_change_the_verdict_and_are_stated(shop):
    # On the main instance the author comes twice; without DISTINCT the gold gives the row twice as well.
    twice = pairs(shop, {5: "SELECT author FROM book WHERE price = 9"})
    for keep, value in ((False, 1), (True, 0)):
        found = judge_predictions(twice, shop, "spider-ex", keep_distinct=keep)
        assert found["value"] == value and found["options"]["keep_distinct"] is keep


def test_an_unknown_metric(shop):
    with pytest.raises(MetricError, match="unknown metric 'bird-x'; did you mean 'bird-ex'"):
        judge_predictions([], shop, "bird-x")


def test_nothing_to_judge_is_no_zero(shop):
    found = judge_predictions(pairs(shop, {4: "SELECT 1"}), shop)
    assert (found["value"], found["n"], found["interval"]) == (None, 0, None)


def alternative(index, sql, who="Ada"):
    return {"index": index, "sql": sql, "who": who, "why": "so"}


def test_alternatives_add_to_the_figure_and_take_nothing_away(shop):
    accepted = [alternative(2, "SELECT max(price) FROM book"), alternative(2, "SELECT 0"), alternative(4, "SELECT 1"), alternative(0, "SELECT 77")]
    answered = pairs(shop, ANSWERS)
    with Judge(shop.databases) as judge:
        found = judge_predictions(answered, shop, judge=judge)
        more = with_alternatives(found, answered, shop, accepted, judge)
    assert (found["value"], found["n"]) == (0.75, 4), "the figure without them stays"
    assert (more["value"], more["n"]) == (1.0, 5), "and the question whose gold failed is judged with them"
    assert [(one["index"], one["before"], one["after"]) for one in more["changed"]] == [(2, False, True), (4, None, True)]
    assert more["changed"][0]["alternatives"] == accepted[:2]


def test_alternatives_raise_a_graded_outcome(shop):
    answered = pairs(shop, {DEAR: "SELECT title FROM book WHERE title = 'Dune'"})
    with Judge(shop.databases, rule=rule("soft-f1")) as judge:
        found = judge_predictions(answered, shop, judge=judge)
        assert with_alternatives(found, answered, shop, [alternative(DEAR, "SELECT 'Dune'")], judge)["value"] == 1
        assert with_alternatives(found, answered, shop, [alternative(DEAR, "SELECT 'Emma'")], judge)["changed"] == []


# --- two systems --------------------------------------------------------------------------------------------------------------


def compared(shop, first, second):
    with Judge(shop.databases) as judge:
        return compare_predictions(pairs(shop, first), pairs(shop, second), shop, judge)


def test_two_systems_are_compared_question_by_question(shop):
    found = compared(shop, ANSWERS, {**ANSWERS, 0: "SELECT 5", 2: "SELECT title FROM book ORDER BY price DESC LIMIT 1", 5: "SELECT 1"})
    assert (found["n"], found["first"]["value"], found["second"]["value"], found["difference"]["value"], found["p"]) == (4, 0.75, 0.75, 0.0, 1.0)
    ((gained,), (lost,)) = found["gained"], found["lost"]
    assert (gained["index"], gained["first"]["status"], gained["second"]["reason"]) == (2, "ok", "")
    assert (lost["index"], lost["question"], lost["second"]["sql"]) == (0, "How many books are there?", "SELECT 5")
    assert lost["second"]["reason"] == "row (4,) is missing"
    assert (found["only_first"], found["only_second"]) == ([], [5])
    assert json.loads(json.dumps(found)) == found


def test_what_cannot_be_compared(shop):
    with pytest.raises(PredictionError, match="no question in common"):
        compared(shop, {0: "SELECT 4"}, {1: "SELECT 4"})
    with Judge(shop.databases) as judge, pytest.raises(PredictionError, match="the second file answers question 0 twice"):
        compare_predictions(pairs(shop, {0: "SELECT 1"}), pairs(shop, {0: "SELECT 1"}) * 2, shop, judge)
