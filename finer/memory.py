"""The memory of verified reasoning: encode, gate, retrieve, snapshot (FINER-SQL, arXiv 2605.03465, section on memory).

A thought is worth the cosine between its vector and the centroid of its ``k`` nearest traces of *other* databases, so
that copying a neighbour's table names cannot pay. The search is exact and gives the same number on every call: a fast
product picks candidates, a second one in double precision ranks them.

The memory only ever grows. A snapshot is therefore a number, the count of visible traces, and any past score can be
computed again with it. Proposals of a step wait unseen until ``commit``, so that all rollouts of one step are scored
against the same snapshot.

Not covered: forgetting, and whether a trace's SQL is right (who proposes a trace has checked that). Similarity says
that a thought sounds like a good one, not that it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np

from finer.encoder import Encoder, default_encoder
from finer.errors import FinerError
from finer.records import MemoryMatch, Neighbour, Trace
from finer.schema import Schema

NEIGHBOURS_KEPT = 5
"""Neighbours that a match names; the centroid is that of all k."""
_SPARE = 16
"""Candidates beyond k that are ranked again exactly: rounding in the fast product cannot push a true neighbour out."""


class MemoryFileError(FinerError):
    """A memory folder that is missing, damaged, or was written with another encoder."""


@dataclass(frozen=True)
class Gate:
    """What a proposed thought must be; the defaults follow the paper, but for short thoughts.

    The paper asks for 30 to 2,000 tokens, two column mentions at a density of 0.05, 60 % unique bigrams and a cosine
    below 0.9 to all that is there.
    """

    fewest_words: int = 8
    most_words: int = 2000
    fewest_mentions: int = 2
    """Different table and column names of the schema that the thought names as whole words."""
    unique_bigrams: float = 0.6
    """Least share of different pairs among its pairs of neighbouring words; a loop falls below it."""
    highest_similarity: float = 0.9
    """A thought with a cosine this high to a trace that is there (or waits) is refused."""

    def refusal_of_text(self, thought: str, schema: Schema) -> str:
        """'' where the text passes, else the reason."""
        words = thought.split()
        if not self.fewest_words <= len(words) <= self.most_words:
            return f"{len(words)} words, and the gate takes {self.fewest_words} to {self.most_words}"
        mentions = schema_mentions(thought, schema)
        if len(mentions) < self.fewest_mentions:
            return (
                f"names {len(mentions)} tables and columns of the schema, and the gate asks for {self.fewest_mentions}"
            )
        share = unique_bigram_share(words)
        if share < self.unique_bigrams:
            return (
                f"repeats itself: {share:.0%} of its word pairs differ, and the gate asks for {self.unique_bigrams:.0%}"
            )
        return ""


def schema_mentions(text: str, schema: Schema) -> tuple[str, ...]:
    """The different table and column names that the text names as whole words, in any case, '_' read as a space."""
    words = f" {_plain(text)} "
    names = dict.fromkeys(_plain(name) for name in _names(schema))
    return tuple(name for name in names if name and f" {name} " in words)


def _names(schema: Schema) -> Iterable[str]:
    for table in schema.tables:
        yield table.name
        yield from (column.name for column in table.columns)


def _plain(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in text.lower()).split())


def unique_bigram_share(words: Sequence[str]) -> float:
    """Different pairs of neighbouring words over all of them, 0 to 1; 1 for fewer than two words.

    >>> unique_bigram_share("a b a b a".split())
    0.5
    """
    pairs = list(pairwise(words))
    return len(set(pairs)) / len(pairs) if pairs else 1.0


class Memory:
    """Verified traces with their vectors; ``k`` nearest ones of other databases judge a thought.

    A trace's id is its place in the memory: it is given on the way in, whatever id the trace came with.
    """

    def __init__(self, encoder: Encoder | None = None, k: int = 20, gate: Gate = Gate()) -> None:
        if k < 1:
            raise ValueError(f"k is {k}; a memory needs at least one neighbour")
        self.encoder = default_encoder() if encoder is None else encoder
        self.k = k
        self.gate = gate
        self._traces: list[Trace] = []
        self._vectors = np.zeros((0, self.encoder.dimensions), dtype=np.float32)
        self._visible = 0

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The visible traces; a trace's id is its index here."""
        return tuple(self._traces[: self._visible])

    @property
    def snapshot(self) -> int:
        """The number of visible traces."""
        return self._visible

    @property
    def waiting(self) -> tuple[Trace, ...]:
        """Accepted proposals that the next ``commit`` makes visible."""
        return tuple(self._traces[self._visible :])

    def add(self, traces: Iterable[Trace]) -> int:
        """Take verified traces as they are, without the gate, visible at once; the new snapshot.

        Raises ValueError for a trace without a thought, and while proposals wait (commit them first).
        """
        if self.waiting:
            raise ValueError(f"{len(self.waiting)} proposals wait; call commit() before add()")
        traces = list(traces)
        for trace in traces:
            if not trace.thought.strip():
                raise ValueError(f"trace {trace.trace_id} ({trace.db_id}) has no thought; leave it out")
        self._append(traces, self._encode([trace.thought for trace in traces]))
        return self.commit()

    def propose(self, trace: Trace, schema: Schema) -> str:
        """Offer a trace whose SQL is right: '' where the gate takes it (visible after ``commit``), else the reason."""
        refusal = self.gate.refusal_of_text(trace.thought, schema)
        if refusal:
            return refusal
        vector = self._encode([trace.thought])
        refusal = self._duplicate(vector[0])
        if not refusal:
            self._append([trace], vector)
        return refusal

    def commit(self) -> int:
        """Make the accepted proposals visible; the new snapshot."""
        self._visible = len(self._traces)
        return self._visible

    def match(self, thoughts: Sequence[str], db_id: str, snapshot: int | None = None) -> list[MemoryMatch]:
        """How close each thought is to the traces of other databases, in order.

        ``snapshot`` takes only the first so many traces, as a past score saw them; None takes all visible ones.
        """
        count = self._count(snapshot)
        candidates = np.flatnonzero([trace.db_id != db_id for trace in self._traces[:count]])
        if not len(candidates):
            return [_unscored(thought, count, "the memory holds no trace of another database") for thought in thoughts]
        different = list(dict.fromkeys(thought for thought in thoughts if thought.strip()))
        matches = dict(zip(different, self._match(self._encode(different), candidates, count)))
        return [matches[thought] if thought in matches else _unscored(thought, count, "") for thought in thoughts]

    def _match(self, queries: np.ndarray, candidates: np.ndarray, count: int) -> list[MemoryMatch]:
        scores = (queries @ self._vectors[:count].T)[:, candidates]
        taken = min(self.k + _SPARE, len(candidates))
        best = np.argpartition(-scores, taken - 1, axis=1)[:, :taken]
        return [self._centroid_match(query, np.sort(candidates[near]), count) for query, near in zip(queries, best)]

    def _centroid_match(self, query: np.ndarray, candidates: np.ndarray, count: int) -> MemoryMatch:
        """Rank the candidates exactly, ties by age, and compare the query with the centroid of the first k."""
        query = query.astype(np.float64)
        vectors = self._vectors[candidates].astype(np.float64)
        cosines = (vectors * query).sum(axis=1)
        order = np.argsort(-cosines, kind="stable")[: self.k]
        centroid = vectors[order].mean(axis=0)
        length = float(np.sqrt((query * query).sum() * (centroid * centroid).sum()))
        if length == 0:
            return MemoryMatch(None, (), count, "the encoder knows no word of the thought")
        similarity = float((query * centroid).sum()) / length
        nearest = order[:NEIGHBOURS_KEPT]
        neighbours = tuple(self._neighbour(int(candidates[place]), float(cosines[place])) for place in nearest)
        return MemoryMatch(min(max(similarity, 0.0), 1.0), neighbours, count)

    def _neighbour(self, place: int, cosine: float) -> Neighbour:
        trace = self._traces[place]
        similarity = min(max(cosine, -1.0), 1.0)
        return Neighbour(trace.trace_id, trace.db_id, trace.thought, similarity, trace.source, trace.step)

    def _count(self, snapshot: int | None) -> int:
        if snapshot is None:
            return self._visible
        if not 0 <= snapshot <= self._visible:
            raise ValueError(f"snapshot {snapshot} is not one of this memory's: it has {self._visible} visible traces")
        return snapshot

    def _encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.asarray(self.encoder.encode(texts), dtype=np.float32).reshape(len(texts), self.encoder.dimensions)

    def _duplicate(self, vector: np.ndarray) -> str:
        if not self._traces:
            return ""
        cosines = self._vectors[: len(self._traces)] @ vector
        nearest = int(np.argmax(cosines))
        if cosines[nearest] < self.gate.highest_similarity:
            return ""
        limit = self.gate.highest_similarity
        return f"too close to trace {nearest}: cosine {cosines[nearest]:.3f}, and the gate takes less than {limit}"

    def _append(self, traces: Sequence[Trace], vectors: np.ndarray) -> None:
        start, end = len(self._traces), len(self._traces) + len(traces)
        if end > len(self._vectors):
            room = np.zeros((max(end, 2 * len(self._vectors)), self.encoder.dimensions), dtype=np.float32)
            room[:start] = self._vectors[:start]
            self._vectors = room
        self._vectors[start:end] = vectors
        self._traces.extend(replace(trace, trace_id=start + place) for place, trace in enumerate(traces))

    def save(self, path: str | Path) -> None:
        """Write the visible traces to a folder; proposals that wait are not part of it.

        ``memory.json`` is replaced last and says how many rows count. As a memory only grows, a crash in between
        leaves the folder as it was before, with some rows too many that ``load`` passes over.
        """
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        vectors = self._vectors[: self._visible]
        lines = [json.dumps(asdict(trace)) + "\n" for trace in self.traces]
        head = {"encoder": self.encoder.name, "k": self.k, "traces": self._visible, "sha256": _digest(lines, vectors)}
        _replace(folder / "vectors.npy", lambda file: np.save(file, vectors))
        _replace(folder / "traces.jsonl", lambda file: file.writelines(line.encode("utf-8") for line in lines))
        _replace(folder / "memory.json", lambda file: file.write(json.dumps(head, indent=1).encode("utf-8")))

    @classmethod
    def load(cls, path: str | Path, encoder: Encoder | None = None, gate: Gate = Gate()) -> Memory:
        """A saved memory, bit for bit; nothing is encoded again. Raises MemoryFileError with what to do."""
        folder = Path(path)
        encoder = default_encoder() if encoder is None else encoder
        head, lines, vectors = _read(folder)
        if head["encoder"] != encoder.name:
            raise MemoryFileError(
                f"{folder} was encoded by {head['encoder']!r}, this memory encodes by {encoder.name!r}; "
                "load it with that encoder, or add its traces to a new memory"
            )
        memory = cls(encoder, head["k"], gate)
        memory._append([Trace(**json.loads(line)) for line in lines], vectors)
        memory.commit()
        return memory


def _unscored(thought: str, count: int, reason: str) -> MemoryMatch:
    return MemoryMatch(None, (), count, reason if thought.strip() else "the completion has no thought")


def _digest(lines: Sequence[str], vectors: np.ndarray) -> str:
    digest = sha256("".join(lines).encode("utf-8"))
    digest.update(np.ascontiguousarray(vectors).tobytes())
    return digest.hexdigest()


def _replace(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Write beside the file, then put it in its place in one move: a reader sees the old bytes or the new ones."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _read(folder: Path) -> tuple[dict[str, Any], list[str], np.ndarray]:
    """Head, lines and vectors of a saved memory, checked against the digest."""
    try:
        head = json.loads((folder / "memory.json").read_text("utf-8"))
        head = {key: head[key] for key in ("encoder", "k", "traces", "sha256")}
        lines = (folder / "traces.jsonl").read_text("utf-8").splitlines(keepends=True)[: head["traces"]]
        vectors = np.load(folder / "vectors.npy", allow_pickle=False)[: head["traces"]]
    except FileNotFoundError as error:
        raise MemoryFileError(
            f"{error.filename} is missing; a memory folder has three files: save() writes them"
        ) from None
    except (ValueError, KeyError, TypeError, EOFError, OSError) as error:
        raise MemoryFileError(f"{folder} cannot be read ({error}); take the copy of an earlier checkpoint") from None
    if _digest(lines, vectors) != head["sha256"]:
        raise MemoryFileError(
            f"{folder} is damaged: its files do not belong together; take an earlier checkpoint's copy"
        )
    return head, lines, vectors
