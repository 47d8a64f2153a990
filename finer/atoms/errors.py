"""The one error of this package."""

from __future__ import annotations


class AtomError(ValueError):
    """A text that is not one readable query; the message is the reason, in a sentence a person can read."""
