"""The memory of traces: retrieval and its scopes, gate, proposals, snapshots. Run: pytest tests/test_memory.py"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_samples import GOOD, LIBRARY, HashingEncoder, memory_of, trace

from finer.datasets import load_dataset
from finer.memory import (
    NEIGHBOURS_KEPT,
    PAPER_GATE,
    Gate,
    GateCount,
    Memory,
    Query,
    Retrieval,
    Snapshot,
    schema_mentions,
    unique_bigram_share,
)
from finer.prompt import Parsed
from finer.records import Question, RewardBreakdown, Verdict
from finer.rewards import Scorer, get_recipe
from finer.rewards import memory as memory_part
from finer.rewards.facts import Facts
from finer.rewards.memory import value_as_of
from finer.runs import Run

RECORDED = Path(__file__).parent.parent / "data" / "recorded" / "first-steps"


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
    memory = Memory(HashingEncoder(), gate=Gate(fewest_words=2, fewest_mentions=0, least_density=0))
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


# -- the gate's count, the encoder's threshold -------------------------------------------------------------------------


def test_every_refusal_is_counted_by_its_rule():
    memory = Memory(HashingEncoder())
    for thought in (GOOD, GOOD, "book title", "I will simply think about this for a very long time", "book title " * 6,
                    "book title " + " ".join(f"word{number}" for number in range(60))):  # fmt: skip
        memory.propose(trace(thought), LIBRARY)
    count = memory.gate_counts["verified"]
    assert count.refused == {"duplicate": 1, "length": 1, "mentions": 1, "repetition": 1, "density": 1}
    assert (count.offered, count.taken) == (6, 1) and count.shares()["length"] == pytest.approx(1 / 6)
    assert str(count).startswith("6 offered, 1 taken (17 %); refused: length 1 (17 %), mentions 1 (17 %)")
    assert memory.gate_counts["failed"] == GateCount() and str(GateCount()) == "nothing was offered"


def test_the_papers_gate_asks_for_thirty_words():
    assert PAPER_GATE.refusal_of_text(GOOD, LIBRARY).reason.startswith("14 words, and the gate takes 30 to 2000")


@pytest.mark.parametrize(
    ("of_encoder", "of_gate", "taken"),
    [(None, None, False), (0.99, None, True), (0.99, 0.9, False), (0.5, 0.99, True)],
    ids=["the paper's 0.9 where the encoder says nothing", "the encoder's", "the gate's own goes first", "also upwards"],
)
def test_the_threshold_of_a_duplicate_belongs_to_the_encoder(of_encoder, of_gate, taken):
    encoder = HashingEncoder()
    if of_encoder is not None:
        encoder.duplicate_similarity = of_encoder
    memory = Memory(encoder, gate=Gate(highest_similarity=of_gate))
    memory.propose(trace(GOOD), LIBRARY)
    assert (memory.propose(trace(GOOD + " now"), LIBRARY) == "") == taken  # a cosine of 0.97


# -- scopes, retrieval by question, contrast -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "found", "reason_elsewhere"),
    [
        ("other", {"shop", "bank"}, None),
        ("any", {"shop", "bank", "library"}, None),
        ("same", {"library"}, "the memory holds no trace of the same database"),
    ],
)
def test_scope_says_whose_traces_serve(scope, found, reason_elsewhere):
    memory = memory_of(("shop", "count rows"), ("library", "count books"), ("bank", "count money"), scope=scope)
    (match,) = memory.match(["count"], "library")
    assert {neighbour.db_id for neighbour in match.neighbours} == found
    (elsewhere,) = memory.match(["count"], "unheard of")
    assert (elsewhere.reason or None) == reason_elsewhere and (elsewhere.similarity is None) == bool(reason_elsewhere)


@pytest.mark.parametrize("scope", ["other", "any", "same"])
@pytest.mark.parametrize("by", ["thought", "question"])
def test_a_batch_of_databases_is_answered_as_one_by_one(scope, by):
    memory = Memory(HashingEncoder(), k=3, scope=scope, by=by)
    memory.add(trace(f"t{n} t{n % 7} count", f"db{n % 4}", question=f"q{n % 5} which") for n in range(60))
    queries = [Query(f"t{n} count", f"db{n % 5}", f"q{n} which") for n in range(12)]
    alone = [memory.match([query.thought], query.db_id, question=query.question)[0] for query in queries]
    assert memory.match_many(queries) == alone


def test_by_question_the_nearest_questions_thoughts_are_the_centroid():
    memory = Memory(HashingEncoder(), k=1, by="question")
    memory.add([trace("sort by price", question="which is dearest"), trace("count the rows", question="how many are there")])
    (match,) = memory.match(["sort by price"], "x", question="how many are there")
    assert [neighbour.thought for neighbour in match.neighbours] == ["count the rows"] and match.similarity < 0.9
    assert memory.match(["sort by price"], "x", question="which is dearest")[0].similarity == pytest.approx(1)
    assert memory.match(["sort by price"], "x")[0].reason == "the encoder knows no word of the question"


def test_contrast_sets_failed_traces_against_verified_ones():
    memory = memory_of(("shop", "join on the key"), contrast=True)
    assert memory.match(["join on the key"], "x")[0].reason == "the memory holds no failed trace of another database"
    memory.add([trace("guess the key"), trace("join on the key", "x")], failed=True)
    good, bad = memory.match(["join on the key", "guess the key"], "x")
    assert good.to_verified == pytest.approx(1) and good.similarity == pytest.approx((1 + good.to_verified - good.to_failed) / 2)
    assert good.similarity > 0.5 > bad.similarity
    assert [neighbour.thought for neighbour in bad.failed_neighbours] == ["guess the key"], "the own database takes no part"
    assert (bad.snapshot, bad.failed_snapshot) == (1, 2)
    assert [t.trace_id for t in memory.failed_traces] == [0, 1] and len(memory.traces) == 1


def test_the_evidence_of_a_contrast_names_both_sides():
    memory = memory_of(("shop", "join on the key"), contrast=True)
    memory.add([trace("guess the key")], failed=True)
    (match,) = memory.match(["guess the key"], "x")
    facts = Facts(Parsed("guess the key", "SELECT 1", True), Verdict(False, "ok"), match=match)
    evidence = memory_part.evidence(facts, get_recipe("finer"))
    assert evidence["to_failed"] == pytest.approx(1) and evidence["failed_neighbours"][0]["thought"] == "guess the key"
    assert "similar to verified ones as against failed ones (1 traces in the memory)" in memory_part.summary(facts, get_recipe("finer"))


def test_failed_traces_of_a_scorer_are_the_wrong_answers_thoughts():
    question = Question(0, "shop", "how many?", ("SELECT 1",))
    answers = [("wrong", "a", "1"), ("correct", "b", "2"), ("error", "a", "3"), ("gold_failed", "c", "4"), ("refused", " ", "5"), ("timeout", "d", "6")]
    paid = [RewardBreakdown("finer", status, (), thought, sql) for status, thought, sql in answers]
    found = Scorer.failed_traces(None, question, paid, step=3)
    assert [(t.thought, t.sql, t.source, t.step) for t in found] == [("a", "1", "policy", 3), ("d", "6", "policy", 3)]
    assert [t.thought for t in Scorer.right_traces(None, question, paid, step=3)] == ["b"]


def test_failed_traces_change_no_published_score():
    memory = memory_of(("shop", "join on the key"))
    before = memory.match(["join the tables"], "x")
    memory.add([trace("join the tables")], failed=True)
    assert memory.match(["join the tables"], "x") == before


def test_a_contrastive_past_needs_both_counts():
    memory = memory_of(("shop", "a"), contrast=True)
    memory.add([trace("b")], failed=True)
    with pytest.raises(ValueError, match=r"give snapshot_at\(step\)"):
        memory.match(["a"], "x", 1)
    assert memory.match(["a"], "x", Snapshot(1, 0))[0].reason == "the memory holds no failed trace of another database"


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"k": 0}, "k is 0"), ({"scope": "mine"}, "scope is 'mine'; it is one of other, any, same"), ({"by": "sql"}, "by is 'sql'")],
)
def test_a_retrieval_that_does_not_exist_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Retrieval(**settings)


# -- as of step N ----------------------------------------------------------------------------------------------------


def test_a_step_saw_what_was_taken_in_before_it():
    memory = memory_of(("shop", "a"), ("shop", "b"))
    for step, failed in ((1, True), (2, False), (2, True), (5, False)):
        words = " ".join(f"word{step}{failed}{number}" for number in range(10))
        assert memory.propose(trace(f"{words} book title author", step=step), LIBRARY, failed) == ""
        memory.commit()
    assert [memory.snapshot_at(step) for step in (1, 2, 3, 5, 6)] == [(2, 0), (2, 1), (3, 2), (3, 2), (4, 2)]
    with pytest.raises(ValueError, match="step is 0"):
        memory.snapshot_at(0)


@pytest.fixture(scope="module")
def recorded():
    """The recorded run, and the memory as it stood at its end."""
    run = Run(RECORDED)
    memory = Memory()
    memory.add(load_dataset("starter").traces)
    memory.add(event.trace for event in run.memory_events() if event.kind == "inserted")
    return run, memory


def test_every_score_of_the_recorded_run_comes_again(recorded):
    """The golden of the default scoring: 768 rollouts scored by an earlier version of this code, on a machine whose sums may round otherwise."""
    run, memory = recorded
    compared = 0
    for summary in run.groups():
        group = run.group(summary.group_id)
        for rollout in group.rollouts:
            part = rollout.breakdown.part("memory")
            if part.evidence["similarity"] is None:
                continue
            seen = memory.snapshot_at(group.step)
            (match,) = memory.match([rollout.breakdown.thought], group.question.db_id, seen)
            assert match.similarity == pytest.approx(part.evidence["similarity"], abs=1e-7) and match.snapshot == part.evidence["snapshot"]
            assert [vars(neighbour)["trace_id"] for neighbour in match.neighbours] == [n["trace_id"] for n in part.evidence["neighbours"]]
            assert value_as_of(memory, group.question, rollout) == pytest.approx(part.value, abs=1e-7)
            compared += 1
    assert compared == 732


@pytest.mark.parametrize(
    ("retrieval"),
    [Retrieval(scope="any"), Retrieval(by="question"), Retrieval(contrast=True, k=5)],
    ids=["any", "by question", "contrast"],
)
def test_a_score_at_step_n_is_what_a_memory_of_that_step_gives(retrieval):
    memory = memory_of(("shop", "count rows of shop"), ("bank", "sum up money"))
    memory.retrieval = retrieval
    memory.add([trace("guess")], failed=True)
    asked, then = [Query(f"count w{n} guess", "library", f"how many w{n}?") for n in range(5)], {}
    for step in range(1, 8):
        then[step] = memory.match_many(asked)
        words = " ".join(f"w{number * step}" for number in range(10))
        memory.propose(replace(trace(f"{words} book title author"), step=step), LIBRARY, failed=step % 2 == 0)
        memory.commit()
    assert {step: memory.match_many(asked, memory.snapshot_at(step)) for step in then} == then
    assert len({str(matches) for matches in then.values()}) > 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [(lambda n: np.full((n, 64), 0.5), "longest row of 4 for 1 texts"), (lambda n: np.full((n, 64), np.nan), "longest row of nan"),
     (lambda n: np.zeros((n + 1, 64)), r"shape \(2, 64\)"), (lambda n: np.zeros(64), r"shape \(64,\)")],
    ids=["not of length 1", "not a number", "a row too many", "one axis"],
)  # fmt: skip
def test_rows_that_break_the_encoders_promise_are_refused(rows, message):
    class Broken(HashingEncoder):
        def encode(self, texts):
            return rows(len(texts))

    with pytest.raises(ValueError, match=message):
        Memory(Broken()).add([trace("a")])


def test_a_steps_texts_are_encoded_in_one_call():
    calls = []

    class Counting(HashingEncoder):
        def encode(self, texts):
            calls.append(list(texts))
            return super().encode(texts)

    memory = Memory(Counting())
    memory.encode_ahead(["a"])
    assert calls == [["a"]], "an empty memory compares nothing, but the texts may join it after the step"
    memory.add([trace("x")])
    memory.encode_ahead(["a", "b", "", "a"])
    assert calls[-1] == ["a", "b"]
