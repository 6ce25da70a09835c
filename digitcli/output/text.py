"""Text that came from outside, made safe to show."""


def printable(text: str) -> str:
    r"""Make text safe for a terminal and a log: one line, control characters and stray bytes written ``\xNN``."""
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as os.fsdecode keeps it
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
