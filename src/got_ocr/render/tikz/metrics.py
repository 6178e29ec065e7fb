"""Widths of a serif's letters in thousandths of its size, near enough to place labels. A table (Times, Adobe metrics)."""

_ROMAN = (
    "250 333 408 500 500 833 778 180 333 333 500 564 250 333 250 278 500 500 500 500 500 500 500 500 500 500 278 278 564 "
    "564 564 444 921 722 667 667 722 611 556 722 722 333 389 722 611 889 722 722 556 722 667 556 611 722 722 944 722 722 "
    "611 333 278 333 469 500 333 444 500 444 500 444 333 500 500 278 278 500 278 778 500 500 500 500 333 389 278 500 500 "
    "722 500 500 444 480 200 480 541"
)
_ITALIC_CAPITALS = (
    "611 611 667 722 611 611 722 722 333 444 667 556 833 667 722 611 722 611 500 556 722 611 833 611 556 556"
)
_ITALIC_SMALL = (
    "500 500 444 500 444 278 500 500 278 278 444 278 722 500 500 500 500 389 389 278 500 444 667 444 444 389"
)
_WIDTHS = {chr(32 + at): int(width) for at, width in enumerate(_ROMAN.split())}
_ITALIC = {chr(65 + at): int(width) for at, width in enumerate(_ITALIC_CAPITALS.split())}
_ITALIC |= {chr(97 + at): int(width) for at, width in enumerate(_ITALIC_SMALL.split())}
_OTHERS = {
    "−": 564,
    "×": 564,
    "·": 250,
    "⋅": 250,
    "°": 400,
    "∘": 400,
    "′": 250,
    "→": 1000,
    "⇒": 1000,
    "∠": 700,
    "△": 750,
}


def width(text: str, size: float, *, italic: bool = False, bold: bool = False) -> float:
    """Return how wide a run is set in `size` points."""
    total = sum(_one(char, italic) for char in text)
    return total * size / 1000 * (1.06 if bold else 1.0)


def _one(char: str, italic: bool) -> float:
    if italic and char in _ITALIC:
        return _ITALIC[char]
    if char in _WIDTHS:
        return _WIDTHS[char]
    if char in _OTHERS:
        return _OTHERS[char]
    return 1000 if char >= "\u2e80" and char < "\U0001d400" else 560
