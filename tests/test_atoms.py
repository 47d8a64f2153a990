"""Atoms: pairs that must be equal or must differ, the published faults, hostile texts, and laws of the overlap.

The pairs live in ``fixtures/atoms/*.sql``; add one by writing `-- same: why`, `-- differ: why`, `-- near: why` or
`-- unproved: why` and two queries. ``test_atoms_laws.py`` runs them on SQLite.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finer.atoms import AtomError, atomic_overlap, extract
from finer.atoms.parse import MAXIMUM_CHARACTERS, check_version
from finer.schema import Schema, read_schema

FOLDER = Path(__file__).parent / "fixtures" / "atoms"


@cache
def music() -> Schema:
    """The schema of the pairs, read back from a database made of schema.sql."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "music.sqlite"
        connection = sqlite3.connect(path)
        connection.executescript((FOLDER / "schema.sql").read_text("utf-8"))
        connection.close()
        return read_schema(path)


def pairs() -> list[tuple[str, str, str, str]]:
    """Every pair of every file: (name, expectation, query, query)."""
    found = []
    for file in sorted(FOLDER.glob("*.sql")):
        if file.name == "schema.sql":
            continue
        for part in re.split(r"^-- (?=same:|differ:|near:|unproved:)", file.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            head, _, body = part.partition("\n")
            word, _, why = head.partition(":")
            queries = [text.strip() for text in body.split(";") if text.strip()]
            assert len(queries) == 2, f"{file.name}: '{head}' must be followed by two queries, each ended by a semicolon"
            found.append((f"{file.stem}: {word}: {why.strip()}", word, *queries))
    return found


PAIRS = [pytest.param(*pair[1:], id=pair[0]) for pair in pairs()]


def show(sql: str, schema: Schema | None = None) -> set[tuple[str, str, str]]:
    return {(atom.clause, atom.text, atom.scope) for atom in extract(sql, schema)}


@pytest.mark.parametrize(("word", "one", "two"), PAIRS)
def test_pairs(word: str, one: str, two: str) -> None:
    forward, back = atomic_overlap(one, two, music()), atomic_overlap(two, one, music())
    assert forward.overlap is not None, forward.reason
    assert forward.overlap == back.overlap
    assert (forward.overlap == 1.0) == (word == "same"), (forward.missing, forward.extra)
    assert forward.changed or word != "near", (forward.missing, forward.extra)
    assert {(one, two) for two, one in back.changed} == set(forward.changed)


FAULTS = [
    ("A1 A2 the FROM table", "SELECT name FROM singer", "SELECT name FROM teacher", False),
    ("A3 bodies of common table expressions", "WITH c AS (SELECT MAX(age) m FROM singer) SELECT m FROM c",
     "WITH c AS (SELECT MIN(fee) m FROM appearance) SELECT m FROM c", False),
    ("A5 LEFT against INNER", "SELECT name, fee FROM singer LEFT JOIN appearance ON id = singer_id",
     "SELECT name, fee FROM singer JOIN appearance ON id = singer_id", False),
    ("A5 comma against CROSS with a condition", "SELECT name FROM singer, appearance WHERE id = singer_id AND fee > 1",
     "SELECT name FROM singer CROSS JOIN appearance WHERE fee > 1", False),
    ("A6 alias names", "SELECT t1.name FROM singer t1 JOIN appearance t2 ON t1.id = t2.singer_id WHERE t2.fee > 1",
     "SELECT x.name FROM singer x JOIN appearance y ON x.id = y.singer_id WHERE y.fee > 1", True),
    ("A7 MAX against MIN", "SELECT MAX(age) FROM singer", "SELECT MIN(age) FROM singer", False),
    ("A7 further arguments", "SELECT ROUND(score, 1) FROM singer", "SELECT ROUND(score, 2) FROM singer", False),
    ("A8 windows", "SELECT RANK() OVER (ORDER BY age) FROM singer", "SELECT RANK() OVER (ORDER BY score) FROM singer", False),
    ("A9 EXISTS", "SELECT name FROM singer s WHERE EXISTS (SELECT 1 FROM appearance a WHERE a.singer_id = s.id)",
     "SELECT name FROM singer q WHERE EXISTS (SELECT 9 FROM appearance b WHERE q.id = b.singer_id)", True),
    ("A10 FROM-subqueries", "SELECT n FROM (SELECT COUNT(*) n FROM singer)", "SELECT n FROM (SELECT COUNT(*) n FROM concert)",
     False),
    ("A10 sides of an equality", "SELECT name FROM singer WHERE age = score", "SELECT name FROM singer WHERE score = age", True),
    ("A10 output alias", "SELECT name AS n FROM singer", "SELECT name FROM singer", True),
    ("A10 column case", "SELECT NAME FROM singer", "SELECT name FROM singer", True),
    ("A10 OFFSET", "SELECT name FROM singer LIMIT 1", "SELECT name FROM singer LIMIT 1 OFFSET 4", False),
]  # fmt: skip


@pytest.mark.parametrize(("one", "two", "same"), [pytest.param(*case, id=name) for name, *case in FAULTS])
@pytest.mark.parametrize("known", [True, False], ids=["with schema", "without schema"])
def test_published_faults(one: str, two: str, same: bool, known: bool) -> None:
    result = atomic_overlap(one, two, music() if known else None)
    assert (result.overlap == 1.0) == same, result


def test_a4_joins_of_subqueries_stay_in_their_scope() -> None:
    sql = "SELECT name FROM singer WHERE age > (SELECT AVG(fee) FROM appearance a JOIN concert c ON a.concert_id = c.id AND c.price > 1)"
    joins = [(atom.text, atom.scope) for atom in extract(sql, music()) if atom.clause == "JOIN"]
    assert joins == [("appearance.concert_id = concert.id", "subquery")]


def test_a7_count_and_its_arguments_are_written_out() -> None:
    texts = [atom.text for atom in extract("SELECT COUNT(*), COUNT(DISTINCT country), SUM(age) FROM singer", music())]
    assert texts[1:4] == ["COUNT(*)", "COUNT(DISTINCT singer.country)", "SUM(singer.age)"]


def test_a10_arms_of_a_set_operation_come_once() -> None:
    atoms = extract("SELECT name FROM singer UNION SELECT name FROM teacher", music())
    assert [(atom.clause, atom.text, atom.scope) for atom in atoms] == [
        ("SET", "UNION", ""),
        ("FROM", "singer", "union.left"),
        ("SELECT", "singer.name", "union.left"),
        ("FROM", "teacher", "union.right"),
        ("SELECT", "teacher.name", "union.right"),
    ]


def test_a11_unreadable_beside_unreadable_is_not_scored() -> None:
    result = atomic_overlap("what?", "what?")
    assert result.overlap is None
    assert result.reason.startswith("prediction: not a query")


def test_a12_a_wrong_table_is_below_one_and_says_why() -> None:
    result = atomic_overlap("SELECT name FROM teacher", "SELECT name FROM singer", music())
    assert result.overlap == 0.0
    assert [atom.text for atom in result.missing] == ["singer", "singer.name"]
    assert [atom.text for atom in result.extra] == ["teacher", "teacher.name"]


def test_a13_a_loosely_related_query_overlaps_little() -> None:
    result = atomic_overlap("SELECT COUNT(*) FROM teacher WHERE age > 3", "SELECT name FROM singer WHERE age > 3", music())
    assert result.overlap == 0.0


REFUSED = [
    ("empty", "", "empty"),
    ("blank and a comment", "  -- nothing\n", "empty"),
    ("prose", "I cannot answer", "not a query"),
    ("DROP", "DROP TABLE singer", "not a query"),
    ("DELETE under WITH", "WITH a AS (SELECT 1) DELETE FROM singer", "not a query"),
    ("two statements", "SELECT 1; SELECT 2", "2 statements"),
    ("a fence", "```sql\nSELECT 1\n```", "not a query"),
    ("cut off", "SELECT name FROM", "cannot be parsed"),
    ("no columns", "SELECT FROM singer", "without columns"),
    ("a bare SELECT", "SELECT", "without columns"),
    ("1,000 parentheses", "SELECT " + "(" * 1000 + "1" + ")" * 1000, "nested"),
    ("1,000 subqueries", "SELECT " + "(SELECT " * 1000 + "1" + ")" * 1000, "nested"),
    ("1,000 NOTs", "SELECT " + "NOT " * 1000 + "1", "nested"),
    ("1,000 signs", "SELECT " + "- " * 1000 + "1", "nested"),
    ("700 CASEs", "SELECT " + "CASE WHEN " * 700 + "1" + " THEN 1 END" * 700, "nested"),
    ("a long chain of plus", "SELECT 1" + " + 1" * 1900, "nested"),
    ("too long", "SELECT '" + "x" * MAXIMUM_CHARACTERS + "'", "characters"),
    ("too many tokens", "SELECT 1" + ",1" * 4000, "tokens"),
    ("an unclosed quote", "SELECT 'abc", "tokens"),
    ("tables doubling in WITH", "WITH a0 AS (SELECT 1 AS x), " + ", ".join(
        f"a{i + 1} AS (SELECT p.x FROM a{i} p, a{i} q)" for i in range(40)) + " SELECT x FROM a40", "grows past"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "reason"), [pytest.param(*case, id=name) for name, *case in REFUSED])
def test_refused_with_the_reason(sql: str, reason: str) -> None:
    with pytest.raises(AtomError, match=reason):
        extract(sql, music())
    result = atomic_overlap(sql, sql, music())
    assert result.overlap is None
    assert reason in result.reason


def test_long_chains_of_and_are_read() -> None:
    sql = "SELECT name FROM singer WHERE " + " AND ".join(f"age <> {number}" for number in range(700))
    assert len(extract(sql, music())) == 702


def test_best_of_several_golds_and_unreadable_golds() -> None:
    golds = ("SELECT", "SELECT age FROM singer", "SELECT name FROM singer")
    result = atomic_overlap("SELECT s.name FROM singer s", golds, music())
    assert (result.overlap, result.gold) == (1.0, golds[2])
    assert atomic_overlap("SELECT 1", (), music()).reason == "gold: there is no gold query"
    assert atomic_overlap("SELECT 1", "SELECT", music()).reason == "gold: a SELECT without columns"


def test_multisets_count_a_table_joined_twice_as_two() -> None:
    once = "SELECT a.name FROM singer a"
    twice = "SELECT a.name FROM singer a, singer b"
    assert atomic_overlap(once, twice, music()).overlap == pytest.approx(2 / 3)


def test_spans_point_into_the_source_text() -> None:
    sql = "SELECT T1.name, COUNT(*) FROM singer AS T1 WHERE T1.age BETWEEN 20 AND 30 GROUP BY T1.name ORDER BY 2 DESC LIMIT 3"
    shown = {(atom.clause, atom.text): sql[slice(*atom.span)] for atom in extract(sql, music()) if atom.span}
    assert shown["FROM", "singer"] == "singer AS T1"
    assert shown["SELECT", "singer.name"] == "T1.name"
    assert shown["SELECT", "COUNT(*)"] == "COUNT(*)"
    assert shown["WHERE", "singer.age >= 20"] == "T1.age BETWEEN 20"
    assert shown["ORDER BY", "COUNT(*) DESC"] == "2"
    assert shown["LIMIT", "3"] == "3"


def test_evidence_is_whole() -> None:
    result = atomic_overlap("SELECT name FROM singer WHERE age > 20", "SELECT name FROM singer WHERE age > 21", music())
    assert [(one.text, two.text) for one, two in result.matched] == [("singer", "singer"), ("singer.name", "singer.name")]
    assert [atom.text for atom in result.missing] == ["singer.age > 21"]
    assert [atom.text for atom in result.extra] == ["singer.age > 20"]
    assert result.overlap == pytest.approx(2 / 4)


def test_a_misspelt_column_costs_only_itself() -> None:
    result = atomic_overlap("SELECT nmae FROM singer WHERE age > 20", "SELECT name FROM singer WHERE age > 20", music())
    assert result.overlap == pytest.approx(2 / 4)


MISNAMED = [
    ("a plural costs only itself", "SELECT name FROM singers WHERE age > 20", "SELECT name FROM singer WHERE age > 20", 2 / 4),
    ("qualified by the name as written", "SELECT singers.name FROM singers WHERE singers.age > 20", "SELECT name FROM singer WHERE age > 20", 2 / 4),
    ("under an alias", "SELECT s.name FROM sinegr s WHERE s.age > 20", "SELECT name FROM singer WHERE age > 20", 2 / 4),
    ("in a common table expression", "WITH c AS (SELECT name n FROM singers) SELECT n FROM c", "SELECT name FROM singer", 1 / 3),
    ("of a table that no operation needs", "SELECT fee FROM appearance JOIN singers ON singer_id = singers.id", "SELECT fee FROM appearance", 2 / 3),
    ("beside the right one", "SELECT s.name FROM singer s JOIN singers t ON s.id = t.id", "SELECT name FROM singer", 1 / 3),
    ("that is like no other", "SELECT name FROM people WHERE age > 20", "SELECT name FROM singer WHERE age > 20", 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("prediction", "gold", "overlap"), [pytest.param(*case, id=name) for name, *case in MISNAMED])
def test_a_misnamed_table_is_read_as_the_one_that_is_meant_and_never_agrees_with_it(prediction, gold, overlap) -> None:
    result = atomic_overlap(prediction, gold, music())
    assert result.overlap == pytest.approx(overlap), (result.matched, result.extra)


def test_misnamed_tables_come_in_the_order_of_the_text() -> None:
    """Not in that of a set, which differs from process to process."""
    sql = "SELECT fee FROM appearance JOIN singers ON singer_id = singers.id JOIN concerts ON concert_id = concerts.id"
    assert [atom.text for atom in extract(sql, music()) if atom.clause == "FROM"] == ["appearance", "singers", "concerts"]


def test_a_misnamed_table_is_shown_as_it_is_written() -> None:
    sql = "SELECT name FROM Singers"
    (atom,) = (atom for atom in extract(sql, music()) if atom.clause == "FROM")
    assert atom.text == "singers" and sql[slice(*atom.span)] == "Singers"


def test_other_versions_of_the_parser_are_refused() -> None:
    for version in ("27.29.0", "31.0.0", "30.29.9"):
        with pytest.raises(ImportError, match="30.30"):
            check_version(version)


QUERIES = [query for _, _, *queries in pairs() for query in queries]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A query with pieces cut, doubled, exchanged or replaced."""
    words = draw(st.sampled_from(QUERIES)).split(" ")
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(words) - 1))
        odd = st.one_of(st.text(max_size=6), st.sampled_from(("(", ")", ",", "'", '"', ";", ".", "*", "NOT", "SELECT", "FROM", "CASE", "END", "OVER", "IN", "=")))
        change = draw(st.sampled_from(("cut", "double", "replace", "end")))
        if change == "end":
            words = words[: at + 1]
        else:
            words[at : at + 1] = {"cut": [""], "double": [words[at]] * 2, "replace": [draw(odd)]}[change]
    return " ".join(words)


@settings(max_examples=300, deadline=None)
@given(st.one_of(mutated(), st.text(max_size=80)), st.sampled_from(QUERIES), st.booleans())
def test_no_text_raises_and_no_value_leaves_its_range(text: str, gold: str, known: bool) -> None:
    result = atomic_overlap(text, gold, music() if known else None)
    assert "please report it" not in result.reason
    assert result.overlap is None or 0.0 <= result.overlap <= 1.0
    assert (result.overlap is None) == bool(result.reason)
    for atom in (*result.extra, *(pair[0] for pair in result.matched)):
        assert atom.span is None or 0 <= atom.span[0] < atom.span[1] <= len(text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(QUERIES), st.sampled_from(QUERIES))
def test_overlap_is_symmetric_and_full_with_itself(one: str, two: str) -> None:
    assert atomic_overlap(one, one, music()).overlap == 1.0
    assert atomic_overlap(one, two, music()).overlap == atomic_overlap(two, one, music()).overlap
