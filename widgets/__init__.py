"""Views of a run for notebooks: ``from widgets import Workbench; Workbench("runs/first").follow()``.

Fed by records and run stores alone; imports neither torch, transformers nor trl, so a view opens on a machine that could
never train. Core ipywidgets, anywidget, and plotly for one view, written to the interface that versions 7 and 8 share.
"""

from widgets.compare import CompareRuns
from widgets.controls import Controls
from widgets.edit import EditView
from widgets.explore import ExploreView
from widgets.guess import GuessView
from widgets.habits import HabitsView
from widgets.ledger import LedgerView
from widgets.matrix import MatrixView
from widgets.memory import MemoryView
from widgets.playground import Playground
from widgets.results import ResultsView
from widgets.rollouts import RolloutsView
from widgets.start import StartRun
from widgets.views import AtomsView, Curves, GroupView, RolloutView
from widgets.whatif import WhatIfView
from widgets.workbench import Workbench

__all__ = [
    "AtomsView",
    "CompareRuns",
    "Controls",
    "Curves",
    "EditView",
    "ExploreView",
    "GroupView",
    "GuessView",
    "HabitsView",
    "LedgerView",
    "MatrixView",
    "MemoryView",
    "Playground",
    "ResultsView",
    "RolloutView",
    "RolloutsView",
    "StartRun",
    "WhatIfView",
    "Workbench",
]
