"""The signal ledger: for each step, what execution alone would have seen, and what the dense parts added.

Stacked columns over the steps with a table under them. A long run is summed into at most MOST_COLUMNS equal spans.

Not covered: counting (``finer.ledger``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from finer.ledger import EPSILON, StepSignal, summed
from finer.render.charts import tick_label
from finer.render.markup import Markup, tag
from finer.render.style import fragment

MOST_COLUMNS = 60
MOST_ROWS = 12
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 210, 44, 34, 8

_KINDS = (
    ("mixed", "mixed: right and wrong side by side, a signal under any reward"),
    ("ranked", "all wrong, ordered by the dense parts: a signal that execution alone lacks"),
    ("silent", "all wrong and paid the same: no signal"),
    ("right", "all right: no signal under execution"),
    ("unjudged", "not judged: the gold failed"),
)
_TEXTURES = {"mixed": "", "ranked": "h", "silent": "hv", "right": "v", "unjudged": "h"}
"""Stripes, lying (h) and standing (v): dashed lines as wide as the column, and not patterns, since a pattern is found by its
id and is gone where the first of two equal ledgers in a notebook is hidden."""
_COLOURS = {"mixed": "execution", "ranked": "atomic", "silent": "down", "right": "total", "unjudged": "other"}
_CSS = (
    ".finer-view .l-keys{display:flex;flex-direction:column;gap:2px;list-style:none;padding:0;margin:6px 0;font-size:13px}"
    ".finer-view .l-keys svg{display:inline-block;width:18px;height:14px;margin-right:8px;vertical-align:-2px}"
    ".finer-view .l-chart{overflow-x:auto}.finer-view .l-chart svg{min-width:480px}"
    ".finer-view .l-stripes{stroke:var(--f-texture);stroke-dasharray:1 5}"
    ".finer-view .l-table{overflow-x:auto}.finer-view .l-table th{white-space:normal}.finer-view .l-chart rect{stroke:var(--f-back);stroke-width:.6}"
)


def ledger(rows: Sequence[StepSignal], selected: Sequence[str] = ()) -> Markup:
    """The ledger of a run: ``rows`` as ``finer.ledger.signal_ledger`` counts them, one a step; ``selected``: which questions it asks, in
    sentences.
    """
    before = tag("p", "; ".join(selected) + ".", class_="f-soft") if selected else None
    if not rows:
        return fragment("ledger", "Signal ledger", before, tag("p", "No group has been recorded yet.", class_="f-soft"))
    spans = in_spans(rows, MOST_COLUMNS)
    content = (_headline(summed(rows)), before, _chart(spans), _keys(), _table(in_spans(rows, MOST_ROWS)), _definitions())
    return fragment("ledger", "Signal ledger", *content, extra_css=_CSS)


def in_spans(rows: Sequence[StepSignal], most: int) -> list[tuple[int, StepSignal]]:
    """At most ``most`` equal spans: the first step of each with its sum.

    >>> [(first, row.step, row.groups) for first, row in in_spans([StepSignal(step, groups=2) for step in (1, 2, 3)], 2)]
    [(1, 2, 4), (3, 3, 2)]
    """
    size = math.ceil(len(rows) / most)
    spans = [rows[start : start + size] for start in range(0, len(rows), size)]
    return [(span[0].step, summed(span)) for span in spans]


def share_words(count: int, of: int) -> str:
    """A share with its counts; a share of nothing is not 0.

    >>> share_words(3, 4), share_words(0, 0)
    ('75 % (3 of 4)', '— (none)')
    """
    return f"{count / of:.0%} ({count:,} of {of:,})".replace("%", " %") if of else "— (none)"


def _counts(row: StepSignal) -> dict[str, int]:
    silent = row.all_wrong - row.ranked
    return {
        "mixed": row.mixed,
        "ranked": row.ranked,
        "silent": silent,
        "right": row.all_right,
        "unjudged": row.unjudged,
    }


def _headline(whole: StepSignal) -> Markup:
    execution = share_words(whole.silent_under_execution, whole.judged)
    ranked = share_words(whole.ranked, whole.all_wrong)
    return tag(
        "div",
        tag("p", f"Under execution alone, {execution} of the judged groups would have given no signal: "
            f"{whole.all_wrong:,} all wrong and {whole.all_right:,} all right."),
        tag("p", f"The dense parts gave a signal to {ranked} of the all-wrong groups. ",
            _later_words(whole.ranked_later_right, whole.ranked_seen_again) if whole.ranked else "", _became_words(whole)),
        tag("p", "For contrast, the all-wrong groups without any signal. ",
            _later_words(whole.silent_later_right, whole.silent_seen_again)),
    )  # fmt: skip


def _later_words(right: int, again: int) -> str:
    if not again:
        return "None of their questions was asked again at a later step."
    return f"Of those whose question was asked again, {share_words(right, again)} later had a right answer."


def _became_words(whole: StepSignal) -> str:
    """How often the answer ranked first became right, beside how often it would have by chance."""
    if not whole.ranked_told:
        return ""
    by_chance = f"{whole.chance_became_right / whole.ranked_told:.0%}".replace("%", " %")
    return (
        f" In {share_words(whole.first_became_right, whole.ranked_told)} of these that can be told, it was the answer ranked first "
        f"that became right; totals dealt out by chance would have had it in {by_chance}."
    )


def _chart(spans: list[tuple[int, StepSignal]]) -> Markup:
    wide = (WIDTH - LEFT - 10) / len(spans)
    columns = [_column(first, row, LEFT + place * wide, wide) for place, (first, row) in enumerate(spans)]
    label = f"Share of groups by outcome, steps {spans[0][0]} to {spans[-1][1].step}"
    drawn = tag(
        "svg", tag("title", label), _grid(), columns, _step_labels(spans, wide),
        viewbox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label,
    )  # fmt: skip
    return tag("div", drawn, class_="l-chart")


def _column(first: int, row: StepSignal, x: float, wide: float) -> list[Markup]:
    marks, y = [], float(HEIGHT - BOTTOM)
    steps = f"step {row.step}" if first == row.step else f"steps {first} to {row.step}"
    for kind, count in _counts(row).items():
        tall = (HEIGHT - BOTTOM - TOP) * count / row.groups
        y -= tall
        if count:
            title = tag("title", f"{steps}: {kind}, {share_words(count, row.groups)}")
            where = {"x": x, "y": y, "width": wide, "height": tall}
            fill = f"var(--f-{_COLOURS[kind]})"
            marks.append(tag("g", title, tag("rect", **where, style=f"fill:{fill}"), _textured(kind, where), data_pick=f"s{first}"))
    return marks


def _textured(kind: str, where: dict[str, float]) -> list[Markup]:
    x, y, wide, tall = where["x"], where["y"], where["width"], where["height"]
    lines = {
        "h": {"x1": x + wide / 2, "x2": x + wide / 2, "y1": y, "y2": y + tall, "stroke_width": wide},
        "v": {"x1": x, "x2": x + wide, "y1": y + tall / 2, "y2": y + tall / 2, "stroke_width": tall},
    }
    return [tag("line", **lines[way], class_="l-stripes") for way in _TEXTURES[kind]]


def _grid() -> list[Markup]:
    marks = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share
        marks.append(tag("line", x1=LEFT, x2=WIDTH - 10, y1=y, y2=y, class_="c-grid"))
        marks.append(tag("text", f"{share:.0%}", x=LEFT - 6, y=y + 4, text_anchor="end"))
    return marks


def _step_labels(spans: list[tuple[int, StepSignal]], wide: float) -> list[Markup]:
    every = max(1, math.ceil(len(spans) / 10))
    marks = [
        tag("text", tick_label(first), x=LEFT + (place + 0.5) * wide, y=HEIGHT - BOTTOM + 14, text_anchor="middle")
        for place, (first, _) in enumerate(spans)
        if place % every == 0
    ]
    return [*marks, tag("text", "training step", x=(LEFT + WIDTH - 10) / 2, y=HEIGHT - 4, text_anchor="middle")]


def _keys() -> Markup:
    items = []
    for kind, words in _KINDS:
        where = {"x": 0.0, "y": 0.0, "width": 18.0, "height": 14.0}
        swatch = tag("rect", **where, style=f"fill:var(--f-{_COLOURS[kind]})")
        key = tag("svg", swatch, _textured(kind, where), viewbox="0 0 18 14", aria_hidden="true")
        items.append(tag("li", key, words))
    return tag("ul", *items, class_="l-keys")


def _table(spans: list[tuple[int, StepSignal]]) -> Markup:
    titles = [
        "steps",
        "groups",
        "all right",
        "mixed",
        "all wrong",
        "of these with a signal",
        "of these asked again",
        "and later right",
        "first became right",
        "by chance",
    ]
    head = tag("tr", *[tag("th", title, scope="col", class_="f-number") for title in titles])
    return tag(
        "div", tag("table", tag("thead", head), tag("tbody", *[_row(*span) for span in spans])), class_="l-table"
    )


def _row(first: int, row: StepSignal) -> Markup:
    steps = str(first) if first == row.step else f"{first}–{row.step}"
    shares = [f"{count / row.groups:.0%}" for count in (row.all_right, row.mixed, row.all_wrong)]
    later = f"{row.ranked_later_right:,}" if row.ranked_seen_again else "—"
    cells = [
        steps,
        f"{row.groups:,}",
        *shares,
        f"{row.ranked:,} of {row.all_wrong:,}",
        f"{row.ranked_seen_again:,}",
        later,
        *_became_cells(row),
    ]
    return tag("tr", *[tag("td", cell, class_="f-number") for cell in cells])


def _became_cells(row: StepSignal) -> tuple[str, str]:
    if not row.ranked_told:
        return "—", "—"
    return f"{row.first_became_right:,} of {row.ranked_told:,}", f"{row.chance_became_right:,.2f}"


def _definitions() -> Markup:
    said = (
        "Execution alone: 1 for a right answer, 0 for any other, so a group that is all right or all wrong has no spread. "
        f"A signal: the best and the worst total of the group differ by more than {EPSILON:g}. Later right: at a later step, "
        "a group of the same question holds a right answer; a question that was not asked again counts on neither side, so "
        "the last steps have few. The answer ranked first became right: in the question's first later group with a right answer, "
        "no other text of the all-wrong group is nearer to a right one than the best paid (words and signs to add and to take "
        "away, in any order). By chance: as often as that would be so had the same totals been dealt out at random; a group of one "
        "text alone cannot tell. It shows what followed, not what caused it."
    )
    how = tag("span", " A click on a column chooses its first step for all views.", class_="f-listens")
    return tag("p", said, how, class_="f-soft")
