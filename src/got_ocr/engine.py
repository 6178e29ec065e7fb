"""Many answers that come and go: admit, step, retire. Slots are filled in the order of asking; ids and ends go out as they come.

Each answer is what `generate` writes for its request alone, whatever is written beside it. One that fails fails alone. Knows no
picture, no text and no tensor.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from got_ocr.backends.base import NO_NUMBERS, Backend, Slots, SlotScores
from got_ocr.errors import GotOcrError, NumericError
from got_ocr.generate import Outcome, Request, Row, generate, open_row

PREFILLS = 4  # prompts read between two steps at most: those under way wait no longer


@dataclass(frozen=True, slots=True)
class Wrote:
    """One more id of an answer."""

    ticket: int
    token: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an answer; see `Outcome` for how it ended."""

    ticket: int
    outcome: Outcome


Event = Wrote | Ended


class Engine:
    """Write answers in the slots of a backend.

    `submit` requests at any time, call `turn` while not `idle`: every turn admits what was asked first, at most `prefills` at
    once, and takes one step of all that are under way. context: of the model. clock: that deadlines are read from; they are
    kept to a step or a prompt.
    """

    def __init__(
        self, slots: Slots, context: int, *, prefills: int = PREFILLS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._slots = slots
        self._context = context
        self._prefills = prefills
        self._clock = clock
        self._free = list(range(slots.count - 1, -1, -1))
        self._waiting: deque[tuple[int, Request]] = deque()
        self._seats: dict[int, tuple[int, Row]] = {}  # slot -> ticket, answer
        self._last: dict[int, int] = {}  # slot -> id that the next step appends
        self._events: list[Event] = []
        self._tickets = 0

    @property
    def idle(self) -> bool:
        """Say whether nothing is left to do."""
        return not (self._waiting or self._seats or self._events)

    @property
    def waiting(self) -> int:
        """Count the requests that have no slot yet."""
        return len(self._waiting)

    def submit(self, request: Request) -> int:
        """Ask for an answer; give its ticket. What is wrong with a request becomes its outcome."""
        self._tickets += 1
        self._waiting.append((self._tickets, request))
        return self._tickets

    def cancel(self, ticket: int) -> None:
        """Stop an answer at once; the next turn tells its end. One that has ended already is left alone."""
        for slot, (seated, row) in self._seats.items():
            if seated == ticket:
                row.outcome = Outcome(tuple(row.ids), "truncated", len(row.ids), "cancelled")
                return self._retire(slot)
        for entry in self._waiting:
            if entry[0] == ticket:
                self._waiting.remove(entry)
                return self._events.append(Ended(ticket, Outcome((), "truncated", 0, "cancelled")))

    def turn(self) -> list[Event]:
        """Admit, then take one step; give what was written and what has ended since the last turn."""
        self._expire()
        if self._last:
            self._step()
        for _ in range(self._prefills):
            if not (self._free and self._waiting):
                break
            self._admit(*self._waiting.popleft())
            if self._expire():  # told at once, not after all prompts
                break
        events, self._events = self._events, []
        return events

    def _step(self) -> None:
        """Take one step of all; where it cannot be taken, all that were to take it fail."""
        try:
            scores = self._slots.step(self._last)
        except GotOcrError as error:
            for slot, (_, row) in list(self._seats.items()):
                row.outcome = Outcome(tuple(row.ids), "truncated", len(row.ids), error=error)
                self._retire(slot)
        else:
            self._take(scores)

    def _admit(self, ticket: int, request: Request) -> None:
        try:
            row = open_row(request, self._context, self._clock)
            if row.late():
                return self._events.append(Ended(ticket, Outcome((), "truncated", 0, "deadline")))
            scores = self._slots.admit(self._free[-1], request.prompt, request.features, row.limit)
        except GotOcrError as error:
            return self._events.append(Ended(ticket, Outcome((), "truncated", 0, error=error)))
        slot = self._free.pop()
        self._seats[slot] = ticket, row
        self._take(scores)

    def _take(self, scores: SlotScores) -> None:
        """Hand out the best ids, and retire the answers that end with them."""
        banned = {slot: ids for slot, (_, row) in self._seats.items() if (ids := row.banned())}
        for slot, token in scores.best(banned).items():
            ticket, row = self._seats[slot]
            if token is None:
                row.outcome = Outcome(tuple(row.ids), "truncated", len(row.ids), error=NumericError(NO_NUMBERS))
            elif row.push(token):
                self._events.append(Wrote(ticket, token))
            if row.outcome:
                self._retire(slot)
            elif token is not None:
                self._last[slot] = token

    def _retire(self, slot: int) -> None:
        """Free the slot of an answer that has its outcome."""
        ticket, row = self._seats.pop(slot)
        if row.outcome:
            self._events.append(Ended(ticket, row.outcome))
        self._last.pop(slot, None)
        self._slots.retire(slot)
        self._free.append(slot)

    def _expire(self) -> bool:
        """End what is late, in a slot or waiting for one; say whether anything was."""
        now = self._clock()
        seated = [(slot, row) for slot, (_, row) in self._seats.items() if row.late()]
        for slot, row in seated:
            row.outcome = Outcome(tuple(row.ids), "truncated", len(row.ids), "deadline")
            self._retire(slot)
        waiting = [entry for entry in self._waiting if entry[1].deadline is not None and now >= entry[1].deadline]
        for entry in waiting:
            self._waiting.remove(entry)
            self._events.append(Ended(entry[0], Outcome((), "truncated", 0, "deadline")))
        return bool(seated or waiting)


def in_turn(engine: Engine, requests: Sequence[Request]) -> Iterator[int | Outcome]:
    """Write some answers side by side and tell of them one after another: the ids of each as they come, then its outcome.

    Raises the error of an answer that failed, in its turn.
    """
    told: dict[int, deque[int | Outcome]] = {engine.submit(request): deque() for request in requests}
    for mine in told.values():
        ended = False
        while not ended:
            if not mine:
                for event in engine.turn():
                    told[event.ticket].append(event.token if isinstance(event, Wrote) else event.outcome)
                continue
            piece = mine.popleft()
            ended = isinstance(piece, Outcome)
            if isinstance(piece, Outcome) and piece.error:
                raise piece.error
            yield piece


def one_by_one(backend: Backend, requests: Iterable[Request]) -> Iterator[int | Outcome]:
    """Write answers one after another, as `generate` does, and tell of them like `in_turn`; drafts work here."""
    for request in requests:
        running = generate(backend, [request])
        while True:
            try:
                yield next(running)[1]
            except StopIteration as end:
                yield from end.value
                break


@dataclass(frozen=True, slots=True)
class Answers:
    """What a group came to. result: outcomes in the order of its requests, or why it failed. seconds: its share of the time."""

    number: int
    result: list[Outcome] | GotOcrError
    seconds: float


@dataclass(slots=True, eq=False)
class _Group:
    """A group under way: its tickets in order, and how those ended that have."""

    number: int
    tickets: list[int]
    seconds: float
    ends: dict[int, Outcome] = field(default_factory=dict)


Make = Callable[[], Sequence[Request]]


class Groups:
    """Run groups of requests, such as the lines of a page, through an engine of their own.

    A group is made (pictures loaded, tiles encoded) only when its turn has come: at most `most` are under way, and one of them
    waits, so that no slot stays empty. A group that cannot be made, or one of whose requests fails, fails alone. Groups that
    are under way at a time share that time in equal parts.
    """

    def __init__(self, engine: Engine, most: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._engine = engine
        self._most = most
        self._clock = clock
        self._owners: dict[int, _Group] = {}  # by ticket
        self._under_way: list[_Group] = []
        self._begun = 0

    def run(self, makers: Iterable[Make | GotOcrError]) -> Iterator[Answers]:
        """Give each group's answers when it has ended; numbers count from 0. An error stands for a group that has failed."""
        source, more = iter(makers), True
        while more or self._under_way:
            if more and len(self._under_way) < self._most and not self._engine.waiting:
                make = next(source, None)
                more = make is not None
                if make is not None:
                    yield from self._begin(make)
            if self._under_way:
                yield from self._turn()

    def in_order(self, makers: Iterable[Make | GotOcrError]) -> Iterator[Answers]:
        """Run them, but give each group's answers after those of the groups before it."""
        early: dict[int, Answers] = {}
        turn = 0
        for answers in self.run(makers):
            early[answers.number] = answers
            while turn in early:
                yield early.pop(turn)
                turn += 1

    def _begin(self, make: Make | GotOcrError) -> list[Answers]:
        number, start = self._begun, self._clock()
        self._begun += 1
        try:
            if isinstance(make, GotOcrError):
                raise make
            tickets = [self._engine.submit(request) for request in make()]
        except GotOcrError as error:
            return [Answers(number, error, self._clock() - start)]
        group = _Group(number, tickets, self._clock() - start)
        if not tickets:
            return [Answers(number, [], group.seconds)]
        self._owners.update(dict.fromkeys(tickets, group))
        self._under_way.append(group)
        return []

    def _turn(self) -> list[Answers]:
        start = self._clock()
        events = self._engine.turn()
        share = (self._clock() - start) / len(self._under_way)
        for group in self._under_way:
            group.seconds += share
        ends = [event for event in events if isinstance(event, Ended)]
        return [answers for end in ends for answers in self._note(end.ticket, end.outcome)]

    def _note(self, ticket: int, outcome: Outcome) -> list[Answers]:
        group = self._owners.pop(ticket, None)
        if group is None:  # of a group that has failed
            return []
        group.ends[ticket] = outcome
        if outcome.error is None and len(group.ends) < len(group.tickets):
            return []
        self._under_way.remove(group)
        for other in group.tickets:
            if self._owners.pop(other, None):
                self._engine.cancel(other)
        ends = [group.ends[t] for t in group.tickets if t in group.ends]
        return [Answers(group.number, outcome.error or ends, group.seconds)]
