"""What the memory's exact search, its opening and its encoder cost; and ChromaDB beside it.

    python benchmarks/memory_search.py [--traces N] [--peer-python PATH]

1. Top 20 outside the own database for a batch of 64, N traces (100,000) of 384 numbers, against the bare matrix product
   of the same numbers in the same process; every answer is compared with an exact search in double precision.
2. Opening a store of N traces from its folder.
3. Encoding 64 thoughts of 120 words with the default encoder.
4. The same question to ChromaDB, 20,000 traces. It is not a dependency: `python -m venv peer && peer/bin/pip install
   chromadb numpy`, then --peer-python peer/bin/python. Without it the row is left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from finer.datasets import load_dataset
from finer.encoder import WordLlamaEncoder
from finer.memory import Memory, Query
from finer.memory.search import nearest
from finer.records import Trace

WIDTH, BATCH, TOP, DATABASES, PEER_TRACES, ROUNDS = 384, 64, 20, 20, 20_000, 9


class Drawn:
    """An encoder whose vectors were drawn before: text 'q3' is row 3 of the queries, 't3' row 3 of the traces."""

    name, dimensions = "drawn-384", WIDTH

    def __init__(self, traces: np.ndarray, queries: np.ndarray) -> None:
        self.rows = {"t": traces, "q": queries}

    def encode(self, texts):
        return np.stack([self.rows[text[0]][int(text[1:])] for text in texts])


def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around 200 centres, as thoughts gather around few kinds of question."""
    draw = np.random.default_rng(0)
    centres = draw.standard_normal((200, WIDTH))
    rows = centres[draw.integers(0, 200, count + BATCH)] + draw.standard_normal((count + BATCH, WIDTH))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return rows[:count], rows[count:]


def best_of(function: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Least seconds of some rounds, after one that does not count."""
    function()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def hidden_rows(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Query i asks database i % 20, trace i is of database i % 20."""
    return [(np.arange(own, BATCH, DATABASES), np.arange(own, count, DATABASES)) for own in range(DATABASES)]


def differing(traces: np.ndarray, queries: np.ndarray, found: list) -> int:
    """Queries whose neighbours are not those of an exact search in double precision."""
    wide, wrong = traces.astype(np.float64), 0
    databases = np.arange(len(traces)) % DATABASES
    for place, (query, (places, _)) in enumerate(zip(queries.astype(np.float64), found)):
        cosines = wide @ query
        cosines[databases == place % DATABASES] = -np.inf
        wrong += not np.array_equal(np.argsort(-cosines, kind="stable")[:TOP], places)
    return wrong


def searching(traces: np.ndarray, queries: np.ndarray) -> None:
    hidden = hidden_rows(len(traces))
    # In turns, so that whatever else the machine does falls on both.
    pairs = [(best_of(lambda: queries @ traces.T, 1), best_of(lambda: nearest(queries, [traces], TOP, hidden), 1)) for _ in range(ROUNDS)]
    product, search = (min(column) for column in zip(*pairs))
    wrong = differing(traces, queries, nearest(queries, [traces], TOP, hidden))
    print(f"search     {len(traces)} traces, {BATCH} thoughts: product {1000 * product:.0f} ms, search {1000 * search:.0f} ms, "
          f"ratio {search / product:.2f} (median of pairs {np.median([b / a for a, b in pairs]):.2f}; target 2.5); "
          f"{wrong} of {BATCH} differ from exact search")


def opening(traces: np.ndarray, queries: np.ndarray) -> None:
    encoder = Drawn(traces, queries)
    with tempfile.TemporaryDirectory() as folder:
        memory = Memory.open(Path(folder) / "memory", encoder)
        thought = "t{0}"
        text = " of a question with some words in it" * 8
        rows = (Trace(-1, f"db{i % DATABASES}", "which ones?" + text, thought.format(i), "SELECT 1", "policy", 1 + i // 100) for i in range(len(traces)))
        began = time.perf_counter()
        memory.add(rows)
        writing = time.perf_counter() - began
        seconds = best_of(lambda: Memory.open(folder + "/memory", encoder), 3)
        memory = Memory.open(folder + "/memory", encoder)
        asked = [Query(f"q{i}", f"db{i % DATABASES}") for i in range(BATCH)]
        first = time.perf_counter()
        memory.match_many(asked)
        first = time.perf_counter() - first
        print(f"store      written in {writing:.1f} s; opened in {seconds:.2f} s (target 1); first {BATCH} matches {first:.2f} s, "
              f"then {1000 * best_of(lambda: memory.match_many(asked), 5):.0f} ms")


def encoding() -> None:
    draw = np.random.default_rng(0)
    words = sorted({word for trace in load_dataset("starter").traces for word in trace.thought.split()})
    encoder = WordLlamaEncoder()
    for label in ("model loaded on the way", "model loaded"):
        texts = [" ".join(draw.choice(words, 120)) for _ in range(BATCH)]
        began = time.perf_counter()
        encoder.encode(texts)
        print(f"encoding   {BATCH} thoughts of 120 words, {label}: {time.perf_counter() - began:.3f} s (target 0.5)")


PEER = """
import json, sys, time, numpy, chromadb
traces, queries = numpy.load(sys.argv[1]), numpy.load(sys.argv[2])
client = chromadb.EphemeralClient(chromadb.config.Settings(anonymized_telemetry=False))
bank = client.create_collection("traces", embedding_function=None, metadata={"hnsw:space": "cosine"})
for at in range(0, len(traces), 5000):
    rows = traces[at:at + 5000]
    bank.add(ids=[str(at + i) for i in range(len(rows))], embeddings=rows, metadatas=[{"db": (at + i) % 20} for i in range(len(rows))])
def ask():
    found = [None] * len(queries)
    for own in range(20):
        mine = list(range(own, len(queries), 20))
        answer = bank.query(query_embeddings=queries[mine], n_results=20, where={"db": {"$ne": own}}, include=["distances"])
        for place, ids in zip(mine, answer["ids"]):
            found[place] = [int(i) for i in ids]
    return found
found = ask()
seconds = []
for _ in range(3):
    began = time.perf_counter(); ask(); seconds.append(time.perf_counter() - began)
began = time.perf_counter()
for _ in range(3): bank.query(query_embeddings=queries, n_results=20, where={"db": {"$ne": 0}}, include=["distances"])
print(json.dumps({"version": chromadb.__version__, "seconds": min(seconds), "one": (time.perf_counter() - began) / 3, "found": found}))
"""


def beside_chroma(traces: np.ndarray, queries: np.ndarray, peer_python: str) -> None:
    hidden = hidden_rows(len(traces))
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/traces.npy", f"{folder}/queries.npy"]
        for path, rows in zip(files, (traces, queries)):
            np.save(path, rows)
        done = subprocess.run([peer_python, "-c", PEER, *files], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"ChromaDB   left out: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'it failed'}; "
              "make it: python -m venv peer && peer/bin/pip install chromadb numpy, then --peer-python peer/bin/python")
        return
    peer = json.loads(done.stdout.strip().splitlines()[-1])
    ours = best_of(lambda: nearest(queries, [traces], TOP, hidden))
    own_none = [(np.arange(BATCH), np.arange(0, len(traces), DATABASES))]
    ours_one = best_of(lambda: nearest(queries, [traces], TOP, own_none))
    exact = nearest(queries, [traces], TOP, hidden)
    recall = np.mean([len(set(places) & set(found)) / TOP for (places, _), found in zip(exact, peer["found"])])
    print(f"ChromaDB   {peer['version']}, {len(traces)} traces, {BATCH} thoughts of 20 databases: {1000 * peer['seconds']:.0f} ms, here {1000 * ours:.0f} ms "
          f"({peer['seconds'] / ours:.0f} times); of one database, one call: {1000 * peer['one']:.0f} ms, here {1000 * ours_one:.0f} ms "
          f"({peer['one'] / ours_one:.0f} times; target 5); its recall of the exact 20 is {recall:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--peer-python", default=sys.executable)
    told = parser.parse_args()
    traces, queries = drawn(told.traces)
    searching(traces, queries)
    opening(traces, queries)
    encoding()
    beside_chroma(traces[:PEER_TRACES], queries, told.peer_python)


if __name__ == "__main__":
    main()
