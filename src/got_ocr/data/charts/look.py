"""Choose how a chart looks: size, colours, font, what is written where. Knows no renderer; both read the same look.

Every function takes `rng` first. Lengths in pixels, angles in degrees.
"""

import colorsys
import math
from dataclasses import dataclass

import numpy as np

from got_ocr.data import fonts, paper
from got_ocr.data.charts.figure import Chart

Rng = np.random.Generator

PALETTES = (
    ("#1b6ca8", "#e07a1f", "#3f9142", "#b5322e", "#7b5ea7"),
    ("#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51"),
    ("#003f5c", "#58508d", "#bc5090", "#ff6361", "#ffa600"),
    ("#4c4c4c", "#8c8c8c", "#bdbdbd", "#222222", "#6a6a6a"),
    ("#0b486b", "#3b8686", "#79bd9a", "#a8dba8", "#cf4647"),
    ("#5b8ff9", "#5ad8a6", "#5d7092", "#f6bd16", "#e8684a"),
)


@dataclass(frozen=True, slots=True)
class Spot:
    """Place a label of a pie: a point in radii and from there to the label's middle in pixels, both with y upwards."""

    x: float
    y: float
    dx: float
    dy: float


@dataclass(frozen=True, slots=True)
class Look:
    """Say how a chart is drawn.

    size: font size. legend: right, bottom, top or none. grid: none, y (across the value axis) or both. frame: box,
    open (left and bottom) or bare. tilt: by how much category names are turned. upright: value labels stand on
    end. gap: share of a category left empty. spots: places of a pie's labels (a pie without them has a legend).
    start: where it begins, counted from the right against the clock.
    """

    font: fonts.Font
    size: int
    width: int
    height: int
    colours: tuple[str, ...]
    ink: str
    paper: str
    panel: str
    legend: str
    grid: str
    frame: str
    tilt: int
    upright: bool
    thick: float
    marks: bool
    gap: float
    hatched: bool
    hole: float
    left_title: bool
    start: float = 90.0
    spots: tuple[Spot, ...] = ()


def choose(rng: Rng, chart: Chart, font: fonts.Font) -> Look:
    """Choose a look that the chart's words and numbers fit into."""
    size = int(rng.integers(13, 20))
    width, height = int(rng.integers(620, 1060)), int(rng.integers(440, 760))
    dark = bool(rng.random() < 0.06)
    ground = "#20242c" if dark else "#ffffff" if rng.random() < 0.75 else _tint(rng)
    colours = _colours(rng, len(chart.keys) if chart.kind == "pie" else len(chart.series), dark)
    legend = str(rng.choice(("right", "bottom", "top")))
    gap = float(rng.uniform(0.15, 0.45))
    start, spots = _pie(rng, chart, font, size, height) if chart.kind == "pie" else (90.0, ())
    return Look(
        font=font,
        size=size,
        width=width,
        height=height,
        colours=tuple(
            _visible(colour, ground, 2.2 if chart.kind in ("line", "scatter") else 1.5) for colour in colours
        ),
        ink="#e8e8e8" if dark else str(rng.choice(("#000000", "#222222", "#404040"))),
        paper=ground,
        panel=_tint(rng) if rng.random() < 0.15 and not dark else ground,
        legend=legend if len(chart.series) > 1 or (chart.kind == "pie" and not spots) else "none",
        grid=str(rng.choice(("none", "y", "both"), p=(0.35, 0.45, 0.2))),
        frame=str(rng.choice(("box", "open", "bare"), p=(0.4, 0.5, 0.1))),
        tilt=_tilt(chart, font, size, width),
        upright=_upright(chart, font, size, width, gap),
        thick=float(rng.uniform(1.2, 3.2)),
        marks=bool(rng.random() < 0.6),
        gap=gap,
        hatched=bool(rng.random() < 0.08),
        hole=float(rng.uniform(0.4, 0.6)) if rng.random() < 0.3 else 0.0,
        left_title=bool(rng.random() < 0.2),
        start=start,
        spots=spots,
    )


def _tint(rng: Rng) -> str:
    red, green, blue = (int(value) for value in rng.integers(236, 256, size=3))
    return f"#{red:02x}{green:02x}{blue:02x}"


def rgb(colour: str) -> tuple[int, int, int]:
    """Read `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _visible(colour: str, ground: str, least: float) -> str:
    """Move a colour away from the paper until the two contrast enough."""
    target = 255 if paper.luminance(rgb(ground)) < 0.5 else 0
    parts = rgb(colour)
    while paper.contrast(parts, rgb(ground)) < least:
        red, green, blue = (round(part + (target - part) * 0.12) for part in parts)
        parts = red, green, blue
    return f"#{parts[0]:02x}{parts[1]:02x}{parts[2]:02x}"


def _colours(rng: Rng, count: int, dark: bool) -> tuple[str, ...]:
    """Take a palette, or hues that stand as far apart as they can."""
    palette = PALETTES[int(rng.integers(len(PALETTES)))]
    if count <= len(palette) and not dark and rng.random() < 0.6:
        first = int(rng.integers(len(palette)))
        return tuple(palette[(first + place) % len(palette)] for place in range(count))
    start, strong = float(rng.random()), float(rng.uniform(0.45, 0.6) if dark else rng.uniform(0.45, 0.9))
    light = float(rng.uniform(0.8, 0.95) if dark else rng.uniform(0.45, 0.85))
    mixed = (colorsys.hsv_to_rgb((start + place / count) % 1.0, strong, light) for place in range(count))
    return tuple(f"#{int(red * 255):02x}{int(green * 255):02x}{int(blue * 255):02x}" for red, green, blue in mixed)


def room(chart: Chart, width: int) -> float:
    """Estimate how wide one category is."""
    return width * (0.58 if len(chart.series) > 1 else 0.75) / len(chart.keys)


def _tilt(chart: Chart, font: fonts.Font, size: int, width: int) -> int:
    """Turn category names when they would not stand beside each other."""
    if chart.kind not in ("bar", "stacked", "line"):
        return 0
    widest = max(fonts.load(font, size).getlength(key) for key in chart.keys)
    if widest + size * 0.8 < room(chart, width):
        return 0
    return 90 if room(chart, width) < size * 1.6 else 45


def _upright(chart: Chart, font: fonts.Font, size: int, width: int, gap: float) -> bool:
    """Stand value labels on end when they would not stand beside each other."""
    if chart.kind != "bar" or not chart.valued:
        return False
    widest = max(fonts.load(font, size).getlength(value) for series in chart.series for value in series.values)
    return widest * 0.95 > room(chart, width) * (1 - gap) / len(chart.series)


def _pie(rng: Rng, chart: Chart, font: fonts.Font, size: int, height: int) -> tuple[float, tuple[Spot, ...]]:
    """Turn a pie until no two of its labels touch; without such a turn it gets a legend, and no places."""
    radius = height * 0.32
    for _ in range(8):
        start = float(rng.uniform(0, 360))
        spots = _spots(chart, start, font, size)
        boxes = [box(spot, radius) for spot in spots]
        pairs = ((one, two) for place, one in enumerate(boxes) for two in boxes[:place])
        if not any(_touch(one, two) for one, two in pairs):
            return start, spots
    return 90.0, ()


def _spots(chart: Chart, start: float, font: fonts.Font, size: int) -> tuple[Spot, ...]:
    """Put each label outside its slice, the nearest point of its box on the ray from the centre."""
    series, measure = chart.series[0], fonts.load(font, size)
    out, turned = [], start
    for key, number in zip(series.keys, series.numbers, strict=True):
        sweep = 360 * number / sum(series.numbers)
        angle = math.radians(turned - sweep / 2)
        turned -= sweep
        x, y = math.cos(angle), math.sin(angle)
        wide = max(measure.getlength(key), measure.getlength("99.99%"))
        out.append(Spot(x * 1.06, y * 1.06, x * wide / 2, y * size * 1.3))
    return tuple(out)


Box = tuple[float, float, float, float]


def box(spot: Spot, radius: float) -> Box:
    """Enclose a label, with its middle known and its half width and height not below what the ray says."""
    x, y = spot.x * radius + spot.dx, spot.y * radius + spot.dy
    slope = math.hypot(spot.x, spot.y)
    wide, tall = abs(spot.dx * slope / spot.x), abs(spot.dy * slope / spot.y)
    return x - wide, y - tall, x + wide, y + tall


def _touch(one: Box, two: Box) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]
