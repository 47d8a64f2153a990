"""All answers of a run in one table: filter, search, sort, page, pin, note; a click on a line is the workbench's choice.

The front end holds one page and sends what it wants; this side answers from the run's index. Pins and notes lie beside
the run (``finer.run_notes``).

Not covered: choosing several answers at once (the selectors of the other tabs).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import ipywidgets
import traitlets

from finer.errors import FinerError
from finer.explorer import explorer_data
from finer.render import Markup, section
from finer.render.explorer import explorer
from finer.render.group import advantage_words
from finer.render.markup import one_line, plain, plain_line, tag
from finer.render.style import STATUS_WORDS, number, status_badge
from finer.run_index_schema import SORTS, AnswerFilter, AnswerPage, AnswerRow
from finer.run_notes import Note, RunNotes
from widgets.indexed import SECONDS_TO_WAIT, IndexedView
from widgets.live import FrontEnd, Stage, front_end

PAGE_SIZE = 50
STATIC_ROWS = 20


class RolloutsFrontEnd(FrontEnd):
    """The traits that go back and forth."""

    _esm, _css = front_end("rollouts").values()
    page = traitlets.Dict().tag(sync=True)
    wanted = traitlets.Dict().tag(sync=True)
    pick = traitlets.Dict().tag(sync=True)
    mark = traitlets.Dict().tag(sync=True)


@dataclass(frozen=True)
class Wanted:
    """What the front end asks for, checked: it comes from outside, so nothing in it is believed."""

    filter: AnswerFilter
    pinned: bool
    sort: str
    descending: bool
    start: int


def read_wanted(asked: dict[str, Any], parts: list[str]) -> Wanted:
    """The request as checked values; what makes no sense is left out.

    >>> read_wanted({"text": "avg", "low": "x", "sort": "no such", "start": -5}, ["atomic"])
    Wanted(filter=AnswerFilter(text='avg', statuses=(), db_id='', first_step=None, last_step=None, part='', low=None, high=None, rollout_ids=None), pinned=False, sort='rollout_id', descending=False, start=0)
    """
    text, status, db_id, part, sort = (
        str(asked.get(key) or "")[:500] for key in ("text", "status", "db_id", "part", "sort")
    )
    first, last, low, high, start = (
        _finite(asked.get(key)) for key in ("first_step", "last_step", "low", "high", "start")
    )
    bounds = [None if step is None else int(step) for step in (first, last)]
    part = part if part in (*parts, "total", "advantage") else ""
    wanted = AnswerFilter(text, (status,) if status else (), db_id, *bounds, part, low, high)
    sort = sort if sort in (*SORTS, *parts) else "rollout_id"
    return Wanted(wanted, bool(asked.get("pinned")), sort, bool(asked.get("descending")), max(0, int(start or 0)))


def _finite(value: Any) -> float | None:
    good = (
        isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1e15
    )
    return value if good else None


class RolloutsView(IndexedView):
    """Every answer of the run, a page at a time."""

    title = "Rollouts"

    def prepare(self) -> None:
        self._trouble = ""
        self.notes = RunNotes(self.run)
        self._stage = Stage(self._front_end, self.refresh)

    def _front_end(self) -> RolloutsFrontEnd:
        self.widget = RolloutsFrontEnd(page=self._empty_page(""), wanted={})
        self.widget.observe(lambda _: self._asked_for(), "wanted")
        self.widget.observe(lambda change: self._picked(change["new"]), "pick")
        self.widget.observe(lambda change: self._marked(change["new"]), "mark")
        return self.widget

    @property
    def panel(self) -> ipywidgets.Widget:
        return self._stage.widget

    def refresh(self) -> None:
        """Answers the front end's last request again; sends nothing where nothing changed."""
        self._answer()
        self._stage.keep(lambda: self.styled(self.static()))

    def static(self) -> Markup:
        return self.fragment()

    def wanted(self) -> Wanted:
        """The front end's last request, checked."""
        return read_wanted(self.widget.wanted, self.index.names()[2])

    def answers(self, wanted: Wanted, size: int = PAGE_SIZE) -> AnswerPage:
        """A page of answers for a request."""
        chosen = wanted.filter
        if wanted.pinned:
            chosen = AnswerFilter(**{**vars(chosen), "rollout_ids": self.notes.pinned()})
        return self.index.page(chosen, wanted.sort, wanted.descending, wanted.start, size)

    def whole_fragment(self) -> Markup:
        """The static form: the first lines, best paid first."""
        page = self.index.page(AnswerFilter(), "total", True, 0, STATIC_ROWS)
        titles = ("step", "question", "status", "total", "advantage", "SQL")
        head = tag("tr", *[tag("th", title, scope="col") for title in titles])
        table = tag("table", tag("thead", head), tag("tbody", *[_static_row(row) for row in page.rows]))
        said = f"{page.found:,} answers; the {len(page.rows)} best paid are shown. With a kernel, all can be filtered, searched and sorted."
        return section("", tag("p", said, class_="f-soft"), table)

    def whole(self) -> Markup:
        """For a page: search, filters and a walk through the steps over up to 5,000 answers; the static form where no script runs."""
        indexed = self.index.keep_up(SECONDS_TO_WAIT, self._grown)
        still = tag("noscript", self.fragment()) if indexed else Markup()
        return Markup(still + explorer(explorer_data(self.run)))

    def _asked_for(self) -> None:
        with self.choice.lock:
            self._trouble = ""
            self._answer()

    def _picked(self, pick: dict[str, Any]) -> None:
        group, position = _finite(pick.get("group")), _finite(pick.get("position"))
        if group is not None and position is not None:
            self._try(lambda: self.choice.pick(int(group), int(position)))
            self._answer()

    def _marked(self, mark: dict[str, Any]) -> None:
        rollout_id, pinned, note = _finite(mark.get("id")), mark.get("pinned"), mark.get("note")
        if rollout_id is not None:
            text = str(note)[:2000] if note is not None else None
            self._try(lambda: self.notes.keep(int(rollout_id), None if pinned is None else bool(pinned), text))
            self._answer()

    def _try(self, gesture: Any) -> None:
        try:
            self._trouble = ""
            gesture()
        except (FinerError, IndexError) as error:
            self._trouble = plain(str(error), 600)

    def _answer(self) -> None:
        with self.choice.lock:
            if not self.index.keep_up(0.05, self._grown):
                done, of = self.index.progress()
                self.widget.page = self._empty_page(f"The run is being indexed: {done:,} of {of:,} groups so far.")
                return
            try:
                self.widget.page = self._page()
            except FinerError as error:
                self.widget.page = self._empty_page(plain(str(error), 600))

    def _page(self) -> dict[str, Any]:
        wanted, notes = self.wanted(), self.notes.all()
        found = self.answers(wanted)
        looked_at = self.choice.rollout
        chosen = looked_at.rollout_id if looked_at and looked_at.rollout_id >= 0 else None
        statuses, databases, parts = self.index.names()
        until = found.start + len(found.rows)
        said = f"{found.found:,} answers" + (f", {found.start + 1:,} to {until:,} shown" if found.rows else "")
        note = notes.get(chosen)
        return {
            "rows": [self._row(row, notes.get(row.rollout_id)) for row in found.rows],
            "start": found.start, "size": PAGE_SIZE, "found": found.found, "sort": wanted.sort, "descending": wanted.descending,
            "statuses": statuses, "databases": [plain(name, 80) for name in databases], "parts": [*parts, "total", "advantage"],
            "status": "".join(wanted.filter.statuses), "db_id": wanted.filter.db_id, "part": wanted.filter.part,
            "said": f"✗ {self._trouble}" if self._trouble else said, "chosen": chosen, "note": note.text if note else "",
        }  # fmt: skip

    def _row(self, row: AnswerRow, note: Note | None) -> dict[str, Any]:
        symbol, words, tone = STATUS_WORDS.get(row.status, ("?", row.status, "unknown"))
        said = plain(note.text, 300) if note else ""
        if note and self.notes.is_stale(note):
            said += " (of another answer: the run was resumed and this one written anew)"
        return {
            "id": row.rollout_id, "group": row.group_id, "position": row.position, "step": row.step, "tone": tone,
            "status": f"{symbol} {plain(words, 60)}", "total": number(row.total), "advantage": advantage_words(row.advantage),
            "tokens": row.length_tokens, "question": plain_line(f"{row.question_index} · {row.db_id} · {row.question}", 130),
            "sql": plain_line(row.sql, 200), "pinned": bool(note and note.pinned), "note": said,
        }  # fmt: skip

    def _empty_page(self, said: str) -> dict[str, Any]:
        empty = dict.fromkeys(("status", "db_id", "part", "note"), "")
        lists = {name: [] for name in ("rows", "statuses", "databases", "parts")}
        numbers = {"start": 0, "size": PAGE_SIZE, "found": 0, "sort": "rollout_id", "descending": False}
        return {**empty, **lists, **numbers, "said": said, "chosen": None}


def _static_row(row: AnswerRow) -> Markup:
    question = one_line(f"{row.question_index} · {row.db_id} · {row.question}", 120)
    cells = [
        row.step,
        question,
        status_badge(row.status),
        number(row.total),
        advantage_words(row.advantage),
        tag("code", one_line(row.sql)),
    ]
    return tag("tr", *[tag("td", cell) for cell in cells])
