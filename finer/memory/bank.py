"""The memory: traces come in through the gate, wait for the end of their step, and are compared with thoughts.

The memory only ever grows. A snapshot is therefore a pair of numbers, the visible traces of each collection (verified,
failed), and any past score can be computed again with it. Proposals of a step wait unseen until ``commit``, so that all
rollouts of one step are scored against the same snapshot.

A memory lives in this process, or in a folder (``Memory.open``) where each commit is on the disk before it is visible.

Not covered: forgetting, and whether a trace's SQL is right (who proposes a trace has checked that). Similarity says
that a thought sounds like a good one, not that it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from finer.encoder import Encoder, default_encoder
from finer.memory.collection import Collection
from finer.memory.gate import DEFAULT_GATE, PAPER_SIMILARITY, Gate, GateCount, Refusal
from finer.memory.retrieve import Query, Retrieval, Snapshot, looked_up, match
from finer.memory.store import KINDS, Batch, Head, MemoryFileError, TraceStore
from finer.records import MemoryMatch, Trace
from finer.schema import Schema

_LONGEST_ROW = 1.001
"""A vector's length may pass 1 by rounding; the search's proof of exactness leans on it."""


class Memory:
    """Verified traces (and failed ones apart from them) with their vectors; the nearest ones judge a thought.

    A trace's id is its place in its collection: it is given on the way in, whatever id the trace came with.
    ``retrieval`` may be exchanged between two calls; it changes no trace.
    """

    def __init__(
        self,
        encoder: Encoder | None = None,
        k: int = 20,
        gate: Gate = DEFAULT_GATE,
        scope: str = "other",
        by: str = "thought",
        contrast: bool = False,
    ) -> None:
        self.retrieval = Retrieval(k, scope, by, contrast)
        self.encoder = default_encoder() if encoder is None else encoder
        self.gate = gate
        self.gate_counts = {kind: GateCount() for kind in KINDS}
        self._collections = {kind: Collection() for kind in KINDS}
        self._store: TraceStore | None = None
        self._head: Head | None = None
        self._writable = True

    @property
    def k(self) -> int:
        """Traces in the centroid."""
        return self.retrieval.k

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The visible verified traces; a trace's id is its index here."""
        return self._visible("verified")

    @property
    def failed_traces(self) -> tuple[Trace, ...]:
        """The visible traces of wrong answers, numbered for themselves."""
        return self._visible("failed")

    def _visible(self, kind: str) -> tuple[Trace, ...]:
        collection = self._collections[kind]
        return tuple(collection.traces(range(collection.visible)))

    @property
    def snapshot(self) -> int:
        """The number of visible verified traces."""
        return self._collections["verified"].visible

    @property
    def waiting(self) -> tuple[Trace, ...]:
        """Accepted proposals of verified traces that the next ``commit`` makes visible."""
        return self._waiting("verified")

    @property
    def failed_waiting(self) -> tuple[Trace, ...]:
        """The same of failed traces."""
        return self._waiting("failed")

    def _waiting(self, kind: str) -> tuple[Trace, ...]:
        collection = self._collections[kind]
        return tuple(collection.traces(range(collection.visible, len(collection))))

    def now(self) -> Snapshot:
        """What a score sees at this moment."""
        return Snapshot(*(self._collections[kind].visible for kind in KINDS))

    def snapshot_at(self, step: int) -> Snapshot:
        """What the rollouts of a training step (1 is the first) were scored against: all that was taken in before it.

        Traces that come in with ``add`` carry step 0; one that was added while a run went on counts from its place.
        """
        if step < 1:
            raise ValueError(f"step is {step}; the first training step is 1")
        return Snapshot(*(self._collections[kind].count_at(step) for kind in KINDS))

    # -- coming in --------------------------------------------------------------------------------------------------

    def add(self, traces: Iterable[Trace], failed: bool = False) -> int:
        """Take traces as they are, without the gate, visible at once; the snapshot after it.

        Raises ValueError for a trace without a thought, and while proposals wait (commit them first).
        """
        waiting = sum(len(self._waiting(kind)) for kind in KINDS)
        if waiting:
            raise ValueError(f"{waiting} proposals wait; call commit() before add()")
        traces = list(traces)
        for trace in traces:
            if not trace.thought.strip():
                raise ValueError(f"trace {trace.trace_id} ({trace.db_id}) has no thought; leave it out")
        self._append("failed" if failed else "verified", traces)
        return self.commit()

    def propose(self, trace: Trace, schema: Schema, failed: bool = False) -> str:
        """Offer a trace: '' where the gate takes it (visible after ``commit``), else the reason.

        A verified one has SQL that is right on every instance; one with wrong SQL goes to the ``failed`` collection.
        """
        refusal = self.offer(trace, schema, failed)
        return refusal.reason if refusal else ""

    def offer(self, trace: Trace, schema: Schema, failed: bool = False) -> Refusal | None:
        """``propose``, with the rule of the gate beside its reason; None where the trace was taken."""
        kind = "failed" if failed else "verified"
        refusal = self.gate.refusal_of_text(trace.thought, schema) or self._duplicate(kind, trace.thought)
        self.gate_counts[kind].note(refusal.kind if refusal else "")
        if refusal is None:
            self._append(kind, [trace])
        return refusal

    def _duplicate(self, kind: str, thought: str) -> Refusal | None:
        collection = self._collections[kind]
        if not len(collection):
            return None
        vector = self._encode([thought])[0]
        cosines = np.concatenate([segment @ vector for segment in collection.segments(len(collection))])
        nearest = int(np.argmax(cosines))
        limit = getattr(self.encoder, "duplicate_similarity", PAPER_SIMILARITY)
        return self.gate.refusal_of_similarity(float(cosines[nearest]), nearest, limit)

    def _append(self, kind: str, traces: Sequence[Trace]) -> None:
        if traces:
            self._collections[kind].append(traces, self._encode([trace.thought for trace in traces]))

    def commit(self) -> int:
        """Make the accepted proposals visible, in a folder after they are on its disk; the new snapshot."""
        if self._store is not None:
            self._write()
        for collection in self._collections.values():
            collection.visible = len(collection)
        return self.snapshot

    def _write(self) -> None:
        batches = {kind: self._batch(kind, self._collections[kind].visible) for kind in KINDS}
        settings = self._settings()
        if not any(len(traces) for traces, _ in batches.values()) and settings == self._head.settings:
            return
        if not self._writable:
            raise MemoryFileError(f"{self._store.folder} was opened to read; open it without read_only")
        head = Head(self._head.encoder, self._head.dimensions, settings, self._head.store_id)
        self._store.append(batches, self.now()._asdict(), head)
        self._head = head

    def _batch(self, kind: str, first: int, end: int | None = None) -> Batch:
        """Traces from a place on, with their vectors."""
        collection = self._collections[kind]
        end = len(collection) if end is None else end
        return collection.traces(range(first, end)), np.concatenate(collection.segments(end))[first:]

    # -- being asked ------------------------------------------------------------------------------------------------

    def match(
        self, thoughts: Sequence[str], db_id: str, snapshot: Snapshot | int | None = None, question: str = ""
    ) -> list[MemoryMatch]:
        """How close each thought is to the traces in the scope of its database, in order.

        ``snapshot`` takes only the first so many traces, as a past score saw them (``snapshot_at(step)``, or the count
        that a match names); None takes all visible ones. ``question`` is what retrieval by question looks for.
        """
        return self.match_many([Query(thought, db_id, question) for thought in thoughts], snapshot)

    def match_many(self, queries: Sequence[Query], snapshot: Snapshot | int | None = None) -> list[MemoryMatch]:
        """The same for (thought, db_id, question) of different databases, in one search."""
        seen = self._seen(snapshot)
        return match(queries, *self._collections.values(), seen, self.retrieval, self._encode)

    def neighbourhood(self, query: Query, snapshot: Snapshot | int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """A thought's vector, and the places of all the verified traces whose centroid it is compared with, nearest first."""
        count = self._seen(snapshot).verified
        if not (count and query.thought.strip()):
            return np.zeros(self.encoder.dimensions), np.zeros(0, dtype=int)
        thoughts, asked, places = looked_up([query], self._collections["verified"], count, self.retrieval, self._encode)
        return thoughts[0], places[0] if asked[0].any() else places[0][:0]

    def vectors(self, snapshot: Snapshot | int | None = None) -> np.ndarray:
        """The visible verified traces' vectors, float32, a row a trace in the order of ``traces``."""
        return np.concatenate(self._collections["verified"].segments(self._seen(snapshot).verified))

    def traces_at(self, places: Sequence[int]) -> list[Trace]:
        """The verified traces of these ids, in order."""
        return self._collections["verified"].traces(places)

    def _seen(self, snapshot: Snapshot | int | None) -> Snapshot:
        now = self.now()
        if snapshot is None:
            return now
        if isinstance(snapshot, int):
            if self.retrieval.contrast:
                raise ValueError(f"a contrastive score needs both counts, and {snapshot} is one; give snapshot_at(step)")
            snapshot = Snapshot(snapshot)
        if not (0 <= snapshot.verified <= now.verified and 0 <= snapshot.failed <= now.failed):
            told = snapshot if snapshot.failed else snapshot.verified
            raise ValueError(f"snapshot {told} is not one of this memory's: it has {now.verified} visible traces")
        return snapshot

    def encode_ahead(self, texts: Iterable[str]) -> None:
        """Encode a step's texts in one batch; the encoder keeps them for the matches and the offers that follow."""
        different = [text for text in dict.fromkeys(texts) if text.strip()]
        if different:
            self.encoder.encode(different)

    def _encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.asarray(self.encoder.encode(texts), dtype=np.float32)
        lengths = np.linalg.norm(rows, axis=1) if rows.ndim == 2 and len(rows) == len(texts) else np.array([np.nan])
        if len(texts) and not lengths.max() <= _LONGEST_ROW:
            raise ValueError(
                f"encoder {self.encoder.name!r} gave shape {rows.shape} with a longest row of {lengths.max():.4g} for "
                f"{len(texts)} texts; the memory needs one row a text, of length 1 or 0"
            )
        return rows

    # -- files ------------------------------------------------------------------------------------------------------

    @classmethod
    def open(
        cls,
        folder: str | Path,
        encoder: Encoder | None = None,
        gate: Gate = DEFAULT_GATE,
        retrieval: Retrieval | None = None,
        read_only: bool = False,
    ) -> Memory:
        """A memory that lives in a folder, made where there is none; every ``commit`` is one transaction on its disk.

        Vectors are mapped and traces are read when they are asked for, so opening takes under a second for 100,000.
        Others may open the folder ``read_only`` meanwhile and ``refresh``. ``retrieval``: None takes the stored one.
        Raises MemoryFileError for a damaged folder, or vectors of another encoder.
        """
        encoder = default_encoder() if encoder is None else encoder
        store = TraceStore(Path(folder))
        if not read_only and not store.exists():
            fresh = cls(encoder)
            fresh.retrieval = retrieval or fresh.retrieval
            TraceStore.create(folder, Head(encoder.name, encoder.dimensions, fresh._settings()))
        memory = cls._of(store, encoder, gate, retrieval)
        memory._store, memory._writable = store, not read_only
        return memory

    @classmethod
    def load(cls, path: str | Path, encoder: Encoder | None = None, gate: Gate = DEFAULT_GATE) -> Memory:
        """A copy, in this process, of a saved memory, bit for bit; nothing is encoded again. All of it is checked.

        Raises MemoryFileError with what to do.
        """
        store = TraceStore(Path(path))
        store.check()
        memory = cls._of(store, default_encoder() if encoder is None else encoder, gate, None)
        for kind in KINDS:
            memory._collections[kind].read_whole()
        return memory

    @classmethod
    def _of(cls, store: TraceStore, encoder: Encoder, gate: Gate, retrieval: Retrieval | None) -> Memory:
        memory = cls(encoder, gate=gate)
        memory._read(store)
        if memory._head.encoder != encoder.name:
            raise MemoryFileError(
                f"{store.folder} was encoded by {memory._head.encoder!r}, this memory encodes by {encoder.name!r}; "
                "load it with that encoder, or add its traces to a new memory"
            )
        memory.retrieval = retrieval or Retrieval(**memory._head.settings["retrieval"])
        return memory

    def _read(self, store: TraceStore) -> None:
        head, places = store.contents()
        self._head = head
        self.gate_counts = {kind: GateCount(**head.settings["gate_counts"][kind]) for kind in KINDS}
        for kind in KINDS:
            vectors = store.vectors(kind, len(places[kind]), head)
            self._collections[kind] = Collection.stored(vectors, places[kind], lambda at, kind=kind: store.traces(kind, at))

    def refresh(self) -> int:
        """See what another process has committed to the folder since; the snapshot after it.

        Raises ValueError while proposals wait, and for a memory that lives in no folder.
        """
        if self._store is None or any(self._waiting(kind) for kind in KINDS):
            raise ValueError("refresh() is for a memory opened from a folder, with no proposal that waits")
        self._read(self._store)
        return self.snapshot

    def save(self, path: str | Path) -> None:
        """Write the visible traces to a folder; proposals that wait are not part of it.

        What is there is replaced in one move: a crash leaves the older memory or this one. A memory that lives in that
        very folder is there already.
        """
        store = TraceStore(Path(path))
        if self._store is not None and store.folder.resolve() == self._store.folder.resolve():
            return
        store.folder.mkdir(parents=True, exist_ok=True)
        batches = {kind: self._batch(kind, 0, self._collections[kind].visible) for kind in KINDS}
        store.write(batches, Head(self.encoder.name, self.encoder.dimensions, self._settings()))

    def _settings(self) -> dict[str, Any]:
        counts = {kind: asdict(count) for kind, count in self.gate_counts.items()}
        return {"retrieval": asdict(self.retrieval), "gate_counts": counts}
