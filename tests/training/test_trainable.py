import keras
import numpy as np
import pytest

from digitcli.datasets import mnist
from digitcli.inference.network import to_network_input
from digitcli.networks import lenet5, lenet5_1998
from digitcli.training.fit import fit
from digitcli.training.recipe import Recipe
from digitcli.training.scoring import probabilities
from digitcli.training.trainable import TRAINABLES

RECIPES = {
    name: Recipe(architecture=name, epochs=2, batch_size=50, drawn=0, no_digits=0)
    for name in TRAINABLES
}


@pytest.fixture(params=sorted(TRAINABLES))
def name(request):
    return request.param


@pytest.fixture
def pictures():
    return mnist.load_splits().validation.images[:200]


def changed(name: str) -> keras.Sequential:
    """A network whose weights, biases too, are others than a fresh one's."""
    keras.utils.set_random_seed(5)
    network = TRAINABLES[name].build()
    for variable in network.trainable_variables:
        variable.assign_add(keras.random.normal(variable.shape, stddev=0.03))
    return network


def test_cooling_makes_the_network_less_sure_of_the_same_answers(name, pictures):
    network = TRAINABLES[name].build()
    before = np.log(probabilities(network, pictures))
    TRAINABLES[name].cool(network, 3.0)
    raised = np.exp(before / 3)
    expected = raised / raised.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities(network, pictures), expected, rtol=1e-4)


def test_what_the_twin_learns_reaches_the_network(name, pictures):
    network, other = TRAINABLES[name].build(), changed(name)
    twin = TRAINABLES[name].build_trained(other, RECIPES[name])
    TRAINABLES[name].fold(twin, network, to_network_input(pictures))
    scores = twin(to_network_input(pictures), training=True).numpy()
    chances = probabilities(network, pictures)
    assert (scores.argmax(axis=1) == chances.argmax(axis=1)).all()
    # both networks' probabilities are softmaxes of the scores, one over a temperature
    nearer = np.diff(scores, axis=1)
    further = np.diff(np.log(chances), axis=1)
    ratio = np.median(nearer / further)
    np.testing.assert_allclose(nearer, ratio * further, atol=1e-2)


def test_the_network_of_1998_learns(few):
    keras.utils.set_random_seed(0)
    network = lenet5_1998.build()
    train, validation = few
    recipe = Recipe(
        architecture=lenet5_1998.NAME, epochs=5, batch_size=20, label_smoothing=0, augmentation=None
    )
    fitted = fit(recipe, network, train, validation)
    assert fitted.best.validation.accuracy > 0.6  # 0.70 with Keras 3.12, 0.76 with 3.15
    assert fitted.best.validation.loss < fitted.history[0].validation.loss


PICTURES = np.random.default_rng(1).random((50, 28, 28, 1), np.float32)


def test_the_folded_network_answers_as_the_one_that_was_trained():
    lenet = TRAINABLES[lenet5.NAME]
    trained = lenet.build_trained(lenet5.build(), Recipe())
    rng = np.random.default_rng(2)
    for variable in trained.trainable_variables:
        variable.assign(variable.numpy() + rng.normal(0, 0.1, variable.shape))
    network = lenet5.build()
    lenet.fold(trained, network, PICTURES)
    expected = keras.activations.softmax(trained(PICTURES, training=True)).numpy()
    np.testing.assert_allclose(network(PICTURES).numpy(), expected, atol=1e-5)
    assert expected.max(axis=1).std() > 0.01  # or any two networks would agree


def test_a_temperature_is_folded_into_the_last_layer(network):
    before = np.log(network(PICTURES).numpy())
    TRAINABLES[lenet5.NAME].cool(network, 2.0)
    np.testing.assert_allclose(
        network(PICTURES).numpy(), keras.activations.softmax(before / 2).numpy(), atol=1e-5
    )
