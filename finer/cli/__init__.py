"""The command ``finer``: what a person asks at a prompt.

Each command is a parser and a handler, in the file of its family; a handler imports what it needs when it runs, so that
``finer --help`` is instant. What a person did wrong comes out as one line and exit code 2; a fault of the program keeps its
traceback.

Not covered: what the commands do (the modules that they call).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from finer.cli import answers, doubts, foreign, machine, own, reading, teaching, training
from finer.cli.parser import Parser
from finer.cli.shared import free_folder, replaced
from finer.errors import FinerError, unknown

__all__ = ["build_parser", "free_folder", "main", "replaced"]

FAMILIES = (machine, own, teaching, training, answers, doubts, foreign, reading)
EPILOG = "finer COMMAND --help lists the options of a command. The README has an example of each; finer demo is the shortest way in."
DOWN, INTERRUPTED = 2, 130
"""Exit codes: a mistake of the person, and Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code: 0, 1 where it found something wrong, 2 where it could not begin."""
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        print("finer: interrupted. What was written is safe; a run goes on with: finer resume RUN", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough; there is nobody left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (FinerError, ValueError, OSError) as error:
        if not _is_for_the_person(error):
            raise
        print(f"finer: {_one_line(error)}", file=sys.stderr)
        return DOWN


def _one_line(error: Exception) -> str:
    """The message as one line; of the system's errors, the file and what it says of it."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


def _is_for_the_person(error: Exception) -> bool:
    """Ours, about a file, or a ValueError that our own code raised; one that a library raised is a fault of the program."""
    if isinstance(error, FinerError) or (isinstance(error, OSError) and error.filename is not None):
        return True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith("finer.")


def _run(arguments: list[str]) -> int:
    parser, commands = build_parser()
    if not arguments:
        parser.print_help()
        return DOWN
    if not arguments[0].startswith("-") and arguments[0] not in commands:
        raise FinerError(unknown("command", arguments[0], commands))
    chosen, rest = parser.parse_known_args(arguments)
    if rest:
        command = commands[chosen.command]
        options = [argument for argument in rest if argument.startswith("-")]
        if options:
            raise FinerError(unknown(f"option of finer {chosen.command}", options[0].partition("=")[0], command.options()))
        command.error(f"too many arguments: {' '.join(rest)}")
    return chosen.handler(chosen)


def build_parser() -> tuple[Parser, dict[str, Parser]]:
    """The parser of ``finer`` and those of its commands by name."""
    from finer import __version__

    parser = Parser(prog="finer", description="Teach a small language model SQL, and see why each answer was paid.", epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"finer-workbench {__version__}")
    places = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands: dict[str, Parser] = {}

    def command(name: str, handler: Callable[[argparse.Namespace], int], what: str) -> Parser:
        commands[name] = places.add_parser(name, help=what, description=what)
        commands[name].set_defaults(handler=handler)
        return commands[name]

    for family in FAMILIES:
        family.add(command)
    return parser, commands
