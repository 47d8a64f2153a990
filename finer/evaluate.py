"""Is a policy right? Execution accuracy of its greedy answers on every instance of each database.

``evaluate`` asks whether an answer is right; what it is paid is the rewards' business. Not covered: the official rules
of Spider and BIRD, and voting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from finer.datasets import Dataset
from finer.judge import Judge
from finer.policy import Policy, load_policy
from finer.predictions import Prediction, judge_predictions

MAX_COMPLETION_TOKENS = {"tiny": 160, "chat": 1024}


def evaluate(
    policy: Policy | str,
    dataset: Dataset,
    judge: Judge | None = None,
    limit: int = 0,
    max_completion_tokens: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Greedy execution accuracy (strict rule): ``metric``, ``value`` (0 to 1), ``n``, ``by_difficulty``, ``per_question``.

    ``limit`` takes that many questions, evenly spread over the dataset; 0 takes all. Each row of ``per_question`` has
    ``index``, ``correct`` (None: not judged), ``status``, ``reason`` and ``sql``.
    """
    policy = load_policy(policy) if isinstance(policy, str) else policy
    questions = spread(dataset.questions, limit)
    prompts = [policy.messages(q, dataset.databases[q.db_id].schema) for q in questions]
    tokens = max_completion_tokens or MAX_COMPLETION_TOKENS[policy.spec.style]
    completions: list[str] = []
    for start in range(0, len(prompts), 64):
        completions += policy.generate(prompts[start : start + 64], tokens)
        if on_progress:
            on_progress(len(completions), len(prompts))
    pairs = [(q, Prediction(q.index, text, is_completion=True)) for q, text in zip(questions, completions, strict=True)]
    found = judge_predictions(pairs, dataset, judge)
    for row, (_, prediction) in zip(found["per_question"], pairs, strict=True):
        row["sql"] = prediction.sql
    return found


def spread(items: tuple, count: int) -> tuple:
    """``count`` of the items, evenly spaced; all of them for 0.

    >>> spread((0, 1, 2, 3, 4, 5), 3)
    (0, 2, 4)
    """
    if not count or count >= len(items):
        return items
    return tuple(items[place * len(items) // count] for place in range(count))
