"""Structures for the molecule source: chosen, recombined, edited, assembled or grown atom by atom.

Holds the chemistry only (RDKit molecules in, RDKit molecules out; None where a draw of luck gave nothing sound). Knows
no picture. All luck comes from the generator that is passed in: RDKit's own random functions are not used.
"""

import numpy as np

from got_ocr.data.sources.molecule_draw import Mol

# Symbols that a chemist's drawing shows every day; metals in the real pool stay rare by themselves.
_GROWN = (
    ("C", 4, 0.68),
    ("N", 3, 0.13),
    ("O", 2, 0.1),
    ("S", 2, 0.03),
    ("F", 1, 0.02),
    ("Cl", 1, 0.03),
    ("Br", 1, 0.01),
)

_SCAFFOLDS = (
    "c1ccccc1", "c1ccncc1", "c1cncnc1", "c1ccsc1", "c1ccoc1", "c1cc[nH]c1", "c1cnc[nH]1", "c1cscn1", "c1cocn1",
    "c1cn[nH]c1", "c1ccc2ccccc2c1", "c1ccc2ncccc2c1", "c1ccc2[nH]ccc2c1", "c1ccc2ocnc2c1", "c1ccc2sccc2c1",
    "C1CCCCC1", "C1CCCC1", "C1CCC1", "C1CC1", "C1CCNCC1", "C1CNCCN1", "C1COCCN1", "C1CCOC1", "C1CCNC1", "C1CCOCC1",
    "O=C1CCCCC1", "O=C1CCCN1", "C1=CCCCC1", "c1ccc2c(c1)CCCC2", "c1ccc2c(c1)OCO2", "C1CC2CCC1C2", "O=C1C=CC(=O)C=C1",
    "O=C1NC(=O)c2ccccc21", "c1ncc2nc[nH]c2n1", "O=c1cc[nH]c(=O)[nH]1", "c1ccc2c(c1)[nH]c1ccccc12",
    "c1ccc(-c2ccccc2)cc1", "c1ccc2cc3ccccc3cc2c1", "C1CCC2CCCCC2C1", "O=c1ccc2ccccc2o1", "c1nnn[nH]1", "c1nc[nH]n1",
    "C1CCSC1", "CCCCCC", "CCOCC",
)  # fmt: skip
_SUBSTITUENTS = (
    "*C", "*CC", "*C(C)C", "*C(C)(C)C", "*CCCC", "*C=C", "*C#C", "*C#N", "*O", "*OC", "*OCC", "*OC(C)=O", "*N", "*NC",
    "*N(C)C", "*NC(C)=O", "*S", "*SC", "*F", "*Cl", "*Br", "*I", "*C(=O)O", "*C(=O)OC", "*C(=O)N", "*C=O", "*C(C)=O",
    "*[N+](=O)[O-]", "*S(N)(=O)=O", "*S(C)(=O)=O", "*C(F)(F)F", "*OC(F)(F)F", "*CO", "*CCO", "*CN", "*CCN",
    "*c1ccccc1", "*Cc1ccccc1", "*c1ccncc1", "*C1CC1", "*N1CCOCC1", "*N1CCCC1", "*N1CCN(C)CC1", "*C(=O)c1ccccc1",
    "*C(=O)Nc1ccccc1", "*Oc1ccccc1", "*P(=O)(O)O", "*N=[N+]=[N-]", "*B(O)O", "*C(=O)[O-]", "*[NH3+]", "*[N+](C)(C)C",
    "*CC(N)C(=O)O", "*C=Cc1ccccc1", "*C=CC(=O)O", "*N=Nc1ccccc1", "*[Si](C)(C)C",
)  # fmt: skip
# What may stand for what in a real structure without breaking a valence: (old atomic number, aromatic, new one).
_SWAPS = {(9, False): (17, 35, 1), (17, False): (9, 35, 53), (35, False): (17, 9), (8, False): (16,), (16, False): (8,)}


def parse(smiles: str) -> Mol | None:
    """Read SMILES; None where RDKit refuses it."""
    from rdkit import Chem

    return Chem.MolFromSmiles(smiles)


def fits(mol: Mol, max_atoms: int, max_parts: int) -> bool:
    """Tell whether the size is within bounds and no placeholder or atom map is left."""
    from rdkit import Chem

    if not 2 <= mol.GetNumAtoms() <= max_atoms:
        return False
    if any(a.GetAtomicNum() == 0 or a.GetAtomMapNum() for a in mol.GetAtoms()):
        return False
    return len(Chem.GetMolFrags(mol)) <= max_parts


def real(rng: np.random.Generator, pool: tuple[str, ...]) -> Mol | None:
    """Take a structure from the pool as it is."""
    return parse(pool[int(rng.integers(len(pool)))])


def crossed(rng: np.random.Generator, pool: tuple[str, ...]) -> Mol | None:
    """Cut two real structures at a single bond outside rings and join one piece of each."""
    from rdkit import Chem

    first, second = _piece(rng, pool), _piece(rng, pool)
    if first is None or second is None:
        return None
    both = Chem.RWMol(Chem.CombineMols(first[0], second[0]))
    both.AddBond(first[1], second[1] + first[0].GetNumAtoms(), Chem.BondType.SINGLE)
    return _sound(both)


def edited(rng: np.random.Generator, pool: tuple[str, ...]) -> Mol | None:
    """Change one to three things in a real structure: swap an atom, add a substituent, (de)protonate."""
    mol = real(rng, pool)
    for _ in range(int(rng.integers(1, 4))):
        if mol is None:
            return None
        change = (_swapped, _substituted, _charged)[int(rng.choice(3, p=(0.45, 0.45, 0.1)))]
        mol = change(rng, mol)
    return mol


def assembled(rng: np.random.Generator) -> Mol | None:
    """Hang one to four substituents (sometimes a second scaffold) on a scaffold."""
    mol = parse(str(rng.choice(_SCAFFOLDS)))
    for _ in range(int(rng.integers(1, 5))):
        if mol is None:
            return None
        if rng.random() < 0.15:
            other = parse(str(rng.choice(_SCAFFOLDS)))
            mol = _join(rng, mol, other, _open_atom(rng, other))
        else:
            mol = _substituted(rng, mol)
    return mol


def grown(rng: np.random.Generator, max_atoms: int) -> Mol | None:
    """Grow a random tree of atoms, close a few rings, raise a few bonds; valences are kept by construction."""
    from rdkit import Chem

    mol = Chem.RWMol()
    symbols = [s for s, _, _ in _GROWN]
    chance = np.array([p for _, _, p in _GROWN])
    free = [4]
    mol.AddAtom(Chem.Atom("C"))
    for _ in range(int(rng.integers(3, min(18, max_atoms)))):
        roots = [i for i, v in enumerate(free) if v > 0 and not (v == 1 and mol.GetAtomWithIdx(i).GetDegree() > 2)]
        if not roots:
            break
        # Recent atoms are preferred: chains look like chemistry, stars do not.
        root = roots[-1] if rng.random() < 0.55 else int(rng.choice(roots))
        kind = int(rng.choice(len(symbols), p=chance / chance.sum()))
        new = mol.AddAtom(Chem.Atom(symbols[kind]))
        mol.AddBond(root, new, Chem.BondType.SINGLE)
        free[root] -= 1
        free.append(_GROWN[kind][1] - 1)
    _close_rings(rng, mol, free)
    _raise_bonds(rng, mol, free)
    return _sound(mol)


def _close_rings(rng: np.random.Generator, mol: Mol, free: list[int]) -> None:
    from rdkit import Chem

    distance = Chem.GetDistanceMatrix(mol)
    for _ in range(int(rng.integers(0, 4))):
        pairs = [
            (i, j)
            for i in range(len(free))
            for j in range(i)
            if free[i] and free[j] and distance[i, j] in (4.0, 5.0) and mol.GetBondBetweenAtoms(i, j) is None
        ]
        if not pairs:
            return
        i, j = pairs[int(rng.integers(len(pairs)))]
        mol.AddBond(i, j, Chem.BondType.SINGLE)
        free[i] -= 1
        free[j] -= 1


def _raise_bonds(rng: np.random.Generator, mol: Mol, free: list[int]) -> None:
    from rdkit import Chem

    for bond in list(mol.GetBonds()):
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        room = min(free[i], free[j])
        if room < 1 or rng.random() > 0.25:
            continue
        ends = min(mol.GetAtomWithIdx(i).GetDegree(), mol.GetAtomWithIdx(j).GetDegree())
        order = 2 if room >= 2 and ends == 1 and rng.random() < 0.15 else 1
        bond.SetBondType(Chem.BondType.TRIPLE if order == 2 else Chem.BondType.DOUBLE)
        free[i] -= order
        free[j] -= order


def _piece(rng: np.random.Generator, pool: tuple[str, ...]) -> tuple[Mol, int] | None:
    """Cut a real structure; give one side and the atom where it was cut."""
    from rdkit import Chem

    mol = real(rng, pool)
    if mol is None:
        return None
    cuts = [
        b.GetIdx()
        for b in mol.GetBonds()
        if not b.IsInRing()
        and b.GetBondType() == Chem.BondType.SINGLE
        and min(b.GetBeginAtom().GetDegree(), b.GetEndAtom().GetDegree()) > 1
    ]
    if not cuts:
        return None
    open_mol = Chem.RWMol(mol)
    bond = open_mol.GetBondWithIdx(cuts[int(rng.integers(len(cuts)))])
    ends = (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
    open_mol.RemoveBond(*ends)
    end = ends[int(rng.integers(2))]
    keep = next(set(part) for part in Chem.GetMolFrags(open_mol) if end in part)
    if len(keep) < 3:
        return None
    mark = open_mol.GetAtomWithIdx(end)
    for atom in sorted((i for i in range(open_mol.GetNumAtoms()) if i not in keep), reverse=True):
        open_mol.RemoveAtom(atom)
    return open_mol, sum(1 for i in keep if i < end) if mark is not None else 0


def _swapped(rng: np.random.Generator, mol: Mol) -> Mol | None:
    out = _rw(mol)
    atoms = [
        a
        for a in out.GetAtoms()
        if (a.GetAtomicNum(), a.GetIsAromatic()) in _SWAPS and not a.GetFormalCharge() and a.GetDegree() < 3
    ]
    ring = [
        a
        for a in out.GetAtoms()
        if a.GetIsAromatic() and a.GetAtomicNum() == 6 and a.GetTotalNumHs() == 1 and a.IsInRingSize(6)
    ]
    if ring and (not atoms or rng.random() < 0.5):
        ring[int(rng.integers(len(ring)))].SetAtomicNum(7)
    elif atoms:
        atom = atoms[int(rng.integers(len(atoms)))]
        atom.SetAtomicNum(int(rng.choice([n for n in _SWAPS[atom.GetAtomicNum(), False] if n > 1])))
    return _sound(out)


def _substituted(rng: np.random.Generator, mol: Mol) -> Mol | None:
    from rdkit import Chem

    group = parse(str(rng.choice(_SUBSTITUENTS)))
    if group is None:
        return None
    bare = Chem.RWMol(group)
    bare.RemoveAtom(0)  # the asterisk comes first in every entry, and its neighbour is the next atom
    return _join(rng, mol, bare, 0)


def _join(rng: np.random.Generator, mol: Mol, other: Mol | None, end: int | None) -> Mol | None:
    from rdkit import Chem

    start = _open_atom(rng, mol)
    if start is None or end is None or other is None:
        return None
    out = Chem.RWMol(Chem.CombineMols(mol, other))
    for i in (start, end + mol.GetNumAtoms()):
        atom = out.GetAtomWithIdx(i)
        if atom.GetNumExplicitHs() and (i == start or other.GetAtomWithIdx(end).GetIsAromatic()):
            atom.SetNumExplicitHs(atom.GetNumExplicitHs() - 1)
    out.AddBond(start, end + mol.GetNumAtoms(), Chem.BondType.SINGLE)
    return _sound(out)


def _open_atom(rng: np.random.Generator, mol: Mol | None) -> int | None:
    if mol is None:
        return None
    atoms = [a.GetIdx() for a in mol.GetAtoms() if a.GetTotalNumHs() and a.GetAtomicNum() in (6, 7)]
    return int(rng.choice(atoms)) if atoms else None


def _charged(rng: np.random.Generator, mol: Mol) -> Mol | None:
    """Protonate an amine or deprotonate an acid, where there is one."""
    from rdkit import Chem

    out = _rw(mol)
    acids = [m[-1] for m in out.GetSubstructMatches(Chem.MolFromSmarts("[CX3,S,P](=O)[OX2H]"))]
    amines = [m[0] for m in out.GetSubstructMatches(Chem.MolFromSmarts("[NX3;+0;!$(N-[!#6]);!$(N-C=[O,S,N]);!$(N-a)]"))]
    sites = [(i, -1) for i in acids] + [(i, 1) for i in amines]
    if sites:
        index, charge = sites[int(rng.integers(len(sites)))]
        atom = out.GetAtomWithIdx(index)
        atom.SetFormalCharge(charge)
        atom.SetNoImplicit(False)
    return _sound(out)


def with_isotope(rng: np.random.Generator, mol: Mol) -> Mol:
    """Label one atom with an isotope that chemists use."""
    out = _rw(mol)
    masses = {6: (13, 14), 7: (15,), 8: (18,), 9: (18,), 53: (125, 131), 16: (35,)}
    atoms = [a for a in out.GetAtoms() if a.GetAtomicNum() in masses]
    if atoms:
        atom = atoms[int(rng.integers(len(atoms)))]
        atom.SetIsotope(int(rng.choice(masses[atom.GetAtomicNum()])))
    return out.GetMol()


def without_stereo(mol: Mol) -> Mol:
    """Drop every configuration (double bonds get theirs back from the drawing)."""
    from rdkit import Chem

    out = Chem.Mol(mol)
    Chem.RemoveStereochemistry(out)
    return out


def with_stereo(rng: np.random.Generator, mol: Mol, chance: float) -> Mol:
    """Give open tetrahedral centres a random hand, all together with probability `chance`."""
    from rdkit import Chem

    if rng.random() >= chance:
        return mol
    out = Chem.Mol(mol)
    tags = (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW)
    for found in Chem.FindPotentialStereo(out):
        if found.type == Chem.StereoType.Atom_Tetrahedral and found.specified == Chem.StereoSpecified.Unspecified:
            out.GetAtomWithIdx(found.centeredOn).SetChiralTag(tags[int(rng.integers(2))])
    Chem.AssignStereochemistry(out, cleanIt=True, force=True)
    return out


def _rw(mol: Mol) -> Mol:
    from rdkit import Chem

    return Chem.RWMol(mol)


def _sound(mol: Mol) -> Mol | None:
    """Sanitise through SMILES, so that an edited molecule is what its SMILES says; None when it is none."""
    from rdkit import Chem

    if Chem.SanitizeMol(mol, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
        return None
    return parse(Chem.MolToSmiles(mol))
