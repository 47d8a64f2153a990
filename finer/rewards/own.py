"""A reward of one's own: a function with TRL's signature, from a file (FILE.py:NAME) or a notebook, as a part of a recipe.

It is called once a question, with all its answers, as TRL calls it: ``prompts`` (chat messages), ``completions`` and columns, all
lists of one length, and ``log_extra`` and ``log_metric``. It returns a number for each answer, or None where it says nothing.
What it gives to ``log_extra(column, values)`` is the part's evidence. Differs from TRL: completions are texts; a function that
fails on texts gets them as chat messages, and keeps what it took. ``completion_ids`` and ``trainer_state`` are not there, so that an
answer can be scored again without its training. Not covered: what the function pays for (``finer.probe`` puts it to the test).
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finer.errors import FinerError
from finer.records import Question
from finer.rewards.facts import LONGEST_TEXT, short

Score = float | None
RewardFunction = Callable[..., Sequence[Score]]
Prompt = Sequence[Mapping[str, Any]]
COLUMNS = ("index", "question", "gold", "db_id", "evidence", "difficulty")
"""What a function is told of the question, each as a list."""


class RewardError(FinerError):
    """A reward function that cannot be loaded or called, or that returns something other than a number for each completion."""


@dataclass(frozen=True)
class OwnValue:
    """What a function of one's own says of one answer."""

    value: Score
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass
class OwnReward:
    """A reward function with its name, and the form of completions that it takes."""

    function: RewardFunction
    name: str = ""
    takes_messages: bool = False

    def __post_init__(self) -> None:
        self.name = self.name or name_of(self.function)

    def __call__(self, question: Question, prompt: Prompt, completions: Sequence[str], metrics: Callable[[str, float], None] | None = None) -> list[OwnValue]:
        """Its word on each completion of a question. RewardError where it raises, or gives anything but a number or None for each."""
        count, extras = len(completions), defaultdict(list)
        arguments = self._arguments(question, prompt, count)
        arguments["log_extra"] = lambda column, values: extras[column].extend(values)
        arguments["log_metric"] = metrics or (lambda name, value: None)
        self._check_signature(arguments)
        values = self._values(arguments, list(completions), question, extras)
        numbers = [self._number(value, question) for value in self._listed(values, count, question)]
        kept = {column: row for column, row in extras.items() if len(row) == count}
        return [OwnValue(number, {column: _plain(row[place]) for column, row in kept.items()}) for place, number in enumerate(numbers)]

    def _arguments(self, question: Question, prompt: Prompt, count: int) -> dict[str, Any]:
        told = (question.index, question.text, list(question.gold), question.db_id, question.evidence, question.difficulty)
        return {"prompts": [list(prompt)] * count, **{name: [value] * count for name, value in zip(COLUMNS, told, strict=True)}}

    def _check_signature(self, arguments: Mapping[str, Any]) -> None:
        try:
            inspect.signature(self.function).bind(completions=[], **arguments)
        except TypeError as error:
            raise RewardError(
                f"the reward function {self.name!r} cannot be called as TRL calls it ({error}); write it as "
                f"def {self.name}(prompts, completions, **columns), where the columns are {', '.join(COLUMNS)}, log_extra and log_metric"
            ) from error
        except ValueError:
            pass  # a callable that tells no signature: the call itself will say

    def _values(self, arguments: dict[str, Any], texts: list[str], question: Question, extras: dict[str, list[Any]]) -> Any:
        messages = [[{"role": "assistant", "content": text}] for text in texts]
        if self.takes_messages:
            return self._call(arguments, messages, question)
        try:
            return self._call(arguments, texts, question)
        except RewardError as on_texts:
            extras.clear()
            try:
                found = self._call(arguments, messages, question)
            except RewardError:
                raise on_texts from on_texts.__cause__
            self.takes_messages = True
            return found

    def _call(self, arguments: dict[str, Any], completions: list[Any], question: Question) -> Any:
        try:
            found = self.function(completions=completions, **arguments)
            return _awaited(found) if inspect.iscoroutine(found) else found
        except Exception as error:  # whatever a person's own function raises is told with the question that it raised at
            raise RewardError(
                f"the reward function {self.name!r} failed on question {question.index}: {type(error).__name__}: {error}. It is called with prompts, "
                f"completions (a list of texts) and the columns {', '.join(COLUMNS)} as lists"
            ) from error

    def _listed(self, values: Any, count: int, question: Question) -> list[Any]:
        try:
            found = list(values)
        except TypeError:
            found = None
        if found is None or len(found) != count:
            got = "no list" if found is None else f"{len(found)} values"
            raise RewardError(f"the reward function {self.name!r} returned {got} for the {count} completions of question {question.index}; return a number for each")
        return found

    def _number(self, value: Any, question: Question) -> Score:
        try:
            number = None if value is None else float(value)
        except (TypeError, ValueError):
            number = math.nan
        if number is not None and not math.isfinite(number):
            raise RewardError(f"the reward function {self.name!r} returned {value!r} on question {question.index}; return a number, or None where it is not scored")
        return number


def _awaited(found: Any) -> Any:
    """An async function's result; in a thread of its own, since a notebook's has a loop that runs already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, found).result()


def as_own(function: RewardFunction | OwnReward, name: str = "") -> OwnReward:
    """A function with its name; one that has it already stays as it is."""
    return function if isinstance(function, OwnReward) and not name else OwnReward(getattr(function, "function", function), name)


def name_of(function: Any) -> str:
    """A callable's own name, which its part carries.

    >>> from functools import partial
    >>> name_of(partial(len)), name_of(len)
    ('len', 'len')
    """
    function = getattr(function, "func", function)
    return getattr(function, "__name__", type(function).__name__)


def is_place(text: str) -> bool:
    """Does it have the form FILE.py:NAME?

    >>> is_place("mine.py:reward"), is_place("finer"), is_place("mine.py")
    (True, False, False)
    """
    return ".py:" in text


def load_object(place: str, what: str = "reward function") -> Any:
    """The object that ``FILE.py:NAME`` names. RewardError where there is no such file or name, or the file fails.

    >>> load_object("reward.py")
    Traceback (most recent call last):
    ...
    finer.rewards.own.RewardError: 'reward.py' names no reward function; write FILE.py:NAME
    """
    file, _, name = place.rpartition(":")
    if not file or not name.isidentifier():
        raise RewardError(f"{place!r} names no {what}; write FILE.py:NAME")
    if not Path(file).is_file():
        raise RewardError(f"there is no file {file!r}; check the path before the colon of {place!r}")
    module = _module(Path(file))
    if not hasattr(module, name):
        there = [known for known, value in vars(module).items() if callable(value) and not known.startswith("_")]
        held = f"it holds {', '.join(there)}" if there else "define it there"
        raise RewardError(f"{file!r} holds no {what} {name!r}; {held}, or correct the name after the colon")
    return getattr(module, name)


def load_reward(place: str) -> RewardFunction:
    """The function that ``FILE.py:NAME`` names. RewardError as of :func:`load_object`, and for what is no function."""
    found = load_object(place)
    if not callable(found):
        raise RewardError(f"{place!r} is {type(found).__name__} and no function; name a function with TRL's signature")
    return found


def _module(path: Path) -> Any:
    """The file as a module, anew at each call: a person who mends it in a notebook gets what is there now."""
    spec = importlib.util.spec_from_file_location(f"reward_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RewardError(f"{str(path)!r} is no Python file; give one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # any fault of the file itself, a syntax error included
        del sys.modules[spec.name]
        raise RewardError(f"{str(path)!r} cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _plain(value: Any) -> Any:
    """Evidence as JSON holds it, texts cut where they are long."""
    if isinstance(value, str):
        return short(value)
    try:
        return value if len(json.dumps(value, allow_nan=False)) <= 10 * LONGEST_TEXT else short(repr(value))
    except (TypeError, ValueError):
        return short(repr(value))
