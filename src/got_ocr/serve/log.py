"""The log: one JSON object a line, facts of ours only. No header, body, picture, text or key of a client is ever in it."""

import json
import logging
import sys
import time
from typing import TextIO

NAME = "got_ocr.serve"


class JsonLines(logging.Formatter):
    """Write a record as one line. What a log call passes as `extra={"facts": {...}}` becomes fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        facts = record.__dict__.get("facts", {})
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **{key: value for key, value in facts.items() if value is not None},
        }
        return json.dumps(line, ensure_ascii=True, default=str)


def set_up(level: str = "info", stream: TextIO | None = None) -> None:
    """Send this package's log to standard error; other packages' (which may quote requests) from warnings on, unquoted."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger(NAME)
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "fastapi"):
        other = logging.getLogger(name)
        other.handlers[:] = [logging.NullHandler()]
        other.propagate = False
