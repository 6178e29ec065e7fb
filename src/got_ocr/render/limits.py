"""How much a renderer may take and give. Holds numbers and the step counter; knows no format.

Every cap stands here, so that "bounded" can be read and tested in one place. Counts are steps of our own loops, not
seconds: the same text always ends the same way.
"""

from dataclasses import dataclass, field

from got_ocr.errors import RenderFailed

MAX_SOURCE = 100_000  # characters that are parsed; a page of a model is below 20,000
MAX_FALLBACK = 500_000  # characters of source shown when nothing is drawn
MAX_OUTPUT = 5_000_000  # characters of one rendered text
MAX_DEPTH = 24  # nested groups, lists, environments, tables
MAX_FORMULA = 8_000  # characters of one formula
MAX_MATHS = 60_000  # characters of all formulas of one text
MAX_FORMULAS = 3_000  # formulas of one text
MAX_ROWS = 2_000
MAX_COLUMNS = 128
MAX_CELLS = 20_000
CHILD_SECONDS = 4.0  # a drawing program's wall time, so that start and clean-up stay inside five seconds
CHILD_MEMORY = 2 << 30  # bytes of address space of a child


@dataclass(slots=True)
class Budget:
    """Count steps down; the one object in this room that changes."""

    left: int
    what: str = "drawing"
    spent: int = field(default=0, init=False)

    def take(self, steps: int = 1) -> None:
        """Use up steps. Raises RenderFailed when none are left."""
        self.spent += steps
        if self.spent > self.left:
            raise RenderFailed(f"the {self.what} is too large to be drawn (more than {self.left} steps)")
