"""Small folders in Spider's and BIRD's own layouts, written where a test asks for them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

SINGER = """
    CREATE TABLE singer (singer_id INTEGER PRIMARY KEY, name TEXT, age INT);
    CREATE TABLE song (song_id INTEGER PRIMARY KEY, singer_id INT REFERENCES singer (singer_id), title TEXT);
    INSERT INTO singer VALUES (1, 'Ada', 30), (2, 'Bo', 41);
    INSERT INTO song VALUES (1, 2, 'Rain');"""
SINGER_TABLES = {
    "db_id": "concert",
    "table_names_original": ["singer", "song"],
    "table_names": ["singer", "song"],
    "column_names_original": [[-1, "*"], [0, "singer_id"], [0, "name"], [0, "age"], [1, "song_id"], [1, "singer_id"], [1, "title"]],
    "column_names": [[-1, "*"], [0, "singer id"], [0, "name"], [0, "age"], [1, "song id"], [1, "singer id"], [1, "title"]],
    "column_types": ["text", "number", "text", "number", "number", "number", "text"],
    "primary_keys": [1, 4],
    "foreign_keys": [[5, 1]],
}
GONE_TABLES = SINGER_TABLES | {"db_id": "gone", "primary_keys": [[1, 2], 4]}
SPIDER_DEV = [
    {"db_id": "concert", "question": "How many singers?", "query": "SELECT count(*) FROM singer"},
    {"db_id": "gone", "question": "Who is over 30, by age?", "query": "SELECT name, age FROM singer WHERE age > 30 ORDER BY age"},
    {"db_id": "concert", "question": "Hm?", "query": "SELECT FROM WHERE"},
]
SPIDER_TRAIN = [{"db_id": "concert", "question": "All songs?", "query": "SELECT title FROM song"}]
BIRD_DEV = [
    {"question_id": 0, "db_id": "concert", "question": "How many adults?", "evidence": "adult means age > 17",
     "SQL": "SELECT count(*) FROM singer WHERE age > 17", "difficulty": "simple"},
    {"question_id": 1, "db_id": "gone", "question": "Any?", "evidence": "", "SQL": "SELECT 1", "difficulty": "challenging"},
]  # fmt: skip
DESCRIPTION = (
    "original_column_name,column_name,column_description,data_format,value_description\n"
    'name,,"the singer’s name",text,\n'
    'AGE ,,in years,integer,"0 or\nempty: not known"\n'
    "singer_id,,,integer,\n"
)
MEANINGS = {
    "concert|singer|age": "#The age<|im_end|>",
    "concert|song|title": "#The title.\n#Never empty.",
    "gone|singer|name": "# 'Who sings'",
}


def write_database(home: Path, db_id: str, instance: str = "", sql: str = SINGER) -> Path:
    """One SQLite file in its folder."""
    folder = home / db_id
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{instance or db_id}.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(sql)
    connection.close()
    return path


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_spider(folder: Path) -> Path:
    """Spider with the database ``concert`` in three instances and without the file of ``gone``."""
    write_json(folder / "dev.json", SPIDER_DEV)
    write_json(folder / "train_spider.json", SPIDER_TRAIN)
    write_json(folder / "tables.json", [SINGER_TABLES, GONE_TABLES])
    for instance in ("concert", "concertv10", "concertv9"):
        write_database(folder / "database", "concert", instance)
    return folder


def write_bird(folder: Path) -> Path:
    """BIRD with the database ``concert``, described, and without the file of ``gone``."""
    write_json(folder / "dev.json", BIRD_DEV)
    write_json(folder / "mini_dev_sqlite.json", [BIRD_DEV[1], BIRD_DEV[0]])
    write_json(folder / "dev_tables.json", [SINGER_TABLES, GONE_TABLES])
    write_json(folder / "column_meaning.json", MEANINGS)
    write_database(folder / "dev_databases", "concert")
    description = folder / "dev_databases/concert/database_description/Singer.csv"
    description.parent.mkdir()
    description.write_text(DESCRIPTION, encoding="utf-8-sig")
    return folder
