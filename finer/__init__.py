"""A workbench for teaching a small language model to write SQL, and for seeing why each answer was paid what it was.

Everything named here loads on first use, so that ``import finer`` stays quick and needs neither torch nor pandas.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

DATA = Path(__file__).resolve().parent.parent / "data"
"""What the project ships: starter questions and databases, the tiny policies, recorded runs."""

_HOME = {
    "load_dataset": "finer.datasets",
    "Database": "finer.datasets",
    "execute": "finer.sandbox",
    "atomic_overlap": "finer.atoms",
    "Recipe": "finer.rewards",
    "score": "finer.rewards",
    "Memory": "finer.memory",
    "load_policy": "finer.policy",
    "train": "finer.grpo",
    "Run": "finer.runs",
    "evaluate": "finer.evaluate",
    "about": "finer.doctor",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'finer' has no attribute {name!r}; it offers {', '.join(_HOME)}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps ``finer.evaluate`` the function, although a module of that name lies in the package.

    Importing ``finer.evaluate`` would otherwise put the module over the function, and ``finer.evaluate(...)`` would
    work or fail depending on what was imported before. ``from finer.evaluate import …`` is not affected.
    """

    @property
    def evaluate(self) -> Any:
        return __getattr__("evaluate")

    @evaluate.setter
    def evaluate(self, module: ModuleType) -> None:
        """The import system sets the submodule here; the function stays."""


sys.modules[__name__].__class__ = _Package
