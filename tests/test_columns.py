"""Which columns a prompt shows for a question, and which a query uses."""

from __future__ import annotations

import doctest
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import finer.column_words
import finer.used_columns
import finer.values
from finer.atoms.errors import AtomError
from finer.column_features import FEATURES, SchemaIndex, features
from finer.columns import ColumnFilter
from finer.datasets import load_dataset
from finer.records import Question
from finer.schema import Column, Kept, Schema, Table, read_schema
from finer.used_columns import used_columns
from finer.values import Values, read_values


def key(name):
    return Column(name, "INTEGER", primary_key=True)


def link(name, table):
    return Column(name, "INTEGER", references=(table, name))


def text(name, description=""):
    return Column(name, "TEXT", description=description)


SCHOOLS = Schema("schools", (
    Table("school", (key("school_id"), text("school_name"), text("county"), text("phone"), text("A11", "average salary of its teachers"))),
    Table("pupil", (key("pupil_id"), text("first_name"), text("birthDate"), text("gender"))),
    Table("enrolment", (link("school_id", "school"), link("pupil_id", "pupil"), text("year"))),
    Table("weather", (key("station"), text("rain"), text("wind"))),
))  # fmt: skip
VALUES = Values([(("school", "county"), "Contra Costa"), (("school", "school_name"), "Lincoln High"), (("pupil", "gender"), "female")])


def ask(words, evidence=""):
    return Question(0, "schools", words, ("SELECT 1",), evidence=evidence)


BEST = {  # question, evidence: the column that must come first, keys apart
    "a name": ("What is the phone of each school?", "", ("school", "phone")),
    "a stem": ("List the counties of schools.", "", ("school", "county")),
    "the evidence": ("How well are they paid?", "paid refers to A11", ("school", "A11")),
    "a value": ("Which ones are in Contra Costa?", "", ("school", "county")),
    "a hint": ("How many girls are there?", "", ("pupil", "gender")),
    "a year": ("How many enrolled in 2012?", "", ("enrolment", "year")),
    "pieces of a name": ("Show the rainy places.", "", ("weather", "rain")),
}


@pytest.mark.parametrize("name", BEST)
def test_what_speaks_for_a_column(name):
    words, evidence, best = BEST[name]
    scores = ColumnFilter(SCHOOLS, VALUES).scores(ask(words, evidence))
    assert max((name for name in scores if not name[1].endswith("_id")), key=scores.get) == best


def test_a_description_raises_its_column():
    asked = ask("What is the highest average salary of teachers?")
    plain = Schema("schools", (replace(SCHOOLS.tables[0], columns=(*SCHOOLS.tables[0].columns[:-1], text("A11"))), *SCHOOLS.tables[1:]))
    with_it, without = (ColumnFilter(schema, VALUES).scores(asked)["school", "A11"] for schema in (SCHOOLS, plain))
    assert with_it > without


def test_keys_that_join_what_is_kept_are_kept_and_counted():
    kept = ColumnFilter(SCHOOLS, VALUES).keep(ask("What are the counties of schools of pupils by birth date?"), 6)
    names = {(one.table, one.column) for one in kept}
    joins = {("school", "school_id"), ("enrolment", "school_id"), ("enrolment", "pupil_id"), ("pupil", "pupil_id")}
    assert names == {("school", "county"), ("pupil", "birthDate")} | joins


def test_kept_columns_stand_in_the_order_of_the_schema_with_the_values_named():
    kept = ColumnFilter(SCHOOLS, VALUES).keep(ask("Which female pupils attend Lincoln High?"), 15)
    assert [(one.table, one.column) for one in kept] == [(table.name, column.name) for table in SCHOOLS.tables for column in table.columns]
    assert {one.column: one.values for one in kept if one.values} == {"school_name": ("Lincoln High",), "gender": ("female",)}


@pytest.mark.parametrize("k", range(1, 17))
def test_never_more_than_k(k):
    kept = ColumnFilter(SCHOOLS, VALUES).keep(ask("phone of schools with female pupils"), k)
    assert len(kept) == len(set(kept)) == min(k, 15)


def test_k_below_one_is_refused():
    with pytest.raises(ValueError, match="k=0"):
        ColumnFilter(SCHOOLS).keep(ask("phone"), 0)


def test_the_gold_is_never_looked_at():
    words = "Which female pupils attend Lincoln High?"
    golds = ("SELECT rain FROM weather", "no query at all", "SELECT phone FROM school")
    ranked = [ColumnFilter(SCHOOLS, VALUES).scores(replace(ask(words), gold=(gold,))) for gold in golds]
    assert ranked[0] == ranked[1] == ranked[2]


def test_a_feature_each_and_an_encoder_adds_two():
    class Ones:
        def encode(self, texts):
            return np.ones((len(texts), 1), dtype=np.float32)

    plain, encoded = (features(SchemaIndex(SCHOOLS, VALUES, encoder), ask("phone")) for encoder in (None, Ones()))
    assert plain.shape == encoded.shape == (15, len(FEATURES)) and np.isfinite(plain).all()
    assert (plain[:, -2:] == 0).all() and (encoded[:, -2:] == 1).all() and (plain[:, :-2] == encoded[:, :-2]).all()


ODD = {
    "no table": Schema("none", ()),
    "one nameless column": Schema("odd", (Table("t", (Column("?", ""),)),)),
    "a link to itself": Schema("self", (Table("t", (Column("id", "", references=("t", "id")),)),)),
    "a link to nowhere": Schema("lost", (Table("t", (Column("id", "", references=("gone", "id")), Column("b", ""))),)),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("words", ["", "?", "the id of t", "ÄÖ 12 \ud800", "SELECT " * 50])
def test_odd_schemas_and_questions(name, words):
    kept = ColumnFilter(ODD[name]).keep(ask(words), 5)
    assert len(kept) == sum(len(table.columns) for table in ODD[name].tables)


def test_values_are_read_from_the_database(tmp_path):
    path = tmp_path / "shop.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        """CREATE TABLE "my book" (title TEXT, "unit price" REAL, blob BLOB);
        INSERT INTO "my book" VALUES ('Emma', 9.5, x'00'), ('The ''Sea''', 7, NULL), ('x', 1, NULL);"""
    )
    connection.close()
    values = read_values(path, read_schema(path))
    assert values.named("Who wrote EMMA, and who the sea?") == {("my book", "title"): [("The 'Sea'", 1), ("Emma", 1)]}
    assert values.numbers["9.5"] == {("my book", "unit price")} and not values.named("x")


USED = {
    "aliases": ("SELECT p.phone FROM school AS p", {("school", "phone")}, {"school"}),
    "no alias, other case": ("SELECT PHONE FROM School", {("school", "phone")}, {"school"}),
    "a join": (
        "SELECT count(*) FROM pupil AS a JOIN enrolment AS b ON a.pupil_id = b.pupil_id",
        {("pupil", "pupil_id"), ("enrolment", "pupil_id")}, {"pupil", "enrolment"},
    ),
    "a star is its table": ("SELECT * FROM school", set(), {"school"}),
    "a text in double quotes": ('SELECT phone FROM school WHERE county = "Kern"', {("school", "phone"), ("school", "county")}, {"school"}),
    "a name in double quotes": ('SELECT "phone" FROM school', {("school", "phone")}, {"school"}),
    "a subquery around": (
        "SELECT phone FROM school AS s WHERE EXISTS (SELECT 1 FROM enrolment AS e WHERE e.school_id = s.school_id)",
        {("school", "phone"), ("school", "school_id"), ("enrolment", "school_id")}, {"school", "enrolment"},
    ),
    "a derived table": ("SELECT d.p FROM (SELECT phone AS p FROM school) AS d", {("school", "phone")}, {"school"}),
    "a common table": ("WITH d AS (SELECT phone AS p FROM school) SELECT p FROM d", {("school", "phone")}, {"school"}),
    "a set": ("SELECT phone FROM school UNION SELECT rain FROM weather", {("school", "phone"), ("weather", "rain")}, {"school", "weather"}),
    "an alias in ORDER BY": ("SELECT count(rain) AS c FROM weather ORDER BY c", {("weather", "rain")}, {"weather"}),
    "what is not there": ("SELECT colour, phone FROM school, nowhere", {("school", "phone")}, {"school"}),
}  # fmt: skip


@pytest.mark.parametrize("name", USED)
def test_what_a_query_uses(name):
    sql, columns, tables = USED[name]
    found = used_columns(sql, SCHOOLS)
    assert found[1] == tables
    assert found[0] == columns or (name == "what is not there" and not found[0])


@pytest.mark.parametrize("sql", ["", "DELETE FROM school", "SELECT FROM WHERE"])
def test_what_is_no_query(sql):
    with pytest.raises(AtomError):
        used_columns(sql, SCHOOLS)


DATA = os.environ.get("FINER_TEST_DATA", "")


@pytest.mark.skipif(not (Path(DATA) / "bird" / "dev.json").is_file(), reason="needs BIRD's dev files under FINER_TEST_DATA")
def test_bird_keeps_what_the_gold_needs():
    dataset = load_dataset("bird", split="dev", data=Path(DATA) / "bird")
    filters = {db_id: ColumnFilter(database.schema) for db_id, database in dataset.databases.items()}
    whole = 0
    asked = dataset.questions[1::37]  # odd and even
    for question in asked:
        kept = {(one.table, one.column) for one in filters[question.db_id].keep(question, 30)}
        whole += used_columns(question.gold[0], dataset.databases[question.db_id].schema)[0] <= kept
    assert whole / len(asked) > 0.85


@pytest.mark.parametrize("module", [finer.column_words, finer.used_columns, finer.values])
def test_the_examples_in_the_docstrings(module):
    found = doctest.testmod(module)
    assert found.attempted and not found.failed


def test_kept_is_what_the_renderings_take():
    assert ColumnFilter(SCHOOLS).keep(ask("rain"), 1) == (Kept("weather", "rain"),)
