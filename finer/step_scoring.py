"""A step's completions, scored once: the questions are dealt over the ranks, and each has all that was paid.

Groups stay whole, also where TRL has split one over two processes: a reward function of one's own sees all answers to a question, and the
recorder and the memory see what they would in one process. Knows neither torch nor trl.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from finer import ranks
from finer.records import Question, RewardBreakdown
from finer.rewards import Scorer
from finer.rewards.trl import questions_of


class Answer(NamedTuple):
    """A completion as a trainer has it."""

    index: int
    """Of its question."""
    prompt: str
    completion: str
    length_tokens: int


@dataclass
class Scored:
    """A step's completions with what they were paid, in generation order; groups are neighbours."""

    questions: list[Question]
    prompts: list[str]
    completions: list[str]
    lengths_tokens: list[int]
    paid: list[RewardBreakdown]


def score_step(scorer: Scorer, answers: Sequence[Answer]) -> tuple[Scored, list[RewardBreakdown]]:
    """All ranks' completions, rank by rank, with what they were paid; and what this rank's own were paid."""
    shares = ranks.gathered(list(answers))
    rows = [answer for share in shares for answer in share]
    questions = questions_of(scorer, len(rows), {"index": [row.index for row in rows]})
    texts = [row.completion for row in rows]
    paid = _paid(scorer, questions, texts)
    first = sum(map(len, shares[: ranks.index()]))
    scored = Scored(questions, [row.prompt for row in rows], texts, [row.length_tokens for row in rows], paid)
    return scored, paid[first : first + len(answers)]


def _paid(scorer: Scorer, questions: Sequence[Question], texts: Sequence[str]) -> list[RewardBreakdown]:
    """What each is paid; neighbours with the same question are scored together, by the rank whose turn it is."""
    groups = [list(group) for _, group in groupby(zip(questions, texts, strict=True), key=lambda pair: pair[0])]
    batch = [(group[0][0], [text for _, text in group]) for group in groups]
    ours = ranks.agreed(lambda: scorer.score_many(batch[ranks.index() :: ranks.count()]))
    found = ranks.gathered((ours, scorer.take_noted()))
    scorer.note([noted for _, noted in found])
    dealt = [answers for answers, _ in found]
    return [answer for place in range(len(batch)) for answer in dealt[place % len(dealt)][place // len(dealt)]]
