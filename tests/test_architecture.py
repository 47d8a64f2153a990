"""docs/architecture.md is true: every module stands in its tables, and imports point down them; and the README misses no command or view."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import widgets
from finer.cli import build_parser

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
TABLES = dict(zip(("finer", "widgets"), re.split(r"module of `widgets/`", PAGE), strict=True))
FORBIDDEN = {"finer": {"widgets", "ipywidgets", "anywidget", "plotly", "IPython"}, "widgets": {"torch", "transformers", "trl"}}
MOST_LINES, MOST_FUNCTION_LINES = 500, 60
packages = pytest.mark.parametrize("package", TABLES)


def floors(package: str) -> dict[str, int]:
    """Module → floor, as the package's table says."""
    rows = re.findall(r"^\| (\d) \| ([^|]+) \|", TABLES[package], re.MULTILINE)
    return {name: int(floor) for floor, names in rows for name in re.findall(r"`(\w+)`", names)}


@cache
def sources(package: str) -> dict[Path, ast.Module]:
    return {path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / package).rglob("*.py")}


def imported(tree: ast.Module) -> list[tuple[int, str]]:
    """Line and dotted name of everything that is imported, within functions too."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names] if "." not in node.module else [node.module]
            found += [(node.lineno, name) for name in inside]
    return found


@packages
def test_every_module_stands_in_the_table_and_no_other(package):
    modules = {path.parts[1].removesuffix(".py") for path in sources(package)} - {"__init__"}
    assert set(floors(package)) == modules


@packages
def test_imports_point_down_or_along_a_floor(package):
    floor, wrong = floors(package), []
    for path, tree in sources(package).items():
        own = floor.get(path.parts[1].removesuffix(".py"), 99)  # the package itself stands above all
        names = [(line, name.split(".")) for line, name in imported(tree)]
        wrong += [f"{path}:{line} imports {'.'.join(name)}" for line, name in names if name[0] in FORBIDDEN[package]]
        inside = [(line, name[1]) for line, name in names if name[0] == package and len(name) > 1]
        wrong += [f"{path}:{line} imports {name} from above" for line, name in inside if floor.get(name, 0) > own]
    assert wrong == []


@packages
def test_files_and_functions_are_short_and_every_module_says_its_job(package):
    wrong = []
    for path, tree in sources(package).items():
        functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        wrong += [f"{path}: no docstring"] if not ast.get_docstring(tree) else []
        wrong += [f"{path}: over {MOST_LINES} lines"] if len((ROOT / path).read_text("utf-8").splitlines()) > MOST_LINES else []
        wrong += [f"{path}: {one.name} is long" for one in functions if one.end_lineno - one.lineno >= MOST_FUNCTION_LINES]
    assert wrong == []


def test_the_readme_has_an_example_of_every_command_and_every_view():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = {name: rf"\| `{name}` \| `finer {name}\b" for name in build_parser()[1]}
    examples |= {name: rf"\b{name}\(" for name in widgets.__all__}
    assert [name for name, example in examples.items() if not re.search(example, readme)] == []
