"""Near matches: an operation of the prediction that is an operation of gold with another constant or operator.

Two atoms are near if they stand in the same clause and scope and speak of the same thing: a condition of the same left side,
an aggregate of the same argument, an order by the same expression, two limits, two ways to remove repeats. Not covered:
degrees. Near is near, however far the constants lie apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from finer.records import Atom

_OPERATOR = re.compile(r" (?:=|<>|<=?|>=?|IS(?: NOT)?|(?:NOT )?(?:LIKE|GLOB|REGEXP|IN)) ")
_AGGREGATE = re.compile(r"(?:COUNT|SUM|AVG|MIN|MAX|GROUP_CONCAT)\((?:DISTINCT )?(.+)\)\Z")
_ORDER = re.compile(r"(.+) (?:ASC|DESC)(?: NULLS (?:FIRST|LAST))?(?: \(\d+\))?\Z")
_SIDE = re.compile(r"(?:LEFT|RIGHT|FULL) ")
_ALIKE = ("LIMIT", "OFFSET", "DISTINCT", "SET")


def changed(missing: Iterable[Atom], extra: Iterable[Atom]) -> tuple[tuple[Atom, Atom], ...]:
    """Pairs (prediction's, gold's) of near atoms, each atom in one pair at most, alike texts first.

    >>> one, two = Atom("WHERE", "singer.age > 20"), Atom("WHERE", "singer.age >= 21")
    >>> changed([two], [one, Atom("WHERE", "singer.name = 'a'")]) == ((one, two),)
    True
    """
    waiting: dict[tuple[str, str, str], list[Atom]] = {}
    for atom in sorted(missing, key=_order):
        about = subject(atom)
        if about is not None:
            waiting.setdefault((atom.clause, atom.scope, about), []).append(atom)
    if not waiting:
        return ()
    pairs = []
    for atom in sorted(extra, key=_order):
        partners = waiting.get((atom.clause, atom.scope, subject(atom) or ""))
        if partners:
            pairs.append((atom, partners.pop(0)))
    return tuple(pairs)


def _order(atom: Atom) -> str:
    return atom.text


def subject(atom: Atom) -> str | None:
    """What an atom speaks of, its constant and operator left out; None where that cannot be told.

    >>> subject(Atom("HAVING", "COUNT(*) > 3")), subject(Atom("SELECT", "MAX(singer.age)")), subject(Atom("LIMIT", "3"))
    ('COUNT(*)', 'singer.age', 'LIMIT')
    >>> subject(Atom("WHERE", "singer.a = 1 OR singer.b = 2")) is None
    True
    """
    clause, text = atom.clause, atom.text
    if clause in _ALIKE:
        return "first row" if text.startswith("first row") else clause
    if clause == "ORDER BY":
        found = _ORDER.match(text)
        return found[1] if found else None
    if clause == "SELECT":
        found = _AGGREGATE.match(text)
        return found[1] if found and _balanced(found[1]) else None
    if clause == "JOIN":
        text = _SIDE.sub("", text, count=1)
    if clause == "FROM" or clause == "GROUP BY" or clause == "WINDOW" or " OR " in text:
        return None
    found = _OPERATOR.search(text)
    head = text[: found.start()] if found else text if clause == "JOIN" else ""
    return head if head and _balanced(head) and head.count("'") % 2 == 0 else None


def _balanced(text: str) -> bool:
    """Does every bracket that closes here open here?"""
    depth = 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return False
    return depth == 0
