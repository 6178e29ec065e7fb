r"""How TikZ is spelt: numbers, places, styles, texts of nodes. Knows no picture."""

import re

NAMES = re.compile(r"[A-Z](_?\d|'+)?")
_WORDS = {"α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "θ": r"\theta", "φ": r"\varphi", "ϕ": r"\varphi", "°": r"^\circ",
          "²": "^2"}  # fmt: skip


def number(value: float) -> str:
    """Write a number with at most two decimals and no idle zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def spot(z: complex) -> str:
    """Write coordinates."""
    return f"({number(z.real)},{number(z.imag)})"


def style(color: str = "", thick: bool = False, dash: str = "", arrow: str = "", fill: str = "") -> str:
    """Write the options of a path."""
    words = [arrow, color, "thick" if thick else "", dash, f"fill={fill}!20" if fill else ""]
    told = ",".join(word for word in words if word)
    return f"[{told}]" if told else ""


def formula(text: str) -> str:
    """Turn the plain text of a label into TeX between dollars."""
    text = re.sub(r"[\\{}$\n;]", "", text).strip()
    unit = re.fullmatch(r"(\d+)\s*(cm|mm|m)", text)
    if unit:
        return rf"${unit[1]}\,\mathrm{{{unit[2]}}}$"
    if text == "1/2":
        return r"$\frac{1}{2}$"
    text = re.sub(r"√(\w+)", r"\\sqrt{\1}", text)
    text = re.sub(r"^([A-Z])(\d)$", r"\1_\2", text)
    for sign, word in _WORDS.items():
        text = text.replace(sign, word)
    return f"${text}$"


def name_of(text: str) -> str:
    """Give the name of a point that a label tells; empty where it tells none."""
    text = text.strip().replace("`", "'").replace("’", "'").replace("′", "'")
    text = text.replace("₁", "1").replace("₂", "2").replace("_", "")
    return text if NAMES.fullmatch(text) else ""
