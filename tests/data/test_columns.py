"""Setting text into lines: widths, hyphens, marks that may not begin or end a line."""

from itertools import pairwise

from got_ocr.data import columns

TEXT = "Every considerable typographer remembers that hyphenation makes columns measurably prettier, (sometimes)."


def measure(text: str) -> float:
    return 10.0 * len(text)


def rejoined(rows: list[columns.SetLine]) -> str:
    text = ""
    for row in rows:
        text += row.text[:-1] if row.broken else row.text + " "
    return text.strip()


def test_lines_fit_and_nothing_is_lost():
    for hyphenate in (False, True):
        for width in (170, 200, 330, 2000):
            rows = columns.english(TEXT, width, measure, hyphenate, indent=20)
            assert rejoined(rows) == TEXT
            assert measure(rows[0].text) <= width - 20
            assert all(measure(row.text) <= width for row in rows)
            assert [row.last for row in rows] == [False] * (len(rows) - 1) + [True]


def test_hyphens_are_used_only_when_asked():
    assert not any(row.broken for row in columns.english(TEXT, 200, measure, False))
    broken = [row.text for row in columns.english(TEXT, 200, measure, True) if row.broken]
    assert broken
    assert all(row.endswith("-") for row in broken)


def test_broken_parts_have_three_letters_or_more():
    for width in range(150, 400, 10):
        rows = columns.english(TEXT, width, measure, True)
        for row, following in pairwise(rows):
            if row.broken:
                assert len(row.text.split(" ")[-1]) >= 4
                assert len(following.text.split(" ")[0].strip("(),.")) >= 3


def test_words_wider_than_a_line_are_left_out():
    assert [row.text for row in columns.english("a bbbbbbbbbbbb c", 60, measure, False)] == ["a c"]


def test_chinese_marks_keep_their_side():
    text = "他说：“今天下雨。”我们看（三本）书，写信、喝茶；然后回家。" * 3
    for width in range(50, 400, 10):
        rows = columns.chinese(text, width, measure)
        assert "".join(row.text for row in rows) == text
        assert not [row.text for row in rows[1:] if row.text[0] in "，。、；”）"]
        assert not [row.text for row in rows[:-1] if row.text[-1] in "“（"]
        # Closing marks may hang over the edge, nothing else.
        assert all(measure(row.text.rstrip("，。、；：”）")) <= width for row in rows)


def test_chinese_keeps_latin_words_whole():
    rows = columns.chinese("使用 Debian 系统和 GNU 工具", 60, measure)
    assert any("Debian" in row.text for row in rows)
    assert all(row.text == row.text.strip() for row in rows)
