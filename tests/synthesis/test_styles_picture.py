"""tests/golden/{styles,negatives}.png: every drawing by its name, four copies of each.

DIGITCLI_UPDATE_GOLDEN=1 makes them again.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitcli.synthesis.digits import frame_as_mnist, print_digit
from digitcli.synthesis.drawing_files import ADDED, Drawing, load_packaged
from digitcli.synthesis.styles import add_strokes, draw_style, print_stencil, write_by_hand

FOLDER = Path(__file__).parents[1] / "golden"
COPIES = 4
COLUMNS = 4
CELL, LABEL = 30, 215
ROW = CELL + 2

Canvas = npt.NDArray[np.uint8]
Row = tuple[str, Callable[[np.random.Generator], Canvas]]


def rows_of_digits(few) -> list[Row]:
    digits = few[0]

    def draw(drawing: Drawing, rng: np.random.Generator) -> Canvas:
        if drawing.kind != ADDED:
            return draw_style(drawing, rng)
        rows = np.flatnonzero(digits.labels == int(drawing.label))
        return add_strokes(digits.images[rng.choice(rows)], drawing, rng)

    rows: list[Row] = [
        (f"{drawing.label} {drawing.kind}: {drawing.name}", partial(draw, drawing))
        for drawing in load_packaged("digits")
    ]
    rows += [(f"{digit} font", partial(print_digit, digit)) for digit in range(10)]
    rows += [(f"{digit} stencil", partial(print_stencil, digit)) for digit in range(10)]
    return rows


def rows_of_negatives(_few) -> list[Row]:
    return [
        (f"{drawing.label}: {drawing.name}", partial(write_by_hand, drawing, broadest=9))
        for drawing in load_packaged("negatives")
    ]


def sheet(rows: list[Row]) -> Image.Image:
    lines = -(-len(rows) // COLUMNS)
    page = Image.new("L", (COLUMNS * (LABEL + COPIES * CELL), lines * ROW), 0)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(11)
    for at, (name, make) in enumerate(rows):
        x, y = at // lines * (LABEL + COPIES * CELL), at % lines * ROW
        pen.text((x + LABEL - 6, y + ROW // 2), name, 200, font, anchor="rm")
        rng = np.random.default_rng(at)
        for copy in range(COPIES):
            page.paste(Image.fromarray(frame_as_mnist(make(rng))), (x + LABEL + copy * CELL, y + 1))
    return page


@pytest.mark.parametrize(
    ("name", "rows"), [("styles.png", rows_of_digits), ("negatives.png", rows_of_negatives)]
)
def test_the_picture_shows_every_drawing(name: str, rows: Callable[..., list[Row]], few) -> None:
    page = sheet(rows(few))
    path = FOLDER / name
    if os.environ.get("DIGITCLI_UPDATE_GOLDEN"):
        page.quantize(16).save(path, optimize=True)
    kept = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert np.abs(kept.astype(int) - np.asarray(page)).mean() < 6
    assert path.stat().st_size < 200_000
