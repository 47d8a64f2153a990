"""Commands that read a run: ``finer report`` and ``finer export``."""

from __future__ import annotations

import argparse
from pathlib import Path

from finer.cli.parser import Command
from finer.cli.shared import check_writable


def add(command: Command) -> None:
    parser = command("report", report, "one self-contained page about a run")
    parser.add_argument("run", metavar="RUN", help="the run's folder")
    parser.add_argument("--html", metavar="FILE", help="the page to write (default: report.html in the run's folder)")
    parser.add_argument("--explore", metavar="FILE", help="a second page (5 MB and more): the answers as points to zoom and select")
    parser = command("export", export, "what comes out of a run: its adapter, the merged model, a GGUF file, and a model card")
    parser.add_argument("run", metavar="RUN", help="the run's folder")
    parser.add_argument("--out", required=True, metavar="DIR", help="a new folder for what comes out")
    parser.add_argument("--form", nargs="+", default=[], choices=("adapter", "merged", "gguf"), metavar="F", help="adapter, merged, gguf (default: adapter where there is one, and merged)")
    parser.add_argument("--gguf-type", default="q8_0", choices=("f32", "f16", "bf16", "q8_0"), metavar="T", help="f32, f16, bf16 or q8_0 (default: q8_0)")


def export(chosen: argparse.Namespace) -> int:
    from finer.export import export as write
    from finer.runs import Run

    said: list[str] = []
    for place in write(Run(chosen.run), chosen.out, chosen.form, chosen.gguf_type, said.append):
        print(f"{place}   finer evaluate --policy {place} --split dev")
    print(f"{Path(chosen.out) / 'README.md'}   the model card, also in each folder")
    for line in said:
        print(line)
    return 1 if said else 0


def report(chosen: argparse.Namespace) -> int:
    check_writable(chosen.html)
    check_writable(chosen.explore)
    from finer.report import write_report
    from finer.runs import Run

    run = Run(chosen.run)
    page = chosen.html or str(Path(chosen.run) / "report.html")
    write_report(run, Path(page))
    print(f"Report: {page}")
    if chosen.explore:
        from finer.report import write_exploration

        write_exploration(run, Path(chosen.explore))
        print(f"Exploration: {chosen.explore}")
    return 0
