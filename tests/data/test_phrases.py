"""Made-up wording and the last touch on pictures: what they promise to the sources that use them."""

import numpy as np
import pytest
from PIL import Image

from got_ocr.data import fonts, phrases
from got_ocr.data.charset import chinese
from got_ocr.data.sources import lettering
from got_ocr.data.sources.finish import Finish, touch
from got_ocr.errors import InvalidValue, MissingDependency


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_words_are_whole_and_plain() -> None:
    words = {phrases.word(rng(seed), "train") for seed in range(200)}
    assert all(word.isascii() and word.isalpha() and word.islower() and 3 <= len(word) <= 12 for word in words)
    assert len(words) > 60


def test_phrases_have_the_length_asked_for_and_begin_with_a_capital() -> None:
    for seed in range(60):
        text = phrases.phrase(rng(seed), "train", 2, 4)
        assert 2 <= len(text.split(" ")) <= 4
        assert text[0].isupper()


def test_chinese_words_stay_within_the_label_alphabet() -> None:
    words = {phrases.zh_word(rng(seed)) for seed in range(300)}
    assert all(2 <= len(word) <= 4 and chinese().issuperset(word) for word in words)
    assert len(words) > 50


def test_people_are_a_first_and_a_last_name() -> None:
    for seed in range(30):
        first, last = phrases.person(rng(seed)).split(" ")
        assert last in phrases.LAST_NAMES
        assert first in phrases.FIRST_NAMES or (len(first) == 2 and first.endswith("."))


def test_a_font_is_found_that_draws_all_of_a_text() -> None:
    font = lettering.covering(rng(1), "all", "Ünïcode 12")
    assert fonts.covered(font, frozenset("Ünïcode12")) == frozenset("Ünïcode12")
    with pytest.raises(MissingDependency):
        lettering.covering(rng(1), "all", "\U0010fffd")
    with pytest.raises(MissingDependency):
        lettering.covering(rng(1), "all", "a", lambda _font: False)


def test_clean_pictures_stay_as_they_are_and_others_are_worn() -> None:
    picture = Image.new("RGB", (120, 60), "white")
    picture.paste((0, 0, 0), (20, 20, 90, 40))
    assert touch(rng(0), picture, Finish(1.0, 1.0, "light"), 30) is picture
    worn = [touch(rng(seed), picture, Finish(0.0, 1.0, "light"), 30) for seed in range(5)]
    assert all(one.size == picture.size and one.tobytes() != picture.tobytes() for one in worn)
    same = touch(rng(3), picture, Finish(0.0, 1.0, "light"), 30)
    assert same.tobytes() == worn[3].tobytes()


def test_small_print_is_worn_less() -> None:
    picture = Image.new("RGB", (200, 100), "white")
    picture.paste((0, 0, 0), (20, 20, 90, 40))
    base = np.asarray(picture).astype(int)

    def change(size: float) -> float:
        pictures = (touch(rng(seed), picture, Finish(0.0, 1.0, "light"), size) for seed in range(12))
        return float(np.mean([np.abs(np.asarray(one).astype(int) - base).mean() for one in pictures]))

    assert change(8) < 0.7 * change(64)


@pytest.mark.parametrize("wrong", [(2.0, 0.5, "light"), (0.5, -1.0, "light"), (0.5, 0.5, "soap")])
def test_a_finish_out_of_range_is_refused(wrong: tuple[float, float, str]) -> None:
    with pytest.raises(InvalidValue):
        Finish(*wrong)
