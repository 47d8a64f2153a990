"""The probe: does a reward mean what it says? Gold queries rewritten and broken, each executed, each scored.

``trees`` (places, names) → ``rewrites``, ``restructure``, ``equivalents``, ``edits``, ``clause_edits`` (short functions) → ``cases`` (drawn and executed) → ``measures``
(scored) → ``report``, ``figures``, ``table``; ``labels`` reads judged predictions, ``probe`` runs it all.
"""

from finer.probe.cases import BREAKING, PRESERVING
from finer.probe.probe import run_probe
from finer.probe.report import ProbeReport
from finer.rewards.own import RewardError, load_reward

__all__ = ["BREAKING", "PRESERVING", "ProbeReport", "RewardError", "load_reward", "run_probe"]
