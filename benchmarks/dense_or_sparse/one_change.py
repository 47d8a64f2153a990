"""Recipes with one thing changed: which part of a formula decides where its runs go? Trained as FILE.py:NAME."""

from dataclasses import replace

from finer.rewards import Counting, Shaping, get_recipe

_PAPER = get_recipe("paper")
paper_runs = replace(_PAPER, name="paper-runs", execution_wrong=0.2)
"""A wrong query that runs earns a twentieth of full marks, as in ``finer``, in place of a quarter."""
paper_linear = replace(_PAPER, name="paper-linear", shaping=Shaping(lam=_PAPER.shaping(1.0)))
"""The atomic part rises evenly, to the same most."""
paper_failing = replace(_PAPER, name="paper-failing", atomic_needs_run=False)
"""A query that does not run earns its atomic part too."""
finer_near = replace(get_recipe("finer"), name="finer-near", counting=Counting(extra=0.5, changed=0.5), execution_wrong=0.02)
"""``finer`` with half marks for an operation that only has another constant or operator, an extra one counted half, and next to nothing for
running: two things changed, the two by which it paid answers for leaving their conditions out."""
