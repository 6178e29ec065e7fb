"""What a text is, found from the text alone; ordinary words stay words."""

import pytest

from got_ocr.errors import InvalidValue
from got_ocr.render.kind import check_kind, detect, is_smiles


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "markdown"),
        ("Hello world", "markdown"),
        ("# Title\n\ntext", "markdown"),
        ("\\( x \\)", "markdown"),
        ("\\begin{tabular}{cc} a & b \\end{tabular}", "table"),
        ("  \\begin{table}\\caption{x}\\begin{tabular}{c}a\\end{tabular}\\end{table}\n", "table"),
        ("\\begin{tabular}{cc} a & cut off", "table"),
        ("Before \\begin{tabular}{c}a\\end{tabular}", "markdown"),
        ("\\begin{tabular}{c}a\\end{tabular} after", "markdown"),
        ("\\begin{tikzpicture}\\draw (0,0)--(1,1);\\end{tikzpicture}", "tikz"),
        (
            "\\documentclass{standalone}\\usepackage[x]{tikz}\\begin{document}\\begin{tikzpicture}\\end{tikzpicture}\\end{document}",
            "tikz",
        ),
        ("\\begin{tikzpicture}\\draw (0,0)", "tikz"),
        ("\\draw (0,0) -- (1,1);", "tikz"),
        ("Text \\begin{tikzpicture}\\end{tikzpicture}", "markdown"),
        ("**kern\n4c\n*-", "kern"),
        ("!!!COM: Bach\n**kern\t**kern\n*-\t*-", "kern"),
        ("**kernel** is bold", "markdown"),
        ("CC(=O)Oc1ccccc1C(=O)O", "smiles"),
        ('{"title": "a", "values": {"b": 1}}', "chart"),
        ("{'title': 'a', 'values': {'b': 1}}", "chart"),
        ('{"title": "a", "values": {"b": 1, "c": ', "chart"),
        ('{"name": 1}', "markdown"),
        ("{a, b: c}", "markdown"),
        ("{__import__('os').system('x'): 1}", "markdown"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert detect(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        *(
            "CCCCCO",
            "C1CCCCC1",
            "[Na+].[Cl-]",
            "O=C=O",
            "c1ccccc1",
            "C[C@@H](N)C(=O)O",
            "CC(C)(C)O",
            "C/C=C/C",
            "[13CH4].C",
        ),
        *(
            "N#Cc1ccccc1",
            "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
            "[O-][N+](=O)c1ccccc1",
            "C%10CCCCC%10",
            "ClC(Cl)(Cl)Cl",
            "OCC(O)CO",
        ),
    ],
)
def test_molecules(text: str) -> None:
    assert is_smiles(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "hello",
            "COCOON",
            "SPOON",
            "POPCORN",
            "ICON",
            "NOON",
            "BIOSIN",
            "SCOOP",
            "COOP",
            "I",
            "NO",
            "Co-op",
            "non-ionic",
        ),
        *(
            "H2O",
            "CO2",
            "C3PO",
            "B2B",
            "N95",
            "I/O",
            "O(N)",
            "P(B)",
            "F(I)",
            "PC(s)",
            "[1]",
            "[12]",
            "(CO)",
            "U.S.",
            "P.S.",
        ),
        *(
            "C#",
            "C++",
            "SOS",
            "CCTV",
            "PIN=BIN",
            "I=1",
            "B-52",
            "1CC1",
            "C1CC",
            "C(C",
            "C)C(",
            "CC=",
            "-CC",
            "2001",
            "3.14",
        ),
        *(
            "Non",
            "Bison",
            "soon",
            "bosons",
            "con",
            "CC",
            "CCP",
            "I.O.",
            "so-so",
            "S.O.S",
            "CI(s)",
            "O.K.",
            "No.1",
            "op.cit",
        ),
        *("IF(I)", "NICS(1)", "CO-OP", "P(I)N", "http://a.b", "a@b.c", "C:\\x"),
    ],
)
def test_words_are_no_molecules(text: str) -> None:
    assert not is_smiles(text)


def test_a_kind_that_is_not_known_is_refused() -> None:
    with pytest.raises(InvalidValue):
        check_kind("picture", "x")
    assert check_kind("auto", "x") == "markdown"
    assert check_kind("kern", "x") == "kern"


@pytest.mark.parametrize(
    "text", ["!" * 100_000, "\\draw" * 20_000, "{" * 90_000, "\\begin{tikzpicture}" * 5_000, "[C" * 500]
)
def test_hostile_text_is_settled_at_once(text: str) -> None:
    assert detect(text) in ("markdown", "tikz")
