"""The memory of verified reasoning: gate, retrieval, snapshots and the trace store (FINER-SQL, arXiv 2605.03465).

``bank`` is what others use (``Memory``), ``past`` scores as of any step; under them lie ``gate`` (what may come in),
``search`` (exact nearest rows), ``collection`` (traces with their vectors), ``store`` (the same on disk) and ``plane`` (a map).
"""

from finer.memory.bank import Memory
from finer.memory.gate import PAPER_GATE, Gate, GateCount, Refusal, schema_mentions, unique_bigram_share
from finer.memory.past import (
    MemoryMap,
    PastScore,
    Spot,
    first_plane,
    map_as_of,
    replayed,
    scores_over_steps,
    steps_shown,
    take_in,
)
from finer.memory.retrieve import NEIGHBOURS_KEPT, ContrastiveMatch, Query, Retrieval, Snapshot
from finer.memory.store import MemoryFileError

__all__ = [
    "NEIGHBOURS_KEPT",
    "PAPER_GATE",
    "ContrastiveMatch",
    "Gate",
    "GateCount",
    "Memory",
    "MemoryFileError",
    "MemoryMap",
    "PastScore",
    "Query",
    "Refusal",
    "Retrieval",
    "Snapshot",
    "Spot",
    "first_plane",
    "map_as_of",
    "replayed",
    "schema_mentions",
    "scores_over_steps",
    "steps_shown",
    "take_in",
    "unique_bigram_share",
]
