"""Traces from a teacher: an endpoint answers each train question, and what it answers right is kept for a policy to imitate.

``Distillation`` knows what is asked already and what a further answer costs; ``run`` asks the rest. Each answer goes to a file that
only grows (``answers_file``), then the right ones to the file of traces, so that the work goes on where it broke off and nothing
is paid for twice. An answer is a trace where it keeps the format that a policy is to write, and right by execution on every
instance; wrong ones are kept by option and marked, as in arXiv 2605.03465, whose teachers were right on 50 to 60 %. Not covered:
the requests themselves (``endpoint``), learning from the traces (``warmstart``).
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

from finer.answers_file import Answer, AnswersFile
from finer.datasets import Dataset
from finer.endpoint import Endpoint, EndpointError, NoReplyError, RefusedError, Reply
from finer.errors import FinerError
from finer.extraction import find_sql
from finer.judge import Judge
from finer.prompt import OPEN, messages, parse_completion
from finer.records import Question
from finer.shown import Shown
from finer.traces import Demonstration, Progress

CHARACTERS_PER_TOKEN = 3.0
"""Until the endpoint has counted: our prompts have 2.5 (starter) to 3.7 (BIRD) by a tokenizer of 32,000 tokens."""
TOKENS_OUT = 600
"""Of an answer, until the endpoint has counted: the paper's teachers wrote 2,400 to 3,500 characters."""
TELL_SECONDS = 0.5
FAILURES_IN_A_ROW = 3
"""So many requests without a reply, one after the other, end the work."""


@dataclass(frozen=True)
class DistilOptions:
    """What is asked, and what is kept of it."""

    samples: int = 1
    """Answers to each question."""
    questions: int = 0
    """Ask so many, drawn from the data set, the same ones each time and more of them for a larger number; 0: all."""
    columns: int = 0
    """How many columns a prompt shows, chosen by the schema filter; 0: the whole schema."""
    keep_wrong: bool = False
    parallel: int = 4
    """Requests under way at once."""
    price_in: float | None = None
    """Of a million tokens in, in whatever money; None: not known."""
    price_out: float | None = None


@dataclass(frozen=True)
class Estimate:
    """What is left to ask, and what it is expected to take."""

    requests: int
    answered: int
    """Requests that the file holds the answers to."""
    tokens_in: int
    tokens_out: int
    most_tokens_out: int
    """Where every answer goes to the limit."""
    is_counted: bool
    """By what the endpoint counted of earlier answers, or guessed from the length of the prompts."""
    money: float | None
    most_money: float | None

    def told(self) -> list[str]:
        """The estimate in sentences."""
        how = "by what the endpoint counted so far" if self.is_counted else "a guess, until the endpoint has counted some"
        lines = [f"{self.requests:,} requests to send ({self.answered:,} are answered in the file)",
                 f"about {self.tokens_in:,} tokens in and {self.tokens_out:,} out ({how}); at most {self.most_tokens_out:,} out"]  # fmt: skip
        if self.money is None:
            return [*lines, "what that costs: give --price-in and --price-out, the prices of a million tokens"]
        return [*lines, f"about {self.money:,.2f} in money, at most {self.most_money:,.2f}"]


@dataclass(frozen=True)
class Tally:
    """How far the work is."""

    done: int
    total: int
    right: int
    wrong: int
    no_trace: int
    """Answers that do not keep the format, or were cut off."""
    unanswered: int
    """Requests that the endpoint refused or did not answer, this time."""
    tokens_in: int
    tokens_out: int
    money: float | None
    trouble: str = ""
    """Why requests wait, where they do."""

    @property
    def brief(self) -> str:
        """For one line beside a bar; why requests wait comes first, where they do."""
        waiting = f"waiting ({self.trouble[:60]}) · " if self.trouble else ""
        spent = "" if self.money is None else f" · {self.money:,.2f}"
        return f"{waiting}{self.done}/{self.total}: {self.right} right, {self.wrong} wrong, {self.no_trace + self.unanswered} without a trace{spent}"

    def told(self) -> str:
        """All of it, in a sentence."""
        spent = "" if self.money is None else f", {self.money:,.2f} spent"
        lost = f", {self.unanswered} unanswered" if self.unanswered else ""
        return (f"{self.done} of {self.total} answered: {self.right} right, {self.wrong} wrong, {self.no_trace} no trace{lost}; "
                f"{self.tokens_in:,} tokens in, {self.tokens_out:,} out{spent}")  # fmt: skip


class Distillation:
    """What a teacher is asked about a data set, into ``out``, a JSONL file of traces; a context manager.

    Beside it lies ``<name>.answers.jsonl``, with every answer. FinerError where ``out`` is a file of somebody else's, where its
    answers are to another data set, or another process is at it.
    """

    def __init__(self, dataset: Dataset, endpoint: Endpoint, out: str | Path, options: DistilOptions = DistilOptions(), on_progress: Progress | None = None):
        self.dataset, self.endpoint, self.options, self.out = dataset, endpoint, options, Path(out)
        answers = self.out.with_suffix(".answers.jsonl")
        if self.out.suffix != ".jsonl":
            raise FinerError(f"{self.out}: a file of traces is JSONL; name it with the ending .jsonl")
        if self.out.exists() and not answers.exists():
            raise FinerError(f"{self.out} is there already and no answers lie beside it, so it is not written over; name another file with --out")
        self.judge = Judge(dataset.databases)
        self._shown = Shown(dataset.databases, options.columns)
        try:
            self.file = AnswersFile(answers)
            self._check_dataset()
            self.unjudgeable = self._unjudgeable(on_progress)
        except BaseException:
            self.judge.close()
            raise
        self.unanswered: list[str] = []
        """Why requests brought nothing, this time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.judge.close()
        self.file.close()

    def _check_dataset(self) -> None:
        others = {answer.dataset for answer in self.file.answers} - {self.dataset.name}
        if others:
            raise FinerError(f"{self.file.path} holds answers to questions of {', '.join(sorted(others))}; name another file with --out")

    def _unjudgeable(self, on_progress: Progress | None) -> dict[int, str]:
        """Index → why, of the questions whose own gold does not run: an answer to them could not be judged, so none is paid for."""
        questions = self._drawn()
        found = {}
        for done, (place, verdict) in enumerate(self.judge.judge_each([(question, question.gold[0]) for question in questions]), start=1):
            if verdict.correct is None:
                found[questions[place].index] = verdict.reason
            if on_progress:
                on_progress(done, len(questions))
        return found

    # -- what is to be asked

    def _drawn(self) -> list[Question]:
        """The questions in the order of asking: mixed, so that few of them, or those before a stop, are of many databases."""
        questions = list(self.dataset.questions)
        random.Random(0).shuffle(questions)
        return questions[: self.options.questions or None]

    @property
    def wanted(self) -> list[tuple[Question, int]]:
        """Every question with the number of its answer, the answered ones too."""
        questions = [question for question in self._drawn() if question.index not in self.unjudgeable]
        return [(question, sample) for sample in range(self.options.samples) for question in questions]

    @property
    def open(self) -> list[tuple[Question, int]]:
        """Those without an answer of this model; one that was cut off at a lower limit of tokens than now is none."""
        answered = {answer.key for answer in self.file.answers if not (answer.is_cut and answer.most_tokens < self.endpoint.most_tokens)}
        return [(question, sample) for question, sample in self.wanted if (self.endpoint.model, question.index, sample) not in answered]

    def prompt(self, question: Question) -> list[dict[str, str]]:
        """What is sent for a question: schema with sample values, evidence, question."""
        return messages(question, self.dataset.databases[question.db_id].schema, "chat", self._shown.of(question))

    def estimate(self) -> Estimate:
        """What is left to ask, and what it is expected to take."""
        left, counted = self.open, [answer for answer in self._of_this_model() if answer.tokens_in and answer.tokens_out]
        characters = {question.index: _characters(self.prompt(question)) for question in {question.index: question for question, _ in left}.values()}
        asked = sum(characters[question.index] for question, _ in left)
        per_token, per_answer = CHARACTERS_PER_TOKEN, float(min(TOKENS_OUT, self.endpoint.most_tokens))
        if counted:
            questions = {question.index: question for question in self.dataset.questions}
            sent = sum(_characters(self.prompt(questions[answer.index])) for answer in counted if answer.index in questions)
            per_token = sent / sum(answer.tokens_in or 0 for answer in counted) or CHARACTERS_PER_TOKEN
            per_answer = sum(answer.tokens_out or 0 for answer in counted) / len(counted)
        tokens_in, tokens_out = math.ceil(asked / per_token), math.ceil(per_answer * len(left))
        most = self.endpoint.most_tokens * len(left)
        return Estimate(len(left), len(self.wanted) - len(left), tokens_in, tokens_out, most, bool(counted),
                        self._money(tokens_in, tokens_out), self._money(tokens_in, most))  # fmt: skip

    def _of_this_model(self) -> list[Answer]:
        return [answer for answer in self.file.answers if answer.model == self.endpoint.model]

    def _money(self, tokens_in: float, tokens_out: float) -> float | None:
        prices = self.options.price_in, self.options.price_out
        return None if None in prices else (prices[0] * tokens_in + prices[1] * tokens_out) / 1e6  # type: ignore[operator]

    def tally(self) -> Tally:
        """How far it is, with the tokens that the endpoint counted."""
        keys = {(self.endpoint.model, question.index, sample) for question, sample in self.wanted}
        answers = list({answer.key: answer for answer in self.file.answers if answer.key in keys}.values())
        traces = [answer for answer in answers if answer.is_trace]
        tokens_in, tokens_out = sum(answer.tokens_in or 0 for answer in answers), sum(answer.tokens_out or 0 for answer in answers)
        right = sum(answer.correct is True for answer in traces)
        return Tally(len(answers), len(keys), right, len(traces) - right, len(answers) - len(traces), len(self.unanswered),
                     tokens_in, tokens_out, self._money(tokens_in, tokens_out), self.endpoint.trouble)  # fmt: skip

    # -- asking

    def run(self, on_tally: Callable[[Tally], None] | None = None) -> Tally:
        """Asks what is left; every answer is on the disk before it counts.

        EndpointError where the endpoint will answer nothing more; the answers so far are kept, and the same call goes on. One that
        is interrupted waits for the requests under way, which are paid for already.
        """
        self.write_traces()
        left, parallel, told_at = iter(self.open), self.options.parallel, 0.0
        in_a_row, came_through = 0, False
        with ThreadPoolExecutor(parallel, thread_name_prefix="finer-distil") as threads:
            waiting = {threads.submit(self._answer, *one) for one in islice(left, parallel)}
            try:
                while waiting:
                    done, waiting = wait(waiting, timeout=TELL_SECONDS, return_when=FIRST_COMPLETED)
                    for future in done:
                        error = future.exception()
                        came_through = came_through or error is None
                        in_a_row = self._in_a_row(error, in_a_row, came_through)
                    waiting |= {threads.submit(self._answer, *one) for one in islice(left, len(done))}
                    if on_tally and (not waiting or time.monotonic() - told_at >= TELL_SECONDS):
                        told_at = time.monotonic()
                        on_tally(self.tally())
            except BaseException:
                self.endpoint.stop()
                raise
            finally:
                threads.shutdown(wait=True, cancel_futures=True)
                self.write_traces()
        return self.tally()

    def _in_a_row(self, error: BaseException | None, before: int, came_through: bool) -> int:
        """How many requests in a row brought nothing; raises what ends the work.

        A refusal is about its request, such as a prompt that is too long, and does not count once another came through.
        """
        if error is None:
            return 0
        if not isinstance(error, NoReplyError):
            raise error
        self.unanswered.append(str(error))
        count = before if came_through and isinstance(error, RefusedError) else before + 1
        if count >= FAILURES_IN_A_ROW:
            raise EndpointError(f"{count} requests in a row brought nothing, so no more are sent; the last: {error}") from error
        return count

    def _answer(self, question: Question, sample: int) -> None:
        """One answer, asked for, judged and kept."""
        reply = self.endpoint.ask(self.prompt(question))
        thought, sql, reason = read_reply(reply)
        correct = None
        if sql:
            verdict = self.judge.judge(question, [sql])[0]
            correct, reason = verdict.correct, reason or ("" if verdict.correct else verdict.reason)
            reason = reason or Demonstration(question, thought, sql).fault
        is_trace = bool(thought and sql) and correct is not None and not Demonstration(question, thought, sql).fault
        self.file.append(Answer(question.index, question.db_id, question.text, sample, self.dataset.name, self.endpoint.model, reply.text, reply.reasoning,
                                thought, sql, correct, is_trace, reason, reply.tokens_in, reply.tokens_out,
                                self.endpoint.most_tokens, reply.is_cut, time.time()))  # fmt: skip

    def traces(self) -> list[Demonstration]:
        """What is kept, of every model that was asked, in the order of the questions; equal ones once."""
        questions = {question.index: question for question in self.dataset.questions}
        kept = [answer for answer in self.file.answers if answer.is_trace and (answer.correct or self.options.keep_wrong) and answer.index in questions]
        found = {(answer.index, answer.thought, answer.sql): answer for answer in sorted(kept, key=lambda one: (one.index, one.model, one.sample))}
        return [Demonstration(questions[one.index], one.thought, one.sql, one.correct, one.reason) for one in found.values()]

    def write_traces(self) -> None:
        """Writes the file of traces anew from the answers, whole or not at all."""
        part = self.out.with_name(self.out.name + ".part")
        part.write_text("".join(json.dumps(trace.as_json(), ensure_ascii=False) + "\n" for trace in self.traces()), encoding="utf-8")
        part.replace(self.out)


def read_reply(reply: Reply) -> tuple[str, str, str]:
    """Thought, SQL and what is missing of either.

    >>> read_reply(Reply("SELECT 1;", "one will do", None, None, False))
    ('one will do', 'SELECT 1', '')
    >>> read_reply(Reply("<think>so", "", None, None, True))[2]
    'cut off at the limit of tokens; raise it with --most-tokens'
    """
    if reply.is_cut:
        return "", "", "cut off at the limit of tokens; raise it with --most-tokens"
    if reply.reasoning.strip() and OPEN not in reply.text:
        sql, _ = find_sql(reply.text)
        thought = reply.reasoning.strip()
    else:
        parsed = parse_completion(reply.text)
        thought, sql = parsed.thought, parsed.sql
    sql = sql.rstrip().removesuffix(";").rstrip()
    return thought, sql, "no thought" if not thought else "no SQL outside the thought" if not sql else ""


def _characters(asked: Sequence[dict[str, Any]]) -> int:
    return sum(len(message["content"]) for message in asked)
