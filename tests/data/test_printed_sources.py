"""Sources of printed text: labels, boxes, tasks, reading order."""

import subprocess
from io import BytesIO
from itertools import pairwise
from shutil import which

import numpy as np
import pytest
from synth_helpers import pool_or_skip

from got_ocr.data import fonts
from got_ocr.data.build import generator, source
from got_ocr.data.charset import LATIN, alphabet
from got_ocr.data.sample import Sample
from got_ocr.errors import InvalidValue
from got_ocr.task import Task

SMALL = {"width": [420, 520], "height": [420, 560], "sizes": [14, 18], "columns": [1, 2]}
PLAIN = {"wear": "none", "angle": 0.0, "bend": 0.0}


def samples(name: str, options: dict, count: int) -> list[Sample]:
    made = source(name, options)
    return [made(generator(f"test-{name}", 5, index)) for index in range(count)]


def well_formed(sample: Sample) -> None:
    assert sample.images
    assert all(image.mode == "RGB" for image in sample.images)
    assert sample.target
    for row in sample.target.split("\n"):
        assert row == " ".join(row.split())
    for line in sample.lines:
        left, top, right, bottom = line.box
        assert 0 <= left < right <= sample.images[0].width
        assert 0 <= top < bottom <= sample.images[0].height


def ink_edges(sample: Sample, box: tuple[int, int, int, int]) -> np.ndarray:
    """Say for each side of a box whether ink touches its outermost pixels, on a picture that was not worn."""
    grey = np.asarray(sample.images[0].convert("L"), dtype=int)
    paper = np.median(grey)
    left, top, right, bottom = box
    view = np.abs(grey[top:bottom, left:right] - paper) > 24
    return np.array([view[:, :2].any(), view[:2].any(), view[:, -2:].any(), view[-2:].any()])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("text", {"lines": [1, 8], "handwriting": 0.2}),
        ("page", SMALL),
        ("page", SMALL | {"breaks": "paragraphs", "hyphenation": 1.0}),
        ("region", SMALL),
        ("crop", SMALL),
        ("multipage", SMALL | {"pages": [2, 3]}),
        ("scene", {"width": [300, 500], "height": [260, 400]}),
    ],
)
def test_samples_are_well_formed_and_repeat(name, options):
    if options.get("handwriting"):
        pool_or_skip("handwriting")
    first, again = samples(name, options, 8), samples(name, options, 8)
    for one, other in zip(first, again, strict=True):
        well_formed(one)
        assert one.kind == name
        assert one.target == other.target
        assert [image.tobytes() for image in one.images] == [image.tobytes() for image in other.images]


@pytest.mark.parametrize("name", ["text", "page", "scene"])
def test_the_label_is_the_lines(name):
    for sample in samples(name, {} if name != "page" else SMALL, 10):
        assert sample.target == "\n".join(line.text for line in sample.lines)


def test_boxes_are_tight_on_clean_text():
    touched = [
        ink_edges(sample, line.box)
        for sample in samples("text", {"lines": [1, 5], "clean_fraction": 1.0}, 40)
        for line in sample.lines
    ]
    # Faint first pixels of a slanted or light letter are allowed to escape the eye of this test.
    assert np.mean(touched) > 0.97


def test_every_ink_lies_in_a_box():
    for sample in samples("text", {"lines": [1, 6], "clean_fraction": 1.0}, 30):
        grey = np.asarray(sample.images[0].convert("L"), dtype=int).copy()
        paper = int(np.median(grey))
        for left, top, right, bottom in (line.box for line in sample.lines):
            grey[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1] = paper
        assert np.abs(grey - paper).max() < 90, sample.target


def test_labels_hold_only_what_their_font_draws():
    found = {(font.family, font.style): font for font in fonts.index()}
    for sample in samples("text", {"lines": [1, 4], "prose": 0.3}, 60):
        (fact,) = sample.meta["fonts"]
        covered = fonts.covered(found[fact["family"], fact["style"]], LATIN)
        assert covered | {"\n"} >= set(sample.target)


def test_held_out_samples_use_held_out_fonts():
    pool_or_skip("heldout")
    for sample in samples("text", {"fonts": "heldout", "corpus": "heldout"}, 30):
        assert all(fonts.held_out(fact["family"]) for fact in sample.meta["fonts"])


def test_contradicting_limits():
    with pytest.raises(InvalidValue, match="sizes"):
        source("text", {"sizes": [30, 20]})
    with pytest.raises(InvalidValue, match="breaks is one of lines, paragraphs"):
        source("page", {"breaks": "words"})
    with pytest.raises(InvalidValue, match="wear is one of none"):
        source("page", {"wear": "acid"})


def test_page_lines_do_not_overlap_and_columns_are_read_one_by_one():
    options = SMALL | PLAIN | {"columns": [2, 2], "furniture": 0.0, "fill": [1.0, 1.0], "width": [700, 700]}
    for sample in samples("page", options, 6):
        boxes = [line.box for line in sample.lines]
        for rank, one in enumerate(boxes):
            for other in boxes[rank + 1 :]:
                assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] + 2 or other[3] <= one[1] + 2
        jumps = [a for a, b in pairwise(boxes) if b[1] < a[1] - 20]
        assert len(jumps) == 1  # from the foot of the first column to the head of the second


def test_paragraph_labels_have_no_hyphen_of_the_line_break():
    options = SMALL | PLAIN | {"hyphenation": 1.0, "furniture": 0.0}
    lines = samples("page", options, 12)
    paragraphs = samples("page", options | {"breaks": "paragraphs"}, 12)
    squeezed = [sample.target.replace("\n", " ") for sample in paragraphs]
    assert any(len(sample.target) > len(text) for sample, text in zip(lines, squeezed, strict=True))
    for sample, text in zip(lines, squeezed, strict=True):
        assert sum(map(len, text.split())) <= sum(map(len, sample.target.split()))


def test_chinese_pages():
    pool_or_skip("zh")
    for sample in samples("page", SMALL | {"language": "zh", "fonts": "zh"}, 6):
        well_formed(sample)
        ideographs = sum("\u4e00" <= char <= "\u9fff" for char in sample.target)
        assert ideographs > 0.4 * len(sample.target)
        assert alphabet("zh") | {"\n"} >= set(sample.target)


def test_regions_hold_their_lines_and_no_others():
    for sample in samples("region", SMALL | PLAIN | {"colored": 0.0}, 12):
        assert sample.task.box_mode == "prompt"
        left, top, right, bottom = sample.task.box
        for line in sample.lines:
            assert left <= line.box[0] <= line.box[2] <= right
            assert top <= line.box[1] <= line.box[3] <= bottom
        assert sample.target == "\n".join(line.text for line in sample.lines)


def test_a_region_is_part_of_the_page():
    page = samples("region", SMALL | PLAIN | {"colored": 0.0, "single": 1.0}, 10)
    assert all("\n" not in sample.target for sample in page)


def test_jitter_moves_boxes_but_not_labels():
    still = samples("region", SMALL | PLAIN | {"colored": 0.0}, 8)
    moved = samples("region", SMALL | PLAIN | {"colored": 0.0, "jitter": 6}, 8)
    assert [sample.target for sample in still] == [sample.target for sample in moved]
    offs = [abs(a - b) for s, m in zip(still, moved, strict=True) for a, b in zip(s.task.box, m.task.box, strict=True)]
    assert 0 < max(offs) <= 6


def test_frames_have_the_colour_that_is_asked_for():
    wanted = {"red": 0, "green": 1, "blue": 2}
    for sample in samples("region", SMALL | PLAIN | {"colored": 1.0}, 16):
        left, top, right, _ = sample.meta["region"]
        pixels = np.asarray(sample.images[0]).astype(int)
        edge = pixels[max(0, top - 1), left:right]
        channel = wanted[sample.task.color]
        others = [other for other in range(3) if other != channel]
        assert (edge[:, channel] > edge[:, others].max(axis=1) + 60).mean() > 0.9


def test_large_pictures_are_large_and_ask_for_tiles():
    for sample in samples("crop", SMALL | {"width": [500, 500], "height": [500, 500], "scale": [2.0, 2.0]}, 8):
        assert sample.task == Task(crop=True)
        assert max(sample.images[0].size) >= 1000


def test_documents_of_several_pages():
    for sample in samples("multipage", SMALL | {"pages": [2, 3], "most_chars": 300}, 6):
        assert sample.task.multi_page
        assert 2 <= len(sample.images) <= 3
        assert len({image.size for image in sample.images}) == 1
        assert len(sample.target) <= 3 * (300 + 120)


def test_ligatures_stay_out_of_labels():
    plain = samples("text", {"ligatures": 0.0, "prose": 1.0, "clean_fraction": 1.0}, 40)
    joined = samples("text", {"ligatures": 1.0, "prose": 1.0, "clean_fraction": 1.0}, 40)
    assert [sample.target for sample in plain] == [sample.target for sample in joined]
    assert not set("ﬀﬁﬂﬃﬄ") & set("".join(sample.target for sample in joined))
    assert any(one.images[0].tobytes() != other.images[0].tobytes() for one, other in zip(plain, joined, strict=True))


def test_scene_texts_are_read_from_top_to_bottom():
    for sample in samples("scene", {"slices": 0.0, "items": [3, 5], "lines": [1, 1], "bent": 0.0, "curved": 0.0}, 12):
        tops = [line.box[1] for line in sample.lines]
        bottoms = [line.box[3] for line in sample.lines]
        # A text may begin above the one before it only where the two stand level.
        assert all(later_bottom > top for top, later_bottom in zip(tops, bottoms[1:], strict=False))


def test_chinese_scenes():
    pool_or_skip("zh")
    options = {"language": "zh", "fonts": "zh", "chars": [2, 14], "width": [400, 600], "height": [300, 500]}
    found = {(font.family, font.style): font for font in fonts.index()}
    made = samples("scene", options, 24)
    for sample in made:
        well_formed(sample)
        covered = {
            char
            for fact in sample.meta["fonts"]
            for char in fonts.covered(found[fact["family"], fact["style"]], alphabet("zh"))
        }
        assert covered | {"\n"} >= set(sample.target)
        assert all(len(row) <= 16 for row in sample.target.split("\n"))
    text = "".join(sample.target for sample in made)
    assert sum("\u4e00" <= char <= "\u9fff" for char in text) > 0.6 * len(text)


def test_scenes_know_their_languages():
    with pytest.raises(InvalidValue, match="language is one of en, zh"):
        source("scene", {"language": "xx"})


def test_slices_hold_one_text():
    for sample in samples("scene", {"slices": 1.0}, 12):
        assert len(sample.lines) == 1
        assert sample.images[0].height < 400


@pytest.mark.slow
@pytest.mark.skipif(which("tesseract") is None, reason="tesseract is not installed")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("text", {"clean_fraction": 1.0, "prose": 1.0, "lines": [3, 6], "chars": [30, 60], "sizes": [26, 40]}),
        ("page", {"wear": "none", "columns": [1, 1], "sizes": [20, 26], "furniture": 0.0}),
    ],
)
def test_another_reader_agrees_with_the_labels(name, options):
    distance = pytest.importorskip("rapidfuzz.distance", reason="the eval extra measures distances").Levenshtein
    wrong = total = 0
    for sample in samples(name, options, 10):
        buffer = BytesIO()
        sample.images[0].save(buffer, "PNG")
        command = ["tesseract", "-", "-", "--psm", "6"]
        read = subprocess.run(command, input=buffer.getvalue(), capture_output=True, check=True).stdout.decode()
        wrong += distance.distance(" ".join(sample.target.split()), " ".join(read.split()))
        total += len(sample.target)
    print(f"{name}: {wrong} of {total} characters, {wrong / total:.2%}")
    assert wrong / total <= 0.05
