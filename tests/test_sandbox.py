"""Hostile, heavy and malformed statements: each gets its status, and nothing is changed."""

from __future__ import annotations

import doctest
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import finer.sandbox
from finer.sandbox import MAXIMUM_CHARACTERS, Limits, Sandbox, SandboxError, check_statement, engine_of, execute
from finer.schema import DataError, MissingDataError

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT {} FROM n"
ONE_LONG_CALL = "SELECT instr(hex(zeroblob(520000)), hex(zeroblob(260000)) || '1')"  # SQLite sees no clock inside it
CROSS = "book a, book b, book c, book d"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "library.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, price REAL)")
    connection.executemany("INSERT INTO book VALUES (?, ?, ?)", [(i, f"Book {i}", i / 10) for i in range(1, 41)])
    connection.execute("INSERT INTO book VALUES (41, CAST(x'ff41' AS TEXT), NULL)")
    connection.commit()
    connection.close()
    return path


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(limits=Limits(seconds=20, rows=1000, megabytes=16)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def hurried():
    with Sandbox(limits=Limits(seconds=0.2, megabytes=17)) as sandbox:
        yield sandbox


ACCEPTED = {
    "plain": "SELECT 1",
    "lower case": "select title from book",
    "trailing semicolon": "SELECT 1;",
    "semicolon and comment": "SELECT 1; -- done; really",
    "comment-led": "-- how many\n/* ; */ SELECT count(*) FROM book",
    "semicolon in quotes": "SELECT ';' AS \"a;b\", [id] FROM book WHERE `title` <> 'it''s; fine'",
    "common table": "WITH a AS (SELECT 1), b(x) AS NOT MATERIALIZED (SELECT 2) SELECT * FROM a, b",
    "common table with a verb's name": 'WITH "delete" AS (SELECT 1), replace AS (SELECT 2) SELECT * FROM "delete"',
    "recursive": ENDLESS.format("x") + " LIMIT 5",
    "values": "VALUES (1), (2)",
    "set operation": "SELECT id FROM book EXCEPT SELECT 1",
    "text that names a change": "SELECT 'DROP TABLE book'",
    "replace as a function": "SELECT replace(title, 'a', 'b') FROM book",
}
REFUSED = {
    "nothing": ("", "no SQL"),
    "only a comment": ("-- SELECT 1", "no SQL"),
    "only a semicolon": (";", "no SQL"),
    "only semicolons": ("; ;", "no SQL"),
    "two statements": ("SELECT 1; SELECT 2", "more than one"),
    "two semicolons": ("SELECT 1;;", "more than one"),
    "hidden second": ("SELECT 1 /* */ ; DROP TABLE book --", "more than one"),
    "drop": ("DROP TABLE book", "starts with DROP"),
    "comment-led delete": ("/* SELECT */ DELETE FROM book", "starts with DELETE"),
    "with delete": ("WITH a AS (SELECT 1) DELETE FROM book", "DELETE is not a query"),
    "with insert": ("WITH a(x) AS (VALUES (1)) INSERT INTO book SELECT x, x, x FROM a", "INSERT is not a query"),
    "with update": ("with a as (select 1), b as (select 2) update book set id = 1", "UPDATE is not a query"),
    "with nothing": ("WITH a AS (SELECT 1)", "not followed by a query"),
    "prose": ("I cannot answer that question.", "starts with I"),
    "prose with With": ("With this schema, it is (sadly) impossible", "not followed by a query"),
    "explain": ("EXPLAIN SELECT 1", "starts with EXPLAIN"),
    "pragma": ("PRAGMA writable_schema = 1", "starts with PRAGMA"),
    "attach": ("ATTACH '/tmp/x.db' AS x", "starts with ATTACH"),
    "fence": ("```sql\nSELECT 1\n```", "starts with ``"),
    "open quote": ("SELECT 'abc", "never closed"),
    "nul": ("SELECT 1\0; DROP TABLE book", "NUL"),
    "half a pair": ("SELECT '\ud800'", "surrogate"),
    "too long": ("SELECT " + "1 + " * 30_000 + "1", "characters"),
    "no text": (None, "not text but NoneType"),
    "bytes": (b"SELECT 1", "not text but bytes"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_one_query_is_accepted_and_runs(name, database, sandbox):
    assert check_statement(ACCEPTED[name]) == ""
    execution = sandbox.execute(database, ACCEPTED[name])
    assert execution.status == "ok", execution


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused_with_the_reason(name, database, sandbox):
    sql, reason = REFUSED[name]
    assert reason in check_statement(sql)
    execution = sandbox.execute(database, sql)
    assert (execution.status, execution.rows, execution.ran) == ("refused", (), False)
    assert reason in execution.error


OUTCOMES = {
    "no row": ("SELECT * FROM book WHERE id < 0", "empty", ""),
    "unknown column": ("SELECT pages FROM book", "error", "no such column: pages"),
    "syntax": ("SELECT FROM", "error", "syntax error"),
    "parameter": ("SELECT ?", "error", "bindings"),
    "deep nesting": ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "error", "overflow"),
    "deep expression": ("SELECT " + "1+" * 3000 + "1", "error", "too large"),
    "pragma as a table": ("SELECT * FROM pragma_table_info('book')", "refused", "only reading"),
    "extension": ("SELECT load_extension('x')", "refused", "load_extension"),
    "tokenizer pointer": ("SELECT fts3_tokenizer('simple', x'0000000000000000')", "refused", "fts3_tokenizer"),
    "cartesian product": (f"SELECT * FROM {CROSS}", "too_large", "more than 1000 rows"),
    "endless rows": (ENDLESS.format("x"), "too_large", "more than 1000 rows"),
    "large value": ("SELECT zeroblob(900000000)", "too_large", "1048576 bytes"),
    "large result": (f"SELECT hex(zeroblob(9999)) FROM {CROSS}", "too_large", "1048576 bytes"),
    "large sort": ("SELECT hex(zeroblob(400000)) AS x FROM book a, book b ORDER BY x", "too_large", "memory"),
    "large join of texts": ("SELECT group_concat(hex(zeroblob(999))) FROM book a, book b", "too_large", "too big"),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_bound_has_its_status_and_the_next_statement_is_unharmed(name, database, sandbox):
    sql, status, error = OUTCOMES[name]
    execution = sandbox.execute(database, sql)
    assert (execution.status, execution.rows) == (status, ())
    assert error in execution.error
    assert sandbox.execute(database, "SELECT count(*) FROM book").rows == ((41,),)


@pytest.mark.parametrize("sql, error", [(ENDLESS.format("count(*)"), "after 0.2 s"), (ONE_LONG_CALL, "killed")])
def test_time_is_bounded_also_inside_one_call(sql, error, database, hurried):
    execution = hurried.execute(database, sql)
    assert (execution.status, execution.rows) == ("timeout", ())
    assert error in execution.error
    # A busy machine may take a plain query past 0.2 s as well, so it gets several tries.
    assert any(hurried.execute(database, "SELECT count(*) FROM book").rows == ((41,),) for _ in range(20))


def test_values_keep_their_native_types(database, sandbox):
    sql = (
        "SELECT 9223372036854775807, 0.1, '', NULL, x'00ff', 1e999, id AS id, id AS id, 'a' LIKE 'A' FROM book LIMIT 1"
    )
    execution = sandbox.execute(database, sql)
    assert execution.rows == ((2**63 - 1, 0.1, "", None, b"\x00\xff", float("inf"), 1, 1, 1),)
    assert [type(value) for value in execution.rows[0][:5]] == [int, float, str, type(None), bytes]
    assert execution.columns[-3:-1] == ("id", "id"), "positions, so that equal names do not collapse"
    assert sandbox.execute(database, "SELECT title FROM book WHERE id = 41").rows == (("\ufffdA",),)
    assert sandbox.execute(database, "SELECT id FROM book WHERE id = 0").columns == ("id",)


def test_no_statement_leaves_a_trace_on_disk(database, sandbox):
    def state():
        return sorted(os.listdir(database.parent)), hashlib.sha256(database.read_bytes()).hexdigest()

    before = state()
    for sql, *_ in [*REFUSED.values(), *OUTCOMES.values()]:
        sandbox.execute(database, sql)
    assert state() == before


def test_the_authorizer_holds_even_where_the_reading_is_passed_by(database, sandbox, monkeypatch):
    monkeypatch.setattr("finer.sandbox.check_statement", lambda sql: "")
    for sql in ("DELETE FROM book", "WITH a AS (SELECT 1) DELETE FROM book", "CREATE TEMP TABLE x (a)", "VACUUM INTO 'x'",
                "ATTACH ':memory:' AS x", "PRAGMA user_version = 3", "BEGIN", "SELECT 1; SELECT 2", "ANALYZE"):  # fmt: skip
        assert sandbox.execute(database, sql).status == "refused", sql


def test_a_changed_file_is_read_anew(tmp_path, sandbox):
    path = tmp_path / "live.sqlite"
    for count in (1, 2, 3):
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE IF NOT EXISTS t (a)")
        connection.execute("INSERT INTO t VALUES (?)", ("x" * 5000 * count,))
        connection.commit()
        connection.close()
        assert sandbox.execute(path, "SELECT count(*) FROM t").rows == ((count,),)


def test_a_database_that_cannot_be_used_is_the_callers_fault(tmp_path, sandbox):
    with pytest.raises(MissingDataError, match="no database file"):
        sandbox.execute(tmp_path / "none.sqlite", "SELECT 1")
    (tmp_path / "text.sqlite").write_text("no database at all " * 99)
    execution = sandbox.execute(tmp_path / "text.sqlite", "SELECT 1")
    assert (execution.status, execution.error) == ("error", "file is not a database")
    (tmp_path / "text.sqlite-wal").write_text("newer")
    with pytest.raises(DataError, match="waiting"):
        sandbox.execute(tmp_path / "text.sqlite", "SELECT 1")


def test_many_statements_keep_their_order_over_several_processes(database):
    with Sandbox(workers=2, limits=Limits(seconds=60)) as sandbox:
        jobs = [(database, f"SELECT {i}") for i in range(60)]
        jobs[7], jobs[31] = (database, f"SELECT a.id FROM {CROSS}"), (database, "DROP TABLE book")
        results = sandbox.execute_many(jobs)
    assert [r.rows[0][0] for i, r in enumerate(results) if i not in (7, 31)] == [
        i for i in range(60) if i not in (7, 31)
    ]
    assert (results[7].status, results[31].status) == ("too_large", "refused")


def test_threads_may_share_one_process(database, sandbox):
    wrong = []

    def ask(number):
        for i in range(25):
            if sandbox.execute(database, f"SELECT {number}, {i}").rows != ((number, i),):
                wrong.append((number, i))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_killed_process_is_replaced(database):
    with Sandbox() as sandbox:
        sandbox.execute(database, "SELECT 1")
        os.kill(sandbox._workers[0].process.pid, signal.SIGKILL)
        assert sandbox.execute(database, "SELECT 1").status in ("ok", "too_large")
        assert sandbox.execute(database, "SELECT 1").rows == ((1,),)


def test_processes_end_with_the_sandbox(database):
    sandbox = Sandbox()
    sandbox.execute(database, "SELECT 1")
    process = sandbox._workers[0].process
    sandbox.close()
    sandbox.close()
    assert process.returncode is not None
    with pytest.raises(RuntimeError, match="closed"):
        sandbox.execute(database, "SELECT 1")


def test_processes_end_when_the_parent_is_killed(database):
    program = (
        "import sys, os; from finer.sandbox import Sandbox; s = Sandbox(); s.execute(sys.argv[1], 'SELECT 1');"
        "print(s._workers[0].process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    folder = os.path.dirname(os.path.dirname(finer.__file__))
    done = subprocess.run(
        [sys.executable, "-c", program, str(database)], capture_output=True, text=True, cwd=folder, check=False
    )
    worker = int(done.stdout)
    gone = threading.Event()
    for _ in range(200):
        try:
            with open(f"/proc/{worker}/stat") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    break
        except FileNotFoundError:
            break
        gone.wait(0.05)
    else:
        pytest.fail("the worker outlived its parent")


def test_one_off_execution_takes_a_path_or_a_database(database):
    assert execute(database, "SELECT count(*) FROM book").rows == ((41,),)
    main = finer.Database("library", (database,), None)
    assert finer.execute(main, "SELECT 1", Limits(rows=1)).rows == ((1,),)


@pytest.mark.parametrize("bound", [{"seconds": 0}, {"rows": -1}, {"megabytes": 0}])
def test_limits_must_be_above_zero(bound):
    with pytest.raises(ValueError, match="must be above 0"):
        Limits(**bound)
    with pytest.raises(ValueError, match="workers"):
        Sandbox(workers=0)


TEXT_ERRORS = {
    "replace": ("ok", (("\ufffdA",),), ""),
    "ignore": ("ok", (("A",),), ""),
    "strict": ("error", (), "Could not decode to UTF-8 column 'title'"),
}


@pytest.mark.parametrize("text_errors", TEXT_ERRORS)
def test_undecodable_text_is_read_as_told(text_errors, database):
    status, rows, error = TEXT_ERRORS[text_errors]
    with Sandbox(limits=Limits(text_errors=text_errors)) as sandbox:
        execution = sandbox.execute(database, "SELECT title FROM book WHERE id = 41")
        assert (execution.status, execution.rows) == (status, rows)
        assert error in execution.error
        assert sandbox.execute(database, "SELECT title FROM book WHERE id = 1").rows == (("Book 1",),)


def test_another_way_to_read_undecodable_text_is_refused():
    with pytest.raises(ValueError, match="text_errors must be one of replace, strict, ignore, not 'surrogateescape'"):
        Limits(text_errors="surrogateescape")


def test_large_results_come_back_whole_and_in_order(database, sandbox):
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {}) SELECT x, 'text ' || x, x / 2.0, NULL FROM n"
    for count in (1, 2, 3, 255, 256, 511, 512, 1000):
        rows = sandbox.execute(database, numbers.format(count)).rows
        assert rows == tuple((x, f"text {x}", x / 2, None) for x in range(1, count + 1))
    assert sandbox.execute(database, numbers.format(1001)).status == "too_large"


READING = {
    "JSON in rows": ("SELECT value FROM json_each('[1, 2]')", ((1,), (2,))),
    "JSON in a tree": ("SELECT fullkey FROM json_tree('[[7]]') WHERE atom = 7", (("$[0][0]",),)),
    "full text": ("SELECT rowid FROM page WHERE page MATCH 'b'", ((1,), (2,))),
    "full text, marked": ("SELECT snippet(page, 0, '<', '>', '', 9) FROM page WHERE page MATCH 'b c' ORDER BY rank", (("<b> <c>",),)),
    "older full text": ("SELECT count(*) FROM leaf WHERE leaf MATCH 'a'", ((1,),)),
    "tree of places": ("SELECT id FROM spot WHERE west > 1", ((2,),)),
}  # fmt: skip


@pytest.mark.parametrize("name", READING)
def test_virtual_tables_can_be_read(name, tmp_path, sandbox):
    path = tmp_path / "virtual.sqlite"
    connection = sqlite3.connect(path)
    try:
        connection.executescript(
            "CREATE VIRTUAL TABLE page USING fts5(body); INSERT INTO page VALUES ('a b'), ('b c'), ('d');"
            "CREATE VIRTUAL TABLE leaf USING fts4(body); INSERT INTO leaf VALUES ('a b'), ('b c');"
            "CREATE VIRTUAL TABLE spot USING rtree(id, west, east); INSERT INTO spot VALUES (1, 0, 1), (2, 3, 4)"
        )
    except sqlite3.OperationalError as error:
        pytest.skip(f"this SQLite has not all of these modules: {error}")
    finally:
        connection.close()
    sql, rows = READING[name]
    assert sandbox.execute(path, sql).rows == rows


def test_a_sort_meets_the_bound_of_memory_and_not_the_disk(database, sandbox):
    sql = "SELECT length(x) FROM (SELECT hex(zeroblob(20000)) || a.id || b.id AS x FROM book a, book b ORDER BY x)"
    execution = sandbox.execute(database, sql)
    assert (execution.status, "memory" in execution.error) == ("too_large", True)
    if sys.platform == "linux":
        with open(f"/proc/{sandbox._workers[0].process.pid}/limits") as limits:
            (written,) = [line.split()[3:5] for line in limits if line.startswith("Max file size")]
        assert written == ["0", "0"], "the process may not write to any file"


def grown(path, count):
    """Writes a table of ``count`` rows in place, as another program would."""
    connection = sqlite3.connect(path)
    connection.executescript(f"DROP TABLE IF EXISTS t; CREATE TABLE t AS SELECT value AS x FROM json_each('{list(range(count))}')")
    connection.close()


@pytest.mark.parametrize("changes, status, rows", [(1, "ok", ((301,),)), (2, "ok", ((302,),)), (9, "error", ())])
def test_a_file_that_changes_while_it_is_read_is_read_again(changes, status, rows, tmp_path, monkeypatch):
    path, left = tmp_path / "live.sqlite", list(range(changes))
    grown(path, 300)
    with Sandbox() as sandbox:
        run = sandbox._workers[0].run

        def run_and_change(requests):
            answers = run(requests)
            if left:
                left.pop()
                grown(path, 300 + changes - len(left))
            return answers

        monkeypatch.setattr(sandbox._workers[0], "run", run_and_change)
        execution = sandbox.execute(path, "SELECT count(*) FROM t")
        assert (execution.status, execution.rows) == (status, rows)
        assert ("changes while" in execution.error) == (status == "error")


def test_half_a_transaction_is_refused(tmp_path, sandbox):
    path = tmp_path / "crashed.sqlite"
    grown(path, 3)
    journal = tmp_path / "crashed.sqlite-journal"
    journal.write_bytes(bytes(512))  # what a journal that is kept leaves after a whole transaction
    assert sandbox.execute(path, "SELECT count(*) FROM t").rows == ((3,),)
    journal.write_bytes(bytes.fromhex("d9d505f920a163d7") + bytes(504))
    with pytest.raises(DataError, match="half a transaction"):
        sandbox.execute(path, "SELECT 1")


def test_a_file_of_another_engine_is_known_by_its_name_or_its_first_bytes(tmp_path, database):
    (tmp_path / "shop.db").write_bytes(bytes(8) + b"DUCK" + bytes(99))
    (tmp_path / "shop.duckdb").write_bytes(b"")
    assert [engine_of(tmp_path / name) for name in ("shop.db", "shop.duckdb")] == ["duckdb", "duckdb"]
    assert engine_of(database) == "sqlite"


def test_a_forked_child_has_processes_of_its_own(database):
    program = (
        "import os, sys; from finer.sandbox import Sandbox; s = Sandbox(2); jobs = [(sys.argv[1], f'SELECT {i}') for i in range(40)]\n"
        "right = lambda: [e.rows for e in s.execute_many(jobs)] == [((i,),) for i in range(40)]\n"
        "assert right(); child = os.fork()\n"
        "if child == 0:\n"
        "    assert right(); s.close(); sys.exit(7)\n"
        "assert right(); code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "child = os.fork()\n"
        "if child == 0: sys.exit(0)\n"
        "os.waitpid(child, 0); before = [w.process.pid for w in s._workers]; assert right()\n"
        "assert before == [w.process.pid for w in s._workers]; s.close(); print(code)"
    )
    folder = os.path.dirname(os.path.dirname(finer.__file__))
    command = [sys.executable, "-W", "ignore", "-c", program, str(database)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=300)
    assert done.stdout == "7\n", done.stderr


def test_a_process_that_cannot_start_is_named(database, monkeypatch):
    monkeypatch.setattr("finer.sandbox._SCRIPTS", {"sqlite": "no/such/script.py"})
    with Sandbox() as sandbox, pytest.raises(SandboxError, match="ended with code 2 before it ran any.*script.py"):
        sandbox.execute(database, "SELECT 1")


def test_closing_ends_what_still_runs(database):
    sandbox, raised = Sandbox(workers=2, limits=Limits(seconds=60)), []

    def ask():
        try:
            sandbox.execute_many([(database, ENDLESS.format("count(*)"))] * 4)
        except RuntimeError as error:
            raised.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    while sum(worker.process is not None for worker in sandbox._workers) < 2:
        time.sleep(0.01)
    sandbox.close()
    thread.join(30)
    assert raised == ["this Sandbox is closed; make another one"]


PIECES = ["SELECT", "WITH a AS (", "VALUES", "DELETE FROM", "book", "'", '"', "[", "]", "`", "--", "/*", "*/", ";", "(", ")",
          "\n", " ", "1", ",", "*", "\0", "é", "x'", "DROP TABLE"]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join))
def test_the_reading_never_raises_and_agrees_with_sqlite_on_one_statement(sql):
    reason = check_statement(sql)
    connection = sqlite3.connect(":memory:")
    connection.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_OK if action in (20, 21, 31, 33) else sqlite3.SQLITE_DENY
    )
    try:
        connection.execute(sql)
    except (sqlite3.Warning, sqlite3.Error, ValueError) as error:
        assert reason or ("not authorized" not in str(error) and "one statement" not in str(error))
    else:
        comment_only = reason == "no SQL"
        assert not reason or comment_only, (reason, sql)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_gets_a_reason_or_none(text):
    assert isinstance(check_statement(text), str)


@pytest.mark.parametrize("piece", ["'", "/*", "(", "--\n", "SELECT ", "WITH a AS (", ";", "`", "/**/"])
def test_long_texts_are_read_in_one_pass(piece):
    text = "SELECT " + piece * 100_000
    assert check_statement(text)
    assert isinstance(check_statement(text[:MAXIMUM_CHARACTERS]), str)


def test_the_examples_in_the_docstrings():
    found = doctest.testmod(finer.sandbox)
    assert found.attempted and not found.failed
