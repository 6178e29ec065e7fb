"""The chart tree: titles, series and numbers as they are printed. Knows no colours, font, renderer or notation."""

from dataclasses import dataclass
from typing import NamedTuple

from got_ocr.errors import InvalidValue

KINDS = ("bar", "barh", "stacked", "line", "pie", "scatter")


class Label(NamedTuple):
    """A line of text in a drawn chart: its words and its box in pixels, which for turned words encloses them."""

    words: str
    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Series:
    """Hold one series: its name and, for each key (a category or, for scatter, a printed x), the value as printed."""

    name: str
    keys: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def numbers(self) -> tuple[float, ...]:
        """The values as numbers."""
        return tuple(float(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Chart:
    """Hold one chart.

    Titles are empty where none is drawn. valued: values are printed beside their marks. All series of a chart have the
    same keys, but for scatter.
    """

    kind: str
    series: tuple[Series, ...]
    title: str = ""
    source: str = ""
    x_title: str = ""
    y_title: str = ""
    valued: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidValue(f"a chart is one of {', '.join(KINDS)}; not {self.kind!r}")
        if not self.series or any(len(one.keys) != len(one.values) or not one.keys for one in self.series):
            raise InvalidValue("every series of a chart needs as many values as keys, and at least one")
        if any(len(set(one.keys)) != len(one.keys) for one in self.series):
            raise InvalidValue("the keys of a chart's series must differ from each other")
        if self.kind != "scatter" and len({one.keys for one in self.series}) > 1:
            raise InvalidValue("all series of a chart need the same keys")
        if len({one.name for one in self.series}) != len(self.series):
            raise InvalidValue("the series of a chart need different names")

    @property
    def extent(self) -> tuple[float, float]:
        """The least and the largest number that the value axis must reach, zero included for bars."""
        if self.kind == "stacked":
            return 0.0, max(sum(column) for column in zip(*(one.numbers for one in self.series), strict=True))
        numbers = [number for one in self.series for number in one.numbers]
        floor = [0.0] if self.kind in ("bar", "barh") else []
        return min(numbers + floor), max(numbers + floor)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the first series: the categories, for charts that have them."""
        return self.series[0].keys

    @property
    def source_mark(self) -> str:
        """The word that is drawn before the source, in the source's language."""
        return "来源：" if any("一" <= char <= "鿿" for char in self.source) else "Source: "

    @property
    def words(self) -> tuple[str, ...]:
        """Every text that the chart shows, numbers left out."""
        names = tuple(one.name for one in self.series)
        keys = (key for one in self.series for key in one.keys)
        return (self.title, self.source, self.x_title, self.y_title, *names, *keys)
