"""Commands that read a run: ``finer report``."""

from __future__ import annotations

import argparse
from pathlib import Path

from finer.cli.parser import Command
from finer.cli.shared import check_writable


def add(command: Command) -> None:
    parser = command("report", report, "one self-contained page about a run")
    parser.add_argument("run", metavar="RUN", help="the run's folder")
    parser.add_argument("--html", required=True, metavar="FILE", help="the page to write")


def report(chosen: argparse.Namespace) -> int:
    check_writable(chosen.html)
    from finer.report import write_report
    from finer.runs import Run

    write_report(Run(chosen.run), Path(chosen.html))
    print(f"Report: {chosen.html}")
    return 0
