"""What several commands do alike: check names and files first, show progress, write a result whole or not at all."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from finer.errors import FinerError

if TYPE_CHECKING:
    from finer.datasets import Dataset
    from finer.policy import Policy


LINE_SECONDS = 10.0


def chosen_dataset(chosen: Any) -> Dataset:
    """The dataset that ``--dataset``, ``--data`` and ``--split`` name."""
    from finer import datasets

    return datasets.load_dataset(chosen.dataset, chosen.split, data=chosen.data)


def chosen_policy(chosen: Any) -> Policy:
    """The policy that ``--policy`` and ``--adapter`` name, loaded."""
    from finer.policy import load_policy

    return load_policy(chosen.policy, adapter=chosen.adapter)


def check_recipe(name: str) -> None:
    """Raises FinerError with the nearest recipes, or what is wrong with a file of one's own, before anything heavy is loaded."""
    from finer.rewards.recipes import get_recipe

    get_recipe(name)


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


def write_json(file: str | None, found: Any) -> None:
    """An object as JSON into a file, where one is named."""
    if file is not None:
        with replaced(Path(file)) as stream:
            json.dump(found, stream, indent=1, ensure_ascii=False)
            stream.write("\n")


def progress(items: Sequence[Any], what: str) -> Iterator[Any]:
    """The items, with a bar on the screen while they are worked through."""
    with bar(what) as move:
        for done, item in enumerate(items):
            move(done, len(items))
            yield item


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that is moved by calling it with how many of how many are done; where there is no screen, one line."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"{what} ...", file=sys.stderr, flush=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def until_done(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that goes away once all is done, and not only at the end of the block: lines of other things may follow."""
    with ExitStack() as stack:
        moves: list[Callable[[int, int], None]] = []

        def move(done: int, total: int) -> None:
            if not moves:
                moves.append(stack.enter_context(bar(what)))
            moves[0](done, total)
            if done == total:
                stack.close()

        yield move


@contextmanager
def lines_or_bar(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar under words that change; where there is no screen, the words as a line, at most every ``LINE_SECONDS``."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console, last = Console(stderr=True), [-LINE_SECONDS]
    with Progress(TextColumn("{task.description}"), BarColumn(), console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def tell(done: int, total: int, words: str) -> None:
            bar.update(task, completed=done, total=total, description=words)
            if not console.is_terminal and time.monotonic() - last[0] >= LINE_SECONDS:
                last[0] = time.monotonic()
                print(words, file=sys.stderr, flush=True)

        yield tell


def say(line: str) -> None:
    """A line that is seen at once, also through a pipe."""
    print(line, flush=True)


def print_rate(what: str, count: int, seconds: float) -> None:
    """How many a second, on the error stream: the output itself stays the same from run to run."""
    print(f"{what} {count} in {seconds:.1f} s, {count / max(seconds, 1e-9):.0f} a second", file=sys.stderr)
