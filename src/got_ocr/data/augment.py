"""What happens to a picture on its way from the page to the reader. Knows no text; moves no ink by more than a pixel.

Every effect is (pixels, rng, strength) -> pixels, (H, W, 3) RGB uint8, strength 0 (hardly seen) to 1 (the most that a person
still reads at text sizes); none changes its argument.
"""

from typing import TYPE_CHECKING

from got_ocr.data import paper

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]


def blur(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Soften with a Gaussian of up to 1.2 pixels."""
    import cv2

    return cv2.GaussianBlur(pixels, (0, 0), 0.3 + 0.9 * strength * rng.random())


def noise(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Add grey or coloured sensor noise of up to 22 levels."""
    import cv2
    import numpy as np

    height, width = pixels.shape[:2]
    amount = np.float32(1 + 21 * strength * rng.random())
    if rng.random() < 0.7:
        level = cv2.cvtColor((paper.noise(rng, width, height) * amount), cv2.COLOR_GRAY2RGB)
    else:
        level = paper.noise(rng, width * 3, height).reshape(height, width, 3) * amount
    return cv2.add(pixels, level, dtype=cv2.CV_8U)


def jpeg(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Save as JPEG, quality 95 down to 30, and read again."""
    import cv2

    quality = int(95 - 65 * strength * rng.random())
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def low_resolution(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Shrink to as little as half the size and enlarge again."""
    import cv2

    height, width = pixels.shape[:2]
    factor = 1 - 0.5 * strength * rng.random()
    small = cv2.resize(
        pixels, (max(1, round(width * factor)), max(1, round(height * factor))), interpolation=cv2.INTER_AREA
    )
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC)


def exposure(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Change brightness and contrast mildly."""
    import cv2

    gain = 1 - 0.35 * strength * rng.random()
    return cv2.convertScaleAbs(pixels, alpha=gain, beta=float(rng.uniform(0, 255 * (1 - gain))))


LIGHT = (blur, low_resolution, exposure, noise, jpeg)


def light(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Apply one to three of the light effects, in their natural order."""
    chosen = rng.random(len(LIGHT)) < 0.4
    if not chosen.any():
        chosen[int(rng.integers(len(LIGHT)))] = True
    for effect, on in zip(LIGHT, chosen, strict=True):
        if on:
            pixels = effect(pixels, rng, strength)
    return pixels
