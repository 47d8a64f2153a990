"""Is what a gold gives settled by the rows alone, or does it hang on an order that nobody told?

A gold that cuts a tie with LIMIT, or takes a bare column of a group, gives one of several results by chance; a prediction
that gives another of them is not wrong. Each gold runs many times on copies of one instance: rows shuffled, scans
reversed, ties broken at random. Here golds are trusted not to be hostile, as the files of a dataset are; they are still
kept from everything but reading, and bounded in time. Not covered: ties inside window functions' own order and in
compound queries with a LIMIT are only met by shuffling.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache

from sqlglot import exp

from finer.atoms.errors import AtomError
from finer.atoms.parse import parse
from finer.compare import is_ordered, strict
from finer.fuzz import Rows, Source
from finer.fuzz.source import quoted
from finer.records import Execution

SHUFFLES = 3
TIE_BREAKS = 4
"""Runs with ties broken at random, for each shuffle and direction; a tie of two rows escapes all 24 once in 2^23."""
SECONDS = 1.0
ROWS = 10_000

_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


def settled(source: Source, rows: Rows, gold: str, result: Execution) -> str:
    """'order' where rows and their order are settled, 'rows' where the order alone is left to chance, '' where the rows are.

    ``result`` is what the gold gave on that instance. '' too for a gold that fails or takes too long here.
    """
    ordered, level = is_ordered(gold), "order"
    try:
        for other in _results(source, rows, gold):
            if not strict(result, other, ordered=False).equal:
                return ""
            if ordered and level == "order" and not strict(result, other, ordered=True).equal:
                level = "rows"
    except (sqlite3.Error, sqlite3.Warning):
        return ""
    return level


def _results(source: Source, rows: Rows, gold: str) -> Iterator[Execution]:
    broken = tie_broken(gold)
    rng = random.Random(0)
    for _ in range(SHUFFLES):
        with closing(_shuffled(source, rows, rng)) as connection:
            deadline = time.monotonic() + SECONDS
            connection.set_progress_handler(lambda end=deadline: time.monotonic() > end, 10_000)
            for direction in ("OFF", "ON"):
                connection.set_authorizer(None)
                connection.execute(f"PRAGMA reverse_unordered_selects = {direction}")
                connection.set_authorizer(_authorize)
                for sql in [gold, *[broken] * (TIE_BREAKS if broken else 0)]:
                    yield _run(connection, sql)


def _authorize(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY


def _run(connection: sqlite3.Connection, sql: str) -> Execution:
    cursor = connection.execute(sql)
    rows = tuple(cursor.fetchmany(ROWS))
    return Execution("ok" if rows else "empty", rows, tuple(name for name, *_ in cursor.description))


def _shuffled(source: Source, rows: Rows, rng: random.Random) -> sqlite3.Connection:
    """The rows in an order of their own: tables without keys, since a key would sort them again."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
    try:
        for declaration in source.plain_declarations:
            connection.execute(declaration)
        connection.execute("BEGIN")
        for name, form in source.forms.items():
            marks = ", ".join("?" * len(form.columns))
            names = ", ".join(map(quoted, form.columns))
            connection.executemany(f"INSERT INTO {quoted(name)} ({names}) VALUES ({marks})", rng.sample(rows[name], len(rows[name])))
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


@lru_cache(maxsize=1024)
def tie_broken(sql: str) -> str:
    """The query with its ties broken at random; '' where there is nothing to break or no parser reads it.

    >>> tie_broken("SELECT a FROM t GROUP BY a ORDER BY count(*) DESC LIMIT 1")
    'SELECT a FROM t GROUP BY a ORDER BY COUNT(*) DESC, RANDOM() LIMIT 1'
    >>> tie_broken("SELECT a FROM t")
    ''
    """
    try:
        tree = parse(sql)
    except AtomError:
        return ""
    changed = False
    for select in list(tree.find_all(exp.Select)):
        order = select.args.get("order")
        if order is None and select.args.get("limit") is None:
            continue
        terms = order.expressions if order is not None else []
        select.set("order", exp.Order(expressions=[*terms, exp.Ordered(this=exp.Rand(), nulls_first=True)]))
        changed = True
    return tree.sql("sqlite") if changed else ""
