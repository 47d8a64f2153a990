"""Commands that train: ``finer demo``, ``finer train`` and ``finer resume``."""

from __future__ import annotations

import argparse
from pathlib import Path

from finer.cli.parser import Command, whole
from finer.cli.shared import check_recipe, free_folder, say


def add(command: Command) -> None:
    parser = command("demo", demo, "train the embedded policy for some minutes and write a report")
    parser.add_argument("--run", metavar="DIR", help="where to put the run (default: runs/demo, or the next free number)")
    parser = command("train", train, "train a policy; everything it does goes into a run's folder")
    parser.add_argument("config", nargs="?", metavar="CONFIG.toml", help="settings; options given here win over it (docs/training.md lists all)")
    parser.add_argument("--preset", metavar="NAME", help="begin with these settings instead of the defaults: paper, released")
    parser.add_argument("--run", required=True, metavar="DIR", help="the run's folder; it must not hold a run yet")
    parser.add_argument("--policy", metavar="P", help="a name of the ladder, a folder, or a hub id")
    parser.add_argument("--recipe", metavar="R", help="what is paid: sparse, paper, bigram, result, finer, or FILE.py:NAME for one of your own")
    parser.add_argument("--dataset", metavar="D", help="starter, spider, bird or a folder")
    parser.add_argument("--data", metavar="DIR", help="where the files of Spider or BIRD lie, in their own layout")
    parser.add_argument("--split", metavar="NAME", help="which of its questions (default: train)")
    parser.add_argument("--steps", type=whole, metavar="N", help="how many (default: 60)")
    parser.add_argument("--seed", type=whole, metavar="S", help="of everything that is drawn (default: 0)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any setting, as in --set group_size=4")
    parser = command("resume", resume, "go on with a run that broke off, from its last checkpoint")
    parser.add_argument("run", metavar="RUN", help="the run's folder")


def demo(chosen: argparse.Namespace) -> int:
    from finer.demo import run_demo

    run_demo(Path(chosen.run) if chosen.run else free_folder(Path("runs"), "demo"))
    return 0


def train(chosen: argparse.Namespace) -> int:
    from finer.config import read_config

    named = {name: getattr(chosen, name) for name in ("policy", "recipe", "dataset", "data", "split", "steps", "seed")}
    config = read_config(chosen.config, chosen.set, preset=chosen.preset, **named)
    check_recipe(config.recipe)
    from finer.grpo import train as start

    start(config, Path(chosen.run), on_event=say)
    return 0


def resume(chosen: argparse.Namespace) -> int:
    from finer.runs import Run

    Run(chosen.run)  # a folder that is no run's is refused before torch is loaded
    from finer.grpo import resume as go_on

    go_on(Path(chosen.run), on_event=say)
    return 0
