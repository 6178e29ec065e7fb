"""Which documents a batch is made of: folders, globs, lists and single files become entries with names. Opens no picture.

Only regular files are read. Links, pipes and devices inside a folder, a glob or a list are named as skipped and never
opened; a link that the user names as a source is followed. Hidden files, and files that are no picture or PDF by name or
content, are left out of folders.
"""

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from got_ocr import formats
from got_ocr.batch.names import stems
from got_ocr.document import SUFFIXES, natural_key
from got_ocr.errors import InputError, InputNotFound, InvalidValue, UsageError
from got_ocr.image import display_name, read_file

NOT_REGULAR = "not_regular"
_HEAD = 1024  # bytes; a PDF may carry that much before its first line
_LIST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Entry:
    """One document, or what stands where one was expected.

    source: its path relative to the folder that all sources share, with `/`. stem: of its outputs. problem: the code of why it
    is not read, "" for a document. skipped: the problem is no failure of its own (a link, a pipe).
    """

    source: str
    path: str
    stem: str
    problem: str = ""
    skipped: bool = False

    @property
    def shown(self) -> str:
        """The source, fit to be printed."""
        return display_name(self.source)


@dataclass(frozen=True, slots=True)
class _Found:
    path: str
    problem: str = ""


def listed(sources: Sequence[str], out: Path) -> list[Entry]:
    """List the documents of all sources: each once, folders in natural order.

    sources: a file, a folder (with all folders inside), a glob (`**` for folders inside) or `@list` (a file of paths, one a
    line, or with null bytes between them; relative to the current folder). Raises UsageError for an output folder inside a
    source folder, InputNotFound where nothing at all was found, InvalidValue for an unreadable list.
    """
    found: dict[str, _Found] = {}
    roots: list[str] = []
    for source in sources:
        root, members = _source(source, out)
        roots += [root] if root else []
        for member in members:
            found.setdefault(member.path, member)
    if not any(not member.problem for member in found.values()):
        raise InputNotFound("no picture or PDF was found in the sources")
    base = _base(roots, found)
    names = [Path(os.path.relpath(path, base)).as_posix() for path in found]
    return [
        Entry(name, member.path, stem, member.problem, member.problem == NOT_REGULAR)
        for name, stem, member in zip(names, stems(names), found.values(), strict=True)
    ]


def _source(source: str, out: Path) -> tuple[str, Iterator[_Found]]:
    """Give (folder that the names inside are relative to, or "" for none; members) of one source."""
    path = os.path.abspath(source)
    if os.path.isdir(path):
        if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(path)):
            raise UsageError("the output folder lies inside a source folder: name one that lies elsewhere")
        return path, _folder(path)
    if os.path.lexists(path):
        return "", iter([_named(path)])
    if source.startswith("@") and len(source) > 1:
        return "", _list(Path(source[1:]))
    if glob.has_magic(source):
        return _glob(path)
    return "", iter([_Found(path, InputNotFound.code)])


def _glob(pattern: str) -> tuple[str, Iterator[_Found]]:
    """Match a pattern below its fixed part. Links to folders are not walked through: they may lead in circles."""
    parts = Path(pattern).parts
    fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    root, wild = Path(*parts[:fixed]), parts[fixed:]
    wild = (*wild, "*") if wild[-1] == "**" else wild
    try:
        matches = [match.relative_to(root).parts for match in root.glob("/".join(wild))]
    except ValueError:
        raise InvalidValue("in a glob ** stands alone between two /") from None
    real = os.path.realpath(root)
    seen = sorted((m for m in matches if not any(part.startswith(".") for part in m)), key=_natural)
    direct = [m for m in seen if os.path.realpath(os.path.join(real, *m[:-1])) == os.path.join(real, *m[:-1])]
    return str(root), (found for match in direct for found in _member(str(root.joinpath(*match))))


def _natural(parts: tuple[str, ...]) -> list[object]:
    return [natural_key(part) for part in parts]


def _named(path: str) -> _Found:
    """Judge a file that the user named: its links are followed."""
    try:
        regular = stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return _Found(path, InputNotFound.code)
    return _Found(path, "" if regular else NOT_REGULAR)


def _list(file: Path) -> Iterator[_Found]:
    try:
        data = read_file(file, _LIST_BYTES)
    except InputError:
        raise InvalidValue(f"the list {display_name(file.name)} cannot be read") from None
    lines = data.split(b"\0") if b"\0" in data else data.splitlines()
    for line in lines:
        name = os.fsdecode(line if b"\0" in data else line.strip())
        if name:
            yield from _member(os.path.abspath(name), missing=True)


def _member(path: str, missing: bool = False) -> Iterator[_Found]:
    """Judge what a glob or a list names. missing: name also what is not there."""
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):
        if missing:
            yield _Found(path, InputNotFound.code)
        return
    if stat.S_ISDIR(mode):
        if missing:
            yield from _folder(path)
        return
    yield _Found(path, "" if stat.S_ISREG(mode) else NOT_REGULAR)


def _folder(folder: str) -> Iterator[_Found]:
    """Walk a folder and those inside, files before folders, in natural order; a folder that cannot be listed is a problem."""
    try:
        with os.scandir(folder) as entries:
            inside = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: natural_key(e.name))
    except OSError:
        yield _Found(folder, InputNotFound.code)
        return
    for entry in inside:
        if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
            yield _Found(entry.path, NOT_REGULAR)
        elif entry.is_file() and _is_wanted(entry):
            yield _Found(entry.path)
    for entry in inside:
        if entry.is_dir(follow_symlinks=False):
            yield from _folder(entry.path)


def _is_wanted(entry: "os.DirEntry[str]") -> bool:
    if os.path.splitext(entry.name)[1].lower() in SUFFIXES:
        return True
    try:
        kind = formats.sniff(read_file(Path(entry.path), _HEAD))
    except InputError:
        return False
    return kind not in (None, "BMP")  # two letters are too little to tell a BMP from a text


def _base(folders: Sequence[str], found: dict[str, _Found]) -> str:
    """Find the folder that names are relative to: the deepest that holds all sources."""
    try:
        return os.path.commonpath([*folders, *(os.path.dirname(path) for path in found)])
    except ValueError:
        raise InvalidValue("the sources lie on different drives: run one batch for each") from None
