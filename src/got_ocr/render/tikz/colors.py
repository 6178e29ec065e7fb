"""Colour names and mixtures as xcolor writes them -> `#rrggbb`. Nothing else can come out."""

import re
from collections.abc import Mapping

_NAMES = """
black 000000 white ffffff red ff0000 green 00ff00 blue 0000ff cyan 00ffff magenta ff00ff yellow ffff00 gray
808080 grey 808080 darkgray 404040 lightgray bfbfbf brown bf8040 lime bfff00 olive 808000 orange ff8000 pink
ffbfbf purple bf0040 teal 008080 violet 800080 navy 000080 maroon 800000 gold ffd700 silver c0c0c0 indigo 4b0082
crimson dc143c coral ff7f50 salmon fa8072 turquoise 40e0d0 skyblue 87ceeb steelblue 4682b4 royalblue 4169e1
forestgreen 228b22 darkgreen 006400 darkblue 00008b darkred 8b0000 lightblue add8e6 lightgreen 90ee90 tomato
ff6347 chocolate d2691e khaki f0e68c plum dda0dd beige f5f5dc tan d2b48c aqua 00ffff fuchsia ff00ff seagreen
2e8b57 slateblue 6a5acd dodgerblue 1e90ff orangered ff4500
"""
_DEFINED = {name: value for name, value in zip(_NAMES.split()[::2], _NAMES.split()[1::2], strict=True)}
_HEX = re.compile(r"[0-9a-fA-F]{6}\Z")


def color(text: str, defined: Mapping[str, str] | None = None) -> str | None:
    """Return the colour of `red`, `blue!30`, `red!50!green`, `-red` as `#rrggbb`, or None where it is no colour."""
    parts = text.strip().split("!")
    if len(parts) > 12 or not parts[0]:
        return None
    mixed = _named(parts[0], defined or {})
    for at in range(1, len(parts), 2):
        try:
            share = min(100.0, max(0.0, float(parts[at]))) / 100
        except ValueError:
            return None
        other = _named(parts[at + 1], defined or {}) if at + 1 < len(parts) else (255, 255, 255)
        if mixed is None or other is None:
            return None
        mixed = (
            round(mixed[0] * share + other[0] * (1 - share)),
            round(mixed[1] * share + other[1] * (1 - share)),
            round(mixed[2] * share + other[2] * (1 - share)),
        )
    return None if mixed is None else "#{:02x}{:02x}{:02x}".format(*mixed)


def _named(name: str, defined: Mapping[str, str]) -> tuple[int, int, int] | None:
    name = name.strip()
    complement = name.startswith("-")
    name = name.removeprefix("-")
    value = defined.get(name, "").removeprefix("#") or _DEFINED.get(name) or _DEFINED.get(name.lower())
    if value is None:
        return None
    red, green, blue = (int(value[at : at + 2], 16) for at in (0, 2, 4))
    return (255 - red, 255 - green, 255 - blue) if complement else (red, green, blue)


def defined_color(model: str, values: str) -> str | None:
    """Return the colour of `\\definecolor{..}{model}{values}` for rgb, RGB, HTML and gray."""
    model, values = model.strip(), values.strip()
    if model == "HTML":
        return f"#{values.lower()}" if _HEX.match(values) else None
    try:
        numbers = [float(part) for part in values.split(",")]
    except ValueError:
        return None
    factor = 1.0 if model == "RGB" else 255.0
    if model == "gray":
        numbers = numbers[:1] * 3
    if model not in ("rgb", "RGB", "gray") or len(numbers) != 3:
        return None
    return "#{:02x}{:02x}{:02x}".format(*(round(min(255.0, max(0.0, value * factor))) for value in numbers))
