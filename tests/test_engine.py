"""Many answers that come and go: the same ids as one by one, in fair order, each failing alone; groups made in their turn."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from got_ocr.backends.base import SingleRows, open_slots
from got_ocr.engine import Answers, Ended, Engine, Groups, Wrote, in_turn
from got_ocr.errors import ImageTruncated, InvalidValue, ModelError, NumericError, OutOfMemory
from got_ocr.generate import Outcome, Request, finish, generate

END = 5


@dataclass
class Fake:
    """Slots that write what the prompt says: prompt (n, a) gives a, a, ... n times, then END; ids below 0 are no numbers.

    Refuses every prompt that holds 666, and every use that the contract forbids.
    """

    count: int
    log: list[str] = field(default_factory=list)
    live: dict[int, Iterator[int]] = field(default_factory=dict)
    widths: list[int] = field(default_factory=list)

    def admit(self, slot: int, prompt: Sequence[int], features: Sequence[Any], room: int) -> "FakeScores":
        assert slot not in self.live
        assert 0 <= slot < self.count
        assert room >= 1
        if 666 in prompt:
            raise ModelError("refused")
        times, token = prompt[:2]
        self.live[slot] = iter([token] * times + [END] * 10_000)
        self.log.append(f"admit {token}")
        return FakeScores({slot: next(self.live[slot])})

    def step(self, ids: Mapping[int, int]) -> "FakeScores":
        assert set(ids) == set(self.live)
        self.widths.append(len(ids))
        self.log.append("step")
        return FakeScores({slot: next(self.live[slot]) for slot in reversed(list(ids))})

    def retire(self, slot: int) -> None:
        del self.live[slot]


@dataclass
class FakeScores:
    ids: dict[int, int]

    def best(self, banned: Mapping[int, Collection[int]]) -> dict[int, int | None]:
        return {
            slot: None if token < 0 else (7 if token in banned.get(slot, ()) else token)
            for slot, token in self.ids.items()
        }


def ask(times: int, token: int, **rules: Any) -> Request:
    return Request([times, token], [], END, **({"watch": False} | rules))


def drain(engine: Engine) -> dict[int, Outcome]:
    ends = {}
    while not engine.idle:
        ends.update({event.ticket: event.outcome for event in engine.turn() if isinstance(event, Ended)})
    return ends


def test_answers_end_by_themselves_and_slots_are_filled_again() -> None:
    slots = Fake(2)
    engine = Engine(slots, 1000)
    tickets = [engine.submit(ask(times, 10 + times)) for times in (3, 0, 8, 1, 2)]
    assert (engine.idle, engine.waiting) == (False, 5)
    ends = drain(engine)
    assert [ends[t] for t in tickets] == [Outcome((10 + n,) * n, "ok", n + 1) for n in (3, 0, 8, 1, 2)]
    assert slots.live == {}
    assert engine.idle


def test_first_asked_is_first_admitted_and_nobody_starves() -> None:
    slots = Fake(3)
    engine = Engine(slots, 1000)
    for token in range(20, 60):
        engine.submit(ask(token % 7, token))
    drain(engine)
    assert [entry for entry in slots.log if entry != "step"] == [f"admit {token}" for token in range(20, 60)]


@pytest.mark.parametrize("prefills", [1, 2, 5])
def test_so_many_prompts_are_read_between_two_steps(prefills: int) -> None:
    slots = Fake(8)
    engine = Engine(slots, 1000, prefills=prefills)
    for token in range(20, 40):
        engine.submit(ask(9, token))
    drain(engine)
    runs = " ".join(entry.split()[0] for entry in slots.log).split("step")
    assert max(run.count("admit") for run in runs) == prefills
    assert max(slots.widths) == 8


def test_no_slot_stays_empty_while_someone_waits() -> None:
    slots = Fake(4)
    engine = Engine(slots, 1000)
    for _ in range(40):
        engine.submit(ask(10, 20))
    drain(engine)
    assert slots.widths.count(4) >= len(slots.widths) - 1


def test_events_come_as_they_are_written() -> None:
    engine = Engine(Fake(2), 1000)
    one, two = engine.submit(ask(2, 30)), engine.submit(ask(1, 40))
    assert engine.turn() == [Wrote(one, 30), Wrote(two, 40)]
    assert sorted(engine.turn(), key=lambda event: event.ticket) == [
        Wrote(one, 30),
        Ended(two, Outcome((40,), "ok", 2)),
    ]
    assert engine.turn() == [Ended(one, Outcome((30, 30), "ok", 3))]
    assert engine.turn() == []


def test_limits_bans_and_loops_are_each_requests_own() -> None:
    engine = Engine(Fake(4), 100)
    cut, looped, banned, context = (
        engine.submit(request)
        for request in (
            ask(50, 20, max_new_tokens=6),
            ask(5000, 20, watch=True),
            ask(9, 20, ban=1, max_new_tokens=3),
            ask(500, 20),
        )
    )
    ends = drain(engine)
    assert ends[cut] == Outcome((20,) * 6, "truncated", 6)
    assert ends[looped] == Outcome((20,), "loop", 64)
    assert ends[banned].ids == (7, 7, 7)  # the prompt's own 20 is banned; the fake writes 7 for banned ids
    assert (ends[context].status, ends[context].written) == ("truncated", 98)


def test_an_answer_without_numbers_fails_alone() -> None:
    engine = Engine(Fake(3), 1000)
    good, bad, other = engine.submit(ask(5, 20)), engine.submit(ask(1, -1)), engine.submit(ask(5, 21))
    ends = drain(engine)
    assert isinstance(ends[bad].error, NumericError)
    assert (ends[good], ends[other]) == (Outcome((20,) * 5, "ok", 6), Outcome((21,) * 5, "ok", 6))


def test_what_cannot_be_admitted_fails_alone() -> None:
    slots = Fake(2)
    engine = Engine(slots, 100)
    tickets = [engine.submit(request) for request in (ask(2, 20), ask(2, 666), Request([1] * 100, [], END), ask(2, 21))]
    ends = drain(engine)
    assert [type(ends[t].error) for t in tickets] == [type(None), ModelError, InvalidValue, type(None)]
    assert ends[tickets[3]].ids == (21, 21)
    assert slots.live == {}


def test_a_step_that_cannot_be_taken_fails_those_that_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = Fake(2)
    engine = Engine(slots, 100)
    tickets = [engine.submit(ask(times, 20)) for times in (9, 9, 2)]
    engine.turn()
    plain = slots.step

    def full(ids: Mapping[int, int]) -> FakeScores:
        monkeypatch.setattr(slots, "step", plain)
        raise OutOfMemory("no room")

    monkeypatch.setattr(slots, "step", full)
    ends = drain(engine)
    assert [type(ends[t].error) for t in tickets] == [OutOfMemory, OutOfMemory, type(None)]
    assert ends[tickets[0]].ids == (20,)
    assert slots.live == {}


def test_a_backend_may_work_ahead_and_answer_later() -> None:
    """Slots that have no id yet are asked again with the same one, and every id comes once."""

    @dataclass
    class Ahead(Fake):
        held: dict[int, int] = field(default_factory=dict)
        turn: int = 0

        def step(self, ids: Mapping[int, int]) -> FakeScores:
            self.turn += 1
            late = {slot for slot in ids if (slot + self.turn) % 3 == 0}
            assert all(self.held[slot] == ids[slot] for slot in ids if slot in self.held)
            scores = FakeScores({slot: next(self.live[slot]) for slot in ids if slot not in late})
            self.held = {slot: ids[slot] for slot in late}
            return scores

    engine = Engine(Ahead(4), 1000)
    tickets = [engine.submit(ask(times, 10 + times)) for times in (3, 0, 8, 1, 2, 5)]
    ends = drain(engine)
    assert [ends[t] for t in tickets] == [Outcome((10 + n,) * n, "ok", n + 1) for n in (3, 0, 8, 1, 2, 5)]


def test_cancelling_frees_the_slot_before_the_next_step() -> None:
    slots = Fake(1)
    engine = Engine(slots, 1000)
    first, second, third = (engine.submit(ask(50, token)) for token in (20, 21, 22))
    engine.turn()
    engine.turn()
    engine.cancel(first)
    engine.cancel(third)
    assert slots.live == {}
    assert engine.turn() == [
        Ended(first, Outcome((20, 20), "truncated", 2, "cancelled")),
        Ended(third, Outcome((), "truncated", 0, "cancelled")),
        Wrote(second, 21),
    ]
    engine.cancel(first)
    engine.cancel(999)
    assert drain(engine)[second].status == "ok"


def test_deadlines_hold_in_the_slot_and_in_the_queue() -> None:
    now = [0.0]
    engine = Engine(Fake(1), 1000, clock=lambda: now[0])
    running = engine.submit(ask(50, 20, deadline=2.0))
    queued = engine.submit(ask(50, 21, deadline=1.0))
    patient = engine.submit(ask(3, 22, deadline=90.0))
    ends = {}
    for turn in range(9):
        now[0] = turn
        ends.update({e.ticket: e.outcome for e in engine.turn() if isinstance(e, Ended)})
        if turn == 1:
            assert ends == {queued: Outcome((), "truncated", 0, "deadline")}
    assert ends[running] == Outcome((20,) * 2, "truncated", 2, "deadline")
    assert ends[patient].status == "ok"


def test_a_deadline_is_not_kept_waiting_by_prompts() -> None:
    now = [0.0]
    slots = Fake(8)
    engine = Engine(slots, 1000, prefills=8, clock=lambda: now[0])
    first = engine.submit(ask(50, 20, deadline=0.5))
    engine.turn()
    for token in range(21, 27):
        engine.submit(ask(50, token))
    plain = slots.admit

    def slow(*words: Any) -> FakeScores:
        now[0] += 0.4
        return plain(*words)

    slots.admit = slow  # type: ignore[method-assign]
    assert [e for e in engine.turn() if e.ticket == first] == [
        Wrote(first, 20),
        Ended(first, Outcome((20, 20), "truncated", 2, "deadline")),
    ]
    assert now == [0.8]


def test_generate_keeps_deadlines_too(script: Any) -> None:
    script.answers, script.end = [[9] * 50, [8] * 3], END
    late, whole = finish(generate(script, [Request([1], [4], END, deadline=0.0), Request([1], [4], END, deadline=9e9)]))
    assert late == Outcome((9,), "truncated", 1, "deadline")
    assert whole == Outcome((8, 8, 8), "ok", 4)


# Groups.


def groups(slots: Fake, most: int) -> Groups:
    return Groups(Engine(slots, 1000), most)


def test_groups_come_as_they_end_with_their_answers_in_order() -> None:
    makers = [lambda: [ask(9, 20), ask(2, 21)], lambda: [], lambda: [ask(1, 22)], lambda: [ask(3, 23), ask(1, 24)]]
    found = list(groups(Fake(4), 4).run(makers))
    assert [answers.number for answers in found] == [1, 2, 3, 0]
    ids = {a.number: [o.ids for o in a.result] for a in found if isinstance(a.result, list)}
    assert ids == {0: [(20,) * 9, (21,) * 2], 1: [], 2: [(22,)], 3: [(23,) * 3, (24,)]}
    assert [a.number for a in groups(Fake(4), 4).in_order(makers)] == [0, 1, 2, 3]


def test_groups_are_made_in_their_turn() -> None:
    made: list[int] = []
    slots = Fake(2)

    def maker(number: int) -> Callable[[], list[Request]]:
        def make() -> list[Request]:
            made.append(number)
            assert len(made) - len(ended) <= 4
            return [ask(number % 5, 20 + number)]

        return make

    ended: list[Answers] = []
    for answers in groups(slots, 4).run(maker(n) for n in range(20)):
        ended.append(answers)
    assert made == list(range(20))
    assert len(ended) == 20


def test_one_group_is_made_ahead_and_no_more() -> None:
    begun: list[int] = []

    def maker(number: int) -> Callable[[], list[Request]]:
        return lambda: [begun.append(number), [ask(30, 20)]][1]  # type: ignore[list-item, return-value]

    running = groups(Fake(2), 100).run(maker(n) for n in range(50))
    next(running)
    assert begun == [0, 1, 2]  # two in the slots, one waits


def test_a_group_fails_alone() -> None:
    def broken() -> list[Request]:
        raise ImageTruncated("its bytes end early")

    slots = Fake(8)
    makers = [
        lambda: [ask(5, 20)],
        broken,
        lambda: [ask(500, 21), ask(3, -1), ask(500, 22)],
        InvalidValue("not this"),
        lambda: [ask(2, 666), ask(600, 23)],
        lambda: [ask(2, 24)],
    ]
    kinds = [type(answers.result) for answers in groups(slots, 9).in_order(makers)]
    assert kinds == [list, ImageTruncated, NumericError, InvalidValue, ModelError, list]
    assert slots.live == {}
    assert len(slots.widths) < 50, "the rest of a failed group was written all the same"


def test_groups_share_the_time() -> None:
    clock = iter(range(10_000))
    running = Groups(Engine(Fake(4), 1000), 4, lambda: float(next(clock)))
    found = list(running.in_order([lambda: [ask(3, 20)], lambda: [ask(3, 21)], lambda: []]))
    # Making takes one tick each; four turns of one tick, of which the first belongs to the first group alone.
    assert [a.seconds for a in found] == [1 + 1 + 3 / 2, 1 + 3 / 2 + 1 / 1, 1]


# On tiny random models.


def asked(model: Any, small: Any, count: int, seed: int) -> list[Request]:
    """Draw requests of unequal prompts, limits, bans and pictures."""
    from got_ocr import prompt
    from got_ocr.task import Task

    rng = np.random.default_rng(seed)
    tasks = [Task(), Task("format"), Task(color="red"), Task(box=(1, 2, 300, 400), box_mode="prompt")]
    height, width = model.backend.spec.tile
    drawn = []
    for _ in range(count):
        wide = width if model.backend.spec.tiling == "whole" else int(rng.integers(1, 5)) * 64
        tile = rng.integers(0, 256, (3, height, wide), dtype=np.uint8)
        ids = prompt.build(small, tasks[rng.integers(4)], model.backend.spec.tokens(height, wide), (500, 500)).ids
        drawn.append(
            Request(
                ids,
                model.backend.encode([tile]),
                small.end,
                ban=int(rng.integers(0, 4)),
                max_new_tokens=int(rng.integers(1, 90)),
            )
        )
    return drawn


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["whole", "lines"])
def test_ids_are_those_of_one_by_one(kind: str, seed: int, request: pytest.FixtureRequest, small: Any) -> None:
    """Random arrivals, lengths, limits and cancels; each answer as if the others were not there."""
    model = request.getfixturevalue(kind)
    rng = np.random.default_rng(seed)
    requests = asked(model, small, 14, seed)
    engine = Engine(open_slots(model.backend, int(rng.integers(2, 6))), model.backend.spec.context)
    assert not isinstance(engine._slots, SingleRows)
    tickets: dict[int, int] = {}
    written: dict[int, list[int]] = {}
    ends: dict[int, Outcome] = {}
    waiting = list(rng.permutation(len(requests)))
    cancelled = set(rng.choice(len(requests), 3, replace=False).tolist())
    while waiting or not engine.idle:
        if waiting and rng.random() < 0.3:
            number = int(waiting.pop())
            tickets[engine.submit(requests[number])] = number
        for event in engine.turn():
            number = tickets[event.ticket]
            if isinstance(event, Ended):
                ends[number] = event.outcome
            else:
                written.setdefault(number, []).append(event.token)
                if number in cancelled and len(written[number]) == 5:
                    engine.cancel(event.ticket)
    for number, one in enumerate(requests):
        (alone,) = finish(generate(model.backend, [one]))
        if ends[number].stopped:
            assert number in cancelled
            assert ends[number].ids == alone.ids[: len(ends[number].ids)]
        else:
            assert ends[number] == alone
        assert tuple(written.get(number, ()))[: len(ends[number].ids)] == ends[number].ids
    assert len({outcome.ids[:8] for outcome in ends.values()}) > 8, "pictures change nothing: equality proves little"


def test_a_backend_without_slots_gives_the_same(whole: Any, small: Any) -> None:
    requests = asked(whole, small, 5, 9)
    engine = Engine(SingleRows(whole.backend, 3), whole.backend.spec.context)
    tickets = [engine.submit(one) for one in requests]
    ends = drain(engine)
    assert [ends[t] for t in tickets] == [finish(generate(whole.backend, [one]))[0] for one in requests]


def test_answers_written_together_are_told_of_one_after_another() -> None:
    slots = Fake(3)
    told = list(in_turn(Engine(slots, 1000), [ask(times, 10 + times) for times in (4, 0, 2, 7)]))
    ids = [[14] * 4, [], [12] * 2, [17] * 7]
    assert told == [piece for n in ids for piece in (*n, Outcome(tuple(n), "ok", len(n) + 1))]
    assert max(slots.widths) == 3  # side by side all the same


def test_an_answer_that_fails_is_told_of_in_its_turn() -> None:
    told = in_turn(Engine(Fake(3), 1000), [ask(2, 12), Request([666, 1], [], END), ask(1, 11)])
    assert [next(told) for _ in range(3)] == [12, 12, Outcome((12, 12), "ok", 3)]
    with pytest.raises(ModelError):
        next(told)
