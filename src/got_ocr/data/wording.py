"""What printed lines say: running text, and the short things that text corpora lack.

Knows no font and draws nothing.
"""

from typing import TYPE_CHECKING

from got_ocr.data import columns, corpus, phrases
from got_ocr.data.charset import ASCII, clean

if TYPE_CHECKING:
    import numpy as np

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_ENDS = ("com", "org", "net", "edu", "io", "co.uk", "de", "fr", "gov", "info")
_UNITS = ("kg", "km", "mm", "ml", "GB", "MHz", "%", "V", "h", "min", "°C", "m/s", "kWh", "pt", "px", "dB")
_COINS = ("$", "€", "£", "¥", "USD ", "EUR ")
_CODE = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
_SYMBOLS = "".join(char for char in ASCII if not char.isalnum() and char != " ")


def lines(
    rng: "np.random.Generator", split: str, count: int, chars: tuple[int, int], allowed: frozenset[str], prose: float
) -> list[str]:
    """Write up to `count` lines, each of `chars` (least, most) characters of `allowed` where words permit.

    prose: share of blocks that are running text; the rest are words, numbers, addresses, codes and titles.
    """
    kind = "prose" if rng.random() < prose else _KINDS[int(rng.integers(len(_KINDS)))]
    if kind in ("prose", "caps", "title"):
        width = int(rng.integers(chars[0], chars[1] + 1))
        raw = corpus.passage(split, rng, width * count + 20)
        if kind != "prose":
            raw = raw.upper() if kind == "caps" else " ".join(word[:1].upper() + word[1:] for word in raw.split(" "))
        return wrap(clean(raw, allowed), width, chars[1])[:count]
    made = (clean(_fill(rng, split, kind, chars), allowed) for _ in range(count))
    return [text for text in made if text]


def chinese_lines(
    rng: "np.random.Generator", split: str, count: int, chars: tuple[int, int], allowed: frozenset[str], prose: float
) -> list[str]:
    """Write up to `count` Chinese lines as `lines` does: running text, or words, numbers and mixtures of the two."""
    width = int(rng.integers(chars[0], chars[1] + 1))
    if rng.random() < prose:
        text = clean(corpus.passage(split, rng, width * count + 20, "zh"), allowed)
        rows = [row.text for row in columns.chinese(text, width, len)]
    else:
        rows = [clean(_sign(rng, split, width), allowed) for _ in range(count)]
    # A line of closing marks alone is no line that a sign would have.
    return [row for row in rows if any(char.isalnum() for char in row) and len(row) <= chars[1] + 2][:count]


def _sign(rng: "np.random.Generator", split: str, length: int) -> str:
    """Join words up to a length; now and then a number, a price or an address stands at the end."""
    text = phrases.zh_word(rng)
    while len(text) < length - 1:
        text += (" " if rng.random() < 0.15 else "") + phrases.zh_word(rng)
    extra = thing(rng, split)
    return f"{text} {extra}" if rng.random() < 0.25 and len(text) + len(extra) < length + 6 else text[:length]


_KINDS = ("caps", "title", "words", "things", "things", "code", "punctuation")


def wrap(text: str, width: int, most: int) -> list[str]:
    """Break text at spaces into lines of at most `width` characters.

    A longer word stands alone, or is left out over `most`.
    """
    rows: list[str] = []
    row = ""
    for word in text.split(" "):
        if len(word) > most:
            continue
        if row and len(row) + 1 + len(word) > width:
            rows.append(row)
            row = word
        else:
            row = f"{row} {word}" if row else word
    return [*rows, row] if row else rows


def _fill(rng: "np.random.Generator", split: str, kind: str, chars: tuple[int, int]) -> str:
    """Join items of one kind up to a length between `chars`."""
    length = int(rng.integers(chars[0], chars[1] + 1))
    parts: list[str] = []
    size = -1
    for _ in range(32):
        part = _item(rng, split, kind)
        if size + 1 + len(part) > max(length, 6) and parts:
            break
        if len(part) <= chars[1]:
            parts.append(part)
            size += 1 + len(part)
    return " ".join(parts)


def _item(rng: "np.random.Generator", split: str, kind: str) -> str:
    if kind == "words":
        return corpus.word(split, rng)
    if kind == "things":
        return thing(rng, split)
    if kind == "code":
        return _string(rng, _CODE if rng.random() < 0.6 else ASCII[1:], int(rng.integers(2, 13)))
    word = corpus.word(split, rng)
    marks = [_string(rng, _SYMBOLS, int(rng.integers(1, 3))) for _ in range(2)]
    return f"{marks[0]}{word}{marks[1]}" if rng.random() < 0.7 else f"{word}{marks[0]}{word[::-1]}"


def _string(rng: "np.random.Generator", chars: str, length: int) -> str:
    return "".join(chars[rank] for rank in rng.integers(len(chars), size=length).tolist())


def thing(rng: "np.random.Generator", split: str) -> str:
    """Write one number, price, date, time, address or reference."""
    return _THINGS[int(rng.integers(len(_THINGS)))](rng, split)


def _number(rng: "np.random.Generator", split: str) -> str:
    value = float(10 ** rng.uniform(0, 7))
    forms = (
        f"{int(value):,}",
        f"{int(value)}",
        f"{value:,.2f}",
        f"-{value:.1f}",
        f"{value:.3e}",
        f"{int(value) % 100}%",
    )
    return forms[int(rng.integers(len(forms)))]


def _price(rng: "np.random.Generator", split: str) -> str:
    value = float(10 ** rng.uniform(0, 5))
    return f"{_COINS[int(rng.integers(len(_COINS)))]}{value:,.2f}"


def _measure(rng: "np.random.Generator", split: str) -> str:
    value = float(10 ** rng.uniform(0, 4))
    unit = _UNITS[int(rng.integers(len(_UNITS)))]
    return f"{value:.1f} {unit}" if rng.random() < 0.5 else f"{int(value)} {unit}"


def _date(rng: "np.random.Generator", split: str) -> str:
    day, month, year = int(rng.integers(1, 29)), int(rng.integers(12)), int(rng.integers(1900, 2040))
    name = _MONTHS[month]
    forms = (
        f"{day} {name} {year}", f"{name} {day}, {year}", f"{year}-{month + 1:02}-{day:02}", f"{month + 1}/{day}/{year}",
        f"{day:02}.{month + 1:02}.{year}", f"{_DAYS[day % 7]}, {name[:3]} {day}", f"{name[:3]}. {year}",
    )  # fmt: skip
    return forms[int(rng.integers(len(forms)))]


def _time(rng: "np.random.Generator", split: str) -> str:
    hour, minute = int(rng.integers(24)), int(rng.integers(60))
    forms = (
        f"{hour}:{minute:02}",
        f"{hour % 12 + 1}:{minute:02} {'ap'[hour // 12]}.m.",
        f"{hour:02}:{minute:02}:{hour:02}",
    )
    return forms[int(rng.integers(len(forms)))]


def _name(rng: "np.random.Generator", split: str) -> str:
    letters = "".join(char for char in corpus.word(split, rng) if char.isascii() and char.isalnum())
    return letters.lower() or "page"


def _email(rng: "np.random.Generator", split: str) -> str:
    end = _ENDS[int(rng.integers(len(_ENDS)))]
    joint = "._-"[int(rng.integers(3))]
    return f"{_name(rng, split)}{joint}{_name(rng, split)}@{_name(rng, split)}.{end}"


def _url(rng: "np.random.Generator", split: str) -> str:
    host = f"{_name(rng, split)}.{_ENDS[int(rng.integers(len(_ENDS)))]}"
    path = "/".join(_name(rng, split) for _ in range(int(rng.integers(0, 3))))
    scheme = ("https://", "http://", "www.", "")[int(rng.integers(4))]
    query = f"?{_name(rng, split)}={int(rng.integers(1000))}" if rng.random() < 0.2 else ""
    return f"{scheme}{host}/{path}{query}" if path else f"{scheme}{host}"


def _phone(rng: "np.random.Generator", split: str) -> str:
    digits = _string(rng, "0123456789", 10)
    forms = (
        f"({digits[:3]}) {digits[3:6]}-{digits[6:]}",
        f"+{digits[:2]} {digits[2:5]} {digits[5:]}",
        f"{digits[:4]}-{digits[4:]}",
    )
    return forms[int(rng.integers(len(forms)))]


def _reference(rng: "np.random.Generator", split: str) -> str:
    number = int(rng.integers(1, 400))
    forms = (
        f"No. {number}", f"#{number:05}", f"[{number % 60}]", f"Fig. {number % 20}.{number % 7}",
        f"pp. {number}–{number + 9}",
        f"§ {number % 90}", f"v{number % 9}.{number % 13}.{number % 5}", f"({number % 26})", f"{number}th",
        f"Table {number % 30}:",
        f"{_string(rng, _CODE, 3)}-{number}", f"{_string(rng, _CODE, 4)} {_string(rng, _CODE, 4)}",
        f"Q{number % 4 + 1} {1990 + number % 40}",
    )  # fmt: skip
    return forms[int(rng.integers(len(forms)))]


_THINGS = (_number, _number, _price, _measure, _date, _date, _time, _email, _url, _phone, _reference, _reference)
