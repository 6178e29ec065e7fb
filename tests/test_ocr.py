"""Pictures to readings: every kind of source and request, statuses and notices, batches, streams, the original's door."""

import inspect
import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

import got_ocr
from got_ocr import prompt
from got_ocr.document import Page
from got_ocr.errors import (
    ImageTruncated,
    InputNotFound,
    InvalidValue,
    ModelError,
    NumericError,
    OutputError,
    PdfEncrypted,
    TooManyImages,
)
from got_ocr.image import Picture
from got_ocr.ocr import GotOcr, Job, Options, chat_color, chat_mode, parse_box
from got_ocr.profiles import PROFILES, profile
from got_ocr.reading import Reading, worst
from got_ocr.task import Task
from got_ocr.tokenizer import Tokenizer

Reader = Callable[..., GotOcr]


@pytest.fixture
def reader(script: Any, small: Tokenizer) -> Reader:
    """Make a model that answers with the given texts (or ids), one a prompt."""

    def make(*answers: str | Iterable[int | None]) -> GotOcr:
        script.answers = [small.encode(a) if isinstance(a, str) else a for a in answers]
        return GotOcr(script, small)

    return make


@pytest.fixture
def line_reader(line_script: Any, small: Tokenizer) -> Reader:
    def make(*answers: str | Iterable[int | None]) -> GotOcr:
        line_script.answers = [small.encode(a) if isinstance(a, str) else a for a in answers]
        return GotOcr(line_script, small)

    return make


def asked(model: GotOcr) -> list[str]:
    """Give what was asked of the model, in its words."""
    texts = [model.tokenizer.decode(ids) for ids in model.backend.prompts]  # type: ignore[attr-defined]
    return [text[text.rindex("user\n") + 6 : text.rindex("assistant\n")] for text in texts]


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def pdf(page: Image.Image, tmp_path: Path) -> Path:
    others = [page.rotate(180), page.crop((0, 0, 100, 60))]
    page.save(tmp_path / "three.pdf", save_all=True, append_images=others)
    return tmp_path / "three.pdf"


@pytest.fixture
def folder(page: Image.Image, tmp_path: Path) -> Path:
    (tmp_path / "scans").mkdir()
    for name in ("page10.png", "page2.png", "page1.png"):
        page.save(tmp_path / "scans" / name)
    return tmp_path / "scans"


# Sources.


def test_one_picture_in_every_form(reader: Reader, page: Image.Image, tmp_path: Path) -> None:
    file = tmp_path / "page.png"
    file.write_bytes(png(page))
    for source in (file, str(file), file.read_bytes(), io.BytesIO(file.read_bytes()), page, np.asarray(page)):
        reading = reader("the fox").read(source)
        assert isinstance(reading, Reading)
        assert (reading.text, reading.status, reading.page) == ("the fox", "ok", 1)
        assert reading.source == ("page.png" if isinstance(source, str | Path) else "picture")


def test_a_reading_says_what_it_is(reader: Reader, small: Tokenizer, page: Image.Image) -> None:
    ids = tuple(small.encode("  the fox\n"))
    reading = reader("  the fox\n").read(page)
    assert reading.text == "the fox"
    assert (reading.token_ids, reading.tokens) == (ids, len(ids) + 1)
    assert (reading.model, reading.notices) == ("script", ())
    assert reading.seconds > 0
    with pytest.raises(AttributeError):
        reading.text = "other"


def test_documents_are_read_page_by_page(reader: Reader, pdf: Path, folder: Path) -> None:
    pages = reader("one", "two", "three").read(pdf)
    assert [(r.text, r.page, r.source) for r in pages] == [
        ("one", 1, "three.pdf"),
        ("two", 2, "three.pdf"),
        ("three", 3, "three.pdf"),
    ]
    chosen = reader("three", "one").read(pdf, pages="3,1")
    assert [r.page for r in chosen] == [3, 1]
    assert reader("two").read(pdf, pages="2").text == "two"
    scans = reader("a", "b", "c").read(folder)
    assert [r.source for r in scans] == ["page1.png", "page2.png", "page10.png"]


def test_several_pages_as_one_text(reader: Reader, pdf: Path, folder: Path, page: Image.Image) -> None:
    for source in (pdf, folder, [page, png(page), folder / "page1.png"], (page, page, page)):
        model = reader("all")
        reading = model.read(source, multi_page=True)
        assert reading.text == "all"
        assert asked(model) == ["OCR with format across multi pages: "]
        assert model.backend.prompts[0].count(model.tokenizer.image) == 3 * 4
        model.backend.prompts.clear()
    assert reader("two").read(pdf, multi_page=True, pages="2-3").page == 2


def test_lists_are_one_text_or_read_many(reader: Reader, page: Image.Image) -> None:
    with pytest.raises(InvalidValue, match="read_many"):
        reader().read([page, page])
    with pytest.raises(InvalidValue, match="empty"):
        reader().read([], multi_page=True)
    with pytest.raises(InvalidValue, match="a picture is"):
        reader().read(5)


def test_what_cannot_be_read_raises(reader: Reader, page: Image.Image, tmp_path: Path) -> None:
    import pikepdf

    with pytest.raises(InputNotFound, match=r"absent\.png"):
        reader().read(tmp_path / "absent.png")
    with pytest.raises(ImageTruncated):
        reader().read(png(page)[:-20])
    with pytest.raises(ImageTruncated):
        reader().read([page, png(page)[:-20]], multi_page=True)
    with pytest.raises(InputNotFound):
        reader().read([page, tmp_path / "absent.png"], multi_page=True)
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(user="u", owner="o"))
    with pytest.raises(PdfEncrypted):
        reader().read(tmp_path / "locked.pdf")


# Requests.


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ({}, "OCR: "),
        ({"mode": "format"}, "OCR with format: "),
        ({"box": (22, 12, 110, 60), "box_mode": "prompt"}, "[100, 100, 500, 500] OCR: "),
        ({"box": (22, 12), "box_mode": "prompt"}, "[100, 100] OCR: "),
        ({"color": "green", "mode": "format"}, "[green] OCR with format: "),
        ({"crop": True}, "OCR upon the patch reference: "),
        ({"color": "green", "profile": "hf"}, "[green]  OCR: "),
        ({"profile": "reference"}, "OCR: "),
    ],
)
def test_requests_are_asked_in_the_models_words(
    reader: Reader, page: Image.Image, words: dict[str, Any], query: str
) -> None:
    model = reader("text")
    assert model.read(page, **words).text == "text"
    assert asked(model) == [query]


def test_a_box_is_cut_out_unless_it_is_to_be_told(reader: Reader, page: Image.Image, monkeypatch: Any) -> None:
    seen: list[Image.Image] = []
    model = reader("a", "b", "c")
    monkeypatch.setattr(type(model.backend), "encode", lambda self, tiles: [seen.extend(tiles), [4] * len(tiles)][1])
    box = (10, 10, 60, 40)
    model.read(page, box=box)
    model.read(page.crop(box))
    model.read(page, box=box, box_mode="prompt")
    assert np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])
    with pytest.raises(InvalidValue, match="outside"):
        model.read(page, box=(500, 500, 600, 600))
    with pytest.raises(InvalidValue, match="outside"):
        model.read(page, box=(5, 5, 600, 60), box_mode="prompt")
    with pytest.raises(InvalidValue, match="point"):
        model.read(page, box=(5, 5))


def test_large_pictures_are_cut_into_tiles(reader: Reader) -> None:
    wide = Image.new("RGB", (384, 128), "white")
    for words, tiles in (({}, 4), ({"max_tiles": 2}, 3), ({"profile": "hf"}, 4)):
        model = reader("text")
        model.read(wide, crop=True, **words)
        assert model.backend.prompts.pop().count(model.tokenizer.image) == 4 * tiles
    tall = Image.new("RGB", (128, 128 * 12), "white")
    for words, tiles in (({}, 7), ({"profile": "reference"}, 7)):
        model = reader("text")
        model.read(tall, crop=True, **words)
        assert model.backend.prompts.pop().count(model.tokenizer.image) == 4 * tiles
    with pytest.raises(TooManyImages, match="13 tiles"):  # twelve crops and the whole; this model holds eight
        reader().read(tall, crop=True, profile="hf")


@pytest.mark.parametrize(
    "words",
    [
        {"mode": "other"},
        {"box": (1, 2, 3)},
        {"box": (5, 5, 1, 9)},
        {"color": "pink"},
        {"crop": True, "color": "red"},
        {"multi_page": True, "crop": True},
        {"max_tiles": 0},
        {"profile": "other"},
        {"max_new_tokens": 0},
        {"max_new_tokens": 40000},
        {"pages": "9"},
    ],
)
def test_what_cannot_be_asked_is_refused_at_once(reader: Reader, pdf: Path, words: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        reader().read(pdf, **words)
    with pytest.raises(InvalidValue):
        reader().stream(pdf, **words)  # not only when its first piece is asked for


def test_read_and_stream_take_the_same_words() -> None:
    """And in the same order, with the same defaults and kinds."""
    read, stream = (inspect.signature(method).parameters for method in (GotOcr.read, GotOcr.stream))
    assert list(read.values()) == list(stream.values())
    many = inspect.signature(GotOcr.read_many).parameters
    assert all(many[name] == read[name] for name in set(many) & set(read))


# Ends.


def test_statuses(reader: Reader, page: Image.Image, small: Tokenizer) -> None:
    loop = reader([300] * 5000).read(page)
    assert (loop.status, loop.text, loop.tokens) == ("loop", small.decode([300]).strip(), 64)
    cut = reader(range(256, 300)).read(page, max_new_tokens=20)
    assert (cut.status, cut.token_ids, cut.tokens) == ("truncated", tuple(range(256, 276)), 20)
    empty = reader(" \n").read(page)
    assert (empty.status, empty.text, empty.tokens) == ("empty", "", 3)
    with pytest.raises(NumericError):
        reader([300, None]).read(page)


def test_the_worst_part_names_the_status() -> None:
    assert worst([]) == "empty"
    assert worst(["ok", "loop", "ok"]) == "loop"
    assert worst(["truncated", "loop"]) == "truncated"
    assert worst(["empty", "ok"]) == "ok"


def test_profiles_are_the_rules(reader: Reader, page: Image.Image) -> None:
    """The reference bans 20-grams for a single picture and nowhere else, and watches no loops."""
    forever = [list(range(300, 330)) * 20] * 2
    single = reader(*forever).read(page, profile="reference", max_new_tokens=100)
    assert 7 in single.token_ids  # what the script writes instead of a banned id
    assert single.status == "truncated"
    for words in ({"crop": True}, {"multi_page": True}):
        several = reader(*forever).read(page, profile="reference", max_new_tokens=100, **words)
        assert 7 not in several.token_ids
    assert 7 not in reader(*forever).read(page, profile="hf", max_new_tokens=100).token_ids
    assert reader(*forever).read(page).status == "loop"
    assert list(PROFILES) == ["safe", "reference", "hf"]


def test_ports_pixels_are_part_of_a_profile(reader: Reader, monkeypatch: Any) -> None:
    seen: list[np.ndarray] = []
    model = reader("a", "b")
    monkeypatch.setattr(type(model.backend), "encode", lambda self, tiles: [seen.extend(tiles), [4] * len(tiles)][1])
    glass = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    model.read(glass)
    model.read(glass, profile="reference")
    assert seen[0].min() == 255
    assert seen[1].max() == 0


def test_notices(reader: Reader, page: Image.Image, tmp_path: Path) -> None:
    page.save(tmp_path / "turned.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0")
    assert reader("a").read(tmp_path / "turned.jpg").notices == ("orientation_applied",)
    assert reader("a").read(page, color="red").notices == ("untrained_mode:color",)
    assert reader("a").read(page, box=(0, 0, 50, 50), box_mode="prompt").notices == ("untrained_mode:box",)
    assert reader("a").read(page, box=(0, 0, 50, 50)).notices == ()  # cut out first: an ordinary picture
    assert reader("a").read(page, mode="format").notices == ()


# Models of lines.


def test_lines_are_read_in_groups(line_reader: Reader, pictures: list[Image.Image]) -> None:
    model = line_reader("many\nmore", "lines\nof", "text")
    reading = model.read(pictures[3])
    assert reading.text == "many\nmore\nlines\nof\ntext"
    assert len(model.backend.prompts) == 3
    assert {shape[:2] for shape in model.backend.tiles} == {(3, 32)}
    assert reading.tokens == len(reading.token_ids) + 3


def test_a_line_too_wide_for_a_tile_is_read_as_one_line(line_reader: Reader) -> None:
    def make() -> GotOcr:
        model = line_reader("one", "two", "three", "four", "next")
        model.backend.spec = replace(model.backend.spec, tile=(32, 256), tiles_per_prompt=1)
        return model

    wide = Image.new("RGB", (800, 80), "white")
    for x in range(10, 760, 30):
        wide.paste("black", (x, 10, x + 20, 26))
    wide.paste("black", (10, 50, 80, 66))
    (batched,) = make().read_many([wide])
    *pieces, streamed = make().stream(wide)
    assert make().read(wide).text == batched.text == streamed.text == "".join(pieces) == "one two three four\nnext"


@pytest.mark.parametrize("paper", ["white", "black", "grey"])
def test_a_blank_picture_is_empty_without_asking(line_reader: Reader, paper: str) -> None:
    model = line_reader()
    reading = model.read(Image.new("RGB", (300, 200), paper))
    assert (reading.text, reading.status, reading.tokens) == ("", "empty", 0)
    assert model.backend.prompts == []
    assert [type(piece) for piece in model.stream(Image.new("RGB", (300, 200), paper))] == [Reading]


def test_formulas_are_seen_whole_and_other_formatted_pictures_by_their_lines(
    line_reader: Reader, pictures: list[Image.Image]
) -> None:
    model = line_reader(r"\[ a \]", "b", "c", "d", "e", "f")
    model.backend.spec = replace(model.backend.spec, reads=frozenset({"plain", "formula"}), figure_tokens=16)
    reading = model.read(pictures[0], mode="format")
    assert (reading.text, reading.notices, asked(model)[-1]) == (r"\[ a \]", (), "OCR with format: ")
    reading = model.read(pictures[3], mode="format")  # five rows are no formula
    assert reading.text.split("\n") == ["b", "c", "d"]  # two strips a prompt
    assert (reading.notices, asked(model)[-1]) == (("untrained_mode:format",), "OCR: ")


def ruled_table() -> Image.Image:
    """Draw a table of two rows, whose second has one cell that is bare and one of two lines."""
    image = Image.new("RGB", (500, 200), "white")
    pen = ImageDraw.Draw(image)
    for y in (20, 70, 180):
        pen.line((20, y, 480, y), fill="black", width=2)
    for x in (20, 170, 320, 480):
        pen.line((x, 20, x, 180), fill="black", width=2)
    for place in ((60, 40), (210, 40), (360, 40), (200, 106), (200, 132)):
        pen.text(place, "word", font_size=22, fill="black")
    pen.text((60, 120), "word", font_size=22, fill="black")
    return image


def test_tables_are_read_cell_by_cell(line_reader: Reader) -> None:
    answers = ("a", "b", "c", r"\( x \)", "up", "down")
    model = line_reader(*answers, *answers)
    model.backend.spec = replace(model.backend.spec, reads=frozenset({"plain", "formula", "table"}), figure_tokens=16)
    reading = model.read(ruled_table(), mode="format", draft="none")
    table = "\n".join(
        [
            r"\begin{tabular}{|c|c|c|}",
            r"\hline a & b & c \\",
            r"\hline \( x \) & up down &  \\",
            r"\hline",
            r"\end{tabular}",
        ]
    )
    assert (reading.text, reading.notices, reading.status) == (table, (), "ok")
    assert set(asked(model)) == {"OCR with format: "}
    *pieces, _ = model.stream(ruled_table(), mode="format", draft="none")
    assert "".join(map(str, pieces)) == table


def test_a_cell_that_is_read_badly_does_not_break_its_table(line_reader: Reader) -> None:
    answers = ("a & b", r"\( c", r"\frac{d", "}", "e \\\\", "f")
    model = line_reader(*answers, *answers)
    model.backend.spec = replace(model.backend.spec, reads=frozenset({"plain", "table"}), figure_tokens=16)
    reading = model.read(ruled_table(), mode="format", draft="none")
    assert reading.text.split("\n")[1:3] == [r"\hline a \& b & \( c\) & \frac{d} \\", r"\hline  & e f &  \\"]
    *pieces, _ = model.stream(ruled_table(), mode="format", draft="none")
    assert "".join(map(str, pieces)) == reading.text


def test_sheet_music_is_read_staff_by_staff(line_reader: Reader) -> None:
    image = Image.new("RGB", (600, 300), "white")
    pen = ImageDraw.Draw(image)
    pen.line((40, 80, 40, 220), fill="black")
    for top in (80, 180):
        for line in range(5):
            pen.line((40, top + 10 * line, 560, top + 10 * line), fill="black")
        for left in (100, 250, 400):
            pen.ellipse((left, top + 4, left + 14, top + 16), fill="black")
    answers = ("*clefG2\n8c\n8d\n==", "*clefF4\n4C\n==")
    model = line_reader(*answers, *answers)
    model.backend.spec = replace(model.backend.spec, reads=frozenset({"plain", "music"}), figure_tokens=16)
    kern = "**kern\t**kern\n*clefF4\t*clefG2\n4C\t8c\n.\t8d\n==\t==\n*-\t*-"
    reading = model.read(image, mode="format", draft="none")
    assert (reading.text, reading.notices, reading.status) == (kern, (), "ok")
    *pieces, last = model.stream(image, mode="format", draft="none")
    assert "".join(map(str, pieces)) == kern
    assert stripped(last) == stripped(reading)


def test_a_model_that_knows_no_tables_reads_their_lines(line_reader: Reader) -> None:
    model = line_reader(*"abcdef")
    model.backend.spec = replace(model.backend.spec, reads=frozenset({"plain"}), figure_tokens=16)
    reading = model.read(ruled_table(), mode="format", draft="none")
    assert "tabular" not in reading.text
    assert reading.notices == ("untrained_mode:format",)


def test_lines_of_several_pages_and_boxes(line_reader: Reader, pictures: list[Image.Image]) -> None:
    model = line_reader("a\nb", "c\nd")
    reading = model.read([pictures[0], pictures[2]], multi_page=True)
    assert (reading.text, reading.notices) == ("a\nb\nc\nd", ())
    assert asked(model) == ["OCR: "] * 2  # lines are lines, of however many pages
    assert line_reader("a").read(pictures[0], crop=True).notices == ()
    model = line_reader("a")
    assert model.read(pictures[0], mode="format").notices == ("untrained_mode:format",)
    assert asked(model)[-1] == "OCR: "  # what it never learned to write it is not asked for
    assert line_reader("a").read(pictures[0], mode="format", crop=True).notices == ("untrained_mode:format",)
    model = line_reader("one")
    model.backend.tiles.clear()
    assert model.read(pictures[1], box=(0, 0, pictures[1].width, 34)).text == "one"
    assert len(model.backend.tiles) == 1


def test_a_pattern_is_read_as_far_as_is_sensible_and_says_so(
    line_reader: Reader, monkeypatch: Any, pictures: list[Image.Image]
) -> None:
    monkeypatch.setattr("got_ocr.lines.MOST_STRIPS", 4)
    monkeypatch.setattr("got_ocr.ocr.MOST_STRIPS", 4)
    reading = line_reader("a\nb", "c\nd").read(pictures[3])
    assert (reading.text, reading.status, reading.notices) == ("a\nb\nc\nd", "truncated", ("lines_left_out:after 4",))


def test_a_line_holds_no_more_text_than_its_width(line_reader: Reader, pictures: list[Image.Image]) -> None:
    model = line_reader(list(range(200)))
    reading = model.read(pictures[0])
    ((_, height, width),) = model.backend.tiles
    assert (reading.status, reading.tokens) == ("truncated", 4 * height // 32 * width // 16 + 32)


# Batches.


def stripped(reading: Reading) -> tuple[Any, ...]:
    return reading.text, reading.status, reading.token_ids, reading.tokens, reading.page, reading.source


@pytest.mark.parametrize("kind", ["whole", "lines"])
@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_many_equal_one_by_one(
    kind: str, batch_size: int, request: pytest.FixtureRequest, pictures: list[Image.Image], pdf: Path
) -> None:
    model: GotOcr = request.getfixturevalue(kind)
    sources = [pictures[0], pdf, *pictures[1:]]
    many = model.read_many(sources, batch_size=batch_size, max_new_tokens=12)
    single = [model.read(source, max_new_tokens=12) for source in sources]
    flat = [r for some in single for r in (some if isinstance(some, list) else [some])]
    assert [stripped(r) for r in many] == [stripped(r) for r in flat]
    assert [r.page for r in many] == [1, 1, 2, 3, 1, 1, 1]
    assert len({r.token_ids for r in many}) > 4


def test_many_rows_share_a_few_slots(line_reader: Reader, pictures: list[Image.Image], monkeypatch: Any) -> None:
    monkeypatch.setattr("got_ocr.predictor.SLOTS", 2)
    model = line_reader("a\nb", "c\nd", "e", "f", "g\nh", "i")
    readings = model.read_many([pictures[3], pictures[0], pictures[2]])
    assert [r.text for r in readings] == ["a\nb\nc\nd\ne", "f", "g\nh\ni"]


def test_pages_side_by_side_share_their_time(whole: GotOcr, pictures: list[Image.Image]) -> None:
    start = time.perf_counter()
    readings = whole.read_many(pictures, batch_size=3, max_new_tokens=3)
    wall = time.perf_counter() - start
    assert 0.5 * wall < sum(r.seconds for r in readings) <= wall
    assert all(r.seconds > 0 for r in readings)


def test_pages_are_loaded_when_their_turn_comes(reader: Reader, page: Image.Image) -> None:
    """At most two are under way, whatever their number: a folder of large pages is never in memory as a whole."""
    model, task, log = reader("a", "b b b b", "c", "d", "e"), Task(), []

    def decoded(number: int) -> Picture:
        log.append(f"load {number}")
        return Picture(page, (), "page")

    planned = (Job((Page(n, 5, "page", None, partial(decoded, n)),), task) for n in range(1, 6))
    for reading in model.read_jobs(planned, Options(profile("safe")), 2):
        assert isinstance(reading, Reading)
        log.append(f"{reading.text[0]} read")
    assert log[:4] == ["load 1", "load 2", "a read", "load 3"]
    assert [entry for entry in log if entry.endswith("read")] == [f"{letter} read" for letter in "abcde"]
    # The second, long one is under way all the time: the fifth begins only when the fourth has ended.
    assert log.index("load 5") > log.index("load 4") > log.index("load 3")


def test_broken_pages_raise_or_are_kept(
    reader: Reader, page: Image.Image, pdf: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    absent = tmp_path / "absent.png"
    sources = [page, png(page)[:-20], absent, pdf, page]
    answers = ["one", "p1", [300, None], "p3", "last"]
    kept = reader(*answers).read_many(sources, on_error="keep")
    assert [type(r) for r in kept] == [Reading, ImageTruncated, InputNotFound, Reading, NumericError, Reading, Reading]
    assert [r.text for r in kept if isinstance(r, Reading)] == ["one", "p1", "p3", "last"]
    with pytest.raises(ImageTruncated):
        reader(*answers).read_many(sources)
    with pytest.raises(NumericError):
        reader(*answers).read_many([pdf, absent])
    with pytest.raises(InvalidValue, match="on_error"):
        reader().read_many([page], on_error="hide")  # type: ignore[call-overload]


def test_read_many_takes_nothing_and_refuses_nonsense(whole: GotOcr, page: Image.Image) -> None:
    assert whole.read_many([]) == []
    with pytest.raises(InvalidValue, match="batch_size"):
        whole.read_many([page], batch_size=0)


# Streams.


@pytest.mark.parametrize("kind", ["whole", "lines"])
def test_streamed_pieces_join_to_the_text(
    kind: str, request: pytest.FixtureRequest, pictures: list[Image.Image]
) -> None:
    model: GotOcr = request.getfixturevalue(kind)
    *pieces, reading = model.stream(pictures[3], max_new_tokens=30, profile="hf")
    assert "".join(map(str, pieces)).strip() == reading.text
    assert len(pieces) > 5
    assert stripped(reading) == stripped(model.read(pictures[3], max_new_tokens=30, profile="hf"))


def test_each_page_of_a_stream_ends_with_its_reading(reader: Reader, pdf: Path) -> None:
    pieces = list(reader("one fox", "two", "").stream(pdf))
    ends = [at for at, piece in enumerate(pieces) if isinstance(piece, Reading)]
    assert [pieces[at].text for at in ends] == ["one fox", "two", ""]
    assert "".join(pieces[: ends[0]]) == "one fox"
    assert ends[2] == ends[1] + 1


def test_half_a_character_at_the_end_of_a_stream(reader: Reader, page: Image.Image) -> None:
    *pieces, reading = reader(list("né中".encode())[:-1]).stream(page)
    assert pieces == ["n", "é", "\ufffd"]
    assert (reading.text, reading.notices) == ("né\ufffd", ("broken_characters:1",))


# The original's door.


@pytest.mark.parametrize(
    ("words", "query"),
    [
        (("ocr",), "OCR: "),
        (("format",), "OCR with format: "),
        (("ocr", "[22,12,110,60]"), "[100, 100, 500, 500] OCR: "),
        (("format", "22, 12, 110, 60"), "[100, 100, 500, 500] OCR with format: "),
        (("ocr", "(22,12)"), "[100, 100] OCR: "),
        (("format", "", "red"), "[red] OCR with format: "),
    ],
)
def test_chat_asks_what_the_original_asks(
    reader: Reader, page: Image.Image, words: tuple[str, ...], query: str
) -> None:
    model = reader(list(range(300, 330)) * 3)
    text = model.chat(page, *words)
    assert asked(model) == [query]
    assert "\x07" in text  # what the script writes instead of a banned id


@pytest.mark.parametrize(
    ("kind", "query"),
    [("format", "OCR with format upon the patch reference: "), ("ocr", "OCR upon the patch reference: ")],
)
def test_chat_crop_asks_what_the_original_asks(reader: Reader, kind: str, query: str) -> None:
    model = reader(list(range(300, 330)) * 3)
    text = model.chat_crop(Image.new("RGB", (256, 128), "white"), kind)
    assert asked(model) == [query]
    assert model.backend.prompts[0].count(model.tokenizer.image) == 12  # two crops and the whole
    assert "\x07" not in text
    assert inspect.signature(GotOcr.chat_crop).parameters["ocr_type"].default == "format"


def test_chat_renders_where_it_is_told(reader: Reader, page: Image.Image, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert reader("the <fox>").chat(page, render=True) == "the <fox>"
    assert "the &lt;fox&gt;" in (tmp_path / "demo.html").read_text()
    reader("jumps").chat(page, render=True, save_render_file="other.html")
    assert "jumps" in (tmp_path / "other.html").read_text()
    with pytest.raises(OutputError, match=r"x\.html"):
        reader("jumps").chat(page, render=True, save_render_file=tmp_path / "no" / "x.html")


def test_the_originals_words_are_checked() -> None:
    assert (chat_mode("ocr"), chat_mode("format")) == ("plain", "format")
    assert (chat_color(""), chat_color("red")) == (None, "red")
    assert parse_box("[1, 2,3,4]") == (1, 2, 3, 4)
    assert parse_box("1,2") == (1, 2)
    for bad in ("1,2,3", "a,b", "1.5,2,3,4", "-1,2,3,4", "__import__('os')", "1,2,3,99999999", "１,2,3,4", ""):
        with pytest.raises(InvalidValue, match="a box is"):
            parse_box(bad)
    with pytest.raises(InvalidValue, match="ocr_type"):
        chat_mode("plain")
    with pytest.raises(InvalidValue, match="ocr_color"):
        chat_color("pink")


# Loading.


def test_a_model_and_its_vocabulary_belong_together(whole_folder: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(whole_folder, tmp_path / "model")
    Tokenizer({bytes([b]): b for b in range(256)}).save_tiktoken(tmp_path / "model" / "vocab.tiktoken")
    with pytest.raises(ModelError, match=r"image token is 472, the model's is 596"):
        GotOcr.load(tmp_path / "model")


@pytest.mark.parametrize("layout", ["native", "original", "hf"])
def test_every_layout_reads_the_same(whole_folder: Path, tmp_path: Path, page: Image.Image, layout: str) -> None:
    from got_ocr.companions import write_companions
    from got_ocr.model.weights import load_model, open_checkpoint, save_model

    model = load_model(whole_folder)
    expected = GotOcr.load(whole_folder, device="cpu").read(page, max_new_tokens=20)
    try:
        save_model(model, tmp_path, layout)
    except ModelError:
        pytest.skip("this layout has no place for so small a network")
    write_companions(whole_folder, tmp_path, layout, open_checkpoint(whole_folder).config)
    assert stripped(GotOcr.load(tmp_path, device="cpu").read(page, max_new_tokens=20)) == stripped(expected)


@pytest.mark.parametrize("device", ["cpu:0", "tpu", "cuda:x", "cuda:99", "cpu:3", ""])
def test_unknown_devices_are_named(whole_folder: Path, device: str) -> None:
    with pytest.raises(InvalidValue, match="device"):
        GotOcr.load(whole_folder, device=device)


def test_number_formats(whole_folder: Path, page: Image.Image) -> None:
    assert GotOcr.load(whole_folder, device="cpu", dtype="bfloat16").read(page, max_new_tokens=4).tokens == 4
    with pytest.raises(InvalidValue, match="dtype is one of"):
        GotOcr.load(whole_folder, dtype="int3")


# The package.


def test_importing_the_package_loads_no_torch() -> None:
    code = (
        "import sys, got_ocr, got_ocr.ocr, got_ocr.cli.main;"
        "assert got_ocr.GotOcr and got_ocr.GotOcrError;"
        "print([m for m in ('torch', 'transformers', 'tiktoken', 'huggingface_hub') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_all_names_are_there() -> None:
    assert [name for name in got_ocr.__all__ if getattr(got_ocr, name, None) is None] == []
    with pytest.raises(AttributeError, match="nothing"):
        _ = got_ocr.nothing


def test_options_are_checked_where_they_are_made() -> None:
    with pytest.raises(InvalidValue, match="max_new_tokens"):
        Options(profile("safe"), 0)
    assert prompt.query(Task(), (1, 1)) == "OCR: "
