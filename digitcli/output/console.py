"""The console: colours, tables and drawings on a terminal, plain text elsewhere."""

import contextlib
import io
import os
import re
import sys
from enum import Enum
from typing import IO, TYPE_CHECKING, TextIO, cast

from digitcli.output.text import printable

if TYPE_CHECKING:
    from rich.console import Console


class Color(str, Enum):
    """When to use colour: on a terminal with colours, always, or never."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def console(color: Color = Color.AUTO, *, stderr: bool = False) -> "Console":
    """Return the console of stdout or stderr.

    Without colours there is no bold type either. With ``auto`` there are no colours where NO_COLOR
    is set, TERM is dumb, or the stream is no terminal and FORCE_COLOR is not set. Text is never
    parsed as markup or emoji codes, as it may hold names of files.

    The console raises BrokenPipeError where the reader has closed the pipe.
    """
    from rich.console import Console

    class PlainlyBrokenConsole(Console):
        def on_broken_pipe(self) -> None:
            raise

    stream = sys.stderr if stderr else sys.stdout
    plain = color is Color.NEVER or (color is Color.AUTO and bool(os.environ.get("NO_COLOR")))
    out = PlainlyBrokenConsole(
        file=stream if stream.isatty() else cast("IO[str]", TrimmedStream(stream)),
        force_terminal=True if color is Color.ALWAYS else None,
        color_system=None if plain else "auto",
        no_color=True if plain else None,
        markup=False,
        emoji=False,
        highlight=False,
    )
    if not stream.isatty():
        out.width = 10_000  # a file has no width to fold lines to
    return out


class TrimmedStream:
    """A stream that is no terminal, without the blanks that pad the lines of tables."""

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream``."""
        self._stream = stream
        self.encoding = stream.encoding

    def write(self, text: str) -> int:
        """Write text whose last line is complete."""
        return self._stream.write(re.sub(r" +$", "", text, flags=re.MULTILINE))

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Return False."""
        return False

    def fileno(self) -> int:
        """Return the stream's descriptor."""
        return self._stream.fileno()


def complain(text: str) -> None:
    """Print a one-line message to stderr; continue where that cannot be written."""
    try:
        print(f"digitcli: {printable(text)}", file=sys.stderr)
    except OSError:
        mute(sys.stderr)


def mute(stream: TextIO) -> None:
    """Discard what is written to a stream that has failed.

    Otherwise the interpreter would report an error at its end.
    """
    with contextlib.suppress(io.UnsupportedOperation):  # no descriptor, as in tests
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
