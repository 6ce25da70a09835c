"""Which of the pieces of ink in a picture make up the digit."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.background import quantile

Grey = NDArray[np.uint8]
Probability = NDArray[np.float32]

SURE = 0.5  # probability from which a pixel is marked as ink by the detector
_JOINED = 0.05  # of the picture's longer side: marks no further apart than this are one character
FEWEST = 10  # marked pixels
_STACKED = 0.15  # of the main group's height: how far above or below it its other pieces lie
_AS_HEAVY = 1 / 3  # a 1 has less ink than the digit beside it


@dataclass(frozen=True, slots=True)
class Digit:
    """The digit's pixels.

    Attributes:
        mask: uint8, 255 where the digit's ink is.
        faintest: the strength from which a pixel was taken for ink.
        characters: number of pieces of ink as large as a character.
        seen: uint8, the ink as the learned detector sees it, where it was asked.

    """

    mask: Grey
    faintest: float
    characters: int = 1
    seen: Grey | None = None


def select_by_rules(strength: Grey, noise: float) -> Digit | None:
    """Select the component with most strong ink near the middle, and what lies close to it.

    Args:
        strength: uint8, how far each pixel stands out from its ground.
        noise: the ground's standard deviation.

    """
    height, width = strength.shape
    smooth = (
        cv2.GaussianBlur(strength, (0, 0), max(height, width) / 300)
        if max(height, width) > 200
        else strength
    )
    strong = smooth[smooth > max(4 * noise, cv2.minMaxLoc(smooth)[1] // 4)]
    if not strong.size:
        return None
    high = max(float(cv2.threshold(strong.reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)[0]), 4 * noise)
    low = max(high / 2, 2.5 * noise)
    mask = cv2.threshold(smooth, low, 255, cv2.THRESH_BINARY)[1]
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count == 2 and stats[1, cv2.CC_STAT_WIDTH] < width:
        return Digit(mask, low)
    x, y, w, h, area = stats.T
    line = (w == width) & (8 * h < w)  # flat from side to side: no stroke of a digit
    seeds = np.bincount(labels[smooth > high], minlength=count)
    seeds[line] = 0
    off_centre = np.hypot(centres[:, 0] / width - 0.5, centres[:, 1] / height - 0.5)
    borders = (x == 0).astype(int) + (y == 0) + (x + w == width) + (y + h == height)
    score = seeds * (1 - off_centre) * 0.5**borders
    score[0] = -1
    best = int(score.argmax())
    if not seeds[best] or not best:
        return None
    side = max(w[best], h[best])
    gap_x = np.maximum(x - (x[best] + w[best]), x[best] - (x + w))
    gap_y = np.maximum(y - (y[best] + h[best]), y[best] - (y + h))
    kept = (np.maximum(gap_x, gap_y) < 0.2 * side) & (area > 0.01 * area[best]) & (seeds > 0)
    kept[0] = False
    beside = (h > 0.6 * side) & (gap_x > 0.05 * side) & (seeds > 0)
    below = (np.maximum(w, h) > 0.6 * side) & (gap_y > 0.2 * side) & (seeds > 0)
    return Digit(
        np.where(kept[labels], 255, 0).astype(np.uint8), low, 1 + int((beside | below)[1:].sum())
    )


def select_by_marks(strength: Grey, probability: Probability, noise: float) -> Digit | None:
    """Select what the detector marked, and the ink that stands out within reach of the marks.

    Args:
        strength: uint8, how far each pixel stands out from its ground.
        probability: float32 in [0, 1], of the same shape: the detector's.
        noise: the ground's standard deviation.

    """
    highest = quantile(probability.ravel(), 0.995)
    marks = _main_character(
        (probability > max(SURE * min(1.0, highest / 0.9), 0.1)) & (strength > 2 * noise),
        probability * strength,
    )
    if np.count_nonzero(marks) < FEWEST:
        return None
    low = max(0.4 * quantile(strength[marks], 0.5), 2.5 * noise)
    ink = (strength > low).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    share = np.bincount(labels[marks], minlength=count) / stats[:, cv2.CC_STAT_AREA]
    x, y, w, h, _ = stats.T
    inside = (x > 0) & (y > 0) & (x + w < strength.shape[1]) & (y + h < strength.shape[0])
    # what runs out of the picture may be a line that it hangs on
    whole = (share > 0.9) | (share > 0.5) & inside
    whole[0] = False
    reach = 2 * max(1, round(max(strength.shape) / 64)) + 1
    near = cv2.dilate(marks.astype(np.uint8), np.ones((reach, reach), np.uint8))
    digit = _without_specks(np.maximum(whole[labels], ink & near).astype(np.uint8))
    close = cv2.dilate(digit, np.ones((3, 3), np.uint8)) > 0
    seen = np.clip((probability - 0.3) * 500, 0, 255) * (
        (digit > 0) | (close & (probability > 0.7))
    )
    return Digit(digit * np.uint8(255), low, seen=seen.astype(np.uint8))


def overview(probability: Probability) -> tuple[int, float, tuple[int, int, int, int]]:
    """Look over the detector's map of a whole picture.

    Returns:
        The number of characters, groups of marks a third as heavy as the heaviest or more; the
        heaviest one's size as a share of the picture's longer side; left, top, right, bottom of its
        surroundings, with room around it.

    """
    height, width = probability.shape
    marks = probability > SURE
    if np.count_nonzero(marks) < FEWEST:
        return 1, 1.0, (0, 0, width, height)
    labels, weights = _groups(marks, probability)
    x, y, w, h = cv2.boundingRect((marks & (labels == weights.argmax())).astype(np.uint8))
    half = round(max(w, h) * 0.85) + 2
    x, y = x + w // 2, y + h // 2
    around = max(0, x - half), max(0, y - half), min(width, x + half), min(height, y + half)
    return (
        int(np.count_nonzero(weights > _AS_HEAVY * weights.max())),
        max(w, h) / max(height, width),
        around,
    )


def _main_character(marks: NDArray[np.bool_], weight: NDArray[np.floating]) -> NDArray[np.bool_]:
    labels, weights = _groups(marks, weight)
    main: NDArray[np.bool_] = marks & (labels == weights.argmax())
    return main


def _groups(
    marks: NDArray[np.bool_], weight: NDArray[np.floating]
) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Label the marks of one character with one number, and sum the weight of each number's marks.

    Marks that lie close together are one character, and so is what lies closely above or below the
    heaviest group: writing runs sideways.
    """
    size = max(5, int(max(marks.shape) * _JOINED) | 1)
    joined = cv2.dilate(marks.astype(np.uint8), np.ones((size, size), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    weights = np.bincount(labels[marks], weights=weight[marks], minlength=count)
    if count > 2:
        x, y, w, h, _ = stats.T
        main = int(weights.argmax())
        shared = np.minimum(x + w, x[main] + w[main]) - np.maximum(x, x[main])
        gap = np.maximum(y - (y[main] + h[main]), y[main] - (y + h))
        stacked = (
            (shared > 0.5 * np.minimum(w, w[main]))
            & (gap < _STACKED * h[main])
            & (weights > 0.05 * weights[main])
        )
        stacked[0] = False
        labels = np.where(stacked, main, np.arange(count))[labels]
        weights = np.bincount(labels[marks], weights=weight[marks], minlength=count)
    return labels, weights


def _without_specks(digit: Grey) -> Grey:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(digit, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] > 0.02 * np.count_nonzero(digit)
    large[0] = False
    kept: Grey = large[labels].astype(np.uint8) if count > 2 else digit
    return kept
