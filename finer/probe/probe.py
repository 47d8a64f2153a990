"""A reward put to the test: queries rewritten so that they mean the same, queries broken on purpose, and what each is paid.

``run_probe`` draws the cases, executes each, scores those that the result bears out, and sums up. Not covered: whether a
reward teaches anything.
"""

from __future__ import annotations

import json as json_format
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from finer.datasets import Dataset
from finer.judge import Judge
from finer.probe.cases import BREAKING, PRESERVING, Case, Drawn, draw
from finer.probe.labels import Labelled, read_labelled
from finer.probe.measures import ALL_PARTS, Answer, answers_of, as_answered, scores
from finer.probe.report import LabelFigures, ProbeReport, Scored, change_figures, label_figures, measure_figures
from finer.probe.table import table
from finer.prompt import completion_text
from finer.records import Question
from finer.rewards import RECIPES, Recipe, Scorer, get_recipe
from finer.rewards.own import OwnReward, RewardFunction, Score, load_reward
from finer.sandbox import Limits, Sandbox

CASES = 100
"""Cases of each rewriting and edit."""
LADDERS = 100
SECONDS = 1.0
"""What one statement may take: a forgotten join condition runs for long, and says no more after that."""


def run_probe(
    dataset: Dataset,
    recipes: Sequence[str | Recipe] | None = None,
    reward: str | RewardFunction | None = None,
    predictions: str | Path | None = None,
    limit: int | None = None,
    json: str | Path | None = None,
    cases: int = CASES,
    seed: int = 0,
) -> ProbeReport:
    """Probe the parts, some recipes (by default all) and a reward function on a dataset, and print the table.

    ``reward``: a function with TRL's signature, or ``FILE.py:NAME``. ``predictions``: a .jsonl file with labels (``labels``).
    ``limit``: at most so many questions. ``json``: a file that takes the whole report. ``cases``: of each rewriting and edit.
    FinerError for an unknown recipe, a reward function that cannot be loaded or called, and a file that cannot be read or written.
    """
    chosen = [get_recipe(recipe) if isinstance(recipe, str) else recipe for recipe in (RECIPES if recipes is None else recipes)]
    given = load_reward(reward) if isinstance(reward, str) else reward
    function = None if given is None else OwnReward(given)
    labelled, disagreeing = read_labelled(predictions, dataset) if predictions is not None else ([], 0)
    with Judge(dataset.databases, Sandbox(1, Limits(seconds=SECONDS))) as judge:
        probe = Probe(Scorer(ALL_PARTS, dataset, judge=judge), chosen, function, seed)
        report = probe.report(cases, limit, labelled, disagreeing)
        judge.sandbox.close()
    if json is not None:
        Path(json).write_text(json_format.dumps(asdict(report), ensure_ascii=False, indent=1), encoding="utf-8")
    print(table(report))
    return report


@dataclass(frozen=True)
class Probe:
    """What is tried, and on what."""

    scorer: Scorer
    recipes: Sequence[Recipe]
    reward: RewardFunction | None
    seed: int

    def report(self, cases: int, limit: int | None, labelled: Sequence[Labelled], disagreeing: int) -> ProbeReport:
        """The whole report."""
        dataset = _sample(self.scorer.dataset, limit, self.seed)
        drawn = list(draw(dataset, self.scorer.judge, cases, LADDERS, self.seed))
        scored, junk, cut_short = [], [], 0
        for each in drawn:
            borne, texts = self._score(each)
            scored += borne
            junk += texts
            cut_short += not texts
        labels, failed = self._labels(labelled)
        names = [f"part {part}" for part in ALL_PARTS.parts] + [f"recipe {recipe.name}" for recipe in self.recipes] + ["reward"] * (self.reward is not None)
        return ProbeReport(
            dataset.name,
            self.seed,
            len(drawn) - cut_short,
            len(dataset.questions) - len(drawn) + cut_short,
            tuple(measure_figures(name, scored, junk, labels.get(name)) for name in names),
            tuple(_changes(drawn, scored, names)),
            disagreeing + failed,
        )

    def _score(self, drawn: Drawn) -> tuple[list[Scored], list[Scored]]:
        """Every case of a question with its scores, and the same for texts that are no query; nothing where gold ran out of time now."""
        question, gold = drawn.question, drawn.question.gold[0]
        thought = self._thought(question)
        texts = not_queries(thought, gold)
        completions = [completion_text(thought, sql) for sql in (gold, *(case.sql for case in drawn.cases))] + list(texts.values())
        answers = answers_of(self.scorer, question, completions)
        if not answers[0].facts.right:
            return [], []
        full, *rows = self._scores(question, answers)
        cases = [*drawn.cases, *(Case("text", name, text) for name, text in texts.items())]
        found = [Scored(question.index, case, gold, row, full) for case, row in zip(cases, rows, strict=True)]
        return found[: len(drawn.cases)], found[len(drawn.cases) :]

    def _scores(self, question: Question, answers: Sequence[Answer]) -> list[dict[str, Score]]:
        schema = self.scorer.dataset.databases[question.db_id].schema
        return scores(answers, self.recipes, self.reward, question, schema)

    def _thought(self, question: Question) -> str:
        """The verified thought of the question where the dataset has one, else the question: the same for all its answers."""
        known = {(trace.db_id, trace.question): trace.thought for trace in self.scorer.dataset.traces}
        return known.get((question.db_id, question.text), question.text)

    def _labels(self, labelled: Sequence[Labelled]) -> tuple[dict[str, LabelFigures], int]:
        """The figures of each measure on labelled predictions, and how many could not be judged."""
        by_question: dict[Question, list[Labelled]] = {}
        for each in labelled:
            by_question.setdefault(each.question, []).append(each)
        rows: dict[str, list[tuple[bool, bool, Score, Score]]] = {}
        failed = 0
        for question, group in by_question.items():
            if question.db_id not in self.scorer.dataset.databases:
                failed += len(group)
                continue
            thought = self._thought(question)
            facts = self.scorer.facts_of_sql(question, list(dict.fromkeys([question.gold[0], *(each.sql for each in group)])))
            if facts[question.gold[0]].gold_failed:
                failed += len(group)
                continue
            answers = [Answer(completion_text(thought, sql), as_answered(facts[sql], thought, sql)) for sql in (question.gold[0], *(each.sql for each in group))]
            full, *found = self._scores(question, answers)
            for each, row in zip(group, found, strict=True):
                for name, score in row.items():
                    rows.setdefault(name, []).append((each.right, facts[each.sql].right, score, full[name]))
        return {name: label_figures(found) for name, found in rows.items()}, failed


def not_queries(thought: str, gold: str) -> dict[str, str]:
    """Completions that hold no query, or more than one: what must not be paid more than a near miss."""
    gold = gold.rstrip("; \n")
    return {
        "nothing": "",
        "prose": "I cannot answer that.",
        "prose that begins like a query": completion_text(thought, "Select the best of all, then sort!"),
        "a thought alone": completion_text(thought, ""),
        "a query in a thought never closed": f"<think> {gold}",
        "two queries": completion_text(thought, f"{gold}; {gold}"),
        "a query, then a drop": completion_text(thought, f"{gold}; DROP TABLE x"),
        "a query, then a broken one": completion_text(thought, f"{gold}; AND ("),
        "a query cut off": completion_text(thought, f"{gold} AND ("),
    }


def _sample(dataset: Dataset, limit: int | None, seed: int) -> Dataset:
    if limit is None or limit >= len(dataset.questions):
        return dataset
    return replace(dataset, questions=tuple(random.Random(seed).sample(dataset.questions, limit)))


def _changes(drawn: Sequence[Drawn], scored: Sequence[Scored], names: Sequence[str]) -> Iterator:
    aside = Counter((case.family, case.change) for each in drawn for case in each.set_aside)
    by_change: dict[tuple[str, str], list[Scored]] = {}
    for each in scored:
        by_change.setdefault((each.case.family, each.case.change), []).append(each)
    for family, changes in (("preserving", PRESERVING), ("breaking", BREAKING)):
        for change in changes:
            key = family, change.__name__
            yield change_figures(change.__name__, family, by_change.get(key, []), aside[key], names)
