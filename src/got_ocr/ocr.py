"""Read pictures: the only place that glues. Source -> pages -> tiles -> prompt -> backend -> text.

`GotOcr.read` reads as the road goes: load, cut, ask, generate, gather. Importing this file loads no torch; `GotOcr.load` does.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args, overload

from got_ocr import frame, hub, profiles
from got_ocr.asked import Asked
from got_ocr.backends.base import Backend
from got_ocr.cut import settle
from got_ocr.drafts import Draft, DraftName, NgramDraft, TextDraft
from got_ocr.engine import Make
from got_ocr.errors import GotOcrError, InvalidValue, OutputError
from got_ocr.generate import MAX_NEW_TOKENS, Outcome, Request
from got_ocr.image import Source
from got_ocr.jobs import Job, jobs, plan, sound
from got_ocr.lines import MOST_STRIPS
from got_ocr.predictor import Predictor, Specialists, specialists
from got_ocr.profiles import Profile
from got_ocr.reading import Reading, Status, worst
from got_ocr.spec import FORMATTED, ModelSpec
from got_ocr.task import Box, BoxMode, Color, Mode, Task, chat_color, chat_mode, parse_box
from got_ocr.tokenizer import Tokenizer

__all__ = ["GotOcr", "Job", "Options", "chat_color", "chat_mode", "jobs", "parse_box", "plan"]

PAGES_AT_ONCE = 8  # of many pages, how many are under way; each costs memory for its cache
TOKENS_AT_MOST = 32768


@dataclass(frozen=True, slots=True)
class Options:
    """How to generate: the profile's rules, the token limit, and guesses that save time and change no text.

    draft: `auto` guesses from the text that a PDF page carries; `ngram` from the answer itself; `none`. See `drafts.py`.
    Raises InvalidValue for a limit that is none and an unknown draft.
    """

    profile: Profile
    max_new_tokens: int = MAX_NEW_TOKENS
    draft: DraftName = "auto"

    def __post_init__(self) -> None:
        if self.draft not in get_args(DraftName):
            raise InvalidValue(f"draft is one of {', '.join(get_args(DraftName))}; not {self.draft!r}")
        if not 1 <= self.max_new_tokens <= TOKENS_AT_MOST:
            raise InvalidValue(f"max_new_tokens lies between 1 and {TOKENS_AT_MOST}")


class GotOcr:
    """Read pictures with a loaded model. Create it with `GotOcr.load`."""

    def __init__(
        self, backend: Backend, tokenizer: Tokenizer, notice: str = "", others: Specialists | None = None
    ) -> None:
        """Read with a backend; others: who reads single kinds in its place, by their names."""
        self.backend = backend
        self.tokenizer = tokenizer
        self.notice = notice
        self._others = others or {}

    @property
    def spec(self) -> ModelSpec:
        """Describe the model; it reads what others read in its place as well."""
        spec = self.backend.spec
        return replace(spec, reads=spec.reads | self._others.keys())

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

        device: auto, cpu, cuda, mps. dtype: auto, float32, bfloat16, float16, int8, int4. Raises ModelError classes.
        """
        found = hub.resolve(where, revision=revision, offline=offline)
        first = Predictor.open(found.path, device, dtype)
        others = specialists(found.path, device, dtype, first.backend.spec)
        return cls(first.backend, first.tokenizer, found.notice, others)

    def through(self, wrap: Callable[[Backend], Backend]) -> "GotOcr":
        """Make the same reader with every backend wrapped, such as in one that counts."""

        def wrapped(opened: Callable[[], Predictor]) -> Callable[[], Predictor]:
            return lambda: Predictor(wrap(opened().backend), opened().tokenizer)

        others = {kind: wrapped(opened) for kind, opened in self._others.items()}
        return GotOcr(wrap(self.backend), self.tokenizer, self.notice, others)

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
        draft: DraftName = "auto",
    ) -> Reading | list[Reading]:
        """Read a picture, a document or a folder: one Reading for one page, a list of them for several.

        source: path, bytes, PIL image, NumPy array, or with `multi_page` a list of them that is read as one text. Other arguments:
        see `Task`, `Profile` and `Options`. Raises InputError classes for what cannot be read, InvalidValue for what cannot be asked.
        """
        task = Task(mode, box, box_mode, color, crop, max_tiles, multi_page)
        options = Options(profiles.profile(profile), max_new_tokens, draft)
        made = jobs(source, task, options.profile, pages)
        return self.read_job(made[0], options) if len(made) == 1 else list(sound(self.read_jobs(made, options)))

    @overload
    def read_many(
        self,
        sources: Sequence[Source],
        *,
        batch_size: int = PAGES_AT_ONCE,
        mode: Mode = "plain",
        crop: bool = False,
        max_tiles: int | None = None,
        pages: str | None = None,
        profile: str = "safe",
        max_new_tokens: int = MAX_NEW_TOKENS,
        on_error: Literal["raise"] = "raise",
    ) -> list[Reading]: ...

    @overload
    def read_many(
        self,
        sources: Sequence[Source],
        *,
        batch_size: int = PAGES_AT_ONCE,
        mode: Mode = "plain",
        crop: bool = False,
        max_tiles: int | None = None,
        pages: str | None = None,
        profile: str = "safe",
        max_new_tokens: int = MAX_NEW_TOKENS,
        on_error: Literal["keep"],
    ) -> list[Reading | GotOcrError]: ...

    def read_many(
        self,
        sources: Sequence[Source],
        *,
        batch_size: int = PAGES_AT_ONCE,
        mode: Mode = "plain",
        crop: bool = False,
        max_tiles: int | None = None,
        pages: str | None = None,
        profile: str = "safe",
        max_new_tokens: int = MAX_NEW_TOKENS,
        on_error: Literal["raise", "keep"] = "raise",
    ) -> list[Reading] | list[Reading | GotOcrError]:
        """Read many sources, at most `batch_size` pages at a time; readings come in the order of the sources and their pages.

        A page is loaded when its turn comes, and the next one begins when any has ended. on_error: `raise` as `read` does, for
        the first page that fails; or `keep` its error in its place and read the others.
        """
        if batch_size < 1:
            raise InvalidValue("batch_size is at least 1")
        if on_error not in ("raise", "keep"):
            raise InvalidValue("on_error is raise or keep")
        task = Task(mode=mode, crop=crop, max_tiles=max_tiles)
        options = Options(profiles.profile(profile), max_new_tokens)
        planned = (job for _, _, job in plan(sources, task, options.profile, pages))
        readings = self.read_jobs(planned, options, batch_size)
        return list(readings) if on_error == "keep" else list(sound(readings))

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
        draft: DraftName = "auto",
    ) -> Iterator[str | Reading]:
        """Read as `read` does, and yield pieces of text as they are written; each page ends with its Reading.

        The pieces join to the Reading's text, which has no white space around it. Those of a page that ran in circles go beyond
        it, since it is cut back.
        """
        task = Task(mode, box, box_mode, color, crop, max_tiles, multi_page)
        options = Options(profiles.profile(profile), max_new_tokens, draft)
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
        started = time.perf_counter()
        asked = self._ask(job, options)
        outcomes = self._predictor(asked.by).answer(asked.requests)
        return self._reading(job, options, asked, outcomes, time.perf_counter() - started)

    def read_jobs(
        self, planned: Iterable[Job | GotOcrError], options: Options, at_once: int = PAGES_AT_ONCE
    ) -> Iterator[Reading | GotOcrError]:
        """Read many pages side by side, at most `at_once` of them; each comes in its turn, or the error that it failed with.

        Those that are under way at a time share its seconds. What a specialist reads is read page by page, when its turn comes.
        """
        asked: dict[int, tuple[Job, Asked]] = {}

        def maker(number: int, job: Job) -> Make:
            def make() -> Sequence[Request]:
                asked[number] = job, self._ask(job, options)
                return () if asked[number][1].by else asked[number][1].requests

            return make

        makers = (job if isinstance(job, GotOcrError) else maker(number, job) for number, job in enumerate(planned))
        for answers in self._predictor().groups(at_once).in_order(makers):
            mine = asked.pop(answers.number, None)
            if isinstance(answers.result, GotOcrError):
                yield answers.result
            elif mine is not None:
                yield self._gathered(mine[0], options, mine[1], answers.result, answers.seconds)

    def _gathered(
        self, job: Job, options: Options, asked: Asked, outcomes: Sequence[Outcome], seconds: float
    ) -> Reading | GotOcrError:
        """Make a page's reading, or give the error that it failed with."""
        started = time.perf_counter()
        try:
            outcomes = self._predictor(asked.by).answer(asked.requests) if asked.by else outcomes
            return self._reading(job, options, asked, outcomes, seconds + time.perf_counter() - started)
        except GotOcrError as error:
            return error

    def _predictor(self, by: str = "") -> Predictor:
        """Give the model itself, or the specialist for a kind."""
        return self._others[by]() if by else Predictor(self.backend, self.tokenizer)

    def stream_job(self, job: Job, options: Options) -> Iterator[str | Reading]:
        """Read one page (or several as one), yielding pieces of text, then the Reading."""
        started = time.perf_counter()
        outcomes: list[Outcome] = []
        asked = self._ask(job, options)
        predictor = self._predictor(asked.by)
        characters = predictor.tokenizer.stream()
        if (start := asked.between(0).lstrip()) and asked.compose is None:
            yield start
        for event in predictor.events(asked.requests):
            number = len(outcomes)
            if isinstance(event, int):
                piece = characters.push(event) if asked.flows(number) else ""
            else:
                outcomes.append(event)
                whole = "" if asked.flows(number) else asked.sound(number, predictor.tokenizer.decode(event.ids))
                piece = characters.finish() + whole + asked.between(number + 1)
                characters = predictor.tokenizer.stream()
            if piece and asked.compose is None:
                yield piece
        reading = self._reading(job, options, asked, outcomes, time.perf_counter() - started)
        if asked.compose is not None and reading.text:
            yield reading.text  # its parts do not follow each other
        yield reading

    def _ask(self, job: Job, options: Options, sure: bool = False) -> Asked:
        """Load pictures, cut them into tiles and tiles into prompts: one, or for a model of text lines as many as they need.

        sure: see `settle`.
        """
        spec, task = self.spec, job.task
        pictures = [page.load() for page in job.pages]
        notices = [notice for picture in pictures for notice in picture.notices]
        images = [picture.image for picture in pictures]
        if spec.tiling == "lines" and task.asks in {"box", "color", "crop", "multi_page"} - spec.reads:
            narrowed = [frame.narrow(image, task) for image in images]
            images = [image for image, _ in narrowed]
            notices += [notice for _, told in narrowed for notice in told]
            task = Task(task.mode)  # a line is asked for as one, of however large a picture and however many pages
        asked, settled = task.asks, settle(images, task, spec, options.profile.max_tiles, sure)
        task, parts, together = settled.task, settled.parts, settled.together
        kinds = spec.reads & FORMATTED
        trained = spec.reads | ({"format"} if task.mode == "format" and kinds else set())
        if asked not in trained and not (asked == "box" and task.box_mode == "crop"):
            notices.append(f"untrained_mode:{asked}")
        full = spec.tiling == "lines" and max(map(len, parts)) == MOST_STRIPS  # a figure has far fewer
        if full:
            notices.append(f"lines_left_out:after {MOST_STRIPS}")
        whole = [piece for some in parts for piece in some]
        by = settled.by if settled.by in self._others else ""
        predictor = self._predictor(by)
        size, most = pictures[0].image.size, options.max_new_tokens
        requests = predictor.requests(whole, task, together, size, options.profile, most)
        drafts = _drafts(predictor, job, options, together > 0)
        drafted = tuple(replace(request, draft=next(drafts)) for request in requests)
        step = together or max(1, len(whole))
        around = tuple(
            (piece.before, whole[i * step : (i + 1) * step][-1].after) for i, piece in enumerate(whole[::step])
        )
        cells = frozenset(i for i, piece in enumerate(whole[::step]) if piece.place)
        return Asked(drafted, around, tuple(notices), full, cells, settled.compose, by)

    def _reading(
        self, job: Job, options: Options, asked: Asked, outcomes: Sequence[Outcome], seconds: float
    ) -> Reading:
        predictor = self._predictor(asked.by)
        text = asked.text([predictor.tokenizer.decode(outcome.ids) for outcome in outcomes])
        if text is None:  # it was something else
            started = time.perf_counter()
            asked = self._ask(job, options, sure=True)
            outcomes = self._predictor(asked.by).answer(asked.requests)
            return self._reading(job, options, asked, outcomes, seconds + time.perf_counter() - started)
        # A drawing without a label is written, though nothing is asked about it.
        statuses: list[Status] = [outcome.status for outcome in outcomes] or (["ok"] if text else [])
        status = "truncated" if asked.cut else worst(statuses)
        broken = text.count("\ufffd")  # bytes that are no letters
        first = job.pages[0]
        return Reading(
            text=text,
            status="empty" if status == "ok" and not text else status,
            token_ids=tuple(i for outcome in outcomes for i in outcome.ids),
            tokens=sum(outcome.written for outcome in outcomes),
            steps=sum(outcome.steps or outcome.written for outcome in outcomes),
            seconds=seconds,
            page=first.number,
            source=first.source,
            model=self.backend.spec.name,
            notices=(*asked.notices, *([f"broken_characters:{broken}"] if broken else [])),
        )


def _drafts(predictor: Predictor, job: Job, options: Options, lined: bool) -> Iterator[Draft | None]:
    """Make a draft for each request of a job, for ever. lined: each request is a text line."""
    task = job.task
    # A box or a frame holds a part of the page's text; several lines in one prompt are not worth their code.
    follows = not (task.box or task.color) and not (lined and predictor.backend.spec.tiles_per_prompt > 1)
    shared: Draft | None = None
    if options.draft == "auto" and follows and any(page.may_have_text for page in job.pages):
        shared = TextDraft(predictor.tokenizer, lambda: "\n".join(page.text() for page in job.pages), one_line=lined)
    while True:
        yield NgramDraft() if options.draft == "ngram" else shared
