"""Names of output files: below the output folder, legal on every system, and never the same for two documents.

A name keeps what it can of the source's; where letters had to go, a tag of its bytes' hash keeps it apart from others.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

# File systems take 255 bytes: room is left for the tag and for ".summary.jsonl" and the like.
_MOST_BYTES = 200
_ILLEGAL = re.compile('[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff<>:"/\\\\|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
STATE = ".got-ocr-batch"  # the folder, inside the output folder, that journal, leases and records lie in
SUMMARY = "batch-summary.jsonl"


def stems(sources: Sequence[str]) -> list[str]:
    """Give each source, a relative path with `/`, the path of its outputs up to their suffix.

    Two that differ only for some file systems (by case, or by how accents are written) both get a tag.
    """
    legal = ["/".join(_part(part) for part in PurePosixPath(source).parts) for source in sources]
    folded = Counter(_folded(name) for name in legal)
    return [
        f"{_cut(name)}{_tag(source)}" if folded[_folded(name)] > 1 else name
        for name, source in zip(legal, sources, strict=True)
    ]


def _part(part: str) -> str:
    legal = _ILLEGAL.sub("_", part).rstrip(". ")
    if _DEVICES.fullmatch(legal) or legal in ("", STATE) or legal.startswith(SUMMARY):
        legal = f"_{legal}"
    legal = _cut(legal)
    return legal if legal == part else legal + _tag(part)


def _cut(name: str) -> str:
    folder, _, last = name.rpartition("/")
    last = last.encode("utf-8", "replace")[:_MOST_BYTES].decode("utf-8", "ignore")
    return f"{folder}/{last}" if folder else last


def _tag(source: str) -> str:
    return "~" + hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
