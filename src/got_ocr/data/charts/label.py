"""Write a chart as the dictionary that chart scorers read (OneChart, SCRM): titles and values. Knows no drawing.

Numbers keep the digits that are printed; "None" stands for what is not drawn. One series gives {key: number},
several give {series: {key: number}}.
"""

import json

from got_ocr.data.charts.figure import Chart, Series


def dictionary(chart: Chart) -> str:
    """Write a chart as one line of JSON."""
    heads = {"title": chart.title, "source": chart.source, "x_title": chart.x_title, "y_title": chart.y_title}
    parts = [f"{_text(key)}: {_text(value or 'None')}" for key, value in heads.items()]
    if len(chart.series) == 1:
        values = _values(chart.series[0])
    else:
        values = "{" + ", ".join(f"{_text(one.name)}: {_values(one)}" for one in chart.series) + "}"
    return "{" + ", ".join([*parts, f'"values": {values}']) + "}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _values(series: Series) -> str:
    pairs = zip(series.keys, series.values, strict=True)
    return "{" + ", ".join(f"{_text(key)}: {value}" for key, value in pairs) + "}"
