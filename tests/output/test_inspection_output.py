import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from digitcli.inference.classifier import Classifier
from digitcli.inference.layers import Inspection, inspect
from digitcli.inputs.source import Source
from digitcli.output.inspection import draw_inspection, inspection_html, inspection_png, list_stages
from digitcli.prediction import Prediction, Status
from digitcli.preprocessing.box import Box
from digitcli.preprocessing.detection import Sight
from digitcli.preprocessing.ink import Ink, Seen
from digitcli.preprocessing.pipeline import Reading

SAMPLES = sorted(
    path
    for path in (Path(__file__).parent.parent / "samples").iterdir()
    if path.suffix in (".png", ".jpg")
)
NAUGHTY = "<b>\x1b[31m & {{ 7 * 7 }}.png"


def some_inspection() -> Inspection:
    """Stages that look the same on every machine: nothing computed could round otherwise."""
    picture = np.full((120, 160, 3), 220, np.uint8)
    picture[30:90, 70:86] = (160, 20, 20)
    canvas = np.zeros((28, 28), np.uint8)
    canvas[4:24, 12:16] = 255
    digit = np.zeros((128, 128), np.float32)
    digit[32:96, 56:69] = 1
    sight = Sight(digit, digit)
    window = Box(28, 10, 128, 110)
    strength = np.zeros((100, 100), np.uint8)
    strength[20:80, 42:58] = 200
    seen = Seen(strength, window, sight, sight)
    ink = Ink(np.full((60, 16), 255, np.uint8), box=Box(70, 30, 86, 90), seen=seen)
    ramp = np.linspace(-1, 1, 28, dtype=np.float32)
    tilted = np.sign(ramp[:, None] + ramp + 0.01)
    layers = {
        "C1": np.stack([tilted * (-1) ** i for i in range(6)]),
        "S2": np.stack([tilted[::2, ::2] * (-1) ** i for i in range(6)]),
        "C3": np.stack([tilted[:10, 9:19] * (-1) ** i for i in range(16)]),
        "S4": np.stack([tilted[:5, 21:26] * (-1) ** i for i in range(16)]),
        "C5": np.where(np.arange(120) % 7, 0.5, -0.5).astype(np.float32),
        "F6": np.where(np.arange(84) % 7, -1.5, 1.5).astype(np.float32),
        "output": np.array([0, 0.75, 0, 0, 0, 0, 0, 0.25, 0, 0], np.float32),
    }
    occlusion = np.zeros((28, 28), np.float32)
    occlusion[10:14, 12:16] = 0.5
    prediction = Prediction(Status.OK, 1, 0.75, 1)
    return Inspection("scans/1.png", picture, Reading(canvas, ink), prediction, layers, occlusion)


def nothing_found() -> Inspection:
    blank = np.full((40, 40), 255, np.uint8)
    reading = Reading(np.zeros((28, 28), np.uint8), Ink(blank, found=False))
    return Inspection(NAUGHTY, blank, reading, Prediction(Status.NO_DIGIT, reason="no ink"))


def drawn(inspection: Inspection, width: int, color: str) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        force_terminal=True,
        color_system="truecolor" if color == "color" else None,
        no_color=color == "plain",
        highlight=False,
        width=width,
        legacy_windows=False,
    )
    draw_inspection(console, inspection)
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("color", ["plain", "color"])
def test_all_stages_in_a_terminal(golden, width: int, color: str) -> None:
    golden(f"inspection-{width}-{color}.txt", drawn(some_inspection(), width, color))


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, drawn(some_inspection(), width, "plain").splitlines())) <= width


def test_where_nothing_was_found_there_are_no_layers() -> None:
    text = drawn(nothing_found(), 80, "plain")
    assert "no digit, no ink" in text
    assert "28×28" in text
    assert "C1" not in text
    assert "ink found" not in text


def test_a_name_is_never_shown_raw() -> None:
    assert "<b>\\x1b[31m" in drawn(nothing_found(), 80, "plain")


def test_the_ink_is_shown_in_its_place_with_a_line_around_its_box() -> None:
    place = dict(list_stages(some_inspection(), 160))["ink found, its box"]
    assert place.shape == (120, 160)
    assert (place[30:90, 70:86] == 255).all()
    assert (place[29, 69:87] == 160).all()
    assert (place[29:91, 69] == 160).all()
    assert not place[:29].any()
    assert not place[:, 88:].any()


@pytest.mark.parametrize("framed", [True, False])
def test_a_canvas_given_as_picture_has_its_ink_in_place(framed: bool) -> None:
    canvas = np.zeros((28, 28), np.uint8)
    canvas[4:24, 12:16] = 255
    ink = (
        Ink(canvas, framed=True, box=Box(12, 4, 16, 24))
        if framed
        else Ink(canvas[4:24, 12:16], box=Box(12, 4, 16, 24))
    )
    seen = Inspection("x", canvas, Reading(canvas, ink), Prediction(Status.OK, 1, 0.9, 1))
    assert (dict(list_stages(seen, 28))["ink found, its box"][4:24, 12:16] == 255).all()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_real_ink_fits_into_its_place(sample: Path) -> None:
    seen = inspect(Source(str(sample)), Classifier())
    for _, image in list_stages(seen, 200):
        assert max(image.shape) <= 200
    place = dict(list_stages(seen, 10_000)).get("ink found, its box")
    assert (place is not None) == seen.reading.ink.found
    assert place is None or place.shape == seen.image.shape[:2]


def test_a_picture_taken_as_it_is_has_no_ink_stage() -> None:
    canvas = np.zeros((28, 28), np.uint8)
    seen = Inspection("x", canvas, Reading(canvas, None), Prediction(Status.OK, 1, 0.9, 1))
    assert [title for title, _ in list_stages(seen, 28)] == ["as given", "28×28"]


def test_every_side_of_a_box_that_fills_the_picture_is_drawn() -> None:
    ink = Ink(np.zeros((50, 40), np.uint8), box=Box(0, 0, 40, 50))
    canvas, picture = np.zeros((28, 28), np.uint8), np.zeros((50, 40), np.uint8)
    seen = Inspection("x", picture, Reading(canvas, ink), Prediction(Status.OK, 1, 0.9, 1))
    place = dict(list_stages(seen, 100))["ink found, its box"]
    for side in (place[0], place[-1], place[:, 0], place[:, -1]):
        assert (side == 160).all()


def test_what_stands_out_is_what_the_reader_used() -> None:
    shown = dict(list_stages(some_inspection(), 200))
    strength = some_inspection().reading.ink.seen.strength
    np.testing.assert_array_equal(shown["standing out"], strength)
    assert shown["a closer look"].shape == strength.shape
    assert shown["a glance"].shape == (120, 160)


def test_the_page_stands_alone_and_names_every_map(tmp_path, page_of) -> None:
    path = tmp_path / "i.html"
    path.write_bytes(inspection_html(some_inspection()))
    page = page_of(path)
    names = [image["alt"] for image in page.all("img")]
    titles = [
        "as given",
        "a glance",
        "its surroundings",
        "a closer look",
        "standing out",
        "ink found, its box",
        "28×28",
    ]
    assert names[:7] == [f"The picture, {title}" for title in titles]
    assert names[7:13] == [f"C1, map {i}" for i in range(1, 7)]
    assert len(names) == 7 + 6 + 6 + 16 + 16 + 1 + 1 + 1
    assert "A black square of 5×5 pixels" in page.text
    assert "from 75.00% to 25.00%" in page.text


def test_the_page_of_nothing_shows_the_name_as_text(tmp_path, page_of) -> None:
    path = tmp_path / "i.html"
    path.write_bytes(inspection_html(nothing_found()))
    page = page_of(path)
    assert "<b>\\x1b[31m & {{ 7 * 7 }}.png" in page.text
    assert len(page.all("img")) == 2


@pytest.mark.parametrize(
    "inspection", [some_inspection(), nothing_found()], ids=["something", "nothing"]
)
def test_the_png_is_one_picture(inspection: Inspection) -> None:
    picture = cv2.imdecode(np.frombuffer(inspection_png(inspection), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[0] > 300
    assert picture.shape[1] > 1000
    assert np.ptp(picture) == 255


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 400])
def test_a_browser_shows_the_page_without_an_error_or_a_request(
    tmp_path, browser, width: int
) -> None:
    path = tmp_path / "i.html"
    path.write_bytes(inspection_html(some_inspection()))
    page = browser.new_page(viewport={"width": width, "height": 900})
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
    assert all(
        image.evaluate("image => image.naturalWidth") > 0 for image in page.locator("img").all()
    )
    assert page.get_by_role("img", name="C3, map 16").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
