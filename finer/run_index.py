"""An index of a run's answers: any filter, text search, sort or page over 200,000 of them without reading the run again.

One narrow row an answer, one a group and one a question, and SQLite's full-text index over the completions; the texts
themselves stay in the run. It is an SQLite file of its own in the cache folder, so that the run's file stays as the trainer
wrote it; it grows with the run, and is made anew after a resume that took steps away. Losing it costs seconds.

Not covered: drawing (``render``), the answers whole (``Run.group``).
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from finer.datasets import cache_folder
from finer.ledger import EPSILON, UNJUDGED, Became, GroupOutcome, became_right
from finer.run_index_schema import FORMAT, SORTS, TABLES, AnswerFilter, AnswerPage, AnswerRow, LastGroup, QuestionGroups
from finer.runs import Run
from finer.runs_schema import connect, transaction
from finer.wal import use_wal

GROUPS_A_BATCH = 200
HEAD_START_SECONDS = 1.0
"""The background thread lets what opened the run finish first."""
MOST_MEGABYTES_IN_CACHE = 64
SHORTEST_BEGINNING = 3
MOST_DAYS_UNUSED = 60


class RunIndex:
    """The index of one run; any thread may use it. ``folder`` is for tests: else the cache folder.

    Raises RunStoreError where the run cannot be read. A cache that cannot be written to is done without: the index then
    lives in memory for as long as this object.
    """

    def __init__(self, run: Run, folder: Path | None = None):
        self.run = run
        self._lock = threading.RLock()
        self._hits: tuple[str, int] = ("", -1)
        self._thread: threading.Thread | None = None
        self._waiters: list[Callable[[], None]] = []
        self._in_memory = False
        self.path = (folder or cache_folder() / "run-index") / f"{_digest(run)}.sqlite"
        self._connection = self._opened()

    # --- growing

    def update(self, seconds: float | None = None) -> bool:
        """Takes in what the run has written since; True when it is whole, False where ``seconds`` were not enough."""
        end = None if seconds is None else time.perf_counter() + seconds
        self._safely(self._forget_if_resumed)
        while self._safely(self._take_batch):
            if end is not None and time.perf_counter() > end:
                return not self._waiting()
        return True

    def keep_up(self, seconds: float, whole: Callable[[], None]) -> bool:
        """As ``update``; where ``seconds`` are not enough, a daemon thread goes on and calls every ``whole`` at its end."""
        with self._lock:
            if self._thread is None:
                if self.update(seconds):
                    return True
                self._thread = threading.Thread(target=self._go_on, name="finer-index", daemon=True)
                self._thread.start()
            elif not self._waiting():  # somebody who could wait has called ``update`` meanwhile
                return True
            if whole not in self._waiters:
                self._waiters.append(whole)
            return False

    def _go_on(self) -> None:
        time.sleep(HEAD_START_SECONDS)
        try:
            self.update()
        finally:
            with self._lock:
                self._thread, waiters, self._waiters = None, self._waiters, []
        for whole in waiters:  # each may ask at once, and finds the index whole
            whole()

    def progress(self) -> tuple[int, int]:
        """How many groups are indexed, of how many."""
        (of,) = self.run.query("SELECT count(*) FROM groups")[0]
        return self._one("SELECT count(*) FROM groups"), of

    # --- asking

    def page(
        self, wanted: AnswerFilter, sort: str = "rollout_id", descending: bool = False, start: int = 0, size: int = 50
    ) -> AnswerPage:
        """``size`` answers from ``start`` on; equal ones in the order of their ids. ValueError for an unknown sort or part."""
        with self._lock:
            where, values = self._where(wanted)
            counted = "hits" if where == _IN_HITS else f"answers a WHERE {where}"
            found = self._one(f"SELECT count(*) FROM {counted}", values)
            joined = "JOIN questions q USING (question_id)" if sort == "db_id" else ""
            order = f"{self._sort_column(sort)} {'DESC' if descending else 'ASC'}, a.rollout_id"
            sql = f"SELECT a.rollout_id FROM answers a {joined} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"
            ids = [row[0] for row in self._all(sql, (*values, size, start))]
            return AnswerPage(self._rows(ids), start, found)

    def outcomes(self) -> list[GroupOutcome]:
        """How every group fared, for the signal ledger."""
        sql = """SELECT first_became, chance, group_id, step, CAST(question_id AS TEXT), answers, judged, right_answers, spread
            FROM groups ORDER BY group_id"""
        unknown = Became(None, None)
        return [GroupOutcome(*row[2:], unknown if row[0] is None else Became(bool(row[0]), row[1])) for row in self._all(sql)]

    def questions(self, question_ids: tuple[int, ...]) -> list[QuestionGroups]:
        """These questions in the order given, each with its groups; one that the run lacks is left out."""
        found = []
        for question_id in question_ids:
            for head in self._all(
                "SELECT question_index, db_id, question FROM questions WHERE question_id = ?", (question_id,)
            ):
                sql = "SELECT group_id, step, answers, judged, right_answers FROM groups WHERE question_id = ? ORDER BY step, group_id"
                groups = tuple(self._all(sql, (question_id,)))
                found.append(QuestionGroups(question_id, *head, groups))
        return found

    def last_groups(self) -> list[LastGroup]:
        """Of each question its last group that could be judged, with the mean of every part over its answers."""
        last = "SELECT max(group_id) FROM groups WHERE judged > 0 GROUP BY question_id"
        columns = self._all("SELECT column_name, name FROM parts ORDER BY column_name")
        means = "".join(f", avg({column})" for column, _ in columns)
        sql = f"SELECT group_id{means} FROM answers WHERE group_id IN ({last}) GROUP BY group_id"
        parts = {row[0]: dict(zip((name for _, name in columns), row[1:], strict=True)) for row in self._all(sql)}
        sql = f"""SELECT q.db_id, q.question_index, q.question, g.group_id, g.step, g.judged, g.right_answers
            FROM groups g JOIN questions q USING (question_id) WHERE g.group_id IN ({last}) ORDER BY q.question_index, q.db_id"""
        return [LastGroup(*row, parts.get(row[3], {})) for row in self._all(sql)]

    def question_of(self, group_id: int) -> int | None:
        """The id, within this index, of a group's question."""
        rows = self._all("SELECT question_id FROM groups WHERE group_id = ?", (group_id,))
        return rows[0][0] if rows else None

    def ids_of(self, questions: list[tuple[str, int, str]]) -> tuple[int, ...]:
        """The ids of these questions (db_id, index, text), in their order; one that the run lacks is left out."""
        sql = "SELECT question_id FROM questions WHERE db_id = ? AND question_index = ? AND question = ?"
        return tuple(row[0] for about in questions for row in self._all(sql, tuple(about)))

    def most_asked(self, most: int) -> tuple[int, ...]:
        """The questions with the most groups."""
        sql = "SELECT question_id FROM groups GROUP BY question_id ORDER BY count(*) DESC, question_id LIMIT ?"
        return tuple(row[0] for row in self._all(sql, (most,)))

    def find_questions(self, text: str, most: int) -> tuple[int, ...]:
        """Questions that hold every word of ``text``, or have it as their number, the most often asked first."""
        words, values = _like(text)
        sql = f"""SELECT q.question_id FROM questions q JOIN groups g USING (question_id)
            WHERE ({words}) OR CAST(q.question_index AS TEXT) = ? GROUP BY q.question_id ORDER BY count(*) DESC, q.question_id LIMIT ?"""
        return tuple(row[0] for row in self._all(sql, (*values, text.strip(), most)))

    def names(self) -> tuple[list[str], list[str], list[str]]:
        """What can be filtered by: the statuses, the databases and the parts that occur."""
        statuses = [row[0] for row in self._all("SELECT status FROM statuses ORDER BY status")]
        databases = [row[0] for row in self._all("SELECT DISTINCT db_id FROM questions ORDER BY db_id")]
        return statuses, databases, [row[0] for row in self._all("SELECT name FROM parts ORDER BY column_name")]

    def forget_hits(self) -> None:
        """Lets go of the last search's hits, which are otherwise kept for its next page."""
        self._hits = ("", -1)

    # --- inside

    def _safely(self, work: Callable[[], int | None]) -> int | None:
        """Does one piece of work; a cache that fails (full, taken away) is done without from there on."""
        with self._lock:
            try:
                return work()
            except sqlite3.Error:
                if self._in_memory:
                    raise
                self._connection, self._in_memory, self._hits = self._empty(), True, ("", -1)
                self._forget_if_resumed()
                return 1

    def _opened(self) -> sqlite3.Connection:
        with suppress(OSError, sqlite3.Error):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not self.path.exists():
                _forget_old(self.path.parent)
            try:
                return self._made(connect(self.path, "rwc"))
            except sqlite3.DatabaseError:
                self.path.unlink(missing_ok=True)  # a cache: what cannot be read is made anew
                return self._made(connect(self.path, "rwc"))
        self._in_memory = True
        return self._empty()

    def _empty(self) -> sqlite3.Connection:
        return self._made(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))

    def _made(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        connection.row_factory = None  # plain tuples: the ledger reads one a group
        use_wal(connection)
        connection.execute("PRAGMA synchronous = OFF")  # a cache that a power cut damages is made anew
        connection.execute(f"PRAGMA cache_size = -{1024 * MOST_MEGABYTES_IN_CACHE}")
        connection.execute("PRAGMA temp_store = MEMORY")
        if connection.execute("PRAGMA user_version").fetchone()[0] != FORMAT:
            names = [
                row[0]
                for row in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'texts_%'"
                )
            ]
            for name in names:
                connection.execute(f'DROP TABLE IF EXISTS "{name}"')
            connection.executescript(TABLES)
        return connection

    def _all(self, sql: str, values: tuple = ()) -> list[tuple]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def _one(self, sql: str, values: tuple = ()) -> int:
        return self._all(sql, values)[0][0]

    @property
    def _mark(self) -> int:
        """The last group that is indexed; group ids grow with the steps and are written a step at a time."""
        return self._one("SELECT coalesce(max(group_id), 0) FROM groups")

    def _waiting(self) -> bool:
        return bool(self.run.query("SELECT 1 FROM groups WHERE group_id > ? LIMIT 1", (self._mark,)))

    def _forget_if_resumed(self) -> None:
        """A resume writes other answers under ids that are indexed already."""
        sql = "SELECT created_at || '/' || coalesce((SELECT max(at) FROM events WHERE kind = 'resumed'), '') FROM state"
        life = self.run.query(sql)[0][0]
        known = self._all("SELECT value FROM about WHERE name = 'life'")
        if known == [(life,)]:
            return
        with transaction(self._connection) as connection:
            for table in ("about", "statuses", "questions", "groups", "answers"):
                connection.execute(f"DELETE FROM {table}")
            connection.execute("INSERT INTO texts (texts) VALUES ('delete-all')")
            connection.execute("INSERT INTO about VALUES ('life', ?)", (life,))
        self._hits = ("", -1)

    def _take_batch(self) -> int:
        """Indexes the next groups, whole or not at all; how many they were."""
        with transaction(self._connection) as connection:
            groups = self.run.query(_GROUPS, (self._mark, GROUPS_A_BATCH))
            if not groups:
                return 0
            span = (groups[0][0], groups[-1][0])
            paid: dict[int, dict[str, tuple[float | None, float]]] = {}
            for rollout_id, name, value, weight in self.run.query(_PARTS, span):
                paid.setdefault(rollout_id, {})[name] = (value, weight)
            self._know_parts({name for parts in paid.values() for name in parts})
            rollouts = self.run.query(_ROLLOUTS, span)
            questions = {row[0]: self._question_id(row[2:]) for row in groups}
            self._insert_answers(connection, rollouts, paid, questions)
            self._insert_groups(connection, groups, rollouts, paid, questions)
            self._tell_what_followed(connection, span)
        return len(groups)

    def _know_parts(self, names: set[str]) -> None:
        known = dict(self._all("SELECT name, column_name FROM parts"))
        for name in sorted(names - set(known)):
            column = f"part_{len(known)}"
            known[name] = column
            self._connection.execute(f"ALTER TABLE answers ADD COLUMN {column} REAL")
            self._connection.execute("INSERT INTO parts VALUES (?, ?)", (column, name))

    def _question_id(self, about: tuple) -> int:
        insert = "INSERT OR IGNORE INTO questions (question_index, db_id, question, difficulty) VALUES (?, ?, ?, ?)"
        self._connection.execute(insert, tuple(about))
        where = "question_index = ? AND db_id = ? AND question = ?"
        return self._one(f"SELECT question_id FROM questions WHERE {where}", tuple(about)[:3])

    def _insert_answers(
        self, connection: sqlite3.Connection, rollouts: list, paid: dict, questions: dict[int, int]
    ) -> None:
        columns = self._all("SELECT column_name, name FROM parts ORDER BY column_name")
        rows, texts = [], []
        for rollout_id, step, group_id, position, status, advantage, length, completion, _ in rollouts:
            parts = paid.get(rollout_id, {})
            head = (rollout_id, step, group_id, position, questions[group_id], status, _total(parts), advantage, length)
            rows.append((*head, *[parts.get(name, (None,))[0] for _, name in columns]))
            texts.append((rollout_id, completion))
        names = ", ".join(["rollout_id", "step", "group_id", "position", "question_id", "status", "total", "advantage", "length_tokens"]
                          + [column for column, _ in columns])  # fmt: skip
        places = ", ".join("?" * (9 + len(columns)))
        connection.executemany(f"INSERT INTO answers ({names}) VALUES ({places})", rows)
        connection.executemany("INSERT OR IGNORE INTO statuses VALUES (?)", {(row[5],) for row in rows})
        connection.executemany("INSERT INTO texts (rowid, completion) VALUES (?, ?)", texts)

    def _insert_groups(
        self, connection: sqlite3.Connection, groups: list, rollouts: list, paid: dict, questions: dict[int, int]
    ) -> None:
        members: dict[int, list] = {}
        for rollout in rollouts:
            members.setdefault(rollout[2], []).append(rollout)
        rows = []
        for group_id, step, *_ in groups:
            mine = members.get(group_id, [])
            statuses, totals = [one[4] for one in mine], [_total(paid.get(one[0], {})) for one in mine]
            spread = max(totals) - min(totals) if totals else 0.0
            alike = max(Counter(" ".join((one[8] or one[7]).split()) for one in mine).values(), default=0)
            judged = sum(status not in UNJUDGED for status in statuses)
            rows.append(
                (group_id, step, questions[group_id], len(mine), judged, statuses.count("correct"), spread, alike)
            )
        connection.executemany("INSERT INTO groups VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)", rows)

    def _tell_what_followed(self, connection: sqlite3.Connection, span: tuple[int, int]) -> None:
        """Of earlier all-wrong groups whose question has its first right answer in this span: did the answer ranked first become it."""
        followed = connection.execute(_FOLLOWED, (EPSILON, *span)).fetchall()
        texts = self.run.answered({group_id for pair in followed for group_id in pair}) if followed else {}
        told = [(later, *became_right(texts[earlier], texts[later]), earlier) for earlier, later in followed]
        connection.executemany("UPDATE groups SET right_in = ?, first_became = ?, chance = ? WHERE group_id = ?", told)

    def _where(self, wanted: AnswerFilter) -> tuple[str, tuple]:
        terms: list[tuple[str, tuple]] = []
        if wanted.text.strip():
            terms.append((self._text_term(wanted.text), ()))
        if wanted.statuses:
            terms.append((f"a.status IN ({', '.join('?' * len(wanted.statuses))})", wanted.statuses))
        if wanted.db_id:
            terms.append(("a.question_id IN (SELECT question_id FROM questions WHERE db_id = ?)", (wanted.db_id,)))
        column = self._part_column(wanted.part) if wanted.part else ""
        for sql, value in (("a.step >= ?", wanted.first_step), ("a.step <= ?", wanted.last_step),
                           (f"{column} >= ?", wanted.low if column else None), (f"{column} <= ?", wanted.high if column else None)):  # fmt: skip
            if value is not None:
                terms.append((sql, (value,)))
        if wanted.rollout_ids is not None:
            terms.append((f"a.rollout_id IN ({', '.join('?' * len(wanted.rollout_ids))})", tuple(wanted.rollout_ids)))
        return " AND ".join(sql for sql, _ in terms) or "1", tuple(value for _, values in terms for value in values)

    def _text_term(self, text: str) -> str:
        """Finds the text once and keeps the hits: the next page, sort or further filter need not search again."""
        key = (text, self._mark)
        if self._hits != key:
            self._connection.execute("CREATE TEMP TABLE IF NOT EXISTS hits (rollout_id INTEGER PRIMARY KEY)")
            self._connection.execute("DELETE FROM hits")
            terms = _terms(text)
            if terms:
                self._connection.execute("INSERT INTO hits SELECT rowid FROM texts WHERE texts MATCH ?", (terms,))
            words, values = _like(text)
            asked = [row[0] for row in self._all(f"SELECT question_id FROM questions q WHERE {words}", values)]
            if asked:
                marks = ", ".join("?" * len(asked))
                insert = f"INSERT OR IGNORE INTO hits SELECT rollout_id FROM answers WHERE question_id IN ({marks})"
                self._connection.execute(insert, asked)
            self._hits = key
        return _IN_HITS

    def _part_column(self, name: str) -> str:
        known = {
            **dict(self._all("SELECT name, 'a.' || column_name FROM parts")),
            "total": "a.total",
            "advantage": "a.advantage",
        }
        if name not in known:
            raise ValueError(f"unknown part {name!r}; there are {', '.join(known)}")
        return known[name]

    def _sort_column(self, sort: str) -> str:
        if sort == "db_id":
            return "q.db_id"
        return f"a.{sort}" if sort in SORTS else self._part_column(sort)

    def _rows(self, ids: list[int]) -> tuple[AnswerRow, ...]:
        marks = ", ".join("?" * len(ids))
        found = self._all(
            f"""SELECT a.rollout_id, a.step, a.group_id, a.position, a.status, a.total, a.advantage, a.length_tokens,
            q.question_index, q.db_id, q.question FROM answers a JOIN questions q USING (question_id) WHERE a.rollout_id IN ({marks})""",
            tuple(ids),
        )
        sql = f"SELECT rollout_id, substr(CASE sql WHEN '' THEN completion ELSE sql END, 1, 300) FROM rollouts WHERE rollout_id IN ({marks})"
        texts = dict(tuple(row) for row in self.run.query(sql, tuple(ids)))
        by_id = {row[0]: AnswerRow(*row, texts.get(row[0], "")) for row in found}
        return tuple(by_id[key] for key in ids)


_IN_HITS = "a.rollout_id IN (SELECT rollout_id FROM hits)"
_GROUPS = """SELECT group_id, step, json_extract(question, '$.index'), json_extract(question, '$.db_id'),
json_extract(question, '$.text'), json_extract(question, '$.difficulty') FROM groups WHERE group_id > ? ORDER BY group_id LIMIT ?"""
_ROLLOUTS = """SELECT rollout_id, step, group_id, position, status, advantage, length_tokens, completion, sql FROM rollouts
WHERE group_id BETWEEN ? AND ? ORDER BY group_id, position"""
_FOLLOWED = """SELECT earlier.group_id, min(later.group_id) FROM groups later JOIN groups earlier USING (question_id)
WHERE earlier.right_answers = 0 AND earlier.right_in IS NULL AND earlier.judged > 0 AND earlier.spread > ? AND earlier.step < later.step
AND later.group_id BETWEEN ? AND ? AND later.right_answers > 0 GROUP BY earlier.group_id"""
_PARTS = """SELECT p.rollout_id, p.name, p.value, p.weight FROM rollouts r JOIN parts p USING (rollout_id)
WHERE r.group_id BETWEEN ? AND ? ORDER BY p.rollout_id, p.position"""


def _forget_old(folder: Path) -> None:
    """Takes away the indexes that nobody opened for long; most are of runs that are gone."""
    for file in folder.glob("*.sqlite*"):
        if time.time() - file.stat().st_mtime > 86_400 * MOST_DAYS_UNUSED:
            file.unlink(missing_ok=True)


def _digest(run: Run) -> str:
    return hashlib.sha256(str(run.path).encode()).hexdigest()[:20]


def _total(parts: dict[str, tuple[float | None, float]]) -> float:
    return sum(weight * value for value, weight in parts.values() if value is not None)


def _terms(text: str) -> str:
    """FTS5's query for all words of a text: a word of three letters or more may go on, a shorter one is a whole word.

    Every word is quoted, so that none is an operator; what holds neither letter nor digit is left out.

    >>> _terms('author_id NEAR id >=')
    '"author_id"* "NEAR"* "id"'
    """
    words = [word for word in text.split() if any(letter.isalnum() or letter == "_" for letter in word)]
    return " ".join('"' + word.replace('"', '""') + '"' + "*" * (len(word) >= SHORTEST_BEGINNING) for word in words)


def _like(text: str) -> tuple[str, tuple[str, ...]]:
    """A condition that the question holds every word, and its values."""
    words = [word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in text.split()]
    return " AND ".join(["q.question LIKE ? ESCAPE '\\'"] * len(words)) or "0", tuple(f"%{word}%" for word in words)
