"""Text from outside, made safe to show."""

import os
import re

_TO_ESCAPE = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\udc80-\udcff]")


def printable(text: str) -> str:
    r"""Make text safe for a terminal and a log.

    It becomes one line, with control characters and stray bytes written ``\xNN``.
    """
    return "".join(c if c.isprintable() else _escape_unprintable(c) for c in text)


def escape_path(path: str) -> str:
    r"""Escape a path for TSV: ``\\``, ``\t``, ``\n``, and other control characters as ``\xNN``.

    Bytes that are not UTF-8, and the line and paragraph separators at which some readers split
    lines, are escaped as ``\xNN`` too. ``printf '%b'`` restores the path.
    """
    return _TO_ESCAPE.sub(_escape, path)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    short = {"\\": "\\\\", "\t": "\\t", "\n": "\\n"}.get(character)
    return short or "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))


def _escape_unprintable(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as os.fsdecode keeps it
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
