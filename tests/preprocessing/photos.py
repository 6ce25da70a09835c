"""Photo-like pictures made from MNIST's digits, one kind of trouble at a time.

They are the same for the same seed.
"""

import io
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitcli.datasets import mnist

Grey = NDArray[np.uint8]
Generator = np.random.Generator


def digits(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Some of MNIST's validation digits, which no training has seen, and their labels."""
    held_out = mnist.load_splits().validation
    chosen = np.random.default_rng(seed).choice(len(held_out.images), count, replace=False)
    return held_out.images[chosen], held_out.labels[chosen]


def stroke(digit: Grey, side: int, angle: float = 0.0) -> NDArray[np.float64]:
    """The digit's 28×28 as ink in [0, 1] on a square of this side, sharp as a pen's."""
    turn = cv2.getRotationMatrix2D((13.5, 13.5), angle, side / 28)
    turn[:, 2] += side / 2 - 13.5 - 0.5
    large: NDArray[np.float64] = (
        cv2.warpAffine(digit, turn, (side, side), flags=cv2.INTER_CUBIC).astype(float) / 255
    )
    return np.clip((large - 0.3) / 0.4, 0, 1)


def page(
    digit: Grey,
    random: Generator,
    *,
    size: tuple[int, int] = (240, 200),
    side: int = 130,
    angle: float = 0.0,
    paper: float = 200.0,
    ink: float = 60.0,
    grain: float = 1.5,
    at: tuple[int, int] | None = None,
    ground: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """A digit written on paper: float64 grey levels of shape ``size``, not yet clipped."""
    picture = np.full(size, float(paper)) if ground is None else ground.copy()
    top, left = at or ((size[0] - side) // 2, (size[1] - side) // 2)
    window = picture[top : top + side, left : left + side]
    amount = stroke(digit, side, angle)[: window.shape[0], : window.shape[1]]
    window += (
        amount * (np.minimum(ink, window) - window) if ink < paper else amount * (ink - window)
    )
    return picture + random.normal(0, grain, size)


def png(picture: NDArray[np.float64]) -> bytes:
    return encoded(picture, "PNG")


def encoded(picture: NDArray[np.float64], kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(file, kind, **options)
    return file.getvalue()


def _slope(random: Generator, size: tuple[int, int], strength: float) -> NDArray[np.float64]:
    y, x = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j]
    direction = random.uniform(0, 2 * np.pi)
    slope: NDArray[np.float64] = strength * (np.cos(direction) * x + np.sin(direction) * y)
    return slope


def _lines(
    random: Generator, size: tuple[int, int], squared: bool, level: float, paper: float = 200.0
) -> NDArray[np.float64]:
    """Paper ruled at one distance, the camera held up to four degrees askew."""
    ground = np.full(size, paper, np.float32)
    distance, slope = random.uniform(28, 45), np.tan(np.radians(random.uniform(-4, 4)))
    for start in np.arange(random.uniform(0, distance) - size[0], 2 * size[0], distance):
        cv2.line(
            ground,
            (0, round(start)),
            (size[1], round(start + slope * size[1])),
            level,
            1,
            cv2.LINE_AA,
        )
        if squared:
            cv2.line(
                ground,
                (round(start), 0),
                (round(start - slope * size[0]), size[0]),
                level,
                1,
                cv2.LINE_AA,
            )
    blurred: NDArray[np.float64] = cv2.GaussianBlur(ground, (3, 3), 0.6).astype(float)
    return blurred


def _texture(random: Generator, size: tuple[int, int]) -> NDArray[np.float64]:
    texture = np.zeros(size)
    for k in (3, 6, 12):
        grain = random.normal(0, 4, (size[0] // k, size[1] // k))
        texture += cv2.resize(grain, size[::-1], interpolation=cv2.INTER_CUBIC)
    return texture


def _shadow(random: Generator, size: tuple[int, int]) -> NDArray[np.float64]:
    edge = _slope(random, size, 1.0) - random.uniform(-0.3, 0.3)
    return 1 - random.uniform(0.3, 0.45) / (1 + np.exp(-edge * random.uniform(8, 20)))


def _transparent(digit: Grey, random: Generator, white: bool) -> bytes:
    amount = stroke(digit, 150)
    pixels = np.zeros((200, 180, 4), np.uint8)
    pixels[..., :3] = 255 * white
    pixels[25:175, 15:165, 3] = amount * random.uniform(150, 255)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _coloured(digit: Grey, random: Generator) -> bytes:
    ink, paper = random.permutation([40, random.uniform(40, 170), 190]), random.uniform(195, 235, 3)
    amount = np.zeros((240, 200, 1))
    amount[55:185, 35:165, 0] = stroke(digit, 130)
    return png(paper * (1 - amount) + ink * amount + random.normal(0, 2, (240, 200, 3)))


def _upright_by_exif(digit: Grey, random: Generator) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(np.rot90(page(digit, random)), "JPEG", exif=exif)


SIZE = (240, 200)

KINDS: dict[str, Callable[[Grey, Generator], bytes]] = {
    "pen on white paper": lambda d, r: png(page(d, r, paper=235, ink=40)),
    "paper texture": lambda d, r: png(page(d, r) + _texture(r, SIZE)),
    "light gradient": lambda d, r: png(page(d, r) + _slope(r, SIZE, 45)),
    "shadow": lambda d, r: png(page(d, r) * _shadow(r, SIZE)),
    "ruled paper": lambda d, r: png(page(d, r, ground=_lines(r, SIZE, False, 140))),
    "squared paper": lambda d, r: png(page(d, r, ground=_lines(r, SIZE, True, 150))),
    "noise": lambda d, r: png(page(d, r, grain=15)),
    "blur": lambda d, r: png(cv2.GaussianBlur(page(d, r), (0, 0), r.uniform(2, 4))),
    "JPEG blocks": lambda d, r: encoded(page(d, r), "JPEG", quality=12),
    "faint pencil": lambda d, r: png(page(d, r, ink=170)),
    "light on dark": lambda d, r: png(page(d, r, paper=50, ink=200)),
    "rotated a little": lambda d, r: png(page(d, r, angle=r.uniform(-12, 12))),
    "anywhere": lambda d, r: png(
        page(d, r, side=90, at=(int(r.integers(0, 150)), int(r.integers(0, 110))))
    ),
    "small on a large page": lambda d, r: png(page(d, r, size=(600, 500), side=80)),
    "filling the picture": lambda d, r: png(page(d, r, size=(200, 180), side=210, at=(0, 0))),
    "tiny": lambda d, r: png(page(d, r, size=(40, 36), side=30)),
    "coloured ink": _coloured,
    "ink only in alpha": lambda d, r: _transparent(d, r, white=False),
    "white ink on nothing": lambda d, r: _transparent(d, r, white=True),
    "turned by EXIF": _upright_by_exif,
}


def pictures(kind: str, count: int, seed: int = 0) -> tuple[list[bytes], NDArray[np.int64]]:
    """Encoded pictures of one kind, and the labels of their digits."""
    random = np.random.default_rng(seed)
    images, labels = digits(count, seed)
    return [KINDS[kind](image, random) for image in images], labels
