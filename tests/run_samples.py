"""Small groups and steps for the tests of the run store."""

from __future__ import annotations

import math

from finer.records import Group, Question, RewardBreakdown, RewardPart, Rollout

CONFIG = {"policy": "tiny", "recipe": "finer", "seed": 7, "weights": {"atomic": 0.4}, "learning_rate": 3e-4}


def question(index=3):
    gold = ("SELECT name FROM book", "SELECT b.name FROM book b")
    return Question(index, "library", "Which books are there?", gold, "a hint", "easy", "train", ("book",), True)


def rollout(rollout_id, step, group_id, position, value=0.5, status="wrong"):
    parts = (
        RewardPart("execution", value, 1.0, {"summary": "row (3, 'Ada') is missing", "rows": [[3, "Ada"], [None, 0.1]]}),
        RewardPart("atomic", value, 0.4, {"summary": "3 of 4 operations"}),
        RewardPart("memory", None, 0.1, {"summary": "not scored: no trace of another database"}),
    )
    breakdown = RewardBreakdown("finer", status, parts, "look at book", "SELECT name FROM book")
    return Rollout(rollout_id, step, group_id, position, "<think>…</think>\nSELECT", breakdown, 0.25 * position, 12)


def group(step, group_id=None, first=None, size=4, values=None, statuses=None):
    group_id = step if group_id is None else group_id
    first = 1 + (step - 1) * size if first is None else first
    values = values or [i / 7 for i in range(size)]
    statuses = statuses or ["correct"] + ["wrong"] * (size - 1)
    members = (rollout(first + i, step, group_id, i, values[i], statuses[i]) for i in range(size))
    return Group(group_id, step, question(), "the prompt", tuple(members))


def write(writer, step, **more):
    writer.write_step(step, [group(step, **more)], {"reward": step / 10, "loss": math.nan}, {"generation": 1.5, "update": 0.5})
