"""Write down what policies answer to the dev questions of starter: a greedy answer each, and eight samples.

    python data/source/record_answers.py tiny mine=runs/mine/policy

A policy is a name that the library knows, or NAME=FOLDER. The files, in data/recorded/answers/, are predictions that ``finer
evaluate``, ``finer compare`` and ``finer vote`` read: NAME-greedy.jsonl and NAME-samples.jsonl, an object a line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from finer.datasets import load_dataset
from finer.policy import load_policy
from finer.sampling import Sampled, sample

FOLDER = Path(__file__).resolve().parent.parent / "recorded" / "answers"
SAMPLES, TEMPERATURE, TOKENS = 8, 0.8, 128


def write(path: Path, rows: list[tuple[int, str]]) -> None:
    lines = [json.dumps({"index": index, "sql": sql}) for index, sql in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def record(name: str, sampled: list[Sampled]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    write(FOLDER / f"{name}-greedy.jsonl", [(one.question.index, one.greedy) for one in sampled])
    write(FOLDER / f"{name}-samples.jsonl", [(one.question.index, sql) for one in sampled for sql in one.candidates])


if __name__ == "__main__":
    dev = load_dataset("starter", split="dev")
    for told in sys.argv[1:]:
        name, _, folder = told.partition("=")
        sampled = sample(
            load_policy(folder or name), dev, SAMPLES, TEMPERATURE, max_completion_tokens=TOKENS,
            on_progress=lambda done, of, name=name: print(f"{name}: {done} of {of} questions", flush=True),
        )  # fmt: skip
        record(name, sampled)
