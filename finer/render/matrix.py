"""The matrix of a run: questions down, steps across, in each cell how many of the group's answers were right.

The static form of ``widgets.matrix``; a cell is a bar of the right answers, with the count in its title and in words below.

Not covered: choosing which questions and steps (``widgets.matrix``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finer.render.markup import Markup, one_line, tag
from finer.render.style import fragment

CELL, TALL = 18.0, 22.0
MATRIX_CSS = (
    ".finer-view .x-scroll{overflow-x:auto}.finer-view .x-matrix{width:auto}.finer-view .x-matrix td,.finer-view .x-matrix th{padding:1px 2px}"
    ".finer-view .x-matrix th[scope=row]{min-width:15em;max-width:24em;font-weight:400}.finer-view .x-matrix svg{width:18px;height:22px}"
    ".finer-view .x-matrix thead th{font-size:10.5px;text-align:center}"
)


@dataclass(frozen=True)
class MatrixCell:
    """One group: its id, and how many of its judged answers were right."""

    group_id: int
    step: int
    right: int
    judged: int
    answers: int

    @property
    def words(self) -> str:
        if not self.judged:
            return f"step {self.step}: {self.answers} answers, not judged"
        return f"step {self.step}: {self.right} of {self.judged} right"


@dataclass(frozen=True)
class MatrixRow:
    """One question with its cells, at most one a step (the step's last group)."""

    question_id: int
    label: str
    pinned: bool
    cells: tuple[MatrixCell, ...]


def matrix(rows: Sequence[MatrixRow], steps: Sequence[int]) -> Markup:
    """The questions ``rows`` at these ``steps``."""
    if not rows or not steps:
        return fragment("matrix", "Questions over steps", tag("p", "No question to show yet.", class_="f-soft"))
    head = tag("tr", tag("th", "question", scope="col"), *[tag("th", step, scope="col") for step in steps])
    body = [_row(row, steps) for row in rows]
    said = "Each bar is one group: full when every judged answer was right, empty when none was, dashed when none was judged."
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="x-matrix")
    content = tag("p", said, class_="f-soft"), tag("div", table, class_="x-scroll")
    return fragment("matrix", "Questions over steps", *content, extra_css=MATRIX_CSS)


def _row(row: MatrixRow, steps: Sequence[int]) -> Markup:
    cells = {cell.step: cell for cell in row.cells}
    name = tag("th", "★ " if row.pinned else None, one_line(row.label, 80), scope="row")
    return tag("tr", name, *[tag("td", _bar(cells[step]) if step in cells else None) for step in steps])


def _bar(cell: MatrixCell) -> Markup:
    share = cell.right / cell.judged if cell.judged else 0.0
    frame = tag(
        "rect", x=1.0, y=1.0, width=CELL - 2, height=TALL - 2, style="fill:none;stroke:var(--f-soft)",
        stroke_dasharray=None if cell.judged else "2 2",
    )  # fmt: skip
    tall = (TALL - 2) * share
    fill = tag("rect", x=1.0, y=TALL - 1 - tall, width=CELL - 2, height=tall, style="fill:var(--f-execution)")
    return tag(
        "svg",
        tag("title", cell.words),
        fill,
        frame,
        viewbox=f"0 0 {CELL:g} {TALL:g}",
        role="img",
        aria_label=cell.words,
    )
