"""What the rewards find without a database: shares of two results, rows as JSON, why a text is no query. Run: pytest tests/test_rewards_alone.py"""

from __future__ import annotations

import pytest

from finer.records import Execution, Verdict
from finer.rewards.facts import json_rows
from finer.rewards.result import result_overlap
from finer.rewards.scorer import why_no_query


@pytest.mark.parametrize(
    ("case", "gold", "prediction", "cells", "columns"),
    [
        ("the same", [(1, "a"), (2, "b")], [(1, "a"), (2, "b")], 1, 1),
        ("in another order", [(1, "a"), (2, "b")], [(2, "b"), (1, "a")], 1, 1),
        ("columns exchanged", [(1, "a"), (2, "b")], [("a", 1), ("b", 2)], 1, 1),
        ("one column too many", [("a",), ("b",)], [(1, "a"), (2, "b")], 0.5, 0.5),
        ("a row missing", [(1,), (2,)], [(1,)], 0.5, 0),
        ("a row twice", [(1,)], [(1,), (1,)], 0.5, 0),
        ("floats within the tolerance", [(0.3,)], [(0.1 + 0.2,)], 1, 1),
        ("1 and 1.0", [(1,)], [(1.0,)], 1, 1),
        ("number and text", [(1,)], [("1",)], 0, 0),
        ("nothing in common", [(1,)], [(2,)], 0, 0),
        ("no row", [(1,)], [], 0, 0),
        ("no row on either side", [], [], 1, 1),
    ],
)
def test_what_two_results_share(case, gold, prediction, cells, columns):
    sides = [Execution("ok", tuple(rows), ("x",) * len(rows[0] if rows else "x")) for rows in (gold, prediction)]
    found = result_overlap(*sides)
    assert (found.cells, found.columns) == (cells, columns), case
    assert result_overlap(sides[0], Execution("error")).overlap == 0


def test_two_results_without_rows_but_of_another_width_share_nothing():
    assert result_overlap(Execution("empty", (), ("a",)), Execution("empty", (), ("a", "b"))).overlap == 0


def test_cells_are_made_json_ready():
    row = (b"\x00\xff", float("nan"), float("-inf"), "y" * 500, None, 2**70, True)
    (cells,) = json_rows([row])
    assert cells[:3] == ["X'00ff'", "nan", "-inf"] and cells[3].endswith("… (100 more characters)")
    assert cells[4:] == [None, 2**70, True] and len(json_rows([(1,)] * 9)) == 5


@pytest.mark.parametrize(
    ("case", "sql", "status", "error", "fault"),
    [
        ("refused on reading", "DROP TABLE book", "refused", "no", "starts with DROP"),
        ("refused while running", "SELECT load_extension('x')", "refused", "not authorized", "not authorized"),
        ("neither parses", "SELECT FROM WHERE", "error", 'near "FROM": syntax error', "near"),
        ("only SQLite cannot parse", "SELECT a FROM t WHERE a ILIKE 'x'", "error", 'near "ILIKE": syntax error', ""),
        ("fails on a name", "SELECT x FROM t", "error", "no such column: x", ""),
        ("runs", "SELECT 1", "ok", "", ""),
    ],
)
def test_what_is_no_query(case, sql, status, error, fault):
    found = why_no_query(sql, Verdict(False, status, error, 0, Execution(status, error=error)))
    assert found.startswith(fault) and bool(found) == bool(fault), case
