"""Draw charts with matplotlib's Agg renderer: objects only, no pyplot, no state of the process but its default
settings.

Reads a chart and its look; knows no label and no numbers of its own.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from got_ocr.data.charts import scale
from got_ocr.data.charts.figure import Chart, Label
from got_ocr.data.charts.look import Look
from got_ocr.data.charts.svg import valleys
from got_ocr.data.fonts import Font
from got_ocr.errors import MissingDependency, PageRenderFailed

if TYPE_CHECKING:
    import numpy.typing as npt

_DPI = 100
_AROUND = 900  # pixels that names, titles, legend and source may take together, across and down; cropped in the end
_MARKERS = "osD^vXP*"
_HATCHES = ("//", "..", "xx", "\\\\", "--", "++")
_DASHES = ("-", "--", "-.", ":")


def draw(chart: Chart, look: Look) -> Image.Image:
    """Draw a chart on paper just large enough for all it says. Raises MissingDependency without matplotlib."""
    return drawn(chart, look)[0]


def drawn(chart: Chart, look: Look) -> tuple[Image.Image, list[Label]]:
    """Draw a chart as `draw` does, and say where its texts stand: a label for each line of text."""
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependency("drawing charts needs matplotlib: pip install 'got-ocr[synth]'") from error
    # A user's own matplotlibrc must not change what a seed draws.
    with matplotlib.rc_context(matplotlib.rcParamsDefault):
        wide, tall = look.width + _AROUND, look.height + _AROUND
        figure = Figure(figsize=(wide / _DPI, tall / _DPI), dpi=_DPI, facecolor=look.paper)
        canvas = FigureCanvasAgg(figure)
        edge = _AROUND / 2
        rect = (edge / wide, edge / tall, look.width * 0.8 / wide, look.height * 0.76 / tall)
        axes = figure.add_axes(rect)
        _DRAWERS[chart.kind](axes, chart, look)
        _dress(figure, axes, chart, look)
        canvas.draw()
        pixels = np.ascontiguousarray(canvas.buffer_rgba())
        picture, left, top = _cropped(pixels, look.size)
        return picture, _labels(figure, (left, tall - top))


def usable(font: Font) -> bool:
    """Say whether matplotlib draws all of a font: the first face of its file, and without bitmaps, which it leaves
    out.
    """
    return font.face == 0 and not _bitmapped(font.path)


@lru_cache(maxsize=2048)
def _bitmapped(path: str) -> bool:
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=0, lazy=True) as font:
        return any(table in font for table in ("EBDT", "CBDT", "sbix"))


def _labels(figure: Any, corner: tuple[float, float]) -> list[Label]:
    """List the lines of text of a drawn figure. corner: of the picture in the figure's pixels, whose y grows upwards."""
    from matplotlib.text import Text

    found = []
    for text in figure.findobj(Text):
        # What ticks have no words for, and the titles that are not given, are texts as well.
        if not text.get_text().strip() or not text.get_visible() or not text.figure:
            continue
        box = text.get_window_extent()
        lines = text.get_text().split("\n")
        tall = (box.y1 - box.y0) / len(lines)
        for place, line in enumerate(lines):
            top = corner[1] - box.y1 + place * tall
            edges = (box.x0 - corner[0], top, box.x1 - corner[0], top + tall)
            found.append(Label(line, *(round(float(edge)) for edge in edges)))
    return found


def _cropped(pixels: "npt.NDArray[np.uint8]", margin: int) -> tuple[Image.Image, int, int]:
    """Cut RGBA paper down to its ink and a margin; say where its corner was. Raises PageRenderFailed where ink reaches the edge
    of the canvas.
    """
    whole = pixels.view(np.uint32)[:, :, 0]  # a pixel is one number: far cheaper to compare than four
    ink = whole != whole[0, 0]
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    top, bottom, left, right = rows[0] - margin, rows[-1] + margin + 1, columns[0] - margin, columns[-1] + margin + 1
    if top < 0 or left < 0 or bottom > pixels.shape[0] or right > pixels.shape[1]:
        raise PageRenderFailed("the words of a chart need more room than its canvas has; shorten them")
    return Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right, :3])), int(left), int(top)


def _text(look: Look, factor: float = 1.0) -> dict[str, Any]:
    from matplotlib.font_manager import FontProperties

    properties = FontProperties(fname=look.font.path, size=look.size * factor * 72 / _DPI)
    return {"fontproperties": properties, "color": look.ink, "parse_math": False}


def _value(look: Look) -> dict[str, Any]:
    """Style a value: a rim of paper keeps lines behind it from cutting through its digits."""
    from matplotlib.patheffects import withStroke

    return {**_text(look, 0.9), "path_effects": [withStroke(linewidth=3, foreground=look.panel)]}


def _hatch(look: Look, place: int) -> str | None:
    return _HATCHES[place % len(_HATCHES)] if look.hatched else None


def _bars(axes: Any, chart: Chart, look: Look) -> None:
    width = (1 - look.gap) / len(chart.series)
    for place, series in enumerate(chart.series):
        spots = [key + (place - (len(chart.series) - 1) / 2) * width for key in range(len(series.keys))]
        style = {"color": look.colours[place], "hatch": _hatch(look, place), "label": series.name}
        bars = (axes.barh if chart.kind == "barh" else axes.bar)(spots, series.numbers, width * 0.96, **style)
        if chart.valued:
            words = _value(look)
            axes.bar_label(bars, labels=series.values, padding=2, rotation=90 if look.upright else 0, **words)
    if chart.kind == "barh":
        axes.set_yticks(range(len(chart.keys)), chart.keys)
        axes.invert_yaxis()
        axes.margins(x=0.12)
    else:
        _named(axes, chart, look)
        axes.margins(y=0.2 if look.upright else 0.12)


def _stack(axes: Any, chart: Chart, look: Look) -> None:
    base = [0.0] * len(chart.keys)
    for place, series in enumerate(chart.series):
        style = {"color": look.colours[place], "hatch": _hatch(look, place), "label": series.name}
        bars = axes.bar(range(len(base)), series.numbers, 1 - look.gap, bottom=base, **style)
        if chart.valued:
            axes.bar_label(bars, labels=series.values, label_type="center", **_value(look))
        base = [low + number for low, number in zip(base, series.numbers, strict=True)]
    _named(axes, chart, look)


def _named(axes: Any, chart: Chart, look: Look) -> None:
    align = {"ha": "right", "rotation_mode": "anchor"} if look.tilt == 45 else {}
    axes.set_xticks(range(len(chart.keys)), chart.keys, rotation=look.tilt, **align)


def _lines(axes: Any, chart: Chart, look: Look) -> None:
    for place, series in enumerate(chart.series):
        style = _DASHES[place % len(_DASHES)] if look.hatched else "-"
        spots, colour = range(len(series.keys)), look.colours[place]
        drawn = axes.plot(spots, series.numbers, style, color=colour, lw=look.thick, label=series.name)
        marker = _MARKERS[place % len(_MARKERS)] if look.marks else "none"
        drawn[0].set(marker=marker, markersize=look.thick * 2.6)
        if chart.valued:
            for spot, value, below in zip(spots, series.values, valleys(series.numbers), strict=True):
                place_up = {"va": "top", "xytext": (0, -6)} if below else {"va": "bottom", "xytext": (0, 6)}
                point = (spot, series.numbers[spot])
                axes.annotate(value, point, textcoords="offset points", ha="center", **place_up, **_value(look))
    _named(axes, chart, look)
    axes.margins(0.06, 0.14)


def _scatter(axes: Any, chart: Chart, look: Look) -> None:
    for place, series in enumerate(chart.series):
        xs = [float(key) for key in series.keys]
        style = {"color": look.colours[place], "marker": _MARKERS[place % len(_MARKERS)], "label": series.name}
        axes.scatter(xs, series.numbers, (look.thick * 3.2) ** 2, **style)
    axes.margins(0.08)


def _pie(axes: Any, chart: Chart, look: Look) -> None:
    series = chart.series[0]
    ring = {"edgecolor": look.paper, "width": 1 - look.hole if look.hole else None}
    entries = [f"{key} {value}%" for key, value in zip(series.keys, series.values, strict=True)]
    wedges, *_ = axes.pie(
        series.numbers, colors=look.colours, startangle=look.start, counterclock=False, wedgeprops=ring
    )
    for wedge, entry in zip(wedges, entries, strict=True):
        wedge.set_label(entry)
    for spot, key, value in zip(look.spots, series.keys, series.values, strict=False):
        away = spot.dx * 72 / _DPI, spot.dy * 72 / _DPI
        style = {"textcoords": "offset points", "ha": "center", "va": "center", **_text(look)}
        axes.annotate(f"{key}\n{value}%", (spot.x, spot.y), away, annotation_clip=False, **style)


_DRAWERS: Mapping[str, Callable[[Any, Chart, Look], None]] = MappingProxyType(
    {"bar": _bars, "barh": _bars, "stacked": _stack, "line": _lines, "scatter": _scatter, "pie": _pie}
)


def _dress(figure: Any, axes: Any, chart: Chart, look: Look) -> None:
    """Write titles, rules and ticks, then the legend and the source clear of all of these."""
    if chart.kind != "pie":
        _rules(axes, chart, look)
    if chart.title:
        pad = look.size * (3 if look.spots else 1)
        axes.set_title(chart.title, loc="left" if look.left_title else "center", pad=pad, **_text(look, 1.25))
    if chart.x_title:
        axes.set_xlabel(chart.x_title, labelpad=look.size * 0.4, **_text(look, 1.05))
    if chart.y_title:
        axes.set_ylabel(chart.y_title, labelpad=look.size * 0.4, **_text(look, 1.05))
    if look.legend != "none":
        _legend(figure, axes, look)
    if chart.source:
        box = figure.get_tightbbox()  # inches
        place = (box.x0 * _DPI, box.y0 * _DPI - look.size)
        words = f"{chart.source_mark}{chart.source}"
        axes.annotate(
            words, place, xycoords="figure pixels", ha="left", va="top", annotation_clip=False, **_text(look, 0.85)
        )


def _rules(axes: Any, chart: Chart, look: Look) -> None:
    axes.set_facecolor(look.panel)
    axes.set_axisbelow(True)
    if look.grid != "none":
        across = "x" if chart.kind == "barh" else "y"
        axes.grid(True, axis="both" if look.grid == "both" else across, color=look.ink, alpha=0.2)
    for side, spine in axes.spines.items():
        spine.set_color(look.ink)
        spine.set_visible(look.frame == "box" or (look.frame == "open" and side in ("left", "bottom")))
    axes.tick_params(colors=look.ink)
    _fix_ticks(axes.xaxis, chart.kind in ("barh", "scatter"))
    _fix_ticks(axes.yaxis, chart.kind != "barh")
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        tick.set(**_text(look))


def _fix_ticks(axis: Any, numeric: bool) -> None:
    """Pin the ticks of a number axis, written out in full, so that all of them take our font."""
    if numeric:
        low, high = sorted(axis.get_view_interval())
        places = [place for place in axis.get_majorticklocs() if low <= place <= high]
        axis.set_ticks(places, [scale.printed(place) for place in places])


def _legend(figure: Any, axes: Any, look: Look) -> None:
    box, middle = axes.get_tightbbox(), axes.get_window_extent()  # pixels
    width, height = (float(inches) * _DPI for inches in figure.get_size_inches())
    across, up = (middle.x0 + middle.x1) / 2 / width, (middle.y0 + middle.y1) / 2 / height
    place, anchor, columns = {
        "right": ("center left", ((box.x1 + look.size) / width, up), 1),
        "top": ("lower center", (across, (box.y1 + look.size / 2) / height), 2),
        "bottom": ("upper center", (across, (box.y0 - look.size / 2) / height), 2),
    }[look.legend]
    handles, names = axes.get_legend_handles_labels()
    legend = figure.legend(
        handles,
        names,
        loc=place,
        bbox_to_anchor=anchor,
        ncols=columns,
        prop=_text(look, 0.95)["fontproperties"],
        frameon=look.frame == "box",
        facecolor=look.paper,
        edgecolor=look.ink,
        borderaxespad=0,
    )
    for text in legend.get_texts():
        text.set(color=look.ink, parse_math=False)
