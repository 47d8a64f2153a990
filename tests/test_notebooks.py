"""The notebooks keep to one standard: what they hold, how they were run, what a reader who runs nothing sees.

nbval runs them (``make test``); here they are only read. With ``-m stress`` each runs once with its exercises solved. A new notebook
gets a row in ``NOTEBOOKS``.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from statistics import median
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]

NOTEBOOKS = [
    "00_the_whole_game",
    "01_questions_and_databases",
    "02_execution_reward",
    "03_atomic_reward",
    "04_memory_reward",
    "05_rewards_to_advantages",
    "06_warm_start",
    "07_grpo_live",
    "08_reading_a_run",
    "09_evaluation",
    "10_dense_or_sparse",
    "11_find_the_hack",
    "12_your_own_database",
]

SET_UP_LINES, MEDIAN_LINES, MOST_LINES = 5, 7, 40
CODE_CELLS = range(15, 26)
CHECK = "# check\n"
"""Parts an exercise's stub from what checks it."""
SOLVED, NOT_YET = "✓", "not yet"
PLACES = re.compile(r"/(?:home|root|work|tmp|usr|Users|content|opt)/\w|[A-Z]:\\\\|file://")
SOLUTION = re.compile(r"<summary>Solution</summary>\s+```python\n(.*?)```\s+</details>", re.DOTALL)


class Notebook:
    """One notebook, as it is committed."""

    def __init__(self, name: str):
        self.text = (HERE / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
        self.cells = json.loads(self.text)["cells"]
        self.code = [cell for cell in self.cells if cell["cell_type"] == "code"]
        self.sources = ["".join(cell["source"]) for cell in self.code]
        self.prose = "\n\n".join("".join(cell["source"]) for cell in self.cells if cell["cell_type"] == "markdown")
        self.exercises = [(cell, source) for cell, source in zip(self.code, self.sources) if CHECK in source]
        self.solutions = SOLUTION.findall(self.prose)


def lines(source: str) -> int:
    return sum(bool(line.strip()) for line in source.splitlines())


def printed(cell: dict) -> str:
    return "".join("".join(output.get("text", "")) for output in cell["outputs"])


def opening(notebook: Notebook) -> list[str]:
    head = "".join(notebook.cells[0]["source"])
    wanted = {"a title": "# ", "a one-line promise": "\n> ", "objectives": "**You will**", "minutes": "**Time**", "hardware": "**Hardware**", "before": "**Before**"}
    told = re.search(r"\*\*You will\*\*(.*?)\n\n", head, re.DOTALL)
    missing = [f"it opens without {what}" for what, sign in wanted.items() if sign not in head]
    return missing + ([] if told and told[1].count(" · ") == 2 else ["it does not state three objectives"])


def set_up(notebook: Notebook) -> list[str]:
    source = notebook.sources[0]
    found = [] if lines(source) <= SET_UP_LINES else [f"its set-up has {lines(source)} lines"]
    found += [] if f"git pull -q {PROJECT['urls']['Repository']} " in source else ["its set-up has another address than pyproject.toml"]
    said = printed(notebook.code[0])
    return found + [f"its set-up does not print {what}" for what in ("finer ", "Python ", "data: ") if what not in said]


def view_first(notebook: Notebook) -> list[str]:
    first = [data for output in notebook.code[1]["outputs"] if (data := output.get("data", {}).get("text/html"))]
    found = [] if first and "finer-view" in "".join(first[0]) else ["its first cell after the set-up shows no view"]
    before = notebook.prose.split("**Predict.**")[0]
    return found + ([] if "Exercise" not in before else ["it asks before it shows"])


def sizes(notebook: Notebook) -> list[str]:
    counts = [lines(source) for source in notebook.sources]
    found = [] if len(counts) in CODE_CELLS else [f"{len(counts)} code cells"]
    found += [] if median(counts) <= MEDIAN_LINES else [f"the median cell has {median(counts)} lines"]
    return found + [f"cell {place} has {count} lines" for place, count in enumerate(counts, 1) if count > MOST_LINES]


def rounds(notebook: Notebook) -> list[str]:
    asked, changed = notebook.prose.count("**Predict.**"), notebook.prose.count("**Change one thing.**")
    found = [] if 3 <= asked <= 5 else [f"{asked} predictions"]
    found += [] if changed >= 2 else [f"{changed} invitations to change something"]
    return found + ([] if any("assert " in source for source in notebook.sources) else ["nothing is held against the library"])


def exercises(notebook: Notebook) -> list[str]:
    found = [] if len(notebook.exercises) == 2 == len(notebook.solutions) else [f"{len(notebook.exercises)} exercises, {len(notebook.solutions)} solutions"]
    found += [] if len(re.findall(r"\*\*Exercise \d\*\* \([●○]{3}, \d+ minutes\)", notebook.prose)) == 2 else ["difficulty or minutes are missing"]
    found += [] if notebook.prose.count("<summary>Hint</summary>") == 2 else ["a hint is missing"]
    return found + [f"a stub passes its check: {printed(cell)}" for cell, _ in notebook.exercises if not printed(cell).startswith(NOT_YET)]


def ending(notebook: Notebook) -> list[str]:
    questions = notebook.prose.split("## What to remember")[-1].split("**Now on your own run**")[0]
    found = [] if len(re.findall(r"^\d\. .+\?$", questions, re.MULTILINE)) == 5 else ["it does not end in five questions"]
    found += [] if "**Now on your own run**" in notebook.prose else ["it does not lead to one's own run"]
    return found + ([] if any("# change this path" in source for source in notebook.sources) else ["there is no path to change"])


def outputs(notebook: Notebook) -> list[str]:
    counts = [cell["execution_count"] for cell in notebook.code]
    found = [] if counts == list(range(1, len(counts) + 1)) else [f"executed in the order {counts}"]
    produced = [output for cell in notebook.code for output in cell["outputs"]]
    found += ["a traceback is kept"] if any(output["output_type"] == "error" for output in produced) else []
    found += ["a warning is kept"] if any(output.get("name") == "stderr" for output in produced) else []
    found += ["an id of a widget is kept"] if "widget-view" in notebook.text or "widget-state" in notebook.text else []
    return found + [f"a place on one machine: {place}" for place in PLACES.findall(json.dumps(produced))]


RULES = [opening, set_up, view_first, sizes, rounds, exercises, ending, outputs]
KEPT = [(name, rule) for name in NOTEBOOKS for rule in RULES]


@pytest.mark.parametrize(("name", "rule"), KEPT, ids=lambda one: getattr(one, "__name__", one))
def test_a_notebook_keeps_to_the_standard(name, rule):
    assert rule(Notebook(name)) == []


def kept(name: str) -> Any:
    import nbformat

    return nbformat.read(HERE / "notebooks" / f"{name}.ipynb", as_version=4)


def execute(notebook: Any, cell_seconds: int) -> None:
    from nbclient import NotebookClient

    NotebookClient(notebook, timeout=cell_seconds, resources={"metadata": {"path": str(HERE / "notebooks")}}).execute()


@pytest.mark.stress
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_solutions_pass_their_checks(name, monkeypatch):
    monkeypatch.setenv("FINER_PROFILE", "ci")
    found = kept(name)
    stubs = [cell for cell in found.cells if cell.cell_type == "code" and CHECK in cell.source]
    for cell, solution in zip(stubs, Notebook(name).solutions, strict=True):
        cell.source = f"{solution}\n{CHECK}{cell.source.split(CHECK)[1]}"
    execute(found, 600)
    assert [printed(cell)[: len(SOLVED)] for cell in stubs] == [SOLVED, SOLVED]


@pytest.mark.stress
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_reader_who_runs_every_cell_gets_to_the_end(name, monkeypatch):
    """In full, where ``make test`` takes the short profile; ``--durations=0`` says how long each takes."""
    monkeypatch.delenv("FINER_PROFILE", raising=False)
    found = kept(name)
    execute(found, 1800)
    assert all(cell.execution_count for cell in found.cells if cell.cell_type == "code")
