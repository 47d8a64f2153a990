"""The experiment's tables, from the kept runs alone; notebook 10 draws from the same functions."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from plan import ALL_RECIPES, ALL_STARTS, AT_THE_HARDEST, HARDEST, KEPT, NEAR, ONE_CHANGE, Cell, share_of

from finer.seeds import OverSeeds, difference, over_seeds, ratio, steps_to, waited

LEVEL, HIGH = 0.5, 0.7
Records = dict[tuple[str, str], dict[int, dict[str, Any]]]
"""(start, recipe) to seed to record."""


def read_records() -> Records:
    """Every kept run."""
    found: Records = {}
    for path in sorted(KEPT.glob("*/*.json")):
        one = json.loads(path.read_text(encoding="utf-8"))
        found.setdefault((one["start"], one["recipe"]), {})[one["seed"]] = one
    return found


def final_dev(runs: dict[int, dict[str, Any]]) -> dict[int, float]:
    return {seed: one["dev"][-1][1] for seed, one in runs.items()}


def final_unseen(runs: dict[int, dict[str, Any]]) -> dict[int, float]:
    return {seed: one["unseen"]["value"] for seed, one in runs.items()}


def waits(runs: dict[int, dict[str, Any]], level: float = LEVEL) -> dict[int, int]:
    """Steps to so much of dev right; the whole budget where a run never got there."""
    return {seed: waited(steps_to(one["dev"], level), one["steps"]) for seed, one in runs.items()}


def luck(runs: dict[int, dict[str, Any]]) -> dict[int, float]:
    """Share found out on another instance, of the answers that agree with the gold on the main one; a run without such an answer says nothing."""
    agreeing = {seed: sum(one["by_luck"]) + sum(one["right"]) for seed, one in runs.items()}
    return {seed: sum(one["by_luck"]) / agreeing[seed] for seed, one in runs.items() if agreeing[seed]}


def tables() -> list[str]:
    """All that the kept runs say, as lines of Markdown."""
    records = read_records()
    if not records:
        return ["No run is kept yet."]
    return [*_starts(), "", *_cells(records), "", *_against(records)]


def _starts() -> Iterator[str]:
    yield "| start | right samples | of | share |"
    yield "|---|---|---|---|"
    for name in ALL_STARTS:
        if share_of(name).exists():
            one = json.loads(share_of(name).read_text(encoding="utf-8"))
            yield f"| {name} | {one['right']} | {one['samples']} | {100 * one['share']:.3g} % |"


def _cells(records: Records) -> Iterator[str]:
    yield "| start | recipe | seeds | dev at the end, % | unseen, % | steps to 50 % | got there | groups without a signal, % | right by luck, % | inversions in all |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for start in ALL_STARTS:
        for recipe in ALL_RECIPES:
            if runs := records.get((start, recipe)):
                yield _cell(start, recipe, runs)


def _cell(start: str, recipe: str, runs: dict[int, dict[str, Any]]) -> str:
    there = sum(steps_to(one["dev"], LEVEL) is not None for one in runs.values())
    groups_a_step = Cell(start, recipe, 0).config().questions_per_step
    silent = {seed: sum(one["without_signal"]) / (groups_a_step * one["steps"]) for seed, one in runs.items()}
    budget = max(one["steps"] for one in runs.values())
    waited_for = written(over_seeds(waits(runs).values()), 0, (1, budget)) if there else f"> {budget}"
    shares = [percent(over_seeds(found.values()), digits, (0, 100)) for found, digits in ((final_dev(runs), 1), (final_unseen(runs), 1), (silent, 1), (luck(runs), 2))]
    found = (*shares[:2], waited_for, f"{there} of {len(runs)}", *shares[2:], f"{sum(one['inversions'] for one in runs.values())}")
    return f"| {start} | {recipe} | {len(runs)} | " + " | ".join(found) + " |"


def _against(records: Records) -> Iterator[str]:
    yield "| start | recipe | against | pairs | dev at the end, points | unseen at the end, points | steps to 50 %, ratio | steps to 70 %, ratio |"
    yield "|---|---|---|---|---|---|---|---|"
    for start in ALL_STARTS:
        pairs = [("bigram", "sparse"), ("finer", "sparse"), ("finer", "bigram")]
        if start == HARDEST:
            pairs += [(recipe, other) for recipe in AT_THE_HARDEST for other in ("sparse", "finer")] + [(recipe, "paper") for recipe in ONE_CHANGE]
        pairs += [(NEAR, "sparse"), (NEAR, "finer")]
        for recipe, other in pairs:
            runs, base = records.get((start, recipe), {}), records.get((start, other), {})
            if runs.keys() & base.keys():
                yield _pair(start, recipe, other, runs, base)


def _pair(start: str, recipe: str, other: str, runs: dict, base: dict) -> str:
    gain, unseen = difference(final_dev(base), final_dev(runs)), difference(final_unseen(base), final_unseen(runs))
    faster = [_faster(runs, base, level) for level in (LEVEL, HIGH)]
    return f"| {start} | {recipe} | {other} | {gain.n} | {percent(gain)} | {percent(unseen)} | " + " | ".join(faster) + " |"


def _faster(runs: dict, base: dict, level: float) -> str:
    """Steps to a level over those of the other recipe; nothing where neither ever got there."""
    if all(steps_to(one["dev"], level) is None for one in (*runs.values(), *base.values())):
        return "–"
    return written(ratio(waits(base, level), waits(runs, level)), 2)


def percent(found: OverSeeds, digits: int = 1, within: tuple[float, float] = (-100, 100)) -> str:
    """A share in percent (or a difference in points) with its interval."""
    return written(OverSeeds(*(None if one is None else 100 * one for one in (found.value, found.low, found.high)), found.n), digits, within)


def written(found: OverSeeds, digits: int, within: tuple[float, float] = (-math.inf, math.inf)) -> str:
    """A mean with its interval, as far as it lies ``within`` what can be; none where one seed says nothing of others, or all seeds agree."""
    if found.value is None:
        return "–"

    def cut(number: float) -> str:
        return f"{round(min(within[1], max(within[0], number)), digits) + 0.0:.{digits}f}"  # + 0.0: never "-0.0"

    if found.low is None or found.high is None or found.low == found.high:
        return cut(found.value)
    return f"{cut(found.value)} ({cut(found.low)} to {cut(found.high)})"
