"""One picture's way through digitcli, every stage of it kept to be looked at."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from digitcli.architectures import ARCHITECTURES, SCALE, SCALED_TANH
from digitcli.errors import WeightsError
from digitcli.inference.classifier import Classifier
from digitcli.inference.network import Network, to_network_input
from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import Source
from digitcli.prediction import Prediction
from digitcli.preprocessing.pipeline import Reading, read_digit
from digitcli.runtime import Model, Tensor
from digitcli.weights_folder import WeightsFolder

PATCH = 5  # side of the square that is blacked out, as large as C1's kernel


@dataclass(frozen=True, slots=True)
class Inspection:
    """What each stage made of a picture.

    Attributes:
        path: of the picture.
        image: as given, upright: uint8 of shape (height, width) where it is grey, else (height,
            width, 3).
        reading: the ink that was found and the canvas it was set into.
        prediction: the answer, as ``classify`` gives it.
        layers: float32 of shape (maps, side, side) or (units,) by the name of the layer, in their
            order; empty where the network was not asked, as there was nothing to read.
        occlusion: float32 of shape (28, 28), see ``occlusion``, where the network was asked.

    """

    path: str
    image: NDArray[np.uint8]
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
    reading = read_digit(source, replace(classifier.options, keep_image=True), MemoryBudget())
    assert reading.image is not None  # noqa: S101
    [prediction] = classifier.predict([reading])
    if prediction.best_guess is None:
        return Inspection(source.path, reading.image, reading, prediction)
    network = classifier.network
    return Inspection(
        source.path,
        reading.image,
        reading,
        prediction,
        run_layers(network.weights, reading.canvas),
        occlusion(network, reading.canvas),
    )


def run_layers(weights: WeightsFolder, canvas: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Run the network on a canvas, uint8 of shape (28, 28), and give what comes out of each layer.

    LiteRT runs the model that ``classify`` runs, but keeps all tensors. What comes out of a layer
    is the last tensor of its shape that is named after it, as the converter names tensors; the last
    layer's is the model's output.

    Raises:
        WeightsError: the architecture is not known, or the model is not of it.

    """
    layers = ARCHITECTURES.get(weights.card.architecture)
    if layers is None:
        raise WeightsError(
            f"{weights.folder}: the layers of {weights.card.architecture} are not known, "
            f"only those of {' and '.join(ARCHITECTURES)}"
        )
    model = Model(weights.model(), str(weights.folder), keep_tensors=True)
    model.run(to_network_input(canvas[np.newaxis]))
    tensors = model.tensors()
    found: dict[str, NDArray[np.float32]] = {}
    for layer in layers:
        shape = (1, layer.side, layer.side, layer.maps) if layer.kernel else (1, layer.maps)
        of_layer = model.output if layer is layers[-1] else _last(tensors, layer.name, shape)
        if of_layer is None:
            raise WeightsError(
                f"{weights.folder}: its model has no layer {layer.name} of "
                f"{weights.card.architecture}"
            )
        values = model.value(of_layer)[0]
        if layer.activation == SCALED_TANH and of_layer.name.endswith("/Tanh"):
            # the converter has moved this factor into the next layer's kernel
            values = values * np.float32(SCALE)
        found[layer.name] = np.moveaxis(values, -1, 0) if layer.side > 1 else values.ravel()
    return found


def _last(tensors: list[Tensor], layer: str, shape: tuple[int, ...]) -> Tensor | None:
    """Return the last tensor of a shape that is named after a layer."""
    named = re.compile(rf"/{layer}(_\d+)?/").search
    of_layer = [tensor for tensor in tensors if tensor.shape == shape and named(tensor.name)]
    return of_layer[-1] if of_layer else None


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
