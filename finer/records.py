"""The records that flow through everything: frozen, plain, and free of behaviour.

A record says what happened and why; it never says how to compute it. Two conventions hold everywhere:
``None`` means "not scored" (never 0), and totals are properties derived from parts (never stored beside them).

Not covered here: loading (``datasets``), scoring (``rewards``), storage (``runs``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

EXECUTION_STATUSES = ("ok", "empty", "error", "timeout", "too_large", "refused", "gold_failed")
"""Every status an execution or a verdict can carry; see ``docs/rewards.md``."""
ANSWER_STATUSES = ("correct", "wrong", *EXECUTION_STATUSES)
"""Every status of an answer that was judged."""


@dataclass(frozen=True)
class Question:
    """One question over one database, with the SQL that answers it."""

    index: int
    """Position in its dataset's file; predictions are matched by it."""
    db_id: str
    text: str
    """The question in English, as a person asked it."""
    gold: tuple[str, ...]
    """Right answers; the first is the reference, the others are further right references."""
    evidence: str = ""
    """A line of outside knowledge, as in BIRD ('premium means price > 500'); often empty."""
    difficulty: str = ""
    """easy, medium, hard or extra by Spider's rule on the syntax tree."""
    split: str = ""
    tables: tuple[str, ...] = ()
    """Tables to show in the prompt, in order; empty means all."""
    meant_empty: bool = False
    """True where the gold is meant to return no row on the main instance."""
    kind: str = ""
    """What sort of question it is, where the dataset says so ('hand': written by hand)."""
    references: tuple[str, ...] = ()
    """Further right queries, found by sampling: the text-based parts compare with them, and they judge nothing."""


@dataclass(frozen=True)
class Execution:
    """What one statement did on one database instance."""

    status: str
    """ok, empty, error, timeout, too_large or refused."""
    rows: tuple[tuple[Any, ...], ...] = ()
    """Positional rows with SQLite's native types."""
    columns: tuple[str, ...] = ()
    error: str = ""
    """SQLite's message, or the reason of a refusal or a bound."""
    seconds: float = 0.0

    @property
    def ran(self) -> bool:
        """True where the statement ran to its end (also with no row)."""
        return self.status in ("ok", "empty")


@dataclass(frozen=True)
class Verdict:
    """Is a prediction right, over every instance of its database?"""

    correct: bool | None
    """None: not judged, because the gold failed."""
    status: str
    """The prediction's status on the first instance where it failed or differed, else on the main one."""
    reason: str = ""
    """One sentence a person can read: 'row (3, 'Ada') is missing on instance 2'."""
    instance: int = 0
    """The instance that decided, 0 being the main one."""
    prediction: Execution | None = None
    """The prediction's execution on that instance."""
    gold: Execution | None = None
    """The gold's execution on that instance."""


@dataclass(frozen=True)
class Atom:
    """One operation of a query in canonical form."""

    clause: str
    """FROM, JOIN, SELECT, DISTINCT, WHERE, GROUP BY, HAVING, ORDER BY, LIMIT, OFFSET, SET, WINDOW or CTE."""
    text: str
    """Canonical text: real table and column names, sorted operands, literals with their type."""
    scope: str = ""
    """Where it stands: '' for the outermost query, else 'subquery', 'union.left' and the like."""
    span: tuple[int, int] | None = None
    """Characters [start, end) of the source text it was read from, where known."""


@dataclass(frozen=True)
class Counting:
    """What an operation that is extra, or changed, counts in an overlap; by default as in a Jaccard index."""

    extra: float = 1.0
    """What an extra operation weighs beside one that is missing, 0 to 1."""
    changed: float | None = None
    """What a changed operation earns, 0 to 1, where it counts as one; None: it counts as one that is missing and one that is extra."""


JACCARD = Counting()


@dataclass(frozen=True)
class AtomicOverlap:
    """How far the operations of a prediction and of a gold query agree."""

    overlap: float | None
    """0 to 1, over multisets of atoms, as ``counting`` says; None where one side could not be read."""
    matched: tuple[tuple[Atom, Atom], ...] = ()
    """Pairs (prediction's atom, gold's atom)."""
    missing: tuple[Atom, ...] = ()
    """Gold's atoms that the prediction lacks."""
    extra: tuple[Atom, ...] = ()
    """The prediction's atoms that gold lacks."""
    reason: str = ""
    """Why the overlap is None."""
    gold: str = ""
    """The gold query that matched best, of several."""
    changed: tuple[tuple[Atom, Atom], ...] = ()
    """Near matches (prediction's atom, gold's atom): an operation with another constant or operator. Both atoms are
    listed in ``extra`` and ``missing`` as well."""
    counting: Counting = JACCARD


@dataclass(frozen=True)
class Trace:
    """A verified piece of reasoning in the memory."""

    trace_id: int
    db_id: str
    question: str
    thought: str
    sql: str
    source: str
    """'starter' for the shipped traces, 'policy' for those inserted during training."""
    step: int = 0
    """The training step after which it was inserted; 0 for shipped ones."""


@dataclass(frozen=True)
class Neighbour:
    """One trace near a thought."""

    trace_id: int
    db_id: str
    thought: str
    similarity: float
    """Cosine, -1 to 1."""
    source: str
    step: int


@dataclass(frozen=True)
class MemoryMatch:
    """How close a thought is to verified traces."""

    similarity: float | None
    """Cosine to the centroid of the neighbours, clipped to 0..1; None: not scored."""
    neighbours: tuple[Neighbour, ...] = ()
    snapshot: int = 0
    """Number of traces in the snapshot it was scored against; traces with a smaller id took part."""
    reason: str = ""


@dataclass(frozen=True)
class RewardPart:
    """One part of a reward: a value, what it weighs, and the evidence for it."""

    name: str
    value: float | None
    """None: not scored; it then adds nothing to the total."""
    weight: float
    evidence: dict[str, Any] = field(default_factory=dict)
    """JSON-ready; always holds 'summary', one sentence that a person can read."""

    @property
    def contribution(self) -> float:
        """Weight times value; 0 where the part was not scored."""
        return 0.0 if self.value is None else self.weight * self.value


@dataclass(frozen=True)
class RewardBreakdown:
    """What a completion was paid, part by part."""

    recipe: str
    status: str
    """'correct', 'wrong', or the execution status of a prediction that did not run."""
    parts: tuple[RewardPart, ...]
    thought: str = ""
    sql: str = ""

    @property
    def total(self) -> float:
        """The sum of the parts' contributions."""
        return sum(part.contribution for part in self.parts)

    def part(self, name: str) -> RewardPart:
        """The part of that name; KeyError where the recipe has none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(f"recipe {self.recipe!r} has no part {name!r}; it has {[p.name for p in self.parts]}")


@dataclass(frozen=True)
class Rollout:
    """One completion of one question at one step, with what it was paid."""

    rollout_id: int
    step: int
    group_id: int
    position: int
    """Place in its group, from 0."""
    completion: str
    breakdown: RewardBreakdown
    advantage: float | None
    length_tokens: int = 0

    @property
    def sql(self) -> str:
        return self.breakdown.sql


@dataclass(frozen=True)
class Group:
    """The rollouts of one question at one step."""

    group_id: int
    step: int
    question: Question
    prompt: str
    rollouts: tuple[Rollout, ...]
