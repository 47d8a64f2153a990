"""Runs notebooks from the first cell to the last and keeps the outputs that read well on a site that runs no code.

    python notebooks/execute.py 03_atomic_reward 05_rewards_to_advantages

The address in each set-up cell is written from ``Repository`` in pyproject.toml, the one place that holds it. Widgets keep their
static form only: the ids of live ones mean nothing outside the kernel that made them. FINER_PROFILE=ci runs the short profile,
which is not for keeping.
"""

from __future__ import annotations

import re
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
WIDGET = "application/vnd.jupyter.widget-view+json"
CELL_SECONDS = 1800


def repository() -> str:
    """The project's own address."""
    return tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]


def with_address(source: str, address: str) -> str:
    """A set-up cell with the project's address.

    >>> with_address("!git init -q && git pull -q https://old && pip install -q -e .", "https://new")
    '!git init -q && git pull -q https://new && pip install -q -e .'
    """
    return re.sub(r"(git pull -q )\S+", lambda found: found[1] + address, source)


def cleaned(notebook: Any) -> Any:
    """The notebook without ids of widgets, times, and what one machine alone knows."""
    notebook.metadata.pop("widgets", None)
    for place, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{place:02d}", {}
        if "outputs" in cell:
            cell.outputs = joined(cell.outputs)
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
            output.pop("metadata", None) if output.output_type == "stream" else output.update(metadata={})
    return notebook


def joined(outputs: list[Any]) -> list[Any]:
    """Neighbouring pieces of one stream as one, however slowly they came: a table printed row by row stays a table."""
    kept: list[Any] = []
    for output in outputs:
        if kept and output.output_type == kept[-1].output_type == "stream" and output.name == kept[-1].name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def execute(path: Path) -> float:
    """Runs one notebook in place; the seconds it took."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = with_address(cell.source, repository())
    begun = time.perf_counter()
    NotebookClient(notebook, timeout=CELL_SECONDS, resources={"metadata": {"path": str(HERE)}}).execute()
    nbformat.write(cleaned(notebook), path)
    return time.perf_counter() - begun


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(f"{name}: {execute((HERE / name).with_suffix('.ipynb')):.0f} s")
