"""Saved rollouts under a recipe: the recorded run comes out as it was, the old pay stays, and what is missing is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shop import make_shop

from finer.cli import main
from finer.datasets import load_dataset
from finer.errors import FinerError, RunStoreError
from finer.import_run import import_rollouts
from finer.judge import Judge
from finer.replay import MemoryReplay
from finer.rescore import BEFORE, StepScoring, rescore
from finer.run_sources import recipe_of_run
from finer.runs import Run
from widgets import Workbench

RECORDED = Path(__file__).parent.parent / "data" / "recorded" / "first-steps"
OLDER_ATOMS = {57, 58, 60, 62, 64, 281, 521, 524, 627}
"""Recorded before subqueries in WHERE were read as joins, and self-joins by their alias: their atomic part is another now."""


@pytest.fixture
def shop(tmp_path):
    return make_shop(tmp_path)


@pytest.fixture
def imported(tmp_path, shop):
    """A group that can be scored, one over a database that is not there, and one that no data set knows."""
    texts = ("<think>count the books</think> SELECT count(*) FROM book", "<think>count</think> SELECT title FROM book")
    asked = ("How many books are there?", "What is lost?", "Who knows?")
    records = [{"step": 1, "prompt": question, "completion": text, "mine": place / 4} for question in asked for place, text in enumerate(texts)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return import_rollouts(tmp_path / "a.jsonl", tmp_path / "run", shop).run


def differing(run: Run, steps: set[int]) -> set[int]:
    """The rollouts of these steps whose total is another one under the run's own recipe."""
    dataset, found = load_dataset("starter"), set()
    with Judge(dataset.databases) as judge:
        scoring = StepScoring(run, dataset, recipe_of_run(run), judge)
        for step in sorted(steps):
            old = [run.group(summary.group_id) for summary in run.groups(step)]
            pairs = zip((r for g in old for r in g.rollouts), (r for g in scoring.groups(step, old) for r in g.rollouts), strict=True)
            found |= {one.rollout_id for one, new in pairs if abs(one.breakdown.total - new.breakdown.total) > 1e-6}
    assert scoring.tally.other_memory == 0
    return found


def test_the_recorded_run_comes_out_as_it_was_with_the_memory_of_each_step():
    assert differing(Run(RECORDED), {4, 24}) == set()


@pytest.mark.stress
def test_all_of_the_recorded_run_comes_out_as_it_was():
    assert differing(Run(RECORDED), set(range(1, 25))) == OLDER_ATOMS


def test_old_pay_stays_beside_the_new_and_the_run_as_it_was(tmp_path, shop, imported):
    was = imported.path.read_bytes()
    found = rescore(imported, tmp_path / "new", shop, "sparse")
    right, wrong = found.run.group(1).rollouts
    assert [one.breakdown.status for one in (right, wrong)] == ["correct", "wrong"]
    assert [(part.name, part.value, part.weight) for part in wrong.breakdown.parts] == [("execution", 0.0, 1.0), (BEFORE, 0.25, 0.0)]
    assert (right.breakdown.total, round(right.advantage, 3)) == (1.0, 0.707)
    told = wrong.breakdown.part(BEFORE).evidence
    assert told["summary"] == "before, under imported: paid 0.25 (not_judged)" and told["parts"] == {"mine": {"weight": 1.0, "value": 0.25}}
    assert told["advantage"] > 0 > wrong.advantage
    assert imported.path.read_bytes() == was and found.run.config["rescored_from"] == "run"
    assert "before, under imported" in Workbench(found.run).to_html()


def test_what_cannot_be_recomputed_is_not_scored_and_said(tmp_path, shop, imported):
    found = rescore(imported, tmp_path / "new", shop, "finer")
    lost = found.run.group(2).rollouts[0]
    assert [part.value for part in lost.breakdown.parts] == [None, None, None, None, 0.0]
    assert (lost.breakdown.status, lost.advantage) == ("not_judged", None)
    said = "\n".join(found.said)
    assert "1 groups, because the database 'lost' is not here: no file" in said
    assert "1 groups, because no gold query is known for the question" in said
    assert "thoughts were compared with the data set's own 0 traces" in said
    assert [event.detail for event in found.run.events()] == list(found.said)


def test_sql_of_its_own_column_is_scored_without_its_format(tmp_path, shop):
    record = {"prompt": "Which books cost 9?", "sql": "SELECT title FROM book WHERE price = 9", "completion": "see the column"}
    (tmp_path / "a.jsonl").write_text(json.dumps(record), encoding="utf-8")
    run = import_rollouts(tmp_path / "a.jsonl", tmp_path / "run", shop).run
    (rollout,) = rescore(run, tmp_path / "new", shop, "finer").run.group(1).rollouts
    assert rollout.breakdown.status == "correct" and rollout.breakdown.part("format").value is None


def test_a_run_of_another_trainer_needs_a_recipe_and_a_folder_is_never_written_over(tmp_path, shop, imported):
    with pytest.raises(FinerError, match="choose one with --recipe: sparse"):
        rescore(imported, tmp_path / "new", shop)
    assert not (tmp_path / "new").exists()
    with pytest.raises(RunStoreError, match="already holds a run"):
        rescore(imported, imported.folder, shop, "sparse")


def test_a_replay_goes_forwards_only(shop, imported):
    replay = MemoryReplay(imported, shop)
    replay.go_to(3)
    with pytest.raises(ValueError, match="cannot go back to step 2"):
        replay.go_to(2)


def test_at_the_prompt_faults_are_told_before_anything_is_loaded(tmp_path, capsys):
    (tmp_path / "a.jsonl").write_text('{"prompt": "?", "completion": "SELECT 1"}', encoding="utf-8")
    run = import_rollouts(tmp_path / "a.jsonl", tmp_path / "run").run.folder
    for arguments, said in (
        (["--recipe", "fine"], "did you mean 'finer'"),
        ([], "is no recipe; choose one with --recipe"),
        (["--recipe", "sparse"], "does not say which data set"),
    ):
        assert main(["rescore", str(run), *arguments]) == 2 and said in capsys.readouterr().err
    assert main(["rescore", str(run), "--recipe", "sparse", "--dataset", "starter"]) == 0
    assert "run-by-sparse" in capsys.readouterr().out and (tmp_path / "run-by-sparse" / "run.sqlite").exists()
