"""Right by luck: a second instance of a database that tells a prediction from its gold, searched, shrunk and kept.

A prediction that is right on the one instance there is may still mean something else. The search runs it beside the gold on
small perturbed copies (``fuzz``) and keeps the first on which the rule in use sees a difference, provided that the gold's
result there is settled (``settled``). Then rows are deleted as long as the two still differ, so that a person can read why.

None found is no proof of anything. A witness found says that the two differ on *some* rows that keep the declared keys; how
believable those are is another matter, and ``Witness.reservations`` names the usual doubts: a NULL in a column that has none
today, a text twice in a column that holds none twice today (two colours called Blue: chance or an undeclared rule, nobody
but a person can say), and a gold without any result there. Not covered: DuckDB files.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

from finer import fuzz
from finer.datasets import Database, Dataset
from finer.errors import FinerError
from finer.fuzz import Instance, Perturbation
from finer.judge import Judge
from finer.metrics import STRICT, Rule
from finer.metrics import rule as get_rule
from finer.records import Execution, Question
from finer.sandbox import Sandbox
from finer.schema import engine_of
from finer.settled import settled

TRIES = 300
"""Copies tried for a question, half of them without added NULLs."""
POOL = 24
"""Instances of a database that told something apart, the last ones, tried first for its next question."""
AT_ONCE = 8
"""Copies written and run together."""
SHRINKS = 120
"""Deletions tried on a witness."""
WORKERS = 4
SECONDS = 1.0
"""Of a statement on a copy with a few rows; the other limits are the rule's."""
LIST_FILE = "witnesses.json"


class WitnessError(FinerError):
    """Questions or instances that no witness can be searched for."""


@dataclass(frozen=True)
class Witness:
    """One instance that tells a prediction from the gold."""

    index: int
    """The question's."""
    db_id: str
    prediction: str
    gold: str
    path: Path
    """The SQLite file."""
    reason: str
    """The difference in one sentence."""
    gold_rows: tuple[tuple[Any, ...], ...]
    prediction_rows: tuple[tuple[Any, ...], ...]
    perturbations: tuple[Perturbation, ...]
    """What was done to the main instance; rows were deleted after that."""
    reservations: tuple[str, ...] = ()
    """Why a person may not care: see the module."""


@dataclass(frozen=True)
class _Finding:
    """A witness that is not written yet."""

    instance: Instance
    reason: str
    gold: Execution
    prediction: Execution
    reservations: tuple[str, ...]


class WitnessSearch:
    """Searches witnesses over one database; what it finds is tried first on the next question. A context manager."""

    def __init__(self, database: Database, folder: str | Path, rule: Rule | None = None, sandbox: Sandbox | None = None, seed: int = 0) -> None:
        """Files go to ``folder``/<db_id>/. A sandbox that is given stays the caller's to close, and its limits hold. ``rule``: None is strict."""
        self.database, self.folder, self.rule, self.seed = database, Path(folder) / database.db_id, rule or STRICT, seed
        if engine_of(database.path) == "duckdb":
            raise WitnessError(f"{database.path}: witnesses are searched for SQLite files only")
        self.source = fuzz.read_source(database.path)
        self.sandbox = sandbox or _sandbox(self.rule)
        self._owns_sandbox = sandbox is None
        self._pool: list[Instance] = []
        self._scratch = Path(tempfile.mkdtemp(prefix="finer-witness-"))
        self._written = 0
        self._mentioned: frozenset[tuple[str, int]] = frozenset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete what was written on the way; the witnesses stay."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        if self._owns_sandbox:
            self.sandbox.close()

    def find(self, question: Question, sqls: Iterable[str], seconds: float = 2.0, tries: int = TRIES) -> dict[str, Witness]:
        """A witness for each SQL that one was found for.

        All are tried on the same copies, up to ``tries`` of them and up to ``seconds`` for each SQL. The search for an SQL ends
        with a witness without reservations; the best with some is kept otherwise. With several golds a prediction must
        differ from each.
        """
        open_sqls = list(dict.fromkeys(sqls))
        end = time.monotonic() + seconds * len(open_sqls)
        found: dict[str, _Finding] = {}
        on = fuzz.ground(self.source, question.gold, open_sqls)
        self._mentioned = frozenset(on.hints.columns)
        candidates = self._instances(on, question, tries)
        while open_sqls and time.monotonic() < end and (chunk := list(islice(candidates, AT_ONCE))):
            for apart in self._told_apart(question, open_sqls, chunk):
                for sql, finding in apart.items():
                    if sql not in found or len(finding.reservations) < len(found[sql].reservations):
                        found[sql] = finding
            open_sqls = [sql for sql in open_sqls if sql not in found or found[sql].reservations]
        return {sql: self._kept(question, sql, self._shrunk(on, question, sql, finding)) for sql, finding in found.items()}

    def _instances(self, on: fuzz.Ground, question: Question, tries: int) -> Iterator[Instance]:
        """Those that told something apart before, then copies of this question's own; those with NULLs last."""
        yield from list(self._pool)
        for nulls, share in ((False, tries - tries // 2), (True, tries // 2)):
            yield from islice(fuzz.instances(on, f"{self.seed} {question.index} {nulls}", nulls), share)

    def _told_apart(self, question: Question, sqls: Sequence[str], instances: Sequence[Instance]) -> list[dict[str, _Finding]]:
        """For each instance on which all of the golds are settled, the predictions that differ from every gold there."""
        texts = [*map(self.rule.prepare_gold, question.gold), *map(self.rule.prepare_prediction, sqls)]
        paths = []
        for instance in instances:
            self._written += 1
            paths.append(self._scratch / f"{self._written}.sqlite")
            paths[-1].write_bytes(instance.content)
        results = self.sandbox.execute_many((path, text) for path in paths for text in texts)
        for path in paths:
            path.unlink()
        found = []
        for place, instance in enumerate(instances):
            of_instance = results[place * len(texts) : (place + 1) * len(texts)]
            golds = dict(zip(question.gold, of_instance, strict=False))
            predictions = dict(zip(sqls, of_instance[len(question.gold) :], strict=True))
            found.append(self._judged(instance, golds, {sql: result for sql, result in predictions.items() if result.ran}))
        return found

    def _judged(self, instance: Instance, golds: Mapping[str, Execution], results: Mapping[str, Execution]) -> dict[str, _Finding]:
        """The findings among the results of one instance."""
        if not all(gold.ran for gold in golds.values()):
            return {}
        apart = [sql for sql in results if all(self._reason(gold, golds[gold], results[sql], "order") for gold in golds)]
        levels = {}
        for sql, gold in golds.items() if apart else ():
            levels[sql] = settled(self.source, instance.rows, self.rule.prepare_gold(sql), gold)
            if not levels[sql]:
                return {}
        found = {}
        for sql in apart:
            reasons = [self._reason(gold, golds[gold], results[sql], levels[gold]) for gold in golds]
            if all(reasons):
                found[sql] = _Finding(instance, reasons[0], next(iter(golds.values())), results[sql], self._reservations(instance, golds))
        return found

    def _reason(self, gold_sql: str, gold: Execution, prediction: Execution, level: str) -> str:
        """The difference that the rule sees, '' where it sees none; where the gold leaves its order to chance, order does not count."""
        # Without a text there is no ORDER BY, so every rule takes the rows as they come.
        text = self.rule.prepare_gold(gold_sql) if level == "order" else ""
        difference = self.rule.compare(text, _rounded(gold), _rounded(prediction))
        return "" if difference.equal else difference.reason or "the results differ"

    def _reservations(self, instance: Instance, golds: Mapping[str, Execution]) -> tuple[str, ...]:
        doubts = []
        if not any(value for gold in golds.values() for row in gold.rows for value in row):
            doubts.append("the gold gives nothing there")
        for name, form in self.source.forms.items():
            for place, column in enumerate(form.columns):
                values = [row[place] for row in instance.rows[name]]
                texts = [value for value in values if value is not None]
                if place not in form.holds_null and len(texts) < len(values):
                    doubts.append(f"NULL in {name}.{column}, which has none today")
                if place in form.distinct and len(set(texts)) < len(texts) and (name, place) in self._mentioned:
                    doubts.append(f"a text twice in {name}.{column}, which holds none twice today")
        return tuple(doubts)

    def _shrunk(self, on: fuzz.Ground, question: Question, sql: str, finding: _Finding) -> _Finding:
        """The finding with as few rows as greedy deletion gets to, and with no reservation that it had not before."""

        def without(table: str, start: int, count: int) -> _Finding | None:
            rows = dict(finding.instance.rows)
            rows[table] = rows[table][:start] + rows[table][start + count :]
            content, kept = on.believing.filled(rows)
            smaller = self._told_apart(question, [sql], [Instance(content, kept, finding.instance.perturbations)])[0].get(sql)
            return smaller if smaller and set(smaller.reservations) <= set(finding.reservations) else None

        left = SHRINKS
        for table in sorted(finding.instance.rows, key=lambda name: -len(finding.instance.rows[name])):
            count = len(finding.instance.rows[table])
            while count and left:
                start = 0
                while start < len(finding.instance.rows[table]) and left:
                    left -= 1
                    smaller = without(table, start, count)
                    if smaller:
                        finding = smaller
                    else:
                        start += count
                count = min(count // 2, len(finding.instance.rows[table]))
        return finding

    def _kept(self, question: Question, sql: str, finding: _Finding) -> Witness:
        """The witness, its file written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = hashlib.sha256(finding.instance.content).hexdigest()[:10]
        path = self.folder / f"w_{question.index}_{mark}.sqlite"
        path.write_bytes(finding.instance.content)
        if all(finding.instance.rows != other.rows for other in self._pool):
            self._pool = [finding.instance, *self._pool][:POOL]
        return Witness(
            question.index,
            question.db_id,
            sql,
            question.gold[0],
            path,
            finding.reason,
            finding.gold.rows,
            finding.prediction.rows,
            finding.instance.perturbations,
            finding.reservations,
        )


def find_witness(
    question: Question,
    prediction_sql: str,
    database: Database,
    folder: str | Path,
    rule: Rule | None = None,
    tries: int = TRIES,
    seconds: float = 2.0,
    sandbox: Sandbox | None = None,
    seed: int = 0,
) -> Witness | None:
    """An instance on which the prediction differs from the question's gold, kept in ``folder``; None where none was found."""
    with WitnessSearch(database, folder, rule, sandbox, seed) as search:
        return search.find(question, [prediction_sql], seconds, tries).get(prediction_sql)


def run_witness(
    dataset: Dataset,
    answers: Iterable[tuple[Question, str]],
    folder: str | Path,
    metric: str = "strict",
    seconds_per_question: float = 2.0,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Of the answers (question, SQL) that are right by the metric, those that a further instance proves wrong.

    A JSON-ready object: ``metric``, ``n`` (answers), ``right``, ``by_luck`` (of the right ones), ``without_reservation`` (of those),
    ``witnesses`` (one for each distinct question and SQL, with ``answers``: how many gave it). The same list goes to
    ``folder``/witnesses.json. Seconds are for each distinct SQL. ``on_progress`` gets distinct pairs searched, and their number.
    """
    counts: dict[tuple[int, str], int] = {}
    questions = {}
    for question, sql in answers:
        counts[question.index, sql] = counts.get((question.index, sql), 0) + 1
        questions[question.index] = question
    rule, found = get_rule(metric), {}
    right = _right(dataset, questions, counts, rule)
    done, total = 0, sum(map(len, right.values()))
    with _sandbox(rule) as sandbox:
        for db_id in dict.fromkeys(questions[index].db_id for index in right):
            with WitnessSearch(dataset.databases[db_id], folder, rule, sandbox, seed) as search:
                for index in [index for index in right if questions[index].db_id == db_id]:
                    found |= {(index, sql): w for sql, w in search.find(questions[index], right[index], seconds_per_question).items()}
                    done += len(right[index])
                    if on_progress:
                        on_progress(done, total)
    result = _account(metric, counts, right, found)
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / LIST_FILE).write_text(json.dumps(result, indent=1), encoding="utf-8")
    return result


def _right(
    dataset: Dataset, questions: Mapping[int, Question], counts: Mapping[tuple[int, str], int], rule: Rule
) -> dict[int, list[str]]:
    """The distinct SQL texts of each question that are right on the instances there are."""
    sqls: dict[int, list[str]] = {}
    for index, sql in counts:
        if dataset.databases[questions[index].db_id].instances:
            sqls.setdefault(index, []).append(sql)
    with Judge(dataset.databases, rule=rule) as judge:
        verdicts = {index: judge.judge(questions[index], texts) for index, texts in sqls.items()}
    right = {index: [sql for sql, verdict in zip(sqls[index], verdicts[index], strict=True) if verdict.correct] for index in sqls}
    return {index: texts for index, texts in right.items() if texts}


def _account(
    metric: str, counts: Mapping[tuple[int, str], int], right: Mapping[int, Sequence[str]], found: Mapping[tuple[int, str], Witness]
) -> dict[str, Any]:
    return {
        "metric": metric,
        "n": sum(counts.values()),
        "right": sum(counts[index, sql] for index, sqls in right.items() for sql in sqls),
        "by_luck": sum(counts[pair] for pair in found),
        "without_reservation": sum(counts[pair] for pair, witness in found.items() if not witness.reservations),
        "distinct": {
            "right": sum(map(len, right.values())),
            "by_luck": len(found),
            "without_reservation": sum(not witness.reservations for witness in found.values()),
        },
        "witnesses": [{**_plain(witness), "answers": counts[pair]} for pair, witness in found.items()],
    }


def _plain(witness: Witness) -> dict[str, Any]:
    """JSON-ready: bytes as hexadecimal digits."""
    rows = {
        name: [[value.hex() if isinstance(value, bytes) else value for value in row] for row in getattr(witness, name)]
        for name in ("gold_rows", "prediction_rows")
    }
    texts = {name: list(map(str, getattr(witness, name))) for name in ("perturbations", "reservations")}
    return {**vars(witness), "path": str(witness.path), **rows, **texts}


def with_witnesses(dataset: Dataset, folder: str | Path) -> Dataset:
    """The dataset with the witnesses of a folder as further instances of their databases.

    An instance is taken on only where every gold that runs on the main instance runs too and is settled: on one that leaves another
    question's gold to chance, right answers to that question could be judged wrong. WitnessError where there is none.
    """
    databases = dict(dataset.databases)
    files = {db_id: sorted((Path(folder) / db_id).glob("w_*.sqlite")) for db_id in databases}
    if not any(files.values()):
        raise WitnessError(f"no witness for the databases of {dataset.name!r} in {str(folder)!r}; make some with: finer witness --out {folder}")
    with _sandbox(STRICT) as sandbox:
        for db_id, paths in files.items():
            if paths:
                main = databases[db_id].path
                golds = dict.fromkeys(sql for question in dataset.questions if question.db_id == db_id for sql in question.gold)
                golds = [sql for sql in golds if sandbox.execute(main, sql).ran]
                usable = tuple(path for path in paths if _all_settled(path, golds, sandbox))
                databases[db_id] = replace(databases[db_id], instances=(*databases[db_id].instances, *usable))
    return replace(dataset, databases=databases)


def _sandbox(rule: Rule) -> Sandbox:
    return Sandbox(WORKERS, replace(rule.limits, seconds=SECONDS))


def _all_settled(path: Path, golds: Iterable[str], sandbox: Sandbox) -> bool:
    source = fuzz.read_source(path)
    results = ((sql, sandbox.execute(path, sql)) for sql in golds)
    return all(result.ran and settled(source, source.rows, sql, result) == "order" for sql, result in results)


def _rounded(execution: Execution) -> Execution:
    """The result with floats to nine digits, so that the order of a sum's terms tells nothing apart."""
    if not any(isinstance(value, float) for row in execution.rows for value in row):
        return execution
    rows = tuple(tuple(float(f"{value:.9g}") if isinstance(value, float) else value for value in row) for row in execution.rows)
    return replace(execution, rows=rows)
