#!/usr/bin/env python3
"""What reading a picture costs on one core: CPU time, the least of several runs.

    python tests/benchmarks/reading_bench.py

Prints two rows: ink and canvas of 28×28 PNG files after decoding, once as MNIST frames its digits
and once with the digit moved out of that frame, so that it has to be framed anew; and everything
from a 12-megapixel JPEG to the canvas, against Pillow's own decoding of the same file to grey at an
eighth of its size.
"""

import io
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from preprocessing import photos
from reading import read_content

from digitcli.inputs.decoding import decode
from digitcli.preprocessing.framing import to_canvas
from digitcli.preprocessing.pipeline import find_ink

MOVED = np.array([[0.9, 0, 3.5], [0, 0.9, -1]])


def least(run: Callable[[], object], times: int = 9) -> float:
    """CPU seconds of the fastest of several runs."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)


def frame_all(pictures: list[NDArray[np.uint8]]) -> None:
    for picture in pictures:
        to_canvas(find_ink(picture))


def small_pictures() -> None:
    digits, _ = photos.digits(500, seed=0)
    for name, images in (
        ("as MNIST frames it", digits),
        ("moved", [cv2.warpAffine(d, MOVED, (28, 28)) for d in digits]),
    ):
        pictures = [decode(photos.png(image)) for image in images]
        cost = least(partial(frame_all, pictures)) / len(pictures)
        print(f"28x28 PNG, {name}: ink and canvas {1e6 * cost:.0f} µs")


def large_photo(grain: float, quality: int) -> None:
    random = np.random.default_rng(0)
    light = cv2.resize(random.normal(190, 8, (6, 8)), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    digit = photos.digits(1, seed=0)[0][0]
    photo = photos.page(digit, random, size=(3000, 4000), side=700, grain=grain, ground=light)
    file = io.BytesIO()
    Image.fromarray(photo.clip(0, 255).astype(np.uint8)).convert("RGB").save(
        file, "JPEG", quality=quality
    )
    data = file.getvalue()

    def pillow() -> None:
        image = Image.open(io.BytesIO(data))
        image.draft("L", (500, 375))
        image.load()

    reference, everything = least(pillow), least(lambda: read_content(data))
    print(
        f"12-megapixel JPEG of {len(data) / 2**20:.1f} MiB: everything {1e3 * everything:.1f} ms,"
        f" Pillow's reduced decoding {1e3 * reference:.1f} ms, ratio {everything / reference:.2f}"
    )


if __name__ == "__main__":
    cv2.setNumThreads(1)
    small_pictures()
    for grain, quality in ((2.5, 88), (5, 90), (8, 92)):
        large_photo(grain, quality)
