"""How many questions a policy, or a file of answers, gets right under a rule, and what else is to be said with that figure.

``answers`` asks a policy, ``judge_predictions`` judges, ``evaluate`` is both. The figure comes with its interval, the counts
of every status, the questions that were not judged, the release of the data and every option that bears on it. Not covered:
what right means (``metrics``), doubts about the golds (``suspects``), and voting (``vote``).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from finer.accounts import share, shares
from finer.datasets import Dataset
from finer.features import FEATURES, features
from finer.judge import Judge
from finer.metrics import Rule, rule
from finer.policy import Policy, load_policy
from finer.predictions import Pair, Prediction
from finer.records import EXECUTION_STATUSES, Question, Verdict
from finer.shown import Shown

MAX_COMPLETION_TOKENS = {"tiny": 160, "compact": 320, "chat": 1024}
DIFFICULTIES = ("easy", "medium", "hard", "extra", "simple", "moderate", "challenging")
"""Spider's classes, then BIRD's: the order in which tables show them."""
LEFT_OUT = "left out: the gold gives no row"

Progress = Callable[[int, int], None]


def evaluate(
    policy: Policy | str,
    dataset: Dataset,
    judge: Judge | None = None,
    limit: int = 0,
    max_completion_tokens: int = 0,
    on_progress: Progress | None = None,
    metric: str = "strict",
    shown: Shown | None = None,
) -> dict[str, Any]:
    """The greedy answers of a policy, judged: the object that :func:`judge_predictions` describes.

    ``limit`` takes that many questions, evenly spread over the dataset; 0 takes all. ``shown``: which columns the prompts show;
    the options then say so, and with an oracle ``metric`` does too.
    """
    policy = load_policy(policy) if isinstance(policy, str) else policy
    pairs = answers(policy, dataset, limit, max_completion_tokens, on_progress, shown)
    found = judge_predictions(pairs, dataset, metric, judge)
    if shown is None and policy.spec.note:
        shown = Shown(dataset.databases, note=policy.spec.note)
    return found if shown is None else with_columns(found, shown)


def with_columns(found: dict[str, Any], shown: Shown) -> dict[str, Any]:
    """The figures with what their prompts showed among the options; an oracle is named in the metric too."""
    return {**found, "metric": shown.figure(found["metric"]), "options": {**found["options"], "columns": shown.label}}


def answers(
    policy: Policy,
    dataset: Dataset,
    limit: int = 0,
    max_completion_tokens: int = 0,
    on_progress: Progress | None = None,
    shown: Shown | None = None,
) -> list[Pair]:
    """The greedy completion of a policy for each question."""
    questions = spread(dataset.questions, limit)
    prompts = [policy.messages(q, dataset.databases[q.db_id].schema, shown.of(q) if shown else ()) for q in questions]
    tokens = max_completion_tokens or MAX_COMPLETION_TOKENS[policy.spec.style]
    completions: list[str] = []
    for start in range(0, len(prompts), 64):
        completions += policy.generate(prompts[start : start + 64], tokens)
        if on_progress:
            on_progress(len(completions), len(prompts))
    return [(q, Prediction(q.index, text, is_completion=True)) for q, text in zip(questions, completions, strict=True)]


def judge_predictions(
    pairs: Iterable[Pair],
    dataset: Dataset,
    metric: str = "strict",
    judge: Judge | None = None,
    keep_distinct: bool = False,
    plug_value: bool = False,
    count_empty: bool = True,
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Predictions judged by a rule of ``finer.metrics``: a JSON-ready object.

    | key | |
    |---|---|
    | metric, value, n, interval | the mean (0 to 1) over the ``n`` judged; 95 % bootstrap interval |
    | not_judged | predictions whose gold failed, or was left out as empty: they count nowhere |
    | unanswered | questions of the dataset without a prediction: they count nowhere either |
    | by_difficulty, by_feature | value, n and interval of each group; features are those of the first gold and overlap |
    | statuses | predictions by execution status |
    | flipped | right on the main instance and wrong on another; None where no question has another |
    | release, options, seconds | which data, under which options, how long the judging took |
    | per_question | index, correct (None: not judged), status, reason, instance, sql; ``value`` where a rule gives more than right or wrong |

    ``judge``: one of your own, whose rule then holds; it stays yours to close. Without ``count_empty``, a question whose gold
    gives no row on the main instance is not judged, unless it is meant so. MetricError for a metric that does not exist.
    """
    pairs = list(pairs)
    own = judge or Judge(dataset.databases, rule=rule(metric, keep_distinct, plug_value))
    began = time.perf_counter()
    try:
        rows = _judged(pairs, own, count_empty, on_progress)
    finally:
        if judge is None:
            own.close()
    seconds = time.perf_counter() - began
    questions = [question for question, _ in pairs]
    return {
        **_figures([outcome(row) for row in rows], questions),
        "metric": own.rule.name,
        "not_judged": sum(row["correct"] is None for row in rows),
        "unanswered": len({question.index for question in dataset.questions} - {question.index for question in questions}),
        "statuses": _statuses(rows),
        "flipped": _flipped(rows, questions, dataset, own.rule),
        "release": dataset.release or dataset.name,
        "options": _options(own.rule, keep_distinct, plug_value, count_empty),
        "seconds": seconds,
        "per_question": rows,
    }


def outcome(row: dict[str, Any]) -> bool | float | None:
    """What a row of ``per_question`` counts: its value where it has one, else right or wrong; None where it was not judged."""
    return row.get("value", row["correct"])


def with_alternatives(
    found: dict[str, Any], pairs: Sequence[Pair], dataset: Dataset, accepted: Sequence[dict[str, Any]], judge: Judge
) -> dict[str, Any]:
    """The figure with further references that a person accepted: an object beside the one that it starts from.

    ``accepted``: alternatives as ``finer.suspects.read_alternatives`` gives them. Only questions that have one and are not right
    are judged again, against the alternatives alone, by the same rule. Keys: value, n, interval, by_difficulty, by_feature, and
    ``changed``: index, sql, before, after and the alternatives of each question whose outcome changed.
    """
    by_index: dict[int, list[dict[str, Any]]] = {}
    for one in accepted:
        by_index.setdefault(one["index"], []).append(one)
    outcomes = [outcome(row) for row in found["per_question"]]
    open_places = [place for place, (question, _) in enumerate(pairs) if question.index in by_index and outcomes[place] != 1]
    again = [_with_gold(pairs[place], by_index) for place in open_places]
    changed = []
    for place, row in zip(open_places, _judged(again, judge), strict=True):
        before, after = outcomes[place], outcome(row)
        if after is not None and (before is None or after > before):
            outcomes[place] = after
            index = pairs[place][0].index
            changed.append({"index": index, "sql": row["sql"], "before": before, "after": after, "alternatives": by_index[index]})
    return {**_figures(outcomes, [question for question, _ in pairs]), "changed": changed}


def _with_gold(pair: Pair, by_index: dict[int, list[dict[str, Any]]]) -> Pair:
    question, prediction = pair
    return replace(question, gold=tuple(one["sql"] for one in by_index[question.index])), prediction


def _judged(pairs: Sequence[Pair], judge: Judge, count_empty: bool = True, on_progress: Progress | None = None) -> list[dict[str, Any]]:
    """A row a pair, in order. Executions are let go at once: together they may not fit in memory."""
    texts = [(question, prediction.sql) for question, prediction in pairs]
    rows: list[dict[str, Any]] = [{} for _ in pairs]
    verdicts: list[Verdict | None] = [None] * len(pairs)
    for done, (place, verdict) in enumerate(judge.judge_each(texts), start=1):
        rows[place] = _row(*texts[place], verdict, judge.rule)
        verdicts[place] = replace(verdict, prediction=None, gold=None)
        if on_progress:
            on_progress(done, len(pairs))
    if judge.rule.of_ratio is not None:
        for row, value in zip(rows, judge.timed_values(texts, verdicts), strict=True):
            row["value"] = value
    for row, (question, _) in zip(rows, pairs, strict=True):
        if not count_empty and row["correct"] is not None and _is_empty(question, judge):
            row.update(correct=None, reason=LEFT_OUT, **({"value": None} if "value" in row else {}))
    return rows


def _is_empty(question: Question, judge: Judge) -> bool:
    return not question.meant_empty and judge.gold(judge.databases[question.db_id], question.gold[0])[0].status == "empty"


def _row(question: Question, sql: str, verdict: Verdict, chosen: Rule) -> dict[str, Any]:
    row = {"index": question.index, "correct": verdict.correct, "status": verdict.status, "reason": verdict.reason}
    graded = {} if chosen.grade is None else {"value": chosen.value(verdict)}
    return {**row, **graded, "instance": verdict.instance, "sql": sql}


def _figures(outcomes: Sequence[bool | float | None], questions: Sequence[Question]) -> dict[str, Any]:
    by_difficulty = shares(outcomes, [[question.difficulty or "unknown"] for question in questions])
    by_feature = shares(outcomes, [features(question.gold[0]) for question in questions])
    return {
        **share(outcomes).as_json(),
        "by_difficulty": {name: by_difficulty[name].as_json() for name in _in_order(by_difficulty, DIFFICULTIES)},
        "by_feature": {name: by_feature[name].as_json() for name in _in_order(by_feature, FEATURES)},
    }


def _in_order(names: Collection[str], order: Sequence[str]) -> Iterator[str]:
    yield from (name for name in order if name in names)
    yield from (name for name in names if name not in order)


def _statuses(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    counts = Counter(row["status"] for row in rows)
    return {status: counts[status] for status in EXECUTION_STATUSES}


def _flipped(rows: Sequence[dict[str, Any]], questions: Sequence[Question], dataset: Dataset, chosen: Rule) -> dict[str, Any] | None:
    """The predictions that further instances proved wrong, of those judged on more than one."""
    several = [len(dataset.databases[question.db_id].instances) > 1 for question in questions]
    if not chosen.every_instance or not any(several):
        return None
    judged = [row for row, more in zip(rows, several, strict=True) if more and row["correct"] is not None]
    return {"count": sum(row["correct"] is False and row["instance"] > 0 for row in judged), "of": len(judged)}


def _options(chosen: Rule, keep_distinct: bool, plug_value: bool, count_empty: bool) -> dict[str, Any]:
    limits = chosen.limits
    return {
        "keep_distinct": keep_distinct,
        "plug_value": plug_value,
        "empty_golds": "counted" if count_empty else "left out",
        "failed_golds": "not judged",
        "instances": "all" if chosen.every_instance else "the main one",
        "seconds": limits.seconds,
        "rows": limits.rows,
        "megabytes": limits.megabytes,
        "text_errors": limits.text_errors,
    }


def spread(items: tuple, count: int) -> tuple:
    """``count`` of the items, evenly spaced; all of them for 0.

    >>> spread((0, 1, 2, 3, 4, 5), 3)
    (0, 2, 4)
    """
    if not count or count >= len(items):
        return items
    return tuple(items[place * len(items) // count] for place in range(count))
