"""How long a GRPO step takes and where the time goes: 4 questions, 8 answers each, the bundled policy.

    python benchmarks/step_time.py [STEPS]

Prints seconds a step by stage (median over steps, the first left out) and the share of scoring: with the prompts of training, with whole
schemas, and at exactly 200 tokens of prompt and 80 of answer, where the target is 5 s a step. Those last answers run on past their end to
reach the length, so most of them earn nothing and what scoring takes is told by the first two rows; its target is at most 10 %.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from unittest.mock import patch

from finer import grpo, selection
from finer.config import TrainConfig
from finer.datasets import load_dataset
from finer.policy import load_policy
from finer.runs_schema import STAGES


def whole_schemas(dataset):
    """The dataset with every table of a database in the prompt."""
    return replace(dataset, questions=tuple(replace(question, tables=()) for question in dataset.questions))


def exactly(tokens: int):
    """A change that fills every prompt, with a line of evidence, to that many tokens."""
    policy = load_policy("tiny")

    def length(question, database) -> int:
        return len(policy.tokenizer(policy.messages(question, database.schema)[0]["content"])["input_ids"])

    def filled(question, database):
        question = replace(question, tables=())
        while (short := tokens - length(question, database)) > 0:
            question = replace(question, evidence=question.evidence + "," * max(1, short // 2))
        return question

    return lambda dataset: replace(dataset, questions=tuple(filled(q, dataset.databases[q.db_id]) for q in dataset.questions))


@contextmanager
def answers_of(tokens: int):
    """While open, every answer of a training is at least that long."""
    original = grpo.grpo_config

    def settings(*given):
        made = original(*given)
        made.generation_kwargs = {"min_new_tokens": tokens}
        return made

    with patch.object(grpo, "grpo_config", settings):
        yield


def measure(name: str, change, steps: int) -> None:
    """Trains a few steps and prints one row of figures."""
    config = TrainConfig(steps=steps, questions_per_step=4, group_size=8, evaluate_every=0, evaluate_questions=1,
                         checkpoint_every=0, max_completion_tokens=80)  # fmt: skip
    original = selection.load_dataset
    with patch.object(selection, "load_dataset", lambda *given: change(original(*given))), tempfile.TemporaryDirectory() as folder:
        run = grpo.train(config, Path(folder) / "run")
        rows = [step.seconds for step in run.steps()[1:]]
        answers = run.rollouts()["length_tokens"].mean()
    seconds = {stage: median(row[stage] for row in rows) for stage in STAGES}
    total = sum(seconds.values())
    told = "  ".join(f"{stage} {value:.2f} s" for stage, value in seconds.items())
    print(f"{name}: {prompt_tokens(change):.0f} tokens of prompt, {answers:.0f} of answer: {total:.2f} s a step  ({told}); "
          f"scoring {100 * seconds['scoring'] / total:.1f} %")


def prompt_tokens(change) -> float:
    """Mean tokens of a prompt."""
    policy, dataset = load_policy("tiny"), change(load_dataset("starter", split="train"))
    texts = [policy.messages(q, dataset.databases[q.db_id].schema)[0]["content"] for q in dataset.questions]
    return sum(len(ids) for ids in policy.tokenizer(texts)["input_ids"]) / len(texts)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    measure("tables needed and distractors", lambda dataset: dataset, count)
    measure("whole schemas", whole_schemas, count)
    with answers_of(80):
        measure("filled", exactly(200), count)
