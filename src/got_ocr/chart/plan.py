"""What was found of a chart with axes, its texts not read yet, and how its dictionary is written once they are. Knows no pixels."""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from got_ocr.chart import scale
from got_ocr.labels import Label

SOURCE = "source:"


@dataclass(frozen=True, slots=True)
class Tick:
    """A number along an axis. at: its place in pixels. label: which label it is printed in."""

    at: float
    label: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar, a point of a line or a dot. at: its end along the value axis; start: where it begins, for bars. key: which category.
    across: its place along the other axis. printed: the label of its value.
    """

    at: float
    start: float | None = None
    key: int = 0
    across: float = 0.0
    printed: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A series. name: its label, where a legend names it."""

    name: int | None
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Heads:
    """Which labels are read as titles. lower: those below the plot, from top to bottom, of which the last may be the source."""

    title: tuple[int, ...] = ()
    lower: tuple[int, ...] = ()
    upright: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A chart with axes. keys: the label of each category. ticks: of the value axis; across: of the other one, where it has numbers.
    upright: values run upwards. bars: marks begin at 0.
    """

    labels: tuple[Label, ...]
    heads: Heads
    keys: tuple[int | None, ...]
    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    across: tuple[Tick, ...] = ()
    upright: bool = True
    bars: bool = False

    def write(self, answers: Sequence[str]) -> str:
        """Write the dictionary."""
        texts = [*(" ".join(answer.split()) for answer in answers), *[""] * len(self.labels)]
        values = Values(self, texts)
        rows: dict[str, dict[str, str]] = {}
        for place, row in enumerate(self.rows):
            name = texts[row.name] if row.name is not None else ""
            rows[unlike(name or f"series {place + 1}", rows)] = values.of(row)
        return dictionary(titles(self.heads, texts), rows)


class Values:
    """The numbers of a plan's marks, once its texts are read."""

    def __init__(self, plan: Plan, texts: Sequence[str]) -> None:
        self._plan, self._texts = plan, texts
        sign = -1 if plan.upright else 1
        ticks = [(tick.at, texts[tick.label]) for tick in plan.ticks]
        marks = [mark for row in plan.rows for mark in row.marks]
        base = _base(marks) if plan.bars else None
        printed = [(mark, scale.number(texts[mark.printed])) for mark in marks if mark.printed is not None]
        if base is not None:
            # The lengths of printed bars lie on the same scale, wherever they begin.
            points = [(base + mark.at - (mark.start or 0.0), float(value)) for mark, value in printed if value]
        else:
            points = [(mark.at, float(value)) for mark, value in printed if value]
        self._scale = scale.fit(ticks, points, sign, base)
        self._across = scale.fit([(tick.at, texts[tick.label]) for tick in plan.across], [], 1)
        measured = [value for mark in marks if (value := self._measured(mark)) is not None]
        self._step = scale.quantum(max(map(abs, measured), default=1.0))
        self._span = max(measured, default=0.0) - min([*measured, 0.0] if plan.bars else measured, default=0.0)
        crossed = [self._across.value(mark.across) for mark in marks] if self._across else []
        self._key_step = scale.quantum(max(map(abs, crossed), default=1.0))

    def _measured(self, mark: Mark) -> float | None:
        if self._scale is None:
            return None
        if self._plan.bars and mark.start is not None:
            return self._scale.slope * (mark.at - mark.start)
        return self._scale.value(mark.at)

    def of(self, row: Row) -> dict[str, str]:
        """Give the values of a series by their keys, as they are written."""
        out: dict[str, str] = {}
        for mark in row.marks:
            measured = self._measured(mark)
            printed = scale.number(self._texts[mark.printed]) if mark.printed is not None else None
            value = scale.agreed(printed, measured, self._span)
            if value is None:
                value = printed or "0" if measured is None else scale.written(measured, self._step)
            out[unlike(self._key(mark), out)] = value
        return out

    def _key(self, mark: Mark) -> str:
        if self._plan.across:
            return scale.written(self._across.value(mark.across), self._key_step) if self._across else "0"
        label = self._plan.keys[mark.key] if mark.key < len(self._plan.keys) else None
        return (self._texts[label] if label is not None else "") or str(mark.key + 1)


def _base(marks: Sequence[Mark]) -> float | None:
    starts = sorted(mark.start for mark in marks if mark.start is not None)
    return max(set(starts), key=starts.count) if starts else None


def unlike(name: str, others: Mapping[str, object]) -> str:
    """Keep a name from covering another one that was read the same."""
    while name in others:
        name += "'"
    return name


def titles(heads: Heads, texts: Sequence[str]) -> dict[str, str]:
    """Tell the titles by what was read of them."""
    lower = [texts[label] for label in heads.lower]
    source = next((text for text in reversed(lower) if _marked(text)), "")
    return {
        "title": " ".join(texts[label] for label in heads.title),
        "source": source.partition(":")[2].strip() or source[len(SOURCE) :].strip(),
        "x_title": next((text for text in lower if text != source), ""),
        "y_title": " ".join(texts[label] for label in heads.upright),
    }


def _marked(text: str) -> bool:
    """Say whether a text begins as a source does, also when it was misread a little."""
    start = text[: len(SOURCE)].lower()
    return difflib.SequenceMatcher(None, start, SOURCE).ratio() > 0.7


def dictionary(heads: Mapping[str, str], rows: Mapping[str, Mapping[str, str]]) -> str:
    """Write titles and series as one line of JSON; a single series goes without its name."""
    parts = [f"{_text(key)}: {_text(value or 'None')}" for key, value in heads.items()]
    told = [f"{_text(name)}: {_values(row)}" for name, row in rows.items()]
    values = _values(next(iter(rows.values()))) if len(rows) == 1 else "{" + ", ".join(told) + "}"
    return "{" + ", ".join([*parts, f'"values": {values}']) + "}"


def _values(row: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_text(key)}: {value}" for key, value in row.items()) + "}"


def _text(value: str) -> str:
    return json.dumps(re.sub(r"[\x00-\x1f]", " ", value), ensure_ascii=False)
