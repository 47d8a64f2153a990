"""The errors that a person can mend: each says what was wrong, where, and what to do next.

A command prints such an error as one line and ends with exit code 2. Anything else that is raised is a fault of the program.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FinerError(Exception):
    """Base of every error whose message is meant for the person at the keyboard."""


class RunStoreError(FinerError):
    """A run folder that is missing, unreadable, damaged, in use, full, or written by a newer program."""


class ConfigError(FinerError):
    """A configuration with a wrong key or a wrong value; the message names the place, the key and the nearest valid one."""


def unknown(kind: str, name: str, valid: Iterable[str]) -> str:
    """A message for a name that does not exist, with the nearest ones that do.

    >>> unknown("recipe", "fine", ["sparse", "paper", "finer"])
    "unknown recipe 'fine'; did you mean 'finer'? There are: sparse, paper, finer"
    """
    valid = list(valid)
    near = difflib.get_close_matches(name, valid, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    return f"unknown {kind} {name!r}; {hint}{'There' if hint else 'there'} are: {', '.join(valid)}"
