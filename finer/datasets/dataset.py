"""What every layout is read into: questions over databases, and what is known about their files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from finer.records import Question, Trace
from finer.schema import DataError, MissingDataError, Schema


@dataclass(frozen=True)
class Database:
    """One schema and the files that fill it with different rows."""

    db_id: str
    instances: tuple[Path, ...]
    """The main instance first; empty where no file of it can be used here."""
    schema: Schema
    missing: str = ""
    """Why there is no instance, and where to put the file; '' where there is one."""

    @property
    def path(self) -> Path:
        """The main instance; MissingDataError where no file is here."""
        if not self.instances:
            raise MissingDataError(f"no file of the database {self.db_id!r} is here; Dataset.missing[{self.db_id!r}] says why")
        return self.instances[0]


@dataclass(frozen=True)
class Dataset:
    """Questions over databases, and the traces that explain some of them."""

    name: str
    questions: tuple[Question, ...]
    databases: dict[str, Database]
    traces: tuple[Trace, ...] = ()
    release: str = ""
    """Which release the files are, where it can be told: 'Spider dev 1.0, 1,034 questions'."""

    @property
    def missing(self) -> dict[str, str]:
        """db_id → why the questions over it cannot run."""
        return {db_id: database.missing for db_id, database in self.databases.items() if database.missing}

    def split(self, name: str) -> Dataset:
        """The questions of one split. Databases and traces stay whole: the memory draws on all of them.

        DataError that lists the splits there are.
        """
        questions = tuple(question for question in self.questions if question.split == name)
        if not questions:
            known = sorted({question.split for question in self.questions})
            raise DataError(f"dataset {self.name!r} has no split {name!r}; it has {known}")
        return replace(self, questions=questions)

    def question(self, index: int) -> Question:
        """The question of that index; KeyError where there is none."""
        for question in self.questions:
            if question.index == index:
                return question
        raise KeyError(f"dataset {self.name!r} has no question of index {index}")
