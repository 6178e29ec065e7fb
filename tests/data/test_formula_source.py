"""Formulas: every part of the tree is in the label and in the picture, and every label can be read one way only."""

import dataclasses
import re
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from got_ocr.data.latex import faces, forms, grammar, label, markup, symbols, tree
from got_ocr.data.sources.formula import FormulaSource
from got_ocr.data.tools import typst
from got_ocr.equations import RELATION
from got_ocr.errors import InvalidValue

pytest.importorskip("typst", reason="the typst wheel is not installed")

CLEAN = FormulaSource(installed=0.0, clean_fraction=1.0)
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}\[\]^_&]|[^\\{}\[\]^_&\s]|\s+")
# Command to (may have an optional argument, number of braced arguments).
SHAPES = {
    "frac": (False, 2), "binom": (False, 2), "sqrt": (True, 1), "text": (False, 1), "operatorname": (False, 1),
    "overset": (False, 2), "underset": (False, 2), "underbrace": (False, 1), "overbrace": (False, 1),
    "boxed": (False, 1), "cancel": (False, 1), "pmod": (False, 1), "xrightarrow": (True, 1), "xleftarrow": (True, 1),
    "xrightleftharpoons": (True, 1), "xRightarrow": (True, 1), "xleftrightarrow": (True, 1), "xmapsto": (True, 1),
    "begin": (False, 1), "end": (False, 1), "boldsymbol": (False, 1),
}  # fmt: skip
SHAPES |= {name: (False, 1) for name in (*symbols.ACCENTS, *symbols.WIDE_ACCENTS, *symbols.ALPHABETS)}
PLAIN = {*symbols.SYMBOLS, *symbols.FUNCTIONS, *symbols.LIMITS, "left", "right", "quad"}
PLAIN |= {name[1:] for name in symbols.FENCES if re.fullmatch(r"\\[A-Za-z]+", name)}


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def grown(count: int, seed: int = 0, depth: int = 3) -> Iterator[tree.Node]:
    for index in range(count):
        yield forms.formula(rng(seed, index), 1 + index % depth)


def drawn(node: tree.Node) -> Image.Image:
    head = (
        f'#set page(width: auto, height: auto, margin: 8pt)\n#show math.equation: set text(font: "{faces.EMBEDDED}")\n'
    )
    return typst.draw(f"{head}$ {markup.typst(node)} $", 100)[0]


def differ(one: Image.Image, two: Image.Image) -> bool:
    return one.size != two.size or one.tobytes() != two.tobytes()


def test_the_same_seed_gives_the_same_bytes() -> None:
    source = FormulaSource()
    for seed in range(8):
        first, second = source(rng(seed)), source(rng(seed))
        assert first.target == second.target
        assert first.images[0].tobytes() == second.images[0].tobytes()
    assert len({source(rng(seed)).target for seed in range(20)}) >= 18


def test_samples_ask_for_format_and_say_what_they_are() -> None:
    sample = CLEAN(rng(1))
    assert (sample.kind, sample.task.mode, len(sample.images), sample.images[0].mode) == ("formula", "format", 1, "RGB")
    assert sample.target.startswith("\\[ ")
    assert sample.target.endswith(" \\]")


def test_rows_that_go_on_begin_with_a_relation() -> None:
    source = FormulaSource(installed=0.0, clean_fraction=1.0, continued=1.0)
    for seed in range(12):
        assert RELATION.match(source(rng(6, seed)).target.removeprefix("\\[ "))
    whole = FormulaSource(installed=0.0, clean_fraction=1.0, continued=0.0)
    assert whole(rng(6, 1)).target == CLEAN(rng(6, 1)).target
    with pytest.raises(InvalidValue, match="continued"):
        FormulaSource(continued=1.5)


def test_more_than_200_commands_come_up() -> None:
    seen: set[str] = set()
    for node in grown(3500):
        seen |= label.commands(label.latex(node))
    assert len(seen) >= 200, len(seen)
    structures = {"frac", "binom", "sqrt", "left", "right", "sum", "prod", "int", "lim", "text", "overset", "underset"}
    structures |= {"begin{pmatrix}", "begin{bmatrix}", "begin{cases}", "begin{aligned}", "begin{array}", "xrightarrow"}
    structures |= {"hat", "widehat", "overline", "mathbb", "mathcal", "mathfrak", "operatorname", "underbrace", "boxed"}
    assert structures <= seen, structures - seen
    assert set(symbols.GREEK) <= seen


def parse(pieces: list[str], place: int, until: tuple[str, ...]) -> int:
    """Read pieces by the rules of LaTeX's arguments; return the place after the closing one. Raises AssertionError."""
    while place < len(pieces):
        piece = pieces[place]
        if piece in until:
            return place + 1
        assert piece != "}", pieces[max(place - 8, 0) : place + 4]
        place += 1
        if piece == "{":
            place = parse(pieces, place, ("}",))
        elif piece in "_^":
            assert pieces[place] == "{"
            place = parse(pieces, place + 1, ("}",))
        elif re.fullmatch(r"\\[A-Za-z]+", piece):
            place = argued(pieces, place, piece[1:])
    assert not until, f"nothing closes {until}"
    return place


def argued(pieces: list[str], place: int, name: str) -> int:
    assert name in SHAPES or name in PLAIN, name
    optional, braced = SHAPES.get(name, (False, 0))
    if name in ("left", "right"):
        place += 1 if pieces[place].strip() else 2
        assert pieces[place - 1] in {*symbols.FENCES, "."}, pieces[place - 1]
    if optional and pieces[place] == "[":
        place = parse(pieces, place + 1, ("]",))
    for _ in range(braced):
        assert pieces[place] == "{", (name, pieces[place])
        place = parse(pieces, place + 1, ("}",))
    return place


def test_labels_are_well_formed() -> None:
    for node in grown(1500, seed=1):
        text = label.latex(node)
        pieces = [piece for piece in TOKEN.findall(text) if piece.strip()]
        assert "".join(pieces).replace(" ", "") == re.sub(r"\s+", "", text)
        assert parse(pieces, 0, ()) == len(pieces)
        fences = re.findall(r"\\(left|right)(?![a-z])", text)
        assert fences.count("left") == fences.count("right")
        open_now: list[str] = []
        for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
            assert kind == "begin" or open_now.pop() == name, text
            open_now += [name] if kind == "begin" else []
        assert not open_now
        for name, body in re.findall(r"\\begin\{(pmatrix|bmatrix|cases)\}((?:(?!\\begin).)*?)\\end\{\1\}", text):
            assert len({row.count("&") for row in body.split("\\\\")}) == 1, (name, body)


def test_a_command_is_kept_apart_from_the_letter_after_it() -> None:
    assert label.join(["\\alpha", "x", "\\beta", "1", "\\pi", "{"]) == "\\alpha x\\beta1\\pi{"
    node = tree.Row((tree.Symbol("nabla"), tree.Letter("f")))
    assert label.display(node) == "\\[ \\nabla f \\]"
    assert label.inline(node) == "\\( \\nabla f \\)"


def test_delimiters_grow_exactly_around_tall_bodies() -> None:
    low = tree.Fence("(", ")", tree.Script(tree.Letter("x"), sup=tree.Digits("2")))
    tall = tree.Fence("(", ")", tree.Frac(tree.Letter("x"), tree.Digits("2")))
    assert label.latex(low) == "(x^{2})"
    assert label.latex(tall) == "\\left(\\frac{x}{2}\\right)"
    assert first_stroke(drawn(tall)) > 1.6 * first_stroke(drawn(low))


def first_stroke(image: Image.Image) -> int:
    """Measure the height of the leftmost ink: of the opening delimiter."""
    ink = np.asarray(image.convert("L")) < 128
    left = int(np.flatnonzero(ink.any(axis=0))[0])
    rows = np.flatnonzero(ink[:, left : left + 4].any(axis=1))
    return int(rows[-1] - rows[0])


def glyphs() -> dict[str, tree.Node]:
    found: dict[str, tree.Node] = {f"\\{name}": tree.Symbol(name) for name in symbols.SYMBOLS}
    found |= {f"\\{name}{{{char}}}": tree.Styled(name, char) for name, chars in grammar.LETTERS_OF for char in chars}
    found |= {char: tree.Letter(char) for char in grammar.LOWER + grammar.UPPER}
    found |= {char: tree.Digits(char) for char in "0123456789"}
    found |= {char: tree.Plain(char) for char in "+-=<>/,;:!"}
    found |= {f"\\boldsymbol{{\\{name}}}": tree.Bold(tree.Symbol(name)) for name in symbols.GREEK}
    found |= {f"\\{name}{{a}}": tree.Accent(name, tree.Letter("a")) for name in symbols.ACCENTS}
    found |= {
        f"\\{name}{{ab}}": tree.Accent(name, tree.Row((tree.Letter("a"), tree.Letter("b"))))
        for name in symbols.WIDE_ACCENTS
    }
    return found | {f"\\{name}": tree.Function(name) for name in (*symbols.FUNCTIONS, *symbols.LIMITS)}


def test_no_two_commands_draw_alike_and_none_draws_a_missing_glyph() -> None:
    found = glyphs()
    head = "#set page(width: 90pt, height: 40pt, margin: 4pt)\n#set text(size: 20pt)\n"
    head += f'#show math.equation: set text(font: "{faces.EMBEDDED}", fallback: false)\n'
    bodies = [f"$ {markup.typst(node)} $" for node in found.values()]
    pages = typst.draw(head + "\n#pagebreak()\n".join([*bodies, "$ \U0010fffd $"]), 144)
    missing = pages.pop().tobytes()
    seen: dict[bytes, str] = {}
    for name, page in zip(found, pages, strict=True):
        pixels = page.tobytes()
        assert min(pixels) < 128, f"{name} draws nothing"
        assert pixels != missing, f"{name} is not in the font"
        assert pixels not in seen, f"{name} looks like {seen[pixels]}"
        seen[pixels] = name


# Look-alikes under which other tables file the same command.
TWINS = {"⋅": "·", "∗": "*", "∙": "•", "∖": "⧵", "∼": "~", "⊥": "⟂", "⊨": "⊧", "□": "◻", "■": "∎"}


def test_commands_draw_what_an_independent_table_says() -> None:
    table = pytest.importorskip("latex2mathml.symbols_parser", reason="latex2mathml is not installed")
    for name, char in symbols.SYMBOLS.items():
        code = table.convert_symbol(f"\\{name}")
        assert code is not None, name
        assert chr(int(code, 16)) in (char, TWINS.get(char)), name


def leaves(
    node: tree.Node, path: tuple[tuple[str, int], ...] = ()
) -> Iterator[tuple[tuple[tuple[str, int], ...], tree.Node]]:
    """Yield (path, leaf) for every letter, number and sign of a tree."""
    if isinstance(node, tree.Letter | tree.Digits | tree.Symbol | tree.Styled | tree.Function):
        yield path, node
        return
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if isinstance(value, tree.Node):
            yield from leaves(value, (*path, (field.name, -1)))
        elif isinstance(value, tuple):
            for place, part in enumerate(value):
                if isinstance(part, tree.Node):
                    yield from leaves(part, (*path, (field.name, place)))
                elif isinstance(part, tuple):
                    for column, cell in enumerate(part):
                        yield from leaves(cell, (*path, (field.name, place), ("", column)))


def put(value: object, path: tuple[tuple[str, int], ...], new: tree.Node) -> object:
    """Copy a tree with another leaf at a path."""
    if not path:
        return new
    (name, place), rest = path[0], path[1:]
    if isinstance(value, tuple):
        return (*value[:place], put(value[place], rest, new), *value[place + 1 :])
    inside = getattr(value, name)
    changed = put(inside, rest, new) if place < 0 else put(inside, ((name, place), *rest), new)
    return dataclasses.replace(value, **{name: changed})  # type: ignore[type-var]


def test_every_leaf_is_in_the_label_and_in_the_picture() -> None:
    chooser, checked = rng(5), set()
    for name, (_, maker) in forms.FORMS.items():
        for seed in range(3):
            node = maker(rng(11, seed), 2)
            places = list(leaves(node))
            before = label.latex(node), drawn(node)
            for index in chooser.permutation(len(places))[:4]:
                path, leaf = places[int(index)]
                if path[-1:] and path[-1][0] == "body" and isinstance(leaf, tree.Symbol):
                    continue  # a bold letter must stay a Greek one
                other = put(node, path, tree.Letter("Q") if leaf != tree.Letter("Q") else tree.Digits("8"))
                assert isinstance(other, tree.Node)
                assert label.latex(other) != before[0], (name, path)
                assert differ(drawn(other), before[1]), (name, label.latex(node), path)
                checked.add(name)
    assert checked == set(forms.FORMS)


X, Y, Z = tree.Letter("x"), tree.Letter("y"), tree.Letter("z")
EVERY = (
    tree.Row((X, tree.Plain("+"), tree.Gap(), tree.Digits("7"))),
    tree.Row((tree.Function("sin"), tree.Words("if"), tree.Styled("mathbb", "R"))),
    tree.Bold(tree.Symbol("alpha")),
    tree.Frac(X, tree.Frac(Y, Z, binom=True)),
    tree.Root(X, Y),
    tree.Script(X, Y, Z),
    tree.Fence("", "|", X),
    tree.Row((tree.Accent("hat", X), tree.Accent("underline", Y))),
    tree.Grid("pmatrix", ((X, Y), (Z, tree.Digits("1")))),
    tree.Fence("[", "]", tree.Grid("array", ((X, Y), (Z, tree.Digits("1"))), rule=1)),
    tree.Cases(((X, Y), (Z, tree.Words("otherwise")))),
    tree.Aligned(((X, Y), (tree.Row(()), Z))),
    tree.Row((tree.Stacked("overset", X, tree.Plain("=")), tree.Stacked("underset", Y, Z))),
    tree.Row((tree.Braced("underbrace", X, Y), tree.Braced("overbrace", Y, Z))),
    tree.Row(tuple(tree.LabelledArrow(name, X, Y) for name in ("xrightarrow", "xmapsto"))),
    tree.Row((tree.Struck("boxed", X), tree.Struck("cancel", Y))),
    tree.Modulus(X),
)


def test_every_kind_of_node_draws_and_writes_all_it_holds() -> None:
    kinds = {type(part).__name__ for node in EVERY for part in tree.walk(node)}
    assert kinds == {kind.__name__ for kind in tree.Node.__subclasses__()}
    for node in EVERY:
        before = label.latex(node), drawn(node)
        for path, leaf in leaves(node):
            if leaf != tree.Symbol("alpha"):
                other = put(node, path, tree.Letter("Q"))
                assert isinstance(other, tree.Node)
                assert label.latex(other) != before[0], path
                assert differ(drawn(other), before[1]), (before[0], path)


def edges(image: Image.Image, width: int) -> NDArray[np.bool_]:
    ink = np.abs(np.asarray(image.convert("L")).astype(int) - image.convert("L").getpixel((0, 0))) > 40
    return np.concatenate([ink[:width].ravel(), ink[-width:].ravel(), ink[:, :width].ravel(), ink[:, -width:].ravel()])


def test_ink_keeps_clear_of_the_edges() -> None:
    for seed in range(60):
        image = CLEAN(rng(2, seed)).images[0]
        assert not edges(image, 3).any(), seed
        assert np.asarray(image.convert("L")).std() > 3


def test_pictures_and_labels_stay_within_their_limits() -> None:
    source = FormulaSource(max_width=300, max_characters=60, installed=0.0)
    for seed in range(25):
        sample = source(rng(seed))
        assert sample.images[0].width <= 300
        assert len(sample.target) <= 60


def test_installed_fonts_are_taken_only_for_what_they_draw() -> None:
    if not faces.installed():
        pytest.skip("no mathematics font of the known families is installed")
    script = tree.Styled("mathscr", "L")
    for font in faces.installed():
        assert not faces.draws(font, script), font.family
        assert faces.draws(font, tree.Row((tree.Letter("x"), tree.Symbol("leq"), tree.Styled("mathbb", "R"))))
    assert faces.choose(rng(0), script, 1.0) == (faces.EMBEDDED, ())
    chosen = {faces.choose(rng(seed), tree.Letter("x"), 1.0)[0] for seed in range(30)}
    assert chosen == {font.family for font in faces.installed()}


@pytest.mark.parametrize(
    "options",
    [
        {"depth": 0},
        {"max_width": 10},
        {"sizes": (4.0, 9.0)},
        {"clean_fraction": 2.0},
        {"wear": "soap"},
        {"attempts": 0},
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        FormulaSource(**options)  # type: ignore[arg-type]


def test_a_source_that_cannot_fit_anything_says_so() -> None:
    with pytest.raises(InvalidValue, match="max_characters"):
        FormulaSource(max_characters=20, attempts=1, depth=3)(rng(4))
