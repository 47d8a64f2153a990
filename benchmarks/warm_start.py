"""How many tokens a warm start learns from in a second of CPU, by how its traces are put through the model.

    python benchmarks/warm_start.py [STEPS]

The bundled policy on the starter's 576 traces, 32 a step: as a random draw padded to its longest, the same draw sorted by length and
in parts of 4 (the default), and packed into rows of 512, 1,024 and 2,048 tokens without FlashAttention. CPU time, so that a busy
machine tells the same; prompts count as tokens, padding does not.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from finer.policy import quiet
from finer.warmstart import WarmConfig, make_trainer, prepare

WAYS = {
    "padded, 32 at once": {"traces_at_once": 32},
    "sorted, 8 at once": {"traces_at_once": 8},
    "sorted, 4 at once": {"traces_at_once": 4},
    "packed into 512": {"packing": "on", "most_tokens": 512},
    "packed into 1,024": {"packing": "on", "most_tokens": 1024},
    "packed into 2,048": {"packing": "on", "most_tokens": 2048},
}


def tokens_per_second(steps: int, folder: Path, **changes) -> tuple[int, float]:
    """Tokens seen, and CPU seconds that they took; the first step is left out, in which torch warms up."""
    marks = []
    prepared = prepare(WarmConfig(steps=steps + 1, checkpoint_every=0, **changes), None, None)
    prepared.policy.model.config.max_position_embeddings = 4096  # the rows of a pack count their positions anew
    with quiet():
        trainer = make_trainer(prepared, folder)
        log = trainer.log

        def noted(logs, *rest):
            log(logs, *rest)
            marks.append((trainer._total_train_tokens, time.process_time()))

        trainer.log = noted
        trainer.train()
    return marks[steps][0] - marks[0][0], marks[steps][1] - marks[0][1]


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    for way, changes in WAYS.items():
        with tempfile.TemporaryDirectory() as folder:
            tokens, seconds = tokens_per_second(count, Path(folder), **changes)
        print(f"{way:20} {tokens / seconds:7,.0f} tokens a CPU second  ({tokens:,} tokens in {count} steps, {seconds:.1f} s)", flush=True)
