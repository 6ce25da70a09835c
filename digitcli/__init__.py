"""Read pictures of digits with LeNet-5.

>>> from digitcli import Classifier
>>> Classifier().classify("tests/samples/7-red-marker.png").digit
7
"""

from typing import TYPE_CHECKING, Any

from digitcli._version import __version__

if TYPE_CHECKING:
    from digitcli.inference.classifier import Classifier
    from digitcli.prediction import Prediction, Reason, Status

__all__ = ["Classifier", "Prediction", "Reason", "Status", "__version__"]


def __getattr__(name: str) -> Any:
    # imported on use, as NumPy, OpenCV and LiteRT take time to import
    if name == "Classifier":
        from digitcli.inference.classifier import Classifier

        return Classifier
    if name in ("Prediction", "Reason", "Status"):
        from digitcli import prediction

        return getattr(prediction, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
