"""How large the report of a run with 5,000 answers is, and how long it takes to write.

    python benchmarks/report_size.py [ANSWERS]

Two runs made of the recorded one: its own short texts, many of them repeated, and texts as a model of some billions of parameters
writes them, each thought different and some 900 characters long. Target: at most 10 MB.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import finer
from finer.explorer import explorer_data
from finer.records import Group
from finer.report import write_report
from finer.runs import Run, RunWriter

RECORDED = finer.DATA / "recorded" / "first-steps"
WORDS = 150
"""Of a long thought: some 900 characters."""


def groups(answers: int, words: int) -> Iterator[Group]:
    """Recorded groups again and again, under new numbers; every thought followed by that many words of chance."""
    rng, recorded = random.Random(0), Run(RECORDED)
    pool = [recorded.group(summary.group_id) for summary in recorded.groups()]
    vocabulary = sorted({word for group in pool for one in group.rollouts for word in one.completion.split()})
    made = 0
    while made < answers:
        source = pool[made // 8 % len(pool)]
        number = made // 8 + 1
        members = []
        for one in source.rollouts:
            thought = " ".join([one.breakdown.thought, *rng.choices(vocabulary, k=words)])
            breakdown = replace(one.breakdown, thought=thought)
            members.append(replace(one, rollout_id=made + one.position, step=number, group_id=number, breakdown=breakdown))
        yield replace(source, group_id=number, step=number, rollouts=tuple(members))
        made += len(members)


def main(answers: int) -> None:
    for name, words in (("as recorded", 0), ("long and all different", WORDS)):
        with tempfile.TemporaryDirectory() as folder:
            with RunWriter.create(Path(folder) / "run", Run(RECORDED).config) as writer:
                for group in groups(answers, words):
                    writer.write_step(group.step, [group], {}, {})
                writer.set_status("finished")
            run, page = Run(Path(folder) / "run"), Path(folder) / "report.html"
            began = time.perf_counter()
            write_report(run, page)
            seconds = time.perf_counter() - began
            print(f"{name}: {page.stat().st_size / 1e6:.2f} MB in {seconds:.1f} s. {explorer_data(run)['said']}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)
