"""The search finds what an exact search finds, whatever the numbers. Run: pytest tests/test_memory_search.py"""

from __future__ import annotations

import numpy as np
import pytest

from finer.memory import search
from finer.memory.search import nearest


def unit(rows):
    return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30)).astype(np.float32)


def exact(queries, matrix, k, allowed):
    """By sorting all cosines in double precision; ties to the lower place."""
    answers = []
    for row, query in enumerate(queries.astype(np.float64)):
        cosines = (matrix.astype(np.float64) * query).sum(axis=1)
        cosines[~allowed[row]] = -np.inf
        order = np.argsort(-cosines, kind="stable")[:k]
        answers.append(order[np.isfinite(cosines[order])])
    return answers


def clustered(draw, rows, width):
    centres = draw.standard_normal((5, width))
    return unit(centres[draw.integers(0, 5, rows)] + 0.02 * draw.standard_normal((rows, width)))


def nearly_equal(draw, rows, width):
    """Cosines that differ by less than single precision can tell."""
    return unit(np.ones((rows, width)) + 1e-6 * draw.standard_normal((rows, width)))


CASES = {
    "random": lambda draw, rows, width: unit(draw.standard_normal((rows, width))),
    "clusters": clustered,
    "nearly equal rows": nearly_equal,
    "many duplicates": lambda draw, rows, width: unit(draw.standard_normal((7, width)))[draw.integers(0, 7, rows)],
    "rising towards the query": lambda draw, rows, width: unit(
        np.linspace(0, 1, rows)[:, None] * np.ones(width) + np.linspace(1, 0, rows)[:, None] * draw.standard_normal(width)
    ),
    "zero rows": lambda draw, rows, width: np.zeros((rows, width), np.float32),
}


@pytest.mark.parametrize("rows", [1, 19, 64, 300, 1111], ids=lambda rows: f"{rows} rows")
@pytest.mark.parametrize("case", CASES)
def test_equal_to_exact_search(monkeypatch, case, rows):
    monkeypatch.setattr(search, "BLOCK_ROWS", 256)  # several blocks, the last one short
    draw = np.random.default_rng(rows)
    matrix = CASES[case](draw, rows, 48)
    queries = np.concatenate([CASES[case](draw, 8, 48), unit(np.ones((1, 48))), np.zeros((1, 48), np.float32)])
    database = draw.integers(0, 3, rows)
    hidden = [(np.arange(own, len(queries), 4), np.flatnonzero(database == own)) for own in range(3)]
    allowed = np.array([database != row % 4 for row in range(len(queries))])
    cut = rows // 3
    found = nearest(queries, [matrix[:cut], matrix[cut:]] if cut else [matrix], 20, hidden)
    for (places, cosines), expected in zip(found, exact(queries, matrix, 20, allowed), strict=True):
        assert places.tolist() == expected.tolist()
        assert cosines.dtype == np.float64 and np.all(np.diff(cosines) <= 0)


def test_all_hidden_finds_nothing():
    rows = unit(np.ones((3, 4)))
    ((places, cosines),) = nearest(rows[:1], [rows], 2, [(np.array([0]), np.arange(3))])
    assert len(places) == len(cosines) == 0


def test_the_bound_on_rounding_holds():
    draw = np.random.default_rng(0)
    rows = unit(draw.standard_normal((2000, 384)))
    error = np.abs((rows @ rows[:50].T) - rows.astype(np.float64) @ rows[:50].T.astype(np.float64)).max()
    assert error < search._rounding(384) < 1e-4
