"""Commands about this machine: ``finer doctor`` and ``finer lab``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from finer.cli.parser import Command, count
from finer.errors import FinerError

NOTEBOOKS = Path(__file__).resolve().parent.parent.parent / "notebooks"


def add(command: Command) -> None:
    parser = command("doctor", doctor, "what this machine can run, and how to mend what is missing")
    parser.add_argument("--json", metavar="FILE", help="also write what was found as JSON")
    parser.add_argument("--gpu", action="store_true", help="train a policy for two steps on the GPU: memory, seconds by stage, and a file to attach to a report (finer-gpu.json)")
    parser.add_argument("--policy", metavar="P", help="with --gpu: which (default: the largest that fits)")
    parser = command("lab", lab, "JupyterLab on the notebooks")
    parser.add_argument("--no-browser", action="store_true", help="print the address and open no browser, as on a machine reached over SSH")
    parser.add_argument("--port", type=count, metavar="N", help="where it listens (default: 8888, or the next free one)")


def doctor(chosen: argparse.Namespace) -> int:
    if chosen.gpu:
        from finer.gpu_check import run_gpu_check

        return run_gpu_check(chosen.policy or "auto", chosen.json)
    if chosen.policy:
        raise FinerError("--policy goes with --gpu: finer doctor --gpu --policy P")
    from finer.doctor import run_doctor

    return run_doctor(chosen.json)


def lab(chosen: argparse.Namespace) -> int:
    if not NOTEBOOKS.is_dir():
        raise FinerError("the notebooks are not here: run `finer lab` from a checkout, installed with `make install`.")
    command = [sys.executable, "-m", "jupyterlab", str(NOTEBOOKS)]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # a container's only user is root; JupyterLab would refuse to start
    if chosen.no_browser:
        command.append("--no-browser")
    if chosen.port:
        command += ["--port", str(chosen.port)]
    return subprocess.call(command)
