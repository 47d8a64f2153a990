"""Build the starter data under ``data/starter/``: databases with further instances, questions, verified traces.

    python data/source/make_starter.py

Everything follows from the domain files, the grammar, the hand-written questions and one seed: two runs give the same bytes.
A question is kept only if its gold runs on every instance, is not empty on the main one, and gives the same rows
whichever way SQLite scans (so no tie is cut by chance).
"""

from __future__ import annotations

import importlib
import json
import random
import sqlite3
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
REPOSITORY = SOURCE.parent.parent
sys.path[:0] = [str(SOURCE), str(REPOSITORY)]

import sqlglot
from domain import Domain, Table
from grammar import ALL_KINDS, shown_tables
from phrases import Ask, Words, phrasing, plain, quote
from sqlglot import exp
from thoughts import STYLES, normalise, thought
from world import World

TRAIN_DATABASES = ("airline", "cinema", "company", "football", "hospital", "library", "music", "shop", "university")
UNSEEN_DATABASES = ("bikeshare", "museum", "wildlife")
INSTANCES, ASKED_OF_A_DATABASE, DEV_GRAMMAR, DEV_HAND, SEED = 4, 54, 18, 2, 7
MOST_ROWS = 400
"""A question from the grammar whose gold returns more rows on the main instance is left out: nobody reads them."""
STARTER = REPOSITORY / "data" / "starter"


@dataclass
class Item:
    """A question on its way into the file."""

    db_id: str
    question: str
    gold: str
    kind: str
    phrasing: str
    tables: tuple[str, ...] = ()
    evidence: str = ""
    split: str = ""
    meant_empty: bool = field(default=False)


@cache
def load_world(db_id: str, variant: int = 0) -> World:
    """A starter database as the grammar sees it: its words, and the rows of one instance."""
    module = importlib.import_module(f"domains.{db_id}")
    return World(module.DOMAIN, module.rows(random.Random(f"{SEED} {db_id} {variant}"), variant))


def dev_questions() -> frozenset[str]:
    """The questions of the dev split as built, which no training may see."""
    lines = (STARTER / "questions.jsonl").read_text().splitlines()
    return frozenset(line["question"] for line in map(json.loads, lines) if line["split"] == "dev")


def create_statement(domain: Domain, table: Table, nullable: set[str]) -> str:
    """CREATE TABLE with keys as the domain declares them."""
    composite = dict(domain.primary_keys).get(table.name)
    lines = []
    for column in table.columns:
        words = [quote(column.name), column.type]
        if column.role == "key":
            words.append("PRIMARY KEY")
        elif column.name not in nullable:
            words.append("NOT NULL")
        if column.refers:
            parent, key = column.refers.split(".", 1)
            words.append(f"REFERENCES {parent} ({quote(key)})")
        lines.append(" ".join(words))
    if composite:
        lines.append(f"PRIMARY KEY ({', '.join(map(quote, composite))})")
    return f"CREATE TABLE {table.name} (\n    " + ",\n    ".join(lines) + "\n)"


def nullable_columns(db_id: str, table: Table) -> set[str]:
    """Columns that hold a NULL in some instance."""
    return {column.name for position, column in enumerate(table.columns) for variant in range(INSTANCES)
            if any(row[position] is None for row in load_world(db_id, variant).rows[table.name])}


def write_database(db_id: str, variant: int) -> Path:
    """One instance as an SQLite file."""
    folder = STARTER / "databases" / db_id
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (f"{db_id}_{variant}.sqlite" if variant else f"{db_id}.sqlite")
    path.unlink(missing_ok=True)
    world = load_world(db_id, variant)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA page_size = 1024")
    connection.execute("BEGIN")
    for table in world.domain.tables:
        connection.execute(create_statement(world.domain, table, nullable_columns(db_id, table)))
        marks = ", ".join("?" * len(table.columns))
        connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", world.rows[table.name])
    connection.execute("COMMIT")
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise ValueError(f"{path.name}: rows that refer to nothing: {broken[:3]}; mend domains/{db_id}.py")
    connection.execute("VACUUM")
    connection.close()
    return path


class Bench:
    """The instances of one database, open for trying golds."""

    def __init__(self, paths: list[Path]):
        self.connections = [sqlite3.connect(f"file:{path}?mode=ro", uri=True) for path in paths]

    def rows(self, connection, sql: str, backwards: bool) -> list[tuple]:
        connection.execute(f"PRAGMA reverse_unordered_selects = {'ON' if backwards else 'OFF'}")
        return [tuple(round(v, 6) if isinstance(v, float) else v for v in row) for row in connection.execute(sql).fetchall()]

    def fault(self, sql: str, most_rows: int = 10_000) -> str:
        """Why a gold cannot be used, or ''."""
        ordered = bool(sqlglot.parse_one(sql, read="sqlite").args.get("order"))
        for number, connection in enumerate(self.connections):
            try:
                one, two = self.rows(connection, sql, False), self.rows(connection, sql, True)
            except sqlite3.Error as error:
                return f"fails on instance {number}: {error}"
            if (one != two) if ordered else (Counter(one) != Counter(two)):
                return f"instance {number} leaves the rows or their order to chance"
            if number == 0 and (not one or all(value is None for row in one for value in row)):
                return "empty on the main instance"
            if number == 0 and len(one) > most_rows:
                return f"{len(one)} rows on the main instance"
        return ""


def ask_database(db_id: str, bench: Bench, used: set[str]) -> list[Item]:
    """Questions from the grammar: every kind in turn, each phrasing used once over the whole collection."""
    rng = random.Random(f"{SEED} questions {db_id}")
    world = load_world(db_id)
    words, items = Words(world, rng), []
    while len(items) < ASKED_OF_A_DATABASE:
        deck = [kind for kind, weight in ALL_KINDS for _ in range(1 + weight // 3)]
        rng.shuffle(deck)
        for kind in deck[:ASKED_OF_A_DATABASE - len(items)]:
            asked = ask_new(kind, words, bench, used)
            if asked:
                used.add(phrasing(asked.text))
                items.append(Item(db_id, plain(asked.text), normalise(asked.sql), asked.kind, phrasing(asked.text),
                                  shown_tables(asked, world, rng), asked.evidence))
    return items


def ask_new(kind, words: Words, bench: Bench, used: set[str]) -> Ask | None:
    """A question of a kind in a phrasing that was not used yet, with a usable gold; None where none is found soon."""
    for _ in range(60):
        try:
            asked = kind(words)
        except LookupError:
            return None
        if phrasing(asked.text) not in used and not bench.fault(normalise(asked.sql), MOST_ROWS):
            return asked
    return None


def hand_written(db_id: str, bench: Bench) -> list[Item]:
    """The questions that people wrote, from ``questions/<db_id>.sql``."""
    rng, items = random.Random(f"{SEED} hand {db_id}"), []
    for block in (SOURCE / "questions" / f"{db_id}.sql").read_text().strip().split("\n\n"):
        lines = block.splitlines()
        comments = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
        sql = " ".join(line.strip() for line in lines if not line.startswith("--")).rstrip("; ")
        if not comments or not sql:
            continue
        evidence = next((c.removeprefix("evidence:").strip() for c in comments if c.startswith("evidence:")), "")
        fault = bench.fault(sql)
        if fault:
            raise ValueError(f"questions/{db_id}.sql: {comments[0]!r}: {fault}; mend its SQL")
        names = {table.name for table in sqlglot.parse_one(sql, read="sqlite").find_all(exp.Table)}
        known = tuple(t.name for t in load_world(db_id).domain.tables if t.name in names)
        tables = shown_tables(Ask("", "", "", known), load_world(db_id), rng)
        items.append(Item(db_id, comments[0], sql, "hand", comments[0], tables, evidence))
    return items


def split_items(asked: list[Item], hand: list[Item], unseen: bool) -> list[Item]:
    """Every third question of the grammar and two of the hand-written ones go to dev; the rest is for training."""
    if unseen:
        return [replace(item, split="unseen") for item in asked + hand]
    dev = [id(item) for item in asked[::3][:DEV_GRAMMAR] + hand[::len(hand) // DEV_HAND][:DEV_HAND]]
    return [replace(item, split="dev" if id(item) in dev else "train") for item in asked + hand]


def trace(number: int, index: int, item: Item) -> dict:
    """The verified reasoning for a train question; three in five in the shortest style."""
    style = STYLES[(0, 0, 0, 1, 2)[number % 5]]
    return {"trace_id": number, "index": index, "db_id": item.db_id, "question": item.question,
            "thought": thought(item.gold, style), "sql": item.gold}


def question_line(index: int, item: Item) -> dict:
    """A question as the file has it."""
    from finer.hardness import hardness

    return {**asdict(item), "index": index, "gold": [item.gold], "difficulty": hardness(item.gold)}


def write_lines(path: Path, records: list[dict]) -> None:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def main() -> None:
    used: set[str] = set()
    items: list[Item] = []
    for db_id in TRAIN_DATABASES + UNSEEN_DATABASES:
        bench = Bench([write_database(db_id, variant) for variant in range(INSTANCES)])
        asked, hand = ask_database(db_id, bench, used), hand_written(db_id, bench)
        items += split_items(asked, hand, db_id in UNSEEN_DATABASES)
        print(f"{db_id}: {len(asked)} questions from the grammar, {len(hand)} written by hand", flush=True)
    write_lines(STARTER / "questions.jsonl", [question_line(index, item) for index, item in enumerate(items)])
    train = [(index, item) for index, item in enumerate(items) if item.split == "train"]
    write_lines(STARTER / "traces.jsonl", [trace(number, index, item) for number, (index, item) in enumerate(train)])
    print(f"{len(items)} questions in {len({i.phrasing for i in items})} phrasings: {dict(Counter(i.split for i in items))}")


if __name__ == "__main__":
    main()
