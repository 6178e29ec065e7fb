"""A chart's values -> an SVG plot of our own: bars, lines, points, areas or a pie. Knows no dictionary and no page."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from got_ocr.errors import RenderFailed
from got_ocr.render.chart_data import Chart, Series, number_in
from got_ocr.render.markup import Markup, Value, element

COLORS = ("#3366aa", "#dd7733", "#4a9a5a", "#bb4455", "#7a5aa6", "#8a6d4b", "#c069a5", "#777777", "#a8a02c", "#2f9fae")
FONT = "'Helvetica Neue', Arial, 'Liberation Sans', 'Noto Sans', 'Noto Sans CJK SC', sans-serif"
WIDTH, HEIGHT = 760.0, 440.0
LONGEST_LABEL = 40  # characters of one label in the plot; the table has all
INK, FAINT, GRID = "#222222", "#555555", "#dddddd"


@dataclass(frozen=True, slots=True)
class _Frame:
    """The plotting area in pixels and the values at its edges."""

    left: float
    top: float
    right: float
    bottom: float
    low: float
    high: float

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)


def plot(chart: Chart) -> Markup:
    """Return the plot. Raises RenderFailed where no value is a number."""
    values = [number for series in chart.series for number in series.numbers if number is not None]
    if not values:
        raise RenderFailed("a chart without numbers is not plotted")
    form = chart_form(chart)
    if form == "pie":
        body = list(_pie(chart))
    elif form == "barh":
        body = list(_lying_bars(chart, values))
    else:
        body = list(_upright(chart, values, form))
    titles = [_text(WIDTH / 2, 26, chart.title, size=16, weight="bold", longest=90)] if chart.title else []
    if chart.source:
        titles.append(
            _text(WIDTH - 12, HEIGHT - 8, f"Source: {chart.source}", size=11, anchor="end", color=FAINT, longest=90)
        )
    attributes: dict[str, Value] = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {WIDTH:g} {HEIGHT:g}",
        "width": WIDTH,
        "height": HEIGHT,
        "font-family": FONT,
        "font-size": "13",
        "class": "wide",
        "role": "img",
        "aria-label": "Chart" + (f": {chart.title}" if chart.title else ""),
    }
    ground = element("rect", {"width": WIDTH, "height": HEIGHT, "fill": "#ffffff"})
    return element("svg", attributes, ground, *titles, *body)


def chart_form(chart: Chart) -> str:
    """Return bar, barh, line, area, scatter or pie: as the chart says, else as its values suggest."""
    said = re.sub(r"[^a-z]", " ", chart.form)
    for word, form in (("pie", "pie"), ("donut", "pie"), ("scatter", "scatter"), ("area", "area"), ("line", "line")):
        if word in said:
            return "pie" if form == "pie" and _is_share(chart) else "bar" if form == "pie" else form
    if "bar" in said or "column" in said:
        return "barh" if "hor" in said or said.split()[0] in ("h", "barh") else "bar"
    years = all(number_in(label) is not None and len(label) <= 8 for label in chart.labels)
    if years and len(chart.labels) >= 5:
        return "line"
    return "barh" if max(len(label) for label in chart.labels) > 14 and len(chart.series) <= 3 else "bar"


def _is_share(chart: Chart) -> bool:
    numbers = [number for number in chart.series[0].numbers if number is not None]
    return len(chart.series) == 1 and min(numbers) >= 0 and sum(numbers) > 0


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: float = 12,
    anchor: str = "middle",
    color: str = INK,
    weight: str | None = None,
    turn: float = 0.0,
    longest: int = LONGEST_LABEL,
) -> Markup:
    shown = text if len(text) <= longest else text[: longest - 1] + "…"
    attributes: dict[str, Value] = {
        "x": x,
        "y": y,
        "font-size": size,
        "text-anchor": anchor,
        "fill": color,
        "font-weight": weight,
        "transform": f"rotate({turn:g} {x:.1f} {y:.1f})" if turn else None,
    }
    return element("text", attributes, shown)


def _line(points: Sequence[tuple[float, float]], color: str, width: float) -> Markup:
    data = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return element("polyline", {"points": data, "fill": "none", "stroke": color, "stroke-width": width})


def nice_ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Return round values that span low to high."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    raw = (high - low) / count
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [at * step for at in range(first, last + 1)]


def _tick_text(value: float) -> str:
    if value and (abs(value) >= 1e7 or abs(value) < 1e-3):
        return f"{value:.3g}"
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _range(values: Sequence[float], form: str) -> tuple[float, float]:
    """Start bars at zero; let lines start near their least value when that says more."""
    low, high = min(values), max(values)
    if form in ("line", "scatter") and low > 0 and high - low < 0.4 * high:
        return low - 0.1 * (high - low), high
    return min(0.0, low), max(0.0, high)


def _legend(series: Sequence[Series], y: float) -> tuple[list[Markup], float]:
    """Write the series' names in rows; return them and the height that they take."""
    if len(series) == 1 and not series[0].name:
        return [], 0.0
    parts, x, row = list[Markup](), 60.0, 0
    for at, one in enumerate(series[:24]):
        width = 30 + 7.2 * min(len(one.name), 24)
        if x + width > WIDTH - 20 and x > 60:
            x, row = 60.0, row + 1
        top = y + row * 20
        parts.append(element("rect", {"x": x, "y": top - 9, "width": 11, "height": 11, "fill": _color(at)}))
        parts.append(_text(x + 16, top, one.name, anchor="start", longest=24))
        x += width
    return parts, (row + 1) * 20.0 + 4


def _color(at: int) -> str:
    return COLORS[at % len(COLORS)]


def _upright(chart: Chart, values: Sequence[float], form: str) -> Iterator[Markup]:
    legend, taken = _legend(chart.series, 52.0 if chart.title else 26.0)
    yield from legend
    ticks = nice_ticks(*_range(values, form))
    slanted = sum(len(label) for label in chart.labels) * 7.0 > WIDTH - 110
    longest = min(LONGEST_LABEL, max(len(label) for label in chart.labels))
    below = (
        (26 + min(120, longest * 5.2) if slanted else 26) + (22 if chart.x_title else 0) + (16 if chart.source else 0)
    )
    left = 26 + max(len(_tick_text(tick)) for tick in ticks) * 7.5 + (18 if chart.y_title else 0)
    top = (44.0 if chart.title else 16.0) + taken
    frame = _Frame(left, top, WIDTH - 20, HEIGHT - below - 8, ticks[0], ticks[-1])
    yield from _scale(chart, frame, ticks)
    places = _places(chart, frame, form)
    yield from _labels(chart, frame, places, slanted=slanted)
    drawers = {"line": _lines, "area": _lines, "scatter": _points}
    yield from drawers.get(form, _bars)(chart, frame, places)
    if form == "area":
        yield from _areas(chart, frame, places)


def _scale(chart: Chart, frame: _Frame, ticks: Sequence[float]) -> Iterator[Markup]:
    for tick in ticks:
        y = frame.y(tick)
        yield _line([(frame.left, y), (frame.right, y)], FAINT if tick == 0 else GRID, 1)
        yield _text(frame.left - 8, y + 4, _tick_text(tick), anchor="end", color=FAINT)
    if chart.y_title:
        yield _text(18, (frame.top + frame.bottom) / 2, chart.y_title, color=FAINT, turn=-90, longest=60)
    if chart.x_title:
        y = HEIGHT - (26 if chart.source else 10)
        yield _text((frame.left + frame.right) / 2, y, chart.x_title, color=FAINT, longest=80)


def _places(chart: Chart, frame: _Frame, form: str) -> list[float]:
    """Return the x of every label: by value for points, evenly for the rest."""
    numbers = [number_in(label) for label in chart.labels]
    known = [number for number in numbers if number is not None]
    if form in ("scatter", "line") and len(known) == len(numbers) > 1 and max(known) > min(known):
        low, high = min(known), max(known)
        width = frame.right - frame.left - 40
        return [frame.left + 20 + (number - low) / (high - low) * width for number in known]
    step = (frame.right - frame.left) / len(numbers)
    return [frame.left + step * (at + 0.5) for at in range(len(numbers))]


def _labels(chart: Chart, frame: _Frame, places: Sequence[float], *, slanted: bool) -> Iterator[Markup]:
    every = max(1, math.ceil(len(places) / 60))
    for at in range(0, len(places), every):
        if slanted:
            yield _text(places[at] + 4, frame.bottom + 14, chart.labels[at], anchor="end", turn=-35, size=11)
        else:
            yield _text(places[at], frame.bottom + 18, chart.labels[at])


def _bars(chart: Chart, frame: _Frame, places: Sequence[float]) -> Iterator[Markup]:
    step = (frame.right - frame.left) / len(places)
    width = step * 0.76 / len(chart.series)
    for at, series in enumerate(chart.series):
        for place, value in zip(places, series.numbers, strict=True):
            if value is None:
                continue
            x = place - step * 0.38 + at * width
            top, foot = sorted((frame.y(value), frame.y(0.0)))
            box: dict[str, Value] = {
                "x": x,
                "y": top,
                "width": max(0.5, width - 1),
                "height": max(0.5, foot - top),
                "fill": _color(at),
            }
            yield element("rect", box)


def _lines(chart: Chart, frame: _Frame, places: Sequence[float]) -> Iterator[Markup]:
    for at, series in enumerate(chart.series):
        run: list[tuple[float, float]] = []
        for place, value in [*zip(places, series.numbers, strict=True), (0.0, None)]:
            if value is not None:
                run.append((place, frame.y(value)))
            elif run:
                yield _line(run, _color(at), 2)
                run = []
    yield from _points(chart, frame, places, radius=3.0 if len(places) <= 40 else 1.5)


def _areas(chart: Chart, frame: _Frame, places: Sequence[float]) -> Iterator[Markup]:
    for at, series in enumerate(chart.series):
        points = [
            (place, frame.y(value)) for place, value in zip(places, series.numbers, strict=True) if value is not None
        ]
        if len(points) > 1:
            foot = frame.y(max(0.0, frame.low))
            data = " ".join(f"{x:.1f},{y:.1f}" for x, y in [(points[0][0], foot), *points, (points[-1][0], foot)])
            yield element("polygon", {"points": data, "fill": _color(at), "fill-opacity": "0.2"})


def _points(chart: Chart, frame: _Frame, places: Sequence[float], radius: float = 4.0) -> Iterator[Markup]:
    for at, series in enumerate(chart.series):
        for place, value in zip(places, series.numbers, strict=True):
            if value is not None:
                yield element("circle", {"cx": place, "cy": frame.y(value), "r": radius, "fill": _color(at)})


def _lying_bars(chart: Chart, values: Sequence[float]) -> Iterator[Markup]:
    legend, taken = _legend(chart.series, 52.0 if chart.title else 26.0)
    yield from legend
    ticks = nice_ticks(*_range(values, "bar"))
    longest = min(LONGEST_LABEL, max(len(label) for label in chart.labels))
    left = 24 + longest * 6.6 + (18 if chart.x_title else 0)
    top, bottom = (
        (40.0 if chart.title else 12.0) + taken,
        HEIGHT - (46 if chart.y_title else 30) - (16 if chart.source else 0),
    )
    right = WIDTH - 30

    def x(value: float) -> float:
        return left + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (right - left)

    for tick in ticks:
        yield _line([(x(tick), top), (x(tick), bottom)], FAINT if tick == 0 else GRID, 1)
        yield _text(x(tick), bottom + 16, _tick_text(tick), color=FAINT)
    step = (bottom - top) / len(chart.labels)
    height = step * 0.76 / len(chart.series)
    every = max(1, math.ceil(12 / step))
    for row, label in enumerate(chart.labels):
        middle = top + step * (row + 0.5)
        if row % every == 0:
            yield _text(left - 8, middle + 4, label, anchor="end", size=min(12.0, max(9.0, step)))
        for at, series in enumerate(chart.series):
            value = series.numbers[row]
            if value is not None:
                start, end = sorted((x(0.0), x(value)))
                y, tall = middle - step * 0.38 + at * height, max(0.5, height - 1)
                box: dict[str, Value] = {
                    "x": start,
                    "y": y,
                    "width": max(0.5, end - start),
                    "height": tall,
                    "fill": _color(at),
                }
                yield element("rect", box)
    if chart.y_title:
        yield _text((left + right) / 2, bottom + 36, chart.y_title, color=FAINT, longest=80)
    if chart.x_title:
        yield _text(16, (top + bottom) / 2, chart.x_title, color=FAINT, turn=-90, longest=60)


def _pie(chart: Chart) -> Iterator[Markup]:
    numbers = [number or 0.0 for number in chart.series[0].numbers]
    total, turn = sum(numbers), -math.pi / 2
    cx, cy, radius = 240.0, HEIGHT / 2 + 14, 160.0
    for at, (label, value) in enumerate(zip(chart.labels, numbers, strict=True)):
        share = value / total
        end = turn + 2 * math.pi * share
        if share > 0.9999:
            yield element("circle", {"cx": cx, "cy": cy, "r": radius, "fill": _color(at)})
        elif share > 0:
            a = (cx + radius * math.cos(turn), cy + radius * math.sin(turn))
            b = (cx + radius * math.cos(end), cy + radius * math.sin(end))
            data = f"M{cx:g},{cy:g}L{a[0]:.1f},{a[1]:.1f}A{radius:g},{radius:g},0,{int(share > 0.5)},1,{b[0]:.1f},{b[1]:.1f}Z"
            yield element("path", {"d": data, "fill": _color(at), "stroke": "#ffffff", "stroke-width": "1.5"})
        turn = end
        if at < 18:
            y = cy - min(len(numbers), 18) * 10.5 + at * 21 + 10
            yield element("rect", {"x": 450.0, "y": y - 10, "width": 11, "height": 11, "fill": _color(at)})
            yield _text(468, y, f"{label}: {chart.series[0].texts[at]}", anchor="start", longest=38)
