"""A rectangle of pixels."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray


class Box(NamedTuple):
    """A rectangle in pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, mask: NDArray[np.uint8]) -> "Box":
        """Return the smallest rectangle that holds all that is not zero; empty where all is."""
        left, top, width, height = cv2.boundingRect(mask)
        return cls(left, top, left + width, top + height)

    @classmethod
    def whole(cls, image: NDArray[Any]) -> "Box":
        """Return the rectangle that holds an image (height, width) or (height, width, channels)."""
        height, width = image.shape[:2]
        return cls(0, 0, width, height)

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.bottom - self.top

    @property
    def longer(self) -> int:
        """The longer side."""
        return max(self.width, self.height)

    def crop(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return a copy of what the rectangle holds of an image."""
        return np.ascontiguousarray(image[self.top : self.bottom, self.left : self.right])

    def scaled(self, x: float, y: float) -> "Box":
        """Return the rectangle in an image whose pixels are ``x`` times narrower, ``y`` lower."""
        return Box(
            round(self.left * x), round(self.top * y), round(self.right * x), round(self.bottom * y)
        )

    def moved(self, x: int, y: int) -> "Box":
        """Return the rectangle ``x`` pixels further right and ``y`` lower."""
        return Box(self.left + x, self.top + y, self.right + x, self.bottom + y)

    def surroundings(self, times: float, within: tuple[int, ...]) -> "Box":
        """Return a square about the same middle, inside an image of this (height, width).

        Its side is ``times`` the longer side of the rectangle, or what the image has.
        """
        side = round(times * max(self.longer, 1))
        left, right = _span((self.left + self.right) / 2, side, within[1])
        top, bottom = _span((self.top + self.bottom) / 2, side, within[0])
        return Box(left, top, right, bottom)


def _span(middle: float, length: int, whole: int) -> tuple[int, int]:
    length = min(length, whole)
    start = min(max(round(middle - length / 2), 0), whole - length)
    return start, start + length
