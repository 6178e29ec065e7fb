"""The journal: nothing torn is believed, nothing whole is lost, and what came last is known without a common clock."""

from pathlib import Path

import pytest

from got_ocr.batch.journal import Journal, Logs, lengths
from got_ocr.errors import UsageError


def kinds(logs: Logs) -> list[str]:
    return [told.kind for told in logs.news()]


def test_events_come_back_as_written(room: Path) -> None:
    journal = Journal(room, "one", Logs(room))
    journal.append("done", durable=True, kind="PDF", source="a\udcff\n漢", pages=[1, 2])
    logs = Logs(room)
    told = list(logs.news())
    assert [t.kind for t in told] == ["run", "done"]
    assert told[1].facts == {"e": "done", "n": 2, "kind": "PDF", "source": "a\udcff\n漢", "pages": [1, 2]}
    assert told[1].log == "one"
    assert kinds(logs) == []
    journal.append("left")
    assert kinds(logs) == ["left"]


def test_a_torn_end_is_never_believed_wherever_it_tears(room: Path) -> None:
    journal = Journal(room, "one", Logs(room))
    journal.append("first", text="x" * 20)
    whole = (room / "one.log").read_bytes()
    journal.append("second", text="y" * 20)
    journal.close()
    data = (room / "one.log").read_bytes()
    for cut in range(len(whole), len(data)):
        (room / "one.log").write_bytes(data[:cut])
        assert kinds(Logs(room)) == ["run", "first"]
    (room / "one.log").write_bytes(data)
    assert kinds(Logs(room)) == ["run", "first", "second"]


def test_a_line_seen_half_is_read_when_it_is_whole(room: Path) -> None:
    Journal(room, "one", Logs(room)).append("first")
    data = (room / "one.log").read_bytes()
    logs, seen = Logs(room), []
    for cut in range(0, len(data) + 1, 3):
        (room / "one.log").write_bytes(data[:cut])
        seen += kinds(logs)
    (room / "one.log").write_bytes(data)
    assert seen + kinds(logs) == ["run", "first"]
    assert logs.damaged == 0


def test_a_flipped_bit_is_found_and_costs_its_line_alone(room: Path) -> None:
    journal = Journal(room, "one", Logs(room))
    for name in ("first", "second", "third"):
        journal.append(name)
    data = (room / "one.log").read_bytes()
    start = data.index(b"\n", data.index(b"first")) + 1
    end = data.index(b"\n", start)
    for at in range(start, end):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            (room / "one.log").write_bytes(flipped)
            logs = Logs(room)
            assert kinds(logs) == ["run", "first", "third"]
            assert logs.damaged >= 1


def test_what_is_this_runs_is_told_from_earlier_runs(room: Path) -> None:
    journal = Journal(room, "one", Logs(room))
    journal.append("old")
    since = lengths(room)
    journal.append("new")
    Journal(room, "two", Logs(room)).append("other")
    fresh = {told.kind: told.fresh for told in Logs(room, since).news() if told.kind != "run"}
    assert fresh == {"old": False, "new": True, "other": True}


def test_numbers_grow_from_cause_to_effect(room: Path) -> None:
    """The second worker read the first's event before it wrote its own, whatever the names of their files."""
    first, second = Logs(room), Logs(room)
    one, two = Journal(room, "z", first), Journal(room, "a", second)
    for _ in range(5):
        one.append("cause")
    list(second.news())
    two.append("effect")
    numbers = {told.kind: told.number for told in Logs(room).news()}
    assert numbers["effect"] > numbers["cause"]


def test_a_name_is_taken_once(room: Path) -> None:
    Journal(room, "one", Logs(room))
    with pytest.raises(Exception, match="cannot write"):
        Journal(room, "one", Logs(room))


def test_a_journal_of_another_version_is_refused(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("got_ocr.batch.journal.VERSION", 99)
    Journal(room, "one", Logs(room))
    monkeypatch.undo()
    with pytest.raises(UsageError, match="another version"):
        list(Logs(room).news())
