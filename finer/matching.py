"""Which question of a data set a prompt asks: by its index, by its exact text in the prompt, or told by the file itself.

Texts are compared with white space as single blanks. A match is never a guess: where two questions fit, none is taken.

Not covered: questions that were rephrased or cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from finer.datasets import Dataset
from finer.records import Question

SHORTEST_TEXT = 12
"""Characters that a question's text needs to be looked for inside a line; a shorter one must be a whole line."""
_LABELS = ("question:", "### question:", "-- question:", "user:")


class Asked(NamedTuple):
    """What a rollout says of its question."""

    text: str
    """The prompt, or the part of it where the question stands."""
    index: int | None = None
    trusted: bool = False
    """A person said which column holds the index: then the text need not agree."""
    db_id: str = ""


@dataclass(frozen=True)
class Match:
    """The question, and how it was found; without one, why not."""

    question: Question | None
    how: str


class QuestionFinder:
    """Finds questions of one data set; each different prompt is looked up once."""

    def __init__(self, dataset: Dataset):
        self.dataset = dataset
        self._by_index = {question.index: question for question in dataset.questions}
        self._by_text: dict[str, list[Question]] = {}
        for question in dataset.questions:
            self._by_text.setdefault(_flat(question.text), []).append(question)
        self._long = sorted((text for text in self._by_text if len(text) >= SHORTEST_TEXT), key=len, reverse=True)
        self._known: dict[Asked, Match] = {}

    def find(self, asked: Asked) -> Match:
        """The one question that is asked, or why none was taken."""
        if asked not in self._known:
            self._known[asked] = self._by_its_index(asked) or self._by_its_text(asked)
        return self._known[asked]

    def _by_its_index(self, asked: Asked) -> Match | None:
        question = self._by_index.get(asked.index) if asked.index is not None else None
        if question is None or not (asked.trusted or _flat(question.text) in _flat(asked.text)):
            return None
        return Match(question, "by its index")

    def _by_its_text(self, asked: Asked) -> Match:
        found = self._candidates(asked.text)
        if asked.db_id:
            found = [question for question in found if question.db_id == asked.db_id]
        if len({(question.db_id, question.gold) for question in found}) == 1:
            return Match(found[0], "by its text in the prompt")
        if not found:
            return Match(None, f"no question of the data set {self.dataset.name!r} stands in the prompt word for word; "
                         "a column index or question would name it, or --dataset another data set")
        databases = ", ".join(sorted({question.db_id for question in found})[:4])
        return Match(None, f"{len(found)} questions of the data set have this text (databases {databases}); a column db_id or index would tell them apart")

    def _candidates(self, text: str) -> list[Question]:
        """The questions whose text is a line of the prompt; else those with the longest text that stands inside it."""
        lines = [_unlabelled(line) for line in text.splitlines()]
        for line in [*reversed(lines), _unlabelled(text)]:
            if line in self._by_text:
                return self._by_text[line]
        flat = _flat(text)
        longest = next((known for known in self._long if known in flat), None)
        return self._by_text[longest] if longest else []


def _flat(text: str) -> str:
    return " ".join(text.split())


def _unlabelled(line: str) -> str:
    """A line without what often stands before a question.

    >>> _unlabelled("Question:  How many books are there? ")
    'How many books are there?'
    """
    flat = _flat(line)
    for label in _LABELS:
        if flat.lower().startswith(label):
            return flat[len(label) :].strip()
    return flat
