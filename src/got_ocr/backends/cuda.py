"""The PyTorch backend on a CUDA GPU: tiles go up as bytes and are encoded beside the steps, and ids are written ahead of the host.

`CudaSlots` answers the calls of `backends.base.Slots`, but the device is some steps ahead: it takes the best ids by itself, and
the host hands them out one by one while the next ones are written. Where the host bans one of them, its slot goes back there.
Knows no prompt text, no picture file and no rule on ids.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from got_ocr import pixels
from got_ocr.backends.torch import TorchRows
from got_ocr.model.gpu.got import GpuGot
from got_ocr.model.gpu.graphs import Report, Rule, Steps
from got_ocr.spec import ModelSpec

TILES_AT_ONCE = 16  # tiles of one size that go through the encoder together
AHEAD = 8  # steps between two reports to the host
NOTHING = -1  # an end that no id is


@dataclass(frozen=True, slots=True)
class Seen:
    """The image tokens of one tile, (N, C). ready: when they are there; None where nothing runs beside."""

    tokens: Tensor
    ready: torch.cuda.Event | None

    def settled(self) -> Tensor:
        """Let the stream that asks wait for them."""
        if self.ready is not None:
            stream = torch.cuda.current_stream(self.tokens.device)
            stream.wait_event(self.ready)
            self.tokens.record_stream(stream)
        return self.tokens


class CudaBackend:
    """Run a `GpuGot`. Off CUDA (tests) everything runs in turn.

    ahead: steps between two reports to the host. kind: number format of the slots' caches (see `got_ocr.model.gpu.gate`).
    """

    def __init__(self, model: GpuGot, *, ahead: int = AHEAD, kind: torch.dtype | None = None) -> None:
        self.model = model.eval()
        self._ahead, self._kind = ahead, kind
        self._cuda = model.device.type == "cuda"
        self._stream = torch.cuda.Stream(model.device) if self._cuda else None  # type: ignore[no-untyped-call]
        scale, bias = (torch.from_numpy(v.copy()).view(3, 1, 1).to(model.device) for v in pixels.scale_bias())
        self._scale, self._bias = scale, bias

    @property
    def spec(self) -> ModelSpec:
        """Describe the model."""
        return self.model.config.spec

    @torch.inference_mode()
    def encode(self, tiles: Sequence[NDArray[np.uint8]]) -> list[Seen]:
        """Turn tiles, uint8 (3, H, W) of any sizes, into image tokens. Does not wait for them."""
        sizes: dict[tuple[int, ...], list[int]] = {}
        for i, tile in enumerate(tiles):
            sizes.setdefault(tile.shape, []).append(i)
        found: dict[int, Seen] = {}
        for shape, members in sizes.items():
            for start in range(0, len(members), TILES_AT_ONCE):
                part = members[start : start + TILES_AT_ONCE]
                stack = torch.empty(len(part), *shape, dtype=torch.uint8, pin_memory=self._cuda)
                for row, i in enumerate(part):
                    stack[row] = torch.from_numpy(tiles[i])
                tokens, ready = self._encode(stack)
                found.update((i, Seen(one, ready)) for i, one in zip(part, tokens, strict=True))
        return [found[i] for i in range(len(tiles))]

    def _encode(self, stack: Tensor) -> tuple[Tensor, torch.cuda.Event | None]:
        with torch.cuda.stream(self._stream):  # nothing where it is None
            # Weights and constants were made on the stream that everything else runs on.
            up = stack.to(self.model.device, non_blocking=True)
            tokens = self.model.encode((up * self._scale + self._bias).to(self.model.dtype))
            return tokens, self._stream.record_event() if self._stream is not None else None

    def start(self, prompts: Sequence[Sequence[int]], features: Sequence[Sequence[Seen]], room: int) -> TorchRows:
        """Open rows; `room` counts the ids that may still be appended."""
        return TorchRows(self.model, prompts, [seen.settled() for row in features for seen in row], room)

    def slots(self, count: int) -> "CudaSlots":
        """Make slots for requests that come and go."""
        return CudaSlots(self.model, count, ahead=self._ahead, kind=self._kind)


@dataclass(slots=True)
class _Seat:
    """What the host knows of a slot. held: ids that it has confirmed, prompt included. ahead: what the device wrote behind them.

    None stands for scores that were no numbers. shown: the id that was handed out and is not confirmed yet.
    """

    held: int
    ahead: deque[int | None] = field(default_factory=deque)
    shown: int | None = None


class CudaSlots:
    """Slots whose ids are written ahead. A slot has no id in an answer to `step` while the device is still at it."""

    def __init__(
        self,
        model: GpuGot,
        count: int,
        *,
        ahead: int = AHEAD,
        kind: torch.dtype | None = None,
        record: bool | None = None,
    ) -> None:
        self.count = count
        self._ahead = ahead
        self._steps = Steps(model, model.config.decoder.context, kind=kind, record=record)
        self._seats: dict[int, _Seat] = {}
        self._under_way: tuple[dict[int, _Seat], Report] | None = None

    def admit(self, slot: int, prompt: Sequence[int], features: Sequence[Seen], room: int) -> "CudaScores":
        """Read a prompt into a free slot."""
        tokens = torch.cat([seen.settled() for seen in features]) if features else None
        self._steps.admit([slot], [prompt], tokens, [Rule(NOTHING, room)])
        self._seats[slot] = seat = _Seat(len(prompt))
        self._hear({slot: seat}, self._steps.report([slot], 1))
        return CudaScores(self, [slot])

    def step(self, ids: Mapping[int, int]) -> "CudaScores":
        """Append one id to each slot that had one to give."""
        for slot, token in ids.items():
            self._confirm(slot, self._seats[slot], token)
        if not any(self._seats[slot].ahead for slot in ids):
            self._more()
        return CudaScores(self, [slot for slot in ids if self._seats[slot].ahead])

    def retire(self, slot: int) -> None:
        """Free a slot."""
        del self._seats[slot]
        self._steps.retire([slot])

    def show(self, slot: int, banned: Collection[int]) -> int | None:
        """Hand out a slot's next id; where it is banned, choose another in its place."""
        seat = self._seats[slot]
        token = seat.ahead.popleft()
        if token is not None and token in banned:
            # What was written behind it is void, and what is still under way will be, since the seat is another.
            self._seats[slot] = seat = _Seat(seat.held)
            token = self._steps.redo(slot, seat.held, banned)
        seat.shown = token
        return token

    def _confirm(self, slot: int, seat: _Seat, token: int) -> None:
        """Take note that an id which was handed out stands."""
        if seat.shown is None:
            return  # asked again, since there was none to give
        if token == seat.shown:
            seat.held, seat.shown = seat.held + 1, None
        else:
            self._steps.force(slot, seat.held, token)
            self._seats[slot] = _Seat(seat.held + 1)

    def _more(self) -> None:
        """Hear what was written ahead, and let the device write on meanwhile."""
        if self._under_way is None:
            self._under_way = self._write()
        seats, report = self._under_way
        self._under_way = self._write()
        self._hear(seats, report)
        if not any(seat.ahead for seat in self._seats.values()):
            # All who were under way have gone or went back: those who are here now have just been asked for.
            seats, report = self._under_way
            self._under_way = self._write()
            self._hear(seats, report)

    def _write(self) -> tuple[dict[int, _Seat], Report]:
        slots = sorted(self._seats)
        self._steps.run(slots, self._ahead)
        return dict(self._seats), self._steps.report(slots, self._ahead)

    def _hear(self, seats: Mapping[int, _Seat], report: Report) -> None:
        """Put what was written on the seats that are still taken by the same."""
        for (slot, seat), heard in zip(sorted(seats.items()), report.read(), strict=True):
            if self._seats.get(slot) is seat:
                seat.ahead.extend(heard.ids[:-1] if heard.wrong else heard.ids)
                seat.ahead.extend([None] if heard.wrong and heard.ids else [])


class CudaScores:
    """The next ids of some slots, already chosen."""

    def __init__(self, slots: CudaSlots, which: Sequence[int]) -> None:
        self._slots, self._which = slots, which

    def best(self, banned: Mapping[int, Collection[int]]) -> dict[int, int | None]:
        """Give each slot's best id outside its banned ones; None for scores that are no numbers."""
        return {slot: self._slots.show(slot, banned.get(slot, ())) for slot in self._which}
