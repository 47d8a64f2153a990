"""The reasoning that leads to a query, as the library writes it: the scripts here take it from where every trace has it from."""

from finer.thoughts import STYLES, normalise, thought, write

__all__ = ["STYLES", "normalise", "thought", "write"]
