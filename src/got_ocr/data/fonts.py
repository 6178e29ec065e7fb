"""Which fonts there are, what they cover and which of them training may see. Knows no text and draws no picture.

The held-out families are fixed here by name. A family's derivatives and metric twins go with it (Carlito was drawn from
Lato), so that no held-out outline is ever seen in training.
"""

import os
import sys
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from got_ocr.data import cache, inspect_font
from got_ocr.errors import InvalidValue, MissingDependency

if TYPE_CHECKING:
    import numpy as np
    from PIL.ImageFont import FreeTypeFont

POOLS = ("train", "heldout", "handwriting", "zh", "zh-heldout", "all")

# Each entry covers every family whose name begins so: "PT " holds PT Sans, PT Serif and PT Mono.
HELDOUT = (
    "Caladea",
    "Cantarell",
    "Carlito",
    "Courier Prime",
    "Gentium",
    "JetBrains Mono",
    "Karla",
    "Lato",
    "Old Standard TT",
    "PT ",
    "Quattrocento",
    "Vollkorn",
)
HANDWRITING = (
    "Breip", "Dancing Script", "Delphine", "DkgHandwriting", "Domestic Manners", "Ecolier", "El Abogado Loco",
    "Isabella",
    "Kaushan Script", "Kristi", "Penguin Attack", "Romande ADF Script", "RufScript", "Rufscript", "Steve",
    "TeX Gyre Chorus",
    "Z003", "femkeklaver", "Klaudia",
)  # fmt: skip
# Symbol fonts, fonts for keys or mathematics alone, and pixel fonts that are drawn for one size.
UNREADABLE = (
    "Atari", "D050000L", "DejaVu Math", "Latin Modern Math", "Linux Biolinum Keyboard", "Museum", "OpenSymbol",
    "ProggyTiny",
    "STIX Math", "STIXSize", "STIXNonUnicode", "STIXIntegrals", "STIXVariants", "Standard Symbols",
    "Berenis ADF Pro Math",
    "Eunjin", "Bangwool", "Bandal", "Guseul", "cmb10", "cmex10", "cmmi10", "cmr10", "cmss10", "cmsy10", "cmti10",
    "cmtt10",
    "Humor Sans", "Irianis ADF Style", "Mekanus ADF Titling", "unifur", "Junkyard", "EB Garamond SC",
    "EB Garamond 08 SC", "EB Garamond 12 SC", "Latin Modern Roman Caps", "Latin Modern Mono Caps",
)  # fmt: skip
# WenQuanYi Micro Hei was drawn from Droid Sans Fallback: both are for training.
CHINESE = ("WenQuanYi Micro Hei", "LXGW WenKai", "AR PL KaitiM GB", "AR PL SungtiL GB", "AR PL UKai", "AR PL UMing")
CHINESE_HELDOUT = ("Noto Sans CJK SC", "Noto Serif CJK SC")
_OTHER_CJK = ("Noto Sans CJK", "Noto Serif CJK", "Noto Sans Mono CJK", "Droid Sans Fallback")
_LIGATURES = (("ffi", "ﬃ"), ("ffl", "ﬄ"), ("ff", "ﬀ"), ("fi", "ﬁ"), ("fl", "ﬂ"))
_INDEX_VERSION = 6
_LARGE = 8_000  # covered code points from which a font is large


@dataclass(frozen=True, slots=True, eq=False)
class Font:
    """Describe one face of a font file. The index holds each face once, so faces are compared as objects.

    weight: 100 to 900 as in the OS/2 table. ranges: covered code points as (first, last) pairs; characters of the label
    alphabet that draw nothing are not in them. unicase: small letters look like capitals. licence: name table 13 or 14.
    """

    path: str
    face: int
    family: str
    style: str
    weight: int
    italic: bool
    unicase: bool
    complete: bool
    licence: str
    ranges: tuple[tuple[int, int], ...]

    @property
    def facts(self) -> dict[str, object]:
        """List what a manifest should say of the font."""
        return {"file": Path(self.path).name, "family": self.family, "style": self.style, "licence": self.licence}


def folders() -> tuple[Path, ...]:
    """Name the folders that fonts are looked for in; matplotlib's own DejaVu comes last."""
    chosen = os.environ.get("GOT_OCR_FONTS")
    if chosen:
        return tuple(Path(part) for part in chosen.split(os.pathsep) if part)
    home = Path.home()
    system = [Path("/usr/share/fonts"), Path("/usr/share/texmf/fonts/opentype"), Path("/usr/local/share/fonts")]
    system += [home / ".fonts", home / ".local/share/fonts"]
    if sys.platform == "darwin":
        system += [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    return (*system, *_matplotlib_folder())


def _matplotlib_folder() -> tuple[Path, ...]:
    from importlib.util import find_spec

    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return ()
    return (Path(spec.origin).parent / "mpl-data/fonts/ttf",)


def _files() -> list[Path]:
    found: dict[str, Path] = {}
    for folder in folders():
        if folder.is_dir():
            for path in sorted(folder.rglob("*")):
                if path.suffix.lower() in (".ttf", ".otf", ".ttc"):
                    found.setdefault(path.name, path)
    return [found[name] for name in sorted(found)]


@lru_cache(maxsize=1)
def index() -> tuple[Font, ...]:
    """List every readable face, ordered by file name; the answer is kept in the cache folder."""
    files = _files()
    key = cache.digest(_INDEX_VERSION, cache.stamps(files))
    rows = cache.read("fonts", key)
    if not isinstance(rows, list):
        rows = [row for path in files for row in inspect_font.faces(path)]
        cache.write("fonts", key, rows)
    return tuple(_font(row) for row in rows)


def _font(row: dict[str, Any]) -> Font:
    ranges = tuple((int(first), int(last)) for first, last in row["ranges"])
    return Font(**{**row, "ranges": ranges})


def held_out(family: str) -> bool:
    """Say whether training must not see this family."""
    return family.startswith(HELDOUT)


def _belongs(font: Font, name: str) -> bool:
    if name in ("zh", "zh-heldout"):
        return font.family.startswith(CHINESE if name == "zh" else CHINESE_HELDOUT)
    chinese = font.family.startswith(CHINESE + CHINESE_HELDOUT + _OTHER_CJK)
    if chinese or not font.complete or font.unicase or font.family.startswith(UNREADABLE):
        return False
    if name == "handwriting":
        return font.family.startswith(HANDWRITING) and not held_out(font.family)
    # Hairline weights vanish at text sizes.
    readable = 250 <= font.weight <= 900 and not font.family.startswith(HANDWRITING)
    return readable and (name == "all" or held_out(font.family) == (name == "heldout"))


@lru_cache(maxsize=16)
def pool(name: str) -> tuple[Font, ...]:
    """List the fonts of a pool: `train`, `heldout`, `handwriting`, `zh`, `zh-heldout` or `all` (Latin, readable).

    Raises InvalidValue for another name and MissingDependency where no installed font belongs to the pool.
    """
    if name not in POOLS:
        raise InvalidValue(f"font pool is one of {', '.join(POOLS)}; not {name!r}")
    fonts = tuple(font for font in index() if _belongs(font, name))
    if not fonts:
        wanted = {"heldout": HELDOUT, "zh": CHINESE, "zh-heldout": CHINESE_HELDOUT, "handwriting": HANDWRITING}.get(
            name
        )
        names = ", ".join(prefix.strip() for prefix in wanted) if wanted else "any text font"
        raise MissingDependency(f"no font of the pool {name!r} is installed; install one of: {names}")
    return fonts


def available(name: str) -> bool:
    """Say whether the machine has a font of a pool. Raises InvalidValue for an unknown pool."""
    try:
        return bool(pool(name))
    except MissingDependency:
        return False


@lru_cache(maxsize=16)
def families(name: str) -> tuple[tuple[Font, ...], ...]:
    """Group a pool by family, in the order of the family names."""
    groups: dict[str, list[Font]] = {}
    for font in pool(name):
        groups.setdefault(font.family, []).append(font)
    return tuple(tuple(groups[family]) for family in sorted(groups))


def pick(name: str, rng: "np.random.Generator") -> Font:
    """Draw a font:

    every family is as likely as any other, and plain weights come up more often than bold or italic ones.
    """
    groups = families(name)
    family = groups[int(rng.integers(len(groups)))]
    plain = [font for font in family if not font.italic and 350 <= font.weight <= 550]
    choice: Sequence[Font] = plain if plain and rng.random() < 0.55 else family
    return choice[int(rng.integers(len(choice)))]


@lru_cache(maxsize=4096)
def covered(font: Font, charset: frozenset[str]) -> frozenset[str]:
    """Intersect a set of characters with what the font draws."""
    starts = [first for first, _ in font.ranges]
    inside = ((char, bisect_right(starts, ord(char)) - 1) for char in charset)
    return frozenset(char for char, rank in inside if rank >= 0 and ord(char) <= font.ranges[rank][1])


@lru_cache(maxsize=4096)
def ligatures(font: Font) -> tuple[tuple[str, str], ...]:
    """List the (letters, ligature) pairs that a font draws, the longest first."""
    drawn = covered(font, frozenset(sign for _, sign in _LIGATURES))
    return tuple((letters, sign) for letters, sign in _LIGATURES if sign in drawn)


def ligated(text: str, font: Font) -> str:
    """Spell a text for drawing, with the font's ligatures in place of their letters; labels keep the letters."""
    for letters, sign in ligatures(font):
        text = text.replace(letters, sign)
    return text


def load(font: Font, size: int) -> "FreeTypeFont":
    """Open a face at `size` pixels; those used last stay open, in at most about 120 MB."""
    glyphs = sum(last - first + 1 for first, last in font.ranges)
    return _large(font, size) if glyphs > _LARGE else _small(font, size)


@lru_cache(maxsize=256)
def _small(font: Font, size: int) -> "FreeTypeFont":
    return _open(font, size)


# An open face of a Chinese font holds three megabytes, twenty times as much as a Latin one.
@lru_cache(maxsize=24)
def _large(font: Font, size: int) -> "FreeTypeFont":
    return _open(font, size)


def _open(font: Font, size: int) -> "FreeTypeFont":
    """Open a face by the plain layout engine, which gives the same pixels on every machine."""
    from PIL import ImageFont

    return ImageFont.truetype(font.path, size, index=font.face, layout_engine=ImageFont.Layout.BASIC)
