"""A thought and the verified thoughts near it: how near, from which database, written by whom and when.

Not covered: a map of the memory, scoring against an earlier snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from finer.records import RewardPart, Rollout
from finer.render.markup import Markup, join, tag, text
from finer.render.style import fragment, number, part_class

MOST_NEIGHBOURS = 20
_SOURCES = {"starter": "shipped with the starter data", "policy": "written by the policy"}


def memory_matches(rollout: Rollout, events: Iterable[Any] = ()) -> Markup:
    """The thought, its neighbours, and what became of it.

    ``events``: the run's memory events (records with ``kind``, ``trace``, ``reason`` and ``step``); the one whose trace is
    this answer's says whether the memory took the thought in.
    """
    parts = [part for part in rollout.breakdown.parts if part.name == "memory"]
    thought = rollout.breakdown.thought
    said = (
        tag("blockquote", text(thought))
        if thought.strip()
        else tag("p", "The answer holds no thought.", class_="f-soft")
    )
    found = (
        _matches(parts[0])
        if parts
        else tag("p", f"Recipe {rollout.breakdown.recipe} has no memory part.", class_="f-soft")
    )
    return fragment(
        "memory", "Memory", tag("h3", "The thought of this answer"), said, found, _insertion(rollout, list(events))
    )


def _matches(part: RewardPart) -> Markup:
    neighbours = list(part.evidence.get("neighbours", ()))
    paid = "not scored" if part.value is None else f"paid {part.weight:g} × {part.value:.3f} = {part.contribution:.3f}"
    head = join(
        tag("h3", "Nearest verified thoughts"), tag("p", f"{paid}. ", text(part.evidence.get("summary", ""), 600))
    )
    if not neighbours:
        return join(
            head, tag("p", text(part.evidence.get("reason") or "No neighbours were recorded."), class_="f-soft")
        )
    rows = [_neighbour(one) for one in neighbours[:MOST_NEIGHBOURS]]
    rest = len(neighbours) - len(rows)
    more = tag("p", f"{rest} further neighbours are not shown.", class_="f-soft") if rest else None
    return join(head, tag("ol", *rows, class_="m-list"), _snapshot(part), more)


def _snapshot(part: RewardPart) -> Markup | None:
    count = part.evidence.get("snapshot")
    return tag("p", f"Scored against a memory of {count} thoughts.", class_="f-soft") if count else None


def _neighbour(one: Mapping[str, Any]) -> Markup:
    similarity = float(one["similarity"])
    width = 100 * min(max(similarity, 0.0), 1.0)
    track = tag(
        "div", tag("i", class_=part_class("memory"), style=f"width:{width:.1f}%"), class_="m-track", aria_hidden="true"
    )
    left = tag("div", tag("b", number(similarity, 3)), track, aria_label=f"similarity {similarity:.3f}", role="group")
    about = f"{one['db_id']} · trace {one['trace_id']} · {source_words(one.get('source', ''), one.get('step', 0))}"
    right = tag("div", tag("div", text(one["thought"], 1500), class_="f-text"), tag("div", about, class_="f-soft"))
    return tag("li", left, right, class_="m-row")


def source_words(source: str, step: int) -> str:
    """Who wrote a trace, and when.

    >>> source_words("policy", 12), source_words("starter", 0)
    ('written by the policy after step 12', 'shipped with the starter data')
    """
    words = _SOURCES.get(source, source or "of unknown source")
    return f"{words} after step {step}" if step else words


def _insertion(rollout: Rollout, events: list[Any]) -> Markup:
    """What happened to this thought: events carry no rollout id, so step, thought and SQL together find it."""
    breakdown = rollout.breakdown
    key = (rollout.step, breakdown.thought.strip(), breakdown.sql.strip())
    mine = [one for one in events if (one.step, one.trace.thought.strip(), one.trace.sql.strip()) == key]
    head = tag("h3", "Did the memory take it in?")
    if not mine:
        why = (
            "Only right answers are offered to the memory." if breakdown.status != "correct" else "It was not offered."
        )
        return join(head, tag("p", f"No. {why}", class_="f-soft"))
    if any(one.kind == "inserted" for one in mine):
        return join(head, tag("p", f"✓ Yes: taken in after step {rollout.step}."))
    return join(head, tag("p", "✗ No, the gate refused it: ", text(mine[0].reason, 600)))
