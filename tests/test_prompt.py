"""Questions as messages; completions as thought and SQL, whatever the text."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import finer.prompt
from finer.prompt import completion_text, messages, parse_completion
from finer.records import Question
from finer.sandbox import check_statement
from finer.schema import Column, Kept, Schema, Table

SQL = "SELECT name FROM book"
FENCED = f"```sql\n{SQL}\n```"
COMPLETIONS = {  # text: (thought, sql, '' where well formed, else a piece of the reason)
    "the format": (f"<think>\nAll books.\n</think>\n{SQL}", "All books.", SQL, ""),
    "white space around": (f"\n <think>a</think> \n\n{SQL};\n", "a", f"{SQL};", ""),
    "empty thought": (f"<think></think>{SQL}", "", SQL, ""),
    "comment-led": (f"<think>a</think>-- all\n{SQL}", "a", f"-- all\n{SQL}", ""),
    "lone fence": (f"<think>a</think>\n{FENCED}\n", "a", SQL, ""),
    "fence on one line": (f"<think>a</think>```{SQL}```", "a", SQL, ""),
    "fence of another name": (f"<think>a</think>```SQLite\n{SQL}```", "a", SQL, ""),
    "common table": (
        f"<think>a</think>WITH b AS ({SQL}) SELECT * FROM b",
        "a",
        f"WITH b AS ({SQL}) SELECT * FROM b",
        "",
    ),
    "SQL in the thought": (f"<think>First {FENCED}, no.</think>SELECT 1", f"First {FENCED}, no.", "SELECT 1", ""),
    "fence and prose": (f"<think>a</think>Here:\n{FENCED}", "a", SQL, "text beside the SQL: 'Here:'"),
    "fence and afterword": (f"<think>a</think>{FENCED}\nDone.", "a", SQL, "text beside the SQL: 'Done.'"),
    "two fences": (f"<think>a</think>```\nSELECT 1\n```\n{FENCED}", "a", SQL, "text beside the SQL"),
    "open fence": (f"<think>a</think>```sql\n{SQL}", "a", SQL, "a fence that is never closed"),
    "fence of prose": ("<think>a</think>```\nno idea\n```", "a", "", "no SQL"),
    "prose, then SQL": (f"<think>a</think>The query is\n  {SQL}", "a", SQL, "text beside the SQL: 'The query is'"),
    "prose": ("<think>a</think>I cannot answer.", "a", "", "no SQL"),
    "prose with With": ("<think>a</think>With this schema I cannot.", "a", "", "no SQL"),
    "nothing after": ("<think>a</think>", "a", "", "no SQL"),
    "two statements": (
        f"<think>a</think>{SQL}; DROP TABLE book",
        "a",
        f"{SQL}; DROP TABLE book",
        "more than one statement",
    ),
    "a change": ("<think>a</think>DELETE FROM book", "a", "DELETE FROM book", "starts with DELETE"),
    "a change behind WITH": (
        "<think>a</think>WITH a AS (SELECT 1) DELETE FROM book",
        "a",
        "WITH a AS (SELECT 1) DELETE FROM book",
        "DELETE is not a query",
    ),
    "text before": (f"So: <think>a</think>{SQL}", "a", SQL, "text stands before <think>"),
    "no tags": (SQL, "", SQL, "no <think>"),
    "no tags, fence": (f"Sure!\n{FENCED}\nEnjoy.", "", SQL, "no <think>"),
    "no tags, prose": ("Select is what I would do", "", "Select is what I would do", "no <think>"),
    "no tags, only prose": ("There is no such table.", "", "", "no <think>"),
    "never closed": (f"<think>maybe {SQL}", f"maybe {SQL}", "", "never closed"),
    "never closed, SQL on its line": (f"<think>\n{SQL}\n", SQL, "", "never closed"),
    "never opened": (f"All of them.</think>{SQL}", "All of them.", SQL, "0 <think> tags"),
    "closed twice": (f"<think>a</think>b</think>{SQL}", "a</think>b", SQL, "2 </think> tags"),
    "opened twice": (f"<think>a<think>b</think>{SQL}", "a<think>b", SQL, "2 <think> tags"),
    "a second thought": (f"<think>a</think>{SQL}\n<think>b: SELECT 2", "b: SELECT 2", SQL, "2 <think> tags"),
    "wrong way round": (f"</think>a<think>{SQL}", SQL, "", "</think> stands before <think>"),
    "nothing": ("", "", "", "no <think>"),
}


@pytest.mark.parametrize("name", COMPLETIONS)
def test_completions(name):
    text, thought, sql, reason = COMPLETIONS[name]
    parsed = parse_completion(text)
    assert (parsed.thought, parsed.sql, parsed.well_formed) == (thought, sql, not reason)
    assert reason in parsed.reason and bool(reason) == bool(parsed.reason)


THOUGHTS = st.text().filter(lambda text: "<" not in text)


@settings(deadline=None)
@given(THOUGHTS)
def test_what_a_policy_is_taught_is_read_back(thought):
    parsed = parse_completion(completion_text(thought, SQL))
    assert parsed.well_formed and (parsed.thought, parsed.sql) == (thought.strip(), SQL)


PIECES = [
    "<think>",
    "</think>",
    "```",
    "sql",
    "\n",
    " ",
    "SELECT 1",
    "WITH a AS (SELECT 1)",
    ";",
    "DROP TABLE x",
    "prose",
    "'",
    "--",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_completion_is_read_and_the_verdict_is_consistent(text):
    parsed = parse_completion(text)
    assert parsed.well_formed == (parsed.reason == "")
    if parsed.well_formed:
        assert text.count("<think>") == text.count("</think>") == 1
        assert text.lstrip().startswith("<think>") and check_statement(parsed.sql) == ""
    assert parsed.sql in text, "the SQL is a piece of the text, never made up"


@pytest.mark.parametrize(
    "piece",
    ["x", " ", "\n", "`", "```", "<think>", "</think>", "SELECT ", "WITH ", "with\n", "WITH a", "'", "a" * 50 + "\n"],
)
def test_very_long_texts(piece):
    text = piece * (100_000 // len(piece))
    for completion in (text, f"<think>a</think>{text}", f"<think>{text}</think>{SQL}", f"<think>{text}"):
        assert isinstance(parse_completion(completion).sql, str)
    assert (
        parse_completion("<think>a</think>SELECT " + "1 + " * 25_000 + "1").reason
        == "100008 characters, and 20000 are allowed"
    )


def schema():
    author = Table(
        "author", (Column("author_id", "INTEGER", primary_key=True), Column("name", "TEXT", samples=("Ada",)))
    )
    link = Column("author_id", "INTEGER", references=("author", "author_id"))
    return Schema("shop", (author, Table("book", (link, Column("unit price", "REAL")))))


def test_the_tiny_prompt_is_schema_evidence_question_a_line_each():
    question = Question(
        0, "shop", "Which authors\nare dear?", (SQL,), evidence="dear means unit price > 9", tables=("book", "author")
    )
    assert messages(question, schema(), "tiny") == [
        {
            "role": "user",
            "content": 'book(author_id -> author.author_id, "unit price")\nauthor(author_id, name)\n'
            "dear means unit price > 9\nWhich authors are dear?",
        }
    ]
    plain = Question(0, "shop", "All authors?", (SQL,), tables=("author",))
    assert messages(plain, schema(), "tiny")[0]["content"] == "author(author_id, name)\nAll authors?"


def test_the_chat_prompt_states_the_format():
    question = Question(0, "shop", "Which authors?", (SQL,), evidence="all of them")
    system, user = messages(question, schema())
    assert system["role"] == "system" and "<think>" in system["content"] and "</think>" in system["content"]
    assert "CREATE TABLE author" in user["content"] and "'Ada'" in user["content"]
    assert user["content"].endswith("Evidence: all of them\n\nQuestion: Which authors?")
    assert "Evidence" not in messages(Question(0, "shop", "Which?", (SQL,)), schema())[1]["content"]


def test_an_unknown_style():
    with pytest.raises(ValueError, match="use 'tiny', 'compact' or 'chat'"):
        messages(Question(0, "shop", "Which?", (SQL,)), schema(), "poem")


def test_the_examples_in_the_docstrings():
    found = doctest.testmod(finer.prompt)
    assert found.attempted and not found.failed


LIBRARY = Schema("library", (
    Table("author", (
        Column("author_id", "INTEGER", primary_key=True, not_null=True, unique=True, samples=(1, 2)),
        Column("name", "TEXT", not_null=True, samples=("Ada", "Bo"), description="the name on the title page"),
        Column("born", "INTEGER", samples=(1815,)),
    )),
    Table("book", (
        Column("book_id", "INTEGER", primary_key=True, not_null=True, unique=True, samples=(1,)),
        Column("author_id", "INTEGER", references=("author", "author_id"), samples=(2,)),
        Column("unit price", "REAL", samples=(9.5,), description="in euros;\nwithout tax " + "x" * 100),
    )),
    Table("wrote", (
        Column("author_id", "INTEGER", primary_key=True, references=("author", "author_id")),
        Column("book_id", "INTEGER", primary_key=True, references=("book", "book_id")),
    )),
))  # fmt: skip
KEPT = (Kept("wrote", "author_id"), Kept("book", "unit price"), Kept("author", "name", ("Ada", "O'Hara")), Kept("author", "author_id"))
TINY_PROMPT = """\
author(author_id, name = 'Ada' or 'O''Hara')
book("unit price")
wrote(author_id -> author.author_id)
dear means over 9
Dear books of Ada or O'Hara?"""
CHAT_PROMPT = f"""\
CREATE TABLE author (
    author_id INTEGER PRIMARY KEY,  -- 1, 2
    name TEXT NOT NULL  -- the name on the title page; in the question: 'Ada', 'O''Hara'; 'Bo'
);

CREATE TABLE book (
    "unit price" REAL  -- in euros; without tax {"x" * 77}…; 9.5
);

CREATE TABLE wrote (
    author_id INTEGER REFERENCES author (author_id)
);

Evidence: dear means over 9

Question: Dear books of Ada or O'Hara?"""


@pytest.mark.parametrize(("style", "prompt"), [("tiny", TINY_PROMPT), ("compact", TINY_PROMPT), ("chat", CHAT_PROMPT)])
def test_a_prompt_of_kept_columns(style, prompt):
    question = Question(0, "library", "Dear books of Ada or O'Hara?", (SQL,), evidence="dear means over 9", tables=("book",))
    made = messages(question, LIBRARY, style, KEPT)
    assert made[-1]["content"] == prompt, "columns take the place of the question's tables"
    assert [one["role"] for one in made] == (["user"] if style == "tiny" else ["system", "user"])


def test_every_column_kept_is_the_whole_schema():
    every = tuple(Kept(table.name, column.name) for table in LIBRARY.tables for column in table.columns)
    question = Question(0, "library", "Who?", (SQL,))
    for style in ("tiny", "compact", "chat"):
        assert messages(question, LIBRARY, style, every) == messages(question, LIBRARY, style)


def test_a_kept_column_that_is_not_there():
    with pytest.raises(KeyError, match="has no column 'colour'"):
        messages(Question(0, "library", "Who?", (SQL,)), LIBRARY, "tiny", (Kept("book", "colour"),))
