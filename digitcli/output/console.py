"""The terminal: where colour, tables and drawings go."""

import contextlib
import io
import os
import sys
from enum import Enum
from typing import TYPE_CHECKING, TextIO

from digitcli.output.text import printable

if TYPE_CHECKING:
    from rich.console import Console


class Color(str, Enum):
    """When to colour: where the stream is a terminal that has colours, always, or never."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def console(color: Color = Color.AUTO, *, stderr: bool = False) -> "Console":
    """Give the console of stdout or stderr; NO_COLOR and TERM=dumb are respected by ``auto``.

    Text is never read as markup or emoji codes, as it can hold names of files.
    """
    from rich.console import Console

    out = Console(
        file=sys.stderr if stderr else sys.stdout,
        force_terminal=True if color is Color.ALWAYS else None,
        no_color=True if color is Color.NEVER else None,
        markup=False,
        emoji=False,
        highlight=False,
    )
    if not out.is_terminal:
        out.width = 10_000  # a file has no width to fold lines to
    return out


def complain(text: str) -> None:
    """Say on stderr, in one line, what is wrong; where nobody can hear it the run goes on."""
    try:
        print(f"digitcli: {printable(text)}", file=sys.stderr)
    except OSError:
        mute(sys.stderr)


def mute(stream: TextIO) -> None:
    """Let a stream that cannot be written lead nowhere; else the interpreter would complain of it while it ends."""
    with contextlib.suppress(io.UnsupportedOperation):  # it has no descriptor, as in tests
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
