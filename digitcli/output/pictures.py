"""Images in a terminal, two pixels in each character cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

# Characters for (upper, lower) pixel where there are no colours; _ASCII is for terminals without
# block characters.
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_ASCII = {(False, False): " ", (True, False): "'", (False, True): ".", (True, True): "#"}


Pixel = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class HalfBlocks:
    """An image to print on a Rich console, alone or as a table's cell.

    ``image`` is uint8 of shape (height, width), 0 black, or (height, width, 3), RGB. It takes
    ``width`` columns and half of ``height`` lines. Without colours, the pixels brighter than half
    are drawn.
    """

    image: NDArray[np.uint8]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        colored = (
            console.color_system is not None and not console.no_color and not options.ascii_only
        )
        blocks = _ASCII if options.ascii_only else _BLOCKS
        image = self.image
        if image.ndim == 2:
            image = np.repeat(image[..., np.newaxis], 3, axis=2)
        rows: list[list[Pixel]] = [[(r, g, b) for r, g, b in row] for row in image.tolist()]
        for y in range(0, len(rows), 2):
            uppers = rows[y]
            lowers: Sequence[Pixel | None] = [None] * len(uppers)
            if y + 1 < len(rows):
                lowers = rows[y + 1]
            for (upper, lower), run in groupby(zip(uppers, lowers, strict=True)):
                length = len(list(run))
                if colored:
                    yield Segment("▀" * length, _style(upper, lower))
                else:
                    yield Segment(blocks[_is_bright(upper), _is_bright(lower)] * length)
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = self.image.shape[1]
        return Measurement(width, width)


def _is_bright(pixel: Pixel | None) -> bool:
    return pixel is not None and sum(pixel) > 3 * 127


@lru_cache(65_536)  # all pairs of greys
def _style(upper: Pixel, lower: Pixel | None) -> Style:
    background = None if lower is None else Color.from_rgb(*lower)
    return Style(color=Color.from_rgb(*upper), bgcolor=background)
