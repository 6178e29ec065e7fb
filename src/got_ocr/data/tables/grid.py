"""The table tree with what is drawn: words and formulas, side by side in a cell."""

from got_ocr.data.latex.tree import Node
from got_ocr.table import grid

Part = str | Node
Content = tuple[Part, ...]
Cell = grid.Cell[Part]
Grid = grid.Grid[Part]
