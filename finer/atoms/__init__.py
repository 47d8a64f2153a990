"""Atomic operations of a query, and how far those of two queries agree.

``parse`` (text → tree, bounded) → ``bind`` (names, ``expressions``, ``names``) → ``rules`` (what the declared keys
allow, ``keys``) → ``canonical`` (atoms, ``writing``) → ``overlap``.
"""

from finer.atoms.errors import AtomError
from finer.atoms.extract import extract
from finer.atoms.overlap import atomic_overlap, counted, counting_of

__all__ = ["AtomError", "atomic_overlap", "counted", "counting_of", "extract"]
