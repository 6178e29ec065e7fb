"""Read pictures: the only place that glues. Source -> pages -> tiles -> prompt -> backend -> text.

`GotOcr.read` reads as the road goes: load, cut, ask, generate, gather. Importing this file loads no torch; `GotOcr.load` does.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from PIL.Image import Image

from got_ocr import document, hub, pixels, profiles, prompt
from got_ocr.backends.base import Backend
from got_ocr.cut import cut
from got_ocr.document import Page
from got_ocr.errors import GotOcrError, InputError, InvalidValue, ModelError, OutputError, TooManyImages
from got_ocr.generate import MAX_NEW_TOKENS, Outcome, Request, finish, generate
from got_ocr.image import Source, display_name
from got_ocr.lines import MOST_STRIPS
from got_ocr.profiles import Profile
from got_ocr.reading import Reading, worst
from got_ocr.task import COLORS, Box, BoxMode, Color, Mode, Task
from got_ocr.tokenizer import Tokenizer

ROWS_AT_ONCE = 32  # answers written side by side; a page of many lines has more
TOKENS_AT_MOST = 32768


@dataclass(frozen=True, slots=True)
class Options:
    """How to generate: the profile's rules and the token limit. Raises InvalidValue for a limit that is none."""

    profile: Profile
    max_new_tokens: int = MAX_NEW_TOKENS

    def __post_init__(self) -> None:
        if not 1 <= self.max_new_tokens <= TOKENS_AT_MOST:
            raise InvalidValue(f"max_new_tokens lies between 1 and {TOKENS_AT_MOST}")


@dataclass(frozen=True, slots=True)
class Job:
    """One reading to make: the pages that it reads as one (decoded when it is read), and what is asked of them."""

    pages: tuple[Page, ...]
    task: Task


@dataclass(frozen=True, slots=True)
class _Asked:
    """A job as the model gets it. notices: of the pictures and of the request. cut: not all of it could be asked."""

    requests: tuple[Request, ...]
    notices: tuple[str, ...]
    cut: bool


class GotOcr:
    """Read pictures with a loaded model. Create it with `GotOcr.load`."""

    def __init__(self, backend: Backend, tokenizer: Tokenizer, notice: str = "") -> None:
        self.backend = backend
        self.tokenizer = tokenizer
        self.notice = notice

    @classmethod
    def load(
        cls,
        where: str | Path | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
        revision: str | None = None,
        offline: bool = False,
    ) -> "GotOcr":
        """Open a model of any of the three layouts: a folder, a Hub id, or (None) what `hub.resolve` finds, the bundled one at last.

        device: auto, cpu, cuda, mps. dtype: auto, float32, bfloat16, float16. Raises ModelError classes.
        """
        from got_ocr.backends.torch import open_backend

        found = hub.resolve(where, revision=revision, offline=offline)
        tokenizer, backend = Tokenizer.load(found.path), open_backend(found.path, device, dtype)
        expected = backend.model.config.image_token
        if tokenizer.image != expected:
            raise ModelError(f"the vocabulary's image token is {tokenizer.image}, the model's is {expected}")
        return cls(backend, tokenizer, found.notice)

    def read(
        self,
        source: Source | Sequence[Source],
        *,
        mode: Mode = "plain",
        box: Box | None = None,
        box_mode: BoxMode = "crop",
        color: Color | None = None,
        crop: bool = False,
        max_tiles: int | None = None,
        multi_page: bool = False,
        pages: str | None = None,
        profile: str = "safe",
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> Reading | list[Reading]:
        """Read a picture, a document or a folder: one Reading for one page, a list of them for several.

        source: path, bytes, PIL image, NumPy array, or with `multi_page` a list of them that is read as one text. Other arguments:
        see `Task` and `Profile`. Raises InputError classes for what cannot be read, InvalidValue for what cannot be asked.
        """
        task = Task(mode, box, box_mode, color, crop, max_tiles, multi_page)
        options = Options(profiles.profile(profile), max_new_tokens)
        readings = [self.read_job(job, options) for job in jobs(source, task, options.profile, pages)]
        return readings[0] if len(readings) == 1 else readings

    def read_many(
        self,
        sources: Sequence[Source],
        *,
        batch_size: int = 8,
        mode: Mode = "plain",
        crop: bool = False,
        max_tiles: int | None = None,
        pages: str | None = None,
        profile: str = "safe",
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> list[Reading]:
        """Read many sources, `batch_size` pages at a time; readings come in the order of the sources and their pages.

        Their seconds are the mean of their batch. Raises as `read` does, for the first page that cannot be read.
        """
        if batch_size < 1:
            raise InvalidValue("batch_size is at least 1")
        task = Task(mode=mode, crop=crop, max_tiles=max_tiles)
        options = Options(profiles.profile(profile), max_new_tokens)
        every = [job for source in sources for job in jobs(source, task, options.profile, pages)]
        readings: list[Reading] = []
        for start in range(0, len(every), batch_size):
            readings += self._read_batch(every[start : start + batch_size], options)
        return readings

    def stream(
        self,
        source: Source | Sequence[Source],
        *,
        mode: Mode = "plain",
        box: Box | None = None,
        box_mode: BoxMode = "crop",
        color: Color | None = None,
        crop: bool = False,
        max_tiles: int | None = None,
        multi_page: bool = False,
        pages: str | None = None,
        profile: str = "safe",
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> Iterator[str | Reading]:
        """Read as `read` does, and yield pieces of text as they are written; each page ends with its Reading.

        The pieces join to the Reading's text, which has no white space around it. Those of a page that ran in circles go beyond
        it, since it is cut back.
        """
        task = Task(mode, box, box_mode, color, crop, max_tiles, multi_page)
        options = Options(profiles.profile(profile), max_new_tokens)
        made = jobs(source, task, options.profile, pages)
        return (piece for job in made for piece in self.stream_job(job, options))

    def chat(
        self,
        image_file: Source,
        ocr_type: str = "ocr",
        ocr_box: str = "",
        ocr_color: str = "",
        render: bool = False,
        save_render_file: str | Path | None = None,
    ) -> str:
        """Read as the original model class does: same arguments, the `reference` profile, the text comes back.

        render: write `save_render_file` (demo.html where none is named). Source: the original Hub model's `chat`.
        """
        task = Task(chat_mode(ocr_type), parse_box(ocr_box) if ocr_box else None, "prompt", chat_color(ocr_color))
        return self._chat(image_file, task, render, save_render_file)

    def chat_crop(
        self,
        image_file: Source,
        ocr_type: str = "format",
        render: bool = False,
        save_render_file: str | Path | None = None,
    ) -> str:
        """Read a large picture in crops as the original model class does. Source: the original Hub model's `chat_crop`."""
        return self._chat(image_file, Task(chat_mode(ocr_type), crop=True), render, save_render_file)

    def _chat(self, source: Source, task: Task, render: bool, file: str | Path | None) -> str:
        options = Options(profiles.profile("reference"))
        text = "\n\n".join(self.read_job(job, options).text for job in jobs(source, task, options.profile, None))
        if render:
            from got_ocr.render import render as draw

            path = Path(file or "demo.html")
            try:
                path.write_text(str(draw(text)), "utf-8")
            except OSError as error:
                raise OutputError(f"cannot write {path.name} (system error {error.errno})") from None
        return text

    def read_job(self, job: Job, options: Options) -> Reading:
        """Read one page (or several as one)."""
        return self._read_batch([job], options)[0]

    def _read_batch(self, batch: Sequence[Job], options: Options) -> list[Reading]:
        """Read some jobs side by side."""
        started = time.perf_counter()
        asked = [self._ask(job, options) for job in batch]
        flat = [request for one in asked for request in one.requests]
        groups = (flat[start : start + ROWS_AT_ONCE] for start in range(0, len(flat), ROWS_AT_ONCE))
        outcomes = (outcome for group in groups for outcome in finish(generate(self.backend, group)))
        per_job = [[next(outcomes) for _ in one.requests] for one in asked]
        seconds = (time.perf_counter() - started) / len(batch)
        return [self._reading(*row, seconds) for row in zip(batch, asked, per_job, strict=True)]

    def stream_job(self, job: Job, options: Options) -> Iterator[str | Reading]:
        """Read one page (or several as one), yielding pieces of text, then the Reading."""
        started = time.perf_counter()
        outcomes: list[Outcome] = []
        asked = self._ask(job, options)
        for number, request in enumerate(asked.requests):
            if number:
                yield "\n"
            running = generate(self.backend, [request])
            characters = self.tokenizer.stream()
            while True:
                try:
                    _, token = next(running)
                except StopIteration as end:
                    outcomes += end.value
                    break
                piece = characters.push(token)
                if piece:
                    yield piece
            rest = characters.finish()
            if rest:
                yield rest
        yield self._reading(job, asked, outcomes, time.perf_counter() - started)

    def _ask(self, job: Job, options: Options) -> _Asked:
        """Load pictures, cut them into tiles and tiles into prompts: one, or for a model of text lines as many as they need."""
        spec, task = self.backend.spec, job.task
        pictures = [page.load() for page in job.pages]
        notices = [notice for picture in pictures for notice in picture.notices]
        tiles = [cut([picture.image], task, spec, options.profile.max_tiles) for picture in pictures]
        if spec.tiling == "lines" and task.asks in {"crop", "multi_page"} - spec.reads:
            task = Task(task.mode)  # a line is asked for as one, of however large a picture and however many pages
        if task.asks not in spec.reads and not (task.asks == "box" and task.box_mode == "crop"):
            notices.append(f"untrained_mode:{task.asks}")
        full = spec.tiling == "lines" and max(map(len, tiles)) == MOST_STRIPS
        if full:
            notices.append(f"lines_left_out:after {MOST_STRIPS}")
        requests = self._requests([t for some in tiles for t in some], task, pictures[0].image.size, options)
        return _Asked(tuple(requests), tuple(notices), full)

    def _requests(
        self, tiles: Sequence[Image], task: Task, size: tuple[int, int], options: Options
    ) -> Iterator[Request]:
        """Encode tiles and write their prompts. size: of the (first) picture, (width, height)."""
        spec, rules, most = self.backend.spec, options.profile, options.max_new_tokens
        if spec.tiling == "whole" and len(tiles) > spec.tiles_per_prompt:
            raise TooManyImages(
                f"{len(tiles)} tiles are more than one request of this model holds ({spec.tiles_per_prompt})"
            )
        features = self.backend.encode([pixels.raw(tile) for tile in tiles])
        # The original bans repeats for a single picture only: neither for crops nor for several pages.
        ban = 0 if task.crop or task.multi_page else rules.ban
        for start in range(0, len(tiles), spec.tiles_per_prompt):
            part = slice(start, start + spec.tiles_per_prompt)
            count = sum(spec.tokens(tile.height, tile.width) for tile in tiles[part])
            ids = prompt.build(self.tokenizer, task, count, size, rules.style).ids
            # No letter is narrower than a fourth of a cell: what is longer than that was never printed there.
            room = min(most, 4 * count + 32) if spec.tiling == "lines" else most
            yield Request(ids, features[part], self.tokenizer.end, ban, rules.watch, room)

    def _reading(self, job: Job, asked: _Asked, outcomes: Sequence[Outcome], seconds: float) -> Reading:
        text = "\n".join(self.tokenizer.decode(outcome.ids) for outcome in outcomes).strip()
        status = "truncated" if asked.cut else worst([outcome.status for outcome in outcomes])
        broken = text.count("\ufffd")  # bytes that are no letters
        first = job.pages[0]
        return Reading(
            text=text,
            status="empty" if status == "ok" and not text else status,
            token_ids=tuple(i for outcome in outcomes for i in outcome.ids),
            tokens=sum(outcome.written for outcome in outcomes),
            seconds=seconds,
            page=first.number,
            source=first.source,
            model=self.backend.spec.name,
            notices=(*asked.notices, *([f"broken_characters:{broken}"] if broken else [])),
        )


def jobs(source: Source | Sequence[Source], task: Task, rules: Profile, chosen: str | None) -> list[Job]:
    """Turn a source into the readings to make: one a page, or one in all under `multi_page`. Raises InputError classes."""
    several = isinstance(source, list | tuple)
    if several and not task.multi_page:
        raise InvalidValue("a list of pictures is one text only with multi_page; use read_many to read each by itself")
    sources = cast(Sequence[Source], source) if several else [cast(Source, source)]
    if not sources:
        raise InvalidValue("the list of pictures is empty")
    made: list[Job] = []
    for _, _, job in plan(sources, task, rules, chosen):
        if isinstance(job, GotOcrError):
            raise job
        made.append(job)
    return made


def plan(
    sources: Sequence[Source], task: Task, rules: Profile, chosen: str | None
) -> Iterator[tuple[str, int, Job | GotOcrError]]:
    """Name (source, page, reading to make) in order; a source that cannot be opened stands there as its error.

    Under `multi_page` all pages of all sources are one reading, and one that cannot be opened fails it.
    """
    every: list[Page] = []
    for source in sources:
        try:
            named = document.pages(source, pages=chosen, reference=rules.ports_pixels)
        except InputError as error:
            yield _name(source), 1, error
            if task.multi_page:
                return
            continue
        if task.multi_page:
            every += named
        else:
            yield from ((page.source, page.number, Job((page,), task)) for page in named)
    if every:
        yield every[0].source, every[0].number, Job(tuple(every), task)


def _name(source: Source) -> str:
    """Name a source as its pages would, had it been opened."""
    return display_name(Path(source).name or str(source)) if isinstance(source, str | Path) else "picture"


def parse_box(text: str) -> Box:
    """Read "x1,y1,x2,y2" or "x,y", with or without brackets. Raises InvalidValue."""
    parts = text.strip().strip("[]()").replace(" ", "").split(",")
    if len(parts) not in (2, 4) or not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        raise InvalidValue(f"a box is x1,y1,x2,y2 (or x,y for a point) in whole pixels; not {text[:40]!r}")
    numbers = tuple(int(part) for part in parts)
    return numbers if len(numbers) == 4 else (numbers[0], numbers[1])


def chat_mode(ocr_type: str) -> Mode:
    """Translate the original's `ocr_type`. Raises InvalidValue."""
    if ocr_type == "ocr":
        return "plain"
    if ocr_type == "format":
        return "format"
    raise InvalidValue(f"ocr_type is one of ocr, format; not {ocr_type!r}")


def chat_color(ocr_color: str) -> Color | None:
    """Translate the original's `ocr_color`, "" for none. Raises InvalidValue."""
    if ocr_color and ocr_color not in COLORS:
        raise InvalidValue(f"ocr_color is one of {', '.join(COLORS)}; not {ocr_color[:20]!r}")
    return cast(Color, ocr_color) if ocr_color else None
