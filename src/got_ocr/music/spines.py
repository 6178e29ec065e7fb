"""Lines of **kern that belong to all spines: spines that split for a second voice and merge again. Knows no note."""

from collections.abc import Sequence


def every(word: str, voices: Sequence[int]) -> str:
    """Write one word in all spines. voices: how many spines each staff has, the lowest first."""
    return "\t".join([word] * sum(voices))


def split(old: Sequence[int], new: Sequence[int]) -> list[str]:
    """Write the line that opens second voices, if any."""
    if all(a >= b for a, b in zip(old, new, strict=True)):
        return []
    words: list[str] = []
    for a, b in zip(old, new, strict=True):
        words += ["*^"] if a < b else ["*"] * a
    return ["\t".join(words)]


def merged(old: Sequence[int], new: Sequence[int]) -> list[str]:
    """Write the lines that close second voices, one staff at a time: neighbours would melt together."""
    out, now = [], list(old)
    for staff, (a, b) in enumerate(zip(old, new, strict=True)):
        if a > b:
            words: list[str] = []
            for other, count in enumerate(now):
                words += ["*v", "*v"] if other == staff else ["*"] * count
            out.append("\t".join(words))
            now[staff] = 1
    return out
