"""What the same answers would be paid under another recipe or another way of scaling, without running anything again.

``answers_of_groups`` and ``answers_of_run`` read what was found out about each answer (right or wrong, whether the format holds,
the overlap, the similarity) out of what was recorded; ``pay`` applies a recipe to it, for a whole run in milliseconds; ``compare``
says what changed. Where a recorded value does not follow from its recipe (a part of one's own, evidence that was not kept), it is
held as it is. With the settings of the run the recorded totals come out to the last bit.

Not covered: what needs the query to run again, another memory or another way of counting operations (``finer.rewards``), and what a policy would have learned.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from finer.atoms import counting_of
from finer.contributions import Payments, Scaling, advantages, contributions, nearest_scaling, number_or
from finer.ledger import UNJUDGED
from finer.records import JACCARD, Counting, Group
from finer.rewards.recipes import PART_NAMES, RECIPES, Recipe, RecipeError

_PLAIN = Scaling()
RAN = ("correct", "wrong")
_NEAR = 1e-9
_TIE = 1e-9
"""Totals nearer than this are the same: sums of weights miss their decimal value by less."""


@dataclass(frozen=True)
class Settings:
    """What may be turned: the recipe, how totals become advantages, and whether the recipe's margin is held by force."""

    recipe: Recipe
    scaling: Scaling = _PLAIN
    hold_margin: bool = False
    """True: a wrong answer's total is cut where it comes nearer to the least a right one earns than the recipe's margin.
    Ours; without effect in ``normalize_then_sum``, which never looks at a total."""


@dataclass(frozen=True)
class Answers:
    """What was found out about n answers and what they were paid; arrays have n rows, those of parts a column a part."""

    recipe: Recipe
    """The recipe they were paid by, with the weights of the last of them."""
    parts: tuple[str, ...]
    rollout_ids: np.ndarray
    group_ids: np.ndarray
    steps: np.ndarray
    positions: np.ndarray
    statuses: np.ndarray
    weights: np.ndarray
    """As recorded; a run may change them while it trains."""
    paid: np.ndarray
    """Values as recorded, NaN where a part was not scored."""
    raw: np.ndarray
    """The same without the gate."""
    overlap: np.ndarray
    """(n,) the atomic overlap before shaping, NaN where there is none."""
    recorded_advantages: np.ndarray
    """(n,) NaN where there is none."""
    group: np.ndarray
    """(n,) 0, 1, 2 …"""
    batch: np.ndarray
    """(n,) the step, as 0, 1, 2 …"""

    @cached_property
    def right(self) -> np.ndarray:
        return self.statuses == "correct"

    @cached_property
    def wrong(self) -> np.ndarray:
        """Judged and not right."""
        return ~self.right & ~np.isin(self.statuses, UNJUDGED)

    @cached_property
    def ran(self) -> np.ndarray:
        return np.isin(self.statuses, RAN)

    @cached_property
    def well_formed(self) -> np.ndarray:
        """(n,) True where the format holds, or where no part says whether it does."""
        if "format" not in self.parts:
            return np.ones(len(self.raw), bool)
        return np.nan_to_num(self.raw[:, self.parts.index("format")]) > 0

    @cached_property
    def scored(self) -> np.ndarray:
        return ~np.isnan(self.paid).all(axis=1)

    @cached_property
    def recorded_totals(self) -> np.ndarray:
        """(n,) as RewardBreakdown.total, to the last bit."""
        total = np.zeros(len(self.paid))
        for place in range(len(self.parts)):
            total = total + self.weights[:, place] * np.nan_to_num(self.paid[:, place])
        return total

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Every two answers of one group, as two arrays of rows."""
        starts = np.flatnonzero(np.diff(self.group, prepend=-1))
        sizes = np.diff(np.append(starts, len(self.group)))
        found = []
        for size in np.unique(sizes):
            one, other = np.triu_indices(size, 1)
            of_size = starts[sizes == size][:, None]
            found.append(((of_size + one).ravel(), (of_size + other).ravel()))
        ones, others = zip(*found) if found else ((), ())
        return tuple(np.concatenate([np.zeros(0, int), *rows]) for rows in (ones, others))

    @cached_property
    def follows(self) -> np.ndarray:
        """(n, parts) True where the recorded value follows from the recipe, so that another recipe's can be computed."""
        # A text that is no query is paid 0 in every part, whatever the recipe.
        known = self.scored[:, None] & (self.ran | self.raw.any(axis=1, where=~np.isnan(self.raw)))[:, None]
        return known & (np.abs(_by_recipe(self, self.recipe) - self.raw) < _NEAR)

    def of_group(self, group_id: int) -> Answers:
        """The answers of one group alone; none where there is no such group."""
        return self.take(self.group_ids == group_id)

    def take(self, kept: np.ndarray) -> Answers:
        """The answers that a mask keeps."""
        columns = ("rollout_ids", "group_ids", "steps", "positions", "statuses", "weights", "paid", "raw", "overlap", "recorded_advantages")
        cut = {name: getattr(self, name)[kept] for name in columns}
        renumbered = {name: np.unique(getattr(self, name)[kept], return_inverse=True)[1] for name in ("group", "batch")}
        return replace(self, **cut, **renumbered)


@dataclass(frozen=True)
class Outcome:
    """What n answers are paid under some settings."""

    settings: Settings
    values: np.ndarray
    """(n, parts) behind the gate, before weighing."""
    totals: np.ndarray
    advantages: np.ndarray
    contributions: dict[str, np.ndarray]
    """By term, (n,) what it added to each advantage; they sum to it."""

    def take(self, kept: np.ndarray) -> Outcome:
        """The rows that a mask keeps, as they came out among all of them."""
        terms = {name: term[kept] for name, term in self.contributions.items()}
        return Outcome(self.settings, self.values[kept], self.totals[kept], self.advantages[kept], terms)


@dataclass(frozen=True)
class Inversion:
    """A wrong answer that is paid at least as much as a right one to the same question."""

    group_id: int
    wrong_position: int
    right_position: int
    wrong_total: float
    right_total: float


@dataclass(frozen=True)
class Change:
    """How two outcomes of the same answers differ."""

    answers: int
    pairs: int
    flips: int
    """Pairs of one group of which now the other is paid more."""
    turned: int
    """Answers whose advantage changed its sign: pushed up before and down now, or the other way round."""
    silent_before: int
    """Groups that gave no signal."""
    silent_after: int
    inversions_before: int
    inversions_after: int


def rerun(answers: Answers, settings: Settings) -> Outcome:
    """What the answers are paid under these settings, and the advantages that follow."""
    paid = pay(answers, settings)
    return _outcome(paid, settings, paid.totals, advantages(paid, settings.scaling))


def as_recorded(answers: Answers, scaling: Scaling) -> Outcome:
    """What was recorded: the totals, and the advantages where there are any, else those that ``scaling`` gives."""
    weights = dict(zip(answers.parts, answers.weights[-1])) if len(answers.weights) else {}
    settings = Settings(replace(answers.recipe, weights=weights), scaling)
    paid = replace(pay(answers, settings), weights=answers.weights)
    known = np.isfinite(answers.recorded_advantages)
    found = np.where(known, np.nan_to_num(answers.recorded_advantages), advantages(paid, scaling))
    return _outcome(paid, settings, answers.recorded_totals, found)


def pay(answers: Answers, settings: Settings) -> Payments:
    """The values of every part under a recipe: before shaping, shaped, and behind the gate; with the cap of a held margin."""
    recipe = settings.recipe
    shaped = np.nan_to_num(np.where(answers.follows, _by_recipe(answers, recipe), answers.raw))
    plain = shaped.copy()
    if "atomic" in answers.parts:
        at = answers.parts.index("atomic")
        bent = ~answers.right & (shaped[:, at] != 0) & np.isfinite(answers.overlap)
        plain[:, at] = np.where(bent, answers.overlap, shaped[:, at])
    closed = recipe.gate & ~answers.well_formed
    values = np.where(closed[:, None], 0.0, shaped)
    weights = np.tile([float(recipe.weights.get(part, 0.0)) for part in answers.parts], (len(values), 1))
    paid = Payments(answers.parts, weights.reshape(values.shape), plain, shaped, values, answers.scored, answers.group, answers.batch)
    return replace(paid, cap=_cap(answers, paid, recipe)) if settings.hold_margin else paid


def least_right(recipe: Recipe) -> float | None:
    """The least a right answer earns, or None where a part of the recipe is none of ours."""
    return sum(recipe.least_right_pay().values()) if set(recipe.parts) <= set(PART_NAMES) else None


def problem_of(recipe: Recipe) -> str:
    """'' where training would accept the recipe, or where it has a part of one's own; else why not, with the arithmetic."""
    if least_right(recipe) is None:
        return ""
    try:
        recipe.check()
    except RecipeError as error:
        return str(error)
    return ""


def inversions(answers: Answers, totals: np.ndarray, most: int | None = None) -> list[Inversion]:
    """Every pair of a wrong answer that is paid at least as much as a right one, the widest first; at most ``most``."""
    wrong, right = _inverted(answers, totals)
    widest = np.argsort(totals[right] - totals[wrong], kind="stable")[:most]
    return [
        Inversion(int(answers.group_ids[w]), int(answers.positions[w]), int(answers.positions[r]), float(totals[w]), float(totals[r]))
        for w, r in zip(wrong[widest], right[widest])
    ]


def compare(answers: Answers, before: Outcome, after: Outcome) -> Change:
    """What changed from one outcome to the other."""
    one, other = answers.pairs
    order_before, order_after = (_order(found.totals, one, other) for found in (before, after))
    signs_before, signs_after = (np.sign(np.round(found.advantages, 6)) for found in (before, after))
    return Change(
        answers=len(answers.group),
        pairs=len(one),
        flips=int((order_before * order_after < 0).sum()),
        turned=int((signs_before * signs_after < 0).sum()),
        silent_before=_silent(answers, before.totals),
        silent_after=_silent(answers, after.totals),
        inversions_before=len(_inverted(answers, before.totals)[0]),
        inversions_after=len(_inverted(answers, after.totals)[0]),
    )


def ranks(totals: np.ndarray) -> np.ndarray:
    """(n,) places in one group from 1, best paid first; equals share the better place.

    >>> ranks(np.array([0.5, 1.0, 0.5])).tolist()
    [2, 1, 2]
    """
    return 1 + (totals[None, :] > totals[:, None] + _TIE).sum(axis=1)


def answers_of_groups(groups: Sequence[Group]) -> Answers:
    """The answers of some groups, in their order."""
    rollouts, parts, counting = [], [], JACCARD
    for group in groups:
        for row in group.rollouts:
            paid = row.breakdown
            counting = next((counting_of(part.evidence) for part in paid.parts if part.name == "atomic"), counting)
            rollouts.append((row.rollout_id, row.group_id, group.step, row.position, paid.status, paid.recipe, row.advantage))
            parts += [(row.rollout_id, p.name, p.value, p.weight, p.evidence.get("overlap"), p.evidence.get("ungated")) for p in paid.parts]
    return _answers(rollouts, parts, counting)


def answers_of_run(run: Any, step: int | None = None, most: int | None = None) -> Answers:
    """The answers of a whole run, or of one step, read without their texts; ``run`` is a ``finer.Run``.

    ``most``: of a larger run only the newest steps that hold no more answers than that, at least the last step.
    """
    first, last = (step, step) if step is not None else (0 if most is None else run.first_step_within(most), run.last_step)
    where, values = "WHERE r.step BETWEEN ? AND ?", (first, last)
    rollouts = run.query(
        f"""SELECT rollout_id, group_id, step, position, status, recipe, advantage FROM rollouts r {where}
        ORDER BY step, group_id, position""",
        values,
    )
    # As JSON's own text: SQLite's conversion to a number may miss the last bit.
    parts = run.query(
        f"""SELECT rollout_id, p.name, p.value, p.weight, CASE WHEN p.name = 'atomic' THEN p.evidence -> '$.overlap' END,
        p.evidence -> '$.ungated' FROM parts p JOIN rollouts r USING (rollout_id) {where} ORDER BY rollout_id, p.position""",
        values,
    )
    newest = run.query(f"SELECT json_object('counting', p.evidence -> '$.counting') FROM parts p JOIN rollouts r USING (rollout_id) {where} AND p.name = 'atomic' ORDER BY rollout_id DESC LIMIT 1", values)
    counting = counting_of(json.loads(newest[0][0])) if newest else JACCARD
    return _answers([tuple(row) for row in rollouts], [(*tuple(row)[:4], _from_json(row[4]), _from_json(row[5])) for row in parts], counting)


def scaling_of(answers: Answers) -> Scaling:
    """The scaling that comes nearest to the advantages that were recorded; plain differences where there are none."""
    known = np.isfinite(answers.recorded_advantages)
    if not known.any():
        return Scaling()
    paid = replace(pay(answers, Settings(answers.recipe)), weights=answers.weights, values=np.nan_to_num(answers.paid))
    return nearest_scaling(paid, answers.recorded_advantages)[0]


def _outcome(paid: Payments, settings: Settings, totals: np.ndarray, found: np.ndarray) -> Outcome:
    return Outcome(settings, paid.values, totals, found, contributions(paid, settings.scaling))


def _from_json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _answers(rollouts: list[tuple], parts: list[tuple], counting: Counting) -> Answers:
    row_of = {row[0]: place for place, row in enumerate(rollouts)}
    names = tuple(dict.fromkeys(part[1] for part in parts))
    place_of = {name: place for place, name in enumerate(names)}
    weights = np.zeros((len(rollouts), len(names)))
    paid, raw = np.full(weights.shape, np.nan), np.full(weights.shape, np.nan)
    overlap = np.full(len(rollouts), np.nan)
    for rollout_id, name, value, weight, shared, ungated in parts:
        at, place = row_of[rollout_id], place_of[name]
        weights[at, place] = weight
        paid[at, place] = np.nan if value is None else value
        raw[at, place] = number_or(ungated, paid[at, place])
        if name == "atomic":
            overlap[at] = number_or(shared, np.nan)
    columns = list(zip(*rollouts)) or [()] * 7
    ids, group_ids, steps, positions = (np.array(column, int) for column in columns[:4])
    recorded = np.array([np.nan if value is None else value for value in columns[6]], float)
    recipe = replace(_recipe(columns[5], names, weights), counting=counting)
    group, batch = (_numbered(column) for column in (group_ids, steps))
    statuses = np.array(columns[4], dtype=object).astype(str) if rollouts else np.zeros(0, "U1")
    return Answers(recipe, names, ids, group_ids, steps, positions, statuses, weights, paid, raw, overlap, recorded, group, batch)


def _numbered(column: np.ndarray) -> np.ndarray:
    """0, 1, 2 … in the order in which neighbours change; the rows of one number must be neighbours."""
    return np.cumsum(np.diff(column, prepend=column[:1]) != 0)


def _recipe(recipes: Sequence[str], parts: tuple[str, ...], weights: np.ndarray) -> Recipe:
    """The recipe of the last answer, by its name, with its recorded weights; for an unknown name one as plain as can be."""
    name = recipes[-1] if recipes else ""
    of_parts = dict(zip(parts, map(float, weights[-1]))) if len(weights) else {}
    known = RECIPES.get(name)
    if known is None:
        return Recipe(name, parts, of_parts, gate=False, margin=0.1)
    return replace(known, parts=parts, weights=of_parts)


def _by_recipe(answers: Answers, recipe: Recipe) -> np.ndarray:
    """(n, parts) the values by a recipe's formulas, without its gate; NaN where the overlap is not known."""
    values = answers.raw.copy()
    if "execution" in answers.parts:
        wrong = np.where(answers.ran, recipe.execution_wrong, recipe.execution_fails)
        values[:, answers.parts.index("execution")] = np.where(answers.right, recipe.execution_right, wrong)
    if "atomic" in answers.parts:
        shaped = recipe.shaping(answers.overlap)
        failed = recipe.atomic_needs_run & ~answers.ran
        values[:, answers.parts.index("atomic")] = np.where(answers.right, recipe.atomic_right, np.where(failed, 0.0, shaped))
    return values


def _cap(answers: Answers, paid: Payments, recipe: Recipe) -> np.ndarray:
    least = least_right(recipe)
    if least is None:
        return np.zeros(len(paid.values))
    return np.where(answers.wrong, np.minimum(0.0, least - recipe.margin - paid.totals), 0.0)


def _order(totals: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    gap = totals[one] - totals[other]
    return np.where(np.abs(gap) < _TIE, 0, np.sign(gap))


def _inverted(answers: Answers, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the wrong and of the right answer of each inverted pair."""
    one, other = answers.pairs
    wrong, right = np.concatenate([one, other]), np.concatenate([other, one])
    kept = answers.wrong[wrong] & answers.right[right] & (totals[wrong] >= totals[right] - _TIE)
    return wrong[kept], right[kept]


def _silent(answers: Answers, totals: np.ndarray) -> int:
    """Groups whose scored answers are all paid the same."""
    count = int(answers.group.max()) + 1 if len(answers.group) else 0
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, answers.group[answers.scored], totals[answers.scored])
    np.maximum.at(high, answers.group[answers.scored], totals[answers.scored])
    return int((high - low < _TIE).sum())

