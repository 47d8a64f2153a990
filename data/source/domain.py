"""What a starter database is made from: its schema with the words people use for it.

A domain file (``domains/<db_id>.py``) holds one ``DOMAIN`` and one ``rows(rng, variant)``. The grammar
(``grammar.py``) reads the words to ask questions; ``make_starter.py`` builds the SQLite files from both.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column, its part in the schema and the words for it."""

    name: str
    """As in SQL; at least one column of the whole collection holds a space."""
    type: str
    """INTEGER, REAL, TEXT or DATE (kept as TEXT 'YYYY-MM-DD')."""
    role: str
    """key, link, label, number, category, date, text or flag (INTEGER 0/1)."""
    phrase: str
    """How a person names it after 'the': 'unit price', 'release date'."""
    refers: str = ""
    """For a link: 'table.column' that it refers to."""
    says: str = ""
    """For a category: words after the plural with {value}: 'from {value}', 'in the {value} genre'.
    For a flag: words that are true when it is 1: 'that are out of print'."""
    most: str = ""
    """For a number or date, one word for the extreme: 'most expensive', 'longest', 'oldest'. Optional."""
    least: str = ""
    required: bool = True
    """False: some rows hold NULL."""
    additive: bool = True
    """For a number: does its sum mean something? (a rating's or a year's does not)"""


@dataclass(frozen=True)
class Table:
    """A table and the words for its rows."""

    name: str
    singular: str
    plural: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Relation:
    """The words for one link from a child table to its parent."""

    child: str
    column: str
    """The child's link column; parent and its key follow from ``refers``."""
    by: str
    """After the child's plural, before a parent: books *written by* Ursula Berg."""
    have: str
    """After the parent's plural, before the child's: authors that *have written* books."""


@dataclass(frozen=True)
class Bridge:
    """The words for a many-to-many table between two others."""

    table: str
    left: str
    """Link column to the left table."""
    right: str
    left_says: str
    """After 'that': actors that *appear in* a film (left = actor)."""
    right_says: str
    """After 'that': films that *feature* an actor."""


@dataclass(frozen=True)
class Domain:
    """A whole database: tables in creation order (parents first) and the words that tie them."""

    db_id: str
    title: str
    """What it is about, in one phrase."""
    tables: tuple[Table, ...]
    relations: tuple[Relation, ...]
    bridges: tuple[Bridge, ...] = ()
    primary_keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Composite keys, for tables with no column of role 'key': (table, columns)."""
