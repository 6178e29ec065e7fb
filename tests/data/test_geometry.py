"""Geometry: the TikZ reads back as the tree it came from, the picture holds all its ink, labels lie clear of lines."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from got_ocr.data.sources import geometry_svg
from got_ocr.data.sources import geometry_tree as tree
from got_ocr.data.sources.geometry import NAMES, GeometrySource
from got_ocr.data.sources.geometry_labels import Wish, place
from got_ocr.data.sources.geometry_points import circumcentre, foot, incentre, meet, tangent_points
from got_ocr.data.sources.geometry_strokes import dense, strokes
from got_ocr.data.sources.geometry_text import box, glyphs
from got_ocr.data.sources.rasterise import rasterise
from got_ocr.errors import InvalidValue

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
pytest.importorskip("resvg_py", reason="resvg-py is not installed")

NUMBER = r"(-?[\d.]+)"
PLACE = r"\(([^()]*)\)"


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def figure(name: str, seed: int) -> tree.Figure:
    return GeometrySource(only=(name,)).figure(rng(11, seed))[1]


class Reader:
    """Read the normal form back, one line to one item; raises AssertionError for anything else."""

    def __init__(self) -> None:
        self.named: dict[str, tree.At] = {}

    def at(self, text: str) -> tree.At:
        if "," not in text:
            return self.named[text]
        x, y = text.split(",")
        return tree.At(float(x), float(y))

    def style(self, text: str | None) -> tree.Style:
        words: dict[str, Any] = {}
        for word in filter(None, (text or "").split(",")):
            if word.startswith("fill="):
                words["fill"] = word[5:].removesuffix("!20")
            elif word in ("->", "<->"):
                words["arrow"] = word
            elif word in ("dashed", "dotted"):
                words["dash"] = word
            elif word == "thick":
                words["thick"] = True
            else:
                assert word in tree.COLORS
                words["color"] = word
        return tree.Style(**words)

    def read(self, line: str) -> tree.Item:
        for pattern, build in self.rules():
            found = re.fullmatch(pattern, line)
            if found:
                return build(*found.groups())
        raise AssertionError(line)

    def rules(self) -> list[tuple[str, Callable[..., tree.Item]]]:
        draw = r"\\draw(?:\[([^\]]*)\])? "
        at, style = self.at, self.style
        return [
            (rf"\\coordinate \((\w+'?)\) at {PLACE};", self.point),
            (rf"\\fill {PLACE} circle \(1\.5pt\);", lambda p: tree.Dot(at(p))),
            (rf"\\draw\[gray,very thin\] {PLACE} grid {PLACE};", lambda p, q: tree.Grid(at(p), at(q))),
            (rf"\\node(?:\[([a-z ]+)\])? at {PLACE} {{(.*)}};", lambda a, p, t: tree.Label(at(p), a or "", t)),
            (
                r"\\foreach \\([xy]) in {([-\d,]+)} \\draw .*;",
                lambda a, v: tree.Ticks(a, tuple(map(int, v.split(",")))),
            ),
            (rf"{draw}{PLACE} rectangle {PLACE};", lambda s, p, q: tree.Rectangle(at(p), at(q), style(s))),
            (rf"{draw}{PLACE} circle \({NUMBER}\);", lambda s, p, r: tree.Circle(at(p), float(r), style(s))),
            (
                rf"{draw}{PLACE} ellipse \({NUMBER} and {NUMBER}\);",
                lambda s, p, a, b: tree.Ellipse(at(p), float(a), float(b), style(s)),
            ),
            (
                rf"{draw}{PLACE} arc \({NUMBER}:{NUMBER}:{NUMBER}(?: and {NUMBER})?\);",
                lambda s, p, a, b, r, q: tree.Arc(at(p), float(a), float(b), float(r), float(q or r), style(s)),
            ),
            (
                rf"{draw}{PLACE} \.\. controls {PLACE} and {PLACE} \.\. {PLACE};",
                lambda s, *p: tree.Bezier(at(p[0]), at(p[1]), at(p[2]), at(p[3]), style(s)),
            ),
            (
                rf"\\draw\[(.*?),?domain={NUMBER}:{NUMBER},samples=100\] plot \(\\x,{{(.*)}}\);",
                lambda s, a, b, t: tree.Plot(t, float(a), float(b), (), style(s)),
            ),
            (rf"{draw}({PLACE}(?:--{PLACE})+)(--cycle)?;", self.path),
        ]

    def point(self, name: str, text: str) -> tree.Point:
        self.named[name] = replace(self.at(text), name=name)
        return tree.Point(self.named[name])

    def path(self, style: str | None, body: str, *rest: str | None) -> tree.Path:
        places = tuple(self.at(p) for p in re.findall(PLACE, body))
        return tree.Path(places, rest[-1] is not None, self.style(style))


def read_back(text: str) -> tuple[tree.Item, ...]:
    lines = text.split("\n")
    assert (lines[0], lines[-1]) == (r"\begin{tikzpicture}", r"\end{tikzpicture}")
    reader = Reader()
    return tuple(reader.read(line) for line in lines[1:-1])


def bare(item: tree.Item) -> tree.Item:
    return replace(item, points=()) if isinstance(item, tree.Plot) else item


def test_there_are_many_constructions() -> None:
    assert len(NAMES) >= 50


def test_the_same_seed_gives_the_same_bytes() -> None:
    source = GeometrySource()
    for seed in range(8):
        first, second = source(rng(seed)), source(rng(seed))
        assert first.target == second.target
        assert first.images[0].tobytes() == second.images[0].tobytes()
        assert first.kind == "geometry"
        assert first.task.mode == "format"
        assert first.images[0].mode == "RGB"
    assert len({source(rng(seed)).target for seed in range(30)}) == 30


@pytest.mark.parametrize("name", NAMES)
def test_the_text_reads_back_as_the_tree(name: str) -> None:
    for seed in range(5):
        drawn = figure(name, seed)
        assert read_back(str(drawn)) == tuple(map(bare, drawn.items))


@pytest.mark.parametrize("name", NAMES)
def test_labels_lie_clear_of_lines_and_of_one_another(name: str) -> None:
    for seed in range(5):
        drawn = figure(name, seed)
        lines = [line for item in drawn.items if not isinstance(item, tree.Grid) for line in strokes(item)]
        ink = dense(lines, 0.02)
        boxes = []
        for label in (item for item in drawn.items if isinstance(item, tree.Label)):
            shape = glyphs(label.text)
            left, bottom, right, top = box(label.at.x, label.at.y, label.anchor, (shape.width, shape.height))
            inside = (ink[:, 0] > left) & (ink[:, 0] < right) & (ink[:, 1] > bottom) & (ink[:, 1] < top)
            # A corner of the box may be cut; the letter in it is rounder than the box.
            assert inside.sum() <= 12, (name, seed, label)
            boxes.append((left, bottom, right, top))
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3], (name, seed)


def test_figures_are_in_normal_form() -> None:
    for seed in range(40):
        name, drawn = GeometrySource(extent=6.0).figure(rng(2, seed))
        text = str(drawn)
        assert not re.search(r"-0[,)]|\.\d{3}|\.\d0[,)]", text), text
        axes = any(
            isinstance(item, tree.Ticks) or (isinstance(item, tree.Path) and item.style.arrow) for item in drawn.items
        )
        if not axes:
            points = np.concatenate([line for item in drawn.items for line in strokes(item)])
            size = points.max(axis=0) - points.min(axis=0)
            assert size.max() == pytest.approx(6.0, abs=0.35), name
            assert points.min() > -0.2, name


@pytest.mark.parametrize("hand", [0.0, 1.0])
def test_all_ink_lies_inside_the_canvas(hand: float) -> None:
    source = GeometrySource(hand=hand, clean_fraction=1.0)
    for seed in range(25):
        image = np.asarray(source(rng(5, seed)).images[0]).astype(int)
        edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert (np.abs(edge - image[0, 0]) < 8).all(), seed
        assert (np.abs(image - image[0, 0]).max(axis=2) > 60).mean() > 0.001


def test_every_item_of_a_figure_leaves_ink() -> None:
    look = geometry_svg.Look(scale=60)
    for seed in range(20):
        drawn = GeometrySource().figure(rng(6, seed))[1]
        whole = np.asarray(rasterise(geometry_svg.svg(drawn, look)))
        last = drawn.items[-1]
        if isinstance(last, tree.Label):
            # The canvas must stay as it was, so the label is emptied of glyphs by painting it in paper colour elsewhere.
            fewer = np.asarray(
                rasterise(geometry_svg.svg(tree.Figure((*drawn.items[:-1], replace(last, text="$.$"))), look))
            )
            assert whole.shape != fewer.shape or (whole != fewer).any()


def test_thick_is_said_only_beside_thin() -> None:
    for seed in range(60):
        lines = [i for i in GeometrySource().figure(rng(8, seed))[1].items if isinstance(i, tree.Stroke)]
        assert not lines or any(not line.style.thick for line in lines)


def test_a_label_moves_away_from_a_line() -> None:
    wish = Wish(tree.At(0.0, 0.0), "$A$", "point")
    right = tree.Path((tree.At(0.0, 0.0), tree.At(2.0, 0.0)))
    up = tree.Path((tree.At(0.0, 0.0), tree.At(0.0, 2.0)))
    labels = place([right, up], [], [wish])
    assert labels is not None
    assert labels[0].anchor in ("below", "left", "below left")
    fan = [tree.Path((tree.At(0.0, 0.0), tree.At(float(np.cos(t)), float(np.sin(t))))) for t in np.linspace(0, 6.2, 40)]
    assert place([*fan], [], [wish]) is None


def test_plane_geometry() -> None:
    a, b, c = 0j, 6 + 0j, 1 + 4j
    assert foot(c, a, b) == pytest.approx(1 + 0j)
    assert meet(a, b, c, c - 1j) == pytest.approx(1 + 0j)
    o = circumcentre(a, b, c)
    assert abs(o - a) == pytest.approx(abs(o - c))
    i = incentre(a, b, c)
    assert abs(i - foot(i, a, b)) == pytest.approx(abs(i - foot(i, b, c)))
    for t in tangent_points(5 + 1j, 0j, 2.0):
        assert abs(t) == pytest.approx(2.0)
        assert (t.conjugate() * (5 + 1j - t)).real == pytest.approx(0, abs=1e-9)


def test_numbers_are_short() -> None:
    assert [tree.number(v) for v in (1.0, 0.5, -0.0, 2.25, -0.001, 10.0)] == ["1", "0.5", "0", "2.25", "0", "10"]


def test_options_are_checked() -> None:
    with pytest.raises(InvalidValue):
        GeometrySource(only=("no such figure",))
