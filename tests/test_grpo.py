"""GRPO with TRL on the bundled policy: a few real steps, their store, requests and its end.

Run with: pytest tests/test_grpo.py
"""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import mean, stdev

import pytest

from finer import unpadded
from finer.checkpoints import last_checkpoint, read_mark
from finer.config import TrainConfig
from finer.datasets import load_dataset
from finer.errors import FinerError
from finer.grpo import recipe_of, resume, start, train
from finer.memory import Memory
from finer.rewards import RecipeError, Scorer

SMALL = TrainConfig(steps=3, questions_per_step=2, group_size=4, evaluate_every=0, evaluate_questions=4,
                    checkpoint_every=2, max_completion_tokens=64, threads=1)  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return train(SMALL, tmp_path_factory.mktemp("runs") / "finished")


def test_every_rollout_is_in_the_store_with_its_parts(finished):
    assert finished.status == "finished"
    assert [step.step for step in finished.steps()] == [1, 2, 3]
    table = finished.rollouts()
    assert len(table) == 3 * 2 * 4 and table["rollout_id"].is_unique
    assert {"format", "execution", "atomic", "memory"} <= set(table.columns)
    assert table["completion"].str.len().min() > 0


def test_advantages_follow_from_the_parts(finished):
    for summary in finished.groups():
        rollouts = finished.group(summary.group_id).rollouts
        totals = [rollout.breakdown.total for rollout in rollouts]
        assert [rollout.advantage for rollout in rollouts] == pytest.approx([total - mean(totals) for total in totals], abs=1e-5)


def test_advantages_scaled_by_the_group(tmp_path):
    run = train(replace(SMALL, steps=1, scale_rewards="group", checkpoint_every=0), tmp_path / "scaled")
    for summary in run.groups():
        rollouts = run.group(summary.group_id).rollouts
        totals = [rollout.breakdown.total for rollout in rollouts]
        expected = [(total - mean(totals)) / (stdev(totals) + 1e-4) for total in totals]
        assert [rollout.advantage for rollout in rollouts] == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("loss_type", ["dapo", "grpo", "dr_grpo"])
def test_a_step_in_lots_reads_each_prompt_once_and_has_the_gradient_of_the_whole_step(loss_type, tmp_path, monkeypatch):
    rows, part = [], unpadded._part
    monkeypatch.setattr(unpadded, "_part", lambda *told: rows.append(len(told[2])) or part(*told))
    settings = replace(SMALL, steps=1, group_size=8, evaluate_questions=1, checkpoint_every=0, loss_type=loss_type)
    norms = {}
    for at_once in (16, 8):
        run = train(replace(settings, answers_at_once=at_once), tmp_path / str(at_once))
        norms[at_once] = [value for _, value in run.metrics("grad_norm")]
    assert rows == [8, 8] * 2, "TRL's random lots hold answers to both prompts, which would be four parts"
    assert norms[8] == pytest.approx(norms[16], rel=1e-3) and norms[8][0] > 0


def test_a_past_score_can_be_computed_again_to_the_same_number(finished):
    dataset = load_dataset("starter")
    memory = Memory.load(last_checkpoint(finished.folder) / "memory")
    with Scorer("finer", dataset) as scorer:
        for summary in finished.groups(step=2):
            group = finished.group(summary.group_id)
            again = scorer.score(group.question, [rollout.completion for rollout in group.rollouts])
            for rollout, paid in zip(group.rollouts, again, strict=True):
                snapshot = rollout.breakdown.part("memory").evidence["snapshot"]
                assert [p.value for p in paid.parts if p.name != "memory"] == [p.value for p in rollout.breakdown.parts if p.name != "memory"]
                if paid.thought and rollout.breakdown.status != "correct" and paid.part("memory").evidence["similarity"] is not None:
                    match = memory.match([paid.thought], group.question.db_id, snapshot)[0]
                    assert match.similarity == pytest.approx(rollout.breakdown.part("memory").value, abs=1e-6)


def test_metrics_carry_trls_names_and_stages_are_timed(finished):
    assert {"reward", "reward_std", "frac_reward_zero_std", "rewards/atomic/mean", "rewards/atomic/std",
            "completions/mean_length", "loss"} <= set(finished.metrics())  # fmt: skip
    for step in finished.steps():
        assert {"generation", "scoring", "update", "store"} == set(step.seconds)
        assert min(step.seconds.values()) > 0


def test_dev_is_asked_at_the_start_and_the_end(finished):
    assert [(one.step, one.n) for one in finished.evaluations()] == [(0, 4), (3, 4)]


def test_the_trained_policy_is_kept(finished):
    assert (finished.folder / "policy" / "model.safetensors").exists()
    assert last_checkpoint(finished.folder).name == "checkpoint-3"


def test_a_folder_that_holds_a_run_is_refused_and_kept(finished):
    before = finished.path.read_bytes()
    with pytest.raises(FinerError, match="already holds a run"):
        train(SMALL, finished.folder)
    assert finished.path.read_bytes() == before


def test_a_finished_run_cannot_be_resumed(finished):
    with pytest.raises(FinerError, match="is finished"):
        resume(finished.folder)


REFUSED = {
    "weights that let a wrong answer reach a right one": ({"weights": {"execution": 0.05}}, RecipeError, "execution"),
    "an unknown recipe": ({"recipe": "fine"}, FinerError, "finer"),
    "an unknown policy": ({"policy": "tinny"}, FinerError, "tiny"),
    "more questions than there are": ({"questions_per_step": 5000}, FinerError, "576"),
    "a contrast without a memory": ({"memory_contrast": True, "memory": False}, FinerError, "memory is off"),
    "a contrast that the recipe does not pay": ({"memory_contrast": True, "recipe": "sparse"}, FinerError, "'sparse' has no memory part"),
    "a dataset that is not there": ({"dataset": "no/such/folder"}, (FinerError, OSError), "no/such/folder"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_run_that_cannot_go_well_is_refused_before_anything_is_written(case, tmp_path):
    changes, kind, told = REFUSED[case]
    with pytest.raises(kind, match=told):
        train(replace(SMALL, **changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_arithmetic_of_a_refusal_is_shown():
    with pytest.raises(RecipeError, match=r"0\.\d+.*=.*0\.\d+"):
        recipe_of(TrainConfig(weights={"execution": 0.1}))


def test_buttons_are_taken_within_a_second_and_answered(tmp_path):
    training = start(replace(SMALL, steps=30, checkpoint_every=0, questions_per_step=1), tmp_path / "live")
    run = training.run
    run.request("pause")
    _until(lambda: run.status == "paused" or not training.alive, 120)
    assert run.status == "paused"
    run.request("weights", memory=0.05)
    run.request("weights", execution=0.01)
    run.request("resume")
    run.request("checkpoint")
    _until(lambda: len([one for one in run.requests() if one.outcome]) == 5 or not training.alive, 60)
    run.request("stop")
    training.wait()
    requests = run.requests()
    assert [one.kind for one in requests] == ["pause", "weights", "weights", "resume", "checkpoint", "stop"]
    # Acknowledged: the poll is four times a second; a loaded machine may add to it, so the bound here is generous.
    assert max(one.taken_at - one.asked_at for one in requests) < 10
    assert "memory 0.05" in requests[1].outcome
    assert requests[2].outcome.startswith("refused:")
    assert run.status == "stopped"
    weights = {part.weight for group in run.groups() for rollout in run.group(group.group_id).rollouts
               for part in rollout.breakdown.parts if part.name == "memory"}  # fmt: skip
    assert 0.05 in weights or run.last_step == 1
    assert read_mark(last_checkpoint(run.folder)).weights["memory"] == 0.05


def _until(true, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.1)
