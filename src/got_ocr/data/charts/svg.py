"""Draw charts as SVG of our own: a second hand beside matplotlib's, with text as outlines.

Chart and look in, a string out; every place is worked out from the widths of the words, so nothing overlaps or
runs over the edge. Knows no label and no pixels.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from got_ocr.data.charts import noted, scale
from got_ocr.data.charts.figure import Chart
from got_ocr.data.charts.look import Look
from got_ocr.data.tools import outlines


@dataclass(frozen=True, slots=True)
class Frame:
    """The panel's edges in pixels, the whole picture's size, and the ticks of its axes."""

    left: float
    top: float
    right: float
    bottom: float
    width: float
    height: float
    values: tuple[float, ...]
    across: tuple[float, ...] = ()

    def y(self, value: float) -> float:
        """Place a value on the upright axis."""
        low, high = self.values[0], self.values[-1]
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)

    def x(self, value: float) -> float:
        """Place a value on the level axis (scatter and barh)."""
        low, high = self.across[0], self.across[-1]
        return self.left + (value - low) / (high - low) * (self.right - self.left)


def write(chart: Chart, look: Look) -> str:
    """Write a whole chart as SVG."""
    frame = _frame(chart, look)
    parts = [f'<rect width="100%" height="100%" fill="{look.paper}"/>']
    if chart.kind != "pie":
        parts += _panel(chart, look, frame)
    parts += _DRAWERS[chart.kind](chart, look, frame)
    parts += _words(chart, look, frame)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{frame.width:.0f}" height="{frame.height:.0f}">'
    return head + "".join(parts) + "</svg>"


def _wide(look: Look, words: str, factor: float = 1.0) -> float:
    return outlines.width(look.font, words, look.size * factor)


def _write(look: Look, words: str, x: float, y: float, align: str, factor: float = 1.0, turn: float = 0.0) -> str:
    size = look.size * factor
    shape = outlines.text(look.font, words, size, x, y, align, turn)
    return f'<g fill="{look.ink}"{noted.attributes(look.font, words, size, (x, y), align, turn)}>{shape}</g>'


def _haloed(look: Look, words: str, x: float, y: float, align: str, turn: float = 0.0) -> str:
    """Write a value with a rim of paper, so that a line behind it does not cut through its digits."""
    shape = outlines.text(look.font, words, look.size * 0.9, x, y, align, turn)
    rim = f'<g fill="{look.panel}" stroke="{look.panel}" stroke-width="0.25" stroke-linejoin="round">{shape}</g>'
    told = noted.attributes(look.font, words, look.size * 0.9, (x, y), align, turn)
    return f'{rim}<g fill="{look.ink}"{told}>{shape}</g>'


def _frame(chart: Chart, look: Look) -> Frame:
    """Work out the panel from the words around it."""
    size = look.size
    low, high = chart.extent
    head = 0.1 * (high - low) if chart.valued and chart.kind != "stacked" else 0.0
    values = scale.ticks(low - (head if low < 0 else 0), high + head, 5)
    across: tuple[float, ...] = ()
    if chart.kind == "scatter":
        numbers = [float(key) for series in chart.series for key in series.keys]
        across = scale.ticks(min(numbers), max(numbers), 6)
    if chart.kind == "barh":
        across = values
    left, bottom, top = _left(chart, look, values), _bottom(chart, look), size * 1.0
    top += size * 2.2 if chart.title else 0
    top += _rim(look) + (_legend_height(chart, look) if look.legend == "top" else 0)
    right = size * 1.5 + (_legend_width(chart, look) + size if look.legend == "right" else 0)
    ends = [f"{across[-1]:g}"] if across else []
    right += max((_wide(look, end) / 2 for end in ends), default=0)
    wide, tall = look.width * 0.8, look.height * 0.72
    if chart.kind == "pie":
        left, wide = _pie_side(chart, look), tall
        right += _pie_side(chart, look) - size
    tall = max(tall, _wide(look, chart.y_title, 1.05))
    width = max(left + wide + right, _widest(chart, look) + 2 * size)
    return Frame(left, top, left + wide, top + tall, width, top + tall + bottom, values, across)


def _widest(chart: Chart, look: Look) -> float:
    """Measure the widest of the texts that run across the picture."""
    legend = _legend_width(chart, look) * min(len(_entries(chart)), 2) if look.legend in ("top", "bottom") else 0.0
    source = _wide(look, chart.source_mark + chart.source, 0.85)
    return max(_wide(look, chart.title, 1.25), _wide(look, chart.x_title, 1.05), source, legend)


def _middled(look: Look, frame: Frame, wide: float) -> float:
    """Find the middle nearest to the panel's at which a text of this width keeps clear of the edges."""
    middle = (frame.left + frame.right) / 2
    return min(max(middle, look.size + wide / 2), frame.width - look.size - wide / 2)


def _left(chart: Chart, look: Look, values: tuple[float, ...]) -> float:
    names = list(chart.keys) if chart.kind == "barh" else [scale.printed(value) for value in values]
    widest = max(_wide(look, name) for name in names)
    first = _wide(look, chart.keys[0]) * 0.7 if look.tilt == 45 else 0
    return max(look.size * 1.6 + widest, first) + (look.size * 1.8 if chart.y_title else 0)


def _bottom(chart: Chart, look: Look) -> float:
    size = look.size
    tall = 0.0 if chart.kind == "pie" else size * 1.7
    if look.tilt:
        longest = max(_wide(look, key) for key in chart.keys)
        tall = size * 1.2 + longest * math.sin(math.radians(look.tilt)) + size * 0.4
    tall += size * 1.7 if chart.x_title else 0
    tall += _legend_height(chart, look) if look.legend == "bottom" else 0
    tall += size * 1.8 if chart.source else 0
    return tall + size + _rim(look)


def _rim(look: Look) -> float:
    """The room for labels above and below a pie."""
    return look.size * 2.8 + look.height * 0.022 if look.spots else 0.0


def _pie_side(chart: Chart, look: Look) -> float:
    labels = max(_wide(look, key) for key in (*chart.keys, "99.99%")) + look.height * 0.022 if look.spots else 0.0
    return look.size * 1.5 + labels


def _entries(chart: Chart) -> list[str]:
    if chart.kind == "pie":
        series = chart.series[0]
        return [f"{key} {value}%" for key, value in zip(series.keys, series.values, strict=True)]
    return [series.name for series in chart.series]


def _legend_width(chart: Chart, look: Look) -> float:
    return look.size * 2.2 + max(_wide(look, entry, 0.95) for entry in _entries(chart))


def _legend_height(chart: Chart, look: Look) -> float:
    rows = -(-len(_entries(chart)) // 2)
    return rows * look.size * 1.5 + look.size * 0.8


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<path d="M{x1:.2f} {y1:.2f}L{x2:.2f} {y2:.2f}" fill="none" {style}/>'


def _panel(chart: Chart, look: Look, frame: Frame) -> list[str]:
    """Draw the panel, its grid, its edges and what stands along its axes."""
    size = look.size
    wide, tall = frame.right - frame.left, frame.bottom - frame.top
    spot = f'x="{frame.left:.2f}" y="{frame.top:.2f}" width="{wide:.2f}" height="{tall:.2f}"'
    parts = [f'<rect {spot} fill="{look.panel}"/>']
    rule, edge = f'stroke="{look.ink}" stroke-opacity="0.2"', f'stroke="{look.ink}"'
    if chart.kind != "barh":
        for value in frame.values:
            y = frame.y(value)
            parts += [_line(frame.left, y, frame.right, y, rule)] if look.grid != "none" else []
            parts.append(_write(look, scale.printed(value), frame.left - size * 0.5, y + size * 0.35, "right"))
    for value in frame.across:
        x = frame.x(value)
        shown = look.grid == "both" or (look.grid == "y" and chart.kind == "barh")
        parts += [_line(x, frame.top, x, frame.bottom, rule)] if shown else []
        parts.append(_write(look, scale.printed(value), x, frame.bottom + size * 1.3, "center"))
    if chart.kind not in ("scatter", "barh"):
        parts += _names(chart, look, frame)
    if look.frame == "box":
        parts.append(f'<rect {spot} fill="none" {edge}/>')
    if look.frame == "open":
        parts.append(_line(frame.left, frame.top, frame.left, frame.bottom, edge))
        parts.append(_line(frame.left, frame.bottom, frame.right, frame.bottom, edge))
    return parts


def _names(chart: Chart, look: Look, frame: Frame) -> list[str]:
    size, parts = look.size, []
    for place, key in enumerate(chart.keys):
        x = _middle(chart, frame, place)
        if look.tilt == 0:
            parts.append(_write(look, key, x, frame.bottom + size * 1.3, "center"))
        else:
            shift = size * 0.35 if look.tilt == 90 else size * 0.3
            parts.append(_write(look, key, x + shift, frame.bottom + size * 0.8, "right", turn=look.tilt))
    return parts


def _middle(chart: Chart, frame: Frame, place: int) -> float:
    return frame.left + (place + 0.5) * (frame.right - frame.left) / len(chart.keys)


def _box(x: float, y: float, wide: float, tall: float, colour: str) -> str:
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{wide:.2f}" height="{max(tall, 0):.2f}" fill="{colour}"/>'


def _bars(chart: Chart, look: Look, frame: Frame) -> list[str]:
    room = (frame.right - frame.left) / len(chart.keys)
    wide = room * (1 - look.gap) / len(chart.series)
    parts = []
    for row, series in enumerate(chart.series):
        for place, (number, value) in enumerate(zip(series.numbers, series.values, strict=True)):
            x = _middle(chart, frame, place) + (row - len(chart.series) / 2) * wide
            high, low = frame.y(max(number, 0)), frame.y(min(number, 0))
            parts.append(_box(x, high, wide * 0.96, low - high, look.colours[row]))
            if chart.valued:
                parts.append(_bar_value(look, value, x + wide * 0.48, high, low, number < 0))
    return parts


def _bar_value(look: Look, value: str, x: float, high: float, low: float, below: bool) -> str:
    if look.upright:
        align, y = ("right", low + look.size * 0.3) if below else ("left", high - look.size * 0.3)
        return _haloed(look, value, x + look.size * 0.3, y, align, 90)
    return _haloed(look, value, x, low + look.size if below else high - look.size * 0.35, "center")


def _level_bars(chart: Chart, look: Look, frame: Frame) -> list[str]:
    room = (frame.bottom - frame.top) / len(chart.keys)
    tall = room * (1 - look.gap) / len(chart.series)
    parts = []
    for place, key in enumerate(chart.keys):
        middle = frame.top + (place + 0.5) * room
        parts.append(_write(look, key, frame.left - look.size * 0.5, middle + look.size * 0.35, "right"))
        for row, series in enumerate(chart.series):
            y = middle + (row - len(chart.series) / 2) * tall
            end = frame.x(series.numbers[place])
            parts.append(_box(frame.left, y, end - frame.left, tall * 0.96, look.colours[row]))
            if chart.valued:
                spot = end + look.size * 0.35, y + tall * 0.48 + look.size * 0.3
                parts.append(_haloed(look, series.values[place], *spot, "left"))
    return parts


def _stack(chart: Chart, look: Look, frame: Frame) -> list[str]:
    wide = (frame.right - frame.left) / len(chart.keys) * (1 - look.gap)
    parts = []
    for place in range(len(chart.keys)):
        x, base = _middle(chart, frame, place), 0.0
        for row, series in enumerate(chart.series):
            number = series.numbers[place]
            high, low = frame.y(base + number), frame.y(base)
            parts.append(_box(x - wide / 2, high, wide, low - high, look.colours[row]))
            if chart.valued:
                parts.append(_haloed(look, series.values[place], x, (high + low) / 2 + look.size * 0.3, "center"))
            base += number
    return parts


def _lines(chart: Chart, look: Look, frame: Frame) -> list[str]:
    parts, texts = [], []
    for row, series in enumerate(chart.series):
        points = [(_middle(chart, frame, place), frame.y(number)) for place, number in enumerate(series.numbers)]
        path = "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
        dashes = ("", "7 4", "2 3", "8 3 2 3")[row % 4] if look.hatched else ""
        style = f'stroke="{look.colours[row]}" stroke-width="{look.thick:.2f}" stroke-dasharray="{dashes or "none"}"'
        parts.append(f'<path d="M{path}" fill="none" stroke-linejoin="round" {style}/>')
        if look.marks:
            parts += [_mark(row, x, y, look.thick * 1.9, look.colours[row]) for x, y in points]
        if chart.valued:
            for (x, y), value, below in zip(points, series.values, valleys(series.numbers), strict=True):
                texts.append(_haloed(look, value, x, y + look.size * (1.25 if below else -0.55), "center"))
    return parts + texts


def valleys(numbers: tuple[float, ...]) -> list[bool]:
    """Say for each point whether it lies lower than its neighbours on average: its value is then written below it."""
    out = []
    for place, number in enumerate(numbers):
        around = numbers[max(place - 1, 0) : place] + numbers[place + 1 : place + 2]
        out.append(bool(around) and number < sum(around) / len(around))
    return out


def _mark(row: int, x: float, y: float, size: float, colour: str) -> str:
    corners = (0, 4, 3, 4, 6)[row % 5]
    if corners == 0:
        return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{size:.2f}" fill="{colour}"/>'
    turn = math.pi / 4 if row % 5 == 1 else math.pi / 2
    places = (turn + math.tau * place / corners for place in range(corners))
    path = "L".join(f"{x + math.cos(a) * size * 1.25:.2f} {y - math.sin(a) * size * 1.25:.2f}" for a in places)
    return f'<path d="M{path}Z" fill="{colour}"/>'


def _cloud(chart: Chart, look: Look, frame: Frame) -> list[str]:
    return [
        _mark(row, frame.x(float(key)), frame.y(number), look.thick * 2, look.colours[row])
        for row, series in enumerate(chart.series)
        for key, number in zip(series.keys, series.numbers, strict=True)
    ]


def _slices(chart: Chart, look: Look, frame: Frame) -> list[str]:
    series = chart.series[0]
    x, y = (frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2
    radius, turned, parts = (frame.bottom - frame.top) / 2, look.start, []
    for number, colour in zip(series.numbers, look.colours, strict=True):
        sweep = 360 * number / sum(series.numbers)
        ends = [math.radians(angle) for angle in (turned, turned - sweep)]
        turned -= sweep
        (x1, y1), (x2, y2) = ((x + math.cos(a) * radius, y - math.sin(a) * radius) for a in ends)
        arc = f"A{radius:.2f} {radius:.2f} 0 {int(sweep > 180)} 1 {x2:.2f} {y2:.2f}"
        rim = f'stroke="{look.paper}" stroke-width="1.5"'
        parts.append(f'<path d="M{x:.2f} {y:.2f}L{x1:.2f} {y1:.2f}{arc}Z" fill="{colour}" {rim}/>')
    if look.hole:
        parts.append(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius * look.hole:.2f}" fill="{look.paper}"/>')
    for spot, key, value in zip(look.spots, series.keys, series.values, strict=False):
        place = x + spot.x * radius + spot.dx, y - spot.y * radius - spot.dy
        parts.append(_write(look, key, place[0], place[1] - look.size * 0.25, "center"))
        parts.append(_write(look, f"{value}%", place[0], place[1] + look.size * 0.95, "center"))
    return parts


_DRAWERS: Mapping[str, Callable[[Chart, Look, Frame], list[str]]] = MappingProxyType(
    {"bar": _bars, "barh": _level_bars, "stacked": _stack, "line": _lines, "scatter": _cloud, "pie": _slices}
)


def _words(chart: Chart, look: Look, frame: Frame) -> list[str]:
    """Write titles, legend and source into the room that `_frame` left for them."""
    size, parts = look.size, []
    if chart.title:
        middle = _middled(look, frame, _wide(look, chart.title, 1.25))
        x, align = (size, "left") if look.left_title else (middle, "center")
        parts.append(_write(look, chart.title, x, size * 2.0, align, 1.25))
    below = frame.height - size * 0.9
    if chart.source:
        parts.append(_write(look, chart.source_mark + chart.source, size, below, "left", 0.85))
        below -= size * 1.8
    if look.legend == "bottom":
        parts += _legend(
            chart, look, _legend_middle(chart, look, frame), below - _legend_height(chart, look) + size * 1.4, 2
        )
        below -= _legend_height(chart, look)
    if chart.x_title:
        middle = _middled(look, frame, _wide(look, chart.x_title, 1.05))
        parts.append(_write(look, chart.x_title, middle, below, "center", 1.05))
    if chart.y_title:
        parts.append(_write(look, chart.y_title, size * 1.7, (frame.top + frame.bottom) / 2, "center", 1.05, 90))
    if look.legend == "top":
        parts += _legend(
            chart, look, _legend_middle(chart, look, frame), frame.top - _legend_height(chart, look) + size * 0.8, 2
        )
    if look.legend == "right":
        x = frame.width - size - _legend_width(chart, look) / 2
        tall = len(_entries(chart)) * size * 1.5
        parts += _legend(chart, look, x, (frame.top + frame.bottom - tall) / 2 + size, 1)
    return parts


def _legend_middle(chart: Chart, look: Look, frame: Frame) -> float:
    return _middled(look, frame, _legend_width(chart, look) * min(len(_entries(chart)), 2))


def _legend(chart: Chart, look: Look, middle: float, top: float, columns: int) -> list[str]:
    """Write the legend's entries in columns about a middle, the first one's baseline at `top`."""
    entries = _entries(chart)
    columns = min(columns, len(entries))
    cell = _legend_width(chart, look)
    parts = []
    for place, (entry, colour) in enumerate(zip(entries, look.colours, strict=True)):
        x = middle - columns * cell / 2 + (place % columns) * cell
        y = top + (place // columns) * look.size * 1.5
        if chart.kind in ("line", "scatter"):
            spot = x + look.size * 0.5, y - look.size * 0.3
            line = _line(x, spot[1], x + look.size, spot[1], f'stroke="{colour}" stroke-width="{look.thick:.2f}"')
            parts += [line] if chart.kind == "line" else []
            marked = look.marks or chart.kind == "scatter"
            parts += [_mark(place, *spot, look.size * 0.28, colour)] if marked else []
        else:
            parts.append(_box(x, y - look.size * 0.75, look.size, look.size * 0.8, colour))
        parts.append(_write(look, entry, x + look.size * 1.4, y, "left", 0.95))
    return parts
