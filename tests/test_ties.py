"""Queries whose LIMIT leaves the result to chance. Run with: pytest tests/test_ties.py"""

from __future__ import annotations

import sqlite3

import pytest
from shop import BOOKS

from finer.records import Execution
from finer.ties import cut_tie

TIES = {
    "the dearest of two equally dear": (
        "SELECT title FROM book ORDER BY price DESC LIMIT 1",
        "2 rows are equal in the order for 1 place before the LIMIT: 'Dune', 'Ulysses'",
    ),
    "a tie at the last place": ("SELECT title FROM book ORDER BY price DESC LIMIT 3", "2 rows are equal in the order for 1 place"),
    "by an alias": ("SELECT title, price AS p FROM book ORDER BY p LIMIT 1", "2 rows are equal"),
    "by a number": ("SELECT price, title FROM book ORDER BY 1 LIMIT 1", "2 rows are equal"),
    "by a count": ("SELECT author FROM book GROUP BY author ORDER BY count(*) DESC LIMIT 1", "2 rows are equal in the order for 1 place before the LIMIT: 1, 2"),
    "at the offset": ("SELECT title FROM book ORDER BY price DESC LIMIT 5 OFFSET 1", "2 rows are equal in the order for 1 place"),
    "no order": ("SELECT title FROM book LIMIT 2", "4 rows stand in no order for 2 places before the LIMIT: 'Dune', 'Emma', 'Persuasion' …"),
    "in a subquery": ("SELECT count(*) FROM book WHERE title = (SELECT title FROM book ORDER BY price LIMIT 1)", "in a subquery, 2 rows are equal"),
    "a set operation": (
        "SELECT title, price FROM book UNION SELECT 'Emma', 5 ORDER BY price LIMIT 1",
        "2 rows are equal in the order for 1 place before the LIMIT: ('Emma', 5), ('Persuasion', 5)",
    ),
    "distinct, by a column that is given": ("SELECT DISTINCT title, price FROM book ORDER BY price LIMIT 1", "2 rows are equal"),
}
NO_TIES = {
    "no limit": "SELECT title FROM book ORDER BY price",
    "the cut falls between": "SELECT title FROM book ORDER BY price DESC LIMIT 2",
    "the limit keeps all": "SELECT title FROM book ORDER BY price LIMIT 4",
    "ties are broken": "SELECT title FROM book ORDER BY price, title LIMIT 1",
    "the tied rows look alike": "SELECT price FROM book ORDER BY price LIMIT 1",
    "one row": "SELECT max(price) FROM book LIMIT 1",
    "a limit that is no literal": "SELECT title FROM book ORDER BY price LIMIT 1 + 0",
    "distinct, by a column that is not given": "SELECT DISTINCT author FROM book ORDER BY title LIMIT 1",
    "a subquery that stands not alone": "SELECT title, (SELECT b.title FROM book b WHERE b.price = a.price LIMIT 1) FROM book a",
    "not readable": "SELECT FROM LIMIT",
}


@pytest.fixture(scope="module")
def run():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE book (title TEXT, price INTEGER, author INTEGER)")
    connection.executemany("INSERT INTO book VALUES (?, ?, ?)", BOOKS)

    def execute(sql):
        try:
            cursor = connection.execute(sql)
        except sqlite3.Error as error:
            return Execution("error", error=str(error))
        rows = tuple(cursor.fetchall())
        return Execution("ok" if rows else "empty", rows, tuple(column[0] for column in cursor.description))

    yield execute
    connection.close()


@pytest.mark.parametrize(("sql", "reason"), TIES.values(), ids=TIES)
def test_a_tie_is_told(run, sql, reason):
    assert cut_tie(sql, run(sql), run).startswith(reason)


@pytest.mark.parametrize("sql", NO_TIES.values(), ids=NO_TIES)
def test_no_tie_is_made_up(run, sql):
    assert cut_tie(sql, run(sql), run) == ""


def test_rows_that_the_wider_query_does_not_give_are_no_evidence(run):
    sql = "SELECT title FROM book ORDER BY price DESC LIMIT 1"
    assert cut_tie(sql, Execution("ok", (("another text",),), ("title",)), run) == ""


def test_a_long_tie_is_counted_up_to_a_bound(run):
    sql = "SELECT a.title FROM book a, book b, book c, book d ORDER BY a.price DESC LIMIT 1"
    assert cut_tie(sql, run(sql), run).startswith("128 rows are equal")
    sql = "SELECT a.title, b.title FROM book a, book b, book c, book d LIMIT 1"
    assert cut_tie(sql, run(sql), run).startswith("201 or more rows stand in no order")
