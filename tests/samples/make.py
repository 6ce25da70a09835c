"""Make the sample pictures beside this file: digits, paper, boards and screens drawn by code.

    python tests/samples/make.py

Every stroke is a list of points in a unit square, smoothed, drawn large and scaled down.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

HERE = Path(__file__).parent
STROKES = {
    "1": [[(0.35, 0.25), (0.55, 0.05), (0.5, 0.95)]],
    "2": [
        [(0.2, 0.28), (0.45, 0.05), (0.75, 0.22), (0.6, 0.55), (0.2, 0.92)],
        [(0.2, 0.92), (0.85, 0.9)],
    ],
    "3": [
        [
            (0.22, 0.15),
            (0.55, 0.05),
            (0.75, 0.22),
            (0.45, 0.45),
            (0.78, 0.65),
            (0.6, 0.92),
            (0.2, 0.85),
        ]
    ],
    "4": [[(0.42, 0.05), (0.15, 0.6), (0.85, 0.58)], [(0.66, 0.3), (0.62, 0.97)]],
    "5": [
        [(0.3, 0.08), (0.25, 0.45), (0.6, 0.42), (0.78, 0.68), (0.55, 0.95), (0.2, 0.88)],
        [(0.31, 0.1), (0.76, 0.07)],
    ],
    "6": [
        [
            (0.65, 0.05),
            (0.3, 0.4),
            (0.22, 0.75),
            (0.5, 0.95),
            (0.74, 0.75),
            (0.55, 0.55),
            (0.25, 0.7),
        ]
    ],
    "7": [[(0.18, 0.1), (0.8, 0.08)], [(0.8, 0.08), (0.55, 0.5), (0.42, 0.96)]],
    "8": [
        [(0.7, 0.18), (0.45, 0.05), (0.28, 0.25), (0.5, 0.47), (0.72, 0.72), (0.5, 0.96)],
        [(0.5, 0.96), (0.26, 0.74), (0.5, 0.47), (0.74, 0.25), (0.7, 0.18)],
    ],
}
Grey = NDArray[np.float64]


def smooth(points: list[tuple[float, float]]) -> NDArray[np.float64]:
    """A Catmull-Rom curve through the points."""
    p = np.array([points[0], *points, points[-1]])
    t = np.linspace(0, 1, 40)[:, None]
    pieces = [
        0.5
        * (
            2 * b
            + (c - a) * t
            + (2 * a - 5 * b + 4 * c - d) * t**2
            + (3 * b - a - 3 * c + d) * t**3
        )
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.concatenate(pieces)


def ink(digit: str, height: int, width: float) -> Grey:
    """A digit of that height in pixels, strokes of that width; 1 is full ink."""
    scale = 4
    margin = round(width)
    side = height + 2 * margin
    canvas = np.zeros((side * scale, side * scale), np.uint8)
    for stroke in STROKES[digit]:
        points = ((smooth(stroke) * height + margin) * scale).round().astype(np.int32)
        cv2.polylines(
            canvas,
            [points],
            isClosed=False,
            color=255,
            thickness=round(width * scale),
            lineType=cv2.LINE_AA,
        )
    small: Grey = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA) / 255
    return small


def place(mask: Grey, shape: tuple[int, int], top: int, left: int) -> Grey:
    whole = np.zeros(shape)
    whole[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    return whole


def paper(shape: tuple[int, int], seed: int) -> Grey:
    """Uneven light on grainy paper, 0 to 255."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    light = 215 - 60 * x / shape[1] - 25 * y / shape[0]
    grain = cv2.GaussianBlur(rng.normal(0, 9, shape), (0, 0), 1.2)
    levels: Grey = light + grain + rng.normal(0, 2, shape)
    return levels


def save(name: str, image: Grey, **options: Any) -> None:
    Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(HERE / name, **options)


def main() -> None:
    shape = (600, 800)
    page = paper(shape, 1)
    page[40::62] -= 45
    page[41::62] -= 45
    pen = place(ink("3", 150, 7), shape, 210, 420)
    save("3-pen-on-ruled-paper.jpg", page * (1 - pen) + 60 * pen, quality=80)

    page = np.repeat(paper(shape, 2)[..., None], 3, axis=2)
    marker = place(ink("7", 330, 34), shape, 110, 230)[..., None]
    save("7-red-marker.png", page * (1 - marker) + np.array([190, 35, 45]) * marker)

    board = 45 + 0.12 * paper(shape, 3)
    rng = np.random.default_rng(3)
    chalk = place(ink("4", 260, 16), shape, 160, 260) * (rng.random(shape) > 0.25)
    save(
        "4-chalk.jpg", cv2.GaussianBlur(board * (1 - chalk) + 225 * chalk, (0, 0), 1.0), quality=85
    )

    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright: turn by 90° to see it right
    page = paper((1200, 900), 4)
    pencil = place(ink("2", 210, 6), page.shape, 480, 330)
    upright = page * (1 - 0.45 * pencil) + 90 * 0.45 * pencil
    save("2-faint-pencil-turned.jpg", np.rot90(upright), quality=75, exif=turned)

    alpha = place(ink("5", 200, 12), (256, 256), 15, 15) * 255
    drawing = np.zeros((256, 256, 4))
    drawing[..., 3] = alpha
    save("5-ink-in-alpha.png", drawing)

    small = cv2.resize(ink("8", 64, 9), (14, 16), interpolation=cv2.INTER_AREA)
    save("8-tiny-crop.png", 255 * small)

    page = paper(shape, 6)
    for digit, left in (("1", 250), ("6", 420)):
        pen = place(ink(digit, 160, 8), shape, 200, left)
        page = page * (1 - pen) + 50 * pen
    save("two-digits.jpg", page, quality=80)

    save("blank-page.png", paper((300, 400), 5))


if __name__ == "__main__":
    main()
