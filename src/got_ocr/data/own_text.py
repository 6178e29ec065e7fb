"""Sentences of our own, so that the engine runs where no corpus is installed. Knows no file."""

from functools import lru_cache

_SUBJECTS = (
    "The old clock", "A quiet engineer", "My neighbour", "The night train", "Every second reader", "Their small garden",
    "The printed page", "An early bird", "The harbour office", "Our new printer",
)  # fmt: skip
_VERBS = ("keeps", "measures", "forgets", "repairs", "follows", "paints", "counts", "delivers", "explains", "borrows")
_OBJECTS = (
    "twelve green bottles", "the longest sentence", "a box of letters", "both copies of the map", "the price of bread",
    "seven wide columns", "a quick answer", "the missing key", "some coffee and jam", "the first chapter",
)  # fmt: skip
_ENDINGS = (
    "before noon.", "in the rain; nobody minds.", "(again)!", "for $14.50 a week.", "without a word.", "at 9:45 sharp.",
    "- or so they say.", "while the kettle boils.", "on page 273.", "because “it works”.",
)  # fmt: skip


@lru_cache(maxsize=2)
def sentences(held_out: bool) -> tuple[str, ...]:
    """List a few hundred sentences; the held-out half shares no whole sentence with the other."""
    rows = [
        f"{subject} {verb} {_OBJECTS[(one + 3 * two) % 10]} {_ENDINGS[(7 * one + two) % 10]}"
        for one, subject in enumerate(_SUBJECTS)
        for two, verb in enumerate(_VERBS)
    ]
    pairs = [f"{first} {second}" for first, second in zip(rows, rows[7:] + rows[:7], strict=True)]
    return tuple(pairs[1::2] if held_out else pairs[::2])


_PLACES = (
    "桥边的小店",
    "山下的学校",
    "城里的书店",
    "河边的老人",
    "对面的邮局",
    "楼上的邻居",
    "新来的老师",
    "远方的朋友",
)
_DEEDS = (
    "每天早上",
    "下雨的时候",
    "到了秋天",
    "去年冬天",
    "过节以前",
    "工作之后",
    "星期六下午",
    "太阳出来时",
)
_THINGS = (
    "写一封长信。",
    "读三本旧书。",
    "修好了那台打印机。",
    "总要喝一杯热茶！",
    "数一数窗外的树。",
    "记下今天的价格。",
    "整理所有的照片。",
    "问同样的问题？",
)


@lru_cache(maxsize=2)
def chinese_sentences(held_out: bool) -> tuple[str, ...]:
    """List a few dozen Chinese sentences; the held-out half shares no whole sentence with the other."""
    rows = [
        f"{place}{deed}{_THINGS[(one + 3 * two) % 8]}"
        for one, place in enumerate(_PLACES)
        for two, deed in enumerate(_DEEDS)
    ]
    return tuple(rows[1::2] if held_out else rows[::2])
