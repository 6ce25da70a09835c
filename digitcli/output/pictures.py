"""Pictures in a terminal: two pixels in each character cell."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

# What stands for (upper, lower) where there are no colours; the second row for terminals without block characters.
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_ASCII = {(False, False): " ", (True, False): "'", (False, True): ".", (True, True): "#"}


@dataclass(frozen=True, slots=True)
class HalfBlocks:
    """A grey picture to print on a Rich console, alone or as a table's cell.

    ``image`` has shape (height, width), dtype uint8, 0 black; it takes ``width`` columns and half of ``height`` lines.
    With colours each pixel has its grey; without, what is brighter than half is drawn.
    """

    image: NDArray[np.uint8]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        colored = console.color_system is not None and not console.no_color and not options.ascii_only
        blocks = _ASCII if options.ascii_only else _BLOCKS
        rows = self.image.tolist()
        for y in range(0, len(rows), 2):
            uppers = rows[y]
            lowers = rows[y + 1] if y + 1 < len(rows) else [None] * len(uppers)
            for upper, lower in zip(uppers, lowers, strict=True):
                if colored:
                    yield Segment("▀", _style(upper, lower))
                else:
                    yield Segment(blocks[upper > 127, lower is not None and lower > 127])
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = self.image.shape[1]
        return Measurement(width, width)


@cache
def _style(upper: int, lower: int | None) -> Style:
    background = None if lower is None else Color.from_rgb(lower, lower, lower)
    return Style(color=Color.from_rgb(upper, upper, upper), bgcolor=background)
