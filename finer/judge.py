"""A prediction against the gold, under one of the rules of ``metrics``, on the instances of its database.

SQL that is right on one set of rows by luck is caught on another, where the rule looks at all of them. A gold that
fails says nothing about a prediction: the verdict is then None, never False, and its reason says what the official
evaluator would have done. Not covered: figures over many questions (``evaluate``).
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Self

from finer.datasets import Database
from finer.golds import Golds
from finer.metrics import STRICT, Rule, timing
from finer.records import Execution, Question, Verdict
from finer.sandbox import Sandbox

SQL_SHOWN = 80
WORKERS = min(4, os.cpu_count() or 1)
"""Processes of a judge's own sandbox; they start when they are first needed."""
JUDGED_AT_ONCE = 16
"""Predictions of one gold whose results are held together."""

Pair = tuple[Question, str]


class Judge:
    """Judges predictions; every gold runs once an instance and is kept with its status, a failure included."""

    def __init__(
        self,
        databases: Mapping[str, Database],
        sandbox: Sandbox | None = None,
        rule: Rule | None = None,
        golds: Golds | None = None,
    ) -> None:
        """``databases`` by db_id, as a Dataset holds them.

        ``sandbox``: None starts one with the rule's limits; one that is given stays the caller's to close, and its
        limits hold. ``rule``: None is strict. ``golds``: None keeps them in memory, with this judge.
        """
        self.databases = databases
        self.rule = STRICT if rule is None else rule
        self.sandbox = sandbox or Sandbox(WORKERS, self.rule.limits)
        self._owns_sandbox = sandbox is None
        self.golds = Golds() if golds is None else golds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the sandbox, where it is this judge's own."""
        if self._owns_sandbox:
            self.sandbox.close()

    def judge(self, question: Question, sqls: Sequence[str]) -> list[Verdict]:
        """A verdict for each SQL, in order; equal texts run once.

        Right is: right by the rule against one and the same gold on every instance that the rule looks at. The main
        instance comes first, and a prediction that fails or differs there is not run on the others. Where no gold of
        the question runs on all of them, or there is no instance, nothing is judged. KeyError for an unknown database.
        """
        database = self._database(question.db_id)
        if not database.instances:
            verdict = Verdict(None, "gold_failed", f"not judged: the database {question.db_id!r} is not here: {database.missing}")
            return [verdict for _ in sqls]
        golds = [(sql, self.gold(database, sql)) for sql in question.gold]
        usable = [(sql, results) for sql, results in golds if all(result.ran for result in results)]
        if not usable:
            verdict = self._gold_failed(*golds[0])
            return [verdict for _ in sqls]
        verdicts = {sql: Verdict(False, "error") for sql in sqls}
        for place, (gold_sql, results) in enumerate(usable):
            open_sqls = [sql for sql, verdict in verdicts.items() if place == 0 or not verdict.correct]
            found = self._against(database, self.rule.prepare_gold(gold_sql), results, open_sqls)
            # What differs from every gold is explained by its difference from the first one, the reference.
            verdicts |= {sql: verdict for sql, verdict in found.items() if place == 0 or verdict.correct}
        return [verdicts[sql] for sql in sqls]

    def judge_each(self, pairs: Iterable[Pair]) -> Iterator[tuple[int, Verdict]]:
        """(position, verdict) of each (question, SQL), as they come, not in order: the fastest way to judge many.

        Questions with the same database and gold are judged together, so equal texts among them run once, and several
        such groups at once, as many as the sandbox has processes for. A verdict holds its executions; let it go to keep
        memory small: only those of the few groups under way are held here.
        """
        tasks = iter(_tasks(pairs))
        with ThreadPoolExecutor(2 * WORKERS, thread_name_prefix="finer-judge") as threads:
            waiting = deque(threads.submit(self._judge_task, task) for task in itertools.islice(tasks, 3 * WORKERS))
            try:
                while waiting:
                    yield from waiting.popleft().result()
                    waiting.extend(threads.submit(self._judge_task, task) for task in itertools.islice(tasks, 1))
            finally:
                for future in waiting:
                    future.cancel()

    def judge_many(self, pairs: Iterable[Pair]) -> list[Verdict]:
        """A verdict for each (question, SQL), in order, without its executions, which together may not fit in memory."""
        pairs = list(pairs)
        verdicts: list[Any] = [None] * len(pairs)
        for position, verdict in self.judge_each(pairs):
            verdicts[position] = replace(verdict, prediction=None, gold=None)
        return verdicts

    def timed_values(self, pairs: Iterable[Pair], verdicts: Iterable[Verdict], runs: int = timing.RUNS) -> list[float | None]:
        """What each verdict is worth under VES or R-VES: right answers are run again, one at a time, beside their gold.

        0.0 for a wrong answer and for one of which a run failed, None for one that was not judged.
        """
        values: list[float | None] = []
        for (question, sql), verdict in zip(pairs, verdicts, strict=True):
            if not verdict.correct:
                values.append(None if verdict.correct is None else 0.0)
                continue
            texts = self.rule.prepare_gold(question.gold[0]), self._prepared(sql)
            ratio = timing.measure(self.sandbox, self._database(question.db_id).path, *texts, runs)
            values.append(0.0 if ratio is None else self.rule.of_ratio(ratio))
        return values

    def gold(self, database: Database, sql: str) -> tuple[Execution, ...]:
        """What a gold gives on each instance that the rule looks at; run once and kept."""
        prepared = self.rule.prepare_gold(sql)
        return tuple(self.golds.get(path, prepared, self.sandbox) for path in self._instances(database))

    def _instances(self, database: Database) -> Sequence[Any]:
        return database.instances if self.rule.every_instance else database.instances[:1]

    def _database(self, db_id: str) -> Database:
        if db_id not in self.databases:
            raise KeyError(f"no database {db_id!r}; there are {sorted(self.databases)}")
        return self.databases[db_id]

    def _prepared(self, sql: Any) -> Any:
        """What is executed for a prediction; what is no text stays what it is, for the sandbox to refuse."""
        return self.rule.prepare_prediction(sql) if isinstance(sql, str) else sql

    def _judge_task(self, task: list[tuple[int, Question, str]]) -> list[tuple[int, Verdict]]:
        verdicts = self.judge(task[0][1], [sql for _, _, sql in task])
        return [(position, verdict) for (position, _, _), verdict in zip(task, verdicts, strict=True)]

    def _against(self, database: Database, gold_sql: str, golds: Sequence[Execution], sqls: Iterable[str]) -> dict[str, Verdict]:
        """Verdicts against one gold (as it is executed), by the text of the prediction as it was given."""
        prepared = {sql: self._prepared(sql) for sql in sqls}
        verdicts = self._run(database, gold_sql, golds, prepared.values())
        found = {sql: verdicts[text] for sql, text in prepared.items()}
        if self.rule.alternatives is not None:
            for sql, verdict in found.items():
                if not verdict.correct and isinstance(sql, str):
                    found[sql] = self._first_right(database, gold_sql, golds, prepared[sql]) or verdict
        return found

    def _first_right(self, database: Database, gold_sql: str, golds: Sequence[Execution], sql: str) -> Verdict | None:
        """The verdict on the first right text that the rule takes in a prediction's place."""
        for text in self.rule.alternatives(gold_sql, sql):
            verdict = self._run(database, gold_sql, golds, [text])[text]
            if verdict.correct:
                return verdict
        return None

    def _run(self, database: Database, gold_sql: str, golds: Sequence[Execution], texts: Iterable[str]) -> dict[str, Verdict]:
        """Verdicts on texts as they are executed; each instance takes on only what was right on those before it."""
        verdicts: dict[str, Verdict] = {}
        standing = list(dict.fromkeys(texts))
        for instance, (path, gold) in enumerate(zip(self._instances(database), golds, strict=True)):
            results = self.sandbox.execute_many((path, text) for text in standing)
            for text, result in zip(standing, results, strict=True):
                verdict = self._verdict(gold_sql, gold, result, instance)
                if instance == 0 or not verdict.correct:
                    verdicts[text] = verdict
            standing = [text for text in standing if verdicts[text].correct]
        return verdicts

    def _verdict(self, gold_sql: str, gold: Execution, prediction: Execution, instance: int) -> Verdict:
        where = f" on instance {instance}" if instance else ""
        if not prediction.ran:
            reason = f"{prediction.status}{where}: {prediction.error}"
            return Verdict(False, prediction.status, reason, instance, prediction, gold)
        difference = self.rule.compare(gold_sql, gold, prediction)
        reason = f"{difference.reason}{where}" if difference.reason else ""
        return Verdict(difference.equal, prediction.status, reason, instance, prediction, gold)

    def _gold_failed(self, sql: str, results: Sequence[Execution]) -> Verdict:
        instance = next(position for position, result in enumerate(results) if not result.ran)
        failed = results[instance]
        official = f" [{self.rule.gold_failure}]" if self.rule.gold_failure else ""
        reason = f"not judged: the gold gave {failed.status} on instance {instance} ({failed.error}){official}: {sql[:SQL_SHOWN]}"
        return Verdict(None, "gold_failed", reason, instance, None, failed)


def _tasks(pairs: Iterable[Pair]) -> Iterator[list[tuple[int, Question, str]]]:
    """The pairs with their positions: those of one database and gold together, up to 16 different texts at a time."""
    groups: dict[tuple, dict[str, list[tuple[int, Question, str]]]] = {}
    for position, (question, sql) in enumerate(pairs):
        by_text = groups.setdefault((question.db_id, question.gold), {})
        by_text.setdefault(sql, []).append((position, question, sql))
    for _, by_text in sorted(groups.items()):
        texts = iter(by_text.values())
        while task := list(itertools.islice(texts, JUDGED_AT_ONCE)):
            yield [item for same in task for item in same]
