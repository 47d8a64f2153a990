"""Distilling from an endpoint that behaves and misbehaves, on loopback. Run with: pytest tests/test_distil.py"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from teacher import fails, hangs_up, right, says, sends, teaching, waits, wrong

from finer import cli
from finer.answers_file import AnswersFile
from finer.datasets import load_dataset
from finer.distil import Distillation, DistilOptions
from finer.endpoint import Endpoint, EndpointError, NoReplyError, RefusedError
from finer.errors import FinerError
from finer.records import Question
from finer.traces import read_traces

HELLO = [{"role": "user", "content": "Question: hello"}]
GREETING = Question(0, "none", "hello", ("SELECT 1",))


@pytest.fixture(scope="module")
def train():
    return load_dataset("starter", split="train")


@pytest.fixture(scope="module")
def ten(train):
    """Ten questions of the starter data."""
    return replace(train, questions=train.questions[:10])


def patient(teacher, **more):
    return Endpoint(teacher.url, "wise", **{"first_wait_seconds": 0.01, "tries": 4, **more})


# --- one request --------------------------------------------------------------------------------------------------------------

PASSING = {
    "a server's error": fails(500),
    "a gateway's": fails(503, retry_after="0.05"),
    "a limit on the rate": fails(429, "slow down", retry_after="0.05"),
    "a reply that is cut short": sends(200, b'{"choices": [{"mess', length=500),
    "JSON that is cut short": sends(200, b'{"choices": [{"mess'),
    "an error under a good status": sends(200, b'{"error": {"message": "provider down"}}'),
    "no choices": sends(200, b'{"choices": []}'),
    "a connection that is hung up": hangs_up,
    "a page of HTML": sends(502, b"<html>Bad gateway</html>"),
}


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
def test_what_passes_by_itself_is_tried_again(trouble):
    with teaching((GREETING,), lambda number, _: trouble if number < 2 else says("hello")) as teacher, patient(teacher) as endpoint:
        reply = endpoint.ask(HELLO)
        assert (reply.text, reply.tokens_in, reply.tokens_out, reply.is_cut) == ("hello", 100, 40, False)
        assert len(teacher.asked) == 3 and endpoint.trouble == ""


def test_an_answer_that_takes_too_long_is_asked_for_again():
    slow = waits(1.0, says("late"))
    with teaching((GREETING,), lambda number, _: slow if number < 1 else says("in time")) as teacher, patient(teacher, seconds=0.3) as endpoint:
        assert endpoint.ask(HELLO).text == "in time"


def test_after_all_tries_it_gives_up_with_the_last_words():
    with teaching((GREETING,), lambda *_: fails(500, "no room")) as teacher, patient(teacher) as endpoint:
        with pytest.raises(NoReplyError, match="no reply after 4 tries; the last time: .* answers 500: .*no room"):
            endpoint.ask(HELLO)
        waits_between = [after - before for before, after in pairwise(teacher.times)]
        assert len(teacher.asked) == 4 and waits_between[2] > waits_between[0]  # they grow: 0.01, 0.02, 0.04 seconds, less up to a half


def test_nobody_there_is_said():
    with Endpoint("http://127.0.0.1:9/v1", "wise", first_wait_seconds=0.01, tries=2) as endpoint, pytest.raises(NoReplyError, match="ConnectError"):
        endpoint.ask(HELLO)


def test_all_requests_heed_the_limit_on_the_rate():
    """The one that was refused and every other: nothing is sent before the time that the server named."""
    with teaching((GREETING,), lambda number, _: fails(429, retry_after="0.5") if number == 0 else says("x")) as teacher, patient(teacher) as endpoint:
        endpoint.ask(HELLO)
        assert teacher.times[1] - teacher.times[0] >= 0.45
        endpoint._not_before = time.monotonic() + 0.3
        began = time.monotonic()
        endpoint.ask(HELLO)
        assert time.monotonic() - began >= 0.28


FINAL = {
    "a key that is refused": (fails(401, "bad key sk-secret"), EndpointError, "answers 401: .*--key-env"),
    "no credit": (fails(402, "pay"), EndpointError, "The credit is used up"),
    "no credit, as OpenAI says it": (sends(429, b'{"error": {"code": "insufficient_quota"}}'), EndpointError, "The credit is used up"),
    "no such model": (fails(404, "no such model"), EndpointError, "Check the address .* and the model's name"),
    "somewhere else": (fails(307, "moved", location="http://127.0.0.1:9/elsewhere"), EndpointError, "points to 'http://127.0.0.1:9/elsewhere'"),
    "an hour's wait": (fails(429, retry_after="3600"), EndpointError, "asks to wait 60 minutes; run this again then"),
    "a prompt that is too long": (fails(400, "maximum context length"), RefusedError, "maximum context length"),
}


@pytest.mark.parametrize(("trouble", "kind", "told"), FINAL.values(), ids=FINAL)
def test_what_does_not_pass_is_not_asked_again(trouble, kind, told):
    with teaching((GREETING,), lambda *_: trouble) as teacher, patient(teacher, key="sk-secret") as endpoint:
        with pytest.raises(kind, match=told) as caught:
            endpoint.ask(HELLO)
        assert len(teacher.asked) == 1 and teacher.keys == ["Bearer sk-secret"]
        assert "sk-secret" not in str(caught.value)


def test_a_model_that_wants_the_limit_under_its_newer_name_gets_it():
    refusal = fails(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    with teaching((GREETING,), lambda number, _: refusal if number == 0 else says("x")) as teacher, patient(teacher, most_tokens=77) as endpoint:
        endpoint.ask(HELLO)
        endpoint.ask(HELLO)
        assert [body.get("max_tokens") for body in teacher.bodies] == [77, None, None]
        assert [body.get("max_completion_tokens") for body in teacher.bodies] == [None, 77, 77]
        assert "temperature" not in teacher.bodies[0]


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://a/v1", "https://", "https://a/v1?key=1", "https://me:pass@a/v1"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(EndpointError, match="address"):
        Endpoint(url, "wise")


def test_a_key_over_http_to_another_machine_is_seen():
    keys = [("http://10.0.0.7/v1", "k", True), ("https://a.org/v1", "k", False), ("http://localhost:1/v1", "k", False), ("http://10.0.0.7/v1", "", False)]
    assert [Endpoint(url, "m", key).sends_key_in_clear for url, key, _ in keys] == [seen for *_, seen in keys]


# --- what an answer is worth --------------------------------------------------------------------------------------------------

ANSWERS = {
    "right, in a fence": (lambda q: says(right(q)), (True, True, "")),
    "wrong": (lambda q: says(wrong(q)), (False, True, "")),
    "right, with the thought apart": (lambda q: says(q.gold[0], reasoning_content="look"), (True, True, "")),
    "the same under the newer name": (lambda q: says(q.gold[0], reasoning="look"), (True, True, "")),
    "right without a thought": (lambda q: says(q.gold[0]), (True, False, "no thought")),
    "no SQL": (lambda q: says("<think>\nhm\n</think>\nI cannot say."), (None, False, "no SQL outside the thought")),
    "cut off": (lambda q: says("<think>\nlet me see", "length"), (None, False, "cut off at the limit of tokens")),
    "nothing": (lambda q: says(None), (None, False, "no thought")),
    "SQL that writes": (lambda q: says("<think>\nhm\n</think>\nDROP TABLE x"), (False, False, "")),
    "two thoughts": (lambda q: says(f"<think>\na\n</think>\n<think>\nb\n</think>\n{q.gold[0]}"), (True, False, "2 <think> tags")),
}


@pytest.mark.parametrize(("behave", "wanted"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_judged_and_kept_with_why(ten, tmp_path, behave, wanted):
    one = replace(ten, questions=ten.questions[:1])
    with teaching(one.questions, lambda _, q: behave(q)) as teacher, patient(teacher) as endpoint, Distillation(one, endpoint, tmp_path / "t.jsonl") as work:
        work.run()
        (answer,) = work.file.answers
        correct, is_trace, reason = wanted
        assert (answer.correct, answer.is_trace) == (correct, is_trace) and reason in answer.reason
        assert len(work.traces()) == (correct is True and is_trace)


def test_right_traces_are_kept_and_wrong_ones_by_option(ten, tmp_path):
    def behave(_, question):
        return says(wrong(question)) if question.index % 2 else None

    out = tmp_path / "t.jsonl"
    with teaching(ten.questions, behave) as teacher, patient(teacher) as endpoint:
        with Distillation(ten, endpoint, out) as work:
            tally = work.run()
        odd = sum(question.index % 2 for question in ten.questions)
        assert (tally.done, tally.right, tally.wrong, tally.no_trace) == (10, 10 - odd, odd, 0)
        assert (tally.tokens_in, tally.tokens_out) == (1000, 400)
        found = read_traces(out, ten)
        assert [trace.question.index for trace in found] == [q.index for q in ten.questions if q.index % 2 == 0]
        assert all(trace.sql == trace.question.gold[0] and trace.thought.startswith("look at") for trace in found)
        with Distillation(ten, endpoint, out, DistilOptions(keep_wrong=True)) as work:
            assert work.estimate().requests == 0
            work.run()
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        assert [(line["index"], line["correct"]) for line in lines] == [(q.index, q.index % 2 == 0) for q in ten.questions]
        assert len(teacher.asked) == 10  # changing one's mind about the wrong ones costs nothing


def test_a_question_whose_gold_fails_is_never_paid_for(ten, tmp_path):
    broken = replace(ten, questions=(replace(ten.questions[0], gold=("SELECT no_such FROM nothing",)), *ten.questions[1:]))
    with teaching(broken.questions) as teacher, patient(teacher) as endpoint, Distillation(broken, endpoint, tmp_path / "t.jsonl") as work:
        work.run()
        assert list(work.unjudgeable) == [ten.questions[0].index] and len(teacher.asked) == 9


# --- what it takes ------------------------------------------------------------------------------------------------------------


def test_the_estimate_is_a_guess_at_first_and_counts_later(ten, tmp_path):
    options = DistilOptions(price_in=2.0, price_out=10.0)
    with teaching(ten.questions) as teacher, patient(teacher, most_tokens=500) as endpoint:
        with Distillation(ten, endpoint, tmp_path / "t.jsonl", replace(options, questions=4)) as work:
            first = work.estimate()
            characters = sum(len(message["content"]) for question, _ in work.open for message in work.prompt(question))
            assert (first.requests, first.tokens_in, first.tokens_out, first.most_tokens_out) == (4, -(-characters // 3), 2000, 2000)
            assert first.money == pytest.approx((2 * first.tokens_in + 10 * first.tokens_out) / 1e6)
            assert "a guess" in first.told()[1] and not first.is_counted
            work.run()
        with Distillation(ten, endpoint, tmp_path / "t.jsonl", options) as work:
            second = work.estimate()
            assert (second.requests, second.answered, second.tokens_out, second.most_tokens_out) == (6, 4, 240, 3000)
            assert second.is_counted and "by what the endpoint counted" in second.told()[1]


def test_more_questions_go_on_from_fewer(train, tmp_path):
    train = replace(train, questions=train.questions[::6])
    with Endpoint("http://localhost:9/v1", "wise") as endpoint:
        drawn = []
        for count in (5, 20, 0):
            with Distillation(train, endpoint, tmp_path / f"{count}.jsonl", DistilOptions(questions=count)) as work:
                drawn.append([question.index for question, _ in work.wanted])
    assert drawn[1][:5] == drawn[0] and drawn[2][:20] == drawn[1] and sorted(drawn[2]) == [q.index for q in train.questions]
    assert len({train.question(index).db_id for index in drawn[1]}) >= 5


# --- what breaks --------------------------------------------------------------------------------------------------------------


def test_an_endpoint_that_goes_down_ends_the_work_and_the_next_call_goes_on(ten, tmp_path):
    out, down = tmp_path / "t.jsonl", lambda number, _: fails(500) if number >= 4 else None
    one_at_once, ended = DistilOptions(parallel=1), pytest.raises(EndpointError, match="3 requests in a row brought nothing")
    with teaching(ten.questions, down) as teacher, patient(teacher, tries=2) as endpoint, Distillation(ten, endpoint, out, one_at_once) as work, ended:
        work.run()
    assert len(read_traces(out, ten)) == 4
    with teaching(ten.questions) as teacher, patient(teacher) as endpoint, Distillation(ten, endpoint, out) as work:
        assert work.run().right == 10
        assert len(teacher.asked) == 6  # none of the four again
    assert len(read_traces(out, ten)) == 10


def test_refusals_of_single_prompts_do_not_end_the_work(ten, tmp_path):
    long: set[int] = set()
    teacher_of = teaching(ten.questions, lambda _, q: fails(400, "too long") if q.index in long else None)
    with teacher_of as teacher, patient(teacher) as endpoint, Distillation(ten, endpoint, tmp_path / "t.jsonl", DistilOptions(parallel=1)) as work:
        long |= {question.index for question, _ in work.wanted[2:8]}
        tally = work.run()
        assert (tally.done, tally.unanswered) == (4, 6) and "too long" in work.unanswered[0]
        assert work.estimate().requests == 6


def test_when_every_prompt_is_refused_the_work_ends(ten, tmp_path):
    with teaching(ten.questions, lambda *_: fails(400, "no such parameter")) as teacher, patient(teacher) as endpoint:
        with Distillation(ten, endpoint, tmp_path / "t.jsonl", DistilOptions(parallel=1)) as work, pytest.raises(EndpointError, match="no such parameter"):
            work.run()
        assert len(teacher.asked) == 3


def test_an_answer_cut_off_is_asked_again_under_a_higher_limit_only(ten, tmp_path):
    one, out = replace(ten, questions=ten.questions[:1]), tmp_path / "t.jsonl"
    for limit, finish, asked in ((50, "length", 1), (50, "stop", 0), (90, "stop", 1)):
        with teaching(one.questions, lambda _, q, finish=finish: says(right(q), finish)) as teacher, patient(teacher, most_tokens=limit) as endpoint:
            with Distillation(one, endpoint, out) as work:
                work.run()
            assert len(teacher.asked) == asked
    assert len(read_traces(out, one)) == 1


def test_a_line_that_broke_off_is_cut_away_and_its_question_asked_again(ten, tmp_path):
    out = tmp_path / "t.jsonl"
    with teaching(ten.questions) as teacher, patient(teacher) as endpoint:
        with Distillation(ten, endpoint, out) as work:
            work.run()
        answers = tmp_path / "t.answers.jsonl"
        answers.write_bytes(answers.read_bytes()[:-20])
        with Distillation(ten, endpoint, out) as work:
            assert len(work.file.answers) == 9
            work.run()
        assert Counter(teacher.asked).most_common(1)[0][1] == 2 and len(teacher.asked) == 11
    assert len(answers.read_text().splitlines()) == 10


REFUSED = {
    "another ending": ("traces.json", "name it with the ending .jsonl"),
    "somebody's own file": ("mine.jsonl", "is there already and no answers lie beside it"),
}


@pytest.mark.parametrize(("name", "message"), REFUSED.values(), ids=REFUSED)
def test_nothing_of_anybody_s_is_written_over(ten, tmp_path, name, message):
    (tmp_path / "mine.jsonl").write_text("{}\n")
    with Endpoint("http://localhost:9/v1", "wise") as endpoint, pytest.raises(FinerError, match=re.escape(message)):
        Distillation(ten, endpoint, tmp_path / name)
    assert (tmp_path / "mine.jsonl").read_text() == "{}\n"


def test_answers_to_another_dataset_are_refused(ten, tmp_path):
    with teaching(ten.questions) as teacher, patient(teacher) as endpoint:
        with Distillation(ten, endpoint, tmp_path / "t.jsonl") as work:
            work.run()
        with pytest.raises(FinerError, match="holds answers to questions of starter"):
            Distillation(replace(ten, name="mine"), endpoint, tmp_path / "t.jsonl")


def test_two_processes_do_not_write_one_file(tmp_path):
    with AnswersFile(tmp_path / "t.answers.jsonl"):
        script = f"from pathlib import Path; from finer.answers_file import AnswersFile; AnswersFile(Path({str(tmp_path / 't.answers.jsonl')!r}))"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "is being written by another process" in done.stderr


# --- the command --------------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_before_a_person_agreed(tmp_path, capsys, train):
    with teaching(train.questions) as teacher:
        command = ["distil", "--endpoint", teacher.url, "--model", "wise", "--questions", "5", "--out", str(tmp_path / "t.jsonl"), "--price-in", "1", "--price-out", "4"]
        assert cli.main(command) == 2
        printed = capsys.readouterr()
        assert "5 requests to send" in printed.out and "in money, at most" in printed.out and f"to {teacher.url}, model wise" in printed.out
        assert "give --yes" in printed.err and teacher.asked == []
        assert cli.main([*command, "--yes"]) == 0
        assert "5 of 5 answered: 5 right" in capsys.readouterr().out and len(teacher.asked) == 5
        assert cli.main(command) == 0  # nothing is left to agree to
        assert len(teacher.asked) == 5


def test_the_key_comes_from_the_environment_and_goes_to_no_file(tmp_path, capsys, train, monkeypatch):
    monkeypatch.setenv("TEACHERS_KEY", "sk-secret")
    with teaching(train.questions) as teacher:
        command = ["distil", "--endpoint", teacher.url, "--model", "wise", "--questions", "2", "--out", str(tmp_path / "t.jsonl"), "--yes"]
        assert cli.main([*command, "--key-env", "NO_SUCH_KEY"]) == 2
        assert "the environment variable NO_SUCH_KEY is not set" in capsys.readouterr().err
        assert cli.main([*command, "--key-env", "TEACHERS_KEY"]) == 0
        assert teacher.keys == ["Bearer sk-secret"] * 2
    assert not any(b"sk-secret" in path.read_bytes() for path in tmp_path.iterdir())
    assert "sk-secret" not in "".join(capsys.readouterr())


def test_killed_in_the_middle_nothing_is_lost_and_only_what_was_under_way_is_asked_again(tmp_path, train):
    with teaching(train.questions, lambda _, question: waits(0.2, says(right(question)))) as teacher:
        out = tmp_path / "t.jsonl"
        command = [sys.executable, "-m", "finer.cli", "distil", "--endpoint", teacher.url, "--model", "wise", "--questions", "40", "--out", str(out), "--yes"]
        child = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 120
        while len(teacher.asked) < 15 and child.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
        child.wait()
        kept = (tmp_path / "t.answers.jsonl").read_text(encoding="utf-8").splitlines()
        assert 0 < len(kept) < 40
        assert subprocess.run(command, check=False, capture_output=True).returncode == 0
        assert len(set(teacher.asked)) == 40 and len(teacher.asked) <= 40 + 4  # four at once
        assert (tmp_path / "t.answers.jsonl").read_text(encoding="utf-8").splitlines()[: len(kept) - 1] == kept[:-1]
        assert len(read_traces(out, train)) == 40


