"""The escaping builder and the gate: what goes in as text comes out as text."""

import pytest

from got_ocr.errors import GotOcrError, RenderFailed
from got_ocr.render.markup import Markup, element, escape, join, legal, number
from got_ocr.render.sanitize import MATHML, SVG, Node, clean, parse, serialise


def test_text_is_escaped_and_markup_is_not() -> None:
    assert element("p", {}, "<b>&\"'") == "<p>&lt;b&gt;&amp;&quot;&#39;</p>"
    assert element("p", {}, Markup("<b>x</b>")) == "<p><b>x</b></p>"
    assert join(["<", Markup("<i>")], ">") == "&lt;&gt;<i>"


def test_attributes_are_quoted_and_none_is_left_out() -> None:
    assert (
        element("a", {"href": 'x" onclick="y', "class": None, "tabindex": 0})
        == '<a href="x&quot; onclick=&quot;y" tabindex="0"></a>'
    )


@pytest.mark.parametrize("name", ["onclick", "ONLOAD", "on", "a b", "a=b", ""])
def test_event_handlers_and_odd_attributes_are_refused(name: str) -> None:
    with pytest.raises(GotOcrError):
        element("p", {name: "x"})


@pytest.mark.parametrize("name", ["a b", "script>", "", "x-y"])
def test_odd_elements_are_refused(name: str) -> None:
    with pytest.raises(GotOcrError):
        element(name, {})


def test_characters_that_no_document_carries_are_replaced() -> None:
    assert legal("a\x00b\ud800c\x1bd\ufffe") == "a\ufffdb\ufffdc\ufffdd\ufffd"
    assert legal("a\r\nb\rc\td") == "a\nb\nc\td"
    assert escape("\x00<") == "\ufffd&lt;"


def test_a_first_line_end_survives_pre() -> None:
    assert element("pre", {}, "\nx") == "<pre>\n\nx</pre>"


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.126, "0.13"), (-0.001, "0"), (12.5, "12.5"), (100.0, "100")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


def svg(inner: str, attributes: str = "") -> str:
    source = (
        f"<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' {attributes}>{inner}</svg>"
    )
    return str(serialise(clean(parse(source), SVG, "k-")))


def test_the_gate_keeps_drawing_and_drops_the_rest() -> None:
    assert svg("<path d='M0 0' onclick='x' fill='red'/><script>x</script><foreignObject><p/></foreignObject>") == (
        '<svg><path d="M0 0" fill="red"></path></svg>'
    )
    assert svg("<g style='fill:none;stroke:#000;stroke-width:2px;behavior:url(x)'/>") == (
        '<svg><g fill="none" stroke="#000" stroke-width="2"></g></svg>'
    )


@pytest.mark.parametrize(
    "value", ["url(http://a)", "URL(#x)", "javascript:x", "expression(1)//", "a'b", "<x>", "x:y", "a;b"]
)
def test_the_gate_drops_values_that_could_reach_out(value: str) -> None:
    escaped = value.replace("<", "&lt;").replace("'", "&#39;")
    assert svg(f"<path fill='{escaped}'/>") == "<svg><path></path></svg>"


def test_references_stay_inside_and_get_names_of_ours() -> None:
    drawn = svg(
        "<defs><g id='evil'><path d='M0'/></g></defs><use xlink:href='#evil'/><use href='http://a/#evil'/><use href='#gone'/>"
    )
    assert (
        drawn
        == '<svg><defs><g id="k-1"><path d="M0"></path></g></defs><use href="#k-1"></use><use></use><use></use></svg>'
    )


def test_nothing_multiplies_itself() -> None:
    """A `use` of a `use` is the billion laughs of SVG."""
    drawn = svg("<g id='a'><path d='M0'/></g><g id='b'><use href='#a'/><use href='#a'/></g><use href='#b'/>")
    assert drawn.count('href="') == 2


def test_text_stands_only_where_text_may() -> None:
    assert svg("loose<g>loose</g><text>kept</text>") == "<svg><g></g><text>kept</text></svg>"


@pytest.mark.parametrize(
    "source",
    [
        "<svg xmlns='http://www.w3.org/2000/svg'>",
        "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg xmlns='http://www.w3.org/2000/svg'>&a;</svg>",
        "<!DOCTYPE svg SYSTEM 'http://evil.test/x.dtd'><svg xmlns='http://www.w3.org/2000/svg'/>",
        "not markup",
        "",
        "<a/><b/>",
        "<svg xmlns='http://www.w3.org/2000/svg'>" + "<g>" * 200 + "</g>" * 200 + "</svg>",
    ],
)
def test_what_is_no_plain_xml_is_refused(source: str) -> None:
    with pytest.raises(RenderFailed):
        clean(parse(source), SVG)


def test_another_root_is_refused() -> None:
    with pytest.raises(RenderFailed):
        clean(Node("html", {}), MATHML)
    with pytest.raises(RenderFailed):
        clean(parse("<svg xmlns='http://other'/>"), SVG)
