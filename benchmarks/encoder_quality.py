"""Does the memory's similarity tell the thoughts of right answers from those of wrong ones? AUC per encoder, and seconds.

    python benchmarks/encoder_quality.py [ENCODER ...]

Data: the rollouts of data/recorded/first-steps, each scored as of its step (as it was in training), by every encoder and
form of retrieval. Two AUCs: over all pairs of a right and a wrong answer, and over pairs of one group alone, which is all
that GRPO can learn from. 0.5 is chance. Beside them: seconds for 64 thoughts of 120 words, seen for the first time, and
the share of starter traces that a cosine of the encoder's ``duplicate_similarity`` would take for one with another SQL.

Encoders: words (a bag of words, the baseline), wordllama (the default), and those that are named: qwen3 (needs a GPU) or
a sentence-transformers model.
"""

from __future__ import annotations

import sys
import time
import zlib
from collections import defaultdict
from pathlib import Path

import numpy as np

from finer.datasets import load_dataset
from finer.encoder import Encoder, get_encoder
from finer.errors import FinerError
from finer.memory import Memory, Query, Retrieval
from finer.rewards import Scorer
from finer.runs import Run

RECORDED = Path(__file__).parent.parent / "data" / "recorded" / "first-steps"
FORMS = {
    "thought, other": Retrieval(),
    "thought, any": Retrieval(scope="any"),
    "thought, same": Retrieval(scope="same"),
    "question, other": Retrieval(by="question"),
    "contrast, other": Retrieval(contrast=True),
    "contrast, any": Retrieval(scope="any", contrast=True),
}


class BagOfWords:
    """Counts of lower-case words in 4,096 hashed places: what similarity is worth without any model."""

    name, dimensions, duplicate_similarity = "words", 4096, 0.9

    def encode(self, texts):
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts):
            for word in text.lower().split():
                row[zlib.crc32(word.encode("utf-8", "replace")) % self.dimensions] += 1
            row /= np.linalg.norm(row) or 1
        return rows


def auc(right: list[float], wrong: list[float]) -> tuple[float, int]:
    """Pairs in which the right one is higher, ties counting half, and how many pairs there are."""
    if not right or not wrong:
        return 0.0, 0
    differences = np.subtract.outer(np.array(right), np.array(wrong))
    return float((differences > 0).sum() + 0.5 * (differences == 0).sum()), differences.size


def filled(encoder: Encoder, run: Run) -> Memory:
    """The memory as it was at the run's end; the failed traces are those of the run's wrong answers, by their step."""
    memory = Memory(encoder)
    dataset = load_dataset("starter")
    memory.add(dataset.traces)
    memory.add(event.trace for event in run.memory_events() if event.kind == "inserted")
    with Scorer("finer", dataset, memory) as scorer:
        for summary in run.groups():
            group = run.group(summary.group_id)
            paid = [rollout.breakdown for rollout in group.rollouts]
            schema = dataset.databases[group.question.db_id].schema
            for trace in scorer.failed_traces(group.question, paid, group.step):
                memory.propose(trace, schema, failed=True)
    memory.commit()
    return memory


def measured(memory: Memory, groups: list, retrieval: Retrieval) -> tuple[float, float, int]:
    """AUC over all pairs, AUC within groups, and how many rollouts were scored."""
    memory.retrieval = retrieval
    everything, inside, scored = defaultdict(list), [0.0, 0], 0
    for group in groups:
        queries = [Query(rollout.breakdown.thought, group.question.db_id, group.question.text) for rollout in group.rollouts]
        found = defaultdict(list)
        for rollout, match in zip(group.rollouts, memory.match_many(queries, memory.snapshot_at(group.step))):
            if match.similarity is not None and rollout.breakdown.status != "gold_failed":
                found[rollout.breakdown.status == "correct"].append(match.similarity)
        for verdict, values in found.items():
            everything[verdict] += values
            scored += len(values)
        inside = [sum(pair) for pair in zip(inside, auc(found[True], found[False]))]
    wins, pairs = auc(everything[True], everything[False])
    return wins / max(pairs, 1), inside[0] / max(inside[1], 1), scored


def seconds_of_64(encoder: Encoder, words: list[str]) -> float:
    draw = np.random.default_rng(0)
    encoder.encode(["load"])
    texts = [" ".join(draw.choice(words, 120)) for _ in range(64)]
    began = time.perf_counter()
    encoder.encode(texts)
    return time.perf_counter() - began


def mistaken(encoder: Encoder) -> float:
    """Share of starter traces with a neighbour as close as a duplicate whose SQL, in its own database, is another."""
    traces = load_dataset("starter").traces
    vectors = encoder.encode([trace.thought for trace in traces])
    close = vectors @ vectors.T >= getattr(encoder, "duplicate_similarity", 0.9)
    other = np.array([[(a.db_id, a.sql) != (b.db_id, b.sql) for b in traces] for a in traces])
    return float((close & other).any(axis=1).mean())


def main(names: list[str]) -> None:
    run = Run(RECORDED)
    groups = [run.group(summary.group_id) for summary in run.groups()]
    words = sorted({word for trace in load_dataset("starter").traces for word in trace.thought.split()})
    for name in ["words", "wordllama", *names]:
        try:
            encoder = BagOfWords() if name == "words" else get_encoder(name)
            memory = filled(encoder, run)
        except FinerError as error:
            print(f"{name}: left out: {error}")
            continue
        print(f"{name}: 64 thoughts of 120 words in {seconds_of_64(encoder, words):.3f} s; {len(memory.failed_traces)} failed traces; "
              f"{mistaken(encoder):.0%} of the starter's traces have another's SQL at {encoder.duplicate_similarity}")
        for form, retrieval in FORMS.items():
            overall, inside, scored = measured(memory, groups, retrieval)
            print(f"  {form:16} AUC {overall:.3f}, within groups {inside:.3f} ({scored} thoughts)")


if __name__ == "__main__":
    main(sys.argv[1:])
