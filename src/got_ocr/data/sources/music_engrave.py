"""Engraving of **kern to an RGB picture by Verovio and resvg.

Holds the engraver's options. The kern comes from this package's own composer, so it is engraved in this very process;
foreign kern can abort the process and never comes here.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from got_ocr.data.sources.rasterise import rasterise
from got_ocr.errors import InvalidValue, MissingDependency

FONTS: tuple[str, ...] = ("Leipzig", "Bravura", "Leland", "Gootville", "Petaluma")
HELDOUT: tuple[str, ...] = ("Gootville",)
_SYSTEM_OR_BAR = re.compile(r'<g [^>]*class="(system|measure)[" ]')
_SHARES = (0.35, 0.2, 0.2, 0.15, 0.1)


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is engraved. width: of the page in Verovio's units (2100 = A4 upright). scale: pixels per hundred
    units. The rest are Verovio's options of the same name.
    """

    font: str = "Leipzig"
    width: int = 2100
    scale: int = 50
    unit: float = 9.0
    bar_line: float = 0.5
    staff_line: float = 0.2
    stem: float = 0.2
    spacing_staff: int = 6
    spacing_system: int = 4
    linear: float = 0.25
    slope: int = 15
    tight: bool = False

    @property
    def staff(self) -> float:
        """Height of a staff in pixels."""
        return self.unit * 8 * self.scale / 100

    def options(self) -> dict[str, object]:
        """Give Verovio's option names and values. The height is open and cut to the music."""
        return {
            "font": self.font, "pageWidth": self.width, "pageHeight": 60000, "adjustPageHeight": True,
            "adjustPageWidth": self.tight, "scale": self.scale, "unit": self.unit, "footer": "none", "header": "none",
            "barLineWidth": self.bar_line, "beamMaxSlope": self.slope, "staffLineWidth": self.staff_line,
            "stemWidth": self.stem, "spacingStaff": self.spacing_staff, "spacingSystem": self.spacing_system,
            "spacingLinear": self.linear, "xmlIdSeed": 1, "breaks": "auto",
        }  # fmt: skip


def _belongs(font: str, pool: str) -> bool:
    if pool not in ("train", "heldout", "all"):
        raise InvalidValue(f"fonts of scores are train, heldout or all; not {pool!r}")
    return pool == "all" or (font in HELDOUT) == (pool == "heldout")


def new_look(rng: np.random.Generator, fonts: str = "train") -> Look:
    """Choose a look by luck; half of the pages keep the plain engraving settings.

    fonts: `train`, `heldout` (training never sees them) or `all`. Raises InvalidValue for another pool.
    """
    shares = np.array([share * _belongs(font, fonts) for font, share in zip(FONTS, _SHARES, strict=True)])
    font = str(rng.choice(FONTS, p=shares / shares.sum()))
    look = Look(font=font, scale=int(rng.integers(38, 66)), tight=bool(rng.random() < 0.35))
    if rng.random() < 0.5:
        return look
    return Look(
        font=look.font,
        width=int(rng.integers(1300, 2600)),
        scale=look.scale,
        unit=round(float(rng.uniform(7, 11)), 1),
        bar_line=round(float(rng.uniform(0.25, 0.6)), 2),
        staff_line=round(float(rng.uniform(0.12, 0.25)), 2),
        stem=round(float(rng.uniform(0.15, 0.3)), 2),
        spacing_staff=int(rng.integers(4, 14)),
        spacing_system=int(rng.integers(3, 12)),
        linear=round(float(rng.uniform(0.2, 0.35)), 2),
        slope=int(rng.integers(5, 20)),
        tight=look.tight,
    )


@lru_cache(maxsize=1)
def toolkit() -> Any:
    """Start Verovio once for this process, silent. Raises MissingDependency without it."""
    try:
        import verovio
    except ImportError as error:
        raise MissingDependency("sheet music needs the package verovio: pip install 'got-ocr[synth]'") from error
    verovio.enableLog(verovio.LOG_OFF)
    return verovio.toolkit()


def engrave(text: str, look: Look) -> Image.Image | None:
    """Engrave kern on one page; None when Verovio refuses it or needs a second page."""
    svg = engrave_svg(text, look)
    return None if svg is None else rasterise(svg)


def systems(svg: str) -> list[int]:
    """Count the bars of each system of an engraved page, from the top."""
    counts: list[int] = []
    for name in _SYSTEM_OR_BAR.findall(svg):
        if name == "system":
            counts.append(0)
        else:
            counts[-1] += 1
    return counts


def engrave_svg(text: str, look: Look) -> str | None:
    """Engrave kern to SVG, all glyphs as outlines; None as `engrave`."""
    engraver = toolkit()
    engraver.resetOptions()
    engraver.setOptions(look.options())
    if not engraver.loadData(text):
        return None
    if "*met(" in text.split("\n=", 1)[0] and not engraver.loadData(_with_sign(str(engraver.getMEI()))):
        return None
    if engraver.getPageCount() != 1:
        return None
    svg = str(engraver.renderToSVG(1))
    return None if "<text" in svg else _plain(svg)


def _plain(svg: str) -> str:
    """Replace the style sheet, which outlines every glyph and hides placeholders, by strokes on lines: faster to draw."""
    bare = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    bare = re.sub(r'(class="[^"]*\bplaceholder\b[^"]*">)\s*<ellipse [^>]*/>', r"\1", bare)
    return bare.replace(' stroke-width="', ' stroke="#000" stroke-width="')


def _with_sign(mei: str) -> str:
    """Show the common-time sign: Verovio's kern reader hides it in the first bar, behind an empty mensuration."""
    mei = re.sub(r"<mensur [^>]*/>", "", mei)
    return re.sub(r'(<meterSig [^>]*?) visible="false"', r"\1", mei)
