"""One image on its way through digitcli, with the result of every stage kept."""

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

PATCH = 5  # pixels of the side of the square that is occluded, as large as C1's kernel


@dataclass(frozen=True, slots=True)
class Inspection:
    """The results of all stages for one image.

    Attributes:
        path: of the image.
        image: as given, upright: uint8 of shape (height, width) where it is grey, else (height,
            width, 3).
        reading: the ink that was found and the canvas that it was framed in.
        prediction: as ``classify`` makes it.
        layers: the output of each layer by its name, in order, float32 of shape (maps, side, side)
            or (units,); empty where the network did not run, as there was nothing to read.
        occlusion: float32 of shape (28, 28), see `compute_occlusion`; None where the network did
            not run.

    """

    path: str
    image: NDArray[np.uint8]
    reading: Reading
    prediction: Prediction
    layers: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    occlusion: NDArray[np.float32] | None = None


def inspect(source: Source, classifier: Classifier) -> Inspection:
    """Classify one image as ``classifier`` does, and keep the result of each stage.

    Raises:
        ImageError: the image cannot be read; the message is one line that does not name the file.
        WeightsError: the weights cannot be used, or the layers of their architecture are not known.

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
        layers=run_layers(network.weights, reading.canvas),
        occlusion=compute_occlusion(network, reading.canvas),
    )


def run_layers(weights: WeightsFolder, canvas: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Run the network on a canvas, uint8 of shape (28, 28), and return the output of each layer.

    LiteRT runs the model that ``classify`` runs, but keeps all tensors. The output of a layer is
    the last tensor of its shape that the converter named after it; that of the last layer is the
    output of the model.

    Raises:
        WeightsError: the architecture is not known, or is not the model's.

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
    outputs: dict[str, NDArray[np.float32]] = {}
    for layer in layers:
        shape = (1, layer.side, layer.side, layer.maps) if layer.kernel else (1, layer.maps)
        is_last = layer is layers[-1]
        output = model.output if is_last else _find_output(tensors, layer.name, shape)
        if output is None:
            raise WeightsError(
                f"{weights.folder}: its model has no layer {layer.name} of "
                f"{weights.card.architecture}"
            )
        values = model.value(output)[0]
        if layer.activation == SCALED_TANH and output.name.endswith("/Tanh"):
            # the converter has moved this factor into the next layer's kernel
            values = values * np.float32(SCALE)
        has_maps = layer.side > 1
        outputs[layer.name] = np.moveaxis(values, -1, 0) if has_maps else values.ravel()
    return outputs


def _find_output(tensors: list[Tensor], layer: str, shape: tuple[int, ...]) -> Tensor | None:
    """Return the last tensor of a shape that is named after a layer."""
    is_named = re.compile(rf"/{layer}(_\d+)?/").search
    of_layer = [tensor for tensor in tensors if tensor.shape == shape and is_named(tensor.name)]
    return of_layer[-1] if of_layer else None


def compute_occlusion(network: Network, canvas: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute which pixels decide the answer, by blacking out a square around each in turn.

    M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional Networks. ECCV 2014,
    section 4.2.

    Returns:
        float32 of shape (28, 28), in [-1, 1]: the fall of the likeliest digit's probability;
        negative where it rises.

    """
    side = len(canvas)
    reach = PATCH // 2
    occluded = np.repeat(canvas[np.newaxis], side * side, axis=0)
    for row in range(side):
        for column in range(side):
            image = occluded[row * side + column]
            top, left = max(0, row - reach), max(0, column - reach)
            image[top : row + reach + 1, left : column + reach + 1] = 0
    before = network.probabilities(canvas[np.newaxis])[0]
    answer = int(before.argmax())
    after = network.probabilities(occluded)[:, answer]
    fall: NDArray[np.float32] = (before[answer] - after).reshape(side, side)
    return fall
