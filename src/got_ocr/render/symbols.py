"""Characters behind LaTeX commands, for text and for labels inside drawings. A table; knows no grammar."""

import unicodedata
from functools import lru_cache

_GREEK = """
alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ mu
μ nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ
omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
"""
_MATHS = """
times × div ÷ pm ± mp ∓ cdot ⋅ ast ∗ star ⋆ circ ∘ bullet • oplus ⊕ ominus ⊖ otimes ⊗ odot ⊙ cap ∩ cup ∪ vee ∨
wedge ∧ setminus ∖ le ≤ leq ≤ leqslant ≤ ge ≥ geq ≥ geqslant ≥ ne ≠ neq ≠ equiv ≡ sim ∼ simeq ≃ approx ≈ cong ≅
propto ∝ ll ≪ gg ≫ subset ⊂ supset ⊃ subseteq ⊆ supseteq ⊇ in ∈ ni ∋ notin ∉ perp ⊥ parallel ∥ mid ∣ nmid ∤
angle ∠ measuredangle ∡ triangle △ square □ Box □ diamond ⋄ Diamond ◇ blacksquare ■ infty ∞ partial ∂ nabla ∇
forall ∀ exists ∃ nexists ∄ neg ¬ lnot ¬ land ∧ lor ∨ emptyset ∅ varnothing ∅ Re ℜ Im ℑ aleph ℵ ell ℓ hbar ℏ wp
℘ prime ′ sum ∑ prod ∏ coprod ∐ int ∫ iint ∬ iiint ∭ oint ∮ surd √ top ⊤ bot ⊥ vdash ⊢ models ⊨ therefore ∴
because ∵ odots ⊙ bigcirc ◯ lozenge ◊ bigstar ★ checkmark ✓ degree ° lbrace { rbrace } lbrack [ rbrack ] langle
⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ vert | Vert ‖ lvert | rvert | backslash \\ to → rightarrow →
leftarrow ← gets ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ iff ⟺ implies ⟹ mapsto ↦
longrightarrow ⟶ longleftarrow ⟵ Longrightarrow ⟹ uparrow ↑ downarrow ↓ updownarrow ↕ nearrow ↗ searrow ↘
swarrow ↙ nwarrow ↖ hookrightarrow ↪ rightleftharpoons ⇌ dots … ldots … cdots ⋯ vdots ⋮ ddots ⋱ colon : lt < gt
> sharp ♯ flat ♭ natural ♮ clubsuit ♣ diamondsuit ♢ heartsuit ♡ spadesuit ♠ dag † dagger † ddag ‡ ddagger ‡
"""
_TEXT = """
textbackslash \\ textasciitilde ~ textasciicircum ^ textless < textgreater > textbar | textbullet • textdegree °
textmu µ textellipsis … textendash – textemdash — textquoteleft ‘ textquoteright ’ textquotedblleft “
textquotedblright ” textregistered ® texttrademark ™ copyright © textcopyright © pounds £ textsterling £ euro €
texteuro € EUR € yen ¥ textyen ¥ textcent ¢ S § P ¶ textsection § textparagraph ¶ textordfeminine ª
textordmasculine º textdagger † textdaggerdbl ‡ guillemotleft « guillemotright » ss ß ae æ AE Æ oe œ OE Œ aa å
AA Å o ø O Ø l ł L Ł i ı j ȷ dh ð DH Ð th þ TH Þ LaTeX LaTeX TeX TeX slash / textunderscore _ textdollar $
textbraceleft { textbraceright } textonehalf ½ textonequarter ¼ textthreequarters ¾ texttimes × textdiv ÷ textpm
± No № textnumero № ding ✓ textrightarrow → textleftarrow ← textvisiblespace ␣
"""
_ACCENTS = {
    "'": "\u0301",
    "`": "\u0300",
    "^": "\u0302",
    '"': "\u0308",
    "~": "\u0303",
    "=": "\u0304",
    ".": "\u0307",
    "u": "\u0306",
    "v": "\u030c",
    "H": "\u030b",
    "c": "\u0327",
    "k": "\u0328",
    "r": "\u030a",
    "d": "\u0323",
    "b": "\u0331",
}
ESCAPED = frozenset("%&$#_{} /-")  # by LaTeX
MARKDOWN_ESCAPED = frozenset("*[]<>|.!+~")  # by Markdown


def _table(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


@lru_cache(maxsize=1)
def greek() -> dict[str, str]:
    """Return the letters that maths sets in italics (small) or upright (capital)."""
    return _table(_GREEK)


@lru_cache(maxsize=1)
def maths() -> dict[str, str]:
    """Return operators, relations, arrows and other signs of maths."""
    return _table(_MATHS)


@lru_cache(maxsize=1)
def text() -> dict[str, str]:
    """Return signs of running text."""
    return _table(_TEXT)


def character(name: str) -> str | None:
    """Return what `\\name` prints in running text, or None."""
    return text().get(name) or greek().get(name) or maths().get(name)


def accent(mark: str, base: str) -> str | None:
    """Return `base` under the accent `\\mark`, composed, or None when the mark is no accent."""
    combining = _ACCENTS.get(mark)
    if combining is None:
        return None
    plain = {"ı": "i", "ȷ": "j"}.get(base[:1], base[:1])
    return unicodedata.normalize("NFC", plain + combining) + base[1:] if base else combining
