"""Vectors on a plane: the two directions along which they differ most, for a map of the memory.

Principal component analysis (Pearson 1901), by numpy. Not covered: drawing, and what is lost: ``shares`` says how much of the
variance the plane keeps, and points that are near each other on it need not be near in the space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_ROWS = 1000
"""Rows that the axes are computed from; of more, an even choice of so many."""

@dataclass(frozen=True)
class Plane:
    """A centre and two axes of length 1, at right angles to each other."""

    centre: np.ndarray
    axes: np.ndarray
    """Shape (2, dimensions); a row of zeros where the vectors do not differ in that many directions."""
    shares: tuple[float, float]
    """Of the variance, 0 to 1, that lies along each axis."""

    def places(self, vectors: np.ndarray) -> np.ndarray:
        """Where vectors (n, dimensions) lie: shape (n, 2)."""
        return (vectors.astype(np.float64) - self.centre) @ self.axes.T


def principal_plane(vectors: np.ndarray) -> Plane:
    """The plane of vectors (n, dimensions), n > 0. An axis points to where its largest number is positive, so none flips.

    >>> plane = principal_plane(np.array([[0.0, 1.0, 5.0], [4.0, 1.0, 5.0], [2.0, 2.0, 5.0], [2.0, 0.0, 5.0]]))
    >>> (plane.axes.round(6) + 0.0).tolist(), [round(share, 6) for share in plane.shares]
    ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [0.8, 0.2])
    >>> (plane.places(np.array([[3.0, 1.0, 9.0]])).round(6) + 0.0).tolist()
    [[1.0, 0.0]]
    """
    chosen = vectors[:: -(-len(vectors) // MOST_ROWS)].astype(np.float64)
    centre = chosen.mean(axis=0)
    centred = chosen - centre
    wide = len(centred) < centred.shape[1]
    # The smaller of the two products: both have the same largest sums of squares.
    sums, found = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
    axes, shares, total = np.zeros((2, vectors.shape[1])), [0.0, 0.0], float(sums.sum())
    for place in range(min(2, len(sums))):
        along = float(sums[-1 - place])
        if along > 1e-9 * total:
            direction = found[:, -1 - place] @ centred / np.sqrt(along) if wide else found[:, -1 - place]
            axes[place] = direction * np.sign(direction[np.argmax(np.abs(direction))])
            shares[place] = along / total
    return Plane(centre, axes, (shares[0], shares[1]))
