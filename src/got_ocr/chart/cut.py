"""Picture of a chart -> strips for its texts and a plan that writes its dictionary once they are read. Knows no model weights.

The road: paper and ink (`seen.py`), areas of one colour (`patches.py`), axes (`frame.py`), then bars (`bars.py`, `barchart.py`), sectors
(`pies.py`) or lines and dots (`curves.py`, `dots.py`, `linechart.py`) with the texts around them (`words.py`, `layout.py`).
"""

from PIL import Image

from got_ocr.chart.barchart import bar_plan
from got_ocr.chart.bars import find_bars
from got_ocr.chart.frame import find_frame
from got_ocr.chart.linechart import line_plan
from got_ocr.chart.patches import find_patches
from got_ocr.chart.piechart import pie_plan
from got_ocr.chart.pies import find_pie
from got_ocr.chart.seen import look
from got_ocr.chart.sheet import MOST_LABELS, Sheet
from got_ocr.labels import Drawing
from got_ocr.shrink import shrunk
from got_ocr.spec import ModelSpec

WORKING_SIDE = 1600  # pixels
LEAST_LABELS = 4  # two categories, two numbers


def cut_chart(picture: Image.Image, spec: ModelSpec) -> Drawing | None:
    """Find the chart that an RGB picture shows; None where it shows none."""
    small, shrink = shrunk(picture, max(picture.size), WORKING_SIDE)
    seen = look(small)
    if seen is None:
        return None
    sheet = Sheet(spec, shrink)
    patches = find_patches(seen)
    pie = find_pie(patches)
    if pie is not None:
        return pie_plan(seen, patches, pie, sheet)
    frame = find_frame(seen)
    bars = find_bars(patches, frame.box if frame and frame.sure else None)
    plan = bar_plan(seen, patches, bars, frame, sheet) if bars is not None else line_plan(seen, frame, sheet)
    return plan if plan and LEAST_LABELS <= len(plan.labels) <= MOST_LABELS else None
