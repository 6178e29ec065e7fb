"""SVG to an RGB picture, by resvg without any font of the machine. Knows nothing about what is drawn."""

import io

from PIL import Image

from got_ocr.errors import MissingDependency


def rasterise(svg: str, width: int | None = None) -> Image.Image:
    """Draw SVG on white; `width` in pixels overrides its own. Text must be outlines: no font is loaded.

    Raises MissingDependency without resvg-py.
    """
    try:
        from resvg_py import svg_to_bytes
    except ImportError as error:
        raise MissingDependency("this picture needs the package resvg-py: pip install 'got-ocr[synth]'") from error

    data = svg_to_bytes(svg_string=svg, width=width, background="#ffffff", skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(data))) as png:
        return png.convert("RGB")
