"""Finding the images: files, folders, lists of paths and standard input, in the given order.

A path is data. It is kept as ``os.fsdecode`` gives it, so any bytes come through. Nothing is opened
to find out what it is: opening a named pipe can wait for ever, and opening a device can do
something.
"""

# pathlib would cost 10 µs a file
# ruff: noqa: PTH116, PTH118, PTH122

import codecs
import contextlib
import errno
import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from digitcli.errors import OutputError
from digitcli.inputs.source import MAX_BYTES, STDIN, Source, explain, read_descriptor

# What counts as a picture when a folder is listed. A file that is named itself is read whatever its
# name.
SUFFIXES = frozenset(
    f".{kind}"
    for kind in (
        *("png", "jpg", "jpeg", "jpe", "jfif", "mpo", "webp", "tif", "tiff", "bmp", "dib", "gif"),
        *("avif", "heic", "heif", "hif", "pbm", "pgm", "ppm", "pnm"),
    )
)

# What file servers and systems leave in folders: thumbnails, deleted files, file attributes.
_LITTER = frozenset({"@eaDir", "#recycle", "$RECYCLE.BIN", "__MACOSX"})

_EMPTY = {b"\n": (b"", b"\r"), b"\0": (b"",)}  # paths in a list, by what ends them
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NUMBER = re.compile("[0-9]+")
_ANY_DIGIT = str.maketrans("123456789", "0" * 9)
_CHUNK = 1024  # paths
_BLOCK = 1 << 16  # bytes of a list of paths; what a pipe holds


@dataclass(slots=True)
class Tally:
    """What was found so far.

    Attributes:
        found: number of sources.
        unexplored: number of places where there may be more.
        passed_over: the files in folders that are not named like images, counted by their endings.

    """

    found: int = 0
    unexplored: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)


def find_sources(
    paths: Sequence[str],
    *,
    listing: str | None = None,
    null: bool = False,
    recursive: bool = False,
    tally: Tally | None = None,
) -> Iterator[list[Source]]:
    """Find the pictures that paths, folders and ``-`` stand for.

    Args:
        paths: files, folders, and ``-`` for one picture on standard input.
        listing: a file that lists more of them, or ``-`` where standard input does. It is read as
            it is written.
        null: the listed paths end in NUL; else in a newline. Empty ones are passed over.
        recursive: go down into folders within folders. One that is reached twice from the same path
            is listed once.
        tally: is kept up to date on the way.

    Yields:
        sources in order, in chunks: those of a chunk can be had at once, finding the next may
        take a while. What a folder holds is sorted by name, numbers in it by their value (p2
        before p10); hidden files, what systems leave behind, and what is not named like an
        image are left out.

    """
    chunk: list[Source] = []
    for source in _each(paths, listing, null, recursive, tally or Tally()):
        if source is not None:
            chunk.append(source)
        if chunk and (source is None or len(chunk) == _CHUNK):
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def describe_passed_over(passed_over: Counter[str]) -> str:
    """Say how many files were passed over, and of what endings, the most frequent first."""
    count = passed_over.total()
    frequent = [f"{ending or 'none'} {n}" for ending, n in passed_over.most_common(5)]
    more = ", ..." if len(passed_over) > len(frequent) else ""
    files = "file" if count == 1 else "files"
    return f"{count:,} {files} not named like pictures ({', '.join(frequent)}{more})"


def refuse_input(output: Path, inputs: Iterable[str]) -> None:
    """Refuse to write over what is read: an input, or an image or IDX file in one that is a folder.

    Raises:
        OutputError: ``output`` is there and is, or would be read as, one of the inputs.

    """
    if not output.is_file():
        return
    target = output.resolve()
    is_data = target.suffix.lower() in SUFFIXES or "-ubyte" in target.name
    for given in inputs:
        with contextlib.suppress(OSError, ValueError):
            path = Path(given)
            within = is_data and path.is_dir() and path.resolve() in target.parents
            if within or (path.is_file() and path.samefile(target)):
                raise OutputError(f"{output} is read as an input; give another file to write to")


def refuse_listed_input(output: Path, chunks: Iterable[list[Source]]) -> Iterator[list[Source]]:
    """Pass sources on; raise `OutputError` where one of them is the file to write to."""
    target = output.stat()
    for chunk in chunks:
        for source in chunk:
            with contextlib.suppress(OSError, ValueError):
                if os.path.samestat(os.stat(source.path), target):
                    raise OutputError(
                        f"{output} is read as an input; give another file to write to"
                    )
        yield chunk


def _each(
    paths: Sequence[str], listing: str | None, null: bool, recursive: bool, tally: Tally
) -> Iterator[Source | None]:
    """Give the sources one by one, and None where finding the next may take a while."""
    tally.unexplored += len(paths) + (listing is not None)
    for path in paths:
        if path == STDIN:
            yield None
            tally.unexplored -= 1
            tally.found += 1
            yield _standard_input()
        else:
            yield from _at(path, recursive, tally)
    if listing is None:
        return
    yield None
    try:
        for listed in _listed(listing, b"\0" if null else b"\n"):
            tally.unexplored += len(listed)
            for path in listed:
                yield from _at(path, recursive, tally)
            yield None
    except OSError as error:
        tally.found += 1
        yield Source(listing, problem=f"this list of paths cannot be read: {explain(error)}")
    tally.unexplored -= 1


def _at(path: str, recursive: bool, tally: Tally) -> Iterator[Source | None]:
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        is_folder = False  # read_source says what is wrong with it
    if not is_folder:
        tally.unexplored -= 1
        tally.found += 1
        yield Source(path)
        return
    yield None
    before, passed_before = tally.found, tally.passed_over.copy()
    yield from _in_folder(path, recursive, tally)
    if tally.found == before:
        tally.found += 1
        others = tally.passed_over - passed_before
        named = f", but {describe_passed_over(others)}" if others else ""
        elsewhere = "" if recursive else "; -r looks in the folders within it"
        yield Source(path, problem=f"no pictures in this folder{named}{elsewhere}")


def _in_folder(path: str, recursive: bool, tally: Tally) -> Iterator[Source | None]:
    seen: set[tuple[int, int]] = set()  # folders, so that loops of symbolic links end
    opened: list[tuple[str, Iterator[str]]] = []
    folder: str | None = path
    while folder is not None or opened:
        if folder is not None:
            tally.unexplored -= 1
            try:
                opened.append((folder, _names(folder, recursive, seen, tally)))
            except OSError as error:
                tally.found += 1
                yield Source(folder, problem=explain(error))
            folder = None
            continue
        inside, names = opened[-1]
        for name in names:
            if name.endswith("/"):
                yield None
                folder = os.path.join(inside, name[:-1])
                break
            yield Source(os.path.join(inside, name))
        else:
            opened.pop()


def _names(folder: str, recursive: bool, seen: set[tuple[int, int]], tally: Tally) -> Iterator[str]:
    """Yield the names in a folder that matter, sorted; folders have a slash behind them."""
    status = os.stat(folder)
    if (status.st_dev, status.st_ino) in seen:
        return iter(())
    seen.add((status.st_dev, status.st_ino))
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _LITTER:
                continue
            if _is_folder(entry):
                if recursive:
                    names.append(f"{entry.name}/")
                    tally.unexplored += 1
                continue
            ending = os.path.splitext(entry.name)[1].lower()
            if ending in SUFFIXES:
                names.append(entry.name)
                tally.found += 1
            else:
                tally.passed_over[ending] += 1
    # one text, not 100,000: these would take 7 MB, and once more in the workers that are forked off
    # meanwhile
    return (match[0] for match in re.finditer("[^\0]+", "\0".join(_in_order(names))))


def _in_order(names: list[str]) -> list[str]:
    """Sort names, numbers in them by their value; where values are equal, by name."""
    names.sort()
    shapes = {name.translate(_ANY_DIGIT) for name in names}
    if len(shapes) > 1:  # else all numbers are of the same lengths, and the names in order already
        names.sort(key=_with_values)
    return names


def _with_values(name: str) -> str:
    """Write a number's length before it, so that names in order have its values in order."""
    return _NUMBER.sub(lambda number: _with_length(number[0].lstrip("0")), name)


def _with_length(digits: str) -> str:
    return f"0{len(digits):03d}{digits}"


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of symbolic links, for one
        return False


def _listed(listing: str, end: bytes) -> Iterator[list[str]]:
    """Yield the listed paths, as many at a time as the list's writer had written."""
    descriptor = (
        0 if listing == STDIN else os.open(listing, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    )
    try:
        rest, begun = b"", False
        while block := os.read(descriptor, _BLOCK):
            if not begun:
                if block.startswith(_UTF_16):
                    raise OSError(errno.EILSEQ, "it is UTF-16; save it as UTF-8")
                block, begun = block.removeprefix(codecs.BOM_UTF8), True
            *paths, rest = (rest + block).split(end)
            if len(rest) > _BLOCK:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
            yield [_file_named(path, end) for path in paths if path not in _EMPTY[end]]
        if rest not in _EMPTY[end]:
            yield [_file_named(rest, end)]
    finally:
        if descriptor:
            os.close(descriptor)


def _file_named(path: bytes, end: bytes) -> str:
    if end == b"\n" and path.endswith(b"\r") and not os.path.lexists(path):
        path = path[:-1]  # the list comes from Windows
    name = os.fsdecode(path)
    # in a list it is a file, as standard input is asked for as PATH
    return f"./{name}" if name == STDIN else name


def _standard_input() -> Source:
    if sys.stdin is None:
        return Source(STDIN, problem="standard input is closed")
    try:
        content = read_descriptor(0, MAX_BYTES + 1)
    except OSError as error:
        return Source(STDIN, problem=explain(error))
    if len(content) > MAX_BYTES:
        return Source(STDIN, problem=f"larger than {MAX_BYTES >> 20} MiB")
    return Source(STDIN, content)
