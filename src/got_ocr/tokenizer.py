"""The byte-pair vocabulary: text <-> ids. Special ids are named here and nowhere else.

Reads the two published forms, `*.tiktoken` (base64 piece and rank on each line) and `tokenizer.json`, into the same thing, and writes
both. Special tokens follow the ranks in a fixed order; text from outside never becomes one of them. Knows no prompt and no model.
Source: the Qwen vocabulary's published files (151,643 ranks).
"""

import base64
import binascii
import codecs
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from got_ocr.errors import ModelError

if TYPE_CHECKING:
    import tiktoken

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
MOST_BYTES = 1 << 26  # of a vocabulary file; the largest known one has a sixth of it
SPECIALS: tuple[str, ...] = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    *(f"<|extra_{i}|>" for i in range(205)),
    "<ref>",
    "</ref>",
    "<box>",
    "</box>",
    "<quad>",
    "</quad>",
    "<img>",
    "</img>",
    "<imgpad>",
)


@dataclass(frozen=True)
class Tokenizer:
    """Turn text into ids and back. ranks: every piece of bytes and its id, dense from 0."""

    ranks: Mapping[bytes, int]

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """Read a model folder's vocabulary: `*.tiktoken` first, else `tokenizer.json`. Raises ModelError."""
        plain, path = sorted(folder.glob("*.tiktoken")), folder / "tokenizer.json"
        if plain:
            return cls(_checked(read_tiktoken(plain[0])))
        if path.exists():
            return cls(_checked(read_tokenizer_json(path)))
        raise ModelError(
            "the model folder holds no vocabulary: expected qwen.tiktoken, vocab.tiktoken or tokenizer.json"
        )

    @cached_property
    def _bpe(self) -> "tiktoken.Encoding":
        import tiktoken

        return tiktoken.Encoding("got", pat_str=SPLIT, mergeable_ranks=dict(self.ranks), special_tokens={})

    @cached_property
    def _pieces(self) -> list[bytes]:
        pieces = [b""] * len(self.ranks)
        for piece, rank in self.ranks.items():
            pieces[rank] = piece
        return pieces

    def __len__(self) -> int:
        return len(self.ranks) + len(SPECIALS)

    def special(self, token: str) -> int:
        """Name the id of a special token."""
        return len(self.ranks) + SPECIALS.index(token)

    @cached_property
    def end(self) -> int:
        """Name the id that ends an answer."""
        return self.special("<|im_end|>")

    @cached_property
    def pad(self) -> int:
        """Name the id that fills up rows."""
        return self.special("<|endoftext|>")

    @cached_property
    def image(self) -> int:
        """Name the id that an image token stands on."""
        return self.special("<imgpad>")

    def encode(self, text: str) -> list[int]:
        """Turn text into ids; what looks like a special token stays plain text."""
        return self._bpe.encode_ordinary(unicodedata.normalize("NFC", text))

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Join the bytes of ids; special ids are dropped."""
        pieces = self._pieces
        return b"".join(pieces[i] for i in ids if 0 <= i < len(pieces))

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids into text; bytes that are no UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def stream(self) -> "StreamDecoder":
        """Start decoding ids one by one."""
        return StreamDecoder(self)

    def made_of(self, older: "Tokenizer") -> list[list[int]]:
        """Say for each id which ids of another vocabulary it stands for: its own there, or those that its text falls into."""
        pieces = [
            [older.ranks[piece]] if piece in older.ranks else older.encode(piece.decode("utf-8", "replace"))
            for piece in self._pieces
        ]
        return pieces + [[older.special(token)] for token in SPECIALS]

    def save_tiktoken(self, path: Path) -> None:
        """Write the ranks as base64 lines."""
        rows = sorted(self.ranks.items(), key=lambda item: item[1])
        path.write_text("".join(f"{base64.b64encode(piece).decode()} {rank}\n" for piece, rank in rows), "ascii")

    def save_tokenizer_json(self, path: Path) -> None:
        """Write the form that transformers reads, merges and special tokens included."""
        path.write_text(json.dumps(_tokenizer_json(self.ranks), ensure_ascii=False), "utf-8")


class StreamDecoder:
    """Give out only whole characters, however the ids cut their bytes."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        """Add one id; return the characters that it completes."""
        return self._utf8.decode(self._tokenizer.decode_bytes([token]))

    def finish(self) -> str:
        """Return what is left (U+FFFD for half a character)."""
        return self._utf8.decode(b"", True)


def read_tiktoken(path: Path) -> dict[bytes, int]:
    """Read base64 pieces and ranks. Raises ModelError for a line that is neither."""
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(_read(path).splitlines(), 1):
        try:
            piece, rank = line.split()
            ranks[base64.b64decode(piece, validate=True)] = int(rank)
        except (ValueError, binascii.Error):
            raise ModelError(f"vocabulary {path.name}: line {number} is not a base64 piece and a rank") from None
    return ranks


def read_tokenizer_json(path: Path) -> dict[bytes, int]:
    """Read the byte-level vocabulary of a `tokenizer.json`. Raises ModelError for any other kind of tokenizer."""
    try:
        data: Any = json.loads(_read(path))
        vocab, kind = data["model"]["vocab"], data["model"]["type"]
        added = {row["content"]: row["id"] for row in data.get("added_tokens", [])}
        letters = {letter: byte for byte, letter in byte_letters().items()}
        ranks = {bytes(letters[c] for c in piece): rank for piece, rank in vocab.items() if piece not in added}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ModelError(f"{path.name} is not a byte-level BPE vocabulary") from None
    if kind != "BPE":
        raise ModelError(f"{path.name} is not a byte-level BPE vocabulary")
    wrong = [t for i, t in enumerate(SPECIALS) if added.get(t, len(ranks) + i) != len(ranks) + i]
    if wrong:
        raise ModelError(f"{path.name}: special tokens at unexpected ids: {', '.join(wrong[:5])}")
    return ranks


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():  # a folder, or a pipe that would never end
            raise ModelError(f"vocabulary {path.name} is not a regular file")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError:
        raise ModelError(f"vocabulary {path.name} cannot be read") from None
    if len(data) > MOST_BYTES:
        raise ModelError(f"vocabulary {path.name} is larger than {MOST_BYTES} bytes")
    return data


def _checked(ranks: dict[bytes, int]) -> dict[bytes, int]:
    whole = all(type(rank) is int for rank in ranks.values()) and b"" not in ranks
    if not whole or sorted(ranks.values()) != list(range(len(ranks))):
        raise ModelError("vocabulary: the ranks of its pieces are not whole numbers, dense from 0")
    if any(bytes([b]) not in ranks for b in range(256)):
        raise ModelError("vocabulary: a byte has no piece of its own")
    return ranks


def byte_letters() -> dict[int, str]:
    """Map each byte to the printable letter that byte-level JSON vocabularies write for it."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = (b for b in range(256) if b not in keep)
    return {b: chr(b) for b in keep} | {b: chr(256 + i) for i, b in enumerate(rest)}


def _merge_pair(piece: bytes, rank: int, ranks: Mapping[bytes, int]) -> Sequence[bytes]:
    """Split a piece into the two pieces that its merge joins, by merging its bytes with lower ranks only."""
    parts = [bytes([b]) for b in piece]
    while len(parts) > 2:
        found = ((ranks.get(parts[i] + parts[i + 1], rank), i) for i in range(len(parts) - 1))
        best, at = min(found)
        if best >= rank:
            break
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts


def _tokenizer_json(ranks: Mapping[bytes, int]) -> dict[str, Any]:
    letters = byte_letters()

    def spell(piece: bytes) -> str:
        return "".join(letters[b] for b in piece)

    order = sorted(ranks.items(), key=lambda item: item[1])
    merges = [[spell(p) for p in _merge_pair(piece, rank, ranks)] for piece, rank in order if len(piece) > 1]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    level = {"add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": len(ranks) + i, "content": t, **flags} for i, t in enumerate(SPECIALS)],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, {"type": "ByteLevel", **level}]},
        "post_processor": {"type": "ByteLevel", **level},
        "decoder": {"type": "ByteLevel", **level},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {spell(piece): rank for piece, rank in order},
            "merges": [pair for pair in merges if len(pair) == 2],
        },
    }
