"""The saved rollouts of a run under any recipe: new parts, evidence and advantages, in a run of its own, the old pay beside it.

Each answer of the new run carries the part ``before``, which weighs nothing: its value is the old total, its evidence the
old parts, status and advantage. The run that is read stays as it is. What could not be computed again is None, and is said.

Not covered: generating again, and the policy's answers to dev questions (they are taken over as they were).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from finer.advantages import SCALES, advantages, scored_total
from finer.datasets import Dataset
from finer.import_run import NOT_JUDGED, metrics_of
from finer.judge import Judge
from finer.prompt import completion_text, parse_completion
from finer.records import Group, Question, RewardBreakdown, RewardPart, Rollout
from finer.replay import MemoryReplay
from finer.rewards import Scorer
from finer.rewards.recipes import Recipe, get_recipe
from finer.run_sources import keep_recipe, recipe_of_run
from finer.run_writer import RunWriter
from finer.runs import Run

BEFORE = "before"
SAME_TOTAL = 1e-6
_NO_FORMAT = "not recomputed: the SQL did not come from the completion, so that its format says nothing"


@dataclass(frozen=True)
class Rescored:
    """The new run, and what there is to say about it, a sentence each."""

    run: Run
    said: tuple[str, ...]


@dataclass
class _Tally:
    """What was seen on the way."""

    answers: int = 0
    same: int = 0
    unscored: Counter = field(default_factory=Counter)
    """Groups that could not be scored, by why."""
    other_memory: int = 0
    """Steps whose memory could not be rebuilt as it was."""
    own_sql: int = 0
    other_weights: int = 0
    """Answers that were paid by other weights under a recipe of the same name."""


def scale_of(run: Run) -> str:
    """How a run's advantages are computed anew: as it was told to; GRPO's own way where it was not, or by a rule over a whole batch."""
    told = run.config.get("scale_rewards")
    return told if told in SCALES else "group"


def rescore(
    run: Run, folder: str | Path, dataset: Dataset, recipe: Recipe | str | None = None, on_progress: Callable[[int, int], None] | None = None
) -> Rescored:
    """Scores every saved rollout of ``run`` anew and writes them as a run in ``folder``; None takes the run's own recipe.

    Raises RunStoreError where the folder holds a run already, and RecipeError for an unknown recipe.
    """
    recipe = recipe_of_run(run) if recipe is None else get_recipe(recipe) if isinstance(recipe, str) else recipe
    tally = _Tally()
    steps = run.steps()
    config = {**run.config, "recipe": recipe.source or recipe.name, "weights": dict(recipe.weights), "rescored_from": run.folder.name,
              "recipe_before": run.config.get("recipe", "")}  # fmt: skip
    with RunWriter.create(folder, config) as writer, Judge(dataset.databases) as judge:
        keep_recipe(recipe, Path(folder))
        scoring = StepScoring(run, dataset, recipe, judge, tally)
        for done, step in enumerate(steps):
            _write_step(writer, run, step.step, scoring)
            if on_progress:
                on_progress(done + 1, len(steps))
        _copy_evaluations(run, writer)
        said = tuple(_said(tally, scoring))
        for sentence in said:
            writer.write_event(writer.last_step, "rescored", sentence)
        writer.set_status("finished")
    return Rescored(Run(folder), said)


class StepScoring:
    """Scores saved groups as of their step; go through the steps in order."""

    def __init__(self, run: Run, dataset: Dataset, recipe: Recipe, judge: Judge, tally: _Tally | None = None):
        self.dataset, self.tally = dataset, tally or _Tally()
        self.old_metrics, self.old_events = run.metrics(), run.memory_events()
        self.replay = MemoryReplay(run, dataset) if "memory" in recipe.parts else None
        self.recorded = len(self.replay.events) if self.replay else 0
        self.scorer = Scorer(recipe, dataset, self.replay.memory if self.replay else None, judge)
        self.scale = scale_of(run)

    def groups(self, step: int, groups: Sequence[Group]) -> list[Group]:
        """The groups of one step with new pay; the old is in the part ``before``."""
        if self.replay:
            self.replay.go_to(step)
            self.tally.other_memory += not self.replay.agrees_with(groups)
            self.replay.memory.encode_ahead(rollout.breakdown.thought for group in groups for rollout in group.rollouts)
        return [self.group(group) for group in groups]

    def group(self, group: Group) -> Group:
        why = why_not(group.question, self.dataset)
        if why:
            self.tally.unscored[why] += 1
        paid = [_unscored(self.scorer.recipe, rollout, why) for rollout in group.rollouts] if why else self._paid(group)
        for rollout, one in zip(group.rollouts, paid, strict=True):
            self._count(rollout, one)
        new = advantages([scored_total(one) for one in paid], self.scale)
        members = [
            replace(rollout, breakdown=replace(one, parts=(*one.parts, before(rollout))), advantage=advantage)
            for rollout, one, advantage in zip(group.rollouts, paid, new, strict=True)
        ]
        return replace(group, rollouts=tuple(members))

    def _paid(self, group: Group) -> list[RewardBreakdown]:
        own = [_has_own_sql(rollout) for rollout in group.rollouts]
        self.tally.own_sql += sum(own)
        texts = [
            completion_text(rollout.breakdown.thought, rollout.sql) if apart else rollout.completion
            for rollout, apart in zip(group.rollouts, own, strict=True)
        ]
        paid = self.scorer.score(group.question, texts)
        return [_without_format(one) if apart else one for one, apart in zip(paid, own, strict=True)]

    def _count(self, rollout: Rollout, paid: RewardBreakdown) -> None:
        old = {part.name: part.weight for part in rollout.breakdown.parts}
        self.tally.answers += 1
        self.tally.same += math.isclose(rollout.breakdown.total, paid.total, abs_tol=SAME_TOTAL)
        same_recipe = rollout.breakdown.recipe == paid.recipe
        self.tally.other_weights += same_recipe and old != {part.name: part.weight for part in paid.parts}


def why_not(question: Question, dataset: Dataset) -> str:
    """Why an answer to this question cannot be scored here; '' where it can."""
    if not question.gold:
        return "no gold query is known for the question"
    database = dataset.databases.get(question.db_id)
    if database is None:
        return f"the data set {dataset.name!r} has no database {question.db_id!r}"
    return "" if database.instances else f"the database {question.db_id!r} is not here: {database.missing}"


def before(rollout: Rollout) -> RewardPart:
    """What an answer was paid before, as a part that weighs nothing."""
    paid = rollout.breakdown
    total = scored_total(paid)
    parts = {part.name: {"weight": part.weight, "value": part.value} for part in paid.parts}
    told = "nothing was scored" if total is None else f"paid {total:.4g}"
    evidence = {"summary": f"before, under {paid.recipe}: {told} ({paid.status})", "recipe": paid.recipe, "status": paid.status}
    return RewardPart(BEFORE, total, 0.0, {**evidence, "advantage": rollout.advantage, "parts": parts})


def _unscored(recipe: Recipe, rollout: Rollout, why: str) -> RewardBreakdown:
    parts = tuple(RewardPart(name, None, recipe.weights[name], {"summary": f"not recomputed: {why}"}) for name in recipe.parts)
    return RewardBreakdown(recipe.name, NOT_JUDGED, parts, rollout.breakdown.thought, rollout.sql)


def _has_own_sql(rollout: Rollout) -> bool:
    """Does the SQL come from elsewhere than the completion?"""
    return parse_completion(rollout.completion).sql != rollout.sql


def _without_format(paid: RewardBreakdown) -> RewardBreakdown:
    parts = (replace(part, value=None, evidence={"summary": _NO_FORMAT}) if part.name == "format" else part for part in paid.parts)
    return replace(paid, parts=tuple(parts))


def _write_step(writer: RunWriter, run: Run, step: int, scoring: StepScoring) -> None:
    groups = scoring.groups(step, [run.group(summary.group_id) for summary in run.groups(step)])
    old = {name: value for name, points in scoring.old_metrics.items() for at, value in points if at == step}
    kept = {name: value for name, value in old.items() if not name.startswith(("reward", "frac_reward"))}
    kept |= {f"{BEFORE}/{name}": value for name, value in old.items() if name == "reward"}
    events = [event for event in scoring.old_events if event.step == step]
    writer.write_step(step, groups, {**kept, **metrics_of(groups)}, {}, events)


def _copy_evaluations(run: Run, writer: RunWriter) -> None:
    for one in run.evaluations(questions=True):
        rows = [asdict(question) | {"index": question.question_index} for question in one.questions]
        writer.write_evaluation(one.step, one.split, one.metric, rows)


def _said(tally: _Tally, scoring: StepScoring) -> list[str]:
    recipe = scoring.scorer.recipe
    lines = [f"{tally.answers} answers scored under {recipe.name}; {tally.same} of them have the same total as before"]
    lines += [f"not recomputed: {count} groups, because {why}" for why, count in tally.unscored.most_common()]
    if tally.own_sql:
        lines.append(f"{tally.own_sql} answers have SQL that is not their completion's: it was scored, and their format was not")
    if tally.other_weights:
        lines.append(f"{tally.other_weights} answers were paid before by other weights of the same recipe")
    if scoring.replay:
        lines.append(_said_of_memory(tally, scoring))
    return lines


def _said_of_memory(tally: _Tally, scoring: StepScoring) -> str:
    shipped = len(scoring.dataset.traces)
    if not scoring.recorded:
        return f"the run took no trace into its memory: thoughts were compared with the data set's own {shipped} traces"
    built = f"the memory was rebuilt step by step from {shipped} traces of the data set and {scoring.recorded} that the run took in"
    return f"{built}; at {tally.other_memory} steps it held another number of traces than the run says" if tally.other_memory else built
