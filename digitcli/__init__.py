"""Read pictures of digits with LeNet-5."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitcli.inference.classifier import Classifier as Classifier
    from digitcli.prediction import Prediction as Prediction

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # only who classifies pays for NumPy, OpenCV and LiteRT
    if name == "Classifier":
        from digitcli.inference.classifier import Classifier

        return Classifier
    if name == "Prediction":
        from digitcli.prediction import Prediction

        return Prediction
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
