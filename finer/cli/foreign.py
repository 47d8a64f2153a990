"""Commands about saved rollouts: ``finer import-trl`` and ``finer rescore``."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from finer.cli.parser import Command, Parser
from finer.cli.shared import bar, check_recipe, chosen_dataset, free_folder, print_rate
from finer.errors import FinerError


def add(command: Command) -> None:
    _add_import(command("import-trl", import_trl, "a run of another trainer (TRL's completions_*.parquet, a flat JSONL) as a run to look at"))
    _add_rescore(command("rescore", rescore, "the saved rollouts of a run under any recipe, the old pay beside the new"))


def _add_import(parser: Parser) -> None:
    parser.add_argument("source", metavar="DIR", help="TRL's output folder, a folder of .parquet or .jsonl files, or one such file")
    parser.add_argument("--run", required=True, metavar="RUN", help="the folder of the run that is written; it must not hold one yet")
    parser.add_argument("--dataset", metavar="D", help="starter, spider, bird or a folder: where the questions come from")
    parser.add_argument("--data", metavar="DIR", help="where the files of Spider or BIRD lie, in their own layout")
    parser.add_argument("--split", metavar="NAME", help="only the questions of this split, such as dev")
    roles = "step, prompt, completion, advantage, total, group, index, question, gold, db_id, sql, thought, tokens"
    parser.add_argument("--column", action="append", default=[], metavar="ROLE=NAME", help=f"which column is what: {roles}")
    parser.add_argument("--reward", action="append", default=[], metavar="NAME", help="a column that is a reward (default: every other column of numbers)")
    parser.add_argument("--weight", action="append", default=[], metavar="NAME=W", help="what a reward weighs in the total (default: 1 each)")
    parser.add_argument("--scale-rewards", choices=("group", "none"), default="group", help="how advantages are computed where there are none (default: group)")


def import_trl(chosen: argparse.Namespace) -> int:
    columns, weights = pairs("--column", chosen.column), numbers("--weight", chosen.weight)
    from finer.import_run import import_rollouts

    dataset = None
    if chosen.dataset:
        dataset = chosen_dataset(chosen)
    began = time.perf_counter()
    found = import_rollouts(chosen.source, chosen.run, dataset, columns, chosen.reward, weights, chosen.scale_rewards)
    print(f"Run: {chosen.run}")
    print("\n".join(f"  {sentence}" for sentence in found.said))
    print_rate("imported", sum(len(group.totals) for group in found.run.groups()), time.perf_counter() - began)
    return 0


def _add_rescore(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run's folder; it stays as it is")
    parser.add_argument("--recipe", metavar="R", help="what is paid: a recipe, or FILE.py:NAME (default: the run's own)")
    parser.add_argument("--weight", action="append", default=[], metavar="PART=W", help="a weight of the recipe that is changed")
    parser.add_argument("--out", metavar="DIR", help="the folder of the new run (default: RUN-by-R, or the next free number)")
    parser.add_argument("--dataset", metavar="D", help="where the questions come from (default: what the run says)")
    parser.add_argument("--data", metavar="DIR", help="where the files of Spider or BIRD lie, in their own layout")
    parser.add_argument("--split", metavar="NAME", help="only the databases of this split's questions, such as dev")


def rescore(chosen: argparse.Namespace) -> int:
    weights = numbers("--weight", chosen.weight)
    if chosen.recipe:
        check_recipe(chosen.recipe)
    from finer.rescore import rescore as score_again
    from finer.rewards.recipes import get_recipe
    from finer.run_sources import dataset_of_run, recipe_of_run
    from finer.runs import Run

    run = Run(chosen.run)
    recipe = (get_recipe(chosen.recipe) if chosen.recipe else recipe_of_run(run)).with_weights(weights).check()
    dataset = chosen_dataset(chosen) if chosen.dataset else dataset_of_run(run, chosen.data, chosen.split)
    folder = Path(chosen.out) if chosen.out else free_folder(run.folder.parent, f"{run.folder.name}-by-{recipe.name}")
    began = time.perf_counter()
    with bar("scoring") as move:
        found = score_again(run, folder, dataset, recipe, move)
    print(f"Run: {folder}")
    print("\n".join(f"  {sentence}" for sentence in found.said))
    print_rate("scored", sum(len(group.totals) for group in found.run.groups()), time.perf_counter() - began)
    return 0


def pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts as a dict."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name or not value:
            raise FinerError(f"{option} {text!r} must have the form NAME=VALUE")
        found[name] = value
    return found


def numbers(option: str, texts: Sequence[str]) -> dict[str, float]:
    """``NAME=NUMBER`` texts as a dict."""
    found = {}
    for name, value in pairs(option, texts).items():
        try:
            found[name] = float(value)
        except ValueError:
            raise FinerError(f"{option} {name}={value}: {value!r} is no number") from None
    return found
