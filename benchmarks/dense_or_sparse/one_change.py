"""The published formula with one thing changed: which part of it decides where its runs go? Trained as FILE.py:NAME."""

from dataclasses import replace

from finer.rewards import Shaping, get_recipe

_PAPER = get_recipe("paper")
paper_runs = replace(_PAPER, name="paper-runs", execution_wrong=0.2)
"""A wrong query that runs earns a twentieth of full marks, as in ``finer``, in place of a quarter."""
paper_linear = replace(_PAPER, name="paper-linear", shaping=Shaping(lam=_PAPER.shaping(1.0)))
"""The atomic part rises evenly, to the same most."""
paper_failing = replace(_PAPER, name="paper-failing", atomic_needs_run=False)
"""A query that does not run earns its atomic part too."""
