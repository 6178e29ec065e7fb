"""Which LaTeX commands the formula tree may hold, and the character that each draws.

Holds tables alone: command name (without the backslash) to character. Knows no tree, grammar or renderer. A
command stands in one table only and no two commands draw the same picture, so that a label can be read back from
its picture: of synonyms (`\\le`/`\\leq`, `\\to`/`\\rightarrow`) the longer spelling is kept, as Mathpix Markdown
writes it.
"""

from collections.abc import Mapping
from types import MappingProxyType


def _table(text: str) -> Mapping[str, str]:
    words = text.split()
    return MappingProxyType(dict(zip(words[::2], words[1::2], strict=True)))


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GREEK = _table(
    "alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ "
    "mu μ nu ν xi ξ pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ "
    "omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω"
)
LETTERLIKE = _table("ell ℓ hbar ℏ Re ℜ Im ℑ wp ℘ aleph ℵ infty ∞ emptyset ∅ partial ∂ nabla ∇ imath ı jmath ȷ")
BINARY = _table(
    "cdot ⋅ times × div ÷ pm ± mp ∓ ast ∗ star ⋆ circ ∘ bullet ∙ cap ∩ cup ∪ uplus ⊎ sqcap ⊓ sqcup ⊔ setminus ∖ "
    "wedge ∧ vee ∨ oplus ⊕ ominus ⊖ otimes ⊗ oslash ⊘ odot ⊙ boxplus ⊞ boxtimes ⊠ ltimes ⋉ rtimes ⋊ diamond ⋄ "
    "triangleleft ◁ triangleright ▷ curlyvee ⋎ curlywedge ⋏ dotplus ∔ amalg ⨿ wr ≀"
)
RELATIONS = _table(
    "leq ≤ geq ≥ neq ≠ equiv ≡ sim ∼ simeq ≃ approx ≈ cong ≅ propto ∝ ll ≪ gg ≫ prec ≺ succ ≻ preceq ⪯ succeq ⪰ in "
    "∈ ni ∋ notin ∉ subset ⊂ supset ⊃ subseteq ⊆ supseteq ⊇ subsetneq ⊊ nsubseteq ⊈ sqsubseteq ⊑ sqsupseteq ⊒ perp "
    "⊥ parallel ∥ mid ∣ nmid ∤ asymp ≍ doteq ≐ vdash ⊢ dashv ⊣ models ⊨ leqslant ⩽ geqslant ⩾ lesssim ≲ gtrsim ≳ "
    "nleq ≰ ngeq ≱ triangleq ≜ trianglelefteq ⊴ bowtie ⋈ Vdash ⊩ nsim ≁ smile ⌣ frown ⌢ lessgtr ≶ gtrless ≷ "
    "approxeq ≊ backsim ∽ precsim ≾ succsim ≿ Subset ⋐ Supset ⋑ therefore ∴ because ∵"
)
ARROWS = _table(
    "rightarrow → leftarrow ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ longrightarrow ⟶ "
    "longleftarrow ⟵ Longrightarrow ⟹ Longleftarrow ⟸ Longleftrightarrow ⟺ mapsto ↦ longmapsto ⟼ hookrightarrow ↪ "
    "hookleftarrow ↩ rightharpoonup ⇀ rightharpoondown ⇁ leftharpoonup ↼ rightleftharpoons ⇌ twoheadrightarrow ↠ "
    "rightarrowtail ↣ uparrow ↑ downarrow ↓ updownarrow ↕ Uparrow ⇑ Downarrow ⇓ nearrow ↗ searrow ↘ swarrow ↙ "
    "nwarrow ↖ rightsquigarrow ⇝ leftrightarrows ⇆ rightrightarrows ⇉ nrightarrow ↛ nRightarrow ⇏ curvearrowright "
    "↷ circlearrowleft ↺ circlearrowright ↻"
)
LARGE = _table(
    "sum ∑ prod ∏ coprod ∐ bigcap ⋂ bigcup ⋃ bigvee ⋁ bigwedge ⋀ bigoplus ⨁ bigotimes ⨂ bigodot ⨀ biguplus ⨄ bigsqcup ⨆"
)
INTEGRALS = _table("int ∫ iint ∬ iiint ∭ oint ∮ oiint ∯")
DOTS = _table("ldots … cdots ⋯ vdots ⋮ ddots ⋱")
MARKS = _table(
    "forall ∀ exists ∃ nexists ∄ neg ¬ top ⊤ angle ∠ measuredangle ∡ triangle △ square □ lozenge ◊ blacksquare ■ "
    "sharp ♯ flat ♭ natural ♮ clubsuit ♣ diamondsuit ♢ heartsuit ♡ spadesuit ♠ dagger † ddagger ‡ prime ′ "
    "complement ∁ bigstar ★ checkmark ✓ mho ℧ eth ð beth ℶ"
)

SYMBOLS: Mapping[str, str] = MappingProxyType(
    {**GREEK, **LETTERLIKE, **BINARY, **RELATIONS, **ARROWS, **LARGE, **INTEGRALS, **DOTS, **MARKS}
)
# Signs that delimiters around them must outgrow.
TALL = frozenset(LARGE) | frozenset(INTEGRALS)

FUNCTIONS = _names("sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth exp log ln lg deg dim ker arg hom")
LIMITS = _names("lim limsup liminf max min sup inf det gcd Pr")
# Names that LaTeX has no command for (`\\operatorname{rank}`).
OPERATORS = _names(
    "rank tr diag sgn Var Cov span erf supp Hom Aut End Gal softmax argmax argmin div curl grad vol ord lcm id conv "
    "dist proj Tr Res ReLU KL"
)

# Command to typst name. Narrow accents stand over one letter, wide ones over several.
ACCENTS: Mapping[str, str] = MappingProxyType(
    {
        "hat": "hat",
        "tilde": "tilde",
        "bar": "macron",
        "vec": "arrow",
        "dot": "dot",
        "ddot": "dot.double",
        "breve": "breve",
        "check": "caron",
        "acute": "acute",
        "grave": "grave",
        "mathring": "circle",
    }
)
WIDE_ACCENTS: Mapping[str, str] = MappingProxyType(
    {
        "widehat": "hat",
        "widetilde": "tilde",
        "overline": "overline",
        "underline": "underline",
        "overrightarrow": "arrow",
        "overleftarrow": "arrow.l",
    }
)
ALPHABETS: Mapping[str, str] = MappingProxyType(
    {
        "mathbb": "bb({})",
        "mathcal": "cal({})",
        "mathscr": "scr({})",
        "mathfrak": "frak({})",
        "mathrm": "upright({})",
        "mathbf": "bold(upright({}))",
        "mathsf": "sans({})",
        "mathtt": "mono({})",
        "boldsymbol": "bold({})",
    }
)
# Delimiters: LaTeX spelling to character; they grow (`\\left ... \\right`) when their content is tall.
FENCES: Mapping[str, str] = MappingProxyType(
    {
        "(": "(",
        ")": ")",
        "[": "[",
        "]": "]",
        "\\{": "{",
        "\\}": "}",
        "|": "|",
        "\\|": "‖",
        "\\langle": "⟨",
        "\\rangle": "⟩",
        "\\lfloor": "⌊",
        "\\rfloor": "⌋",
        "\\lceil": "⌈",
        "\\rceil": "⌉",
    }
)
