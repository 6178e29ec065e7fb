"""How much memory this process has held. Linux tells in `/proc`; elsewhere nothing is known (None)."""

import re
from pathlib import Path


def peak_memory() -> int | None:
    """Read the most memory that this process has held so far, in bytes."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None
