import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from digitcli.networks import lenet5
from digitcli.networks.serialization import (
    cool,
    fold,
    load_keras_weights,
    normalised,
    to_keras_weights,
    to_tflite,
)

PICTURES = np.random.default_rng(1).random((50, 28, 28, 1), np.float32)


def test_the_folded_network_answers_as_the_one_that_was_trained():
    twin = normalised(lenet5.build())
    rng = np.random.default_rng(2)
    for variable in twin.trainable_variables:
        variable.assign(variable.numpy() + rng.normal(0, 0.1, variable.shape))
    network = lenet5.build()
    fold(twin, network, PICTURES)
    expected = keras.activations.softmax(twin(PICTURES, training=True)).numpy()
    np.testing.assert_allclose(network(PICTURES).numpy(), expected, atol=1e-5)
    assert expected.max(axis=1).std() > 0.01  # or any two networks would agree


def test_a_temperature_is_folded_into_the_last_layer(network):
    before = np.log(network(PICTURES).numpy())
    cool(network, 2.0)
    np.testing.assert_allclose(
        network(PICTURES).numpy(), keras.activations.softmax(before / 2).numpy(), atol=1e-5
    )


@pytest.mark.parametrize("n", [1, 2, 50])
def test_litert_answers_as_keras_for_any_number_of_pictures(network, n):
    interpreter = Interpreter(model_content=to_tflite(network), num_threads=1)
    source, goal = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(source["index"], (n, 28, 28, 1), strict=True)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], PICTURES[:n])
    interpreter.invoke()
    np.testing.assert_allclose(
        interpreter.get_tensor(goal["index"]), network(PICTURES[:n]).numpy(), atol=1e-5
    )


def test_weights_come_back_from_their_file_as_they_went(network):
    other = lenet5.build()
    load_keras_weights(other, to_keras_weights(network))
    for ours, theirs in zip(other.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_file_that_holds_no_weights_is_refused(network):
    with pytest.raises(ValueError, match="not weights"):
        load_keras_weights(network, b"no HDF5")
