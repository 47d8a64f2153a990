"""The perturbations: each changes a few cells or rows of a draft, and says what it did.

A draft may break keys on the way; ``Source.repaired`` drops the rows that do. Values come from the column's own
distribution, from the literals of the queries and from what lies just beside them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from finer.fuzz.hints import Hints, Place, neighbours
from finer.fuzz.source import Link, Row, Source, number_in, stored

SIZES = (1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 12, 16, 24, 40)
"""Rows taken from a table; small ones are fast, and a person can read what they witness."""


@dataclass(frozen=True)
class Perturbation:
    """One thing that was done to an instance."""

    kind: str
    """subset, empty, literal, redraw, tie, twin, relink, null, shift, group or swap."""
    table: str
    columns: tuple[str, ...] = ()
    """The columns that changed; empty where whole rows came or went."""
    rows: int = 0
    """Rows changed, added, or (subset) kept."""

    def __str__(self) -> str:
        where = f"{self.table}.{', '.join(self.columns)}" if self.columns else self.table
        return f"{self.kind} {where} ({self.rows} row{'' if self.rows == 1 else 's'})"


@dataclass(frozen=True)
class Ground:
    """What the drafts of one question have in common: the file, its links, and what the queries mention."""

    source: Source
    hints: Hints
    links: tuple[Link, ...]
    """The declared ones and those that the gold joins on."""

    @cached_property
    def believing(self) -> Source:
        """The source with all the links, as its copies must keep them."""
        return replace(self.source, links=self.links)

    @cached_property
    def tables(self) -> list[str]:
        """The tables that the queries mention, or all where they mention none."""
        return self.hints.tables or list(self.source.forms)

    @cached_property
    def link_of(self) -> dict[Place, Link]:
        """Column → the one-column link that starts there."""
        return {(link.table, link.columns[0]): link for link in reversed(self.links) if len(link.columns) == 1}

    @cached_property
    def matching(self) -> dict[str, list[int]]:
        """Table → the rows that hold a literal of the queries in its column."""
        found: dict[str, list[int]] = {}
        for (table, place), values in self.hints.literals.items():
            wanted = {str(value).lower() for value in values}
            rows = [number for number, row in enumerate(self.source.rows[table]) if str(row[place]).lower() in wanted]
            found[table] = sorted({*found.get(table, ()), *rows})
        return found

    @cached_property
    def parent_rows(self) -> dict[Link, list[int | None]]:
        """For each link, the row that each of the child's rows refers to."""
        found = {}
        for link in self.links:
            numbers = {link.parent_key(row): number for number, row in enumerate(self.source.rows[link.parent])}
            numbers.pop(None, None)
            found[link] = [numbers.get(link.child_key(row)) for row in self.source.rows[link.table]]
        return found

    @cached_property
    def partners(self) -> dict[tuple[Place, Place], dict[Any, list[int]]]:
        """For each pair of columns that may be joined, the second one's rows by value."""
        pairs = [pair for one, two in self.hints.joins for pair in ((one, two), (two, one))]
        pairs += [pair for (table, place), link in self.link_of.items()
                  for pair in (((table, place), (link.parent, link.parent_columns[0])), ((link.parent, link.parent_columns[0]), (table, place)))]  # fmt: skip
        found = {}
        for one, (table, place) in dict.fromkeys(pairs):
            rows: dict[Any, list[int]] = {}
            for number, row in enumerate(self.source.rows[table]):
                rows.setdefault(str(row[place]), []).append(number)
            found[one, (table, place)] = rows
        return found


class Draft:
    """Rows under change."""

    def __init__(self, ground: Ground, rng: random.Random) -> None:
        self.ground, self.source, self.hints, self.rng = ground, ground.source, ground.hints, rng
        self.rows: dict[str, list[list[Any]]] = {name: [] for name in ground.source.forms}
        self.done: list[Perturbation] = []

    def note(self, kind: str, table: str, places: tuple[int, ...] = (), rows: int = 0) -> None:
        columns = tuple(self.source.forms[table].columns[place] for place in places)
        self.done.append(Perturbation(kind, table, columns, rows))

    def place(self, fits: Callable[[Place], bool] | None = None) -> Place | None:
        """A column to change, of a table that has rows: most of the time one that the queries mention. By default one of no key and no link."""
        mentioned = self.hints.columns if self.rng.random() < 0.85 else []
        everywhere = [(table, place) for table in self.ground.tables for place in range(len(self.source.forms[table].columns))]
        for candidates in (mentioned, everywhere):
            fitting = [place for place in candidates if self.rows[place[0]] and (fits(place) if fits else not self.is_bound(place))]
            if fitting:
                return self.rng.choice(fitting)
        return None

    def may_be_null(self, place: Place) -> bool:
        """Does neither a declaration nor a link without NULLs today rule NULL out?"""
        if place[1] in self.source.forms[place[0]].not_null:
            return False
        return all(link.nullable for link in self.ground.links if place[0] == link.table and place[1] in link.columns)

    def is_bound(self, place: Place) -> bool:
        """Is the column part of a key or of a link, on either side?"""
        if place[1] in self.source.forms[place[0]].key_places:
            return True
        return any(
            (place[0] == link.table and place[1] in link.columns) or (place[0] == link.parent and place[1] in link.parent_columns)
            for link in self.ground.links
        )

    def some(self, table: str) -> list[list[Any]]:
        """Some of a table's rows, one at least."""
        rows, share = self.rows[table], self.rng.choice((0.2, 0.5, 1.0))
        return [row for row in rows if self.rng.random() < share] or [self.rng.choice(rows)]

    def write(self, row: list[Any], place: Place, value: Any) -> None:
        row[place[1]] = stored(value, self.source.forms[place[0]].affinities[place[1]])

    def value(self, place: Place) -> Any:
        """A value of the column's own distribution; no NULL."""
        rows = self.source.rows[place[0]]
        for _ in range(4 if rows else 0):
            value = self.rng.choice(rows)[place[1]]
            if value is not None:
                return value
        return None


def subset(draft: Draft, size: int) -> None:
    """Some rows of every table that the queries mention, those that match their literals and joins first, and their parents."""
    ground, rng = draft.ground, draft.rng
    chosen: dict[str, list[int]] = {name: [] for name in ground.source.forms}
    for table in rng.sample(ground.tables, len(ground.tables)):
        rows = ground.source.rows[table]
        wanted = min(len(rows), max(1, size + rng.randint(-1, 1)))
        joined = [number for (one, two), index in ground.partners.items() if two[0] == table
                  for each in chosen[one[0]] for number in index.get(str(ground.source.rows[one[0]][each][one[1]]), ())[:20]]  # fmt: skip
        chosen[table] = _picked(rng, (ground.matching.get(table, []), joined, range(len(rows))), wanted)
    _with_parents(draft, chosen)
    for table, numbers in chosen.items():
        draft.rows[table] = [list(ground.source.rows[table][number]) for number in numbers]
        if numbers:
            draft.note("subset", table, rows=len(numbers))


def _picked(rng: random.Random, pools: tuple[Any, ...], count: int) -> list[int]:
    """``count`` different numbers, about as many from each pool as from the others."""
    picked: dict[int, None] = {}
    pools = tuple(pool for pool in pools if len(pool))
    for _ in range(count * 4):
        if len(picked) < count:
            picked[rng.choice(rng.choice(pools))] = None
    return list(picked)


def _with_parents(draft: Draft, chosen: dict[str, list[int]]) -> None:
    """Add the rows that chosen rows refer to."""
    links = [link for link in draft.ground.links if draft.source.rows[link.parent]]
    for _ in range(len(chosen)):
        before = sum(map(len, chosen.values()))
        for link in links:
            parents = draft.ground.parent_rows[link]
            known = {None, *chosen[link.parent]}
            chosen[link.parent] += dict.fromkeys(parents[number] for number in chosen[link.table] if parents[number] not in known)
        if sum(map(len, chosen.values())) == before:
            return


def empty(draft: Draft) -> None:
    """A table without rows."""
    table = draft.rng.choice(draft.ground.tables)
    draft.note("empty", table, rows=len(draft.rows[table]))
    draft.rows[table] = []


def literal(draft: Draft) -> None:
    """Cells onto a literal of the queries, or just beside it."""
    places = [place for place in draft.hints.literals if draft.rows[place[0]] and draft.hints.literals[place]]
    if not places:
        return redraw(draft)
    place = draft.rng.choice(places)
    values = [beside for value in draft.hints.literals[place] for beside in neighbours(value)]
    bound = draft.is_bound(place)
    rows = [draft.rng.choice(draft.rows[place[0]])] if bound else draft.some(place[0])
    for row in rows:
        value = draft.rng.choice(values)
        _rename(draft, place, row, value) if bound else draft.write(row, place, value)
    draft.note("literal", place[0], (place[1],), len(rows))


def _rename(draft: Draft, place: Place, row: list[Any], value: Any) -> None:
    """Write a key, and with it everything that refers to it; of a reference, the key that it refers to."""
    link = draft.ground.link_of.get(place)
    parent = (link.parent, link.parent_columns[0]) if link else place
    old = row[place[1]]
    for table, column in [parent, *(child for child, each in draft.ground.link_of.items() if (each.parent, each.parent_columns[0]) == parent)]:
        for each in draft.rows[table]:
            if each[column] is not None and str(each[column]) == str(old):
                draft.write(each, (table, column), value)


def redraw(draft: Draft) -> None:
    """Cells drawn anew from their column's distribution."""
    if place := draft.place():
        rows = draft.some(place[0])
        for row in rows:
            draft.write(row, place, draft.value(place))
        draft.note("redraw", place[0], (place[1],), len(rows))


def tie(draft: Draft) -> None:
    """One value for several rows."""
    if place := draft.place():
        value = draft.rng.choice(draft.rows[place[0]])[place[1]]
        rows = draft.some(place[0])
        for row in rows:
            row[place[1]] = value
        draft.note("tie", place[0], (place[1],), len(rows))


def swap(draft: Draft) -> None:
    """The values of a column in another order."""
    if place := draft.place():
        rows = draft.rows[place[0]]
        values = [row[place[1]] for row in rows]
        draft.rng.shuffle(values)
        for row, value in zip(rows, values, strict=True):
            row[place[1]] = value
        draft.note("swap", place[0], (place[1],), len(rows))


def shift(draft: Draft) -> None:
    """Numbers moved up or down, so that those that agree by chance stop doing so."""
    place = draft.place()
    if not place:
        return
    changed = 0
    for row in draft.some(place[0]):
        old = row[place[1]]
        number = number_in(old) if isinstance(old, str) else old
        if isinstance(number, (int, float)):
            moved = number + draft.rng.choice((-1, 1)) * draft.rng.choice((1, 1, 2, 10)) if number else draft.rng.choice((1, 2, 3))
            # Numbers of one sign stay so: a negative age would be a witness that nobody believes.
            draft.write(row, place, str(moved) if isinstance(old, str) else moved if (moved < 0) == (number < 0) else number + 1)
            changed += 1
    if changed:
        draft.note("shift", place[0], (place[1],), changed)


def twin(draft: Draft) -> None:
    """A row once more, under another key."""
    tables = [table for table in draft.ground.tables if draft.rows[table]]
    if not tables:
        return
    table = draft.rng.choice(tables)
    added = draft.rng.choice((1, 1, 2, 3))
    for _ in range(added):
        _clone(draft, table)
    draft.note("twin", table, rows=added)


def _clone(draft: Draft, table: str) -> list[Any]:
    row = list(draft.rng.choice(draft.rows[table]))
    for key in draft.source.forms[table].keys:
        loose = [place for place in key if (table, place) not in draft.ground.link_of]
        for place in loose[:1] or key:
            draft.write(row, (table, place), _fresh(draft, (table, place)))
    draft.rows[table].append(row)
    return row


def _fresh(draft: Draft, place: Place) -> Any:
    """A value that the column does not hold; of a reference, one of the keys that it may refer to."""
    if link := draft.ground.link_of.get(place):
        parents = draft.rows[link.parent]
        return draft.rng.choice(parents)[link.parent_columns[0]] if parents else None
    taken = {row[place[1]] for row in draft.rows[place[0]]}
    numbers = [n for value in taken if isinstance(n := number_in(value) if isinstance(value, str) else value, (int, float))]
    if len(numbers) == len(taken):
        return max(numbers, default=0) + draft.rng.choice((1, 1, 2, 5))
    unused = [row[place[1]] for row in draft.source.rows[place[0]] if row[place[1]] not in taken]
    return draft.rng.choice(unused) if unused else f"{draft.rng.choice(sorted(map(str, taken)))}{len(taken)}"


def relink(draft: Draft) -> None:
    """References led elsewhere: all to one, or each to any."""
    places = [place for place in draft.ground.link_of if place[0] in draft.ground.tables]
    targets = [(place, (draft.ground.link_of[place].parent, draft.ground.link_of[place].parent_columns[0])) for place in places]
    targets += [pair for one, two in draft.hints.joins for pair in ((one, two), (two, one)) if not draft.is_bound(pair[0])]
    targets = [(place, (table, column)) for place, (table, column) in targets if draft.rows[place[0]] and draft.rows[table]]
    if not targets:
        return redraw(draft)
    place, (table, column) = draft.rng.choice(targets)
    rows = draft.some(place[0])
    parents = draft.rows[table] if draft.rng.random() < 0.5 else [draft.rng.choice(draft.rows[table])]
    for row in rows:
        draft.write(row, place, draft.rng.choice(parents)[column])
    draft.note("relink", place[0], (place[1],), len(rows))


def group(draft: Draft) -> None:
    """As many rows of one group as a count in the queries, or one more or fewer."""
    counts = [count for count in draft.hints.counts if 0 < count <= max(SIZES)] or [1, 2]
    places = [place for place in (*draft.hints.groups, *draft.ground.link_of) if place[0] in draft.ground.tables and draft.rows[place[0]]]
    if not places:
        return tie(draft)
    table, place = draft.rng.choice(places)
    wanted = max(0, draft.rng.choice(counts) + draft.rng.choice((-1, 0, 0, 1)))
    while len(draft.rows[table]) < wanted:
        _clone(draft, table)
    value = draft.rng.choice(draft.rows[table])[place]
    others = [row[place] for row in draft.source.rows[table] if row[place] not in (None, value)]
    for number, row in enumerate(draft.rows[table]):
        if number < wanted:
            row[place] = value
        elif row[place] == value and others:
            row[place] = draft.rng.choice(others)
    draft.note("group", table, (place,), wanted)


def null(draft: Draft) -> None:
    """NULL where nothing rules it out."""
    place = draft.place(draft.may_be_null)
    if not place:
        return
    rows = draft.some(place[0])
    for row in rows:
        row[place[1]] = None
    draft.note("null", place[0], (place[1],), len(rows))


_KINDS: tuple[Callable[[Draft], None], ...] = (literal, literal, literal, redraw, redraw, tie, twin, relink, group, shift, swap)


def drafted(ground: Ground, rng: random.Random, nulls: bool) -> tuple[dict[str, list[Row]], tuple[Perturbation, ...]]:
    """The rows of one instance (keys not yet repaired), and what was done to get them."""
    draft = Draft(ground, rng)
    subset(draft, rng.choice(SIZES))
    for _ in range(rng.choice((0, 1, 2, 3, 4, 6))):
        rng.choice(_KINDS)(draft)
    if nulls:
        for _ in range(rng.choice((1, 1, 2, 3))):
            null(draft)
    if rng.random() < 0.04:
        empty(draft)
    return {table: [tuple(row) for row in rows] for table, rows in draft.rows.items()}, tuple(draft.done)
