"""What a reward pays each habit, as a table: how much more or less an answer with it earns than its group's others, part by part.

The first sentence names the habits that are paid backwards. Every number of a bar stands in words too.

Not covered: the comparison (``finer.habits``).
"""

from __future__ import annotations

from collections.abc import Sequence

from finer.habits import Habit
from finer.render.markup import Markup, tag
from finer.render.style import fragment, legend, part_class, signed

_ASKED = {True: "the gold has it", False: "the gold has it not", None: "any gold"}
_CSS = (
    ".finer-view .h-table{overflow-x:auto}.finer-view .h-table td{white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".finer-view .h-table tr.h-backwards td:first-child{font-weight:700}.finer-view .h-bar{display:flex;width:168px;height:14px}"
    ".finer-view .h-bar>span{display:flex;width:50%;height:100%}.finer-view .h-bar>span:first-child{flex-direction:row-reverse;border-right:1px solid var(--f-soft)}"
    ".finer-view .h-bar i{display:block;height:100%}"
)


def habits_table(found: Sequence[Habit], title: str = "What habits earn") -> Markup:
    """The habits as ``finer.habits`` found them: a sentence on those paid backwards, the parts' colours, a row a habit."""
    if not found:
        return fragment("habits", title, tag("p", "No group holds answers with a habit and answers without it.", class_="f-soft"))
    parts = list(dict.fromkeys(part for one in found for part in one.parts))
    heads = ("habit", "questions where", "answers with it", "groups with both", "earns (95 % over groups)", "by part")
    scales = {kind: max((_reach(one) for one in found if (one.asked is None) is kind), default=0.0) or 1.0 for kind in (True, False)}
    rows = [tag("tr", *_cells(one, scales[one.asked is None]), class_="h-backwards" if one.backwards else None) for one in found]
    table = tag("table", tag("thead", tag("tr", *[tag("th", head, scope="col") for head in heads])), tag("tbody", *rows))
    return fragment("habits", title, tag("p", tag("b", backwards_words(found))), legend(parts), tag("div", table, class_="h-table"), _definitions(), extra_css=_CSS)


def backwards_words(found: Sequence[Habit]) -> str:
    """A sentence on what is paid backwards.

    >>> from finer.seeds import OverSeeds
    >>> where = Habit("where", True, 9, 20, 4, OverSeeds(-0.1, -0.15, -0.05, 4), {"atomic": -0.08, "execution": -0.02})
    >>> backwards_words([where])
    'Paid backwards: where, which earns −0.100 where the gold has it (atomic −0.080, execution −0.020).'
    """
    backwards = [one for one in found if one.backwards]
    if not backwards:
        return "No habit is paid backwards by an interval that does not hold 0."
    told = [f"{one.name}, which earns {signed(one.earned.value, 3)}{_where(one)} ({_by_part(one)})" for one in backwards]
    return f"Paid backwards: {'; '.join(told)}."


def _where(one: Habit) -> str:
    return "" if one.asked is None else f" where {_ASKED[one.asked]}"


def _reach(one: Habit) -> float:
    """How far its bar goes to the longer side."""
    return max(sum(paid for paid in one.parts.values() if paid * side > 0) * side for side in (-1, 1))


def _cells(one: Habit, widest: float) -> list[Markup]:
    interval = "" if one.earned.low is None else f" ({signed(one.earned.low, 3)} to {signed(one.earned.high, 3)})"
    numbers = (f"{one.with_it:,} of {one.answers:,}", f"{one.groups:,}", f"{signed(one.earned.value, 3)}{interval}")
    return [tag("td", one.name), tag("td", _ASKED[one.asked]), *[tag("td", told) for told in numbers], tag("td", _bar(one, widest))]


def _bar(one: Habit, widest: float) -> Markup:
    sides = (
        tag("span", *[tag("i", class_=part_class(part), style=f"width:{abs(paid) / widest:.1%}") for part, paid in one.parts.items() if paid * side > 0])
        for side in (-1, 1)
    )
    return tag("div", *sides, class_="h-bar", role="img", aria_label=_by_part(one), title=_by_part(one))


def _by_part(one: Habit) -> str:
    ordered = sorted(one.parts.items(), key=lambda item: -abs(item[1]))
    return ", ".join(f"{part} {signed(paid, 3)}" for part, paid in ordered)


def _definitions() -> Markup:
    said = (
        "Earns: within a group, the mean pay of the answers with the habit less that of those without, as a mean over the groups that hold both. "
        "What the gold has and is paid less, a policy learns to leave out: it is paid backwards, as is what the gold has not and is paid more, and being right, running or being readable where it is paid less. Habits of a query are counted among the queries that can be read; the bars of the last rows, which hold for any gold, have a scale of their own. "
        "A habit may be paid for another that comes with it, and of so many intervals about one in twenty misses."
    )
    return tag("p", said, class_="f-soft")
