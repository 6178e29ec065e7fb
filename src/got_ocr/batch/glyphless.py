"""A font without a mark in it: what carries text that is found and copied but not seen. Knows no page.

Every letter is a code of its own that the font maps to one glyph, and back to Unicode. The glyph is a line that encloses
nothing, from corner to corner of a letter's place: readers measure letters by it, and pass over those without extent.
Source: PDF 32000-1, 9.3.6 (rendering mode 3), 9.7 (composite fonts) and 9.10.3 (ToUnicode); OpenType for the font file.
"""

import struct

EM = 1000
ADVANCE = 500  # of every letter, thousandths of the size
ASCENT, DESCENT = 800, -200
_MAGIC = 0x5F0F3CF5
_ROWS = 100  # a mapping holds at most so many lines in one block


class Codes:
    """Give letters codes, in the order in which they are asked for; 0 stays unused."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def encode(self, text: str) -> bytes:
        """Give two bytes a letter. Letters beyond the 65,534 that a font takes are left out."""
        codes = [self._codes.setdefault(c, len(self._codes) + 1) for c in text if c in self._codes or self._has_room]
        return struct.pack(f">{len(codes)}H", *codes)

    @property
    def count(self) -> int:
        """The number of letters that have a code."""
        return len(self._codes)

    @property
    def _has_room(self) -> bool:
        return len(self._codes) < 0xFFFE

    def to_unicode(self) -> bytes:
        """Write the mapping from codes back to letters."""
        rows = [f"<{code:04X}> <{c.encode('utf-16-be').hex().upper()}>" for c, code in self._codes.items()]
        blocks = [rows[at : at + _ROWS] for at in range(0, len(rows), _ROWS)]
        body = "".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar\n" for block in blocks)
        return (
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
            f"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{body}"
            "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
        ).encode("ascii")

    def glyphs(self) -> bytes:
        """Map every code to the one glyph."""
        return b"\0\0" + b"\0\1" * self.count


def font_file() -> bytes:
    """Make a TrueType font of two glyphs: an empty one for missing letters, and the one that stands for all."""
    corners = (0, DESCENT, ADVANCE, ASCENT)
    # One contour of two points that lie on it, each given by its step from the one before.
    glyph = struct.pack(">5h2H2B4h", 1, *corners, 1, 0, 1, 1, 0, ADVANCE, DESCENT, ASCENT - DESCENT)
    tables = {
        b"glyf": glyph,
        b"head": struct.pack(
            ">4I2H2q4h2H3h",
            *(0x10000, 0x10000, 0, _MAGIC),
            *(3, EM, 0, 0),
            *corners,
            *(0, 3, 2, 0, 0),
        ),
        b"hhea": struct.pack(">I3hH11hH", 0x10000, ASCENT, DESCENT, 0, ADVANCE, *(0, 0, ADVANCE, 1, 0, 0, *[0] * 5), 2),
        b"hmtx": struct.pack(">HhHh", ADVANCE, 0, ADVANCE, 0),
        b"loca": struct.pack(">3H", 0, 0, len(glyph) // 2),
        b"maxp": struct.pack(">I14H", 0x10000, 2, 2, 1, 0, 0, 1, *[0] * 8),
    }
    sums = _assembled(tables)
    total = (0xB1B0AFBA - _sum(sums)) & 0xFFFFFFFF
    tables[b"head"] = tables[b"head"][:8] + struct.pack(">I", total) + tables[b"head"][12:]
    return _assembled(tables)


def _assembled(tables: dict[bytes, bytes]) -> bytes:
    power = max(n for n in range(16) if 2**n <= len(tables))
    head = struct.pack(">I4H", 0x10000, len(tables), 16 * 2**power, power, 16 * (len(tables) - 2**power))
    at, rows, body = len(head) + 16 * len(tables), b"", b""
    for tag, data in tables.items():
        # The checksum of `head` is taken with its own field at nought.
        summed = data[:8] + b"\0\0\0\0" + data[12:] if tag == b"head" else data
        rows += tag + struct.pack(">3I", _sum(summed), at + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    return head + rows + body


def _sum(data: bytes) -> int:
    padded = data + b"\0" * (-len(data) % 4)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}I", padded)
    return sum(words) & 0xFFFFFFFF
