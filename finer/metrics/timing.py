"""How long a gold and a prediction take, run in turn: what VES and R-VES are computed from.

The seconds are the sandbox worker's own: from opening (a database stays open between runs) to the last row, without
the way to it and back. R-VES officially times connecting, fetching and closing, VES the execution without fetching;
so a ratio here is close to R-VES's, less its constant cost of opening. Give a sandbox nobody else uses meanwhile:
timings of a busy machine say little. Officially the runs of a question share 30 seconds times their number; here each
run has the sandbox's own bound, and the first that passes it ends the question with None.
"""

from __future__ import annotations

from pathlib import Path

from finer.metrics.ves import time_ratio
from finer.sandbox import Sandbox

RUNS = 100
"""As both official scripts take by default."""


def measure(sandbox: Sandbox, path: str | Path, gold_sql: str, prediction_sql: str, runs: int = RUNS) -> float | None:
    """The time ratio (gold over prediction) of two queries on one database; None where a run of either failed."""
    gold_seconds, prediction_seconds = [], []
    for _ in range(runs):
        prediction, gold = sandbox.execute(path, prediction_sql), sandbox.execute(path, gold_sql)
        if not (prediction.ran and gold.ran):
            return None
        prediction_seconds.append(prediction.seconds)
        gold_seconds.append(gold.seconds)
    return time_ratio(gold_seconds, prediction_seconds)
