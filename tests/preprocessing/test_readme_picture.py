"""The README's tests/golden/reading.png: pictures, and below each what the network sees."""

import io
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from preprocessing import photos
from reading import read_content

PICTURE = Path(__file__).parents[1] / "golden" / "reading.png"
SHOWN = [
    "squared paper",
    "shadow",
    "faint pencil",
    "coloured ink",
    "light on dark",
    "blur",
    "small on a large page",
]
CELL = 150


def sheet() -> Image.Image:
    page = Image.new("RGB", (len(SHOWN) * (CELL + 10) - 10, 2 * CELL + 10), "white")
    for column, kind in enumerate(SHOWN):
        data = photos.pictures(kind, 1, seed=20 + column)[0][0]
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        picture.thumbnail((CELL, CELL))
        canvas = np.kron(read_content(data).canvas, np.ones((5, 5), np.uint8))
        page.paste(picture, (column * (CELL + 10) + (CELL - picture.width) // 2, 0))
        page.paste(Image.fromarray(canvas), (column * (CELL + 10) + 5, CELL + 10))
    return page


@pytest.mark.slow
def test_the_picture_shows_what_the_network_sees():
    page = sheet()
    if os.environ.get("DIGITCLI_UPDATE_GOLDEN"):
        page.save(PICTURE, optimize=True)
    kept = cv2.cvtColor(cv2.imread(str(PICTURE)), cv2.COLOR_BGR2RGB)
    assert np.abs(kept.astype(int) - np.asarray(page)).mean() < 3
