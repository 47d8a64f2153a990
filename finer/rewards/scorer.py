"""From completions to what they are paid: read, judge, compare, and add the parts up under a recipe.

``breakdown`` is the pure half (facts in, RewardBreakdown out); ``Scorer`` finds the facts, each distinct completion
once. Nothing that a policy writes makes it raise. Not covered: advantages (``grpo``), and whether an answer is right
(``judge``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Self

from finer.atoms import AtomError, atomic_overlap, extract
from finer.compare import Difference, is_ordered, strict
from finer.datasets import Dataset
from finer.judge import Judge
from finer.memory import Memory
from finer.prompt import Parsed, parse_completion
from finer.records import AtomicOverlap, MemoryMatch, Question, RewardBreakdown, RewardPart, Trace, Verdict
from finer.rewards import atomic as atomic_part
from finer.rewards import bigram as bigram_part
from finer.rewards import execution as execution_part
from finer.rewards import format as format_part
from finer.rewards import memory as memory_part
from finer.rewards import own_part
from finer.rewards import result as result_part
from finer.rewards.bigram import bigram_overlap
from finer.rewards.facts import Facts, short
from finer.rewards.own import OwnValue
from finer.rewards.recipes import Recipe, get_recipe
from finer.rewards.result import result_overlap
from finer.sandbox import check_statement

_PARTS: dict[str, ModuleType] = {
    "format": format_part,
    "execution": execution_part,
    "atomic": atomic_part,
    "bigram": bigram_part,
    "result": result_part,
    "memory": memory_part,
}
_SYNTAX_ERROR = re.compile(r"syntax error|incomplete input|unrecognized token")
"""How SQLite says that a text is not SQL at all; a wrong name or a wrong argument reads otherwise."""


def breakdown(recipe: Recipe, facts: Facts) -> RewardBreakdown:
    """What a completion with these facts is paid, part by part.

    Three rules stand above the parts, in this order: where the gold failed nothing is scored (None); a text that is
    not one read-only query is paid 0 in every part; behind a gate a broken format is paid 0 in every part. The second leaves
    parts of one's own alone: what they are paid for is not known, and 0 need not be their least.
    """
    parts = tuple(_part(name, recipe, facts) for name in recipe.parts)
    return RewardBreakdown(recipe.name, facts.status, parts, facts.parsed.thought, facts.parsed.sql)


def _part(name: str, recipe: Recipe, facts: Facts) -> RewardPart:
    own = name in recipe.own
    part, weight = own_part.of(name) if own else _PARTS[name], recipe.weights[name]
    evidence = part.evidence(facts, recipe)
    if facts.gold_failed:
        summary = f"not scored: the gold query failed ({short(facts.verdict.reason)})"
        return RewardPart(name, None, weight, {"summary": summary, **evidence})
    if facts.not_a_query and not own:
        summary = f"paid 0: not one read-only query ({short(facts.not_a_query)})"
        return RewardPart(name, 0.0, weight, {"summary": summary, **evidence, "reason": short(facts.not_a_query)})
    value, summary = part.value(facts, recipe), part.summary(facts, recipe)
    if recipe.gate and not facts.parsed.well_formed:
        closed = short(facts.parsed.reason)
        evidence = {"summary": f"paid 0 behind the format gate ({closed}); {summary}", **evidence}
        return RewardPart(name, 0.0, weight, {**evidence, "gate": closed, "ungated": value})
    return RewardPart(name, value, weight, {"summary": summary, **evidence})


class Scorer:
    """Scores completions of a dataset's questions under a recipe, which may be exchanged between two calls.

    ``memory``: None takes a new one that holds the dataset's own traces. ``judge``: None starts one on the dataset's
    databases; close it with the scorer (a context manager).
    """

    def __init__(
        self, recipe: Recipe | str, dataset: Dataset, memory: Memory | None = None, judge: Judge | None = None
    ) -> None:
        self.recipe = get_recipe(recipe) if isinstance(recipe, str) else recipe
        self.dataset = dataset
        self.memory = memory
        if memory is None and "memory" in self.recipe.parts:
            self.memory = Memory()
            self.memory.add(dataset.traces)
        self._metrics: dict[str, list[float]] = {}
        self._own_judge = judge is None
        self.judge = Judge(dataset.databases) if judge is None else judge

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the judge, if the scorer started it."""
        if self._own_judge:
            self.judge.close()

    def score(self, question: Question, completions: Sequence[str]) -> list[RewardBreakdown]:
        """What each completion of one question is paid, in order. KeyError for a database the dataset has not."""
        facts = self.facts(question, completions)
        if self.recipe.own:
            return [breakdown(self.recipe, replace(facts[text], own=own)) for text, own in zip(completions, self._own(question, completions), strict=True)]
        paid = {text: breakdown(self.recipe, found) for text, found in facts.items()}
        return [paid[text] for text in completions]

    def _own(self, question: Question, completions: Sequence[str]) -> list[dict[str, OwnValue]]:
        """What the functions of one's own say of each completion; they see all of the question's, equal ones too."""
        schema = self.dataset.databases[question.db_id].schema
        return own_part.values(self.recipe.own, question, schema, completions, self._note_metric)

    def _note_metric(self, name: str, value: float) -> None:
        self._metrics.setdefault(name, []).append(float(value))

    def take_noted(self) -> dict[str, list[float]]:
        """What functions of one's own gave to ``log_metric`` since the last call."""
        found, self._metrics = self._metrics, {}
        return found

    def note(self, noted: Iterable[Mapping[str, Sequence[float]]]) -> None:
        """Adds such values, as of scorers in other processes."""
        for name, values in ((name, values) for one in noted for name, values in one.items()):
            self._metrics.setdefault(name, []).extend(values)

    def take_metrics(self) -> dict[str, float]:
        """Their means since the last call."""
        return {name: sum(values) / len(values) for name, values in self.take_noted().items()}

    def score_many(self, batch: Iterable[tuple[Question, Sequence[str]]]) -> list[list[RewardBreakdown]]:
        """The same for a whole step: (question, completions) pairs, all against the memory as it is now."""
        batch = list(batch)
        if self.memory is not None and "memory" in self.recipe.parts:
            thoughts = [parse_completion(text).thought for _, completions in batch for text in completions]
            by_question = self.memory.retrieval.by == "question"
            self.memory.encode_ahead(thoughts + [question.text for question, _ in batch if by_question])
        return [self.score(question, completions) for question, completions in batch]

    def right_traces(self, question: Question, paid: Iterable[RewardBreakdown], step: int) -> list[Trace]:
        """The right answers' different thoughts, to be proposed to the memory after the step.

        Their ``trace_id`` is -1 until the memory gives them a place.
        """
        return _traces(question, [answer for answer in paid if answer.status == "correct"], step)

    def failed_traces(self, question: Question, paid: Iterable[RewardBreakdown], step: int) -> list[Trace]:
        """The same of answers that are known to be wrong, for the memory's collection of failed traces."""
        return _traces(question, [answer for answer in paid if answer.status not in ("correct", "gold_failed")], step)

    def facts(self, question: Question, completions: Sequence[str]) -> dict[str, Facts]:
        """The facts of each different completion, as far as the recipe's parts ask for them."""
        parsed = {text: parse_completion(text) for text in dict.fromkeys(completions)}
        by_sql = self.facts_of_sql(question, list(dict.fromkeys(answer.sql for answer in parsed.values())))
        comparable = [answer.thought for answer in parsed.values() if _is_scored(by_sql[answer.sql])]
        matches = self._matches(comparable, question)
        facts = {}
        for text, answer in parsed.items():
            of_sql = by_sql[answer.sql]
            match = matches[answer.thought] if _is_scored(of_sql) else of_sql.match
            facts[text] = replace(of_sql, parsed=answer, match=match)
        return facts

    def facts_of_sql(self, question: Question, statements: list[str]) -> dict[str, Facts]:
        """What does not depend on the thought: verdict, differing rows and overlap of each statement."""
        if question.db_id not in self.dataset.databases:
            raise KeyError(
                f"question {question.index} asks database {question.db_id!r}, which {self.dataset.name!r} has not"
            )
        verdicts = self.judge.judge(question, statements)
        facts = {}
        for sql, verdict in zip(statements, verdicts, strict=True):
            found = Facts(Parsed("", sql, False), verdict, why_no_query(sql, verdict), _difference(question, verdict))
            facts[sql] = self._compared(question, sql, found) if _is_scored(found) else found
        return facts

    def _compared(self, question: Question, sql: str, facts: Facts) -> Facts:
        """The facts with what the recipe's dense parts compare."""
        facts = replace(facts, overlap=self._overlap(question, sql))
        if "bigram" in self.recipe.parts:
            facts = replace(facts, bigram=bigram_overlap(sql, question.gold + question.references))
        if "result" in self.recipe.parts:
            facts = replace(facts, result=result_overlap(facts.verdict.gold, facts.verdict.prediction))
        return facts

    def _overlap(self, question: Question, sql: str) -> AtomicOverlap:
        if "atomic" not in self.recipe.parts:
            return AtomicOverlap(None, reason="the recipe does not compare operations")
        return atomic_overlap(sql, question.gold + question.references, self.dataset.databases[question.db_id].schema)

    def _matches(self, thoughts: Sequence[str], question: Question) -> dict[str, MemoryMatch]:
        if self.memory is None or "memory" not in self.recipe.parts:
            return dict.fromkeys(thoughts, MemoryMatch(None, reason="no memory was given"))
        different = list(dict.fromkeys(thoughts))
        matches = self.memory.match(different, question.db_id, question=question.text)
        return dict(zip(different, matches, strict=True))


def why_no_query(sql: str, verdict: Verdict) -> str:
    """Why a text is not exactly one read-only query; '' where it is one, although it may fail.

    A text that SQLite and sqlglot both cannot parse is no query; one that only SQLite cannot parse (another dialect's
    ILIKE, say) is a query that fails.
    """
    error = verdict.prediction.error if verdict.prediction else verdict.reason
    fault = check_statement(sql) or (error or "refused" if verdict.status == "refused" else "")
    if fault or verdict.status != "error" or not _SYNTAX_ERROR.search(error):
        return fault
    try:
        extract(sql)
    except AtomError:
        return error
    return ""


def _traces(question: Question, answers: Sequence[RewardBreakdown], step: int) -> list[Trace]:
    """A trace for each different thought, in order; of one thought's answers the first."""
    different = {answer.thought: answer for answer in reversed(answers) if answer.thought.strip()}
    return [
        Trace(-1, question.db_id, question.text, answer.thought, answer.sql, "policy", step)
        for answer in reversed(different.values())
    ]


def _is_scored(facts: Facts) -> bool:
    return not facts.gold_failed and not facts.not_a_query


def _difference(question: Question, verdict: Verdict) -> Difference | None:
    """The differing rows of a wrong query on the instance that decided."""
    prediction, gold = verdict.prediction, verdict.gold
    if verdict.correct is not False or not (prediction and gold and prediction.ran and gold.ran):
        return None
    return strict(gold, prediction, is_ordered(question.gold[0]))
