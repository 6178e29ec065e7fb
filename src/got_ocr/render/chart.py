"""A chart's dictionary -> a plot and a table of its values. Knows the page's classes, no renderer."""

from got_ocr.render.chart_data import Chart, parse_chart
from got_ocr.render.chart_plot import plot
from got_ocr.render.figure import figure
from got_ocr.render.markup import Markup, element
from got_ocr.render.tree import Cell, Paragraph, Table, Text
from got_ocr.render.write_html import HtmlWriter
from got_ocr.render.write_markdown import MarkdownWriter


def to_svg(source: str, prefix: str = "") -> Markup:
    """Return the plot as one `<svg>`. Raises RenderFailed where there is nothing to plot."""
    return plot(parse_chart(source))


def to_html(source: str, prefix: str = "") -> Markup:
    """Return plot and table; a chart whose values are no numbers is a table alone. Raises RenderFailed for no chart."""
    chart = parse_chart(source)
    table = HtmlWriter(lambda kind, text: Markup("")).table(_table(chart))
    title = element("p", {"class": "caption"}, chart.title) if chart.title else Markup("")
    if not any(number is not None for series in chart.series for number in series.numbers):
        return element("div", {"class": "chart-box"}, title, table)
    drawn, _ = figure("chart", source, prefix)
    return element("div", {"class": "chart-box"}, drawn, table)


def to_markdown(source: str) -> str:
    """Return the values as a Markdown table under their title."""
    chart = parse_chart(source)
    title = (Paragraph((Text(chart.title),), "caption"),) if chart.title else ()
    return MarkdownWriter(dollars=True).document((*title, _table(chart)))


def _table(chart: Chart) -> Table:
    names = [series.name or chart.y_title or "Value" for series in chart.series]
    rows = [[chart.x_title, *names]]
    rows += [[label, *(series.texts[at] for series in chart.series)] for at, label in enumerate(chart.labels)]
    grid = tuple(
        tuple(
            Cell(at, 1, 1, "right" if at else "left", "b" + "t" * (line is rows[0]), (Text(text),))
            for at, text in enumerate(line)
        )
        for line in rows
    )
    return Table(grid, len(rows[0]), 1)
