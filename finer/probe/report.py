"""What the scores of the cases say about a reward: the records of a probe's report, and how they are made from the scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean

from finer.probe.cases import Case
from finer.probe.figures import auc, quantiles, spearman
from finer.probe.measures import Score

SAME = 1e-9
"""Scores nearer to one another count as the same."""
EXAMPLES = 10
"""Examples kept of each kind."""
LOWEST = float("-inf")
"""Where an answer that was not scored ranks."""


@dataclass(frozen=True)
class Scored:
    """One case of a question with its score by each measure, and the gold's."""

    index: int
    case: Case
    gold: str
    scores: dict[str, Score]
    full: dict[str, Score]


@dataclass(frozen=True)
class Distribution:
    """Scores of one family."""

    count: int
    not_scored: int
    mean: float | None
    quantiles: tuple[float, ...]
    """At ``figures.LEVELS``."""


@dataclass(frozen=True)
class Example:
    """A text that a measure takes for better or worse than it is."""

    index: int
    """Of the question."""
    change: str
    sql: str
    score: Score
    against: str
    """The text that it should be told from: the gold, a right text, or a near miss."""
    against_score: Score


@dataclass(frozen=True)
class Inversions:
    """Pairs of texts for one question of which the worse is paid more."""

    pairs: int
    inverted: int
    examples: tuple[Example, ...]
    """The widest gaps, one a question."""


@dataclass(frozen=True)
class LabelFigures:
    """How a measure tells labelled predictions apart."""

    right: int
    wrong: int
    auc: float | None
    """Chance that a right one ranks above one that is not; not scored ranks lowest, ties count half."""
    agreed_right: int
    auc_agreed: float | None
    """The same, where right is also: the gold's result on every instance of the dataset."""
    wrong_full: float | None
    """Share of the wrong ones that score what the gold scores."""
    agreed_below_half: float | None
    """Share of the right ones (on every instance) that score under half of what the gold scores."""


@dataclass(frozen=True)
class MeasureFigures:
    """One part, recipe or reward function."""

    name: str
    preserving: Distribution
    breaking: Distribution
    preserving_full: float | None
    """Share of the preserving cases that score what the gold scores, or more."""
    breaking_less: float | None
    """Share of the breaking cases that score less than the gold."""
    ladders: int
    spearman: float | None
    """Rank correlation of score and number of edits over all rungs; -1 is best."""
    spearman_within: float | None
    """Its mean over the ladders, one of which all rungs score alike counting 0."""
    wrong_above_right: Inversions
    """A breaking edit paid more than a preserving rewriting of the same question."""
    text_above_query: Inversions
    """A text that is not one query paid more than a breaking edit."""
    labels: LabelFigures | None = None


@dataclass(frozen=True)
class ChangeFigures:
    """One rewriting or edit."""

    name: str
    family: str
    cases: int
    """Those that the result bears out."""
    set_aside: int
    """Rewritings that changed a result, or edits that changed none."""
    passed: dict[str, float | None]
    """By measure: the share that scores full (preserving), or less than full (breaking)."""
    failures: dict[str, tuple[Example, ...]]
    """By measure the first cases that do not."""


@dataclass(frozen=True)
class ProbeReport:
    """All that a probe found."""

    dataset: str
    seed: int
    questions: int
    """Questions that gave a case."""
    passed_over: int
    """Questions without their database, whose gold failed or could not be read, or that admitted no change still wanted."""
    measures: tuple[MeasureFigures, ...]
    changes: tuple[ChangeFigures, ...]
    labels_left_out: int = 0
    """Labelled predictions whose two labels disagree, whose gold failed, or whose database is missing."""

    def measure(self, name: str) -> MeasureFigures:
        """The figures of ``part NAME``, ``recipe NAME`` or ``reward``; KeyError that lists what was measured."""
        for figures in self.measures:
            if figures.name == name:
                return figures
        raise KeyError(f"{name!r} was not measured; there are {[figures.name for figures in self.measures]}")


def passes(scored: Scored, measure: str) -> bool | None:
    """Does a case score as its family should? None where the gold itself was not scored."""
    full, score = scored.full[measure], scored.scores[measure]
    if full is None:
        return None
    reached = score is not None and score >= full - SAME
    return reached if scored.case.family == "preserving" else not reached


def measure_figures(name: str, scored: Sequence[Scored], junk: Sequence[Scored], labels: LabelFigures | None) -> MeasureFigures:
    """Everything about one measure."""
    preserving = [each for each in scored if each.case.family == "preserving"]
    breaking = [each for each in scored if each.case.family == "breaking"]
    ladders = _ladders(scored)
    rungs = [each for ladder in ladders for each in ladder]
    within = [_spearman(name, ladder) or 0.0 for ladder in ladders]
    return MeasureFigures(
        name,
        _distribution(name, preserving),
        _distribution(name, breaking),
        _share(passes(each, name) for each in preserving),
        _share(passes(each, name) for each in breaking),
        len(ladders),
        _spearman(name, rungs),
        fmean(within) if within else None,
        _inversions(name, breaking, preserving),
        _inversions(name, junk, breaking),
        labels,
    )


def change_figures(name: str, family: str, scored: Sequence[Scored], set_aside: int, measures: Iterable[str]) -> ChangeFigures:
    """Everything about one rewriting or edit."""
    measures = list(measures)
    failures = {measure: [each for each in scored if passes(each, measure) is False] for measure in measures}
    return ChangeFigures(
        name,
        family,
        len(scored),
        set_aside,
        {measure: _share(passes(each, measure) for each in scored) for measure in measures},
        {measure: tuple(_failure(measure, each) for each in found[:EXAMPLES]) for measure, found in failures.items()},
    )


def label_figures(rows: Sequence[tuple[bool, bool, Score, Score]]) -> LabelFigures:
    """From (held right, right on every instance, score, the gold's score) of each prediction."""
    right, wrong = [row for row in rows if row[0]], [row for row in rows if not row[0]]
    agreed = [row for row in right if row[1]]
    ranks = [[_rank(score) for _, _, score, _ in side] for side in (right, agreed, wrong)]
    full = [full is not None and score is not None and score >= full - SAME for _, _, score, full in wrong]
    below = [full is not None and (score is None or score < full / 2) for _, _, score, full in agreed]
    return LabelFigures(len(right), len(wrong), auc(ranks[0], ranks[2]), len(agreed), auc(ranks[1], ranks[2]), _share(full), _share(below))


def _failure(measure: str, scored: Scored) -> Example:
    return Example(scored.index, scored.case.change, scored.case.sql, scored.scores[measure], scored.gold, scored.full[measure])


def _distribution(name: str, scored: Sequence[Scored]) -> Distribution:
    values = [value for each in scored if (value := each.scores[name]) is not None]
    return Distribution(len(scored), len(scored) - len(values), fmean(values) if values else None, quantiles(values))


def _share(outcomes: Iterable[bool | None]) -> float | None:
    known = [outcome for outcome in outcomes if outcome is not None]
    return sum(known) / len(known) if known else None


def _ladders(scored: Sequence[Scored]) -> list[list[Scored]]:
    ladders: dict[int, list[Scored]] = {}
    for each in scored:
        if each.case.family == "ladder":
            ladders.setdefault(each.index, []).append(each)
    return list(ladders.values())


def _spearman(name: str, rungs: Sequence[Scored]) -> float | None:
    return spearman([each.case.edits for each in rungs], [_rank(each.scores[name]) for each in rungs])


def _rank(score: Score) -> float:
    return LOWEST if score is None else score


def _inversions(name: str, worse: Sequence[Scored], better: Sequence[Scored]) -> Inversions:
    pairs = inverted = 0
    widest: dict[int, tuple[float, Example]] = {}
    for one, other in _same_question(worse, better):
        pairs += 1
        gap = _paid(one, name) - _paid(other, name)
        if gap > SAME:
            inverted += 1
            if one.index not in widest or gap > widest[one.index][0]:
                example = Example(one.index, one.case.change, one.case.sql, one.scores[name], other.case.sql, other.scores[name])
                widest[one.index] = gap, example
    found = sorted(widest.values(), key=lambda pair: -pair[0])[:EXAMPLES]
    return Inversions(pairs, inverted, tuple(example for _, example in found))


def _paid(scored: Scored, name: str) -> float:
    """What is not scored adds nothing to a total, so it is paid like a 0."""
    return scored.scores[name] or 0.0


def _same_question(first: Sequence[Scored], second: Sequence[Scored]) -> Iterator[tuple[Scored, Scored]]:
    by_index: dict[int, list[Scored]] = {}
    for each in second:
        by_index.setdefault(each.index, []).append(each)
    for each in first:
        yield from product([each], by_index.get(each.index, []))
