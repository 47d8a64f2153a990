"""Golds that a figure should not rest on unseen, and the alternatives that a person accepted beside them.

A gold is suspect where it fails, where it gives no row though nobody meant it to, where it cuts a tie (an ORDER BY … LIMIT
whose cut falls between rows that are equal in the order, so that which of them is given is SQLite's choice; or a LIMIT without
an order), and where most answers agree on another result. A suspicion is no verdict: the gold counts until a person accepts an
alternative, and then both figures are kept.

Alternatives are a file of JSON lines: index, db_id, question, sql, who, why, when. Not covered: judging with them (``evaluate``).
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from finer.datasets import Database, Dataset
from finer.errors import FinerError
from finer.judge import WORKERS, Judge
from finer.predictions import Pair
from finer.records import Execution, Question
from finer.sandbox import Sandbox, check_statement
from finer.ties import cut_tie

KINDS = ("fails", "empty", "tie", "outvoted")
LEAST_ANSWERS = 3
"""Answers that a question needs before a majority of them says anything."""
FIELDS = ("index", "db_id", "question", "sql", "who", "why", "when")

Progress = Callable[[int, int], None]


class AlternativesError(FinerError):
    """An alternative that cannot be accepted, or a file of them that does not fit the dataset."""


@dataclass(frozen=True)
class Suspect:
    """One doubt about one gold."""

    index: int
    db_id: str
    kind: str
    """fails, empty, tie or outvoted."""
    reason: str
    """One sentence without its full stop."""
    gold: str
    answer: str = ""
    """Of an outvoted gold: the first answer that gives the result which most agree on."""

    def as_json(self) -> dict[str, Any]:
        """A plain object with every field."""
        return asdict(self)


def find_suspects(
    dataset: Dataset, judge: Judge, answers: Iterable[Pair] = (), indices: Iterable[int] | None = None, on_progress: Progress | None = None
) -> list[Suspect]:
    """The suspects among the reference golds, in the order of the questions; a gold may be suspect for several reasons.

    ``judge`` says by its rule which results are the same and, by its sandbox, what a statement may take. ``answers``: several
    predictions a question; a question with fewer than three is not asked for a majority. ``indices``: only these questions.
    Questions over a database that is not here are passed over.
    """
    wanted = None if indices is None else set(indices)
    texts: dict[int, list[str]] = {}
    for question, prediction in answers:
        texts.setdefault(question.index, []).append(prediction.sql)
    questions = [question for question in dataset.questions if wanted is None or question.index in wanted]
    found: list[Suspect] = []
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="finer-suspects") as threads:
        results = threads.map(lambda question: _of_question(question, dataset, judge, texts.get(question.index, [])), questions)
        for done, some in enumerate(results, start=1):
            found += some
            if on_progress:
                on_progress(done, len(questions))
    return found


def _of_question(question: Question, dataset: Dataset, judge: Judge, answers: Sequence[str]) -> list[Suspect]:
    database = dataset.databases[question.db_id]
    if not database.instances:
        return []
    gold = question.gold[0]
    results = judge.gold(database, gold)
    head = (question.index, question.db_id)
    if failed := next((result for result in results if not result.ran), None):
        where = f" on instance {results.index(failed)}" if results.index(failed) else ""
        return [Suspect(*head, "fails", f"the gold gives {failed.status}{where}: {failed.error}", gold)]
    found = []
    if results[0].status == "empty" and not question.meant_empty:
        found.append(Suspect(*head, "empty", "the gold gives no row, so every query without a row is right", gold))
    if reason := cut_tie(gold, results[0], lambda sql: judge.sandbox.execute(database.path, sql)):
        found.append(Suspect(*head, "tie", reason, gold))
    if len(answers) >= LEAST_ANSWERS and (agreed := _agreed(question, answers, judge, database)):
        count, answer = agreed
        found.append(Suspect(*head, "outvoted", f"{count} of {len(answers)} answers agree on another result", gold, answer))
    return found


def _agreed(question: Question, answers: Sequence[str], judge: Judge, database: Database) -> tuple[int, str] | None:
    """How many answers agree on a result that no reference gives on the main instance, where they are more than half, and the first of them."""
    prepared = [judge.rule.prepare_prediction(answer) for answer in answers]
    distinct = list(dict.fromkeys(prepared))
    ran = dict(zip(distinct, judge.sandbox.execute_many((database.path, sql) for sql in distinct), strict=True))
    gold_sql = judge.rule.prepare_gold(question.gold[0])
    groups: list[tuple[Execution, list[int]]] = []
    for place, sql in enumerate(prepared):
        result = ran[sql]
        if result.ran:
            group = next((members for first, members in groups if judge.rule.compare(gold_sql, first, result).equal), None)
            groups.append((result, [place])) if group is None else group.append(place)
    result, members = max(groups, key=lambda group: len(group[1]), default=(None, []))
    if 2 * len(members) <= len(answers):
        return None
    references = [(judge.rule.prepare_gold(sql), judge.gold(database, sql)[0]) for sql in question.gold]
    if any(gold.ran and judge.rule.compare(sql, gold, result).equal for sql, gold in references):
        return None
    return len(members), answers[members[0]]


def accept(dataset: Dataset, index: int, sql: str, who: str, why: str, into: str | Path, sandbox: Sandbox) -> dict[str, Any]:
    """Add an alternative to a file of them, and return it; whatever the file holds stays.

    AlternativesError where the question does not exist, nobody is named, no reason is given, the SQL is no query, does not
    run on every instance, or is accepted already.
    """
    known = read_alternatives(into, dataset) if Path(into).exists() else []
    try:
        question = dataset.question(index)
    except KeyError:
        raise AlternativesError(f"the dataset {dataset.name!r} has no question {index}; give the index that the question has in its dataset") from None
    if not who.strip() or not why.strip():
        raise AlternativesError("an alternative needs a name and a reason: give --who NAME and --why TEXT")
    if reason := check_statement(sql):
        raise AlternativesError(f"the alternative is not one read-only query: {reason}")
    if sql in question.gold or any(one["index"] == index and one["sql"] == sql for one in known):
        raise AlternativesError(f"question {index} has this reference already; nothing was added")
    instances = dataset.databases[question.db_id].instances
    for place, result in enumerate(sandbox.execute_many((path, sql) for path in instances)):
        if not result.ran:
            raise AlternativesError(f"the alternative gives {result.status} on instance {place} of {question.db_id}: {result.error}")
    when = datetime.datetime.now(datetime.UTC).date().isoformat()
    values = (index, question.db_id, question.text, sql, who.strip(), why.strip(), when)
    entry = dict(zip(FIELDS, values, strict=True))
    with Path(into).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return entry


def read_alternatives(path: str | Path, dataset: Dataset) -> list[dict[str, Any]]:
    """The alternatives of a file. AlternativesError names the line that cannot be read or is about another question.

    Lines about questions that are not among the dataset's (another split) are passed over.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError as error:
        raise AlternativesError(f"{path} does not exist. `finer accept` writes such a file.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise AlternativesError(f"{path} cannot be read as text ({error}). Save it as UTF-8.") from error
    questions = {question.index: question for question in dataset.questions}
    entries = [_entry(f"{path}, line {number}", line) for number, line in enumerate(lines, start=1) if line.strip()]
    for place, entry in entries:
        question = questions.get(entry["index"])
        if question is not None and (question.db_id, question.text) != (entry["db_id"], entry["question"]):
            raise AlternativesError(f"{place}: question {entry['index']} of {dataset.name!r} is another one ({question.text!r:.80}). Give the dataset that it is from.")
    return [entry for _, entry in entries if entry["index"] in questions]


def _entry(place: str, line: str) -> tuple[str, dict[str, Any]]:
    try:
        entry = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise AlternativesError(f"{place} is not JSON: {error}. `finer accept` writes an object a line.") from error
    if not isinstance(entry, dict) or not isinstance(entry.get("index"), int) or not all(isinstance(entry.get(name), str) for name in FIELDS[1:]):
        raise AlternativesError(f"{place}: wanted is an object with 'index' as a number and {', '.join(FIELDS[1:])} as texts")
    return place, entry
