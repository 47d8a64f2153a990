"""The memory of verified reasoning: gate, retrieval, snapshots and the trace store (FINER-SQL, arXiv 2605.03465).

``bank`` is what others use (``Memory``); under it lie ``gate`` (what may come in), ``search`` (exact nearest rows),
``collection`` (traces with their vectors) and ``store`` (the same on disk).
"""

from finer.memory.bank import Memory
from finer.memory.gate import PAPER_GATE, Gate, GateCount, Refusal, schema_mentions, unique_bigram_share
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
    "Query",
    "Refusal",
    "Retrieval",
    "Snapshot",
    "schema_mentions",
    "unique_bigram_share",
]
