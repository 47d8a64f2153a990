"""A run of 200,000 answers, made of the recorded one, and how fast it opens, filters, searches, sorts and scrubs.

    python benchmarks/large_run.py [FOLDER] [ANSWERS]

FOLDER keeps the run for another time (about 4 kB an answer); without one it is made and taken away again. Targets: it
opens in 1.5 s, and every filter, search, sort, page or scrub answers in 0.2 s.
"""

from __future__ import annotations

import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import finer
from finer.ledger import signal_ledger
from finer.records import Group, Rollout
from finer.run_index import AnswerFilter, AnswerPage, RunIndex
from finer.runs import Run, RunWriter
from widgets import Workbench

RECORDED = finer.DATA / "recorded" / "first-steps"
GROUPS_A_STEP = 8
SECONDS = {"generation": 2.0, "scoring": 0.2, "update": 1.0}


def make_run(folder: Path, answers: int, seed: int = 0) -> Run:
    """A finished run with at least ``answers`` answers: recorded groups, drawn by ``seed``, that get better with the steps."""
    recorded = Run(RECORDED)
    pool = [recorded.group(summary.group_id) for summary in recorded.groups()]
    rng = random.Random(seed)
    with RunWriter.create(folder, recorded.config) as writer:
        made = step = 0
        while made < answers:
            step += 1
            groups = list(_step(pool, rng, step, made / answers, first_rollout=made + 1))
            writer.write_step(step, groups, _metrics(groups), SECONDS)
            made += sum(len(group.rollouts) for group in groups)
            if step % 200 == 0:
                _evaluate(writer, step, made / answers, rng)
        writer.set_status("finished")
    return Run(folder)


def _step(pool: list[Group], rng: random.Random, step: int, progress: float, first_rollout: int) -> Iterator[Group]:
    for place, source in enumerate(rng.sample(pool, GROUPS_A_STEP)):
        group_id = (step - 1) * GROUPS_A_STEP + place + 1
        right = [one for one in source.rollouts if one.breakdown.status == "correct"]
        chosen = [rng.choice(right if right and rng.random() < progress else source.rollouts) for _ in source.rollouts]
        members = [_member(one, rng, step, group_id, at, first_rollout + at) for at, one in enumerate(chosen)]
        first_rollout += len(members)
        yield Group(group_id, step, source.question, source.prompt, tuple(members))


def _member(source: Rollout, rng: random.Random, step: int, group_id: int, position: int, rollout_id: int) -> Rollout:
    words = f"-- {step}.{position} {rng.randrange(10**6)}"  # no two texts alike, as in a run of a sampling policy
    return replace(
        source,
        rollout_id=rollout_id,
        step=step,
        group_id=group_id,
        position=position,
        completion=f"{source.completion}\n{words}",
    )


def _metrics(groups: list[Group]) -> dict[str, float]:
    answers = [rollout for group in groups for rollout in group.rollouts]
    totals = [one.breakdown.total for one in answers]
    values = {
        "reward": sum(totals) / len(totals),
        "reward_std": 0.2,
        "frac_reward_zero_std": sum(len({one.breakdown.total for one in group.rollouts}) == 1 for group in groups)
        / len(groups),
        "completions/mean_length": sum(one.length_tokens for one in answers) / len(answers),
    }
    for part in answers[0].breakdown.parts:
        paid = [one.breakdown.part(part.name).value or 0.0 for one in answers]
        values[f"rewards/{part.name}/mean"], values[f"rewards/{part.name}/std"] = sum(paid) / len(paid), 0.1
    return values


def _evaluate(writer: RunWriter, step: int, progress: float, rng: random.Random) -> None:
    rows = [
        {"index": place, "correct": rng.random() < 0.3 + 0.4 * progress, "sql": "SELECT 1", "status": "ok"}
        for place in range(100)
    ]
    writer.write_evaluation(step, "dev", "strict", rows)


ASKED = {
    "no filter, last page": (AnswerFilter(), "rollout_id", -50),
    "sorted by total": (AnswerFilter(), "total", 0),
    "sorted by a part": (AnswerFilter(), "atomic", 0),
    "sorted by database": (AnswerFilter(), "db_id", 0),
    "one status": (AnswerFilter(statuses=("wrong",)), "total", 0),
    "one database": (AnswerFilter(db_id="library"), "advantage", 0),
    "a part between bounds": (AnswerFilter(part="atomic", low=0.5, high=0.7), "total", 0),
    "a span of steps": (AnswerFilter(first_step=500, last_step=900), "total", 0),
    "text: a rare word": (AnswerFilter(text="zebra"), "rollout_id", 0),
    "text: avg": (AnswerFilter(text="avg"), "total", 0),
    "text: how many (in questions)": (AnswerFilter(text="how many"), "total", 0),
    "text: SELECT (nearly all answers)": (AnswerFilter(text="SELECT"), "total", 0),
    "text: select from where": (AnswerFilter(text="select from where"), "total", 0),
    "text, status and part": (AnswerFilter(text="join", statuses=("wrong",), part="atomic", low=0.3), "total", 0),
}


def milliseconds(work: Callable[[], Any], times: int = 5) -> str:
    """The median of several runs, by the clock and in CPU time (which a busy machine stretches less)."""
    taken, spent = [], []
    for _ in range(times):
        began, cpu = time.perf_counter(), time.thread_time()
        work()
        taken.append(1000 * (time.perf_counter() - began))
        spent.append(1000 * (time.thread_time() - cpu))
    return f"{statistics.median(taken):7.1f} ms, worst {max(taken):7.1f}, CPU {statistics.median(spent):6.1f}"


def opened(folder: Path, words: str) -> Workbench:
    """A workbench, with what opening it took, and what drawing every tab took, as displaying it does."""
    began, cpu = time.perf_counter(), time.thread_time()
    bench = Workbench(folder)
    print(f"Workbench opens, {words:19} {time.perf_counter() - began:6.2f} s, CPU {time.thread_time() - cpu:.2f} s")
    began, cpu = time.perf_counter(), time.thread_time()
    bench.refresh(every=True)
    print(f"every tab is drawn                   {time.perf_counter() - began:6.2f} s, CPU {time.thread_time() - cpu:.2f} s")
    return bench


def measure_asking(index: RunIndex, answers: int) -> None:
    for name, (wanted, sort, start) in ASKED.items():

        def ask(wanted: AnswerFilter = wanted, sort: str = sort, start: int = start % answers) -> AnswerPage:
            index.forget_hits()  # each search as if it were the first
            return index.page(wanted, sort, True, start)

        print(f"{name:36} {milliseconds(ask)}  ({ask().found:,} answers)")
    (row,) = index.questions(index.most_asked(1))
    groups = itertools.cycle(row.groups[:: max(1, len(row.groups) // 20)])
    print(f"{'scrub: a group whole':36} {milliseconds(lambda: index.run.group(next(groups)[0]), 20)}")
    print(f"{'signal ledger':36} {milliseconds(lambda: signal_ledger(index.outcomes()))}")


def main(folder: Path, answers: int) -> None:
    began = time.perf_counter()
    if not (folder / "run.sqlite").exists():
        make_run(folder, answers)
        print(f"made in {time.perf_counter() - began:.0f} s, {(folder / 'run.sqlite').stat().st_size / 1e6:.0f} MB")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["FINER_CACHE"] = cache
        bench = opened(folder, "no index yet")
        began = time.perf_counter()
        while not bench.choice.index.keep_up(0.1, lambda: None):
            time.sleep(0.1)
        megabytes = sum(file.stat().st_size for file in Path(cache).rglob("*.sqlite*")) / 1e6
        print(f"the index is whole, after another   {time.perf_counter() - began:6.2f} s, {megabytes:.0f} MB")
        bench = opened(folder, "with its index")
        measure_asking(bench.choice.index, answers)


if __name__ == "__main__":
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 200_000
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]), wanted)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary) / "run", wanted)
