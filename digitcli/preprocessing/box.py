"""A rectangle of pixels."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Box(NamedTuple):
    """A rectangle in pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.bottom - self.top

    def crop(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return a copy of what the rectangle holds of an image."""
        return np.ascontiguousarray(image[self.top : self.bottom, self.left : self.right])

    def scaled(self, x: float, y: float) -> "Box":
        """Return the rectangle in an image whose pixels are ``x`` times narrower, ``y`` lower."""
        return Box(
            round(self.left * x), round(self.top * y), round(self.right * x), round(self.bottom * y)
        )

    def surroundings(self, times: float, within: tuple[int, ...]) -> "Box":
        """Return a square about the same middle, inside an image of this (height, width).

        Its side is ``times`` the longer side of the rectangle, or what the image has.
        """
        side = round(times * max(self.width, self.height, 1))
        left, right = _span((self.left + self.right) / 2, side, within[1])
        top, bottom = _span((self.top + self.bottom) / 2, side, within[0])
        return Box(left, top, right, bottom)


def _span(middle: float, length: int, whole: int) -> tuple[int, int]:
    length = min(length, whole)
    start = min(max(round(middle - length / 2), 0), whole - length)
    return start, start + length
