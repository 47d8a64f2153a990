"""Two runs side by side: the questions that were gained and lost, with what either run wrote.

Works on anything with the fields of ``finer.compare_runs``' records.

Not covered: finding the pairs (``finer.compare_runs``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from finer.compare import counted
from finer.render.markup import Markup, join, one_line, tag
from finer.render.style import fragment, signed, status_badge

MOST_PAIRS = 40
APART_CSS = (
    ".finer-view .y-pairs td{vertical-align:top;width:34%}.finer-view .y-pairs td:first-child{width:auto}"
    ".finer-view .y-gained{color:var(--f-good)}.finer-view .y-lost{color:var(--f-bad)}"
    "@container (max-width:640px){.finer-view .y-pairs thead{display:none}.finer-view .y-pairs tr{display:block;border-bottom:1px solid "
    "var(--f-line)}.finer-view .y-pairs td{display:block;width:auto!important;border:0;padding:2px 0}}"
)


def runs_apart(
    comparison: Any,
    shown: Sequence[Any],
    names: tuple[str, str],
    part: str = "",
    answer: Callable[[Any, int], str] = lambda pair, place: "",
    mark: Callable[[Any], str | None] = lambda pair: None,
    looked_at: int = 0,
) -> Markup:
    """The figures of a comparison, and ``shown`` of its pairs.

    ``answer(pair, place)`` is the SQL that run ``place`` (0 or 1) wrote, where the pair itself holds none; ``mark(pair)`` what a click on
    it sends; the first ``looked_at`` pairs are those that a workbench shows.
    """
    if not comparison.pairs:
        empty = tag("p", "The two runs have no question in common here.", class_="f-soft")
        return fragment("apart", "Two runs compared", empty)
    titles = ("question", *names)
    head = tag("thead", tag("tr", *[tag("th", one_line(title, 60), scope="col") for title in titles]))
    rows = [_row(pair, part, answer, mark(pair), place < looked_at) for place, pair in enumerate(shown[:MOST_PAIRS])]
    how = tag("span", " A click on a question shows its answer in the workbench.", class_="f-listens") if any(map(mark, shown[:MOST_PAIRS])) else None
    more = f"{counted(len(shown), 'question')}{f', the first {MOST_PAIRS} shown' * (len(shown) > MOST_PAIRS)}."
    table = tag("table", head, tag("tbody", *rows), class_="y-pairs") if rows else None
    return fragment(
        "apart",
        "Two runs compared",
        tag("p", comparison_words(comparison, names)),
        tag("p", more, how, class_="f-soft"),
        table,
        extra_css=APART_CSS,
    )


def comparison_words(comparison: Any, names: tuple[str, str]) -> str:
    """The figures of a comparison in a sentence or two."""
    counts = {kind: sum(pair.change == kind for pair in comparison.pairs) for kind in ("gained", "lost", "same")}
    shares = [
        sum(getattr(pair, side).right for pair in comparison.pairs) / len(comparison.pairs)
        for side in ("first", "second")
    ]
    said = (
        f"By {comparison.source}, {len(comparison.pairs)} questions are shared: {names[0]} is right in {shares[0]:.1%}, {names[1]} in "
        f"{shares[1]:.1%}; {counts['gained']} gained, {counts['lost']} lost, {counts['same']} as before."
    )
    if comparison.p is None:
        return said
    return f"{said} McNemar's exact p is {'below 0.001' if comparison.p < 0.001 else f'{comparison.p:.3f}'}."


def _row(pair: Any, part: str, answer: Callable[[Any, int], str], mark: str | None, is_looked_at: bool) -> Markup:
    words = {"gained": "▲ gained", "lost": "▼ lost", "same": "= same"}[pair.change]
    about = " · ".join(one for one in (str(pair.question_index), pair.db_id, pair.question) if one)
    moved = tag("div", f"{part} {signed(pair.part_change(part))}", class_="f-soft") if part else None
    here = tag("div", "the question that you look at", class_="f-soft") if is_looked_at else None
    first = tag("td", tag("b", words, class_=f"y-{pair.change}"), tag("div", one_line(about, 200)), moved, here)
    return tag(
        "tr",
        first,
        *[_side(side, side.sql or answer(pair, place)) for place, side in enumerate((pair.first, pair.second))],
        class_="f-chosen" if is_looked_at else None,
        aria_current="true" if is_looked_at else None,
        data_pick=mark,
    )


def _side(side: Any, sql: str) -> Markup:
    if side.group_id is None:
        return tag("td", join(status_badge(side.status), " ", tag("code", one_line(sql or "(no SQL)", 400))))
    head = tag("div", f"{side.right:.0%} right at step {side.step}, group {side.group_id}", class_="f-soft")
    return tag("td", head, tag("code", one_line(sql or "(no SQL)", 400)))
