"""The values of a database that a question may name: which column holds 'Alameda'.

Reads distinct short values of every column through the sandbox, within bounds, once a database. Not covered: columns whose
reading runs into a bound (they have no values here), and values that are said in other words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from finer.column_words import STOP_WORDS, stems
from finer.sandbox import Limits, Sandbox
from finer.schema import Schema, quote

VALUES_A_COLUMN = 5_000
ROWS_A_COLUMN = 100_000
"""Rows looked at for them."""
VALUE_CHARACTERS = 60
"""A longer text is no value that a question names."""
WORDS_A_VALUE = 6
_WORD = re.compile(r"\w+")

Name = tuple[str, str]


class Values:
    """An index of values: ``whole`` by their words, ``parts`` by the stem of each word, ``numbers`` as they are written."""

    def __init__(self, found: Iterable[tuple[Name, Any]]) -> None:
        self.whole: dict[str, dict[Name, str]] = defaultdict(dict)
        self.parts: dict[str, set[Name]] = defaultdict(set)
        self.numbers: dict[str, set[Name]] = defaultdict(set)
        for name, value in found:
            if isinstance(value, str) and 0 < len(value) <= VALUE_CHARACTERS:
                self.whole[" ".join(_words(value))].setdefault(name, value)
                for word in stems(value):
                    self.parts[word].add(name)
            elif isinstance(value, (int, float)):
                self.numbers[str(value)].add(name)

    def named(self, text: str) -> dict[Name, list[tuple[str, int]]]:
        """Column → (the value as it is stored, how many columns hold it) for each text value that stands whole in the text.

        >>> Values([(("school", "county"), "Contra Costa")]).named("schools in Contra Costa?")
        {('school', 'county'): [('Contra Costa', 1)]}
        """
        words = _words(text)
        found: dict[Name, list[tuple[str, int]]] = {}
        for length in range(WORDS_A_VALUE, 0, -1):
            for start in range(len(words) - length + 1):
                said = " ".join(words[start : start + length])
                holders = {} if len(said) < 2 or said in STOP_WORDS else self.whole.get(said, {})
                for name, value in holders.items():
                    if (value, len(holders)) not in found.setdefault(name, []):
                        found[name].append((value, len(holders)))
        return found


def read_values(path: str | Path, schema: Schema) -> Values:
    """The values of a database file. DataError where it is no database."""
    names = [(table.name, column.name) for table in schema.tables for column in table.columns]
    jobs = [(path, _query(*name)) for name in names]
    with Sandbox(1, Limits(seconds=5.0, rows=VALUES_A_COLUMN)) as sandbox:
        results = sandbox.execute_many(jobs)
    return Values((name, row[0]) for name, result in zip(names, results, strict=True) for row in result.rows)


def _query(table: str, column: str) -> str:
    inner = f"SELECT {quote(column)} AS v FROM {quote(table)} LIMIT {ROWS_A_COLUMN}"
    return f"SELECT DISTINCT v FROM ({inner}) LIMIT {VALUES_A_COLUMN}"


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
