"""SQL in raw text: the cases in completions.txt, and what holds for any text. Run with: pytest tests/test_extraction.py"""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

import finer.extraction
from finer.datasets import load_dataset
from finer.extraction import find_sql
from finer.prompt import parse_completion

FILE = Path(__file__).parent / "completions.txt"


def cases():
    """(name, text, SQL) of every case in the file."""
    for block in re.split(r"^===== ", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, _, rest = block.partition("\n")
        text, _, sql = rest.partition("----- sql")
        yield name, text.strip(), sql.strip()


CASES = {name: (text, sql) for name, text, sql in cases()}


@pytest.mark.parametrize("name", CASES)
def test_the_sql_in_a_text(name):
    text, sql = CASES[name]
    assert parse_completion(text).sql == sql


def test_names_of_cases_are_told_apart():
    assert len(CASES) == len(list(cases())) > 50


@pytest.mark.parametrize("name", CASES)
def test_what_is_cut_off_breaks_the_format(name):
    text, sql = CASES[name]
    if "<think>" in text or "</think>" in text:
        return
    parsed = parse_completion(f"<think>a</think>{text}")
    if parsed.well_formed:
        alone = re.sub(r"\A```(sql|postgresql)?\n?|\n?```\Z", "", text)
        assert alone.strip() == sql


@pytest.fixture(scope="module")
def golds():
    return sorted({question.gold[0] for question in load_dataset("starter").questions})


@pytest.mark.parametrize("pretty", [False, True], ids=["as written", "over many lines"])
def test_a_gold_is_found_whole(golds, pretty):
    for gold in golds:
        text = sqlglot.parse_one(gold, read="sqlite").sql("sqlite", pretty=True) if pretty else gold
        for sql in (text, text + ";", text.lower(), text.replace("\n", "\n\n")):
            assert find_sql(sql) == (sql, "")
            assert find_sql(f"Sure:\n```sql\n{sql}\n```\nThat is all.")[0] == sql


PIECES = ["SELECT a", "FROM t", "WHERE x = 'it''s'", "\n", "\n\n", " ", ";", "```", "```sql\n", "This is prose.", "Question: why?", "-- c", "(", ")", "'", "`"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_what_is_found_is_a_piece_of_the_text_and_is_found_in_itself(text):
    sql, _ = find_sql(text)
    assert sql in text
    if sql and "```" not in sql:
        assert find_sql(sql) == (sql, "")


@pytest.mark.parametrize("piece", ["Q:\n", "Question: a\n", "SELECT 1\n\n", "```\n", "a\n\n", "A b.\n\n", ":SELECT ", "; x ", "*:", "<|", "`SELECT "])
def test_a_long_text_is_read_in_linear_time(piece):
    for length in (2_000, 100_000):
        assert isinstance(find_sql("SELECT 1\n" + piece * (length // len(piece)))[0], str)


def test_the_examples_in_the_docstrings():
    found = doctest.testmod(finer.extraction)
    assert found.attempted and not found.failed
