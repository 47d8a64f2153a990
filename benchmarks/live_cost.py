"""What a workbench that follows costs the training it follows, and how far it lags behind.

    python benchmarks/live_cost.py [STEPS] [TAB...]

Trains the bundled policy at full speed in this process, 4 questions a step and 8 answers each, while ``Workbench.follow()`` watches from
its thread, once for every tab that stands open. Prints, for each: CPU seconds of the following thread over those of the whole process
(target: at most 3 %), and the seconds from a step's commit to the head's new text (target: at most 1 s). There is no front end here:
the bytes that would be sent are counted, their way over the wire and the browser's own work are not.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from finer.config import TrainConfig
from finer.grpo import start
from finer.runs import Run
from widgets import Workbench
from widgets.workbench import KINDS


@dataclass
class Watched:
    """What was seen of one training: when the head named each step, and the CPU of both sides."""

    shown: dict[int, float] = field(default_factory=dict)
    since: float = field(default_factory=time.time)
    sent_bytes: int = 0
    thread_seconds: float = 0.0
    process_seconds: float = 0.0


class Measured(Workbench):
    """A workbench that keeps its thread's CPU time."""

    thread_seconds = 0.0

    def _watch(self) -> None:
        super()._watch()
        self.thread_seconds = time.thread_time()


def follow_one(steps: int, tab: int, folder: Path) -> tuple[Watched, Run]:
    """Trains with the workbench open on one tab."""
    training = start(TrainConfig(steps=steps, questions_per_step=4, group_size=8, evaluate_every=0, evaluate_questions=4, checkpoint_every=0, threads=1), folder)
    bench, watched = Measured(training.run), Watched()
    bench.tabs.selected_index = tab
    bench.head.observe(lambda change: note(watched, change["new"]), "value")
    for view in bench.views:
        view.widget.observe(lambda change: count(watched, change["new"]), "value" if view.widget.has_trait("value") else [])
    before = time.process_time()
    bench.follow()
    bench._thread.join()
    watched.process_seconds, watched.thread_seconds = time.process_time() - before, bench.thread_seconds
    return watched, training.run


def note(watched: Watched, head: str) -> None:
    found = re.search(r"running · step (\d+)", head)
    if found:
        watched.shown.setdefault(int(found.group(1)), time.time())


def count(watched: Watched, value: object) -> None:
    watched.sent_bytes += len(str(value))


def lags(watched: Watched, run: Run) -> list[float]:
    """Seconds from a step's commit to the first head that names it or a later one; the last, drawn at the end, is left out."""
    waits = []
    for step in run.steps()[:-1]:
        seen = [at for number, at in watched.shown.items() if number >= step.step]
        if seen and step.at >= watched.since:
            waits.append(min(seen) - step.at)
    return waits


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"{'open tab':<12}{'thread CPU':>11}{'process CPU':>13}{'share':>8}{'lag median':>12}{'lag worst':>11}{'kB a step':>11}")
    tabs = [(place, kind) for place, kind in enumerate(KINDS) if not sys.argv[2:] or kind.title in sys.argv[2:]]
    for tab, kind in tabs:
        with tempfile.TemporaryDirectory() as folder:
            watched, run = follow_one(steps, tab, Path(folder) / "run")
            waits = lags(watched, run)
        share = watched.thread_seconds / watched.process_seconds
        seconds = f"{watched.thread_seconds:>9.2f} s{watched.process_seconds:>11.1f} s{share:>8.1%}"
        print(f"{kind.title:<12}{seconds}{median(waits):>10.2f} s{max(waits):>9.2f} s{watched.sent_bytes / steps / 1000:>11.1f}", flush=True)


if __name__ == "__main__":
    main()
