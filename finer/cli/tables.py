"""What the commands about answers print: lines of plain text from the objects that ``--json`` writes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

SHOWN = 10
"""Rows of a long list that are printed; a file written with --json holds them all."""
WIDTH = 110


def evaluation(found: dict[str, Any]) -> Iterator[str]:
    """One metric's figures."""
    answered = f"{len(found['per_question'])} predictions"
    yield f"{found['metric']} on {found['release']}: {answered}" + (f"; {found['unanswered']} questions have none" if found["unanswered"] else "")
    yield ""
    yield from shares([("all", found), *found["by_difficulty"].items()])
    yield ""
    yield "by what the gold uses (a question counts under each)"
    yield from shares(found["by_feature"].items())
    yield ""
    yield line("statuses", ", ".join(f"{status} {count}" for status, count in found["statuses"].items() if count))
    yield line("not judged", str(found["not_judged"]) + _reasons(found["per_question"]))
    if found["flipped"]:
        count, of = found["flipped"]["count"], found["flipped"]["of"]
        yield line("flipped", f"{count} of {of}: right on the main instance, wrong on another")
    yield line("options", options(found["options"]))
    if "with_alternatives" in found:
        yield ""
        yield from alternatives(found["with_alternatives"])


def alternatives(found: dict[str, Any]) -> Iterator[str]:
    """The figure with the alternatives that a person accepted, beside the one without them."""
    yield "with the alternatives that a person accepted"
    yield from shares([("all", found)])
    for change in found["changed"]:
        for one in change["alternatives"]:
            yield cut("  ", f"{change['index']}: {one['sql']}")
            yield cut("      ", f"{one['who']}, {one['when']}: {one['why']}")


def shares(named: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    """A share a line, with its interval and what it is of."""
    for name, one in named:
        if one["value"] is None:
            yield f"{name:14}not judged"
        else:
            low, high = one["interval"]
            yield f"{name:14}{percent(one['value'])}   {percent(low)} … {percent(high)}   of {one['n']}"


def comparison(found: dict[str, Any], first: str, second: str) -> Iterator[str]:
    """Two files of predictions, the second against the first."""
    yield f"{found['metric']} on {found['release']}: {found['n']} questions judged in both"
    yield ""
    for name, file in (("first", first), ("second", second)):
        yield from (f"{text}   {file}" for text in shares([(name, found[name])]))
    low, high = found["difference"]["interval"]
    yield f"{'difference':14}{signed(found['difference']['value'])}   {signed(low)} … {signed(high)}"
    yield f"{'McNemar':14}{len(found['gained'])} gained, {len(found['lost'])} lost, p = {found['p']:.3g} (exact)"
    alone = [f"{len(found[f'only_{name}'])} questions are answered by the {name} alone" for name in ("first", "second") if found[f"only_{name}"]]
    yield from (line("left out", text) for text in alone)
    yield line("options", options(found["options"]))
    for name in ("gained", "lost"):
        yield from _changes(name, found[name])


def _changes(name: str, changes: Sequence[dict[str, Any]]) -> Iterator[str]:
    if changes:
        yield ""
        yield name
    for change in changes[:SHOWN]:
        yield cut("  ", f"{change['index']} {change['db_id']}: {change['question']}")
        yield from (cut(f"      {side:8}", change[side]["sql"]) for side in ("first", "second"))
        wrong = change["first" if name == "gained" else "second"]
        yield cut("      because ", wrong["reason"] or wrong["status"])
    yield from rest(changes)


def suspects(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The doubts about the golds: how many of each kind, then each, what the data itself shows before what answers say."""
    from finer.suspects import KINDS

    found = sorted(found, key=lambda one: KINDS.index(one["kind"]))
    counts = {kind: sum(one["kind"] == kind for one in found) for kind in KINDS}
    yield line("suspect golds", ", ".join(f"{kind} {count}" for kind, count in counts.items() if count) or "none")
    for one in found[:SHOWN]:
        yield cut(f"  {one['index']:5} {one['kind']:9} ", one["reason"])
        yield cut("                  ", one["gold"])
        if one["answer"]:
            yield cut("          answers ", one["answer"])
    yield from rest(found)


def witnesses(found: dict[str, Any], folder: str) -> Iterator[str]:
    """What a search for further instances found."""
    yield f"{found['metric']}: {found['right']} of {found['n']} answers are right on the instances there are"
    yield f"{found['by_luck']} of them differ from the gold on an instance found, {found['without_reservation']} without reservation; the files are in {folder}"
    for one in found["witnesses"][:SHOWN]:
        yield cut(f"  {one['index']:5} ", one["reason"] + "".join(f" ({note})" for note in one["reservations"]))
        yield cut("        gold    ", one["gold"])
        yield cut("        answer  ", one["prediction"])
    if len(found["witnesses"]) > SHOWN:
        yield f"  … and {len(found['witnesses']) - SHOWN} more in {folder}/witnesses.json"


def rest(items: Sequence[Any]) -> Iterator[str]:
    """How many of a long list are not printed."""
    if len(items) > SHOWN:
        yield f"  … and {len(items) - SHOWN} more (--json FILE writes them all)"


def options(found: dict[str, Any]) -> str:
    """Every option with its value."""
    return ", ".join(f"{name} {_plain(value)}" for name, value in found.items())


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _reasons(rows: Sequence[dict[str, Any]]) -> str:
    """Why questions were not judged, the reasons that most share first."""
    counts: dict[str, int] = {}
    for row in rows:
        if row["correct"] is None:
            counts[row["reason"]] = counts.get(row["reason"], 0) + 1
    most = sorted(counts.items(), key=lambda item: -item[1])[:3]
    return "".join(f"; {count} × {reason[:80]}" for reason, count in most)


def line(name: str, text: str) -> str:
    """A named line, broken where it gets too long."""
    return textwrap.fill(text, WIDTH, initial_indent=f"{name:14}", subsequent_indent=" " * 14, break_long_words=False, break_on_hyphens=False)


def cut(start: str, text: str) -> str:
    """A line that fits the screen; white space in the text as single blanks."""
    plain = start + " ".join(text.split())
    return plain if len(plain) <= WIDTH else plain[: WIDTH - 1] + "…"


def percent(value: float) -> str:
    """A share in percent, six characters wide and more."""
    return f"{100 * value:5.1f} %"


def signed(value: float) -> str:
    """A difference in percentage points."""
    return f"{100 * value:+5.1f}"
