"""Gold and prediction side by side: what they share, what only changed, what one of them lacks, linked to their text.

The ledger reads well by itself; the link between an atom and its place in both texts is CSS (``:has``), so it works in a
saved notebook and in a file, with no script. A reader without styles still has the ledger in words.

Not covered: extracting atoms (``finer.atoms``); drawing lines between the texts.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from finer.atoms import counting_of
from finer.records import Atom, AtomicOverlap, Question, Rollout
from finer.render.markup import Markup, join, tag, text
from finer.render.style import fragment, number

CLAUSES = (
    "CTE",
    "FROM",
    "JOIN",
    "WHERE",
    "GROUP BY",
    "HAVING",
    "SELECT",
    "DISTINCT",
    "WINDOW",
    "SET",
    "ORDER BY",
    "LIMIT",
    "OFFSET",
)
SIGNS = {"matched": "=", "changed": "≈", "missing": "−", "extra": "+"}
_HEADS = {
    "matched": "= in both",
    "changed": "≈ changed (gold → prediction)",
    "missing": "− only in gold",
    "extra": "+ only in the prediction",
}


@dataclass(frozen=True)
class Entry:
    """One line of the ledger: an atom on one side or on both, under the number that links it to the texts."""

    number: int
    kind: str
    """matched, changed, missing or extra."""
    gold: Atom | None
    prediction: Atom | None

    @property
    def atom(self) -> Atom:
        return self.gold or self.prediction


def atom_ledger(rollout: Rollout, question: Question, overlap: AtomicOverlap | None = None) -> Markup:
    """Both queries with their atoms marked, and the ledger; ``overlap`` is read from the evidence where it is not given."""
    overlap = overlap or overlap_of(rollout)
    gold = overlap.gold or (question.gold[0] if question.gold else "")
    listed = entries(overlap)
    scope = "a-" + hashlib.sha1(f"{rollout.rollout_id}|{rollout.sql}|{gold}".encode("utf-8", "replace")).hexdigest()[:8]
    pair = tag(
        "div",
        _query("Gold" if gold not in question.references else "A right answer found by sampling", gold, [(one.number, one.kind, one.gold) for one in listed if one.gold]),
        _query("Prediction", rollout.sql, [(one.number, one.kind, one.prediction) for one in listed if one.prediction]),
        class_="a-pair",
    )
    content = tag("div", _head(overlap), pair, _ledger(listed), _raw(overlap), class_=scope)
    return fragment("atoms", "Operations of gold and prediction", content, extra_css=_links(scope, listed))


def overlap_of(rollout: Rollout) -> AtomicOverlap:
    """The overlap that the scorer left in the evidence of the part ``atomic``; with a reason where it left none."""
    parts = [part for part in rollout.breakdown.parts if part.name == "atomic"]
    if not parts:
        return AtomicOverlap(None, reason=f"recipe {rollout.breakdown.recipe} has no atomic part")
    evidence = parts[0].evidence
    if not any(evidence.get(kind) for kind in SIGNS):
        reason = evidence.get("reason") or evidence.get("summary") or "no operations were recorded for this answer"
        return AtomicOverlap(evidence.get("overlap"), reason=str(reason), gold=evidence.get("gold", ""))
    matched, changed = (tuple(map(_pair, evidence.get(kind, ()))) for kind in ("matched", "changed"))
    missing, extra = (tuple(map(_atom, evidence.get(kind, ()))) for kind in ("missing", "extra"))
    return AtomicOverlap(evidence.get("overlap"), matched, missing, extra, "", evidence.get("gold", ""), changed, counting_of(evidence))


def _pair(value: Any) -> tuple[Atom, Atom]:
    if isinstance(value, Mapping) and "prediction" in value:
        return _atom(value["prediction"]), _atom(value["gold"])
    if isinstance(value, Mapping):
        return _atom(value), Atom(value["clause"], value["text"], value.get("scope", ""))
    return _atom(value[0]), _atom(value[1])


def _atom(value: Mapping[str, Any]) -> Atom:
    span = value.get("span")
    return Atom(value["clause"], value["text"], value.get("scope", ""), tuple(span) if span else None)


def entries(overlap: AtomicOverlap) -> list[Entry]:
    """The ledger's lines, clause by clause in the order a person writes a query, numbered from 1."""
    found = [("matched", gold, prediction) for prediction, gold in overlap.matched]
    found += [("changed", gold, prediction) for prediction, gold in overlap.changed]
    found += [("missing", atom, None) for atom in _without(overlap.missing, [gold for _, gold in overlap.changed])]
    found += [("extra", None, atom) for atom in _without(overlap.extra, [mine for mine, _ in overlap.changed])]
    found.sort(key=lambda one: _clause_order((one[1] or one[2]).clause))
    return [Entry(place, *one) for place, one in enumerate(found, start=1)]


def _without(atoms: Sequence[Atom], shown: list[Atom]) -> list[Atom]:
    """The atoms, less one for each of ``shown``: a changed pair has a line of its own."""
    left = list(atoms)
    for atom in shown:
        if atom in left:
            left.remove(atom)
    return left


def _clause_order(clause: str) -> int:
    return CLAUSES.index(clause) if clause in CLAUSES else len(CLAUSES)


def _head(overlap: AtomicOverlap) -> Markup:
    counts = [len(overlap.matched), len(overlap.missing), len(overlap.extra)]
    if overlap.overlap is None or not sum(counts):
        said = "No overlap" if overlap.overlap is None else f"Overlap {number(overlap.overlap)}"
        return join(tag("h3", "Operations"), tag("p", said, ": ", text(overlap.reason, 600)))
    shown = Counter(one.kind for one in entries(overlap))
    near = f"{shown['changed']} changed, " if overlap.changed else ""
    said = f"{counts[0]} in both, {near}{shown['missing']} only in gold, {shown['extra']} only in the prediction. Overlap: "
    why = " (what is changed counts on both sides)" if overlap.changed and overlap.counting.changed is None else None
    return join(tag("h3", "Operations"), tag("p", said, tag("code", _arithmetic(overlap)), why))


def _arithmetic(overlap: AtomicOverlap) -> str:
    """The overlap as a sum that a person can check, the way it was counted."""
    counting, matched, missing, extra = overlap.counting, len(overlap.matched), len(overlap.missing), len(overlap.extra)
    over, weight = f"{matched}", "" if counting.extra == 1 else f"{counting.extra:g}·"
    if overlap.changed and counting.changed is not None:
        over, extra = f"({matched} + {counting.changed:g}·{len(overlap.changed)})", extra - len(overlap.changed)
    return f"{over} / ({matched} + {missing} + {weight}{extra}) = {overlap.overlap:.3f}"


def _query(label: str, sql: str, marks: list[tuple[int, str, Atom]]) -> Markup:
    body = marked(sql, marks) if sql.strip() else tag("em", "no SQL")
    return tag("div", tag("h4", label), tag("pre", tag("code", body)))


def marked(sql: str, marks: Sequence[tuple[int, str, Atom]]) -> Markup:
    """The query with each atom's span marked; where spans overlap, the piece lights for all, and points to the shortest."""
    spans = [(number_, kind, *atom.span) for number_, kind, atom in marks if atom.span]
    spans = [one for one in spans if 0 <= one[2] < one[3] <= len(sql)]
    cuts = sorted({0, len(sql), *(one[2] for one in spans), *(one[3] for one in spans)})
    return join(*[_piece(sql, start, end, spans) for start, end in pairwise(cuts)])


def _piece(sql: str, start: int, end: int, spans: list[tuple[int, str, int, int]]) -> Markup:
    over = [one for one in spans if one[2] <= start and end <= one[3]]
    if not over or not sql[start:end].strip():
        return text(sql[start:end])
    number_, kind, *_ = min(over, key=lambda one: (one[3] - one[2], one[0]))
    lit = " ".join(f"n{one[0]}" for one in over)
    return tag("span", sql[start:end], class_=f"a-span a-{kind} h{number_} {lit}", title=_HEADS[kind])


def _ledger(listed: list[Entry]) -> Markup | None:
    if not listed:
        return None
    clauses = dict.fromkeys(one.atom.clause for one in listed)
    head = tag("tr", tag("th", "clause", scope="col"), *[tag("th", head, scope="col") for head in _HEADS.values()])
    rows = [_clause_row(clause, [one for one in listed if one.atom.clause == clause]) for clause in clauses]
    return tag("table", tag("thead", head), tag("tbody", *rows), class_="a-ledger")


def _clause_row(clause: str, listed: list[Entry]) -> Markup:
    cells = []
    for kind, sign in SIGNS.items():
        chips = [_chip(one) for one in listed if one.kind == kind]
        cells.append(tag("td", *chips, data_kind=sign if chips else None))
    return tag("tr", tag("th", clause, scope="row"), *cells)


def _chip(one: Entry) -> Markup:
    scope = tag("small", " in ", one.atom.scope) if one.atom.scope else None
    spans = (one.gold and one.gold.span, one.prediction and one.prediction.span)
    nowhere = None if any(spans) else tag("small", " (no place in the text)")
    look = f"a-chip k-{one.kind} h{one.number} n{one.number}"
    instead = join(" → ", text(one.prediction.text, 400)) if one.kind == "changed" else None
    return tag("span", text(one.atom.text, 400), instead, scope, nowhere, class_=look, tabindex=0)


def _links(scope: str, listed: list[Entry]) -> str:
    """Rules that light an atom everywhere while the pointer or the keyboard is on one of its places."""
    lit = "background-color:var(--f-lit)!important;box-shadow:0 0 0 2px var(--f-lit)"
    rules = []
    for one in listed:
        over = f".finer-view .{scope}:has(.h{one.number}:hover) .n{one.number},.finer-view .{scope}:has(.h{one.number}:focus) .n{one.number}"
        rules.append(f"{over}{{{lit}}}")
    return "".join(rules)


def _raw(overlap: AtomicOverlap) -> Markup | None:
    gold = [pair[1] for pair in overlap.matched] + list(overlap.missing)
    prediction = [pair[0] for pair in overlap.matched] + list(overlap.extra)
    if not gold and not prediction:
        return None
    columns = [("Gold", gold), ("Prediction", prediction)]
    lists = [tag("div", tag("h4", f"{label}: {len(atoms)} operations"), _listing(atoms)) for label, atoms in columns]
    return tag("details", tag("summary", "All operations as they were read"), tag("div", *lists, class_="a-pair"))


def _listing(atoms: Iterable[Atom]) -> Markup:
    ordered = sorted(atoms, key=lambda atom: (atom.scope, _clause_order(atom.clause), atom.text))
    lines = [f"{atom.scope + ': ' if atom.scope else ''}{atom.clause} {atom.text}" for atom in ordered]
    return tag("pre", tag("code", "\n".join(lines)))
