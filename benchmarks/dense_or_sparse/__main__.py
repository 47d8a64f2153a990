"""Where do dense rewards pay? Recipes at equal budget from four starts of a tiny policy and one of a real model, several seeds, paired.

    python benchmarks/dense_or_sparse                  # go on where it stopped, until all is done (a day on two cores), then report
    python benchmarks/dense_or_sparse --start rarest --recipe sparse --recipe finer --seeds 3
    python benchmarks/dense_or_sparse --report         # what is known so far
    python benchmarks/dense_or_sparse --part 1/2       # every second run: for two processes side by side

A run takes one core. Every finished run is kept in data/recorded/dense-or-sparse; one that was stopped begins anew.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]

from plan import ALL_RECIPES, ALL_STARTS, BUILD, SEEDS_AT_THE_HARDEST, Cell, cells
from report import tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", action="append", choices=ALL_STARTS, help="only this start (may be given again)")
    parser.add_argument("--recipe", action="append", choices=ALL_RECIPES, help="only this recipe (may be given again)")
    parser.add_argument("--seeds", type=int, default=len(SEEDS_AT_THE_HARDEST), help="only so many seeds")
    parser.add_argument("--part", default="1/1", help="I/N: every N-th run, from the I-th on")
    parser.add_argument("--report", action="store_true", help="run nothing")
    told = parser.parse_args()
    if not told.report:
        for cell in wanted(told):
            train_and_keep(cell)
    print("\n".join(tables()))


def wanted(told: argparse.Namespace) -> list[Cell]:
    """The runs that are asked for and not kept yet."""
    place, _, every = told.part.partition("/")
    asked = [cell for cell in cells() if cell.start in (told.start or ALL_STARTS) and cell.recipe in (told.recipe or ALL_RECIPES) and cell.seed <= told.seeds]
    return [cell for cell in asked[int(place) - 1 :: int(every)] if not cell.record.exists()]


def train_and_keep(cell: Cell) -> None:
    """One run from its start to its record; its store stays under build/."""
    from kept import keep
    from starts import make, measured

    from finer.grpo import train

    make(cell.start)
    measured(cell.start)
    folder = BUILD / "runs" / cell.name
    shutil.rmtree(folder, ignore_errors=True)
    began = time.perf_counter()
    run = train(cell.config(), folder)
    keep(cell, run)
    for extra in ("checkpoints", "policy"):
        shutil.rmtree(folder / extra, ignore_errors=True)
    curve = " ".join(f"{100 * one.value:.0f}" for one in run.evaluations())
    print(f"{cell.name}: dev {curve} % ({(time.perf_counter() - began) / 60:.1f} min)", flush=True)


if __name__ == "__main__":
    main()
