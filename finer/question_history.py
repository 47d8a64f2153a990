"""What the matrix's page carries: questions, their groups over the steps, and of each group the best paid answer.

At most MOST_QUESTIONS questions and of each its last MOST_GROUPS groups; the page says so. Texts are kept once.

Not covered: choosing the questions (``finer.run_index``), drawing (``finer.render.matrix_page``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

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


def history_data(run: Run, questions: Sequence[QuestionGroups], pinned: Collection[int] = (), chosen: int | None = None) -> dict[str, Any]:
    """The questions in this order; ``pinned`` are ids of questions, ``chosen`` the group that is shown first."""
    texts = Texts(LONGEST_TEXT)
    shown = questions[:MOST_QUESTIONS]
    rows = [_row(run, texts, question, question.question_id in pinned) for question in shown]
    cut = [len(question.groups) for question in shown if len(question.groups) > MOST_GROUPS]
    said = f"Questions: {len(shown)}; of each group the best paid answer."
    if cut:
        said += f" Questions that were asked more often than {MOST_GROUPS} times: {len(cut)}; of these the last {MOST_GROUPS} groups."
    return {"texts": texts.all, "rows": rows, "chosen": chosen, "said": said}


def _row(run: Run, texts: Texts, question: QuestionGroups, pinned: bool) -> dict[str, Any]:
    last = question.groups[-MOST_GROUPS:]
    groups = [run.group(group_id) for group_id, *_ in last]
    gold = groups[-1].question.gold if groups else ()
    label = " ".join(f"{question.question_index} · {question.db_id} · {question.question}"[:300].split())[:90]
    cells = [_cell(texts, group, counts) for group, counts in zip(groups, last)]
    return {
        "label": texts.place(label), "question": texts.place(question.question), "gold": texts.place(gold[0] if gold else ""),
        "pinned": pinned, "cells": cells,
    }  # fmt: skip


def _cell(texts: Texts, group: Group, counts: tuple[int, ...]) -> list[Any]:
    """group, step, right, judged, answers, and of the best paid one: position, status, total, advantage, text."""
    group_id, step, answers, judged, right = counts
    best = best_paid(group)
    told = None
    if best is not None:
        gain = None if best.advantage is None else round(best.advantage, 4)
        status, words = texts.place(best.breakdown.status), texts.place(best.completion)
        told = [best.position, status, round(best.breakdown.total, 5), gain, words]
    return [group_id, step, right, judged, answers, told]
