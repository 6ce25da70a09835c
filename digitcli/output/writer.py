"""Records on their way out: whole ones, at once."""

import errno
import os
import select
from collections.abc import Iterable

from digitcli.errors import OutputError

# A pipe takes a write of this size whole or not at all (POSIX), so that whatever ends us, it has
# got whole records.
_PIECE = getattr(select, "PIPE_BUF", 4096)  # Windows promises nothing


def write_records(descriptor: int, records: Iterable[str], name: str) -> None:
    """Write records to a descriptor, the output called ``name``, in pieces that hold whole records.

    Raises:
        BrokenPipeError: nobody reads them any more.
        OutputError: they cannot be written.

    """
    piece = b""
    for record in map(os.fsencode, records):
        if piece and len(piece) + len(record) > _PIECE:
            _write(descriptor, piece, name)
            piece = b""
        piece += record
    _write(descriptor, piece, name)


def _write(descriptor: int, piece: bytes, name: str) -> None:
    try:
        while piece:
            try:
                piece = piece[os.write(descriptor, piece) :]
            except BlockingIOError:  # whoever gave us the descriptor does not wait with it; we do
                select.select([], [descriptor], [])
    except BrokenPipeError:
        raise
    except OSError as error:
        advice = "; make room and run it again" if error.errno == errno.ENOSPC else ""
        raise OutputError(
            f"cannot write {name}: {(error.strerror or str(error)).lower()}{advice}"
        ) from error
