"""Which of several candidate answers to one question is given: by what their results have in common, never by the gold.

Pure functions over candidates that were executed on the main instance of their database. A candidate that did not run
never wins over one that ran, ``greedy`` apart, which asks for no execution.

| method | the winner |
|---|---|
| greedy | candidate 0, whatever it gave: by convention the greedy answer stands first |
| first | the first candidate that ran |
| majority | the first of the largest group of equal results |
| vav-published | FINER-SQL's value-aware vote with its faults (see :func:`published_signature`), to be measured against |
| vav | the value-aware vote mended: ``majority``, where a result that says nothing has half its votes |

Not covered: execution (``sandbox``), whether the winner is right (``judge``), sampling (``sampling``).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finer.errors import FinerError, unknown
from finer.records import Execution

METHODS = ("greedy", "first", "majority", "vav-published", "vav")
PUBLISHED_CHARACTERS = 200
"""Where the published vote cuts its signature."""
PUBLISHED_ZERO = 1e-12
SIGNIFICANT_DIGITS = 10
CLOSE = 1e-9
"""How near a float must be to a whole number, relatively and absolutely, to count as that number."""
WEIGHT_OF_NOTHING = 0.5
"""Of a vote in ``vav`` for a result that says nothing: twice as many of them hold against a result with a value."""

_NUMBER = re.compile(r"[\s\-+]?(\d+(?:\.\d+)?)")


class VoteError(FinerError):
    """A method that does not exist, or samples that cannot be voted on."""


@dataclass(frozen=True)
class Ballot:
    """The candidates that gave one and the same result."""

    signature: str
    """What they share: a digest of the whole result, or the published vote's text."""
    members: tuple[int, ...]
    """Positions of the candidates, ascending."""
    votes: float
    """What the group counts: its size, or less, as ``note`` says."""
    rows: int
    columns: int
    note: str = ""
    """Why it counts less than its size; '' where it does not."""

    @property
    def size(self) -> int:
        """The number of candidates in the group."""
        return len(self.members)


@dataclass(frozen=True)
class VoteResult:
    """Who won, and the count that shows why."""

    method: str
    winner: int | None
    """Position of the winning candidate; None where none ran."""
    sql: str
    """The winning candidate; '' where none ran."""
    reason: str
    """One sentence that a person can read."""
    ballots: tuple[Ballot, ...] = ()
    """The groups of equal results, the winning one first; none for the methods that do not count."""
    failed: tuple[int, ...] = ()
    """Positions of the candidates that did not run."""


def vote(candidates: Sequence[str], executions: Sequence[Execution], method: str = "majority") -> int | None:
    """The position of the winner, or None where no candidate ran. Errors as in :func:`count_votes`.

    >>> one, other = Execution("ok", ((1,),), ("n",)), Execution("ok", ((1.0,),), ("m",))
    >>> vote(["a", "b", "c"], [Execution("ok", ((2,),), ("n",)), one, other], "majority")
    1
    """
    return count_votes(candidates, executions, method).winner


def count_votes(candidates: Sequence[str], executions: Sequence[Execution], method: str = "majority") -> VoteResult:
    """The winner of one question's candidates, with the evidence.

    VoteError for an unknown method; ValueError where there is not one execution a candidate, or no candidate.
    """
    if method not in METHODS:
        raise VoteError(unknown("method of voting", method, METHODS))
    if not candidates or len(candidates) != len(executions):
        raise ValueError(f"{len(candidates)} candidates and {len(executions)} executions; one of each for every candidate is needed")
    ran = [place for place, execution in enumerate(executions) if execution.ran]
    failed = tuple(place for place, execution in enumerate(executions) if not execution.ran)
    if method == "greedy":
        return VoteResult(method, 0, candidates[0], "candidate 0 is the greedy answer; nothing is counted", (), failed)
    if not ran:
        return VoteResult(method, None, "", "no candidate ran", (), failed)
    if method == "first":
        return VoteResult(method, ran[0], candidates[ran[0]], f"candidate {ran[0]} is the first that ran", (), failed)
    ballots = _published_ballots(executions, ran) if method == "vav-published" else _ballots(executions, ran, method == "vav")
    # The published vote returns the first of a group, which may hold different results.
    winner = ballots[0].members[0] if method == "vav-published" else _spokesman(executions, ballots[0])
    return VoteResult(method, winner, candidates[winner], _reason(ballots, len(ran), len(failed)), ballots, failed)


def result_signature(execution: Execution) -> str:
    """A digest of a whole result: equal for results that hold the same rows, as a bag.

    Cells keep their column and their type, and rows count as often as they come; column names do not matter, nor does
    row order: a voter cannot know whether the question asks for one, and parting the votes by order loses more than it
    gains. Numbers are compared by value (see :func:`plain_number`). Results without a row are all equal.

    >>> result_signature(Execution("ok", ((1, "a"), (2, "b")))) == result_signature(Execution("ok", ((2.0, "b"), (1, "a"))))
    True
    >>> result_signature(Execution("ok", ((1, 2),))) == result_signature(Execution("ok", ((2, 1),)))
    False
    """
    return _digest(sorted(map(_row_text, execution.rows)))


def plain_number(value: float) -> float:
    """The one form of numbers that are equal up to rounding.

    A float within 1e-9 (relative or absolute) of a whole number is that number; any other is rounded to 10 significant
    digits, which takes away what another order of summing leaves, and keeps what ROUND makes different.

    >>> plain_number(1.0), plain_number(0.1 + 0.2), plain_number(1e-17), plain_number(2.675)
    (1, 0.3, 0, 2.675)
    """
    if not isinstance(value, float):
        return int(value)
    if not math.isfinite(value):
        return value
    if math.isclose(value, round(value), rel_tol=CLOSE, abs_tol=CLOSE):
        return round(value)
    return float(f"{value:.{SIGNIFICANT_DIGITS - 1}e}")


def says_nothing(execution: Execution) -> bool:
    """Has a result no row, or only cells that are NULL or the number 0? A filter that matches nothing often gives that.

    >>> says_nothing(Execution("ok", ((0, None),))), says_nothing(Execution("ok", (("Ada", 0),)))
    (True, False)
    """
    return all(cell is None or (isinstance(cell, (int, float)) and cell == 0) for row in execution.rows for cell in row)


def published_signature(execution: Execution) -> str:
    """What the published value-aware vote groups by (thanhdath/finer-sql, evaluation/majority_voting.py).

    A row is its cells as text, NULL as '', sorted among themselves and joined by ``|``; a result is its rows without
    duplicates, sorted, joined by ``;`` and cut at 200 characters. Its rows come as dictionaries by column name, so of
    columns with the same name only the last one is left. Hence (1, 2) is (2, 1), 1 is not 1.0, NULL is the empty text,
    and long results that begin alike are one.

    >>> published_signature(Execution("ok", (("b", 1), ("a", None)), ("name", "n")))
    '1|b;|a'
    """
    rows = {"|".join(sorted(_published_cells(execution.columns, row))) for row in execution.rows}
    return ";".join(sorted(rows))[:PUBLISHED_CHARACTERS]


def pass_at_n(correct: Sequence[bool], n: int) -> float:
    """The chance that at least one of n samples is right, from the verdicts of N ≥ n samples; unbiased.

    1 − C(N−c, n) / C(N, n), with c right among N (Chen et al. 2021, arXiv 2107.03374, equation 1).
    ValueError where n is not within 1 … N.

    >>> pass_at_n([True, False, False, False], 1), pass_at_n([True, False, False, False], 2)
    (0.25, 0.5)
    """
    total, right = len(correct), sum(correct)
    if not 1 <= n <= total:
        raise ValueError(f"pass@{n} needs at least {n} samples of a question and n of at least 1; there are {total} samples")
    return 1 - math.comb(total - right, n) / math.comb(total, n)


def _ballots(executions: Sequence[Execution], ran: Sequence[int], value_aware: bool) -> tuple[Ballot, ...]:
    """Groups of equal results, most votes first; of as many votes, the group of the earlier candidate."""
    groups: dict[str, list[int]] = {}
    for place in ran:
        groups.setdefault(result_signature(executions[place]), []).append(place)
    ballots = []
    for signature, members in groups.items():
        halved = value_aware and says_nothing(executions[members[0]])
        note = "no row, or only NULL and 0: its votes count half" if halved else ""
        weight = WEIGHT_OF_NOTHING if halved else 1.0
        ballots.append(_ballot(signature, members, executions, len(members) * weight, note))
    return tuple(sorted(ballots, key=lambda ballot: (-ballot.votes, ballot.members[0])))


def _published_ballots(executions: Sequence[Execution], ran: Sequence[int]) -> tuple[Ballot, ...]:
    """Groups by the published signature; of as many votes, the signature that sorts last comes first, as published.

    What counts as empty or as zero is left out of the count, unless nothing else is there.
    """
    groups: dict[str, list[int]] = {}
    for place in ran:
        groups.setdefault(published_signature(executions[place]), []).append(place)
    notes = {signature: _published_note(signature) for signature in groups}
    if all(notes.values()):
        notes = dict.fromkeys(groups, "")
    ballots = [
        _ballot(signature, members, executions, 0.0 if notes[signature] else float(len(members)), notes[signature])
        for signature, members in groups.items()
    ]
    return tuple(sorted(ballots, key=lambda ballot: (ballot.votes, ballot.size, ballot.signature), reverse=True))


def _published_note(signature: str) -> str:
    """Why the published vote leaves a group out. It reads its own text: a row of one number is a number, all else is not."""
    tokens = [token.strip() for token in signature.split(";") if token.strip()]
    if not tokens:
        return "left out as empty"
    found = [_NUMBER.fullmatch(token.removesuffix("%").strip()) for token in tokens]
    numbers = [float(match[1]) for match in found if match]
    return "left out as all zero" if numbers and max(numbers) < PUBLISHED_ZERO else ""


def _published_cells(columns: Sequence[str], row: Sequence[Any]) -> list[str]:
    named = dict(zip(columns, row, strict=True)).values() if columns else row
    return ["" if cell is None else str(cell) for cell in named]


def _ballot(signature: str, members: Sequence[int], executions: Sequence[Execution], votes: float, note: str) -> Ballot:
    execution = executions[members[0]]
    width = len(execution.columns) or len(execution.rows[0] if execution.rows else ())
    return Ballot(signature, tuple(members), votes, len(execution.rows), width, note)


def _spokesman(executions: Sequence[Execution], ballot: Ballot) -> int:
    """The first member whose rows come in the order that most of the group agree on."""
    orders = {place: _digest(map(_row_text, executions[place].rows)) for place in ballot.members}
    commonest = Counter(orders.values()).most_common(1)[0][0]
    return next(place for place in ballot.members if orders[place] == commonest)


def _reason(ballots: Sequence[Ballot], ran: int, failed: int) -> str:
    best = ballots[0]
    parts = [f"{best.size} of {ran} that ran agree on {best.rows} × {best.columns} (rows × columns)"]
    parts += [f"the next result has {ballots[1].size}"] if len(ballots) > 1 else []
    parts += [f"{ballot.size} not counted in full ({ballot.note})" for ballot in ballots if ballot.note]
    parts += [f"{failed} did not run"] if failed else []
    return "; ".join(parts)


def _row_text(row: Sequence[Any]) -> str:
    return repr(tuple(plain_number(cell) if isinstance(cell, (int, float)) else cell for cell in row))


def _digest(rows: Any) -> str:
    """repr keeps types apart and escapes line ends, so the joined text stands for its rows and no others."""
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:32]
