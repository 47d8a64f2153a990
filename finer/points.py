"""A run's answers as points to explore: their measures, what they can be marked by, and a line of text each.

Of a run with more answers than are shown, whole groups are taken at even distances from the first to the last, and the words
that come with them say so.

Not covered: drawing (``finer.render.points``, ``finer.render.points_page``).
"""

from __future__ import annotations

import json
from typing import Any

from finer.explorer import evenly
from finer.render.markup import plain_line
from finer.render.points import Points, status_words
from finer.runs import Run

MOST_POINTS = 5_000
"""What a browser still moves without a stutter, and a page under 10 MB still holds."""
_SIZES = "SELECT group_id, count(*) FROM rollouts GROUP BY group_id ORDER BY min(step), group_id"
_GROUPS = """SELECT group_id, json_extract(question, '$.index'), json_extract(question, '$.db_id'), substr(json_extract(question, '$.text'), 1, 400),
json_extract(question, '$.difficulty') FROM groups WHERE group_id IN (SELECT value FROM json_each(?))"""
_ANSWERS = """SELECT rollout_id, group_id, position, step, status, advantage, length_tokens,
substr(CASE sql WHEN '' THEN completion ELSE sql END, 1, 600) FROM rollouts
WHERE group_id IN (SELECT value FROM json_each(?)) ORDER BY step, group_id, position LIMIT ?"""
_PARTS = """SELECT p.rollout_id, p.name, p.value, p.weight FROM rollouts r JOIN parts p USING (rollout_id)
WHERE r.group_id IN (SELECT value FROM json_each(?)) ORDER BY p.rollout_id, p.position"""


def points_of(run: Run, most: int = MOST_POINTS, longest_text: int = 200) -> Points:
    """At most ``most`` answers; the measures are step, total, advantage, completion tokens and every part."""
    sizes = [tuple(row) for row in run.query(_SIZES)]
    ids = evenly(sizes, most)
    asked = json.dumps(ids)
    groups = {row[0]: tuple(row)[1:] for row in run.query(_GROUPS, (asked,))}
    answers = [tuple(row) for row in run.query(_ANSWERS, (asked, most))]
    paid: dict[int, dict[str, tuple[float | None, float]]] = {}
    for rollout_id, name, value, weight in run.query(_PARTS, (asked,)):
        paid.setdefault(rollout_id, {})[name] = (value, weight)
    about = {key: (plain_line(f"{index} · {db_id} · {text}", longest_text), plain_line(db_id, 60), difficulty)
             for key, (index, db_id, text, difficulty) in groups.items()}  # fmt: skip
    questions, databases, difficulties = ([about[row[1]][at] for row in answers] for at in range(3))
    return Points(
        *(tuple(row[at] for row in answers) for at in range(3)),
        questions=tuple(questions),
        sql=tuple(plain_line(row[7], longest_text) for row in answers),
        measures=_measures(answers, paid),
        marks={
            "status": tuple(status_words(row[4]) for row in answers),
            "database": tuple(databases),
            "difficulty": tuple(str(one or "not said") for one in difficulties),
        },
        said=_said(len(answers), sum(size for _, size in sizes), len(ids), len(sizes)),
    )


def _measures(answers: list[tuple], paid: dict[int, dict[str, tuple]]) -> dict[str, tuple[Any, ...]]:
    names = list(dict.fromkeys(name for parts in paid.values() for name in parts))
    parts = [paid.get(row[0], {}) for row in answers]
    totals = (sum(weight * value for value, weight in one.values() if value is not None) for one in parts)
    measures = {
        "step": tuple(row[3] for row in answers),
        "total": tuple(_short(total) for total in totals),
        "advantage": tuple(_short(row[5]) for row in answers),
        "completion tokens": tuple(row[6] for row in answers),
    }
    return measures | {f"part {plain_line(name, 60)}": tuple(_short(one.get(name, (None,))[0]) for one in parts) for name in names}


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def _said(shown: int, whole: int, groups: int, all_groups: int) -> str:
    if shown == whole:
        return f"All {whole:,} answers of the run."
    return (
        f"{shown:,} of the run's {whole:,} answers: {groups:,} of {all_groups:,} groups, taken at even distances from the first "
        f"to the last, since at most {MOST_POINTS:,} are drawn."
    )
