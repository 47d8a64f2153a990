"""Traces to imitate: a question with the thought and the SQL that answer it, read and judged before anybody learns from them.

``dataset_traces`` takes those that a data set carries, ``read_traces`` those of a file: an object a line with ``thought`` and
``sql``, and either ``index`` or ``db_id`` and ``question`` to say which question they answer. ``judged`` executes each on every
instance of its database, whatever the file says of itself. Not covered: making traces (``distil``), the memory's (``memory``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from finer.datasets import Dataset
from finer.datasets.entries import Entry, read_entries
from finer.judge import Judge
from finer.prompt import completion_text, parse_completion
from finer.records import Question
from finer.schema import DataError

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Demonstration:
    """One trace and the question that it answers."""

    question: Question
    thought: str
    sql: str
    correct: bool | None = None
    """By execution on every instance; None: not judged."""
    reason: str = ""
    """Why it is wrong or was not judged."""

    @property
    def completion(self) -> str:
        """What a policy is taught to write."""
        return completion_text(self.thought, self.sql)

    @property
    def fault(self) -> str:
        """What breaks the format that is asked of a policy; '' where nothing does."""
        return parse_completion(self.completion).reason

    def as_json(self) -> dict[str, Any]:
        """The trace as a line of a file that ``read_traces`` reads."""
        question = {"index": self.question.index, "db_id": self.question.db_id, "question": self.question.text}
        told = {key: value for key, value in asdict(self).items() if key != "question"}
        return question | told


def dataset_traces(dataset: Dataset) -> list[Demonstration]:
    """The traces that the data set carries, of the questions that it holds. DataError where it carries none."""
    if not dataset.traces:
        raise DataError(f"dataset {dataset.name!r} carries no traces. Make some with finer distil, and give their file with --traces FILE")
    questions = _by_text(dataset)
    found = [(questions.get((trace.db_id, trace.question)), trace) for trace in dataset.traces]
    return [Demonstration(question, trace.thought, trace.sql) for question, trace in found if question is not None]


def read_traces(path: str | Path, dataset: Dataset) -> list[Demonstration]:
    """The traces of a JSONL file. DataError names the line that cannot be read, or whose question the data set lacks."""
    path = Path(path)
    if path.suffix != ".jsonl":
        raise DataError(f"{path}: a file of traces is JSONL and ends in .jsonl")
    by_index, by_text = {question.index: question for question in dataset.questions}, _by_text(dataset)
    found = [_demonstration(entry, dataset, by_index, by_text) for entry in read_entries(path)]
    if not found:
        raise DataError(f"{path}: no trace; write an object a line with index, thought and sql")
    return found


def _by_text(dataset: Dataset) -> dict[tuple[str, str], Question]:
    return {(question.db_id, question.text): question for question in dataset.questions}


def _demonstration(entry: Entry, dataset: Dataset, by_index: dict[int, Question], by_text: dict[tuple[str, str], Question]) -> Demonstration:
    text = entry.take("question", str, "")
    if "index" in entry.values:
        key: Any = entry.take("index", int)
        question = by_index.get(key)
    else:
        key = (entry.take("db_id", str), entry.take("question", str))
        question = by_text.get(key)
    if question is None:
        raise entry.fault(f"dataset {dataset.name!r} has no question {key!r}; name the data set that the traces were made for")
    if text and text.split() != question.text.split():
        raise entry.fault(f"question {question.index} of {dataset.name!r} is {question.text!r:.80}, not {text!r:.80}; name the data set that the traces were made for")
    return Demonstration(question, entry.take("thought", str), entry.take("sql", str))


def judged(traces: Iterable[Demonstration], judge: Judge, on_progress: Progress | None = None) -> list[Demonstration]:
    """The traces with their verdicts, in order; equal SQL for a question runs once."""
    traces = list(traces)
    found = list(traces)
    pairs = [(trace.question, trace.sql) for trace in traces]
    for done, (place, verdict) in enumerate(judge.judge_each(pairs), start=1):
        found[place] = replace(traces[place], correct=verdict.correct, reason="" if verdict.correct else verdict.reason)
        if on_progress:
            on_progress(done, len(traces))
    return found
