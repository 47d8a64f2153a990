"""Reads a run, live or long finished: the only thing between training and looking.

``Run(folder)`` reads with short read-only connections, so that it can be used from any thread, never holds the writer up
and always sees the last step that was written whole. The one thing it writes is a request to the trainer.

Not covered: writing a run (``run_writer``), drawing it (``render``).
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finer.errors import RunStoreError
from finer.ledger import Answered
from finer.records import Group, Question, RewardBreakdown, RewardPart, Rollout, Trace
from finer.run_owner import effective_status
from finer.run_writer import RunWriter, as_json
from finer.runs_schema import (
    FILE_NAME,
    REQUEST_KINDS,
    SCHEMA_VERSION,
    STAGES,
    EvaluatedQuestion,
    Evaluation,
    GroupSummary,
    MemoryEvent,
    Request,
    RunEvent,
    Step,
    check_header,
    connect,
    damaged,
    misasked,
    require_file,
    store_path,
    transaction,
    upgrade,
)

if TYPE_CHECKING:
    import pandas

__all__ = ["MemoryEvent", "Request", "Run", "RunStoreError", "RunWriter"]

_ANSWERED = """SELECT group_id, CASE sql WHEN '' THEN completion ELSE sql END, status,
(SELECT coalesce(sum(value * weight), 0.0) FROM parts WHERE parts.rollout_id = rollouts.rollout_id)
FROM rollouts WHERE group_id IN (SELECT value FROM json_each(?)) ORDER BY group_id, position"""


class Run:
    """A run's store, opened for reading: ``Run("runs/first")``.

    Raises RunStoreError, with what to do, for a folder that is missing, is no run's, is damaged, or is from a newer program.
    A store of an older schema is read from an upgraded copy, as it was when it was opened; the file itself is not touched.
    """

    def __init__(self, folder: str | Path):
        self.path = store_path(folder).resolve()
        require_file(self.path)
        self._immutable = False
        self._copy: tempfile.TemporaryDirectory | None = None
        with self._reading() as connection:
            version = check_header(connection, self.path)
            if version < SCHEMA_VERSION:
                self._copy = _upgraded_copy(connection, version)

    def __repr__(self) -> str:
        # Relative, so that a notebook saved with its outputs names no folder of its author's machine.
        return f"Run({os.path.relpath(self.folder)!r}): {self.status}, {self.last_step} steps"

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.path.parent

    @property
    def config(self) -> dict[str, Any]:
        """The configuration that the run was started with."""
        return {key: json.loads(value) for key, value in self._rows("SELECT key, value FROM configuration ORDER BY rowid")}

    @property
    def versions(self) -> dict[str, str]:
        """Versions of Python, SQLite and the packages that were there when the run was created."""
        return dict(tuple(row) for row in self._rows("SELECT package, version FROM versions ORDER BY rowid"))

    @property
    def status(self) -> str:
        """running, paused, finished, stopped or crashed.

        The trainer writes its status down; one that says running or paused while its process is gone (by process id and
        start time; on another machine: no sign of life for ten minutes) has crashed.
        """
        return effective_status(self._rows("SELECT * FROM state")[0], self.path)

    @property
    def last_step(self) -> int:
        """The last step in the store; 0 before the first."""
        return self._rows("SELECT coalesce(max(step), 0) FROM steps")[0][0]

    def first_step_within(self, most: int) -> int:
        """The step from which on the run holds at most ``most`` answers; the last step where even that holds more."""
        first, held = self.last_step, 0
        for step, count in self._rows("SELECT step, count(*) FROM rollouts GROUP BY step ORDER BY step DESC"):
            held += count
            if held > most:
                break
            first = step
        return first

    def version(self) -> int:
        """A number that grows with every write but a mere sign of life: cheap to poll. A crash writes nothing, so poll ``status`` too."""
        return self._rows("SELECT revision FROM state")[0][0]

    def steps(self) -> list[Step]:
        """Every step with its seconds by stage, in order."""
        rows = self._rows("SELECT * FROM steps ORDER BY step")
        return [Step(row["step"], {stage: row[f"{stage}_seconds"] for stage in STAGES}, row["at"]) for row in rows]

    def metrics(self, name: str | None = None) -> dict[str, list[tuple[int, float | None]]] | list[tuple[int, float | None]]:
        """Each metric's points (step, value) by name, in the order of the steps; with ``name``, that metric's points."""
        curves: dict[str, list[tuple[int, float | None]]] = {}
        for step, key, value in self._rows("SELECT step, name, value FROM metrics ORDER BY step, rowid"):
            curves.setdefault(key, []).append((step, value))
        return curves if name is None else curves.get(name, [])

    def groups(self, step: int | None = None) -> list[GroupSummary]:
        """Summaries of all groups, or of one step's: without prompts, completions and evidence."""
        where, values = ("", ()) if step is None else ("WHERE g.step = ?", (step,))
        rows = self._rows(
            f"""SELECT g.group_id, g.step, g.question, r.rollout_id, r.status, p.value, p.weight
            FROM groups g LEFT JOIN rollouts r USING (group_id) LEFT JOIN parts p USING (rollout_id)
            {where} ORDER BY g.group_id, r.position, p.position""",
            values,
        )
        return _summaries(rows)

    def answered(self, group_ids: Collection[int]) -> dict[int, list[Answered]]:
        """Of these groups every answer's SQL (the whole text where it has none), status and total, by group."""
        found: dict[int, list[Answered]] = {group_id: [] for group_id in group_ids}
        for group_id, *answer in self._rows(_ANSWERED, (json.dumps(list(found)),)):
            found[group_id].append(Answered(*answer))
        return found

    def group(self, group_id: int) -> Group:
        """One group whole, with its rollouts, parts and evidence; RunStoreError where there is none of that id."""
        with self._reading() as connection:
            row = connection.execute("SELECT * FROM groups WHERE group_id = ?", (group_id,)).fetchone()
            if row is None:
                first, last = connection.execute("SELECT min(group_id), max(group_id) FROM groups").fetchone()
                held = "no group yet" if first is None else f"groups {first} to {last}"
                raise RunStoreError(f"{self.folder} holds no group {group_id}; it holds {held}.")
            rollouts = connection.execute("SELECT * FROM rollouts WHERE group_id = ? ORDER BY position", (group_id,)).fetchall()
            parts = connection.execute(
                "SELECT p.* FROM parts p JOIN rollouts r USING (rollout_id) WHERE r.group_id = ? ORDER BY rollout_id, p.position",
                (group_id,),
            ).fetchall()
        return _group(row, rollouts, parts)

    def rollouts(self) -> pandas.DataFrame:
        """One row a rollout, one column a part (NaN: not scored), and ``total``, computed from the parts.

        A part whose name is a column's already ("status") is found as "part.status".
        """
        import pandas

        with self._reading() as connection:
            columns = """r.rollout_id, r.step, r.group_id, r.position, json_extract(g.question, '$.db_id') AS db_id,
                json_extract(g.question, '$.index') AS question_index, json_extract(g.question, '$.text') AS question,
                r.completion, r.sql, r.thought, r.recipe, r.status, r.advantage, r.length_tokens"""
            cursor = connection.execute(f"SELECT {columns} FROM rollouts r JOIN groups g USING (group_id) ORDER BY rollout_id")
            names = [column[0] for column in cursor.description]
            table = pandas.DataFrame([tuple(row) for row in cursor], columns=names)
            parts = connection.execute("SELECT rollout_id, name, value, weight FROM parts ORDER BY rollout_id, position")
            values, totals = _part_columns(parts)
        table["total"] = [totals.get(key, 0.0) for key in table["rollout_id"]]
        for name, column in values.items():
            title = f"part.{name}" if name in table.columns else name
            table[title] = pandas.Series([column.get(key) for key in table["rollout_id"]], index=table.index, dtype="float64")
        return table

    def evaluations(self, questions: bool = False) -> list[Evaluation]:
        """Every evaluation in the order of the steps; with ``questions``, each question's outcome and SQL too."""
        with self._reading() as connection:
            rows = connection.execute("SELECT * FROM evaluations ORDER BY step, evaluation_id").fetchall()
            sql = "SELECT * FROM evaluation_questions WHERE evaluation_id = ? ORDER BY question_index"
            outcomes = [connection.execute(sql, (row["evaluation_id"],)).fetchall() if questions else [] for row in rows]
        return [_evaluation(row, outcome) for row, outcome in zip(rows, outcomes, strict=True)]

    def memory_events(self) -> list[MemoryEvent]:
        """Every trace that the memory took in or refused, in order."""
        rows = self._rows("SELECT kind, trace, reason, step, at, collection, rule FROM memory_events ORDER BY memory_event_id")
        return [MemoryEvent(row[0], Trace(**json.loads(row[1])), *row[2:]) for row in rows]

    def events(self) -> list[RunEvent]:
        """What happened to the run, in order."""
        return [RunEvent(*row) for row in self._rows("SELECT step, kind, detail, at FROM events ORDER BY event_id")]

    def requests(self) -> list[Request]:
        """Everything that was asked of the trainer, in order, with when it was taken and what came of it."""
        rows = self._rows("SELECT request_id, kind, arguments, asked_at, taken_at, outcome FROM requests ORDER BY request_id")
        return [Request(row[0], row[1], json.loads(row[2]), *row[3:]) for row in rows]

    def request(self, kind: str, **values: Any) -> int:
        """Asks the trainer for pause, resume, stop, checkpoint or weights (``request("weights", atomic=0.3)``); its id.

        RunStoreError where the run is not training: nobody would ever take it.
        """
        arguments = _request_arguments(kind, values)
        status = self.status
        if status not in ("running", "paused"):
            raise RunStoreError(f"{self.folder} is {status}, so nobody would take a request. Go on with: finer resume {self.folder}")
        connection = None
        try:
            connection = connect(self.path, "rw")
            with transaction(connection):
                sql = "INSERT INTO requests (kind, arguments, asked_at) VALUES (?, ?, ?)"
                request_id = connection.execute(sql, (kind, arguments, time.time())).lastrowid
                connection.execute("UPDATE state SET revision = revision + 1")
            return request_id
        except sqlite3.Error as error:
            raise damaged(self.path, error) from error
        finally:
            if connection is not None:
                connection.close()

    def query(self, sql: str, values: tuple = ()) -> list[sqlite3.Row]:
        """The rows of one SELECT over the store's own tables (``docs/run-store.md``); a statement that writes fails."""
        try:
            return self._rows(sql, values)
        except RunStoreError as error:
            raise misasked(self.path, sql, error) from error.__cause__

    def _rows(self, sql: str, values: tuple = ()) -> list[sqlite3.Row]:
        with self._reading() as connection:
            return connection.execute(sql, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one moment of the run. Short-lived, so it belongs to no thread and holds nothing open."""
        path = Path(self._copy.name) / FILE_NAME if self._copy else self.path
        require_file(path)
        connection = None
        try:
            connection = self._open(path)
            yield connection
        except sqlite3.Error as error:
            raise damaged(self.path, error) from error
        finally:
            if connection is not None:
                connection.close()

    def _open(self, path: Path) -> sqlite3.Connection:
        """Opens read-only; a run in a folder that may not be written is opened as one that cannot change."""
        connection = connect(path, "ro", self._immutable)
        try:
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            connection.close()
            if not isinstance(error, sqlite3.OperationalError) or self._immutable or os.access(path.parent, os.W_OK) or path.with_name(FILE_NAME + "-wal").exists():
                raise
            self._immutable = True
            return self._open(path)
        return connection


def _upgraded_copy(connection: sqlite3.Connection, version: int) -> tempfile.TemporaryDirectory:
    """A copy of an older store, brought to the present schema; the folder goes when nobody holds it any more."""
    folder = tempfile.TemporaryDirectory(prefix="finer-run-", ignore_cleanup_errors=True)
    copy = connect(Path(folder.name) / FILE_NAME, "rwc")
    connection.backup(copy)
    upgrade(copy, version)
    copy.execute("PRAGMA journal_mode = DELETE")
    copy.close()
    return folder


def _request_arguments(kind: str, values: dict[str, Any]) -> str:
    """The request's values as JSON; ValueError where they do not fit its kind."""
    if kind not in REQUEST_KINDS:
        raise ValueError(f"unknown request {kind!r}; it is one of {', '.join(REQUEST_KINDS)}")
    if kind != "weights":
        if values:
            raise ValueError(f"a request to {kind} takes no values; it was given {', '.join(values)}")
    elif not values or not all(isinstance(value, (int, float)) for value in values.values()):
        raise ValueError("a request for weights gives each part a number: request('weights', atomic=0.3)")
    return as_json(values, f"request {kind!r}")


def _summaries(rows: list[sqlite3.Row]) -> list[GroupSummary]:
    groups: dict[int, dict[int, tuple[str, float]]] = {}
    heads: dict[int, sqlite3.Row] = {}
    for row in rows:
        heads.setdefault(row["group_id"], row)
        rollouts = groups.setdefault(row["group_id"], {})
        if row["rollout_id"] is not None:
            _, total = rollouts.get(row["rollout_id"], ("", 0))
            rollouts[row["rollout_id"]] = (row["status"], total + _contribution(row))
    return [_summary(heads[group_id], list(rollouts.values())) for group_id, rollouts in groups.items()]


def _summary(head: sqlite3.Row, rollouts: list[tuple[str, float]]) -> GroupSummary:
    question = json.loads(head["question"])
    about = (question["index"], question["text"], question["db_id"], question["difficulty"])
    statuses = tuple(status for status, _ in rollouts)
    return GroupSummary(head["group_id"], head["step"], *about, tuple(total for _, total in rollouts), statuses)


def _contribution(row: sqlite3.Row) -> float:
    """As RewardPart.contribution, so that a total from here equals the record's to the last bit."""
    return 0.0 if row["value"] is None else row["weight"] * row["value"]


def _part_columns(parts: sqlite3.Cursor) -> tuple[dict[str, dict[int, float | None]], dict[int, float]]:
    values: dict[str, dict[int, float | None]] = {}
    totals: dict[int, float] = {}
    for row in parts:
        values.setdefault(row["name"], {})[row["rollout_id"]] = row["value"]
        totals[row["rollout_id"]] = totals.get(row["rollout_id"], 0) + _contribution(row)
    return values, totals


def _group(row: sqlite3.Row, rollouts: list[sqlite3.Row], parts: list[sqlite3.Row]) -> Group:
    of_rollout: dict[int, list[RewardPart]] = {}
    for part in parts:
        paid = RewardPart(part["name"], part["value"], part["weight"], json.loads(part["evidence"]))
        of_rollout.setdefault(part["rollout_id"], []).append(paid)
    whole = tuple(_rollout(rollout, tuple(of_rollout.get(rollout["rollout_id"], ()))) for rollout in rollouts)
    return Group(row["group_id"], row["step"], _question(row["question"]), row["prompt"], whole)


def _rollout(row: sqlite3.Row, parts: tuple[RewardPart, ...]) -> Rollout:
    breakdown = RewardBreakdown(row["recipe"], row["status"], parts, row["thought"], row["sql"])
    key = (row["rollout_id"], row["step"], row["group_id"], row["position"])
    return Rollout(*key, row["completion"], breakdown, row["advantage"], row["length_tokens"])


def _question(text: str) -> Question:
    fields = json.loads(text)
    return Question(**{**fields, "gold": tuple(fields["gold"]), "tables": tuple(fields["tables"]), "references": tuple(fields.get("references", ()))})


def _evaluation(row: sqlite3.Row, outcomes: list[sqlite3.Row]) -> Evaluation:
    questions = tuple(
        EvaluatedQuestion(o["question_index"], None if o["correct"] is None else bool(o["correct"]), o["status"], o["sql"])
        for o in outcomes
    )
    return Evaluation(row["step"], row["split"], row["metric"], row["value"], row["n"], row["at"], questions)
