"""Which columns the prompts of a data set show: the whole schema, the filter's best, or, for a bound, those of the gold.

The last is ``oracle``: it looks at the gold, so every figure that comes of it carries the word (:meth:`Shown.figure`), as it carries what has
to be said of a policy's prompts.
Not covered: how columns are ranked (``columns``) and written (``prompt``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from finer.atoms.errors import AtomError
from finer.encoder import default_encoder
from finer.errors import FinerError
from finer.records import Question
from finer.schema import DataError, Kept, Schema
from finer.used_columns import used_columns
from finer.values import Name, Values, read_values

if TYPE_CHECKING:
    from finer.columns import ColumnFilter
    from finer.datasets import Database


class Shown:
    """The columns shown for each question over these databases, whose values are read once, when they are first asked.

    ``k``: at most so many columns, by the filter with the memory's default encoder; 0: the whole schema, or ``question.tables``.
    ``oracle``: the columns of the first gold. FinerError where both are asked for, or k is below 0. ``note``: of the policy that is asked.

    >>> Shown({}, 20).label, Shown({}, 20).figure("strict"), Shown({}, oracle=True).figure("strict")
    ('20 columns', 'strict', 'strict (oracle columns)')
    >>> Shown({}, note="reconstructed prompt").figure("strict")
    'strict (reconstructed prompt)'
    """

    def __init__(self, databases: Mapping[str, Database], k: int = 0, oracle: bool = False, note: str = "") -> None:
        if k < 0 or (k and oracle):
            raise FinerError(f"columns={k}{' with oracle' if oracle else ''}: give a number of columns (0: the whole schema), or oracle, which takes those of the gold")
        self.databases, self.k, self.oracle, self.note = databases, k, oracle, note
        self._encoder = default_encoder()
        self._filters: dict[str, ColumnFilter] = {}

    @property
    def label(self) -> str:
        """'whole schema', '20 columns' or 'oracle columns'."""
        if self.oracle:
            return "oracle columns"
        return f"{self.k} columns" if self.k else "whole schema"

    def figure(self, metric: str) -> str:
        """The metric's name as a figure made with these prompts must carry it."""
        said = [*([self.label] if self.oracle else []), *([self.note] if self.note else [])]
        return f"{metric} ({', '.join(said)})" if said else metric

    def of(self, question: Question) -> tuple[Kept, ...]:
        """The columns to show; none means the whole schema, as where an oracle's gold cannot be read."""
        if self.oracle:
            names = gold_columns(question, self.databases[question.db_id].schema)
            return self._filter(question.db_id).shown(question, names) if names else ()
        return self._filter(question.db_id).keep(question, self.k) if self.k else ()

    def _filter(self, db_id: str) -> ColumnFilter:
        from finer.columns import ColumnFilter

        if db_id not in self._filters:
            database = self.databases[db_id]
            self._filters[db_id] = ColumnFilter(database.schema, _values(database), self._encoder)
        return self._filters[db_id]


def gold_columns(question: Question, schema: Schema) -> frozenset[Name]:
    """The columns that the first gold uses; a table of which it names none is there by its key, or by its first column."""
    try:
        columns, tables = used_columns(question.gold[0], schema)
    except AtomError:
        return frozenset()
    bare = tables - {table for table, _ in columns}
    keys = {(name, key) for name in bare for key in schema.table(name).primary_key or (schema.table(name).columns[0].name,)}
    return columns | keys


def _values(database: Database) -> Values:
    """None where the file is not here, or cannot be read any more: the words of the schema must do."""
    try:
        return read_values(database.path, database.schema)
    except DataError:
        return Values(())
