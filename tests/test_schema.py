"""What is read from an SQLite file, and its two renderings."""

from __future__ import annotations

import doctest
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import finer.schema
from finer.schema import RESERVED, DataError, MissingDataError, quote, read_schema, render_compact, render_ddl

DDL = """
CREATE TABLE author (author_id INTEGER PRIMARY KEY, name TEXT NOT NULL, mentor INT REFERENCES author(AUTHOR_ID));
CREATE TABLE book (book_id INTEGER PRIMARY KEY, author_id INT REFERENCES Author, "unit price" REAL, isbn TEXT UNIQUE,
                   "order" INT, blob BLOB, gone INT REFERENCES nowhere(id));
CREATE TABLE wrote (author_id INT, book_id INT, PRIMARY KEY (author_id, book_id),
                    FOREIGN KEY (author_id) REFERENCES author, FOREIGN KEY (book_id) REFERENCES book(book_id));
CREATE VIEW cheap AS SELECT * FROM book;
INSERT INTO author VALUES (1, 'Ada', NULL), (2, 'Bo', 1), (3, 'Bo', 1), (4, 'O''Hara
of the long, long, long, long, long, long name', 1);
INSERT INTO book VALUES (1, 1, 9.5, 'a', 1, x'00ff', NULL);
"""


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "shelf #1%.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(DDL)
    connection.close()
    return path


def test_tables_keys_and_samples_are_read(database):
    schema = read_schema(database, "library")
    assert (schema.db_id, [table.name for table in schema.tables]) == ("library", ["author", "book", "wrote"])
    author, book = schema.table("AUTHOR"), schema.table("book")
    assert author.column("Author_ID").primary_key and author.column("author_id").not_null
    assert author.column("name").samples[:2] == ("Ada", "Bo")
    assert author.column("mentor").samples == (1,)
    assert book.column("isbn").unique and not book.column("order").unique
    assert book.column("blob").samples == (b"\x00\xff",)
    assert schema.table("wrote").primary_key == ("author_id", "book_id")
    assert not schema.table("wrote").column("author_id").unique


def test_links_take_the_spelling_of_the_table_they_refer_to(database):
    assert read_schema(database).keys == (
        (("author", "mentor"), ("author", "author_id")),
        (("book", "author_id"), ("author", "author_id")),
        (("wrote", "author_id"), ("author", "author_id")),
        (("wrote", "book_id"), ("book", "book_id")),
    )


def test_compact_form_is_what_a_policy_is_trained_on(database):
    schema = read_schema(database)
    assert render_compact(schema, ("book", "author")) == (
        'book(book_id, author_id -> author.author_id, "unit price", isbn, "order", blob, gone)\n'
        "author(author_id, name, mentor -> author.author_id)"
    )
    assert render_compact(schema, ("wrote",)) == "wrote(author_id, book_id)", "a link to a table not shown is left out"


def test_ddl_is_sql_that_makes_the_same_tables(database, tmp_path):
    schema = read_schema(database)
    text = render_ddl(schema)
    assert "name TEXT NOT NULL,  -- 'Ada', 'Bo', 'O''Hara of the long, long, long, long, l…'" in text
    again = tmp_path / "again.sqlite"
    connection = sqlite3.connect(again)
    connection.executescript(text)
    connection.close()
    assert read_schema(again).keys == schema.keys
    assert render_compact(read_schema(again)) == render_compact(schema)


@pytest.mark.parametrize("call", ["table", "column", "render"])
def test_unknown_names_say_what_there_is(database, call):
    schema = read_schema(database, "library")
    with pytest.raises(KeyError, match="author"):
        {
            "table": schema.table,
            "column": schema.table("author").column,
            "render": lambda n: render_compact(schema, (n,)),
        }[call]("pets")


def test_files_that_cannot_be_used(tmp_path, database):
    with pytest.raises(MissingDataError, match="no database file"):
        read_schema(tmp_path / "missing.sqlite")
    text = tmp_path / "text.sqlite"
    text.write_text("this is no database " * 100)
    with pytest.raises(DataError, match="not a readable SQLite database"):
        read_schema(text)
    (tmp_path / f"{database.name}-wal").write_bytes(b"newer")
    with pytest.raises(DataError, match="wal_checkpoint"):
        read_schema(database)


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_reserved_words_are_quoted(word):
    assert quote(word.lower()) == f'"{word.lower()}"'


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12))
def test_sqlite_reads_back_any_quoted_name(name):
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE {quote('t' + name)} (id, {quote('c' + name)})")
    rows = connection.execute(f"SELECT {quote('c' + name)} FROM {quote('t' + name)}")
    assert rows.description[0][0] == "c" + name


@pytest.mark.parametrize("word", ["abort", "key", "left", "match", "of", "row", "window", "year", "date", "offset"])
def test_words_that_sqlite_takes_bare_stay_bare(word):
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE {quote(word)} ({quote(word)} INT)")
    connection.execute(f"SELECT {quote(word)}.{quote(word)} FROM {quote(word)}")
    assert quote(word) == word


def test_the_examples_in_the_docstrings():
    found = doctest.testmod(finer.schema)
    assert found.attempted and not found.failed
