"""What is kept of a finished run: its curves and counts as JSON, and of one seed the rollouts, which ``finer import-trl`` reads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet
from plan import PRETRAINED, Cell

from finer.datasets import load_dataset
from finer.evaluate import evaluate
from finer.ledger import outcome_of, signal_ledger
from finer.runs import Run
from finer.whatif import answers_of_run, inversions

WITH_ROLLOUTS = 1
"""The seed whose rollouts are kept; of the pretrained model all are."""


def keep(cell: Cell, run: Run) -> Path:
    """Writes the run's record, last of all the file that says it is finished."""
    path = cell.record
    path.parent.mkdir(parents=True, exist_ok=True)
    if cell.seed == WITH_ROLLOUTS or cell.start == PRETRAINED:
        keep_rollouts(run, path.with_suffix(".parquet"))
    part = path.with_suffix(".part")
    unseen = evaluate(str(run.folder / "policy"), load_dataset("starter", split="unseen"), limit=cell.config().evaluate_questions)
    found = {"start": cell.start, "recipe": cell.recipe, "seed": cell.seed, **record(run), "unseen": {"value": unseen["value"], "n": unseen["n"]}}
    part.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
    os.replace(part, path)
    return path


def record(run: Run) -> dict[str, Any]:
    """The run in numbers. Lists have an entry a step, from step 1 on."""
    ledger = signal_ledger(map(outcome_of, run.groups()))
    stages = run.steps()
    return {
        "steps": run.last_step,
        "dev": [[one.step, round(one.value, 4)] for one in run.evaluations() if one.split == "dev"],
        "right": _by_step(run, "r.status = 'correct'"),
        "by_luck": _by_step(run, "p.evidence ->> '$.status' IN ('ok', 'empty') AND r.status = 'wrong' AND p.evidence ->> '$.instance' > 0"),
        "silent": [row.silent_under_execution for row in ledger],
        "all_wrong": [row.all_wrong for row in ledger],
        "without_signal": [_silent(run, step.step) for step in stages],
        "inversions": _inversions(run),
        "tokens": [round(value, 2) for _, value in run.metrics("completions/mean_length")],
        "seconds": [round(sum(taken or 0 for taken in step.seconds.values()), 2) for step in stages],
        "versions": {name: run.versions[name] for name in ("torch", "transformers", "trl") if name in run.versions},
    }  # fmt: skip


def _by_step(run: Run, condition: str) -> list[int]:
    """Answers of each step of which the condition holds."""
    rows = run.query(f"""SELECT r.step, SUM(COALESCE({condition}, 0)) AS found FROM rollouts r
        JOIN parts p ON p.rollout_id = r.rollout_id AND p.name = 'execution' GROUP BY r.step ORDER BY r.step""")
    return [row["found"] for row in rows]


def _silent(run: Run, step: int) -> int:
    """Groups of a step that the recipe gave no signal."""
    return sum(max(group.totals) - min(group.totals) <= 1e-6 for group in run.groups(step))


def _inversions(run: Run) -> int:
    """Pairs of a wrong answer paid at least as much as a right one of its group, over the whole run."""
    answers = answers_of_run(run)
    return len(inversions(answers, answers.recorded_totals))


def keep_rollouts(run: Run, path: Path) -> None:
    """Every answer with its thought, parts, status and advantage."""
    table = run.rollouts()
    parts = [name for name in ("format", "execution", "atomic", "bigram", "result", "memory") if name in table]
    kept = table[["step", "group_id", "question_index", "db_id", "question", "thought", "sql", "status", "advantage", *parts]]
    numbers = {name: "float32" for name in ("advantage", *parts)}
    arrow.parquet.write_table(arrow.Table.from_pandas(kept.astype(numbers), preserve_index=False), path, compression="zstd", compression_level=19)
