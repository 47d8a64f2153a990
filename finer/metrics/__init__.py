"""The rules by which a prediction is right, under one shape: what is executed, what is compared, under which bounds.

| name | right is | a question's value |
|---|---|---|
| strict | the same columns in order, rows as a bag (in order where the gold's outermost query orders them), a tolerance for floats, on every instance (``compare``) | 1 or 0 |
| bird-ex | the same set of rows, on the main instance (``bird``) | 1 or 0 |
| soft-f1 | as bird-ex | 0 to 1, the share of cells found (``bird.soft_f1``) |
| ves, r-ves | as bird-ex | from the time beside the gold's (``ves``, ``timing``); above 1 where it is the faster |
| spider-ex | the same rows under one permutation of columns, DISTINCT ignored, on the main instance (``spider``) | 1 or 0 |
| spider-ts | the same, on every instance | 1 or 0 |

One choice holds for all: a question whose gold fails is not judged (None), never right and never wrong; BIRD's script
counts it as wrong and Spider's stops. Every such verdict says so in its reason. Not covered: running anything, which
is ``judge``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from finer.compare import Difference, is_ordered
from finer.compare import strict as compare_strict
from finer.errors import FinerError, unknown
from finer.metrics import bird, spider, ves
from finer.metrics.bird import soft_f1
from finer.records import Execution, Verdict
from finer.sandbox import Limits

__all__ = ["METRICS", "STRICT", "MetricError", "Rule", "rule", "soft_f1"]

METRICS = ("strict", "bird-ex", "spider-ex", "spider-ts", "soft-f1", "r-ves", "ves")


class MetricError(FinerError):
    """A metric that does not exist, or an option that it does not know."""


def _as_it_stands(sql: str) -> str:
    return sql


@dataclass(frozen=True)
class Rule:
    """When is a prediction right, and what is a question worth?"""

    name: str
    compare: Callable[[str, Execution, Execution], Difference]
    """(the gold as it was executed, its result, the prediction's result); ValueError where the gold did not run."""
    every_instance: bool
    """True: right means right on every instance of the database; False: the main one decides."""
    limits: Limits
    """What a statement may take, and what becomes of text that is not UTF-8."""
    gold_failure: str = ""
    """What the official evaluator does with a question whose gold fails; here it is not judged."""
    prepare_gold: Callable[[str], str] = _as_it_stands
    """From the text of a gold to what is executed."""
    prepare_prediction: Callable[[str], str] = _as_it_stands
    """The same for a prediction."""
    alternatives: Callable[[str, str], Iterable[str]] | None = None
    """(gold, prediction), both as executed, to further texts one of which may be right in the prediction's place."""
    grade: Callable[[Execution, Execution], float] | None = None
    """(the gold's result, the prediction's result) to a value, where that is more than right or wrong."""
    of_ratio: Callable[[float], float] | None = None
    """From a time ratio to the value of a right answer; such a rule needs timed runs (``Judge.timed_values``)."""

    def value(self, verdict: Verdict) -> float | None:
        """What a verdict with its executions is worth; None where it was not judged. Not for a rule that needs times.

        >>> gold, half = Execution("ok", ((1,), (2,))), Execution("ok", ((1,),))
        >>> round(rule("soft-f1").value(Verdict(False, "ok", prediction=half, gold=gold)), 3)
        0.667
        """
        if self.of_ratio is not None:
            raise ValueError(f"{self.name} takes its values from timed runs: ask Judge.timed_values")
        if verdict.correct is None:
            return None
        return float(verdict.correct) if self.grade is None else self.grade(verdict.gold, verdict.prediction)


def rule(name: str, keep_distinct: bool = False, plug_value: bool = False) -> Rule:
    """The rule of that name. MetricError for a name there is none of, and for Spider's options on another rule.

    ``keep_distinct`` leaves every DISTINCT where it is; ``plug_value`` also takes a prediction that is right once its
    literals are replaced by the gold's. Both are off in the official figures, and belong beside the figure when on.

    >>> rule("spider-ts").every_instance, rule("spider-ex").every_instance
    (True, False)
    """
    if name in ("spider-ex", "spider-ts"):
        return _spider(name, keep_distinct, plug_value)
    if name not in METRICS:
        raise MetricError(unknown("metric", name, METRICS))
    if keep_distinct or plug_value:
        raise MetricError(f"{name} knows neither keep_distinct nor plug_value; they belong to spider-ex and spider-ts")
    return STRICT if name == "strict" else _bird(name)


def _strict(gold_sql: str, gold: Execution, prediction: Execution) -> Difference:
    return compare_strict(gold, prediction, is_ordered(gold_sql))


STRICT = Rule("strict", _strict, every_instance=True, limits=Limits())


def _limits(seconds: float, text_errors: str) -> Limits:
    """The official scripts bound neither rows nor memory; these bounds are meant to be met by accidents alone."""
    return Limits(seconds=seconds, rows=1_000_000, megabytes=1024, text_errors=text_errors)


def _bird(name: str) -> Rule:
    return Rule(
        name,
        bird.compare,
        every_instance=False,
        limits=_limits(30, "strict"),
        gold_failure="BIRD's script counts it as wrong",
        grade=soft_f1 if name == "soft-f1" else None,
        of_ratio={"ves": ves.ves, "r-ves": ves.r_ves}.get(name),
    )


def _spider(name: str, keep_distinct: bool, plug_value: bool) -> Rule:
    prediction = spider.prepare_prediction_keeping_distinct if keep_distinct else spider.prepare_prediction
    return Rule(
        name,
        spider.compare,
        every_instance=name == "spider-ts",
        limits=_limits(60, "ignore"),
        gold_failure="Spider's evaluator stops at it",
        prepare_gold=spider.prepare_gold_keeping_distinct if keep_distinct else spider.prepare_gold,
        prepare_prediction=prediction,
        alternatives=spider.plugged if plug_value else None,
    )
