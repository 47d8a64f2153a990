"""An edited answer beside the one it came from: part by part, its waterfall, and the group with old and new places.

Not covered: scoring (``finer.edits``).
"""

from __future__ import annotations

from finer.edited import EditedGroup
from finer.records import RewardPart, Rollout
from finer.render.difference import text_difference
from finer.render.group import advantage_words
from finer.render.markup import Markup, join, one_line, tag
from finer.render.style import fragment, number, signed, status_badge
from finer.render.waterfall import waterfall

_CSS = (
    ".finer-view .f-edit pre{white-space:pre-wrap}.finer-view .f-edit .e-wide{overflow-x:auto}"
    ".finer-view .f-edit .e-wide td:last-child{white-space:nowrap}"
    ".finer-view .f-edit th{white-space:nowrap}.finer-view .f-edit .e-parts{width:auto}"
    ".finer-view .f-edit del{color:var(--f-bad);text-decoration:line-through}"
    ".finer-view .f-edit ins{color:var(--f-good);text-decoration:underline;text-underline-offset:3px}"
)
_WORDS = ("status", "SQL", "part")
"""Headings of columns that hold no numbers."""


def edited_answer(found: EditedGroup) -> Markup:
    """One edit: what changed in the text, in each part and in the group, then the waterfall."""
    parents = [rollout for rollout in found.was.rollouts if rollout.rollout_id == found.edit.parent]
    head = tag("h3", name_of(found), " ", status_badge(found.child.breakdown.status))
    said = tag("p", said_of(found, parents[0] if parents else None), role="status")
    changed = _changed(parents[0], found.child) if parents else tag("pre", tag("code", found.child.completion))
    shown = fragment("edit", name_of(found), head, said, changed, _parts(found, parents), _places(found), extra_css=_CSS)
    return Markup(shown + waterfall(found.child, found.now))


def name_of(found: EditedGroup) -> str:
    """What an edit is called."""
    edit = found.edit
    what = "further answer" if edit.parent is None else f"edit of answer {found.child.position}"
    return f"{what.capitalize()} (edit {edit.edit_id}, group {edit.group_id}, step {found.now.step})"


def said_of(found: EditedGroup, parent: Rollout | None) -> str:
    """One sentence: total, place and advantage before and after."""
    child = found.child
    place = f"place {found.place(child, found.now)} of {len(found.now.rollouts)}"
    if parent is None:
        return f"Total {number(child.breakdown.total)}, {place}, advantage {signed(child.advantage)}."
    before = f"place {found.place(parent, found.was)}"
    return (
        f"Total {number(parent.breakdown.total)} → {number(child.breakdown.total)}, {before} → {place}, "
        f"advantage {signed(parent.advantage)} → {signed(child.advantage)}."
    )


def _changed(parent: Rollout, child: Rollout) -> Markup:
    key = tag("p", tag("del", "only before"), " · ", tag("ins", "only after"), class_="f-soft")
    return join(key, tag("pre", tag("code", text_difference(parent.completion, child.completion))))


def _parts(found: EditedGroup, parents: list[Rollout]) -> Markup:
    old = {part.name: part for part in parents[0].breakdown.parts} if parents else {}
    rows = []
    for part in found.child.breakdown.parts:
        was = old.get(part.name)
        change = part.contribution - was.contribution if was else None
        cells = [_paid(was), _paid(part), signed(change)] if parents else [_paid(part)]
        rows.append(tag("tr", tag("th", part.name, scope="row"), *[tag("td", cell, class_="f-number") for cell in cells]))
    return tag("table", _head(["part", "before", "after", "change"] if parents else ["part", "paid"]), tag("tbody", *rows), class_="e-parts")


def _paid(part: RewardPart | None) -> str:
    return "—" if part is None else "not scored" if part.value is None else number(part.contribution)


def _places(found: EditedGroup) -> Markup:
    """The group as it would have been, best paid first; an answer that was replaced stands at the end, struck out."""
    ordered = sorted(found.now.rollouts, key=lambda one: (-one.breakdown.total, one.position))
    rows = [_row(found, rollout) for rollout in ordered]
    heads = ["place", "was", "answer", "total", "advantage", "was", "status", "SQL"]
    gone = [rollout for rollout in found.was.rollouts if rollout.rollout_id == found.edit.parent]
    rows += [_gone(found, rollout) for rollout in gone]
    return join(tag("h3", "The group with it"), tag("div", tag("table", _head(heads), tag("tbody", *rows)), class_="e-wide"))


def _row(found: EditedGroup, rollout: Rollout) -> Markup:
    is_child = rollout.rollout_id == found.child.rollout_id
    was = next((one for one in found.was.rollouts if one.rollout_id == rollout.rollout_id), None)
    now, before = found.place(rollout, found.now), found.place(rollout, found.was)
    moved = "new" if before is None else f"{before}" + (" ↑" if now < before else " ↓" if now > before else "")
    numbers = [now, moved, rollout.position, number(rollout.breakdown.total), advantage_words(rollout.advantage),
               advantage_words(was.advantage) if was else "—"]  # fmt: skip
    cells = [tag("td", value, class_="f-number") for value in numbers]
    shown = [tag("td", status_badge(rollout.breakdown.status)), tag("td", tag("code", one_line(rollout.sql or rollout.completion, 80)))]
    return tag("tr", *cells, *shown, class_="f-chosen" if is_child else None, aria_current="true" if is_child else None)


def _gone(found: EditedGroup, rollout: Rollout) -> Markup:
    numbers = ["—", found.place(rollout, found.was), rollout.position, number(rollout.breakdown.total), "—", advantage_words(rollout.advantage)]
    cells = [tag("td", value, class_="f-number") for value in numbers]
    shown = [tag("td", status_badge(rollout.breakdown.status)), tag("td", tag("del", tag("code", one_line(rollout.sql or rollout.completion, 80))))]
    return tag("tr", *cells, *shown, class_="f-soft")


def _head(names: list[str]) -> Markup:
    cells = [tag("th", name, scope="col", class_=None if name in _WORDS else "f-number") for name in names]
    return tag("thead", tag("tr", *cells))
