"""The command ``finer``: what a person asks at a prompt.

Each command is a parser and a handler; a handler imports what it needs when it runs, so that ``finer --help`` is instant. What a
person did wrong comes out as one line and exit code 2; a fault of the program keeps its traceback.

Not covered: what the commands do (the modules that they call).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from finer.errors import FinerError, unknown

if TYPE_CHECKING:
    from finer.datasets import Dataset

ROOT = Path(__file__).resolve().parent.parent
DOWN, INTERRUPTED = 2, 130
"""Exit codes: a mistake of the person, and Ctrl-C."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest option that exists."""

    def __init__(self, **arguments: Any):
        super().__init__(allow_abbrev=False, **arguments)

    def error(self, message: str) -> NoReturn:
        raise FinerError(f"{message}. See: {self.prog} --help")

    def options(self) -> list[str]:
        return [option for action in self._actions for option in action.option_strings if option.startswith("--")]


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

    parser = Parser(prog="finer", description="Teach a small language model SQL, and see why each answer was paid.")
    parser.add_argument("--version", action="version", version=f"finer-workbench {__version__}")
    places = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands: dict[str, Parser] = {}

    def command(name: str, handler: Callable[[argparse.Namespace], int], what: str) -> Parser:
        commands[name] = places.add_parser(name, help=what, description=what)
        commands[name].set_defaults(handler=handler)
        return commands[name]

    _arguments_of_doctor(command("doctor", doctor, "what this machine can run, and how to mend what is missing"))
    _arguments_of_demo(command("demo", demo, "train the embedded policy for some minutes and write a report"))
    _arguments_of_train(command("train", train, "train a policy; everything it does goes into a run's folder"))
    _arguments_of_resume(command("resume", resume, "go on with a run that broke off, from its last checkpoint"))
    _arguments_of_evaluate(command("evaluate", evaluate, "how many questions a policy, or a file of predictions, gets right"))
    _arguments_of_score(command("score", score, "what a recipe pays each prediction of a file, part by part"))
    _arguments_of_report(command("report", report, "one self-contained page about a run"))
    command("lab", lab, "JupyterLab on the notebooks")
    return parser, commands


def _arguments_of_doctor(parser: Parser) -> None:
    parser.add_argument("--json", metavar="FILE", help="also write what was found as JSON")


def _arguments_of_demo(parser: Parser) -> None:
    parser.add_argument("--run", metavar="DIR", help="where to put the run (default: runs/demo, or the next free number)")


def _arguments_of_train(parser: Parser) -> None:
    parser.add_argument("config", nargs="?", metavar="CONFIG.toml", help="settings; options given here win over it")
    parser.add_argument("--run", required=True, metavar="DIR", help="the run's folder; it must not hold a run yet")
    parser.add_argument("--policy", metavar="P", help="a name of the ladder, a folder, or a hub id")
    parser.add_argument("--recipe", metavar="R", help="what is paid: sparse, paper, finer")
    parser.add_argument("--dataset", metavar="D", help="starter, or a folder")
    parser.add_argument("--steps", type=_whole, metavar="N")
    parser.add_argument("--seed", type=_whole, metavar="S")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any setting, as in --set group_size=4")


def _arguments_of_resume(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run's folder")


def _arguments_of_evaluate(parser: Parser) -> None:
    parser.add_argument("--dataset", default="starter", metavar="D", help="starter, or a folder (default: starter)")
    parser.add_argument("--split", metavar="NAME", help="only the questions of this split, such as dev")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--predictions", metavar="FILE", help=".jsonl, BIRD's .json, or one query a line")
    who.add_argument("--policy", metavar="P", help="a name of the ladder, a folder, or a hub id")
    parser.add_argument("--metric", action="append", metavar="M", help="strict (the default)")
    parser.add_argument("--json", metavar="FILE", help="also write each question's outcome as JSON")


def _arguments_of_score(parser: Parser) -> None:
    parser.add_argument("--dataset", default="starter", metavar="D", help="starter, or a folder (default: starter)")
    parser.add_argument("--predictions", required=True, metavar="FILE", help=".jsonl, BIRD's .json, or one query a line")
    parser.add_argument("--recipe", default="finer", metavar="R", help="sparse, paper, finer (default: finer)")
    parser.add_argument("--json", metavar="FILE", help="write a JSON line a prediction there, instead of to the screen")


def _arguments_of_report(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run's folder")
    parser.add_argument("--html", required=True, metavar="FILE", help="the page to write")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None


# --- the commands ------------------------------------------------------------------------------------------------------------


def doctor(chosen: argparse.Namespace) -> int:
    from finer.doctor import run_doctor

    return run_doctor(chosen.json)


def demo(chosen: argparse.Namespace) -> int:
    from finer.demo import run_demo

    run_demo(Path(chosen.run) if chosen.run else free_folder(Path("runs"), "demo"))
    return 0


def train(chosen: argparse.Namespace) -> int:
    from finer.config import read_config

    config = read_config(
        chosen.config,
        chosen.set,
        policy=chosen.policy,
        recipe=chosen.recipe,
        dataset=chosen.dataset,
        steps=chosen.steps,
        seed=chosen.seed,
    )
    check_recipe(config.recipe)
    from finer.grpo import train as start

    start(config, Path(chosen.run), on_event=_say)
    return 0


def resume(chosen: argparse.Namespace) -> int:
    from finer.runs import Run

    Run(chosen.run)  # a folder that is no run's is refused before torch is loaded
    from finer.grpo import resume as go_on

    go_on(Path(chosen.run), on_event=_say)
    return 0


def evaluate(chosen: argparse.Namespace) -> int:
    metrics = chosen.metric or ["strict"]
    for metric in metrics:
        if metric != "strict":
            raise FinerError(unknown("metric", metric, ["strict"]))
    from finer.datasets import load_dataset

    check_writable(chosen.json)
    dataset = load_dataset(chosen.dataset, chosen.split)
    began = time.perf_counter()
    found = _judge_file(chosen.predictions, dataset) if chosen.predictions else _ask_policy(chosen.policy, dataset)
    _print_accuracy(found, time.perf_counter() - began)
    if chosen.json:
        with replaced(Path(chosen.json)) as file:
            json.dump(found if len(metrics) == 1 else [found] * len(metrics), file, indent=1)
            file.write("\n")
    return 0


def _judge_file(file: str, dataset: Dataset) -> dict[str, Any]:
    from finer.predictions import judge_predictions, read_predictions

    return judge_predictions(_progress(read_predictions(file, dataset), "judging"), dataset)


def _ask_policy(name: str, dataset: Dataset) -> dict[str, Any]:
    from finer.evaluate import evaluate as ask
    from finer.policy import load_policy

    policy = load_policy(name)
    with _bar("answering") as move:
        return ask(policy, dataset, on_progress=move)


def score(chosen: argparse.Namespace) -> int:
    check_recipe(chosen.recipe)
    check_writable(chosen.json)
    from finer.datasets import load_dataset
    from finer.predictions import read_predictions, score_predictions
    from finer.rewards import Scorer

    dataset = load_dataset(chosen.dataset)
    pairs = read_predictions(chosen.predictions, dataset)
    with Scorer(chosen.recipe, dataset) as scorer:
        began = time.perf_counter()
        lines = (json.dumps(row, ensure_ascii=False) for row in score_predictions(_progress(pairs, "scoring"), scorer))
        if chosen.json:
            with replaced(Path(chosen.json)) as file:
                file.writelines(f"{line}\n" for line in lines)
        else:
            for line in lines:
                print(line)
    _print_rate("scored", len(pairs), time.perf_counter() - began)
    return 0


def report(chosen: argparse.Namespace) -> int:
    check_writable(chosen.html)
    from finer.report import write_report
    from finer.runs import Run

    write_report(Run(chosen.run), Path(chosen.html))
    print(f"Report: {chosen.html}")
    return 0


def lab(chosen: argparse.Namespace) -> int:
    notebooks = ROOT / "notebooks"
    if not notebooks.is_dir():
        raise FinerError("the notebooks are not here: run `finer lab` from a checkout, installed with `make install`.")
    command = [sys.executable, "-m", "jupyterlab", str(notebooks)]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # a container's only user is root; JupyterLab would refuse to start
    return subprocess.call(command)


# --- what they share ---------------------------------------------------------------------------------------------------------


def check_recipe(name: str) -> None:
    """Raises FinerError with the nearest recipes, before anything heavy is loaded."""
    from finer.rewards.recipes import RECIPES

    if name not in RECIPES:
        raise FinerError(unknown("recipe", name, RECIPES))


def check_writable(file: str | None) -> None:
    """Raises FinerError where a result could not be written: before the work, not after it."""
    if file is None:
        return
    folder = Path(file).resolve().parent
    if Path(file).is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        why = "it is a folder" if Path(file).is_dir() else f"{folder} is no folder that can be written to"
        raise FinerError(f"{file} cannot be written: {why}. Name another file.")


def free_folder(parent: Path, name: str) -> Path:
    """``parent/name``, or with the first number behind it that no folder has: nothing is ever written over."""
    folder, number = parent / name, 1
    while folder.exists():
        number += 1
        folder = parent / f"{name}-{number}"
    return folder


@contextmanager
def replaced(path: Path) -> Iterator[IO[str]]:
    """A file to write that takes the place of ``path`` only when it is whole."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _progress(items: Sequence[Any], what: str) -> Iterator[Any]:
    """The items, with a bar on the screen while they are worked through."""
    with _bar(what) as move:
        for done, item in enumerate(items):
            move(done, len(items))
            yield item


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that is moved by calling it with how many of how many are done; where there is no screen, one line."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"{what} ...", file=sys.stderr, flush=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _say(line: str) -> None:
    print(line, flush=True)


def _print_accuracy(found: dict[str, Any], seconds: float) -> None:
    for name, group in [("all", found), *found["by_difficulty"].items()]:
        value = "not judged" if group["value"] is None else f"{100 * group['value']:5.1f} %"
        print(f"{name:12} {value} of {group['n']}")
    _print_rate("judged", len(found["per_question"]), seconds)


def _print_rate(what: str, count: int, seconds: float) -> None:
    print(f"{what} {count} in {seconds:.1f} s, {count / max(seconds, 1e-9):.0f} a second", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
