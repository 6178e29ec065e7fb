"""Writes are whole or not there, exclusive where they must be, and never outside of the output folder."""

import errno
import os
from pathlib import Path

import pytest

from got_ocr.batch.files import Disk, make_folder
from got_ocr.errors import OutputError, OutputRefused


@pytest.fixture
def disk(room: Path) -> Disk:
    return Disk(room / "out", room / "out" / "scratch", "me")


def scratch(room: Path) -> list[Path]:
    return list((room / "out" / "scratch").iterdir())


def test_replace_puts_a_whole_file_in_place(room: Path, disk: Disk) -> None:
    target = room / "out" / "a" / "b.txt"
    disk.replace(target, b"one")
    disk.replace(target, b"two")
    assert target.read_bytes() == b"two"
    assert scratch(room) == []


def test_create_refuses_where_something_is(room: Path, disk: Disk) -> None:
    target = room / "out" / "a" / "b.json"
    assert disk.create(target, b"one")
    assert not disk.create(target, b"two")
    assert target.read_bytes() == b"one"
    assert scratch(room) == []


def test_create_without_hard_links(room: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*names: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    target = room / "out" / "b.json"
    assert disk.create(target, b"one")
    assert not disk.create(target, b"two")
    assert target.read_bytes() == b"one"
    assert scratch(room) == []


def test_create_believes_the_link_count_when_the_answer_was_lost(
    room: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network file system may make the link, lose the answer, and then say that it exists."""
    real = os.link

    def twice(source: str, target: str) -> None:
        real(source, target)
        real(source, target)

    monkeypatch.setattr(os, "link", twice)
    assert disk.create(room / "out" / "b.json", b"one")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO])
def test_a_disk_that_takes_no_more_stops_everything(
    room: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(code, "secret words of the system", "/secret/path")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError) as caught:
        disk.replace(room / "out" / "b.txt", b"one")
    assert not isinstance(caught.value, OutputRefused)
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 5
    assert not (room / "out" / "b.txt").exists()
    monkeypatch.undo()
    assert scratch(room) == []


def test_one_name_that_is_refused_is_no_full_disk(room: Path, disk: Disk) -> None:
    with pytest.raises(OutputRefused):
        disk.replace(room / "out" / ("n" * 300), b"one")
    (room / "out" / "folder").mkdir()
    with pytest.raises(OutputRefused):
        disk.replace(room / "out" / "folder", b"one")
    assert scratch(room) == []


def test_links_do_not_lead_outside(room: Path, disk: Disk) -> None:
    (room / "elsewhere").mkdir()
    (room / "out" / "way").symlink_to(room / "elsewhere")
    (room / "out" / "file.txt").symlink_to(room / "elsewhere" / "victim")
    for write in (disk.replace, disk.create):
        with pytest.raises(OutputRefused):
            write(room / "out" / "way" / "b.txt", b"one")
        with pytest.raises(OutputRefused):
            write(room / "out" / ".." / "b.txt", b"one")
    disk.replace(room / "out" / "file.txt", b"one")  # the link itself goes, what it names stays away
    assert list((room / "elsewhere").iterdir()) == []
    assert not (room / "out" / "file.txt").is_symlink()


def test_make_folder_bears_with_a_second_maker(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other makes the folder between our look and our step."""
    real, looked = Path.is_dir, set()

    def is_dir(path: Path) -> bool:
        late = path.name in ("a", "b") and path not in looked
        looked.add(path)
        return False if late else real(path)

    (room / "a" / "b").mkdir(parents=True)
    monkeypatch.setattr(Path, "is_dir", is_dir)
    make_folder(room / "a" / "b")
    assert looked >= {room / "a", room / "a" / "b"}


@pytest.mark.parametrize("times", [1, 2])
def test_a_scratch_file_that_was_swept_away_is_written_again(
    room: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """The machine slept so long that another took us for dead, and swept."""
    real, left = os.fsync, [times]

    def fsync(handle: int) -> None:
        real(handle)
        for path in scratch(room) if left[0] else []:
            path.unlink()
        left[0] = max(left[0] - 1, 0)

    monkeypatch.setattr(os, "fsync", fsync)
    if times == 1:
        assert disk.create(room / "out" / "b.txt", b"one")
        assert (room / "out" / "b.txt").read_bytes() == b"one"
    else:
        with pytest.raises(OutputError):
            disk.create(room / "out" / "b.txt", b"one")
