"""The tables of a run's index, and the records that it hands out.

Not covered: filling and asking it (``run_index``).
"""

from __future__ import annotations

from dataclasses import dataclass

FORMAT = 2
"""A file of another format is made anew."""
TABLES = f"""
CREATE TABLE about (name TEXT PRIMARY KEY, value);
CREATE TABLE parts (column_name TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE statuses (status TEXT PRIMARY KEY);
CREATE TABLE questions (
    question_id INTEGER PRIMARY KEY, question_index INTEGER NOT NULL, db_id TEXT NOT NULL, question TEXT NOT NULL,
    difficulty TEXT NOT NULL, UNIQUE (question_index, db_id, question)
);
CREATE TABLE groups (
    group_id INTEGER PRIMARY KEY, step INTEGER NOT NULL, question_id INTEGER NOT NULL, answers INTEGER NOT NULL,
    judged INTEGER NOT NULL, right_answers INTEGER NOT NULL, spread REAL NOT NULL, most_alike INTEGER NOT NULL,
    right_in INTEGER, first_became INTEGER, chance REAL
);
CREATE INDEX groups_by_question ON groups (question_id, step);
CREATE INDEX groups_waiting ON groups (question_id, step) WHERE right_answers = 0 AND right_in IS NULL;
CREATE TABLE answers (
    rollout_id INTEGER PRIMARY KEY, step INTEGER NOT NULL, group_id INTEGER NOT NULL, position INTEGER NOT NULL,
    question_id INTEGER NOT NULL, status TEXT NOT NULL, total REAL NOT NULL, advantage REAL, length_tokens INTEGER NOT NULL
);
CREATE VIRTUAL TABLE texts USING fts5 (completion, content='', columnsize=0, tokenize="unicode61 tokenchars '_'");
PRAGMA user_version = {FORMAT};
"""
SORTS = ("rollout_id", "step", "total", "advantage", "length_tokens", "status", "db_id")


@dataclass(frozen=True)
class AnswerFilter:
    """Which answers of a run; what is left empty does not filter."""

    text: str = ""
    """Words that the completion must hold, each as the beginning of a word (under three letters: as a whole word), or that
    the question must hold anywhere; capitals do not matter."""
    statuses: tuple[str, ...] = ()
    db_id: str = ""
    first_step: int | None = None
    last_step: int | None = None
    part: str = ""
    """A part whose value must lie between ``low`` and ``high``; 'total' and 'advantage' work too."""
    low: float | None = None
    high: float | None = None
    rollout_ids: tuple[int, ...] | None = None
    """Only these (the pinned ones)."""


@dataclass(frozen=True)
class AnswerRow:
    """One line of a page of answers."""

    rollout_id: int
    step: int
    group_id: int
    position: int
    status: str
    total: float
    advantage: float | None
    length_tokens: int
    question_index: int
    db_id: str
    question: str
    sql: str
    """The first 300 characters."""


@dataclass(frozen=True)
class AnswerPage:
    """Some answers in order, and how many there are in all."""

    rows: tuple[AnswerRow, ...]
    start: int
    found: int


@dataclass(frozen=True)
class QuestionGroups:
    """One question of a run, and its groups in the order of the steps: (group_id, step, answers, judged, right)."""

    question_id: int
    question_index: int
    db_id: str
    question: str
    groups: tuple[tuple[int, int, int, int, int], ...]


@dataclass(frozen=True)
class LastGroup:
    """The last group of one question: how many answers were right, and each part's mean (None: never scored)."""

    db_id: str
    question_index: int
    question: str
    group_id: int
    step: int
    judged: int
    right: int
    parts: dict[str, float | None]
