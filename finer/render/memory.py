"""A thought and the thoughts near it: how near, from which database, written by whom and when; and what the gate let in.

Not covered: a map of the memory (``memory_map``), scores as of other steps (``memory_past``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from finer.records import RewardPart, Rollout
from finer.render.markup import Markup, join, tag, text
from finer.render.style import fragment, number, part_class

MOST_NEIGHBOURS = 20
MOST_REFUSED = 20
RULES = {
    "length": "too few or too many words",
    "mentions": "names too few tables and columns",
    "density": "names them too thinly",
    "repetition": "repeats itself",
    "duplicate": "too close to a thought that is there",
    "": "for another reason",
}
"""The gate's rules in the order in which they are asked, in words."""
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


def memory_gate(events: Iterable[Any]) -> Markup:
    """How many thoughts were offered to the memory, how many it kept, what share each rule of its gate refused, and the last of these.

    ``events``: memory events (records with ``kind``, ``trace``, ``collection``, ``rule``, ``reason`` and ``step``), of a run or of a step of it.
    """
    events = list(events)
    offered = {"verified": "thoughts of right answers", "failed": "thoughts of wrong answers"}
    rows = [_gate_row(words, [one for one in events if one.collection == name]) for name, words in offered.items()]
    columns = ("offered", "n", "kept", "refused, by rule")
    head = tag("tr", *[tag("th", column, scope="col") for column in columns])
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="m-gate")
    content = table if events else tag("p", "No thought was offered to the memory.", class_="f-soft")
    steps = sorted({one.step for one in events})
    when = f", steps {steps[0]} to {steps[-1]}" if len(steps) > 1 else f", step {steps[0]}" if steps else ""
    return fragment("gate", "The gate of the memory", tag("h3", f"What the gate let in{when}"), content, _refused(events))


def _refused(events: list[Any]) -> Markup | None:
    """The last refused thoughts with the reason of each, behind a fold."""
    refused = [one for one in events if one.kind == "refused"]
    shown = refused[: -MOST_REFUSED - 1 : -1]
    if not shown:
        return None
    head = tag("tr", *[tag("th", column, scope="col") for column in ("step", "thought", "why")])
    rows = [tag("tr", tag("td", one.step), tag("td", text(one.trace.thought, 300), class_="f-text"), tag("td", text(one.reason, 300))) for one in shown]
    summary = tag("summary", f"The last {len(shown)} of {len(refused):,} refused thoughts, each with the reason")
    return tag("details", summary, tag("table", tag("thead", head), tag("tbody", *rows), class_="m-gate"))


def _gate_row(words: str, events: list[Any]) -> Markup | None:
    if not events:
        return None
    refused = Counter(one.rule for one in events if one.kind == "refused")
    known = [rule for rule in RULES if rule in refused]
    rules = [tag("li", f"{_share(refused[rule], len(events))} {RULES[rule]}") for rule in known]
    kept = _share(len(events) - sum(refused.values()), len(events))
    cells = [tag("td", len(events), class_="m-count"), tag("td", kept, class_="m-count"), tag("td", tag("ul", *rules) if rules else "none")]
    return tag("tr", tag("th", words, scope="row"), *cells)


def _share(count: int, of: int) -> str:
    return f"{count} ({100 * count / of:.0f} %)"


def _matches(part: RewardPart) -> Markup:
    neighbours = list(part.evidence.get("neighbours", ()))
    paid = "not scored" if part.value is None else f"paid {part.weight:g} × {part.value:.3f} = {part.contribution:.3f}"
    head = join(
        tag("h3", "Nearest verified thoughts"), tag("p", f"{paid}: ", text(part.evidence.get("summary", ""), 600))
    )
    if not neighbours:
        return join(
            head, tag("p", text(part.evidence.get("reason") or "No neighbours were recorded."), class_="f-soft")
        )
    rows = [neighbour_row(one) for one in neighbours[:MOST_NEIGHBOURS]]
    rest = len(neighbours) - len(rows)
    more = tag("p", f"{rest} further neighbours are not shown.", class_="f-soft") if rest else None
    return join(head, tag("ol", *rows, class_="m-list"), _snapshot(part), more, _failed(part))


def _failed(part: RewardPart) -> Markup | None:
    """The other side of the contrastive form."""
    neighbours = part.evidence.get("failed_neighbours")
    if not neighbours:
        return None
    rows = [neighbour_row(one) for one in neighbours[:MOST_NEIGHBOURS]]
    said = f"Set against a memory of {part.evidence.get('failed_snapshot')} thoughts of wrong answers."
    return join(tag("h3", "Nearest failed thoughts"), tag("ol", *rows, class_="m-list"), tag("p", said, class_="f-soft"))


def _snapshot(part: RewardPart) -> Markup | None:
    count = part.evidence.get("snapshot")
    middle = "" if "to_verified" in part.evidence else " The similarity is that to the mean of the nearest ones, so it can be above each of theirs."
    return tag("p", f"Scored against a memory of {count} thoughts.{middle}", class_="f-soft") if count else None


def neighbour_row(one: Mapping[str, Any]) -> Markup:
    """One near trace as a row: similarity, thought, database, who wrote it and when (fields of ``records.Neighbour``)."""
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
        only_right = breakdown.status != "correct" and not any(one.collection == "failed" for one in events)
        why = "Only right answers are offered to the memory." if only_right else "It was not offered."
        return join(head, tag("p", f"No. {why}", class_="f-soft"))
    kept = [one for one in mine if one.kind == "inserted"]
    if kept:
        among = ", among the failed thoughts" if kept[0].collection == "failed" else ""
        return join(head, tag("p", f"✓ Yes: taken in after step {rollout.step}{among}."))
    return join(head, tag("p", "✗ No, the gate refused it: ", text(mine[0].reason, 600)))
