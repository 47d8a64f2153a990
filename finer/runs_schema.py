"""The run store's tables, its version, and the records that its reader hands out.

What is here: the SQL that makes a store, opening one safely (missing, foreign, damaged, older and newer files), and the
frozen rows that ``Run`` returns. ``docs/run-store.md`` describes every column.

Not covered: writing a run (``run_writer``) and reading one (``runs``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finer.errors import RunStoreError
from finer.records import Trace

FILE_NAME = "run.sqlite"
APPLICATION_ID = 0x464E4552
"""'FNER' in ASCII, in the file's header: tells a run store from any other SQLite file."""
SCHEMA_VERSION = 2
NEEDS_PROGRAM = "0.1.0"
"""The first version of this program that reads SCHEMA_VERSION; written into every store for older programs to quote."""
UPGRADES: dict[int, str] = {
    1: """
ALTER TABLE memory_events ADD COLUMN collection TEXT NOT NULL DEFAULT 'verified';
ALTER TABLE memory_events ADD COLUMN rule TEXT NOT NULL DEFAULT '';
UPDATE memory_events SET rule = CASE
    WHEN reason LIKE '% words, and the gate takes %' THEN 'length'
    WHEN reason LIKE 'names % tables and columns %' THEN 'mentions'
    WHEN reason LIKE '% mentions of the schema a word%' THEN 'density'
    WHEN reason LIKE 'repeats itself%' THEN 'repetition'
    WHEN reason LIKE 'too close to trace %' THEN 'duplicate'
    ELSE '' END
WHERE kind = 'refused'
""",
}
"""Version n -> the SQL that turns a store of version n into one of version n + 1. Version 1 knew verified traces alone, and
the rule of the gate only from its sentence."""

STAGES = ("generation", "scoring", "update", "store")
STATUSES = ("running", "paused", "finished", "stopped", "crashed")
REQUEST_KINDS = ("pause", "resume", "stop", "checkpoint", "weights")
MEMORY_KINDS = ("inserted", "refused")
MEMORY_COLLECTIONS = ("verified", "failed")
WARM_START = "warm start"
"""Under ``stage`` of a run's configuration: tells a warm start's run from one of GRPO, which has no such key."""
BUSY_SECONDS = 10.0
"""How long a write waits for another process's write; readers never wait (WAL)."""

TABLES = """
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    status TEXT NOT NULL,
    revision INTEGER NOT NULL,
    needs_program TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_started REAL NOT NULL,
    heartbeat REAL NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE configuration (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE versions (package TEXT PRIMARY KEY, version TEXT NOT NULL);
CREATE TABLE steps (
    step INTEGER PRIMARY KEY,
    generation_seconds REAL,
    scoring_seconds REAL,
    update_seconds REAL,
    store_seconds REAL,
    at REAL NOT NULL
);
CREATE TABLE groups (
    group_id INTEGER PRIMARY KEY,
    step INTEGER NOT NULL REFERENCES steps (step),
    question TEXT NOT NULL,
    prompt TEXT NOT NULL
);
CREATE INDEX groups_by_step ON groups (step);
CREATE TABLE rollouts (
    rollout_id INTEGER PRIMARY KEY,
    group_id INTEGER NOT NULL REFERENCES groups (group_id),
    step INTEGER NOT NULL REFERENCES steps (step),
    position INTEGER NOT NULL,
    completion TEXT NOT NULL,
    sql TEXT NOT NULL,
    thought TEXT NOT NULL,
    recipe TEXT NOT NULL,
    status TEXT NOT NULL,
    advantage REAL,
    length_tokens INTEGER NOT NULL,
    UNIQUE (group_id, position)
);
CREATE INDEX rollouts_by_step ON rollouts (step);
CREATE TABLE parts (
    rollout_id INTEGER NOT NULL REFERENCES rollouts (rollout_id),
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    value REAL,
    weight REAL NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (rollout_id, name)
);
CREATE TABLE metrics (
    step INTEGER NOT NULL REFERENCES steps (step),
    name TEXT NOT NULL,
    value REAL,
    PRIMARY KEY (step, name)
);
CREATE TABLE evaluations (
    evaluation_id INTEGER PRIMARY KEY,
    step INTEGER NOT NULL,
    split TEXT NOT NULL,
    metric TEXT NOT NULL,
    value REAL,
    n INTEGER NOT NULL,
    at REAL NOT NULL,
    UNIQUE (step, split, metric)
);
CREATE TABLE evaluation_questions (
    evaluation_id INTEGER NOT NULL REFERENCES evaluations (evaluation_id),
    question_index INTEGER NOT NULL,
    correct INTEGER CHECK (correct IN (0, 1)),
    status TEXT NOT NULL,
    sql TEXT NOT NULL,
    PRIMARY KEY (evaluation_id, question_index)
);
CREATE TABLE memory_events (
    memory_event_id INTEGER PRIMARY KEY,
    step INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('inserted', 'refused')),
    trace TEXT NOT NULL,
    reason TEXT NOT NULL,
    at REAL NOT NULL,
    collection TEXT NOT NULL DEFAULT 'verified',
    rule TEXT NOT NULL DEFAULT ''
);
CREATE TABLE requests (
    request_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    arguments TEXT NOT NULL,
    asked_at REAL NOT NULL,
    taken_at REAL,
    outcome TEXT
);
CREATE TABLE events (
    event_id INTEGER PRIMARY KEY,
    step INTEGER NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    at REAL NOT NULL
);
"""


@dataclass(frozen=True)
class Step:
    """One training step: when it was written (seconds since 1970) and how long each stage took."""

    step: int
    seconds: dict[str, float | None]
    """Stage (generation, scoring, update, store) to seconds; None where it was not measured."""
    at: float


@dataclass(frozen=True)
class GroupSummary:
    """A group without its texts and evidence: enough for a list or a curve."""

    group_id: int
    step: int
    question_index: int
    question: str
    """The question's text."""
    db_id: str
    difficulty: str
    totals: tuple[float, ...]
    """Total reward of each rollout, in their order; computed from the parts."""
    statuses: tuple[str, ...]

    @property
    def share_right(self) -> float | None:
        """Share of the judged rollouts that are correct, 0 to 1; None where none was judged."""
        judged = [status for status in self.statuses if status not in ("gold_failed", "not_judged")]
        return judged.count("correct") / len(judged) if judged else None

    @property
    def has_signal(self) -> bool:
        """True where the totals differ, so that the group moves the policy."""
        return len(set(self.totals)) > 1


@dataclass(frozen=True)
class EvaluatedQuestion:
    """One question of an evaluation; ``correct`` is None where it could not be judged."""

    question_index: int
    correct: bool | None
    status: str
    sql: str


@dataclass(frozen=True)
class Evaluation:
    """One evaluation: ``value`` is the share of right answers, 0 to 1, over the ``n`` questions that could be judged."""

    step: int
    split: str
    metric: str
    value: float | None
    """None where no question could be judged."""
    n: int
    at: float
    questions: tuple[EvaluatedQuestion, ...] = ()


@dataclass(frozen=True)
class MemoryEvent:
    """A trace that the memory took in or refused after a step; ``reason`` says why it was refused."""

    kind: str
    trace: Trace
    reason: str = ""
    step: int = 0
    at: float = 0.0
    collection: str = "verified"
    """verified (the thought of a right answer) or failed (of a wrong one)."""
    rule: str = ""
    """The rule of the gate that refused it: length, mentions, density, repetition or duplicate; '' where none did."""


@dataclass(frozen=True)
class RunEvent:
    """Something that happened to the run: started, paused, resumed, weights changed, checkpoint written."""

    step: int
    kind: str
    detail: str
    at: float


@dataclass(frozen=True)
class Request:
    """What a person asked of a running trainer."""

    request_id: int
    kind: str
    values: dict[str, Any] = field(default_factory=dict)
    asked_at: float = 0.0
    taken_at: float | None = None
    """When the trainer saw it; None until then."""
    outcome: str | None = None
    """What came of it, in words; None until it took effect."""


def store_path(folder: str | Path) -> Path:
    """The store's file for a run folder, or for the path of the file itself."""
    path = Path(folder)
    return path if path.name == FILE_NAME else path / FILE_NAME


def connect(path: Path, mode: str, immutable: bool = False) -> sqlite3.Connection:
    """A connection in autocommit; ``mode`` is SQLite's: ro, rw or rwc."""
    suffix = "&immutable=1" if immutable else ""
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}{suffix}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing: commits at the end of the block, rolls back where it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # A full disk makes SQLite roll back by itself; a second ROLLBACK would then hide the first error.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def require_file(path: Path) -> None:
    """Raises RunStoreError with a mend where there is no store to open."""
    if path.is_file():
        return
    folder = path.parent
    if not folder.exists():
        raise RunStoreError(f"{folder} does not exist. Give the folder of a run: the one that holds {FILE_NAME}.")
    if not folder.is_dir():
        raise RunStoreError(f"{folder} is a file, not a run's folder. Give the folder that holds {FILE_NAME}.")
    raise RunStoreError(f"{folder} is not a run's folder: it holds no {FILE_NAME}. `finer train --run DIR` makes one.")


def has_tables(connection: sqlite3.Connection) -> bool:
    """Does an open database hold anything?"""
    return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0


def holds_nothing(path: Path) -> bool:
    """Is the file empty, or an SQLite database without a table: what a run leaves that was killed before it began?"""
    with path.open("rb") as file:
        if file.read(72)[68:] == APPLICATION_ID.to_bytes(4, "big"):
            return False  # told without opening it, which may fold a crashed run's -wal into it
    try:
        connection = connect(path, "rw")
        try:
            return not has_tables(connection)
        finally:
            connection.close()
    except sqlite3.Error:
        return False


def check_header(connection: sqlite3.Connection, path: Path) -> int:
    """The store's schema version; RunStoreError where the file is no run store or needs a newer program."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise RunStoreError(
            f"{path} is not a run store: it is another program's file, or a run that broke off before it began, "
            "which the same `finer train` begins again. Choose another folder, or delete that file if nobody needs it."
        )
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        needed = connection.execute("SELECT needs_program FROM state").fetchone()[0]
        raise RunStoreError(
            f"{path} has schema version {version}; this program reads up to {SCHEMA_VERSION}. "
            f"It needs finer-workbench {needed} or newer: install that and open the run again."
        )
    return version


def upgrade(connection: sqlite3.Connection, version: int) -> None:
    """Brings an open store of an older ``version`` to SCHEMA_VERSION, in place, in one transaction."""
    script = "".join(f"{UPGRADES[old]}\n;PRAGMA user_version = {old + 1};" for old in range(version, SCHEMA_VERSION))
    try:
        connection.executescript(f"BEGIN IMMEDIATE;{script}COMMIT;")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def damaged(path: Path, error: sqlite3.Error) -> RunStoreError:
    """SQLite's error about a file, in words that say what to do."""
    message = str(error)
    if "locked" in message or "busy" in message:
        return RunStoreError(f"{path} is being written by another program ({message}). Try again in a moment.")
    if "unable to open" in message or "readonly" in message:
        return RunStoreError(f"{path} cannot be opened ({message}). Check that you may read and write it and its folder.")
    return RunStoreError(
        f"{path} cannot be read ({message}): the file is damaged or not an SQLite file. "
        f"Restore it from a copy, or save what is left with: sqlite3 '{path}' .recover | sqlite3 saved.sqlite"
    )


def misasked(path: Path, sql: str, error: RunStoreError) -> RunStoreError:
    """The error of a person's own statement: about the statement where that is at fault, else as it is."""
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_READONLY:
        return RunStoreError(f"{path} can only be read by a query; this one writes: {sql}")
    if code == sqlite3.SQLITE_ERROR:
        return RunStoreError(f"{path} cannot answer ({error.__cause__}): {sql}\nIts tables and columns are in docs/run-store.md")
    return error
