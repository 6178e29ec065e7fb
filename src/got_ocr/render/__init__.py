"""Drawing what the model wrote: text in, one self-contained HTML page, SVG, PNG or Markdown text out.

The text is untrusted: it can never run, load or send anything in what comes out. A renderer that fails, hangs or is not
installed leaves the escaped source and the reason. Knows strings alone: no picture, file or model.
"""

from got_ocr.render.api import Rendered, render, render_pages, render_result

__all__ = ["Rendered", "render", "render_pages", "render_result"]
