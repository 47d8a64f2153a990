"""Perturbed copies: every one of them keeps the declared keys, whatever the queries and the seed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finer.fuzz import ground, instances, read_source
from finer.fuzz.hints import joined_links, neighbours, read_hints
from finer.schema import DataError, MissingDataError

# name: script. Each holds a kind of key or of column that a copy could get wrong.
DATABASES = {
    "a chain of keys": """
        CREATE TABLE country (code TEXT PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE city (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL REFERENCES country);
        CREATE TABLE shop (id INT PRIMARY KEY, city INTEGER REFERENCES city (id), size REAL, opened TEXT);
        INSERT INTO country VALUES ('FR', 'France'), ('ES', 'Spain'), ('PE', 'Peru');
        INSERT INTO city VALUES (1, 'Lyon', 'FR'), (2, 'Nice', 'FR'), (3, 'Vigo', 'ES'), (4, 'Lima', 'PE');
        INSERT INTO shop VALUES (1, 1, 20.5, '2019-01-31'), (2, 1, 30.0, '2020-12-01'), (3, 4, 12.0, NULL);""",
    "a key of two columns, of which both refer": """
        CREATE TABLE singer (id INT PRIMARY KEY, name TEXT);
        CREATE TABLE concert (id INT PRIMARY KEY, year TEXT);
        CREATE TABLE sings (singer TEXT, concert INT, PRIMARY KEY (singer, concert),
                            FOREIGN KEY (singer) REFERENCES singer (id), FOREIGN KEY (concert) REFERENCES concert (id));
        INSERT INTO singer VALUES (1, 'Ada'), (2, 'Bo'), (3, 'Cy');
        INSERT INTO concert VALUES (1, '2014'), (2, '2015');
        INSERT INTO sings VALUES ('1', 1), ('1', 2), ('2', 1);""",
    "a reference of two columns": """
        CREATE TABLE flight (airline TEXT, number INTEGER, seats INTEGER, PRIMARY KEY (airline, number));
        CREATE TABLE booking (id INTEGER PRIMARY KEY, airline TEXT, number INTEGER, price REAL,
                              FOREIGN KEY (airline, number) REFERENCES flight (airline, number));
        INSERT INTO flight VALUES ('AF', 1, 100), ('AF', 2, 90), ('IB', 1, 180);
        INSERT INTO booking VALUES (1, 'AF', 1, 20), (2, 'AF', 1, 25), (3, 'IB', 1, 30);""",
    "a table that refers to itself": """
        CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, boss INTEGER REFERENCES person (id), age INTEGER);
        INSERT INTO person VALUES (1, 'Ada', NULL, 60), (2, 'Bo', 1, 40), (3, 'Cy', 1, 41), (4, 'Di', 2, 25);""",
    "a check, a generated column and no rowid": """
        CREATE TABLE item (code TEXT PRIMARY KEY, price REAL CHECK (price > 0), twice REAL AS (price * 2), stock INTEGER NOT NULL) WITHOUT ROWID;
        CREATE UNIQUE INDEX one_stock ON item (stock);
        INSERT INTO item (code, price, stock) VALUES ('a', 1.5, 3), ('b', 2.0, 4), ('c', 9.0, 0);""",
    "names that need quotes": """
        CREATE TABLE "order" ("unit price" REAL, "select" INTEGER PRIMARY KEY, 'it''s' BLOB);
        INSERT INTO "order" VALUES (1.0, 1, x'00ff'), (2.0, 2, NULL);""",
    "an empty table": "CREATE TABLE void (id INTEGER PRIMARY KEY, word TEXT);",
}
QUERIES = (
    "SELECT name FROM city WHERE country = 'FR' AND id > 2",
    "SELECT count(*) FROM shop JOIN city ON shop.city = city.id WHERE city.id = 4 GROUP BY city.country HAVING count(*) > 1",
    "SELECT singer FROM sings WHERE singer = '2' AND concert >= 1",
    "SELECT * FROM booking, flight WHERE booking.airline = flight.airline AND flight.number = 2 AND price BETWEEN 20 AND 25",
    "SELECT name FROM person WHERE boss = 1 OR id IN (3, 4)",
    "SELECT code FROM item WHERE price < -1 AND stock = 'x'",
    'SELECT "unit price" FROM "order" WHERE "select" = 2.5',
    "not SQL ( at all",
)


def make(folder, script):
    path = folder / "made.sqlite"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    return {name: read_source(make(folder, script)) for name, script in DATABASES.items()}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(DATABASES)), sqls=st.lists(st.sampled_from(QUERIES), max_size=3), seed=st.integers(0, 10**6), nulls=st.booleans())
def test_every_copy_keeps_the_keys(sources, name, sqls, seed, nulls):
    source = sources[name]
    for instance in islice(instances(ground(source, sqls), seed, nulls), 8):
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(instance.content)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            for table, form in source.forms.items():
                columns = ", ".join('"' + column.replace('"', '""') + '"' for column in form.columns)
                rows = connection.execute(f'SELECT {columns} FROM "{table}"').fetchall()
                assert sorted(map(repr, rows)) == sorted(map(repr, instance.rows[table])), "the rows told are the rows written"
                assert not any(row[place] is None for row in rows for place in form.not_null)
            for link in source.links:
                assert link.nullable or not any(row[place] is None for row in instance.rows[link.table] for place in link.columns)


def test_a_seed_means_one_thing(sources):
    on = ground(sources["a chain of keys"], QUERIES[:2])
    first, second = (list(islice(instances(on, 7, nulls=True), 20)) for _ in range(2))
    assert first == second
    assert len({instance.content for instance in first}) > 10


def test_copies_are_small_and_what_was_done_is_told(sources):
    on = ground(sources["a chain of keys"], QUERIES[:2])
    for instance in islice(instances(on, 0), 60):
        assert max(map(len, instance.rows.values())) <= 60
        assert {each.kind for each in instance.perturbations} <= {
            "subset", "empty", "literal", "redraw", "tie", "twin", "relink", "shift", "group", "swap"
        }  # fmt: skip
        assert all(each.table in on.source.forms for each in instance.perturbations)


def test_nulls_only_on_demand(sources):
    on = ground(sources["a chain of keys"], QUERIES[1:2])
    holds = {nulls: any(None in row for each in islice(instances(on, 1, nulls), 60) for row in each.rows["city"]) for nulls in (False, True)}
    assert holds == {False: False, True: False}, "city has no column that may be NULL"
    holds = {nulls: sum(row[2] is None for each in islice(instances(on, 1, nulls), 60) for row in each.rows["shop"]) for nulls in (False, True)}
    assert holds[False] == 0 < holds[True]


def test_what_breaks_a_key_in_the_file_may_break_it_again(tmp_path):
    source = read_source(
        make(
            tmp_path,
            """CREATE TABLE airport (code TEXT PRIMARY KEY, city TEXT);
               CREATE TABLE flight (id INTEGER PRIMARY KEY, start TEXT REFERENCES airport (code), goal TEXT REFERENCES airport (code));
               INSERT INTO airport VALUES ('LYS', 'Lyon'), ('VGO', 'Vigo');
               INSERT INTO flight VALUES (1, ' LYS', 'VGO'), (2, ' VGO', 'LYS'), (3, ' LYS', NULL);""",
        )
    )
    start, goal = sorted(source.links, key=lambda link: link.columns)
    assert (start.nullable, start.dangling) == (False, {(" LYS",), (" VGO",)})
    assert (goal.nullable, goal.dangling) == (True, frozenset())
    kept = source.repaired({"flight": [(1, " LYS", "VGO"), (2, " VGO", None), (3, "XXX", None), (4, None, None)], "airport": []})
    assert kept["flight"] == [(2, " VGO", None)]


def test_children_go_with_their_parents(sources):
    source = sources["a chain of keys"]
    rows = dict(source.rows) | {"country": [row for row in source.rows["country"] if row[0] != "PE"]}
    kept = source.repaired(rows)
    assert [row[0] for row in kept["city"]] == [1, 2, 3] and [row[0] for row in kept["shop"]] == [1, 2]


def test_a_large_table_is_read_in_part_with_the_rows_it_refers_to(tmp_path):
    path = make(
        tmp_path,
        """CREATE TABLE parent (id INTEGER PRIMARY KEY, word TEXT);
           CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id));""",
    )
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO parent VALUES (?, 'w')", [(number,) for number in range(5000)])
        connection.executemany("INSERT INTO child VALUES (?, ?)", [(number, 4999 - number) for number in range(3000)])
    source = read_source(path)
    assert len(source.rows["child"]) == 2000 and source.links[0].dangling == frozenset()
    assert source.repaired(source.rows)["child"] == source.rows["child"]


def test_hints(sources):
    source = sources["a chain of keys"]
    hints = read_hints(source, ['SELECT T2.name FROM shop AS T1 JOIN city AS T2 ON T1.city = T2.id WHERE T2.country = "FR" AND size > -2 GROUP BY T2.id HAVING count(*) > 3'])
    assert hints.tables == ["city", "shop"]
    assert hints.literals["city", 2] == ["FR"] and hints.literals["shop", 2] == [-2]
    assert hints.counts == [3] and hints.groups == [("city", 0)]
    assert hints.joins == [(("shop", 1), ("city", 0))]


def test_joins_of_the_gold_are_believed_where_the_file_keeps_them(tmp_path):
    script = """CREATE TABLE airline (uid INTEGER PRIMARY KEY, name TEXT);
                CREATE TABLE flight (airline INTEGER, number INTEGER, PRIMARY KEY (airline, number));
                INSERT INTO airline VALUES (1, 'A'), (2, 'B');
                INSERT INTO flight VALUES (1, 10), (2, 10);"""
    gold = "SELECT name FROM airline JOIN flight ON airline.uid = flight.airline"
    (link,) = joined_links(read_source(make(tmp_path, script)), [gold])
    assert (link.table, link.columns, link.parent, link.parent_columns) == ("flight", (0,), "airline", (0,))
    assert joined_links(read_source(make(tmp_path, script + "INSERT INTO flight VALUES (3, 1);")), [gold]) == ()


@pytest.mark.parametrize("value", [0, -3, 2.5, "", "%", "2014", "2019-12-31", "Ann", "%an_", "x" * 50])
def test_neighbours_begin_with_the_value_and_keep_its_kind(value):
    found = neighbours(value)
    assert found[0] == (value.replace("%", "") if isinstance(value, str) and set("%_") & set(value) else value)
    assert all(isinstance(each, str) == isinstance(value, str) for each in found)


def test_a_file_that_is_no_database_is_named(tmp_path):
    with pytest.raises(MissingDataError, match="nowhere"):
        read_source(tmp_path / "nowhere.sqlite")
    (tmp_path / "text.sqlite").write_text("no database, but some text that is long enough to be looked at" * 20)
    with pytest.raises(DataError, match="text.sqlite"):
        read_source(tmp_path / "text.sqlite")
