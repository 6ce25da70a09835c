"""Atomic writes: files and folders that appear whole or not at all, and files in the making.

Everything is written beside its goal under another name, the *staged* file or folder, and renamed
when it is complete: a kill at any moment leaves the old or the new. Some goals cannot be renamed
onto, such as a file that is mounted into a container or somebody else's file in a sticky folder.
There the complete file or folder is copied over the old one.
"""

import contextlib
import ctypes
import errno
import os
import re
import shutil
import stat
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from digitcli.errors import OutputError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h
_MAX_NAME_BYTES = 255  # in all file systems in use
_STALE = 3600  # seconds; no folder takes that long to be written
_STAGED = "part"  # ending of what is on its way in
_ASIDE = "old"  # ending of a folder on its way out
# Errors of a rename after which only writing into the goal itself is left.
_NO_RENAME = (errno.EBUSY, errno.EPERM, errno.EACCES, errno.EXDEV, errno.EROFS)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically; make its parent folders.

    ``-``, ``/dev/stdout``, ``/dev/fd/N`` and the like mean the descriptor. Descriptors, pipes and
    devices are written to directly. A symbolic link stays one: its target is replaced.

    Raises:
        OutputError: it cannot be written.

    """
    descriptor = open_stream(path)
    if descriptor is not None:
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
        except OSError as error:
            raise _cannot_write(path, error) from error
        return
    goal = path.resolve()
    staged = _beside(goal, _STAGED)
    try:
        _make_parents(goal)
        try:
            _write_synced(staged, content)
        except OSError as error:
            if error.errno not in _NO_RENAME or not goal.exists():
                raise
            goal.write_bytes(content)  # no file can be made beside it
            return
        replace_file(staged, goal)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            staged.unlink()


def write_folder(folder: Path, files: Mapping[str, bytes], *, replace: bool = False) -> None:
    """Write a folder atomically; ``files`` are its contents by their paths in it.

    Raises:
        OutputError: it cannot be written, or exists and ``replace`` is false.

    """
    goal = folder.resolve()
    staged = _beside(goal, _STAGED)
    try:
        _make_parents(goal)
        _remove_stale(goal)
        try:
            staged.mkdir()
            for name, content in files.items():
                (staged / name).parent.mkdir(parents=True, exist_ok=True)
                _write_synced(staged / name, content)
            if replace and goal.exists():
                _replace_folder(staged, goal)
            else:
                _rename_to_new(staged, goal)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    except FileExistsError as error:
        raise OutputError(f"{folder} exists; --force replaces it") from error
    except OSError as error:
        raise _cannot_write(folder, error) from error


def restore_folder(folder: Path) -> None:
    """Bring back a folder that a kill left under another name while it was being replaced.

    This happens only where the system cannot exchange two folders in one step.
    """
    goal = folder.resolve()
    if goal.exists():
        return
    for aside in _left_beside(goal, _ASIDE):
        with contextlib.suppress(OSError):
            aside.rename(goal)
            return


def open_stream(path: Path) -> int | None:
    """Open a path that is no file to be replaced: a descriptor's name, a pipe, a device.

    Returns:
        A new descriptor to write to; None where ``path`` is a file or does not exist.

    Raises:
        OutputError: it cannot be opened, or is a folder.

    """
    try:
        number = descriptor_named(path)
        if number is not None:
            return os.dup(_redirected(number))
        if not path.exists() or path.is_file():
            return None
        if path.is_dir():
            raise OutputError(f"{path} is a folder, give the name of a file")
        return os.open(path, os.O_WRONLY)
    except OSError as error:
        raise _cannot_write(path, error) from error


def descriptor_named(path: Path) -> int | None:
    """Return the number of the descriptor that a path names; None where it names none.

    Such paths are ``-``, ``/dev/stdout``, ``/dev/stderr`` and ``/dev/fd/N``.
    """
    names = {"-": 1, "/dev/stdout": 1, "/dev/stderr": 2}
    name = os.fspath(path)
    numbered = re.fullmatch(r"/(?:dev|proc/self)/fd/(\d+)", name)
    return int(numbered[1]) if numbered else names.get(name)


def _redirected(number: int) -> int:
    """Return the descriptor that stands for one now: the command redirects 1 and 2 for a while."""
    streams = {1: sys.stdout, 2: sys.stderr}
    return streams[number].fileno() if number in streams else number


class PartialFile:
    """A file that grows as NAME.partial and is renamed to NAME when it is finished.

    Whatever ends the process before, NAME.partial stays, and NAME is what it was.
    """

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is opened yet. Of a symbolic link the target is replaced."""
        self.path = path
        self._goal = path.resolve()
        suffix = ".partial"
        self.partial = self._goal.with_name(_shorten(self._goal.name, len(suffix)) + suffix)
        self._descriptor = -1

    def open(self, *, append: bool = False) -> int:
        """Open a new NAME.partial, or append to an existing one; return the descriptor.

        Raises:
            OutputError: it cannot be opened, or exists and ``append`` is false.

        """
        flags = os.O_RDWR | (os.O_APPEND if append else os.O_CREAT | os.O_EXCL)
        flags |= getattr(os, "O_BINARY", 0)  # else Windows changes line ends
        try:
            _make_parents(self._goal)
            self._descriptor = os.open(self.partial, flags, 0o666)
        except OSError as error:
            raise _cannot_write(self.partial, error) from error
        return self._descriptor

    def rewrite(self, content: bytes) -> None:
        """Replace the content of NAME.partial atomically.

        Raises:
            OutputError: it cannot be replaced; NAME.partial is what it was.

        """
        self.close()
        staged = _beside(self.partial, _STAGED)
        try:
            _write_synced(staged, content)
            staged.replace(self.partial)
        except OSError as error:
            raise _cannot_write(self.partial, error) from error
        finally:
            staged.unlink(missing_ok=True)

    def finish(self) -> None:
        """Rename NAME.partial to NAME.

        Raises:
            OutputError: it cannot be renamed; everything written is in NAME.partial.

        """
        try:
            if self._descriptor >= 0:
                os.fsync(self._descriptor)
            self.close()
            replace_file(self.partial, self._goal)
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(
                f"cannot write {self.path}: {reason}; all of it is in {self.partial}"
            ) from error

    def close(self) -> None:
        """Close the descriptor; NAME.partial stays."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def replace_file(staged: Path, goal: Path) -> None:
    """Put a complete file in the place of another; keep the mode, owner and hard links of that one.

    Raises:
        OSError: it cannot be done; ``staged`` is whole.

    """
    if not goal.exists():
        staged.replace(goal)
        return
    if _copy_ownership(goal.stat(), staged):
        try:
            staged.replace(goal)
            return
        except OSError as error:
            if error.errno not in _NO_RENAME:
                raise
    # r+ opens without O_CREAT, which sticky folders forbid for somebody else's file
    with staged.open("rb") as source, goal.open("r+b") as target:
        shutil.copyfileobj(source, target)
        target.truncate()
        target.flush()
        os.fsync(target.fileno())
    staged.unlink()


def _copy_ownership(status: os.stat_result, staged: Path) -> bool:
    """Set the mode and the owner of a file; return whether it can replace the one they are from.

    It cannot where the owner cannot be set, or where the other file has further names.
    """
    has_one_name = status.st_nlink == 1
    try:
        own = staged.stat()
        if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
            os.chown(staged, status.st_uid, status.st_gid)
        staged.chmod(stat.S_IMODE(status.st_mode))
    except (OSError, AttributeError):
        has_owners = hasattr(os, "chown")  # Windows has none
        return has_one_name and not has_owners
    return has_one_name


def _make_parents(goal: Path) -> None:
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _beside(goal: Path, ending: str) -> Path:
    """Return a new hidden path beside ``goal``, for something that is there for a moment."""
    ending = f".{os.urandom(4).hex()}.{ending}"
    return goal.with_name(f".{_shorten(goal.name, len(ending) + 1)}{ending}")


def _left_beside(goal: Path, ending: str) -> list[Path]:
    """Return the existing paths that `_beside` named, the newest first."""
    hidden = re.compile(rf"\.{re.escape(goal.name)}\.[0-9a-f]{{8}}\.{ending}")
    try:
        found = [path for path in goal.parent.iterdir() if hidden.fullmatch(path.name)]
        return sorted(found, key=lambda path: -path.stat().st_mtime)
    except OSError:
        return []


def _shorten(name: str, spare: int) -> str:
    """Cut a name so that a file system takes ``spare`` more bytes of it."""
    return os.fsdecode(os.fsencode(name)[: _MAX_NAME_BYTES - spare])


def _remove_stale(goal: Path) -> None:
    """Remove what a kill left beside ``goal`` some time ago."""
    leftovers = _left_beside(goal, _STAGED)
    if goal.exists():  # else a folder put aside may be all that is left of it
        leftovers += _left_beside(goal, _ASIDE)
    for path in leftovers:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE:
                shutil.rmtree(path, ignore_errors=True)


def _rename_to_new(staged: Path, goal: Path) -> None:
    try:
        # rename(2) silently replaces an empty folder, which somebody else may have made just now
        if goal.exists():
            raise FileExistsError(goal)
        staged.rename(goal)
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:
            raise FileExistsError(goal) from error
        raise


def _replace_folder(staged: Path, goal: Path) -> None:
    try:
        if not _exchange(staged, goal):
            _replace_in_two_steps(staged, goal)
    except OSError as error:
        if error.errno not in _NO_RENAME:
            raise
        _copy_into(staged, goal)


def _exchange(staged: Path, goal: Path) -> bool:
    """Exchange two folders in one step by Linux' renameat2; return False where there is none."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    one = _AT_FDCWD, os.fsencode(staged)
    other = _AT_FDCWD, os.fsencode(goal)
    if renameat2(*one, *other, _RENAME_EXCHANGE) == 0:
        return True
    error = ctypes.get_errno()
    if error in _NO_RENAME:
        raise OSError(error, os.strerror(error))
    return False


def _replace_in_two_steps(staged: Path, goal: Path) -> None:
    """Put the old folder aside, where `restore_folder` finds it, and the new one in place."""
    while True:
        aside = _beside(goal, _ASIDE)
        with contextlib.suppress(FileNotFoundError):  # another writer is between its two steps
            goal.rename(aside)
        try:
            staged.rename(goal)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                aside.rename(goal)
                raise
            # the goal is there again: a reader restored it, or another writer was faster
            _discard(aside, goal)
            continue
        _discard(aside, goal)
        return


def _discard(aside: Path, goal: Path) -> None:
    doomed = _beside(goal, _STAGED)  # so that a half-removed folder is never restored
    with contextlib.suppress(FileNotFoundError):
        aside.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _copy_into(staged: Path, goal: Path) -> None:
    """Replace the files of a folder that cannot be renamed onto; remove its other files last."""
    new = {path.relative_to(staged) for path in staged.rglob("*") if path.is_file()}
    for name in sorted(new):
        (goal / name).parent.mkdir(parents=True, exist_ok=True)
        copy = _beside(goal / name, _STAGED)
        try:
            shutil.copyfile(staged / name, copy)
            replace_file(copy, goal / name)
        finally:
            copy.unlink(missing_ok=True)
    for path in [path for path in goal.rglob("*") if path.is_file()]:
        if path.relative_to(goal) not in new:
            path.unlink()


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {path}: {error.strerror or error}")
