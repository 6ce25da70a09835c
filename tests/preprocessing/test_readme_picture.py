"""The README's tests/golden/reading.png: images, what the network sees of each, and its answers."""

import io
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps
from preprocessing import photos
from reading import read_content

from digitcli import Classifier

TESTS = Path(__file__).parents[1]
PICTURE = TESTS / "golden" / "reading.png"
PHOTOS = {"squared paper": 20, "shadow": 21, "small on a large page": 26}  # kinds and seeds
SAMPLES = [
    "2-faint-pencil-turned.jpg",
    "3-pen-on-ruled-paper.jpg",
    "4-chalk.jpg",
    "7-red-marker.png",
    "two-digits.jpg",
]
CELL = 150
GAP = 10
CAPTION = 46  # pixels of height


def sheet() -> Image.Image:
    images = [photos.pictures(kind, 1, seed=seed)[0][0] for kind, seed in PHOTOS.items()]
    images += [(TESTS / "samples" / name).read_bytes() for name in SAMPLES]
    page = Image.new("RGB", (len(images) * (CELL + GAP) - GAP, 2 * CELL + GAP + CAPTION), "white")
    draw = ImageDraw.Draw(page)
    for column, (data, answer) in enumerate(
        zip(images, Classifier().classify_many(images), strict=True)
    ):
        left = column * (CELL + GAP)
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
        image.thumbnail((CELL, CELL))
        canvas = np.kron(read_content(data).canvas, np.ones((5, 5), np.uint8))
        page.paste(image, (left + (CELL - image.width) // 2, (CELL - image.height) // 2))
        page.paste(Image.fromarray(canvas), (left + 5, CELL + GAP))
        shown = "?" if answer.digit is None else f"{answer.digit}"
        about = f"{answer.reason}" if answer.digit is None else f"{answer.confidence:.2%}"
        middle = left + CELL // 2
        draw.text((middle, 2 * CELL + 22), shown, "black", ImageFont.load_default(24), anchor="mm")
        draw.text(
            (middle, 2 * CELL + 44), about, "dimgrey", ImageFont.load_default(15), anchor="mm"
        )
    return page


@pytest.mark.slow
def test_the_picture_shows_what_the_network_sees_and_answers():
    page = sheet()
    if os.environ.get("DIGITCLI_UPDATE_GOLDEN"):
        page.save(PICTURE, optimize=True)
    kept = cv2.cvtColor(cv2.imread(str(PICTURE)), cv2.COLOR_BGR2RGB)
    assert np.abs(kept.astype(int) - np.asarray(page)).mean() < 3
