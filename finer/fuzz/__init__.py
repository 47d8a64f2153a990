"""Perturbed copies of a database that keep its keys: row subsets, moved values, ties, NULLs, emptied tables.

``source`` (a file's rows and what its keys promise) → ``hints`` (what the queries mention) → ``perturb`` (the changes).
Copies are small: a few rows of the tables that the queries mention, and what those refer to; all other tables are empty.
A reference that is never NULL and never dangling today stays so; a name that is unique by chance may come twice. Not
covered: what a copy tells (``witness``).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from finer.fuzz.hints import joined_links, read_hints
from finer.fuzz.perturb import Ground, Perturbation, drafted
from finer.fuzz.source import Row, Rows, Source, read_source

__all__ = ["Ground", "Instance", "Perturbation", "Row", "Rows", "Source", "ground", "instances", "read_source"]


@dataclass(frozen=True)
class Instance:
    """One perturbed copy."""

    content: bytes
    """The SQLite file."""
    rows: Rows
    perturbations: tuple[Perturbation, ...]


def ground(source: Source, golds: Sequence[str] = (), predictions: Iterable[str] = ()) -> Ground:
    """What copies for these queries are made on; joins of the golds that the file keeps are believed as links."""
    hints = read_hints(source, [*golds, *predictions])
    return Ground(source, hints, (*source.links, *joined_links(source, golds)))


def instances(on: Ground, seed: int | str, nulls: bool = False) -> Iterator[Instance]:
    """Perturbed copies without end, the same for the same seed; ``nulls`` puts NULLs where nothing rules them out."""
    rng = random.Random(str(seed))
    while True:
        rows, done = drafted(on, rng, nulls)
        content, kept = on.believing.filled(rows)
        yield Instance(content, kept, done)
