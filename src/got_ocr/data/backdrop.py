"""Backgrounds that look like no paper: walls, boards, skies, cloth. Knows no text. Pixels are (H, W, 3) RGB uint8."""

from typing import TYPE_CHECKING

from got_ocr.data import paper

if TYPE_CHECKING:
    import numpy as np

    from got_ocr.data.paper import Pixels


def make(rng: "np.random.Generator", width: int, height: int) -> "Pixels":
    """Draw a background: two colours shading into each other, shapes or a pattern, grain on top."""
    import cv2

    picture = _clouds(rng, width, height)
    drawn = (_nothing, _shapes, _tiles, _stripes, _panels)[int(rng.integers(5))](picture, rng)
    if rng.random() < 0.6:
        sigma = float(rng.uniform(0.6, 6.0))
        drawn = cv2.GaussianBlur(drawn, (0, 0), sigma)
    grain = paper.grain(rng, width, height, float(rng.uniform(1, 9)), int(rng.integers(1, 5)))
    textured: Pixels = cv2.add(drawn, cv2.cvtColor(grain, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U)
    return textured


def _color(rng: "np.random.Generator") -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rng.integers(0, 256, size=3))
    grey = (red + green + blue) // 3
    pale = float(rng.uniform(0.3, 1.0))
    return tuple(int(value + (grey - value) * pale) for value in (red, green, blue))  # type: ignore[return-value]


def _clouds(rng: "np.random.Generator", width: int, height: int) -> "Pixels":
    """Shade two or three colours into each other over a coarse grid."""
    import cv2
    import numpy as np

    side = int(rng.integers(2, 7))
    base = np.array(_color(rng), dtype=np.float32)
    grid = base + rng.normal(0, float(rng.uniform(4, 42)), size=(side, side, 3)).astype(np.float32)
    cells = np.clip(grid, 0, 255).astype(np.uint8)
    picture: Pixels = cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)
    return picture


def _nothing(picture: "Pixels", rng: "np.random.Generator") -> "Pixels":
    return picture


def _shapes(picture: "Pixels", rng: "np.random.Generator") -> "Pixels":
    import cv2

    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(3, 12))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        radius = int(rng.integers(8, max(9, min(width, height) // 3)))
        if rng.random() < 0.5:
            cv2.circle(picture, (x, y), radius, _color(rng), -1, cv2.LINE_AA)
        else:
            cv2.rectangle(picture, (x - radius, y - radius // 2), (x + radius, y + radius), _color(rng), -1)
    return picture


def _tiles(picture: "Pixels", rng: "np.random.Generator") -> "Pixels":
    """Lay bricks: joints of one colour over the shade below."""
    import cv2

    height, width = picture.shape[:2]
    tall = int(rng.integers(16, 60))
    wide, joint, color = int(tall * rng.uniform(1, 3)), int(rng.integers(1, 4)), _color(rng)
    for row, y in enumerate(range(0, height, tall)):
        cv2.line(picture, (0, y), (width, y), color, joint)
        for x in range((row % 2) * wide // 2, width, wide):
            cv2.line(picture, (x, y), (x, y + tall), color, joint)
    return picture


def _stripes(picture: "Pixels", rng: "np.random.Generator") -> "Pixels":
    import cv2

    height, width = picture.shape[:2]
    step, slope, color = int(rng.integers(8, 70)), float(rng.uniform(-1, 1)), _color(rng)
    thick = max(1, int(step * rng.uniform(0.1, 0.6)))
    for x in range(-height, width + height, step):
        cv2.line(picture, (x, 0), (int(x + slope * height), height), color, thick, cv2.LINE_AA)
    return picture


def _panels(picture: "Pixels", rng: "np.random.Generator") -> "Pixels":
    """Divide the picture into a few upright or level boards."""
    import numpy as np

    height, width = picture.shape[:2]
    count = int(rng.integers(2, 6))
    cuts = np.sort(rng.integers(0, max(width, height), size=count)).tolist()
    upright = rng.random() < 0.5
    for start, end in zip([0, *cuts], [*cuts, max(width, height)], strict=True):
        part = picture[:, start:end] if upright else picture[start:end]
        part[:] = (part.astype(np.uint16) + np.array(_color(rng), dtype=np.uint16)) // 2
    return picture
