"""Edit and re-score: another thought or SQL in an answer's place, or a further answer, with what the group would have been then.

An edit is a child of the answer it came from; the run is never changed. Edits are kept in ``edits.json`` beside the run's
store, written whole or not at all. An answer is scored as its training step saw it: the memory of that step, the weights that
paid the answer.

Not covered: what the group would have been (``edited``), drawing it (``render.edits``), what the policy would have learned from it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

from finer.datasets import Dataset
from finer.edited import Edit
from finer.errors import FinerError
from finer.judge import Judge
from finer.prompt import completion_text
from finer.records import Group, RewardBreakdown, RewardPart, Rollout
from finer.replay import MemoryReplay
from finer.rescore import scale_of, why_not
from finer.rewards import RECIPES, Recipe, Scorer, get_recipe
from finer.run_sources import dataset_of_run, recipe_of_run
from finer.runs import Run

FILE = "edits.json"


class EditScorer:
    """Scores edits of one run's answers; starts its judge when the first is scored. A context manager, or call ``close``.

    ``dataset``: None loads the one that the run names, at the first edit.
    """

    def __init__(self, run: Run, dataset: Dataset | None = None):
        self.run, self.dataset = run, dataset
        self._judge: Judge | None = None
        self._replay: MemoryReplay | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._judge is not None:
            self._judge.close()
            self._judge = None

    def score(self, group: Group, thought: str, sql: str, parent: Rollout | None = None) -> Edit:
        """The edit, not kept yet (its id is 1). FinerError where it cannot be scored here, with why."""
        if self.dataset is None:
            self.dataset = dataset_of_run(self.run)
        why = why_not(group.question, self.dataset)
        if why:
            raise FinerError(f"an edit of group {group.group_id} cannot be scored: {why}")
        if self._judge is None:
            self._judge = Judge(self.dataset.databases)
        recipe = recipe_of(self.run, parent or (group.rollouts[0] if group.rollouts else None))
        scorer = Scorer(recipe, self.dataset, self._memory(group.step) if "memory" in recipe.parts else None, self._judge)
        text = completion_text(thought, sql) if thought.strip() else sql
        (paid,) = scorer.score(group.question, [text])
        return Edit(1, group.group_id, parent.rollout_id if parent else None, text, paid, time.time())

    def _memory(self, step: int) -> Any:
        if self._replay is None or self._replay.step > step:
            self._replay = MemoryReplay(self.run, self.dataset)
        return self._replay.go_to(step)


def recipe_of(run: Run, rollout: Rollout | None) -> Recipe:
    """The recipe that paid an answer, with the weights that it was paid by; without an answer, the run's own."""
    known = rollout is not None and rollout.breakdown.recipe in RECIPES
    recipe = get_recipe(rollout.breakdown.recipe) if known else recipe_of_run(run)
    if rollout is None:
        return recipe
    return recipe.with_weights({part.name: part.weight for part in rollout.breakdown.parts if part.name in recipe.parts})


class Edits:
    """The edits that are kept beside a run, in the order in which they were made."""

    def __init__(self, run: Run):
        self.path = run.folder / FILE
        self.scale_rewards = scale_of(run)

    def all(self) -> list[Edit]:
        """Every edit. FinerError where the file cannot be read."""
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            return [_edit(values) for values in told["edits"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FinerError(f"{self.path} is no file of edits that can be read ({error}). Move it away, and edits start anew.") from error

    def of_group(self, group_id: int) -> list[Edit]:
        return [edit for edit in self.all() if edit.group_id == group_id]

    def keep(self, edit: Edit) -> Edit:
        """Adds the edit under the next free id, and returns it as kept."""
        edits = self.all()
        edit = replace(edit, edit_id=1 + max((one.edit_id for one in edits), default=0))
        self._write([*edits, edit])
        return edit

    def discard(self, edit_id: int) -> None:
        """Takes one edit away; nothing where it is gone already."""
        self._write([edit for edit in self.all() if edit.edit_id != edit_id])

    def _write(self, edits: Sequence[Edit]) -> None:
        part = Path(f"{self.path}.{os.getpid()}.part")
        try:
            with part.open("w", encoding="utf-8", errors="replace") as file:
                json.dump({"edits": [asdict(edit) for edit in edits]}, file, ensure_ascii=False, indent=1, allow_nan=False)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except OSError as error:
            raise FinerError(f"{self.path} cannot be written ({error.strerror}): the edit was scored and is not kept.") from error
        finally:
            part.unlink(missing_ok=True)


def _edit(values: dict[str, Any]) -> Edit:
    paid = values["breakdown"]
    parts = tuple(RewardPart(**part) for part in paid["parts"])
    return Edit(**{**values, "breakdown": RewardBreakdown(**{**paid, "parts": parts})})
