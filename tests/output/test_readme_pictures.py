"""The pictures that the README shows are what its commands make.

DIGITCLI_UPDATE_GOLDEN=1 makes them again.
"""

import io
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent.parent
SAMPLE = "tests/samples/3-pen-on-ruled-paper.jpg"


def check(name: str, content: bytes) -> None:
    """Compare two pictures as seen from afar: fonts and the last digits of numbers may differ."""
    path = ROOT / "tests" / "golden" / name
    if os.environ.get("DIGITCLI_UPDATE_GOLDEN"):
        Image.open(io.BytesIO(content)).convert("RGB").quantize(
            128, Image.Quantize.MAXCOVERAGE
        ).save(path, optimize=True)
    made, kept = (
        cv2.resize(
            cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE),
            (64, 64),
            interpolation=cv2.INTER_AREA,
        )
        for data in (content, path.read_bytes())
    )
    assert np.abs(made.astype(float) - kept).mean() < 8


@pytest.mark.slow
def test_the_report(digitcli, browser, tmp_path) -> None:
    done = digitcli("evaluate", "--report", tmp_path / "report.html")
    assert done.returncode == 0
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.goto((tmp_path / "report.html").as_uri())
    card = page.locator(".gallery li").nth(3).bounding_box()
    size = {"x": 0, "y": 0, "width": 1000, "height": card["y"] + card["height"] + 16}
    check("report.png", page.screenshot(clip=size, full_page=True))


@pytest.mark.slow
def test_the_inspection(digitcli, tmp_path) -> None:
    done = digitcli("inspect", SAMPLE, "--png", tmp_path / "inspection.png")
    assert done.returncode == 0
    check("inspection.png", (tmp_path / "inspection.png").read_bytes())
