"""One thought's similarity as of every step of its run, and the neighbours that it would have had at one of them.

Not covered: computing them (``finer.memory.past``).
"""

from __future__ import annotations

from collections.abc import Sequence

from finer.memory.past import PastScore
from finer.render.charts import Point, Series, chart
from finer.render.markup import Markup, tag, text
from finer.render.memory import neighbour_row
from finer.render.style import fragment, number, signed

SAME = 1e-6
"""How far a score that was computed again may lie from the recorded one."""


def memory_past(scores: Sequence[PastScore], own: int, recorded: float, step: int | None = None) -> Markup:
    """The similarity over the steps as a line, the answer's own step marked; ``recorded``: what the run's store says.

    ``step``: another step that is looked at.
    """
    head = tag("h3", "The same thought against the memory of other steps")
    scored = [one for one in scores if one.match.similarity is not None]
    if not scored:
        return fragment("past", "Similarity by step", head, tag("p", "At no step could it be compared.", class_="f-soft"))
    points = [_point(one) for one in scored]
    mine = [point for point in points if point.x == own]
    drawn = chart(
        "similarity as of each training step",
        [Series("as of", tuple(points), "memory"), Series("its own step", tuple(mine), "total", dots=True)],
        _bounds([point.y for point in points]),
        chosen=step if step != own else None,
    )
    figure = tag("figure", drawn, class_="f-panel", style="max-width:420px")
    return fragment("past", "Similarity by step", head, _own(scores, own, recorded), figure, _ends(scored))


def _bounds(values: list[float]) -> tuple[float, float]:
    """The axis fits the line closely, but a line that hardly moves is not made to look as if it did."""
    margin = max(0.02, 0.1 * (max(values) - min(values)))
    return max(0.0, min(values) - margin), min(1.0, max(values) + margin)


def _point(one: PastScore) -> Point:
    value = one.match.similarity
    return Point(one.step, value, value, value)


def _own(scores: Sequence[PastScore], own: int, recorded: float) -> Markup:
    """Does the recorded score come again?"""
    again = next((one.match.similarity for one in scores if one.step == own), None)
    if again is not None and abs(again - recorded) <= SAME:
        return tag("p", f"✓ As of step {own}, its own, the recorded similarity comes again: {number(again, 4)}.")
    return tag(
        "p",
        f"✗ As of step {own}, its own, the similarity is {number(again, 4)}, and the run recorded {number(recorded, 4)}: "
        "the data set's traces or the encoder are not those of the run.",
        role="alert",
    )


def _ends(scored: Sequence[PastScore]) -> Markup:
    first, last = scored[0], scored[-1]
    words = f"{_said(first)}; {_said(last)}; {signed(last.match.similarity - first.match.similarity, 4)} between them."
    return tag("p", words, class_="f-soft")


def _said(one: PastScore) -> str:
    return f"as of step {one.step}: {number(one.match.similarity, 4)} among {one.match.snapshot} traces"


def memory_as_of(one: PastScore, recorded: float) -> Markup:
    """The similarity and the nearest traces as of one step, beside the recorded similarity."""
    head = tag("h3", f"Nearest verified thoughts as of step {one.step}")
    value = one.match.similarity
    if value is None:
        return fragment("as-of", f"As of step {one.step}", head, tag("p", "Not compared: ", text(one.match.reason, 300)))
    said = f"{_said(one)}; {signed(value - recorded, 4)} against the recorded {number(recorded, 4)}."
    rows = [neighbour_row(vars(neighbour)) for neighbour in one.match.neighbours]
    content = tag("p", said[0].upper() + said[1:]), tag("ol", *rows, class_="m-list")
    return fragment("as-of", f"As of step {one.step}", head, *content)
