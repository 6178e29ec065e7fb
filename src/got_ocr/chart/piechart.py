"""A pie and the texts around it -> its plan. Knows no pixels but letters."""

from collections.abc import Sequence

import cv2
import numpy as np

from got_ocr.chart import layout
from got_ocr.chart.patches import Patches
from got_ocr.chart.pies import Entry, Pie, PiePlan, sector_at, shares
from got_ocr.chart.seen import Seen
from got_ocr.chart.sheet import Sheet
from got_ocr.chart.words import Letters, Text, find_letters, group, rows_of, text_of

UNDER = 1.8  # of the letters' height: the widest gap between a name and the share under it
BESIDE = 1.55  # of the letters' height: the widest gap between words of a name
APART = 1.2  # of the letters' height by which the middles of the two may differ


def pie_plan(seen: Seen, patches: Patches, pie: Pie, sheet: Sheet) -> PiePlan | None:
    """Plan a pie; None where nothing is written about its sectors."""
    own = np.isin(patches.owner, np.fromiter(pie.places, np.int32)).astype(np.uint8)
    own = cv2.dilate(own, np.ones((3, 3), np.uint8))
    letters = find_letters(np.where(own > 0, 0, seen.ink).astype(np.uint8))
    if letters is None:
        return None
    sheet.take(letters)
    everything = letters.inside(0, 0, 10**6, 10**6)
    if any(pie.swatches):
        entries, used = _legend(letters, pie, sheet, everything)
    else:
        entries, used = _beside(letters, patches, pie, sheet, everything)
    if not entries:
        return None
    free = [k for k in everything if k not in used]
    heads = sheet.heads(letters, free, pie.box, None)
    return PiePlan(sheet.labels, heads, tuple(entries))


def _legend(found: Letters, pie: Pie, sheet: Sheet, letters: Sequence[int]) -> tuple[list[Entry], set[int]]:
    entries, used = [], set[int]()
    for text, share in zip(layout.legend(found, pie.swatches, letters), shares(pie), strict=True):
        if text is not None:
            entries.append(Entry(sheet.label(text), None, share))
            used.update(text.letters)
    return entries, used


def _beside(
    found: Letters, patches: Patches, pie: Pie, sheet: Sheet, letters: Sequence[int]
) -> tuple[list[Entry], set[int]]:
    """Pair names with the shares that stand under them."""
    texts = [row for text in group(found, letters, BESIDE) for row in rows_of(found, text)]
    texts = sorted(texts, key=lambda text: text.middle[1])
    entries, used = [], set[int]()
    measured = shares(pie)
    for place, name in enumerate(texts):
        if used & set(name.letters):
            continue
        value = next((text for text in texts[place + 1 :] if _under(found, name, text)), None)
        if value is None:
            continue
        both = text_of(found, (*name.letters, *value.letters))
        sector = sector_at(pie, both.middle, patches)
        entries.append(Entry(sheet.label(name), sheet.label(value), measured[sector] if sector is not None else None))
        used.update(both.letters)
    return entries, used


def _under(found: Letters, name: Text, value: Text) -> bool:
    gap = value.box[1] - name.box[3]
    return (
        -0.5 * found.unit < gap < UNDER * found.unit and abs(value.middle[0] - name.middle[0]) < APART * found.unit + 2
    )
