"""What a run does before its first step is there, in words, from its store alone: the policy's first questions take seconds to minutes.

Not covered: what a process does before there is a store (``start`` shows what it prints).
"""

from __future__ import annotations

from finer.runs import Run
from finer.runs_schema import WARM_START


def beginning_words(run: Run) -> str:
    """What a run that trains does until its first step is there; "" for one with a step, one that does not train, and one of another trainer."""
    if run.last_step or run.status != "running":
        return ""
    config = run.config
    if config.get("stage") == WARM_START or "questions_per_step" not in config:
        return ""
    if not run.evaluations():
        count = config.get("evaluate_questions") or "all"
        return f"before it trains, the policy answers {count} dev question{'' if count == 1 else 's'}"
    each, asked = config["group_size"], config["questions_per_step"]
    return f"the first step's answers are being written: {each} to each of {asked} question{'' if asked == 1 else 's'}"
