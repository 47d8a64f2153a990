"""Two results side by side: a table of rules and instances, and the rows that only the gold, only the answer, or both have.

Not covered: running anything (``finer.results``).
"""

from __future__ import annotations

from typing import Any

from finer.compare import Row, counted
from finer.records import Execution
from finer.render.markup import Markup, one_line, tag, text
from finer.render.style import fragment, status_badge
from finer.results import MAIN_ONLY, RULES, InstanceResult, ResultComparison, Rows

ROWS_SHOWN = 20
_CSS = (
    ".finer-view .e-rules,.finer-view .e-rows{overflow-x:auto}.finer-view .e-rules th,.finer-view .e-rows th{white-space:nowrap}"
    ".finer-view .e-rules td{min-width:7.5em}.finer-view .e-rules td:last-child{min-width:12em}"
)
"""Wide tables scroll by themselves: a phone would squeeze their words into columns of letters."""
_MARKS = {True: "✓ equal", False: "✗ differs", None: "? not judged"}
_TONES = {True: "f-good", False: "f-bad", None: None}


def result_difference(comparison: ResultComparison, instance: int | None = None) -> Markup:
    """Which rules call the results equal, and the rows of each instance; ``instance`` is the one that stands open.

    None opens the first on which ``strict`` sees a difference, else the main one.
    """
    if comparison.missing:
        return fragment("results", "Results", tag("h3", "Results"), tag("p", "Nothing was run: ", text(comparison.missing)))
    opened = first_difference(comparison) if instance is None else instance
    blocks = [_block(one, one.instance == opened) for one in comparison.instances]
    return fragment("results", "Results of gold and answer", tag("h3", "Results under each rule"), flip_words(comparison), _rules(comparison), *blocks, extra_css=_CSS)


def first_difference(comparison: ResultComparison) -> int:
    """The first instance on which ``strict`` sees a difference, else the main one."""
    found = ((one.instance, one.differences["strict"]) for one in comparison.instances)
    return next((instance for instance, difference in found if difference and not difference.equal), 0)


def flip_words(comparison: ResultComparison) -> Markup:
    """One sentence: do the rules agree, and if not, which say right."""
    verdicts = {name: comparison.verdict(name) for name in RULES}
    right = [name for name, verdict in verdicts.items() if verdict]
    wrong = [name for name, verdict in verdicts.items() if verdict is False]
    if not right and not wrong:
        return tag("p", "Not judged: the gold did not run.")
    if not comparison.flips:
        return tag("p", f"Every rule says the same: {'right' if right else 'wrong'}.")
    return tag("p", "The rules disagree: ", tag("b", "right"), f" under {', '.join(right)}; ", tag("b", "wrong"), f" under {', '.join(wrong)}.")


def _rules(comparison: ResultComparison) -> Markup:
    places = [tag("th", "main" if one.instance == 0 else f"instance {one.instance}", scope="col") for one in comparison.instances]
    head = tag("tr", tag("th", "rule", scope="col"), *places, tag("th", "what it looks at", scope="col"))
    rows = [_rule_row(name, comparison) for name in RULES]
    return tag("div", tag("table", tag("thead", head), tag("tbody", *rows)), class_="e-rules")


def _rule_row(name: str, comparison: ResultComparison) -> Markup:
    cells = [_cell(one, name) for one in comparison.instances]
    overall = {True: "✓ ", False: "✗ ", None: "? "}[comparison.verdict(name)]
    return tag("tr", tag("th", overall + name, scope="row"), *cells, tag("td", RULES[name], class_="f-soft"))


def _cell(one: InstanceResult, name: str) -> Markup:
    if one.instance and name in MAIN_ONLY:
        return tag("td", "not looked at", class_="f-soft")
    difference = one.differences[name]
    equal = None if difference is None else difference.equal
    reason = None if difference is None or equal else tag("div", one_line(difference.reason, 120), class_="f-soft")
    return tag("td", tag("span", _MARKS[equal], class_=f"f-badge {_TONES[equal] or ''}"), reason)


def _block(one: InstanceResult, is_open: bool) -> Markup:
    name = "main instance" if one.instance == 0 else f"instance {one.instance}"
    counts = f"{one.both.count} in both, {one.only_gold.count} only in gold, {one.only_prediction.count} only in the answer"
    body = (_execution("Gold", one.gold), _execution("Answer", one.prediction), _table(one))
    return tag("details", tag("summary", f"Rows on the {name}: {counts}"), *body, open=is_open or None)


def _execution(label: str, execution: Execution) -> Markup:
    if execution.ran:
        return tag("p", f"{label}: {counted(len(execution.rows), 'row')}, {execution.seconds:.3f} s", class_="f-soft")
    return tag("p", f"{label}: ", status_badge(execution.status), " ", text(execution.error, 600))


def _table(one: InstanceResult) -> Markup:
    names = one.gold.columns or one.prediction.columns
    head = tag("tr", tag("th", "", scope="col"), *[tag("th", one_line(name, 60), scope="col") for name in names])
    kinds = (("− only in gold", one.only_gold), ("+ only in the answer", one.only_prediction), ("= in both", one.both))
    bodies = [_rows(label, rows, len(names)) for label, rows in kinds if rows.count]
    return tag("div", tag("table", tag("thead", head), *bodies), class_="e-rows") if bodies else tag("p", "Neither has a row.")


def _rows(label: str, rows: Rows, width: int) -> Markup:
    shown = [_row(label, row) for row in rows.shown[:ROWS_SHOWN]]
    rest = rows.count - len(shown)
    more = tag("tr", tag("td", f"{label}: {rest} more", colspan=width + 1, class_="f-soft")) if rest else None
    return tag("tbody", *shown, more)


def _row(label: str, row: Row) -> Markup:
    return tag("tr", tag("th", label, scope="row"), *[tag("td", _value(cell), class_="f-text") for cell in row])


def _value(cell: Any) -> Markup:
    """A value as SQL would write it, so that '1' and 1, and NULL and '', look different."""
    if cell is None:
        return tag("em", "NULL")
    return one_line(repr(cell), 160)
