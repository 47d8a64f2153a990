"""Commands that train: ``finer demo``, ``finer train`` and ``finer resume``; and ``finer enrich``, which training draws on."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from finer.cli.parser import Command, Parser, add_dataset, count, positive, whole
from finer.cli.shared import (
    bar,
    check_recipe,
    check_writable,
    chosen_dataset,
    chosen_policy,
    free_folder,
    print_rate,
    say,
)


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
    _add_enrich(command("enrich", enrich, "sample answers to training questions: further right references, and a pass rate for each question"))
    parser = command("resume", resume, "go on with a run that broke off, from its last checkpoint")
    parser.add_argument("run", metavar="RUN", help="the run's folder")


def _add_enrich(parser: Parser) -> None:
    add_dataset(parser)
    parser.add_argument("--policy", required=True, metavar="P", help="who is asked: a name of the ladder, a folder, or a hub id")
    parser.add_argument("--adapter", metavar="DIR", help="a PEFT adapter to put on the policy")
    parser.add_argument("--out", default="enriched.jsonl", metavar="FILE", help="the file (JSON lines) to write, or to go on with where it broke off (default: enriched.jsonl)")
    parser.add_argument("--samples", type=count, default=8, metavar="N", help="answers a question (default: 8; the paper's 30)")
    parser.add_argument("--temperature", type=positive, default=1.0, metavar="T", help="of the answers (default: 1)")
    parser.add_argument("--columns", type=whole, default=0, metavar="K", help="show the K columns that the schema filter chooses (default: 0, the whole schema)")
    parser.add_argument("--limit", type=count, metavar="N", help="only that many questions, evenly spread")
    parser.add_argument("--seed", type=whole, default=0, metavar="S", help="of what is drawn (default: 0)")


def enrich(chosen: argparse.Namespace) -> int:
    check_writable(chosen.out)
    chosen.split = chosen.split or "train"
    dataset = chosen_dataset(chosen)
    from finer.enrich import enrich as sample
    from finer.enrich import summary
    from finer.evaluate import spread
    from finer.shown import Shown

    dataset = replace(dataset, questions=tuple(spread(dataset.questions, chosen.limit or 0)))
    shown = Shown(dataset.databases, chosen.columns)
    about = {name: getattr(chosen, name) for name in ("split", "adapter", "limit") if getattr(chosen, name)}
    policy = chosen_policy(chosen)
    began = time.perf_counter()
    with bar("sampling") as move:
        found = sample(policy, dataset, chosen.out, chosen.samples, chosen.temperature, chosen.seed, shown=shown, about=about, on_progress=move)
    print("\n".join(summary(found)))
    print(f"Train with it: --set references={chosen.out} --set pass_rates={chosen.out}")
    print_rate("sampled and judged", len(found) * chosen.samples, time.perf_counter() - began)
    return 0


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

    if start(config, Path(chosen.run), on_event=say).status == "finished":
        _say_what_is_next(chosen.run, config.dataset)
    return 0


def _say_what_is_next(run: str, dataset: str) -> None:
    from finer import ranks

    if ranks.is_first():
        say(f"Then: finer report {run}")
        if dataset == "starter":  # other data sets may have no dev split, and folders of their own to be named
            say(f"      finer evaluate --policy {run}/policy --split dev")
        say(f"      in a notebook: Workbench({str(Path(run).resolve())!r})")


def resume(chosen: argparse.Namespace) -> int:
    from finer.runs import Run
    from finer.runs_schema import WARM_START

    stage = Run(chosen.run).config.get("stage")  # a folder that is no run's is refused before torch is loaded
    if stage == WARM_START:
        from finer.warmstart import resume as go_on
    else:
        from finer.grpo import resume as go_on

    go_on(Path(chosen.run), on_event=say)
    return 0
