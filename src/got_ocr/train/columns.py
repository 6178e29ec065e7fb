"""Figure -> what its columns show from left to right, a byte each: the target of the auxiliary loss. Knows no picture and no network.

A formula is nearly a text line: its symbols stand one after another, apart from indices. Fractions, matrices and the like stack whole rows
and have no such order; they, and figures that are no formulas, get no target.
"""

import re
import zlib

from got_ocr.data.sample import Sample

STACKED = re.compile(r"\\(begin|[dt]?frac|binom|substack|stackrel|overset|underset|overbrace|underbrace|xrightarrow)\b")
# Space, size or plain letters: they draw no stroke of their own.
UNSEEN = {"left", "right", "quad", "qquad", "displaystyle", "limits", "mathrm", "operatorname", "text"}
SYMBOL = re.compile(r"\\([A-Za-z]+)|[^\s{}^_&\\]")
NOTE = re.compile(r"(\d+\.*)([A-Ga-gr]+)")


def columns(sample: Sample) -> bytes:
    """Name the symbols of a formula in reading order: letters as they are, a command as one byte from 128 on.

    Several commands share a byte: the loss teaches where symbols stand, and the decoder which they are.
    """
    if sample.kind != "formula" or STACKED.search(sample.target):
        return b""
    seen = bytearray()
    for found in SYMBOL.finditer(sample.target.removeprefix("\\[").removesuffix("\\]")):
        name = found[1]
        if name is None:
            seen += found[0].encode()[:1]
        elif name not in UNSEEN:
            seen.append(128 + zlib.crc32(name.encode()) % 128)
    return bytes(seen)


def staff_columns(text: str) -> bytes:
    """Name the notes of a staff in the order in which they stand: two bytes from 64 on for the first of each moment, how long and how high.

    Barlines show as they are.
    """
    seen = bytearray()
    for line in text.split("\n"):
        if line.startswith("="):
            seen += b"="
        elif not line.startswith("*"):
            for note in NOTE.finditer(line.replace(".\t", "")):
                seen += bytes([64 + zlib.crc32(note[1].encode()) % 64, 128 + zlib.crc32(note[2].encode()) % 128])
                break
    return bytes(seen)
