"""Files and folders that appear whole or not at all.

Everything is written beside its goal under a temporary name and then renamed, so a kill at any
moment leaves what was there before or what was meant to be there, never a part of it.
"""

import contextlib
import ctypes
import errno
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from digitcli.errors import OutputError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h


@contextlib.contextmanager
def write_file(path: Path) -> Iterator[BinaryIO]:
    """Open ``path`` for writing bytes; it appears, complete, when the block ends without an exception.

    A pipe or a device is written to directly, as there is nothing that could be left half done. A
    symbolic link stays
    one: what it points to is replaced.

    Raises:
        OutputError: ``path`` cannot be written.

    """
    try:
        goal = path.resolve()
        mode = goal.stat().st_mode if goal.exists() else None
        if mode is not None and stat.S_ISDIR(mode):
            raise OutputError(f"{path} is a folder, give the name of a file")
        if mode is not None and not stat.S_ISREG(mode):
            with goal.open("wb") as stream:
                yield stream
            return
        part = goal.with_name(f".{goal.name[:200]}.{os.urandom(4).hex()}.part")
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                if mode is not None:
                    part.chmod(stat.S_IMODE(mode))
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(goal)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def write_folder(folder: Path, files: Mapping[str, bytes], *, replace: bool = False) -> None:
    """Write a folder that holds just ``files``, by their paths in it, in one step.

    Raises:
        OutputError: it cannot be written, or exists and ``replace`` is false.

    """
    goal = folder.resolve()
    part = goal.with_name(f".{goal.name[:200]}.{os.urandom(4).hex()}.part")
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        try:
            for name, content in files.items():
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                with (part / name).open("wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
            if replace and goal.exists():
                _exchange(part, goal)
            else:
                _rename_to_new(part, goal)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except FileExistsError as error:
        raise OutputError(f"{folder} exists; --force replaces it") from error
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from error


def _rename_to_new(part: Path, goal: Path) -> None:
    try:
        # rename(2) replaces an empty folder silently; a folder that somebody made meanwhile is not
        # ours to take
        if goal.exists():
            raise FileExistsError(goal)
        part.rename(goal)
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:
            raise FileExistsError(goal) from error
        raise


def _exchange(part: Path, goal: Path) -> None:
    """Let two folders change places, atomically where the system can (Linux' renameat2)."""
    with contextlib.suppress(OSError, AttributeError):
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
        if (
            renameat2(_AT_FDCWD, os.fsencode(part), _AT_FDCWD, os.fsencode(goal), _RENAME_EXCHANGE)
            == 0
        ):
            return
    aside = part.with_suffix(".old")
    goal.rename(aside)
    part.rename(goal)
    aside.rename(part)
