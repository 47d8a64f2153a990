"""What a query uses. Run with: pytest tests/test_features.py"""

from __future__ import annotations

import doctest

import pytest

import finer.features
from finer.features import features

QUERIES = {
    "SELECT a FROM t": ("none of these",),
    "SELECT a FROM t WHERE b > 1 AND c IS NULL": ("none of these",),
    "SELECT a FROM t, u": ("join",),
    "SELECT a FROM t JOIN u ON t.k = u.k": ("join",),
    "SELECT a FROM (t JOIN u ON t.k = u.k)": ("join",),
    "SELECT a FROM t LEFT JOIN u ON t.k = u.k": ("join", "outer join"),
    "SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > 1": ("group by", "having"),
    "SELECT a FROM t ORDER BY b LIMIT 1": ("order by", "limit"),
    "SELECT a FROM t WHERE b IN (SELECT b FROM u)": ("nested",),
    "SELECT a FROM (SELECT a FROM t)": ("nested",),
    "SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u)": ("nested",),
    "SELECT a FROM t WHERE b = (SELECT max(b) FROM u UNION SELECT 1)": ("nested", "set operation"),
    "SELECT a FROM t UNION SELECT a FROM u INTERSECT SELECT 1": ("set operation",),
    "(SELECT a FROM t)": ("none of these",),
    "SELECT DISTINCT a FROM t": ("distinct",),
    "SELECT count(DISTINCT a) FROM t": ("distinct",),
    "WITH c AS (SELECT a FROM t) SELECT a FROM c": ("CTE",),
    "SELECT rank() OVER (ORDER BY a) FROM t": ("window",),
    "SELECT CASE WHEN a THEN 1 END FROM t": ("case",),
    "SELECT iif(a, 1, 2) FROM t": ("case",),
    "SELECT a FROM t WHERE a LIKE 'x%' OR a GLOB 'y*'": ("like",),
    "DELETE FROM t": ("not readable",),
    "SELECT FROM WHERE": ("not readable",),
    "": ("not readable",),
}


@pytest.mark.parametrize("sql", QUERIES)
def test_features(sql):
    assert features(sql) == QUERIES[sql]


def test_the_examples_in_the_docstrings():
    found = doctest.testmod(finer.features)
    assert found.attempted and not found.failed
