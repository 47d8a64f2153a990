"""What the report's page carries so that it still filters, scrubs and hovers without a kernel: a run as compact JSON.

Texts are kept once, in a table that everything else points into. Of a run with more answers than the page holds, whole
groups are taken at even distances from the first to the last; the page says so.

Not covered: drawing it (``finer.render.explorer``).
"""

from __future__ import annotations

import json
from typing import Any

from finer.records import Group, RewardPart, Rollout
from finer.render.atoms import SIGNS, entries, overlap_of
from finer.render.markup import plain
from finer.render.memory import source_words
from finer.runs import Run

MOST_ROLLOUTS = 5_000
MOST_BYTES = 9_000_000
"""Of the data; the rest of a report takes some 200 kB, and a page shall stay under 10 MB."""
LONGEST_TEXT = 4_000
MOST_NEAR = 5
"""Traces near a thought; the run's evidence names no more."""


def explorer_data(run: Run, most: int = MOST_ROLLOUTS, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The answers of a run for the page; fewer groups where ``most`` answers or ``most_bytes`` of JSON are not enough."""
    sizes = [tuple(row) for row in run.query("SELECT group_id, count(*) FROM rollouts GROUP BY group_id ORDER BY min(step), group_id")]
    whole = sum(size for _, size in sizes)
    wanted = most
    while True:
        ids = evenly(sizes, wanted)
        data = _Table().data(run, ids)
        size = len(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
        if size <= most_bytes or len(ids) <= 1:
            break
        wanted = int(data["shown"] * min(0.9, 0.95 * most_bytes / size))
    data["said"] = _choice_words(data["shown"], whole, len(ids), len(sizes), wanted < most)
    return data


def evenly(sizes: list[tuple[int, int]], most: int) -> list[int]:
    """Ids of the groups to show: all where their answers are at most ``most``, else at even distances, ends included.

    >>> evenly([(1, 8), (2, 8), (3, 8), (4, 8), (5, 8)], 24)
    [1, 3, 5]
    """
    if sum(size for _, size in sizes) <= most:
        return [group_id for group_id, _ in sizes]
    largest = max(size for _, size in sizes)
    count = max(1, most // largest)
    if count == 1:
        return [sizes[-1][0]]
    places = dict.fromkeys(round(place * (len(sizes) - 1) / (count - 1)) for place in range(count))
    return [sizes[place][0] for place in places]


def _choice_words(shown: int, whole: int, groups: int, all_groups: int, for_size: bool) -> str:
    if shown == whole:
        return f"All {whole:,} answers of the run."
    why = "so that the page stays under 10 MB" if for_size else f"since a page holds at most {MOST_ROLLOUTS:,}"
    return (
        f"{shown:,} of the run's {whole:,} answers: {groups:,} of {all_groups:,} groups, each whole, "
        f"taken at even distances from the first to the last, {why}. Open the run in a notebook for all of them."
    )


class _Table:
    """Texts once each, and the groups that point into them."""

    def __init__(self):
        self.texts: list[str] = []
        self._places: dict[str, int] = {}
        self.part_names: list[str] = []
        self._traces: dict[tuple[int, ...], int] = {}

    def data(self, run: Run, ids: list[int]) -> dict[str, Any]:
        groups = [self.group(run.group(group_id)) for group_id in ids]
        shown = sum(len(group["answers"]) for group in groups)
        return {"texts": self.texts, "parts": self.part_names, "traces": list(self._traces), "groups": groups, "shown": shown}

    def text(self, value: Any) -> int:
        """The place of a text as it will be shown: hidden characters written out, a long one cut with a note."""
        shown = plain(value, LONGEST_TEXT)
        if shown not in self._places:
            self._places[shown] = len(self.texts)
            self.texts.append(shown)
        return self._places[shown]

    def group(self, group: Group) -> dict[str, Any]:
        question = group.question
        about = {"id": group.group_id, "step": group.step, "index": question.index, "db": self.text(question.db_id)}
        gold = self.text(question.gold[0] if question.gold else "")
        answers = [self.answer(rollout, gold) for rollout in group.rollouts]
        return about | {"question": self.text(question.text), "gold": gold, "answers": answers}

    def answer(self, rollout: Rollout, gold: int) -> list[Any]:
        """position, status, advantage, tokens, thought, SQL, completion where no SQL was read, parts, operations, near traces."""
        breakdown = rollout.breakdown
        rest = -1 if breakdown.sql.strip() else self.text(rollout.completion)
        parts = [self.part(part) for part in breakdown.parts]
        advantage = None if rollout.advantage is None else round(rollout.advantage, 4)
        texts = [self.text(breakdown.thought), self.text(breakdown.sql), rest]
        about = [rollout.position, self.text(breakdown.status), advantage, rollout.length_tokens]
        return [*about, *texts, parts, self.operations(rollout, gold), self.neighbours(breakdown.parts)]

    def neighbours(self, parts: tuple[RewardPart, ...]) -> list[list[Any]]:
        """The traces near the thought, as the place of each in the table of traces and its similarity."""
        found = [one for part in parts if part.name == "memory" for one in part.evidence.get("neighbours", ())]
        return [[self.trace(one), round(float(one["similarity"]), 4)] for one in found[:MOST_NEAR]]

    def trace(self, one: dict[str, Any]) -> int:
        """The place of a trace: its thought, its database, who wrote it and when, and its number."""
        source = source_words(one.get("source", ""), one.get("step", 0))
        told = *[self.text(words) for words in (one["thought"], one["db_id"], source)], one["trace_id"]
        return self._traces.setdefault(told, len(self._traces))

    def part(self, part: RewardPart) -> list[Any]:
        if part.name not in self.part_names:
            self.part_names.append(part.name)
        value = None if part.value is None else round(part.value, 5)
        return [self.part_names.index(part.name), value, part.weight, self.text(part.evidence.get("summary", ""))]

    def operations(self, rollout: Rollout, gold: int) -> list[list[Any]]:
        """Sign, text, and the places in the gold's and the answer's SQL; no place where they would not fit the text shown."""
        overlap = overlap_of(rollout)
        # The scorer may have matched another of several golds; then the places are in a text that is not shown.
        gold_fits = not overlap.gold or _fits(overlap.gold, self.texts[gold])
        sql_fits = _fits(rollout.sql, self.texts[self.text(rollout.sql)])
        listed = []
        for one in entries(overlap):
            words = f"{one.atom.clause} {one.atom.text}" + (f" (in {one.atom.scope})" if one.atom.scope else "")
            if one.kind == "changed":
                words += f" → {one.prediction.text}"
            places = [one.gold.span if one.gold and gold_fits else None, one.prediction.span if one.prediction and sql_fits else None]
            listed.append([SIGNS[one.kind], self.text(words), *[place or 0 for place in places]])
        return listed


def _fits(read: str, shown: str) -> bool:
    """Do places in the text that was read hold in the page? There, a character beyond 16 bits counts as two."""
    return read == shown and max(shown, default="") <= "\uffff"
