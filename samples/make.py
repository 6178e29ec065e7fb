"""Draw the sample pictures again: `python samples/make.py`. Own words, held-out fonts, well-known formulas, the project's own engine.

Needs got-ocr[synth] and the Debian packages fonts-crosextra-caladea, fonts-crosextra-carlito and fonts-lato.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from got_ocr.data import augment, fonts, ink, paper
from got_ocr.data.charts import look as chart_look
from got_ocr.data.charts import svg as chart_svg
from got_ocr.data.charts.figure import Chart, Series
from got_ocr.data.sources import geometry_svg, geometry_tree, molecule_draw, music_engrave
from got_ocr.data.sources.molecule_build import parse
from got_ocr.data.sources.rasterise import rasterise
from got_ocr.data.tables import draw as table
from got_ocr.data.tables.grid import Cell, Grid
from got_ocr.data.tables.ink import Face
from got_ocr.data.tools import typst

HERE = Path(__file__).parent
LETTER = """Dear reader,
this page was drawn by the same engine that
made the training data of the model, but with
a font and with words it has never seen.
If you can read these lines on your screen,
a small network has read them before you.
Yours, the makers of got-ocr"""
NOTICE = """READING ROOM
Open Monday to Friday
from 9:30 to 18:00
Please keep your voice low"""
RECEIPT = """Corner Bakery, 12 Mill Lane
2 rye bread 7.80
1 apple cake 4.25
3 coffee 8.40
Total 20.45
Thank you, come again!"""
PAGES = (
    "A document of three pages\nThis is the first of them.",
    "The second page comes next\nand holds two lines as well.",
    "The last page ends here.\nGood bye.",
)
FORMULAS = {  # LaTeX, and the same for the typesetter
    "pythagoras": (r"\[ a^{2}+b^{2}=c^{2} \]", "a^2 + b^2 = c^2"),
    "basel": (r"\[ \sum_{n=1}^{\infty}\frac{1}{n^{2}}=\frac{\pi^{2}}{6} \]", "sum_(n=1)^infinity 1/n^2 = pi^2/6"),
    "gauss": (
        r"\[ \int_{0}^{\infty}e^{-x^{2}}dx=\frac{\sqrt{\pi}}{2} \]",
        "integral_0^infinity e^(-x^2) d x = sqrt(pi)/2",
    ),
}
# Rows of cells, then horizontal rules: in the first table all of them, in the second one over, under and between header and body.
PRICES = [
    ["Bread", "Weight", "Price"],
    ["Rye", "750 g", "3.90"],
    ["Spelt", "500 g", "4.20"],
    ["Oat and honey", "600 g", "4.60"],
]
PLANETS = [
    ["Planet", "Radius (km)", "Moons", "Day"],
    ["Mercury", "2,440", "0", "176 d"],
    ["Earth", "6,371", "1", "24 h"],
    ["Mars", "3,390", "2", "24.7 h"],
    ["Jupiter", "69,911", "95", "9.9 h"],
]
REPORT = """Bread of the week
The bakery changed three of its loaves this week.
All of them are baked before six in the morning,
and sold until they are gone."""

CUPS = Chart(
    "bar",
    (Series("Cups", ("Mon", "Tue", "Wed", "Thu", "Fri"), ("42", "38", "51", "47", "63")),),
    title="Cups of coffee",
    source="Corner Bakery",
    y_title="Cups a day",
    valued=True,
)
BARS = (
    "4f#,4f#,4g,4a",
    "4a,4g,4f#,4e",
    "4d,4d,4e,4f#",
    "4.f#,8e,2e",
    "4f#,4f#,4g,4a",
    "4a,4g,4f#,4e",
    "4d,4d,4e,4f#",
    "4.e,8d,2d",
)
TUNE = "\n".join(
    ["**kern", "*clefG2", "*k[f#c#]", "*M4/4", *",=,".join(BARS).split(","), "==", "*-"]
)  # Beethoven, Ode to Joy
CAFFEINE = "CN1C=NC2=C1C(=O)N(C)C(=O)N2C"
TRIANGLE = (("A", 0.0, 0.0), ("B", 6.0, 0.0), ("C", 2.16, 2.88))  # a right angle at C, over its diameter AB


def upright_face(family: str) -> fonts.Font:
    """Choose the upright face of ordinary weight of a family."""
    return next(f for f in fonts.pool("heldout") if f.family == family and not f.italic and 350 <= f.weight <= 450)


def draw(text: str, family: str, size: int, colors: tuple[paper.Color, paper.Color], margin: int = 40) -> np.ndarray:
    """Draw lines of text on paper of one colour."""
    font = upright_face(family)
    block, _ = ink.block(text.split("\n"), fonts.load(font, size), 1.45 * size, "left")
    cover = np.pad(block.ink, margin)
    sheet = np.full((*cover.shape, 3), colors[0], dtype=np.uint8)
    return paper.paint(sheet, cover, colors[1])


def draw_table(rows: list[list[str]], aligns: str, family: str, size: int, lines: set[int], bars: bool) -> Image.Image:
    """Draw a table with rules over the given rows (its number of rows: under the last one) and between columns."""
    font = upright_face(family)
    cells = tuple(Cell(r, c, (text,)) for r, row in enumerate(rows) for c, text in enumerate(row))
    rules = frozenset((line, column) for line in lines for column in range(len(aligns)))
    upright = frozenset(range(len(aligns) + 1)) if bars else frozenset()
    face = Face(font, size)
    look = table.Look(face, face, pad=(14, 6), margin=24, limit=400, rule=1, thick=2)
    return table.draw(Grid(len(rows), len(aligns), aligns, cells, upright, rules), look)


def draw_drawings(folder: Path) -> None:
    """Draw a chart, a molecule, and a triangle in its circle."""
    rng = np.random.default_rng(7)
    rasterise(chart_svg.write(CUPS, chart_look.choose(rng, CUPS, upright_face("Lato")))).save(folder / "coffee.png")
    rng = np.random.default_rng(28)  # large, in colours
    drawn = next(d for d in (molecule_draw.draw(rng, parse(CAFFEINE), 700) for _ in range(50)) if d is not None)
    drawn.image.save(folder / "caffeine.png")
    at = {name: geometry_tree.At(x, y, name) for name, x, y in TRIANGLE}
    circle = geometry_tree.Circle(geometry_tree.At(3, 0), 3)
    names = [
        geometry_tree.Label(place, anchor, f"${name}$")
        for (name, place), anchor in zip(at.items(), ("left", "right", "above left"), strict=True)
    ]
    points = [geometry_tree.Point(place) for place in at.values()]
    figure = geometry_tree.Figure((*points, geometry_tree.Path(tuple(at.values()), closed=True), circle, *names))
    rasterise(geometry_svg.svg(figure, geometry_svg.Look(weight=1.5))).save(folder / "thales.png")


def draw_music(folder: Path) -> None:
    """Engrave a tune in a font that training never sees."""
    score = music_engrave.engrave(TUNE, music_engrave.Look(font=music_engrave.HELDOUT[0], tight=True))
    if score is None:
        raise SystemExit("Verovio did not engrave the tune")
    score.save(folder / "joy.png")


def main() -> None:
    """Write every sample beside this file."""
    black_on_white = ((255, 255, 255), (0, 0, 0))
    Image.fromarray(draw(LETTER, "Caladea", 30, black_on_white)).save(HERE / "letter.png")
    Image.fromarray(draw(NOTICE, "Lato", 44, ((28, 52, 80), (250, 244, 214)))).save(HERE / "notice.png")
    receipt = draw(RECEIPT, "Carlito", 32, ((238, 232, 218), (52, 48, 60)))
    worn = augment.light(receipt, np.random.Generator(np.random.Philox(5)), 0.6)
    Image.fromarray(worn).save(HERE / "receipt.jpg", quality=80)
    pages = [Image.fromarray(draw(text, "Caladea", 34, black_on_white, 120)) for text in PAGES]
    (HERE / "formulas").mkdir(exist_ok=True)
    for name, (_, markup) in FORMULAS.items():
        page = f"#set page(width: auto, height: auto, margin: 12pt)\n#set text(size: 14pt)\n$ {markup} $"
        typst.draw(page, 170)[0].save(HERE / "formulas" / f"{name}.png")
    (HERE / "tables").mkdir(exist_ok=True)
    prices = draw_table(PRICES, "lrr", "Carlito", 26, set(range(5)), bars=True)
    draw_table(PLANETS, "lrrr", "Caladea", 26, {0, 1, 5}, bars=False).save(HERE / "tables" / "planets.png")
    report = Image.fromarray(draw(REPORT, "Carlito", 28, black_on_white, 60))
    page = Image.new("RGB", (report.width, report.height + prices.height), (255, 255, 255))
    page.paste(report, (0, 0))
    page.paste(prices, ((page.width - prices.width) // 2, report.height - 40))
    page.save(HERE / "tables" / "report.png")
    (HERE / "drawings").mkdir(exist_ok=True)
    draw_drawings(HERE / "drawings")
    (HERE / "music").mkdir(exist_ok=True)
    draw_music(HERE / "music")
    pages[0].save(HERE / "three-pages.pdf", save_all=True, append_images=pages[1:], resolution=100.0)


if __name__ == "__main__":
    main()
