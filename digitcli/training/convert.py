"""From the network as it was trained to the network as it is used.

While training, a batch normalisation stands in front of each tanh; afterwards it is folded into the kernel and the bias
of the layer before it, which leaves exactly the network of ``networks``.
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from digitcli.quiet import quiet

_EPSILON = 1e-3


def normalised(network: keras.Sequential) -> keras.Model:
    """Build the twin of ``network`` to train: batch normalisation in front of each tanh, logits in place of softmax.

    Its weights are fresh. The normalisation keeps the statistics of the last batch only (momentum 0): `folded`
    gives it one large batch.
    """
    x = inputs = keras.Input(network.input_shape[1:])
    for layer in network.layers:
        changes = {}
        if _is_tanh(layer):
            changes = {"activation": None, "use_bias": False}
        elif layer is network.layers[-1]:
            changes = {"activation": None}
        x = type(layer).from_config({**layer.get_config(), **changes})(x)
        if _is_tanh(layer):
            x = layers.BatchNormalization(momentum=0.0, epsilon=_EPSILON, name=_normalisation(layer))(x)
            x = layers.Activation("tanh", name=f"{layer.name}-tanh")(x)
    return keras.Model(inputs, x)


def fold(twin: keras.Model, network: keras.Sequential, pictures: NDArray[np.float32]) -> None:
    """Set the weights of ``network`` so that it answers as ``twin`` does.

    The statistics of the normalisation are taken from ``pictures``, float32 ``(n, 28, 28, 1)``: some thousands, made
    like those that ``twin`` was trained on.
    """
    twin(pictures, training=True)
    for layer in network.layers:
        weights = [variable.numpy() for variable in twin.get_layer(layer.name).variables]
        if _is_tanh(layer):
            scale, shift, mean, variance = (v.numpy() for v in twin.get_layer(_normalisation(layer)).variables)
            factor = scale / np.sqrt(variance + _EPSILON)
            weights = [weights[0] * factor, shift - mean * factor]
        layer.set_weights(weights)


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
    """Set the network's weights from the content of a Keras ``.weights.h5`` file.

    Raises:
        ValueError: they are not weights of this network.

    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        path.write_bytes(content)
        try:
            network.load_weights(path)
        except (OSError, KeyError, TypeError) as error:
            raise ValueError(f"they are not weights of {network.name}: {error}") from error


def _is_tanh(layer: keras.Layer) -> bool:
    return getattr(layer, "activation", None) is keras.activations.tanh


def _normalisation(layer: keras.Layer) -> str:
    return f"{layer.name}-normalised"
