"""How each architecture is trained: the model trained in its place, the loss, and the folding.

While LeNet-5 trains, its input is brighter and there is a batch normalisation before each tanh but
the first. Afterwards both are folded into kernels and biases, which leaves exactly the network of
``networks``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from digitcli.errors import WeightsError
from digitcli.networks import lenet5, lenet5_1998
from digitcli.networks.serialization import load_keras_weights
from digitcli.training.recipe import Recipe
from digitcli.weights_folder import WeightsFolder

_EPSILON = 1e-3
# Pixels times this have a standard deviation of about 1. For the first layer that is as good as
# batch normalisation (errors on the validation images after the first two epochs: 126 and 67 with
# the gain, 128 and 74 with normalisation, 158 and 90 with neither). It costs nothing, whereas
# normalising the layer's 28×28 maps took a quarter of the training time.
_GAIN = 4.0


@dataclass(frozen=True, slots=True)
class Trainable:
    """What training needs of an architecture.

    Attributes:
        build: builds the network with fresh weights.
        build_trained: builds the model that is trained in its place, with its weights: from images
            to scores ``(n, 10)``, of which the likeliest digit's is the highest.
        losses: returns the loss of each image from targets ``(n, 10)``, whose rows add up to 1, and
            scores.
        fold: sets the network's weights from those of the trained model; it takes some thousand
            images like those of the training.
        cool: divides the input of the network's softmax by a temperature.

    """

    build: Callable[[], keras.Sequential]
    build_trained: Callable[[keras.Sequential, Recipe], keras.Model]
    losses: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    fold: Callable[[keras.Model, keras.Sequential, NDArray[np.float32]], None]
    cool: Callable[[keras.Sequential, float], None]


def build_network(architecture: str, weights: WeightsFolder | None = None) -> keras.Sequential:
    """Build a network with fresh weights or with those of a weights folder.

    Raises:
        WeightsError: a file of the folder is missing or damaged, or it holds another architecture.

    """
    network = TRAINABLES[architecture].build()
    if weights is None:
        return network
    if weights.card.architecture != architecture:
        raise WeightsError(
            f"{weights.folder} holds {weights.card.architecture}, which {architecture} "
            "cannot begin with"
        )
    try:
        load_keras_weights(network, weights.keras_weights())
    except ValueError as error:
        raise WeightsError(f"{weights.folder}: {error}") from error
    return network


def _build_normalised(network: keras.Sequential, *, normalise: bool = True) -> keras.Model:
    """Build the model that is trained in place of ``network``: images in, logits out.

    It has the weights of ``network``. With ``normalise`` there is a batch normalisation before each
    tanh but the first. It keeps the statistics of the last batch only (momentum 0), as `_fold` runs
    it on one large batch.
    """
    inputs = keras.Input(network.input_shape[1:])
    x = layers.Rescaling(_GAIN)(inputs)
    first, *_, last = network.layers
    for layer in network.layers:
        changes: dict[str, object] = {}
        if normalise and _is_normalised(layer, first):
            changes = {"activation": None, "use_bias": False}
        elif layer is last:
            changes = {"activation": None}
        copy = type(layer).from_config({**layer.get_config(), **changes})
        x = copy(x)
        weights = layer.get_weights()
        if layer is first:
            weights[0] = weights[0] / _GAIN
        copy.set_weights(weights[: len(copy.variables)])
        if normalise and _is_normalised(layer, first):
            name = _normalisation_name(layer)
            x = layers.BatchNormalization(momentum=0.0, epsilon=_EPSILON, name=name)(x)
            x = layers.Activation("tanh", name=f"{layer.name}-tanh")(x)
    return keras.Model(inputs, x)


def _fold(trained: keras.Model, network: keras.Sequential, images: NDArray[np.float32]) -> None:
    """Set the weights of ``network`` so that it computes what ``trained`` does.

    The statistics of the normalisation are taken from ``images``, float32 ``(n, 28, 28, 1)``: some
    thousand, made like those that ``trained`` was trained on.
    """
    trained(images, training=True)
    names = {layer.name for layer in trained.layers}
    for layer in network.layers:
        weights = [variable.numpy() for variable in trained.get_layer(layer.name).variables]
        if layer is network.layers[0]:
            weights[0] = weights[0] * _GAIN
        if _normalisation_name(layer) in names:
            normalisation = trained.get_layer(_normalisation_name(layer))
            scale, shift, mean, variance = (each.numpy() for each in normalisation.variables)
            factor = scale / np.sqrt(variance + _EPSILON)
            weights = [weights[0] * factor, shift - mean * factor]
        layer.set_weights(weights)


def _cool_logits(network: keras.Sequential, temperature: float) -> None:
    """Divide the logits by a temperature, in the kernel and the bias of the last layer."""
    output = network.layers[-1]
    output.set_weights([weight / temperature for weight in output.get_weights()])


def _is_normalised(layer: keras.Layer, first: keras.Layer) -> bool:
    return layer is not first and getattr(layer, "activation", None) is keras.activations.tanh


def _normalisation_name(layer: keras.Layer) -> str:
    return f"{layer.name}-normalised"


def _build_scores(network: keras.Sequential, recipe: Recipe) -> keras.Model:
    """Build the model that is trained in place of LeNet-5 of 1998: its scores are -distances."""
    copy = lenet5_1998.build()
    copy.set_weights(network.get_weights())
    return keras.Model(copy.inputs[0], -copy.get_layer("output").output)


def _copy_weights(
    trained: keras.Model, network: keras.Sequential, images: NDArray[np.float32]
) -> None:
    for name in lenet5_1998.PARAMETERS:
        network.get_layer(name).set_weights(trained.get_layer(name).get_weights())


def _cool_distances(network: keras.Sequential, temperature: float) -> None:
    layer = network.get_layer("probabilities")
    layer.temperature.assign(layer.temperature * temperature)


TRAINABLES = {
    lenet5.NAME: Trainable(
        build=lenet5.build,
        build_trained=lambda network, recipe: _build_normalised(
            network, normalise=recipe.normalise
        ),
        losses=tf.nn.softmax_cross_entropy_with_logits,
        fold=_fold,
        cool=_cool_logits,
    ),
    lenet5_1998.NAME: Trainable(
        build=lenet5_1998.build,
        build_trained=_build_scores,
        losses=lambda targets, scores: lenet5_1998.losses(targets, -scores),
        fold=_copy_weights,
        cool=_cool_distances,
    ),
}
