"""The experiment that compares recipes: its plan, what is kept of a run, its tables. Run with: pytest tests/test_dense_or_sparse.py"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from dataclasses import asdict, fields
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "benchmarks" / "dense_or_sparse"))

import kept
import plan
import report
import starts
from plan import Cell

from finer.datasets import load_dataset
from finer.import_run import import_rollouts
from finer.rewards import get_recipe
from finer.runs import Run
from finer.seeds import over_seeds


def test_every_start_and_recipe_has_its_seeds():
    counts: dict[tuple[str, str], int] = {}
    for cell in plan.cells():
        counts[cell.start, cell.recipe] = counts.get((cell.start, cell.recipe), 0) + 1
    assert counts == {**{(start, recipe): 5 for start in list(plan.STARTS)[:-1] for recipe in plan.RECIPES},
                      **{("rarest", recipe): 10 for recipe in ("sparse", "finer", *plan.AT_THE_HARDEST)}, ("rarest", "bigram"): 5,
                      **{("rarest", recipe): 1 for recipe in plan.ONE_CHANGE}, **{(start, "finer-near"): 5 for start in list(plan.STARTS)[:-1]},
                      ("rarest", "finer-near"): 10, ("smollm2", "sparse"): 2, ("smollm2", "finer"): 2, ("smollm2", "finer-near"): 2}  # fmt: skip


def test_runs_of_one_seed_differ_in_nothing_but_the_start_and_what_is_paid():
    first, *others = (asdict(cell.config()) for cell in plan.cells() if cell.seed == 3 and cell.start != plan.PRETRAINED)
    for other in others:
        assert {key for key in first if first[key] != other[key]} <= {"policy", "steps", "recipe", "weights", "memory"}
        assert first["policy"] != other["policy"] or first["steps"] == other["steps"], "one budget for all recipes of a start"


def test_runs_of_the_pretrained_model_differ_in_the_seed_and_what_is_paid():
    first, *others = (asdict(cell.config()) for cell in plan.cells() if cell.start == plan.PRETRAINED)
    assert [{key for key in first if first[key] != other[key]} for other in others] == [
        {"recipe"}, {"seed"}, *[{"recipe", "seed"}] * 3]  # fmt: skip
    assert first["group_size"] == 8 and first["questions_per_step"] == 2


def test_every_recipe_keeps_a_wrong_answer_below_a_right_one():
    for recipe in plan.ALL_RECIPES:
        config = Cell("half", recipe, 0).config()
        get_recipe(config.recipe).with_weights(config.weights).check()


def test_the_published_formula_is_changed_in_one_thing_each():
    whole = get_recipe("paper")
    changed = {name: get_recipe(plan.place_of(name)) for name in plan.ONE_CHANGE if name not in plan.WITHOUT}
    ours = {"name", "source"}
    assert {name: {one.name for one in fields(whole) if getattr(whole, one.name) != getattr(recipe, one.name)} - ours for name, recipe in changed.items()} == {
        "paper-runs": {"execution_wrong"}, "paper-linear": {"shaping"}, "paper-failing": {"atomic_needs_run"}}  # fmt: skip
    assert changed["paper-linear"].shaping(1.0) == pytest.approx(whole.shaping(1.0)) and changed["paper-linear"].shaping(0.5) == pytest.approx(0.40025)


def test_the_mend_changes_how_operations_are_counted_and_what_running_earns():
    finer, near = get_recipe("finer"), get_recipe(plan.NEAR)
    assert {one.name for one in fields(finer) if getattr(finer, one.name) != getattr(near, one.name)} == {"name", "counting", "execution_wrong"}


def test_what_is_kept_is_not_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "KEPT", tmp_path)
    main = _command()
    told = Namespace(part="1/1", start=["half"], recipe=["sparse", "finer"], seeds=2)
    assert [cell.name for cell in main.wanted(told)] == ["half/sparse-1", "half/finer-1", "half/sparse-2", "half/finer-2"]
    Cell("half", "finer", 1).record.parent.mkdir()
    Cell("half", "finer", 1).record.write_text("{}")
    assert [cell.name for cell in main.wanted(told)] == ["half/sparse-1", "half/sparse-2", "half/finer-2"]
    told.part = "2/2"
    assert [cell.name for cell in main.wanted(told)] == ["half/finer-2"]  # parts are cut before, so that two processes never meet


def test_a_missing_start_is_made_although_its_share_is_kept(tmp_path, monkeypatch):
    class Began(Exception):
        pass

    def begin(command: list[str], check: bool) -> None:
        raise Began(*command[-4:])

    monkeypatch.setattr(plan, "BUILD", tmp_path)
    monkeypatch.setattr(starts.subprocess, "run", begin)
    assert plan.share_of("rarest").exists()
    with pytest.raises(Began) as found:
        _command().train_and_keep(Cell("rarest", "finer", 1))
    assert found.value.args == ("--into", str(tmp_path / "starts" / "rarest"), "--start", str(REPOSITORY / "data" / "policies" / "tiny"))


def _command():
    import importlib.util

    spec = importlib.util.spec_from_file_location("dense_or_sparse_command", REPOSITORY / "benchmarks" / "dense_or_sparse" / "__main__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def recorded() -> Run:
    return Run(REPOSITORY / "data" / "recorded" / "first-steps")


def test_the_record_counts_what_the_run_holds(recorded):
    found, rollouts = kept.record(recorded), recorded.rollouts()
    right = rollouts[rollouts.status == "correct"].groupby("step").size()
    assert found["right"] == [int(right.get(step, 0)) for step in range(1, recorded.last_step + 1)]
    spread = rollouts.groupby(["step", "group_id"]).total.agg(lambda totals: totals.max() - totals.min() <= 1e-6)
    assert found["without_signal"] == [int(spread[step].sum()) for step in range(1, recorded.last_step + 1)]
    lucky = [json.loads(row["evidence"]) for row in recorded.query("SELECT evidence FROM parts WHERE name = 'execution'")]
    assert sum(found["by_luck"]) == sum(one["instance"] > 0 and one["status"] in ("ok", "empty") for one in lucky)
    assert found["dev"] == [[one.step, round(one.value, 4)] for one in recorded.evaluations()]
    assert all(len(found[name]) == recorded.last_step for name in ("silent", "all_wrong", "tokens", "seconds"))


def test_kept_rollouts_are_read_as_a_run_again(recorded, tmp_path):
    kept.keep_rollouts(recorded, tmp_path / "rollouts.parquet")
    weights = get_recipe(recorded.config["recipe"]).weights
    found = import_rollouts(tmp_path / "rollouts.parquet", tmp_path / "again", load_dataset("starter", split="train"), weights=weights)
    before, after = recorded.rollouts(), found.run.rollouts()
    assert after.question_index.tolist() == before.question_index.tolist()
    assert after.sql.tolist() == before.sql.tolist() and after.step.tolist() == before.step.tolist()
    assert after.status.tolist() == before.status.tolist()
    assert after.total.tolist() == pytest.approx(before.total.tolist(), abs=1e-5)
    assert after.atomic.tolist() == pytest.approx(before.atomic.tolist(), abs=1e-6, nan_ok=True)


def _run(start: str, recipe: str, seed: int, dev: list) -> None:
    path = plan.KEPT / start / f"{recipe}-{seed}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"start": start, "recipe": recipe, "seed": seed, "steps": 50, "dev": dev, "unseen": {"value": 0.1, "n": 252},
                                "right": [30, 30], "by_luck": [10, 10], "without_signal": [240, 0], "inversions": 4}))  # fmt: skip


def test_tables_pair_runs_by_seed_and_count_a_run_that_never_got_there(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "KEPT", tmp_path)
    monkeypatch.setattr(report, "KEPT", tmp_path)
    assert report.tables() == ["No run is kept yet."]
    (tmp_path / "start-rarest.json").write_text(json.dumps({"right": 2, "samples": 5000, "share": 0.0004}))
    for seed in (0, 1):
        _run("rarest", "sparse", seed, [[0, 0.0], [30, 0.1], [50, 0.2]])
        _run("rarest", "finer", seed, [[0, 0.0], [30, 0.6], [50, 0.7]])
    _run("rarest", "finer", 2, [[0, 0.0], [50, 0.9]])
    lines = report.tables()
    assert "| rarest | 2 | 5000 | 0.04 % |" in lines
    assert "| rarest | sparse | 2 | 20.0 | 10.0 | > 50 | 0 of 2 | 60.0 | 25.00 | 8 |" in lines
    assert "| rarest | finer | sparse | 2 | 50.0 | 0.0 | 0.60 | 1.00 |" in lines
    _run("rarest", "paper", 0, [[0, 0.0], [50, 0.4]])
    lines = report.tables()
    assert "| rarest | paper | finer | 1 | -30.0 | 0.0 | 1.67 | 1.00 |" in lines
    assert "| rarest | paper | sparse | 1 | 20.0 | 0.0 | – | – |" in lines, "where neither got there, nothing is known of their speed"


@pytest.mark.parametrize(("values", "said"), [([], "–"), ([-0.0001], "0.0"), ([0.2], "20.0"), ([0.2, 0.2], "20.0"), ([0.9, 0.8], "85.0 (21.5 to 100.0)")])
def test_an_interval_is_written_only_where_seeds_differ_and_as_far_as_it_can_be(values, said):
    assert report.percent(over_seeds(values), within=(0, 100)) == said


def test_a_run_without_an_answer_that_agrees_says_nothing_of_luck():
    runs = {1: {"right": [0, 0], "by_luck": [0, 0]}, 2: {"right": [3, 0], "by_luck": [1, 0]}}
    assert report.luck(runs) == {2: 0.25}


def test_the_page_shows_the_tables_of_the_runs_that_are_kept():
    page = (REPOSITORY / "docs" / "dense-or-sparse.md").read_text(encoding="utf-8").splitlines()
    missing = [line for line in report.tables() if line not in page]
    assert missing == [], "put the tables of `python benchmarks/dense_or_sparse --report` into docs/dense-or-sparse.md"
