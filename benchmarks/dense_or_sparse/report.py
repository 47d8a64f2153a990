"""The experiment's tables, from the kept runs alone; notebook 10 draws from the same functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from plan import AT_THE_HARDEST, HARDEST, KEPT, STARTS, share_of

from finer.seeds import OverSeeds, difference, over_seeds, ratio, steps_to, waited

LEVEL = 0.5
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


def waits(runs: dict[int, dict[str, Any]]) -> dict[int, int]:
    """Steps to half of dev right; the whole budget where a run never got there."""
    return {seed: waited(steps_to(one["dev"], LEVEL), one["steps"]) for seed, one in runs.items()}


def tables() -> list[str]:
    """All that the kept runs say, as lines of Markdown."""
    records = read_records()
    if not records:
        return ["No run is kept yet."]
    return [*_starts(), "", *_cells(records), "", *_against_sparse(records)]


def _starts() -> Iterator[str]:
    yield "| start | right samples | of | share |"
    yield "|---|---|---|---|"
    for name in STARTS:
        if share_of(name).exists():
            one = json.loads(share_of(name).read_text(encoding="utf-8"))
            yield f"| {name} | {one['right']} | {one['samples']} | {100 * one['share']:.3g} % |"


def _cells(records: Records) -> Iterator[str]:
    yield "| start | recipe | seeds | dev at the end, % | unseen, % | steps to 50 % | got there | groups without a signal, % | right by luck, % | inversions in all |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for start in STARTS:
        for recipe in AT_THE_HARDEST:
            if runs := records.get((start, recipe)):
                yield _cell(start, recipe, runs)


def _cell(start: str, recipe: str, runs: dict[int, dict[str, Any]]) -> str:
    each = list(runs.values())
    there = sum(steps_to(one["dev"], LEVEL) is not None for one in each)
    silent = over_seeds(sum(one["without_signal"]) / (8 * one["steps"]) for one in each)
    luck = over_seeds(sum(one["by_luck"]) / max(1, sum(one["by_luck"]) + sum(one["right"])) for one in each)
    found = (percent(over_seeds(final_dev(runs).values())), percent(over_seeds(final_unseen(runs).values())), written(over_seeds(waits(runs).values()), 0),
             f"{there} of {len(each)}", percent(silent), percent(luck, 2), f"{sum(one['inversions'] for one in each)}")  # fmt: skip
    return f"| {start} | {recipe} | {len(each)} | " + " | ".join(found) + " |"


def _against_sparse(records: Records) -> Iterator[str]:
    yield "| start | recipe against sparse | pairs | dev at the end, points | unseen at the end, points | steps to 50 %, ratio |"
    yield "|---|---|---|---|---|---|"
    for start in STARTS:
        sparse = records.get((start, "sparse"), {})
        for recipe in AT_THE_HARDEST if start == HARDEST else AT_THE_HARDEST[:3]:
            runs = records.get((start, recipe), {})
            if recipe != "sparse" and runs.keys() & sparse.keys():
                gain, unseen = difference(final_dev(sparse), final_dev(runs)), difference(final_unseen(sparse), final_unseen(runs))
                faster = ratio(waits(sparse), waits(runs))
                yield f"| {start} | {recipe} | {gain.n} | {percent(gain)} | {percent(unseen)} | {written(faster, 2)} |"


def percent(found: OverSeeds, digits: int = 1) -> str:
    """A share in percent (or a difference in points) with its interval."""
    return written(OverSeeds(*(None if one is None else 100 * one for one in (found.value, found.low, found.high)), found.n), digits)


def written(found: OverSeeds, digits: int) -> str:
    """A mean with its interval, which one seed does not have."""
    mean = f"{found.value:.{digits}f}"
    return mean if found.low is None else f"{mean} ({found.low:.{digits}f} to {found.high:.{digits}f})"
