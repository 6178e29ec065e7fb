"""Answers under way on the device: slots of a cache, the board that says what stands in them, and steps recorded as CUDA graphs.

A step takes some slots, appends each one's newest id, scores the next, applies the n-gram ban, takes the best and decides
whether the answer goes on, all without the host. It is recorded once for each bucket of rows and replayed; rows that fill a
bucket up name a slot that nobody uses. `report` tells the host what was written since it last asked. Off CUDA the same steps
run one operation after the other. Knows no request, no stream of text and no engine.

Shapes: B rows of the cache (a spare one, then the slots), R rows of a step, S positions of a slot, T prompt positions, C width.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from got_ocr.errors import ModelError
from got_ocr.model.gpu.got import GpuGot
from got_ocr.model.gpu.ops import Board, new_board

BUCKETS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
FIRST_SIZE = 1024  # positions of a slot at first; doubled as answers grow
WARM = 2  # runs before a graph is recorded: kernels are compiled and libraries make their workspaces


@dataclass(frozen=True, slots=True)
class Rule:
    """How one answer is written. end: the id that ends it. most: ids that it has at most. ban: n-grams not to repeat, 0: none."""

    end: int
    most: int
    ban: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What one slot wrote since the last report. live: the answer goes on. wrong: a score was no number."""

    ids: list[int]
    live: bool
    wrong: bool


class Report:
    """A table on its way to the host, (R, count + 3): ids, how many of them are new, live, wrong. Wait for it with `read`."""

    def __init__(self, table: Tensor, count: int) -> None:
        self._table, self._count = table, count
        self._event: torch.cuda.Event | None = None
        if table.is_cuda:
            self._table = torch.empty(table.shape, dtype=table.dtype, pin_memory=True)
            self._table.copy_(table, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record()

    def read(self) -> list[Heard]:
        """Wait until it has come."""
        if self._event is not None:
            self._event.synchronize()
        n = self._count
        return [Heard(row[: row[n]], bool(row[n + 1]), bool(row[n + 2])) for row in self._table.tolist()]


def bucket(rows: int, buckets: Sequence[int] = BUCKETS) -> int:
    """Give the smallest bucket that holds so many rows; beyond the largest, multiples of it."""
    fitting = [size for size in buckets if size >= rows]
    return fitting[0] if fitting else -(-rows // buckets[-1]) * buckets[-1]


class Steps:
    """Write answers in slots, numbered from 0. most: positions that a slot may grow to. Slots and positions grow as they are used.

    kind: number format of the cache, the weights' unless given (float8_e4m3fn: see `gate`). record: as graphs; None: on CUDA.
    """

    def __init__(
        self, model: GpuGot, most: int, *, slots: int = 1, size: int = FIRST_SIZE, kind: torch.dtype | None = None,
        record: bool | None = None,
    ) -> None:  # fmt: skip
        self.model, self.most = model, most
        self._kind = kind or model.dtype
        self._record = model.device.type == "cuda" if record is None else record
        # Row 0 of everything is the spare one; slot n is row n + 1.
        self.cache = model.new_cache(slots + 1, min(size, most), self._kind)
        self.board = new_board(slots + 1, self.cache.size, model.device)
        self._told = torch.zeros(slots + 1, dtype=torch.long, device=model.device)
        self._rules: dict[int, Rule] = {}
        self._reach: dict[int, int] = {}  # by slot: it holds no more ids than this now,
        self._limits: dict[int, int] = {}  # ... and ever
        self._rows: dict[int, tuple[tuple[int, ...], Tensor]] = {}  # for each bucket: who stands in it
        self._graphs: dict[tuple[int, int], torch.cuda.CUDAGraph] = {}
        self._rope = model.steps.positions(self.cache.size)  # graphs read this very table

    @torch.inference_mode()
    def admit(
        self, slots: Sequence[int], prompts: Sequence[Sequence[int]], features: Tensor | None, rules: Sequence[Rule]
    ) -> None:
        """Read prompts into free slots and write the first id of each. features: all image tokens in order, (N, C).

        Raises ModelError, and leaves everything as it was, where an answer would outgrow its slot or image tokens are amiss.
        """
        lengths = [len(prompt) for prompt in prompts]
        if max(n + rule.most for n, rule in zip(lengths, rules, strict=True)) > self.most:
            raise ModelError(f"an answer needs more than the {self.most} positions that its slot may grow to")
        ids = torch.zeros(len(prompts), max(lengths), dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, : len(prompt)] = torch.tensor(prompt)
        ids, count = self._up(ids), self._up(torch.tensor(lengths))
        x = self.model.embed(ids, features)
        self._reserve(max(slots) + 1, max(lengths) + 1)
        rows = self._at(slots)
        self._note(rows, ids, count, rules)
        for slot, rule, length in zip(slots, rules, lengths, strict=True):
            self._rules[slot], self._reach[slot], self._limits[slot] = rule, length + 1, length + rule.most
        scores = self.model.steps.admit(x, count, self.cache, rows)
        self.cache.lengths[rows] = count - 1  # `take` counts the newest id's position, which here is the prompt's last
        self._choose(scores, rows, max(rule.ban for rule in rules))

    def _note(self, rows: Tensor, ids: Tensor, count: Tensor, rules: Sequence[Rule]) -> None:
        """Put new answers on the board."""
        board = self.board
        table = self._up(torch.tensor([(rule.end, rule.most, rule.ban) for rule in rules]))
        board.ends[rows], board.limits[rows], board.bans[rows] = table[:, 0], table[:, 1] + count, table[:, 2]
        board.filled[rows] = self._told[rows] = count
        board.history[rows, : ids.shape[1]] = ids.int()
        board.live[rows] = 1
        board.wrong[rows] = 0

    @torch.inference_mode()
    def run(self, slots: Sequence[int], count: int) -> None:
        """Do `count` steps of some slots. Answers that have ended stay as they are."""
        for slot in slots:
            self._reach[slot] = min(self._reach[slot] + count, self._limits[slot])
        self._reserve(1, max(self._reach[slot] for slot in slots))
        size, most = bucket(len(slots)), max(self._rules[slot].ban for slot in slots)
        if self._record and (size, most) not in self._graphs:
            self._graphs[size, most] = self._recorded(size, most)
        rows = self._standing(size, tuple(slots))
        for _ in range(count):
            if self._record:
                self._graphs[size, most].replay()
            else:
                self._once(rows, most)

    @torch.inference_mode()
    def report(self, slots: Sequence[int], count: int) -> Report:
        """Ask what some slots have written since the last report; at most `count` ids of each are told."""
        board, rows = self.board, self._at(slots)
        first, filled = self._told[rows], board.filled[rows]
        at = (first[:, None] + torch.arange(count, device=rows.device)).clamp(max=board.history.shape[1] - 1)
        new = (filled - first).clamp(max=count)
        ids = board.history[rows].gather(1, at).long()
        self._told[rows] = first + new
        flags = torch.stack((new, board.live[rows].long(), board.wrong[rows].long()), 1)
        return Report(torch.cat((ids, flags), 1), count)

    @torch.inference_mode()
    def redo(self, slot: int, held: int, banned: Collection[int]) -> int | None:
        """Go back to where a slot held `held` ids, prompt included, and choose the next one outside `banned`.

        None where the scores are no numbers. Waits for the device.
        """
        board, rows, cache = self.board, self._at([slot]), self.cache
        board.filled[rows] = held
        cache.lengths[rows] = held - 1
        board.last[rows] = board.history[rows, held - 1].long()
        board.live[rows] = 1
        board.wrong[rows] = 0
        self._told[rows] = held + 1
        self._reach[slot] = held + 1
        scores = self.model.steps.advance(board.last[rows], rows, cache)
        if banned:
            scores[:, self._up(torch.tensor(list(banned)))] = -torch.inf
        self._choose(scores, rows, 0)
        return None if bool(board.wrong[rows]) else int(board.last[rows])

    @torch.inference_mode()
    def force(self, slot: int, held: int, token: int) -> None:
        """Go back to where a slot held `held` ids, prompt included, and append one from outside."""
        board, rows = self.board, self._at([slot])
        board.filled[rows] = self._told[rows] = held + 1
        self.cache.lengths[rows] = held
        board.last[rows] = board.history[rows, held] = token
        board.live[rows] = 1
        board.wrong[rows] = 0
        self._reach[slot] = held + 1

    @torch.inference_mode()
    def retire(self, slots: Sequence[int]) -> None:
        """Stop answers; their slots are free."""
        self.board.live[self._at(slots)] = 0

    def _once(self, rows: Tensor, most: int) -> None:
        """Do one step of rows (R,). most: the longest n-gram that any of them bans."""
        self._choose(self.model.steps.advance(self.board.last[rows], rows, self.cache), rows, most)

    def _choose(self, scores: Tensor, rows: Tensor, most: int) -> None:
        ops = self.model.steps.ops
        ops.ban(scores, self.board, rows, most)
        best, chosen = scores.max(-1)
        ops.take(self.board, rows, chosen, best, self.cache.lengths)

    def _standing(self, size: int, slots: tuple[int, ...]) -> Tensor:
        """Say on the device which slots stand in a bucket; the spare row fills it up."""
        if size not in self._rows:
            self._rows[size] = (), torch.zeros(size, dtype=torch.long, device=self.model.device)
        known, rows = self._rows[size]
        if known != slots:
            rows.copy_(self._up(torch.tensor([*(slot + 1 for slot in slots), *[0] * (size - len(slots))])))
            self._rows[size] = slots, rows
        return rows

    def _recorded(self, size: int, most: int) -> torch.cuda.CUDAGraph:
        """Record a step of a bucket. Nothing but the spare row is touched."""
        rows, here = self._standing(size, ()), torch.cuda.current_stream(self.model.device)
        side = torch.cuda.Stream(self.model.device)  # type: ignore[no-untyped-call]
        side.wait_stream(here)
        with torch.cuda.stream(side):
            for _ in range(WARM):
                self._once(rows, most)
        here.wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # Other threads may go on copying and allocating meanwhile.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._once(rows, most)
        return graph

    def _reserve(self, slots: int, size: int) -> None:
        """Have at least so many slots and positions; when they grow, what was recorded is recorded anew."""
        old, board, told = self.cache, self.board, self._told
        have, long = board.last.shape[0] - 1, old.size
        if slots <= have and size <= long:
            return
        rows = 1 + (have if slots <= have else max(slots, 2 * have))
        long = long if size <= long else min(max(size, long + long // 2), self.most)
        self._graphs.clear()
        self.cache = self.model.new_cache(rows, long, self._kind)
        self.cache.take_over(old)
        self.board = new_board(rows, long, self.model.device)
        for name in Board.__slots__:
            before: Tensor = getattr(board, name)
            getattr(self.board, name)[tuple(slice(n) for n in before.shape)] = before
        self._told = torch.zeros_like(self.board.last)
        self._told[: told.shape[0]] = told
        self._rope = self.model.steps.positions(long)

    def _at(self, slots: Sequence[int]) -> Tensor:
        return self._up(torch.tensor([slot + 1 for slot in slots]))

    def _up(self, numbers: Tensor) -> Tensor:
        """Bring a small table to the device without waiting for it."""
        if self.model.device.type != "cuda":
            return numbers.to(self.model.device)
        return numbers.pin_memory().to(self.model.device, non_blocking=True)
