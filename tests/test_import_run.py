"""Runs of other trainers: what each form of file says, what is missing, which question a prompt asks, and that it opens."""

from __future__ import annotations

import json

import pandas
import pytest
from shop import make_shop

from finer.advantages import advantages
from finer.cli import main
from finer.errors import FinerError, RunStoreError
from finer.import_run import import_rollouts
from finer.matching import Asked, QuestionFinder
from finer.rollout_files import RolloutFileError, read_rollouts
from widgets import Workbench

ASKED = ("How many books are there?", "Which books cost 9?")
ANSWERS = ("<think>count</think> SELECT count(*) FROM book", "SELECT title FROM book WHERE price = 9")


@pytest.fixture
def shop(tmp_path):
    return make_shop(tmp_path)


def as_text(question: str) -> str:
    """A decoded chat template, as TRL 1.14 writes it."""
    return f"system\nYou write SQL.\nuser\nbook(title, price)\nQuestion: {question}\nassistant\n"


def as_messages(question: str) -> list[dict]:
    return [{"role": "system", "content": "You write SQL."}, {"role": "user", "content": f"book(title, price)\n{question}"}]


def trl_table(step: int, messages: bool) -> pandas.DataFrame:
    """Two groups of two, in the columns that TRL writes; one reward was not scored."""
    prompts = [(as_messages if messages else as_text)(question) for question in ASKED for _ in range(2)]
    texts = [*ANSWERS, *ANSWERS]
    completions = [[{"role": "assistant", "content": text}] for text in texts] if messages else texts
    rewards = {"right": [1.0, 0.0, 0.0, 1.0], "style": [0.5, 0.5, None, 0.25]}
    return pandas.DataFrame({"step": step, "prompt": prompts, "completion": completions, **rewards, "advantage": [0.707, -0.707, -0.884, 0.884]})


def write_trl(folder, messages: bool):
    (folder / "out" / "completions").mkdir(parents=True)
    for step in (1, 2):
        table = trl_table(step, messages)
        table["style"] = table["style"] / step
        table.to_parquet(folder / "out" / "completions" / f"completions_{step:05d}.parquet")
    return folder / "out"


def write_lines(path, *records: dict):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.mark.parametrize("messages", (False, True))
def test_trls_tables_become_a_run_with_their_rewards_as_they_were(tmp_path, shop, messages):
    found = import_rollouts(write_trl(tmp_path, messages), tmp_path / "run", shop)
    assert found.run.status == "finished" and [len(found.run.groups(step)) for step in (1, 2)] == [2, 2]
    group = found.run.group(2)
    assert (group.question.index, group.question.db_id, group.question.gold) == (1, "shop", shop.questions[1].gold)
    first, second = group.rollouts
    assert [part.value for part in first.breakdown.parts] == [0.0, None] and first.breakdown.status == "not_judged"
    assert (second.breakdown.total, second.advantage) == (1.25, 0.884)
    assert found.run.group(1).rollouts[0].breakdown.thought == "count"
    assert "4 of 4 groups can be rescored: the question was found by its text in the prompt" in found.said
    assert dict(found.run.metrics())["rewards/right/mean"] == [(1, 0.5), (2, 0.5)]
    assert found.run.config["imported_from"] == "out"


def test_the_workbench_opens_it_and_says_that_nothing_was_judged(tmp_path, shop):
    bench = Workbench(import_rollouts(write_trl(tmp_path, True), tmp_path / "run", shop).run)
    page = bench.to_html()
    assert "2 answers, not judged, mean total" in page and "as the trainer paid it" in page
    assert bench.selectors.groups.options[0][0].startswith("2 answers, not judged")


def test_a_flat_jsonl_of_verl(tmp_path, shop):
    records = [
        {"input": as_text(ASKED[0]), "output": text, "gts": "SELECT 1", "score": score, "step": 3, "acc": score > 0.5, "request_id": "x"}
        for text, score in zip(ANSWERS, (1.0, 0.25), strict=True)
    ]
    (tmp_path / "dump").mkdir()
    write_lines(tmp_path / "dump" / "3.jsonl", *records)
    found = import_rollouts(tmp_path / "dump", tmp_path / "run", shop, scale_rewards="none")
    (summary,) = found.run.groups()
    assert (summary.step, summary.totals) == (3, (1.0, 0.25))
    assert [rollout.advantage for rollout in found.run.group(1).rollouts] == [0.375, -0.375]
    assert "no column of advantages: they are computed from the totals, group by group" in found.said


def test_verdicts_that_a_file_brings_are_taken_as_they_stand(tmp_path):
    records = [{"prompt": "?", "completion": "SELECT 1", "exact": 1.0, "status": status} for status in ("correct", "wrong", "timeout", "solved", None)]
    found = import_rollouts(write_lines(tmp_path / "a.jsonl", *records), tmp_path / "run")
    assert [rollout.breakdown.status for rollout in found.run.group(1).rollouts] == ["correct", "wrong", "timeout", "not_judged", "not_judged"]
    assert "statuses are taken from the file: nothing was judged again" in found.said
    assert any(line.startswith("statuses that mean nothing here (None, solved) are left out; known are correct, wrong, ok,") for line in found.said)


def test_a_column_of_statuses_that_are_lists_brings_no_verdict(tmp_path):
    pandas.DataFrame({"prompt": ["?", "?"], "completion": ["SELECT 1"] * 2, "status": [["correct", "ok"]] * 2}).to_parquet(tmp_path / "a.parquet")
    found = import_rollouts(tmp_path / "a.parquet", tmp_path / "run")
    assert [rollout.breakdown.status for rollout in found.run.group(1).rollouts] == ["not_judged"] * 2


def test_a_total_of_its_own_counts_where_the_rewards_do_not_add_up_to_it(tmp_path):
    record = {"prompt": "?", "completion": "SELECT 1", "score": 0.7, "format": 1.0, "exact": 0.5}
    found = import_rollouts(write_lines(tmp_path / "a.jsonl", record), tmp_path / "plain")
    paid = found.run.group(1).rollouts[0].breakdown
    assert (paid.total, [(part.name, part.weight) for part in paid.parts]) == (0.7, [("format", 0), ("exact", 0), ("total", 1)])
    assert "do not add up" in " ".join(found.said)
    weighed = import_rollouts(tmp_path / "a.jsonl", tmp_path / "weighed", weights={"format": 0.5, "exact": 0.4})
    assert [part.name for part in weighed.run.group(1).rollouts[0].breakdown.parts] == ["format", "exact"]


def test_without_a_data_set_the_group_shows_and_says_what_cannot_be_recomputed(tmp_path):
    record = {"prompt": "How many?", "completion": "SELECT 1", "right": 1}
    run = import_rollouts(write_lines(tmp_path / "a.jsonl", record), tmp_path / "run").run
    group = run.group(1)
    assert (group.question.index, group.question.text, group.question.gold) == (-1, "How many?", ())
    assert group.rollouts[0].breakdown.part("right").evidence["not_recomputed"] == "no data set was given"
    assert "How many?" in Workbench(run).to_html()
    assert any("--dataset" in event.detail for event in run.events())


def test_columns_under_other_names_are_mapped(tmp_path, shop):
    record = {"epoch": 1, "q": "no word of it", "reply": "SELECT 1", "number": 1, "r1": 0.5, "r2": 1, "when": 4}
    path = write_lines(tmp_path / "a.jsonl", record)
    columns = {"prompt": "q", "completion": "reply", "index": "number", "step": "when"}
    found = import_rollouts(path, tmp_path / "run", shop, columns, rewards=["r1"])
    group = found.run.group(1)
    assert (group.step, group.question.index, [part.name for part in group.rollouts[0].breakdown.parts]) == (4, 1, ["r1"])


FAULTS = {
    "nothing there": (None, {}, "does not exist"),
    "no answer": ({"prompt": "?", "text": "SELECT 1"}, {}, "no column says what was answered; there are prompt, text"),
    "no question": ({"completion": "SELECT 1"}, {}, "no column says what was asked"),
    "no such column": ({"prompt": "?", "completion": "x"}, {"completion": "complet"}, "unknown column 'complet'; did you mean 'completion'"),
    "no such role": ({"prompt": "?", "completion": "x"}, {"sqll": "prompt"}, "unknown role of a column 'sqll'; did you mean 'sql'"),
    "a step that is none": ({"prompt": "?", "completion": "x", "step": "one"}, {}, "line 1: the step is 'one'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_says_what_to_do(tmp_path, name):
    record, columns, said = FAULTS[name]
    if record is not None:
        write_lines(tmp_path / "a.jsonl", record)
    with pytest.raises(RolloutFileError, match=said):
        read_rollouts(tmp_path / "a.jsonl", columns)


def test_a_line_that_is_no_json_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"prompt": "?", "completion": ""}\n{oops\n', encoding="utf-8")
    with pytest.raises(RolloutFileError, match="line 2 is not JSON"):
        read_rollouts(tmp_path / "a.jsonl")


def test_a_batch_that_was_logged_again_counts_once(tmp_path):
    for step in (1, 2, 3):
        rewards = {"right": [float(step == 3)]}
        table = pandas.DataFrame({"step": [step], "prompt": ["?"], "completion": ["SELECT 1"], **rewards, "advantage": [0.0]})
        table.to_parquet(tmp_path / f"completions_{step:05d}.parquet")
    found = read_rollouts(tmp_path)
    assert [row.step for row in found.rows] == [1, 3]
    assert "1 files repeat the one before them and were left out" in found.notes


def test_advantages_that_do_not_follow_from_the_totals_are_kept_and_told(tmp_path):
    records = [{"prompt": "?", "completion": text, "r": float(place), "advantage": 7.0} for place, text in enumerate(ANSWERS)]
    found = import_rollouts(write_lines(tmp_path / "a.jsonl", *records), tmp_path / "run")
    assert [rollout.advantage for rollout in found.run.group(1).rollouts] == [7.0, 7.0]
    assert "1 of 1 groups have advantages that do not follow" in " ".join(found.said)


PROMPTS = {
    "a line": ("Schema\nHow many books are there?", 0),
    "behind a label": ("### Question: Which books cost 9?\n### SQL:", 1),
    "inside a line": ("Please tell: Which books cost 9? Thanks.", 1),
    "over two lines": ("Which books\n  cost 9?", 1),
    "rephrased": ("Which books have the price 9?", None),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_a_question_is_found_by_its_exact_text(shop, name):
    prompt, index = PROMPTS[name]
    found = QuestionFinder(shop).find(Asked(prompt))
    assert (found.question.index if found.question else None) == index


def test_an_index_is_believed_where_the_text_agrees_or_a_person_said_so(shop):
    finder = QuestionFinder(shop)
    assert finder.find(Asked("rephrased", 1)).question is None
    assert finder.find(Asked("rephrased", 1, trusted=True)).question.index == 1
    assert finder.find(Asked("Which books cost 9?", 1)).how == "by its index"


def test_advantages_leave_out_what_was_not_scored():
    assert advantages([1.0, None, 0.0], "none") == [0.5, None, -0.5]
    assert advantages([None, None]) == [None, None] and advantages([0.3]) == [0.0]
    with pytest.raises(ValueError, match="'batch'; it is one of group, none"):
        advantages([1.0], "batch")


def test_at_the_prompt(tmp_path, capsys):
    path = write_lines(tmp_path / "a.jsonl", {"prompt": "?", "completion": "SELECT 1", "r": 1})
    arguments = ["import-trl", str(path), "--run", str(tmp_path / "run"), "--weight", "r=0.5"]
    assert main(arguments) == 0 and "1 answers in 1 groups, steps 1 to 1" in capsys.readouterr().out
    assert main(arguments) == 2 and "already holds a run" in capsys.readouterr().err
    assert main([*arguments[:-1], "r"]) == 2 and "must have the form NAME=VALUE" in capsys.readouterr().err


def test_what_is_refused_writes_nothing(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"prompt": "?", "completion": "SELECT 1", "r": 1})
    with pytest.raises(FinerError, match="unknown reward 's'"):
        import_rollouts(path, tmp_path / "run", weights={"s": 1.0})
    assert not (tmp_path / "run").exists()
    with pytest.raises(RunStoreError, match="is a file"):
        import_rollouts(path, path)
