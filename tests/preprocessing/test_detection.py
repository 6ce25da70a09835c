"""The learned detector marks a digit's ink where light, paper and print would mislead."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitcli.preprocessing.detection import look, network_input


def seven(height: int, width: int, stroke: int) -> npt.NDArray[np.uint8]:
    """Draw a 7 of long straight strokes: 255 where its ink is."""
    mask = np.zeros((height, width), np.uint8)
    corners = np.array([[0.3, 0.25], [0.65, 0.25], [0.45, 0.75]]) * (width, height)
    cv2.polylines(mask, [corners.astype(np.int32)], False, 255, stroke, cv2.LINE_AA)
    return mask


def photo(
    mask: npt.NDArray[np.uint8], contrast: int, *, squares: bool = False, shadow: bool = False
) -> npt.NDArray[np.uint8]:
    picture = np.full(mask.shape, 200.0)
    if squares:
        picture[::40] -= contrast
        picture[:, ::40] -= contrast
    picture -= contrast * (mask / 255)
    if shadow:
        picture[:, 3 * mask.shape[1] // 4 :] *= 0.5
    noise = np.random.default_rng(0).normal(0, 2, mask.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def marks(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """What the detector marks as ink, at the image's size."""
    ink: npt.NDArray[np.float32] = cv2.resize(look(image).ink, (image.shape[1], image.shape[0]))
    return ink


def agreement(marked: npt.NDArray[np.float32], mask: npt.NDArray[np.uint8]) -> tuple[float, float]:
    """Return the parts of the ink that is marked, and of the marks that are on ink or beside it."""
    near = cv2.dilate(mask, np.ones((9, 9), np.uint8)) > 0
    return float((marked > 0.4)[mask > 128].mean()), float(near[marked > 0.4].mean())


@pytest.mark.parametrize(
    "surroundings",
    [
        pytest.param({"contrast": 100}, id="plain paper"),
        pytest.param({"contrast": 20}, id="faint pencil"),
        pytest.param({"contrast": 80, "shadow": True}, id="shadow beside it"),
        pytest.param({"contrast": 80, "squares": True}, id="squared paper"),
    ],
)
@pytest.mark.parametrize("inverted", [False, True], ids=["dark ink", "light ink"])
def test_marks_the_ink_and_little_else(surroundings: dict[str, Any], inverted: bool) -> None:
    mask = seven(300, 260, 7)
    picture = photo(mask, **surroundings)

    found, right = agreement(marks(255 - picture if inverted else picture), mask)

    assert found > 0.85
    assert right > 0.8


def test_marks_nothing_on_empty_paper() -> None:
    empty = photo(np.zeros((200, 200), np.uint8), 60, squares=True, shadow=True)

    assert (marks(empty) > 0.5).mean() < 0.003


@pytest.mark.parametrize("shape", [(1, 1), (8, 8, 3), (3, 700), (128, 128, 3), (900, 40)])
def test_gives_two_maps_of_probabilities(shape: tuple[int, ...]) -> None:
    sight = look(np.full(shape, 90, np.uint8))

    for seen in sight:
        assert seen.shape == (128, 128)
        assert seen.dtype == np.float32
        assert seen.min() >= 0
        assert seen.max() <= 1


def test_red_on_green_of_one_brightness_is_seen() -> None:
    mask = seven(300, 260, 12)[:, :, None] / 255
    red, green = np.array([200, 40, 60]), np.array([20, 128, 20])
    image = np.rint(green + mask * (red - green)).astype(np.uint8)

    found, right = agreement(marks(image), seven(300, 260, 12))

    assert found > 0.8
    assert right > 0.8


def test_the_network_sees_finite_numbers_of_any_picture() -> None:
    for picture in (
        np.zeros((50, 50), np.uint8),
        np.full((50, 50), 255, np.uint8),
        np.eye(300, dtype=np.uint8) * 255,
    ):
        assert np.isfinite(network_input(picture)).all()


def test_threads_do_not_disturb_each_other() -> None:
    pictures = [photo(seven(200, 150 + 10 * index, 5), 90) for index in range(8)]
    alone = [look(picture) for picture in pictures]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(look, pictures * 4))

    for index, sight in enumerate(together):
        np.testing.assert_array_equal(sight.ink, alone[index % 8].ink)
        np.testing.assert_array_equal(sight.characters, alone[index % 8].characters)


def test_litert_is_loaded_for_the_first_image_and_tensorflow_never() -> None:
    code = (
        "import sys, numpy; from digitcli.preprocessing import detection\n"
        "assert 'ai_edge_litert' not in sys.modules\n"
        "detection.look(numpy.zeros((60, 60), numpy.uint8))\n"
        "assert 'ai_edge_litert' in sys.modules and 'tensorflow' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
