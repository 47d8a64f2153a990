"""What finer's trainer needs of the GRPO trainer that it is put on, looked for in that one's source: TRL's own, or what Unsloth writes from it.

What is needed is computed from finer's class and modules, so that this list cannot go stale. ``BROKEN`` holds ways to break a source.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from types import FunctionType

from finer import grpo, trainer

INNER, OUTER, CONFIG = "_UnslothGRPOTrainer", "UnslothGRPOTrainer", "UnslothGRPOConfig"
"""Unsloth's names: TRL's class rewritten, the class that takes TRL's place, and its configuration."""
HOOK = "_generate_and_score_completions"
GIVEN = "self._calculate_rewards(inputs, prompts, completions, completion_ids_list)"
"""The call that hands over conversations; Unsloth has another one, of texts, for prompts with images."""
METRICS = ("reward", "reward_std", "frac_reward_zero_std")
"""What curves and alarms are drawn from and only the trainer knows."""

BROKEN = {
    "the rewards are not asked for": ("self._calculate_rewards(", "self._score(", "_calculate_rewards"),
    "the rewards get texts in place of conversations": (GIVEN, GIVEN.replace(" prompts", " prompts_text"), "_calculate_rewards"),
    "the rewards get one thing more": (GIVEN, GIVEN.replace("_list)", "_list, True)"), "_calculate_rewards"),
    "the rewards take other things": ("def _calculate_rewards(self, inputs, ", "def _calculate_rewards(self, ", "_calculate_rewards"),
    "the advantages are not logged": ('self._logs["advantages"].extend(', 'self._logs["gains"].extend(', "advantages"),
    "the advantages are logged in a dead branch": ('self._logs["advantages"].ext', 'if False and self.args: self._logs["advantages"].ext', "advantages"),
    "the weights are fixed": ("self.reward_weights.to(", "self.fixed_weights.to(", "reward_weights"),
    "a method has another name": ("def _generate_single_turn(", "def _generate_once(", "_generate_single_turn"),
    "a step does not begin with answers": (f"self.{HOOK}(", "self._answer(", HOOK),
    "an attribute has another name": ("self.eos_token_ids = ", "self.ends = ", "eos_token_ids"),
    "a metric has another name": ('["frac_reward_zero_std"]', '["silent"]', "frac_reward_zero_std"),
}
"""Name: what is replaced, by what, and the word that a fault has to have."""


class _Live(ast.NodeTransformer):
    """Without branches that never run: both packages switch code off by ``if False``."""

    def visit_If(self, node: ast.If) -> ast.If | list[ast.stmt]:
        first = node.test.values[0] if isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.And) else node.test
        self.generic_visit(node)
        return node.orelse if isinstance(first, ast.Constant) and first.value is False else node


@dataclass(frozen=True)
class Written:
    """The methods of some classes of a source, each class derived from the one before it."""

    source: str
    classes: tuple[str, ...]

    @cached_property
    def all(self) -> list[ast.FunctionDef]:
        nodes = {node.name: node for node in _Live().visit(ast.parse(self.source)).body if isinstance(node, ast.ClassDef)}
        return [node for name in self.classes for node in nodes[name].body if isinstance(node, ast.FunctionDef)]

    @cached_property
    def methods(self) -> dict[str, ast.FunctionDef]:
        return {method.name: method for method in self.all}

    def of_self(self, kind: type[ast.expr_context]) -> set[str]:
        """Attributes of ``self`` that are read (ast.Load) or set (ast.Store)."""
        return {name for method in self.all for name in attributes(method, "self", kind)}


def attributes(tree: ast.AST, owner: str, kind: type[ast.expr_context]) -> set[str]:
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, kind))
    return {node.attr for node in found if isinstance(node.value, ast.Name) and node.value.id == owner}


def calls(tree: ast.AST, *owners: str) -> Iterator[tuple[str, ast.Call]]:
    """Calls ``owner.name(...)`` by their name; an owner is 'self' or 'super()'."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in owners:
            yield node.func.attr, node


def signature_of(method: ast.FunctionDef) -> inspect.Signature:
    kind, empty, given = inspect.Parameter, inspect.Parameter.empty, method.args
    plain = [*given.posonlyargs, *given.args]
    needed = len(plain) - len(given.defaults)
    found = [kind(one.arg, kind.POSITIONAL_OR_KEYWORD, default=empty if place < needed else None) for place, one in enumerate(plain)]
    found += [kind(given.vararg.arg, kind.VAR_POSITIONAL)] if given.vararg else []
    found += [kind(one.arg, kind.KEYWORD_ONLY, default=None if default else empty) for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return inspect.Signature([*found, *([kind(given.kwarg.arg, kind.VAR_KEYWORD)] if given.kwarg else [])])


def fits(call: ast.Call, signature: inspect.Signature) -> bool:
    """Does a method of this signature take this call? What stars unpack may be anything."""
    starred = any(isinstance(value, ast.Starred) for value in call.args) or any(word.arg is None for word in call.keywords)
    given = [value for value in call.args if not isinstance(value, ast.Starred)]
    try:
        (signature.bind_partial if starred else signature.bind)(None, *given, **{word.arg: None for word in call.keywords if word.arg})
    except TypeError:
        return False
    return True


def overridden(ours: type, base: type) -> dict[str, FunctionType]:
    """The methods that ``ours``, made on ``base``, has in the place of others."""
    between = ours.__mro__[: ours.__mro__.index(base)]
    return {name: value for one in reversed(between) for name, value in vars(one).items() if isinstance(value, FunctionType)}


@cache
def read_by_ours(ours: type, base: type) -> tuple[set[str], list[tuple[str, ast.Call]]]:
    """Attributes of a trainer that our classes and the modules around them read; and our calls of its methods."""
    names = {one.__name__ for one in ours.__mro__[: ours.__mro__.index(base)]}
    trees = [ast.parse(inspect.getsource(module)) for module in (trainer, grpo)]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name in names]
    read = {name for node in classes for name in attributes(node, "self", ast.Load)} | {name for tree in trees for name in attributes(tree, "trainer", ast.Load)}
    return {name for name in read if not name.startswith("finer_")}, [one for node in classes for one in calls(node, "self", "super()")]


@cache
def inherited(base: type) -> set[str]:
    """What the classes above TRL's trainer have, or set in an instance."""
    above = [one for one in base.__mro__[1:] if one is not object]
    trees = [ast.parse(inspect.getsource(one)) for one in above]
    return {name for one in above for name in vars(one)} | {name for tree in trees for name in attributes(tree, "self", ast.Store)}


def faults(source: str, ours: type, base: type, classes: tuple[str, ...] = (INNER, OUTER)) -> list[str]:
    """What of ``ours``, which was made on TRL's ``base``, would not work on the trainer that ``classes`` of the source make up; [] where all does."""
    written = Written(source, classes)
    above, read, (ours_reads, our_calls) = inherited(base), written.of_self(ast.Load), read_by_ours(ours, base)
    known = above | written.of_self(ast.Store) | set(written.methods)
    found = []
    for name, method in overridden(ours, base).items():
        if name not in written.methods and name not in above:
            found.append(f"{name} is overridden, and there is no such method")
        if name in vars(base) and name not in read:
            found.append(f"{name} is overridden, and nothing calls it")
        signature = inspect.signature(method)
        found += [f"ours does not take {ast.unparse(call)}" for part in written.all for asked, call in calls(part, "self") if asked == name and not fits(call, signature)]
    found += [f"{name} is read, and there is no such attribute" for name in sorted(ours_reads - known)]
    found += [f"{name} does not take our {ast.unparse(call)}" for name, call in our_calls
              if name in written.methods and not fits(call, signature_of(written.methods[name]))]  # fmt: skip
    logged = {node.slice.value for part in written.all for node in ast.walk(part) if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)}
    found += [f"there is no metric {name}" for name in METRICS if name not in logged]
    return found + hook_faults(written.methods.get(HOOK))


def hook_faults(method: ast.FunctionDef | None) -> list[str]:
    """A step's answers are to be scored, weighed, and their advantages logged, in this order, before our override looks."""
    if method is None:
        return [f"{HOOK} is missing"]
    asked = [call.lineno for name, call in calls(method, "self") if ast.unparse(call) == GIVEN]
    weighed = [node.lineno for node in ast.walk(method) if isinstance(node, ast.Attribute) and ast.unparse(node) == "self.reward_weights"]
    logged = [node.lineno for node in ast.walk(method) if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._logs['advantages'].extend"]
    steps = {f"{GIVEN} is not called": asked, "reward_weights are not read": weighed, "advantages are not logged": logged}
    if not all(steps.values()):
        return [f"in {HOOK} {what}" for what, lines in steps.items() if not lines]
    return [] if asked[0] < weighed[0] < logged[0] else [f"in {HOOK} the rewards, their reward_weights and the advantages come in another order"]


def config_faults(source: str, given: set[str]) -> list[str]:
    """Fields of ours that the configuration in the source does not take."""
    taken = signature_of(Written(source, (CONFIG,)).methods["__init__"]).parameters
    return sorted(given - set(taken))
