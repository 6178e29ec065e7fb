"""The drawing of a molecule in a random but clean style, and the SMILES that the drawing shows.

Holds the drawing styles and the check that nothing is hidden. The order matters: coordinates and wedges first, then the
label is read back from them, then the same coordinates and wedges are inked. Knows nothing about where a structure
comes from.
"""

import io
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from got_ocr.data.sources.molecule_labels import Text, texts

Mol = Any  # RDKit's own stubs name every molecule differently; the alias keeps signatures readable

# Least distance of two atoms that are not bonded, in bond lengths, when none, one or both of them are letters.
_CLOSEST = (0.5, 0.65, 0.85)
_SHAKE = 0.045  # how far a hand misses the place of an atom, in bond lengths (standard deviation)
_PALETTES = ("default", "black", "cdk", "avalon")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A molecule on paper: the RGB picture, the SMILES it shows, where its atoms lie (x, y in pixels), the height of
    its letters in pixels, the style in words, and its labels."""

    image: Image.Image
    smiles: str
    atoms: tuple[tuple[float, float], ...]
    letters: float
    style: Mapping[str, object]
    labels: tuple[Text, ...] = ()


def quiet() -> AbstractContextManager[object]:
    """Keep RDKit's log off the terminal while the block runs."""
    from rdkit import rdBase

    return rdBase.BlockLogs()


def draw(rng: np.random.Generator, mol: Mol, max_side: int) -> Drawing | None:
    """Draw a molecule and read its label back; None when the layout is crowded or the drawing would not fit."""
    style = _style(rng)
    laid = _layout(rng, mol, _SHAKE if style["hand"] else 0.0)
    if laid is None:
        return None
    shown = _shown(laid)
    if shown is None:
        return None
    inked = _ink(laid, style, max_side)
    return None if inked is None else Drawing(inked[0], shown, inked[1], inked[2], style, inked[3])


def _layout(rng: np.random.Generator, mol: Mol, shake: float) -> Mol | None:
    """Place the atoms, turn and mirror them, choose the wedges. shake: of the atoms, in bond lengths."""
    from rdkit import Chem
    from rdkit.Chem import rdCoordGen, rdDepictor
    from rdkit.Chem.Draw import rdMolDraw2D

    out = Chem.Mol(mol)
    if rng.random() < 0.25:
        rdCoordGen.AddCoords(out)
    else:
        rdDepictor.Compute2DCoords(out, canonOrient=bool(rng.random() < 0.7))
    conformer = out.GetConformer()
    xyz = conformer.GetPositions()
    if not _readable(out, xyz):
        return None
    angle = float(rng.choice((0.0, 0.0, 90.0, 180.0, 270.0, rng.uniform(0, 360))))
    turn = np.deg2rad(angle)
    xyz = xyz @ np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    if shake:
        xyz = xyz + rng.normal(0, shake * 1.5, xyz.shape)
    for i, (x, y, _) in enumerate(xyz):
        conformer.SetAtomPosition(i, (float(x), float(y), 0.0))
    # The arrangement of a double bond is whatever is drawn, so it is taken from the drawing and never left open.
    Chem.DetectBondStereochemistry(out)
    Chem.AssignStereochemistry(out, cleanIt=True, force=True)
    return rdMolDraw2D.PrepareMolForDrawing(
        out, kekulize=bool(rng.random() < 0.9), addChiralHs=bool(rng.random() < 0.5)
    )


def _readable(mol: Mol, xyz: NDArray[np.float64]) -> bool:
    """Tell whether no two atoms, and no two letters, lie on one another."""
    from rdkit import Chem

    gap = np.linalg.norm(xyz[:, None, :2] - xyz[None, :, :2], axis=-1)
    bonded = Chem.GetAdjacencyMatrix(mol).astype(bool)
    lengths = gap[bonded]
    unit = float(np.median(lengths)) if len(lengths) else 1.0
    lettered = np.array([a.GetAtomicNum() != 6 or a.GetDegree() == 0 for a in mol.GetAtoms()])
    # Bare corners may come nearer to one another than letters may.
    least = np.array(_CLOSEST)[lettered[:, None].astype(int) + lettered[None].astype(int)]
    near = (gap < least * unit) & ~bonded & ~np.eye(len(gap), dtype=bool)
    return not near.any() and (not len(lengths) or (lengths.max() < 2.5 * unit and lengths.min() > 0.4 * unit))


def _shown(laid: Mol) -> str | None:
    """Write the SMILES that coordinates and wedges tell; None if the wedges tell something else or the text is
    unstable.
    """
    from rdkit import Chem

    read = Chem.MolFromMolBlock(Chem.MolToMolBlock(laid, kekulize=True))
    if read is None:
        return None
    smiles = str(Chem.MolToSmiles(read))
    again = Chem.MolFromSmiles(smiles)
    if again is None or Chem.MolToSmiles(again) != smiles:
        return None
    return smiles if _wedged(laid) == _hands(read) else None


def _wedged(laid: Mol) -> list[tuple[int, str]]:
    """Read the hands of the centres from the wedges alone."""
    from rdkit import Chem

    bare = Chem.Mol(laid)
    for atom in bare.GetAtoms():
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    Chem.AssignChiralTypesFromBondDirs(bare)
    return _hands(Chem.RemoveHs(bare, sanitize=False))


def _hands(mol: Mol) -> list[tuple[int, str]]:
    from rdkit import Chem

    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    return [(a.GetIdx(), a.GetProp("_CIPCode")) for a in mol.GetAtoms() if a.HasProp("_CIPCode")]


@lru_cache(maxsize=1)
def _fonts() -> tuple[str, ...]:
    spec = find_spec("rdkit")
    roots = spec.submodule_search_locations if spec is not None else None
    return tuple(sorted(str(p) for root in roots or () for p in (Path(root) / "Data" / "Fonts").glob("*.ttf")))


def _name(font: str) -> str:
    return Path(font).stem


def _style(rng: np.random.Generator) -> dict[str, object]:
    fonts = _fonts()
    style = {
        "palette": str(rng.choice(_PALETTES, p=(0.3, 0.5, 0.1, 0.1))),
        "font": _name(str(rng.choice(fonts))) if fonts and rng.random() < 0.6 else "",
        "bond": round(float(rng.uniform(20, 46)), 1),  # pixels of one bond
        "width": round(float(rng.uniform(0.035, 0.075)), 3),  # of a bond's length
        "text": round(float(rng.uniform(0.36, 0.56)), 2),
        "offset": round(float(rng.uniform(0.11, 0.19)), 3),
        "padding": round(float(rng.uniform(0.02, 0.12)), 3),
        "methyl": bool(rng.random() < 0.2),
        "hand": bool(rng.random() < 0.07),
    }
    if style["hand"]:
        written = [name for name in map(_name, fonts) if name.startswith(("Amadeus", "Comic"))]
        style |= {"font": str(rng.choice(written)) if written else "", "seed": int(rng.integers(2**31))}
    elif rng.random() < 0.12:  # the proportions that American Chemical Society journals ask for
        style |= {"palette": "black", "width": 0.042, "text": 0.69, "offset": 0.18, "methyl": False}
    return style


def _ink(
    mol: Mol, style: Mapping[str, Any], max_side: int
) -> tuple[Image.Image, tuple[tuple[float, float], ...], float, tuple[Text, ...]] | None:
    from rdkit.Chem.Draw import rdMolDraw2D

    xyz = mol.GetConformer().GetPositions()
    span = max(float(np.ptp(xyz[:, 0])), float(np.ptp(xyz[:, 1])), 1.0)
    length = rdMolDraw2D.MeanBondLength(mol) or 1.5
    scale = min(style["bond"], 0.8 * max_side / (span / length + 2))
    if scale < 11:
        return None
    canvas = rdMolDraw2D.MolDraw2DCairo(-1, -1)
    outlines = rdMolDraw2D.MolDraw2DSVG(-1, -1)  # the same drawing once more, for the places of its letters
    for paper in (canvas, outlines):
        _apply(paper.drawOptions(), style, scale, length)
        paper.DrawMolecule(mol)
        paper.FinishDrawing()
    letters = float(canvas.drawOptions().fixedFontSize)
    with Image.open(io.BytesIO(canvas.GetDrawingText())) as png:
        image = png.convert("RGB")
    if style["hand"]:
        image = _swayed(image, style["seed"], scale)
    if max(image.size) > max_side:
        return None
    spots = tuple((p.x, p.y) for p in (canvas.GetDrawCoords(i) for i in range(mol.GetNumAtoms())))
    return image, spots, letters, texts(outlines.GetDrawingText(), mol, spots)


def _apply(options: Any, style: Mapping[str, Any], scale: float, length: float) -> None:
    palette = style["palette"]
    if palette == "black":
        options.useBWAtomPalette()
    elif palette == "cdk":
        options.useCDKAtomPalette()
    elif palette == "avalon":
        options.useAvalonAtomPalette()
    options.scalingFactor = scale / length
    options.scaleBondWidth = False
    options.bondLineWidth = max(1.0, style["width"] * scale)
    options.fixedFontSize = max(10, round(style["text"] * scale))
    options.multipleBondOffset = style["offset"]
    options.padding = style["padding"]
    options.explicitMethyl = style["methyl"]
    options.prepareMolsBeforeDrawing = False
    options.includeMetadata = False
    fonts = [font for font in _fonts() if _name(font) == style["font"]]
    if fonts:
        options.fontFile = fonts[0]


def _swayed(image: Image.Image, seed: int, bond: float) -> Image.Image:
    """Bend strokes as a hand does: move the ink along a random field, smooth over a bond, by some 4 % of a bond."""
    import cv2

    hand = np.random.default_rng(seed)
    width, height = image.size
    knots = (2, int(height / bond) + 2, int(width / bond) + 2)
    coarse = hand.standard_normal(knots).astype(np.float32) * np.float32(0.04 * bond)
    x, y = (cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC) for field in coarse)
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    bent = cv2.remap(
        np.asarray(image),
        across + x,
        down + y,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(255, 255, 255),
    )
    return Image.fromarray(bent)
