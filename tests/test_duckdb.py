"""DuckDB files behind the sandbox, the schema and the folder loader: what runs, what is refused, what a value becomes."""

from __future__ import annotations

import json
import math
import os
import shutil
import sqlite3
import subprocess
import sys

import duckdb
import pytest

from finer.datasets import load_dataset
from finer.judge import Judge
from finer.sandbox import Limits, Sandbox
from finer.schema import Column, DataError, MissingDataError, engine_of, read_schema, render_compact

SHOP = """
    CREATE TABLE author (author_id INTEGER PRIMARY KEY, name VARCHAR NOT NULL UNIQUE, born DATE);
    CREATE TABLE book (book_id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES author (author_id), "unit price" DECIMAL(10,2), tags VARCHAR[]);
    CREATE SEQUENCE numbers;
    INSERT INTO author VALUES (1, 'Ada', '1815-12-10'), (2, 'Bo', NULL);
    INSERT INTO book VALUES (1, 1, 1.50, ['x', 'y']), (2, 2, 3, NULL);
    CREATE VIEW names AS SELECT name FROM author;
    CREATE SCHEMA other; CREATE TABLE other.author (x INTEGER);"""


def write(path, sql=SHOP):
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)
    return path


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return write(tmp_path_factory.mktemp("duck") / "shop.duckdb")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(limits=Limits(seconds=0.5, rows=1000, megabytes=128)) as sandbox:
        yield sandbox


RUN = {
    "a table": ("SELECT author_id, name FROM author ORDER BY 1", ((1, "Ada"), (2, "Bo"))),
    "FROM first": ("FROM author SELECT name WHERE author_id = 2", (("Bo",),)),
    "a view": ("SELECT count(*) FROM names", ((2,),)),
    "WITH": ("WITH one AS (SELECT 1 AS x) SELECT x FROM one", ((1,),)),
    "VALUES": ("VALUES (1), (2)", ((1,), (2,))),
    "recursion that ends": ("WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t WHERE x < 3) SELECT * FROM t", ((1,), (2,), (3,))),
    "two columns of one name": ("SELECT 1 AS a, 2 AS a", ((1, 2),)),
    "a comment and a semicolon after it": ("SELECT 1; -- done\n;", ((1,),)),
    "brackets and a comment before it": ("/* é; */ (SELECT ';')", ((";",),)),
    "LIKE minds case, as DuckDB has it": ("SELECT name FROM author WHERE name LIKE 'a%'", ()),
    "a query of queries": ("SELECT * FROM query('SELECT 7')", ((7,),)),
    "SHOW": ("SHOW TABLES", (("author",), ("book",), ("names",))),
}


@pytest.mark.parametrize("name", RUN)
def test_what_runs(name, shop, sandbox):
    sql, rows = RUN[name]
    execution = sandbox.execute(shop, sql)
    assert (execution.status, execution.rows, execution.error) == ("ok" if rows else "empty", rows, "")


VALUES = {
    "NULL": ("NULL", None),
    "a truth": ("true", True),
    "a number of 38 digits": ("12345678901234567890123456789012345678::HUGEINT", 12345678901234567890123456789012345678),
    "a DECIMAL": ("1.50::DECIMAL(10,2)", 1.5),
    "a DECIMAL that no float prints as": ("1234567890.1234567890::DECIMAL(30,10)", "1234567890.1234567890"),
    "a float of 32 bits": ("0.1::FLOAT", 0.10000000149011612),
    "infinity": ("'inf'::DOUBLE", math.inf),
    "text": ("'é😀'", "é😀"),
    "a blob": ("'\\xAA'::BLOB", b"\xaa"),
    "bits": ("'101'::BIT", "101"),
    "a date": ("DATE '2020-01-31'", "2020-01-31"),
    "an infinite date": ("'infinity'::DATE", "infinity"),
    "a time": ("TIME '10:00:00.5'", "10:00:00.5"),
    "a timestamp": ("TIMESTAMP '2020-01-01 00:00:00'", "2020-01-01 00:00:00"),
    "a timestamp of nanoseconds": ("'2020-01-01 00:00:00.123456789'::TIMESTAMP_NS", "2020-01-01 00:00:00.123456789"),
    "a timestamp with a zone, in UTC": ("TIMESTAMPTZ '2020-01-01 00:00:00+02'", "2019-12-31 22:00:00+00"),
    "an interval": ("INTERVAL 1 MONTH", "1 month"),
    "a list": ("[1, NULL]", "[1, NULL]"),
    "a struct": ("{'a': 1, 'b': DATE '2020-01-01'}", "{'a': 1, 'b': 2020-01-01}"),
    "a UUID": ("'00000000-0000-0000-0000-00000000000a'::UUID", "00000000-0000-0000-0000-00000000000a"),
}


@pytest.mark.parametrize("name", VALUES)
def test_what_a_value_becomes(name, shop, sandbox):
    sql, value = VALUES[name]
    (row,) = sandbox.execute(shop, f"SELECT {sql} AS v, 1 AS one ORDER BY 1; -- done").rows
    assert row == (value, 1) and type(row[0]) is type(value)


def test_casting_keeps_order_and_names(shop, sandbox):
    execution = sandbox.execute(shop, "SELECT DATE '2020-01-01' + i::INTEGER AS day, i FROM range(500) t(i) ORDER BY i DESC")
    assert execution.columns == ("day", "i") and [row[1] for row in execution.rows] == list(range(499, -1, -1))


REFUSED = {
    "nothing": (";", "no SQL"),
    "two statements": ("SELECT 1; SELECT 2", "more than one statement"),
    "a write after a query": ("SELECT 1; DELETE FROM book", "more than one statement"),
    "INSERT": ("INSERT INTO author VALUES (9, 'x', NULL)", "INSERT is not a query; only reading is allowed"),
    "UPDATE": ("UPDATE author SET name = 'x'", "UPDATE is not a query"),
    "DELETE": ("DELETE FROM author", "DELETE is not a query"),
    "MERGE": ("MERGE INTO author USING author b ON true WHEN MATCHED THEN DELETE", "is not a query"),
    "DROP": ("DROP TABLE author", "DROP is not a query"),
    "CREATE": ("CREATE TABLE t (x INTEGER)", "CREATE is not a query"),
    "CREATE TEMP": ("CREATE TEMP TABLE t AS SELECT 1", "CREATE is not a query"),
    "CREATE MACRO": ("CREATE MACRO f(x) AS x", "CREATE is not a query"),
    "CREATE SECRET": ("CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')", "not a query"),
    "ALTER": ("ALTER TABLE author ADD COLUMN x INTEGER", "ALTER is not a query"),
    "ATTACH": ("ATTACH 'stolen.duckdb'", "ATTACH is not a query"),
    "DETACH": ("DETACH shop", "DETACH is not a query"),
    "USE": ("USE other", "SET is not a query"),
    "COPY": ("COPY author TO 'stolen.csv'", "COPY is not a query"),
    "COPY of a query": ("COPY (SELECT 1) TO '/dev/stdout'", "COPY is not a query"),
    "EXPORT": ("EXPORT DATABASE 'stolen'", "EXPORT is not a query"),
    "IMPORT": ("IMPORT DATABASE 'stolen'", "not a query"),
    "INSTALL": ("INSTALL httpfs", "LOAD is not a query"),
    "LOAD": ("LOAD 'evil.duckdb_extension'", "LOAD is not a query"),
    "PRAGMA": ("PRAGMA database_list", "not a query"),
    "SET": ("SET memory_limit = '100GB'", "SET is not a query"),
    "RESET": ("RESET memory_limit", "not a query"),
    "CALL": ("CALL pragma_version()", "CALL is not a query"),
    "CHECKPOINT": ("FORCE CHECKPOINT", "CALL is not a query"),
    "VACUUM": ("VACUUM", "VACUUM is not a query"),
    "BEGIN": ("BEGIN", "TRANSACTION is not a query"),
    "PREPARE": ("PREPARE p AS SELECT 1", "PREPARE is not a query"),
    "EXECUTE": ("EXECUTE p", "EXECUTE is not a query"),
    "EXPLAIN ANALYZE": ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN is not a query"),
    "PIVOT that makes a type": ("PIVOT author ON name USING count(*)", "several statements in one is not a query"),
    "INSERT in a WITH": ("WITH a AS (INSERT INTO author VALUES (9, 'z', NULL) RETURNING *) SELECT * FROM a", "read-only"),
    "nextval": ("SELECT nextval('numbers')", "read-only"),
    "a file as CSV": ("SELECT * FROM read_csv('/etc/passwd')", "file system operations are disabled"),
    "a file as text": ("SELECT * FROM read_text('/etc/passwd')", "file system operations are disabled"),
    "a file as bytes": ("SELECT * FROM read_blob('/proc/self/environ')", "file system operations are disabled"),
    "a sniffed file": ("FROM sniff_csv('/etc/passwd')", "file system operations are disabled"),
    "a list of files": ("SELECT * FROM glob('/*')", "file system operations are disabled"),
    "a log into a file": ("SELECT * FROM enable_logging(storage='file', storage_path='logs')", "locked"),
    "settings by a table function": ("SELECT * FROM enable_profiling()", "locked"),
    "a NUL character": ("SELECT 1\0", "NUL"),
    "half a surrogate pair": ("SELECT '\ud800'", "half a surrogate pair"),
    "10 MB of text": ("SELECT '" + "x" * 10_000_000 + "'", "characters, and"),
}  # fmt: skip

ERRORS = {
    "no SQL at all": ("please tell me", "Parser Error"),
    "unknown table": ("SELECT * FROM nothing", "Catalog Error: Table with name nothing does not exist!"),
    "a file named as a table": ("SELECT * FROM '/etc/passwd'", "does not exist"),
    "a variable of the program": ("SELECT * FROM sandbox_worker", "does not exist"),
    "the environment": ("SELECT getenv('HOME')", "getenv does not exist"),
    "another engine's file": ("SELECT * FROM sqlite_scan('a.db', 't')", "sqlite_scan"),
    "a parameter": ("SELECT ?", "parameters"),
    "deep nesting": ("SELECT " + "(" * 9000 + "1" + ")" * 9000, ""),
    "a deep chain": ("SELECT " + "+".join(["1"] * 9000), ""),
    "deep subqueries": ("(SELECT " * 1200 + "1" + ")" * 1200, ""),
    "an endless comment": ("SELECT 1 /* ", "unterminated"),
}

BOUNDS = {
    "a cross join": ("SELECT count(*) FROM range(100000) a, range(1000000000) b WHERE a.range + b.range < -1", "timeout"),
    "distinct sums": ("SELECT count(DISTINCT a.range + b.range) FROM range(100000) a, range(100000) b", "timeout"),
    "endless recursion": ("WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT max(x) FROM t", "timeout"),
    "endless recursion, rows shown": ("WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT * FROM t", "too_large"),
    "a million million rows": ("SELECT * FROM range(1000000000000)", "too_large"),
    "a long text": ("SELECT repeat('x', 1000000000)", "too_large or timeout"),
    "many long texts": ("SELECT repeat('x', 1000000) FROM range(100)", "too_large or timeout"),
    "padding": ("SELECT lpad('', 2000000000, 'x')", "too_large or timeout"),
    "a long list": ("SELECT list_sum(range(0, 100000000))", "too_large or timeout"),
    "a list gathered": ("SELECT list(range) FROM range(100000000)", "too_large or timeout"),
    "a text gathered": ("SELECT string_agg(range::VARCHAR, ',') FROM range(100000000)", "too_large or timeout"),
    "a sort": ("SELECT * FROM range(100000000) t(x) ORDER BY hash(x) LIMIT 1 OFFSET 50000000", "too_large or timeout"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name, shop, sandbox):
    sql, reason = REFUSED[name]
    execution = sandbox.execute(shop, sql)
    assert execution.status == "refused" and reason in execution.error


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_an_error(name, shop, sandbox):
    sql, message = ERRORS[name]
    execution = sandbox.execute(shop, sql)
    assert execution.status in (("error",) if message else ("error", "too_large", "ok")) and message in execution.error


@pytest.mark.parametrize("name", BOUNDS)
def test_what_meets_a_bound(name, shop, sandbox):
    sql, status = BOUNDS[name]
    execution = sandbox.execute(shop, sql)
    assert execution.status in status.split(" or "), execution.error
    assert sandbox.execute(shop, "SELECT 1").rows == ((1,),), "the next statement is none the worse"


def test_nothing_changes_a_byte(tmp_path, sandbox):
    path = write(tmp_path / "shop.duckdb")
    before = path.read_bytes()
    for sql, _ in [*REFUSED.values(), *ERRORS.values()]:
        sandbox.execute(path, sql)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["shop.duckdb"]


def test_one_long_call_is_ended_with_its_process(shop):
    """The distance of two long texts is one call that never looks whether it should stop."""
    with Sandbox(limits=Limits(seconds=0.2)) as sandbox:
        execution = sandbox.execute(shop, "SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))")
        assert execution.status == "timeout" and execution.error.startswith("killed after")
        assert sandbox.execute(shop, "SELECT 1").rows == ((1,),)


def test_both_engines_in_one_sandbox(shop, tmp_path):
    path = tmp_path / "shop.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    jobs = [(path, "SELECT sqlite_version() LIKE '3%'"), (shop, "SELECT version() LIKE 'v%'")] * 4
    with Sandbox(workers=2) as sandbox:
        assert [execution.rows for execution in sandbox.execute_many(jobs)] == [((1,),), ((True,),)] * 4


def test_a_file_that_is_rewritten_is_read_anew(tmp_path, sandbox):
    path = write(tmp_path / "a.duckdb", "CREATE TABLE t AS SELECT 1 AS x")
    assert sandbox.execute(path, "FROM t").rows == ((1,),)
    os.replace(write(tmp_path / "b.duckdb", "CREATE TABLE t AS SELECT 2 AS x"), path)
    assert sandbox.execute(path, "FROM t").rows == ((2,),)


def test_what_an_engine_is_told_by(shop, tmp_path):
    other = shutil.copy(shop, tmp_path / "shop.db")
    (tmp_path / "empty.db").write_bytes(b"")
    assert [engine_of(path) for path in (shop, other, "nowhere.DuckDB", tmp_path / "empty.db")] == ["duckdb", "duckdb", "duckdb", "sqlite"]


def test_the_schema(shop):
    schema = read_schema(shop)
    assert schema.db_id == "shop"
    assert render_compact(schema) == 'author(author_id, name, born)\nbook(book_id, author_id -> author.author_id, "unit price", tags)'
    assert schema.table("author").columns == (
        Column("author_id", "INTEGER", True, True, True, None, (1, 2)),
        Column("name", "VARCHAR", False, True, True, None, ("Ada", "Bo")),
        Column("born", "DATE", False, False, False, None, ("1815-12-10",), has_null=True),
    )
    book = schema.table("book")
    assert book.column("unit price").samples == (1.5, 3.0) and book.column("tags").samples == ("[x, y]",)


def test_a_schema_that_cannot_be_read(tmp_path):
    with pytest.raises(MissingDataError, match="no database file"):
        read_schema(tmp_path / "nowhere.duckdb")
    (tmp_path / "text.duckdb").write_text("no database " * 999)
    with pytest.raises(DataError, match=r"text.duckdb' cannot be read as a DuckDB database: .*; close what writes it"):
        read_schema(tmp_path / "text.duckdb")


def test_a_folder_of_duckdb_files(tmp_path):
    write(tmp_path / "shop.duckdb")
    question = {"db_id": "shop", "question": "All authors?", "gold": "FROM author SELECT name", "tables": ["author"]}
    (tmp_path / "questions.json").write_text(json.dumps([question]), encoding="utf-8")
    dataset = load_dataset(tmp_path)
    with Judge(dataset.databases) as judge:
        verdicts = judge.judge(dataset.questions[0], ["SELECT name FROM author", "SELECT 'Ada'"])
    assert [verdict.correct for verdict in verdicts] == [True, False]


def test_the_schema_module_does_not_load_duckdb():
    code = "import sys, finer.schema, finer.sandbox, finer.datasets; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_gold_in_duckdb_s_own_form_is_taken_whatever_the_file_is_called(tmp_path):
    write(tmp_path / "shop.db")
    line = {"db_id": "shop", "question": "Who is there?", "gold": ["FROM author SELECT name"]}
    (tmp_path / "questions.jsonl").write_text(json.dumps(line) + "\n")
    dataset = load_dataset(tmp_path)
    with Judge(dataset.databases) as judge:
        assert judge.judge(dataset.questions[0], ["SELECT name FROM author"])[0].correct is True
