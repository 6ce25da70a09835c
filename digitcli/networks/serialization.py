"""From the network as it was trained to the network as it is used.

While training, pictures are brighter and a batch normalisation stands in front of each tanh but the
first; afterwards both are folded into kernels and biases, which leaves exactly the network of
``networks``.
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from digitcli.cli.silence import quiet
from digitcli.errors import WeightsError
from digitcli.networks.keras_file import check
from digitcli.weights_folder import WeightsFolder

_EPSILON = 1e-3
# Pixels times this have a deviation of about 1. For the first layer that does what batch
# normalisation does for the others (errors on the validation part after each of the first two
# epochs: 126, 67 against 128, 74; without: 158, 90), and costs nothing, where normalising its 28×28
# maps took a quarter of the training time.
_GAIN = 4.0


def normalised(network: keras.Sequential, *, normalise: bool = True) -> keras.Model:
    """Build the twin of ``network`` to train: pictures in, logits out; it begins with the weights of ``network``.

    With ``normalise`` there is a batch normalisation in front of each tanh but the first. It keeps
    the statistics of the last batch only (momentum 0): `fold` gives it one large batch.
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
        own = type(layer).from_config({**layer.get_config(), **changes})
        x = own(x)
        weights = layer.get_weights()
        if layer is first:
            weights[0] = weights[0] / _GAIN
        own.set_weights(weights[: len(own.variables)])
        if normalise and _is_normalised(layer, first):
            x = layers.BatchNormalization(
                momentum=0.0, epsilon=_EPSILON, name=_normalisation(layer)
            )(x)
            x = layers.Activation("tanh", name=f"{layer.name}-tanh")(x)
    return keras.Model(inputs, x)


def fold(twin: keras.Model, network: keras.Sequential, pictures: NDArray[np.float32]) -> None:
    """Set the weights of ``network`` so that it answers as ``twin`` does.

    The statistics of the normalisation are taken from ``pictures``, float32 ``(n, 28, 28, 1)``:
    some thousands, made like those that ``twin`` was trained on.
    """
    twin(pictures, training=True)
    folded = {layer.name for layer in twin.layers}
    for layer in network.layers:
        weights = [variable.numpy() for variable in twin.get_layer(layer.name).variables]
        if layer is network.layers[0]:
            weights[0] = weights[0] * _GAIN
        if _normalisation(layer) in folded:
            scale, shift, mean, variance = (
                v.numpy() for v in twin.get_layer(_normalisation(layer)).variables
            )
            factor = scale / np.sqrt(variance + _EPSILON)
            weights = [weights[0] * factor, shift - mean * factor]
        layer.set_weights(weights)


def cool(network: keras.Sequential, temperature: float) -> None:
    """Divide the logits of ``network`` by a temperature, in the kernel and the bias of its last layer."""
    output = network.layers[-1]
    output.set_weights([weight / temperature for weight in output.get_weights()])


def to_tflite(network: keras.Sequential) -> bytes:
    """Convert to a LiteRT model: float32 ``(n, 28, 28, 1)`` in, probabilities ``(n, 10)`` out, any ``n``."""
    with quiet():
        return bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())


def to_keras_weights(network: keras.Sequential) -> bytes:
    """Give the network's weights as the content of a Keras ``.weights.h5`` file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        network.save_weights(path)
        return path.read_bytes()


def load_keras_weights(network: keras.Sequential, content: bytes) -> None:
    """Set the network's weights from the content of a Keras ``.weights.h5`` file, trusting nothing in it.

    Raises:
        ValueError: they are not weights of this network.

    """
    try:
        check(content, [tuple(weight.shape) for weight in network.weights])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.weights.h5"
            path.write_bytes(content)
            network.load_weights(path)
    except Exception as error:  # Keras and HDF5 raise whatever the damage led them to
        raise ValueError(f"they are not weights of {network.name}: {error}") from error


def load_bundle(network: keras.Sequential, bundle: WeightsFolder) -> None:
    """Set the network's weights to those of a weights folder.

    Raises:
        WeightsError: its file is missing or damaged, or it holds another network.

    """
    if bundle.card.architecture != network.name:
        raise WeightsError(
            f"{bundle.folder} holds {bundle.card.architecture}, which {network.name} cannot begin with"
        )
    try:
        load_keras_weights(network, bundle.keras_weights())
    except ValueError as error:
        raise WeightsError(f"{bundle.folder}: {error}") from error


def _is_normalised(layer: keras.Layer, first: keras.Layer) -> bool:
    return layer is not first and getattr(layer, "activation", None) is keras.activations.tanh


def _normalisation(layer: keras.Layer) -> str:
    return f"{layer.name}-normalised"
