"""A warm start on the bundled policy: its rows, a few real steps, their store, a crash, and what comes out.

Run with: pytest tests/test_warmstart.py
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from finer import warmstart
from finer.config import ConfigError, TrainConfig, read_config
from finer.datasets import load_dataset
from finer.errors import FinerError
from finer.grpo import train as train_grpo
from finer.judge import Judge
from finer.policy import load_policy
from finer.report import write_report
from finer.runs import Run, RunWriter
from finer.schema import DataError
from finer.shown import Shown
from finer.traces import dataset_traces, judged, read_traces
from finer.warmstart import Row, WarmConfig, chosen_traces, ordered, packed, prepare, resume, start, tokens_of, train
from widgets import Workbench
from widgets.controls import again_words

FEW = WarmConfig(traces_per_step=6, steps=4, evaluate_every=2, evaluate_questions=3, checkpoint_every=2, max_completion_tokens=48, threads=1)


@pytest.fixture(scope="module")
def starter():
    return load_dataset("starter")


@pytest.fixture(scope="module")
def tiny():
    return load_policy("tiny")


@pytest.fixture(scope="module")
def twelve(starter, tmp_path_factory):
    """A file of twelve right traces."""
    path = tmp_path_factory.mktemp("traces") / "twelve.jsonl"
    return write(path, [trace.as_json() for trace in dataset_traces(starter)[:12]])


def write(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(twelve, tmp_path_factory):
    return train(replace(FEW, traces=str(twelve)), tmp_path_factory.mktemp("runs") / "finished")


# --- the traces ---------------------------------------------------------------------------------------------------------------


def test_every_trace_of_the_starter_data_answers_its_question(starter):
    few = replace(starter, traces=starter.traces[::24])
    with Judge(few.databases) as judge:
        found = judged(dataset_traces(few), judge)
    assert len(found) == 24 and all(trace.correct for trace in found)


def test_a_file_names_questions_by_index_or_by_their_text(starter, tmp_path):
    question = starter.questions[3]
    lines = [{"index": question.index, "thought": "t", "sql": "SELECT 1"},
             {"db_id": question.db_id, "question": question.text, "thought": "t", "sql": "SELECT 1"}]  # fmt: skip
    found = read_traces(write(tmp_path / "two.jsonl", lines), starter)
    assert [trace.question.index for trace in found] == [question.index] * 2


BAD_TRACES = {
    "no such question": ({"index": 99999, "thought": "t", "sql": "SELECT 1"}, "line 1: dataset 'starter' has no question 99999"),
    "another question of that index": ({"index": 0, "question": "What?", "thought": "t", "sql": "SELECT 1"}, "not 'What?'; name the data set"),
    "no thought": ({"index": 0, "sql": "SELECT 1"}, "the field 'thought' is missing"),
    "neither index nor text": ({"thought": "t", "sql": "SELECT 1"}, "the field 'db_id' is missing"),
}


@pytest.mark.parametrize(("line", "message"), BAD_TRACES.values(), ids=BAD_TRACES)
def test_a_line_that_cannot_be_learnt_from_is_named(starter, tmp_path, line, message):
    with pytest.raises(DataError, match=re.escape(message)):
        read_traces(write(tmp_path / "bad.jsonl", [line]), starter)


def mixed(starter, path):
    """Two right, one wrong that says it is right, one right trace of a dev question."""
    right = dataset_traces(starter)[:2]
    lines = [trace.as_json() for trace in right]
    lines.append({**lines[0], "sql": "SELECT 'nothing of the kind'", "correct": True})
    dev = starter.split("dev").questions[0]
    return write(path, [*lines, {"index": dev.index, "thought": "t", "sql": dev.gold[0]}])


def test_wrong_traces_and_those_of_other_splits_are_left_out(starter, tmp_path):
    config = WarmConfig(traces=str(mixed(starter, tmp_path / "mixed.jsonl")))
    kept, told = chosen_traces(config, starter)
    assert [trace.correct for trace in kept] == [True, True]
    assert told == ["3 traces judged on every instance: 2 right, 1 wrong and left out", "1 are of other splits than 'train' and are left out"]


def test_wrong_traces_are_kept_by_option_and_marked(starter, tmp_path):
    config = WarmConfig(traces=str(mixed(starter, tmp_path / "mixed.jsonl")), keep_wrong=True)
    kept, told = chosen_traces(config, starter)
    assert [trace.correct for trace in kept] == [True, True, False] and kept[2].reason
    assert told[0].endswith("1 wrong and kept (keep_wrong)")


def test_traces_that_break_the_format_are_left_out(starter, tmp_path):
    right = dataset_traces(starter)[0].as_json()
    path = write(tmp_path / "broken.jsonl", [right, {**right, "thought": "so </think> there"}, {**right, "sql": right["sql"] + "; SELECT 2"}])
    kept, told = chosen_traces(WarmConfig(traces=str(path)), starter)
    assert len(kept) == 1 and told[1] == "2 do not keep the format and are left out; the first: 2 </think> tags, and exactly one is wanted"


def test_a_warm_start_that_would_end_at_once_says_so(twelve):
    told = prepare(WarmConfig(traces=str(twelve)), None, None).told
    assert told[-1] == "12 traces, each seen 2 times, make 1 step, which teach little; --steps 40 shows them more often"
    assert len(prepare(WarmConfig(traces=str(twelve), steps=3), None, None).told) == 1


# --- the rows -----------------------------------------------------------------------------------------------------------------


def test_a_row_is_the_prompt_that_is_asked_and_the_completion_that_is_wanted(starter, tiny):
    trace = dataset_traces(starter)[5]
    row = tokens_of(trace, tiny, starter, Shown(starter.databases, 0))
    learnt = [token for token in row.labels if token != -100]
    assert tiny.tokenizer.decode(learnt) == trace.completion + tiny.tokenizer.eos_token
    asked = tiny.tokenizer.apply_chat_template(tiny.messages(trace.question, starter.databases[trace.question.db_id].schema), tokenize=False, add_generation_prompt=True)
    assert row.ids[: row.labels.count(-100)] == tiny.tokenizer(asked, add_special_tokens=False)["input_ids"]
    assert len(row.ids) == len(row.labels) == row.lengths[0]


def test_a_chat_template_that_drops_thoughts_does_not_drop_ours(starter, tiny, monkeypatch):
    template = "{% for m in messages %}{{ m['content'].split('</think>')[-1] }}{% endfor %}"
    monkeypatch.setattr(tiny.tokenizer, "chat_template", template)
    trace = dataset_traces(starter)[5]
    row = tokens_of(trace, tiny, starter, Shown(starter.databases, 0))
    assert trace.thought in tiny.tokenizer.decode(row.ids)


def test_every_row_is_seen_once_before_any_is_seen_twice():
    lengths = [(7 * place) % 13 + 1 for place in range(20)]
    seen = ordered(lengths, steps=10, size=4, seed=3)
    assert sorted(seen[:20]) == sorted(seen[20:]) == list(range(20)) and seen[:20] != seen[20:]
    for step in range(10):
        batch = [lengths[place] for place in seen[4 * step : 4 * step + 4]]
        assert batch == sorted(batch)


def test_packing_cuts_nothing_and_loses_nothing():
    rows = [Row(list(range(size)), [-100] * (size - 2) + [1, 2], (size,)) for size in (9, 5, 5, 4, 3)]
    packs = packed(rows, 10)
    assert sorted(length for pack in packs for length in pack.lengths) == [3, 4, 5, 5, 9]
    assert all(len(pack.ids) == len(pack.labels) == sum(pack.lengths) <= 10 for pack in packs)


# --- a run --------------------------------------------------------------------------------------------------------------------


def test_the_store_holds_losses_tokens_and_accuracy(finished):
    assert finished.status == "finished" and [step.step for step in finished.steps()] == [1, 2, 3, 4]
    metrics = finished.metrics()
    assert {"loss", "mean_token_accuracy", "num_tokens", "learning_rate", "entropy"} <= set(metrics)
    tokens = [value for _, value in metrics["num_tokens"]]
    assert tokens == sorted(tokens) and tokens[0] > 0
    assert [(one.step, one.n) for one in finished.evaluations()] == [(0, 3), (2, 3), (4, 3)]
    assert finished.groups() == [] and finished.steps()[0].seconds["update"] > 0 and finished.steps()[0].seconds["generation"] is None


def test_imitating_lowers_the_loss_on_what_is_imitated(twelve, tmp_path):
    run = train(replace(FEW, traces=str(twelve), steps=8, traces_per_step=12, evaluate_every=0, evaluate_questions=1, checkpoint_every=0), tmp_path / "run")
    losses = [value for _, value in run.metrics("loss")]
    assert losses[-1] < 0.7 * losses[0]


def test_what_was_chosen_is_in_the_run_s_configuration(finished, starter):
    config = finished.config
    assert (config["stage"], config["tune"], config["packing"], config["learning_rate"]) == ("warm start", "whole", "off", 5e-4)
    assert Path(config["traces"]).is_absolute()
    assert read_config(finished.folder / "config.toml", kind=WarmConfig) == WarmConfig(**{k: v for k, v in config.items() if k != "stage"})
    kept = read_traces(finished.folder / "traces.jsonl", starter)
    assert len(kept) == 12 and finished.events()[0].detail == "12 traces judged on every instance: 12 right, 0 wrong"


def test_grpo_goes_on_from_the_policy_that_comes_out(finished, tmp_path):
    config = TrainConfig(policy=str(finished.folder / "policy"), steps=1, questions_per_step=1, group_size=2, evaluate_every=0,
                         evaluate_questions=1, checkpoint_every=0, max_completion_tokens=8, threads=1)  # fmt: skip
    assert train_grpo(config, tmp_path / "next").status == "finished"
    assert load_policy(str(finished.folder / "policy")).spec.style == "tiny"


def test_an_adapter_is_trained_and_worked_into_the_weights(twelve, tmp_path, tiny):
    run = train(replace(FEW, traces=str(twelve), steps=2, tune="lora", lora_rank=4, learning_rate=1e-2), tmp_path / "adapter")
    checkpoint = run.folder / "checkpoints" / "checkpoint-2"
    assert (checkpoint / "adapter_model.safetensors").exists() and not (checkpoint / "model.safetensors").exists()
    before, after = tiny.model.state_dict(), load_policy(str(run.folder / "policy")).model.state_dict()
    changed = {name.split(".")[-2] for name in before if not before[name].float().equal(after[name].float())}
    assert changed == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def test_packed_rows_learn_the_same(twelve, tmp_path):
    """No attention across traces: the first step's loss, all twelve at once, is that of the rows one by one."""
    one_step = replace(FEW, traces=str(twelve), steps=1, traces_per_step=12, evaluate_every=0, evaluate_questions=1, checkpoint_every=0)
    losses = [train(replace(one_step, packing=packing, most_tokens=768), tmp_path / packing).metrics("loss")[0][1] for packing in ("on", "off")]
    counts = [Run(tmp_path / packing).metrics("num_tokens")[0][1] for packing in ("on", "off")]
    assert counts[0] == counts[1] and losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_an_adapter_is_drawn_by_the_seed(twelve, tmp_path):
    one_step = replace(FEW, traces=str(twelve), steps=2, tune="lora", evaluate_every=0, evaluate_questions=1, checkpoint_every=0, seed=4)
    losses = [train(one_step, tmp_path / name).metrics("loss") for name in ("one", "other")]
    assert losses[0] == losses[1]


SPIDER = os.environ.get("FINER_TEST_DATA")


@pytest.mark.skipif(not SPIDER, reason="FINER_TEST_DATA names no folder of real data")
def test_spider_s_train_questions_warm_a_policy(tmp_path):
    folder = Path(SPIDER) / "spider"
    train_split = load_dataset("spider", "train", folder)
    here = [question for question in train_split.questions if train_split.databases[question.db_id].instances][:8]
    if not here:
        pytest.skip(f"{folder} holds no database of Spider's train questions")
    lines = [{"index": q.index, "question": q.text, "thought": f"use {q.db_id}", "sql": q.gold[0]} for q in here]
    config = replace(FEW, dataset="spider", data=str(folder), traces=str(write(tmp_path / "t.jsonl", lines)), steps=1, columns=8, evaluate_every=0, evaluate_questions=1)
    run = train(config, tmp_path / "run")
    assert run.status == "finished" and run.events()[0].detail.startswith("8 traces judged on every instance: 8 right")


LINES = {
    "TRL's": ({"loss": 1.09, "mean_token_accuracy": 0.871, "num_tokens": 1451.0}, "step 1/3  loss 1.090  tokens right 87 %  1,451 tokens seen"),
    "Unsloth's, whose trainer counts no tokens": ({"loss": 1.09}, "step 1/3  loss 1.090"),
}


@pytest.mark.parametrize("case", LINES)
def test_a_step_is_told_by_what_its_trainer_reports(case):
    metrics, line = LINES[case]
    assert warmstart._line(WarmConfig(steps=3), 1, metrics) == line


# --- what is refused ----------------------------------------------------------------------------------------------------------

REFUSED = {
    "an unknown policy": ({"policy": "tinny"}, FinerError, "tiny"),
    "a dataset that is not there": ({"dataset": "no/such/folder"}, FinerError, "no/such/folder"),
    "a file of traces that is not there": ({"traces": "no/such.jsonl"}, FinerError, "no/such.jsonl"),
    "a file of another kind": ({"traces": "traces.csv"}, FinerError, "ends in .jsonl"),
    "a split without traces": ({"split": "dev"}, FinerError, "of 576 traces none may be learnt from: 0 are wrong, 576 are of other splits than 'dev'"),
    "too short a row": ({"most_tokens": 16}, FinerError, "longer than 16 tokens"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_warm_start_that_cannot_go_well_is_refused_before_anything_is_written(case, twelve, tmp_path):
    changes, kind, told = REFUSED[case]
    with pytest.raises(kind, match=re.escape(told)):
        train(replace(FEW, **{**({} if case == "a split without traces" else {"traces": str(twelve)}), **changes}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_words_of_which_there_are_few_are_checked():
    with pytest.raises(ConfigError, match='packing must be "auto" or "on" or "off", not \'yes\''):
        WarmConfig(packing="yes")
    with pytest.raises(ConfigError, match="did you mean 'traces_per_step'"):
        read_config(overrides=["trace_per_step=3"], kind=WarmConfig)


def test_a_finished_warm_start_cannot_be_resumed_and_its_folder_is_kept(finished, twelve):
    before = finished.path.read_bytes()
    with pytest.raises(FinerError, match="is finished"):
        resume(finished.folder)
    with pytest.raises(FinerError, match="already holds a run"):
        train(replace(FEW, traces=str(twelve)), finished.folder)
    assert finished.path.read_bytes() == before


# --- looking at it ------------------------------------------------------------------------------------------------------------


def test_the_views_and_the_report_show_losses_and_no_empty_tab(finished, tmp_path):
    bench = Workbench(finished)
    assert [view.title for view in bench.views] == ["Curves"]
    assert "Loss on the completions" in bench.to_html() and "Tokens of the completions foretold" in bench.to_html()
    page = write_report(finished, tmp_path / "report.html").read_text(encoding="utf-8")
    for words in ("Loss on the completions", "tokens of traces seen", "What it learned, and what it lost", "12 traces judged"):
        assert words in page
    for words in ("answers scored", "What execution alone would have seen", "Every answer"):
        assert words not in page


def test_a_warm_start_that_broke_off_says_how_to_go_on(tmp_path):
    RunWriter.create(tmp_path / "run", {"stage": "warm start", "policy": "tiny"}).close()
    said = again_words(Run(tmp_path / "run"))
    assert said[0] == "The warm start is crashed, and takes no requests." and "finer resume" in said[1]


def test_a_run_that_died_before_its_traces_were_kept_begins_anew(twelve, tmp_path):
    config = replace(FEW, traces=str(twelve), steps=1, evaluate_every=0, evaluate_questions=1)
    RunWriter.create(tmp_path / "run", {"stage": "warm start", **vars(config)}).close()
    run = resume(tmp_path / "run")
    assert run.status == "finished" and (run.folder / "traces.jsonl").exists()


# --- a person, and a crash ----------------------------------------------------------------------------------------------------


def test_buttons_are_answered_and_weights_are_refused(twelve, tmp_path):
    training = start(replace(FEW, traces=str(twelve), steps=300, evaluate_every=0, checkpoint_every=0), tmp_path / "live")
    run = training.run
    bench = Workbench(run).follow()
    run.request("weights", atomic=0.3)
    run.request("stop")
    training.wait()
    until(lambda: not bench.following, 30)
    assert f"stopped · step {run.last_step}" in bench.head.value and "Loss on the completions" in bench.to_html()
    weights, stop = run.requests()
    assert weights.outcome.startswith("refused: a warm start imitates traces and pays no reward")
    assert stop.outcome.startswith("stopped after step") and run.status == "stopped" and run.last_step < 300
    assert (run.folder / "policy" / "model.safetensors").exists()


def until(true, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)


CHILD = "import sys; from finer.warmstart import WarmConfig, train; train(WarmConfig(**eval(sys.argv[2])), sys.argv[1])"


def test_killed_and_resumed_it_ends_with_the_weights_of_one_that_never_was(finished, twelve, tmp_path):
    """With SIGKILL, past a checkpoint, in the middle of whatever it is doing."""
    folder, config = tmp_path / "killed", {**vars(FEW), "traces": str(twelve)}
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(folder), repr(config)], env={**os.environ, "HF_HUB_OFFLINE": "1"})
    until(lambda: (folder / "run.sqlite").exists() and last_step(folder) >= 3 or child.poll() is not None, 240)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert Run(folder).status == "crashed"
    again = resume(folder)
    assert again.status == "finished"
    weights = [(run.folder / "policy" / "model.safetensors").read_bytes() for run in (finished, again)]
    assert weights[0] == weights[1]
    for name in ("loss", "num_tokens", "mean_token_accuracy", "learning_rate", "grad_norm"):
        assert again.metrics(name) == finished.metrics(name)
    outcomes = [[(one.step, one.questions) for one in run.evaluations(questions=True)] for run in (finished, again)]
    assert outcomes[0] == outcomes[1]


def last_step(folder) -> int:
    try:
        return Run(folder).last_step
    except FinerError:
        return 0


GO_ON = """
import sys
from pathlib import Path
from finer.warmstart import WarmConfig, resume, train
folder = Path(sys.argv[1])
resume(folder) if (folder / "run.sqlite").exists() else train(WarmConfig(**eval(sys.argv[2])), folder)
"""


@pytest.mark.stress
def test_killed_at_random_moments_until_it_is_through(twelve, tmp_path):
    config = {**vars(FEW), "traces": str(twelve), "steps": 20, "evaluate_every": 5}
    whole = train(WarmConfig(**config), tmp_path / "whole")
    folder, draw, kills = tmp_path / "killed", random.Random(5), 0
    while status(folder) != "finished" and kills < 60:
        kills += go_on(folder, config, draw.uniform(0, 12)) == -signal.SIGKILL
    assert kills >= 3
    again = Run(folder)
    assert (again.folder / "policy/model.safetensors").read_bytes() == (whole.folder / "policy/model.safetensors").read_bytes()
    assert again.metrics("loss") == whole.metrics("loss") and again.metrics("num_tokens") == whole.metrics("num_tokens")


def go_on(folder, config, seconds: float) -> int:
    """Begins or resumes the run in a process, kills it so long after it has the store, unless it is through; its exit code."""
    child = subprocess.Popen([sys.executable, "-c", GO_ON, str(folder), repr(config)], env={**os.environ, "HF_HUB_OFFLINE": "1"})
    until(lambda: status(folder) == "running" or child.poll() is not None, 240)
    until(lambda: child.poll() is not None, seconds)
    child.kill()
    return child.wait()


def status(folder) -> str:
    try:
        return Run(folder).status
    except FinerError:
        return ""
