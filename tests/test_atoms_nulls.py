"""Atoms where the data show NULL in a declared foreign key: nothing that a NULL tells apart counts as equal.

A foreign key is believed to be never NULL until a row says otherwise (docs/rewards.md). Each pair is held against SQLite, on
databases in which half of the concerts have no host and half of the lockers neither a code nor a singer.
"""

from __future__ import annotations

import sqlite3
from functools import cache

import pytest
from test_atoms import music
from test_atoms_laws import ALL, bag, database, neighbours, runs

from finer.atoms import atomic_overlap, extract
from finer.schema import Schema, read_schema

DATABASES = 30


@cache
def databases() -> tuple[sqlite3.Connection, ...]:
    return tuple(with_nulls(seed) for seed in range(DATABASES))


def with_nulls(seed: int) -> sqlite3.Connection:
    connection = database(seed)
    connection.execute("UPDATE concert SET host_id = NULL WHERE id % 2")
    for number in range(1, 7):
        known = number % 2 == seed % 2
        connection.execute("INSERT INTO locker VALUES (?, ?, ?, ?)", (number, f"c{number}" if known else None, number % 3, 1 if known else None))
    connection.commit()
    return connection


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    """The schema as read from a database that holds such rows."""
    path = tmp_path_factory.mktemp("nulls") / "music.sqlite"
    with sqlite3.connect(path) as connection:
        databases()[0].backup(connection)
    connection.close()
    return read_schema(path)


APART = {
    "COUNT of a link and of the rows": ("SELECT COUNT(host_id) FROM concert", "SELECT COUNT(*) FROM concert"),
    "COUNT of a link in HAVING": (
        "SELECT year FROM concert GROUP BY year HAVING COUNT(host_id) >= 1",
        "SELECT year FROM concert GROUP BY year",
    ),
    "a link that is not NULL": ("SELECT title FROM concert WHERE NOT host_id IS NULL", "SELECT title FROM concert"),
    "a parent joined and not used": (
        "SELECT title FROM concert JOIN singer ON host_id = singer.id",
        "SELECT title FROM concert",
    ),
    "NOT IN a list that holds NULL": (
        "SELECT name FROM singer WHERE id NOT IN (SELECT host_id FROM concert)",
        "SELECT name FROM singer WHERE NOT EXISTS (SELECT 1 FROM concert WHERE host_id = singer.id)",
    ),
    "LEFT JOIN … IS NULL on a link": (
        "SELECT stadium.name FROM stadium LEFT JOIN concert ON stadium_id = stadium.id WHERE host_id IS NULL",
        "SELECT name FROM stadium WHERE NOT EXISTS (SELECT 1 FROM concert WHERE stadium_id = stadium.id)",
    ),
    "DISTINCT of a unique column": ("SELECT DISTINCT code FROM locker", "SELECT code FROM locker"),
    "groups of a unique column": (
        "SELECT code, COUNT(*) FROM locker GROUP BY code, size",
        "SELECT code, COUNT(*) FROM locker GROUP BY code",
    ),
}
EQUAL = {
    "COUNT over the join": (
        "SELECT COUNT(host_id) FROM concert JOIN singer ON host_id = singer.id",
        "SELECT COUNT(*) FROM concert JOIN singer ON host_id = singer.id",
    ),
    "the join, or the link that is not NULL": (
        "SELECT title FROM concert JOIN singer ON host_id = singer.id",
        "SELECT title FROM concert WHERE host_id IS NOT NULL",
    ),
    "COUNT where the link is compared": (
        "SELECT COUNT(host_id) FROM concert WHERE host_id > 1",
        "SELECT COUNT(*) FROM concert WHERE host_id > 1",
    ),
    "COUNT of a link declared NOT NULL": ("SELECT COUNT(stadium_id) FROM concert", "SELECT COUNT(*) FROM concert"),
    "DISTINCT of a unique column, where it is known": (
        "SELECT DISTINCT code FROM locker WHERE code IS NOT NULL",
        "SELECT code FROM locker WHERE code IS NOT NULL",
    ),
    "the row of a unique value": (
        "SELECT size FROM locker WHERE id = (SELECT id FROM locker WHERE code = 'c1')",
        "SELECT size FROM locker WHERE code = 'c1'",
    ),
}


def told_apart(one: str, two: str) -> bool:
    return any(bag(each, one) != bag(each, two) for each in databases())


@pytest.mark.parametrize(("one", "two"), APART.values(), ids=APART)
def test_what_a_null_tells_apart_is_not_equal(one: str, two: str, seen: Schema) -> None:
    assert told_apart(one, two)
    assert atomic_overlap(one, two, seen).overlap < 1.0


@pytest.mark.parametrize(("one", "two"), EQUAL.values(), ids=EQUAL)
def test_what_no_null_tells_apart_is_equal(one: str, two: str, seen: Schema) -> None:
    assert not told_apart(one, two)
    assert atomic_overlap(one, two, seen).overlap == 1.0


def test_a_link_without_a_null_is_believed() -> None:
    for name in ("COUNT of a link and of the rows", "a parent joined and not used"):
        assert atomic_overlap(*APART[name], music()).overlap == 1.0, name


def test_queries_with_equal_atoms_give_equal_results_beside_nulls(seen: Schema) -> None:
    groups: dict[tuple, list[str]] = {}
    for sql in [each for each in ALL if runs(each)] + neighbours(300, seed=3):
        groups.setdefault(tuple(sorted((atom.clause, atom.scope, atom.text) for atom in extract(sql, seen))), []).append(sql)
    apart = [(first, other) for first, *others in groups.values() for other in others if told_apart(first, other)]
    assert not apart
