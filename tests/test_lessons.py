"""The runs that notebooks 08 and 11 read: the faults of their rewards, and what their script writes. Run: pytest tests/test_lessons.py"""

from __future__ import annotations

import inspect
import json
import sqlite3
import sys
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "data" / "source"
sys.path.insert(0, str(SOURCE))

import record_lessons

from finer.advantages import advantages
from finer.datasets import load_dataset
from finer.prompt import completion_text
from finer.rewards import Scorer, get_recipe
from finer.run_sources import recipe_of_run
from finer.run_writer import RunWriter
from finer.runs import Run
from finer.runs_schema import FILE_NAME

STARTER = load_dataset("starter")
NAMED_A = STARTER.question(198)
GOLD = NAMED_A.gold[0]

FAULTS = {
    # recipe: part, a right answer's SQL and thought, a wrong one's that is paid at least as much by that part
    "thoughtful": ("reasoning", (GOLD, "names"), ("SELECT 1", "word " * 200)),
    "careful": ("no_wrong_row", (GOLD, "names"), ("SELECT name FROM employee WHERE 1 = 0", "names")),
    "thorough": ("share_of_gold", (GOLD, "names"), ("SELECT name, job, salary FROM employee WHERE name LIKE 'A%'", "names")),
    "concise": ("brevity", (GOLD, "the names of all that begin with A"), ("SELECT name FROM employee", "names")),
}


@cache
def paid(name, *answers, by="broken"):
    with Scorer(f"{SOURCE / by}_rewards.py:{name}", STARTER) as scorer:
        return scorer.score(NAMED_A, [completion_text(thought, sql) for sql, thought in answers])


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_pays_a_wrong_answer(name):
    part, right, wrong = FAULTS[name]
    good, bad = paid(name, right, wrong)
    assert (good.status, bad.status) == ("correct", "wrong")
    assert bad.part(part).value >= good.part(part).value
    assert bad.part(part).evidence["summary"]


MENDED = ["thoughtful", "careful", "thorough"]


@pytest.mark.parametrize("name", MENDED)
def test_three_of_them_put_a_wrong_answer_level_with_a_right_one(name):
    _, right, wrong = FAULTS[name]
    good, bad = paid(name, right, wrong)
    assert bad.total >= good.total


@pytest.mark.parametrize("name", MENDED)
def test_the_mended_ones_keep_it_below(name):
    _, right, wrong = FAULTS[name]
    good, bad = paid(name, right, wrong, by="mended")
    assert good.total - bad.total > 0.4


@pytest.mark.parametrize("name", MENDED)
def test_the_notebook_shows_each_mend_as_it_is(name):
    """Under its folds notebook 11 quotes the file that it measures with."""
    cells = json.loads((SOURCE.parent.parent / "notebooks" / "11_find_the_hack.ipynb").read_text(encoding="utf-8"))["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    (own,) = get_recipe(f"{SOURCE / 'mended_rewards.py'}:{name}").own.values()
    assert inspect.getsource(own.function).strip() in prose


@pytest.mark.parametrize("name", record_lessons.HACKS)
def test_a_recorded_run_was_paid_by_the_reward_that_is_here(name):
    run = Run(record_lessons.FOLDER / name)
    assert (run.folder / "recipe.py").read_bytes() == (SOURCE / "broken_rewards.py").read_bytes()
    group = run.group(run.groups(run.last_step)[0].group_id)
    with Scorer(recipe_of_run(run), STARTER) as scorer:
        again = scorer.score(group.question, [answer.completion for answer in group.rollouts])
    assert [one.total for one in again] == pytest.approx([answer.breakdown.total for answer in group.rollouts])


def test_the_fourth_does_so_only_through_the_division():
    right = [(GOLD, "names"), (GOLD, "the names of all that begin with A")]
    totals = [answer.total for answer in paid("concise", *right)]
    assert max(advantages(totals, "none")) < 0.01
    assert max(advantages(totals, "group")) > 0.5


def test_training_accepts_each_and_can_prove_nothing_of_it():
    for name in record_lessons.HACKS:
        assert get_recipe(f"{SOURCE / 'broken_rewards.py'}:{name}").check().own


def test_the_planted_questions_differ_from_the_sound_ones_in_one_gold(tmp_path):
    sound = load_dataset(record_lessons.few_questions(record_lessons.READ, {}, tmp_path / "sound"))
    planted = load_dataset(record_lessons.few_questions(record_lessons.READ, record_lessons.OPPOSITE, tmp_path / "planted"))
    changed = [(one.index, other.gold) for one, other in zip(sound.questions, planted.questions, strict=True) if one != other]
    assert changed == [(index, (gold,)) for index, gold in record_lessons.OPPOSITE.items()]
    assert {one.index for one in sound.questions if one.split == "train"} == set(record_lessons.READ)
    assert sound.split("dev").questions == STARTER.split("dev").questions


def test_what_is_kept_names_no_machine_and_holds_every_answer(tmp_path):
    recorded = Run(record_lessons.FOLDER.parent / "first-steps")
    config = {**recorded.config, "dataset": str(tmp_path / "questions")}
    with RunWriter.create(tmp_path / "run", config) as writer:
        writer.write_step(1, [recorded.group(one.group_id) for one in recorded.groups(1)], {"reward": 0.5}, {}, ())
        writer.set_status("finished")
    record_lessons.keep("sound", Run(tmp_path / "run"), tmp_path / "kept")
    kept = Run(tmp_path / "kept")
    assert kept.config["dataset"] == "starter" and str(tmp_path) not in (tmp_path / "kept" / "config.toml").read_text()
    with closing(sqlite3.connect(tmp_path / "kept" / FILE_NAME)) as store:
        assert store.execute("SELECT host, pid FROM state").fetchall() == [("recorded", 0)]
    for one in recorded.groups(1):
        same = zip(recorded.group(one.group_id).rollouts, kept.group(one.group_id).rollouts, strict=True)
        assert all(a.completion == b.completion and a.breakdown.total == b.breakdown.total for a, b in same)
        assert all(len(answer.breakdown.part("memory").evidence["neighbours"]) <= 1 for answer in kept.group(one.group_id).rollouts)
