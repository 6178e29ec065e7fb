"""What was read of texts -> names of places, in the order in which a drawing would introduce them. Knows no picture."""

from collections.abc import Mapping, Sequence

POOLS = ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "XYZWUVST")
EXTRA = "OIHGPSV"  # centres, feet, tips


def pool_of(names: Sequence[str]) -> str:
    """Tell in which order letters were given."""
    first = {name[0] for name in names}
    return POOLS[1] if {"X", "Y"} <= first and not first & set("ABCDEFGHMN") else POOLS[0]


def ordered(names: Mapping[int, str], centre_first: bool) -> list[int]:
    """Sort places by their names: letters, then those with primes or numbers, O where it belongs. names: of places."""
    pool = pool_of(list(names.values()))
    letters = {name for name in names.values() if len(name) == 1}

    def key(place: int) -> tuple[int, int, str]:
        name = names[place]
        if len(name) > 1 and name[0] in "OF" and name[1:] in ("1", "2") and name[0] not in letters:
            return (-1, 0, name)
        if len(name) > 1:
            return (1, pool.find(name[0]), name)
        if name == "O" and _special(letters, pool):
            return (-1 if centre_first else 2, 0, name)
        return (0, pool.find(name), name)

    return sorted(names, key=key)


def _special(letters: set[str], pool: str) -> bool:
    """Say whether O stands outside of the row of letters: a row that comes as far is rare."""
    return pool != POOLS[0] or not set("ABCDEFGHIJKLMN") <= letters
