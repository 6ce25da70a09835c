"""From what the detector sees to the characters in view: which is the main one, how many there are.

The detector marks the middle of each digit, so strokes that do not touch, dots and segments belong
to one character without rules: each pixel belongs to the character whose middle is nearest.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.box import Box
from digitcli.preprocessing.detection import Map, Sight

LIKELY = 0.5  # probability from which a pixel is taken for what the detector says it is
# Of the highest probability of a middle; one whose peak is lower is a fragment of another's rim.
PEAK = 0.8
MARKED = 0.3  # probability from which a pixel is counted as ink
# Of the main character's ink: beside it, a stop or dirt has less, another digit more.
LEAST_SHARE = 0.08
# Of the middle's longer side; ink farther from it is part of a word or of a drawing beside.
FARTHEST = 1.5


@dataclass(frozen=True, slots=True)
class Characters:
    """The characters that the detector sees, numbered from 1.

    Attributes:
        sight: the detector's two maps.
        owners: int32 of the maps' shape: the character to which each pixel is nearest.
        weights: float of shape (characters + 1,): how much ink each has; 0 belongs to none.

    """

    sight: Sight
    owners: NDArray[np.int32]
    weights: NDArray[np.float64]

    @property
    def main(self) -> int:
        """The character with most ink."""
        return int(self.weights.argmax())

    @property
    def count(self) -> int:
        """Number of characters, dots and dirt left out."""
        return int(np.count_nonzero(self.weights > LEAST_SHARE * self.weights.max()))

    @property
    def main_ink(self) -> Map:
        """The probability of ink where the main character is, else 0."""
        return np.where(self.owners == self.main, self.sight.ink, np.float32(0))

    @property
    def main_box(self) -> Box:
        """The main character's box in the maps' pixels."""
        return Box.around((self.main_ink > MARKED).astype(np.uint8))


def find_characters(sight: Sight) -> Characters | None:
    """Find the characters that the detector sees; None where it sees no digit."""
    is_middle = sight.characters > LIKELY
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(
        is_middle.astype(np.uint8), connectivity=4
    )
    if count < 2:
        return None
    peaks = np.zeros(count, np.float32)
    np.maximum.at(peaks, numbers[is_middle], sight.characters[is_middle])
    is_certain = peaks >= PEAK * peaks.max()
    middles = np.where(is_middle & is_certain[numbers], numbers, 0)
    longer_sides = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    owners = _find_owners(middles, FARTHEST * longer_sides)
    weights = _weigh_ink(sight.ink, owners, count)
    if not weights.any():
        return None
    return Characters(sight, owners, weights)


def _find_owners(middles: NDArray[np.int32], reaches: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the number of the nearest middle for each pixel; 0 where it is out of its reach.

    Args:
        middles: the number of the middle that a pixel is part of, 0 of none.
        reaches: of each middle by its number, in pixels.

    """
    is_middle = middles > 0
    distance, nearest = cv2.distanceTransformWithLabels(
        (~is_middle).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    # OpenCV numbers the pixels of the middles in an order of its own
    number_of = np.zeros(int(nearest.max()) + 1, np.int32)
    number_of[nearest[is_middle]] = middles[is_middle]
    owners: NDArray[np.int32] = number_of[nearest]
    owners[distance > reaches[owners]] = 0
    return owners


def _weigh_ink(ink: Map, owners: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """Return how much ink each of ``count`` owners has; owner 0 has none."""
    marked = ink > MARKED
    amounts = ink[marked].astype(np.float64)
    weights = np.bincount(owners[marked], weights=amounts, minlength=count)
    weights[0] = 0
    return weights.astype(np.float64)
