"""Kills a run at random moments, lets it go on with ``finer resume``, and compares what is left with a run that was never killed.

    python benchmarks/kill_and_resume.py [KILLS] [STEPS]

20 kills and 60 steps by default; each kill is a SIGKILL to the process of ``finer train`` or ``finer resume``: one in four while it starts, else
within its next steps. Prints where each one fell, and then what of the two runs differs: weights, optimizer, random numbers, memory, every rollout
and its parts, bit for bit (clock times apart). Exits with 1 where anything does. FINER_SEED repeats the moments as far as a clock can.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]  # what two runs have in common is looked at by the tests' own comparison

from killed_run import config
from run_contents import contents, differences, small_dataset

from finer.checkpoints import last_checkpoint
from finer.config import TrainConfig, to_toml
from finer.errors import FinerError
from finer.runs import Run

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def main(kills: int = 20, steps: int = 60) -> int:
    """The whole report; 0 where nothing differs."""
    draw = random.Random(int(os.environ.get("FINER_SEED", time.time_ns())))
    with tempfile.TemporaryDirectory() as place:
        dataset = small_dataset(Path(place) / "seven")
        settings = replace(config(str(dataset)), steps=steps, evaluate_every=10)
        (Path(place) / "settings.toml").write_text(to_toml(settings), encoding="utf-8")
        folder, whole = Path(place) / "killed", Path(place) / "whole"
        print(f"{steps} steps of {settings.questions_per_step} x {settings.group_size} answers, a checkpoint every {settings.checkpoint_every}", flush=True)
        for number in range(1, kills + 1):
            moment = _live_and_die(folder, Path(place) / "settings.toml", draw)
            if moment is None:
                print(f"the run was over before kill {number}: give it more steps")
                return 1
            print(f"kill {number:2}: {moment}; in the store {_step(folder)} steps, to go on from {_checkpoint(folder)}", flush=True)
        for run in (folder, whole):
            if code := _command(run, Path(place) / "settings.toml").wait():
                print(f"{run.name}: the command ended with {code}")
                return 1
        return _compare(folder, whole, settings)


def _compare(folder: Path, whole: Path, settings: TrainConfig) -> int:
    """What differs, and whether each rollout of each step is there once."""
    one, other = contents(whole), contents(folder)
    found, rollouts = differences(one, other), Run(folder).rollouts()
    a_step = settings.questions_per_step * settings.group_size
    wanted = list(range(1, settings.steps * a_step + 1))
    once = sorted(rollouts["rollout_id"]) == wanted and rollouts.groupby("step").size().eq(a_step).all()
    print(f"rollouts: {len(rollouts)} of {len(wanted)}, {'each once' if once else 'SOME LOST OR TWICE'}")
    print(f"compared with a run that was never killed: {', '.join(one)}")
    print("\n".join(f"DIFFERS {line}" for line in found) or "nothing differs")
    return int(bool(found) or not once)


def _command(folder: Path, settings: Path) -> subprocess.Popen:
    """What a person types: resume, or train where no run is there yet."""
    try:
        Run(folder)
        words = ["resume", str(folder)]
    except FinerError:
        words = ["train", str(settings), "--run", str(folder)]
    return subprocess.Popen([sys.executable, "-m", "finer.cli", *words], env=ENVIRONMENT, stdout=subprocess.DEVNULL)


def _live_and_die(folder: Path, settings: Path, draw: random.Random) -> str | None:
    """Starts the command and kills it at a random moment; None where it had ended."""
    process = _command(folder, settings)
    if draw.random() < 0.25:
        told, seconds = "its start", draw.uniform(0, 20)
    else:
        told, seconds = f"step {_wait_for_steps(process, folder, draw.randint(1, 3))}", draw.uniform(0, 4)
    try:
        process.wait(timeout=seconds)
        return None
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return f"{seconds:5.2f} s after {told}"


def _wait_for_steps(process: subprocess.Popen, folder: Path, more: int) -> int | None:
    """Waits until a living process has written so many steps of its own; the step that it is at."""
    seen = _last_written(folder)
    while process.poll() is None and more > 0:
        if _last_written(folder) > seen:
            seen, more = _last_written(folder), more - 1
        time.sleep(0.05)
    return _step(folder)


def _last_written(folder: Path) -> float:
    """When the newest step came into the store; 0 before there is one."""
    try:
        return Run(folder).steps()[-1].at
    except (FinerError, IndexError):
        return 0.0


def _step(folder: Path) -> int:
    """The last step in the store; 0 where there is none, or no store yet."""
    try:
        return Run(folder).last_step
    except FinerError:
        return 0


def _checkpoint(folder: Path) -> str:
    found = last_checkpoint(folder)
    return found.name if found else "the start"


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
