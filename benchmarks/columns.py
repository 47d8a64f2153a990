"""Does the schema filter keep what the gold needs, and what does a prompt cost then? Recall at k, and tokens a prompt.

    python benchmarks/columns.py FOLDER [--words]

FOLDER holds ``spider/`` and ``bird/`` in their own layouts. Of BIRD only schemas, descriptions and questions are needed; values
are looked up in the databases that are there. ``--words``: without the memory's encoder.

A row is a dataset, one half of its dev questions by their index (the filter's constants were fitted to the even ones), and k:
the share of questions with every gold column kept, with every gold table kept, the mean recall of gold columns, and the mean
number of columns shown. The joining keys are counted among the k. Gold columns are those that the first gold names, by
sqlglot's qualification; a star counts for its table. A table is kept where a column of it is.

Tokens are counted by WordLlama's tokenizer (a Llama tokenizer, offline in its wheel): other policies' differ by some percent.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from finer.atoms.errors import AtomError
from finer.columns import ColumnFilter
from finer.datasets import Dataset, load_dataset
from finer.encoder import _load_wordllama, default_encoder
from finer.prompt import messages
from finer.records import Question
from finer.schema import Kept
from finer.used_columns import used_columns
from finer.values import read_values

SIZES = (10, 20, 30, 50)
CONTEXT_TOKENS = 2048


def filters(dataset: Dataset, encoder) -> dict[str, ColumnFilter]:
    found = {}
    for db_id, database in dataset.databases.items():
        values = read_values(database.path, database.schema) if database.instances else None
        found[db_id] = ColumnFilter(database.schema, values, encoder)
    return found


def kept_at(dataset: Dataset, encoder) -> dict[int, dict[int, tuple[Kept, ...]]]:
    """k → question's index → the columns kept. All of the filter's work, and no gold."""
    ranked = filters(dataset, encoder)
    found = {question.index: {k: ranked[question.db_id].keep(question, k) for k in SIZES} for question in dataset.questions}
    return {k: {index: kept[k] for index, kept in found.items()} for k in SIZES}


def recall(dataset: Dataset, questions: list[Question], kept: dict[int, tuple[Kept, ...]]) -> str:
    whole = tables_whole = recalled = read = 0
    shown = []
    for question in questions:
        try:
            columns, tables = used_columns(question.gold[0], dataset.databases[question.db_id].schema)
        except AtomError:
            continue  # counted as not read, below
        read += 1
        names = {(one.table, one.column) for one in kept[question.index]}
        whole += columns <= names
        tables_whole += tables <= {table for table, _ in names}
        recalled += len(columns & names) / len(columns) if columns else 1
        shown.append(len(names))
    return (f"all columns {whole / read:6.1%}, all tables {tables_whole / read:6.1%}, column recall {recalled / read:6.1%}, "
            f"{statistics.mean(shown):.1f} columns shown ({read} of {len(questions)} golds read)")  # fmt: skip


def tokens(dataset: Dataset, kept: dict[int, tuple[Kept, ...]], style: str, tokenizer) -> str:
    texts = ["\n".join(part["content"] for part in messages(q, dataset.databases[q.db_id].schema, style, kept.get(q.index, ())))
             for q in dataset.questions]  # fmt: skip
    counts = sorted(len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts)
    over = sum(count > CONTEXT_TOKENS for count in counts) / len(counts)
    return f"median {counts[len(counts) // 2]}, p95 {counts[int(len(counts) * 0.95)]}, over {CONTEXT_TOKENS:,}: {over:.1%}"


def main(folder: Path, encoder) -> None:
    tokenizer = _load_wordllama(256).tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    for name in ("spider", "bird"):
        dataset = load_dataset(name, split="dev", data=folder / name)
        files = sum(bool(database.instances) for database in dataset.databases.values())
        began = time.perf_counter()
        kept = kept_at(dataset, encoder)
        seconds = time.perf_counter() - began
        print(f"{dataset.release}: values of {files} of {len(dataset.databases)} databases; {seconds:.0f} s for {len(SIZES)} sizes")
        halves = {"even": dataset.questions[::2], "odd": dataset.questions[1::2], "all": dataset.questions}
        for half, questions in halves.items():
            for k in SIZES:
                print(f"  {half:4} k={k}: {recall(dataset, list(questions), kept[k])}")
        for style in ("tiny", "chat"):
            for k in (0, *SIZES):
                shown = kept[k] if k else {}
                print(f"  tokens, {style}, {f'k={k}' if k else 'whole schema'}: {tokens(dataset, shown, style, tokenizer)}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), None if "--words" in sys.argv else default_encoder())
