"""Writes golden_atoms.txt: the atoms of 200 queries of the starter dataset, as this version reads them.

    python tests/golden_atoms.py

Run it after a change to ``finer.atoms``, or another sqlglot, that is meant to change atoms, and read the difference
(`git diff tests/golden_atoms.txt`) before keeping it. ``test_atoms_golden.py`` fails until the file agrees.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import cache
from itertools import chain, islice, zip_longest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from finer.atoms import extract
from finer.schema import Schema, read_schema

STARTER = Path(__file__).resolve().parent.parent / "data" / "starter"
GOLDEN = Path(__file__).resolve().parent / "golden_atoms.txt"
QUERIES = 200


@cache
def schema(db_id: str) -> Schema:
    return read_schema(STARTER / "databases" / db_id / f"{db_id}.sqlite")


def starter_queries() -> list[tuple[str, str]]:
    """Every different (database, gold query) of the starter dataset, kinds of question in turn."""
    kinds: dict[str, dict[tuple[str, str], None]] = {}
    for line in (STARTER / "questions.jsonl").read_text("utf-8").splitlines():
        item = json.loads(line)
        for sql in item["gold"]:
            kinds.setdefault(item["kind"], {})[item["db_id"], sql] = None
    turns = chain.from_iterable(zip_longest(*(kinds[kind] for kind in sorted(kinds))))
    return list(dict.fromkeys(pair for pair in turns if pair is not None))


def entry(db_id: str, sql: str) -> Iterator[str]:
    """One query: its text, then a line for each atom, with the characters it was read from."""
    yield f"-- {db_id}: {sql}"
    for atom in extract(sql, schema(db_id)):
        scope = f" ({atom.scope})" if atom.scope else ""
        yield f"{atom.clause}{scope}: {atom.text} | {sql[slice(*atom.span)] if atom.span else '?'}"
    yield ""


def golden_lines() -> list[str]:
    return [line for pair in islice(starter_queries(), QUERIES) for line in entry(*pair)]


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(golden_lines()) + "\n", "utf-8")
    print(f"{GOLDEN.name}: the atoms of {QUERIES} queries")
