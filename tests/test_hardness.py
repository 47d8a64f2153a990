"""Hardness: each class, each of Spider's quirks, each extension; queries of its grammar; and Spider's own dev set."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from spider_form import official_hardness, spider_queries

from finer.hardness import LEVELS, hardness

SPIDER = [
    # name, sql, class
    ("one table", "SELECT count(*) FROM t", "easy"),
    ("one clause", "SELECT a FROM t WHERE b = 1", "easy"),
    ("lower case and a semicolon", "select a from t where b = 1;", "easy"),
    ("no FROM", "SELECT 1", "easy"),
    ("distinct counts nothing", "SELECT DISTINCT a FROM t ORDER BY a", "easy"),
    ("two columns", "SELECT a, b FROM t", "medium"),
    ("two columns and two aggregates", "SELECT max(a), min(b) FROM t", "medium"),
    ("two clauses", "SELECT a FROM t WHERE b = 1 ORDER BY a", "medium"),
    ("two clauses, two columns", "SELECT a, b FROM t WHERE b = 1 ORDER BY a", "medium"),
    ("two clauses, two others", "SELECT a, b FROM t WHERE b = 1 AND c = 2 ORDER BY a", "extra"),
    ("one clause, three others", "SELECT max(a), min(b) FROM t WHERE b = 1 AND c = 2", "hard"),
    ("three clauses", "SELECT a FROM t WHERE b = 1 ORDER BY a LIMIT 1", "hard"),
    ("three clauses, two others", "SELECT a, b FROM t WHERE b = 1 AND c = 2 ORDER BY a LIMIT 1", "hard"),
    ("three clauses, three others", "SELECT max(a), min(b) FROM t JOIN u WHERE b = 1 AND c = 2 ORDER BY a", "extra"),
    ("four clauses", "SELECT a FROM t JOIN u ON t.i = u.i WHERE b = 1 ORDER BY a LIMIT 1", "extra"),
    ("a nested query", "SELECT a FROM t WHERE b > (SELECT avg(b) FROM t)", "hard"),
    ("a nested query and two columns", "SELECT a, b FROM t WHERE b > (SELECT avg(b) FROM t)", "extra"),
    ("a nested query and two clauses", "SELECT a FROM t WHERE b IN (SELECT b FROM u) ORDER BY a", "extra"),
    ("two nested queries", "SELECT a FROM t WHERE b BETWEEN (SELECT 1 FROM t) AND (SELECT 9 FROM t)", "extra"),
    ("a nested query in HAVING", "SELECT a FROM t GROUP BY a HAVING count(*) > (SELECT avg(b) FROM u)", "hard"),
    ("a nested query in ON", "SELECT a FROM t JOIN u ON t.i = (SELECT max(i) FROM u)", "hard"),
    ("inside a nested query nothing counts", ("SELECT a FROM t WHERE b IN (SELECT b FROM u JOIN v WHERE c LIKE 'x' "
      "OR b IN (SELECT b FROM w) ORDER BY b LIMIT 1)"), "hard"),
    ("a subquery in FROM is a table, its inside unread", ("SELECT count(*) FROM (SELECT a, b FROM t JOIN u WHERE a = 1 "
      "GROUP BY a HAVING count(*) > 1 INTERSECT SELECT a, b FROM v)"), "easy"),
    ("a subquery in FROM joined", "SELECT a FROM (SELECT a FROM t) JOIN u", "easy"),
    ("three tables", "SELECT a FROM t JOIN u ON t.i = u.i JOIN v ON u.j = v.j", "medium"),
    ("a set operation", "SELECT a FROM t EXCEPT SELECT a FROM u", "hard"),
    ("a set operation's right side is unread", "SELECT a FROM t UNION SELECT a FROM u JOIN v WHERE b = 1", "hard"),
    ("a set operation's left side counts", "SELECT a FROM t JOIN u WHERE b = 1 UNION SELECT a FROM u", "extra"),
    ("a chain of set operations is one", "SELECT a FROM t UNION SELECT a FROM u EXCEPT SELECT a FROM v", "hard"),
    ("ORDER BY and LIMIT after a chain", "SELECT a FROM t UNION SELECT a FROM u ORDER BY a LIMIT 1", "hard"),
    ("OR is a clause", "SELECT a FROM t WHERE b = 1 OR c = 2", "medium"),
    ("two OR", "SELECT a FROM t WHERE b = 1 OR c = 2 OR d = 3", "hard"),
    ("OR in ON", "SELECT a FROM t JOIN u ON t.i = 1 OR t.j = 2 WHERE b = 1", "hard"),
    ("OR in HAVING", "SELECT a FROM t GROUP BY a HAVING max(b) = 1 OR max(b) = 2 ORDER BY a", "hard"),
    ("LIKE is a clause", "SELECT a FROM t WHERE b LIKE 'x'", "medium"),
    ("two LIKE", "SELECT a FROM t WHERE b LIKE 'x' AND c LIKE 'y'", "hard"),
    ("conditions in ON are no conditions of WHERE", "SELECT a FROM t JOIN u ON t.i = u.i AND t.j = u.j", "easy"),
    ("BETWEEN is one condition", "SELECT a FROM t WHERE b BETWEEN 1 AND 2", "easy"),
    ("two conditions", "SELECT a FROM t WHERE b = 1 AND c = 2", "medium"),
    ("two groups and two columns, two clauses", "SELECT a, b FROM t WHERE c = 1 GROUP BY a, b", "extra"),
    ("a group, two columns, two clauses", "SELECT a, b FROM t WHERE c = 1 GROUP BY a", "medium"),
    ("HAVING alone is no clause", "SELECT a FROM t GROUP BY a HAVING count(*) > 1", "easy"),
    ("HAVING's aggregates do not count", "SELECT a, count(*) FROM t JOIN u GROUP BY a HAVING max(b) = min(b)", "medium"),
    ("HAVING's AND counts as an aggregate", ("SELECT a, count(*) FROM t JOIN u GROUP BY a HAVING max(b) > 1 "
      "AND min(b) < 3"), "extra"),
    ("one AND in HAVING is one aggregate", "SELECT a FROM t GROUP BY a HAVING max(b) > 1 AND min(b) < 3", "easy"),
    ("two AND in HAVING are two", "SELECT a FROM t GROUP BY a HAVING max(b) > 1 AND min(b) < 3 AND sum(b) = 4", "medium"),
    ("NOT and an aggregate", "SELECT max(a) FROM t WHERE b NOT IN (1, 2)", "medium"),
    ("one NOT, no aggregate", "SELECT a FROM t WHERE b NOT IN (1, 2)", "easy"),
    ("NOT BETWEEN and NOT IN", "SELECT a FROM t JOIN u WHERE b NOT IN (1) AND c NOT BETWEEN 1 AND 2", "extra"),
    ("IN and BETWEEN without NOT", "SELECT a FROM t JOIN u WHERE b IN (1) AND c BETWEEN 1 AND 2", "medium"),
    ("NOT LIKE counts as LIKE and NOT", "SELECT max(a), b FROM t WHERE c NOT LIKE 'x'", "extra"),
    ("LIKE without NOT", "SELECT max(a), b FROM t WHERE c LIKE 'x'", "medium"),
    ("NOT in HAVING", "SELECT max(a) FROM t GROUP BY b HAVING max(c) NOT IN (1)", "medium"),
    ("NOT in ON is not counted", "SELECT max(a) FROM t JOIN u ON t.i NOT IN (1)", "easy"),
    ("!= is no NOT", "SELECT max(a) FROM t WHERE b != 1", "easy"),
    ("an aggregate in ORDER BY", "SELECT max(a) FROM t GROUP BY b ORDER BY count(*)", "medium"),
    ("both aggregates of one ORDER BY term", "SELECT a FROM t ORDER BY max(b) - min(b)", "medium"),
    ("one aggregate over two columns", "SELECT max(a - b) FROM t", "easy"),
    ("an aggregate in brackets is not seen", "SELECT (count(*)) FROM t ORDER BY max(a)", "easy"),
    ("nor is one of distinct values", "SELECT (count(DISTINCT a)) FROM t ORDER BY max(b)", "easy"),
    ("brackets hide aggregates", "SELECT (max(a) - min(a)) FROM t ORDER BY count(*)", "easy"),
    ("an aggregate after a first column is not seen", "SELECT a - max(b) FROM t ORDER BY count(*)", "easy"),
    ("count distinct", "SELECT count(DISTINCT a) FROM t ORDER BY count(*)", "medium"),
]

EXTENSIONS = [
    ("a CTE is a nested query", "WITH c AS (SELECT a, b FROM t JOIN u WHERE a = 1) SELECT a FROM c", "hard"),
    ("a CTE and two columns", "WITH c AS (SELECT 1) SELECT a, b FROM c", "extra"),
    ("two CTEs", "WITH c AS (SELECT 1), d AS (SELECT 2) SELECT a FROM c", "extra"),
    ("a recursive CTE", "WITH RECURSIVE c AS (SELECT 1 UNION SELECT n + 1 FROM c) SELECT n FROM c", "hard"),
    ("a CTE before a chain", "WITH c AS (SELECT 1) SELECT a FROM c UNION SELECT a FROM t", "extra"),
    ("EXISTS", "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.i = t.i)", "hard"),
    ("NOT EXISTS and an aggregate", "SELECT max(a) FROM t WHERE NOT EXISTS (SELECT 1 FROM u)", "extra"),
    ("NOT EXISTS alone", "SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u)", "hard"),
    ("a scalar subquery in SELECT", "SELECT (SELECT max(b) FROM u) FROM t", "hard"),
    ("its aggregate is not the outer query's", "SELECT (SELECT max(b) FROM u) FROM t ORDER BY max(a)", "hard"),
    ("a scalar subquery beside a column", "SELECT a, (SELECT max(b) FROM u) FROM t", "extra"),
    ("a subquery in ORDER BY", "SELECT a FROM t ORDER BY (SELECT max(b) FROM u)", "hard"),
    ("a subquery in LIMIT", "SELECT a FROM t LIMIT (SELECT max(b) FROM u)", "hard"),
    ("a subquery in an expression", "SELECT a FROM t WHERE b > 2 * (SELECT avg(b) FROM t)", "hard"),
    ("a subquery on the left", "SELECT a FROM t WHERE (SELECT avg(b) FROM t) < b", "hard"),
    ("double brackets are one subquery", "SELECT a FROM t WHERE b IN ((SELECT b FROM u))", "hard"),
    ("a window with nothing", "SELECT count(*) OVER () FROM t", "easy"),
    ("a window with an order", "SELECT rank() OVER (ORDER BY a) FROM t", "medium"),
    ("a window with both", "SELECT rank() OVER (PARTITION BY b ORDER BY a) FROM t", "hard"),
    ("a window with both and a WHERE", "SELECT rank() OVER (PARTITION BY b ORDER BY a) FROM t WHERE c = 1", "extra"),
    ("a window's function is no aggregate", "SELECT sum(a) OVER () FROM t ORDER BY max(b)", "medium"),
    ("nor is it with FILTER, which is a clause", "SELECT sum(a) FILTER (WHERE b) OVER (), max(c) FROM t", "medium"),
    ("an aggregate inside a window's function", "SELECT sum(count(*)) OVER (ORDER BY b), max(a) FROM t", "extra"),
    ("an aggregate in PARTITION BY", "SELECT rank() OVER (PARTITION BY max(a)), max(b) FROM t", "extra"),
    ("a named window", "SELECT sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b ORDER BY a)", "hard"),
    ("two calls of a named window", "SELECT sum(a) OVER w, rank() OVER w FROM t WINDOW w AS (ORDER BY a)", "hard"),
    ("CASE", "SELECT CASE WHEN a = 1 OR b = 2 OR NOT c THEN 3 ELSE 4 END FROM t", "easy"),
    ("CASE and a WHERE", "SELECT CASE a WHEN 1 THEN 3 WHEN 2 THEN 5 END FROM t WHERE b = 1", "medium"),
    ("CASE inside an aggregate", "SELECT sum(CASE WHEN a = 1 THEN 1 END) FROM t WHERE b = 1 ORDER BY c", "hard"),
    ("two CASE", "SELECT CASE WHEN a THEN CASE WHEN b THEN 1 END END FROM t", "medium"),
    ("CASE in WHERE", "SELECT a FROM t WHERE CASE WHEN a OR b THEN 1 END = 1", "medium"),
    ("IIF", "SELECT iif(a = 1, 2, 3) FROM t WHERE b = 1", "medium"),
    ("FILTER", "SELECT count(*) FILTER (WHERE a = 1) FROM t ORDER BY b", "medium"),
    ("an inner join", "SELECT a FROM t INNER JOIN u ON t.i = u.i", "easy"),
    ("LEFT JOIN", "SELECT a FROM t LEFT JOIN u ON t.i = u.i", "medium"),
    ("FULL OUTER JOIN", "SELECT a FROM t FULL OUTER JOIN u ON t.i = u.i WHERE b = 1", "hard"),
    ("a comma", "SELECT a FROM t, u WHERE t.i = u.i", "medium"),
    ("NATURAL and USING", "SELECT a FROM t NATURAL JOIN u JOIN v USING (i)", "medium"),
    ("joins in brackets", "SELECT a FROM (t JOIN u ON t.i = u.i OR t.j = u.j) CROSS JOIN v", "hard"),
    ("joins in brackets after a table", "SELECT a FROM v JOIN (t JOIN u ON t.i = u.i)", "medium"),
    ("GLOB", "SELECT a FROM t WHERE b GLOB 'x*'", "medium"),
    ("LIKE with ESCAPE", "SELECT a FROM t WHERE b LIKE 'x!%' ESCAPE '!'", "medium"),
    ("other aggregates", "SELECT a FROM t ORDER BY group_concat(b), total(b)", "medium"),
    ("JSON aggregates", "SELECT json_group_array(a) FROM t ORDER BY json_group_object(a, b)", "medium"),
    ("max of two values is no aggregate", "SELECT max(a, b) FROM t ORDER BY max(c)", "easy"),
    ("an aggregate in a function", "SELECT round(avg(a), 2) FROM t ORDER BY max(b)", "medium"),
    ("arithmetic that begins with an aggregate", "SELECT max(a) - min(a) FROM t ORDER BY max(b)", "medium"),
    ("an alias", "SELECT max(a) AS m FROM t ORDER BY max(b)", "medium"),
    ("an alias of an aggregate in brackets", "SELECT (max(a)) AS m FROM t ORDER BY max(b)", "easy"),
    ("brackets around conditions", "SELECT a FROM t WHERE (b = 1 OR c = 2) AND d = 3", "medium"),
    ("NOT before brackets is one", "SELECT a FROM t WHERE NOT (b = 1 AND c = 2)", "medium"),
    ("IS NOT NULL is no NOT", "SELECT max(a) FROM t WHERE b IS NOT NULL", "easy"),
    ("OFFSET belongs to LIMIT", "SELECT a FROM t LIMIT 1 OFFSET 2", "easy"),
    ("UNION ALL", "SELECT a FROM t UNION ALL SELECT a FROM u", "hard"),
]

REFUSED = [
    ("empty", "", "the text is empty"),
    ("prose", "I cannot answer that.", "not a query"),
    ("two queries", "SELECT 1; SELECT 2", "2 statements"),
    ("a change", "DELETE FROM t", "begins with 'DELETE'"),
    ("a change after WITH", "WITH c AS (SELECT 1) DELETE FROM t", "DELETE"),
    ("cut off", "SELECT a FROM", "cannot be parsed"),
    ("no columns", "SELECT", "at least one column"),
    ("a table as a query", "(t) UNION SELECT 1", "at least one column"),
    ("VALUES", "VALUES (1, 2)", "not a query"),
    ("an open quote", "SELECT 'a", "tokens"),
    ("a thousand brackets", "SELECT " + "(" * 1000 + "1" + ")" * 1000, "nested"),
    ("no text", None, "must be text"),
]


@pytest.mark.parametrize("sql, level", [pytest.param(*case[1:], id=case[0]) for case in SPIDER + EXTENSIONS])
def test_class(sql: str, level: str) -> None:
    assert hardness(sql) == level


@pytest.mark.parametrize("sql, reason", [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_refused(sql: str, reason: str) -> None:
    with pytest.raises(ValueError, match="no hardness for") as refusal:
        hardness(sql)
    assert reason in str(refusal.value)
    assert len(str(refusal.value)) < 400


@settings(deadline=None, max_examples=80)
@given(spider_queries())
def test_queries_of_spiders_grammar(query: tuple) -> None:
    form, sql = query
    assert hardness(sql) == official_hardness(form), sql


@pytest.fixture(scope="module")
def spider_dev() -> list[dict]:
    folder = os.environ.get("FINER_TEST_DATA")
    if not folder:
        pytest.skip("FINER_TEST_DATA is not set: it names the folder that holds spider/dev.json")
    path = Path(folder) / "spider" / "dev.json"
    if not path.is_file():
        pytest.fail(f"FINER_TEST_DATA is {folder!r}, but {path} is missing; put Spider's dev.json there or unset it")
    return json.loads(path.read_text(encoding="utf-8"))


def test_spider_dev_question_by_question(spider_dev: list[dict]) -> None:
    computed = [(hardness(item["query"]), official_hardness(item["sql"])) for item in spider_dev]
    different = [(index, *pair) for index, pair in enumerate(computed) if pair[0] != pair[1]]
    assert len(spider_dev) == 1034
    assert different == []


def test_spider_dev_published_counts(spider_dev: list[dict]) -> None:
    counts = Counter(hardness(item["query"]) for item in spider_dev)
    assert [counts[level] for level in LEVELS] == [248, 446, 174, 166]
