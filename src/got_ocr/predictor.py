"""A backend with its tokenizer: pieces of pictures -> requests -> outcomes.

A model folder holds one, and may hold others for single kinds in subfolders named after them (`music/`), which are opened when they are
first asked. Knows no source, page or reading.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from got_ocr import hub, pixels, prompt
from got_ocr.backends.base import Backend, open_slots
from got_ocr.cut import Piece
from got_ocr.engine import Engine, Groups, in_turn, one_by_one
from got_ocr.errors import ModelError, TooManyImages
from got_ocr.generate import Outcome, Request, finish, generate
from got_ocr.profiles import Profile
from got_ocr.spec import ModelSpec
from got_ocr.task import Task
from got_ocr.tokenizer import Tokenizer

SLOTS = 32  # answers written side by side; a page of many lines has more


@dataclass(frozen=True, slots=True)
class Predictor:
    """A loaded network and its vocabulary."""

    backend: Backend
    tokenizer: Tokenizer

    @classmethod
    def open(cls, folder: Path, device: str, dtype: str) -> "Predictor":
        """Load a model folder of any layout. Raises ModelError classes, and InvalidValue for an unknown device or dtype."""
        from got_ocr.backends.torch import open_backend

        tokenizer, backend = Tokenizer.load(folder), open_backend(folder, device, dtype)
        expected = backend.model.config.image_token
        if tokenizer.image != expected:
            raise ModelError(f"the vocabulary's image token is {tokenizer.image}, the model's is {expected}")
        return cls(backend, tokenizer)

    def requests(
        self, pieces: Sequence[Piece], task: Task, lines: int, size: tuple[int, int], rules: Profile, most: int
    ) -> Iterator[Request]:
        """Encode tiles and write their prompts. lines: text lines in each; 0: one prompt. size: of the (first) picture. most: new ids.

        Raises TooManyImages where one prompt cannot hold them.
        """
        spec = self.backend.spec
        tiles = [piece.tile for piece in pieces]
        if spec.tiling == "whole" and len(tiles) > spec.tiles_per_prompt:
            raise TooManyImages(
                f"{len(tiles)} tiles are more than one request of this model holds ({spec.tiles_per_prompt})"
            )
        features = self.backend.encode([pixels.raw(tile) for tile in tiles])
        # The original bans repeats for a single picture only: neither for crops nor for several pages.
        ban = 0 if task.crop or task.multi_page else rules.ban
        together = lines or max(1, len(tiles))
        for start in range(0, len(tiles), together):
            part = slice(start, start + together)
            count = sum(spec.tokens(tile.height, tile.width) for tile in tiles[part])
            asked = replace(task, mode=pieces[start].mode or task.mode)
            ids = prompt.build(self.tokenizer, asked, count, size, rules.style).ids
            # No letter is narrower than a fourth of a cell: what is longer than that was never printed there.
            room = min(most, 4 * count + 32) if lines else most
            yield Request(ids, features[part], self.tokenizer.end, ban, rules.watch, room)

    def groups(self, most: int) -> Groups:
        """Make an engine that answers at most `most` groups of requests side by side."""
        return Groups(self._engine(), most)

    def answer(self, requests: Sequence[Request]) -> list[Outcome]:
        """Answer the requests of one page, several side by side. Raises the error of one that fails."""
        if len(requests) == 1:
            return finish(generate(self.backend, requests))
        (answers,) = self.groups(1).run([lambda: requests])
        if not isinstance(answers.result, list):
            raise answers.result
        return answers.result

    def events(self, requests: Sequence[Request]) -> Iterator[int | Outcome]:
        """Answer the requests of one page: several side by side, unless drafts are at hand; told of in their order."""
        if len(requests) > 1 and not any(request.draft for request in requests):
            return in_turn(self._engine(), requests)
        return one_by_one(self.backend, requests)

    def _engine(self) -> Engine:
        return Engine(open_slots(self.backend, SLOTS), self.backend.spec.context)


Specialists = Mapping[str, Callable[[], Predictor]]  # by the kinds that they read


def specialists(folder: Path, device: str, dtype: str, spec: ModelSpec) -> Specialists:
    """Find the predictors in the subfolders of a model folder. spec: of the model itself, whose tiles they get.

    Each is loaded when it is first called for, once. Calling raises what `Predictor.open` does.
    """
    return {kind: cache(partial(_specialist, where, device, dtype, spec)) for kind, where in hub.parts(folder).items()}


def _specialist(folder: Path, device: str, dtype: str, spec: ModelSpec) -> Predictor:
    opened = Predictor.open(folder, device, dtype)
    mine = opened.backend.spec
    if (mine.tiling, mine.tile, mine.cell) != (spec.tiling, spec.tile, spec.cell):
        raise ModelError(f"the model in {folder.name}/ sees other tiles than the one it stands beside")
    return opened
