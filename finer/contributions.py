"""What each part of a reward contributed to an answer's advantage, as a sum that comes out exactly.

An advantage is linear in what was paid once the group's mean and spread are fixed, so it splits without a rest: one term a part,
and a term of its own for each bend between a part's plain value and what was paid ("shaping": phi(J) − J of the atomic part;
"gate": what a broken format lost; "margin": what a wrong answer lost to a cap). The formulas are TRL's: advantages are differences to
the group's mean, over the group's or the step's spread, or not divided (``scale_rewards``); or each part is first divided by
its own spread in the group and the sum by the step's spread (``normalize_then_sum``, GDPO, arXiv 2601.05242). The split is ours.

Not covered: paying (``rewards``), other settings than the run's (``whatif``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finer.advantages import means, over, spreads
from finer.records import Group, RewardPart, Rollout

SCALES = ("none", "group", "batch")
SUM_FIRST, PARTS_FIRST = "sum_then_normalize", "normalize_then_sum"
AGGREGATIONS = (SUM_FIRST, PARTS_FIRST)
SHAPING, GATE, MARGIN = "shaping", "gate", "margin"
_SAME = 1e-3
"""Recorded advantages are in single precision; a rule that comes this near to all of them is the rule that made them."""


@dataclass(frozen=True)
class Scaling:
    """How totals become advantages: TRL's ``scale_rewards`` and ``multi_objective_aggregation``.

    With ``normalize_then_sum`` the first has no effect, as in TRL.
    """

    scale_rewards: str = "none"
    aggregation: str = SUM_FIRST

    def __post_init__(self) -> None:
        for value, allowed in ((self.scale_rewards, SCALES), (self.aggregation, AGGREGATIONS)):
            if value not in allowed:
                raise ValueError(f"{value!r} is no way to scale rewards; it is one of {', '.join(allowed)}")


EVERY_SCALING = (Scaling(), Scaling("group"), Scaling("batch"), Scaling(aggregation=PARTS_FIRST))


@dataclass(frozen=True)
class Payments:
    """What n answers were paid, part by part, before and after each bend; all arrays have n rows and a column a part."""

    parts: tuple[str, ...]
    weights: np.ndarray
    plain: np.ndarray
    """Each part's value with a linear shaping and no gate; 0 where it was not scored."""
    shaped: np.ndarray
    """The same, shaped."""
    values: np.ndarray
    """The same behind the gate: what was paid, before weighing."""
    scored: np.ndarray
    """(n,) False where the gold failed: no part was scored, and the answer takes no part in any mean."""
    group: np.ndarray
    """(n,) 0, 1, 2 …: answers of one number are compared with each other."""
    batch: np.ndarray
    """(n,) 0, 1, 2 …: the answers of one step."""
    cap: np.ndarray | None = None
    """(n,) what is taken from a total to hold a margin, at most 0."""

    @property
    def totals(self) -> np.ndarray:
        """(n,) the sum of weight times value, from the first part to the last, and the cap."""
        total = np.zeros(len(self.values))
        for place in range(len(self.parts)):
            total = total + self.weights[:, place] * self.values[:, place]
        return total if self.cap is None else total + self.cap


def advantages(paid: Payments, scaling: Scaling = Scaling()) -> np.ndarray:
    """(n,) the advantages by TRL's formula, in double precision; 0 where the gold failed.

    A cap on totals has no place in ``normalize_then_sum`` and is left out there, since that never looks at a total.
    """
    if scaling.aggregation == PARTS_FIRST:
        summed = (paid.weights * _over_spread(paid)).sum(axis=1)
        centred = summed - means(summed, paid.batch, paid.scored)
        found = over(centred, spreads(summed, paid.batch, paid.scored))
    else:
        totals = paid.totals
        found = _scaled(totals - means(totals, paid.group, paid.scored), paid, scaling)
    return np.where(paid.scored, found, 0.0)


def contributions(paid: Payments, scaling: Scaling = Scaling()) -> dict[str, np.ndarray]:
    """By term, (n,) what it added to each advantage; the terms of a row sum to its advantage.

    A term that is 0 throughout (no gate closed, a linear shaping) is left out; a part is always there.
    """
    split = {part: _only(paid.plain, place) for place, part in enumerate(paid.parts)}
    bends = {SHAPING: paid.shaped - paid.plain, GATE: paid.values - paid.shaped}
    split |= {_free(name, paid.parts): bend for name, bend in bends.items() if bend.any()}
    if scaling.aggregation == PARTS_FIRST:
        return {name: _parts_first(paid, piece) for name, piece in split.items()}
    amounts = {name: (paid.weights * piece).sum(axis=1) for name, piece in split.items()}
    if paid.cap is not None and paid.cap.any():
        amounts[_free(MARGIN, paid.parts)] = paid.cap
    centred = {name: amount - means(amount, paid.group, paid.scored) for name, amount in amounts.items()}
    return {name: np.where(paid.scored, _scaled(amount, paid, scaling), 0.0) for name, amount in centred.items()}


def group_contributions(group: Group, scaling: Scaling = Scaling(), batch: Sequence[Group] = ()) -> list[dict[str, float]]:
    """For each answer of a group, in its order, what each term added to its advantage.

    ``batch``: the groups of the step, where the step's spread counts; without them the group stands for the step.

    >>> from finer.records import Question, RewardBreakdown
    >>> paid = [RewardBreakdown("r", "wrong", (RewardPart("execution", x, 0.5), RewardPart("atomic", j, 0.5))) for x, j in ((1, 0.5), (0, 1))]
    >>> answers = tuple(Rollout(at, 1, 1, at, "", one, None) for at, one in enumerate(paid))
    >>> group_contributions(Group(1, 1, Question(0, "", "", ()), "", answers))
    [{'execution': 0.25, 'atomic': -0.125}, {'execution': -0.25, 'atomic': 0.125}]
    """
    others = [other for other in batch if other.group_id != group.group_id]
    terms = contributions(payments([group, *others]), scaling)
    return [{name: float(term[place]) for name, term in terms.items()} for place in range(len(group.rollouts))]


def recorded_scaling(groups: Sequence[Group]) -> Scaling | None:
    """The scaling that reproduces the advantages that were recorded for a step's groups; None where none does."""
    recorded = np.array([np.nan if row.advantage is None else row.advantage for row in _rollouts(groups)], float)
    if np.isnan(recorded).all():
        return None
    best, off = nearest_scaling(payments(groups), recorded)
    return best if off < _SAME else None


def nearest_scaling(paid: Payments, recorded: np.ndarray) -> tuple[Scaling, float]:
    """The scaling that comes nearest to recorded advantages (NaN: none), and how far off it is at most.

    Of those that come equally near the plainest: where all were paid the same, every scaling gives 0.
    """
    known = ~np.isnan(recorded)
    off = {scaling: float(np.abs(advantages(paid, scaling) - recorded)[known].max()) for scaling in EVERY_SCALING}
    best = min(off, key=lambda scaling: round(off[scaling], 6))
    return best, off[best]


def payments(groups: Sequence[Group]) -> Payments:
    """What the answers of these groups were paid, as recorded; a part that an answer has not counts as 0."""
    rows = _rollouts(groups)
    names = tuple(dict.fromkeys(part.name for row in rows for part in row.breakdown.parts))
    shape = (len(rows), len(names))
    weights, plain, shaped, values = (np.zeros(shape) for _ in range(4))
    for at, row in enumerate(rows):
        for part in row.breakdown.parts:
            place = names.index(part.name)
            weights[at, place] = part.weight
            plain[at, place], shaped[at, place], values[at, place] = bends_of(part, row.breakdown.status)
    scored = [any(part.value is not None for part in row.breakdown.parts) for row in rows]
    numbers = [place for place, group in enumerate(groups) for _ in group.rollouts]
    steps = {step: place for place, step in enumerate(dict.fromkeys(group.step for group in groups))}
    batch = [steps[group.step] for group in groups for _ in group.rollouts]
    return Payments(names, weights, plain, shaped, values, np.array(scored, bool), np.array(numbers, int), np.array(batch, int))


def bends_of(part: RewardPart, status: str) -> tuple[float, float, float]:
    """A recorded part's value with a linear shaping and no gate, without the gate, and as paid.

    The overlap stands for the value of an answer that is not right and was paid for it (a right one's value is fixed).

    >>> bends_of(RewardPart("atomic", 0.0, 1.0, {"overlap": 0.5, "ungated": 0.68, "gate": "no thought"}), "wrong")
    (0.5, 0.68, 0.0)
    """
    paid = part.value or 0.0
    shaped = number_or(part.evidence.get("ungated"), paid)
    overlap = number_or(part.evidence.get("overlap"), shaped) if part.name == "atomic" else shaped
    return (overlap if shaped and status != "correct" else shaped), shaped, paid


def number_or(value: Any, otherwise: float) -> float:
    """The value where it is a finite number, else the other; evidence may come from anywhere."""
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value)
    return float(value) if fits else otherwise


def _rollouts(groups: Sequence[Group]) -> list[Rollout]:
    return [row for group in groups for row in group.rollouts]


def _free(name: str, taken: tuple[str, ...]) -> str:
    """The name of a bend, with a mark where a part of one's own has that name already."""
    return f"{name} (bend)" if name in taken else name


def _only(values: np.ndarray, place: int) -> np.ndarray:
    kept = np.zeros_like(values)
    kept[:, place] = values[:, place]
    return kept


def _scaled(centred: np.ndarray, paid: Payments, scaling: Scaling) -> np.ndarray:
    if scaling.scale_rewards == "none":
        return centred
    among = paid.group if scaling.scale_rewards == "group" else paid.batch
    return over(centred, spreads(paid.totals, among, paid.scored))


def _parts_first(paid: Payments, piece: np.ndarray) -> np.ndarray:
    """What one piece of the values adds where every part is divided by its own spread first."""
    divided = over(piece - _columns(means, piece, paid), _columns(spreads, paid.values, paid))
    amount = (paid.weights * divided).sum(axis=1)
    summed = (paid.weights * _over_spread(paid)).sum(axis=1)
    centred = amount - means(amount, paid.batch, paid.scored)
    return np.where(paid.scored, over(centred, spreads(summed, paid.batch, paid.scored)), 0.0)


def _over_spread(paid: Payments) -> np.ndarray:
    return over(paid.values - _columns(means, paid.values, paid), _columns(spreads, paid.values, paid))


def _columns(of: Any, values: np.ndarray, paid: Payments) -> np.ndarray:
    return np.column_stack([of(column, paid.group, paid.scored) for column in values.T]) if values.size else values
