"""Finding images: files, folders, lists of paths and standard input, in the given order.

A path is kept as ``os.fsdecode`` returns it, so that it may hold any bytes. Nothing is opened to
find out what it is: opening a named pipe can wait for ever, and opening a device can have effects.
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

# The endings of images in folders. A file that is named itself is read whatever its name.
SUFFIXES = frozenset(
    [
        ".png",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".mpo",
        ".webp",
        ".tif",
        ".tiff",
        ".bmp",
        ".dib",
        ".gif",
        ".avif",
        ".heic",
        ".heif",
        ".hif",
        ".pbm",
        ".pgm",
        ".ppm",
        ".pnm",
    ]
)

# Folders that file servers and systems leave behind: thumbnails, deleted files, file attributes.
_LITTER = frozenset({"@eaDir", "#recycle", "$RECYCLE.BIN", "__MACOSX"})

_EMPTY = {b"\n": (b"", b"\r"), b"\0": (b"",)}  # empty paths in a list, by what ends a path
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NUMBER = re.compile("[0-9]+")
_ANY_DIGIT = str.maketrans("123456789", "0" * 9)
_CHUNK = 1024  # paths
_BLOCK = 1 << 16  # bytes of a list of paths that are read at once: the capacity of a pipe


@dataclass(slots=True)
class Tally:
    """The counts of a search so far.

    Attributes:
        found: number of sources.
        unexplored: number of paths and folders that have not been looked at yet.
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
    """Find the images in files, folders and standard input.

    Args:
        paths: files, folders, and ``-`` for one image on standard input.
        listing: a file that lists more of them, or ``-`` for standard input. It is read while it
            is being written.
        null: the listed paths end in NUL, not in a newline. Empty ones are skipped.
        recursive: search folders within folders. One that is reached twice from the same path is
            listed once.
        tally: is kept up to date.

    Yields:
        Sources in order, in chunks: finding the next chunk may take a while. The files of a folder
        are sorted by name, and numbers in names by their value (p2 before p10). Hidden files, what
        systems leave behind, and files that are not named like images are left out.

    """
    chunk: list[Source] = []
    for source in _find_each(paths, listing, null, recursive, tally or Tally()):
        if source is not None:
            chunk.append(source)
        if chunk and (source is None or len(chunk) == _CHUNK):
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def describe_passed_over(passed_over: Counter[str]) -> str:
    """Return how many files were passed over, with the most frequent endings first."""
    count = passed_over.total()
    frequent = [f"{ending or 'none'} {n}" for ending, n in passed_over.most_common(5)]
    more = ", ..." if len(passed_over) > len(frequent) else ""
    files = "file" if count == 1 else "files"
    return f"{count:,} {files} not named like pictures ({', '.join(frequent)}{more})"


def refuse_input(output: Path, inputs: Iterable[str]) -> None:
    """Refuse to overwrite an input, or an image or an IDX file in a folder among the inputs.

    Raises:
        OutputError: ``output`` exists and is, or would be read as, one of the inputs.

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
                raise _is_input(output)


def refuse_listed_input(output: Path, chunks: Iterable[list[Source]]) -> Iterator[list[Source]]:
    """Yield the chunks; raise `OutputError` where a source is the file to write to."""
    target = output.stat()
    for chunk in chunks:
        for source in chunk:
            with contextlib.suppress(OSError, ValueError):
                if os.path.samestat(os.stat(source.path), target):
                    raise _is_input(output)
        yield chunk


def _is_input(output: Path) -> OutputError:
    return OutputError(f"{output} is read as an input; give another file to write to")


def _find_each(
    paths: Sequence[str], listing: str | None, null: bool, recursive: bool, tally: Tally
) -> Iterator[Source | None]:
    """Yield the sources one by one, and None where finding the next may take a while."""
    tally.unexplored += len(paths) + (listing is not None)
    for path in paths:
        if path == STDIN:
            yield None
            tally.unexplored -= 1
            tally.found += 1
            yield _standard_input()
        else:
            yield from _find_at(path, recursive, tally)
    if listing is None:
        return
    yield None
    try:
        for listed in _read_listing(listing, b"\0" if null else b"\n"):
            tally.unexplored += len(listed)
            for path in listed:
                yield from _find_at(path, recursive, tally)
            yield None
    except OSError as error:
        tally.found += 1
        yield Source(listing, problem=f"this list of paths cannot be read: {explain(error)}")
    tally.unexplored -= 1


def _find_at(path: str, recursive: bool, tally: Tally) -> Iterator[Source | None]:
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        is_folder = False  # read_source reports what is wrong
    if not is_folder:
        tally.unexplored -= 1
        tally.found += 1
        yield Source(path)
        return
    yield None
    found_before = tally.found
    passed_over_before = tally.passed_over.copy()
    yield from _find_in_folder(path, recursive, tally)
    if tally.found == found_before:
        tally.found += 1
        problem = "no pictures in this folder"
        passed_over = tally.passed_over - passed_over_before
        if passed_over:
            problem += f", but {describe_passed_over(passed_over)}"
        if not recursive:
            problem += "; -r looks in the folders within it"
        yield Source(path, problem=problem)


def _find_in_folder(path: str, recursive: bool, tally: Tally) -> Iterator[Source | None]:
    seen: set[tuple[int, int]] = set()  # folders, so that loops of symbolic links end
    opened: list[tuple[str, Iterator[str]]] = []  # the folders around the current place
    folder: str | None = path  # to be opened next
    while folder is not None or opened:
        if folder is not None:
            tally.unexplored -= 1
            try:
                opened.append((folder, _list_folder(folder, recursive, seen, tally)))
            except OSError as error:
                tally.found += 1
                yield Source(folder, problem=explain(error))
            folder = None
            continue
        parent, names = opened[-1]
        for name in names:
            if name.endswith("/"):
                yield None
                folder = os.path.join(parent, name[:-1])
                break
            yield Source(os.path.join(parent, name))
        else:
            opened.pop()


def _list_folder(
    folder: str, recursive: bool, seen: set[tuple[int, int]], tally: Tally
) -> Iterator[str]:
    """Return the names of a folder's images, sorted, and of its folders, which end in a slash."""
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
    # one string: 100,000 of them would take 7 MB, and the same again in each forked worker
    joined = "\0".join(_sort_names(names))
    return (match[0] for match in re.finditer("[^\0]+", joined))


def _sort_names(names: list[str]) -> list[str]:
    """Sort names, and numbers in them by their value; where values are equal, by name."""
    names.sort()
    patterns = {name.translate(_ANY_DIGIT) for name in names}
    if len(patterns) > 1:  # else the numbers are equally long, and the names sorted already
        names.sort(key=_natural_key)
    return names


def _natural_key(name: str) -> str:
    """Return a name with each number's length before it, so that its order is by value."""
    return _NUMBER.sub(lambda number: _prefix_length(number[0].lstrip("0")), name)


def _prefix_length(digits: str) -> str:
    return f"0{len(digits):03d}{digits}"


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of symbolic links, for one
        return False


def _read_listing(listing: str, end: bytes) -> Iterator[list[str]]:
    """Yield the listed paths, as many at a time as the list's writer has written."""
    if listing == STDIN:
        descriptor = 0
    else:
        descriptor = os.open(listing, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        rest = b""
        is_first = True
        while block := os.read(descriptor, _BLOCK):
            if is_first:
                if block.startswith(_UTF_16):
                    raise OSError(errno.EILSEQ, "it is UTF-16; save it as UTF-8")
                block = block.removeprefix(codecs.BOM_UTF8)
                is_first = False
            *paths, rest = (rest + block).split(end)
            if len(rest) > _BLOCK:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
            yield [_decode_path(path, end) for path in paths if path not in _EMPTY[end]]
        if rest not in _EMPTY[end]:
            yield [_decode_path(rest, end)]
    finally:
        if descriptor:
            os.close(descriptor)


def _decode_path(path: bytes, end: bytes) -> str:
    if end == b"\n" and path.endswith(b"\r") and not os.path.lexists(path):
        path = path[:-1]  # the list was written on Windows
    name = os.fsdecode(path)
    # - is a file in a list; standard input is named on the command line
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
