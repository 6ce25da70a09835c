"""One input: a path, a file's content, or an image in memory, and how its bytes are read."""

# pathlib would cost 10 µs a file
# ruff: noqa: PTH116

import math
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from digitcli.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image

STDIN = "-"
# No phone or scanner makes larger images or files.
MAX_BYTES = 256 * 2**20
MAX_PIXELS = 100_000_000
MAX_SECONDS = 60.0  # for one image in a worker

# Windows has no O_NONBLOCK, but O_BINARY, without which it changes line ends.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_SMALL = 1_000_000  # bytes
_PLAIN = (b"\x89PNG", b"GIF8", b"BM", b"P4", b"P5", b"P6")  # first bytes of simple formats


class Source(NamedTuple):
    """One input.

    Attributes:
        path: of the file to read, or the name of the input where there is content.
        content: of the file, or a decoded image; None where the file is to be read.
        problem: one line on why it cannot be read; None where it can.

    """

    path: str
    content: "bytes | Image | None" = None
    problem: str | None = None


def read_source(source: Source) -> "bytes | Image":
    """Return the content of a source; read its file, of at most ``MAX_BYTES``, where needed.

    Raises:
        ImageError: with one line that does not name the file.

    """
    if source.problem is not None:
        raise ImageError(source.problem)
    if source.content is not None:
        return source.content
    try:
        status = os.stat(source.path)
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(_not_a_file(status.st_mode))
        if status.st_size > MAX_BYTES:
            raise ImageError(f"larger than {MAX_BYTES >> 20} MiB")
        # O_NONBLOCK, as opening must not wait for a writer if the file has just become a pipe
        descriptor = os.open(source.path, _READ)
        try:
            return read_descriptor(descriptor, status.st_size + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ImageError(explain(error)) from None
    except ValueError:
        raise ImageError("no such file: a name cannot hold a NUL") from None


def size_of(source: Source) -> int:
    """Return the size of a source in bytes, of an image in pixels; 0 where it is unknown."""
    try:
        if source.content is None:
            return os.stat(source.path).st_size
        if isinstance(source.content, bytes):
            return len(source.content)
        return math.prod(source.content.size)
    except (OSError, ValueError):
        return 0


def is_plain(source: Source) -> bool:
    """Return whether a source is a small file of a simple format, whose decoder can be trusted.

    To fork a process for it would cost a twentieth of the whole command.
    """
    try:
        if source.content is None and 0 < size_of(source) < _SMALL:
            with open(source.path, "rb") as file:  # noqa: PTH123
                return file.read(4).startswith(_PLAIN)
    except (OSError, ValueError):
        pass
    return False


def read_descriptor(descriptor: int, size: int) -> bytes:
    """Return what can be read from a descriptor up to its end, at most ``size`` bytes."""
    blocks = []
    while size > 0 and (block := os.read(descriptor, min(size, 1 << 20))):
        blocks.append(block)
        size -= len(block)
    return b"".join(blocks)


def explain(error: OSError) -> str:
    """Return in a few words what the system refused."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return (error.strerror or str(error)).lower()


def _not_a_file(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "is a folder"
    if stat.S_ISFIFO(mode):
        return "is a named pipe, not a file; give - and feed it to standard input"
    if stat.S_ISSOCK(mode):
        return "is a socket, not a file"
    return "is a device, not a file"
