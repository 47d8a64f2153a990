"""What writing the run store and following it live cost, as CPU time of that code over the CPU time of the steps.

    python benchmarks/store_cost.py [STEPS]

The bundled policy trains while a Workbench with its curves open follows in the same process. The target is 3 %.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from finer.config import TrainConfig
from finer.grpo import start
from finer.run_writer import RunWriter
from widgets import Workbench

SPENT = {"writing": 0.0, "requests": 0.0, "following": 0.0}


def counted(name: str, function):
    """The function, with the CPU time of its thread added up under a name."""

    def run(*arguments, **named):
        began = time.thread_time()
        try:
            return function(*arguments, **named)
        finally:
            SPENT[name] += time.thread_time() - began

    return run


def main(steps: int) -> None:
    RunWriter.write_step = counted("writing", RunWriter.write_step)
    RunWriter.take_requests = counted("requests", RunWriter.take_requests)
    Workbench._watch = counted("following", Workbench._watch)
    config = TrainConfig(steps=steps, evaluate_every=0, evaluate_questions=1, checkpoint_every=0)
    with tempfile.TemporaryDirectory() as folder:
        training = start(config, Path(folder) / "run")
        began = time.process_time()
        workbench = Workbench(training.run).follow()
        run = training.wait()
        workbench.stop_following()
        total = time.process_time() - began
        megabytes = run.path.stat().st_size / 1e6
    for name, seconds in SPENT.items():
        print(f"{name:10} {1000 * seconds / steps:7.1f} ms CPU a step  {100 * seconds / total:5.2f} %")
    print(f"together   {100 * sum(SPENT.values()) / total:.2f} % of {total / steps:.1f} s CPU a step; "
          f"{megabytes / steps:.2f} MB of store a step of {config.questions_per_step * config.group_size} answers")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
