"""Two results side by side: a table of rules and instances, and the rows that only the gold, only the answer, or both have,
under the rule that a switch chooses.

Not covered: running anything (``finer.results``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finer.compare import ROWS_SHOWN as MOST_LISTED
from finer.compare import Row, counted
from finer.records import Execution
from finer.render.markup import Markup, join, one_line, tag, text
from finer.render.style import fragment, status_badge
from finer.results import MAIN_ONLY, RULES, InstanceResult, ResultComparison, Rows

ROWS_SHOWN = 20
_CSS = (
    ".finer-view .e-rules,.finer-view .e-rows{overflow-x:auto}.finer-view .e-rules th,.finer-view .e-rows th{white-space:nowrap}"
    ".finer-view .e-rules td{min-width:7.5em}.finer-view .e-rules td:last-child{min-width:12em}"
    ".finer-view .e-switch{display:flex;flex-wrap:wrap;gap:4px 14px;margin:8px 0}.finer-view .e-switch label{display:inline-flex;gap:5px;align-items:center}"
    "@supports selector(:has(*)){.finer-view .e-of{display:none}"
    + "".join(f'.finer-view .e-all:has(input[value="{rule}"]:checked) .e-of-{rule}{{display:block}}' for rule in RULES)
    + "}"
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
    shown = tag("div", _switch(), *blocks, class_="e-all")
    return fragment("results", "Results of gold and answer", tag("h3", "Results under each rule"), flip_words(comparison), _rules(comparison), shown, extra_css=_CSS)


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


def _switch() -> Markup:
    """One of the rules, chosen without a script; a form of its own, so that two views on a page do not share the choice.

    Its method sends nothing anywhere, also where Enter is pressed.
    """
    options = [tag("label", tag("input", type="radio", name="rule", value=name, checked=name == "strict"), name) for name in RULES]
    words = tag("span", "Rows that do not agree under")
    return tag("form", words, *options, method="dialog", class_="e-switch", role="radiogroup", aria_label="Rule of comparison")


def _block(one: InstanceResult, is_open: bool) -> Markup:
    name = "the main instance" if one.instance == 0 else f"instance {one.instance}"
    counts = f"{one.both.count} in both, {one.only_gold.count} only in gold, {one.only_prediction.count} only in the answer"
    said = [tag("p", _verdict(one, rule), class_=f"e-of e-of-{rule}") for rule in RULES]
    body = (_execution("Gold", one.gold), _execution("Answer", one.prediction), *said, *_tables(one), _table(one, (("= in both", one.both),)))
    return tag("details", tag("summary", f"Rows on {name}: {counts}"), *body, open=is_open or None)


def _verdict(one: InstanceResult, rule: str) -> Markup:
    """What a rule says of an instance, also of one that it does not look at."""
    difference = one.differences[rule]
    words = "not judged: the gold did not run" if difference is None else "✓ equal" if difference.equal else f"✗ differs: {difference.reason}"
    aside = ". It looks at the main instance alone; this is what it would say here" if one.instance and rule in MAIN_ONLY else ""
    return join(tag("b", rule), ": ", one_line(words, 300), aside, ".")


def _tables(one: InstanceResult) -> list[Markup]:
    """The rows that stand alone, a table for all the rules that find the same ones."""
    found: dict[tuple, list[str]] = {}
    for rule in RULES:
        found.setdefault(_alone(one, rule), []).append(rule)
    labels = "− only in gold", "+ only in the answer"
    return [
        tag("div", _table(one, tuple(zip(labels, alone))), class_=" ".join(["e-of", *[f"e-of-{rule}" for rule in rules]]))
        for alone, rules in found.items()
        if any(rows.count for rows in alone)
    ]


def _alone(one: InstanceResult, rule: str) -> tuple[Rows, Rows]:
    """Rows that only the gold and only the answer have: none where the rule calls the results equal, BIRD's by its sets, else as strict pairs them."""
    difference, by_strict = one.differences[rule], (one.only_gold, one.only_prediction)
    if difference is not None and difference.equal:
        return Rows(), Rows()
    if difference is None or rule != "bird-ex":
        return by_strict
    listed = difference.only_gold, difference.only_prediction
    if all(rows == every.shown[:MOST_LISTED] for rows, every in zip(listed, by_strict)):
        return by_strict  # with the count of all, where the list was cut
    return Rows(tuple((row, 1) for row in listed[0]), len(listed[0])), Rows(tuple((row, 1) for row in listed[1]), len(listed[1]))


def _execution(label: str, execution: Execution) -> Markup:
    if execution.ran:
        return tag("p", f"{label}: {counted(len(execution.rows), 'row')}, {execution.seconds:.3f} s", class_="f-soft")
    return tag("p", f"{label}: ", status_badge(execution.status), " ", text(execution.error, 600))


def _table(one: InstanceResult, kinds: Sequence[tuple[str, Rows]]) -> Markup | None:
    names = one.gold.columns or one.prediction.columns
    head = tag("tr", tag("th", "", scope="col"), *[tag("th", one_line(name, 60), scope="col") for name in names])
    bodies = [_rows(label, rows, len(names)) for label, rows in kinds if rows.count]
    return tag("div", tag("table", tag("thead", head), *bodies), class_="e-rows") if bodies else None


def _rows(label: str, rows: Rows, width: int) -> Markup:
    each = rows.each[:ROWS_SHOWN]
    shown = [_row(label if times == 1 else f"{label}, {times} times", row) for row, times in each]
    rest = rows.count - sum(times for _, times in each)
    more = tag("tr", tag("td", f"{label}: {rest} more", colspan=width + 1, class_="f-soft")) if rest else None
    return tag("tbody", *shown, more)


def _row(label: str, row: Row) -> Markup:
    return tag("tr", tag("th", label, scope="row"), *[tag("td", _value(cell), class_="f-text") for cell in row])


def _value(cell: Any) -> Markup:
    """A value as SQL would write it, so that '1' and 1, and NULL and '', look different."""
    if cell is None:
        return tag("em", "NULL")
    return one_line(repr(cell), 160)
