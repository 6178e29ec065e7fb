"""The second renderer of formulas and tables: LaTeX itself, where it is installed."""

import numpy as np
import pytest

from got_ocr.data.build import generator, source
from got_ocr.data.tools import latex
from got_ocr.errors import InvalidValue, MissingDependency, PageRenderFailed

needs_tex = pytest.mark.skipif(not latex.available(), reason="latex and dvisvgm are not installed")


@needs_tex
def test_bodies_of_one_run_become_pictures_of_their_own() -> None:
    wide, tall = latex.draw(["$a+b+c+d$", r"$\displaystyle\frac{\frac{a}{b}}{c}$"], 24, margin=5, ink=30, paper=240)
    assert wide.width > 2 * tall.width
    assert tall.height > wide.height
    for picture in (wide, tall):
        grey = np.asarray(picture.convert("L"))
        assert grey[:5].min() == grey[:, -5:].min() == 240
        assert 30 <= grey.min() < 60


@needs_tex
def test_what_tex_refuses() -> None:
    with pytest.raises(PageRenderFailed):
        latex.draw([r"$\nosuchcommand$"], 20)


def test_without_tex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latex, "available", lambda: False)
    with pytest.raises(MissingDependency):
        latex.draw(["x"], 20)
    formula = source("formula", {"latex": 1.0})(generator("tex", 0, 0))
    assert formula.meta["engine"] == "typst"


@needs_tex
@pytest.mark.parametrize(("name", "options"), [("formula", {}), ("table", {"zh": 0.0})])
def test_sources_draw_by_latex_what_it_knows(name: str, options: dict[str, object]) -> None:
    write = source(name, {"latex": 1.0, "clean_fraction": 1.0, **options})
    samples = [write(generator("tex", 3, index)) for index in range(6)]
    assert sum(sample.meta["engine"] == "latex" for sample in samples) >= 2
    again = write(generator("tex", 3, 0))
    assert again.images[0].tobytes() == samples[0].images[0].tobytes()
    assert again.target == samples[0].target


@pytest.mark.parametrize("name", ["formula", "table"])
def test_shares(name: str) -> None:
    with pytest.raises(InvalidValue, match="latex"):
        source(name, {"latex": 1.5})
