"""One page of a run to send to somebody: what was trained, how much better it got, and why answers were paid as they were.

``write_report(run, "report.html")`` writes one HTML file that needs no network and no kernel. It explains at most three
groups, chosen by the rules that ``chosen_groups`` states, and carries up to 5,000 answers to search and to walk through;
the page says which. Without scripts everything but that search is still there. ``write_exploration`` writes a second page, in which
plotly draws the answers over any two of their measures.

Not covered: all answers of a longer run (open it in a notebook), comparing runs.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import fmean
from typing import Any

from finer.accounts import wilson
from finer.alarms import alarms_of
from finer.errors import FinerError
from finer.explorer import MOST_BYTES, explorer_data
from finer.habits import habits
from finer.ledger import outcome_of, selected_of, signal_ledger, with_what_followed
from finer.points import points_of
from finer.records import Group
from finer.render import Markup, atom_ledger, curves, group_table, memory_gate, memory_matches, page, section, waterfall
from finer.render.explorer import explorer
from finer.render.habits import habits_table
from finer.render.ledger import ledger
from finer.render.markup import join, one_line, plain, tag
from finer.render.points_page import points_page
from finer.render.style import signed, status_badge
from finer.render.telling import how_telling, is_mixed, is_rescued, telling_rollout
from finer.runs import Run
from finer.runs_schema import WARM_START, EvaluatedQuestion, Evaluation, GroupSummary

MOST_CHANGED = 6
"""Questions of each kind (gained, lost) that are listed."""


class ReportError(FinerError):
    """A report that cannot be written where it was asked for."""


def write_report(run: Run | str | Path, path: str | Path) -> Path:
    """Writes the page and returns where it lies; a report that is there already is replaced, whole or not at all.

    Raises RunStoreError where there is no run, ReportError where the file cannot be written.
    """
    run = run if isinstance(run, Run) else Run(run)
    return _written(Path(path), report_html(run))


def _written(path: Path, document: str) -> Path:
    try:
        _replace(path, document.encode("utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportError(
            f"{path} cannot be written ({reason}). Give a file name in a folder that is there and may be written."
        ) from error
    return path


def write_exploration(run: Run | str | Path, path: str | Path) -> Path:
    """Writes the page that explores a run's answers by axes, marks and selection; the same promises and errors as ``write_report``.

    Raises PlotlyMissingError where the package that holds plotly.js is not installed.
    """
    run = run if isinstance(run, Run) else Run(run)
    return _written(Path(path), exploration_html(run))


def exploration_html(run: Run) -> str:
    """The page as text; shorter texts where its answers would take more than ``MOST_BYTES``."""
    for longest in (200, 80, 20):
        content = points_page(points_of(run, longest_text=longest))
        if len(content.encode("utf-8")) <= MOST_BYTES:
            break
    return page(f"Answers of the run {plain(run.folder.name)}", content)


def _replace(path: Path, content: bytes) -> None:
    if path.is_dir():
        raise IsADirectoryError(None, "it is a folder")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)  # mkstemp makes files for the owner alone; a report is made to be passed on
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def report_html(run: Run) -> str:
    """The page as text."""
    evaluations, metrics = run.evaluations(questions=True), run.metrics()
    parts = [
        _head(run, evaluations),
        section("How training went"),
        curves(metrics, evaluations, run.steps(), alarms_of(run, metrics)),
        *_signal(run),
        _changes(evaluations),
        *_groups(run),
        _gate(run),
        *_answers(run),
        _configuration(run),
    ]
    return page(f"Report of the run {plain(run.folder.name)}", *[part for part in parts if part is not None])


def is_warm_start(run: Run) -> bool:
    """Has it traces in place of answers?"""
    return run.config.get("stage") == WARM_START


def _signal(run: Run) -> list[Markup]:
    if is_warm_start(run):
        return []
    outcomes = with_what_followed(map(outcome_of, run.groups()), run.answered)
    seen = ledger(signal_ledger(outcomes), selected_of(run.events()))
    return [section("What execution alone would have seen"), seen, section("What habits earned"), habits_table(habits(run))]


def _answers(run: Run) -> list[Markup]:
    return [] if is_warm_start(run) else [section("Every answer"), explorer(explorer_data(run))]


def first_and_last(evaluations: list[Evaluation]) -> list[tuple[Evaluation, Evaluation]]:
    """For each split and metric, its first and its last evaluation; a lone one is both."""
    pairs: dict[tuple[str, str], tuple[Evaluation, Evaluation]] = {}
    for one in evaluations:
        key = (one.split, one.metric)
        pairs[key] = (pairs.get(key, (one, one))[0], one)
    return list(pairs.values())


def _head(run: Run, evaluations: list[Evaluation]) -> Markup:
    config = run.config
    named = [("policy", "policy"), ("recipe", "recipe"), ("dataset", "data set"), ("seed", "seed")]
    facts = [f"{words} {config[key]}" for key, words in named if key in config]
    sentence = (
        f"{', '.join(facts)}; {run.last_step} steps, {run.status}."
        if facts
        else f"{run.last_step} steps, {run.status}."
    )
    rows = [*[_accuracy_cards(*pair) for pair in first_and_last(evaluations)], _work_cards(run)]
    cards = [tag("div", *row, class_="r-cards") for row in rows]
    return section("", tag("p", sentence[0].upper() + sentence[1:]), *cards)


def _accuracy_cards(first: Evaluation, last: Evaluation) -> list[Markup]:
    if first.value is None or last.value is None:
        return [_card("not judged", f"right on {last.split}", "no question could be judged")]
    if first.step == last.step:
        return [_card(f"{last.value:.1%}", f"right on {last.split} at step {last.step}", _interval(last))]
    gain = 100 * (last.value - first.value)
    return [
        _card(f"{first.value:.1%}", f"right on {first.split} before", _interval(first)),
        _card(f"{last.value:.1%}", f"right on {last.split} after {last.step} steps", _interval(last)),
        _card(f"{signed(gain, 1)} points", f"on {last.split}", f"rule: {last.metric}"),
    ]


def _interval(one: Evaluation) -> str:
    low, high = wilson(one.value * one.n, one.n)
    return f"95 % interval {low:.1%} to {high:.1%}, {one.n} questions"


def _work_cards(run: Run) -> list[Markup]:
    steps = run.steps()
    if not steps:
        return [_card("0", "steps", "nothing has been trained yet")]
    totals = [sum(value or 0.0 for value in step.seconds.values()) for step in steps]
    stages = {stage: fmean([step.seconds[stage] or 0.0 for step in steps]) for stage in steps[0].seconds if steps[0].seconds[stage] is not None}
    split = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in stages.items())
    return [
        _done_card(run, len(steps)),
        _card(f"{sum(totals) / 60:.1f} min", "in training steps", f"{fmean(totals):.2f} s a step: {split}"),
    ]


def _done_card(run: Run, steps: int) -> Markup:
    if is_warm_start(run):
        seen = run.metrics("num_tokens")
        return _card(f"{seen[-1][1] or 0:,.0f}" if seen else "0", "tokens of traces seen", f"in {steps} steps, prompts counted")
    return _card(f"{sum(len(summary.totals) for summary in run.groups()):,}", "answers scored", f"in {steps} steps")


def _card(figure: str, label: str, note: str) -> Markup:
    return tag("div", tag("b", figure), tag("span", label), tag("small", note), class_="r-card")


# --- what changed on the questions of the evaluation


def changed(first: Evaluation, last: Evaluation) -> tuple[list, list]:
    """Pairs (before, after) of the questions that became right, and of those that became wrong."""
    before = {one.question_index: one for one in first.questions}
    pairs = [(before[one.question_index], one) for one in last.questions if one.question_index in before]
    gained = [pair for pair in pairs if pair[0].correct is False and pair[1].correct is True]
    lost = [pair for pair in pairs if pair[0].correct is True and pair[1].correct is False]
    return gained, lost


def _changes(evaluations: list[Evaluation]) -> Markup | None:
    tables = [_change_tables(first, last) for first, last in first_and_last(evaluations) if first.step != last.step]
    return section("What it learned, and what it lost", *tables) if tables else None


def _change_tables(first: Evaluation, last: Evaluation) -> Markup:
    gained, lost = changed(first, last)
    said = f"On {last.split}, {len(gained)} questions became right and {len(lost)} became wrong between steps {first.step} and {last.step}."
    return join(tag("p", said), _change_table("Became right", gained, True), _change_table("Became wrong", lost, False))


def _change_table(
    heading: str, pairs: list[tuple[EvaluatedQuestion, EvaluatedQuestion]], unfolded: bool
) -> Markup | None:
    if not pairs:
        return None
    titles = ("question", "before", "after")
    head = tag("tr", *[tag("th", title, scope="col") for title in titles])
    rows = [_change_row(*pair) for pair in pairs[:MOST_CHANGED]]
    more = f", the first {MOST_CHANGED}" if len(pairs) > MOST_CHANGED else ""
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="r-changes")
    return tag("details", tag("summary", f"{heading} ({len(pairs)}{more})"), table, open=unfolded)


def _change_row(before: EvaluatedQuestion, after: EvaluatedQuestion) -> Markup:
    cells = [tag("td", _outcome(one)) for one in (before, after)]
    return tag("tr", tag("td", before.question_index, class_="f-number"), *cells)


def _outcome(one: EvaluatedQuestion) -> Markup:
    status = "correct" if one.correct else "wrong" if one.status in ("ok", "empty") else one.status
    return join(status_badge(status), " ", tag("code", one_line(one.sql or "(no SQL)", 240)))


# --- a few groups


def chosen_groups(summaries: list[GroupSummary]) -> list[tuple[str, GroupSummary]]:
    """At most three groups, each with why it is shown; none twice.

    The first mixed group of the run (right and wrong side by side), the group without a right answer whose totals differ
    most (the dense parts alone give the signal), and the last mixed group with the largest spread of its step.
    """
    chosen: dict[int, tuple[str, GroupSummary]] = {}
    mixed = [one for one in summaries if is_mixed(one) and one.has_signal]
    rescued = [one for one in summaries if is_rescued(one)]
    if mixed:
        chosen[mixed[0].group_id] = ("Early: the first group with right and wrong answers side by side", mixed[0])
    if rescued:
        best = max(rescued, key=how_telling)
        chosen[best.group_id] = (
            "No answer was right, and still there was a signal: the dense parts told better from worse",
            best,
        )
    if mixed:
        last = max(mixed, key=lambda one: (one.step, how_telling(one)))
        chosen.setdefault(last.group_id, ("Late: the last step that had right and wrong answers side by side", last))
    return sorted(chosen.values(), key=lambda one: one[1].group_id)


def _groups(run: Run) -> list[Markup]:
    shown: list[Markup] = []
    for why, summary in chosen_groups(run.groups()):
        shown += _group(run, why, run.group(summary.group_id))
    if not shown:
        return []
    rule = "At most three groups are shown: the first mixed one, the most telling one without a right answer, the last mixed one."
    return [section("Why answers were paid what they were", tag("p", rule, class_="f-soft")), *shown]


def _group(run: Run, why: str, group: Group) -> list[Markup]:
    rollout = telling_rollout(group)
    events = [event for event in run.memory_events() if event.step == group.step]
    details = [
        waterfall(rollout, group),
        _folded("Operations shared with the gold query", atom_ledger(rollout, group.question)),
        _folded("Thoughts near this one in the memory", memory_matches(rollout, events)),
    ]
    step = [run.group(found.group_id) for found in run.groups(group.step)]
    return [section("", tag("h3", why)), group_table(group, (rollout.rollout_id,), step), *details]


def _gate(run: Run) -> Markup | None:
    """What the memory's gate let in over the whole run; nothing for a run that offered it nothing."""
    events = run.memory_events()
    return _folded("Thoughts that the memory kept, and why it refused the others", memory_gate(events)) if events else None


def _folded(label: str, content: Markup) -> Markup:
    return section("", tag("details", tag("summary", label), content))


# --- configuration


def _configuration(run: Run) -> Markup:
    config = [(key, value) for key, value in run.config.items()]
    events = [(f"step {event.step}: {event.kind}", event.detail) for event in run.events()]
    return section(
        "Configuration",
        _facts("What the run was told", config),
        _facts("What it ran on", list(run.versions.items())),
        _facts("What happened to it", events),
    )


def _facts(heading: str, rows: list[tuple[str, Any]]) -> Markup | None:
    if not rows:
        return None
    cells = [tag("tr", tag("th", key, scope="row"), tag("td", _value(value))) for key, value in rows]
    return tag("details", tag("summary", heading), tag("table", tag("tbody", *cells), class_="r-facts"), open=True)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items()) or "—"
    return "—" if value in (None, "") else str(value)
