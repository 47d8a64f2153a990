"""The command line: what it prints, what it refuses, with which exit code. Run with: pytest tests/test_cli.py"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from finer import cli, datasets, predictions
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

    def load(name="starter", split=None):
        if name != "starter":
            return real(name, split)
        return starter if split is None else starter.split(split)

    monkeypatch.setattr(datasets, "load_dataset", load)


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
    "an unknown option": ("train --polcy x --run {tmp}/r", "unknown option of finer train '--polcy'; did you mean '--policy'?"),
    "an option cut short": ("train --pol x --run {tmp}/r", "unknown option of finer train '--pol'; did you mean"),
    "a missing option": ("score", "the following arguments are required: --predictions. See: finer score --help"),
    "two policies": ("evaluate --predictions a --policy b", "not allowed with argument --predictions"),
    "text for a number": ("train --run {tmp}/r --steps many", "argument --steps: must be a whole number, not 'many'"),
    "one argument too many": ("train a b --run {tmp}/r", "too many arguments: b"),
    "an unknown policy": ("evaluate --policy tyni", "unknown policy 'tyni'; did you mean 'tiny'"),
    "an unknown recipe": ("train --recipe fine --run {tmp}/r", "unknown recipe 'fine'; did you mean 'finer'?"),
    "an unknown recipe to score": ("score --predictions x --recipe spares", "unknown recipe 'spares'; did you mean 'sparse'"),
    "an unknown key": ("train --set stepz=3 --run {tmp}/r", "--set stepz=3: unknown key 'stepz'; did you mean 'steps'?"),
    "a wrong value": ("train --set steps=0 --run {tmp}/r", "steps must be a whole number of at least 1, not 0"),
    "a missing configuration": ("train {tmp}/none.toml --run {tmp}/r", "{tmp}/none.toml does not exist"),
    "an unknown dataset": ("evaluate --predictions x --dataset startr", "unknown dataset 'startr': give 'starter'"),
    "an unknown split": ("evaluate --predictions x --split test", "has no split 'test'; it has ['dev'"),
    "an unknown metric": ("evaluate --predictions x --metric exact", "unknown metric 'exact'; there are: strict"),
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

    monkeypatch.setattr(cli, "doctor", broken)
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
    monkeypatch.setattr(cli, "doctor", raising(error))
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
    calls = stand_in("finer.grpo", "train")
    config = tmp_path / "c.toml"
    config.write_text('recipe = "paper"\nsteps = 9\n')
    command = ["train", str(config), "--steps", "5", "--set", "group_size=4", "--seed", "0", "--run", str(tmp_path / "run")]
    assert cli.main(command) == 0
    ((given, named),) = calls
    assert given == (TrainConfig(recipe="paper", steps=5, group_size=4), tmp_path / "run")
    assert callable(named["on_event"])


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


def test_lab_opens_the_notebooks(monkeypatch):
    started = []
    monkeypatch.setattr(cli.subprocess, "call", lambda command: (started.append(command), 7)[1])
    assert cli.main(["lab"]) == 7
    assert started[0][:3] == [sys.executable, "-m", "jupyterlab"] and started[0][3].endswith("notebooks")


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
    printed = capsys.readouterr()
    assert "50.0 % of 6" in printed.out and "judged 6 in" in printed.err


def test_evaluate_asks_a_policy(tmp_path, stand_in, capsys):
    found = {"metric": "strict", "value": 0.25, "n": 4, "by_difficulty": {"easy": {"value": None, "n": 0}}, "per_question": [{}] * 4}
    calls = stand_in("finer.evaluate", "evaluate", found)
    stand_in("finer.policy", "load_policy", "the loaded policy")
    assert cli.main(["evaluate", "--policy", "tiny", "--split", "dev", "--json", str(tmp_path / "e.json")]) == 0
    ((policy, dataset), _) = calls[0]
    assert policy == "the loaded policy" and {question.split for question in dataset.questions} == {"dev"}
    assert json.loads((tmp_path / "e.json").read_text()) == found
    assert capsys.readouterr().out.splitlines() == ["all           25.0 % of 4", "easy         not judged of 0"]


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
