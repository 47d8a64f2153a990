"""A run in a process of its own whose steps end when they are told to: what a press does meanwhile hangs on no clock.

    python held_run.py FOLDER RECORDED

The store, the polling thread and the applying of requests are the trainer's; a line on the standard input ends a step, whose groups are
those of the recorded run.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

from finer.recorder import Controls
from finer.rewards import get_recipe
from finer.runs import Run, RunWriter


def main(folder: Path, recorded: Run) -> None:
    with RunWriter.create(folder, {"dataset": "starter"}) as writer:
        writer.write_step(1, [recorded.group(1)], {}, {})
        controls = Controls(writer)
        controls.scorer = SimpleNamespace(recipe=get_recipe("finer"))
        print("ready", flush=True)
        for step, _ in enumerate(sys.stdin, 2):
            writer.write_step(step, [recorded.group(recorded.groups(step)[0].group_id)], {}, {})
            controls.wait_while_paused(step)
            if controls.stopping:
                break
        controls.close()
        writer.set_status("stopped")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Run(sys.argv[2]))
