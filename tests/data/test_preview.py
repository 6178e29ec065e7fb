"""The preview page: everything inside, nothing alive."""

import re

from PIL import Image

from got_ocr.data import preview
from got_ocr.data.build import SOURCES, parse
from got_ocr.data.sample import Sample
from got_ocr.errors import InvalidValue
from got_ocr.task import Task

SAMPLE = Sample(
    (Image.new("RGB", (30, 20), "white"),), "a < b & c\n</pre><script>no()</script>", "text", Task(crop=True)
)


def test_labels_are_shown_as_text():
    page = preview.page([preview.Entry("one", SAMPLE)])
    assert "<script" not in page
    assert "a &lt; b &amp; c" in page
    assert "crop" in page


def test_nothing_comes_from_outside():
    page = preview.page(preview.of_recipe(parse('[[mix]]\nsource = "text"', "test"), 0, 3))
    assert len(re.findall(r'src="data:image/jpeg;base64,', page)) == 3
    assert not re.findall(r"https?://[^<]*[\"']", re.sub(r"<pre>.*?</pre>", "", page, flags=re.S))


def test_a_rendered_label_is_caged():
    page = preview.page(
        [preview.Entry("one", SAMPLE)], lambda text: f'<p class="x">{len(text)}</p><script>go()</script>'
    )
    assert 'sandbox="" srcdoc="&lt;p class=&quot;x&quot;&gt;' in page
    assert "<script" not in page


def test_a_label_that_cannot_be_rendered_says_so():
    def refuse(text: str) -> str:
        raise InvalidValue("no such <kind>")

    assert "no such &lt;kind&gt;" in preview.page([preview.Entry("one", SAMPLE)], refuse)


def test_a_missing_source_says_so():
    assert "install &lt;it&gt;" in preview.page([preview.Entry("music 0", None, "install <it>")])


def test_every_source_has_a_place(monkeypatch):
    monkeypatch.setattr(preview, "_entry", lambda name, seed, number: preview.Entry(f"{name} {number}", SAMPLE))
    assert [entry.title for entry in preview.of_sources(0, 1)] == [f"{name} 0" for name in SOURCES]
