"""One answer of a question followed through the steps, and what the matrix's page carries of questions and their groups.

At most MOST_QUESTIONS questions and of each its last MOST_GROUPS groups; the page says so. Texts are kept once.

Not covered: choosing the questions (``finer.run_index``), drawing (``finer.render.matrix_page``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from finer.ledger import words_apart, words_of
from finer.records import Group, Rollout
from finer.render.scripts import Texts
from finer.run_index_schema import QuestionGroups
from finer.runs import Run

MOST_QUESTIONS = 20
MOST_GROUPS = 40
LONGEST_TEXT = 4_000


def best_paid(group: Group) -> Rollout | None:
    """The answer with the largest total, the first of equals."""
    return max(group.rollouts, key=lambda rollout: (rollout.breakdown.total, -rollout.position), default=None)


def worst_paid(group: Group) -> Rollout | None:
    """The answer with the smallest total, the first of equals."""
    return min(group.rollouts, key=lambda rollout: (rollout.breakdown.total, rollout.position), default=None)


def first_right(group: Group) -> Rollout | None:
    """The right answer at the lowest position; None where none is right."""
    right = [rollout for rollout in group.rollouts if rollout.breakdown.status == "correct"]
    return min(right, key=lambda rollout: rollout.position, default=None)


def most_like(group: Group, other: Rollout | None) -> Rollout | None:
    """The answer with the fewest words and signs to add and to take away from another's; of equals the best paid, then the first."""
    if other is None:
        return None
    wanted = words_of(other.completion)

    def apart(rollout: Rollout) -> tuple[float, ...]:
        return words_apart(words_of(rollout.completion), wanted), -rollout.breakdown.total, rollout.position

    return min(group.rollouts, key=apart, default=None)


FOLLOWED = {
    "best": "best paid answer",
    "worst": "worst paid answer",
    "right": "first right answer",
    "like": "answer most like the chosen one",
}
"""Which answer of each group is followed, in words."""


def followed(group: Group, how: str = "best", chosen: Rollout | None = None) -> Rollout | None:
    """The answer of a group that is followed; ``chosen`` is the one that ``like`` goes by. None where the group has none such."""
    if how == "like":
        return most_like(group, chosen)
    return {"best": best_paid, "worst": worst_paid, "right": first_right}[how](group)


def history_data(
    run: Run,
    questions: Sequence[QuestionGroups],
    pinned: Collection[int] = (),
    chosen: int | None = None,
    how: str = "best",
    like: Rollout | None = None,
) -> dict[str, Any]:
    """The questions in this order; ``pinned`` are ids of questions, ``chosen`` the group that is shown first, ``how`` the answer that
    is followed first, ``like`` the one that the most alike are told of, to its own question alone.
    """
    texts = Texts(LONGEST_TEXT)
    shown = questions[:MOST_QUESTIONS]
    rows = [_row(run, texts, question, question.question_id in pinned, like) for question in shown]
    cut = [len(question.groups) for question in shown if len(question.groups) > MOST_GROUPS]
    said = f"Questions: {len(shown)}; of each group the best and the worst paid and the first right answer."
    if cut:
        said += f" Questions that were asked more often than {MOST_GROUPS} times: {len(cut)}; of these the last {MOST_GROUPS} groups."
    ways = {key: words for key, words in FOLLOWED.items() if key != "like" or like is not None}
    return {"texts": texts.all, "rows": rows, "chosen": chosen, "said": said, "ways": ways, "how": how if how in ways else "best"}


def _row(run: Run, texts: Texts, question: QuestionGroups, pinned: bool, like: Rollout | None) -> dict[str, Any]:
    last = question.groups[-MOST_GROUPS:]
    groups = [run.group(group_id) for group_id, *_ in last]
    gold = groups[-1].question.gold if groups else ()
    label = " ".join(f"{question.question_index} · {question.db_id} · {question.question}"[:300].split())[:90]
    own = like if like is not None and any(group_id == like.group_id for group_id, *_ in question.groups) else None
    cells = [_cell(texts, group, counts, own) for group, counts in zip(groups, last)]
    return {
        "label": texts.place(label), "question": texts.place(question.question), "gold": texts.place(gold[0] if gold else ""),
        "pinned": pinned, "cells": cells,
    }  # fmt: skip


def _cell(texts: Texts, group: Group, counts: tuple[int, ...], like: Rollout | None) -> list[Any]:
    """group, step, right, judged, answers, and of each way to follow an answer: position, status, total, advantage, text."""
    group_id, step, answers, judged, right = counts
    told = {how: _told(texts, followed(group, how, like)) for how in FOLLOWED}
    return [group_id, step, right, judged, answers, told]


def _told(texts: Texts, rollout: Rollout | None) -> list[Any] | None:
    if rollout is None:
        return None
    gain = None if rollout.advantage is None else round(rollout.advantage, 4)
    status, words = texts.place(rollout.breakdown.status), texts.place(rollout.completion)
    return [rollout.position, status, round(rollout.breakdown.total, 5), gain, words]
