"""Turning and bending pictures and points alike. Knows no text, colour or effect.

Matrices are (3, 3), from old to new coordinates, in pixel edges: the left edge of the first pixel is 0 and its centre
0.5.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Matrix = npt.NDArray[np.float64]
    Points = npt.NDArray[np.float32]
    Pixels = npt.NDArray[np.uint8]


def shift(x: float, y: float) -> "Matrix":
    """Move by x to the right and y down."""
    import numpy as np

    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], dtype=np.float64)


def turn(width: float, height: float, degrees: float) -> "Matrix":
    """Turn counter-clockwise about the centre of a picture."""
    import math

    import numpy as np

    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    about = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]], dtype=np.float64)
    matrix: Matrix = shift(width / 2, height / 2) @ about @ shift(-width / 2, -height / 2)
    return matrix


def perspective(rng: "np.random.Generator", width: float, height: float, amount: float) -> "Matrix":
    """Move the four corners by up to `amount` of the shorter side, each on its own."""
    import cv2
    import numpy as np

    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    offsets = rng.uniform(-amount, amount, size=(4, 2)).astype(np.float32) * min(width, height)
    matrix: Matrix = cv2.getPerspectiveTransform(corners, corners + offsets)
    return matrix


def move(points: "Points", matrix: "Matrix") -> "Points":
    """Carry points (N, 2) along."""
    import numpy as np

    flat = points.astype(np.float64) @ matrix[:, :2].T + matrix[:, 2]
    moved: Points = (flat[:, :2] / flat[:, 2:]).astype(np.float32)
    return moved


def warp(pixels: "Pixels", matrix: "Matrix", size: tuple[int, int], fill: int | None = None) -> "Pixels":
    """Draw a picture anew, `size` (width, height).

    What comes from outside has the value `fill`, or the nearest edge's.
    """
    import cv2

    # OpenCV counts pixel centres where we count edges.
    inner = shift(-0.5, -0.5) @ matrix @ shift(0.5, 0.5)
    border = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
    value = (fill or 0,) * 3
    if matrix[2, 0] == 0 and matrix[2, 1] == 0:
        turned: Pixels = cv2.warpAffine(pixels, inner[:2] / inner[2, 2], size, borderMode=border, borderValue=value)
        return turned
    bent: Pixels = cv2.warpPerspective(pixels, inner, size, borderMode=border, borderValue=value)
    return bent
