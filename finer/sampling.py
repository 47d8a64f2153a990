"""How much several samples a question give: greedy, pass@n and every vote beside each other, with what they cost.

The samples come from a policy (``sample_and_vote``) or from a file of several answers a question (``run_vote``). Candidates
are executed on the main instance, since that is all that a voter has; whether the winner is right is the judge's word, on
every instance and by its rule. Not covered: how a winner is found (``vote``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from finer.datasets import Dataset
from finer.errors import unknown
from finer.evaluate import MAX_COMPLETION_TOKENS, spread
from finer.judge import Judge
from finer.metrics import STRICT, Rule
from finer.policy import Policy
from finer.predictions import read_predictions
from finer.prompt import parse_completion
from finer.records import Execution, Question, Verdict
from finer.shown import Shown
from finer.vote import METHODS, VoteError, VoteResult, count_votes, pass_at_n

QUESTIONS_A_CALL = 32
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Sampled:
    """The answers to one question, and what writing them took."""

    question: Question
    candidates: tuple[str, ...]
    """SQL as it is executed; '' where a completion holds none."""
    greedy: str | None = None
    """The greedy answer, where it was asked for apart; None: candidate 0 counts as it."""
    seconds: float | None = None
    """Writing all candidates; None: not known. So for the three below."""
    tokens: int | None = None
    greedy_seconds: float | None = None
    greedy_tokens: int | None = None


@dataclass(frozen=True)
class Counted:
    """One question, executed, voted on and judged. Results are not kept: those of a benchmark would fill the memory."""

    sampled: Sampled
    statuses: tuple[str, ...]
    """Each candidate's status on the main instance."""
    correct: tuple[bool | None, ...]
    """The judge's word on each candidate."""
    outcomes: dict[str, dict[str, Any]]
    """A vote's method to its row: ``index``, ``correct``, ``status``, ``sql``."""
    votes: dict[str, VoteResult]
    seconds: float
    """Executing every different candidate once."""


def sample_and_vote(
    policy: Policy,
    dataset: Dataset,
    samples: int,
    methods: Sequence[str] = (),
    judge: Judge | None = None,
    temperature: float = 1.0,
    top_p: float = 1.0,
    seed: int = 0,
    limit: int = 0,
    max_completion_tokens: int = 0,
    on_progress: Progress | None = None,
    shown: Shown | None = None,
) -> dict[str, Any]:
    """A greedy answer and ``samples`` sampled ones for each question; the outcome as :func:`summary` says.

    ``limit`` takes that many questions, evenly spread; 0 takes all. ``methods``: those of ``vote``, and pass@n; none: all.
    ``shown``: which columns the prompts show; an oracle is named in the metric. VoteError for a method that does not exist,
    or a rule that grades, before anything is asked of the policy.
    """
    methods = checked_methods(methods, samples)
    check_rule(judge)
    length = max_completion_tokens or MAX_COMPLETION_TOKENS[policy.spec.style]
    shown = shown or Shown(dataset.databases, note=policy.spec.note)
    sampled = sample(policy, dataset, samples, temperature, top_p, seed, limit, length, on_progress, shown)
    options = {"temperature": temperature, "top_p": top_p, "seed": seed, "max_completion_tokens": length, "policy": policy.spec.name, "columns": shown.label}
    return summary(count(sampled, dataset, judge), methods, shown.figure(_rule(judge).name), options)


def sample(
    policy: Policy,
    dataset: Dataset,
    samples: int,
    temperature: float = 1.0,
    top_p: float = 1.0,
    seed: int = 0,
    limit: int = 0,
    max_completion_tokens: int = 0,
    on_progress: Progress | None = None,
    shown: Shown | None = None,
) -> list[Sampled]:
    """A greedy answer and ``samples`` sampled ones for each question; ``limit`` and ``shown`` as in :func:`sample_and_vote`."""
    questions = spread(dataset.questions, limit)
    length = max_completion_tokens or MAX_COMPLETION_TOKENS[policy.spec.style]
    sampled: list[Sampled] = []
    for start in range(0, len(questions), QUESTIONS_A_CALL):
        some = questions[start : start + QUESTIONS_A_CALL]
        sampled += _asked(policy, some, dataset, samples, length, (temperature, top_p, seed + start), shown)
        if on_progress:
            on_progress(len(sampled), len(questions))
    return sampled


def run_vote(
    predictions: str | Path,
    dataset: Dataset,
    methods: Sequence[str] = (),
    judge: Judge | None = None,
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """The same from a file whose lines repeat an index, a line a sample; the first line of a question is its greedy answer.

    PredictionError where the file is wrong; VoteError for a method that does not exist or asks for more samples than there are.
    """
    check_rule(judge)
    sampled = read_samples(predictions, dataset)
    methods = checked_methods(methods, min(len(one.candidates) for one in sampled))
    counted = count(sampled, dataset, judge, on_progress)
    return summary(counted, methods, _rule(judge).name, {"predictions": Path(predictions).name})


def read_samples(path: str | Path, dataset: Dataset) -> list[Sampled]:
    """The answers of a predictions file by question, both in the file's order."""
    groups: dict[int, tuple[Question, list[str]]] = {}
    for question, prediction in read_predictions(path, dataset):
        groups.setdefault(question.index, (question, []))[1].append(prediction.sql)
    return [Sampled(question, tuple(sqls)) for question, sqls in groups.values()]


def count(sampled: Sequence[Sampled], dataset: Dataset, judge: Judge | None = None, on_progress: Progress | None = None) -> list[Counted]:
    """Executes every candidate within the bounds of the judge's rule, judges it and votes by every method.

    A judge that is given stays the caller's to close.
    """
    judging = judge or Judge(dataset.databases)
    counted: list[Counted] = []
    try:
        for one in sampled:
            counted.append(_count(one, dataset, judging))
            if on_progress:
                on_progress(len(counted), len(sampled))
    finally:
        if judge is None:
            judging.close()
    return counted


def summary(counted: Sequence[Counted], methods: Sequence[str], metric: str = "strict", options: dict[str, Any] | None = None) -> dict[str, Any]:
    """JSON-ready: ``methods``, ``cost``, and for each question its candidates and the votes that were counted.

    Each of ``methods`` has the form of an evaluation: ``method``, ``metric``, ``value`` (0 to 1, over the questions judged),
    ``n``, ``by_difficulty``, ``per_question``. Under pass@n a question has a ``value`` instead of a verdict.
    """
    sizes = [len(one.sampled.candidates) for one in counted]
    return {
        "metric": metric,
        "questions": len(counted),
        "samples": {"least": min(sizes), "most": max(sizes)},
        "options": options or {},
        "cost": _cost(counted),
        "methods": [_outcome(counted, method, metric) for method in methods],
        "per_question": [_evidence(one, methods) for one in counted],
    }


def vote_table(found: dict[str, Any]) -> list[str]:
    """The lines that a person reads of a summary: a method and its accuracy a line, then the cost."""
    lines = [f"{found['questions']} questions, {_range(found['samples'])} samples each, rule {found['metric']}"]
    for outcome in found["methods"]:
        value = "not judged" if outcome["value"] is None else f"{outcome['value']:8.1%}"
        lines.append(f"  {outcome['method']:<14}{value}   of {outcome['n']}")
    for name, cost in found["cost"].items():
        seconds, tokens = cost["seconds_a_question"], cost.get("tokens_a_question")
        if seconds is not None:
            lines.append(f"  {name}: {seconds:.3g} s a question" + (f", {tokens:.0f} tokens a question" if tokens is not None else ""))
    return lines


def check_rule(judge: Judge | None) -> None:
    """VoteError where the judge's rule grades answers instead of calling them right or wrong."""
    rule = _rule(judge)
    if rule.grade is not None or rule.of_ratio is not None:
        raise VoteError(f"{rule.name} grades answers, and votes and pass@n need right or wrong. Take strict, bird-ex, spider-ex or spider-ts.")


def _rule(judge: Judge | None) -> Rule:
    return STRICT if judge is None else judge.rule


def _range(samples: dict[str, int]) -> str:
    least, most = samples["least"], samples["most"]
    return str(least) if least == most else f"{least} to {most}"


def checked_methods(methods: Sequence[str], samples: int) -> tuple[str, ...]:
    """The methods, all of them where none is named: every vote, and pass@n for the powers of 2 and the number of samples."""
    if not methods:
        numbers = sorted({2**power for power in range(samples.bit_length())} | {samples})
        return (*METHODS, *(f"pass@{number}" for number in numbers))
    for method in methods:
        number = _pass_number(method)
        if method not in METHODS and number is None:
            raise VoteError(unknown("method", method, (*METHODS, "pass@1", "pass@8")))
        if number is not None and not 1 <= number <= samples:
            raise VoteError(f"{method} needs {number} samples of each question, and the fewest are {samples}. Ask for more samples, or for pass@{samples}.")
    return tuple(dict.fromkeys(methods))


def _pass_number(method: str) -> int | None:
    found = re.fullmatch(r"pass@(\d+)", method)
    return int(found[1]) if found else None


def _asked(
    policy: Policy, questions: Sequence[Question], dataset: Dataset, samples: int, length: int, how: tuple[float, float, int], shown: Shown | None
) -> list[Sampled]:
    """``how``: temperature, top_p and seed."""
    prompts = [policy.messages(question, dataset.databases[question.db_id].schema, shown.of(question) if shown else ()) for question in questions]
    greedy = policy.sample(prompts, 1, length, temperature=0.0)
    answers = policy.sample(prompts, samples, length, *how)
    return [
        Sampled(
            question, tuple(parse_completion(text).sql for text in some.completions), parse_completion(one.completions[0]).sql,
            some.seconds, sum(some.tokens), one.seconds, sum(one.tokens),
        )
        for question, one, some in zip(questions, greedy, answers, strict=True)
    ]  # fmt: skip


def _count(sampled: Sampled, dataset: Dataset, judge: Judge) -> Counted:
    question, candidates = sampled.question, sampled.candidates
    distinct = list(dict.fromkeys(candidates))
    instances = dataset.databases[question.db_id].instances
    missing = [Execution("error", error="its database is not here")] * len(distinct)
    began = time.perf_counter()
    results = judge.sandbox.execute_many((instances[0], sql) for sql in distinct) if instances else missing
    seconds = time.perf_counter() - began
    ran = dict(zip(distinct, results, strict=True))
    executions = [ran[sql] for sql in candidates]
    greedy = candidates[0] if sampled.greedy is None else sampled.greedy
    asked = list(dict.fromkeys([*distinct, greedy]))
    verdicts = dict(zip(asked, judge.judge(question, asked), strict=True))
    votes = {method: count_votes(candidates, executions, method) for method in METHODS if method != "greedy"}
    outcomes = {method: _row(question, found.sql, verdicts[found.sql]) for method, found in votes.items() if found.winner is not None}
    outcomes |= {method: _no_winner(question, verdicts[candidates[0]], executions[0]) for method in votes if method not in outcomes}
    outcomes["greedy"] = _row(question, greedy, verdicts[greedy])
    statuses = tuple(execution.status for execution in executions)
    return Counted(sampled, statuses, tuple(verdicts[sql].correct for sql in candidates), outcomes, votes, seconds)


def _row(question: Question, sql: str, verdict: Verdict) -> dict[str, Any]:
    return {"index": question.index, "correct": verdict.correct, "status": verdict.status, "sql": sql}


def _no_winner(question: Question, verdict: Verdict, execution: Execution) -> dict[str, Any]:
    """No candidate ran: wrong, with the status of the first, or not judged where the gold failed."""
    if verdict.correct is None:
        return _row(question, "", verdict)
    return {"index": question.index, "correct": False, "status": execution.status, "sql": ""}


def _outcome(counted: Sequence[Counted], method: str, metric: str) -> dict[str, Any]:
    number = _pass_number(method)
    rows = [one.outcomes[method] if number is None else _passed(one, number) for one in counted]
    key = "correct" if number is None else "value"
    groups: dict[str, list[Any]] = {}
    for one, row in zip(counted, rows, strict=True):
        groups.setdefault(one.sampled.question.difficulty or "unknown", []).append(row[key])
    by_difficulty = {name: _share(values) for name, values in groups.items()}
    return {"method": method, "metric": metric, **_share(row[key] for row in rows), "by_difficulty": by_difficulty, "per_question": rows}


def _passed(one: Counted, number: int) -> dict[str, Any]:
    value = None if None in one.correct else pass_at_n(one.correct, number)
    return {"index": one.sampled.question.index, "value": value}


def _evidence(one: Counted, methods: Sequence[str]) -> dict[str, Any]:
    question = one.sampled.question
    rows = zip(one.sampled.candidates, one.statuses, one.correct, strict=True)
    return {
        "index": question.index,
        "db_id": question.db_id,
        "candidates": [{"sql": sql, "status": status, "correct": correct} for sql, status, correct in rows],
        "votes": {method: asdict(found) for method, found in one.votes.items() if method in methods},
    }


def _cost(counted: Sequence[Counted]) -> dict[str, dict[str, float | None]]:
    parts = [one.sampled for one in counted]
    return {
        "sampling": {"seconds_a_question": _mean(p.seconds for p in parts), "tokens_a_question": _mean(p.tokens for p in parts)},
        "greedy": {"seconds_a_question": _mean(p.greedy_seconds for p in parts), "tokens_a_question": _mean(p.greedy_tokens for p in parts)},
        "executing the candidates": {"seconds_a_question": _mean(one.seconds for one in counted)},
    }


def _share(values: Iterable[float | None]) -> dict[str, Any]:
    scored = [value for value in values if value is not None]
    return {"value": sum(scored) / len(scored) if scored else None, "n": len(scored)}


def _mean(values: Iterable[float | None]) -> float | None:
    return _share(values)["value"]
