"""The exact nearest rows of a matrix for a batch of vectors, at little more than the price of the matrix product.

The product in single precision goes block by block, and each block raises the threshold that a row must reach. A row is
passed over only where the bound on rounding proves that it is not among the k nearest; what is left is ranked again in
double precision, so the answer is that of an exact search, whatever the batch or its order.

Not covered: approximate indexes. At a hundred thousand rows nothing needs one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

BLOCK_ROWS = 32_768
"""Rows of one product: its scores (8 MB for 64 queries) are overwritten by the next. Smaller ones stay in the cache, but
every product waits for its threads, which costs more than the cache saves where cores are shared."""
_RANKED_ROWS = 4096
"""Rows that are widened to double precision at once."""
_GROUP = 16
"""Columns of which only the highest is looked at when a block's threshold is found."""
_LOWEST = np.float32(-2)
"""Below every cosine, above the minus infinity of a hidden row."""

Hidden = tuple[np.ndarray, np.ndarray]
"""(queries, rows): places of queries that must not find these rows; rows ascending."""


def nearest(
    queries: np.ndarray, segments: Sequence[np.ndarray], k: int, hidden: Sequence[Hidden] = ()
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each query the places of its k nearest rows and their cosines, nearest first, ties to the lower place.

    ``queries``: float32, shape (n, d); ``segments``: the matrix in pieces, float32, shape (rows, d) each; all rows of
    length 1 or 0. Fewer than k where fewer rows are not hidden. Cosines are double precision.
    """
    slack = np.float32(2 * _rounding(queries.shape[1]))
    least = np.full(len(queries), _LOWEST)
    found = [(np.zeros(0, int), np.zeros(0, int), np.zeros(0, np.float32))]
    for start, scores in _products(queries, segments):
        for rows, places in hidden:
            low, high = np.searchsorted(places, (start, start + scores.shape[1]))
            if low < high:
                scores[rows[:, None], places[low:high] - start] = -np.inf
        np.maximum(least, _lower_bound(scores, k) - slack, out=least)
        # On a flat array this is twenty times faster than on one of two axes.
        row, column = np.divmod(np.flatnonzero(scores >= least[:, None]), scores.shape[1])
        found.append((row, column + start, scores[row, column]))
    return _ranked(queries, segments, k, found, slack)


def _rounding(width: int) -> float:
    """A bound on the error of a float32 product of two unit vectors: n·u / (1 - n·u), u = 2⁻²⁴, and a little for length.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, section 3.1; it holds for every order of summation.
    """
    unit = width * 2.0**-24
    return 1.01 * unit / (1 - unit)


def _products(queries: np.ndarray, segments: Sequence[np.ndarray]) -> Iterator[tuple[int, np.ndarray]]:
    """(first place, scores) of each block; the scores are overwritten by the next one's."""
    room = np.empty((len(queries), BLOCK_ROWS), dtype=np.float32)  # touched by whole blocks alone
    start = 0
    for segment in segments:
        for first in range(0, len(segment), BLOCK_ROWS):
            block = segment[first : first + BLOCK_ROWS]
            whole = len(block) == BLOCK_ROWS
            yield start + first, np.matmul(queries, block.T, out=room) if whole else queries @ block.T
        start += len(segment)


def _lower_bound(scores: np.ndarray, k: int) -> np.ndarray:
    """A number a query that at least k of its scores in the block reach, or the lowest: the k-th of group maxima."""
    count, columns = scores.shape
    groups = columns // _GROUP
    if groups >= k:
        scores = scores[:, : groups * _GROUP].reshape(count, _GROUP, groups).max(axis=1)
    elif columns < k:
        return np.full(count, _LOWEST)
    place = scores.shape[1] - k
    return np.maximum(np.partition(scores, place, axis=1)[:, place], _LOWEST)


def _ranked(queries, segments, k, found, slack) -> list[tuple[np.ndarray, np.ndarray]]:
    """What passed the thresholds, query by query, ranked in double precision."""
    row, place, score = (np.concatenate(column) for column in zip(*found))
    order = np.argsort(row, kind="stable")
    ends = np.searchsorted(row[order], np.arange(len(queries) + 1))
    answers = []
    for query, (begin, end) in zip(queries, pairwise(ends)):
        mine = order[begin:end]
        places, scores = place[mine], score[mine]
        if len(places) > k:
            places = places[scores >= np.partition(scores, len(scores) - k)[len(scores) - k] - slack]
        cosines = cosines_to(query, segments, places)
        nearest_first = np.argsort(-cosines, kind="stable")[:k]
        answers.append((places[nearest_first], cosines[nearest_first]))
    return answers


def cosines_to(query: np.ndarray, segments: Sequence[np.ndarray], places: np.ndarray) -> np.ndarray:
    """Products of one vector with the rows at ``places``, in double precision, each alone: no batch changes a bit."""
    query = query.astype(np.float64)
    pieces = [places[start : start + _RANKED_ROWS] for start in range(0, len(places), _RANKED_ROWS)]
    return np.concatenate([np.zeros(0), *((take(segments, piece) * query).sum(axis=1) for piece in pieces)])


def take(segments: Sequence[np.ndarray], places: np.ndarray) -> np.ndarray:
    """The rows at ``places``, in their order, as float64."""
    rows = np.empty((len(places), segments[0].shape[1]))
    start = 0
    for segment in segments:
        here = (places >= start) & (places < start + len(segment))
        rows[here] = segment[places[here] - start]
        start += len(segment)
    return rows
