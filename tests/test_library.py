"""digitcli in somebody's program: it reads what is handed over, and leaves the process as it is."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import digitcli
from digitcli import Classifier, Status
from digitcli.inference.pictures import Picture

SAMPLES = Path(__file__).parent / "samples"
SEVEN = SAMPLES / "7-red-marker.png"
GREY = np.asarray(Image.open(SEVEN).convert("L"))


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier()


def run(code: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, **options
    )


def test_the_public_names_are_a_short_list() -> None:
    names = {"Classifier", "Prediction", "Reason", "Status", "__version__"}
    assert set(dir(digitcli)) == set(digitcli.__all__) == names
    done = run("from digitcli import *; print(Classifier.__name__, Status.OK.value)")
    assert done.stdout == "Classifier ok\n"
    assert "Classifier" in run("import digitcli; help(digitcli)").stdout


STATE = """
import logging, os, signal, sys, tempfile, warnings
from PIL import Image
import cv2
def state():
    return {
        "bomb guard": Image.MAX_IMAGE_PIXELS,
        "opencv": cv2.getNumThreads(),
        "filters": list(warnings.filters),
        "handlers": list(logging.getLogger("PIL").handlers),
        "signals": [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)],
        "streams": [os.fstat(d).st_ino for d in (0, 1, 2)] + [id(sys.stdout), id(sys.stderr)],
        "environment": dict(os.environ),
    }
before = state()
tempfile.TemporaryFile = None  # nothing needs one
from digitcli import Classifier
classifier = Classifier()
paths = sys.argv[1:]
for path in paths:
    classifier.classify(path)
list(classifier.classify_many(paths * 3, jobs=2))
after = state()
for name in before:
    assert before[name] == after[name], name
"""


def test_the_library_leaves_the_process_as_it_is() -> None:
    paths = [str(path) for path in SAMPLES.glob("*.*g")]
    done = subprocess.run([sys.executable, "-c", STATE, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


THREADS = """
import sys, threading
from digitcli import Classifier
for _ in range(int(sys.argv[1])):
    threads = [threading.Thread(target=Classifier) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print("on stdout"); print("on stderr", file=sys.stderr)
"""


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_threads_that_make_classifiers_lose_no_stream(rounds: int) -> None:
    command = [sys.executable, "-c", THREADS, str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "on stdout\n")
    assert done.stderr.endswith("on stderr\n")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("invert", "maybe"),
        ("min_confidence", 2),
        ("min_confidence", float("nan")),
        ("top", 99),
        ("top", -1),
        ("max_pixels", 0),
    ],
)
def test_arguments_are_checked_when_they_are_given(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{option} must be "):
        Classifier(**{option: value})


def test_jobs_are_checked_when_they_are_given(classifier: Classifier) -> None:
    with pytest.raises(ValueError, match=r"^jobs must be 1 or more, not 0$"):
        classifier.classify_many([SEVEN], jobs=0)


ALIKE: dict[str, Picture] = {
    "path": SEVEN,
    "text": str(SEVEN),
    "bytes": SEVEN.read_bytes(),
    "bytearray": bytearray(SEVEN.read_bytes()),
    "memoryview": memoryview(SEVEN.read_bytes()),
    "BytesIO": io.BytesIO(SEVEN.read_bytes()),
    "grey": GREY,
    "one channel": GREY[..., np.newaxis],
    "three channels": np.stack([GREY] * 3, axis=-1),
    "four channels": np.stack([GREY] * 3 + [np.full_like(GREY, 255)], axis=-1),
    "int64": GREY.astype(np.int64),
    "uint16": GREY.astype(np.uint16),
    "float in [0, 255]": GREY.astype(np.float64),
    "float in [0, 1]": GREY / np.float32(255),
    "not contiguous": np.asfortranarray(GREY),
    "read only": np.frombuffer(GREY.tobytes(), np.uint8).reshape(GREY.shape),
}


@pytest.mark.parametrize("kind", ALIKE)
def test_a_picture_is_read_whatever_holds_it(kind: str, classifier: Classifier) -> None:
    assert classifier.classify(ALIKE[kind]).digit == 7


def test_an_open_file_is_read(classifier: Classifier) -> None:
    with SEVEN.open("rb") as file:
        assert classifier.classify(file).digit == 7


def test_an_array_of_bools_is_a_drawing(classifier: Classifier) -> None:
    assert classifier.classify(GREY > 128).digit == 7


MODES = ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB"]
MODES += ["HSV", "I", "F", "I;16", "I;16B", "I;16L"]


@pytest.mark.parametrize("mode", MODES)
def test_an_image_of_any_mode_is_read(mode: str, classifier: Classifier) -> None:
    image = Image.open(SEVEN).convert("RGB")
    if mode in ("La", "PA"):
        image = image.convert("LA")
    elif mode == "RGBa":
        image = image.convert("RGBA")
    elif mode.startswith("I;16"):
        image = image.convert("L").convert("I")
    if mode == "LAB":
        from PIL import ImageCms

        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.buildTransform(*profiles, "RGB", "LAB").apply(image)
    else:
        image = image.convert(mode, dither=Image.Dither.NONE)
    prediction = classifier.classify(image)
    assert prediction.digit == 7, prediction


@pytest.mark.parametrize(
    ("picture", "error", "message"),
    [
        (None, TypeError, "NoneType is no picture: give a path, bytes"),
        ([[0, 1], [1, 0]], TypeError, "list is no picture"),
        (io.StringIO("text"), TypeError, "must be opened in binary mode"),
        (np.zeros((5, 28, 28)), ValueError, r"\(5, 28, 28\) is no picture, several pictures"),
        (np.zeros((5, 28, 28, 1)), ValueError, "several pictures: give them to classify_many"),
        (np.zeros(9), ValueError, r"shape \(9,\) is no picture; one has the shape"),
        (np.zeros((0, 5)), ValueError, r"shape \(0, 5\) is no picture"),
        (np.full((9, 9), -1.0), ValueError, "values from -1 to -1"),
        (np.full((9, 9), np.nan), ValueError, "values from nan to nan"),
        (np.full((9, 9), 70_000), ValueError, r"must be in \[0, 255\]"),
        (np.zeros((9, 9), complex), TypeError, "an array of complex128"),
        (np.full((9, 9), "a"), TypeError, "an array of <U1"),
    ],
)
def test_what_is_no_picture_is_one_clear_error(
    picture: Any, error: type[Exception], message: str, classifier: Classifier
) -> None:
    with pytest.raises(error, match=message):
        classifier.classify(picture)


def test_what_is_no_picture_costs_only_itself(classifier: Classifier) -> None:
    pictures: list[Any] = [SEVEN, None, np.zeros(9), SEVEN]
    for jobs in (1, 2):
        predictions = list(classifier.classify_many(pictures, jobs=jobs))
        assert [p.digit for p in predictions] == [7, None, None, 7]
        assert [p.status for p in predictions[1:3]] == [Status.ERROR] * 2
        assert "NoneType is no picture" in (predictions[1].reason or "")


@pytest.mark.parametrize(
    "one", ["scans", b"content", SEVEN, Image.fromarray(GREY), GREY, io.BytesIO()], ids=type
)
def test_one_picture_is_not_many(one: Any, classifier: Classifier) -> None:
    with pytest.raises(TypeError, match="is one picture"):
        classifier.classify_many(one)


def test_an_array_of_pictures_is_many(classifier: Classifier) -> None:
    assert [p.digit for p in classifier.classify_many(np.stack([GREY, GREY]))] == [7, 7]


def test_warnings_that_are_errors_cost_no_picture() -> None:
    large = "Image.new('L', (9500, 9500), 255)"  # at which Pillow's own guard warns
    code = (
        f"import io; from PIL import Image; from digitcli import Classifier\n"
        f"file = io.BytesIO(); {large}.save(file, 'PNG')\n"
        "print(Classifier().classify(file.getvalue()).reason)"
    )
    done = run(code, env={**os.environ, "PYTHONWARNINGS": "error"})
    assert (done.returncode, done.stdout) == (0, "no ink\n"), done.stderr
