"""A prediction against the gold, on every instance of its database, by the rule ``strict``.

SQL that is right on one set of rows by luck is caught on another. A gold that fails says nothing about a prediction:
the verdict is then None, never False. The official rules of Spider and BIRD are not covered here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from finer.compare import is_ordered, strict
from finer.datasets import Database
from finer.records import Execution, Question, Verdict
from finer.sandbox import Sandbox

SQL_SHOWN = 80


class Judge:
    """Judges predictions; every gold runs once an instance and is kept with its status, a failure included."""

    def __init__(self, databases: Mapping[str, Database], sandbox: Sandbox | None = None) -> None:
        """``databases`` by db_id, as a Dataset holds them; a sandbox that is given stays the caller's to close."""
        self.databases = databases
        self.sandbox = sandbox or Sandbox()
        self._owns_sandbox = sandbox is None
        self._golds: dict[tuple[str, str], tuple[Execution, ...]] = {}

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

        Right is: the same result as one and the same gold on every instance. The main instance comes first, and a
        prediction that fails or differs there is not run on the others. Where no gold of the question runs on every
        instance, nothing is judged. KeyError for an unknown database.
        """
        database = self._database(question.db_id)
        golds = [(sql, self.gold(database, sql)) for sql in question.gold]
        usable = [(sql, results) for sql, results in golds if all(result.ran for result in results)]
        if not usable:
            verdict = _gold_failed(*golds[0])
            return [verdict for _ in sqls]
        verdicts = {sql: Verdict(False, "error") for sql in sqls}
        for place, (gold_sql, results) in enumerate(usable):
            open_sqls = [sql for sql, verdict in verdicts.items() if place == 0 or not verdict.correct]
            found = self._against(database, gold_sql, results, open_sqls)
            # What differs from every gold is explained by its difference from the first one, the reference.
            verdicts |= {sql: verdict for sql, verdict in found.items() if place == 0 or verdict.correct}
        return [verdicts[sql] for sql in sqls]

    def gold(self, database: Database, sql: str) -> tuple[Execution, ...]:
        """What a gold gives on each instance of its database; run once and kept."""
        key = (database.db_id, sql)
        if key not in self._golds:
            self._golds[key] = tuple(self.sandbox.execute_many((path, sql) for path in database.instances))
        return self._golds[key]

    def _database(self, db_id: str) -> Database:
        if db_id not in self.databases:
            raise KeyError(f"no database {db_id!r}; there are {sorted(self.databases)}")
        return self.databases[db_id]

    def _against(
        self, database: Database, gold_sql: str, golds: Sequence[Execution], sqls: Iterable[str]
    ) -> dict[str, Verdict]:
        """Verdicts against one gold; each instance takes on only what was right on those before it."""
        ordered = is_ordered(gold_sql)
        verdicts: dict[str, Verdict] = {}
        standing = list(sqls)
        for instance, (path, gold) in enumerate(zip(database.instances, golds, strict=True)):
            results = self.sandbox.execute_many((path, sql) for sql in standing)
            for sql, result in zip(standing, results, strict=True):
                verdict = _verdict(gold, result, ordered, instance)
                if instance == 0 or not verdict.correct:
                    verdicts[sql] = verdict
            standing = [sql for sql in standing if verdicts[sql].correct]
        return verdicts


def _verdict(gold: Execution, prediction: Execution, ordered: bool, instance: int) -> Verdict:
    where = f" on instance {instance}" if instance else ""
    if not prediction.ran:
        reason = f"{prediction.status}{where}: {prediction.error}"
        return Verdict(False, prediction.status, reason, instance, prediction, gold)
    difference = strict(gold, prediction, ordered)
    reason = f"{difference.reason}{where}" if difference.reason else ""
    return Verdict(difference.equal, prediction.status, reason, instance, prediction, gold)


def _gold_failed(sql: str, results: Sequence[Execution]) -> Verdict:
    instance = next(position for position, result in enumerate(results) if not result.ran)
    failed = results[instance]
    reason = f"not judged: the gold gave {failed.status} on instance {instance} ({failed.error}): {sql[:SQL_SHOWN]}"
    return Verdict(None, "gold_failed", reason, instance, None, failed)
