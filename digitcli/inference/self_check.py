"""Whether everything that digitcli needs is here and works: what ``info --check`` shows.

Nothing is imported before its turn: this has to run where something is missing.
"""

import io
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import NamedTuple

from digitcli.architectures import ARCHITECTURES
from digitcli.errors import DigitcliError

# Each with the module that is imported from it.
REQUIRED = {
    "ai-edge-litert": "ai_edge_litert",
    "jinja2": "jinja2",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "rich": "rich",
    "typer": "typer",
}
# Each with its module, and what cannot be done without it.
OPTIONAL = {
    "tensorflow": ("tensorflow", "train and export do not work: pip install tensorflow"),
    "pillow-heif": ("pillow_heif", "HEIC is not read: pip install 'digitcli[heif]'"),
    "tf2onnx": ("tf2onnx", "ONNX is not written: pip install 'digitcli[onnx]'"),
}
DETECTOR = "detector"

# The sample: a test image of MNIST, dark on a light page, as JPEG.
_PAGE, _PAPER = (640, 480), 235
_INK_SIDE = 112  # pixels, four times MNIST's


class Finding(NamedTuple):
    """One thing that was checked; ``status`` is ok, missing or failed."""

    name: str
    status: str
    required: bool
    detail: str

    @property
    def is_bad(self) -> bool:
        """Whether something that digitcli cannot do without is not right."""
        return self.required and self.status != "ok"


def check_everything(weights: str) -> Iterator[Finding]:
    """Check libraries, weights, LiteRT and the way of a sample; yield each as it is done."""
    for library, module in REQUIRED.items():
        yield _library(library, module, "pip install digitcli again", required=True)
    for library, (module, lack) in OPTIONAL.items():
        yield _library(library, module, lack, required=False)
    for name in dict.fromkeys((DETECTOR, *ARCHITECTURES, weights)):
        yield _tried(f"weights {name}", partial(_verify_weights, name))
    yield _tried("MNIST", _verify_mnist)
    yield _tried("LiteRT", partial(_run_network, weights))
    yield _tried("sample", partial(_read_sample, weights))


def _library(library: str, module: str, lack: str, *, required: bool) -> Finding:
    if find_spec(module) is None:
        return Finding(library, "missing", required, lack)
    try:
        return Finding(library, "ok", required, version(library))
    except PackageNotFoundError:
        return Finding(library, "ok", required, f"{module}, of another package")


def _tried(name: str, check: Callable[[], str]) -> Finding:
    """Run a check; whatever it raises is what is wrong, as a library may be half there."""
    try:
        return Finding(name, "ok", True, check())
    except ImportError as error:
        return Finding(name, "failed", True, f"cannot import {error.name or error}")
    except DigitcliError as error:
        return Finding(name, "failed", True, str(error))
    except Exception as error:
        return Finding(name, "failed", True, f"{type(error).__name__}: {error}")


def _verify_weights(name: str) -> str:
    from digitcli.weights_folder import open_weights

    folder = open_weights(name)
    folder.model()
    folder.keras_weights()
    return f"SHA-256 as its card says, {folder.folder}"


def _verify_mnist() -> str:
    from digitcli.datasets.mnist import load_test

    return f"SHA-256 as published, {len(load_test().images):,} test images"


def _run_network(weights: str) -> str:
    from digitcli.datasets.mnist import load_test
    from digitcli.inference.network import Network

    probabilities = Network(weights).probabilities(load_test().images[:1])
    return f"runs {weights}: {probabilities.max():.2%} for a digit of MNIST"


def _read_sample(weights: str) -> str:
    """Read a page with a digit on it, by way of a decoder, the detector and the network."""
    from PIL import Image

    from digitcli.datasets.mnist import load_test
    from digitcli.inference.classifier import Classifier

    test = load_test()
    side = (_INK_SIDE, _INK_SIDE)
    ink = Image.fromarray(test.images[0]).resize(side, Image.Resampling.BICUBIC)
    page = Image.new("L", _PAGE, _PAPER)
    page.paste(0, (_PAGE[0] // 2, _PAGE[1] // 2), ink)
    file = io.BytesIO()
    page.save(file, "JPEG")
    prediction = Classifier(weights).classify(file.getvalue())
    if prediction.best_guess != test.labels[0]:
        raise DigitcliError(
            f"a {test.labels[0]} on a page of paper was read as {prediction.best_guess}: "
            f"{prediction.reason}"
        )
    return f"a {test.labels[0]} on a page of paper is read"
