"""The atoms of 200 starter queries are what they were, and every atom says where in the text it was read.

Where a change is meant: `python tests/golden_atoms.py`, then read the difference.
"""

from __future__ import annotations

import difflib
import re

from golden_atoms import GOLDEN, QUERIES, golden_lines, schema, starter_queries

from finer.atoms import extract

NAMED = re.compile(r"(\w+)\.(\w+) (?:=|<>|>=?|<=?|LIKE) ('(?:[^']|'')*'|-?[\d.]+)\Z")


def test_atoms_are_those_of_the_golden_file() -> None:
    before, now = GOLDEN.read_text("utf-8").splitlines(), golden_lines()
    assert sum(line.startswith("-- ") for line in before) == QUERIES
    if before != now:
        difference = "\n".join(difflib.unified_diff(before, now, "golden_atoms.txt", "this version", lineterm="", n=3))
        raise AssertionError(f"atoms changed; if that is meant, run: python tests/golden_atoms.py\n{difference[:6000]}")


def test_every_atom_of_the_starter_golds_has_a_place() -> None:
    placed = [atom.span is not None for db_id, sql in starter_queries() for atom in extract(sql, schema(db_id))]
    assert sum(placed) / len(placed) == 1.0


def test_the_place_holds_what_the_atom_says() -> None:
    """Tables by name; conditions by the column and the constant that they compare."""
    seen = 0
    for db_id, sql in starter_queries():
        for atom in extract(sql, schema(db_id)):
            text = sql[slice(*atom.span)].lower()
            found = NAMED.match(atom.text) if atom.clause == "WHERE" else None
            if atom.clause == "FROM" and atom.text not in ("derived", "recursive"):
                assert text.startswith(atom.text), (sql, atom)
            elif found:
                assert found[2] in text and found[3].strip("'%").replace("''", "'").lower() in text, (sql, atom)
            seen += atom.clause == "FROM" or found is not None
    assert seen > 1000
