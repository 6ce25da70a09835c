"""Writing of whole records, as soon as they are there."""

import errno
import os
import select
from collections.abc import Iterable

from digitcli.errors import OutputError

# Bytes that a pipe takes whole or not at all (POSIX), so that a kill leaves whole records in it.
_ATOMIC_SIZE = getattr(select, "PIPE_BUF", 4096)  # Windows promises nothing


def write_records(descriptor: int, records: Iterable[str], name: str) -> None:
    """Write records to a descriptor, several whole ones at a time.

    ``name`` is that of the output, for error messages.

    Raises:
        BrokenPipeError: the reader has closed the pipe.
        OutputError: they cannot be written.

    """
    block = b""
    for record in map(os.fsencode, records):
        if block and len(block) + len(record) > _ATOMIC_SIZE:
            _write(descriptor, block, name)
            block = b""
        block += record
    _write(descriptor, block, name)


def _write(descriptor: int, block: bytes, name: str) -> None:
    try:
        while block:
            try:
                written = os.write(descriptor, block)
                block = block[written:]
            except BlockingIOError:  # the descriptor was opened without waiting; wait here
                select.select([], [descriptor], [])
    except BrokenPipeError:
        raise
    except OSError as error:
        advice = "; make room and run it again" if error.errno == errno.ENOSPC else ""
        raise OutputError(
            f"cannot write {name}: {(error.strerror or str(error)).lower()}{advice}"
        ) from error
