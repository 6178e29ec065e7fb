"""got-ocr: GOT-OCR 2.0 in the open. `from got_ocr import GotOcr; print(GotOcr.load().read("page.png").text)`."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = ["Client", "GotOcr", "GotOcrError", "Reading", "__version__"]

if TYPE_CHECKING:
    from got_ocr.client import Client
    from got_ocr.errors import GotOcrError
    from got_ocr.ocr import GotOcr
    from got_ocr.reading import Reading

_HOMES = {
    "Client": "got_ocr.client",
    "GotOcr": "got_ocr.ocr",
    "Reading": "got_ocr.reading",
    "GotOcrError": "got_ocr.errors",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that `import got_ocr` loads no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'got_ocr' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
