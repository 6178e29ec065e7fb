"""What a batch is made of: folders, globs and lists, and all that may lie in them."""

import os
import socket
from pathlib import Path

import pytest
from batch_stand import picture

from got_ocr.batch.sources import Entry, listed
from got_ocr.errors import InputNotFound, InvalidValue, UsageError


def names(entries: list[Entry]) -> list[str]:
    return [entry.source for entry in entries]


def problems(entries: list[Entry]) -> dict[str, str]:
    return {entry.source: entry.problem for entry in entries if entry.problem}


@pytest.fixture
def tree(room: Path) -> Path:
    root = room / "in"
    for name in ("page10.png", "page2.png", "b/c/deep.png", "b/x.PNG", ".hidden/no.png", "b/.no.png"):
        picture(root / name)
    (root / "notes.txt").write_text("no picture")
    (root / "unnamed").write_bytes((root / "page2.png").read_bytes())
    return root


def test_folders_are_walked_in_natural_order(tree: Path, room: Path) -> None:
    found = listed([str(tree)], room / "out")
    assert names(found) == ["page2.png", "page10.png", "unnamed", "b/x.PNG", "b/c/deep.png"]
    assert [entry.stem for entry in found] == names(found)
    assert all(Path(entry.path).is_file() for entry in found)


def test_several_sources_are_named_from_what_they_share_and_come_once(tree: Path, room: Path) -> None:
    picture(room / "other" / "page2.png")
    found = listed(
        [str(tree / "b"), str(tree), str(room / "other" / "page2.png"), str(tree / "page2.png")], room / "out"
    )
    assert sorted(names(found)) == sorted(
        ["in/b/x.PNG", "in/b/c/deep.png", "in/page2.png", "in/page10.png", "in/unnamed", "other/page2.png"]
    )


def test_a_file_has_its_own_name(tree: Path, room: Path) -> None:
    assert names(listed([str(tree / "b" / "x.PNG")], room / "out")) == ["x.PNG"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.png", ["page2.png", "page10.png"]),
        ("**/*.png", ["b/c/deep.png", "page2.png", "page10.png"]),
        ("**", ["b/c/deep.png", "b/x.PNG", "notes.txt", "page2.png", "page10.png", "unnamed"]),
        ("b/?.PNG", ["x.PNG"]),
        ("page[2].png", ["page2.png"]),
    ],
)
def test_globs(tree: Path, room: Path, pattern: str, expected: list[str]) -> None:
    assert names(listed([str(tree / pattern)], room / "out")) == expected


def test_globs_that_match_nothing_or_cannot_be(tree: Path, room: Path) -> None:
    with pytest.raises(InputNotFound):
        listed([str(tree / "*.gif")], room / "out")
    with pytest.raises(InvalidValue):
        listed([str(tree / "**x" / "*.png")], room / "out")


def test_a_file_that_is_named_like_a_glob_or_a_list_is_itself(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(room / "in" / "a[1].png")
    picture(room / "in" / "@list.png")
    monkeypatch.chdir(room / "in")
    assert names(listed(["a[1].png", "@list.png"], room / "out")) == ["a[1].png", "@list.png"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0"])
def test_lists(tree: Path, room: Path, monkeypatch: pytest.MonkeyPatch, end: bytes) -> None:
    monkeypatch.chdir(tree)
    lines = [b"page2.png", b"", b"b", os.fsencode(tree / "unnamed"), b"gone.png"]
    (room / "list.txt").write_bytes(end.join(lines) + end)
    found = listed([f"@{room / 'list.txt'}"], room / "out")
    assert names(found) == ["page2.png", "b/x.PNG", "b/c/deep.png", "unnamed", "gone.png"]
    assert problems(found) == {"gone.png": "input_not_found"}


def test_lists_that_cannot_be_read(room: Path) -> None:
    for name in ("missing", ""):
        with pytest.raises((InvalidValue, InputNotFound)):
            listed([f"@{room / name}"], room / "out")


def test_nothing_but_regular_files_is_opened(tree: Path, room: Path) -> None:
    os.mkfifo(tree / "pipe.png")
    (tree / "loop").symlink_to(tree)
    (tree / "link.png").symlink_to(tree / "page2.png")
    (tree / "broken.png").symlink_to(tree / "nowhere")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tree / "socket.png"))
        found = listed([str(tree)], room / "out")
        device = listed([str(tree / "page2.png"), "/dev/null"], room / "out")
    skipped = {name: "not_regular" for name in ("pipe.png", "loop", "link.png", "broken.png", "socket.png")}
    assert problems(found) == skipped
    assert all(entry.skipped for entry in found if entry.problem)
    assert len([entry for entry in found if not entry.problem]) == 5
    assert list(problems(device).values()) == ["not_regular"]


def test_links_are_followed_when_named_and_never_walked_in_circles(tree: Path, room: Path) -> None:
    (room / "way").symlink_to(tree)
    (room / "one.png").symlink_to(tree / "page2.png")
    for turn in range(5):
        (tree / "b" / f"loop{turn}").symlink_to(tree)
    assert len(problems(listed([str(room / "way")], room / "out"))) == 5
    assert names(listed([str(room / "one.png")], room / "out")) == ["one.png"]
    found = listed([str(tree / "**" / "*.png")], room / "out")
    assert [entry.source for entry in found if not entry.problem] == ["b/c/deep.png", "page2.png", "page10.png"]
    assert names(listed([str(tree / "b" / "loop0" / "page*.png")], room / "out")) == ["page2.png", "page10.png"]


def test_a_folder_that_cannot_be_listed_is_told(tree: Path, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("/c"):
            raise PermissionError
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert problems(listed([str(tree)], room / "out")) == {"b/c": "input_not_found"}


def test_the_output_folder_must_lie_elsewhere(tree: Path, room: Path) -> None:
    (room / "way").symlink_to(tree)
    for out in (tree, tree / "out", tree / "b" / "new" / "deeper", room / "way" / "out"):
        with pytest.raises(UsageError) as caught:
            listed([str(tree)], out)
        assert caught.value.exit_code == 2
    assert listed([str(tree / "b")], tree)  # outputs above or beside their sources are in nobody's way


def test_nothing_at_all_is_an_error(room: Path) -> None:
    (room / "empty").mkdir()
    for source in (room / "empty", room / "missing"):
        with pytest.raises(InputNotFound) as caught:
            listed([str(source)], room / "out")
        assert caught.value.exit_code == 4


def test_names_of_any_bytes(room: Path) -> None:
    root = os.fsencode(room / "in")
    os.makedirs(root)
    data = picture(room / "p.png").read_bytes()
    odd = [b"bad\xff.png", b"two\nlines.png", "😀.png".encode(), b"-x.png", b"n" * 251 + b".png", b"..png", b"a\\b.png"]
    for name in odd[:5] + odd[6:]:
        with open(os.path.join(root, name), "wb") as file:
            file.write(data)
    found = listed([str(room / "in")], room / "out")
    assert len(found) == 6
    assert all(entry.shown.isprintable() for entry in found)
    assert len({entry.stem for entry in found}) == 6
