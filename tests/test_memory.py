"""The memory of traces and its encoder: retrieval, gate, snapshots, saved files. Run: pytest tests/test_memory.py"""

from __future__ import annotations

import json
import logging
import socket
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finer.encoder import CACHED_TEXTS, WordLlamaEncoder
from finer.memory import NEIGHBOURS_KEPT, Gate, Memory, MemoryFileError, schema_mentions, unique_bigram_share
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


def trace(thought, db_id="shop", trace_id=99):
    return Trace(trace_id, db_id, "how many?", thought, "SELECT 1", "starter")


def memory_of(*pairs, k=20):
    memory = Memory(HashingEncoder(), k)
    memory.add(trace(thought, db_id) for db_id, thought in pairs)
    return memory


GOOD = "the table book has the title and author holds the name so join them"


# -- matching ---------------------------------------------------------------------------------------------------------


def test_identical_thought_of_another_database_scores_one():
    (match,) = memory_of(("shop", "count the rows")).match(["count the rows"], "library")
    assert match.similarity == pytest.approx(1.0) and match.snapshot == 1 and match.reason == ""
    assert [(n.trace_id, n.db_id, n.thought) for n in match.neighbours] == [(0, "shop", "count the rows")]


def test_own_database_takes_no_part():
    memory = memory_of(("library", "count the rows"), ("shop", "sort by price"))
    (match,) = memory.match(["count the rows"], "library")
    assert [n.db_id for n in match.neighbours] == ["shop"]
    assert match.similarity < 0.9


def test_similarity_is_the_cosine_to_the_centroid_of_the_k_nearest():
    thoughts = ["alpha beta", "alpha gamma", "alpha delta epsilon", "zeta eta"]
    memory = memory_of(*[("shop", thought) for thought in thoughts], k=3)
    query, vectors = HashingEncoder().encode(["alpha beta gamma"])[0], HashingEncoder().encode(thoughts)
    nearest = vectors[np.argsort(-(vectors @ query))[:3]]
    centroid = nearest.mean(axis=0)
    expected = float(query @ centroid / np.linalg.norm(centroid))
    assert memory.match(["alpha beta gamma"], "x")[0].similarity == pytest.approx(max(expected, 0), abs=1e-6)


def test_similarity_is_never_below_zero():
    encoder = HashingEncoder()
    words = [f"w{number}" for number in range(400)]
    vectors = encoder.encode(words)
    first, second = np.unravel_index(np.argmin(vectors @ vectors.T), (len(words), len(words)))
    (match,) = memory_of(("shop", words[first])).match([words[second]], "x")
    assert match.similarity == 0.0 and match.neighbours[0].similarity == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("thought", "pairs", "reason"),
    [
        ("", [("shop", "count")], "the completion has no thought"),
        (" \n", [("shop", "count")], "the completion has no thought"),
        ("count", [], "the memory holds no trace of another database"),
        ("count", [("library", "count")], "the memory holds no trace of another database"),
    ],
)
def test_unscored_is_none_with_a_reason(thought, pairs, reason):
    (match,) = memory_of(*pairs).match([thought], "library")
    assert match.similarity is None and match.reason == reason and match.neighbours == ()


def test_text_without_a_known_token_is_not_scored():
    class Deaf(HashingEncoder):
        def encode(self, texts):
            return super().encode(["" if text == "???" else text for text in texts])

    memory = Memory(Deaf())
    memory.add([trace("count")])
    assert memory.match(["???"], "x")[0].reason == "the encoder knows no word of the thought"


def test_evidence_names_few_neighbours_of_many():
    memory = memory_of(*[("shop", f"count {number}") for number in range(50)])
    (match,) = memory.match(["count"], "x")
    similarities = [n.similarity for n in match.neighbours]
    assert len(similarities) == NEIGHBOURS_KEPT and similarities == sorted(similarities, reverse=True)


def test_answers_come_in_the_order_of_the_thoughts():
    memory = memory_of(("shop", "count the rows"), ("shop", "sort by price"))
    matches = memory.match(["sort by price", "", "count the rows", "sort by price"], "x")
    assert [m.neighbours[0].thought if m.neighbours else None for m in matches] == [
        "sort by price",
        None,
        "count the rows",
        "sort by price",
    ]
    assert matches[0] == matches[3]


words = st.lists(st.sampled_from(["table", "join", "count", "of", "the", "name", "price"]), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(bank=st.lists(words, min_size=1, max_size=60), thoughts=st.lists(words, min_size=1, max_size=5))
def test_a_score_depends_neither_on_the_batch_nor_on_what_came_later(bank, thoughts):
    texts = [" ".join(thought) for thought in thoughts]
    memory = memory_of(*[("shop", " ".join(thought)) for thought in bank], k=5)
    together = memory.match(texts, "x")
    memory.add([trace("something else entirely"), trace(texts[0])])
    alone = [memory.match([text], "x", snapshot=len(bank))[0] for text in texts]
    assert together == alone


def test_ties_go_to_the_older_trace():
    memory = memory_of(*[("shop", "the very same")] * 40, k=3)
    assert [n.trace_id for n in memory.match(["the very same"], "x")[0].neighbours] == [0, 1, 2]


@pytest.mark.parametrize("snapshot", [-1, 3])
def test_foreign_snapshot_is_refused(snapshot):
    with pytest.raises(ValueError, match=f"snapshot {snapshot} is not one of this memory's"):
        memory_of(("shop", "a"), ("shop", "b")).match(["a"], "x", snapshot)


# -- gate, proposals, snapshots ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "thought", "refusal"),
    [
        ("good", GOOD, ""),
        ("too short", "book title author", "3 words, and the gate takes 8 to 2000"),
        ("too long", "book title " * 1001, "2002 words, and the gate takes 8 to 2000"),
        ("no schema", "I will simply think about this for a very long time", "names 0 tables and columns"),
        ("one name twice", "the book and the book and again that book in there", "names 1 tables and columns"),
        ("a loop", "book title book title book title book title book title", "repeats itself: 22%"),
        ("empty", "", "0 words"),
    ],
)
def test_gate_on_the_text(name, thought, refusal):
    memory = Memory(HashingEncoder())
    answer = memory.propose(trace(thought, "library"), LIBRARY)
    assert (answer == "") if not refusal else answer.startswith(refusal), name
    assert len(memory.waiting) == (not refusal)


def test_gate_refuses_what_is_there_and_what_waits():
    memory = Memory(HashingEncoder())
    assert memory.propose(trace(GOOD), LIBRARY) == ""
    assert memory.propose(trace(GOOD + " now"), LIBRARY).startswith("too close to trace 0: cosine 0.9")
    memory.commit()
    assert memory.propose(trace(GOOD), LIBRARY).startswith("too close to trace 0: cosine 1.000")
    assert memory.commit() == 1


def test_gate_limits_can_be_changed():
    memory = Memory(HashingEncoder(), gate=Gate(fewest_words=2, fewest_mentions=0))
    assert memory.propose(trace("hello world"), LIBRARY) == ""


def test_proposals_are_seen_only_after_commit():
    memory = memory_of(("shop", "sort by price"))
    before = memory.match([GOOD], "x")
    assert memory.propose(trace(GOOD), LIBRARY) == ""
    assert memory.match([GOOD], "x") == before and memory.snapshot == 1 and len(memory.traces) == 1
    assert memory.commit() == 2
    after = memory.match([GOOD], "x")
    assert after[0].neighbours[0].thought == GOOD and after[0].snapshot == 2
    assert memory.match([GOOD], "x", snapshot=1) == before


def test_a_trace_gets_its_place_as_id():
    memory = memory_of(("shop", "a"), ("shop", "b"))
    memory.propose(trace(GOOD, trace_id=-1), LIBRARY)
    memory.commit()
    assert [t.trace_id for t in memory.traces] == [0, 1, 2]


def test_add_refuses_to_make_proposals_visible_by_the_way():
    memory = Memory(HashingEncoder())
    memory.propose(trace(GOOD), LIBRARY)
    with pytest.raises(ValueError, match="1 proposals wait"):
        memory.add([trace("x")])


def test_add_refuses_an_empty_thought():
    with pytest.raises(ValueError, match=r"trace 7 \(shop\) has no thought"):
        Memory(HashingEncoder()).add([trace("fine"), trace(" ", trace_id=7)])


def test_no_neighbours_is_refused():
    with pytest.raises(ValueError, match="k is 0"):
        Memory(HashingEncoder(), k=0)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Join BOOK with Author", ("book", "author")),
        ("books and titles are not names", ()),
        ("b.book_id = a.author_id, then title.", ("book", "book id", "title", "author", "author id")),
        ("the release year", ("release year",)),
        ('"Release Year" > 2000', ("release year",)),
        ("", ()),
    ],
)
def test_schema_mentions(text, names):
    assert schema_mentions(text, LIBRARY) == names


def test_unique_bigrams_of_one_word_is_full():
    assert unique_bigram_share(["one"]) == 1.0


# -- files ------------------------------------------------------------------------------------------------------------


def saved(tmp_path, count=30):
    memory = memory_of(*[("shop", f"count é \ud800 \u2028 {number}") for number in range(count)])
    memory.save(tmp_path / "memory")
    return memory, tmp_path / "memory"


def test_reload_is_bit_equal(tmp_path):
    memory, folder = saved(tmp_path)
    again = Memory.load(folder, HashingEncoder())
    assert again.traces == memory.traces and again.k == memory.k
    assert again._vectors.tobytes() == memory._vectors[: memory.snapshot].tobytes()
    assert again.match(["count 3"], "x") == memory.match(["count 3"], "x")
    assert sorted(path.name for path in folder.iterdir()) == ["memory.json", "traces.jsonl", "vectors.npy"]


def test_reload_encodes_nothing_again(tmp_path):
    class Mute(HashingEncoder):
        def encode(self, texts):
            raise AssertionError("encoded again")

    assert Memory.load(saved(tmp_path)[1], Mute()).snapshot == 30


def test_a_reloaded_memory_grows_on(tmp_path):
    again = Memory.load(saved(tmp_path)[1], HashingEncoder())
    assert again.propose(trace(GOOD), LIBRARY) == "" and again.commit() == 31


def test_an_empty_memory_is_saved_too(tmp_path):
    Memory(HashingEncoder()).save(tmp_path)
    assert Memory.load(tmp_path, HashingEncoder()).snapshot == 0


def test_waiting_proposals_are_not_saved(tmp_path):
    memory = Memory(HashingEncoder())
    memory.propose(trace(GOOD), LIBRARY)
    memory.save(tmp_path)
    assert Memory.load(tmp_path, HashingEncoder()).traces == ()


@pytest.mark.parametrize("stop_before", ["vectors.npy", "traces.jsonl", "memory.json"])
def test_a_crash_while_saving_leaves_the_older_memory(tmp_path, monkeypatch, stop_before):
    memory, folder = saved(tmp_path, 5)
    older = memory.traces
    memory.add([trace("one more"), trace("and another")])
    from finer import memory as module

    replace_file = module._replace

    def crash(path, write):
        if path.name == stop_before:
            raise KeyboardInterrupt
        replace_file(path, write)

    monkeypatch.setattr(module, "_replace", crash)
    with pytest.raises(KeyboardInterrupt):
        memory.save(folder)
    assert Memory.load(folder, HashingEncoder()).traces == older


def test_a_failed_write_leaves_no_file_behind(tmp_path):
    class Broken(HashingEncoder):
        name = b"not JSON"

    with pytest.raises(TypeError):
        Memory(Broken()).save(tmp_path)
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("no folder", lambda f: [path.unlink() for path in f.iterdir()], "memory.json is missing"),
        ("no vectors", lambda f: (f / "vectors.npy").unlink(), "vectors.npy is missing"),
        (
            "cut vectors",
            lambda f: (f / "vectors.npy").write_bytes((f / "vectors.npy").read_bytes()[:40]),
            "cannot be read",
        ),
        ("empty vectors", lambda f: (f / "vectors.npy").write_bytes(b""), "cannot be read"),
        ("cut traces", lambda f: (f / "traces.jsonl").write_text("{}\n"), "is damaged"),
        ("no head", lambda f: (f / "memory.json").write_text("{}"), "cannot be read"),
        ("broken head", lambda f: (f / "memory.json").write_text("{"), "cannot be read"),
        (
            "other encoder",
            lambda f: (f / "memory.json").write_text(
                json.dumps({**json.loads((f / "memory.json").read_text()), "encoder": "x"})
            ),
            "was encoded by 'x'",
        ),
    ],
)
def test_damaged_folder_says_what_to_do(tmp_path, name, damage, message):
    folder = saved(tmp_path)[1]
    damage(folder)
    with pytest.raises(MemoryFileError, match=message):
        Memory.load(folder, HashingEncoder())


# -- the real encoder -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wordllama():
    return WordLlamaEncoder()


def test_loads_without_the_network_and_leaves_logging_alone(monkeypatch):
    def refuse(*_):
        raise AssertionError("the encoder opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    before = (list(logging.getLogger().handlers), logging.getLogger().level)
    encoder = WordLlamaEncoder()
    assert encoder.encode(["a"]).shape == (1, encoder.dimensions)
    assert (list(logging.getLogger().handlers), logging.getLogger().level) == before


def test_rows_are_unit_float32_and_independent_of_the_batch(wordllama):
    texts = ["join book and author", "x" * 200_000, "count 🙂 \ud800 \x00", "sum of prices"]
    rows = wordllama.encode(texts)
    assert rows.dtype == np.float32 and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    fresh = WordLlamaEncoder()
    assert np.array_equal(np.concatenate([fresh.encode([text]) for text in reversed(texts)])[::-1], rows)


def test_empty_text_is_a_zero_row(wordllama):
    assert not wordllama.encode([""]).any() and wordllama.encode([]).shape == (0, 256)


def test_close_meaning_is_closer_than_another_subject(wordllama):
    base, near, far = wordllama.encode(
        [
            "Join book with author and count the books of each writer.",
            "Count how many books each author has written, joining the two tables.",
            "Filter the flights that leave in March and sort them by delay.",
        ]
    )
    assert base @ near > base @ far + 0.2


def test_cache_is_bounded(wordllama, monkeypatch):
    from finer import encoder as module

    monkeypatch.setattr(module, "CACHED_TEXTS", 3)
    small = WordLlamaEncoder()
    small.encode([f"text {number}" for number in range(5)] + ["text 4"])
    assert list(small._vectors) == ["text 2", "text 3", "text 4"] and CACHED_TEXTS > 1000


def test_default_memory_tells_a_thought_from_babble(wordllama):
    memory = Memory(wordllama)
    memory.add([trace("Join order with customer on customer_id, group by city and count the orders.")])
    thought, babble = memory.match(["Join book with author, group by name and count the books.", "la la la"], "library")
    assert 1 >= thought.similarity > babble.similarity + 0.2
