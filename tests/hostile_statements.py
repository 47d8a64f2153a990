"""Reads ``hostile/<family>.sql``: statements that a sandbox must survive, each with the statuses it may end with.

A block is a header line ``-- name: …  expect: status or status`` and the statement under it, up to the next header. In a
statement ``$FOLDER`` is the folder of the databases, ``{300*text}`` is that text 300 times, and ``\\u0041`` is the character
of that number. A new file, or a block in one of these, is tried by the tests as it stands.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "hostile"
STATUSES = {"ok", "empty", "error", "timeout", "too_large", "refused"}


OPTIONAL_TABLES = [
    "CREATE VIRTUAL TABLE page USING fts5(body)",
    "INSERT INTO page VALUES ('a b c'), ('b c d')",
    "CREATE VIRTUAL TABLE leaf USING fts4(body)",
    "INSERT INTO leaf VALUES ('a b c'), ('b c d')",
    "CREATE VIRTUAL TABLE spot USING rtree(id, west, east)",
]
"""Where this SQLite has those modules."""


class Hostile(NamedTuple):
    family: str
    name: str
    expected: tuple[str, ...]
    sql: str


def read_family(path: Path) -> list[Hostile]:
    found = []
    for block in re.split(r"^-- name: ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        header, sql = block.split("\n", 1)
        name, expected = re.fullmatch(r"(.+?)  expect: (.+)", header).groups()
        statuses = tuple(expected.split(" or "))
        assert STATUSES.issuperset(statuses), f"{path.name}: {header!r} expects an unknown status"
        found.append(Hostile(path.stem, name, statuses, expand(sql.strip("\n"))))
    return found


def expand(sql: str) -> str:
    """
    >>> expand("SELECT {3*(} 1 {3*)}")
    'SELECT ((( 1 )))'
    """
    sql = re.sub(r"\{(\d+)\*(.+?)\}", lambda found: int(found[1]) * found[2], sql)
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), sql)


def read_all() -> list[Hostile]:
    return [statement for path in sorted(FOLDER.glob("*.sql")) for statement in read_family(path)]


def make_databases(folder: Path) -> None:
    """``library.sqlite``, which the statements are written for, and ``other.sqlite``, which none of them may reach."""
    connection = sqlite3.connect(folder / "library.sqlite")
    connection.executescript(
        "CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT);"
        "CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, price REAL);"
        "CREATE INDEX book_price ON book (price);"
        "CREATE VIEW listing AS SELECT title, price FROM book"
    )
    connection.executemany("INSERT INTO author VALUES (?, ?)", [(i, f"Author {i}") for i in range(1, 6)])
    connection.executemany("INSERT INTO book VALUES (?, ?, ?)", [(i, f"Book {i}", i / 10) for i in range(1, 61)])
    connection.execute("CREATE TRIGGER noted AFTER INSERT ON book BEGIN UPDATE author SET name = 'changed'; END")
    for sql in OPTIONAL_TABLES:
        try:
            connection.execute(sql)
        except sqlite3.OperationalError:
            continue
    connection.commit()
    connection.close()
    connection = sqlite3.connect(folder / "other.sqlite")
    connection.executescript("CREATE TABLE secret (word TEXT); INSERT INTO secret VALUES ('xyzzy')")
    connection.close()
