"""Find the ink of the one digit in a picture: bright strokes on black, whatever the picture was.

Paper and light are estimated and taken away, strokes are told from noise by their strength, pieces that belong
together are joined, and what was seen on the way is kept as evidence that this is, or is not, one digit.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

cv2.setNumThreads(1)  # pictures are read in parallel; OpenCV's own threads would only get in the way

Invert = Literal["auto", "yes", "no"]
Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Ink:
    """The ink of one digit and what was seen while finding it.

    Attributes:
        image: uint8, ink bright on black, cut out to the digit's box; the whole canvas where ``framed``.
        framed: the picture is framed as MNIST frames its digits, ``image`` is the canvas itself.
        found: there is ink.
        bright: the ink is brighter than its ground.
        box: left, top, width, height in the decoded picture.
        stroke: the mean width of the strokes in pixels of ``image``.
        contrast: how far the ink stands out from its ground, in grey levels.
        noise: standard deviation of the ground, in grey levels.
        characters: number of pieces of ink as large as a character.
        borders: on how many of the picture's four sides the ink lies.
        fill: share of the box that is ink.

    """

    image: Grey
    framed: bool = False
    found: bool = True
    bright: bool = True
    box: tuple[int, int, int, int] = (0, 0, 28, 28)
    stroke: float = 0.0
    contrast: float = 255.0
    noise: float = 0.0
    characters: int = 1
    borders: int = 0
    fill: float = 0.0


def find_ink(picture: NDArray[np.uint8], *, invert: Invert = "auto") -> Ink:
    """Find the digit's ink.

    Args:
        picture: uint8 of shape (height, width) or (height, width, 3), upright.
        invert: "yes" for dark ink on a bright ground, "no" for bright ink on a dark ground, "auto" to find out.

    """
    grey: Grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if grey.shape == (28, 28):
        ink = _framed_like_mnist(grey, invert)
        if ink is not None:
            return ink
    flat = _flat_ground(grey)
    bright = invert == "no" if invert != "auto" else flat[1] if flat else _is_bright(grey)
    if picture.ndim == 3:  # coloured ink stands out most in the channel that it leaves or takes most
        r, g, b = cv2.split(picture)
        grey = cv2.max(cv2.max(r, g), b) if bright else cv2.min(cv2.min(r, g), b)
        flat = _flat_ground(grey) if flat else None
    light_ink = grey if bright else cv2.bitwise_not(grey)
    strength = cv2.subtract(light_ink, flat[0] if bright else 255 - flat[0]) if flat else _above_ground(light_ink)
    return _cut_out(strength, bright)


def stroke_width(image: NDArray[np.uint8]) -> float:
    """Measure the mean width of strokes in pixels: twice their area by their outline, on the grey levels."""
    padded = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT).astype(np.float32)
    across = padded[:-1, 1:] - padded[:-1, :-1]
    down = padded[1:, :-1] - padded[:-1, :-1]
    outline = float(cv2.magnitude(across, down).sum())
    return 2 * float(padded.sum()) / outline if outline else 0.0


def _framed_like_mnist(grey: Grey, invert: Invert) -> Ink | None:
    bright = grey[0, 0] < 128 if invert == "auto" else invert == "no"
    image = grey if bright else cv2.bitwise_not(grey)
    x, y, width, height = cv2.boundingRect(cv2.threshold(image, 24, 255, cv2.THRESH_BINARY)[1])
    if max(width, height) != 20:
        return None
    moments = cv2.moments(image)
    centre = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    if not all(13.4 <= c <= 14.6 for c in centre):
        return None
    return Ink(image, framed=True, bright=bool(bright), box=(x, y, width, height))


def _flat_ground(grey: Grey) -> tuple[int, bool] | None:
    """Find the ground's grey level, and whether ink is brighter, in a drawing or an evenly lit photo, else None.

    The ground is what most of the border shows. Its level is flat where most of that is within six grey levels.
    """
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    lowest, highest, _, _ = cv2.minMaxLoc(grey)
    light = border > (lowest + highest) / 2
    bright_ink = 2 * int(np.count_nonzero(light)) < light.size
    ground = np.sort(border[light != bright_ink])
    level = int(ground[ground.size // 2])
    near = np.searchsorted(ground, level + 7) - np.searchsorted(ground, level - 6)
    return (level, bright_ink) if near >= 0.6 * ground.size else None


def _is_bright(grey: Grey) -> bool:
    small = _reduced(grey, 96)
    rest = small.astype(np.int16) - cv2.medianBlur(small, _odd(min(small.shape) / 3))
    bright, dark = np.maximum(rest, 0), np.maximum(-rest, 0)
    return float((bright * bright).sum()) > 1.5 * float((dark * dark).sum())


def _above_ground(grey: Grey) -> Grey:
    """How far bright ink stands out from its ground: a white top-hat whose opening is done on a reduced picture."""
    small = _reduced(cv2.GaussianBlur(grey, (0, 0), max(1.0, max(grey.shape) / 200)), 96)
    size = _odd(max(small.shape) / 3)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    ground = cv2.GaussianBlur(cv2.morphologyEx(small, cv2.MORPH_OPEN, kernel), (0, 0), size / 8)
    ground = cv2.resize(ground, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    strength: Grey = cv2.subtract(grey, ground)
    return strength


def _cut_out(strength: Grey, bright: bool) -> Ink:
    height, width = strength.shape
    smooth = cv2.GaussianBlur(strength, (0, 0), max(height, width) / 300) if max(height, width) > 200 else strength
    peak = float(smooth.max())
    rest = smooth[smooth < 0.4 * peak]
    noise = 1.5 * float(np.median(rest)) if rest.size else 0.0
    if peak < 8 or peak < 4 * noise:
        return Ink(strength, found=False, bright=bright, contrast=peak, noise=noise)
    strong = smooth[smooth > max(4 * noise, peak * 0.25)]
    high = max(float(cv2.threshold(strong.reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)[0]), 4 * noise)
    low = max(0.5 * high, 2.5 * noise)
    mask = cv2.threshold(smooth, low, 255, cv2.THRESH_BINARY)[1]
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask, connectivity=8)
    seeds = np.bincount(labels[smooth > high], minlength=count)
    kept, characters = _choose(stats, centres, seeds, width, height)
    chosen = np.isin(labels, kept)
    x, y, w, h = cv2.boundingRect(chosen.astype(np.uint8))
    near = cv2.dilate(chosen.astype(np.uint8), np.ones((3, 3), np.uint8))
    level = float(np.percentile(strength[chosen], 70))
    floor = 0.4 * low if noise > 1 else 0.0
    image = np.where(near, np.clip((strength - floor) * (255 / max(level - floor, 1)), 0, 255), 0).astype(np.uint8)
    x0, y0, x1, y1 = max(x - 1, 0), max(y - 1, 0), min(x + w + 1, width), min(y + h + 1, height)
    image = image[y0:y1, x0:x1]
    bx, by, bw, bh = cv2.boundingRect(cv2.threshold(image, 64, 255, cv2.THRESH_BINARY)[1])
    image = np.ascontiguousarray(image[by : by + bh, bx : bx + bw])
    borders = int(x == 0) + int(y == 0) + int(x + w == width) + int(y + h == height)
    return Ink(
        image,
        bright=bright,
        box=(x0 + bx, y0 + by, bw, bh),
        stroke=stroke_width(image),
        contrast=level,
        noise=noise,
        characters=characters,
        borders=borders,
        fill=float(image.mean()) / 255,
    )


def _choose(
    stats: NDArray[np.int32], centres: NDArray[np.float64], seeds: NDArray[np.intp], width: int, height: int
) -> tuple[list[int], int]:
    """Pick the components that make up the digit, and count how many components are as large as a character."""
    best, best_score = 0, -1.0
    for i in range(1, len(stats)):
        if not seeds[i]:
            continue
        x, y, w, h, area = stats[i]
        off = np.hypot(centres[i][0] / width - 0.5, centres[i][1] / height - 0.5)
        borders = int(x == 0) + int(y == 0) + int(x + w == width) + int(y + h == height)
        score = float(seeds[i]) * (1 - off) * 0.5**borders
        if score > best_score:
            best, best_score = i, score
    x, y, w, h, area = map(int, stats[best])
    side = max(w, h)
    kept, characters = [best], 1
    for i in range(1, len(stats)):
        if i == best or not seeds[i]:
            continue
        x2, y2, w2, h2, a2 = map(int, stats[i])
        gap = max(x2 - (x + w), x - (x2 + w2), y2 - (y + h), y - (y2 + h2), 0)
        if max(w2, h2) > 0.6 * side:
            characters += 1
        if gap < 0.2 * side and a2 > 0.01 * area:
            kept.append(i)
    return kept, characters


def _reduced(grey: Grey, side: int) -> Grey:
    factor = max(grey.shape) / side
    if factor <= 1:
        return grey
    size = max(1, round(grey.shape[1] / factor)), max(1, round(grey.shape[0] / factor))
    small: Grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return small


def _odd(size: float) -> int:
    return max(3, int(size) | 1)
