"""Make the database that stands for one of your own in notebook 12: a beekeeper's apiaries, hives, inspections and harvests.

    python data/source/make_bees.py

Written to data/bees/bees.sqlite, from a seed; no other data set here has this domain. The questions beside it were written by hand:
questions.csv as a person would ask them, reworded.csv the same in other words.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "bees" / "bees.sqlite"
TABLES = """
CREATE TABLE apiary (apiary_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, village TEXT NOT NULL, altitude INTEGER NOT NULL);
CREATE TABLE hive (hive_id INTEGER PRIMARY KEY, apiary_id INTEGER NOT NULL REFERENCES apiary (apiary_id), label TEXT NOT NULL UNIQUE,
                   color TEXT NOT NULL, queen_year INTEGER NOT NULL);
CREATE TABLE inspection (inspection_id INTEGER PRIMARY KEY, hive_id INTEGER NOT NULL REFERENCES hive (hive_id), day TEXT NOT NULL,
                         mites INTEGER NOT NULL, note TEXT);
CREATE TABLE harvest (harvest_id INTEGER PRIMARY KEY, hive_id INTEGER NOT NULL REFERENCES hive (hive_id), day TEXT NOT NULL,
                      flower TEXT NOT NULL, kilograms REAL NOT NULL);
"""
APIARIES = (("Long Meadow", "Alden", 410), ("Fox Wood", "Birkdale", 520), ("Mill Slope", "Alden", 655), ("High Pasture", "Corvin", 980),
            ("Orchard Row", "Dunmere", 310), ("Heath Edge", "Birkdale", 730))  # fmt: skip
COLORS = ("blue", "yellow", "white", "green")
FLOWERS = ("linden", "acacia", "heather", "clover")
NOTES = ("calm", "queen not seen", "swarm cells", "fed with syrup", "wet floor")
HIVES, UNHARVESTED = 32, 7


def make(seed: int = 11) -> dict[str, list[tuple]]:
    """The rows of each table: 6 apiaries (one without a hive), 32 hives (seven without a harvest), 150 inspections, 90 harvests."""
    rng = random.Random(seed)
    hives = [(place, rng.randint(1, 5), f"{'ABCD'[place % 4]}{place:02d}", rng.choice(COLORS), rng.randint(2021, 2025)) for place in range(1, HIVES + 1)]
    inspections = [(place, rng.randint(1, HIVES), _day(rng, 2024, 2025), min(int(rng.expovariate(0.16)), 40), rng.choice(NOTES) if rng.random() < 0.6 else None)
                   for place in range(1, 151)]  # fmt: skip
    weights = rng.sample(range(15, 320), 90)
    harvests = [(place, rng.randint(UNHARVESTED + 1, HIVES), _day(rng, 2024, 2025), rng.choice(FLOWERS), weight / 10) for place, weight in enumerate(weights, 1)]
    apiaries = [(place, *told) for place, told in enumerate(APIARIES, 1)]
    return {"apiary": apiaries, "hive": hives, "inspection": inspections, "harvest": harvests}


def _day(rng: random.Random, first: int, last: int) -> str:
    """A day between April and September."""
    return str(date(rng.randint(first, last), 4, 1) + timedelta(days=rng.randint(0, 182)))


def write(path: Path) -> None:
    """The file, in place of one that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(TABLES)
        for table, rows in make().items():
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        connection.commit()
        connection.execute("VACUUM")


if __name__ == "__main__":
    write(FILE)
    print(FILE.name, FILE.stat().st_size // 1024, "kB")
