"""Further instances of a database that tell right answers from mistaken ones, where a person has one file and some golds.

Each gold is mistaken on purpose, in every way that an edit of ``probe`` fits it. Of many perturbed copies of the file (``fuzz``) those few
are kept on which most of the mistakes that look right on the file give other rows, as test suites of small databases do (Zhong et al.,
EMNLP 2020). A copy on which some gold fails, or leaves its result to chance, is not taken: a right answer must stay right.

Not covered: DuckDB files, and mistakes that no edit makes. A variant that no copy tells apart may mean the same as its gold.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

from finer import fuzz
from finer.datasets import Database
from finer.fuzz import Instance, Source
from finer.judge import Judge
from finer.probe.cases import mistakes
from finer.records import Question
from finer.sandbox import Sandbox
from finer.settled import settled

CANDIDATES = 96
"""Copies tried: every second one made for all golds together, the others for one gold each that has mistakes to tell apart."""
Progress = Callable[[int, int], None]
Variant = tuple[Question, str]


@dataclass(frozen=True)
class Telltale:
    """Copies that tell, and how much they tell."""

    contents: tuple[bytes, ...]
    """SQLite files, the most telling one first."""
    variants: int
    """Mistaken variants of the golds that run on the file."""
    told: tuple[int, ...]
    """Of these, told apart by the file alone, then with one copy, with two …"""


@dataclass(frozen=True)
class _Copy:
    instance: Instance
    path: Path
    apart: frozenset[Variant]
    """The variants that look right on the file and differ here."""


def telltale(database: Database, questions: Sequence[Question], count: int = 3, seed: int = 0, on_progress: Progress | None = None) -> Telltale:
    """Up to ``count`` copies; fewer where no copy keeps every gold settled. The golds must run on the file."""
    rng = random.Random(seed)
    variants = [(question, text) for question in questions for text in mistakes(question.gold[0], database.schema, rng)]
    source = fuzz.read_source(database.path)
    with Sandbox() as sandbox, tempfile.TemporaryDirectory(prefix="finer-telltale-") as scratch:
        verdicts = Judge({database.db_id: replace(database, instances=database.instances[:1])}, sandbox).judge_many(variants)
        ran = [(variant, verdict) for variant, verdict in zip(variants, verdicts, strict=True) if verdict.correct is not None and verdict.status in ("ok", "empty")]
        lucky = [variant for variant, verdict in ran if verdict.correct]
        copies = []
        for place, instance in enumerate(islice(_copies(source, variants, lucky, seed), CANDIDATES)):
            path = Path(scratch) / f"{place}.sqlite"
            path.write_bytes(instance.content)
            copies.append(_Copy(instance, path, _apart(replace(database, instances=(path,)), lucky, sandbox)))
            if on_progress:
                on_progress(place + 1, CANDIDATES)
        chosen = list(islice(_most_telling(copies, source, questions, sandbox), count))
    told = [len(ran) - len(lucky)]
    for place in range(1, len(chosen) + 1):
        told.append(told[0] + len(frozenset().union(*(copy.apart for copy in chosen[:place]))))
    return Telltale(tuple(copy.instance.content for copy in chosen), len(ran), tuple(told))


def _copies(source: Source, variants: Sequence[Variant], lucky: Sequence[Variant], seed: int) -> Iterator[Instance]:
    """Copies without end: for all golds, and in turn for each that a mistake is right of by luck."""
    grounds = [fuzz.ground(source, [question.gold[0] for question, _ in variants], [text for _, text in variants])]
    for question in dict.fromkeys(question for question, _ in lucky):
        grounds.append(fuzz.ground(source, question.gold, [text for other, text in lucky if other == question]))
    together, *apart = [fuzz.instances(ground, f"{seed} {place}") for place, ground in enumerate(grounds)]
    for one in cycle(apart or [together]):
        yield next(together)
        yield next(one)


def _apart(database: Database, variants: Sequence[Variant], sandbox: Sandbox) -> frozenset[Variant]:
    verdicts = Judge({database.db_id: database}, sandbox).judge_many(variants)
    return frozenset(variant for variant, verdict in zip(variants, verdicts, strict=True) if verdict.correct is False)


def _most_telling(copies: Sequence[_Copy], source: Source, questions: Sequence[Question], sandbox: Sandbox) -> Iterator[_Copy]:
    """The copies, each the one that tells most apart which those before it do not; unsettled ones are passed over."""
    left, told = list(copies), frozenset[Variant]()
    while left:
        best = max(left, key=lambda copy: (len(copy.apart - told), len(copy.apart)))
        left.remove(best)
        if _is_settled(best, source, questions, sandbox):
            told |= best.apart
            yield best


def _is_settled(copy: _Copy, source: Source, questions: Sequence[Question], sandbox: Sandbox) -> bool:
    """Does every gold run on the copy, with rows and an order that nothing leaves to chance?"""
    golds = [gold for question in questions for gold in question.gold]
    results = sandbox.execute_many((copy.path, gold) for gold in golds)
    return all(result.ran for result in results) and all(
        settled(source, copy.instance.rows, gold, result) == "order" for gold, result in zip(golds, results, strict=True)
    )
