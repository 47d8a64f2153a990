"""The main job in one command: train the bundled policy for a few minutes, and leave a page that shows what happened.

Prints what it does while it does it. Not covered: choosing settings (``finer train``).
"""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console

from finer.config import TrainConfig
from finer.report import first_and_last, write_report
from finer.runs import Run

DEMO = TrainConfig(steps=34, evaluate_every=17, temperature=0.9, without_kind="hand", learning_rate=3e-4)
"""What the demo trains: the tiny policy, under recipe 'finer', on the starter data."""


def run_demo(folder: Path, config: TrainConfig = DEMO) -> Run:
    """Trains, writes ``report.html`` into the run's folder, and says what changed and where to look."""
    console = Console(highlight=False)
    console.print(f"Training the bundled policy under recipe '{config.recipe}': {config.steps} steps of "
                  f"{config.questions_per_step} questions, {config.group_size} answers each. Two to three minutes on two cores.")
    console.print(f"Watch it live meanwhile: make lab, open 07_grpo_live.ipynb, and give it the run {folder}\n")
    began = time.perf_counter()
    from finer.grpo import train  # torch and trl load here, after the first words are on the screen

    run = train(config, folder, console.print)
    minutes = (time.perf_counter() - began) / 60
    page = write_report(run, folder / "report.html")
    before, after = first_and_last(run.evaluations())[0]
    console.print(f"\n[bold]{100 * before.value:.1f} % → {100 * after.value:.1f} %[/bold] of {after.n} dev questions right "
                  f"(greedy execution accuracy, every database instance), in {minutes:.1f} minutes.")
    console.print(f"Report: {page}")
    console.print("Why was each answer paid what it was paid? make lab, then open notebooks/00_the_whole_game.ipynb")
    return run
