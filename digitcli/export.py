"""Export of a network to other programs: Keras' own file, a TensorFlow SavedModel, ONNX.

The input of the exported network is float32 ``(n, 28, 28, 1)`` in [0, 1], white ink on black, for
any ``n``; its output is float32 probabilities ``(n, 10)``.
"""

import importlib.util
import tempfile
from pathlib import Path

import keras

from digitcli.errors import MissingLibraryError
from digitcli.training.trainable import build_network
from digitcli.weights_folder import WeightsFolder


def to_keras(weights: WeightsFolder) -> bytes:
    """Return the content of a ``.keras`` file.

    Raises:
        WeightsError: the folder's Keras weights cannot be used.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        _build(weights).save(path)
        return path.read_bytes()


def to_saved_model(weights: WeightsFolder) -> dict[str, bytes]:
    """Return the files of a TensorFlow SavedModel, by their path in its folder.

    Raises:
        WeightsError: the folder's Keras weights cannot be used.
    """
    with tempfile.TemporaryDirectory() as folder:
        _export(_build(weights), folder, "tf_saved_model")
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def to_onnx(weights: WeightsFolder) -> bytes:
    """Return an ONNX model.

    Raises:
        WeightsError: the folder's Keras weights cannot be used.
        MissingLibraryError: tf2onnx is not installed.
    """
    if importlib.util.find_spec("tf2onnx") is None:
        raise MissingLibraryError(
            "ONNX needs tf2onnx, which is not installed: pip install 'digitcli[onnx]'"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        _export(_build(weights), str(path), "onnx")
        return path.read_bytes()


def _build(weights: WeightsFolder) -> keras.Sequential:
    return build_network(weights.card.architecture, weights)


def _export(network: keras.Sequential, path: str, kind: str) -> None:
    images = keras.InputSpec(shape=(None, 28, 28, 1), dtype="float32", name="pictures")
    network.export(path, format=kind, verbose=False, input_signature=[images])
