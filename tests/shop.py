"""A shop of a few rows on two instances, for tests that need a dataset whose every figure can be seen."""

from __future__ import annotations

import sqlite3

from finer.datasets import Database, Dataset
from finer.records import Question
from finer.schema import read_schema

BOOKS = (("Emma", 5, 1), ("Dune", 9, 2), ("Ulysses", 9, 2), ("Persuasion", 5, 1))
FEWER = (("Emma", 5, 1), ("Dune", 7, 2))
QUESTIONS = (
    ("How many books are there?", "SELECT count(*) FROM book", "easy"),
    ("Which books cost 9?", "SELECT title FROM book WHERE price = 9", "easy"),
    ("Which book is the dearest?", "SELECT title FROM book ORDER BY price DESC LIMIT 1", "medium"),
    ("Which books cost 100?", "SELECT title FROM book WHERE price = 100", "easy"),
    ("What does nobody sell?", "SELECT name FROM nobody", "hard"),
    ("Which authors wrote a book of 9?", "SELECT DISTINCT author FROM book WHERE price = 9", "medium"),
)
DEAR = 1
"""The place of the question for which `WHERE price > 8` is right on the main instance and on the other."""


def make_shop(folder) -> Dataset:
    """The dataset, its databases in that folder; the last question is over a database that is not there."""
    paths = []
    for number, rows in enumerate((BOOKS, FEWER)):
        paths.append(folder / f"shop_{number}.sqlite")
        with sqlite3.connect(paths[-1]) as connection:
            connection.execute("CREATE TABLE book (title TEXT, price INTEGER, author INTEGER)")
            connection.executemany("INSERT INTO book VALUES (?, ?, ?)", rows)
        connection.close()
    shop = Database("shop", tuple(paths), read_schema(paths[0], "shop"))
    asked = [Question(place, "shop", text, (gold,), difficulty=level) for place, (text, gold, level) in enumerate(QUESTIONS)]
    asked.append(Question(len(asked), "lost", "What is lost?", ("SELECT 1",), difficulty="easy"))
    return Dataset("the shop", tuple(asked), {"shop": shop, "lost": Database("lost", (), shop.schema, missing="no file")})
