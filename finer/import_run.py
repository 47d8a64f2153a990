"""A run of another trainer as an ordinary run store: groups by step and prompt, rewards and advantages as they were.

A reward that was not scored stays None. Nothing is judged here: an answer whose file brings no verdict has the status ``not_judged``
until ``rescore`` computes parts and evidence. Where a data set is given, each prompt's question is looked for in it, so that it can be.

Not covered: curves that only the trainer knows (loss, KL), and checkpoints.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev

from finer.advantages import advantages, scored_total
from finer.datasets import Dataset
from finer.errors import FinerError, unknown
from finer.matching import Asked, Match, QuestionFinder
from finer.prompt import parse_completion
from finer.records import Group, Question, RewardBreakdown, RewardPart, Rollout
from finer.rollout_files import ForeignRollout, Rollouts, read_rollouts
from finer.run_writer import RunWriter
from finer.runs import Run

RECIPE = "imported"
NOT_JUDGED = "not_judged"
TOTAL_PART = "total"
"""The part that holds a file's own total, where its rewards do not add up to it."""
_SAME = 1e-6


@dataclass(frozen=True)
class Imported:
    """The run, and what there is to say about it, a sentence each."""

    run: Run
    said: tuple[str, ...]


def import_rollouts(
    source: str | Path,
    folder: str | Path,
    dataset: Dataset | None = None,
    columns: Mapping[str, str] | None = None,
    rewards: Sequence[str] = (),
    weights: Mapping[str, float] | None = None,
    scale_rewards: str = "group",
) -> Imported:
    """Writes what ``read_rollouts`` reads from ``source`` as a run in ``folder`` and says what is missing.

    ``weights``: what a reward weighs in the total, 1 unless it is told. ``scale_rewards``: how advantages are computed where
    the file has none. Raises RolloutFileError, and RunStoreError where the folder holds a run.
    """
    found = read_rollouts(source, columns, rewards)
    weights = dict(weights or {})
    for name in weights:
        if name not in found.rewards:
            raise FinerError(unknown("reward", name, found.rewards))
    pay = _Pay(weights, _adds_up(found, weights), scale_rewards)
    members = _by_group(found.rows)
    finder = QuestionFinder(dataset) if dataset else None
    matches = [_match(rows[0], found, finder) for rows in members]
    groups = _groups(members, matches, pay)
    said = (*_said(found, groups, matches, pay, dataset),)
    _write(Path(folder), groups, _config(source, dataset, found, pay), said)
    return Imported(Run(folder), said)


@dataclass(frozen=True)
class _Pay:
    """How a row's rewards become parts."""

    weights: dict[str, float]
    adds_up: bool
    """Do the rewards add up to the file's own total, or has it none? Else the total is the one part that weighs."""
    scale_rewards: str

    def parts(self, row: ForeignRollout, note: str) -> tuple[RewardPart, ...]:
        parts = [self._part(name, value, self.weights.get(name, 1.0) if self.adds_up else 0.0, note) for name, value in row.rewards.items()]
        if not self.adds_up or (row.total is not None and not row.rewards):
            parts.append(self._part(TOTAL_PART, row.total, 1.0, note))
        return tuple(parts)

    @staticmethod
    def _part(name: str, value: float | None, weight: float, note: str) -> RewardPart:
        said = "not scored by the trainer" if value is None else "as the trainer paid it"
        return RewardPart(name, value, weight, {"summary": said, "not_recomputed": note} if note else {"summary": said})


def _adds_up(found: Rollouts, weights: Mapping[str, float]) -> bool:
    return all(
        math.isclose(row.total, sum(weights.get(name, 1.0) * value for name, value in row.rewards.items() if value is not None), abs_tol=_SAME)
        for row in found.rows
        if row.total is not None and row.rewards
    )


def _by_group(rows: Sequence[ForeignRollout]) -> list[list[ForeignRollout]]:
    """The rows of each step and prompt, in the order of their first; steps in order."""
    groups: dict[tuple, list[ForeignRollout]] = {}
    for row in rows:
        groups.setdefault((row.step, row.group, row.prompt or row.question or row.index), []).append(row)
    return sorted(groups.values(), key=lambda members: members[0].step)


def _match(row: ForeignRollout, found: Rollouts, finder: QuestionFinder | None) -> Match:
    """The question that a row asks: the data set's, else what the file's own columns tell of it."""
    why = "no data set was given"
    if finder is not None:
        match = finder.find(Asked(row.question or row.asked, row.index, "index" in found.named, row.db_id))
        if match.question is not None:
            return match
        why = match.how
        if row.gold and row.db_id in finder.dataset.databases:
            return Match(_question(row), "by the file's own gold and db_id")
    return Match(None, why)


def _question(row: ForeignRollout) -> Question:
    """A question as the file tells it; its index is set where its group gets one."""
    return Question(-1, row.db_id, row.question or row.asked or row.prompt, row.gold)


def _groups(members: list[list[ForeignRollout]], matches: list[Match], pay: _Pay) -> list[Group]:
    groups, first, numbers = [], 1, {}
    for group_id, (rows, match) in enumerate(zip(members, matches, strict=True), start=1):
        question = match.question or _question(rows[0])
        if question.index < 0:  # no question of the data set: one number below zero for each different text
            question = replace(question, index=-1 - numbers.setdefault((question.db_id, question.text), len(numbers)))
        paid = [_breakdown(row, pay, "" if match.question else match.how) for row in rows]
        computed = advantages([scored_total(one) for one in paid], pay.scale_rewards)
        given = [row.advantage for row in rows] if any(row.advantage is not None for row in rows) else computed
        rollouts = [
            Rollout(first + place, row.step, group_id, place, row.completion, one, advantage, row.tokens)
            for place, (row, one, advantage) in enumerate(zip(rows, paid, given, strict=True))
        ]
        groups.append(Group(group_id, rows[0].step, question, rows[0].prompt, tuple(rollouts)))
        first += len(rows)
    return groups


def _breakdown(row: ForeignRollout, pay: _Pay, note: str) -> RewardBreakdown:
    read = parse_completion(row.completion)
    sql = read.sql if row.sql is None else row.sql
    return RewardBreakdown(RECIPE, row.status or NOT_JUDGED, pay.parts(row, note), read.thought if row.thought is None else row.thought, sql)


# --- the store ---------------------------------------------------------------------------------------------------------------


def _config(source: str | Path, dataset: Dataset | None, found: Rollouts, pay: _Pay) -> dict:
    told = {"recipe": RECIPE, "imported_from": Path(source).resolve().name, "columns": found.columns, "rewards": list(found.rewards)}
    named = {"dataset": dataset.name} if dataset else {}
    return {**told, **named, "weights": pay.weights, "scale_rewards": pay.scale_rewards}


def _write(folder: Path, groups: list[Group], config: dict, said: Sequence[str]) -> None:
    by_step: dict[int, list[Group]] = {}
    for group in groups:
        by_step.setdefault(group.step, []).append(group)
    with RunWriter.create(folder, config) as writer:
        for step, members in by_step.items():
            writer.write_step(step, members, metrics_of(members), {})
        for sentence in said:
            writer.write_event(writer.last_step, RECIPE, sentence)
        writer.set_status("finished")


def metrics_of(groups: Sequence[Group]) -> dict[str, float]:
    """A step's metrics under TRL's names, as far as its groups tell them."""
    answers = [rollout.breakdown for group in groups for rollout in group.rollouts]
    totals = [total for paid in answers if (total := scored_total(paid)) is not None]
    spreads = [_spread(group) for group in groups]
    found = {"reward_std": _mean(spreads), "frac_reward_zero_std": _mean([float(spread < 1e-8) for spread in spreads])}
    if totals:
        found["reward"] = fmean(totals)
    values: dict[str, list[float]] = {}
    for part in (part for paid in answers for part in paid.parts if part.value is not None):
        values.setdefault(part.name, []).append(part.value)
    for name, scored in values.items():
        found |= {f"rewards/{name}/mean": fmean(scored), f"rewards/{name}/std": stdev(scored) if len(scored) > 1 else 0.0}
    lengths = [rollout.length_tokens for group in groups for rollout in group.rollouts]
    return {**found, "completions/mean_length": fmean(lengths)} if any(lengths) else found


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0


def _spread(group: Group) -> float:
    totals = [total for rollout in group.rollouts if (total := scored_total(rollout.breakdown)) is not None]
    return stdev(totals) if len(totals) > 1 else 0.0


# --- what there is to say ----------------------------------------------------------------------------------------------------


def _said(found: Rollouts, groups: list[Group], matches: list[Match], pay: _Pay, dataset: Dataset | None) -> list[str]:
    steps = sorted({group.step for group in groups})
    rewards = ", ".join(f"{name} × {pay.weights.get(name, 1):g}" for name in found.rewards) or "none"
    lines = [
        f"{len(found.rows)} answers in {len(groups)} groups, steps {steps[0]} to {steps[-1]}",
        "columns: " + ", ".join(f"{role}={column}" for role, column in found.columns.items()) + f"; rewards: {rewards}",
        *found.notes,
    ]
    if not pay.adds_up:
        lines.append("the rewards do not add up to the file's own total: the total is what counts, they weigh 0. Tell their weights with --weight")
    return lines + _about_groups(groups, pay) + _about_questions(groups, matches, dataset)


def _about_groups(groups: list[Group], pay: _Pay) -> list[str]:
    alone = sum(len(group.rollouts) == 1 for group in groups)
    lines = [f"{alone} groups have one answer, so that nothing can be compared in them"] if alone else []
    compared = [group for group in groups if len(group.rollouts) > 1]
    odd = sum(not _explained(group) for group in compared)
    if odd:
        lines.append(
            f"{odd} of {len(compared)} groups have advantages that do not follow from their totals group by group: "
            "other weights (--weight NAME=W), or a batch-wide rule; they are kept as they were"
        )
    return lines


def _explained(group: Group) -> bool:
    """Do a group's advantages follow from its totals, by one of the two scales?"""
    totals = [scored_total(rollout.breakdown) for rollout in group.rollouts]
    given = [rollout.advantage or 0.0 for rollout in group.rollouts]
    tries = [[value or 0.0 for value in advantages(totals, scale)] for scale in ("group", "none")]
    return any(all(math.isclose(a, b, abs_tol=1e-3) for a, b in zip(given, computed, strict=True)) for computed in tries)


def _about_questions(groups: list[Group], matches: list[Match], dataset: Dataset | None) -> list[str]:
    answers = Counter()
    for group, match in zip(groups, matches, strict=True):
        answers[(match.question is not None, match.how)] += 1
    lines = []
    for (matched, how), count in answers.most_common():
        what = "can be rescored: the question was found" if matched else "cannot be rescored (right or wrong, operations, results):"
        lines.append(f"{count} of {len(groups)} groups {what} {how}")
    if dataset is None:
        lines.append("give the data set that the questions come from with --dataset, to judge and rescore them")
    return lines
