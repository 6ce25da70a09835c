"""How each architecture is trained: what takes its place meanwhile, the loss, the way back, and calibration."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitcli.networks import lenet5, lenet5_1998
from digitcli.networks.serialization import cool, fold, normalised
from digitcli.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Twin:
    """What training needs to know of an architecture.

    ``network`` builds it with fresh weights. ``twin`` builds what is trained in its place,
    beginning with its weights: from pictures to scores ``(n, 10)``, the highest the likeliest
    digit's. ``losses`` gives the loss of each picture from targets ``(n, 10)``, which add up to 1,
    and scores. ``fold`` brings the trained weights back; it is given some thousand pictures like
    those that were trained on. ``cool`` divides by a temperature what the network's softmax is
    given.
    """

    network: Callable[[], keras.Sequential]
    twin: Callable[[keras.Sequential, Recipe], keras.Model]
    losses: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    fold: Callable[[keras.Model, keras.Sequential, NDArray[np.float32]], None]
    cool: Callable[[keras.Sequential, float], None]


def _nearness(network: keras.Sequential, recipe: Recipe) -> keras.Model:
    own = lenet5_1998.build()
    own.set_weights(network.get_weights())
    return keras.Model(own.inputs[0], -own.get_layer("output").output)


def _copy(twin: keras.Model, network: keras.Sequential, pictures: NDArray[np.float32]) -> None:
    for name in lenet5_1998.PARAMETERS:
        network.get_layer(name).set_weights(twin.get_layer(name).get_weights())


def _cool_distances(network: keras.Sequential, temperature: float) -> None:
    layer = network.get_layer("probabilities")
    layer.temperature.assign(layer.temperature * temperature)


TWINS = {
    lenet5.NAME: Twin(
        network=lenet5.build,
        twin=lambda network, recipe: normalised(network, normalise=recipe.normalise),
        losses=tf.nn.softmax_cross_entropy_with_logits,
        fold=fold,
        cool=cool,
    ),
    lenet5_1998.NAME: Twin(
        network=lenet5_1998.build,
        twin=_nearness,
        losses=lambda targets, scores: lenet5_1998.losses(targets, -scores),
        fold=_copy,
        cool=_cool_distances,
    ),
}
