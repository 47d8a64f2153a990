"""The small schema on which the rewrites' and edits' examples are shown."""

from __future__ import annotations

import random
from collections.abc import Callable

from finer.probe.trees import read, write
from finer.schema import Column, Schema, Table

EXAMPLE = Schema(
    "shop",
    (
        Table(
            "book",
            (
                Column("book_id", "INTEGER", primary_key=True, not_null=True, unique=True),
                Column("name", "TEXT"),
                Column("author", "TEXT", samples=("Ada", "Bo")),
                Column("price", "REAL", samples=(1.5, 2.0)),
            ),
        ),
        Table(
            "sale",
            (
                Column("sale_id", "INTEGER", primary_key=True, not_null=True, unique=True),
                Column("book_id", "INTEGER", not_null=True, references=("book", "book_id")),
                Column("year", "INTEGER", samples=(2020,)),
            ),
        ),
    ),
)


def shown(change: Callable, sql: str, place: int = 0) -> str:
    """A rewriting or an edit of a query on the example schema, by default the first; always the same one."""
    queries = list(change(read(sql), EXAMPLE, random.Random(0)))
    return queries[place] if isinstance(queries[place], str) else write(queries[place])
