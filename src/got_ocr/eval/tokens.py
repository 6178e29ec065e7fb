"""What counts as a word: split by white space, by jieba where Chinese occurs, or into characters. Knows no metric."""

import re
from functools import lru_cache
from typing import Any, Literal

from got_ocr.errors import MissingDependency

Unit = Literal["words", "characters"]

# The range that the published scorers call Chinese.
_CHINESE = re.compile("[\u4e00-\u9fa5]")


def has_chinese(text: str) -> bool:
    """Tell whether a common Chinese character occurs in `text`."""
    return _CHINESE.search(text) is not None


def unit_of(kind: str) -> Unit:
    """Name the unit that the published scorers use for a kind of picture: characters for scene text, else words."""
    return "characters" if "scene" in kind.lower() else "words"


def token_pair(first: str, second: str, unit: Unit) -> tuple[list[str], list[str]]:
    """Split two texts alike: as soon as one holds Chinese, jieba cuts both.

    jieba returns blanks and punctuation as tokens of their own, as the published scores count them.
    """
    if unit == "characters":
        return list(first), list(second)
    if has_chinese(first) or has_chinese(second):
        cutter = _jieba()
        return cutter.lcut(first), cutter.lcut(second)
    return first.split(), second.split()


@lru_cache(maxsize=1)
def _jieba() -> Any:
    """Load jieba's dictionary; about a second, once."""
    try:
        import jieba
    except ImportError:
        raise MissingDependency("Chinese words need jieba: pip install 'got-ocr[eval]'") from None
    cutter = jieba.Tokenizer()
    # The usual way goes through a marshalled cache under a fixed name in the shared temporary folder, which anybody
    # may have written; building the table from the packaged word list costs a second and reads nothing else.
    cutter.FREQ, cutter.total = cutter.gen_pfdict(cutter.get_dict_file())
    cutter.initialized = True
    return cutter
