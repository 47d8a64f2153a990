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
    parser.add_argument("--explore", metavar="FILE", help="a second page (5 MB and more): the answers as points to zoom and select")


def report(chosen: argparse.Namespace) -> int:
    check_writable(chosen.html)
    check_writable(chosen.explore)
    from finer.report import write_report
    from finer.runs import Run

    run = Run(chosen.run)
    write_report(run, Path(chosen.html))
    print(f"Report: {chosen.html}")
    if chosen.explore:
        from finer.report import write_exploration

        write_exploration(run, Path(chosen.explore))
        print(f"Exploration: {chosen.explore}")
    return 0
