"""The command line: what it prints, what it refuses, with which exit code. Run with: pytest tests/test_cli.py"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from shop import make_shop

from finer import cli, datasets, policy, predictions
from finer.cli import machine
from finer.config import TrainConfig
from finer.datasets import load_dataset
from finer.errors import FinerError
from finer.prompt import completion_text
from finer.runs import RunWriter

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def starter():
    return load_dataset("starter")


@pytest.fixture(autouse=True)
def starter_is_read_once(monkeypatch, starter):
    real = datasets.load_dataset

    def load(name="starter", split=None, data=None):
        if name != "starter" or data is not None:
            return real(name, split, data)
        return starter if split is None else starter.split(split)

    monkeypatch.setattr(datasets, "load_dataset", load)


@pytest.fixture(autouse=True)
def golds_are_kept_apart(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("FINER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def stand_in(monkeypatch):
    """Puts a module in the place of one that would train or load a model; it notes how it is called."""

    def put(name, function, result=None):
        calls = []
        module = ModuleType(name)
        setattr(module, function, lambda *given, **named: (calls.append((given, named)), result)[1])
        monkeypatch.setitem(sys.modules, name, module)
        return calls

    return put


def write_lines(path, *rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return str(path)


# --- what is refused, in one line, with exit code 2 ---------------------------------------------------------------------------

REFUSED = {
    "an unknown command": ("trian", "unknown command 'trian'; did you mean 'train'?"),
    "an unknown option": ("train --polcy x --run {tmp}/r", "unknown option of finer train '--polcy'; did you mean '--policy'"),
    "an option cut short": ("train --pol x --run {tmp}/r", "unknown option of finer train '--pol'; did you mean"),
    "a missing option": ("score", "the following arguments are required: --predictions. See: finer score --help"),
    "two policies": ("evaluate --predictions a --policy b", "not allowed with argument --predictions"),
    "text for a number": ("train --run {tmp}/r --steps many", "argument --steps: must be a whole number, not 'many'"),
    "one argument too many": ("train a b --run {tmp}/r", "too many arguments: b"),
    "an unknown policy": ("evaluate --policy tyni", "unknown policy 'tyni'; did you mean 'tiny'"),
    "an unknown recipe": ("train --recipe fine --run {tmp}/r", "unknown recipe 'fine'; did you mean 'finer' or 'finer-near'?"),
    "an unknown recipe to score": ("score --predictions x --recipe spares", "unknown recipe 'spares'; did you mean 'sparse'"),
    "an unknown key": ("train --set stepz=3 --run {tmp}/r", "--set stepz=3: unknown key 'stepz'; did you mean 'steps'?"),
    "a wrong value": ("train --set steps=0 --run {tmp}/r", "steps must be a whole number of at least 1, not 0"),
    "a missing configuration": ("train {tmp}/none.toml --run {tmp}/r", "{tmp}/none.toml does not exist"),
    "an unknown dataset": ("evaluate --predictions x --dataset startr", "unknown dataset 'startr': give 'starter', 'spider' or 'bird'"),
    "an unknown split": ("evaluate --predictions x --split test", "has no split 'test'; it has ['dev'"),
    "an unknown metric": ("evaluate --predictions x --metric exact", "unknown metric 'exact'; there are: strict, bird-ex"),
    "a switch that a metric lacks": ("evaluate --predictions x --keep-distinct", "strict knows neither keep_distinct nor plug_value"),
    "samples of a file": ("evaluate --predictions x --samples 3", "--samples, --adapter, --columns and --oracle go with --policy; `finer vote"),
    "no sample": ("evaluate --policy tiny --samples 0", "argument --samples: must be at least 1, not 0"),
    "a cold temperature": ("evaluate --policy tiny --samples 2 --temperature 0", "argument --temperature: must be above 0, not 0"),
    "votes by a metric that grades": ("evaluate --policy tiny --samples 2 --metric soft-f1 ves", "votes and pass@n need right or wrong, and soft-f1 and ves grade"),
    "a vote by a metric that grades": ("vote --predictions x --metric soft-f1", "soft-f1 grades answers, and votes and pass@n need right or wrong"),
    "no witnesses there": ("evaluate --predictions x --witnesses {tmp}", "no witness for the databases of 'starter' in '{tmp}'"),
    "no time for witnesses": ("witness --predictions x --out {tmp} --seconds 0", "argument --seconds: must be above 0, not 0"),
    "files for starter": ("evaluate --predictions x --data {tmp}", "goes with 'spider' or 'bird', not with 'starter'"),
    "runs to compare": ("compare {tmp} {tmp}", "{tmp} is a folder; compare takes two files of predictions"),
    "one file to compare": ("compare {tmp}/a", "the following arguments are required: B"),
    "no alternatives there": ("evaluate --predictions x --alternatives {tmp}/none", "{tmp}/none does not exist"),
    "an alternative of nobody": ("accept --index 0 --sql SELECT --who= --why x --into {tmp}/a", "an alternative needs a name and a reason"),
    "an unknown way of voting": ("vote --predictions {tmp}/none.jsonl --method most", "{tmp}/none.jsonl does not exist"),
    "a missing file": ("score --predictions {tmp}/none.jsonl", "{tmp}/none.jsonl does not exist"),
    "no run there": ("resume {tmp}", "{tmp} is not a run's folder"),
    "no run to report on": ("report {tmp}/none --html {tmp}/x.html", "{tmp}/none does not exist"),
    "a result that cannot be written": ("score --predictions x --json {tmp}/none/x", "{tmp}/none/x cannot be written"),
    "a result that is a folder": ("evaluate --predictions x --json {tmp}", "{tmp} cannot be written: it is a folder"),
}


@pytest.mark.parametrize(("command", "message"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_gets_one_line_and_exit_code_2(tmp_path, capsys, stand_in, command, message):
    stand_in("finer.report", "write_report")
    stand_in("finer.grpo", "resume")
    assert cli.main(command.format(tmp=tmp_path).split()) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("finer: ") and printed.err.count("\n") == 1 and printed.out == ""
    assert message.format(tmp=tmp_path) in printed.err


def test_a_fault_of_the_program_keeps_its_traceback(monkeypatch):
    def broken(chosen):
        int("not a number")  # a ValueError that comes from elsewhere than our own code

    monkeypatch.setattr(machine, "doctor", broken)
    with pytest.raises(ValueError, match="invalid literal"):
        cli.main(["doctor"])


def raising(error):
    def handler(chosen):
        raise error

    return handler


ENDINGS = {
    "our own error": (FinerError("first line\n  and a second"), 2, "finer: first line and a second\n"),
    "a file's error": (FileNotFoundError(2, "No such file or directory", "a.txt"), 2, "finer: a.txt: No such file or directory\n"),
    "Ctrl-C": (KeyboardInterrupt(), 130, "finer: interrupted. What was written is safe"),
}


@pytest.mark.parametrize(("error", "code", "message"), ENDINGS.values(), ids=ENDINGS)
def test_how_a_command_ends(monkeypatch, capsys, error, code, message):
    monkeypatch.setattr(machine, "doctor", raising(error))
    assert cli.main(["doctor"]) == code
    assert capsys.readouterr().err.startswith(message)


def test_without_a_command_the_help_is_shown(capsys):
    assert cli.main([]) == 2
    assert "usage: finer" in capsys.readouterr().out


def test_help_and_the_package_load_nothing_heavy():
    script = (
        "import sys, finer, finer.cli\n"
        "try: finer.cli.main(['train', '--help'])\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "heavy = {'torch', 'transformers', 'trl', 'pandas', 'numpy', 'sqlglot', 'wordllama', 'rich', 'psutil'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage: finer train" in done.stdout


# --- the commands that hand over to others ------------------------------------------------------------------------------------


def test_train_hands_over_the_whole_configuration(tmp_path, stand_in):
    calls = stand_in("finer.grpo", "train", SimpleNamespace(status="stopped"))
    config = tmp_path / "c.toml"
    config.write_text('recipe = "paper"\nsteps = 9\n')
    command = ["train", str(config), "--steps", "5", "--set", "group_size=4", "--seed", "0", "--run", str(tmp_path / "run")]
    assert cli.main(command) == 0
    ((given, named),) = calls
    assert given == (TrainConfig(recipe="paper", steps=5, group_size=4), tmp_path / "run")
    assert callable(named["on_event"])


@pytest.mark.parametrize(
    ("status", "dataset", "commands"),
    [
        ("finished", "starter", ["finer report runs/x", "finer evaluate --policy runs/x/policy --split dev"]),
        ("finished", "spider", ["finer report runs/x"]),
        ("stopped", "starter", []),
    ],
)
def test_train_ends_with_the_commands_that_look_at_the_run(stand_in, capsys, status, dataset, commands):
    stand_in("finer.grpo", "train", SimpleNamespace(status=status))
    assert cli.main(["train", "--dataset", dataset, "--run", "runs/x"]) == 0
    assert re.findall(r"finer .*", capsys.readouterr().out) == commands


def test_resume_hands_over_the_folder(tmp_path, stand_in):
    calls = stand_in("finer.grpo", "resume")
    RunWriter.create(tmp_path / "run", {}).close()
    assert cli.main(["resume", str(tmp_path / "run")]) == 0
    assert calls[0][0] == (tmp_path / "run",)


def test_demo_takes_a_folder_that_is_free(tmp_path, stand_in, monkeypatch):
    calls = stand_in("finer.demo", "run_demo")
    monkeypatch.chdir(tmp_path)
    cli.main(["demo"])
    (tmp_path / "runs" / "demo").mkdir(parents=True)
    (tmp_path / "runs" / "demo-2").mkdir()
    cli.main(["demo"])
    cli.main(["demo", "--run", "elsewhere"])
    assert [given for given, _ in calls] == [(Path("runs/demo"),), (Path("runs/demo-3"),), (Path("elsewhere"),)]


def test_report_writes_where_it_is_told(tmp_path, stand_in, capsys):
    calls = stand_in("finer.report", "write_report")
    RunWriter.create(tmp_path / "run", {}).close()
    assert cli.main(["report", str(tmp_path / "run"), "--html", str(tmp_path / "r.html")]) == 0
    run, html = calls[0][0]
    assert run.folder == tmp_path / "run" and html == tmp_path / "r.html"


def test_report_lies_beside_the_run_where_nothing_else_is_said(tmp_path, stand_in, capsys):
    calls = stand_in("finer.report", "write_report")
    RunWriter.create(tmp_path / "run", {}).close()
    assert cli.main(["report", str(tmp_path / "run")]) == 0
    assert calls[0][0][1] == tmp_path / "run" / "report.html"
    assert capsys.readouterr().out == f"Report: {tmp_path / 'run' / 'report.html'}\n"


def test_lab_opens_the_notebooks(monkeypatch):
    started = []
    monkeypatch.setattr(machine.subprocess, "call", lambda command: (started.append(command), 7)[1])
    assert cli.main(["lab"]) == 7
    assert started[0][:3] == [sys.executable, "-m", "jupyterlab"] and started[0][3].endswith("notebooks")
    assert "--no-browser" not in started[0] and "--port" not in started[0]
    assert cli.main(["lab", "--no-browser", "--port", "8899"]) == 7
    assert started[1][-3:] == ["--no-browser", "--port", "8899"]


# --- predictions --------------------------------------------------------------------------------------------------------------


def answers(question):
    """One question answered in each way."""
    gold = question.gold[0]
    return {
        "gold": {"index": question.index, "sql": gold},
        "gold in a completion": {"index": question.index, "completion": completion_text("look", gold)},
        "gold in prose is not SQL as it stands": {"index": question.index, "sql": f"Here you are: {gold}"},
        "gold in prose is found in a completion": {"index": question.index, "completion": f"Here you are:\n```sql\n{gold}\n```"},
        "wrong": {"index": question.index, "sql": "SELECT 'nothing like it'"},
        "hostile": {"index": question.index, "sql": "DROP TABLE flight"},
    }


def test_evaluate_counts_what_is_right(tmp_path, capsys, starter):
    file = write_lines(tmp_path / "p.jsonl", *answers(starter.questions[0]).values())
    assert cli.main(["evaluate", "--predictions", file, "--json", str(tmp_path / "e.json")]) == 0
    found = json.loads((tmp_path / "e.json").read_text())
    assert [row["correct"] for row in found["per_question"]] == [True, True, False, True, False, False]
    assert (found["metric"], found["value"], found["n"]) == ("strict", 0.5, 6)
    assert [row["status"] for row in found["per_question"]][2::3] == ["refused", "refused"]
    assert found["options"]["predictions"] == file and found["suspects"] == []
    again = predictions.read_predictions(tmp_path / "e.json", starter)
    assert [prediction.sql for _, prediction in again] == [row["sql"] for row in found["per_question"]], "its own output is read too"
    printed = capsys.readouterr()
    assert re.search(r"^all +50\.0 % +16\.7 % … +83\.3 % +of 6$", printed.out, re.MULTILINE)
    assert "statuses      ok 4, refused 2" in printed.out and "strict: judged 6 in" in printed.err


def test_several_metrics_make_a_list(tmp_path, capsys, starter):
    file = write_lines(tmp_path / "p.jsonl", answers(starter.questions[0])["gold"])
    command = ["evaluate", "--predictions", file, "--json", str(tmp_path / "e.json"), "--keep-distinct", "--metric", "bird-ex", "spider-ex", "--metric", "soft-f1"]
    assert cli.main(command) == 0
    found = json.loads((tmp_path / "e.json").read_text())
    assert [one["metric"] for one in found] == ["bird-ex", "spider-ex", "soft-f1"]
    assert [one["options"]["keep_distinct"] for one in found] == [False, True, False], "only Spider's rules know it"
    assert all(one["value"] == 1 for one in found)


class Parrot:
    """A policy that answers every question with its gold; its samples are the gold and a wrong answer in turn."""

    spec = policy.PolicySpec("parrot", "nowhere", "tiny", 0)

    def messages(self, question, schema, columns=()):
        return [{"role": "user", "content": question.gold[0]}]

    def generate(self, prompts, tokens):
        return [completion_text("", prompt[0]["content"]) for prompt in prompts]

    def sample(self, prompts, samples, tokens, temperature=1.0, top_p=1.0, seed=None):
        texts = self.generate(prompts, tokens)
        return [policy.Answers(tuple(completion_text("", "SELECT 'x'") if n % 2 else text for n in range(samples)), (5,) * samples, 0.5) for text in texts]


@pytest.fixture
def parrot(monkeypatch, starter):
    """The parrot in the place of every policy, and a dataset of two questions in the place of starter."""
    calls = []
    few = replace(starter, questions=starter.questions[:2])
    monkeypatch.setattr(policy, "load_policy", lambda name, adapter=None: (calls.append((name, adapter)), Parrot())[1])
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split=None, data=None: few)
    return calls


def test_evaluate_asks_a_policy(tmp_path, capsys, parrot):
    assert cli.main(["evaluate", "--policy", "tiny", "--adapter", "a", "--json", str(tmp_path / "e.json")]) == 0
    found = json.loads((tmp_path / "e.json").read_text())
    assert parrot == [("tiny", "a")]
    assert (found["value"], found["n"]) == (1.0, 2) and found["options"]["policy"] == "tiny"


def test_evaluate_with_samples_votes_too(tmp_path, capsys, parrot):
    command = ["evaluate", "--policy", "tiny", "--samples", "3", "--metric", "strict", "bird-ex", "--json", str(tmp_path / "e.json")]
    assert cli.main(command) == 0
    found = json.loads((tmp_path / "e.json").read_text())
    for one in found:
        assert one["value"] == 1 and one["options"]["samples"] == 3
        methods = {method["method"]: method["value"] for method in one["samples"]["methods"]}
        assert methods["greedy"] == methods["majority"] == methods["pass@3"] == 1
        assert methods["pass@1"] == pytest.approx(2 / 3)
        assert one["samples"]["metric"] == one["metric"]
    assert "majority" in capsys.readouterr().out


def test_an_oracle_is_named_in_every_figure(tmp_path, capsys, parrot):
    for command in (["evaluate", "--samples", "2"], ["evaluate"], ["vote", "--samples", "2"]):
        assert cli.main([*command, "--policy", "tiny", "--oracle", "--json", str(tmp_path / "o.json")]) == 0
        found = json.loads((tmp_path / "o.json").read_text())
        assert found["metric"] == "strict (oracle columns)" and found["options"]["columns"] == "oracle columns"
        votes = found["samples"]["methods"] if "samples" in found and command[0] == "evaluate" else found.get("methods", [])
        assert all(one["metric"] == "strict (oracle columns)" for one in votes)
        printed = capsys.readouterr().out
        assert "strict (oracle columns)" in printed and "strict on" not in printed and "rule strict\n" not in printed


def test_columns_are_told_and_go_with_a_policy(tmp_path, capsys, parrot):
    assert cli.main(["evaluate", "--policy", "tiny", "--columns", "5", "--json", str(tmp_path / "e.json")]) == 0
    found = json.loads((tmp_path / "e.json").read_text())
    assert found["metric"] == "strict" and found["options"]["columns"] == "5 columns"
    for command in ("evaluate", "vote"):
        assert cli.main([command, "--predictions", "p.jsonl", "--columns", "5"]) != 0
    assert cli.main(["evaluate", "--policy", "tiny", "--columns", "5", "--oracle"]) != 0
    assert capsys.readouterr().err.count("--policy") == 2


def test_vote_reads_several_answers_a_question(tmp_path, capsys, starter):
    question = starter.questions[0]
    rows = [{"index": question.index, "sql": sql} for sql in ("SELECT 'x'", question.gold[0], question.gold[0])]
    file = write_lines(tmp_path / "p.jsonl", *rows)
    assert cli.main(["vote", "--predictions", file, "--method", "greedy", "--method", "majority", "--json", str(tmp_path / "v.json")]) == 0
    found = json.loads((tmp_path / "v.json").read_text())
    assert [(one["method"], one["value"]) for one in found["methods"]] == [("greedy", 0), ("majority", 1)]
    assert "rule strict" in capsys.readouterr().out


def test_compare_names_what_was_gained_and_lost(tmp_path, capsys, starter):
    first, second = starter.questions[:2]
    right = [{"index": question.index, "sql": question.gold[0]} for question in (first, second)]
    wrong = [{**row, "sql": "SELECT 'nothing like it'"} for row in right]
    before, after = write_lines(tmp_path / "a.jsonl", right[0], wrong[1]), write_lines(tmp_path / "b.jsonl", wrong[0], right[1])
    assert cli.main(["compare", before, after, "--json", str(tmp_path / "c.json")]) == 0
    found = json.loads((tmp_path / "c.json").read_text())
    assert [one["index"] for one in found["gained"]] == [second.index] and [one["index"] for one in found["lost"]] == [first.index]
    assert found["difference"]["value"] == 0 and found["p"] == 1
    printed = capsys.readouterr().out
    assert "1 gained, 1 lost, p = 1 (exact)" in printed and second.text in printed and "SELECT 'nothing like it'" in printed


def test_an_alternative_is_kept_beside_the_gold(tmp_path, capsys, starter):
    question, other, into = starter.questions[0], "SELECT 'accepted'", str(tmp_path / "alternatives.jsonl")
    file = write_lines(tmp_path / "p.jsonl", {"index": question.index, "sql": other})
    assert cli.main(["accept", "--index", str(question.index), "--sql", other, "--who", "Ada", "--why", "as good", "--into", into]) == 0
    assert cli.main(["evaluate", "--predictions", file, "--alternatives", into, "--json", str(tmp_path / "e.json")]) == 0
    found = json.loads((tmp_path / "e.json").read_text())
    assert found["value"] == 0 and found["with_alternatives"]["value"] == 1
    (changed,) = found["with_alternatives"]["changed"]
    assert (changed["index"], changed["alternatives"][0]["who"], changed["alternatives"][0]["why"]) == (question.index, "Ada", "as good")
    printed = capsys.readouterr().out
    assert "with the alternatives that a person accepted" in printed and "Ada" in printed and "as good" in printed


def test_witness_finds_what_is_right_by_luck(tmp_path, capsys, monkeypatch):
    shop = make_shop(tmp_path)
    one = replace(shop, questions=shop.questions[:2], databases={"shop": replace(shop.databases["shop"], instances=shop.databases["shop"].instances[:1])})
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split=None, data=None: one)
    file, out = write_lines(tmp_path / "p.jsonl", {"index": 0, "sql": "SELECT count(*) FROM book"}, {"index": 1, "sql": "SELECT title FROM book WHERE price > 8"}), tmp_path / "out"
    assert cli.main(["witness", "--predictions", file, "--out", str(out), "--seconds", "20"]) == 0
    assert "strict: 2 of 2 answers are right on the instances there are\n1 of them differ" in capsys.readouterr().out
    assert cli.main(["evaluate", "--predictions", file, "--witnesses", str(out)]) == 0
    assert "flipped       1 of 2: right on the main instance, wrong on another" in capsys.readouterr().out


def test_suspects_are_listed(tmp_path, capsys, starter, monkeypatch):
    question = starter.questions[0]
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split=None, data=None: replace(starter, questions=(question,)))
    agreed = [{"index": question.index, "sql": sql} for sql in ("SELECT 'x'", "SELECT 'x' AS y", "SELECT 'x'")]
    file = write_lines(tmp_path / "p.jsonl", *agreed)
    assert cli.main(["suspects", "--predictions", file, "--json", str(tmp_path / "s.json")]) == 0
    (found,) = json.loads((tmp_path / "s.json").read_text())
    assert (found["index"], found["kind"], found["answer"]) == (question.index, "outvoted", "SELECT 'x'")
    assert "3 of 3 answers agree on another result" in capsys.readouterr().out


def test_score_writes_a_line_a_prediction(tmp_path, capsys, starter):
    file = write_lines(tmp_path / "p.jsonl", *answers(starter.questions[0]).values())
    assert cli.main(["score", "--predictions", file, "--json", str(tmp_path / "s.jsonl")]) == 0
    rows = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    assert [row["status"] for row in rows] == ["correct", "correct", "refused", "correct", "wrong", "refused"]
    assert all(set(row) == {"index", "db_id", "sql", "status", "parts", "total", "atomic"} for row in rows)
    bare, whole = rows[0], rows[1]
    assert bare["parts"]["format"] is None and bare["parts"]["memory"] is None, "SQL alone has neither"
    assert whole["parts"]["format"] == {"value": 1.0, "weight": 0.05}
    assert bare["atomic"]["overlap"] == 1.0 and bare["atomic"]["missing"] == [] and rows[5]["total"] == 0
    paid = sum(part["value"] * part["weight"] for part in whole["parts"].values() if part)
    assert whole["total"] == pytest.approx(paid)
    assert "scored 6 in" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("recipe", ["finer", "sparse"])
def test_score_names_what_only_changed_beside_missing_and_extra(tmp_path, capsys, starter, recipe):
    question = next(one for one in starter.questions if re.search(r" > \d+$", one.gold[0]))
    file = write_lines(tmp_path / "p.jsonl", {"index": question.index, "sql": question.gold[0] + "9"})
    assert cli.main(["score", "--predictions", file, "--recipe", recipe]) == 0
    atomic = json.loads(capsys.readouterr().out)["atomic"]
    ((mine, theirs),) = atomic["changed"]
    assert mine["text"] == theirs["text"] + "9" and mine in atomic["extra"] and theirs in atomic["missing"]


def test_score_compares_operations_also_where_the_recipe_does_not(tmp_path, capsys, starter):
    file = write_lines(tmp_path / "p.jsonl", answers(starter.questions[0])["gold"])
    assert cli.main(["score", "--predictions", file, "--recipe", "sparse"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["parts"] == {"execution": {"value": 1.0, "weight": 1.0}} and row["atomic"]["overlap"] == 1.0


def test_the_other_forms_of_a_predictions_file(tmp_path, starter):
    first, second = starter.questions[:2]
    bird = tmp_path / "p.json"
    bird.write_text(json.dumps({str(second.index): f"SELECT 2{predictions.BIRD_SEPARATOR}airline"}))
    assert predictions.read_predictions(bird, starter) == [(second, predictions.Prediction(second.index, "SELECT 2"))]
    spider = tmp_path / "p.sql"
    spider.write_text("".join(f"SELECT {question.index}\t{question.db_id}\n" for question in starter.questions))
    read = predictions.read_predictions(spider, starter)
    assert len(read) == len(starter.questions) and read[0] == (first, predictions.Prediction(first.index, f"SELECT {first.index}"))


BAD_FILES = {
    "not JSON": ("p.jsonl", "{", "p.jsonl, line 1 is not JSON"),
    "no index": ("p.jsonl", '\n{"sql": "SELECT 1"}', "p.jsonl, line 2: 'index' is missing or no whole number"),
    "an index that is true": ("p.jsonl", '{"index": true, "sql": ""}', "'index' is missing or no whole number"),
    "an unknown index": ("p.jsonl", '{"index": 99999, "sql": ""}', "has no question 99999; its indices run from 0 to"),
    "neither": ("p.jsonl", '{"index": 0, "query": ""}', "give either 'sql' or 'completion', as text; it has index, query"),
    "both": ("p.jsonl", '{"index": 0, "sql": "", "completion": ""}', "give either 'sql' or 'completion'"),
    "SQL that is no text": ("p.jsonl", '{"index": 0, "sql": 1}', "give either 'sql' or 'completion', as text"),
    "a list": ("p.jsonl", "[0]", "'index' is missing"),
    "empty": ("p.jsonl", "\n", "holds no prediction. Write an object a line"),
    "no text": ("p.jsonl", b"\xff\xfe", "cannot be read as text"),
    "BIRD's form, but a list": ("p.json", "[]", "holds a list; BIRD's form is an object"),
    "BIRD's form with a name for an index": ("p.json", '{"one": "SELECT 1"}', "'one' must be a question's index"),
    "an evaluation without an index": ("p.json", '{"per_question": [{"sql": "SELECT 1"}]}', "p.json, per_question 0: 'index' is missing"),
    "an evaluation of numbers": ("p.json", '{"per_question": [1]}', "p.json, per_question 0: 'index' is missing"),
    "too few lines": ("p.sql", "SELECT 1\n", "has 1 lines and the dataset"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_predictions_file_is_named_with_its_line(tmp_path, starter, name, content, message):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(predictions.PredictionError, match=re.escape(message)):
        predictions.read_predictions(tmp_path / name, starter)


def test_a_result_takes_the_old_one_s_place_only_when_it_is_whole(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("old")
    with pytest.raises(KeyError), cli.replaced(path) as file:
        file.write("half")
        raise KeyError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with cli.replaced(path) as file:
        file.write("new")
    assert path.read_text() == "new"


def test_probe_writes_its_figures_and_finds_no_inversion_in_the_recipe_finer(tmp_path, capsys):
    file = tmp_path / "probe.json"
    assert cli.main(["probe", "--split", "dev", "--limit", "3", "--recipe", "finer", "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if line.startswith("recipe finer "))
    assert row.split()[2:6] == ["100", "%", "100", "%"]
    finer_row = next(one for one in json.loads(file.read_text())["measures"] if one["name"] == "recipe finer")
    assert finer_row["preserving"]["count"] > 20


def test_probe_refuses_an_unknown_recipe_before_it_works(capsys):
    assert cli.main(["probe", "--recipe", "finr"]) == 2
    assert "did you mean 'finer'" in capsys.readouterr().err
