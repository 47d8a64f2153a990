"""What a workbench that follows costs the training it follows, and how far it lags behind, tab by tab.

    python benchmarks/live_cost.py [STEPS] [TAB...]

Trains the bundled policy at full speed in this process, 4 questions a step and 8 answers each, while ``Workbench.follow()`` watches from
its thread. One training for all: each tab (or each one named) stands open for STEPS steps, 6 by default. Prints, for each: CPU seconds of the following thread
over those of the training (target: at most 3 %), and the seconds from a step's commit to the head's new text (target: at most
1 s). There is no front end here: the bytes that would be sent are counted, their way over the wire and the browser's own work are
not; the modules count as running, so that no static form is drawn in their place.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import ipywidgets

from finer.config import TrainConfig
from finer.grpo import start
from finer.runs import Run
from widgets import Workbench
from widgets.live import FrontEnd

SMALL = {"questions_per_step": 4, "group_size": 8, "evaluate_every": 0, "evaluate_questions": 4, "checkpoint_every": 0, "threads": 1}


@dataclass
class Watched:
    """What was seen while one tab stood open."""

    shown: dict[int, float] = field(default_factory=dict)
    """When the head named a step."""
    sent_bytes: int = 0
    first_step: int = 0
    last_step: int = 0
    thread_seconds: float = 0.0
    training_seconds: float = 0.0


class Watcher:
    """Counts what the workbench's widgets are given, for the tab that is open."""

    def __init__(self, bench: Workbench):
        self.bench, self.now = bench, Watched()
        bench.head.observe(lambda change: self._named(change["new"]), "value")
        for widget in {*_within(bench.widget), *[view.widget for view in bench.views]}:
            widget.observe(self._sent, [name for name in widget.keys if not name.startswith("_")])
            if isinstance(widget, FrontEnd):
                widget.ping = {"serial": 1, "heard": 0}

    def _named(self, head: str) -> None:
        found = re.search(r"running · step (\d+)", head)
        if found:
            self.now.shown.setdefault(int(found.group(1)), time.time())

    def _sent(self, change: dict) -> None:
        self.now.sent_bytes += len(str(change["new"]))

    def watch(self, tab: int, steps: int) -> Watched:
        """Opens a tab and returns what was seen until so many further steps were written, or the run ended."""
        self.bench.tabs.selected_index = tab
        run, now = self.bench.run, Watched()
        now.first_step, self.now = run.last_step, now
        before = self._seconds()
        while run.last_step < now.first_step + steps and self.bench.following:
            time.sleep(0.1)
        time.sleep(1.0)  # the last step may be drawn up to a second later
        now.last_step = run.last_step
        after = self._seconds()
        now.thread_seconds = after[0] - before[0]
        now.training_seconds = after[1] - before[1] - now.thread_seconds
        return now

    def _seconds(self) -> tuple[float, float]:
        """CPU of the following thread, and of the process without this one."""
        clock = time.pthread_getcpuclockid(self.bench._thread.ident)
        return time.clock_gettime(clock), time.process_time() - time.thread_time()


def _within(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    children = getattr(widget, "children", ())
    return [widget, *[one for child in children for one in _within(child)]]


def lags(watched: Watched, run: Run) -> list[float]:
    """Seconds from a step's commit to the first head that names it or a later one, of the steps that were seen."""
    waits = []
    for step in run.steps():
        seen = [at for number, at in watched.shown.items() if number >= step.step]
        if seen and watched.first_step < step.step <= watched.last_step:
            waits.append(min(seen) - step.at)
    return waits


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    print(f"{'open tab':<12}{'thread CPU':>11}{'training CPU':>14}{'share':>8}{'lag median':>12}{'lag worst':>11}{'kB a step':>11}")
    with tempfile.TemporaryDirectory() as folder:
        training = start(TrainConfig(steps=10_000, **SMALL), Path(folder) / "run")
        bench = Workbench(training.run).follow()
        watcher = Watcher(bench)
        titles = [*[view.title for view in bench.views], "Controls"]
        while training.run.last_step < 2:
            time.sleep(0.2)
        for tab, title in enumerate(titles):
            if not sys.argv[2:] or title in sys.argv[2:]:
                row(title, watcher.watch(tab, steps), training.run)
        training.run.request("stop")
        training.wait()


def row(title: str, watched: Watched, run: Run) -> None:
    count, waits = watched.last_step - watched.first_step, lags(watched, run)
    share = watched.thread_seconds / watched.training_seconds
    seconds = f"{watched.thread_seconds:>9.2f} s{watched.training_seconds:>12.1f} s{share:>8.1%}"
    kilobytes = watched.sent_bytes / count / 1000
    print(f"{title:<12}{seconds}{median(waits):>10.2f} s{max(waits):>9.2f} s{kilobytes:>11.1f}", flush=True)


if __name__ == "__main__":
    main()
