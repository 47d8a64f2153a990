"""What a probe found, change by change: one row a rewriting or edit, one bar a reward.

A full bar is a reward that keeps to the meaning; an empty one is a blind spot. The share stands beside the bar in words.

Not covered: drawing and scoring the cases (``finer.probe``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from finer.render.markup import Markup, one_line, tag
from finer.render.style import fragment

WIDE, TALL = 60.0, 10.0
_ASKED = {
    "preserving": "Another spelling, the same meaning: is it paid in full?",
    "breaking": "Another meaning: is it paid less than the gold?",
}
_CSS = (
    ".finer-view .b-table{width:auto}.finer-view .b-table td,.finer-view .b-table th{padding:1px 10px 1px 2px;font-weight:400;text-align:left}"
    ".finer-view .b-table thead th,.finer-view .b-all th,.finer-view .b-all td{font-weight:650}.finer-view .b-table td{white-space:nowrap}"
    ".finer-view .b-table svg{display:inline-block;width:60px;height:10px;margin-right:4px}"
    ".finer-view .b-blind{color:var(--f-bad)}"
)


@dataclass(frozen=True)
class ChangeShares:
    """How often each reward kept to the meaning under one change."""

    name: str
    family: str
    """'preserving' or 'breaking'."""
    cases: int
    passed: Mapping[str, float | None]
    """By reward: the share paid in full (preserving), or less than in full (breaking); None where nothing was scored."""


def probe_shares(changes: Sequence[ChangeShares], measures: Mapping[str, str]) -> Markup:
    """A table a family; ``measures`` names the keys of ``passed`` that are shown, and how each is called.

    ``changes`` may be those of a ``ProbeReport``: they have the same fields. Changes without a case are left out; those that every
    measure passes are only named.
    """
    tables = [_table(family, asked, changes, measures) for family, asked in _ASKED.items()]
    if not any(tables):
        return fragment("probe", "What the probe found", tag("p", "No case to show yet.", class_="f-soft"))
    return fragment("probe", "What the probe found", *tables, extra_css=_CSS)


def _table(family: str, asked: str, changes: Sequence[ChangeShares], measures: Mapping[str, str]) -> Markup | None:
    rows = sorted((change for change in changes if change.family == family and change.cases), key=lambda change: _mean(change, measures))
    if not rows:
        return None
    head = tag("tr", tag("th", "change"), tag("th", "cases"), *[tag("th", label, scope="col") for label in measures.values()])
    total = ChangeShares("all of them", family, sum(change.cases for change in rows), {name: _over_all(rows, name) for name in measures})
    telling = [change for change in rows if any(change.passed[name] != 1.0 for name in measures)]
    body = [_row(total, measures, "b-all"), *[_row(change, measures) for change in telling]]
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="b-table")
    return tag("div", tag("h3", asked), table, _passed([change for change in rows if change not in telling]))


def _passed(rows: Sequence[ChangeShares]) -> Markup | None:
    """The changes on which no measure fails, by name."""
    if not rows:
        return None
    names = ", ".join(change.name.replace("_", " ") for change in rows)
    return tag("p", f"And {len(rows)} that every one passes: {names}.", class_="f-soft")


def _mean(change: ChangeShares, measures: Mapping[str, str]) -> float:
    shares = [share for name in measures if (share := change.passed[name]) is not None]
    return sum(shares) / len(shares) if shares else 1.0


def _over_all(rows: Sequence[ChangeShares], name: str) -> float | None:
    scored = [(change.cases, share) for change in rows if (share := change.passed[name]) is not None]
    return sum(cases * share for cases, share in scored) / sum(cases for cases, _ in scored) if scored else None


def _row(change: ChangeShares, measures: Mapping[str, str], look: str | None = None) -> Markup:
    cells = [tag("td", _bar(change.passed[name])) for name in measures]
    return tag("tr", tag("th", one_line(change.name.replace("_", " "), 60), scope="row"), tag("td", change.cases, class_="f-number"), *cells, class_=look)


def _bar(share: float | None) -> Markup:
    if share is None:
        return tag("span", "—", class_="f-soft")
    words = f"{share:.0%}".replace("%", " %")
    full = tag("rect", x=0.5, y=0.5, width=max(0.0, (WIDE - 1) * share), height=TALL - 1, style="fill:var(--f-total)")
    frame = tag("rect", x=0.5, y=0.5, width=WIDE - 1, height=TALL - 1, style="fill:none;stroke:var(--f-soft)")
    drawing = tag("svg", full, frame, viewbox=f"0 0 {WIDE:g} {TALL:g}", role="img", aria_label=words)
    return tag("span", drawing, " ", words, class_=None if share else "b-blind")
