"""What a run was paid by and asked from: its recipe and its data set, loaded again.

A recipe of one's own lies as a copy in the run's folder, so that the run goes on, is scored again and is looked at as it was, whatever
becomes of the file it came from. Loading it runs that file. Not covered: a function of a notebook, which no file holds.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from finer.config import TrainConfig
from finer.datasets import Dataset, load_dataset
from finer.errors import FinerError
from finer.rewards.own import is_place, load_object
from finer.rewards.recipes import RECIPES, Recipe, get_recipe, recipe_from
from finer.runs import Run

COPY = "recipe.py"
SAMPLED = ("references", "pass_rates")
"""Settings that name a file of ``finer enrich``."""


def keep_recipe(recipe: Recipe, folder: Path) -> None:
    """Puts the file that a recipe came from into a run's folder, where it is not there already."""
    if recipe.source:
        _keep(recipe.source.rpartition(":")[0], folder / COPY)


def keep_files(config: TrainConfig, folder: Path) -> None:
    """Puts the sampled answers that a run draws on into its folder, where they are not there already."""
    for key in SAMPLED:
        if getattr(config, key):
            _keep(getattr(config, key), folder / f"{key}.jsonl")


def _keep(original: str, copy: Path) -> None:
    if not copy.exists():
        part = copy.with_name(copy.name + ".part")
        shutil.copyfile(original, part)
        part.replace(copy)


def with_own_files(config: TrainConfig, folder: Path) -> TrainConfig:
    """The configuration with the run's own copies of those files."""
    own = {key: str(folder / f"{key}.jsonl") for key in SAMPLED if getattr(config, key) and (folder / f"{key}.jsonl").is_file()}
    return replace(config, **own)


def recipe_of_run(run: Run) -> Recipe:
    """The recipe that paid a run, with the weights that it was started with. FinerError where no file holds it."""
    told = run.config.get("recipe", "")
    if is_place(told):
        recipe = _own(run.folder / COPY, told)
    elif told in RECIPES:
        recipe = get_recipe(told)
    else:
        raise FinerError(
            f"{run.folder} was paid by {told or 'nobody knows what'}, which is no recipe; choose one with --recipe: {', '.join(RECIPES)}, "
            f"or FILE.py:NAME, as in: finer rescore {run.folder} --recipe finer"
        )
    return recipe.with_weights({part: weight for part, weight in (run.config.get("weights") or {}).items() if part in recipe.parts})


def _own(copy: Path, place: str) -> Recipe:
    """The recipe of the copy, under the name of the place that it came from; of that place itself where there is no copy."""
    name = place.rpartition(":")[2]
    if not copy.is_file():
        return get_recipe(place)
    return recipe_from(load_object(f"{copy}:{name}", "recipe or reward function"), name, f"{copy}:{name}")


def changed_since(run: Run) -> str:
    """The file that a run's recipe came from, where it is not any more what the run has a copy of; else ''."""
    told = run.config.get("recipe", "")
    original, copy = Path(told.rpartition(":")[0]), run.folder / COPY
    if not (is_place(told) and copy.is_file() and original.is_file()):
        return ""
    return "" if original.read_bytes() == copy.read_bytes() else str(original)


def dataset_of_run(run: Run, data: str | None = None, split: str | None = None, default: str = "") -> Dataset:
    """The data set that a run's questions come from; ``data`` and ``split`` in place of what the run says.

    ``default``: the one to take where it says nothing; '': that is a FinerError.
    """
    name = run.config.get("dataset") or default
    if not name:
        raise FinerError(f"{run.folder} does not say which data set its questions come from; name it with --dataset")
    data = data or run.config.get("data") or None
    benchmark = name in ("spider", "bird")
    return load_dataset(name, split or (run.config.get("split") if benchmark else None), data if benchmark else None)
