"""What a recipe pays: parts, weights and shaping, and the proof that a wrong answer stays below a right one.

A recipe holds numbers only; the parts (one file each) read them, ``scorer`` adds
the parts up. ``check`` is what training asks before it starts; a view may show a recipe that does not pass it.

Not covered: whether a recipe teaches anything. That is measured, not proved.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from finer.errors import FinerError, unknown
from finer.records import JACCARD, Counting
from finer.rewards.own import OwnReward, RewardFunction, as_own, is_place, load_object

PART_NAMES = ("format", "execution", "atomic", "bigram", "result", "memory")
_ROUNDING = 1e-9
"""Sums of weights such as 0.05 + 0.35 miss their decimal value by this much at most."""


class RecipeError(FinerError):
    """An unknown recipe or part, a number out of its range, or weights that let a wrong answer come too close."""


@dataclass(frozen=True)
class Shaping:
    """How the atomic part turns an overlap J into a value: phi(J) = lam*J + (1 - lam)*beta*J**gamma, phi(0) = 0.

    FINER-SQL, arXiv 2605.03465; its chosen setting S3 is (0.05, 0.79, 0.20).

    >>> round(Shaping(0.05, 0.79, 0.20)(0.5), 4), Shaping()(0.5)
    (0.6783, 0.5)
    """

    lam: float = 1.0
    """Share of the plain overlap, 0 to 1; 1 makes the value the overlap itself."""
    beta: float = 0.0
    """Height of the curved part, at least 0."""
    gamma: float = 1.0
    """Its exponent, above 0; below 1 even a small overlap pays much."""

    def __call__(self, overlap: float) -> float:
        """The value of an overlap of 0 to 1."""
        return self.lam * overlap + (1 - self.lam) * self.beta * overlap**self.gamma

    def problem(self) -> str:
        """'' where phi rises from 0 over the whole range, else which number prevents it."""
        if not 0 <= self.lam <= 1:
            return f"lam is {self.lam}; it must lie between 0 and 1"
        if not 0 <= self.beta < math.inf:
            return f"beta is {self.beta}; it must be a number of at least 0"
        if not 0 < self.gamma < math.inf:
            return f"gamma is {self.gamma}; it must be a number above 0"
        return ""


@dataclass(frozen=True)
class Recipe:
    """Parts, weights and shaping; a total is the sum of weight times value over the parts."""

    name: str
    parts: tuple[str, ...]
    weights: Mapping[str, float] = field(hash=False)
    """A weight for each part, at least 0."""
    gate: bool
    """True: a broken format pays 0 in every part."""
    margin: float
    """How far every wrong answer stays below every right one (with a gate: among the answers that pass it)."""
    execution_fails: float = 0.0
    """Value of the execution part for a query that does not run to its end."""
    execution_wrong: float = 0.0
    """Its value for a query that runs but is wrong."""
    execution_right: float = 1.0
    counting: Counting = JACCARD
    """What extra and changed operations count in the overlap that the atomic part pays (``finer.atoms.counted``)."""
    shaping: Shaping = Shaping()
    atomic_right: float = 0.0
    """Value of the atomic part for a right answer."""
    atomic_needs_run: bool = False
    """True: a query that does not run gets nothing from the atomic part."""
    own: Mapping[str, OwnReward] = field(default_factory=dict, hash=False)
    """The functions behind parts of one's own, by the part's name; a plain function serves too."""
    source: str = ""
    """FILE.py:NAME, where it came from a file."""

    def __post_init__(self) -> None:
        wrapped = {name: one if isinstance(one, OwnReward) else as_own(one, name) for name, one in self.own.items()}
        object.__setattr__(self, "own", wrapped)

    def with_reward(self, function: RewardFunction, weight: float = 1.0, name: str = "") -> Recipe:
        """The same recipe with a reward function of one's own (TRL's signature) as a further part, and a name that says so.

        >>> def brevity(prompts, completions, **columns):
        ...     return [1 / len(completion.split()) for completion in completions]
        >>> mine = get_recipe("finer").with_reward(brevity, 0.05)
        >>> mine.name, mine.parts[-1], mine.weights["brevity"]
        ('finer+brevity', 'brevity', 0.05)
        """
        own = as_own(function, name)
        return replace(
            self,
            name=f"{self.name}+{own.name}",
            parts=(*self.parts, own.name),
            weights={**self.weights, own.name: weight},
            own={**self.own, own.name: own},
        )

    def with_weights(self, weights: Mapping[str, float]) -> Recipe:
        """The same recipe with some weights changed, not yet checked. RecipeError for a part that it has not.

        >>> get_recipe("finer").with_weights({"memory": 0.05}).weights["memory"]
        0.05
        """
        unknown = [part for part in weights if part not in self.parts]
        if unknown:
            raise RecipeError(f"recipe {self.name!r} has no part {unknown[0]!r}; it has {', '.join(self.parts)}")
        return replace(self, weights={**self.weights, **weights})

    @property
    def full_marks(self) -> float:
        """What a right answer in the right format is paid."""
        return sum(self.right_pay().values())

    def right_pay(self) -> dict[str, float]:
        """Part by part, what a right answer in the right format is paid."""
        values = {**_MOST, "execution": self.execution_right, "atomic": self.atomic_right}
        return {part: self.weights[part] * values[part] for part in self.known_parts}

    @property
    def known_parts(self) -> tuple[str, ...]:
        """The parts whose range is known: all but those of one's own, of which nothing can be proved."""
        return tuple(part for part in self.parts if part not in self.own)

    def least_right_pay(self) -> dict[str, float]:
        """The least that a right answer is paid: without the format, unless the gate leaves only well-formed ones."""
        pay = self.right_pay()
        return pay if self.gate or "format" not in pay else {**pay, "format": 0.0}

    def most_wrong_pay(self) -> dict[str, float]:
        """The most that a wrong answer can be paid: it runs, all its operations agree, its thought is a trace's.

        The same for its bigrams and for the values it returns: rows in the wrong order share all of them.
        """
        values = {**_MOST, "execution": self.execution_wrong, "atomic": self.shaping(1.0)}
        return {part: self.weights[part] * values[part] for part in self.known_parts}

    def check(self) -> Recipe:
        """This recipe, where its invariants hold; else RecipeError with the number, or the sums, that break them.

        They are proved of the parts whose range is known; a recipe without the part 'execution' beside one's own claims none.
        """
        problem = self._problem_of_parts() or self._problem_of_values() or self.shaping.problem()
        if problem:
            raise RecipeError(f"recipe {self.name!r}: {problem}")
        if self.own and "execution" not in self.parts:
            return self
        gap = sum(self.least_right_pay().values()) - sum(self.most_wrong_pay().values())
        if gap < self.margin - _ROUNDING:
            raise RecipeError(self._arithmetic(gap))
        return self

    def _problem_of_parts(self) -> str:
        if taken := [part for part in self.own if part in PART_NAMES]:
            return f"a reward function of your own has the name of the part {taken[0]!r}; give it another"
        if strange := [part for part in self.parts if part not in PART_NAMES and part not in self.own]:
            return f"unknown part {strange[0]!r}; there are {', '.join(PART_NAMES)}"
        if idle := [part for part in self.own if part not in self.parts]:
            return f"the reward function {idle[0]!r} is none of its parts; name it among them, with a weight"
        if len(set(self.parts)) < len(self.parts):
            return "a part is named twice"
        if set(self.weights) != set(self.parts):
            return f"weights are given for {sorted(self.weights)}, but its parts are {sorted(self.parts)}"
        if self.gate and "format" not in self.parts:
            return "a gate needs the part 'format'"
        return ""

    def _problem_of_values(self) -> str:
        for part, weight in self.weights.items():
            if not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
                return f"the weight of {part} is {weight!r}; it must be a number of at least 0"
        if not 0 < self.margin < math.inf:
            return f"the margin is {self.margin}; it must be a number above 0"
        if not 0 <= self.execution_fails <= self.execution_wrong <= self.execution_right < math.inf:
            values = f"{self.execution_fails} / {self.execution_wrong} / {self.execution_right}"
            return f"execution pays {values} for fails / wrong / right; these must rise from at least 0"
        if not 0 <= self.atomic_right < math.inf:
            return f"the atomic value of a right answer is {self.atomic_right}; it must be a number of at least 0"
        if not 0 <= self.counting.extra <= 1:
            return f"an extra operation counts {self.counting.extra}; it must lie between 0 and 1"
        if self.counting.changed is not None and not 0 <= self.counting.changed <= 1:
            return f"a changed operation earns {self.counting.changed}; it must lie between 0 and 1, or be None"
        return ""

    def _arithmetic(self, gap: float) -> str:
        right, wrong = _sum(self.least_right_pay()), _sum(self.most_wrong_pay())
        return (
            f"recipe {self.name!r}: a wrong answer comes too close to a right one. A right one is paid at least {right}; "
            f"a wrong one up to {wrong}. Between them lie {gap:.4g}, and the margin is {self.margin:.4g}. "
            "Raise the weight of execution, lower that of another part, or state a smaller margin"
        )


def _sum(pay: Mapping[str, float]) -> str:
    terms = " + ".join(f"{value:.4g} ({part})" for part, value in pay.items())
    return f"{terms} = {sum(pay.values()):.4g}"


_MOST = {"format": 1.0, "bigram": 1.0, "result": 1.0, "memory": 1.0}
"""The most that a part pays whose range no recipe changes."""
_PAPER_SHAPING = Shaping(lam=0.05, beta=0.79, gamma=0.20)
_FINER = Recipe(
    "finer",
    ("format", "execution", "atomic", "memory"),
    {"format": 0.05, "execution": 0.5, "atomic": 0.35, "memory": 0.1},
    gate=False,
    margin=0.4,
    execution_wrong=0.1,
    atomic_right=1.0,
)

RECIPES: dict[str, Recipe] = {
    "sparse": Recipe("sparse", ("execution",), {"execution": 1.0}, gate=False, margin=1.0),
    "paper": Recipe(
        "paper",
        ("format", "execution", "atomic", "memory"),
        {"format": 1.0, "execution": 1.0, "atomic": 1.0, "memory": 1.0},
        gate=True,
        margin=1 - _PAPER_SHAPING(1.0),
        execution_wrong=1.0,
        execution_right=2.0,
        shaping=_PAPER_SHAPING,
        atomic_needs_run=True,
    ),
    "bigram": Recipe(
        "bigram",
        ("format", "execution", "bigram"),
        {"format": 0.05, "execution": 0.5, "bigram": 0.45},
        gate=False,
        margin=0.4,
        execution_wrong=0.1,
    ),
    "result": Recipe(
        "result",
        ("format", "execution", "result"),
        {"format": 0.05, "execution": 0.5, "result": 0.45},
        gate=False,
        margin=0.4,
        execution_wrong=0.1,
    ),
    "finer": _FINER,
    "finer-near": replace(_FINER, name="finer-near", execution_wrong=0.02, counting=Counting(extra=0.5, changed=0.5)),
}
"""The recipes by name; ``docs/rewards.md`` gives each formula with its source."""


def get_recipe(name: str) -> Recipe:
    """The recipe of that name, or the one that FILE.py:NAME gives. RecipeError lists the names there are; RewardError says what is
    wrong with the file.
    """
    if is_place(name):
        return recipe_from(load_object(name, "recipe or reward function"), name.rpartition(":")[2], name)
    if name not in RECIPES:
        raise RecipeError(unknown("recipe", name, RECIPES) + ", or FILE.py:NAME for one of your own")
    return RECIPES[name]


def recipe_from(found: Any, name: str = "", source: str = "") -> Recipe:
    """A recipe of what a person gives: a Recipe, a reward function, or several of them, which are added up as TRL does.

    RecipeError where it is none of these, or has the name of a built-in recipe, which a run could not tell it from.

    >>> def brevity(prompts, completions, **columns):
    ...     return [1 / len(completion.split()) for completion in completions]
    >>> recipe_from(brevity).parts
    ('brevity',)
    """
    place = source or name or repr(found)
    if not isinstance(found, Recipe):
        found = _of_functions([found] if callable(found) else found, name, place)
    found = replace(found, name=name or found.name, source=source)
    if found.name in RECIPES and found != RECIPES[found.name]:
        raise RecipeError(f"{place}: a recipe of your own needs a name of its own, and {found.name!r} is one that there is; rename it")
    return found


def _of_functions(functions: Any, name: str, place: str) -> Recipe:
    """The sum of some reward functions."""
    functions = list(functions) if isinstance(functions, Iterable) and not isinstance(functions, (str, bytes)) else []
    if not functions or not all(callable(function) for function in functions):
        raise RecipeError(f"{place} is neither a recipe, nor a reward function with TRL's signature, nor a list of such functions")
    rewards = [as_own(function) for function in functions]
    names = [reward.name for reward in rewards]
    if len(set(names)) < len(names):
        raise RecipeError(f"{place}: two reward functions have the name {max(names, key=names.count)!r}, which their parts would share; rename one")
    own = dict(zip(names, rewards, strict=True))
    return Recipe(name or "+".join(names), tuple(own), dict.fromkeys(own, 1.0), gate=False, margin=1.0, own=own)
