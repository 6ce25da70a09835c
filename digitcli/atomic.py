"""Files and folders that appear whole or not at all, and files that grow as NAME.partial.

What is written lies beside its goal under another name until it is complete, and is renamed then:
a kill at any moment leaves what was there before or what was meant to be there. Where the system
does not let a file or a folder be renamed onto (one that is mounted into a container, somebody
else's in a sticky folder), the complete one is copied into its place.
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
_LONGEST_NAME = 255  # bytes, of all file systems in use
_STALE = 3600  # seconds; no folder takes that long to be written
_STAGED, _ASIDE = "part", "old"  # endings: of a folder on its way in, and of one on its way out
# What the system answers where there is nothing to mend but to write into the place itself.
_NO_RENAME = (errno.EBUSY, errno.EPERM, errno.EACCES, errno.EXDEV, errno.EROFS)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file in one step; make the folders on the way to it.

    ``-``, ``/dev/stdout``, ``/dev/fd/N`` and the like mean the descriptor; to these, to pipes and
    to devices it is written directly. A symbolic link stays one: what it points to is replaced.

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
            goal.write_bytes(content)  # nothing can be made beside it
            return
        take_name(staged, goal)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            staged.unlink()


def write_folder(folder: Path, files: Mapping[str, bytes], *, replace: bool = False) -> None:
    """Write a folder that holds just ``files``, by their paths in it, in one step.

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
    """Bring a folder back that a kill left under another name while it was being replaced.

    This happens only where two folders cannot change places in one step.
    """
    goal = folder.resolve()
    if goal.exists():
        return
    for aside in _left_beside(goal, _ASIDE):
        with contextlib.suppress(OSError):
            aside.rename(goal)
            return


def open_stream(path: Path) -> int | None:
    """Open what is no file to be replaced: a descriptor by its name, a pipe, a device.

    Returns:
        a descriptor of its own to write to, or None where ``path`` is a file, or nothing yet.

    Raises:
        OutputError: it cannot be opened, or is a folder.

    """
    try:
        number = descriptor_named(path)
        if number is not None:
            return os.dup(_descriptor(number))
        mode = path.stat().st_mode if path.exists() else stat.S_IFREG
        if stat.S_ISDIR(mode):
            raise OutputError(f"{path} is a folder, give the name of a file")
        return None if stat.S_ISREG(mode) else os.open(path, os.O_WRONLY)
    except OSError as error:
        raise _cannot_write(path, error) from error


def descriptor_named(path: Path) -> int | None:
    """Return the descriptor that a path names, such as ``-``, ``/dev/stdout``, ``/dev/fd/N``."""
    numbered = re.fullmatch(r"/(?:dev|proc/self)/fd/(\d+)", os.fspath(path))
    names = {"-": 1, "/dev/stdout": 1, "/dev/stderr": 2}
    return int(numbered[1]) if numbered else names.get(os.fspath(path))


def _descriptor(number: int) -> int:
    """Return where a descriptor leads; the command lets 1 and 2 lead elsewhere meanwhile."""
    streams = {1: sys.stdout, 2: sys.stderr}
    return streams[number].fileno() if number in streams else number


class PartialFile:
    """A file that grows as NAME.partial and takes its name when it is finished.

    Whatever ends the process before, NAME.partial stays, and NAME is what it was.
    """

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is opened yet. A symbolic link's target is what is replaced."""
        self.path = path
        self._goal = path.resolve()
        suffix = ".partial"
        self.partial = self._goal.with_name(_shortened(self._goal.name, len(suffix)) + suffix)
        self._descriptor = -1

    def open(self, *, append: bool = False) -> int:
        """Open NAME.partial, a new one or to go on with one, and return the descriptor.

        Raises:
            OutputError: it cannot be opened, or there is one already and ``append`` is false.

        """
        flags = os.O_RDWR | (os.O_APPEND if append else os.O_CREAT | os.O_EXCL)
        flags |= getattr(os, "O_BINARY", 0)  # Windows would change line ends
        try:
            _make_parents(self._goal)
            self._descriptor = os.open(self.partial, flags, 0o666)
        except OSError as error:
            raise _cannot_write(self.partial, error) from error
        return self._descriptor

    def rewrite(self, content: bytes) -> None:
        """Replace in one step what NAME.partial holds.

        Raises:
            OutputError: that cannot be done; NAME.partial is what it was.

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
        """Give the file its name.

        Raises:
            OutputError: that cannot be done; all that was written is in NAME.partial.

        """
        try:
            if self._descriptor >= 0:
                os.fsync(self._descriptor)
            self.close()
            take_name(self.partial, self._goal)
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


def take_name(staged: Path, goal: Path) -> None:
    """Give a complete file the name of another, with the mode, owner and hard links of that one.

    Raises:
        OSError: it cannot be done; ``staged`` is whole.

    """
    status = goal.stat() if goal.exists() else None
    if status is None or _can_stand_for(staged, status):
        try:
            staged.replace(goal)
            return
        except OSError as error:
            if error.errno not in _NO_RENAME or status is None:
                raise
    # without O_CREAT, which sticky folders forbid for a file of somebody else
    with staged.open("rb") as source, goal.open("r+b") as target:
        shutil.copyfileobj(source, target)
        target.truncate()
        target.flush()
        os.fsync(target.fileno())
    staged.unlink()


def _can_stand_for(staged: Path, status: os.stat_result) -> bool:
    """Give a file the mode and the owner of another; tell whether nothing of it would be lost."""
    try:
        own = staged.stat()
        if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
            os.chown(staged, status.st_uid, status.st_gid)
        staged.chmod(stat.S_IMODE(status.st_mode))
    except (OSError, AttributeError):  # Windows has no owners
        return not hasattr(os, "chown") and status.st_nlink == 1
    return status.st_nlink == 1


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
    """Name something that lies hidden beside ``goal`` for a moment."""
    ending = f".{os.urandom(4).hex()}.{ending}"
    return goal.with_name(f".{_shortened(goal.name, len(ending) + 1)}{ending}")


def _left_beside(goal: Path, ending: str) -> list[Path]:
    """List what `_beside` named, the newest first."""
    hidden = re.compile(rf"\.{re.escape(goal.name)}\.[0-9a-f]{{8}}\.{ending}")
    try:
        found = [path for path in goal.parent.iterdir() if hidden.fullmatch(path.name)]
        return sorted(found, key=lambda path: -path.stat().st_mtime)
    except OSError:
        return []


def _shortened(name: str, spare: int) -> str:
    """Cut a name so that ``spare`` more bytes fit into what a file system takes."""
    return os.fsdecode(os.fsencode(name)[: _LONGEST_NAME - spare])


def _remove_stale(goal: Path) -> None:
    """Remove what a kill left beside ``goal`` some time ago."""
    for left in [
        *_left_beside(goal, _STAGED),
        *(_left_beside(goal, _ASIDE) if goal.exists() else []),
    ]:
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE:
                shutil.rmtree(left, ignore_errors=True)


def _rename_to_new(staged: Path, goal: Path) -> None:
    try:
        # rename(2) replaces an empty folder silently; a folder that somebody made meanwhile is not
        # ours to take
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
    """Let two folders change places in one step (Linux' renameat2); False where that is unknown."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    places = (_AT_FDCWD, os.fsencode(staged), _AT_FDCWD, os.fsencode(goal))
    if renameat2(*places, _RENAME_EXCHANGE) == 0:
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
            _discard(aside, goal)  # a reader restored it meanwhile, or another writer was faster
            continue
        _discard(aside, goal)
        return


def _discard(aside: Path, goal: Path) -> None:
    outgoing = _beside(goal, _STAGED)  # what is half removed is nothing to restore
    with contextlib.suppress(FileNotFoundError):
        aside.rename(outgoing)
    shutil.rmtree(outgoing, ignore_errors=True)


def _copy_into(staged: Path, goal: Path) -> None:
    """Fill a folder that cannot be renamed onto, file by file, the old ones going last."""
    new = {path.relative_to(staged) for path in staged.rglob("*") if path.is_file()}
    for name in sorted(new):
        (goal / name).parent.mkdir(parents=True, exist_ok=True)
        copy = _beside(goal / name, _STAGED)
        try:
            shutil.copyfile(staged / name, copy)
            take_name(copy, goal / name)
        finally:
            copy.unlink(missing_ok=True)
    for path in [path for path in goal.rglob("*") if path.is_file()]:
        if path.relative_to(goal) not in new:
            path.unlink()


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {path}: {error.strerror or error}")
