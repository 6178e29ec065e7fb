"""Commands that formulas are known to hold: all of them are converted, none is shown raw, no argument is lost."""

import re
import unicodedata

import pytest

pytest.importorskip("latex2mathml", reason="latex2mathml is not installed")

from got_ocr.render.math import to_mathml

SIGNS = """
    aleph allowbreak alpha amalg And angle approx approxeq arccos arccot arcctg arcsin arctan arg ast asymp atop
    backprime backsim backsimeq backslash barwedge Bbbk because beta beth between bf bigcap bigcirc bigcup
    bigodot bigoplus bigotimes bigsqcup bigstar bigtriangledown bigtriangleup biguplus bigvee bigwedge
    blacklozenge blacksquare blacktriangle blacktriangledown blacktriangleleft blacktriangleright bmod bot
    bowtie Box boxdot boxminus boxplus boxtimes bullet bumpeq Bumpeq cal Cap cap cdot cdots centerdot ch
    checkmark chi circ circeq circlearrowleft circlearrowright circledast circledcirc circleddash circledR
    circledS clubsuit colon Coloneqq coloneqq complement cong coprod copyright cos cosec cosh cot coth csc ctg
    cup Cup curlyeqprec curlyeqsucc curlyvee curlywedge curvearrowleft curvearrowright dag dagger daleth
    dashleftarrow dashrightarrow dashv ddag ddagger ddots deg degree delta Delta det diagdown diagup diamond
    Diamond diamondsuit digamma dim displaystyle div divideontimes doteq doteqdot dotplus dots dotsb dotsc dotsi
    dotsm dotso doublebarwedge Downarrow downarrow downdownarrows downharpoonleft downharpoonright ell emptyset
    enspace epsilon eqcirc eqqcolon eqsim eqslantgtr eqslantless equiv eta eth euro exists exp fallingdotseq
    Finv flat forall frown Game gamma Gamma gcd ge geq geqq geqslant gets gg ggg gimel gnapprox gneq gneqq gnsim
    gt gtrapprox gtrdot gtreqless gtrless gtrsim hbar heartsuit hfil hfill hom hookleftarrow hookrightarrow
    hslash idotsint iff iiiint iiint iint Im imath impliedby implies in inf infty injlim int intercal iota it
    jmath kappa ker lambda Lambda land langle lbrace lbrack lceil ldots le leadsto leftarrow Leftarrow
    leftarrowtail leftharpoondown leftharpoonup leftleftarrows leftrightarrow Leftrightarrow leftrightarrows
    leftrightharpoons leftrightsquigarrow leftthreetimes leq leqq leqslant lessapprox lessdot lesseqgtr lessgtr
    lesssim lfloor lg lgroup lhd lim liminf limits limsup ll llcorner Lleftarrow lll lmoustache ln lnapprox lneq
    lneqq lnot lnsim log longleftarrow Longleftarrow Longleftrightarrow longleftrightarrow longmapsto
    Longrightarrow longrightarrow looparrowleft looparrowright lor lozenge lrcorner Lsh lt ltimes lVert lvert
    maltese mapsto mathstrut max measuredangle medspace mho mid min mod models mp mu multimap nabla natural
    ncong ne nearrow neg negmedspace negthickspace negthinspace neq nexists ngeq ngtr ni nLeftarrow nleftarrow
    nLeftrightarrow nleftrightarrow nleq nless nmid nobreak nobreakspace noindent nolimits nonumber notin
    nparallel nprec nRightarrow nrightarrow nshortmid nshortparallel nsim nsubseteq nsucc nsupseteq
    ntriangleleft ntriangleright nu null nvDash nVDash nVdash nvdash nwarrow odot oiint oint omega Omega omicron
    ominus oplus oslash otimes owns P parallel partial perp Phi phi pi Pi pitchfork pm pounds Pr prec
    preccurlyeq preceq precnsim precsim prime prod projlim propto psi Psi qquad quad rangle rbrace rbrack rceil
    Re relax rfloor rgroup rhd rho rightarrow Rightarrow rightarrowtail rightharpoondown rightharpoonup
    rightleftarrows rightleftharpoons rightrightarrows rightsquigarrow rightthreetimes risingdotseq rm
    rmoustache Rrightarrow Rsh rtimes rvert rVert S scriptscriptstyle scriptstyle searrow sec setminus sf sgn sh
    sharp shortmid shortparallel sigma Sigma sim simeq sin sinh smallfrown smallint smallsetminus smallsmile
    smile spadesuit sphericalangle sqcap sqcup sqsubset sqsubseteq sqsupset sqsupseteq square star strut Subset
    subset subseteq subseteqq subsetneq subsetneqq succ succcurlyeq succeq succnsim succsim sum sup Supset
    supset supseteq supseteqq supsetneq supsetneqq surd swarrow tan tanh tau textstyle tg th therefore theta
    Theta thickapprox thicksim thickspace thinspace times to top triangle triangledown triangleleft
    trianglelefteq triangleq triangleright trianglerighteq tt twoheadleftarrow twoheadrightarrow ulcorner unlhd
    unrhd Uparrow uparrow Updownarrow updownarrow upharpoonleft upharpoonright uplus upsilon Upsilon upuparrows
    urcorner varDelta varepsilon varGamma varinjlim varkappa varLambda varliminf varlimsup varnothing varOmega
    varPhi varphi varPi varpi varprojlim varpropto varPsi varrho varsigma varSigma varsubsetneq varsupsetneq
    vartheta varTheta vartriangle vartriangleleft vartriangleright varUpsilon varXi vdash Vdash vDash vdots vee
    veebar Vert vert Vvdash wedge wp wr Xi xi yen zeta
"""
ONE_ARGUMENT = """
    abs acute bar Bbb bcancel bf big Big Bigg bigg bm bmod bold boldsymbol boxed Bra bra breve cancel ce check
    ddddot dddot ddot dot emph ensuremath eqref fbox frak grave hat hbox hphantom Ket ket llap mathbb mathbbm
    mathbf mathbin mathcal mathclap mathclose mathds mathfrak mathinner mathit mathllap mathnormal mathop
    mathopen mathord mathpunct mathrel mathring mathrlap mathrm mathscr mathsf mathtt mathup mbox mod norm
    operatorname operatorname* operatornamewithlimits overarc overbrace overgroup overleftarrow
    overleftrightarrow overline overparen overrightarrow phantom pmb pmod pod ref rlap rm smash sout sqrt
    substack symbf symup tag text textbf textit textnormal textrm textsc textsf texttt textup tilde underbar
    underbrace undergroup underleftarrow underleftrightarrow underline underparen underrightarrow vcenter vec
    vphantom widecheck widehat wideparen widetilde xcancel xhookrightarrow xLeftarrow xleftarrow xleftrightarrow
    xmapsto xRightarrow xrightarrow xrightleftharpoons
"""
TWO_ARGUMENTS = """
    binom braket cancelto cfrac dbinom dfrac frac nicefrac overset sfrac stackbin stackrel tbinom tfrac underset
    xfrac
"""
PHRASES = r"""
    \left(x\right) \bigl(x\bigr) \Bigl[x\Bigr] \biggl\{x\biggr\} \Biggl|x\Biggr| \big/x
    \left\langle{x}\right\rangle \left\lVert{x}\right\rVert x\over{y} {x\over{y}} {n\choose{k}} {a\atop{b}}
    {n\brace{k}} {n\brack{k}} a\pmod{n} \sqrt[3]{x} \xrightarrow[a]{b} \xleftarrow[a]{b} \underbrace{x}_{n}
    \overbrace{x}^{n} \sideset{_a^b}{_c^d}\sum \genfrac{(}{)}{0pt}{}{n}{k} \begin{array}{cc}a&b\\c&d\end{array}
    \begin{smallmatrix}a&b\end{smallmatrix} \begin{subarray}{l}a\\b\end{subarray} \begin{CD}A@>>>B\end{CD}
    \mathop{\rm{lim}} {\bf{x}} {\cal{L}} \hspace{1em}x \hskip1em{x} \kern1em{x} \mkern18mu{x} \mskip3mu{x}
    \raisebox{1pt}{x} \rule{1em}{2pt} \color{red}x \textcolor{red}{x} \mathchoice{a}{b}{c}{d}
    \left.\frac{a}{b}\right|_{x} \!x \,x \;x \:x \>x \|x\| \{x\} x\&y \%x \$x \#x \_x \-x \/x x\\y
    \stackrel{a}{=} \buildrel{a}\over{=} \root{3}\of{x} \sqrt\frac{a}{b} x^\prime x'' f'(x) \lim\limits_{x\to0}
    \arg\max_{x} \operatorname{arg\,min}_x \operatorname*{argmax}_x \mathrm{d}x \hdotsfor{3} \hdots
    \shoveleft{x} \notag \mathbf{x}\mid\mathbf{y} \newline x\tag{1} \tag*{1} \vcentcolon x\mathrel{\mathop:}=y
    \lvert{x}\rvert \overset{\circ}{x} \underset{x}{\operatorname{argmin}} \bigg\rvert x \Bigm|y \mathbb{1}
    \mathbb{R} \mathfrak{g} \mathscr{L} \boldsymbol{\alpha} \bm{x} \textsuperscript{a} \textsubscript{b}
    \unicode{x222F} \lower.5ex\hbox{x} \mathaccent{x} \hphantom{x} \not= \not\in \not\subset \longdiv{x}
    \enclose{circle}{x} \bcancel{x} \overline{\overline{x}} \widehat{abc} \textcircled{1} \left\{x\right.
    \dfrac12 \frac12 \frac{1}2 x^2_3 \sum_{\substack{a\\b}} \because \degree 90^\circ
"""
FENCES = r"( ) [ ] | / \{ \} \| \lbrace \rbrace \langle \rangle \lvert \rvert \Vert \lfloor \rfloor \lceil \rceil \uparrow < > ."
SIZES = "big Big bigg Bigg bigl bigr biggl biggr Bigl Bigr Biggl Biggr bigm Bigm biggm"


def words(source: str, display: bool = False) -> str:
    """Convert a formula and return its characters, alphabets folded, without blanks."""
    text = re.sub(r"<[^>]*>", "", str(to_mathml(source, display=display)))
    return re.sub(r"\s", "", "".join(unicodedata.normalize("NFKC", char) for char in text))


def test_the_list_is_long() -> None:
    assert len({*SIGNS.split(), *ONE_ARGUMENT.split(), *TWO_ARGUMENTS.split()}) > 600


@pytest.mark.parametrize("display", [False, True])
def test_signs(display: bool) -> None:
    shown = {name: words(f"p\\{name} q", display) for name in SIGNS.split()}
    assert [name for name, text in shown.items() if "\\" in text and name != "backslash"] == []
    assert [name for name, text in shown.items() if not (text.startswith("p") and text.endswith("q"))] == []


@pytest.mark.parametrize("count", [1, 2])
def test_commands_keep_their_arguments(count: int) -> None:
    names = (ONE_ARGUMENT if count == 1 else TWO_ARGUMENTS).split()
    shown = {name: words(f"a\\{name}" + "{x}{y}" + " z") for name in names}
    assert [name for name, text in shown.items() if "\\" in text] == []
    lost = [name for name, text in shown.items() if not set("axyz") <= set(text.lower())]
    assert lost == []


def test_phrases() -> None:
    shown = {phrase: words(phrase) for phrase in PHRASES.split()}
    assert {phrase: text for phrase, text in shown.items() if "\\" in text} == {}


def test_fences_of_every_size() -> None:
    for size in SIZES.split():
        for fence in FENCES.split():
            assert "\\" not in words(f"a\\{size}{fence} b"), (size, fence)
    assert words(r"\Bigl\{x\Bigr\}") == "{x}"
    assert words(r"\big\rVert\bigr.") == "‖"


def test_general_fractions() -> None:
    assert 'linethickness="0"' in to_mathml(r"\genfrac{(}{)}{0pt}{}{n}{k}")
    assert words(r"\genfrac{[}{]}{}{1}{n}{k}") == "[nk]"
    assert words(r"x\buildrel\rm def\over=y") == "x=defy"  # MathML writes the base first


def test_formulas_that_print_nothing() -> None:
    assert to_mathml(r"\notag") == ""
