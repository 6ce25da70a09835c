"""One picture's way through digitcli, every stage of it kept to be looked at."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from digitcli.architectures import ARCHITECTURES, SCALE, SCALED_TANH
from digitcli.errors import WeightsError
from digitcli.inference.classifier import Classifier
from digitcli.inference.network import Network
from digitcli.inputs.decoding import decode
from digitcli.inputs.discovery import Source, read_source
from digitcli.prediction import Prediction
from digitcli.preprocessing.pipeline import Reading, read_decoded
from digitcli.weights_folder import WeightsFolder, open_weights

PATCH = 5  # side of the square that is blacked out, as large as C1's kernel


@dataclass(frozen=True, slots=True)
class Inspection:
    """What each stage made of a picture.

    Attributes:
        path: of the picture.
        picture: as given, upright: uint8 of shape (height, width) where it is grey, else (height,
            width, 3).
        reading: the ink that was found and the canvas it was set into.
        prediction: the answer, as ``classify`` gives it.
        layers: float32 of shape (maps, side, side) or (units,) by the name of the layer, in their
            order; empty where the network was not asked, as there was nothing to read.
        occlusion: float32 of shape (28, 28), see ``occlusion``, where the network was asked.

    """

    path: str
    picture: NDArray[np.uint8]
    reading: Reading
    prediction: Prediction
    layers: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    occlusion: NDArray[np.float32] | None = None


def inspect(source: Source, classifier: Classifier) -> Inspection:
    """Read one picture as ``classifier`` does and keep what each stage makes of it.

    Raises:
        ImageError: there is no picture to be had; the one line does not name the file.
        WeightsError: the weights cannot be used, or are of no architecture whose layers are known.

    """
    picture = decode(read_source(source), max_pixels=classifier.max_pixels)
    reading = read_decoded(picture, as_is=classifier.as_is, invert=classifier.invert)
    [prediction] = classifier.predict([reading])
    if prediction.best_guess is None:
        return Inspection(source.path, picture, reading, prediction)
    return Inspection(
        source.path,
        picture,
        reading,
        prediction,
        run_layers(open_weights(classifier.weights), reading.canvas),
        occlusion(classifier.network, reading.canvas),
    )


def run_layers(bundle: WeightsFolder, canvas: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Run the network on a canvas, uint8 of shape (28, 28), and give what comes out of each layer.

    LiteRT runs the model that ``classify`` runs, but keeps all tensors. What comes out of a layer
    is the last tensor of its shape that is named after it, as the converter names tensors; the last
    layer's is the model's output.

    Raises:
        WeightsError: the architecture is not known, or the model is not of it.

    """
    layers = ARCHITECTURES.get(bundle.card.architecture)
    if layers is None:
        raise WeightsError(
            f"{bundle.folder}: the layers of {bundle.card.architecture} are not known, "
            f"only those of {' and '.join(ARCHITECTURES)}"
        )
    interpreter = Interpreter(
        model_content=bundle.model(),
        num_threads=1,
        # XNNPACK, the default, fuses layers and leaves no tensors between them
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(
        interpreter.get_input_details()[0]["index"],
        canvas[np.newaxis, ..., np.newaxis].astype(np.float32) / 255,
    )
    interpreter.invoke()
    tensors = [
        tensor for tensor in interpreter.get_tensor_details() if tensor["dtype"] is np.float32
    ]
    found: dict[str, NDArray[np.float32]] = {}
    for layer in layers:
        shape = (1, layer.side, layer.side, layer.maps) if layer.kernel else (1, layer.maps)
        named = re.compile(rf"/{layer.name}(_\d+)?/").search
        of_layer = [t for t in tensors if tuple(t["shape"]) == shape and named(t["name"])]
        if layer is layers[-1]:
            of_layer = interpreter.get_output_details()
        if not of_layer:
            raise WeightsError(
                f"{bundle.folder}: its model has no layer {layer.name} of {bundle.card.architecture}"
            )
        values: NDArray[np.float32] = interpreter.get_tensor(of_layer[-1]["index"])[0]
        if layer.activation == SCALED_TANH and of_layer[-1]["name"].endswith("/Tanh"):
            values = values * np.float32(
                SCALE
            )  # the converter has moved this factor into the next layer's kernel
        found[layer.name] = np.moveaxis(values, -1, 0) if layer.side > 1 else values.ravel()
    return found


def occlusion(network: Network, canvas: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Find out which pixels the answer rests on: black out a square around each in turn.

    M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional Networks. ECCV 2014,
    section 4.2.

    Returns:
        float32 of shape (28, 28): how far the probability of the answer falls, in [-1, 1]; below
        zero it rises.

    """
    side = len(canvas)
    reach = PATCH // 2
    occluded = np.repeat(canvas[np.newaxis], side * side, axis=0)
    for row in range(side):
        for column in range(side):
            square = occluded[row * side + column, max(0, row - reach) : row + reach + 1]
            square[:, max(0, column - reach) : column + reach + 1] = 0
    before = network.probabilities(canvas[np.newaxis])[0]
    answer = int(before.argmax())
    after = network.probabilities(occluded)[:, answer]
    fall: NDArray[np.float32] = (before[answer] - after).reshape(side, side)
    return fall
