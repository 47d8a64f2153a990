"""What does one move of a what-if slider cost? CPU time to pay the answers anew, compare and draw: one group, a run, a large run.

    python benchmarks/whatif_drag.py [--run DIR] [--copies N] [--moves N]

``--copies`` repeats the run's groups until it is as large as wanted (261 copies of the recorded run are 200,000 answers). The slider
is the weight of execution, moved from 0 to 1. The median of the moves, on one core.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import finer
from finer.render.whatif import what_if
from finer.whatif import Answers, Outcome, Settings, answers_of_run, as_recorded, rerun, scaling_of


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--run", default=str(finer.DATA / "recorded" / "first-steps"))
    options.add_argument("--copies", type=int, default=261)
    options.add_argument("--moves", type=int, default=21)
    chosen = options.parse_args()
    run = finer.Run(chosen.run)
    began = time.process_time()
    answers = answers_of_run(run)
    print(f"reading {len(answers.group):,} answers: {1000 * (time.process_time() - began):.0f} ms")
    group_id = int(answers.group_ids[0])
    step = answers_of_run(run, run.group(group_id).step)
    large = repeated(answers, chosen.copies)
    for name, shown, only in (("one group", step, group_id), ("the run", answers, None), (f"{len(large.group):,} answers", large, None)):
        print(f"{name}: {drag(shown, only, chosen.moves):.1f} ms a move")


def drag(answers: Answers, group_id: int | None, moves: int) -> float:
    """Median CPU milliseconds of a move."""
    before = as_recorded(answers, scaling_of(answers))
    move(answers, before, group_id, 0.5)  # what is kept between moves is made by the first
    spent = []
    for place in range(moves):
        began = time.process_time()
        move(answers, before, group_id, place / max(1, moves - 1))
        spent.append(1000 * (time.process_time() - began))
    return median(spent)


def move(answers: Answers, before: Outcome, group_id: int | None, weight: float) -> str:
    recipe = answers.recipe.with_weights({"execution": weight})
    return what_if(answers, before, rerun(answers, Settings(recipe, before.settings.scaling)), group_id)


def repeated(answers: Answers, copies: int) -> Answers:
    """The same answers again and again, each copy with groups and steps of its own."""
    names = ("rollout_ids", "positions", "statuses", "weights", "paid", "raw", "overlap", "recorded_advantages")
    columns = {name: np.concatenate([getattr(answers, name)] * copies) for name in names}
    for name in ("group_ids", "steps", "group", "batch"):
        column = getattr(answers, name)
        columns[name] = np.concatenate([column + copy * (column.max() + 1) for copy in range(copies)])
    return replace(answers, **columns)


if __name__ == "__main__":
    main()
