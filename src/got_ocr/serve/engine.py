"""Who reads inside the model's process: the model, or a script that plays one for tests and trial runs.

An engine gets decoded pictures and yields pieces of text, then one Reading. Knows no HTTP, queue or process.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from got_ocr.errors import InvalidValue, NumericError
from got_ocr.image import Picture
from got_ocr.reading import Reading, Status
from got_ocr.task import Task

if TYPE_CHECKING:
    from got_ocr.backends.base import Backend, Features, Rows, Scores, Slots, SlotScores
    from got_ocr.ocr import GotOcr
    from got_ocr.spec import ModelSpec


class Stopped(Exception):
    """Say that nobody wants the rest of this answer."""


Check = Callable[[], None]  # raises Stopped


@dataclass(frozen=True, slots=True)
class Order:
    """One reading to make. page, source: what the Reading says of itself."""

    task: Task
    profile: str
    max_new_tokens: int
    page: int
    source: str


@dataclass(slots=True)
class Tally:
    """What the making of a reading cost beyond what the Reading says. prompt_tokens: ids of all prompts."""

    prompt_tokens: int = 0


class Engine(Protocol):
    """Read pictures. name: the model's. reads: the kinds of request it was trained for. notice: what a user should know."""

    @property
    def name(self) -> str: ...

    @property
    def reads(self) -> frozenset[str]: ...

    @property
    def notice(self) -> str: ...

    def read(self, pictures: Sequence[Picture], order: Order, check: Check, tally: Tally) -> Iterator[str | Reading]:
        """Yield pieces of text, then the Reading; call `check` at least once a step."""
        ...


class ModelEngine:
    """Read with the model. Create it with `open_model`."""

    def __init__(self, model: "GotOcr") -> None:
        self._model = model
        self.name = model.spec.name
        self.reads = model.spec.reads
        self.notice = model.notice

    def read(self, pictures: Sequence[Picture], order: Order, check: Check, tally: Tally) -> Iterator[str | Reading]:
        """Yield pieces of text, then the Reading."""
        from got_ocr.document import Page
        from got_ocr.ocr import Job, Options
        from got_ocr.profiles import profile

        pages = tuple(Page(order.page, order.page, order.source, None, _given(picture)) for picture in pictures)
        options = Options(profile(order.profile), order.max_new_tokens)
        watched = self._model.through(lambda backend: _Watched(backend, check, tally))
        yield from watched.stream_job(Job(pages, order.task), options)


def _given(picture: Picture) -> Callable[[], Picture]:
    return lambda: picture


class _Watched:
    """A backend that asks before every step whether the answer is still wanted."""

    def __init__(self, backend: "Backend", check: Check, tally: Tally) -> None:
        self._backend = backend
        self._check = check
        self._tally = tally

    @property
    def spec(self) -> "ModelSpec":
        return self._backend.spec

    def encode(self, tiles: "Sequence[object]") -> "list[Features]":
        self._check()
        return self._backend.encode(tiles)  # type: ignore[arg-type]

    def start(self, prompts: Sequence[Sequence[int]], features: "Sequence[Sequence[Features]]", room: int) -> "Rows":
        self._tally.prompt_tokens += sum(len(prompt) for prompt in prompts)
        return _WatchedRows(self._backend.start(prompts, features, room), self._check)

    def slots(self, count: int) -> "Slots":
        from got_ocr.backends.base import open_slots

        return _WatchedSlots(open_slots(self._backend, count), self._check, self._tally)


class _WatchedSlots:
    def __init__(self, slots: "Slots", check: Check, tally: Tally) -> None:
        self._slots = slots
        self._check = check
        self._tally = tally
        self.count = slots.count

    def admit(self, slot: int, prompt: Sequence[int], features: "Sequence[Features]", room: int) -> "SlotScores":
        self._check()
        self._tally.prompt_tokens += len(prompt)
        return self._slots.admit(slot, prompt, features, room)

    def step(self, ids: Mapping[int, int]) -> "SlotScores":
        self._check()
        return self._slots.step(ids)

    def retire(self, slot: int) -> None:
        self._slots.retire(slot)


class _WatchedRows:
    def __init__(self, rows: "Rows", check: Check) -> None:
        self._rows = rows
        self._check = check

    def prefill(self) -> "Scores":
        self._check()
        return self._rows.prefill()

    def step(self, ids: Sequence[int]) -> "Scores":
        self._check()
        return self._rows.step(ids)


def open_model(where: str | None, device: str, dtype: str, revision: str | None) -> ModelEngine:
    """Load the model. Raises ModelError classes."""
    from got_ocr.ocr import GotOcr

    return ModelEngine(GotOcr.load(where, device=device, dtype=dtype, revision=revision))


@dataclass(frozen=True, slots=True)
class Act:
    """What the script does with a picture. tokens: pieces are the words of `text`, said again until so many are written
    (0: once). delay: seconds a token. end: how it ends: ok, loop, truncated, crash, numeric, memory or bug. after: tokens
    before such an end."""

    text: str = "scripted text"
    tokens: int = 0
    delay: float = 0.0
    end: str = "ok"
    after: int = 0


@dataclass(frozen=True, slots=True)
class ScriptedEngine:
    """Play a model: what is done with a picture depends on its width alone. load: seconds that loading takes."""

    default: Act = field(default_factory=Act)
    widths: dict[int, Act] = field(default_factory=dict)
    load: float = 0.0
    name: str = "scripted"
    reads: frozenset[str] = frozenset({"plain", "format", "box", "color", "crop", "multi_page"})
    notice: str = "answers come from a script, not from a model"

    def read(self, pictures: Sequence[Picture], order: Order, check: Check, tally: Tally) -> Iterator[str | Reading]:
        """Yield the script's words, then the Reading."""
        started = time.perf_counter()
        act = self.widths.get(pictures[0].image.width, self.default)
        tally.prompt_tokens += 256 * len(pictures)
        written: list[str] = []
        most = min(act.tokens or len(act.text.split()), order.max_new_tokens)
        for at in range(most):
            check()
            time.sleep(act.delay)
            if act.end not in ("ok", "loop", "truncated") and at == act.after:
                _fail(act.end)
            words = act.text.split()
            piece = ("" if at == 0 else " ") + words[at % len(words)]
            written.append(piece)
            yield piece
        status: Status = act.end if act.end in ("loop", "truncated") else "ok"  # type: ignore[assignment]
        status = "truncated" if most < (act.tokens or len(act.text.split())) else status
        yield Reading(
            text="".join(written),
            status=status if written else "empty",
            token_ids=tuple(range(most)),
            tokens=most + 1,
            seconds=time.perf_counter() - started,
            page=order.page,
            source=order.source,
            model=self.name,
            notices=tuple(notice for picture in pictures for notice in picture.notices),
        )


def _fail(how: str) -> None:
    if how == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "numeric":
        raise NumericError("the model's scores are not numbers")
    if how == "memory":
        raise MemoryError
    raise RuntimeError("0x7fdeadbeef00 /home/someone/site-packages/library.py")  # what a library might say


def open_script(script: str) -> ScriptedEngine:
    """Read a script: JSON of the fields of ScriptedEngine and Act. Raises InvalidValue."""
    try:
        given = json.loads(script or "{}")
        default = Act(**given.get("default", {}))
        widths = {int(width): Act(**act) for width, act in given.get("widths", {}).items()}
        engine = ScriptedEngine(default, widths, float(given.get("load", 0.0)))
    except (ValueError, TypeError, AttributeError):
        raise InvalidValue("the script is JSON with default, widths and load") from None
    time.sleep(engine.load)
    return engine
