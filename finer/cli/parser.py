"""The parser that every command shares, and the arguments that several of them take."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from finer.errors import FinerError


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest option that exists."""

    def __init__(self, **arguments: Any):
        super().__init__(allow_abbrev=False, **arguments)

    def error(self, message: str) -> NoReturn:
        raise FinerError(f"{message}. See: {self.prog} --help")

    def options(self) -> list[str]:
        return [option for action in self._actions for option in action.option_strings if option.startswith("--")]


Command = Callable[[str, Callable[[argparse.Namespace], int], str], Parser]
"""Adds a command: its name, its handler, and one line of help."""


def whole(text: str) -> int:
    """An argument that is a whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None


def count(text: str) -> int:
    """An argument that is a whole number of at least 1."""
    number = whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def positive(text: str) -> float:
    """An argument that is a number above 0: a sampling temperature (at 0 all samples are the same), or seconds."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from None
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return number


def add_dataset(parser: Parser) -> None:
    """``--dataset``, ``--data`` and ``--split``: which questions."""
    parser.add_argument("--dataset", default="starter", metavar="D", help="starter, spider, bird or a folder (default: starter)")
    parser.add_argument("--data", metavar="DIR", help="where the files of Spider or BIRD lie, in their own layout")
    parser.add_argument("--split", metavar="NAME", help="only the questions of this split, such as dev")


def add_policy(parser: Parser, forms: str) -> None:
    """``--predictions`` or ``--policy`` with its adapter and temperature: whose answers."""
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--predictions", metavar="FILE", help=forms)
    who.add_argument("--policy", metavar="P", help="a name of the ladder, a folder, or a hub id")
    parser.add_argument("--adapter", metavar="DIR", help="a PEFT adapter to put on the policy")
    parser.add_argument("--columns", type=whole, default=0, metavar="K", help="show a policy the K columns that the schema filter chooses (default: 0, the whole schema)")
    parser.add_argument("--oracle", action="store_true", help="show it the columns of the gold; every figure says so")
    parser.add_argument("--temperature", type=positive, default=0.8, metavar="T", help="of samples (default: 0.8)")


def add_rule(parser: Parser, several: bool = False) -> None:
    """``--metric`` and its two switches: which rule says what is right."""
    if several:
        parser.add_argument("--metric", nargs="+", action="extend", metavar="M", help="one or more of: " + ", ".join(METRIC_NAMES))
    else:
        parser.add_argument("--metric", default="strict", metavar="M", help="the rule (default: strict)")
    parser.add_argument("--keep-distinct", action="store_true", help="spider-ex, spider-ts: do not delete DISTINCT")
    parser.add_argument("--plug-value", action="store_true", help="spider-ex, spider-ts: put the gold's literals into the predictions")


FORMS = "an object a line (.jsonl), BIRD's .json, what evaluate --json wrote, or one query a line"
"""Of a file of predictions."""
METRIC_NAMES = ("strict", "bird-ex", "spider-ex", "spider-ts", "soft-f1", "r-ves", "ves")
"""As in ``finer.metrics``, which a parser would take too long to load."""
