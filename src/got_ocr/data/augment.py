"""What happens to a picture on its way from the page to the reader. Knows no text, font or label.

Every effect is (pixels, rng, strength) -> pixels, (H, W, 3) RGB uint8, strength 0 (hardly seen) to 1 (the most that a
person still reads at text sizes); none changes its argument. Only skew and perspective move ink by more than a pixel:
sources that know their lines turn the page with data.geometry instead, and move the boxes along.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from got_ocr.data import geometry, paper

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]
    Effect = Callable[[Pixels, np.random.Generator, float], Pixels]


def blur(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Soften with a Gaussian of up to 1.2 pixels."""
    import cv2

    sigma = 0.3 + 0.9 * strength * rng.random()
    side = 3 if sigma < 0.6 else 5
    soft: Pixels = cv2.GaussianBlur(pixels, (side, side), sigma)
    return soft


def noise(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Add grey or coloured sensor noise of up to 22 levels."""
    import cv2
    import numpy as np

    height, width = pixels.shape[:2]
    amount = np.float32(1 + 21 * strength * rng.random())
    count = 1 if rng.random() < 0.7 else 3
    places = [paper.place(rng) for _ in range(count)]
    noisy: Pixels = np.empty(pixels.shape, dtype=np.uint8)
    for rows in paper.bands(height, width):
        levels = [paper.noise_at(place, rows, width) * amount for place in places]
        cv2.add(pixels[rows], cv2.merge(levels * (3 // count)), dst=noisy[rows], dtype=cv2.CV_8U)
    return noisy


def jpeg(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Save as JPEG, quality 95 down to 30, and read again."""
    import cv2

    quality = int(95 - 65 * strength * rng.random())
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: Pixels | None = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return pixels if decoded is None else decoded


def low_resolution(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Shrink to as little as half the size and enlarge again."""
    import cv2

    height, width = pixels.shape[:2]
    factor = 1 - 0.5 * strength * rng.random()
    size = max(1, round(width * factor)), max(1, round(height * factor))
    # Averaging over areas is slow; a slight blur before sampling does the same for mild factors.
    small = cv2.resize(cv2.blur(pixels, (2, 2)) if factor < 0.8 else pixels, size, interpolation=cv2.INTER_LINEAR)
    large = cv2.resize(
        small, (width, height), interpolation=cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
    )
    wide: Pixels = large
    return wide


def exposure(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Change brightness and contrast mildly."""
    import cv2

    gain = 1 - 0.35 * strength * rng.random()
    dim: Pixels = cv2.convertScaleAbs(pixels, alpha=gain, beta=float(rng.uniform(0, 255 * (1 - gain))))
    return dim


def shading(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Light the page unevenly: a slope and a soft shadow take up to 45 % away."""
    import cv2
    import numpy as np

    height, width = pixels.shape[:2]
    x, y = np.linspace(-1, 1, 16, dtype=np.float32), np.linspace(-1, 1, 16, dtype=np.float32)[:, None]
    slope, centre = rng.uniform(-1, 1, size=2), rng.uniform(-1, 1, size=2)
    light = slope[0] * x + slope[1] * y - 0.6 * ((x - centre[0]) ** 2 + (y - centre[1]) ** 2)
    light = (light - light.max()) / max(1e-6, float(light.max() - light.min()))
    field = ((1 + 0.45 * strength * light) * 255).astype(np.uint8)
    full = cv2.merge([cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)] * 3)
    shaded: Pixels = cv2.multiply(pixels, full, scale=1 / 255)
    return shaded


def skew(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Turn by up to 3 degrees; the picture keeps its size."""
    height, width = pixels.shape[:2]
    degrees = float(rng.uniform(-3, 3)) * strength
    return geometry.warp(pixels, geometry.turn(width, height, degrees), (width, height))


def perspective(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Look from the side: corners move by up to 4 % of the shorter side; the picture keeps its size."""
    height, width = pixels.shape[:2]
    return geometry.warp(pixels, geometry.perspective(rng, width, height, 0.04 * strength), (width, height))


def bleed_through(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Let the print of the other side shine through, mirrored, soft and faint."""
    import cv2

    back = cv2.GaussianBlur(cv2.flip(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), 1), (5, 5), 1.5)
    level = float(back.max())
    faint = cv2.convertScaleAbs(back, alpha=-1.0, beta=level)
    faint = cv2.convertScaleAbs(faint, alpha=(0.05 + 0.17 * rng.random()) * strength)
    shone: Pixels = cv2.subtract(pixels, cv2.merge([faint] * 3))
    return shone


def stains(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Spill one to four translucent brownish or grey spots, some with a darker rim."""
    import cv2
    import numpy as np

    height, width = pixels.shape[:2]
    scale = 8
    layer = np.zeros((-(-height // scale), -(-width // scale)), dtype=np.uint8)
    side = max(4, min(layer.shape))
    for _ in range(int(rng.integers(1, 5))):
        centre = int(rng.integers(layer.shape[1])), int(rng.integers(layer.shape[0]))
        axes = int(rng.integers(2, max(3, side // 3))), int(rng.integers(2, max(3, side // 3)))
        full = -1 if rng.random() < 0.7 else max(1, side // 40)
        cv2.ellipse(layer, centre, axes, float(rng.uniform(0, 180)), 0, 360, int(rng.integers(60, 256)), full)
    layer = cv2.GaussianBlur(layer, (0, 0), 0.8 + 1.5 * rng.random())
    spread = cv2.resize(layer, (width, height), interpolation=cv2.INTER_LINEAR)
    tint = np.array([10, 30, 55] if rng.random() < 0.6 else [30, 30, 30], dtype=np.float32) * (0.4 + 0.9 * strength)
    table = (np.arange(256, dtype=np.float32)[:, None] / 255 * tint).astype(np.uint8)[None]
    stained: Pixels = np.empty(pixels.shape, dtype=np.uint8)
    for rows in paper.bands(height, width):
        dark = cv2.LUT(cv2.cvtColor(spread[rows], cv2.COLOR_GRAY2RGB), table)
        cv2.subtract(pixels[rows], dark, dst=stained[rows])
    return stained


def fax(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Make it black and white at a lower resolution, with a few dropped or repeated rows."""
    import cv2
    import numpy as np

    height, width = pixels.shape[:2]
    factor = 1 - 0.35 * strength * rng.random()
    grey = cv2.resize(
        cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA
    )
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    _, bits = cv2.threshold(grey, min(235.0, level + 18), 255, cv2.THRESH_BINARY)
    rows = np.arange(bits.shape[0])
    hit = rng.random(rows.size) < 0.004 * strength
    rows[hit] = np.maximum(rows[hit] - 1, 0)
    large = cv2.resize(bits[rows], (width, height), interpolation=cv2.INTER_LINEAR)
    sent: Pixels = cv2.merge([large] * 3)
    return sent


def photocopy(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Make it grey and hard, with uneven toner, specks and a shadow along one edge."""
    import cv2
    import numpy as np

    height, width = pixels.shape[:2]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    low, high = float(grey.min()), float(grey.max())
    gain = (1 + 0.8 * strength) * 255 / max(40.0, high - low)
    # Keep the middle of ink and paper where it is, so that neither thin strokes nor counters are lost.
    table = np.clip((np.arange(256) - (low + high) / 2) * gain + 140, 0, 255).astype(np.uint8)
    hard = cv2.LUT(grey, table)
    # Specks stay smaller and rarer than full stops, or they would be read as such.
    place = paper.place(rng)
    for rows in paper.bands(height, width):
        specks = (paper.noise_at(place, rows, width) > 4.3 - 0.5 * strength).astype(np.uint8) * 170
        cv2.subtract(hard[rows], specks, dst=hard[rows])
    edge = min(width, max(2, int(0.03 * width * strength)))
    shadow = np.linspace(90 * strength, 0, edge).astype(np.uint8)[None].repeat(height, axis=0)
    hard[:, :edge] = cv2.subtract(hard[:, :edge], shadow)
    copied: Pixels = cv2.merge([hard] * 3)
    return copied


EFFECTS: "Mapping[str, Effect]" = MappingProxyType(
    {
        effect.__name__: effect
        for effect in (
            bleed_through, stains, photocopy, fax, shading, skew, perspective, blur, low_resolution, exposure, noise,
            jpeg,
        )
    }
)  # fmt: skip
LIGHT = (blur, low_resolution, exposure, noise, jpeg)
# Chains of effects, each with its chance, in the order in which they befall a sheet.
WEARS: "Mapping[str, tuple[tuple[Effect, float], ...]]" = MappingProxyType(
    {
        "scan": ((bleed_through, 0.4), (stains, 0.15), (blur, 0.5), (exposure, 0.4), (noise, 0.5), (jpeg, 0.6)),
        "photo": ((stains, 0.1), (shading, 0.9), (blur, 0.6), (low_resolution, 0.3), (noise, 0.7), (jpeg, 0.8)),
        "copy": ((bleed_through, 0.2), (photocopy, 1.0), (blur, 0.4), (jpeg, 0.4)),
        "fax": ((fax, 1.0), (blur, 0.3)),
    }
)
WEAR_NAMES = ("none", "light", "mixed", *WEARS)


def light(pixels: "Pixels", rng: "np.random.Generator", strength: float) -> "Pixels":
    """Apply one to three of the light effects, in their natural order."""
    chosen = rng.random(len(LIGHT)) < 0.4
    if not chosen.any():
        chosen[int(rng.integers(len(LIGHT)))] = True
    for effect, on in zip(LIGHT, chosen, strict=True):
        if on:
            pixels = effect(pixels, rng, strength)
    return pixels


def wear(pixels: "Pixels", rng: "np.random.Generator", strength: float, name: str) -> "Pixels":
    """Wear a page out as `name` says: none, light, scan, photo, copy, fax, or mixed for any of these."""
    if name == "mixed":
        name = ("none", "light", "scan", "photo", "copy", "fax")[int(rng.choice(6, p=(0.2, 0.3, 0.2, 0.15, 0.1, 0.05)))]
    if name == "none":
        return pixels
    if name == "light":
        return light(pixels, rng, strength)
    for effect, chance in WEARS[name]:
        if rng.random() < chance:
            pixels = effect(pixels, rng, strength)
    return pixels
