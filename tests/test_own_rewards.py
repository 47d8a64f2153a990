"""A reward of one's own: in a recipe, on the command line, in training, after a crash, and in the views. Run: pytest tests/test_own_rewards.py"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest
from run_contents import small_dataset

from finer import cli
from finer.config import TrainConfig, read_config
from finer.datasets import load_dataset
from finer.edits import EditScorer
from finer.errors import FinerError
from finer.grpo import resume, train
from finer.prompt import completion_text
from finer.render import waterfall
from finer.rewards import Recipe, RecipeError, Scorer, get_recipe
from finer.rewards.own import OwnReward, RewardError
from finer.rewards.recipes import recipe_from
from finer.run_writer import RunWriter
from finer.runs import Run
from finer.whatif import Settings, answers_of_run, rerun, scaling_of
from widgets import Playground, StartRun

FILE = '''
from finer.rewards import get_recipe

def brevity(prompts, completions, log_extra=None, log_metric=None, **columns):
    """1 for one word, less for more."""
    words = [len(completion.split()) for completion in completions]
    log_extra("words", words)
    log_extra("database", columns["db_id"])
    log_metric("longest", max(words))
    return [1 / max(1, count) for count in words]

def politeness(completions, **columns):
    return [1.0 if "please" in completion else None for completion in completions]

mixed = get_recipe("finer").with_reward(brevity, 0.05)
both = [brevity, politeness]
number = 3
'''


@pytest.fixture(scope="module")
def starter():
    return load_dataset("starter")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def brevity(prompts, completions, **columns):
    return [1 / max(1, len(completion.split())) for completion in completions]


# --- what it says of an answer --------------------------------------------------------------------------------------------------


def test_a_function_is_a_part_with_its_value_and_evidence(starter, file):
    question = starter.questions[0]
    with Scorer(f"{file}:mixed", starter) as scorer:
        right, wrong = scorer.score(question, [completion_text("look", question.gold[0]), "SELECT 1"])
        assert scorer.take_metrics() == {"longest": len(completion_text("look", question.gold[0]).split())}
        assert scorer.take_metrics() == {}
    part = wrong.part("brevity")
    assert (part.value, part.weight) == (0.5, 0.05)
    assert part.evidence == {"summary": "brevity returned 0.5", "words": 2, "database": question.db_id}
    assert wrong.recipe == "mixed" and right.total > wrong.total
    assert [one.name for one in wrong.parts] == ["format", "execution", "atomic", "memory", "brevity"]


def test_its_value_stands_as_it_is_whatever_the_text(starter):
    """That a text which is no query is paid 0 is a promise of our parts; of another's 0 may be the most."""
    recipe = get_recipe("sparse").with_reward(lambda completions, **_: [-1.0] * len(completions), 1.0, "penalty")
    with Scorer(recipe, starter) as scorer:
        (paid,) = scorer.score(starter.questions[0], ["I cannot answer."])
        assert (paid.part("execution").value, paid.part("penalty").value, paid.total) == (0.0, -1.0, -1.0)


def test_a_gate_closes_it_and_a_failed_gold_leaves_it_out(starter):
    question = starter.questions[0]
    gated = replace(get_recipe("paper").with_reward(brevity), margin=0.01)
    with Scorer(gated, starter) as scorer:
        assert scorer.score(question, ["SELECT 1"])[0].part("brevity").value == 0.0
        failed = replace(question, gold=("SELECT nothing FROM nowhere",))
        assert scorer.score(failed, ["SELECT 1"])[0].part("brevity").value is None


def test_none_is_not_scored_and_equal_answers_are_all_asked(starter):
    seen = []

    def group_size(prompts, completions, **columns):
        seen.append((len(completions), len(prompts), len(columns["gold"])))
        return [None] * len(completions)

    with Scorer(recipe_from(group_size), starter) as scorer:
        paid = scorer.score(starter.questions[0], ["SELECT 1", "SELECT 1", "SELECT 2"])
    assert seen == [(3, 3, 3)] and [one.part("group_size").value for one in paid] == [None] * 3
    assert [one.status for one in paid] == ["wrong"] * 3, "right or wrong is known whatever is paid"


class Callable:
    def __call__(self, completions, **columns):
        return [0.25] * len(completions)


async def later(completions, **columns):
    return [0.75] * len(completions)


def of_messages(completions, **columns):
    return [float(len(completion[0]["content"])) for completion in completions]


def with_more(completions, bonus, **columns):
    return [bonus] * len(completions)


FORMS = {
    "an object that can be called": (Callable(), "Callable", 0.25),
    "an async function": (later, "later", 0.75),
    "one that reads chat messages": (of_messages, "of_messages", 8.0),
    "one with an argument given": (partial(with_more, bonus=0.5), "with_more", 0.5),
    "one under another name": (OwnReward(later, "soon"), "soon", 0.75),
}


@pytest.mark.parametrize("case", FORMS)
def test_every_form_of_a_reward_function_serves(case, starter):
    function, name, value = FORMS[case]
    with Scorer(recipe_from(function), starter) as scorer:
        assert [one.part(name).value for one in scorer.score(starter.questions[0], ["SELECT 1", "SELECT 2"])] == [value, value]


# --- what is refused ------------------------------------------------------------------------------------------------------------

PLACES = {
    "no such file": ("{tmp}/gone.py:brevity", "there is no file '{tmp}/gone.py'; check the path before the colon"),
    "no such name": ("{tmp}/mine.py:short", "holds no recipe or reward function 'short'; it holds get_recipe, brevity, politeness"),
    "neither recipe nor function": ("{tmp}/mine.py:number", "mine.py:number is neither a recipe, nor a reward function with TRL's signature"),
    "a broken file": ("{tmp}/broken.py:reward", "broken.py' cannot be loaded: SyntaxError"),
    "the name of ours": ("{tmp}/named.py:finer", "a recipe of your own needs a name of its own, and 'finer' is one that there is"),
    "no name at all": ("{tmp}/mine.py:", "names no recipe or reward function; write FILE.py:NAME"),
}


@pytest.mark.parametrize("command", ["train --run {tmp}/run", "score --predictions {tmp}/none.jsonl", "probe"])
@pytest.mark.parametrize("case", PLACES)
def test_a_place_that_gives_no_recipe_is_one_line(case, command, file, tmp_path, capsys):
    place, message = PLACES[case]
    (tmp_path / "broken.py").write_text("def reward(:\n")
    (tmp_path / "named.py").write_text("def finer(completions, **_):\n    return [1.0] * len(completions)\n")
    words = [word.format(tmp=tmp_path) for word in (command + " --recipe " + place).split()]
    assert cli.main(words) == 2
    assert message.format(tmp=tmp_path) in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


FAULTS = {
    "a wrong signature": (lambda answers: [1.0], "cannot be called as TRL calls it (missing a required argument: 'answers'); write it as"),
    "no further columns": (lambda prompts, completions: [1.0], "cannot be called as TRL calls it (got an unexpected keyword argument 'index')"),
    "a number too few": (lambda completions, **_: [1.0], "returned 1 values for the 2 completions of question"),
    "no list": (lambda completions, **_: 1.0, "returned no list for the 2 completions"),
    "a text": (lambda completions, **_: ["good", 1.0], "returned 'good' on question"),
    "without end": (lambda completions, **_: [float("inf"), 1.0], "returned inf on question"),
    "an error": (lambda completions, **_: 1 / 0, "failed on question 1: ZeroDivisionError: division by zero. It is called with prompts, completions"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_faulty_function_is_met_before_anything_is_written(case, tmp_path):
    function, message = FAULTS[case]
    with pytest.raises(RewardError) as caught:
        train(TrainConfig(steps=1), tmp_path / "run", recipe=recipe_from(OwnReward(function, "mine")))
    assert message in str(caught.value) and "'mine'" in str(caught.value)
    assert not (tmp_path / "run").exists()


RECIPES = {
    "the name of a part of ours": (lambda: replace(get_recipe("sparse"), name="x", own={"execution": brevity}), "has the name of the part 'execution'"),
    "a function that is no part": (lambda: replace(get_recipe("sparse"), name="x", own={"brevity": brevity}), "'brevity' is none of its parts"),
    "two of one name": (lambda: recipe_from([brevity, brevity]), "two reward functions have the name 'brevity'"),
    "our parts too near": (lambda: get_recipe("finer").with_reward(brevity).with_weights({"execution": 0.1}), "a wrong answer comes too close"),
    "a built-in name for other numbers": (lambda: recipe_from(replace(get_recipe("finer"), margin=0.1)), "needs a name of its own"),
    "nothing": (lambda: recipe_from([]), "is neither a recipe, nor a reward function"),
}


@pytest.mark.parametrize("case", RECIPES)
def test_recipes_that_cannot_be(case):
    make, message = RECIPES[case]
    with pytest.raises(RecipeError, match=message):
        make().check()


def test_functions_alone_are_added_up_and_claim_no_margin(file):
    recipe = get_recipe(f"{file}:both").check()
    assert (recipe.name, recipe.parts, recipe.weights) == ("both", ("brevity", "politeness"), {"brevity": 1.0, "politeness": 1.0})
    assert isinstance(get_recipe(f"{file}:mixed").check(), Recipe)


# --- training -------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    data = small_dataset(tmp_path_factory.mktemp("data") / "seven")
    return TrainConfig(dataset=str(data), steps=3, questions_per_step=1, group_size=4, evaluate_every=0, evaluate_questions=2,
                       checkpoint_every=1, max_completion_tokens=48, threads=1)  # fmt: skip


@pytest.fixture(scope="module")
def trained(settings, tmp_path_factory):
    """A run by a file's recipe that broke off after its second step, its file spoiled since, and went on."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.py").write_text(FILE)
    write_step, told = RunWriter.write_step, []

    def break_off(writer, step, *values):
        write_step(writer, step, *values)
        if step == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(RunWriter, "write_step", break_off)
        with pytest.raises(KeyboardInterrupt):
            train(replace(settings, recipe="mine.py:mixed"), folder / "run", told.append)
    (folder / "mine.py").write_text("raise RuntimeError('spoiled')")
    run = resume(folder / "run", told.append)
    return run, folder, told


def test_a_recipe_of_a_file_trains_and_goes_on_with_its_copy(trained):
    run, folder, told = trained
    assert run.status == "finished" and run.last_step == 3
    assert run.config["recipe"] == read_config(run.folder / "config.toml").recipe == f"{folder / 'mine.py'}:mixed"
    assert (run.folder / "recipe.py").read_text() == FILE
    assert any("mine.py has changed since this run began, which goes on with its own copy" in line for line in told)
    assert any("nothing is known of brevity" in line for line in told) and [one.kind for one in run.events()].count("unproven") == 1
    table = run.rollouts()
    assert table["brevity"].notna().all() and table["recipe"].unique().tolist() == ["mixed"]
    assert len(run.metrics()["rewards/brevity/mean"]) == 3 and len(run.metrics()["longest"]) == 3


def test_its_parts_stand_in_the_views_like_ours(trained):
    run, _, _ = trained
    group = run.group(run.groups()[0].group_id)
    shown = waterfall(group.rollouts[0], group)
    assert "brevity" in shown and "words" in shown and group.rollouts[0].breakdown.part("brevity").evidence["summary"] in shown
    answers = answers_of_run(run)
    again = rerun(answers, Settings(answers.recipe, scaling_of(answers)))
    assert again.totals == pytest.approx(answers.recorded_totals, abs=1e-12)


def test_an_edit_the_bench_and_the_form_take_it(trained, tmp_path):
    run = trained[0]
    group = run.group(run.groups()[0].group_id)
    with EditScorer(run) as scorer:
        edit = scorer.score(group, "think", "SELECT 1", group.rollouts[0])
    assert edit.breakdown.recipe == "mixed" and edit.breakdown.part("brevity").evidence["words"] == 5
    (tmp_path / "mine.py").write_text(FILE)
    place = f"{tmp_path}/mine.py:mixed"
    bench = Playground(recipe=place, question=0)
    bench.sql.value = "SELECT 1"
    bench.button.click()
    assert "brevity" in bench.shown.value
    assert StartRun(tmp_path / "run", recipe=place).config.recipe == place


def test_rescore_score_and_probe_take_it_too(trained, tmp_path, capsys):
    run = trained[0]
    (tmp_path / "mine.py").write_text(FILE)
    assert cli.main(["rescore", str(run.folder), "--out", str(tmp_path / "again")]) == 0
    again = Run(tmp_path / "again")
    assert f"{len(run.rollouts())} of them have the same total as before" in capsys.readouterr().out
    assert (again.folder / "recipe.py").read_text() == FILE and again.config["recipe"].endswith("recipe.py:mixed")
    (tmp_path / "answers.jsonl").write_text(json.dumps({"index": 0, "sql": "SELECT 1"}) + "\n")
    assert cli.main(["score", "--predictions", str(tmp_path / "answers.jsonl"), "--recipe", f"{tmp_path}/mine.py:brevity"]) == 0
    assert json.loads(capsys.readouterr().out)["parts"] == {"brevity": {"value": 0.5, "weight": 1.0}}
    assert cli.main(["probe", "--recipe", f"{tmp_path}/mine.py:mixed", "--limit", "2", "--json", str(tmp_path / "probe.json")]) == 0
    assert "recipe mixed" in capsys.readouterr().out


def test_a_function_of_a_notebook_trains_and_is_asked_for_again(settings, tmp_path, capsys):
    run = train(replace(settings, steps=1), tmp_path / "run", recipe=brevity)
    assert run.config["recipe"] == "brevity" and run.rollouts()["brevity"].notna().all()
    with RunWriter.resume(run.folder, 0) as writer:
        writer.set_status("stopped")
    (run.folder / "checkpoints/checkpoint-1/finer.json").unlink()
    with pytest.raises(FinerError, match=r"was paid by 'brevity', which no file holds; give it again: finer.grpo.resume\("):
        resume(run.folder)
    with pytest.raises(FinerError, match="was paid by 'brevity', and 'of_messages' is given"):
        resume(run.folder, recipe=of_messages)
    assert resume(run.folder, recipe=brevity).status == "finished"
    assert cli.main(["rescore", str(run.folder)]) == 2
    assert "was paid by brevity, which is no recipe; choose one with --recipe" in capsys.readouterr().err
