"""Texts that a model or a database may hold and that a page must only ever show, and a run that is full of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import render_samples as samples

from finer.records import Group
from finer.runs import Run, RunWriter

HOSTILE = {
    "an end of the element": "</script><script>alert(1)</script>",
    "a comment": "<!-- <script>",
    "an image": "<img src=x onerror=alert(1)>",
    "an attribute": "\" onmouseover=\"alert(1)\" x='",
    "markdown": "# [a](javascript:alert(1)) ![b](x) **c** `d` | e |",
    "line separators": "a\u2028b\u2029c",
    "an override of direction": "\u202eLQS",
    "a terminal's escape": "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "a lone surrogate": "\udcff",
    "a template": "${alert(1)} `{{7*7}}",
    "a line of a megabyte": "x" * 1_000_000,
}
FROM_A_DATABASE = "SELECT CAST(x'fffe41' AS TEXT), '<img src=x onerror=alert(1)>', char(8238) || 'abc', printf('%.*c', 200000, 'x')"
"""Invalid UTF-8, HTML, an override of direction and a long value, as rows."""


def group_of(step: int, **texts) -> Group:
    """A group of four whose answers carry these texts: ``completion``, and fields of ``breakdown`` and ``question``."""
    asked = samples.group(step, step)
    answers = [
        replace(one, completion=texts.get("completion", one.completion), breakdown=replace(one.breakdown, **texts.get("breakdown", {})))
        for one in asked.rollouts
    ]
    return replace(asked, rollouts=tuple(answers), question=replace(asked.question, **texts.get("question", {})))


def hostile_group(step: int, nasty: str) -> Group:
    """A group in which everything that a person or a model wrote is this text."""
    group = group_of(step, completion=nasty, breakdown={"thought": nasty, "sql": nasty}, question={"text": nasty, "evidence": nasty})
    reward = [
        replace(one, breakdown=replace(one.breakdown, parts=tuple(replace(part, evidence={"summary": nasty, "reason": nasty}) for part in one.breakdown.parts)))
        for one in group.rollouts
    ]
    return replace(group, rollouts=tuple(reward))


def recorded(folder: Path, groups: list[Group], **config) -> Run:
    """A run of these groups, one a step."""
    with RunWriter.create(folder / "run", config) as writer:
        for group in groups:
            writer.write_step(group.step, [group], {}, {})
    return Run(folder / "run")


def hostile_run(folder: Path) -> Run:
    """A step for each text, one whose answers' rows are hostile, and a last one for all texts at once; databases: the starter's."""
    groups = [hostile_group(step, nasty) for step, nasty in enumerate(HOSTILE.values(), 1)]
    groups.append(group_of(len(groups) + 1, breakdown={"sql": FROM_A_DATABASE}, question={"gold": ("SELECT 1, 2, 3, 4",)}))
    groups.append(hostile_group(len(groups) + 1, "\n".join(HOSTILE.values())))
    return recorded(folder, groups, dataset="starter")
