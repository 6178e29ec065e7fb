"""Molecules: what is drawn is read, given the labels; whatever else is shown is refused, and nothing raises."""

import time
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from got_ocr.labels import Label
from got_ocr.molecule.drawing import cut_molecule
from got_ocr.molecule.graph import Edge, Frame, Vertex, plausible
from got_ocr.spec import ModelSpec

SPEC = ModelSpec(
    name="test",
    tile=(32, 1024),
    cell=(32, 8),
    tiling="lines",
    tiles_per_prompt=1,
    context=512,
    reads=frozenset({"plain", "molecule"}),
)


def oracle(labels: Sequence[Label], known: Sequence[Sequence[object]]) -> list[str]:
    """Give each strip the text whose box it covers best."""
    texts = []
    for label in labels:
        left, top, right, bottom = label.box
        best, most = "", 0.3
        for x0, y0, x1, y1, text in known:
            wide, high = min(right, float(x1)) - max(left, float(x0)), min(bottom, float(y1)) - max(top, float(y0))
            if wide <= 0 or high <= 0:
                continue
            shared = wide * high
            whole = (right - left) * (bottom - top) + (float(x1) - float(x0)) * (float(y1) - float(y0)) - shared
            if shared / whole > most:
                best, most = str(text), shared / whole
        texts.append(best)
    return texts


def test_most_clean_drawings_come_out_right_given_their_labels() -> None:
    pytest.importorskip("rdkit.Chem", reason="rdkit is not installed")
    from got_ocr.data.sources.molecule import MoleculeSource
    from got_ocr.eval.molecule import score_molecule

    source, right, count = MoleculeSource(clean_fraction=1.0, max_atoms=30), 0, 24
    for seed in range(count):
        sample = source(np.random.default_rng((5, seed)))
        drawing = cut_molecule(sample.images[0], SPEC)
        if drawing is not None:
            text = drawing.write(oracle(drawing.labels, sample.meta["labels"]))  # type: ignore[arg-type]
            right += score_molecule(text, sample.target).same
    assert right >= 0.6 * count


def hexagon(label: str = "") -> Image.Image:
    """Draw a ring of six atoms with a bond to a label."""
    picture = Image.new("RGB", (220, 160), "white")
    pen = ImageDraw.Draw(picture)
    spots = [(80 + 40 * np.sin(k * np.pi / 3), 80 - 40 * np.cos(k * np.pi / 3)) for k in range(6)]
    for k in range(6):
        pen.line([spots[k], spots[(k + 1) % 6]], fill="black", width=2)
    x, y = spots[1]
    pen.line([(x, y), (x + (20 if label else 34), y - (12 if label else 20))], fill="black", width=2)
    if label:
        pen.text((x + 24, y - 28), label, fill="black", font=ImageFont.load_default(18))
    return picture


def test_a_ring_without_labels_needs_no_answers() -> None:
    drawing = cut_molecule(hexagon(), SPEC)
    assert drawing is not None
    assert drawing.labels == ()
    text = drawing.write([])
    assert text.count("C") == 7
    assert text.count("1") == 2


def test_answers_name_the_atoms_and_wrong_ones_do_no_harm() -> None:
    drawing = cut_molecule(hexagon("O"), SPEC)
    assert drawing is not None
    assert len(drawing.labels) == 1
    assert drawing.write(["OH"]).count("O") == 1
    assert "Cl" in drawing.write(["CI"])
    for answers in ([], [""], ["?"], ["Xx"], ["O" * 500], ["O", "N", "surplus"], ["\\frac{1}{2}"]):
        assert drawing.write(answers)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (7, 7), (640, 480), (5000, 40)])
def test_blank_pictures_show_no_molecule(size: tuple[int, int]) -> None:
    assert cut_molecule(Image.new("RGB", size, "white"), SPEC) is None
    assert cut_molecule(Image.new("RGB", size, "black"), SPEC) is None


def test_hostile_pictures_raise_nothing_and_end_soon() -> None:
    rng = np.random.default_rng(3)
    noise = Image.fromarray(rng.integers(0, 256, (600, 800, 3), dtype=np.uint8))
    pictures = [noise, noise.resize((3000, 3000), Image.Resampling.NEAREST)]
    for lines in (40, 400):
        picture = Image.new("RGB", (900, 700), "white")
        pen = ImageDraw.Draw(picture)
        for x0, y0, x1, y1 in rng.integers(0, 700, (lines, 4)).tolist():
            pen.line((x0, y0, x1, y1), fill="black", width=3)
        pictures.append(picture)
    start = time.monotonic()
    for picture in pictures:
        drawing = cut_molecule(picture, SPEC)
        assert drawing is None or isinstance(drawing.write([]), str)
    assert time.monotonic() - start < 60  # a machine may be busy; what matters is that it ends


def test_a_circle_is_no_ring() -> None:
    turned = [complex(np.exp(2j * np.pi * k / 16)) for k in range(16)]
    vertices = [Vertex(200 + 100 * z.real, 200 + 100 * z.imag) for z in turned]
    circle = Frame(vertices, [Edge(k, (k + 1) % 16) for k in range(16)])
    ring = Frame(vertices[::3], [Edge(k, (k + 1) % 6) for k in range(6)])
    assert not plausible(circle, 39.0)
    assert plausible(ring, 100.0)


def test_several_parts_need_a_label() -> None:
    places = [Vertex(100 + 50 * k, 200 + 25 * (k % 2)) for k in range(4)]
    chain = [Edge(k, k + 1) for k in range(3)]
    far = [Vertex(v.x, v.y + 200) for v in places]
    both = chain + [Edge(e.a + 4, e.b + 4) for e in chain]
    assert plausible(Frame(places, chain), 56.0)
    assert not plausible(Frame(places + far, both), 56.0)
    assert plausible(Frame([*places, *far[:3], Vertex(far[3].x, far[3].y, tag=0)], both), 56.0)


def test_a_small_sign_is_no_molecule() -> None:
    assert cut_molecule(hexagon(), SPEC) is not None
    small = hexagon()
    small.thumbnail((70, 70))
    assert cut_molecule(small, SPEC) is None


def test_text_is_no_molecule() -> None:
    picture = Image.new("RGB", (700, 300), "white")
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(22)
    for row in range(8):
        pen.text((20, 15 + 34 * row), "The quick brown fox jumps over the lazy dog, 1234567", fill="black", font=font)
    assert cut_molecule(picture, SPEC) is None
