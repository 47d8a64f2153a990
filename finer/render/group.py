"""The answers to one question at one step, ordered by what they were paid, each advantage as the sum of what its parts added.

Not covered: the text difference between two answers (``difference``), other weights (``whatif``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean, stdev

from finer.contributions import Scaling, group_contributions, recorded_scaling
from finer.records import Group, RewardBreakdown, Rollout
from finer.render.markup import Markup, join, one_line, tag, text
from finer.render.style import fragment, legend, number, part_class, part_letter, signed, status_badge

_CSS = ".finer-view .g-sum{font-size:12.5px;color:var(--f-soft);font-variant-numeric:tabular-nums;min-width:11em}"

MOST_CHARACTERS = 2_000
"""Of a question and of its evidence; a longer one would push its answers off the page."""


def group_table(group: Group, chosen: Collection[int] = (), batch: Sequence[Group] = ()) -> Markup:
    """The question, its gold SQL and every rollout, best paid first; ``chosen`` are the rollout ids to mark.

    ``batch``: the groups of the step, which decide how the advantages are split where the step's spread counts.
    """
    if not group.rollouts:
        return fragment("group", "Group", tag("p", "This group has no answers yet.", class_="f-soft"))
    ordered = sorted(group.rollouts, key=lambda rollout: (-rollout.breakdown.total, rollout.position))
    scale = max([1e-9] + [_paid(rollout.breakdown) for rollout in ordered])
    scaling = recorded_scaling(batch or [group])
    added = dict(zip((rollout.rollout_id for rollout in group.rollouts), group_contributions(group, scaling or Scaling(), batch)))
    rows = [_row(rollout, scale, added[rollout.rollout_id], rollout.rollout_id in chosen) for rollout in ordered]
    table = tag("table", _head(), tag("tbody", *rows), class_="f-answers")
    names = [part.name for part in ordered[0].breakdown.parts]
    label = f"Answers to question {group.question.index}"
    said = tag("p", scaling_words(scaling), class_="f-soft")
    return fragment("group", label, question_head(group), table, legend(names), said, extra_css=_CSS)


def scaling_words(scaling: Scaling | None) -> str:
    """What an advantage is, and what its terms sum to.

    >>> scaling_words(Scaling("group"))
    'The terms sum to the advantage: (total − group mean) / (spread of the group + 0.0001).'
    """
    if scaling is None:
        return "The recorded advantages are scaled in another way; the terms sum to total − group mean."
    if scaling.aggregation != "sum_then_normalize":
        return "The terms sum to the advantage: each part over its own spread in the group, then the sum over the spread of the step."
    among = {"group": "group", "batch": "step"}.get(scaling.scale_rewards)
    divided = f"(total − group mean) / (spread of the {among} + 0.0001)" if among else "total − group mean"
    return f"The terms sum to the advantage: {divided}."


def contribution_words(added: Mapping[str, float]) -> str:
    """What each part added to an advantage, the largest first.

    >>> contribution_words({"memory": -0.05, "atomic": 0.31, "format": 0.0})
    'atomic +0.31, memory −0.05, format 0.00'
    """
    ordered = sorted(added.items(), key=lambda term: -abs(term[1]))
    return ", ".join(f"{name} {signed(amount)}" for name, amount in ordered)

def question_head(group: Group) -> Markup:
    """The question as asked, where it comes from, its gold SQL, and how the group fared."""
    question = group.question
    facts = f"{question.db_id} · question {question.index} · {place_words(group)}"
    if question.difficulty:
        facts += f" · {question.difficulty}"
    evidence = tag("p", "Evidence: ", text(question.evidence, MOST_CHARACTERS), class_="f-soft") if question.evidence else None
    gold = tag("pre", tag("code", question.gold[0])) if question.gold else None
    return join(
        tag("p", text(question.text, MOST_CHARACTERS), class_="f-question f-text"),
        tag("p", facts, class_="f-soft"),
        evidence,
        gold,
        tag("p", group_words(group)),
    )


def place_words(group: Group) -> str:
    """Where a group stands: its step and number, or that it is a try of a person's (an id below zero).

    >>> place_words(Group(32, 8, None, "", ())), place_words(Group(-1, 0, None, "", ()))
    ('step 8 · group 32', 'your own tries, not part of a run')
    """
    return f"step {group.step} · group {group.group_id}" if group.group_id >= 0 else "your own tries, not part of a run"


def group_words(group: Group) -> str:
    """One sentence on a group: how many right, mean and spread, and whether it teaches anything.

    The spread is the sample standard deviation, as in TRL's advantage.
    """
    totals = [rollout.breakdown.total for rollout in group.rollouts]
    right = sum(rollout.breakdown.status == "correct" for rollout in group.rollouts)
    spread = stdev(totals) if len(totals) > 1 else 0.0
    judged = [rollout for rollout in group.rollouts if rollout.breakdown.status != "not_judged"]
    counted = f"{right} of {len(totals)} answers right" if judged else f"{len(totals)} answers, not judged"
    said = f"{counted}, mean total {number(fmean(totals))}, spread {number(spread)}"
    if spread < 1e-9:
        return said + ": all were paid the same, so this group gives no signal."
    if not judged:
        return said + "."
    kind = "all right" if right == len(totals) else "all wrong" if right == 0 else "mixed"
    return f"{said} ({kind})."


def _paid(breakdown: RewardBreakdown) -> float:
    return sum(max(part.contribution, 0.0) for part in breakdown.parts)


def _head() -> Markup:
    names = ["#", "parts", "total", "advantage", "is the sum of", "status", "SQL"]
    numeric = {"#", "total", "advantage"}
    cells = [tag("th", name, scope="col", class_="f-number" if name in numeric else None) for name in names]
    return tag("thead", tag("tr", *cells))


def _row(rollout: Rollout, scale: float, added: Mapping[str, float], chosen: bool) -> Markup:
    breakdown = rollout.breakdown
    return tag(
        "tr",
        tag("td", rollout.position, class_="f-number"),
        tag("td", stack(breakdown, scale)),
        tag("td", number(breakdown.total), class_="f-number"),
        tag("td", advantage_words(rollout.advantage), class_="f-number"),
        tag("td", text(contribution_words(added), 400), class_="g-sum"),
        tag("td", status_badge(breakdown.status)),
        tag("td", tag("code", _sql_line(rollout))),
        class_="f-chosen" if chosen else None,
        aria_current="true" if chosen else None,
        data_pick=f"g{rollout.group_id}a{rollout.position}",
    )


def _sql_line(rollout: Rollout) -> Markup:
    if rollout.sql.strip():
        return one_line(rollout.sql)
    return tag("em", "no SQL: ", one_line(rollout.completion or "(empty)", 80))


def advantage_words(advantage: float | None) -> str:
    """An advantage with an arrow for its direction.

    >>> advantage_words(1.2), advantage_words(-0.4), advantage_words(None)
    ('▲ +1.20', '▼ −0.40', '—')
    """
    shown = signed(advantage)
    arrow = {"+": "▲ ", "−": "▼ "}.get(shown[0], "")
    return arrow + shown


def stack(breakdown: RewardBreakdown, scale: float) -> Markup:
    """A bar of what each part paid; ``scale`` is the amount that fills it."""
    pieces, words = [], []
    for part in breakdown.parts:
        words.append(f"{part.name} {'not scored' if part.value is None else number(part.contribution)}")
        share = 100 * max(part.contribution, 0.0) / scale
        if share > 0:
            letter = part_letter(part.name) if share >= 9 else None
            pieces.append(tag("i", letter, class_=part_class(part.name), style=f"width:{share:.2f}%"))
    label = ", ".join(words)
    return tag("div", *pieces, class_="f-stack", role="img", aria_label=label, title=label)
