"""What reads pages: the one thing that a worker is handed and does not know. Tests hand in stand-ins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from got_ocr.document import Page
from got_ocr.image import Picture
from got_ocr.reading import Reading
from got_ocr.task import Task


@dataclass(frozen=True, slots=True)
class Seen:
    """A page together with its decoded picture, as it is to be read (drawn larger or turned on a higher rung)."""

    page: Page
    picture: Picture


class Engine(Protocol):
    """Read pages side by side: one Reading for each, in their order.

    Raises ModelError, MissingDependency or OutputError where no page can be read any more, another GotOcrError where these
    pages cannot: they are then tried one by one.
    """

    @property
    def reads(self) -> frozenset[str]:
        """Name the kinds of request that the weights were trained for, as `ModelSpec.reads` does."""
        ...

    def __call__(self, pages: Sequence[Seen], task: Task) -> Sequence[Reading]:
        """Read `pages` as `task` asks."""
        ...
