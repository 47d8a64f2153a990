"""How far the operations of two queries agree: a Jaccard index over multisets, with the evidence.

    overlap = |P ∩ G| / |P ∪ G|     P, G: multisets of (clause, scope, text), every atom of equal weight

The paper has the set form over its own operations (FINER-SQL, arXiv 2605.03465, section on the atomic reward); the
multiset form counts a table joined twice as two. ``counted`` gives the same comparison another index, as a recipe asks
for it. Not covered: how much an overlap is paid (``rewards``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from finer.atoms.catalog import Catalog, catalog_of
from finer.atoms.errors import AtomError
from finer.atoms.extract import extract_with
from finer.atoms.near import changed
from finer.records import JACCARD, Atom, AtomicOverlap, Counting

Key = tuple[str, str, str]
_SECOND = re.compile(r"\b(\w+)#2\b")
_ARM = re.compile(r"\b(union|union all|intersect|intersect all)\.(left|right)\b")


def atomic_overlap(prediction: str, gold: str | Sequence[str], schema: Any = None) -> AtomicOverlap:
    """The overlap of a prediction with the gold query that it matches best. Never raises on any text.

    ``overlap`` is None, with the reason, where the prediction or every gold query cannot be read: not scored is
    neither 0 nor 1.

    >>> result = atomic_overlap("SELECT name FROM teacher", "SELECT name FROM student")
    >>> result.overlap, [atom.text for atom in result.missing]
    (0.0, ['student', 'student.name'])
    >>> atomic_overlap("SELECT x.a FROM t x WHERE x.b = 1", "SELECT a FROM t WHERE 1 = b").overlap
    1.0
    >>> atomic_overlap("no idea", "SELECT a FROM t").reason
    "prediction: not a query: it begins with 'no', not with SELECT or WITH"
    """
    catalog = catalog_of(schema)
    golds = (gold,) if isinstance(gold, str) else tuple(gold)
    found = _read(prediction, catalog)
    if isinstance(found, str):
        return AtomicOverlap(None, reason=f"prediction: {found}")
    best, reason = None, "there is no gold query"
    for query in golds:
        reference = _gold(query, catalog) if isinstance(query, str) else f"the query must be text, not {query!r}"
        if isinstance(reference, str):
            reason = reference
            continue
        for variant in _variants(reference):
            result = _compare(found, variant, query)
            if best is None or result.overlap > best.overlap:
                best = result
            if best.overlap == 1.0:
                return best
    return _with_changes(best) if best is not None else AtomicOverlap(None, reason=f"gold: {reason}")


def counted(found: AtomicOverlap, counting: Counting) -> AtomicOverlap:
    """The same comparison, counted another way; the gold query stays the one that the Jaccard index likes best.

        overlap = (m + h·c) / (m + g + e·(x − c))

    m operations match, g are missing, x extra, and c pairs of these changed; e weighs an extra one, h is what a changed one
    earns. The index of Tversky (1977) with part marks for near matches; the choice is ours. Where h ≥ 0 is given, trying an
    operation and missing its constant is never paid less than leaving it out.

    >>> tried = atomic_overlap("SELECT name FROM song WHERE year = 1", "SELECT name FROM song WHERE year = 2")
    >>> left_out = atomic_overlap("SELECT name FROM song", "SELECT name FROM song WHERE year = 2")
    >>> round(tried.overlap, 3), round(left_out.overlap, 3)
    (0.5, 0.667)
    >>> near = Counting(extra=0.5, changed=0.5)
    >>> round(counted(tried, near).overlap, 3), round(counted(left_out, near).overlap, 3)
    (0.833, 0.667)
    """
    if found.overlap is None or found.counting == counting:
        return found
    matched, missing, extra = len(found.matched), len(found.missing), len(found.extra)
    changes, earned = (0, 0.0) if counting.changed is None else (len(found.changed), counting.changed)
    union = matched + missing + counting.extra * (extra - changes)
    return replace(found, overlap=(matched + earned * changes) / union if union else 0.0, counting=counting)


def counting_of(evidence: Mapping[str, Any]) -> Counting:
    """How an atomic part's evidence says that it was counted; the Jaccard index where it says nothing that can be.

    >>> counting_of({"counting": {"extra": 0.5, "changed": None}}), counting_of({"counting": "?"}) == JACCARD
    (Counting(extra=0.5, changed=None), True)
    """
    told = evidence.get("counting")
    extra, changed = (told.get("extra"), told.get("changed")) if isinstance(told, Mapping) else (None, None)
    return Counting(float(extra), None if changed is None else float(changed)) if _is_share(extra) and (changed is None or _is_share(changed)) else JACCARD


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value <= 1


def _read(sql: str, catalog: Catalog) -> tuple[Atom, ...] | str:
    """The atoms of a text, or the reason why it has none."""
    try:
        return extract_with(sql, catalog)
    except AtomError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - a hole in our reading must not end a training run; the reason keeps it in sight
        return f"this reader failed on the query ({type(error).__name__}: {error}); please report it"


_gold = lru_cache(maxsize=16_384)(_read)
"""Gold queries come back at every step; predictions hardly ever do."""


def _compare(prediction: tuple[Atom, ...], gold: tuple[Atom, ...], query: str) -> AtomicOverlap:
    waiting: dict[Key, list[Atom]] = {}
    for atom in gold:
        waiting.setdefault((atom.clause, atom.scope, atom.text), []).append(atom)
    matched, extra = [], []
    for atom in prediction:
        twins = waiting.get((atom.clause, atom.scope, atom.text))
        if twins:
            matched.append((atom, twins.pop(0)))
        else:
            extra.append(atom)
    left = {id(atom) for twins in waiting.values() for atom in twins}
    missing = tuple(atom for atom in gold if id(atom) in left)
    union = len(matched) + len(extra) + len(missing)
    overlap = len(matched) / union if union else None
    return AtomicOverlap(overlap, tuple(matched), missing, tuple(extra), "" if union else "no operation", query)


def _with_changes(result: AtomicOverlap) -> AtomicOverlap:
    near = changed(result.missing, result.extra) if result.missing and result.extra else ()
    return replace(result, changed=near) if near else result


def _variants(atoms: tuple[Atom, ...]) -> Iterator[tuple[Atom, ...]]:
    """Readings of a gold query that mean the same: arms of a UNION exchanged, mentions of one table exchanged.

    ``extract`` already puts both in an order that does not depend on spelling; but where a prediction differs from
    gold a little, that order may fall out otherwise, and the difference would count twice.
    """
    yield atoms
    if any(atom.scope and _ARM.search(atom.scope) for atom in atoms):
        yield tuple(replace(atom, scope=_ARM.sub(_other_arm, atom.scope)) for atom in atoms)
    for table in sorted({name for atom in atoms if "#2" in atom.text for name in _SECOND.findall(atom.text)}):
        swapped = re.compile(rf"\b{re.escape(table)}(#2)?\.")
        yield tuple(replace(atom, text=_swap(swapped, table, atom)) for atom in atoms)


def _other_arm(match: re.Match[str]) -> str:
    return f"{match[1]}.{'right' if match[2] == 'left' else 'left'}"


def _swap(pattern: re.Pattern[str], table: str, atom: Atom) -> str:
    text = pattern.sub(lambda match: f"{table}." if match[1] else f"{table}#2.", atom.text)
    if atom.clause == "JOIN" and text.count(" = ") == 1 and " ON " not in text:
        return " = ".join(sorted(text.split(" = ")))
    return text
