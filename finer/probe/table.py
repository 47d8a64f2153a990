"""A probe's report as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from finer.probe.figures import LEVELS
from finer.probe.report import Example, ProbeReport

FEW = 30
"""A change with fewer cases is marked."""
SHOWN = 3
"""Examples shown of each kind."""
LONGEST = 160
"""Characters of a query that is shown."""


def table(report: ProbeReport) -> str:
    """The whole report: each measure, each change, and examples of what went wrong."""
    return "\n\n".join(part for part in (_head(report), _measures(report), _spread(report), _labels(report), _changes(report), _examples(report)) if part)


def _head(report: ProbeReport) -> str:
    sums = []
    for family in ("preserving", "breaking"):
        changes = [change for change in report.changes if change.family == family]
        cases, aside = sum(change.cases for change in changes), sum(change.set_aside for change in changes)
        sums.append(f"{family}: {len(changes)} changes, {cases:,} cases, {aside:,} more set aside ({percent(aside / (cases + aside) if cases + aside else None)})")
    return f"Probe of {report.dataset}, seed {report.seed}: {report.questions:,} questions, {report.passed_over:,} passed over\n" + "\n".join(sums)


def _measures(report: ProbeReport) -> str:
    rows = [("", "preserving full", "breaking less", "rank of edits", "within", "wrong > right", "text > query")]
    for each in report.measures:
        inverted = [_ratio(each.wrong_above_right.inverted, each.wrong_above_right.pairs), _ratio(each.text_above_query.inverted, each.text_above_query.pairs)]
        rows.append((each.name, percent(each.preserving_full), percent(each.breaking_less), _number(each.spearman), _number(each.spearman_within), *inverted))
    ladders = report.measures[0].ladders if report.measures else 0
    return _aligned(rows) + f"\nrank of edits: Spearman over {ladders} ladders of 1 to 5 edits (-1 is best), and its mean within a ladder"


def _spread(report: ProbeReport) -> str:
    rows = [("scores", "family", "not scored", "mean", *(f"{level:.0%}" for level in LEVELS))]
    for each in report.measures:
        for family, found in (("preserving", each.preserving), ("breaking", each.breaking)):
            cells = [f"{value:.2f}" for value in found.quantiles] or ["–"] * len(LEVELS)
            rows.append((each.name, family, f"{found.not_scored}", _number(found.mean), *cells))
    return _aligned(rows)


def _labels(report: ProbeReport) -> str:
    known = [each for each in report.measures if each.labels]
    if not known:
        return ""
    rows = [("labelled", "AUC", "AUC, every instance", "wrong at full", "right under half")]
    for each in known:
        found = each.labels
        rows.append((each.name, _number(found.auc, 4), _number(found.auc_agreed, 4), percent(found.wrong_full), percent(found.agreed_below_half)))
    found = known[0].labels
    told = f"{found.right:,} right ({found.agreed_right:,} on every instance), {found.wrong:,} not right, {report.labels_left_out:,} left out"
    return _aligned(rows) + "\n" + told


def _changes(report: ProbeReport) -> str:
    measures = [each.name for each in report.measures if each.name in ("part atomic", "part bigram", "part result", "reward")]
    rows = [("change", "family", "cases", "set aside", *measures)]
    for change in report.changes:
        few = "" if change.cases >= FEW else " *"
        rows.append((change.name, change.family, f"{change.cases}{few}", f"{change.set_aside}", *(percent(change.passed[name]) for name in measures)))
    return _aligned(rows) + f"\nshare that scores full (preserving) or less than full (breaking); * fewer than {FEW} cases"


def _examples(report: ProbeReport) -> str:
    parts = []
    for measure in report.measures:
        if measure.name == "part atomic" or measure.name == "reward":
            failures = [example for change in report.changes for example in change.failures[measure.name][:SHOWN]]
            parts += _block(f"{measure.name}: scored against its family", failures, "gold")
        if measure.name.startswith("recipe") or measure.name == "reward":
            parts += _block(f"{measure.name}: a wrong query paid more than a right one", measure.wrong_above_right.examples[:SHOWN], "right")
            parts += _block(f"{measure.name}: a text that is no query paid more than a wrong query", measure.text_above_query.examples[:SHOWN], "query")
    return "\n\n".join(parts)


def _block(title: str, examples: Iterable[Example], other: str) -> list[str]:
    lines = []
    for example in examples:
        lines.append(f"  question {example.index}, {example.change}: {_number(example.score)} against {_number(example.against_score)}")
        lines += [f"    text  {_short(example.sql)}", f"    {other:<5} {_short(example.against)}"]
    return ["\n".join([title, *lines])] if lines else []


def _short(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def percent(share: float | None) -> str:
    """A share with as many digits as tell it from all and none.

    >>> percent(1.0), percent(0.9996), percent(0.5), percent(None)
    ('100 %', '99.96 %', '50.00 %', '–')
    """
    if share is None:
        return "–"
    return "100 %" if share == 1 else f"{share:.2%}".replace("%", " %")


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _ratio(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}" if whole else "–"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns at equal width, the first to the left and the others to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True))) for row in rows)
