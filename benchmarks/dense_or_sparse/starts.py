"""The starts: warm-started on their teachers, or on the starter's traces, and how many of their samples are right before any reward."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from plan import BUILD, BUNDLED, PRETRAINED, REPOSITORY, STARTS, TEMPERATURE, WARM_START, policy_of, share_of

from finer.accounts import share
from finer.datasets import load_dataset
from finer.enrich import enrich
from finer.evaluate import spread
from finer.policy import load_policy
from finer.runs import Run
from finer.warmstart import resume, train

SAMPLES_A_QUESTION = 16
SAMPLES_OF_PRETRAINED = {"samples": 8, "limit": 54}
"""Fewer answers to fewer questions: they cost forty times as much."""


def make(start: str) -> Path:
    """The folder of a start, made where it is missing: about five minutes on one core, an hour for the pretrained model."""
    folder = policy_of(start)
    if start == PRETRAINED:
        _warm(folder.parent)
    elif not (folder / "finished").exists() and start not in BUNDLED:
        habits = [f"--habit={name}={probability}" for name, probability in STARTS[start].items()]
        subprocess.run([sys.executable, str(REPOSITORY / "data" / "source" / "make_tiny.py"), "control", *habits, "--into", str(folder),
                        "--start", str(REPOSITORY / "data" / "policies" / "tiny")], check=True)  # fmt: skip
        (folder / "finished").touch()
    return folder


def _warm(run: Path) -> None:
    """The pretrained model's warm start, gone on with where it stopped."""
    if not (run / "run.sqlite").exists():
        train(WARM_START, run, print)
    elif Run(run).status != "finished":
        resume(run, print)


def measured(start: str) -> dict:
    """The share of right samples of a start over the questions that the runs ask, measured once and kept."""
    path = share_of(start)
    if not path.exists():
        taught, asked = ("the starter's traces", SAMPLES_OF_PRETRAINED) if start == PRETRAINED else (STARTS[start], {"samples": SAMPLES_A_QUESTION})
        found = {"teacher": taught, **measure(start, **asked)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def measure(start: str, samples: int, limit: int = 0) -> dict:
    """Right answers among sampled ones; the interval is over questions, since the samples of one go together."""
    train = load_dataset("starter", split="train")
    asked = spread(tuple(question for question in train.questions if question.kind != "hand"), limit)
    file = BUILD / f"samples-{start}-{len(asked)}x{samples}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    found = enrich(load_policy(str(make(start))), replace(train, questions=asked), file, samples, TEMPERATURE, max_completion_tokens=128)
    over_questions = share(one.right / one.samples for one in found)
    return {"right": sum(one.right for one in found), "samples": sum(one.samples for one in found), "questions": len(found),
            "share": over_questions.value, "interval": over_questions.interval}  # fmt: skip
