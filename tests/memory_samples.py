"""What the tests of the memory share: an encoder without a model, a small schema, traces."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from finer.memory import Memory
from finer.records import Trace
from finer.schema import Column, Schema, Table


class HashingEncoder:
    """Words to signed buckets: deterministic, without a model, for tests alone."""

    name = "hashing-64"
    dimensions = 64

    def encode(self, texts):
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts):
            for word in text.lower().split():
                code = int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=4).digest(), "big")
                row[code % self.dimensions] += 1 if code & 1024 else -1
            row /= np.linalg.norm(row) or 1
        return rows


def table(name, *columns):
    return Table(name, tuple(Column(column, "TEXT", False, False, False, None, ()) for column in columns))


LIBRARY = Schema("library", (table("book", "book_id", "title", "Release Year"), table("author", "author_id", "name")))
GOOD = "the table book has the title and author holds the name so join them"


def trace(thought, db_id="shop", trace_id=99, question="how many?", step=0):
    return Trace(trace_id, db_id, question, thought, "SELECT 1", "starter", step)


def memory_of(*pairs, k=20, **settings):
    memory = Memory(HashingEncoder(), k, **settings)
    memory.add(trace(thought, db_id) for db_id, thought in pairs)
    return memory
