"""The process that touches untrusted bytes: counts, draws and previews pages, renders texts. Run by `chores`.

It gives itself limits of memory, processor time and files before its first job. Whatever it cannot do is answered with
a code and a sentence of ours; when it dies, the service starts another. Knows no request, queue or model.
"""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from got_ocr.errors import GotOcrError
from got_ocr.serve.wire import Message, inherited, read_all, write_all

if TYPE_CHECKING:
    from got_ocr.image import Limits, Picture

BAND_ROWS = 512
PREVIEW_QUALITY = 85


def main(argv: Sequence[str]) -> int:
    """Serve jobs until the line ends. argv: the line's number, the limits as JSON."""
    limits = json.loads(argv[2])
    line = inherited(argv[1])
    _confine(int(limits["memory"]), int(limits["file"]))
    if limits["role"] == "decode":
        _warm_up()
    line.send({"event": "ready", "pid": os.getpid()})
    while (received := line.receive()) is not None:
        message, files = received
        _allow_seconds(int(limits["seconds"]))
        answer = _do(message, files, limits)
        for file in files:
            os.close(file)
        line.send(answer)
    return 0


def _confine(memory: int, file: int) -> None:
    import resource

    soft = {resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: 512, resource.RLIMIT_FSIZE: file}
    if sys.platform == "linux":  # elsewhere address space says little of memory
        soft[resource.RLIMIT_AS] = memory
    for what, value in soft.items():
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))


def _allow_seconds(seconds: int) -> None:
    """Let the next job use so much processor time; the system ends the process after that."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _warm_up() -> None:
    """Import the decoders before the first job."""
    from got_ocr import document

    with contextlib.suppress(GotOcrError):
        document.count(b"%PDF-")


def _do(message: Message, files: Sequence[int], limits: Message) -> Message:
    work: Callable[[Message, Sequence[int], Message], Message] = _WORK[message["do"]]
    try:
        return {"event": "done", **work(message, files, limits)}
    except GotOcrError as error:
        return {"event": "failed", "code": error.code, "message": str(error)}
    except MemoryError:
        return {"event": "failed", "code": "image_decode_failed", "message": "decoding needs more memory than allowed"}
    except Exception:  # the border: an unforeseen failure costs one request, and its text is kept from the answer
        return {"event": "failed", "code": message["unforeseen"], "message": "the input could not be processed"}


def _count(message: Message, files: Sequence[int], limits: Message) -> Message:
    from got_ocr import document

    data = read_all(files[0])
    return {"pages": document.count(data, limits=_limits(limits), password=message["password"])}


def _draw(message: Message, files: Sequence[int], limits: Message) -> Message:
    """Write one page as rows of RGB."""
    picture = _page(message, files, limits)
    image = picture.image
    for top in range(0, image.height, BAND_ROWS):
        band = image.crop((0, top, image.width, min(top + BAND_ROWS, image.height)))
        write_all(files[1], band.tobytes())
    return {"width": image.width, "height": image.height, "notices": list(picture.notices)}


def _preview(message: Message, files: Sequence[int], limits: Message) -> Message:
    """Write one page as a JPEG whose long side is at most `side`."""
    from io import BytesIO

    image = _page(message, files, limits).image
    size = image.size
    image.thumbnail((message["side"], message["side"]))
    out = BytesIO()
    image.save(out, "JPEG", quality=PREVIEW_QUALITY)
    write_all(files[1], out.getvalue())
    return {"width": size[0], "height": size[1]}


def _page(message: Message, files: Sequence[int], limits: Message) -> "Picture":
    from got_ocr import document

    number = int(message["page"])
    found = document.pages(
        read_all(files[0]),
        pages=str(number),
        dpi=message["dpi"],
        limits=_limits(limits),
        password=message["password"],
        reference=bool(message["reference"]),
    )
    return next(found).load()


def _limits(limits: Message) -> "Limits":
    from got_ocr.image import Limits

    return Limits(pixels=int(limits["pixels"]))


def _render(message: Message, files: Sequence[int], _limits: Message) -> Message:
    from got_ocr.render import render_result

    text = read_all(files[0]).decode()
    made = render_result(text, kind=message["kind"], to=message["to"], title=message["title"])
    write_all(files[1], made.content if isinstance(made.content, bytes) else made.content.encode())
    return {"kind": made.kind, "error": made.error}


_WORK: dict[str, Callable[[Message, Sequence[int], Message], Message]] = {
    "count": _count,
    "draw": _draw,
    "preview": _preview,
    "render": _render,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv))
