"""SMILES -> SVG by RDKit, through the gate. Knows no page."""

from typing import Any

from got_ocr.errors import MissingDependency, RenderFailed
from got_ocr.render.markup import Markup
from got_ocr.render.sanitize import SVG, Node, clean, parse, serialise, visit

MAX_SMILES = 1_000
MAX_ATOMS = 200


def to_svg(source: str, prefix: str = "") -> Markup:
    """Return a molecule as one `<svg>`. Raises RenderFailed or MissingDependency."""
    smiles = "".join(source.split())
    if not smiles or len(smiles) > MAX_SMILES:
        raise RenderFailed(f"a molecule is one SMILES of at most {MAX_SMILES} characters")
    svg = clean(parse(_draw(smiles)), SVG, prefix or "s-")
    size = svg.attributes.get("viewBox", "0 0 400 300").split()
    svg.attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": " ".join(size),
        "width": size[2],
        "height": size[3],
        "role": "img",
        "aria-label": "Molecule",
    }
    svg.children = [child for child in svg.children if isinstance(child, Node)]
    visit(svg, _without_class)
    return serialise(svg)


def _without_class(node: Node) -> None:
    node.attributes.pop("class", None)


def _draw(smiles: str) -> str:
    try:
        from rdkit import Chem, rdBase
        from rdkit.Chem.Draw import rdMolDraw2D
    except ImportError as error:
        raise MissingDependency("molecules need the package rdkit: pip install 'got-ocr[render]'") from error
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
        if molecule is None:
            # Valences that cannot be are still worth seeing: a reading may have one wrong atom.
            molecule = Chem.MolFromSmiles(smiles, sanitize=False)
        if molecule is None or not 0 < molecule.GetNumAtoms() <= MAX_ATOMS:
            raise RenderFailed(f"this is no SMILES of 1 to {MAX_ATOMS} atoms")
        molecule.UpdatePropertyCache(strict=False)
        drawer = rdMolDraw2D.MolDraw2DSVG(-1, -1)
        options: Any = drawer.drawOptions()
        options.clearBackground = False
        options.bondLineWidth = 2
        options.fixedBondLength = 32
        options.padding = 0.05
        options.prepareMolsBeforeDrawing = False
        drawer.DrawMolecule(
            rdMolDraw2D.PrepareMolForDrawing(molecule, kekulize=_has_double_bonds(molecule), addChiralHs=False)
        )
        drawer.FinishDrawing()
        return str(drawer.GetDrawingText())


def _has_double_bonds(molecule: Any) -> bool:
    """Tell whether aromatic rings can be drawn as single and double bonds in turn."""
    from rdkit import Chem

    try:
        Chem.Kekulize(Chem.Mol(molecule))
    except Chem.MolSanitizeException:
        return False
    return True
