"""What native libraries have to say, kept off the user's terminal."""

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_APPROXIMATE = "digitcli-approximate"
_LIKENESSES = dict(zip("×·–−±≤→↓…’━█▉▊▋▌▍▎▏▀▄", "x.--~<>v.'-#####...'.", strict=True))


@contextmanager
def held_back_native_output() -> Iterator[None]:
    """Hold back what native code writes to descriptors 1 and 2; Python's own streams go on as ever.

    TensorFlow announces oneDNN, CUDA and its log's state on stderr when it is imported, before it
    can be told not to; LiteRT that it runs on the CPU. Switching oneDNN off would silence that
    notice, but more than double the training time. What was held back is shown where the block
    fails with an error that nobody foresaw.

    Only for the command: it changes the process.
    """
    with ExitStack() as stack:
        held = stack.enter_context(os.fdopen(_open_anonymous(), "w+b", buffering=0))
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            stack.enter_context(_moved(descriptor, name, held.fileno()))
        try:
            yield
        except Exception:
            held.seek(0)
            sys.stderr.write(held.read().decode(errors="replace"))
            raise


@contextmanager
def _moved(descriptor: int, name: str, elsewhere: int) -> Iterator[None]:
    """Point a descriptor elsewhere; the Python stream on it writes to a copy of it meanwhile.

    Where its encoding is not UTF-8, the copy approximates what it lacks instead of failing.
    """
    stream: io.TextIOWrapper = getattr(sys, name)
    stream.flush()
    copy = os.dup(descriptor)
    os.dup2(elsewhere, descriptor)
    raw = io.FileIO(copy, "w", closefd=False)
    moved = io.TextIOWrapper(
        raw if stream.write_through else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=_APPROXIMATE if stream.errors == "strict" else stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    setattr(sys, name, moved)
    try:
        yield
    finally:
        os.dup2(copy, descriptor)
        setattr(sys, name, stream)
        try:
            moved.close()
        finally:
            os.close(copy)


def _approximate(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks as what looks like it, as wide as it is."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    failed = error.object[error.start : error.end]
    return "".join(_LIKENESSES.get(character, "?") for character in failed), error.end


codecs.register_error(_APPROXIMATE, _approximate)


def _open_anonymous() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("held")
    return os.open(os.devnull, os.O_RDWR)
