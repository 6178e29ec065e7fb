"""Many documents to files: listed, leased page by page to any number of workers, journalled, joined, resumed.

Workers on one machine or on several share nothing but the output folder. What a page's reading is belongs to the engine that
is handed in; this room knows no model, no prompt and no terminal.

    sources -> job -> runner (plan, lease, read, ladder, record, journal) -> outputs -> summary; supervisor keeps workers alive
"""

from got_ocr.batch.engine import Engine, Seen
from got_ocr.batch.job import Batch, Settings
from got_ocr.batch.processes import interruptible, launcher
from got_ocr.batch.progress import Progress
from got_ocr.batch.runner import work
from got_ocr.batch.sources import Entry, listed
from got_ocr.batch.state import State
from got_ocr.batch.summary import Summary, summarise
from got_ocr.batch.supervisor import supervise

__all__ = [
    "Batch",
    "Engine",
    "Entry",
    "Progress",
    "Seen",
    "Settings",
    "State",
    "Summary",
    "interruptible",
    "launcher",
    "listed",
    "summarise",
    "supervise",
    "work",
]
