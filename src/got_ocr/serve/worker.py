"""The model's process: loads it, reads one order after another, sends pieces as they are written. Run by `fleet`.

A second thread listens for "stop", and ends the process when the service is gone, however busy the first one is.
Knows no HTTP and no queue.
"""

import json
import mmap
import os
import queue
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PIL import Image

from got_ocr.errors import GotOcrError, OutOfMemory
from got_ocr.image import Picture
from got_ocr.reading import Reading
from got_ocr.serve.engine import Engine, Order, Stopped, Tally, open_model, open_script
from got_ocr.serve.wire import Line, Message, inherited
from got_ocr.task import Task

Received = tuple[Message, list[int]]


def main(argv: Sequence[str]) -> int:
    """Serve orders until the line ends. argv: the line's number, which engine, as JSON."""
    line = inherited(argv[1])
    try:
        engine = _open(json.loads(argv[2]))
    except GotOcrError as error:
        line.send({"event": "fatal", "code": error.code, "message": str(error)})
        return error.exit_code
    except Exception as error:  # whatever keeps a model from being loaded, the service must learn of it
        line.send({"event": "fatal", "code": "internal", "message": "the model could not be loaded", **_trace(error)})
        return 1
    orders: queue.Queue[Received] = queue.Queue()
    stops = _Stops()
    threading.Thread(target=_listen, args=(line, orders, stops), daemon=True).start()
    line.send({"event": "ready", "name": engine.name, "reads": sorted(engine.reads), "notice": engine.notice})
    while True:
        _read(line, engine, orders.get(), stops)


def _open(which: Message) -> Engine:
    if which["engine"] == "scripted":
        return open_script(which["script"])
    return open_model(which["model"], which["device"], which["dtype"], which["revision"])


class _Stops:
    """The order that is no longer wanted, told by one thread to the other."""

    def __init__(self) -> None:
        self.order = -1

    def check(self, order: int) -> None:
        if self.order >= order:
            raise Stopped


def _listen(line: Line, orders: "queue.Queue[Received]", stops: _Stops) -> None:
    while (received := line.receive()) is not None:
        if received[0]["do"] == "stop":
            stops.order = received[0]["order"]
        else:
            orders.put(received)
    os._exit(0)  # the service is gone, and the other thread may be deep in a computation


def _read(line: Line, engine: Engine, received: Received, stops: _Stops) -> None:
    message, files = received
    number, tally = int(message["order"]), Tally()

    def check() -> None:
        stops.check(number)

    try:
        with _pictures(message["pictures"], files) as pictures:
            for piece in engine.read(pictures, _order(message), check, tally):
                check()
                if isinstance(piece, str):
                    line.send({"event": "piece", "order": number, "text": piece})
                else:
                    line.send(_told(number, piece, tally))
    except Stopped:
        pass
    except GotOcrError as error:
        line.send({"event": "failed", "order": number, "code": error.code, "message": str(error)})
    except Exception as error:  # the border: one order fails, the process and its model stay
        line.send(_unforeseen(number, error))
    finally:
        line.send({"event": "idle", "order": number})


def _order(message: Message) -> Order:
    asked = message["task"]
    task = Task(
        mode=asked["mode"],
        box=tuple(asked["box"]) if asked["box"] else None,
        box_mode=asked["box_mode"],
        color=asked["color"],
        crop=asked["crop"],
        max_tiles=asked["max_tiles"],
        multi_page=asked["multi_page"],
    )
    return Order(task, message["profile"], message["max_new_tokens"], message["page"], message["source"])


@contextmanager
def _pictures(sizes: Sequence[Message], files: Sequence[int]) -> Iterator[list[Picture]]:
    """Make pictures of the files' pixels, rows of RGB."""
    pictures = []
    try:
        for size, file in zip(sizes, files, strict=True):
            with mmap.mmap(file, 0, prot=mmap.PROT_READ) as pixels, memoryview(pixels) as view:
                image = Image.frombytes("RGB", (size["width"], size["height"]), view)
            pictures.append(Picture(image, tuple(size["notices"])))
        yield pictures
    finally:
        for file in files:
            os.close(file)


def _told(number: int, reading: Reading, tally: Tally) -> Message:
    return {
        "event": "reading",
        "order": number,
        "text": reading.text,
        "status": reading.status,
        "token_ids": list(reading.token_ids),
        "tokens": reading.tokens,
        "prompt_tokens": tally.prompt_tokens,
        "seconds": reading.seconds,
        "model": reading.model,
        "notices": list(reading.notices),
    }


def _unforeseen(number: int, error: Exception) -> Message:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's own, not imported here
        code, message = (
            OutOfMemory.code,
            "the model ran out of memory: ask for fewer tiles or pages, or try again later",
        )
    else:
        code, message = "internal", "the model could not read this"
    return {"event": "failed", "order": number, "code": code, "message": message, **_trace(error)}


def _trace(error: Exception) -> Message:
    """Say where it happened, for the log; what the error says may be content, and stays here."""
    frames = traceback.extract_tb(error.__traceback__)
    return {"kind": type(error).__name__, "trace": [f"{frame.name}:{frame.lineno}" for frame in frames][-12:]}


if __name__ == "__main__":
    sys.exit(main(sys.argv))
