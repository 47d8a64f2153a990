"""What other settings would change: totals and advantages before and after, the shaping curve, and what stands upside down.

One group is drawn answer by answer; several are drawn as a cloud of advantages. Right and wrong differ in sign and stroke as well as in
colour.

Not covered: computing it (``finer.whatif``), turning it (``widgets``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finer.contributions import PARTS_FIRST
from finer.render.charts import nice_ticks, tick_label
from finer.render.group import advantage_words, contribution_words, scaling_words
from finer.render.markup import Markup, join, tag, text
from finer.render.style import fragment, number, signed, status_badge
from finer.whatif import (
    Answers,
    Change,
    Inversion,
    Outcome,
    Settings,
    compare,
    inversions,
    least_right,
    problem_of,
    ranks,
)

MOST_POINTS = 600
MOST_INVERSIONS = 12
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 360, 240, 40, 84, 14, 34
ROW, LEADER = 11, 14
"""Of the names where lines end: the height of one row, and the way from the line's end to it."""
NAMES_WIDE = 9
"""Characters of one row of names."""
_AMONG = {"group": "group's spread", "batch": "step's spread"}
WHATIF_CSS = (
    ".finer-view .i-charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr));gap:10px;max-width:900px}"
    ".finer-view .i-charts figure{margin:0;border:1px solid var(--f-line);border-radius:8px;padding:8px 10px 4px;min-width:0}"
    ".finer-view .i-charts figcaption{font-size:13px}"
    ".finer-view .i-line{stroke-width:2;fill:none}.finer-view .i-wrong{stroke-dasharray:5 3}"
    ".finer-view .i-line.s-down,.finer-view .i-line.s-execution,.finer-view .i-line.s-atomic{fill:none}"
    ".finer-view .i-dot.s-down{fill:var(--f-back);stroke-width:1.6}.finer-view .i-chosen{stroke-width:4}"
    ".finer-view .i-margin{stroke:var(--f-soft);stroke-width:1;stroke-dasharray:2 3}"
    ".finer-view .i-table td{font-variant-numeric:tabular-nums;white-space:nowrap}.finer-view .i-table td:last-child{white-space:normal;width:40%}"
    "@container (max-width:640px){.finer-view .i-table thead{display:none}.finer-view .i-table tr{display:flex;flex-wrap:wrap;gap:0 10px;"
    "border-bottom:1px solid var(--f-line);padding:5px 4px}.finer-view .i-table td{border:0;padding:2px 0}"
    ".finer-view .i-table td:last-child{width:100%}.finer-view .i-table td[data-name]::before{content:attr(data-name) \" \";color:var(--f-soft)}}"
)


def what_if(answers: Answers, before: Outcome, after: Outcome, group_id: int | None = None, chosen: int | None = None) -> Markup:
    """How two outcomes of the same answers differ, over all of them or in one group; ``chosen`` is a rollout id to mark."""
    if group_id is not None:
        kept = answers.group_ids == group_id
        answers, before, after = answers.take(kept), before.take(kept), after.take(kept)
    if not len(answers.group):
        return fragment("whatif", "What if", tag("p", "There are no answers yet.", class_="f-soft"))
    change = compare(answers, before, after)
    one_group = group_id is not None
    drawn = _totals_chart(answers, before, after, chosen) if one_group else _cloud(answers, before, after)
    charts = tag("div", drawn, _shaping_chart(answers, after), class_="i-charts")
    table = _table(answers, before, after, chosen) if one_group else None
    said = [tag("p", change_words(change), role="status"), *_warnings(answers, after.settings)]
    if not one_group:
        said.append(tag("p", f"Steps {answers.steps.min()} to {answers.steps.max()}: {len(answers.group):,} answers.", class_="f-soft"))
    said.append(tag("p", text(settings_words(after.settings), 600), class_="f-soft"))
    upside_down = _inversions(inversions(answers, after.totals, MOST_INVERSIONS), change, one_group)
    rule = tag("p", scaling_words(after.settings.scaling), class_="f-soft") if one_group else None
    return fragment("whatif", "What if", *said, charts, table, rule, upside_down, extra_css=WHATIF_CSS)


def change_words(change: Change) -> str:
    """One sentence on what changed.

    >>> change_words(Change(8, 28, 3, 1, 0, 0, 0, 2))
    '3 of 28 pairs of answers change places; 1 of 8 advantages changes its sign; groups without a signal: 0 (0 before).'
    """
    turned = f"{change.turned:,} of {change.answers:,} advantages change{'s' * (change.turned == 1)} {'its sign' if change.turned == 1 else 'sign'}"
    silent = f"groups without a signal: {change.silent_after:,} ({change.silent_before:,} before)"
    flips = f"{change.flips:,} of {change.pairs:,} pairs of answers change{'s' * (change.flips == 1)} places"
    return f"{flips}; {turned}; {silent}."


def settings_words(settings: Settings) -> str:
    """The settings on one line.

    >>> from finer.rewards.recipes import RECIPES
    >>> settings_words(Settings(RECIPES["sparse"]))
    'Settings: execution 1; no gate; margin 1; advantages not scaled.'
    """
    recipe, scaling = settings.recipe, settings.scaling
    weights = ", ".join(f"{part} {weight:.4g}" for part, weight in recipe.weights.items())
    gate = "a gate on the format" if recipe.gate else "no gate"
    held = " held" if settings.hold_margin else ""
    scaled = "not scaled" if scaling.scale_rewards == "none" else f"scaled by the {_AMONG[scaling.scale_rewards]}"
    if scaling.aggregation == PARTS_FIRST:
        scaled = "from parts that are normalised first"
    return f"Settings: {weights}; {gate}; margin {recipe.margin:.4g}{held}; advantages {scaled}."


def _warnings(answers: Answers, settings: Settings) -> list[Markup]:
    """What a person should know before believing the picture."""
    said = []
    problem = problem_of(settings.recipe)
    if problem:
        said.append(tag("p", "⚠ Training would refuse this: ", text(problem, 600), class_="w-note"))
    held = answers.scored & ~answers.follows.all(axis=1) & (answers.ran | (np.nan_to_num(answers.raw) != 0).any(axis=1))
    if held.any():
        said.append(tag("p", f"{int(held.sum()):,} answers keep a recorded value that does not follow from the recipe.", class_="f-soft"))
    if settings.hold_margin and settings.scaling.aggregation == PARTS_FIRST:
        said.append(tag("p", "Holding the margin has no effect here: parts that are normalised first have no total to cut.", class_="f-soft"))
    return said


class _Plot:
    """Two scales of one drawing."""

    def __init__(self, across: tuple[float, float], up: tuple[float, float]):
        self.across, self.up = across, up

    def x(self, value: float) -> float:
        low, high = self.across
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low)

    def y(self, value: float) -> float:
        low, high = self.up
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    def line(self, one: tuple[float, float], other: tuple[float, float], look: str, title: str = "") -> Markup:
        ends = {"x1": self.x(one[0]), "y1": self.y(one[1]), "x2": self.x(other[0]), "y2": self.y(other[1])}
        return tag("line", tag("title", title) if title else None, **ends, class_=look)

    def word(self, x: float, y: float, said: str, anchor: str = "start", right: float = 0.0) -> Markup:
        return tag("text", said, x=self.x(x) + right, y=self.y(y) + 4, text_anchor=anchor)

    def scale_up(self) -> list[Markup]:
        """Grid lines with their numbers."""
        low, high = self.across
        drawn = []
        for value in nice_ticks(*self.up):
            drawn += [self.line((low, value), (high, value), "c-grid"), self.word(low, value, tick_label(value), "end", -6)]
        return drawn

    def scale_across(self, said: str) -> list[Markup]:
        low = self.up[0]
        ticks = [tag("text", tick_label(value), x=self.x(value), y=HEIGHT - BOTTOM + 14, text_anchor="middle") for value in nice_ticks(*self.across)]
        middle = (LEFT + WIDTH - RIGHT) / 2
        name = tag("text", said, x=middle, y=HEIGHT - 4, text_anchor="middle")
        return [self.line((self.across[0], low), (self.across[1], low), "c-axis"), *ticks, name]


def _figure(caption: str, label: str, shapes: Sequence[Markup | None]) -> Markup:
    drawing = tag("svg", tag("title", label), *shapes, viewbox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label)
    return tag("figure", tag("figcaption", caption), drawing)


def _room(*values: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    space = 0.06 * (high - low) or 0.5
    return low - space, high + space


def _totals_chart(answers: Answers, before: Outcome, after: Outcome, chosen: int | None) -> Markup:
    """Each answer a line from its recorded total to the new one; lines that cross are answers that change places."""
    least = least_right(after.settings.recipe)
    bound = [] if least is None else [least - after.settings.recipe.margin]
    plot = _Plot((0.0, 1.0), _room(0.0, *before.totals.tolist(), *after.totals.tolist(), *bound))
    shapes = plot.scale_up()
    shapes += [plot.line((0.0, value), (1.0, value), "i-margin", "a wrong answer should stay below this line") for value in bound]
    shapes += [tag("text", "margin", x=(LEFT + WIDTH - RIGHT) / 2, y=plot.y(value) - 4, text_anchor="middle") for value in bound]
    for at in range(len(answers.group)):
        look = _look(bool(answers.right[at])) + (" i-chosen" if answers.rollout_ids[at] == chosen else "")
        one, other = float(before.totals[at]), float(after.totals[at])
        name = f"answer {answers.positions[at]}: {number(one, 3)} → {number(other, 3)}"
        shapes.append(plot.line((0.0, one), (1.0, other), f"i-line {look}", name))
    shapes += _names(answers, after.totals, plot)
    shapes += [tag("text", "recorded", x=LEFT, y=HEIGHT - 8, text_anchor="middle"), tag("text", "what if", x=WIDTH - RIGHT, y=HEIGHT - 8, text_anchor="middle")]
    caption = join("Totals: ", tag("b", "✓ right"), " (solid) and ", tag("b", "✗ wrong"), " (dashed)")
    return _figure(caption, "Totals of the answers, recorded and under the new settings", shapes)


def _names(answers: Answers, totals: np.ndarray, plot: _Plot) -> list[Markup]:
    """Where each answer ends, as sign and position, in rows that stand apart; a thin line leads from a row to its ends."""
    end, shapes = plot.x(1.0), []
    ends = [plot.y(value) for value in totals.tolist()]
    names = [f"{'✓' if right else '✗'}{position}" for right, position in zip(answers.right, answers.positions)]
    most = int((HEIGHT - BOTTOM - TOP) // ROW)
    rows = _rows_of(ends, names, 2.0)
    if len(rows) > most:  # more than the drawing is high: who ends close together shares a row, which counts the rest
        rows = [(y, _short(said)) for y, said in _rows_of(ends, names, ROW, NAMES_WIDE * len(names))]
    for (y, said), at in zip(rows, spread([y for y, _ in rows], ROW, TOP, HEIGHT - BOTTOM)):
        shapes.append(tag("line", x1=end + 2, y1=y, x2=end + LEADER - 2, y2=at, class_="c-axis"))
        shapes.append(tag("text", said, x=end + LEADER, y=at + 4))
    return shapes


def _rows_of(ends: Sequence[float], names: Sequence[str], alike: float, wide: int = NAMES_WIDE) -> list[tuple[float, str]]:
    """Height and words of each row of names, from above: ends no further than ``alike`` from one another share a row while it has room.

    >>> _rows_of([10, 50, 10.5, 51, 50], ["a1", "b2", "c3", "d4", "e5"], 2.0, 6)
    [(10, 'a1 c3'), (50, 'b2 e5'), (51, 'd4')]
    """
    rows: list[tuple[float, str]] = []
    for at in sorted(range(len(ends)), key=lambda place: ends[place]):
        y, said = rows[-1] if rows else (ends[at], "")
        if rows and ends[at] - y <= alike and len(said) + 1 + len(names[at]) <= wide:
            rows[-1] = (y, f"{said} {names[at]}")
        else:
            rows.append((ends[at], names[at]))
    return rows


def _short(said: str) -> str:
    """A row's first two names, and how many more there are.

    >>> _short("✗7 ✗2 ✗3 ✗6"), _short("✗7 ✗2")
    ('✗7 ✗2 +2', '✗7 ✗2')
    """
    names = said.split()
    return " ".join(names[:2]) + (f" +{len(names) - 2}" if len(names) > 2 else "")


def spread(heights: Sequence[float], gap: float, top: float, bottom: float) -> list[float]:
    """Heights in ascending order moved as little as a gap between any two needs, none below ``bottom``.

    >>> spread([10, 50, 52, 97], 11, 0, 100), spread([90, 95, 99], 11, 0, 100)
    ([10, 50, 61, 97], [78, 89, 100])
    """
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + gap if moved else top))
    limit = bottom
    for at in reversed(range(len(moved))):
        moved[at] = min(moved[at], limit)
        limit = moved[at] - gap
    return moved


def _look(right: bool) -> str:
    return "s-execution" if right else "s-down i-wrong"


def _cloud(answers: Answers, before: Outcome, after: Outcome) -> Markup:
    """Advantages before and after, a dot an answer; evenly thinned where there are too many to tell apart."""
    kept = _thinned(len(answers.group))
    one, other = before.advantages[kept], after.advantages[kept]
    plot = _Plot(_room(-0.01, 0.01, *one.tolist()), _room(-0.01, 0.01, *other.tolist()))
    shapes = [*plot.scale_up(), *plot.scale_across("recorded advantage")]
    shapes += [plot.line((0.0, plot.up[0]), (0.0, plot.up[1]), "c-axis"), plot.line((plot.across[0], 0.0), (plot.across[1], 0.0), "c-axis")]
    shapes += [_dot(plot, float(x), float(y), bool(answers.right[at])) for at, x, y in zip(kept, one, other)]
    shown = f"{len(kept):,} of {len(answers.group):,} answers" if len(kept) < len(answers.group) else f"{len(kept):,} answers"
    caption = f"Advantages under the new settings against the recorded ones ({shown}): ● right, ○ wrong"
    return _figure(caption, "Advantages before and after", shapes)


def _dot(plot: _Plot, x: float, y: float, right: bool, radius: float = 2.6, title: str = "") -> Markup:
    look = "i-dot s-execution" if right else "i-dot s-down"
    return tag("circle", tag("title", title) if title else None, cx=plot.x(x), cy=plot.y(y), r=radius, class_=look)


def _thinned(count: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(int))


def _shaping_chart(answers: Answers, after: Outcome) -> Markup | None:
    """phi over the overlap, with the answers on it; None where no answer's overlap is known."""
    known = np.flatnonzero(np.isfinite(answers.overlap))
    if not len(known):
        return None
    kept, shaping = known[_thinned(len(known))], after.settings.recipe.shaping
    overlaps = [(place / 40) ** 2 for place in range(41)]  # closer where an exponent below 1 bends most
    value = after.values[:, answers.parts.index("atomic")]
    plot = _Plot((-0.02, 1.02), _room(0.0, 1.0, *map(shaping, overlaps), *value[kept].tolist()))
    curve = " ".join(f"{plot.x(j):.1f},{plot.y(shaping(j)):.1f}" for j in overlaps)
    shapes = [*plot.scale_up(), *plot.scale_across("overlap J"), plot.line((0.0, 0.0), (1.0, 1.0), "i-margin", "value = J")]
    shapes.append(tag("polyline", points=curve, class_="i-line s-atomic"))
    # One dot for all answers at one place, the larger the more there are.
    places: dict[tuple[float, float, bool], int] = {}
    for at in kept:
        place = (round(float(answers.overlap[at]), 3), round(float(value[at]), 3), bool(answers.right[at]))
        places[place] = places.get(place, 0) + 1
    for (x, y, right), count in places.items():
        said = f"{count} {'right' if right else 'wrong'}: J = {x:g}, value {y:g}"
        shapes.append(_dot(plot, x, y, right, 3.0 + min(4.0, 0.8 * (count - 1) ** 0.5), said))
    caption = f"Shaping φ(J) = λJ + (1 − λ)βJ^γ with λ {shaping.lam:g}, β {shaping.beta:g}, γ {shaping.gamma:g}: ● right, ○ wrong"
    return _figure(caption, "Value of the atomic part over the overlap", shapes)


def _table(answers: Answers, before: Outcome, after: Outcome, chosen: int | None) -> Markup:
    names = ["#", "status", "total", "rank", "advantage", "is the sum of"]
    head = tag("thead", tag("tr", *[tag("th", name, scope="col") for name in names]))
    old, new = ranks(before.totals), ranks(after.totals)
    terms = after.contributions
    rows = []
    for at in np.lexsort((answers.positions, -after.totals)):
        marked = answers.rollout_ids[at] == chosen
        cells = (
            str(answers.positions[at]),
            status_badge(str(answers.statuses[at])),
            f"{number(float(before.totals[at]))} → {number(float(after.totals[at]))}",
            _rank_words(int(old[at]), int(new[at])),
            f"{signed(float(before.advantages[at]))} → {advantage_words(float(after.advantages[at]))}",
            contribution_words({name: float(term[at]) for name, term in terms.items()}),
        )
        shown = [tag("td", cell, data_name=name if name in ("total", "rank", "advantage") else None) for name, cell in zip(names, cells)]
        rows.append(tag("tr", *shown, class_="f-chosen" if marked else None, data_pick=f"g{answers.group_ids[at]}a{answers.positions[at]}"))
    return tag("table", head, tag("tbody", *rows), class_="i-table")


def _rank_words(old: int, new: int) -> str:
    """A rank with where it came from.

    >>> _rank_words(2, 1), _rank_words(1, 1)
    ('2 → 1 ↑', '1')
    """
    return str(new) if old == new else f"{old} → {new} {'↑' if new < old else '↓'}"


def _inversions(found: Sequence[Inversion], change: Change, one_group: bool) -> Markup:
    head = tag("h4", f"Wrong paid at least as much as right: {change.inversions_after:,} pairs ({change.inversions_before:,} before)")
    if not found:
        return join(head, tag("p", "None: no wrong answer is paid as much as a right one of its group.", class_="f-soft"))
    items = [tag("li", _inversion_words(one, one_group), data_pick=f"g{one.group_id}a{one.wrong_position}a{one.right_position}") for one in found]
    more = change.inversions_after - len(found)
    return join(head, tag("ul", *items), tag("p", f"… and {more:,} more", class_="f-soft") if more else None)


def _inversion_words(one: Inversion, one_group: bool) -> str:
    where = "" if one_group else f"group {one.group_id}: "
    wrong, right = number(one.wrong_total, 3), number(one.right_total, 3)
    return f"{where}wrong answer {one.wrong_position} is paid {wrong}, right answer {one.right_position} {right}"
